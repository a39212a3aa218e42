// Objects whose tables an earlier version of Signet made: what they hold stays, and their tables become those of a new object.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { createSet, enterConsole, eventsOf, putUser, signIn } from "../support/workflow.mjs";

const USER_TABLES = [
  "CREATE TABLE account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL)",
  "CREATE TABLE token (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
  "CREATE TABLE event (class TEXT NOT NULL, number INTEGER NOT NULL, expires_at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (class, number)) WITHOUT ROWID",
];
const VERSION_TABLE =
  "CREATE TABLE schema_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)";

/**
 * The statements that make the tables of each earlier version, the oldest first. The rows of a user had the same form in
 * both versions. Add one when the latest changes.
 */
const EARLIER_USER_VERSIONS = [
  USER_TABLES,
  [...USER_TABLES, VERSION_TABLE, "INSERT INTO schema_version (only, version) VALUES (1, 2)"],
];
const EARLIER_CONSOLE_VERSIONS = [
  [
    "CREATE TABLE session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tally (day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, outcome, reason)) WITHOUT ROWID",
  ],
];
const TABLES =
  "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf%' ESCAPE '\\' ORDER BY name";
const VERSION = "SELECT version FROM schema_version";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

/** Makes tables by `statements`, with `rows` in them. */
async function makeTables(sql, statements, rows) {
  for (const statement of statements) await sql(statement);
  for (const [table, row] of Object.entries(rows).flatMap(([table, rows]) => rows.map((row) => [table, row]))) {
    const values = Object.keys(row).map(() => "?");
    await sql(`INSERT INTO ${table} (${Object.keys(row)}) VALUES (${values})`, ...Object.values(row));
  }
}

const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;
const PLACE = { address: "192.0.2.77", user_agent: "Personal/1" };

/** An id of a token or a session. */
const idOf = (name) => name.padEnd(22, "A");

/** The rows of a sign-in as versions 1 and 2 stored them: the token, its session and its event. */
function rowsOfSignIn(name) {
  const number = 1 + ["live", "told", "whole", "alone", "nameless"].indexOf(name);
  const [jti, id] = [idOf(name), idOf(`session-${name}`)];
  // The final state of an older token is swept.
  const at = number < 3 ? NOW - 2 * DAY : NOW - 100 + number;
  const session = {
    id,
    token: jti,
    client_id: "portal",
    destination: "clientarea:invoices",
    created_at: at,
    last_seen_at: NOW,
    idle_seconds: 3_600,
    max_expires_at: at + 20 * DAY,
    ...PLACE,
    ordinal: 0,
  };
  const event = { at, event: "sso.signed_in", request_id: `r${number}`, client_id: "portal", jti, session_id: id };
  return {
    token: { jti, expires_at: at + DAY, data: JSON.stringify({ fate: "signed_in", at }) },
    session: { id, expires_at: NOW + 3_600, data: JSON.stringify(session) },
    event: {
      class: "sign_in",
      number,
      expires_at: at + 90 * DAY,
      data: JSON.stringify({ ...event, replaced_session_ids: [idOf("replaced")], ...PLACE }),
    },
  };
}

const row = (data) => JSON.stringify({ request_id: "r", client_id: "portal", ...data });

/** Rows of versions 1 and 2: a sign-in that is whole, one for each part that is left of it, a denial and a revocation. */
function earlierRows() {
  const [whole, alone, live, told, nameless] = ["whole", "alone", "live", "told", "nameless"].map((name) =>
    rowsOfSignIn(name),
  );
  return {
    account: [
      {
        only: 1,
        data: JSON.stringify({
          status: "Active",
          sso: true,
          services: ["12"],
          domains: [],
          created_at: NOW,
          updated_at: NOW,
        }),
      },
    ],
    token: [
      whole.token,
      alone.token,
      nameless.token,
      {
        jti: idOf("denied"),
        expires_at: NOW + DAY,
        data: JSON.stringify({ fate: { denied: "not_owner" }, at: NOW - 50 }),
      },
      { jti: idOf("revoked"), expires_at: NOW + DAY, data: JSON.stringify({ fate: "revoked", at: NOW - 40 }) },
    ],
    session: [whole.session, live.session, nameless.session],
    credential: [{ client_id: "portal", state: "enabled" }],
    event: [
      whole.event,
      told.event,
      {
        class: "denial",
        number: 7,
        expires_at: NOW + DAY,
        data: row({ at: NOW - 50, event: "sso.denied", reason: "not_owner", jti: idOf("denied") }),
      },
      {
        class: "administration",
        number: 6,
        expires_at: NOW + DAY,
        data: row({ at: NOW - 60, event: "account.created" }),
      },
    ],
  };
}

