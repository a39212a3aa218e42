// Sessions end with what opened them: a credential set, an API credential, an account. ASVS 7.4.1, 7.4.2.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  bearer,
  claimsOf,
  cookieOf,
  createSet,
  csrfTokenIn,
  eventsOf,
  getToken,
  json,
  messages,
  openLink,
  postForm,
  postToken,
  putUser,
  signIn,
  storedSessions,
  whoIs,
} from "../support/workflow.mjs";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

let names = 0;
/** A new user with an account. */
async function fresh() {
  const user = `ending-${(names += 1)}`;
  await putUser(signet, user);
  return user;
}

/** Signs a user in by WHMCS's API and returns the cookie. */
async function signInByApi({ identifier, secret }, user) {
  const { access_token } = await (
    await postForm(signet, "/includes/api.php", { action: "CreateSsoToken", identifier, secret, client_id: user })
  ).json();
  return cookieOf(await openLink(signet, access_token));
}

const apiCredential = async () =>
  (await signet.admin("POST", "/api-credentials", { name: "Panel", actions: ["CreateSsoToken"] })).body;

/** Every kind of application: how to make it, how it signs a user in, and where it is administered. */
const APPLICATIONS = {
  "a bound set": {
    make: (user) => createSet(signet, { user_id: user }),
    enter: (set) => signIn(signet, set),
    path: ({ client_id }) => `/credentials/${client_id}`,
  },
  "a delegated set": {
    make: () => createSet(signet, { delegated: true }),
    enter: (set, user) => signIn(signet, set, { form: { user_id: user } }),
    path: ({ client_id }) => `/credentials/${client_id}`,
  },
  "an API credential": {
    make: apiCredential,
    enter: signInByApi,
    path: ({ identifier }) => `/api-credentials/${identifier}`,
  },
};

for (const [name, { make, enter, path }] of Object.entries(APPLICATIONS)) {
  test(`revoking ${name} keeps its sessions unless the request ends them too`, async () => {
    for (const [query, ends] of [
      ["", false],
      ["?end_sessions=false", false],
      ["?end_sessions=true", true],
    ]) {
      const user = await fresh();
      const application = await make(user);
      const cookie = await enter(application, user);
      const other = await signIn(signet, await createSet(signet, { user_id: user }));
      assert.equal((await signet.admin("DELETE", `${path(application)}${query}`)).status, 204);
      assert.equal(await whoIs(signet, cookie), ends ? undefined : user, query);
      assert.equal(await whoIs(signet, other), user, "other applications' sessions go on");
      const ended = (await eventsOf(signet, user)).filter((event) => event === "session.ended: application");
      assert.equal(ended.length, ends ? 1 : 0);
      assert.equal((await storedSessions(signet, user)).length, ends ? 1 : 2, "at the object too");
    }
  });

  test(`the sessions of ${name} can be ended without revoking it, and it opens new ones`, async () => {
    const user = await fresh();
    const application = await make(user);
    const [one, two] = [await enter(application, user), await enter(application, user)];
    assert.equal((await signet.admin("DELETE", `${path(application)}/sessions`)).status, 204);
    assert.deepEqual(
      (await signet.admin("GET", `/users/${user}/sessions`)).body.sessions,
      [],
      "none is listed, checked or not",
    );
    for (const cookie of [one, two]) assert.equal(await whoIs(signet, cookie), undefined);
    assert.equal((await signet.admin("DELETE", `${path(application)}/sessions`)).status, 204, "again is fine");
    try {
      await signet.clock.set(2_000);
      assert.equal(await whoIs(signet, await enter(application, user)), user);
    } finally {
      await signet.clock.set(0);
    }
  });
}

test("a revoked API credential's tokens are refused at redemption", async () => {
  const user = await fresh();
  const { identifier, secret } = await apiCredential();
  const { access_token } = await (
    await postForm(signet, "/includes/api.php", { action: "CreateSsoToken", identifier, secret, client_id: user })
  ).json();
  await signet.admin("DELETE", `/api-credentials/${identifier}`);
  assert.equal((await openLink(signet, access_token)).status, 401);
});

