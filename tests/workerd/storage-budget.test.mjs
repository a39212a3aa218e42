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
  const { "console.fetch": _, ...ops } = await signet.ops.read();
  const rows = ops["sql.rowsWritten"] + ops["alarm.set"];
  const all = Object.values(ops).reduce((sum, count) => sum + count, 0);
  const kv = { get: ops["kv.get"], put: ops["kv.put"], other: ops["kv.list"] + ops["kv.delete"] };
  return { result, kv, objects: ops["object.fetch"], rows, all };
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

test("the SSO endpoint: 0 KV operations, 1 object request, at most 4 rows, in every kind of sign-in", async () => {
  const first = await redemption(bound);
  assert.deepEqual([first.kv, first.objects], [NOTHING, 1]);
  assert.ok(first.rows <= 4, `the first: ${first.rows} rows`);
  const replacing = await redemption(bound, {}, cookieOf(first.result));
  assert.deepEqual([replacing.kv, replacing.objects], [NOTHING, 1]);
  assert.ok(replacing.rows <= 4, `replacing a session: ${replacing.rows} rows`);
  for (let n = 0; n < 22; n += 1) {
    const { kv, objects, rows } = await redemption(bound);
    assert.deepEqual([kv, objects], [NOTHING, 1]);
    assert.ok(rows >= 3 && rows <= 4, `sign-in ${n}, up to and beyond the cap: ${rows} rows`);
  }
});

test("the SSO endpoint: at most 4 rows for an account's first sign-in, with or without an alarm, and for a sign-in beyond the limit of sessions", async () => {
  for (const isAlarmed of [true, false]) {
    const user = `first-${isAlarmed}`;
    if (!isAlarmed) await signet.faults.set([{ target: "alarm.set", mode: "throw" }]);
    await putUser(signet, user);
    const own = await createSet(signet, { user_id: user });
    await signet.faults.set([]);
    const { kv, objects, rows } = await redemption(own);
    assert.deepEqual([kv, objects, rows], [NOTHING, 1, isAlarmed ? 3 : 4], `alarm set before: ${isAlarmed}`);
    // Up to the cap token, session and event are written; beyond it, the oldest session goes too.
    let cookie;
    for (let n = 2; n <= 20; n += 1) {
      const counted = await redemption(own);
      assert.equal(counted.rows, 3, `sign-in ${n}`);
      cookie = cookieOf(counted.result);
    }
    assert.equal((await redemption(own, {}, cookie)).rows, 4, "at the cap, in place of the browser's own session");
    assert.equal((await redemption(own)).rows, 4, "beyond the cap");
    assert.equal((await storedSessions(signet, user)).length, 20);
  }
});

test("the SSO endpoint: a denial spends the token with at most 4 rows, and its repetition writes the row that records it", async () => {
  await putUser(signet, "closed", { status: "Closed" });
  const own = await createSet(signet, { user_id: "closed" });
  const token = await getToken(signet, own);
  for (const expected of [2, 1]) {
    const { result, kv, objects, rows } = await cost(() => openLink(signet, token));
    assert.deepEqual([result.status, kv, objects, rows], [403, NOTHING, 1, expected]);
  }
});

test("the SSO endpoint for a delegated set: 1 KV read, 1 object request, at most 4 rows", async () => {
  const { kv, objects, rows } = await redemption(delegated, { user_id: "1" });
  assert.deepEqual([kv, objects], [{ get: 1, put: 0, other: 0 }, 1]);
  assert.ok(rows <= 4, `${rows} rows`);
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
      assert.deepEqual([used["object.fetch"], used["kv.get"], used["sql.rowsWritten"]], [objects, 0, 0]);
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
