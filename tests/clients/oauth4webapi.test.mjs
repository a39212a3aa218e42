// npm oauth4webapi, a client library that follows the standards to the letter.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as oauth from "oauth4webapi";
import { startSignet } from "../support/signet.mjs";
import { claimsOf, createSet, openLink, postForm, putUser } from "../support/workflow.mjs";
import { importSet } from "./imported.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };
let signet, server, set;

before(async () => {
  signet = await startSignet();
  const issuer = new URL(signet.issuer);
  const discovery = await oauth.discoveryRequest(issuer, { ...insecure, algorithm: "oauth2" });
  server = await oauth.processDiscoveryResponse(issuer, discovery);
  await putUser(signet, "42");
  set = await createSet(signet, { user_id: "42" });
});
after(() => signet.close());

async function getToken({ client_id, client_secret }, authenticate, parameters = {}) {
  const client = { client_id };
  const response = await oauth.genericTokenEndpointRequest(
    server,
    client,
    authenticate(client_secret),
    "single_sign_on",
    parameters,
    insecure,
  );
  return oauth.processGenericTokenEndpointResponse(server, client, response);
}

for (const [method, authenticate] of [
  ["Basic", oauth.ClientSecretBasic],
  ["post", oauth.ClientSecretPost],
]) {
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

test("RFC 8414 section 3: every endpoint that discovery finds is used by these tests", () => {
  const endpoints = Object.keys(server).filter((name) => name.endsWith("_endpoint") || name.endsWith("_uri"));
  assert.deepEqual(endpoints.sort(), ["introspection_endpoint", "jwks_uri", "revocation_endpoint", "token_endpoint"]);
});

for (const [method, authenticate] of [
  ["basic", oauth.ClientSecretBasic],
  ["post", oauth.ClientSecretPost],
]) {
  test(`RFC 7662, RFC 7009: introspects and revokes a token with client_secret_${method}`, async () => {
    const { access_token } = await getToken(set, authenticate);
    const client = { client_id: set.client_id };
    const proof = authenticate(set.client_secret);
    const introspect = async () =>
      oauth.processIntrospectionResponse(
        server,
        client,
        await oauth.introspectionRequest(server, client, proof, access_token, insecure),
      );
    const { active, sub, iss } = await introspect();
    assert.deepEqual({ active, sub, iss }, { active: true, sub: "42", iss: signet.issuer });
    const revoked = await oauth.revocationRequest(server, client, proof, access_token, insecure);
    assert.equal(await oauth.processRevocationResponse(revoked), undefined);
    assert.deepEqual(await introspect(), { active: false });
    assert.equal((await openLink(signet, access_token)).status, 401);
  });

  test(`RFC 7009 section 2.2.1: a wrong secret by client_secret_${method} is answered with a challenge`, async () => {
    const client = { client_id: set.client_id };
    const response = await oauth.revocationRequest(server, client, authenticate("wrong"), "x", insecure);
    await assert.rejects(oauth.processRevocationResponse(response), oauth.WWWAuthenticateChallengeError);
  });
}

test("RFC 7517: the keys are where the metadata says, and import as ES256", async () => {
  const { keys } = await (await fetch(server.jwks_uri)).json();
  for (const jwk of keys)
    await crypto.subtle.importKey("jwk", jwk, { name: "ECDSA", namedCurve: jwk.crv }, false, ["verify"]);
  assert.equal(keys.length, 1);
});

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
    assert.equal(
      (await postForm(signet, "/oauth/token", { grant_type: "single_sign_on" }, { Authorization })).status,
      200,
    );
  });
}
