// The number of storage operations of each request.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  claimsOf,
  cookieOf,
  createSet,
  csrfTokenIn,
  getToken,
  json,
  openLink,
  postForm,
  postToken,
  putUser,
  signIn,
  storedSessions,
} from "../support/workflow.mjs";

let signet, bound, delegated;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1");
  bound = await createSet(signet, { user_id: "1" });
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** Counts what `act` costs: KV operations by kind, object requests, rows written (an alarm is one). */
async function cost(act) {
  await signet.ops.reset();
  const result = await act();
  // Counting for the console's chart is gathered over seconds, and has a test of its own.
  const { "console.run": _, ...ops } = await signet.ops.read();
  const rows = ops["sql.rowsWritten"] + ops["alarm.set"];
  const all = Object.values(ops).reduce((sum, count) => sum + count, 0);
  const kv = { get: ops["kv.get"], put: ops["kv.put"], other: ops["kv.list"] + ops["kv.delete"] };
  return { result, kv, objects: ops["object.run"], rows, all };
}

const NOTHING = { get: 0, put: 0, other: 0 };

test("the token endpoint: 1 KV read, 1 KV write, 0 object requests", async () => {
  for (const [set, form] of [
    [bound, {}],
    [delegated, { user_id: "1" }],
  ]) {
    const { result, kv, objects, rows } = await cost(() => postToken(signet, set, form));
    assert.deepEqual([result.status, kv, objects, rows], [200, { get: 1, put: 1, other: 0 }, 0, 0]);
  }
});

test("the token endpoint writes to KV after its answer: the write may fail", { timeout: 60_000 }, async (t) => {
  t.after(() => signet.faults.set([]));
  const kv = await signet.kv();
  const isWritten = async (token) => (await kv.get(`token:${claimsOf(token).jti}`)) !== null;
  await signet.faults.set([{ target: "kv.put", mode: "hold" }]);
  const early = await getToken(signet, bound);
  assert.ok(!(await isWritten(early)), "the answer does not wait for the write");
  await signet.faults.set([{ target: "kv.put", mode: "throw" }]);
  await signet.ops.read();
  assert.ok(await isWritten(early), "the write comes when it may");
  const token = await getToken(signet, bound);
  await signet.faults.set([]);
  assert.equal((await openLink(signet, token)).status, 302);
});

async function redemption(set, form, headers) {
  const token = await getToken(signet, set, form);
  const counted = await cost(() => openLink(signet, token, { headers }));
  assert.equal(counted.result.status, 302);
  return counted;
}

test("the SSO endpoint: 0 KV operations, 1 object request, 1 row, and 1 more for each session that ends", async () => {
  const first = await redemption(bound);
  assert.deepEqual([first.kv, first.objects, first.rows], [NOTHING, 1, 1]);
  const replacing = await redemption(bound, {}, cookieOf(first.result));
  assert.deepEqual([replacing.kv, replacing.objects, replacing.rows], [NOTHING, 1, 2]);
});

test("the SSO endpoint: 1 row for an account's first sign-in, 1 more without an alarm, and 1 more beyond the limit of sessions", async () => {
  for (const isAlarmed of [true, false]) {
    const user = `first-${isAlarmed}`;
    if (!isAlarmed) await signet.faults.set([{ target: "alarm.set", mode: "throw" }]);
    await putUser(signet, user);
    const own = await createSet(signet, { user_id: user });
    await signet.ops.read();
    await signet.faults.set([]);
    const { kv, objects, rows } = await redemption(own);
    assert.deepEqual([kv, objects, rows], [NOTHING, 1, isAlarmed ? 1 : 2], `alarm set before: ${isAlarmed}`);
    let cookie;
    for (let n = 2; n <= 20; n += 1) {
      const counted = await redemption(own);
      assert.equal(counted.rows, 1, `sign-in ${n}`);
      cookie = cookieOf(counted.result);
    }
    assert.equal((await redemption(own, {}, cookie)).rows, 2, "at the cap, in place of the browser's own session");
    assert.equal((await redemption(own)).rows, 2, "beyond the cap");
    assert.equal((await storedSessions(signet, user)).length, 20);
  }
});

const DAY = 86_400;

test("a sign-in writes 2 rows over its whole life: one when it happens, one when nothing of it is kept any more", async () => {
  const [user, signIns] = ["whole-life", 10];
  await putUser(signet, user);
  await signet.ops.reset();
  for (let n = 0; n < signIns; n += 1) await signIn(signet, delegated, { form: { user_id: user } });
  // The token's final state is over after a day, the session long before, and the entry in the audit trail after 90 days.
  for (const [day, rows] of [
    [1.1, signIns],
    [89, signIns],
    [90.1, 0],
  ]) {
    await signet.clock.set(day * DAY * 1000);
    await signet.alarm(user);
    const events = (await signet.admin("GET", `/users/${user}/events`)).body.events;
    assert.equal(events.filter(({ event }) => event === "sso.signed_in").length, rows, `day ${day}`);
    assert.equal((await signet.sql(user, "SELECT jti FROM token")).length, rows, `day ${day}`);
  }
  await signet.clock.set(0);
  const accountCreated = 1;
  assert.equal((await signet.ops.read())["sql.rowsWritten"], 2 * signIns + accountCreated);
});