test("a session that a revoked delegated set opens while KV still shows the set ends too", async () => {
  const user = await fresh();
  const set = await createSet(signet, { delegated: true });
  const token = await getToken(signet, set, { user_id: user });
  await signet.faults.set([{ target: "kv.get", on: "credential:", mode: "stale" }]);
  await signet.admin("DELETE", `/credentials/${set.client_id}?end_sessions=true`);
  try {
    await signet.clock.set(30_000);
    const response = await openLink(signet, token);
    assert.equal(response.status, 302);
    assert.equal(await whoIs(signet, cookieOf(response)), undefined);
  } finally {
    await signet.clock.set(0);
    await signet.faults.set([]);
  }
});

/** A session of a delegated set, ended with all of its set; the object has not heard of it yet. */
async function endedSession(user) {
  const set = await createSet(signet, { delegated: true });
  const cookie = await signIn(signet, set, { form: { user_id: user } });
  const page = await (await signet.fetch("/account/security", { headers: cookie })).text();
  await signet.admin("DELETE", `/credentials/${set.client_id}/sessions`);
  return { set, cookie, csrf_token: csrfTokenIn(page) };
}

test("every route that reads a session sees that it ended with its application", async () => {
  const user = await fresh();
  const get = (path, headers) => signet.fetch(path, { headers: { ...headers, ...json } });
  assert.equal((await get("/oauth/session", (await endedSession(user)).cookie)).status, 401);
  assert.equal((await get("/account/security", (await endedSession(user)).cookie)).status, 401);
  // Nothing is done for it: neither its account nor another session changes.
  const { cookie, csrf_token } = await endedSession(user);
  const other = await signIn(signet, await createSet(signet, { user_id: user }));
  for (const action of ["disallow_sso", "end_other_sessions"]) {
    const response = await postForm(signet, "/account/security", { action, csrf_token }, { ...cookie, ...json });
    assert.equal(response.status, 401, action);
  }
  assert.equal((await signet.admin("GET", `/users/${user}`)).body.sso, true);
  assert.equal(await whoIs(signet, other), user);
  // No page asks before another user signs in over it.
  const [stale, next] = [(await endedSession(user)).cookie, await fresh()];
  const token = await getToken(signet, await createSet(signet, { user_id: next }));
  assert.equal((await openLink(signet, token, { headers: stale })).status, 302);
});

test("a second click does not bring back a session that ended with its application", async () => {
  const user = await fresh();
  const set = await createSet(signet, { delegated: true });
  const token = await getToken(signet, set, { user_id: user });
  const cookie = cookieOf(await openLink(signet, token));
  assert.equal((await openLink(signet, token, { headers: cookie })).status, 302);
  await signet.admin("DELETE", `/credentials/${set.client_id}/sessions`);
  assert.equal((await openLink(signet, token, { headers: cookie })).status, 401);
});

test("a user's page does not list sessions that ended with their application", async () => {
  const user = await fresh();
  const mine = await signIn(signet, await createSet(signet, { user_id: user }), { headers: { "User-Agent": "mine" } });
  const set = await createSet(signet, { delegated: true });
  await signIn(signet, set, { form: { user_id: user }, headers: { "User-Agent": "theirs" } });
  const show = async () => (await signet.fetch("/account/security", { headers: mine })).text();
  assert.match(await show(), /theirs/);
  await signet.admin("DELETE", `/credentials/${set.client_id}/sessions`);
  assert.ok(!(await show()).includes("theirs"));
});

test("the gateway does not forward the identity of a session that ended with its application", async () => {
  const origin = await startOrigin();
  const gateway = await startSignet({ vars: { ORIGIN_URL: origin.url, PROTECTED_PATHS: '["/inside"]' } });
  try {
    await putUser(gateway, "1");
    const set = await createSet(gateway, { delegated: true });
    const headers = await signIn(gateway, set, { form: { user_id: "1" } });
    assert.equal((await gateway.fetch("/inside", { headers })).status, 200);
    await gateway.admin("DELETE", `/credentials/${set.client_id}/sessions`);
    assert.equal((await gateway.fetch("/inside", { headers })).status, 401);
  } finally {
    await gateway.close();
    origin.close();
  }
});

