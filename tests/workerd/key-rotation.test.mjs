// Rotation of the signing keys: Signet signs with the first key and accepts signatures by any listed key.

import assert from "node:assert/strict";
import { test } from "node:test";
import { keyEntry as key } from "../support/keys.mjs";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  createSet,
  enterConsole,
  getToken,
  json,
  openLink,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const ISSUER = "https://sso.example";
const kidOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url").toString()).kid;

test("RFC 8725 section 3.5: an added key signs, the old one verifies until it is removed, and its signatures are invalid afterwards", async () => {
  const signet = await startSignet({ vars: { ISSUER, SIGNING_KEYS: key("k1", 1) } });
  const isDead = async (token) =>
    assertFailure(
      await openLink(signet, token, { headers: json }),
      401,
      "invalid_token",
      "The sign-in link is not valid.",
    );
  try {
    await putUser(signet, "1");
    const set = await createSet(signet, { user_id: "1" });
    const old = [await getToken(signet, set), await getToken(signet, set)];
    await signet.restart({ SIGNING_KEYS: `${key("k2", 2)},${key("k1", 1)}` });
    const fresh = [await getToken(signet, set), await getToken(signet, set)];
    assert.deepEqual([kidOf(old[0]), kidOf(fresh[0])], ["k1", "k2"]);
    for (const token of [old[0], fresh[0]]) assert.equal((await openLink(signet, token)).status, 302);
    await signet.restart({ SIGNING_KEYS: key("k2", 2) });
    await isDead(old[1]);
    await signet.restart({ SIGNING_KEYS: key("k1", 3) });
    await isDead(old[1]); // by another key of the same name
    await isDead(fresh[1]);
    await signet.restart({ SIGNING_KEYS: `${key("k1", 1)},${key("k2", 2)}` });
    for (const token of [old[1], fresh[1]])
      assert.equal((await openLink(signet, token)).status, 302, "nothing but the keys was missing");
  } finally {
    await signet.close();
  }
});

test("issue 9, item 27: a rotation in the documented steps interrupts nobody, and its last step ends the old sessions", async () => {
  const [k1, k2] = [key("k1", 1), key("k2", 2)];
  const origin = await startOrigin();
  const signet = await startSignet({ vars: { SIGNING_KEYS: k1, ORIGIN_URL: origin.url } });
  try {
    await putUser(signet, "1");
    const set = await createSet(signet, { user_id: "1" });
    const published = async () =>
      (await (await signet.fetch("/.well-known/jwks.json")).json()).keys.map(({ kid }) => kid);
    const assertedBy = async (cookie) => {
      const { headers } = await (await signet.fetch("/", { headers: cookie })).json();
      const assertion = headers.find(([name]) => name.toLowerCase() === "x-signet-assertion")?.[1];
      return assertion && kidOf(assertion);
    };
    const old = await signIn(signet, set);
    const console = await enterConsole(signet);
    const { host: Host } = new URL(signet.consoleOrigin);
    const isOperator = async () => (await signet.fetch("/admin", { headers: { ...console, Host } })).status === 200;
    let waiting = await getToken(signet, set);
    for (const [step, keys, kids, signer] of [
      ["a new entry after the old one", [k1, k2], ["k1", "k2"], "k1"],
      ["the new entry first", [k2, k1], ["k2", "k1"], "k2"],
    ]) {
      await signet.restart({ SIGNING_KEYS: keys.join(",") });
      assert.equal((await openLink(signet, waiting)).status, 302, `${step}: a link from before`);
      waiting = await getToken(signet, set);
      assert.deepEqual([await published(), kidOf(waiting), await assertedBy(old)], [kids, signer, signer], step);
      assert.deepEqual([await whoIs(signet, old), await isOperator()], ["1", true], step);
    }
    const fresh = await signIn(signet, set);
    const unopened = await getToken(signet, set);
    await signet.restart({ SIGNING_KEYS: k2 });
    assert.deepEqual(
      [await published(), await whoIs(signet, old), await assertedBy(old), await isOperator()],
      [["k2"], undefined, undefined, false],
    );
    assert.deepEqual([await whoIs(signet, fresh), (await openLink(signet, unopened)).status], ["1", 302]);
  } finally {
    await signet.close();
    origin.close();
  }
});

test("issue 9, item 27: replacing a leaked key at once ends its links, its sessions and the console's sessions", async () => {
  const signet = await startSignet({ vars: { SIGNING_KEYS: key("k1", 1) } });
  try {
    await putUser(signet, "1");
    const set = await createSet(signet, { user_id: "1" });
    const [cookie, console, token] = [
      await signIn(signet, set),
      await enterConsole(signet),
      await getToken(signet, set),
    ];
    await signet.restart({ SIGNING_KEYS: key("k2", 2) });
    assert.equal(await whoIs(signet, cookie), undefined);
    assert.equal((await signet.fetch("/admin", { headers: console })).status, 401);
    await assertFailure(
      await openLink(signet, token, { headers: json }),
      401,
      "invalid_token",
      "The sign-in link is not valid.",
    );
    assert.equal(await whoIs(signet, await signIn(signet, set)), "1", "credential sets work on");
  } finally {
    await signet.close();
  }
});

for (const [bytes, status] of [
  [31, 503],
  [32, 200],
]) {
  test(`RFC 7518 section 3.2: a key of ${bytes} bytes is ${status === 200 ? "long enough" : "too short"}`, async () => {
    const signet = await startSignet({ vars: { SIGNING_KEYS: key("k1", 1, bytes) } });
    try {
      assert.equal((await signet.fetch("/healthz")).status, status);
    } finally {
      await signet.close();
    }
  });
}
