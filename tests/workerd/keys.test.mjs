// Rotating the signing keys: the first signs, all verify.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyEntry as key } from "../support/keys.mjs";
import { startSignet } from "../support/signet.mjs";
import { assertFailure, createSet, getToken, json, openLink, putUser, signIn, whoIs } from "../support/workflow.mjs";

const ISSUER = "https://sso.example";
const kidOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString()).kid;

test("RFC 8725 section 3.5: an added key signs, the old one verifies until it is taken away, and then nothing of it counts", async () => {
  const all = [];
  const start = async (SIGNING_KEYS) => {
    const signet = await startSignet({ vars: { ISSUER, SIGNING_KEYS } });
    all.push(signet);
    await putUser(signet, "1");
    return { signet, set: await createSet(signet, { user_id: "1" }) };
  };
  try {
    const old = await start(key("k1", 1));
    const both = await start(`${key("k2", 2)},${key("k1", 1)}`);
    const gone = await start(key("k2", 2));
    const [oldToken, newToken] = [await getToken(old.signet, old.set), await getToken(both.signet, both.set)];
    assert.deepEqual([kidOf(oldToken), kidOf(newToken)], ["k1", "k2"]);
    assert.equal((await openLink(both.signet, oldToken)).status, 302);
    assert.equal((await openLink(both.signet, newToken)).status, 302);
    const refused = await openLink(gone.signet, oldToken, { headers: json });
    await assertFailure(refused, 401, "invalid_token", "The sign-in link is not valid.");
    const unknown = await openLink(old.signet, newToken, { headers: json });
    await assertFailure(unknown, 401, "invalid_token", "The sign-in link is not valid.");
    const cookie = await signIn(old.signet, old.set);
    assert.deepEqual([await whoIs(old.signet, cookie), await whoIs(gone.signet, cookie)], ["1", undefined]);
    const sameName = await start(key("k1", 3));
    assert.equal((await openLink(sameName.signet, oldToken)).status, 401, "another key of the same name");
  } finally {
    for (const signet of all) await signet.close();
  }
});

for (const [bytes, status] of [[31, 503], [32, 200]]) {
  test(`RFC 7518 section 3.2: a key of ${bytes} bytes is ${status === 200 ? "long enough" : "too short"}`, async () => {
    const signet = await startSignet({ vars: { SIGNING_KEYS: key("k1", 1, bytes) } });
    try {
      assert.equal((await signet.fetch("/healthz")).status, status);
    } finally {
      await signet.close();
    }
  });
}