test("only the check of a session of a delegated set or an API credential costs a KV read", async () => {
  const user = await fresh();
  for (const [name, reads] of [
    ["a bound set", 0],
    ["a delegated set", 1],
    ["an API credential", 1],
  ]) {
    const { make, enter } = APPLICATIONS[name];
    const cookie = await enter(await make(user), user);
    await signet.ops.reset();
    assert.equal(await whoIs(signet, cookie), user);
    const used = await signet.ops.read();
    assert.deepEqual([used["kv.get"], used["object.run"]], [reads, 1], name);
  }
});

test("sessions are found and ended by application", async () => {
  const user = await fresh();
  const [portal, panel] = [await createSet(signet, { user_id: user }), await createSet(signet, { delegated: true })];
  const one = await signIn(signet, portal);
  const two = await signIn(signet, panel, { form: { user_id: user } });
  const path = ({ client_id }) => `/users/${user}/sessions?client_id=${client_id}`;
  const { sessions } = (await signet.admin("GET", path(panel))).body;
  assert.deepEqual(
    sessions.map(({ client_id }) => client_id),
    [panel.client_id],
  );
  assert.equal((await signet.admin("DELETE", path(panel))).status, 204);
  assert.deepEqual([await whoIs(signet, one), await whoIs(signet, two)], [user, undefined]);
  assert.equal((await eventsOf(signet, user))[0], "session.ended: administrator");
});

test("the request that disables single sign-on can end all sessions", async () => {
  for (const [method, body] of [
    ["PATCH", { sso: false }],
    ["PUT", { status: "Active", sso: false }],
  ]) {
    for (const [query, ends] of [
      ["", false],
      ["?end_sessions=true", true],
    ]) {
      const user = await fresh();
      const cookie = await signIn(signet, await createSet(signet, { user_id: user }));
      await signet.ops.reset();
      assert.equal((await signet.admin(method, `/users/${user}${query}`, body)).body.sso, false);
      assert.equal((await signet.ops.read())["object.run"], 1);
      assert.equal(await whoIs(signet, cookie), ends ? undefined : user, `${method} ${query}`);
    }
  }
});

test("deleting an account revokes its bound sets: they never sign in to a new account with the same id", async () => {
  const user = await fresh();
  const [own, disabled] = [
    await createSet(signet, { user_id: user }),
    await createSet(signet, { user_id: user, disabled: true }),
  ];
  const token = await getToken(signet, own);
  const kv = await signet.kv();
  const published = await kv.get(`credential:${own.client_id}`);
  assert.equal((await signet.admin("DELETE", `/users/${user}`)).status, 204);
  for (const { client_id } of [own, disabled]) {
    assert.equal((await signet.admin("GET", `/credentials/${client_id}`)).status, 404);
  }
  assert.equal((await kv.list({ prefix: "credential-id:" })).keys.filter(({ name }) => name === "x").length, 0);
  assert.deepEqual((await eventsOf(signet, user)).slice(0, 3), [
    "account.deleted",
    "credential.revoked",
    "credential.revoked",
  ]);
  await putUser(signet, user);
  assert.equal((await openLink(signet, token)).status, 401);
  // A location whose KV still shows the set gets tokens, which the object refuses.
  await kv.put(`credential:${own.client_id}`, published);
  const response = await openLink(signet, await getToken(signet, own), { headers: json });
  assert.deepEqual([response.status, (await response.json()).error_description], [401, messages.unable(user)]);
  await kv.delete(`credential:${own.client_id}`);
});

test("a set that was created before its account is revoked with the account", async () => {
  const user = `ending-${(names += 1)}`;
  const own = await createSet(signet, { user_id: user });
  assert.equal((await signet.admin("DELETE", `/users/${user}`)).status, 404);
  await putUser(signet, user);
  assert.equal((await openLink(signet, await getToken(signet, own))).status, 302);
  await signet.admin("DELETE", `/users/${user}`);
  assert.equal((await signet.admin("GET", `/credentials/${own.client_id}`)).status, 404);
});

