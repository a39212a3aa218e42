// Objects whose tables an earlier version of Signet made: what they hold stays, and their tables become those of a new object.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  claimsOf,
  createSet,
  enterConsole,
  eventsOf,
  getToken,
  openLink,
  putUser,
  signIn,
} from "../support/workflow.mjs";

/** Each earlier version: how it made the tables of a user's object and of the console's. Add one when the latest changes. */
const EARLIER_VERSIONS = [
  {
    user: [
      "CREATE TABLE account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL)",
      "CREATE TABLE token (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE event (class TEXT NOT NULL, number INTEGER NOT NULL, expires_at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (class, number)) WITHOUT ROWID",
    ],
    console: [
      "CREATE TABLE session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
      "CREATE TABLE tally (day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, outcome, reason)) WITHOUT ROWID",
    ],
  },
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

test("the tables of a user's object are migrated from every earlier version, and keep what they hold", async () => {
  await putUser(signet, "new", { services: [12] });
  const own = await createSet(signet, { user_id: "new" });
  const spent = await getToken(signet, own);
  await openLink(signet, spent);
  const fresh = await signet.sql("new", TABLES);
  assert.deepEqual(
    await signet.sql("new", VERSION),
    [{ version: EARLIER_VERSIONS.length + 1 }],
    "every earlier version is in the list",
  );
  const rows = {};
  for (const table of ["account", "token", "session", "credential", "event"])
    rows[table] = await signet.sql("new", `SELECT * FROM ${table}`);
  const stored = async (user) => [
    (await signet.admin("GET", `/users/${user}`)).body.services,
    (await signet.admin("GET", `/users/${user}/sessions`)).body,
    await eventsOf(signet, user),
    (await signet.admin("GET", `/users/${user}/export`)).body.tokens.map(({ fate }) => fate),
  ];
  for (const [n, { user: statements }] of EARLIER_VERSIONS.entries()) {
    const user = `version-${n + 1}`;
    await makeTables((...args) => signet.sql(user, ...args), statements, rows);
    const old = await signet.sql(user, TABLES);
    await signet.faults.set([{ target: "sql.exec", on: "CREATE TABLE", mode: "lose" }]);
    assert.equal((await signet.admin("GET", `/users/${user}`)).status, 503);
    await signet.faults.set([]);
    assert.deepEqual(await signet.sql(user, TABLES), old, "a migration that fails changes nothing");
    assert.deepEqual(await stored(user), await stored("new"));
    assert.deepEqual(await signet.sql(user, TABLES), fresh);
    assert.deepEqual(await signet.sql(user, VERSION), await signet.sql("new", VERSION));
    // And it works on, after a restart too.
    for (const restart of [() => {}, signet.restart]) {
      await restart();
      const set = await createSet(signet, { user_id: user });
      await signIn(signet, set);
      assert.equal((await eventsOf(signet, user))[0], "sso.signed_in");
    }
    assert.ok((await signet.sql(user, "SELECT jti FROM token")).some(({ jti }) => jti === claimsOf(spent).jti));
  }
});

test("the tables of the console's object are migrated from every earlier version, and keep what they hold", async () => {
  await signet.restart(); // which forgets what the chart has yet to count
  const cookie = await enterConsole(signet);
  const isSignedIn = async () =>
    (await signet.fetch("/admin", { headers: { ...cookie, Host: new URL(signet.consoleOrigin).host } })).status === 200;
  const count = { day: Math.floor(Date.now() / 86_400_000), outcome: "granted", reason: "ok", count: 7 };
  const fresh = await signet.consoleSql(TABLES);
  assert.deepEqual(await signet.consoleSql(VERSION), [{ version: EARLIER_VERSIONS.length + 1 }]);
  const rows = { session: await signet.consoleSql("SELECT * FROM session"), tally: [count] };
  for (const { console: statements } of EARLIER_VERSIONS) {
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
