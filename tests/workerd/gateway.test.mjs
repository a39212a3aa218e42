// Gateway mode: Signet in front of the client area's server.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { brotliCompressSync, gunzipSync, gzipSync } from "node:zlib";
import { createRemoteJWKSet, jwtVerify } from "jose";
import { startOrigin } from "../support/origin.mjs";
import { freePort } from "../support/port.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, json, putUser, signIn } from "../support/workflow.mjs";

const LARGE = 20_000_000;
let origin, signet, set;
/** What lets the stream of `/stream` end. */
let endStream;

before(async () => {
  origin = await startOrigin({
    "/redirect": (_, response) =>
      response.writeHead(302, { Location: "https://elsewhere.example/?a=b", "X-Own": "kept" }).end(),
    "/cookies": (_, response) => response.writeHead(200, { "Set-Cookie": ["a=1; Path=/", "b=2; HttpOnly"] }).end("ok"),
    "/gzip": (_, response) => response.writeHead(200, { "Content-Encoding": "gzip" }).end(gzipSync("squeezed")),
    "/br": (_, response) => response.writeHead(200, { "Content-Encoding": "br" }).end(brotliCompressSync("squeezed")),
    "/error": (_, response) =>
      response.writeHead(503, { "Retry-After": "7", "Content-Type": "text/plain" }).end("the origin's own"),
    "/teapot": (_, response) => response.writeHead(418, { "X-Own": "kept" }).end(),
    "/large": (_, response) => response.end(Buffer.alloc(LARGE, "x")),
    "/length": async (request, response) => {
      let length = 0;
      for await (const chunk of request) length += chunk.length;
      response.end(String(length));
    },
    "/stream": (_, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: first\n\n");
      endStream = () => response.end("data: last\n\n");
    },
    "/hangs-up": (request) => request.socket.destroy(),
    "/unreachable": (_, response) => response.writeHead(522).end(),
  });
  signet = await startSignet({ vars: { ORIGIN_URL: origin.url, PROTECTED_PATHS: ["/billing/", "/clientarea.php"] } });
  set = await createSet(signet, { delegated: true });
  await putUser(signet, "alice");
});
after(async () => {
  await signet.close();
  origin.close();
});

const session = () => signIn(signet, set, { form: { user_id: "alice" } });

/** What reached the origin, its headers by name; a repeated one is a list. */
async function passed(path, init) {
  const response = await signet.fetch(path, init);
  assert.equal(response.status, 200, path);
  const { headers, ...rest } = await response.json();
  const named = {};
  for (const [name, value] of headers)
    named[name.toLowerCase()] = [named[name.toLowerCase()], value].filter(Boolean).join("|");
  return { ...rest, headers: named };
}