test("an imported or enabled set is revoked with its account too, and KV records that remain have no effect", async () => {
  const user = await fresh();
  const [imported, enabled] = [
    { client_id: `imported-${user}`, client_secret: `the-secret-of-the-imported-set-${user}` },
    await createSet(signet, { user_id: user, disabled: true }),
  ];
  await signet.fetch("/admin/v1/import", {
    method: "POST",
    headers: { ...bearer(signet.adminToken), "Content-Type": "application/x-ndjson" },
    body: JSON.stringify({ ...imported, credential: { name: "x", user_id: user, scopes: ["clientarea:invoices"] } }),
  });
  await signet.admin("PATCH", `/credentials/${enabled.client_id}`, { disabled: false });
  for (const set of [imported, enabled])
    assert.equal((await openLink(signet, await getToken(signet, set))).status, 302);
  await signet.faults.set([{ target: "kv.delete", mode: "throw" }]);
  assert.equal((await signet.admin("DELETE", `/users/${user}`)).status, 503);
  await signet.faults.set([]);
  assert.equal((await signet.admin("GET", `/users/${user}`)).status, 404);
  await putUser(signet, user);
  for (const set of [imported, enabled]) {
    assert.equal((await openLink(signet, await getToken(signet, set))).status, 401, "left in KV, and refused");
    assert.equal(
      (await signet.admin("DELETE", `/credentials/${set.client_id}`)).status,
      204,
      "an operator can remove it",
    );
  }
});

test("a bound set that the user's object does not know signs nobody in", async () => {
  const user = await fresh();
  const own = await createSet(signet, { user_id: user });
  const kv = await signet.kv();
  const stored = JSON.parse(await kv.get(`credential:${own.client_id}`));
  await kv.put("credential:smuggled", JSON.stringify({ ...stored, client_id: "smuggled" }));
  const token = await getToken(signet, { ...own, client_id: "smuggled" });
  assert.equal((await openLink(signet, token)).status, 401);
  await kv.delete("credential:smuggled");
});

test("WHMCS's DeleteOAuthCredential revokes the set and keeps its sessions", async () => {
  const user = await fresh();
  const service = `svc-${user}`;
  await putUser(signet, user, { services: [service] });
  const actions = ["CreateOAuthCredential", "DeleteOAuthCredential"];
  const { identifier, secret } = (await signet.admin("POST", "/api-credentials", { name: "Panel", actions })).body;
  const call = async (form) => (await postForm(signet, "/includes/api.php", { identifier, secret, ...form })).json();
  const made = await call({
    action: actions[0],
    grantType: "single_sign_on",
    scope: "clientarea:sso",
    serviceId: service,
  });
  const set = { client_id: made.clientIdentifier, client_secret: made.clientSecret };
  const cookie = await signIn(signet, set);
  assert.equal((await call({ action: actions[1], credentialId: made.credentialId })).result, "success");
  assert.equal((await postToken(signet, set)).status, 401);
  assert.equal(await whoIs(signet, cookie), user);
});

test("the cookie of a delegated set's session is signed and works for no other user", async () => {
  const user = await fresh();
  const set = await createSet(signet, { delegated: true });
  const cookie = await signIn(signet, set, { form: { user_id: user } });
  const [header, payload, signature] = cookie.Cookie.split("=")[1].split(".");
  const { by, ...claims } = claimsOf(`.${payload}`);
  assert.equal(by.client_id, set.client_id);
  const without = Buffer.from(JSON.stringify(claims)).toString("base64url");
  assert.equal(await whoIs(signet, { Cookie: `__Host-signet=${header}.${without}.${signature}` }), undefined);
});

/** Performs an action while the first write of a key that contains `key` is held back. */
async function whileHeld(key, write, act) {
  await signet.ops.reset();
  await signet.faults.set([{ target: "kv.put", on: key, mode: "hold", nth: 1 }]);
  const held = write();
  while ((await signet.ops.now())["kv.put"] === 0) await new Promise((resolve) => setTimeout(resolve, 10));
  await signet.clock.set(2_000);
  try {
    await act();
  } finally {
    await signet.faults.set([]);
    await signet.clock.set(0);
  }
  return held;
}

