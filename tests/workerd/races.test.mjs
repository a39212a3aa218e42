// A token counts once, whoever else is in the race.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Miniflare } from "miniflare";
import { startSignet } from "../support/signet.mjs";
import { claimsOf, createSet, getToken, openLink, putUser } from "../support/workflow.mjs";

const RACES = 200;
const PARALLEL = 64;
let signet, set;

before(async () => {
  signet = await startSignet();
  set = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** Redeems 64 times at once, by GET and POST mixed, and returns the answers. */
const race = (redeem) => Promise.all(Array.from({ length: PARALLEL }, (_, n) => redeem(n % 2 ? "POST" : "GET")));

/** How many of the answers signed somebody in. The others must be refusals. */
function winners(responses) {
  for (const { status } of responses) assert.ok([302, 303, 401].includes(status), `status ${status}`);
  return responses.filter(({ status, headers }) => status !== 401 && headers.get("set-cookie")).length;
}

test(`RFC 6749 section 10.5: ${PARALLEL} parallel redemptions give exactly one sign-in, ${RACES} times over`, async () => {
  for (let n = 0; n < RACES; n += 1) {
    const user = `racer-${n % 10}`;
    if (n < 10) await putUser(signet, user);
    const token = await getToken(signet, set, { user_id: user });
    const { jti } = claimsOf(token);
    assert.equal(winners(await race((method) => openLink(signet, token, { method }))), 1, `race ${n}`);
    const count = (table) => `SELECT count(*) AS n FROM ${table} WHERE data LIKE ?`;
    const sessions = await signet.sql(user, count("session"), `%${jti}%`);
    const successes = await signet.sql(user, count("event"), `%sso.signed_in%${jti}%`);
    assert.deepEqual([sessions, successes], [[{ n: 1 }], [{ n: 1 }]], `race ${n}`);
  }
});

test("the race above would notice: a stand-in that reads and then writes in KV has several winners", async () => {
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
    assert.ok(counts.some((count) => count > 1), counts.join(" "));
  } finally {
    await miniflare.dispose();
  }
});

for (const [name, act] of [
  ["closing the account", ({ user }) => signet.admin("PATCH", `/users/${user}`, { status: "Closed" })],
  ["switching single sign-on off", ({ user }) => signet.admin("PATCH", `/users/${user}`, { sso: false })],
  ["revoking the token", ({ jti }) => signet.admin("DELETE", `/tokens/${jti}`)],
  ["revoking the credential set", ({ own }) => signet.admin("DELETE", `/credentials/${own.client_id}`)],
]) {
  test(`RFC 7009 section 2: ${name} while the token is redeemed is one of two orders, never a third`, async () => {
    const closes = name.startsWith("closing");
    const outcomes = { before: 0, after: 0 };
    for (let n = 0; n < 100; n += 1) {
      const user = `${name.replaceAll(" ", "-")}-${n}`;
      await putUser(signet, user);
      const own = await createSet(signet, { user_id: user });
      const token = await getToken(signet, own);
      const { jti } = claimsOf(token);
      await signet.ops.read(); // the token's record is written
      const late = () => openLink(signet, token);
      const [redeemed, acted] = await Promise.all(
        n % 2 ? [late(), act({ user, jti, own })] : [act({ user, jti, own }), late()].reverse(),
      );
      assert.ok([200, 204].includes(acted.status), `status ${acted.status}`);
      const { body } = await signet.admin("GET", `/users/${user}/sessions`);
      const isSignedIn = redeemed.status === 302;
      assert.equal(body.sessions.length, isSignedIn && !closes ? 1 : 0, `interleaving ${n}: ${redeemed.status}`);
      outcomes[isSignedIn ? "before" : "after"] += 1;
      assert.notEqual((await openLink(signet, token)).status, 302, "never again");
    }
    assert.equal(outcomes.before + outcomes.after, 100);
  });
}

test("64 tokens of one user, redeemed at once: each counts, and 20 sessions stay", async () => {
  await putUser(signet, "crowd");
  const tokens = await Promise.all(Array.from({ length: 64 }, () => getToken(signet, set, { user_id: "crowd" })));
  const responses = await Promise.all(tokens.map((token) => openLink(signet, token)));
  assert.ok(responses.every(({ status }) => status === 302));
  assert.equal((await signet.admin("GET", "/users/crowd/sessions")).body.sessions.length, 20);
});
