// When storage fails, the answer is 503 or the right one, and nothing is left half done.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { assertFailure, claimsOf, createSet, getToken, json, openLink, postToken, putUser, signIn, whoIs } from "../support/workflow.mjs";

const DOWN = [503, "temporarily_unavailable", "Signet cannot reach its storage. Try again in a moment."];
let signet, delegated;

before(async () => {
  signet = await startSignet();
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** No session without a spent token, and no success without its session's token spent. */
async function assertSound(user) {
  const orphans = "SELECT id FROM session WHERE json_extract(data, '$.token') NOT IN (SELECT jti FROM token)";
  assert.deepEqual(await signet.sql(user, orphans), []);
}

/** The flows, each with what gets it ready and what a caller gets when all is well. */
const flows = {
  "a token": async (user, own) => ({ act: () => postToken(signet, own), well: [200] }),
  "a redemption": async (user, own) => {
    const token = await getToken(signet, own);
    return { act: () => openLink(signet, token, { headers: json }), well: [302], again: [302, 401] };
  },
  "a redemption by a delegated set": async (user) => {
    const token = await getToken(signet, delegated, { user_id: user });
    return { act: () => openLink(signet, token, { headers: json }), well: [302], again: [302, 401] };
  },
  "a session check": async (user, own) => {
    const headers = await signIn(signet, own);
    return { act: () => signet.fetch("/oauth/session", { headers }), well: [200] };
  },
  "a sign-out": async (user, own) => {
    const headers = { ...json, ...(await signIn(signet, own)) };
    return { act: () => signet.fetch("/oauth/logout", { method: "POST", headers }), well: [204] };
  },
  "an account written": async (user) => ({ act: () => adminFetch("PUT", `/users/${user}`, { status: "Active" }), well: [200] }),
  "an account closed": async (user) => ({ act: () => adminFetch("PATCH", `/users/${user}`, { status: "Closed" }), well: [200] }),
  "a set created": async (user) => ({
    act: () => adminFetch("POST", "/credentials", { name: "x", user_id: user, scopes: [] }), well: [201],
  }),
  "sets listed": async () => ({ act: () => adminFetch("GET", "/credentials"), well: [200] }),
  "a set rotated": async (user, own) => ({ act: () => adminFetch("POST", `/credentials/${own.client_id}/rotate`), well: [200] }),
  "a set disabled": async (user, own) => ({
    act: () => adminFetch("PATCH", `/credentials/${own.client_id}`, { disabled: true }), well: [200],
  }),
  "a set revoked": async (user, own) => ({ act: () => adminFetch("DELETE", `/credentials/${own.client_id}`), well: [204], again: [204, 404] }),
  "a token revoked": async (user, own) => {
    const { jti } = claimsOf(await getToken(signet, own));
    await signet.ops.read();
    return { act: () => adminFetch("DELETE", `/tokens/${jti}`), well: [204] };
  },
};

const adminFetch = (method, path, body) => signet.fetch(`/admin/v1${path}`, {
  method,
  headers: { Authorization: `Bearer ${signet.adminToken}`, "Content-Type": "application/json" },
  body: body && JSON.stringify(body),
});

let users = 0;
async function fresh() {
  const user = `user-${(users += 1)}`;
  await putUser(signet, user);
  return [user, await createSet(signet, { user_id: user })];
}

for (const [name, prepare] of Object.entries(flows)) {
  test(`every storage call fails once: ${name}`, async () => {
    // What the flow calls when all is well,
    const quiet = await prepare(...(await fresh()));
    await signet.ops.reset();
    assert.ok(quiet.well.includes((await quiet.act()).status));
    const calls = await signet.ops.read();
    // then each of these calls fails, before or after it took effect.
    for (const target of ["kv.get", "kv.put", "kv.delete", "kv.list", "object.fetch", "sql.exec", "alarm.set"]) {
      for (let nth = 1; nth <= (calls[target] ?? 0); nth += 1) {
        for (const mode of ["throw", "lose"]) {
          const label = `${target} ${nth} of ${calls[target]}, ${mode}`;
          const [user, own] = await fresh();
          const { act, well, again = well } = await prepare(user, own);
          await signet.faults.set([{ target, nth, mode }]);
          const response = await act();
          await signet.ops.read();
          await signet.faults.set([]);
          const isOffPath = target === "alarm.set" || (target === "kv.put" && name === "a token");
          if (isOffPath) {
            assert.ok(well.includes(response.status), `${label}: ${response.status}`);
          } else {
            assert.equal(response.status, 503, label);
            assert.equal(response.headers.get("retry-after"), "5", label);
            assert.equal(response.headers.get("set-cookie"), null, label);
          }
          await assertSound(user);
          const retry = await act();
          assert.ok(again.includes(retry.status), `${label}, retried: ${retry.status}`);
          await assertSound(user);
        }
      }
    }
  });
}

test("a revocation that failed half-way holds at the object: the set's tokens are not redeemed", async () => {
  const [, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.faults.set([{ target: "kv.delete", mode: "throw" }]);
  assert.equal((await adminFetch("DELETE", `/credentials/${own.client_id}`)).status, 503);
  await signet.faults.set([]);
  assert.equal((await openLink(signet, token)).status, 401);
});

test("stale KV: a revoked set that KV still shows gets tokens, which the object refuses", async () => {
  const [, own] = await fresh();
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  await adminFetch("DELETE", `/credentials/${own.client_id}`);
  const token = await getToken(signet, own);
  assert.equal((await openLink(signet, token)).status, 401);
  await signet.faults.set([]);
});

test("stale KV: a set that KV does not show yet is an invalid client until it does", async () => {
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  const [, own] = await fresh();
  assert.equal((await postToken(signet, own)).status, 401);
  await signet.faults.set([]);
  assert.equal((await postToken(signet, own)).status, 200);
});

test("a damaged credential set is an outage, never an invalid client", async () => {
  const kv = await signet.kv();
  for (const damage of ["", "{", "null", "[]", "5", '{"client_id":"x"}', "x".repeat(100_000)]) {
    const [, own] = await fresh();
    await kv.put(`credential:${own.client_id}`, damage);
    await assertFailure(await postToken(signet, own), ...DOWN);
  }
  for (const digest of ["", "AAAA", null, 5]) {
    const [, own] = await fresh();
    const stored = JSON.parse(await kv.get(`credential:${own.client_id}`));
    stored.secret.digest = digest;
    await kv.put(`credential:${own.client_id}`, JSON.stringify(stored));
    await assertFailure(await postToken(signet, own), ...DOWN);
  }
  const keys = (await kv.list({ prefix: "credential:" })).keys;
  await Promise.all(keys.map(({ name }) => name !== `credential:${delegated.client_id}` && kv.delete(name)));
});

test("people are told of an outage by a page, with the request's id in header and log, and nothing of the fault", async () => {
  const [, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.faults.set([{ target: "object.fetch", mode: "throw" }]);
  const response = await openLink(signet, token);
  await signet.faults.set([]);
  const page = await response.text();
  assert.equal(response.status, 503);
  assert.ok(page.includes("Try again in a moment") && !page.includes("injected"));
  const line = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
  assert.deepEqual([line.event, line.outcome, line.reason], ["sso", "failed", "storage"]);
  assert.ok(line.error.includes("injected fault"));
});

test("the sweep removes dead rows, keeps live ones, may run twice, and empties an object that holds nothing more", async () => {
  const [user, own] = await fresh();
  const old = await signIn(signet, own);
  await signet.clock.set(100_000 * 1000);
  const token = await getToken(signet, own);
  const live = await openLink(signet, token);
  assert.equal(live.status, 302);
  for (const _ of ["once", "twice"]) {
    await signet.alarm(user);
    const count = async (table) => (await signet.sql(user, `SELECT count(*) AS n FROM ${table}`))[0].n;
    assert.deepEqual([await count("token"), await count("session"), await count("event")], [1, 1, 3]);
  }
  assert.equal(await whoIs(signet, old), undefined);
  assert.equal((await openLink(signet, token)).status, 401, "still spent");
  await adminFetch("DELETE", `/users/${user}`);
  await signet.clock.set((100_000 + 7_776_001) * 1000);
  await signet.alarm(user);
  assert.deepEqual(await signet.sql(user, "SELECT name FROM sqlite_master WHERE name IN ('account', 'event')"), []);
  assert.equal((await adminFetch("GET", `/users/${user}`)).status, 404, "and it works on");
  await signet.clock.set(0);
});

test("a dead row that is never swept counts for nothing", async () => {
  const [user, own] = await fresh();
  const cookie = await signIn(signet, own);
  await signet.clock.set(50_000 * 1000);
  assert.equal(await whoIs(signet, cookie), undefined);
  assert.deepEqual((await signet.admin("GET", `/users/${user}/sessions`)).body.sessions, []);
  assert.equal((await signet.sql(user, "SELECT id FROM session")).length, 1);
  await signet.clock.set(0);
});
