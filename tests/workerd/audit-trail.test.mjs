// The audit trail and its limits, erasure and export of a user. ASVS 16.4.2.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  claimsOf,
  createSet,
  csrfTokenAt,
  enterConsole,
  eventsOf,
  getToken,
  openLink,
  postForm,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

let signet, delegated;

before(async () => {
  signet = await startSignet();
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

let names = 0;
/** A new user with an account and a set bound to it. */
async function fresh(account) {
  const user = `trail-${(names += 1)}`;
  await putUser(signet, user, account);
  return [user, await createSet(signet, { user_id: user })];
}

const countOf = async (user, event) =>
  (await signet.sql(user, "SELECT count(*) AS n FROM event WHERE json_extract(data, '$.event') = ?", event))[0].n;

/** The numbers of sign-ins in the trail. */
const SIGN_INS = "SELECT count(number) AS n, max(number) AS latest FROM token";

/** The numbers from 1 to the parameter. */
const NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)";

/** Makes room for entries of the trail that are older than those there. */
const makeRoom = async (user) => {
  for (const table of ["event", "token"])
    await signet.sql(user, `UPDATE ${table} SET number = number + 10000 WHERE number < 5000`);
};

/** Writes `count` events of a class, older than those there. */
const fill = async (user, cls, event, count) => {
  await makeRoom(user);
  await signet.sql(
    user,
    `${NUMBERS} INSERT INTO event (class, number, expires_at, data)
    SELECT ?, i + 5000, 4000000000, json_object('at', 1, 'event', ?, 'request_id', 'r') FROM n`,
    count,
    cls,
    event,
  );
};

/** Writes `count` sign-ins at a time, older in the trail than those there, with sessions that end at another time. */
const fillSignIns = async (user, count, at, sessionsEndAt) => {
  await makeRoom(user);
  await signet.sql(
    user,
    `${NUMBERS} INSERT INTO token (jti, number, expires_at, session_expires_at, data)
    SELECT printf('%021dA', i), i + 7000, 4000000000, ?, json_object('fate', 'signed_in', 'at', CAST(? AS INTEGER), 'client_id', 'p', 'session_id', printf('%021dA', i),
    'last_seen_at', 1, 'idle_seconds', 1, 'max_expires_at', 1, 'request_id', 'r') FROM n`,
    count,
    sessionsEndAt,
    at,
  );
};

async function press(cookie, form) {
  const csrf_token = await csrfTokenAt(signet, "/account/security", cookie);
  return postForm(signet, "/account/security", { ...form, csrf_token }, cookie);
}

test("attack 107: a request that ends nothing writes no event, however often it is repeated", async () => {
  const [user, own] = await fresh();
  const cookie = await signIn(signet, own);
  const csrf_token = await csrfTokenAt(signet, "/account/security", cookie);
  const body = new URLSearchParams({ action: "end_other_sessions", csrf_token });
  for (let n = 0; n < 100; n += 1) {
    assert.equal((await signet.fetch("/account/security", { method: "POST", headers: cookie, body })).status, 200);
  }
  const before = await eventsOf(signet, user);
  assert.deepEqual(before, ["sso.signed_in", "account.created"]);
  assert.equal(await whoIs(signet, cookie), user);
  await signet.fetch("/oauth/logout", { method: "POST", headers: cookie });
  for (const path of [
    `/users/${user}/sessions`,
    `/users/${user}/sessions?client_id=x`,
    `/credentials/${own.client_id}/sessions`,
  ]) {
    assert.equal((await signet.admin("DELETE", path)).status, 204);
  }
  for (const query of ["?end_sessions=true", ""])
    assert.equal((await signet.admin("PATCH", `/users/${user}${query}`, {})).status, 200);
  assert.deepEqual(await eventsOf(signet, user), ["session.ended: signed_out", ...before]);
});

test("attack 107: the events that a user can cause at will are limited, and push out no others", async () => {
  const [user, own] = await fresh();
  const cookie = await signIn(signet, own);
  await fill(user, "user", "account.changed", 199);
  for (let n = 0; n < 3; n += 1) {
    for (const action of ["disallow_sso", "allow_sso"]) assert.equal((await press(cookie, { action })).status, 200);
  }
  const [{ n }] = await signet.sql(user, "SELECT count(*) AS n FROM event WHERE class = 'user'");
  assert.equal(n, 200);
  const events = await eventsOf(signet, user);
  assert.deepEqual(events.slice(0, 8), [
    ...Array(6).fill("account.changed: by_user"),
    "sso.signed_in",
    "account.created",
  ]);
});

test("attack 107: the events of an application's revocations are limited, and push out no others", async () => {
  const [user, own] = await fresh();
  await fill(user, "application", "token.revoked", 200);
  for (let n = 0; n < 3; n += 1) {
    assert.equal(
      (await postForm(signet, "/oauth/revoke", { token: await getToken(signet, own) }, basic(own))).status,
      200,
    );
  }
  assert.equal(await countOf(user, "token.revoked"), 200);
  assert.deepEqual((await eventsOf(signet, user)).slice(0, 4), [
    ...Array(3).fill("token.revoked: by_application"),
    "account.created",
  ]);
});

test("attack 107: an application's revocations for a user without an account make no event", async () => {
  const user = `trail-${(names += 1)}`;
  const body = new URLSearchParams({ token: await getToken(signet, delegated, { user_id: user }) });
  assert.equal((await signet.fetch("/oauth/revoke", { method: "POST", headers: basic(delegated), body })).status, 200);
  assert.deepEqual(await eventsOf(signet, user), []);
  await putUser(signet, user);
  assert.equal((await openLink(signet, body.get("token"))).status, 401, "it is revoked all the same");
});

test("attack 107: many denials are limited, and sign-ins stay in the trail", async () => {
  const [user, own] = await fresh();
  await signIn(signet, own);
  await fill(user, "denial", "sso.denied", 500);
  for (let n = 0; n < 3; n += 1) {
    const token = await getToken(signet, delegated, { user_id: user });
    await signet.admin("PATCH", `/users/${user}`, { sso: false });
    assert.equal((await openLink(signet, token)).status, 403);
  }
  assert.equal(await countOf(user, "sso.denied"), 500);
  await signet.alarm(user);
  assert.deepEqual([(await signet.sql(user, SIGN_INS))[0].n, await countOf(user, "account.created")], [1, 1]);
});

test("the sweep cuts each class down to its newest events", async () => {
  const [user, own] = await fresh();
  await signIn(signet, own);
  await fill(user, "administration", "account.changed", 1_100);
  await fillSignIns(user, 1_100, 1, null);
  await signet.alarm(user);
  const rows = await signet.sql(
    user,
    "SELECT class, count(*) AS n, max(number) AS latest FROM event GROUP BY class ORDER BY class",
  );
  assert.deepEqual(rows, [{ class: "administration", n: 1_000, latest: 10_001 }]);
  assert.deepEqual(await signet.sql(user, SIGN_INS), [{ n: 1_000, latest: 10_002 }]);
  assert.deepEqual((await eventsOf(signet, user)).slice(0, 2), ["sso.signed_in", "account.created"]);
});

test("the sweep keeps a sign-in above the quota while its token's final state is kept, or while its session lives", async () => {
  const now = Math.floor(Date.now() / 1000);
  for (const [at, sessionsEndAt, left] of [
    [now, null, 1_101],
    [now - 86_500, now + 1_000, 1_101],
    [now - 86_500, now - 1, 1_000],
    [now - 86_500, null, 1_000],
  ]) {
    const [user, own] = await fresh();
    await signIn(signet, own);
    await fillSignIns(user, 1_100, at, sessionsEndAt);
    await signet.alarm(user);
    assert.deepEqual(await signet.sql(user, SIGN_INS), [{ n: left, latest: 10_002 }], `${at - now} ${sessionsEndAt}`);
  }
});

test("revoking an expired token adds no event", async () => {
  const [user, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.ops.read(); // its record is written
  const { jti } = claimsOf(token);
  await signet.clock.set(61_000);
  try {
    assert.equal((await signet.admin("DELETE", `/tokens/${jti}`)).status, 204);
    assert.equal((await signet.admin("GET", `/tokens/${jti}`)).body.state, "expired");
  } finally {
    await signet.clock.set(0);
  }
  assert.deepEqual(await eventsOf(signet, user), ["account.created"]);
});

test("attack 113: reading a user who is not known makes no table, no row and no alarm", async () => {
  const user = `trail-${(names += 1)}`;
  const token = await getToken(signet, delegated, { user_id: user });
  await signet.ops.read(); // its record is written
  const { jti } = claimsOf(token);
  const cookie = await enterConsole(signet);
  await signet.ops.reset();
  for (const [method, path, status, body] of [
    ["GET", "", 404],
    ["GET", "/sessions", 200],
    ["GET", "/events", 200],
    ["GET", "/export", 404],
    ["DELETE", "", 404],
    ["DELETE", "?erase=true", 404],
    ["DELETE", "/sessions", 404],
    ["PATCH", "", 404, {}],
    ["DELETE", "/sessions/AAAAAAAAAAAAAAAAAAAAAA", 404],
  ]) {
    assert.equal((await signet.admin(method, `/users/${user}${path}`, body)).status, status, `${method} ${path}`);
  }
  const introspected = await postForm(signet, "/oauth/introspect", { token }, basic(delegated));
  assert.deepEqual(await introspected.json(), { active: false });
  for (const path of [`/oauth/receipts/${jti}`])
    assert.equal((await signet.fetch(path, { headers: basic(delegated) })).status, 200);
  assert.equal((await signet.admin("GET", `/tokens/${jti}`)).status, 200);
  assert.equal((await signet.fetch(`/admin/users/${user}`, { headers: cookie })).status, 404);
  const used = await signet.ops.read();
  assert.deepEqual([used["sql.rowsWritten"], used["alarm.set"]], [0, 0]);
  assert.deepEqual(
    await signet.sql(user, "SELECT name FROM sqlite_master WHERE name NOT LIKE '\\_cf%' ESCAPE '\\'"),
    [],
  );
});

test("the first write creates the tables, and the object looks for nothing afterwards", async () => {
  const user = `trail-${(names += 1)}`;
  await putUser(signet, user);
  const tables = await signet.sql(
    user,
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name",
  );
  assert.deepEqual(
    tables.map(({ name }) => name),
    ["account", "credential", "event", "schema_version", "token"],
  );
  await signet.ops.reset();
  await signet.admin("GET", `/users/${user}`);
  assert.equal((await signet.ops.read())["sql.exec"], 0, "the account is in memory");
});

const PLACE = { "CF-Connecting-IP": "192.0.2.77", "User-Agent": "Personal/1" };
/** Whether anything stored of a user contains a text. */
async function holds(user, text) {
  const kv = await signet.kv();
  const stored = await Promise.all((await kv.list()).keys.map(async ({ name }) => name + (await kv.get(name))));
  const rows = [];
  for (const table of ["account", "token", "event", "credential"])
    rows.push(await signet.sql(user, `SELECT * FROM ${table}`));
  return JSON.stringify([stored, rows]).includes(text);
}

test("erasure leaves nothing personal: account, sessions, addresses, browsers, sets and the records of tokens", async () => {
  const [user, own] = await fresh({ services: ["personal-12"] });
  const spent = await getToken(signet, own);
  await openLink(signet, spent, { headers: PLACE });
  await signIn(signet, delegated, { form: { user_id: user }, headers: PLACE });
  await signet.ops.read(); // the tokens' records are written
  for (const text of ["192.0.2.77", "Personal/1", `"user_id":"${user}"`.replaceAll('"', '\\"')])
    assert.ok(await holds(user, text), text);
  assert.equal((await signet.admin("DELETE", `/users/${user}?erase=true`)).status, 204);
  for (const text of ["192.0.2.77", "Personal/1", "personal-12", `"user_id":"${user}"`.replaceAll('"', '\\"')])
    assert.ok(!(await holds(user, text)), text);
  assert.equal((await signet.admin("GET", `/tokens/${claimsOf(spent).jti}`)).status, 404);
  const { events } = (await signet.admin("GET", `/users/${user}/events`)).body;
  assert.deepEqual(
    events.map(({ event }) => event),
    ["account.erased", "credential.revoked", "sso.signed_in", "sso.signed_in", "account.created"],
  );
  assert.ok(
    events.every((event) => !("address" in event) && !("user_agent" in event)),
    "not even the administrator's",
  );
  assert.equal((await signet.admin("DELETE", `/users/${user}?erase=true`)).status, 404, "nothing is left to erase");
  assert.equal((await openLink(signet, spent)).status, 401, "a spent token stays spent");
});

test("erasure works after the account is deleted", async () => {
  const [user, own] = await fresh();
  await signIn(signet, own, { headers: PLACE });
  assert.equal((await signet.admin("DELETE", `/users/${user}`)).status, 204);
  assert.ok(await holds(user, "192.0.2.77"), "deleting alone keeps the trail");
  assert.equal((await signet.admin("DELETE", `/users/${user}`)).status, 404);
  assert.equal((await signet.admin("DELETE", `/users/${user}?erase=true`)).status, 204);
  assert.ok(!(await holds(user, "192.0.2.77")) && !(await holds(user, "Personal/1")));
  assert.equal((await signet.admin("DELETE", `/users/${user}?erase=true`)).status, 404);
});

test("an erasure that fails half-way is completed by asking again", async () => {
  for (const target of ["kv.get", "kv.delete", "object.run", "sql.exec"]) {
    for (const nth of target === "kv.delete" ? [1, 2, 3, 4, 5] : [1, 2]) {
      const [user, own] = await fresh();
      const token = await getToken(signet, own);
      await openLink(signet, token, { headers: PLACE });
      await signet.ops.read();
      await signet.faults.set([{ target, nth, mode: "throw" }]); // the record of the token, the set and its number; and the last two again
      const first = (await signet.admin("DELETE", `/users/${user}?erase=true`)).status;
      await signet.faults.set([]);
      const again = (await signet.admin("DELETE", `/users/${user}?erase=true`)).status;
      assert.ok(first === 503 && [204, 404].includes(again), `${target} ${nth}: ${first}, ${again}`);
      assert.ok(!(await holds(user, "192.0.2.77")), `${target} ${nth}`);
      assert.equal((await signet.admin("GET", `/tokens/${claimsOf(token).jti}`)).status, 404);
      assert.equal((await signet.admin("GET", `/credentials/${own.client_id}`)).status, 404);
    }
  }
});

test("a set that was revoked and imported for another user is in neither the export nor the erasure of the first", async () => {
  const [[first, own], [second]] = [await fresh(), await fresh()];
  await signet.admin("DELETE", `/credentials/${own.client_id}`);
  const line = {
    client_id: own.client_id,
    client_secret: own.client_secret,
    credential: { name: "Theirs", user_id: second, scopes: ["clientarea:invoices"] },
  };
  const headers = { ...bearer(signet.adminToken), "Content-Type": "application/x-ndjson" };
  await signet.fetch("/admin/v1/import", { method: "POST", headers, body: JSON.stringify(line) });
  const { credentials } = (await signet.admin("GET", `/users/${first}/export`)).body;
  assert.deepEqual(credentials, [{ client_id: own.client_id, state: "revoked", set: null }]);
  await signet.admin("DELETE", `/users/${first}?erase=true`);
  assert.equal((await openLink(signet, await getToken(signet, own))).status, 302, "it signs the second in");
});

test("the export has all that is kept of a user, by the API and in the console", async () => {
  const [user, own] = await fresh({ services: [12] });
  const token = await getToken(signet, own);
  await openLink(signet, token, { headers: PLACE });
  for (let n = 0; n < 120; n += 1) await signet.admin("PATCH", `/users/${user}`, { services: [n] });
  await signet.ops.read();
  const { status, body } = await signet.admin("GET", `/users/${user}/export`);
  assert.deepEqual([status, body.user_id, body.account.services], [200, user, ["119"]]);
  assert.deepEqual(
    body.sessions.map(({ address, user_agent }) => [address, user_agent]),
    [["192.0.2.77", "Personal/1"]],
  );
  assert.deepEqual([body.events.length, body.events.at(-1).event], [122, "account.created"], "more than a page");
  assert.deepEqual(
    body.tokens.map(({ jti, state, user_id }) => [jti, state, user_id]),
    [[claimsOf(token).jti, "signed_in", user]],
  );
  assert.deepEqual(
    body.credentials.map(({ client_id, state, set }) => [client_id, state, set.name]),
    [[own.client_id, "enabled", "Portal"]],
  );
  for (const hidden of [own.client_secret, "digest", token]) assert.ok(!JSON.stringify(body).includes(hidden));
  const cookie = await enterConsole(signet);
  const page = await (await signet.fetch(`/admin/users/${user}`, { headers: cookie })).text();
  assert.ok(page.includes(`href="/admin/users/${user}/export"`) && page.includes('name="erase"'));
  const exported = await signet.fetch(`/admin/users/${user}/export`, { headers: cookie });
  assert.equal(exported.headers.get("content-type"), "application/json");
  assert.deepEqual({ ...(await exported.json()), exported_at: 0 }, { ...body, exported_at: 0 });
  assert.equal((await signet.fetch(`/admin/users/${user}/export`)).status, 401);
});

test("EVENT_RETENTION_DAYS is how long a new event is kept", async () => {
  const short = await startSignet({ vars: { EVENT_RETENTION_DAYS: "2" } });
  try {
    await putUser(short, "1");
    await short.alarm("1");
    assert.equal((await eventsOf(short, "1")).length, 1);
    await short.clock.set(2 * 86_400_000 + 2_000);
    await short.alarm("1");
    assert.deepEqual(await eventsOf(short, "1"), []);
    assert.equal((await short.admin("GET", "/users/1")).status, 200);
  } finally {
    await short.close();
  }
});

test("the console ends a user's sessions with a change, by application, and with a revocation", async () => {
  const [user, own] = await fresh();
  const cookie = await enterConsole(signet);
  const act = async (path, form) => {
    const csrf_token = await csrfTokenAt(signet, path, cookie);
    return (await postForm(signet, path, { ...form, csrf_token }, cookie)).status;
  };
  const shown = JSON.stringify({ status: "Active", sso: true, services: [], domains: [] });
  const saved = { action: "save", status: "Active", sso: "on", shown };
  const enter = () => signIn(signet, own);
  let session = await enter();
  assert.equal(await act(`/admin/users/${user}`, saved), 303);
  assert.equal(await whoIs(signet, session), user);
  assert.equal(await act(`/admin/users/${user}`, { ...saved, end_sessions: "on" }), 303);
  assert.equal(await whoIs(signet, session), undefined);
  const other = await signIn(signet, delegated, { form: { user_id: user } });
  session = await enter();
  assert.equal(await act(`/admin/users/${user}`, { action: "end_sessions", client_id: own.client_id }), 303);
  assert.deepEqual([await whoIs(signet, session), await whoIs(signet, other)], [undefined, user]);
  session = await enter();
  assert.equal(await act(`/admin/credentials/${own.client_id}`, { action: "end_sessions" }), 303);
  assert.equal(await whoIs(signet, session), undefined);
  session = await enter();
  assert.equal(
    await act(`/admin/credentials/${own.client_id}`, { action: "revoke", confirmed: "on", end_sessions: "on" }),
    303,
  );
  assert.equal(await whoIs(signet, session), undefined);
});

test("attack 107: an application that makes and deletes sets by WHMCS's API pushes out nothing of administration's", async () => {
  const user = `trail-${(names += 1)}`;
  const service = `svc-${user}`;
  await putUser(signet, user, { services: [service] });
  const actions = ["CreateOAuthCredential", "DeleteOAuthCredential"];
  const { identifier, secret } = (await signet.admin("POST", "/api-credentials", { name: "Panel", actions })).body;
  const call = async (form) => {
    return (await postForm(signet, "/includes/api.php", { identifier, secret, ...form })).json();
  };
  const { credentialId } = await call({
    action: actions[0],
    grantType: "single_sign_on",
    scope: "clientarea:sso",
    serviceId: service,
  });
  assert.equal((await call({ action: actions[1], credentialId })).result, "success");
  assert.deepEqual(await eventsOf(signet, user), ["credential.revoked: by_application", "account.created"]);
  const classes = await signet.sql(user, "SELECT class FROM event ORDER BY number");
  assert.deepEqual(
    classes.map(({ class: name }) => name),
    ["administration", "application"],
  );
});
