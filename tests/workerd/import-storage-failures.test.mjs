// When storage fails during an import, it stops at the right line, and importing the same lines again completes it.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import {
  accountLine,
  allDone,
  counts,
  credentialLine,
  importLines,
  importList,
  secretOf,
  whmcsClient,
} from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, eventsOf, openLink, postToken, putUser, signIn } from "../support/workflow.mjs";

const STORAGE = "Signet cannot reach its storage. Try again in a moment.";
const TARGETS = ["kv.get", "kv.put", "kv.delete", "object.run", "sql.exec"];

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

let used = 0;
/** A new name, service and number. All names have the same length. */
function fresh() {
  used += 1;
  return { id: `n${String(used).padStart(5, "0")}`, service: 100_000 + used, number: 200_000 + used };
}

const send = (lines) => importLines(signet, lines);

/** The secret of every set in the end, so that its digest is the same too. */
const SECRET = secretOf("everybody");
const setLine = (id, change) => credentialLine(id, change, SECRET);
const client = ({ id, service, number }) => whmcsClient(id, service, { credentialId: number, clientSecret: SECRET });

/** The imports, each with what is stored before it and its outcome when nothing fails. */
const flows = {
  "an account created with its service": {
    act: ({ id, service }) => send([accountLine(id, { services: [service] })]),
    outcome: "created",
  },
  "an account that drops a service and takes another": {
    prepare: ({ id, service }) => putUser(signet, id, { services: [service, "shared"] }),
    act: ({ id, service }) => send([accountLine(id, { services: [`${service}-b`, "shared"] })]),
    outcome: "changed",
  },
  "an account closed": {
    prepare: async ({ id }) => {
      await putUser(signet, id);
      await signIn(signet, await createSet(signet, { user_id: id }));
    },
    act: ({ id }) => send([accountLine(id, { status: "Closed" })]),
    outcome: "changed",
  },
  "a set created": {
    prepare: ({ id }) => putUser(signet, id),
    act: ({ id }) => send([setLine(id, { user_id: id })]),
    outcome: "created",
  },
  "a delegated set created": { act: ({ id }) => send([setLine(id, { delegated: true })]), outcome: "created" },
  "a set changed": {
    prepare: async ({ id }) => {
      await putUser(signet, id);
      await send([credentialLine(id, { user_id: id }, secretOf("before"))]);
    },
    act: ({ id }) => send([setLine(id, { user_id: id, name: "Changed" })]),
    outcome: "changed",
  },
  "a set switched off": {
    prepare: async ({ id }) => {
      await putUser(signet, id);
      await send([setLine(id, { user_id: id })]);
    },
    act: ({ id }) => send([setLine(id, { user_id: id, disabled: true })]),
    outcome: "changed",
  },
  "a set switched on": {
    prepare: async ({ id }) => {
      await putUser(signet, id);
      await send([setLine(id, { user_id: id, disabled: true })]);
    },
    act: ({ id }) => send([setLine(id, { user_id: id })]),
    outcome: "changed",
  },
  "a revoked set imported again": {
    prepare: async ({ id }) => {
      await putUser(signet, id);
      await send([setLine(id, { user_id: id })]);
      await signet.admin("DELETE", `/credentials/${id}`);
    },
    act: ({ id }) => send([setLine(id, { user_id: id })]),
    outcome: "created",
  },
  "a client of WHMCS's list": {
    prepare: ({ id, service }) => putUser(signet, id, { services: [service] }),
    act: (names) => importList(signet, [client(names)]),
    outcome: "created",
  },
  "a client of WHMCS's list that had another number": {
    prepare: async ({ id, service }) => {
      await putUser(signet, id, { services: [service] });
      await send([setLine(id, { user_id: id })]);
    },
    act: (names) => importList(signet, [client(names)]),
    outcome: "changed",
  },
};

/** The number of a set that was imported without one: 31 bits of a hash. */
const numberOf = (id) => createHash("sha256").update(id).digest().readUInt32BE() >>> 1;

/** Rows of a user's object; none if it has no tables. */
const rows = async (user, statement) => {
  const tables = await signet.sql(user, "SELECT name FROM sqlite_master WHERE name = 'token'");
  return tables.length === 0 ? [] : signet.sql(user, statement);
};

const SESSIONS = "SELECT jti FROM token WHERE session_expires_at IS NOT NULL";

/** All that is stored about a name, except dates and values that differ by name alone. */
async function stateOf({ id, service, number }) {
  const kv = await signet.kv();
  const set = JSON.parse((await kv.get(`credential:${id}`)) ?? "null");
  const { status, body: account } = await signet.admin("GET", `/users/${id}`);
  const owned = async (name) => [name, JSON.parse((await kv.get(`service:${name}`)) ?? "[]").includes(id)];
  const isNumbered = async (number) => (await kv.get(`credential-id:${number}`)) === JSON.stringify(id);
  const state = {
    account: { ...account, created_at: 0, updated_at: 0 },
    status,
    events: await eventsOf(signet, id).catch(() => []),
    sessions: (await rows(id, SESSIONS)).length,
    sets: await rows(id, "SELECT state FROM credential"),
    set: set && { ...set, created_at: 0, updated_at: 0 },
    // A hint to a user who does not own the service leads nowhere, so it does not count.
    owned: await Promise.all((account.services ?? []).map(owned)),
    numbers: { ofItsId: await isNumbered(numberOf(id)), ofTheList: await isNumbered(number) },
  };
  return JSON.parse(
    JSON.stringify(state).replaceAll(id, "NAME").replaceAll(String(service), "SERVICE").replaceAll(String(number), "1"),
  );
}

