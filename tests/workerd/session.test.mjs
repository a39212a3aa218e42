// Sessions: the cookie of the browser and the row in the user's object.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  createSet,
  getToken,
  json,
  openLink,
  postForm,
  putUser,
  signIn,
  storedSessions,
  whoIs,
} from "../support/workflow.mjs";

const IDLE = 600;
const MAX = 1_500;
let signet, set;

before(async () => {
  signet = await startSignet({
    vars: { SESSION_IDLE: IDLE, SESSION_MAX: String(MAX), CLIENT_AREA_URL: "https://my.example/billing" },
  });
  set = await createSet(signet, { delegated: true });
});
after(() => signet.close());

async function session(user, account) {
  await putUser(signet, user, account);
  return signIn(signet, set, { form: { user_id: user } });
}

test("RFC 6265bis section 4.1.3: the cookie is __Host-, Secure, HttpOnly, SameSite=Lax, and small", async () => {
  await putUser(signet, "cookie");
  const response = await openLink(signet, await getToken(signet, set, { user_id: "cookie" }));
  const [value, ...attributes] = response.headers.get("set-cookie").split("; ");
  assert.match(value, /^__Host-signet=[\w.-]+$/);
  assert.deepEqual(attributes, ["Path=/", "Secure", "HttpOnly", "SameSite=Lax", `Max-Age=${MAX}`]);
  assert.ok(value.length < 1_024);
});

test("GET /oauth/session returns who is signed in; HEAD returns the same without a body", async () => {
  const cookie = await session("reader");
  const response = await signet.fetch("/oauth/session", { headers: cookie });
  const { session_id, jti, created_at, last_seen_at, expires_at, address, user_agent, ...rest } = await response.json();
  assert.equal(response.status, 200);
  assert.deepEqual(rest, { user_id: "reader", client_id: set.client_id, destination: "clientarea:invoices" });
  assert.match(session_id, /^[\w-]{22}$/);
  assert.match(jti, /^[\w-]{22}$/);
  assert.deepEqual([last_seen_at, expires_at], [created_at, created_at + IDLE]);
  const head = await signet.fetch("/oauth/session", { method: "HEAD", headers: cookie });
  assert.deepEqual([head.status, await head.text()], [200, ""]);
});

test("without a cookie that Signet signed nobody is signed in, and no storage is read", async () => {
  const cookie = await session("real");
  const token = await getToken(signet, set, { user_id: "real" });
  const value = cookie.Cookie.split("=")[1];
  await signet.ops.reset();
  for (const Cookie of [
    undefined,
    "",
    "__Host-signet=",
    "__Host-signet=x",
    `__Host-signet="${value}"`,
    `__Host-signet=${"x".repeat(10_000)}`,
    `__Host-signet=${value.slice(0, -1)}`,
    `__Host-signet=${value}x`,
    `__Host-signet=${token}`,
    `other=${value}`,
    `__Host-signet=${value}; __Host-signet=${value}`,
    "__Host-signet=\u00ff",
  ]) {
    const response = await signet.fetch("/oauth/session", { headers: Cookie === undefined ? {} : { Cookie } });
    assert.equal(response.status, 401, Cookie);
    assert.equal((await response.json()).error, "invalid_session");
  }
  const used = await signet.ops.read();
  assert.ok(
    Object.values(used).every((count) => count === 0),
    JSON.stringify(used),
  );
  const asToken = await openLink(signet, value, { headers: json });
  assert.deepEqual([asToken.status, (await asToken.json()).error_description], [401, "The sign-in link is not valid."]);
});

test("the idle limit: a session that is used stays valid, and ends to the second at the limit", async () => {
  try {
    const start = await signet.clock.stop();
    const cookie = await session("idle");
    const used = start + (IDLE - 1) * 1000;
    await signet.clock.stop(used + 999);
    assert.equal(await whoIs(signet, cookie), "idle");
    await signet.clock.stop(used + IDLE * 1000 - 1);
    assert.equal(await whoIs(signet, cookie), "idle", "use prolonged it");
    await signet.clock.stop(used + (2 * IDLE - 1) * 1000);
    assert.equal(await whoIs(signet, cookie), undefined);
  } finally {
    await signet.clock.set(0);
  }
});