test("a user's object loads everything by one statement and keeps it: then a session check runs none, a redemption one, and a replay four", async () => {
  const user = "memory";
  await putUser(signet, user);
  const own = await createSet(signet, { user_id: user });
  const cookie = await signIn(signet, own);
  await signet.restart();
  const versionOfTables = 2;
  for (const statements of [versionOfTables + 1, 0, 0]) {
    await signet.ops.reset();
    assert.equal((await signet.fetch("/oauth/session", { headers: cookie })).status, 200);
    assert.equal((await signet.ops.read())["sql.exec"], statements);
  }
  const token = await getToken(signet, own);
  for (const [status, statements] of [
    [302, 1],
    // The first is refused by the primary key.
    [401, 4],
  ]) {
    await signet.ops.reset();
    assert.equal((await openLink(signet, token)).status, status);
    assert.equal((await signet.ops.read())["sql.exec"], statements);
  }
});

test("a redemption reads as many rows after 10,000 sign-ins of its user as after one", async () => {
  const user = "flat";
  await putUser(signet, user);
  const own = await createSet(signet, { user_id: user });
  const read = [];
  for (const signIns of [0, 10_000]) {
    await signet.sql(
      user,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
      INSERT INTO token (jti, number, expires_at, data) SELECT 'jti-' || i, i + 100, 4000000000,
      json_object('fate', 'signed_in', 'at', 1, 'client_id', 'p', 'session_id', 's', 'last_seen_at', 1, 'idle_seconds', 1,
      'max_expires_at', 1) FROM n WHERE i <= ?`,
      signIns,
      signIns,
    );
    const cookie = await signIn(signet, own);
    await redemption(own, {}, cookie);
    read.push((await signet.ops.read())["sql.rowsRead"]);
  }
  assert.equal(read[1], read[0], read.join(", "));
});

test("an object asks once when its alarm is due, and no answer waits for that", { timeout: 60_000 }, async (t) => {
  t.after(() => signet.faults.set([]));
  await signet.restart();
  await signet.faults.set([{ target: "alarm.get", mode: "hold" }]);
  assert.equal((await openLink(signet, await getToken(signet, bound))).status, 302);
  await signet.faults.set([]);
  assert.equal((await signet.ops.read())["alarm.get"], 1);
  for (let n = 0; n < 3; n += 1) await signIn(signet, bound);
  const ops = await signet.ops.read();
  assert.deepEqual([ops["alarm.get"], ops["alarm.set"]], [1, 0]);
});

test("the SSO endpoint: a denial spends the token with 2 rows, and its repetition writes the row that records it", async () => {
  await putUser(signet, "closed", { status: "Closed" });
  const own = await createSet(signet, { user_id: "closed" });
  const token = await getToken(signet, own);
  for (const expected of [2, 1]) {
    const { result, kv, objects, rows } = await cost(() => openLink(signet, token));
    assert.deepEqual([result.status, kv, objects, rows], [403, NOTHING, 1, expected]);
  }
});

test("the SSO endpoint for a delegated set: 1 KV read, 1 object request, 1 row", async () => {
  await putUser(signet, "delegated");
  const { kv, objects, rows } = await redemption(delegated, { user_id: "delegated" });
  assert.deepEqual([kv, objects, rows], [{ get: 1, put: 0, other: 0 }, 1, 1]);
});

test("a refused request costs nothing: malformed, forged, prefetched, bad credentials in form", async () => {
  const token = await getToken(signet, bound);
  const [header, payload, signature] = token.split(".");
  const kid = Buffer.from('{"alg":"HS256","typ":"sso+jwt","kid":"../../etc/passwd"}').toString("base64url");
  for (const [status, act] of [
    [400, () => signet.fetch("/oauth/singlesignon")],
    [400, () => openLink(signet, token, { params: { scope: "clientarea:homepage" } })],
    [401, () => openLink(signet, `${header}.${payload}.${signature.slice(1)}`)],
    [401, () => openLink(signet, `${kid}.${payload}.${signature}`)],
    [503, () => openLink(signet, token, { headers: { Purpose: "prefetch" } })],
    [405, () => openLink(signet, token, { method: "HEAD" })],
    [401, () => postForm(signet, "/oauth/token", { grant_type: "single_sign_on" })],
    [400, () => postForm(signet, "/oauth/token", { a: "b" }, basic(bound))],
    [401, () => signet.fetch("/oauth/session")],
    [401, () => signet.fetch("/admin/v1/users/1")],
    [404, () => signet.fetch("/nowhere")],
  ]) {
    const { result, all } = await cost(act);
    assert.deepEqual([result.status, all], [status, 0], String(act));
  }
});

test("a second click writes nothing; an expired token asks the object after the answer, and its page reads KV once for the way back", async () => {
  const token = await getToken(signet, bound);
  const cookie = cookieOf(await openLink(signet, token));
  const again = await cost(() => openLink(signet, token, { headers: cookie }));
  assert.deepEqual([again.result.status, again.kv, again.objects, again.rows], [302, NOTHING, 1, 0]);
  const late = await getToken(signet, bound);
  await signet.clock.set(61_000);
  const expired = await cost(() => openLink(signet, late, { headers: json }));
  const page = await cost(() => openLink(signet, late));
  await signet.clock.set(0);
  assert.deepEqual([expired.result.status, expired.kv, expired.objects, expired.rows], [401, NOTHING, 1, 0]);
  assert.deepEqual([page.result.status, page.kv, page.objects, page.rows], [401, { get: 1, put: 0, other: 0 }, 1, 0]);
});

test("revocation and introspection: 1 KV read and 1 object request; a receipt: 2 KV reads and 1 object request", async () => {
  const token = await getToken(signet, bound);
  const { jti } = claimsOf(token);
  await signet.ops.read();
  const post = (path) => cost(() => postForm(signet, path, { token }, basic(bound)));
  const get = (count) => ({ get: count, put: 0, other: 0 });
  for (const [counted, kv, rows] of [
    [await post("/oauth/introspect"), get(1), 0],
    [await cost(() => signet.fetch(`/oauth/receipts/${jti}`, { headers: basic(bound) })), get(2), 0],
    [await post("/oauth/revoke"), get(1), 2],
    [await post("/oauth/revoke"), get(1), 0],
  ]) {
    assert.deepEqual([counted.result.status, counted.kv, counted.objects, counted.rows], [200, kv, 1, rows]);
  }
});

test("the user's page: 1 object request and 1 KV read; its actions at most 2 rows; the logout page nothing", async () => {
  const cookie = await signIn(signet, bound);
  const page = await cost(() => signet.fetch("/account/security", { headers: cookie }));
  assert.deepEqual([page.result.status, page.kv, page.objects, page.rows], [200, { get: 1, put: 0, other: 0 }, 1, 0]);
  const csrf_token = csrfTokenIn(await page.result.text());
  for (const action of ["disallow_sso", "allow_sso"]) {
    const body = new URLSearchParams({ action, csrf_token });
    const counted = await cost(() => signet.fetch("/account/security", { method: "POST", headers: cookie, body }));
    assert.deepEqual([counted.result.status, counted.kv, counted.objects, counted.rows], [200, NOTHING, 1, 2], action);
  }
  const asked = await cost(() => signet.fetch("/oauth/logout", { headers: cookie }));
  assert.deepEqual([asked.result.status, asked.all], [200, 0]);
});

test("gateway mode: 1 object request with a cookie, nothing without one", async () => {
  const origin = await startOrigin();
  const gateway = await startSignet({ vars: { ORIGIN_URL: origin.url, SIGNING_KEYS: signet.keys } });
  try {
    await putUser(gateway, "1");
    const cookie = await signIn(gateway, await createSet(gateway, { user_id: "1" }));
    for (const [headers, objects] of [
      [cookie, 1],
      [{}, 0],
      [{ Cookie: "app=1" }, 0],
    ]) {
      await gateway.ops.reset();
      assert.equal((await gateway.fetch("/page", { headers })).status, 200);
      const used = await gateway.ops.read();
      assert.deepEqual([used["object.run"], used["kv.get"], used["sql.rowsWritten"]], [objects, 0, 0]);
    }
  } finally {
    await gateway.close();
    origin.close();
  }
});

test("a session check: 0 KV operations, 1 object request, and a row at most once a minute", async () => {
  const cookie = await signIn(signet, bound);
  const check = () => cost(() => signet.fetch("/oauth/session", { headers: cookie }));
  for (const [second, rows] of [
    [0, 0],
    [50, 0],
    [62, 1],
    [63, 0],
    [110, 0],
    [125, 1],
  ]) {
    await signet.clock.set(second * 1000);
    const counted = await check();
    assert.deepEqual(
      [counted.result.status, counted.kv, counted.objects, counted.rows],
      [200, NOTHING, 1, rows],
      `${second} s`,
    );
  }
  await signet.clock.set(0);
});