for (const [name, change] of Object.entries({
  renamed: (path) => signet.admin("PATCH", path, { name: "Renamed" }),
  enabled: (path) => signet.admin("PATCH", path, path.startsWith("/api-") ? { name: "Renamed" } : { disabled: false }),
  rotated: (path) =>
    signet.admin(
      ...(path.startsWith("/api-")
        ? ["PATCH", path, { name: "R" }]
        : ["POST", `${path}/rotate`, { overlap_seconds: 60 }]),
    ),
})) {
  test(`a set that is revoked while it is ${name} stays revoked`, async () => {
    for (const [kind, { make, path }] of Object.entries(APPLICATIONS)) {
      const user = await fresh();
      const application = await make(user);
      const id = application.client_id ?? application.identifier;
      const revoke = async () => assert.equal((await signet.admin("DELETE", path(application))).status, 204);
      const changed = await whileHeld(`credential:${id}`, () => change(path(application)), revoke);
      assert.equal(changed.status, 404, kind);
      assert.equal((await signet.admin("GET", path(application))).status, 404, kind);
      if (application.client_id)
        assert.equal((await postToken(signet, application, { user_id: user })).status, 401, kind);
      const states = await signet.sql(user, "SELECT state FROM credential").catch(() => []);
      assert.ok(
        states.every(({ state }) => state === "revoked"),
        kind,
      );
    }
  });
}

test("a change made while KV still shows a revoked set does not restore it", async () => {
  for (const [kind, { make, path }] of Object.entries(APPLICATIONS)) {
    const user = await fresh();
    const application = await make(user);
    await signet.faults.set([{ target: "kv.get", on: "credential:", mode: "stale" }]);
    try {
      await signet.clock.set(2_000);
      assert.equal((await signet.admin("DELETE", path(application))).status, 204);
      assert.equal((await signet.admin("PATCH", path(application), { name: "Renamed" })).status, 404, kind);
    } finally {
      await signet.clock.set(0);
      await signet.faults.set([]);
    }
    assert.equal((await signet.admin("GET", path(application))).status, 404, kind);
  }
});

/** Imports a set that is bound to `user` under the id `client_id`. */
async function importBound(client_id, user) {
  const credential = { name: "Acme", user_id: user, scopes: ["clientarea:invoices"] };
  const body = JSON.stringify({ client_id, client_secret: "the-secret-that-acme-has-had-for-years", credential });
  const headers = { ...bearer(signet.adminToken), "Content-Type": "application/x-ndjson" };
  return (await signet.fetch("/admin/v1/import", { method: "POST", headers, body: `${body}\n` })).text();
}

test("a set that is imported with the id of a revoked one can be changed", async () => {
  const user = await fresh();
  const set = await createSet(signet, { delegated: true });
  await signet.admin("DELETE", `/credentials/${set.client_id}`);
  assert.match(await importBound(set.client_id, user), /"created":1/);
  assert.equal((await signet.admin("PATCH", `/credentials/${set.client_id}`, { name: "Renamed" })).status, 200);
});

test("a token of a revoked delegated set stays invalid when the id becomes a bound set's", async () => {
  const [bound, other] = [await fresh(), await fresh()];
  const set = await createSet(signet, { delegated: true });
  const token = await getToken(signet, set, { user_id: other });
  await signet.admin("DELETE", `/credentials/${set.client_id}`);
  assert.match(await importBound(set.client_id, bound), /"created":1/);
  assert.equal((await openLink(signet, token)).status, 401);
});

test("repeating an erasure that failed half-way completes it: nothing in KV names the user", async () => {
  const user = await fresh();
  await putUser(signet, user, { services: [7701, 7702] });
  const kv = await signet.kv();
  for (const nth of [1, 2]) {
    await signet.faults.set([{ target: "kv.delete", on: "service:", mode: "throw", nth }]);
    const { status } = await signet.admin("DELETE", `/users/${user}?erase=true`);
    await signet.faults.set([]);
    if (status === 204) break;
    assert.equal(status, 503);
    assert.ok([204, 404].includes((await signet.admin("DELETE", `/users/${user}?erase=true`)).status));
    assert.deepEqual([await kv.get("service:7701"), await kv.get("service:7702")], [null, null]);
    await putUser(signet, user, { services: [7701, 7702] });
  }
});
