// When storage fails, the answer is 503 or the right one, and no change is half done.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  bearer,
  claimsOf,
  cookieOf,
  createSet,
  eventsOf,
  getToken,
  json,
  openLink,
  postForm,
  postToken,
  putUser,
  repeatedNumbers,
  signIn,
  storedSessions,
  whoIs,
} from "../support/workflow.mjs";

const DOWN = [503, "temporarily_unavailable", "Signet cannot reach its storage. Try again in a moment."];
let signet, delegated;

before(async () => {
  signet = await startSignet();
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** No two entries of the audit trail share a number, and a Closed account has no live session. */
async function assertConsistent(user, cookie) {
  assert.deepEqual(await repeatedNumbers(signet, user), []);
  if (!cookie) return;
  const { status } = (await signet.admin("GET", `/users/${user}`)).body;
  if (status === "Closed") assert.equal(await whoIs(signet, cookie), undefined);
}

/** If an event says that a token signed its user in, then the session that it opened exists. */
async function assertSuccessHasSession(user, token) {
  const untrue = "SELECT jti FROM token WHERE number IS NOT NULL AND jti = ? AND session_expires_at IS NULL";
  assert.deepEqual(await signet.sql(user, untrue, claimsOf(token).jti), []);
}

/** Nothing personal is left of a user. */
async function assertErased(user) {
  const { status, body } = await signet.admin("GET", `/users/${user}/export`);
  if (status === 404) return;
  assert.deepEqual([body.account, body.sessions], [null, []]);
  assert.ok(body.events.every(({ address, user_agent }) => address === undefined && user_agent === undefined));
  assert.ok(body.tokens.every(({ user_id }) => user_id === undefined));
}

/** The answer of an outage, by the format of the route. */
const OUTAGES = {
  json: ["application/json", { error: DOWN[1], error_description: DOWN[2] }],
  problem: [
    "application/problem+json",
    { type: "about:blank", title: "Service Unavailable", status: 503, detail: DOWN[2] },
  ],
  page: ["text/html; charset=utf-8"],
};

async function assertDown(response, format, label) {
  assert.equal(response.status, 503, label);
  assert.equal(response.headers.get("retry-after"), "5", label);
  assert.equal(response.headers.get("set-cookie"), null, label);
  const [type, fields] = OUTAGES[format];
  assert.equal(response.headers.get("content-type"), type, label);
  const text = await response.text();
  if (fields) assert.deepEqual(JSON.parse(text), fields, label);
  else assert.ok(text.includes("Try again in a moment") && !text.includes("injected"), label);
}

/** A flow of the administration. */
const manage = (method, path, body, well = 200, again = [well]) => ({
  act: () => adminFetch(method, path, body),
  well,
  again,
  format: "problem",
});

/**
 * The flows, each with what gets it ready, how it ends when all is well (`well`), how it may end when it is tried again after
 * a failure (`again`), and the `format` of its failures. After an off-path call fails it ends well nevertheless. `proof` asserts
 * that it is done.
 */
const flows = {
  "a token": async (user, own) => ({
    act: () => postToken(signet, own),
    well: 200,
    format: "json",
    offPath: ["kv.put"],
  }),
  "a redemption": async (user, own) => {
    const token = await getToken(signet, own);
    return {
      act: () => openLink(signet, token, { headers: json }),
      well: 302,
      again: [302, 401],
      format: "json",
      token,
    };
  },
  "a redemption by a delegated set": async (user) => {
    const token = await getToken(signet, delegated, { user_id: user });
    return {
      act: () => openLink(signet, token, { headers: json }),
      well: 302,
      again: [302, 401],
      format: "json",
      token,
    };
  },
  "a redemption by a person who has a session": async (user, own) => {
    const cookie = await signIn(signet, own);
    const token = await getToken(signet, own);
    const act = () => openLink(signet, token, { headers: cookie, method: "POST" });
    return { act, well: 303, again: [303, 401], format: "page", cookie, token };
  },
  "a redemption refused to a Closed account": async (user, own) => {
    await signet.admin("PATCH", `/users/${user}`, { status: "Closed" });
    const token = await getToken(signet, own);
    return { act: () => openLink(signet, token), well: 403, format: "page" };
  },
  "a page that asks before switching": async (user, own) => {
    const headers = await signIn(signet, (await fresh())[1]);
    const token = await getToken(signet, own);
    return { act: () => openLink(signet, token, { headers }), well: 200, format: "page" };
  },
  "a session check": async (user, own) => {
    const headers = await signIn(signet, own);
    return { act: () => signet.fetch("/oauth/session", { headers }), well: 200, format: "json" };
  },
  "a session check that is noted": async (user, own) => {
    const headers = await signIn(signet, own);
    await signet.clock.set((minutes += 1) * 61_000);
    return { act: () => signet.fetch("/oauth/session", { headers }), well: 200, format: "json" };
  },
  "a sign-out": async (user, own) => {
    const headers = { ...json, ...(await signIn(signet, own)) };
    return { act: () => signet.fetch("/oauth/logout", { method: "POST", headers }), well: 204, format: "json" };
  },
  "a sign-out by a person": async (user, own) => {
    const headers = await signIn(signet, own);
    return { act: () => signet.fetch("/oauth/logout", { method: "POST", headers }), well: 200, format: "page" };
  },
  "an account created": async (user) => manage("PUT", `/users/new-${user}`, { status: "Active" }, 201, [200, 201]),
  "an account written": async (user) => manage("PUT", `/users/${user}`, { status: "Active" }),
  "an account read": async (user) => manage("GET", `/users/${user}`),
  "an account closed": async (user, own) => {
    const cookie = await signIn(signet, own);
    return { ...manage("PATCH", `/users/${user}`, { status: "Closed" }), cookie };
  },
  "single sign-on switched off": async (user) => manage("PATCH", `/users/${user}`, { sso: false }),
  "single sign-on switched off with the end of the sessions": async (user, own) => {
    const cookie = await signIn(signet, own);
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return { ...manage("PATCH", `/users/${user}?end_sessions=true`, { sso: false }), cookie, proof };
  },
  "an account deleted": async (user, own) => {
    const cookie = await signIn(signet, own);
    return { ...manage("DELETE", `/users/${user}`, undefined, 204, [204, 404]), cookie };
  },
  "an account erased": async (user, own) => {
    const cookie = await signIn(signet, own);
    await signet.ops.read(); // the token's record is written
    const proof = async () => {
      await assertErased(user);
      assert.equal(await whoIs(signet, cookie), undefined);
      await putUser(signet, user);
      const token = await getToken(signet, own).catch(() => undefined);
      if (token) assert.equal((await openLink(signet, token)).status, 401, "what KV still shows, the object refuses");
    };
    return { ...manage("DELETE", `/users/${user}?erase=true`, undefined, 204, [204, 404]), cookie, proof };
  },
  "an export": async (user, own) => {
    await signIn(signet, own);
    await signet.ops.read();
    return manage("GET", `/users/${user}/export`);
  },
  "sessions listed": async (user) => manage("GET", `/users/${user}/sessions`),
  "sessions ended": async (user, own) => {
    await signIn(signet, own);
    return manage("DELETE", `/users/${user}/sessions`, undefined, 204);
  },
  "sessions of an application ended": async (user, own) => {
    const cookie = await signIn(signet, own);
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return { ...manage("DELETE", `/users/${user}/sessions?client_id=${own.client_id}`, undefined, 204), proof };
  },
  "sessions of a bound set ended": async (user, own) => {
    const cookie = await signIn(signet, own);
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return { ...manage("DELETE", `/credentials/${own.client_id}/sessions`, undefined, 204), proof };
  },
  "sessions of a delegated set ended": async (user) => {
    const set = await createSet(signet, { delegated: true });
    const cookie = await signIn(signet, set, { form: { user_id: user } });
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return { ...manage("DELETE", `/credentials/${set.client_id}/sessions`, undefined, 204), proof };
  },
  "a check of a session that its delegated set opened": async (user) => {
    const headers = await signIn(signet, delegated, { form: { user_id: user } });
    return { act: () => signet.fetch("/oauth/session", { headers }), well: 200, format: "json" };
  },
  "a check of a session that ended with its delegated set": async (user) => {
    const set = await createSet(signet, { delegated: true });
    const headers = { ...json, ...(await signIn(signet, set, { form: { user_id: user } })) };
    await signet.admin("DELETE", `/credentials/${set.client_id}/sessions`);
    return { act: () => signet.fetch("/oauth/session", { headers }), well: 401, format: "json" };
  },
  "a session ended": async (user, own) => {
    await signIn(signet, own);
    const [{ id }] = await storedSessions(signet, user);
    return manage("DELETE", `/users/${user}/sessions/${id}`, undefined, 204, [204, 404]);
  },
  "events listed": async (user) => manage("GET", `/users/${user}/events`),
  "a set created": async (user) => manage("POST", "/credentials", { name: "x", user_id: user, scopes: [] }, 201),
  "a set read": async (user, own) => manage("GET", `/credentials/${own.client_id}`),
  "sets listed": async () => manage("GET", "/credentials"),
  "a set rotated": async (user, own) => manage("POST", `/credentials/${own.client_id}/rotate`),
  "a set disabled": async (user, own) => manage("PATCH", `/credentials/${own.client_id}`, { disabled: true }),
  "a set enabled": async (user, own) => {
    await signet.admin("PATCH", `/credentials/${own.client_id}`, { disabled: true });
    return {
      ...manage("PATCH", `/credentials/${own.client_id}`, { disabled: false }),
      proof: () => signIn(signet, own),
    };
  },
  "a set revoked": async (user, own) => manage("DELETE", `/credentials/${own.client_id}`, undefined, 204, [204, 404]),
  "a set revoked with its sessions": async (user, own) => {
    const cookie = await signIn(signet, own);
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return {
      ...manage("DELETE", `/credentials/${own.client_id}?end_sessions=true`, undefined, 204, [204, 404]),
      proof,
    };
  },
  "a delegated set revoked with its sessions": async (user) => {
    const set = await createSet(signet, { delegated: true });
    const cookie = await signIn(signet, set, { form: { user_id: user } });
    const proof = async () => assert.equal(await whoIs(signet, cookie), undefined);
    return {
      ...manage("DELETE", `/credentials/${set.client_id}?end_sessions=true`, undefined, 204, [204, 404]),
      proof,
    };
  },
  "a token read": async (user, own) => {
    const { jti } = claimsOf(await getToken(signet, own));
    await signet.ops.read(); // the token's record is written
    return manage("GET", `/tokens/${jti}`);
  },
  "a token revoked": async (user, own) => {
    const { jti } = claimsOf(await getToken(signet, own));
    await signet.ops.read();
    return manage("DELETE", `/tokens/${jti}`, undefined, 204);
  },
};

const adminFetch = (method, path, body) =>
  signet.fetch(`/admin/v1${path}`, {
    method,
    headers: { ...bearer(signet.adminToken), "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });

let minutes = 0;
let users = 0;
async function fresh(change) {
  const user = `user-${(users += 1)}`;
  await putUser(signet, user);
  return [user, await createSet(signet, { user_id: user, ...change })];
}

const TARGETS = ["kv.get", "kv.put", "kv.delete", "kv.list", "object.run", "sql.exec", "alarm.get", "alarm.set"];

for (const [name, prepare] of Object.entries(flows)) {
  test(`every storage call fails once: ${name}`, async () => {
    // What the flow calls when all is well,
    const quiet = await prepare(...(await fresh()));
    await signet.ops.reset();
    assert.equal((await quiet.act()).status, quiet.well);
    const calls = await signet.ops.read();
    assert.ok(
      TARGETS.some((target) => calls[target] > 0),
      "it calls something",
    );
    // then each of these calls fails, before or after it took effect.
    for (const target of TARGETS) {
      for (let nth = 1; nth <= calls[target]; nth += 1) {
        for (const mode of ["throw", "lose"]) {
          const label = `${target} ${nth} of ${calls[target]}, ${mode}`;
          const [user, own] = await fresh();
          const { act, well, again = [well], format, cookie, token, offPath = [], proof } = await prepare(user, own);
          await signet.faults.set([{ target, nth, mode }]);
          const response = await act();
          await signet.ops.read();
          await signet.faults.set([]);
          if (["alarm.get", "alarm.set", ...offPath].includes(target)) assert.equal(response.status, well, label);
          else await assertDown(response, format, label);
          await assertConsistent(user, cookie);
          if (token) await assertSuccessHasSession(user, token);
          const retry = await act();
          assert.ok(again.includes(retry.status), `${label}, retried: ${retry.status}`);
          await assertConsistent(user, cookie);
          await proof?.();
        }
      }
    }
    if (minutes > 0) await signet.clock.set((minutes = 0));
  });
}

test("a request succeeds when the alarm cannot be set, and the next write sets it", async () => {
  const user = "without-alarm";
  await signet.faults.set([{ target: "alarm.set", mode: "throw" }]);
  await putUser(signet, user);
  const own = await createSet(signet, { user_id: user });
  const cookie = await signIn(signet, own);
  assert.equal(await whoIs(signet, cookie), user);
  await signet.faults.set([]);
  for (const count of [1, 0]) {
    await signet.ops.reset();
    await signIn(signet, own);
    assert.equal((await signet.ops.read())["alarm.set"], count);
  }
});

test("a sweep that fails at any statement does no harm, and the next one completes it", async () => {
  const countOf = async (user) => (await signet.sql(user, "SELECT count(*) AS n FROM token"))[0].n;
  const [first, firstSet] = await fresh();
  await signIn(signet, firstSet);
  await signet.ops.reset();
  await signet.alarm(first);
  const calls = (await signet.ops.read())["sql.exec"];
  assert.ok(calls > 5, `${calls} statements`);
  for (let nth = 1; nth <= calls; nth += 1) {
    const [user, own] = await fresh();
    const token = await getToken(signet, own);
    const cookie = cookieOf(await openLink(signet, token));
    await signet.faults.set([{ target: "sql.exec", nth, mode: nth % 2 ? "throw" : "lose" }]);
    await assert.rejects(signet.alarm(user), `statement ${nth}`);
    await signet.faults.set([]);
    assert.equal(await whoIs(signet, cookie), user);
    assert.equal((await openLink(signet, token)).status, 401, "still spent");
    await signet.clock.set(7_776_001 * 1000);
    await signet.alarm(user);
    assert.equal(await countOf(user), 0);
    await signet.clock.set(0);
  }
});

test("after a revocation that failed half-way, the object refuses the set's tokens", async () => {
  const [, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.faults.set([{ target: "kv.delete", mode: "throw" }]);
  assert.equal((await adminFetch("DELETE", `/credentials/${own.client_id}`)).status, 503);
  await signet.faults.set([]);
  assert.equal((await openLink(signet, token)).status, 401);
});

test("closing that failed half-way ends every session, so that none returns when the account is opened again", async () => {
  for (const on of ["SET session_expires_at = NULL", "INSERT INTO event", "INTO account"]) {
    const [user, own] = await fresh();
    await signIn(signet, own);
    await signet.faults.set([{ target: "sql.exec", on, mode: "throw" }]);
    assert.equal((await adminFetch("PATCH", `/users/${user}`, { status: "Closed" })).status, 503);
    await signet.faults.set([]);
    const { status } = (await signet.admin("GET", `/users/${user}`)).body;
    const { length } = await storedSessions(signet, user);
    assert.ok(status === "Active" || length === 0, `${on} failed: ${status}, sessions: ${length}`);
  }
});

test("the log line of an outage names the user and the object of the request, and what failed", async () => {
  const [user, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  const response = await openLink(signet, token, { headers: json });
  await signet.faults.set([]);
  assert.equal(response.status, 503);
  const { jti_hash, error, ...line } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
  assert.deepEqual(line, {
    event: "sso",
    outcome: "failed",
    reason: "storage",
    operation: "object request",
    client_id: own.client_id,
    user_id: user,
    request_id: response.headers.get("x-request-id"),
  });
  assert.match(jti_hash, /^[0-9a-f]{16}$/);
  assert.ok(error.length > 0 && !error.includes(token));
});

test("stale KV: a revoked set that KV still shows gets tokens, and the object refuses them", async () => {
  const [, own] = await fresh();
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  await adminFetch("DELETE", `/credentials/${own.client_id}`);
  const token = await getToken(signet, own);
  assert.equal((await openLink(signet, token)).status, 401);
  assert.deepEqual(await storedSessions(signet, own.user_id), []);
  await signet.faults.set([]);
  assert.equal((await postToken(signet, own)).status, 401, "until KV shows it");
});

test("attack 105, RFC 7009 section 2: a change made while KV is stale does not enable a revoked or disabled bound set again", async () => {
  const action = "UpdateOAuthCredential";
  const { identifier, secret } = (await signet.admin("POST", "/api-credentials", { name: "Panel", actions: [action] }))
    .body;
  const update = async (form) => {
    const { result } = await (
      await postForm(signet, "/includes/api.php", { action, identifier, secret, ...form })
    ).json();
    return { ok: result === "success" };
  };
  for (const switchOff of [
    ({ client_id }) => adminFetch("DELETE", `/credentials/${client_id}`),
    ({ client_id }) => adminFetch("PATCH", `/credentials/${client_id}`, { disabled: true }),
  ]) {
    for (const change of [
      ({ client_id }) => adminFetch("PATCH", `/credentials/${client_id}`, { name: "Renamed" }),
      ({ client_id }) => adminFetch("POST", `/credentials/${client_id}/rotate`, { overlap_seconds: 60 }),
      ({ client_id: clientApiIdentifier }) => update({ clientApiIdentifier, name: "Renamed" }),
    ]) {
      // WHMCS's API knows only sets of a service.
      const [, own] = await fresh({ service_id: "12" });
      await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
      assert.ok((await switchOff(own)).ok);
      assert.ok((await change(own)).ok);
      await signet.faults.set([]);
      const token = await getToken(signet, own);
      assert.equal((await openLink(signet, token)).status, 401, `${switchOff} ${change}`);
    }
  }
});

test("attack 105, RFC 7009 section 2: a bound set that is revoked during an edit signs nobody in, although the edit is written last", async () => {
  for (const edit of [
    ({ client_id }) => adminFetch("PATCH", `/credentials/${client_id}`, { name: "Renamed" }),
    ({ client_id }) => adminFetch("POST", `/credentials/${client_id}/rotate`, { overlap_seconds: 60 }),
  ]) {
    // In one second: a set that was created before the second of its revocation is found revoked, and the edit is 404.
    await signet.clock.stop();
    const [, own] = await fresh();
    await signet.ops.reset();
    await signet.faults.set([{ target: "kv.put", on: "credential:", mode: "hold", nth: 1 }]);
    const late = edit(own);
    while ((await signet.ops.now())["kv.put"] === 0) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.equal((await adminFetch("DELETE", `/credentials/${own.client_id}`)).status, 204);
    await signet.faults.set([]);
    assert.equal((await late).status, 200);
    assert.ok(await (await signet.kv()).get(`credential:${own.client_id}`), "the edit has brought the record back");
    assert.equal((await openLink(signet, await getToken(signet, own))).status, 401, String(edit));
    assert.deepEqual(await storedSessions(signet, own.user_id), []);
  }
  await signet.clock.set(0);
});

test("stale KV: a set that KV does not show yet is an invalid client until it does", async () => {
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  const [, own] = await fresh();
  assert.equal((await postToken(signet, own)).status, 401);
  await signet.faults.set([]);
  assert.equal((await postToken(signet, own)).status, 200);
});

test("stale KV: the old secret works and the new one does not until KV shows the rotation", async () => {
  const [, own] = await fresh();
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  const rotated = await (await adminFetch("POST", `/credentials/${own.client_id}/rotate`)).json();
  assert.deepEqual([(await postToken(signet, own)).status, (await postToken(signet, rotated)).status], [200, 401]);
  await signet.faults.set([]);
  assert.deepEqual([(await postToken(signet, own)).status, (await postToken(signet, rotated)).status], [401, 200]);
});

test("stale KV: the tokens of a revoked delegated set are redeemed until KV shows that it is revoked, and not after", async () => {
  const [user_id] = await fresh();
  const set = await createSet(signet, { delegated: true });
  const tokens = [await getToken(signet, set, { user_id }), await getToken(signet, set, { user_id })];
  await signet.faults.set([{ target: "kv.get", mode: "stale" }]);
  await adminFetch("DELETE", `/credentials/${set.client_id}`);
  assert.equal((await openLink(signet, tokens[0])).status, 302);
  await signet.faults.set([]);
  assert.equal((await openLink(signet, tokens[1])).status, 401);
});

test("of two concurrent changes to one credential set the later write stays, whole", async () => {
  const [, own] = await fresh();
  const [first, second] = [{ name: "First" }, { description: "Second" }];
  await signet.faults.set([{ target: "kv.put", mode: "hold", nth: 1 }]);
  const later = adminFetch("PATCH", `/credentials/${own.client_id}`, first);
  while ((await signet.ops.now())["kv.put"] === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal((await adminFetch("PATCH", `/credentials/${own.client_id}`, second)).status, 200);
  await signet.faults.set([]);
  assert.equal((await later).status, 200);
  const { name, description } = await (await adminFetch("GET", `/credentials/${own.client_id}`)).json();
  assert.deepEqual([name, description], ["First", ""]);
});

test("an object answers from memory what it answers after a restart, also when a write has failed", async () => {
  const picture = async (user) => {
    const { status, body } = await signet.admin("GET", `/users/${user}/export`);
    assert.equal(status, 200, JSON.stringify(body));
    return { ...body, exported_at: 0 };
  };
  /** The changes of a user, in an order in which each has something to change. */
  const changes = {
    "a first sign-in": ({ own }) => signIn(signet, own),
    "a sign-in in place of a session": ({ own, cookie }) => signIn(signet, own, { headers: cookie }),
    "a session used": async ({ cookie }) => {
      await signet.clock.set(61_000);
      return whoIs(signet, cookie);
    },
    "a session ended": async ({ user }) => {
      const [{ session_id }] = (await signet.admin("GET", `/users/${user}/sessions`)).body.sessions;
      return adminFetch("DELETE", `/users/${user}/sessions/${session_id}`);
    },
    "a link used again": async ({ token }) => openLink(signet, token, { headers: { "User-Agent": "another" } }),
    "services changed": ({ user }) => adminFetch("PATCH", `/users/${user}`, { add_services: [7] }),
    "a set disabled": ({ own }) => adminFetch("PATCH", `/credentials/${own.client_id}`, { disabled: true }),
    "all sessions ended": ({ user }) => adminFetch("DELETE", `/users/${user}/sessions`),
    "an alarm": async ({ user }) => {
      await signet.clock.set(2 * 86_400_000);
      return signet.alarm(user);
    },
    "the account erased": ({ user }) => adminFetch("DELETE", `/users/${user}?erase=true`),
  };
  for (const [name, change] of Object.entries(changes)) {
    for (let nth = 0; nth <= 4; nth += 1) {
      const [user, own] = await fresh();
      const token = await getToken(signet, own);
      const cookie = cookieOf(await openLink(signet, token));
      await signIn(signet, own);
      await signet.ops.read();
      // The first time all is well.
      await signet.faults.set(nth === 0 ? [] : [{ target: "sql.exec", nth, mode: nth % 2 ? "throw" : "lose" }]);
      await Promise.resolve(change({ user, own, token, cookie })).catch(() => {});
      await signet.faults.set([]);
      const remembered = await picture(user);
      await signet.sql(user, "UPDATE schema_version SET version = version"); // which starts a new life of the object
      assert.deepEqual(await picture(user), remembered, `${name}, statement ${nth} fails`);
      await signet.clock.set(0);
    }
  }
});

test("the primary key refuses a second row for one token", async () => {
  const [user, own] = await fresh();
  const token = await getToken(signet, own);
  await openLink(signet, token);
  const settle = (jti) => signet.sql(user, "INSERT INTO token (jti, expires_at, data) VALUES (?, 0, '{}')", jti);
  await assert.rejects(settle(claimsOf(token).jti));
  await settle("another");
  assert.equal((await signet.sql(user, "SELECT jti FROM token")).length, 2);
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

test("a damaged set of a delegated application is an outage at its redemption, and spends nothing", async () => {
  const [user] = await fresh();
  const kv = await signet.kv();
  const key = `credential:${delegated.client_id}`;
  const intact = await kv.get(key);
  const token = await getToken(signet, delegated, { user_id: user });
  for (const damage of ["", "{", "null", "[]", '{"disabled":false}']) {
    await kv.put(key, damage);
    await assertDown(await openLink(signet, token), "page", damage);
  }
  await kv.put(key, intact);
  assert.equal((await openLink(signet, token)).status, 302);
});

test("a damaged token record is an outage for administration, and does not affect a sign-in", async () => {
  const [user, own] = await fresh();
  const kv = await signet.kv();
  for (const damage of ["", "{", "null", "[]", "5", "{}", '{"jti":5,"user_id":[]}']) {
    const token = await getToken(signet, own);
    const { jti } = claimsOf(token);
    await signet.ops.read(); // the token's record is written
    await kv.put(`token:${jti}`, damage);
    await assertDown(await adminFetch("GET", `/tokens/${jti}`), "problem", damage);
    await assertDown(await adminFetch("DELETE", `/tokens/${jti}`), "problem", damage);
    assert.equal((await openLink(signet, token)).status, 302);
  }
  assert.equal((await eventsOf(signet, user)).filter((event) => event === "sso.signed_in").length, 7);
});

test("a damaged stored value is named in the log by its kind and the place, and nothing of it is quoted", async () => {
  const CANARY = "stored-value-canary";
  const [user, own] = await fresh();
  const cookie = await signIn(signet, own);
  const kv = await signet.kv();
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "P",
    actions: ["UpdateOAuthCredential", "CreateOAuthCredential"],
  });
  const whmcs = (form) =>
    postForm(signet, "/includes/api.php", { identifier: api.identifier, secret: api.secret, ...form });
  const update = { action: "UpdateOAuthCredential", credentialId: "7" };
  const create = {
    action: "CreateOAuthCredential",
    grantType: "single_sign_on",
    serviceId: "77",
    scope: "clientarea:sso",
  };
  const jti = "AQEBAQEBAQEBAQEBAQEBAQ";
  for (const [key, damage, ask, place] of [
    [
      `credential:${own.client_id}`,
      { client_id: own.client_id, name: [CANARY] },
      () => postToken(signet, own),
      /^credential: data error at line 1 column \d+$/,
    ],
    [
      `credential:${own.client_id}`,
      CANARY,
      () => adminFetch("GET", "/credentials"),
      /^credential: data error at line 1 column \d+$/,
    ],
    [`token:${jti}`, { jti, expires_at: CANARY }, () => adminFetch("GET", `/tokens/${jti}`), /^token: data error/],
    ["credential-id:7", [CANARY], () => whmcs(update), /^credential-id: data error/],
    ["service:77", CANARY, () => whmcs(create), /^service: data error/],
    [
      `api-credential:${api.identifier}`,
      { identifier: CANARY, actions: CANARY },
      () => whmcs(update),
      /^api-credential: data error/,
    ],
  ]) {
    await kv.put(key, JSON.stringify(damage));
    const response = await ask();
    await kv.delete(key);
    assert.equal(response.status, 503, key);
    const { operation, error } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
    assert.equal(operation, "kv value");
    assert.match(error, place);
  }
  for (const [table, ask] of [
    ["event", () => adminFetch("GET", `/users/${user}/events`)],
    ["token", () => signet.fetch("/oauth/session", { headers: { ...json, ...cookie } })],
    ["account", () => adminFetch("GET", `/users/${user}`)],
  ]) {
    for (const data of [`"${CANARY}"`, `{"${CANARY}":1}`, CANARY]) {
      await signet.sql(user, `UPDATE ${table} SET data = ?`, data);
      const response = await ask();
      assert.equal(response.status, 503, table);
      const { error } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
      assert.match(error, /row: (data|syntax) error at line 1 column \d+|malformed JSON/);
    }
  }
  assert.ok(!JSON.stringify(signet.logs).includes(CANARY));
});

test("RFC 6749 section 3.2: an empty secret matches nothing, not even an empty digest", async () => {
  const kv = await signet.kv();
  for (const damage of [(secret) => secret, (secret) => ({ ...secret, digest: "" }), () => ({}), () => ""]) {
    const [, own] = await fresh();
    const key = `credential:${own.client_id}`;
    const stored = JSON.parse(await kv.get(key));
    await kv.put(key, JSON.stringify({ ...stored, secret: damage(stored.secret) }));
    assert.notEqual((await postToken(signet, { ...own, client_secret: "" })).status, 200);
    assert.notEqual(
      (
        await postForm(signet, "/oauth/token", {
          grant_type: "single_sign_on",
          client_id: own.client_id,
          client_secret: "",
        })
      ).status,
      200,
    );
    await kv.delete(key);
  }
});

test("an outage is a page with the request's id, which is in the log too, and without the fault's text", async () => {
  const [, own] = await fresh();
  const token = await getToken(signet, own);
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  const response = await openLink(signet, token);
  await signet.faults.set([]);
  const page = await response.text();
  assert.equal(response.status, 503);
  assert.ok(page.includes("Try again in a moment") && !page.includes("injected"));
  const line = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
  assert.deepEqual([line.event, line.outcome, line.reason], ["sso", "failed", "storage"]);
  assert.ok(line.error.includes("injected fault"));
});

test("the sweep removes expired rows, keeps live ones, may run twice, and deletes an object that is empty", async () => {
  const [user, own] = await fresh();
  const old = await signIn(signet, own);
  await signet.clock.set(100_000 * 1000);
  const token = await getToken(signet, own);
  const live = await openLink(signet, token);
  assert.equal(live.status, 302);
  for (const _ of ["once", "twice"]) {
    await signet.alarm(user);
    const count = async (table) => (await signet.sql(user, `SELECT count(*) AS n FROM ${table}`))[0].n;
    assert.deepEqual([await count("token"), await count("event")], [2, 1], "the audit trail keeps both sign-ins");
  }
  assert.equal(await whoIs(signet, old), undefined);
  assert.equal((await openLink(signet, token)).status, 401, "still spent");
  await signet.clock.set(7_776_001 * 1000);
  await signet.alarm(user);
  assert.deepEqual(await signet.sql(user, "SELECT jti FROM token"), [{ jti: claimsOf(token).jti }], "the younger");
  await adminFetch("DELETE", `/users/${user}`);
  await signet.clock.set((7_776_001 + 7_776_001) * 1000);
  await signet.alarm(user);
  assert.deepEqual(await signet.sql(user, "SELECT name FROM sqlite_master WHERE name IN ('account', 'event')"), []);
  assert.equal((await adminFetch("GET", `/users/${user}`)).status, 404, "and it works on");
  await signet.clock.set(0);
});

test("an expired row has no effect even if it is never swept", async () => {
  const [user, own] = await fresh();
  const cookie = await signIn(signet, own);
  await signet.clock.set(50_000 * 1000);
  assert.equal(await whoIs(signet, cookie), undefined);
  assert.deepEqual((await signet.admin("GET", `/users/${user}/sessions`)).body.sessions, []);
  assert.equal((await storedSessions(signet, user)).length, 1);
  await signet.clock.set(0);
});
