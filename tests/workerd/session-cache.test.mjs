// The setting SESSION_CACHE: which session checks an isolate answers from memory, and for how long.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import { openWebSocket } from "../support/websocket.mjs";
import {
  basic,
  cookieOf,
  createSet,
  csrfTokenAt,
  getToken,
  openLink,
  postForm,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const FILES = 50;
let signet, delegated, users;

before(async () => {
  signet = await startSignet({ vars: { SESSION_CACHE: "60", SESSION_IDLE: "120", SESSION_MAX: "3600" } });
  await putUser(signet, "1");
  delegated = await createSet(signet, { delegated: true });
  users = 1;
});
after(() => signet.close());

const check = (cookie, to = signet) => to.fetch("/oauth/session", { headers: cookie });

/** Creates a user and signs in. Returns the User ID, the credential set and the cookie. */
async function signedIn() {
  users += 1;
  const user = String(users);
  await putUser(signet, user);
  const set = await createSet(signet, { user_id: user });
  return { user, set, cookie: await signIn(signet, set) };
}

/** Sends requests, and returns what they return and the calls that they cost. */
async function counted(act, to = signet) {
  await to.ops.reset();
  const result = await act();
  const { "console.run": _, ...ops } = await to.ops.read();
  return { result, objects: ops["object.run"], reads: ops["kv.get"], rows: ops["sql.rowsWritten"] };
}

/** Stops the clock, runs a test with a function that sets the seconds since then, and starts the clock again. */
async function atSeconds(run) {
  const start = await signet.clock.stop();
  try {
    return await run((seconds) => signet.clock.stop(start + seconds * 1000));
  } finally {
    await signet.clock.set(0);
  }
}

test("an isolate asks the object once in 60 seconds, and answers the same in between", () =>
  atSeconds(async (at) => {
    const { cookie } = await signedIn();
    const answers = new Set();
    for (const [second, objects, rows] of [
      [0, 1, 0],
      [0, 0, 0],
      [59, 0, 0],
      [60, 1, 1],
      [61, 0, 0],
      [119, 0, 0],
      [120, 1, 1],
    ]) {
      await at(second);
      const { result, ...cost } = await counted(() => check(cookie));
      assert.deepEqual([result.status, cost], [200, { objects, reads: 0, rows }], `${second} s`);
      if (second < 60) answers.add(`${result.headers.get("x-signet-expires")} ${await result.text()}`);
    }
    assert.equal(answers.size, 1);
  }));

test("without the setting, every check asks the object", async () => {
  const plain = await startSignet();
  try {
    await putUser(plain, "1");
    const cookie = await signIn(plain, await createSet(plain, { user_id: "1" }));
    for (let n = 0; n < 3; n += 1) {
      const { result, ...cost } = await counted(() => check(cookie, plain), plain);
      assert.deepEqual([result.status, cost], [200, { objects: 1, reads: 0, rows: 0 }]);
    }
  } finally {
    await plain.close();
  }
});

test("a session in use does not end by its idle limit, and an unused one does", () =>
  atSeconds(async (at) => {
    for (const pause of [7, 25, 45, 59, 60]) {
      await at(0);
      const { cookie } = await signedIn();
      let second = 0;
      for (; second < 600; second += pause) {
        await at(second);
        assert.equal((await check(cookie)).status, 200, `used every ${pause} s, at ${second} s`);
      }
      const last = second - pause;
      await at(last + 60);
      assert.equal((await check(cookie)).status, 200, `used every ${pause} s, then after a minute`);
      await at(last + 60 + 120);
      assert.equal((await check(cookie)).status, 401, `used every ${pause} s, then not used`);
    }
  }));

test("a session of a delegated set costs its KV read at every check, and no object request", async () => {
  const cookie = await signIn(signet, delegated, { form: { user_id: "1" } });
  assert.equal((await check(cookie)).status, 200);
  const { result, ...cost } = await counted(() => check(cookie));
  assert.deepEqual([result.status, cost], [200, { objects: 0, reads: 1, rows: 0 }]);
});

const forms = (path, form, headers) => postForm(signet, path, form, headers);
const administer = async (method, path, body) => {
  const { status } = await signet.admin(method, path, body);
  assert.ok(status < 300, `${method} ${path}: ${status}`);
};

/** The ways to end a session. Each has the session's owner, its credential set and its cookie. */
const ENDS = {
  "sign-out": ({ cookie }) => forms("/oauth/logout", {}, cookie),
  "the user's page, in another session": async ({ set, cookie }) => {
    const other = await signIn(signet, set);
    const csrf_token = await csrfTokenAt(signet, "/account/security", other);
    const { session_id } = await (await check(cookie)).json();
    assert.equal(
      (await forms("/account/security", { action: "end_session", session_id, csrf_token }, other)).status,
      200,
    );
  },
  "all other sessions, on the user's page": async ({ set, cookie }) => {
    const other = await signIn(signet, set);
    const csrf_token = await csrfTokenAt(signet, "/account/security", other);
    assert.equal((await check(cookie)).status, 200);
    assert.equal((await forms("/account/security", { action: "end_other_sessions", csrf_token }, other)).status, 200);
  },
  "an administrator ends it": async ({ user, cookie }) => {
    const { session_id } = await (await check(cookie)).json();
    await administer("DELETE", `/users/${user}/sessions/${session_id}`);
  },
  "an administrator ends all": ({ user }) => administer("DELETE", `/users/${user}/sessions`),
  "an administrator closes the account": ({ user }) => administer("PATCH", `/users/${user}`, { status: "Closed" }),
  "an administrator replaces the account": ({ user }) => administer("PUT", `/users/${user}`, { status: "Closed" }),
  "an administrator deletes the account": ({ user }) => administer("DELETE", `/users/${user}`),
  "an administrator ends the sessions of the set": ({ set }) =>
    administer("DELETE", `/credentials/${set.client_id}/sessions`),
  "an administrator revokes the set and ends its sessions": ({ set }) =>
    administer("DELETE", `/credentials/${set.client_id}?end_sessions=true`),
  "a new sign-in in the same browser": ({ set, cookie }) => signIn(signet, set, { headers: cookie }),
  "a replay of its link from elsewhere": async ({ link }) => {
    const headers = { "CF-Connecting-IP": "203.0.113.9", "User-Agent": "Another/2" };
    assert.equal((await openLink(signet, link, { headers })).status, 401);
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`an end in the same isolate takes effect at once: ${name}`, async () => {
    users += 1;
    const user = String(users);
    await putUser(signet, user);
    const set = await createSet(signet, { user_id: user });
    const link = await getToken(signet, set);
    const headers = { "CF-Connecting-IP": "192.0.2.1", "User-Agent": "Browser/1" };
    const cookie = cookieOf(await openLink(signet, link, { headers }));
    for (let n = 0; n < 2; n += 1) assert.equal(await whoIs(signet, cookie), user);
    await end({ user, set, cookie, link });
    for (let n = 0; n < 2; n += 1) assert.equal(await whoIs(signet, cookie), undefined);
  });
}

test("the end of all sessions of a delegated set takes effect at once", () =>
  atSeconds(async (at) => {
    const cookie = await signIn(signet, delegated, { form: { user_id: "1" } });
    assert.equal(await whoIs(signet, cookie), "1");
    await at(1);
    await administer("DELETE", `/credentials/${delegated.client_id}/sessions`);
    assert.equal(await whoIs(signet, cookie), undefined);
  }));

test("an end during a check: the answer of the check is not remembered", async (t) => {
  t.after(() => signet.faults.set([]));
  const { user, cookie } = await signedIn();
  await signet.faults.set([{ target: "object.run", on: user, nth: 1, mode: "late", ms: 500 }]);
  const early = check(cookie);
  await sleep(200);
  assert.ok((await forms("/oauth/logout", {}, cookie)).status < 400);
  assert.equal((await early).status, 200, "the object was asked before the end");
  assert.equal((await check(cookie)).status, 401);
});

test("an end that this isolate does not see takes effect within the 60 seconds", () =>
  atSeconds(async (at) => {
    const { user, cookie } = await signedIn();
    assert.equal((await check(cookie)).status, 200);
    await signet.sql(user, "DELETE FROM account");
    for (const [second, status] of [
      [0, 200],
      [59, 200],
      [60, 401],
      [61, 401],
    ]) {
      await at(second);
      assert.equal((await check(cookie)).status, status, `${second} s`);
    }
  }));

test("the absolute limit ends a session although its check is remembered", () =>
  atSeconds(async (at) => {
    const { cookie } = await signedIn();
    for (let second = 0; second < 3_600; second += 59) {
      await at(second);
      assert.equal((await check(cookie)).status, 200, `${second} s`);
    }
    await at(3_599);
    assert.equal((await check(cookie)).status, 200);
    await at(3_600);
    assert.equal((await check(cookie)).status, 401);
  }));

test("an answer without a session is not remembered", async () => {
  const { user, cookie } = await signedIn();
  await signet.sql(user, "DELETE FROM account");
  for (let n = 0; n < 2; n += 1) {
    const { result, objects } = await counted(() => check(cookie));
    assert.deepEqual([result.status, objects], [401, 1]);
  }
  await putUser(signet, user);
  assert.equal(await whoIs(signet, cookie), user);
});

test("an object that fails is not needed for a remembered check, and its failure is not remembered", async (t) => {
  t.after(() => signet.faults.set([]));
  const [known, unknown] = [await signedIn(), await signedIn()];
  assert.equal((await check(known.cookie)).status, 200);
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  assert.equal((await check(known.cookie)).status, 200);
  assert.equal((await check(unknown.cookie)).status, 503);
  await signet.faults.set([]);
  assert.equal((await check(unknown.cookie)).status, 200);
});

test("introspection and other questions about a token change nothing for the session", async () => {
  const { set, cookie } = await signedIn();
  const token = await getToken(signet, set);
  assert.equal((await check(cookie)).status, 200);
  assert.equal((await forms("/oauth/introspect", { token }, basic(set))).status, 200);
  assert.equal((await check(cookie)).status, 200);
});

test("gateway mode: a page and its fifty files ask the object once; a WebSocket asks it each minute", async () => {
  const origin = await startOrigin();
  const gateway = await startSignet({ vars: { ORIGIN_URL: origin.url, SESSION_CACHE: "60" } });
  try {
    await putUser(gateway, "1");
    const cookie = await signIn(gateway, await createSet(gateway, { user_id: "1" }));
    const userAt = async (path) => {
      const { headers } = await (await gateway.fetch(path, { headers: cookie })).json();
      return headers.find(([name]) => name.toLowerCase() === "x-signet-user")?.[1];
    };
    await gateway.clock.stop();
    const { result, objects } = await counted(async () => {
      const page = await userAt("/page");
      return [page, ...(await Promise.all(Array.from({ length: FILES }, (_, n) => userAt(`/file-${n}.css`))))];
    }, gateway);
    assert.deepEqual([result, objects], [Array(FILES + 1).fill("1"), 1]);
    await gateway.clock.hurry(50);
    const { status, peer } = await openWebSocket(gateway.issuer, "/silent", cookie);
    assert.equal(status, 101);
    await gateway.sql("1", "DELETE FROM account");
    assert.equal((await peer.next()).code, 1008);
    assert.equal(await userAt("/page"), "1", "the check of a page is still remembered");
  } finally {
    await gateway.close();
    origin.close();
  }
});
