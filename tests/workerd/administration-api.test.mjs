// The administration API.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  bearer,
  claimsOf,
  createSet,
  enterConsole,
  eventsOf,
  getToken,
  json,
  openLink,
  postToken,
  putUser,
  signIn,
} from "../support/workflow.mjs";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

const ROUTES = [
  ["PUT", "/users/1"],
  ["GET", "/users/1"],
  ["PATCH", "/users/1"],
  ["DELETE", "/users/1"],
  ["GET", "/users/1/sessions"],
  ["DELETE", "/users/1/sessions"],
  ["GET", "/users/1/export"],
  ["DELETE", "/users/1?erase=true"],
  ["DELETE", "/credentials/x/sessions"],
  ["DELETE", "/api-credentials/x/sessions"],
  ["DELETE", "/users/1/sessions/AAAAAAAAAAAAAAAAAAAAAA"],
  ["GET", "/users/1/events"],
  ["POST", "/credentials"],
  ["GET", "/credentials"],
  ["GET", "/credentials/x"],
  ["PATCH", "/credentials/x"],
  ["DELETE", "/credentials/x"],
  ["POST", "/credentials/x/rotate"],
  ["GET", "/tokens/AAAAAAAAAAAAAAAAAAAAAA"],
  ["DELETE", "/tokens/AAAAAAAAAAAAAAAAAAAAAA"],
  ["GET", "/nowhere"],
  ["POST", "/import"],
  ["PUT", "/import"],
];

function assertProblem(answer, status, detail) {
  assert.deepEqual([answer.status, answer.body.status, answer.body.detail], [status, status, detail]);
  assert.deepEqual([answer.body.type, typeof answer.body.title], ["about:blank", "string"]);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
}

