// npm oauth4webapi, a client library that follows the standards to the letter.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { startSignet } from "../support/signet.mjs";
import { claimsOf, createSet, openLink, putUser } from "../support/workflow.mjs";

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
    await assert.rejects(getToken({ ...set, client_secret: "wrong" }, authenticate), (error) => {
      assert.ok(error instanceof oauth.WWWAuthenticateChallengeError, error);
      assert.deepEqual([error.status, error.cause[0].scheme], [401, "basic"]);
      return true;
    });
  });

  test(`RFC 6749 section 2.3.1: a secret full of special characters works by client_secret_${method.toLowerCase()}`, async () => {
    const special = await setWithSecret(`p+q %25/=&:é~${method}`);
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

test("a client that leaves the form-encoding out of Basic is understood too", async () => {
  const special = await setWithSecret("abc+def/ghi=");
  const Authorization = `Basic ${btoa(`${special.client_id}:${special.client_secret}`)}`;
  const body = new URLSearchParams({ grant_type: "single_sign_on" });
  assert.equal((await signet.fetch("/oauth/token", { method: "POST", headers: { Authorization }, body })).status, 200);
});

/** A set with a secret of somebody else's making, as an import would bring it. */
async function setWithSecret(client_secret) {
  const { client_id } = await createSet(signet, { user_id: "42" });
  const kv = await signet.kv();
  const stored = JSON.parse(await kv.get(`credential:${client_id}`));
  stored.secret.digest = createHmac("sha256", "signet secret digest v1".padEnd(64, ".")).update(client_secret).digest("base64url");
  await kv.put(`credential:${client_id}`, JSON.stringify(stored));
  return { client_id, client_secret };
}
