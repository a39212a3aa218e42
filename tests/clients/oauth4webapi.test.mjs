// npm oauth4webapi, a client library that follows the standards to the letter.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { startSignet } from "../support/signet.mjs";
import { claimsOf, createSet, openLink, putUser } from "../support/workflow.mjs";
import { importSet } from "./imported.mjs";

let signet, server, set;

before(async () => {
  signet = await startSignet();
  server = { issuer: signet.issuer, token_endpoint: `${signet.issuer}/oauth/token` };
  await putUser(signet, "42");
  set = await createSet(signet, { user_id: "42" });
});
after(() => signet.close());

async function getToken({ client_id, client_secret }, authenticate, parameters = {}) {
  const client = { client_id };
  const options = { [oauth.allowInsecureRequests]: true };
  const response = await oauth.genericTokenEndpointRequest(
    server, client, authenticate(client_secret), "single_sign_on", parameters, options,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

for (const [method, authenticate] of [["Basic", oauth.ClientSecretBasic], ["post", oauth.ClientSecretPost]]) {
  test(`RFC 6749 section 4.5: gets a token with client_secret_${method.toLowerCase()}, and it signs in`, async () => {
    const answer = await getToken(set, authenticate, { scope: "clientarea:invoices" });
    assert.deepEqual([answer.token_type, answer.expires_in, answer.scope], ["bearer", 60, "clientarea:invoices"]);
    assert.equal(claimsOf(answer.access_token).sub, "42");
    assert.equal((await openLink(signet, answer.access_token)).status, 302);
  });

  test(`RFC 6749 section 5.2: a wrong secret by client_secret_${method.toLowerCase()} is refused with a challenge`, async () => {
    let answer;
    await assert.rejects(getToken({ ...set, client_secret: "wrong" }, authenticate), (error) => {
      assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
      assert.deepEqual([error.status, error.cause[0].scheme], [401, "basic"]);
      answer = error.response;
      return true;
    });
    assert.equal((await answer.json()).error, "invalid_client");
  });

  test(`RFC 6749 section 2.3.1: a secret full of special characters works by client_secret_${method.toLowerCase()}`, async () => {
    const special = await importSet(signet, `p+q %25/=&:é~${method}`);
    assert.ok((await getToken(special, authenticate)).access_token);
  });
}

test("RFC 6749 section 5.2: a scope that is not allowed is refused", async () => {
  await assert.rejects(getToken(set, oauth.ClientSecretBasic, { scope: "clientarea:downloads" }), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError, error);
    assert.deepEqual([error.status, error.error], [400, "invalid_scope"]);
    return true;
  });
});

for (const secret of ["abc+def/ghi=", "100%", "a%zz", "a%ffb", "a%2Bb", "a:b:c", "é", "a b", "+"]) {
  test(`RFC 7617: a client that leaves the form-encoding out of Basic is understood too: ${secret}`, async () => {
    const { client_id } = await importSet(signet, secret);
    const Authorization = `Basic ${Buffer.from(`${client_id}:${secret}`).toString("base64")}`;
    const body = new URLSearchParams({ grant_type: "single_sign_on" });
    assert.equal((await signet.fetch("/oauth/token", { method: "POST", headers: { Authorization }, body })).status, 200);
  });
}