test("the absolute limit ends a session even if it is used", async () => {
  try {
    const start = await signet.clock.stop();
    const cookie = await session("tireless");
    for (const ms of [(IDLE - 10) * 1000, (2 * IDLE - 20) * 1000, MAX * 1000 - 1]) {
      await signet.clock.stop(start + ms);
      assert.equal(await whoIs(signet, cookie), "tireless", `after ${ms} ms`);
    }
    await signet.clock.stop(start + MAX * 1000);
    assert.equal(await whoIs(signet, cookie), undefined);
  } finally {
    await signet.clock.set(0);
  }
});

test("signing out ends the session at the object: a browser gets a page that leads on to the client area, callers of JSON 204", async () => {
  for (const [headers, status, refresh] of [
    [{}, 200, "0; url=https://my.example/billing/"],
    [json, 204, null],
  ]) {
    const cookie = await session("leaver");
    const response = await signet.fetch("/oauth/logout", { method: "POST", headers: { ...cookie, ...headers } });
    assert.deepEqual(
      [response.status, response.headers.get("refresh"), response.headers.get("location")],
      [status, refresh, null],
    );
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.match(response.headers.get("set-cookie"), /^__Host-signet=;.*Max-Age=0/);
    assert.equal(response.headers.get("clear-site-data"), '"cache", "storage"');
    assert.equal(await whoIs(signet, cookie), undefined, "the old cookie is refused");
    assert.deepEqual(await storedSessions(signet, "leaver"), []);
  }
});

test("RFC 9700 section 4.11: signing out returns only to a place within the client area", async () => {
  for (const [sent, query, form] of [
    ["bye.php?a=b", "?return_to=bye.php%3Fa%3Db", {}],
    ["bye.php", "", { return_to: "/bye.php" }],
    ["", "?goto=https://evil.example/", { next: "//evil.example" }],
  ]) {
    const cookie = await session("returns");
    const response = await postForm(signet, `/oauth/logout${query}`, form, cookie);
    assert.deepEqual(
      [response.status, response.headers.get("refresh")],
      [200, `0; url=https://my.example/billing/${sent}`],
    );
    assert.ok((await response.text()).includes(`href="https://my.example/billing/${sent}"`), "and a link");
    assert.equal(await whoIs(signet, cookie), undefined);
  }
  const cookie = await session("returns");
  for (const bad of [
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "../out",
    "/%2e%2e/out",
    "x".repeat(1_025),
  ]) {
    for (const method of ["GET", "POST"]) {
      const response = await signet.fetch(`/oauth/logout?${new URLSearchParams({ return_to: bad })}`, {
        method,
        headers: { ...cookie, ...json },
      });
      assert.deepEqual([response.status, (await response.json()).error], [400, "invalid_request"], bad);
    }
  }
  assert.equal(await whoIs(signet, cookie), "returns", "nobody was signed out");
});

test("of sessions opened in one second the oldest is removed first, and each sign-in has a new id", async () => {
  await putUser(signet, "crowd");
  const ids = [];
  for (let n = 0; n < 23; n += 1) {
    const cookie = await signIn(signet, set, { form: { user_id: "crowd" } });
    ids.push((await (await signet.fetch("/oauth/session", { headers: cookie })).json()).session_id);
  }
  assert.equal(new Set(ids).size, 23);
  const { body } = await signet.admin("GET", "/users/crowd/sessions");
  assert.deepEqual(
    body.sessions.map(({ session_id }) => session_id),
    ids.slice(3).reverse(),
  );
});

test("signing out twice, or without a session, succeeds", async () => {
  const response = await signet.fetch("/oauth/logout", { method: "POST", headers: json });
  assert.equal(response.status, 204);
});

test("Fetch Metadata: another site cannot sign a user out", async () => {
  const cookie = await session("stays");
  for (const foreign of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, { Origin: "null" }]) {
    const headers = { ...cookie, ...foreign };
    assert.equal((await signet.fetch("/oauth/logout", { method: "POST", headers })).status, 403);
  }
  assert.equal(await whoIs(signet, cookie), "stays");
});

