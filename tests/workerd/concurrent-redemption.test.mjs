// A token signs in once, however many requests redeem it at the same time.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { startSignet } from "../support/signet.mjs";
import { fullSize } from "../support/size.mjs";
import {
  claimsOf,
  cookieOf,
  createSet,
  getToken,
  json,
  openLink,
  putUser,
  storedSessions,
  whoIs,
} from "../support/workflow.mjs";

const RACES = fullSize ? 200 : 50;
const PARALLEL = 64;
const INTERLEAVINGS = 100;
let signet, set;

before(async () => {
  signet = await startSignet();
  set = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** Redeems 64 times at once, by GET and POST mixed, and returns the answers. */
const race = (redeem) => Promise.all(Array.from({ length: PARALLEL }, (_, n) => redeem(n % 2 ? "POST" : "GET")));

/** How many of the answers signed somebody in. The others must be refusals, without a cookie. */
function winners(responses) {
  for (const { status, headers } of responses) {
    assert.ok([302, 303, 401].includes(status), `status ${status}`);
    assert.equal(headers.get("set-cookie") === null, status === 401, `a cookie with status ${status}`);
  }
  return responses.filter(({ status }) => status !== 401).length;
}

test(`RFC 6749 section 10.5: ${PARALLEL} parallel redemptions give exactly one sign-in, ${RACES} times over`, async () => {
  for (let n = 0; n < RACES; n += 1) {
    const user = `racer-${n % 10}`;
    if (n < 10) await putUser(signet, user);
    const token = await getToken(signet, set, { user_id: user });
    const { jti } = claimsOf(token);
    const responses = await race((method) => openLink(signet, token, { method }));
    assert.equal(winners(responses), 1, `race ${n}`);
    const winner = responses.findIndex(({ status }) => status !== 401);
    assert.equal(responses[winner].status, winner % 2 ? 303 : 302, `race ${n}`);
    const sessions = (await storedSessions(signet, user)).filter((session) => session.jti === jti);
    const { events } = (await signet.admin("GET", `/users/${user}/events?limit=100`)).body;
    const successes = events.filter((event) => event.event === "sso.signed_in" && event.jti === jti);
    assert.deepEqual([sessions.length, successes.length], [1, 1], `race ${n}`);
  }
});

test(`BROWSER_NONCE: of ${PARALLEL} browsers, each with its nonce, exactly one is signed in; one browser lands in one session`, async () => {
  const own = await startSignet({ vars: { BROWSER_NONCE: "true" } });
  try {
    const any = await createSet(own, { delegated: true });
    const open = (token, nonce) =>
      openLink(own, token, { params: { nonce: "1" }, headers: { Cookie: `__Host-signet-nonce=${nonce}` } });
    for (let n = 0; n < 20; n += 1) {
      const user = `racer-${n % 10}`;
      await putUser(own, user);
      const token = await getToken(own, any, { user_id: user });
      const nonces = Array.from({ length: PARALLEL }, () => randomBytes(16).toString("base64url"));
      const responses = await Promise.all(nonces.map((nonce) => open(token, nonce)));
      assert.equal(winners(responses), 1, `race ${n}`);
      const again = await getToken(own, any, { user_id: user });
      const repeats = await Promise.all(nonces.map(() => open(again, nonces[0])));
      assert.equal(winners(repeats), PARALLEL, `race ${n}`);
      const cookies = [...responses, ...repeats].filter(({ status }) => status !== 401).map(cookieOf);
      const users = await Promise.all(cookies.map((cookie) => whoIs(own, cookie)));
      assert.deepEqual(users, Array(1 + PARALLEL).fill(user), `race ${n}`);
      const sessions = cookies.map(({ Cookie }) => claimsOf(Cookie).sid);
      assert.equal(new Set(sessions).size, 2, `race ${n}`); // one of each token
    }
  } finally {
    await own.close();
  }
});

test("the race above detects a broken store: a stand-in that reads and then writes in KV has several winners", async () => {
  const miniflare = new Miniflare({
    modules: true,
    kvNamespaces: ["KV"],
    script: `export default { async fetch(request, { KV }) {
      const token = new URL(request.url).searchParams.get("access_token");
      if (await KV.get(token)) return new Response(null, { status: 401 });
      await KV.put(token, "spent");
      return new Response(null, { status: 302, headers: { "Set-Cookie": "x=y" } });
    } }`,
  });
  try {
    const counts = [];
    for (let n = 0; n < 10; n += 1) {
      const url = `http://stand-in/?access_token=${n}`;
      counts.push(winners(await race(() => miniflare.dispatchFetch(url, { redirect: "manual" }))));
    }
    assert.ok(
      counts.some((count) => count > 1),
      counts.join(" "),
    );
  } finally {
    await miniflare.dispose();
  }
});

/**
 * Pairs of requests, of which either reaches the object first now and then: of each eight pairs one starts together, and of
 * the others one request has a head start, from a fraction of what that pair took to about twice as long.
 */
async function interleave(perform) {
  let step;
  for (let n = 0; n < INTERLEAVINGS; n += 1) {
    const headStart = (n % 8) * step;
    const after = (ms, act) => (ms === 0 ? act() : sleep(ms).then(act));
    await perform(n, async (redeem, act) => {
      if (n % 8 > 0) return Promise.all(n % 2 ? [redeem(), after(headStart, act)] : [after(headStart, redeem), act()]);
      const start = performance.now();
      const answers = await Promise.all([redeem(), act()]);
      step = Math.max(1, (performance.now() - start) / 4);
      return answers;
    });
  }
}

/** What happened to a user, oldest first. */
async function history(user) {
  const rows = await signet.sql(
    user,
    `SELECT number, json_extract(data, '$.event') AS event FROM event
     UNION ALL SELECT number, 'sso.signed_in' FROM token WHERE number IS NOT NULL ORDER BY number`,
  );
  return rows.map(({ event }) => event);
}

for (const [name, event, act, sessionsAfter] of [
  [
    "closing the account",
    "account.changed",
    ({ user }) => signet.admin("PATCH", `/users/${user}`, { status: "Closed" }),
    0,
  ],
  [
    "switching single sign-on off",
    "account.changed",
    ({ user }) => signet.admin("PATCH", `/users/${user}`, { sso: false }),
    1,
  ],
  ["revoking the token", "token.revoked", ({ jti }) => signet.admin("DELETE", `/tokens/${jti}`), 1],
  [
    "revoking the credential set",
    "credential.revoked",
    ({ own }) => signet.admin("DELETE", `/credentials/${own.client_id}`),
    1,
  ],
]) {
  test(`RFC 7009 section 2: ${name} while the token is redeemed is one of two orders, never a third`, async () => {
    const orders = { redeemedFirst: 0, redeemedLast: 0 };
    await interleave(async (n, together) => {
      const user = `${name.replaceAll(" ", "-")}-${n}`;
      await putUser(signet, user);
      const own = await createSet(signet, { user_id: user });
      const token = await getToken(signet, own);
      const { jti } = claimsOf(token);
      await signet.ops.read(); // the token's record is written
      const [redeemed, acted] = await together(
        () => openLink(signet, token),
        () => act({ user, jti, own }),
      );
      assert.ok([200, 204].includes(acted.status), `status ${acted.status}`);
      const isSignedIn = redeemed.status === 302;
      if (!isSignedIn) assert.ok([401, 403].includes(redeemed.status), `status ${redeemed.status}`);
      orders[isSignedIn ? "redeemedFirst" : "redeemedLast"] += 1;
      // What the user's object saw, in its own order, agrees with the answers,
      const seen = (await history(user)).filter((entry) => entry === "sso.signed_in" || entry === event);
      const signIns = isSignedIn ? ["sso.signed_in"] : [];
      const revocationIsMoot = isSignedIn && event === "token.revoked";
      assert.deepEqual(seen, revocationIsMoot ? signIns : [...signIns, event], `interleaving ${n}`);
      // so do the sessions,
      const expected = isSignedIn ? sessionsAfter : 0;
      assert.equal((await storedSessions(signet, user)).length, expected, `interleaving ${n}`);
      if (isSignedIn) assert.equal(await whoIs(signet, cookieOf(redeemed)), expected ? user : undefined);
      // and the token is worth nothing more.
      assert.notEqual((await openLink(signet, token)).status, 302, "never again");
    });
    assert.ok(orders.redeemedFirst > 0 && orders.redeemedLast > 0, `both orders happen: ${JSON.stringify(orders)}`);
  });
}

test("signing out while the same browser signs in again ends the old session and never the new one", async () => {
  await putUser(signet, "leaver");
  await interleave(async (n, together) => {
    const old = cookieOf(await openLink(signet, await getToken(signet, set, { user_id: "leaver" })));
    const token = await getToken(signet, set, { user_id: "leaver" });
    const [redeemed, left] = await together(
      () => openLink(signet, token, { headers: old }),
      () => signet.fetch("/oauth/logout", { method: "POST", headers: { ...json, ...old } }),
    );
    assert.deepEqual([redeemed.status, left.status], [302, 204], `interleaving ${n}`);
    const sessions = await storedSessions(signet, "leaver");
    assert.deepEqual(
      sessions.map(({ jti }) => jti),
      [claimsOf(token).jti],
      `interleaving ${n}`,
    );
    assert.equal(await whoIs(signet, old), undefined);
    const fresh = cookieOf(redeemed);
    assert.equal(await whoIs(signet, fresh), "leaver");
    await signet.fetch("/oauth/logout", { method: "POST", headers: { ...json, ...fresh } });
  });
});

test("64 tokens of one user, redeemed at once, 4 times over: each signs in once, and exactly 20 sessions stay", async () => {
  await putUser(signet, "crowd");
  for (let round = 1; round <= 4; round += 1) {
    const tokens = await Promise.all(Array.from({ length: 64 }, () => getToken(signet, set, { user_id: "crowd" })));
    const responses = await Promise.all(tokens.map((token) => openLink(signet, token)));
    assert.ok(responses.every(({ status }) => status === 302));
    assert.equal((await signet.admin("GET", "/users/crowd/sessions")).body.sessions.length, 20);
    assert.equal((await storedSessions(signet, "crowd")).length, 20);
    // A cookie is good for one of the sessions that stayed, or for none.
    const live = await Promise.all(responses.map((response) => whoIs(signet, cookieOf(response))));
    assert.equal(live.filter((user) => user === "crowd").length, 20);
    const signIns = (await history("crowd")).filter((event) => event === "sso.signed_in");
    assert.equal(signIns.length, 64 * round);
    await signet.clock.set(round * 2_000); // the sessions of the next round are younger
  }
  await signet.clock.set(0);
});