test("every other request goes to the origin: path, query, method, headers and body", async () => {
  const headers = {
    "Content-Type": "text/plain",
    "X-App": "kept",
    Cookie: "app=1",
    Authorization: "Bearer app",
    "User-Agent": "UA/1",
  };
  const {
    method,
    url,
    body,
    headers: seen,
  } = await passed("/a%20b/c%2Fd?x=1&y=%C3%A9&x=2", { method: "PUT", headers, body: "payload" });
  assert.deepEqual({ method, url, body }, { method: "PUT", url: "/a%20b/c%2Fd?x=1&y=%C3%A9&x=2", body: "payload" });
  for (const [name, value] of Object.entries(headers)) assert.equal(seen[name.toLowerCase()], value, name);
  assert.equal(seen.host, new URL(origin.url).host);
  assert.deepEqual([seen["x-forwarded-proto"], seen["x-forwarded-host"]], ["http", new URL(signet.issuer).host]);
  for (const other of ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
    assert.equal((await passed("/", { method: other })).method, other);
});

test("Signet's own routes are answered by Signet", async () => {
  const before = origin.requests;
  for (const [path, status] of [
    ["/healthz", 200],
    ["/oauth/session", 401],
    ["/oauth/token", 405],
    ["/oauth/singlesignon", 400],
    ["/oauth/logout", 200],
    ["/account/security", 401],
    ["/.well-known/jwks.json", 200],
    ["/.well-known/oauth-authorization-server", 200],
    ["/admin", 421],
    ["/admin/v1/users/1", 421],
    ["/oauth/receipts/x", 401],
    ["/includes/api.php", 405],
  ]) {
    assert.equal((await signet.fetch(path)).status, status, path);
  }
  assert.equal(origin.requests, before);
});

test("without a session the origin gets no identity; with one it gets the user and an assertion that verifies", async () => {
  const { headers: nobody } = await passed("/");
  assert.ok(!Object.keys(nobody).some((name) => name.includes("signet")), JSON.stringify(nobody));
  const cookie = await session();
  const { headers: alice } = await passed("/", { headers: cookie });
  assert.equal(alice["x-signet-user"], "alice");
  assert.equal(alice.cookie, undefined, "Signet's cookie is not for the origin");
  const keys = createRemoteJWKSet(new URL(`${signet.issuer}/.well-known/jwks.json`));
  const { payload, protectedHeader } = await jwtVerify(alice["x-signet-assertion"], keys, {
    issuer: signet.issuer,
    audience: `${signet.issuer}/`,
    subject: "alice",
    typ: "assertion+jwt",
    algorithms: ["ES256"],
    maxTokenAge: 65,
  });
  assert.deepEqual(protectedHeader, { alg: "ES256", typ: "assertion+jwt", kid: "k1" });
  const { session_id } = await (await signet.fetch("/oauth/session", { headers: cookie })).json();
  assert.deepEqual([payload.sid, payload.client_id, payload.exp - payload.iat], [session_id, set.client_id, 65]);
});

test("CVE-2026-40575: no identity that a client sends reaches the origin, in any spelling, with or without a session", async () => {
  const cookie = await session();
  for (const name of [
    "X-Signet-User",
    "x-signet-user",
    "X_Signet_User",
    "X_SIGNET_USER",
    "X-Signet_User",
    "X-Signet-Assertion",
    "X_Signet_Assertion",
    "X-Signet-Session",
    "X-Signet-Expires",
    "X-Signet-Anything",
  ]) {
    for (const headers of [
      [[name, "mallory"]],
      [
        [name, "mallory"],
        [name, "mallory"],
      ],
      [
        [name, "mallory"],
        ["Connection", name],
      ],
    ]) {
      for (const [user, more] of [
        [undefined, []],
        ["alice", Object.entries(cookie)],
      ]) {
        const { headers: seen } = await passed("/", { headers: [...headers, ...more] });
        assert.ok(!JSON.stringify(seen).includes("mallory"), `${name}: ${JSON.stringify(seen)}`);
        assert.equal(seen["x-signet-user"], user, name);
      }
    }
  }
  const named = await passed("/", { headers: { ...cookie, Connection: "close, X-Signet-User, X-Signet-Assertion" } });
  assert.equal(named.headers["x-signet-user"], "alice", "a hop-by-hop name takes nothing away");
});

test("a client cannot set the site's name or protocol", async () => {
  const headers = { "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", Host: "evil.example" };
  const { headers: seen } = await passed("/", { headers });
  assert.deepEqual([seen["x-forwarded-host"], seen["x-forwarded-proto"]], [new URL(signet.issuer).host, "http"]);
  assert.equal(seen.host, new URL(origin.url).host);
});

test("PROTECTED_PATHS: without a session no request passes, however the path is written", async () => {
  const cookie = await session();
  const before = origin.requests;
  for (const path of [
    "/billing/",
    "/billing",
    "/billing/x?y",
    "/clientarea.php",
    "/clientarea.php?action=invoices",
    "/CLIENTAREA.PHP",
    "/%62illing/x",
    "/%2562illing/x",
    "/public/..%2fbilling/",
    "//billing/",
    "/./billing/",
    "/public/%2e%2e/billing/",
    "/billing;a/x",
    "/%5cbilling/",
    "/index.php/billing/x",
    "/index.php?rp=/billing/x",
    "/?a=b&rp=%2Fbilling/x",
    "/%u0062illing/x",
    "/%c1%a2illing/x",
    "/public/..%c0%afbilling/",
  ]) {
    for (const method of ["GET", "POST", "OPTIONS", "DELETE"]) {
      const response = await signet.fetch(path, {
        method,
        headers: { ...json, "X-Forwarded-Uri": "/public", "X-Original-URL": "/public" },
      });
      assert.equal(response.status, 401, `${method} ${path}`);
      assert.equal((await response.json()).error, "invalid_session");
    }
  }
  assert.equal(origin.requests, before, "the origin was never asked");
  assert.equal((await signet.fetch("/billing/x", { headers: cookie })).status, 200);
  for (const open of ["/billings", "/index.php", "/index.php?page=billing", "/?x=/public/"])
    assert.equal((await signet.fetch(open)).status, 200, open);
  const page = await signet.fetch("/billing/", { headers: { Accept: "text/html" } });
  assert.match(await page.text(), /Please sign in/);
});

test("LOGIN_URL: a browser that opens a protected page is redirected there, other calls are not", async () => {
  const vars = { ORIGIN_URL: origin.url, PROTECTED_PATHS: ["/billing/"], LOGIN_URL: "https://panel.example/login?x=1" };
  const other = await startSignet({ vars });
  try {
    const page = await other.fetch("/billing/", { headers: { Accept: "text/html" } });
    assert.deepEqual([page.status, page.headers.get("location")], [302, "https://panel.example/login?x=1"]);
    assert.equal(page.headers.get("cache-control"), "no-store");
    for (const init of [
      { headers: json },
      { method: "POST", headers: { Accept: "text/html" } },
      { headers: { Accept: "text/html", "Sec-Fetch-Mode": "cors" } },
    ]) {
      const response = await other.fetch("/billing/", init);
      assert.deepEqual(
        [response.status, response.headers.get("www-authenticate")],
        [401, 'Signet realm="signet"'],
        JSON.stringify(init),
      );
      if (init.headers === json) assert.equal((await response.json()).login_url, "https://panel.example/login?x=1");
    }
  } finally {
    await other.close();
  }
});

test("redirects, cookies, statuses and errors of the origin pass unchanged", async () => {
  const redirect = await signet.fetch("/redirect");
  assert.deepEqual(
    [redirect.status, redirect.headers.get("location"), redirect.headers.get("x-own")],
    [302, "https://elsewhere.example/?a=b", "kept"],
  );
  assert.deepEqual((await signet.fetch("/cookies")).headers.getSetCookie(), ["a=1; Path=/", "b=2; HttpOnly"]);
  const error = await signet.fetch("/error");
  assert.deepEqual(
    [error.status, error.headers.get("retry-after"), await error.text()],
    [503, "7", "the origin's own"],
  );
  assert.deepEqual([(await signet.fetch("/teapot")).status], [418]);
  for (const header of ["content-security-policy", "x-frame-options", "cache-control"]) {
    assert.equal(error.headers.get(header), null, `${header} is the origin's to set`);
  }
});

test("compressed answers pass unchanged", async () => {
  const gzip = await rawGet("/gzip", { "Accept-Encoding": "gzip" });
  assert.deepEqual([gzip.headers["content-encoding"], gunzipSync(gzip.body).toString()], ["gzip", "squeezed"]);
  const { headers } = await passed("/", { headers: { "Accept-Encoding": "gzip, br" } });
  assert.match(headers["accept-encoding"], /gzip/);
});

/** A GET whose body is not decoded. */
async function rawGet(path, headers) {
  const [response] = await once(httpRequest(signet.issuer + path, { headers }).end(), "response");
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { headers: response.headers, body: Buffer.concat(chunks) };
}

test("large bodies pass both ways, beyond the limit of Signet's own routes", async () => {
  const response = await signet.fetch("/large", { headers: await session() });
  assert.equal((await response.arrayBuffer()).byteLength, LARGE);
  const sent = await signet.fetch("/length", { method: "POST", body: Buffer.alloc(LARGE, "y") });
  assert.equal(await sent.text(), String(LARGE));
});

test("a stream passes part by part: the origin sends the last part after the client has the first", {
  timeout: 60_000,
}, async () => {
  const [response] = await once(httpRequest(`${signet.issuer}/stream`).end(), "response");
  let text = "";
  for await (const part of response) {
    text += part;
    if (text === "data: first\n\n") endStream();
  }
  assert.equal(text, "data: first\n\ndata: last\n\n");
});

test("an origin that does not answer is 502 with a request id, and the next request is served", async () => {
  for (const [path, headers, type] of [
    ["/hangs-up", json, /json/],
    ["/hangs-up", {}, /html/],
    ["/unreachable", json, /json/],
  ]) {
    const response = await signet.fetch(path, { headers });
    const id = response.headers.get("x-request-id");
    assert.equal(response.status, 502, path);
    assert.match(id, /^[0-9a-f]{16}$/);
    assert.match(response.headers.get("content-type"), type);
    assert.match(response.headers.get("content-security-policy"), /frame-ancestors 'none'/);
    const line = JSON.parse((await signet.logged(id)).message);
    assert.deepEqual([line.event, line.outcome, line.reason], ["client_area", "failed", "origin"]);
  }
  assert.equal((await signet.fetch("/teapot")).status, 418);
});

test("an origin that is down is 502", async () => {
  const other = await startSignet({ vars: { ORIGIN_URL: `http://127.0.0.1:${await freePort()}` } });
  try {
    for (const init of [{}, { method: "POST", body: "lost" }]) assert.equal((await other.fetch("/", init)).status, 502);
    assert.equal((await other.fetch("/healthz")).status, 200);
  } finally {
    await other.close();
  }
});

test("an ended session has no identity at once; when its object does not answer, nothing is forwarded", async () => {
  const cookie = await session();
  assert.equal((await passed("/", { headers: cookie })).headers["x-signet-user"], "alice");
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  const before = origin.requests;
  assert.equal((await signet.fetch("/", { headers: cookie })).status, 503);
  await signet.faults.set([]);
  assert.equal(origin.requests, before);
  await signet.fetch("/oauth/logout", { method: "POST", headers: cookie });
  assert.equal((await passed("/", { headers: cookie })).headers["x-signet-user"], undefined);
});

test("without ORIGIN_URL, other paths are 404", async () => {
  const other = await startSignet();
  try {
    for (const path of ["/", "/clientarea.php"]) assert.equal((await other.fetch(path)).status, 404, path);
  } finally {
    await other.close();
  }
});
