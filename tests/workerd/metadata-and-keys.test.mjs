// What Signet publishes about itself: metadata and public keys.

import assert from "node:assert/strict";
import { createECDH, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { keyEntry as entry, keyBytes } from "../support/keys.mjs";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import { basic, createSet, postForm, putUser, signIn } from "../support/workflow.mjs";

const METADATA = "/.well-known/oauth-authorization-server";
const JWKS = "/.well-known/jwks.json";
let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

const read = async (path, from = signet) => (await from.fetch(path)).json();

/** The public key that belongs to an entry of SIGNING_KEYS, derived by other means than Signet's. */
function publicKey(first) {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(createHmac("sha256", keyBytes(first)).update("signet v1 assertion ES256\x01").digest());
  const point = ecdh.getPublicKey();
  return { x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
}

test("RFC 8414 section 3.2: the exact metadata", async () => {
  const { scopes_supported, ...metadata } = await read(METADATA);
  const methods = ["client_secret_basic", "client_secret_post"];
  assert.deepEqual(metadata, {
    issuer: signet.issuer,
    token_endpoint: `${signet.issuer}/oauth/token`,
    token_endpoint_auth_methods_supported: methods,
    revocation_endpoint: `${signet.issuer}/oauth/revoke`,
    revocation_endpoint_auth_methods_supported: methods,
    introspection_endpoint: `${signet.issuer}/oauth/introspect`,
    introspection_endpoint_auth_methods_supported: methods,
    jwks_uri: `${signet.issuer}/.well-known/jwks.json`,
    grant_types_supported: ["single_sign_on"],
    response_types_supported: [],
  });
  assert.equal(scopes_supported.length, 20);
});

test("RFC 8414 section 3.3: the issuer comes from the setting, whatever the request says", async () => {
  const headers = { Host: "evil.example", "X-Forwarded-Host": "evil.example", Forwarded: "host=evil.example" };
  const text = await (await signet.fetch(METADATA, { headers })).text();
  assert.ok(!text.includes("evil"));
});

test("RFC 8414 section 2: every endpoint in the metadata exists and takes every method of authentication", async () => {
  const metadata = await read(METADATA);
  const set = await createSet(signet, { user_id: "1", scopes: metadata.scopes_supported.slice(1) });
  const { client_id, client_secret } = set;
  for (const [name, url] of Object.entries(metadata).filter(([name]) => name.endsWith("_endpoint"))) {
    const path = new URL(url).pathname;
    const ways = { client_secret_basic: [basic(set), {}], client_secret_post: [{}, { client_id, client_secret }] };
    for (const method of metadata[`${name}_auth_methods_supported`]) {
      const [headers, more] = ways[method];
      assert.equal(
        (await postForm(signet, path, { grant_type: metadata.grant_types_supported[0], token: "x", ...more }, headers))
          .status,
        200,
        `${name} ${method}`,
      );
    }
  }
  assert.equal((await signet.fetch(new URL(metadata.jwks_uri).pathname)).status, 200);
});

test("RFC 9111: metadata, keys and description may be cached for five minutes, failures may not", async () => {
  for (const path of [METADATA, JWKS, "/openapi.json"]) {
    const response = await signet.fetch(path);
    assert.equal(response.headers.get("cache-control"), "public, max-age=300");
    assert.equal(response.headers.get("content-type"), "application/json");
    assert.equal(response.headers.get("x-content-type-options"), "nosniff");
    assert.equal((await signet.fetch(path, { method: "POST" })).headers.get("cache-control"), "no-store");
    assert.deepEqual([(await signet.fetch(path, { method: "HEAD" })).status], [200]);
  }
});

test("RFC 7517, RFC 7518 section 6.2.1: the public half of every key, the signing key first, and nothing private", async () => {
  const rotating = await startSignet({ vars: { SIGNING_KEYS: `${entry("new", 2)},${entry("old", 1)}` } });
  try {
    const common = { kty: "EC", crv: "P-256", use: "sig", alg: "ES256" };
    assert.deepEqual(await read(JWKS, rotating), {
      keys: [
        { ...common, kid: "new", ...publicKey(2) },
        { ...common, kid: "old", ...publicKey(1) },
      ],
    });
  } finally {
    await rotating.close();
  }
});

test("ASVS 11.2.2: in a rotation with overlap a key is published before it signs, and still when it signs no more", async () => {
  const origin = await startOrigin();
  const seen = [];
  for (const entries of [
    [entry("a", 1)],
    [entry("a", 1), entry("b", 2)],
    [entry("b", 2), entry("a", 1)],
    [entry("b", 2)],
  ]) {
    const stage = await startSignet({ vars: { SIGNING_KEYS: entries.join(), ORIGIN_URL: origin.url } });
    try {
      await putUser(stage, "1");
      const cookie = await signIn(stage, await createSet(stage, { user_id: "1" }));
      const { headers } = await (await stage.fetch("/", { headers: cookie })).json();
      const [, assertion] = headers.find(([name]) => name.toLowerCase() === "x-signet-assertion");
      const { kid } = JSON.parse(Buffer.from(assertion.split(".")[0], "base64url"));
      seen.push([kid, (await read(JWKS, stage)).keys.map((key) => key.kid).join()]);
    } finally {
      await stage.close();
    }
  }
  origin.close();
  assert.deepEqual(seen, [
    ["a", "a"],
    ["a", "a,b"],
    ["b", "b,a"],
    ["b", "b"],
  ]);
});

test("metadata, keys and description cost no storage operation", async () => {
  await signet.ops.reset();
  for (const path of [METADATA, JWKS, "/openapi.json"]) await signet.fetch(path);
  assert.ok(Object.values(await signet.ops.read()).every((count) => count === 0));
});
