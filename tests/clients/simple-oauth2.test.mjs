// npm simple-oauth2, which reads an answer without the type of JSON as a failure.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ClientCredentials } from "simple-oauth2";
import { startSignet } from "../support/signet.mjs";
import { createSet, openLink, putUser } from "../support/workflow.mjs";
import { importSet } from "./imported.mjs";

let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "42");
  set = await createSet(signet, { user_id: "42" });
});
after(() => signet.close());

const clientOf = ({ client_id, client_secret }, options = {}) =>
  new ClientCredentials({
    client: { id: client_id, secret: client_secret },
    auth: { tokenHost: signet.issuer, tokenPath: "/oauth/token", revokePath: "/oauth/revoke" },
    options,
  });

for (const options of [{}, { credentialsEncodingMode: "loose" }, { authorizationMethod: "body" }]) {
  test(`RFC 7009 section 2.2: it gets a token and revokes it: ${JSON.stringify(options)}`, async () => {
    const token = await clientOf(set, options).getToken({ grant_type: "single_sign_on", scope: "clientarea:invoices" });
    assert.equal(token.token.scope, "clientarea:invoices");
    assert.deepEqual(await token.revoke("access_token"), {});
    assert.deepEqual(await token.revoke("access_token"), {}, "also when there is nothing left to revoke");
    assert.equal((await openLink(signet, token.token.access_token)).status, 401);
  });
}

test("RFC 6749 section 5.2: it distinguishes a refusal from a success", async () => {
  const wrong = clientOf({ ...set, client_secret: "wrong" });
  await assert.rejects(wrong.getToken({ grant_type: "single_sign_on" }), ({ output, data }) => {
    assert.deepEqual([output.statusCode, data.payload.error], [401, "invalid_client"]);
    return true;
  });
});

test("RFC 6749 section 2.3.1: any secret arrives, form-encoded or as it stands", async () => {
  const imported = await importSet(signet, "a secret of + / = : % and spaces, as others make them");
  for (const credentialsEncodingMode of ["strict", "loose"]) {
    const token = await clientOf(imported, { credentialsEncodingMode }).getToken({ grant_type: "single_sign_on" });
    assert.equal((await openLink(signet, token.token.access_token)).status, 302, credentialsEncodingMode);
  }
});