async function assertSafe({ id }) {
  const { status, body } = await signet.admin("GET", `/users/${id}`);
  if (status === 200 && body.status === "Closed") assert.deepEqual(await rows(id, SESSIONS), []);
}

for (const [name, { prepare = () => {}, act, outcome }] of Object.entries(flows)) {
  test(`every storage call fails once, and importing the same lines again completes the rest: ${name}`, async () => {
    // What a clean run calls, and what it leaves,
    const clean = fresh();
    await prepare(clean);
    await signet.ops.reset();
    assert.deepEqual((await act(clean)).reports, allDone(1, { [outcome]: 1 }));
    const calls = await signet.ops.read();
    assert.ok(
      TARGETS.some((target) => calls[target] > 0),
      "it calls something",
    );
    const expected = await stateOf(clean);
    // then each of these calls fails, before or after it took effect.
    for (const target of TARGETS) {
      for (let nth = 1; nth <= calls[target]; nth += 1) {
        for (const mode of ["throw", "lose"]) {
          const label = `${target} ${nth} of ${calls[target]}, ${mode}`;
          const names = fresh();
          await prepare(names);
          await signet.faults.set([{ target, nth, mode }]);
          const { status, reports } = await act(names);
          await signet.faults.set([]);
          assert.deepEqual([status, reports], [200, [{ stopped: { line: 1, reason: STORAGE } }]], label);
          await assertSafe(names);
          const again = (await act(names)).reports;
          assert.equal(again[0].done?.line, 1, `${label}: ${JSON.stringify(again)}`);
          assert.equal(again[0].done.refused, 0, label);
          assert.deepEqual(await stateOf(names), expected, label);
          assert.deepEqual((await act(names)).reports, allDone(1, { unchanged: 1 }), label);
        }
      }
    }
  });
}

test("storage fails in the middle of a file: every line before the one it stopped at is done, and importing the rest completes it", async () => {
  const names = Array.from({ length: 40 }, fresh);
  const lines = names.map(({ id }) => accountLine(id));
  lines[20] = "not a line";
  await signet.faults.set([{ target: "object.run", on: names[25].id, mode: "throw" }]);
  const { reports, headers } = await send(lines);
  await signet.faults.set([]);
  assert.deepEqual(reports, [
    { refused: { line: 21, reason: "The line is not JSON." } },
    { stopped: { line: 26, reason: STORAGE } },
  ]);
  for (const { id } of names.slice(0, 25)) {
    if (id !== names[20].id) assert.equal((await signet.admin("GET", `/users/${id}`)).status, 200, id);
  }
  const rest = (await send(lines.slice(25))).reports.at(-1).done;
  assert.equal(rest.created + rest.unchanged, 15);
  assert.deepEqual((await send(lines)).reports.at(-1), { done: counts(40, { unchanged: 39, refused: 1 }) });
  for (const { id } of names.filter((_, n) => n !== 20))
    assert.deepEqual(await eventsOf(signet, id), ["account.created"], id);
  const line = JSON.parse((await signet.logged(headers.get("x-request-id"))).message);
  assert.deepEqual(
    [line.event, line.outcome, line.reason, line.operation],
    ["import", "failed", "storage", "object request"],
  );
});

test("a service whose move to another account fails half-way keeps its owner, and the same line again moves it", async () => {
  const [from, to] = [fresh(), fresh()];
  const ownerOf = async () => {
    const names = fresh();
    const [{ done }] = (await importList(signet, [whmcsClient(names.id, from.service, { credentialId: names.number })]))
      .reports;
    return done.created === 1 && (await signet.admin("GET", `/credentials/${names.id}`)).body.user_id;
  };
  await putUser(signet, from.id, { services: [from.service] });
  const move = () => send([accountLine(to.id, { services: [from.service] })]);
  await signet.faults.set([{ target: "object.run", on: to.id, mode: "throw" }]);
  assert.deepEqual((await move()).reports, [{ stopped: { line: 1, reason: STORAGE } }]);
  await signet.faults.set([]);
  assert.equal(await ownerOf(), from.id);
  assert.deepEqual((await move()).reports, allDone(1, { created: 1 }));
  assert.equal(await ownerOf(), to.id);
});

test("a set that was imported half-way signs nobody in", async () => {
  const { id } = fresh();
  await putUser(signet, id);
  const set = { client_id: id, client_secret: secretOf(id) };
  await send([credentialLine(id, { user_id: id })]);
  await signet.admin("DELETE", `/credentials/${id}`);
  await signet.faults.set([{ target: "object.run", on: id, mode: "throw" }]);
  assert.deepEqual((await send([credentialLine(id, { user_id: id })])).reports, [
    { stopped: { line: 1, reason: STORAGE } },
  ]);
  await signet.faults.set([]);
  const token = (await (await postToken(signet, set)).json()).access_token;
  assert.equal((await openLink(signet, token)).status, 401, "the object still refuses it");
  assert.deepEqual((await send([credentialLine(id, { user_id: id })])).reports, allDone(1, { changed: 1 }));
  await signIn(signet, set);
});

test("stale KV: a set that KV does not show yet is imported again with the file's values", async () => {
  const { id } = fresh();
  await putUser(signet, id);
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  await send([credentialLine(id, { user_id: id })]);
  assert.deepEqual(
    (await send([credentialLine(id, { user_id: id, name: "Last" })])).reports,
    allDone(1, { created: 1 }),
  );
  await signet.faults.set([]);
  assert.equal((await signet.admin("GET", `/credentials/${id}`)).body.name, "Last");
});