test("Fetch Metadata: a host of the same site can sign a user out, as the documented limits say", async () => {
  const cookie = await session("siblings");
  const headers = { ...cookie, "Sec-Fetch-Site": "same-site", Origin: "https://sibling.example" };
  assert.equal((await signet.fetch("/oauth/logout", { method: "POST", headers })).status, 200);
  assert.equal(await whoIs(signet, cookie), undefined);
});

test("closing, deleting or ending by an administrator ends sessions at once", async () => {
  for (const [method, path, body] of [
    ["PATCH", "/users/ended", { status: "Closed" }],
    ["PUT", "/users/ended", { status: "Closed" }],
    ["DELETE", "/users/ended"],
    ["DELETE", "/users/ended/sessions"],
  ]) {
    const cookie = await session("ended");
    assert.ok([200, 204].includes((await signet.admin(method, path, body)).status));
    assert.equal(await whoIs(signet, cookie), undefined, `${method} ${path}`);
  }
  const [one, other] = [await session("ended"), await session("ended")];
  const { body } = await signet.admin("GET", "/users/ended/sessions");
  const { session_id } = await (await signet.fetch("/oauth/session", { headers: one })).json();
  assert.equal(body.sessions.length, 2);
  assert.equal((await signet.admin("DELETE", `/users/ended/sessions/${session_id}`)).status, 204);
  assert.equal((await signet.admin("DELETE", `/users/ended/sessions/${session_id}`)).status, 404);
  assert.deepEqual([await whoIs(signet, one), await whoIs(signet, other)], [undefined, "ended"]);
});

test("a cookie with the content of one session and the signature of another is invalid", async () => {
  const [a, b] = [await session("whole-a"), await session("whole-b")];
  const [header, payload] = a.Cookie.split(".");
  const signature = b.Cookie.split(".")[2];
  assert.equal(await whoIs(signet, { Cookie: [header, payload, signature].join(".") }), undefined);
  assert.deepEqual([await whoIs(signet, a), await whoIs(signet, b)], ["whole-a", "whole-b"]);
});

test("RFC 9110 section 9.2.1: a GET or HEAD never signs anyone out; a GET shows a question and reads no storage", async () => {
  const cookie = await session("safe");
  await signet.ops.reset();
  for (const method of ["GET", "HEAD"]) {
    const response = await signet.fetch("/oauth/logout", { method, headers: cookie });
    assert.deepEqual(
      [response.status, response.headers.get("set-cookie"), response.headers.get("clear-site-data")],
      [200, null, null],
    );
    if (method === "GET") assert.match(await response.text(), /safe.*<form method="post" action="\/oauth\/logout">/s);
  }
  assert.ok(
    !(await (await signet.fetch("/oauth/logout")).text()).includes("<form"),
    "without a session there is nothing to ask",
  );
  assert.ok(Object.values(await signet.ops.read()).every((count) => count === 0));
  assert.equal(await whoIs(signet, cookie), "safe");
});

test("signing out ends only this browser's session; an invalid cookie reads no storage", async () => {
  const [here, elsewhere] = [await session("two"), await session("two")];
  await signet.fetch("/oauth/logout", { method: "POST", headers: here });
  assert.deepEqual([await whoIs(signet, here), await whoIs(signet, elsewhere)], [undefined, "two"]);
  const token = await getToken(signet, set, { user_id: "two" });
  await signet.ops.reset();
  for (const value of ["x", "x".repeat(10_000), `"${elsewhere.Cookie.split("=")[1]}"`, token]) {
    const response = await signet.fetch("/oauth/logout", {
      method: "POST",
      headers: { ...json, Cookie: `__Host-signet=${value}` },
    });
    assert.equal(response.status, 204);
    assert.match(response.headers.get("set-cookie"), /^__Host-signet=;.*Max-Age=0/);
  }
  const used = await signet.ops.read();
  assert.ok(
    Object.values(used).every((count) => count === 0),
    JSON.stringify(used),
  );
  assert.equal(await whoIs(signet, elsewhere), "two");
});

test("HEAD is refused like GET, and its answer says how to authenticate", async () => {
  for (const method of ["GET", "HEAD"]) {
    const response = await signet.fetch("/oauth/session", { method });
    assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, 'Signet realm="signet"']);
  }
});