test("RFC 6750 section 3: without the administration token every path answers the same 401, whether it exists or not", async () => {
  await putUser(signet, "1");
  const answers = new Set();
  for (const [method, path] of ROUTES) {
    for (const headers of [
      {},
      { Authorization: "Bearer wrong" },
      { Authorization: `Basic ${signet.adminToken}` },
      { Authorization: signet.adminToken },
      { Authorization: `Bearer ${signet.adminToken}x` },
      { Cookie: signet.adminToken },
    ]) {
      const response = await signet.fetch(`/admin/v1${path}`, { method, headers });
      answers.add(JSON.stringify([response.status, response.headers.get("www-authenticate"), await response.text()]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
  assert.match([...answers][0], /^\[401,"Bearer realm=/);
});

test("users: create, read, change, replace, delete", async () => {
  const created = await signet.admin("PUT", "/users/7", { status: "Active", services: [12, "srv-3"], domains: [] });
  const { created_at, updated_at, ...account } = created.body;
  assert.equal(created.status, 201);
  assert.deepEqual(account, { user_id: "7", status: "Active", sso: true, services: ["12", "srv-3"], domains: [] });
  assert.ok(Math.abs(created_at - Date.now() / 1000) < 5 && updated_at === created_at);
  assert.deepEqual((await signet.admin("GET", "/users/7")).body, created.body);
  const changed = await signet.admin("PATCH", "/users/7", { sso: false });
  assert.deepEqual([changed.status, changed.body.sso, changed.body.services], [200, false, ["12", "srv-3"]]);
  const replaced = await signet.admin("PUT", "/users/7", { status: "Inactive" });
  assert.deepEqual([replaced.status, replaced.body.sso, replaced.body.services], [200, false, []], "sso is left alone");
  assert.equal(replaced.body.created_at, created_at);
  assert.equal((await signet.admin("DELETE", "/users/7")).status, 204);
  for (const method of ["GET", "DELETE"])
    assertProblem(await signet.admin(method, "/users/7"), 404, "There is no such account.");
  assertProblem(await signet.admin("PATCH", "/users/7", {}), 404, "There is no such account.");
});

test("RFC 9457: invalid input is refused with one precise problem", async () => {
  const field = "The body has an unknown, missing or invalid field.";
  for (const [method, path, body, status, detail] of [
    ["PUT", "/users/8", {}, 400, field],
    ["PUT", "/users/8", { status: "active" }, 400, field],
    ["PUT", "/users/8", { status: "Active", admin: true }, 400, field],
    ["PUT", "/users/8", { status: "Active", services: ["a b"] }, 400, field],
    ["PUT", "/users/8", { status: "Active", sso: "yes" }, 400, field],
    ["PATCH", "/users/8", { user_id: "9" }, 400, field],
    ["PATCH", "/users/8", { status: null }, 400, field],
    ["PATCH", "/credentials/x", { name: null }, 400, field],
    ["DELETE", "/users/8/sessions", undefined, 404, "There is no such account."],
    ["PUT", "/users/a%20b", { status: "Active" }, 400, "The User ID is malformed."],
    ["GET", `/users/${"x".repeat(65)}`, undefined, 400, "The User ID is malformed."],
    ["DELETE", "/users/8/sessions/x", undefined, 400, "The session id is malformed."],
    ["GET", "/users/8/events?limit=0", undefined, 400, "The limit is not a number from 1 to 100."],
    ["GET", "/users/8/events?cursor=-1", undefined, 400, "The cursor is not one of this list."],
    ["GET", "/users/8/nothing", undefined, 404, "There is nothing at this address."],
    ["GET", "/tokens/short", undefined, 400, "The jti is malformed."],
    ["GET", "/credentials/a%20b", undefined, 400, "The client_id is malformed."],
    ["POST", "/credentials", { name: "x", scopes: [] }, 400, 'Give either user_id or "delegated": true.'],
    [
      "POST",
      "/credentials",
      { name: "x", scopes: [], user_id: "1", delegated: true },
      400,
      'Give either user_id or "delegated": true.',
    ],
    ["POST", "/credentials", { name: "", scopes: [], user_id: "1" }, 400, "The name must have 1 to 128 characters."],
    ["POST", "/credentials", { name: "x", scopes: [], user_id: "1", client_secret: "mine" }, 400, field],
    ["POST", "/credentials", { name: "x", scopes: ["clientarea:homepage"], user_id: "1" }, 400, field],
    [
      "POST",
      "/credentials/x/rotate",
      { overlap_seconds: 2_592_001 },
      400,
      "The overlap_seconds are more than 30 days.",
    ],
    ["POST", "/credentials/x/rotate", { overlap_seconds: -1 }, 400, field],
    ["GET", "/credentials/unknown", undefined, 404, "There is no such credential set."],
    ["DELETE", "/users/8/sessions/AAAAAAAAAAAAAAAAAAAAAA", undefined, 404, "There is no such session."],
  ]) {
    assertProblem(await signet.admin(method, path, body), status, detail);
  }
  const headers = bearer(signet.adminToken);
  const put = (type, body) =>
    signet.fetch("/admin/v1/users/8", { method: "PUT", headers: { ...headers, "Content-Type": type }, body });
  assert.equal((await (await put("application/json", "{")).json()).detail, "The body is not JSON.");
  assert.equal((await put("text/plain", '{"status":"Active"}')).status, 415);
  assert.equal((await put("application/json", "x".repeat(65_537)).catch(() => ({ status: 413 }))).status, 413);
  assert.equal((await signet.admin("GET", "/users/8")).status, 404, "nothing of it was applied");
});

test("RFC 9110 section 15.5.6: another method is 405 with Allow", async () => {
  for (const [path, allow] of [
    ["/users/1", "GET, PUT, PATCH, DELETE"],
    ["/users/1/sessions", "GET, DELETE"],
    ["/users/1/sessions/x", "DELETE"],
    ["/users/1/events", "GET"],
    ["/users/1/export", "GET"],
    ["/credentials/x/sessions", "DELETE"],
    ["/api-credentials/x/sessions", "DELETE"],
    ["/credentials", "GET, POST"],
    ["/credentials/x", "GET, PATCH, DELETE"],
    ["/credentials/x/rotate", "POST"],
    ["/tokens/AAAAAAAAAAAAAAAAAAAAAA", "GET, DELETE"],
  ]) {
    const { status, headers } = await signet.admin("OPTIONS", path);
    assert.deepEqual([status, headers.get("allow")], [405, allow], path);
  }
});

test("credential sets: create, read, change, rotate, revoke; the secret is shown only when it is new", async () => {
  await putUser(signet, "42");
  const created = await signet.admin("POST", "/credentials", {
    name: "Portal",
    description: "d",
    user_id: "42",
    scopes: ["clientarea:emails"],
    service_id: 12,
    logo_uri: "https://x.example/l.png",
  });
  const { client_id, client_secret, created_at, updated_at, ...set } = created.body;
  assert.equal(created.status, 201);
  assert.equal(created.headers.get("location"), `${signet.issuer}/admin/v1/credentials/${client_id}`);
  assert.match(client_secret, /^[\w-]{43}$/);
  assert.deepEqual(set, {
    name: "Portal",
    description: "d",
    user_id: "42",
    grant_types: ["single_sign_on"],
    scopes: ["clientarea:sso", "clientarea:emails"],
    service_id: "12",
    logo_uri: "https://x.example/l.png",
    disabled: false,
  });
  const path = `/credentials/${client_id}`;
  const read = await signet.admin("GET", path);
  assert.deepEqual(read.body, { client_id, created_at, updated_at, ...set });
  const patched = await signet.admin("PATCH", path, { name: "Renamed", service_id: null });
  assert.deepEqual(
    [patched.status, patched.body.name, patched.body.service_id, patched.body.description],
    [200, "Renamed", undefined, "d"],
  );
  assert.equal((await signet.admin("PATCH", path, { user_id: "43" })).status, 400);
  const rotated = await signet.admin("POST", `${path}/rotate`);
  assert.deepEqual([rotated.status, rotated.body.client_id], [200, client_id]);
  assert.equal(
    (await postToken(signet, { client_id, client_secret })).status,
    401,
    "without overlap the old secret is dead",
  );
  const listed = await signet.admin("GET", "/credentials");
  const kv = await signet.kv();
  const stored = await Promise.all((await kv.list()).keys.map(({ name }) => kv.get(name)));
  for (const secret of [client_secret, rotated.body.client_secret]) {
    for (const text of [read.body, patched.body, listed.body, signet.logs, stored].map((value) =>
      JSON.stringify(value),
    )) {
      assert.ok(!text.includes(secret));
    }
  }
  assert.equal((await signet.admin("DELETE", path)).status, 204);
  assert.equal((await signet.admin("DELETE", path)).status, 404);
});

test("credential sets are listed page by page, each once", async () => {
  const made = [];
  for (let n = 0; n < 5; n += 1) made.push((await createSet(signet, { delegated: true, name: `set ${n}` })).client_id);
  const seen = [];
  let cursor = "";
  do {
    const { status, body } = await signet.admin(
      "GET",
      `/credentials?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    assert.equal(status, 200);
    assert.ok(body.credentials.length <= 2);
    seen.push(...body.credentials.map(({ client_id }) => client_id));
    cursor = body.cursor;
  } while (cursor);
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(made.every((id) => seen.includes(id)));
});

test("disabling or revoking a credential set invalidates its tokens at once", async () => {
  await putUser(signet, "50");
  for (const binding of [{ user_id: "50" }, { delegated: true }]) {
    const form = binding.delegated ? { user_id: "50" } : {};
    for (const [method, body] of [
      ["PATCH", { disabled: true }],
      ["DELETE", undefined],
    ]) {
      const set = await createSet(signet, binding);
      const token = await getToken(signet, set, form);
      await signet.admin(method, `/credentials/${set.client_id}`, body);
      assert.equal((await openLink(signet, token)).status, 401, `${JSON.stringify(binding)} ${method}`);
    }
  }
});

test("a token can be looked up and revoked by its id", async () => {
  await putUser(signet, "60");
  const set = await createSet(signet, { user_id: "60" });
  const state = async (token) => {
    await signet.ops.read(); // its record is written after the answer
    const { status, body } = await signet.admin("GET", `/tokens/${claimsOf(token).jti}`);
    assert.equal(status, 200);
    return body;
  };
  const token = await getToken(signet, set);
  const { jti, iat, exp } = claimsOf(token);
  assert.deepEqual(await state(token), {
    jti,
    user_id: "60",
    client_id: set.client_id,
    scope: "clientarea:sso clientarea:invoices",
    issued_at: iat,
    expires_at: exp,
    state: "pending",
    reason: null,
    settled_at: null,
  });
  await openLink(signet, token);
  assert.equal((await state(token)).state, "signed_in");
  const revoked = await getToken(signet, set);
  await state(revoked);
  assert.equal((await signet.admin("DELETE", `/tokens/${claimsOf(revoked).jti}`)).status, 204);
  assert.equal((await openLink(signet, revoked)).status, 401);
  assert.equal((await state(revoked)).state, "revoked");
  const [denied, forgotten] = [await getToken(signet, set), await getToken(signet, set)];
  await signet.admin("PATCH", "/users/60", { sso: false });
  await openLink(signet, denied);
  const { state: name, reason } = await state(denied);
  assert.deepEqual([name, reason], ["denied", "sso_disabled"]);
  await signet.clock.set(60_000);
  assert.equal((await state(forgotten)).state, "expired");
  await signet.clock.set(0);
  const unknown = await signet.admin("GET", "/tokens/AAAAAAAAAAAAAAAAAAAAAA");
  assertProblem(unknown, 404, "There is no record of such a token. Records are kept for a day.");
});

test("the audit trail lists what happened, newest first, page by page", async () => {
  await putUser(signet, "70");
  const set = await createSet(signet, { user_id: "70" });
  await signIn(signet, set, { headers: { "User-Agent": "a browser" } });
  await signet.admin("PATCH", "/users/70", { sso: false });
  const denied = await openLink(signet, await getToken(signet, set));
  const names = [];
  let cursor = "";
  do {
    const { body } = await signet.admin("GET", `/users/70/events?limit=2${cursor && `&cursor=${cursor}`}`);
    names.push(...body.events);
    cursor = body.cursor;
  } while (cursor);
  assert.deepEqual(
    names.map(({ event }) => event),
    ["sso.denied", "account.changed", "sso.signed_in", "account.created"],
  );
  assert.deepEqual([names[0].reason, names[0].request_id], ["sso_disabled", denied.headers.get("x-request-id")]);
  assert.deepEqual([names[1].sso, names[1].status], [false, "Active"]);
  assert.deepEqual([names[2].user_agent, names[2].client_id], ["a browser", set.client_id]);
});

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

test("RFC 9110 section 15.5.6: every method that a route does not have is 405 with Allow, to an administrator too", async () => {
  const headers = bearer(signet.adminToken);
  for (const [path, allow] of [
    ["/users/405", "GET, PUT, PATCH, DELETE"],
    ["/users/405/sessions", "GET, DELETE"],
    ["/users/405/events", "GET"],
    ["/users/405/sessions/AAAAAAAAAAAAAAAAAAAAAA", "DELETE"],
    ["/credentials", "GET, POST"],
    ["/credentials/x", "GET, PATCH, DELETE"],
    ["/credentials/x/rotate", "POST"],
    ["/tokens/AAAAAAAAAAAAAAAAAAAAAA", "GET, DELETE"],
    ["/import", "POST"],
  ]) {
    for (const method of METHODS.filter((method) => !allow.split(", ").includes(method))) {
      const response = await signet.fetch(`/admin/v1${path}`, { method, headers });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, allow], `${method} ${path}`);
      if (method !== "HEAD") assert.equal((await response.json()).status, 405);
    }
  }
});

test("a percent-encoded path means the same path", async () => {
  await putUser(signet, "en.code-d");
  assert.equal((await signet.admin("GET", "/users/%65n%2Ecode%2dd")).body.user_id, "en.code-d");
  const { client_id } = await createSet(signet, { delegated: true });
  const encoded = [...client_id].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");
  assert.equal((await signet.admin("GET", `/credentials/${encoded}`)).body.client_id, client_id);
  for (const hostile of ["%2e%2e%2fx", "a%2fb", "%00", "%ff", "%25", "a%0d%0ab"]) {
    for (const path of ["/users/", "/credentials/", "/tokens/"]) {
      const { status } = await signet.admin("GET", path + hostile);
      assert.ok([400, 404].includes(status), `${path}${hostile}: ${status}`);
    }
  }
});

test("a body must be JSON with its Content-Type, and must not repeat a field", async () => {
  const send = (type, body) =>
    signet.fetch("/admin/v1/users/typed", {
      method: "PUT",
      body,
      headers: { ...bearer(signet.adminToken), ...(type && { "Content-Type": type }) },
    });
  const valid = '{"status":"Active"}';
  for (const type of [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonp",
    "text/plain, application/json",
    "application/json; charset=utf-16",
  ]) {
    const response = await send(type, valid);
    const { status, detail } = await response.json();
    assert.deepEqual([response.status, status, detail], [415, 415, "The body is not application/json."], type);
  }
  for (const body of [
    "",
    "null",
    "[]",
    '"x"',
    "{",
    `${valid}x`,
    '{"status":"Active","status":"Closed"}',
    "[".repeat(10_000),
  ]) {
    assert.equal((await send("application/json", body)).status, 400, body.slice(0, 40));
  }
  assert.equal((await signet.admin("GET", "/users/typed")).status, 404, "nothing of it was applied");
  assert.equal((await send("application/json; charset=utf-8", valid)).status, 201);
});

test("issue 9, item 11: a long list changes in parts: only the entries that are added or removed change", async () => {
  await putUser(signet, "parts", { services: [7001, 7002], domains: ["example.com"] });
  const patch = async (change, user = "parts") => {
    const { status, body } = await signet.admin("PATCH", `/users/${user}`, change);
    return [status, body.services, body.domains];
  };
  const kv = await signet.kv();
  const claimed = async () => (await kv.list({ prefix: "service:70" })).keys.map(({ name }) => name);
  for (const [change, services, domains] of [
    [{ add_services: [7003, "7001"] }, ["7001", "7002", "7003"], ["example.com"]],
    [{ remove_services: [7001, 7009], add_domains: [34] }, ["7002", "7003"], ["34", "example.com"]],
    [
      { remove_domains: ["example.com"], add_services: [7001], remove_services: [7001] },
      ["7001", "7002", "7003"],
      ["34"],
    ],
    [{ services: [7004], add_services: [7005], remove_services: [7004] }, ["7005"], ["34"]],
  ]) {
    assert.deepEqual(await patch(change), [200, services, domains], JSON.stringify(change));
    assert.deepEqual(
      await claimed(),
      services.map((id) => `service:${id}`),
      JSON.stringify(change),
    );
  }
  const events = await eventsOf(signet, "parts");
  assert.deepEqual(await patch({ add_services: ["7005"], remove_domains: [35] }), [200, ["7005"], ["34"]]);
  assert.deepEqual(await eventsOf(signet, "parts"), events, "what is so already leaves no trace");
  assert.equal((await patch({ add_services: [7006] }, "nobody-at-all"))[0], 404);
  assert.deepEqual(await claimed(), ["service:7005"], "nobody claims for an account that is not there");
});

test("issue 9, item 11: an added service costs one write to KV, and the existing ones cost none", async () => {
  await putUser(signet, "costs", { services: Array.from({ length: 250 }, (_, i) => 71_000 + i) });
  for (const [change, ops] of [
    [{ add_services: [72_000, 72_001] }, { "kv.get": 1, "kv.put": 2, "kv.delete": 0, "object.run": 2 }],
    [{ remove_services: [72_000, 72_001] }, { "kv.get": 1, "kv.put": 0, "kv.delete": 2, "object.run": 1 }],
    [
      { add_domains: Array.from({ length: 5_000 }, (_, i) => i) },
      { "kv.get": 0, "kv.put": 0, "kv.delete": 0, "object.run": 1 },
    ],
    [
      { status: "Closed", sso: false },
      { "kv.get": 0, "kv.put": 0, "kv.delete": 0, "object.run": 1 },
    ],
  ]) {
    await signet.ops.reset();
    assert.equal((await signet.admin("PATCH", "/users/costs", change)).status, 200);
    const counted = await signet.ops.read();
    assert.deepEqual(
      Object.fromEntries(Object.keys(ops).map((name) => [name, counted[name]])),
      ops,
      Object.keys(change).join(),
    );
  }
});

test("issue 9, item 11: an account owns at most 25,000 services and domains, and beyond that nothing changes", async () => {
  await putUser(signet, "full");
  const ids = (from, count) => Array.from({ length: count }, (_, i) => 10_000 + from + i);
  for (let from = 0; from < 25_000; from += 5_000) {
    assert.equal((await signet.admin("PATCH", "/users/full", { add_domains: ids(from, 5_000) })).status, 200);
  }
  const { status, headers, body } = await signet.admin("PATCH", "/users/full", {
    add_domains: ["one-more"],
    status: "Inactive",
  });
  const detail = "The account would own more than 25,000 services and domains.";
  assert.deepEqual([status, headers.get("content-type"), body.detail], [409, "application/problem+json", detail]);
  const { body: account } = await signet.admin("PATCH", "/users/full", {
    remove_domains: [10_000],
    add_domains: ["one-more"],
  });
  assert.deepEqual([account.status, account.domains.length, account.domains.at(-1)], ["Active", 25_000, "one-more"]);
});

test("a PATCH keeps every field that it does not name", async () => {
  await putUser(signet, "kept", { sso: false, services: [1, "b"], domains: ["example.com"] });
  const { updated_at: _, ...account } = (await signet.admin("GET", "/users/kept")).body;
  for (const change of [{ status: "Inactive" }, { sso: true }, { services: [] }, { domains: [7] }, {}]) {
    const {
      status,
      body: { updated_at: __, ...changed },
    } = await signet.admin("PATCH", "/users/kept", change);
    Object.assign(account, change, change.domains && { domains: ["7"] });
    assert.deepEqual([status, changed], [200, account], JSON.stringify(change));
  }
  const created = await createSet(signet, {
    user_id: "kept",
    description: "d",
    service_id: 1,
    redirect_uris: ["https://a.example/"],
  });
  const { client_secret, updated_at: ___, ...set } = created;
  for (const change of [
    { name: "n" },
    { description: "" },
    { scopes: ["clientarea:sso", "clientarea:emails"] },
    { service_id: null },
    { service_id: "2" },
    { logo_uri: "https://a.example/l" },
    { redirect_uris: ["https://b.example/"] },
    { disabled: true },
    { disabled: false },
    {},
  ]) {
    const answer = await signet.admin("PATCH", `/credentials/${set.client_id}`, change);
    const { updated_at: ____, ...changed } = answer.body;
    Object.assign(set, change);
    if (set.service_id === null) delete set.service_id;
    assert.deepEqual([answer.status, changed], [200, set], JSON.stringify(change));
  }
  assert.equal((await postToken(signet, created)).status, 200, "the secret too");
});

test("the sessions of a user are listed newest first, with all their fields", async () => {
  await putUser(signet, "80");
  const set = await createSet(signet, { user_id: "80" });
  const tokens = [await getToken(signet, set), await getToken(signet, set)];
  const headers = { "User-Agent": "a browser", "CF-Connecting-IP": "192.0.2.80" };
  await openLink(signet, tokens[0], { headers });
  await signet.clock.set(2_000);
  await openLink(signet, tokens[1]);
  await signet.clock.set(0);
  const { status, body } = await signet.admin("GET", "/users/80/sessions");
  assert.equal(status, 200);
  assert.deepEqual(
    body.sessions.map(({ jti }) => jti),
    [claimsOf(tokens[1]).jti, claimsOf(tokens[0]).jti],
  );
  const { session_id, created_at, last_seen_at, expires_at, ...rest } = body.sessions[1];
  assert.match(session_id, /^[\w-]{22}$/);
  assert.deepEqual([last_seen_at, expires_at], [created_at, created_at + 3_600]);
  assert.deepEqual(rest, {
    client_id: set.client_id,
    jti: claimsOf(tokens[0]).jti,
    destination: "clientarea:invoices",
    address: "192.0.2.80",
    user_agent: "a browser",
  });
  assert.equal((await signet.admin("DELETE", "/users/80/sessions")).status, 204);
  assert.deepEqual((await signet.admin("GET", "/users/80/sessions")).body, { sessions: [] });
});

test("a delegated set is read from KV at redemption: a disabled set signs nobody in, a set that is enabled again does", async () => {
  await putUser(signet, "81");
  const set = await createSet(signet, { delegated: true });
  const path = `/credentials/${set.client_id}`;
  const tokens = [await getToken(signet, set, { user_id: "81" }), await getToken(signet, set, { user_id: "81" })];
  await signet.admin("PATCH", path, { disabled: true });
  await signet.ops.reset();
  assert.equal((await openLink(signet, tokens[0], { headers: json })).status, 401);
  assert.equal((await signet.ops.read())["kv.get"], 1);
  await signet.admin("PATCH", path, { disabled: false });
  assert.equal((await openLink(signet, tokens[1])).status, 302);
});

test("lists refuse an invalid limit and a cursor that they did not issue", async () => {
  for (const [path, query] of [
    ...["limit=0", "limit=101", "limit=-1", "limit=x", "limit=1&limit=1"].flatMap((query) => [
      ["/credentials", query],
      ["/users/1/events", query],
    ]),
  ]) {
    const { status, body, headers } = await signet.admin("GET", `${path}?${query}`);
    assert.deepEqual(
      [status, body.status, headers.get("content-type")],
      [400, 400, "application/problem+json"],
      `${path}?${query}`,
    );
  }
});

test("RFC 9110 section 15.5.1: a cursor that another list issued is 400, at every list and in the console", async () => {
  for (const user of ["paged", "paged2"]) {
    await putUser(signet, user);
    await putUser(signet, user, { services: [1] });
  }
  for (const name of ["a", "b"]) {
    await createSet(signet, { user_id: "paged", name });
    await signet.admin("POST", "/api-credentials", { name, actions: [] });
  }
  const lists = ["/credentials", "/api-credentials", "/users/paged/events", "/users/paged2/events"];
  const given = {};
  for (const path of lists) {
    ({ cursor: given[path] } = (await signet.admin("GET", `${path}?limit=1`)).body);
    assert.equal((await signet.admin("GET", `${path}?limit=1&cursor=${given[path]}`)).status, 200, `its own: ${path}`);
  }
  const operator = await enterConsole(signet);
  const inConsole = {
    "/credentials": "/credentials",
    "/api-credentials": "/api-credentials",
    "/users/paged/events": "/users/paged",
  };
  for (const [path, page] of Object.entries(inConsole)) {
    const response = await signet.fetch(`/admin${page}?cursor=${given[path]}`, { headers: operator });
    assert.equal(response.status, 200, `its own: ${page}`);
  }
  const made = [
    "x",
    "0",
    "1",
    "-1",
    "7",
    "4294967296",
    "not-a-cursor",
    "%C3%A9",
    "%00",
    "x".repeat(513),
    "AAAA".repeat(600),
    "a.b.c",
  ];
  await signet.ops.reset();
  for (const path of lists) {
    const changed = [`${given[path]}x`, given[path].slice(0, -1), given[path].replace(/\.[^.]+$/, ".AAAA")];
    const others = lists.filter((other) => other !== path).map((other) => given[other]);
    for (const cursor of [...made, ...changed, ...others]) {
      const { status, body, headers } = await signet.admin("GET", `${path}?cursor=${cursor}`);
      const problem = [status, body.detail, headers.get("content-type")];
      assert.deepEqual(
        problem,
        [400, "The cursor is not one of this list.", "application/problem+json"],
        `${path} ${cursor.slice(0, 40)}`,
      );
      if (inConsole[path]) {
        const response = await signet.fetch(`/admin${inConsole[path]}?cursor=${cursor}`, { headers: operator });
        assert.equal(response.status, 400, `${inConsole[path]} ${cursor.slice(0, 40)}`);
      }
    }
  }
  assert.equal((await signet.ops.read())["kv.list"], 0, "KV is not asked");
});