/** What a user's object with these rows answers. */
const expected = {
  services: ["12"],
  sessions: ["nameless", "whole", "live"].map((name) => {
    const { id, token, ordinal, created_at, last_seen_at, idle_seconds, max_expires_at, ...rest } = JSON.parse(
      earlierRows().session.find((row) => row.id === idOf(`session-${name}`)).data,
    );
    return { session_id: id, jti: token, ...rest };
  }),
  events: [
    ["sso.denied", undefined],
    ["account.created", undefined],
    ["sso.signed_in", idOf("session-whole")],
    ["sso.signed_in", idOf("session-told")],
  ],
  fates: ["revoked", "denied", "signed_in", "signed_in", "signed_in"],
};

async function stored(user) {
  const at = (path) => signet.admin("GET", `/users/${user}${path}`);
  const { sessions } = (await at("/sessions")).body;
  const { events } = (await at("/events")).body;
  const { tokens } = (await at("/export")).body;
  for (const { event, jti, request_id, client_id, replaced_session_ids, address, user_agent } of events) {
    if (event !== "sso.signed_in" || client_id !== "portal") continue;
    const expected = [jti === idOf("told") ? "r2" : "r3", [idOf("replaced")], PLACE];
    assert.deepEqual([request_id, replaced_session_ids, { address, user_agent }], expected);
  }
  return {
    services: (await at("")).body.services,
    sessions: sessions.map(({ created_at, last_seen_at, expires_at, ...rest }) => rest),
    events: events.map(({ event, session_id }) => [event, session_id]),
    fates: tokens.map(({ state }) => state),
  };
}

test("the tables of a user's object are migrated from every earlier version, and keep what they hold", async () => {
  await putUser(signet, "new");
  const fresh = await signet.sql("new", TABLES);
  assert.deepEqual(
    await signet.sql("new", VERSION),
    [{ version: EARLIER_USER_VERSIONS.length + 1 }],
    "every earlier version is in the list",
  );
  for (const [n, statements] of EARLIER_USER_VERSIONS.entries()) {
    const user = `version-${n + 1}`;
    await makeTables((...args) => signet.sql(user, ...args), statements, earlierRows());
    const old = await signet.sql(user, TABLES);
    await signet.faults.set([{ target: "sql.exec", on: "ALTER TABLE", mode: "lose" }]);
    assert.equal((await signet.admin("GET", `/users/${user}`)).status, 503);
    await signet.faults.set([]);
    assert.deepEqual(await signet.sql(user, TABLES), old, "a migration that fails changes nothing");
    assert.deepEqual(await stored(user), expected);
    assert.deepEqual(await signet.sql(user, TABLES), fresh);
    assert.deepEqual(await signet.sql(user, VERSION), await signet.sql("new", VERSION));
    // And it works on, after a restart too.
    for (const restart of [() => {}, signet.restart]) {
      await restart();
      assert.deepEqual((await stored(user)).sessions.slice(-3), expected.sessions);
      const set = await createSet(signet, { user_id: user });
      await signIn(signet, set);
      assert.equal((await eventsOf(signet, user))[0], "sso.signed_in");
    }
    await signet.clock.set(100 * DAY * 1000);
    await signet.alarm(user);
    await signet.clock.set(0);
    assert.deepEqual(await signet.sql(user, "SELECT jti FROM token"), [], "and nothing is kept forever");
  }
});

test("the tables of the console's object are migrated from every earlier version, and keep what they hold", async () => {
  await signet.restart(); // which forgets what the chart has yet to count
  const cookie = await enterConsole(signet);
  const isSignedIn = async () =>
    (await signet.fetch("/admin", { headers: { ...cookie, Host: new URL(signet.consoleOrigin).host } })).status === 200;
  const count = { day: Math.floor(Date.now() / 86_400_000), outcome: "granted", reason: "ok", count: 7 };
  const fresh = await signet.consoleSql(TABLES);
  assert.deepEqual(await signet.consoleSql(VERSION), [{ version: EARLIER_CONSOLE_VERSIONS.length + 1 }]);
  const rows = { session: await signet.consoleSql("SELECT * FROM session"), tally: [count] };
  for (const statements of EARLIER_CONSOLE_VERSIONS) {
    for (const { name } of await signet.consoleSql(TABLES)) await signet.consoleSql(`DROP TABLE ${name}`);
    await makeTables(signet.consoleSql, statements, rows);
    await signet.restart();
    assert.ok(await isSignedIn());
    assert.deepEqual(await signet.consoleSql(TABLES), fresh);
    assert.deepEqual(await signet.consoleSql("SELECT * FROM tally"), [count]);
  }
});

test("tables of a later version are an outage, and stay as they are", async () => {
  await putUser(signet, "later");
  await signet.sql("later", "UPDATE schema_version SET version = version + 1");
  await signet.restart();
  for (const [method, body] of [["GET"], ["PUT", { status: "Closed" }]]) {
    const answer = await signet.admin(method, "/users/later", body);
    assert.equal(answer.status, 503);
    assert.match((await signet.logged(answer.headers.get("x-request-id"))).message, /tables are of a later version/);
  }
  assert.equal(
    (await signet.sql("later", "SELECT json_extract(data, '$.status') AS status FROM account"))[0].status,
    "Active",
  );
});
