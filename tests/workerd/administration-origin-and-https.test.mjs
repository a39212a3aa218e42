// Administration answers on one origin only. Where the issuer is https, requests by http are refused.

import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { after, before, test } from "node:test";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  cookieOf,
  createSet,
  csrfTokenIn,
  getToken,
  json,
  openLink,
  putUser,
  signIn,
} from "../support/workflow.mjs";

const HTTPS_REQUIRED = "Signet answers by https only. Nothing of this request was read.";
const JTI = "AAAAAAAAAAAAAAAAAAAAAA";
let origin;

before(async () => {
  origin = await startOrigin();
});
after(() => origin.close());

/** What stores and objects a request may have asked, and what reached the client area. */
async function assertNothingAsked(signet, act) {
  await signet.ops.reset();
  const before = origin.requests;
  await act();
  for (const [name, count] of Object.entries(await signet.ops.read())) assert.equal(count, 0, name);
  assert.equal(origin.requests, before);
}

test("attack 103, ASVS 3.5.4, RFC 9110 section 15.5.20: in gateway mode administration answers at CONSOLE_ORIGIN and nowhere else", async () => {
  const signet = await startSignet({ vars: { ORIGIN_URL: origin.url }, limit: 1 });
  const hosts = [
    new URL(signet.issuer).host,
    "evil.example",
    new URL(signet.consoleOrigin).hostname,
    new URL(signet.issuer).host.replace("localhost", "127.0.0.1"),
  ];
  const attempt = (token) => ({ ...bearer(token), "CF-Connecting-IP": "192.0.2.1" });
  try {
    await putUser(signet, "1");
    await assertNothingAsked(signet, async () => {
      for (const Host of hosts) {
        for (const token of [signet.adminToken, "wrong"]) {
          for (const [method, path] of [
            ["GET", "/admin/v1/users/1"],
            ["DELETE", "/admin/v1/users/1"],
            ["POST", "/admin/v1/import"],
            ["GET", "/admin/v1/nowhere"],
          ]) {
            const response = await signet.fetch(path, { method, headers: { ...attempt(token), Host } });
            assert.equal(response.status, 421, `${method} ${Host}${path}`);
            assert.equal(response.headers.get("content-type"), "application/problem+json");
            const { title, status, detail } = await response.json();
            assert.deepEqual(
              [title, status, detail],
              ["Misdirected Request", 421, `Administration is at ${signet.consoleOrigin}.`],
            );
          }
          const form = {
            method: "POST",
            headers: { Host, "CF-Connecting-IP": "192.0.2.1" },
            body: new URLSearchParams({ admin_token: token }),
          };
          for (const [path, init] of [
            ["/admin", { headers: { Host } }],
            ["/admin/users/1", { headers: { Host } }],
            ["/admin/sign-in", form],
          ]) {
            const response = await signet.fetch(path, init);
            const page = await response.text();
            assert.deepEqual([response.status, response.headers.get("set-cookie")], [421, null], `${Host}${path}`);
            assert.ok(page.includes(`href="${signet.consoleOrigin}/admin"`), page);
          }
        }
      }
    });
    const line = JSON.parse((await signet.logged("misdirected_request")).message);
    assert.deepEqual([line.event, line.outcome], ["admin", "denied"]);
    // The wrong tokens above were not counted: the limit of one is not reached by the first that is judged.
    const Host = new URL(signet.consoleOrigin).host;
    assert.equal((await signet.fetch("/admin/v1/users/1", { headers: { ...attempt("wrong"), Host } })).status, 401);
    assert.equal((await signet.admin("GET", "/users/1")).status, 200);
  } finally {
    await signet.close();
  }
});

test("the console works at CONSOLE_ORIGIN: every redirect stays there, and the issuer's pages are another origin", async () => {
  const signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  const Host = new URL(signet.consoleOrigin).host;
  const show = (path, init = {}) => signet.fetch(path, { ...init, headers: { Host, ...init.headers } });
  try {
    await putUser(signet, "1");
    const body = new URLSearchParams({ admin_token: signet.adminToken, then: "/admin/users/1" });
    const entered = await show("/admin/sign-in", { method: "POST", body });
    const cookie = cookieOf(entered);
    assert.match(
      entered.headers.get("set-cookie"),
      /^__Host-signet-admin=[^;]+; Path=\/; Secure; HttpOnly; SameSite=Strict/,
    );
    const csrf_token = csrfTokenIn(await (await show("/admin/users/1", { headers: cookie })).text());
    const save = (headers) =>
      show("/admin/users/1", {
        method: "POST",
        headers: { ...cookie, ...headers },
        body: new URLSearchParams({ action: "end_sessions", csrf_token }),
      });
    assert.equal((await save({ Origin: signet.issuer })).status, 403);
    for (const response of [
      entered,
      await show("/admin/sign-in?then=%2Fadmin", { headers: cookie }),
      await show("/admin/users?user_id=1", { headers: cookie }),
      await save({ Origin: signet.consoleOrigin }),
      await show("/admin/sign-out", { method: "POST", headers: cookie, body: new URLSearchParams({ csrf_token }) }),
    ]) {
      assert.equal(response.status, 303);
      assert.ok(
        response.headers.get("location").startsWith(`${signet.consoleOrigin}/admin`),
        response.headers.get("location"),
      );
    }
  } finally {
    await signet.close();
  }
});

test("attack 103, ASVS 3.5.4: the host of administration serves no page of the client area, with or without a session", async () => {
  const signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  try {
    await putUser(signet, "1");
    const session = await signIn(signet, await createSet(signet, { user_id: "1" }));
    await assertNothingAsked(signet, async () => {
      for (const Host of [
        new URL(signet.consoleOrigin).host,
        new URL(signet.consoleOrigin).hostname,
        `${new URL(signet.consoleOrigin).hostname}:1`,
      ]) {
        for (const path of ["/", "/sw.js", "/adminx", "/%61dmin", "//admin", "/admin%2fv1"]) {
          for (const [method, headers] of [
            ["GET", {}],
            ["GET", session],
            ["POST", session],
            ["GET", { Connection: "Upgrade", Upgrade: "websocket" }],
          ]) {
            const response = await signet.fetch(path, { method, headers: { Host, ...headers } });
            assert.equal(response.status, 404, `${method} ${Host}${path}`);
          }
        }
      }
    });
    assert.equal((await signet.fetch("/sw.js", { headers: session })).status, 200);
  } finally {
    await signet.close();
  }
});

test("attack 103: in gateway mode administration is disabled until CONSOLE_ORIGIN is set, and its answers say so", async () => {
  const signet = await startSignet({ vars: { ORIGIN_URL: origin.url, CONSOLE_ORIGIN: null } });
  try {
    assert.equal((await signet.fetch("/healthz")).status, 200);
    for (const Host of [new URL(signet.issuer).host, new URL(signet.consoleOrigin).host]) {
      const page = await signet.fetch("/admin", { headers: { Host } });
      assert.equal(page.status, 421);
      assert.match(await page.text(), /Administration is off\. Set CONSOLE_ORIGIN/);
      const api = await signet.fetch("/admin/v1/users/1", {
        headers: { Host, ...bearer(signet.adminToken) },
      });
      assert.equal(api.status, 421);
      assert.match((await api.json()).detail, /Set CONSOLE_ORIGIN/);
    }
  } finally {
    await signet.close();
  }
});

test("without gateway mode administration answers at the issuer, and at no other name of the Worker", async () => {
  const signet = await startSignet();
  try {
    for (const [Host, status] of [
      [new URL(signet.issuer).host, 401],
      ["signet.example.workers.dev", 421],
      [new URL(signet.issuer).hostname, 421],
    ]) {
      assert.equal((await signet.fetch("/admin/v1/users/1", { headers: { Host } })).status, status, Host);
      assert.equal((await signet.fetch("/admin", { headers: { Host } })).status, status, Host);
    }
  } finally {
    await signet.close();
  }
});

test("attack 109, ASVS 12.2.1: where the issuer is https, requests by http are refused without reading a secret, a token, a body or storage", async () => {
  const vars = {
    ISSUER: "https://sso.example",
    ORIGIN_URL: origin.url,
    CONSOLE_ORIGIN: "https://console.example",
    PROTECTED_PATHS: ["/billing/"],
  };
  const signet = await startSignet({ vars, limit: 1 });
  const byHttp = { "X-Test-By-Http": "1", Host: "sso.example", "CF-Connecting-IP": "192.0.2.1" };
  try {
    await putUser(signet, "1");
    const set = await createSet(signet, { user_id: "1" });
    const token = await getToken(signet, set);
    const session = cookieOf(await openLink(signet, await getToken(signet, set)));
    const { body: api } = await signet.admin("POST", "/api-credentials", {
      name: "P",
      actions: ["ListOAuthCredentials"],
    });
    const form = (fields) => ({ method: "POST", body: new URLSearchParams(fields) });
    const authorization = bearer(signet.adminToken);
    const refused = [
      ["/oauth/token", { ...form({ grant_type: "single_sign_on" }), headers: basic(set) }],
      [
        "/oauth/token.php",
        form({ grant_type: "single_sign_on", client_id: set.client_id, client_secret: set.client_secret }),
      ],
      ["/oauth/revoke", { ...form({ token }), headers: basic(set) }],
      ["/oauth/introspect", { ...form({ token }), headers: basic(set) }],
      [`/oauth/receipts/${JTI}`, { headers: basic(set) }],
      ["/oauth/session", { headers: session }],
      ["/oauth/session", { headers: { ...session, Accept: "text/html", "Sec-Fetch-Mode": "navigate" } }],
      ["/.well-known/oauth-authorization-server", {}],
      ["/.well-known/jwks.json", {}],
      ["/openapi.json", {}],
      ["/includes/api.php", form({ identifier: api.identifier, secret: api.secret, action: "ListOAuthCredentials" })],
      ["/admin/v1/users/1", { headers: authorization }],
      ["/admin/v1/users/1", { method: "DELETE", headers: authorization }],
      [
        "/admin/v1/import",
        { method: "POST", headers: { ...authorization, "Content-Type": "application/x-ndjson" }, body: "{}" },
      ],
      ["/admin/sign-in", form({ admin_token: signet.adminToken })],
      ["/oauth/singlesignon", form({ access_token: token })],
      ["/oauth/logout", { ...form({}), headers: session }],
      ["/account/security", { ...form({ action: "end_other_sessions" }), headers: session }],
      ["/upload", { method: "POST", headers: session, body: "private" }],
      ["/billing/x", { method: "PUT", headers: session, body: "private" }],
      ["/socket", { headers: { ...session, Connection: "Upgrade", Upgrade: "websocket" } }],
      [
        "/oauth/token",
        { ...form({ grant_type: "single_sign_on" }), headers: { Authorization: "Basic d3Jvbmc6d3Jvbmc=" } },
      ],
    ];
    const redirected = [
      [`/oauth/singlesignon?access_token=${token}&scope=clientarea%3Ainvoices`, "https://sso.example"],
      ["/oauth/singlesignon.php?access_token=x", "https://sso.example"],
      ["/oauth/logout?return_to=a", "https://sso.example"],
      ["/account/security", "https://sso.example"],
      ["/", "https://sso.example"],
      ["/billing/x?a=b&c=%2f", "https://sso.example"],
      ["//evil.example/x", "https://sso.example"],
      ["/admin", "https://console.example"],
      ["/admin/users/1?x=y", "https://console.example"],
    ];
    await assertNothingAsked(signet, async () => {
      for (const [path, { headers, ...init }] of refused) {
        const response = await signet.fetch(path, { ...init, headers: { ...json, ...byHttp, ...headers } });
        const label = `${init.method ?? "GET"} ${path}`;
        const text = await response.text();
        assert.equal(response.status, 403, label);
        assert.equal(response.headers.get("set-cookie"), null, label);
        assert.ok(text.includes(HTTPS_REQUIRED), `${label}: ${text}`);
      }
      for (const [path, to] of redirected) {
        for (const method of path.includes("singlesignon") ? ["GET"] : ["GET", "HEAD"]) {
          const response = await signet.fetch(path, {
            method,
            headers: { ...byHttp, ...session, Accept: "text/html" },
          });
          assert.deepEqual([response.status, response.headers.get("location")], [308, to + path], `${method} ${path}`);
          assert.deepEqual(
            [response.headers.get("cache-control"), response.headers.get("strict-transport-security")],
            ["no-store", null],
          );
        }
      }
    });
    for (const [path, type] of [
      ["/oauth/token", "application/json"],
      ["/includes/api.php", "application/json"],
      ["/admin/v1/users/1", "application/problem+json"],
      ["/account/security", "text/html; charset=utf-8"],
    ]) {
      const response = await signet.fetch(path, { method: "POST", headers: byHttp, body: "x" });
      assert.deepEqual([response.status, response.headers.get("content-type")], [403, type], path);
      if (type.startsWith("text/html")) assert.match(await response.text(), /<h1>Use https<\/h1>/);
    }
    assert.equal((await signet.fetch("/healthz", { headers: byHttp })).status, 200);
    assert.equal((await openLink(signet, token)).status, 302, "the token was not spent");
    assert.equal((await signet.fetch("/oauth/session", { headers: session })).status, 200, "the session continues");
  } finally {
    await signet.close();
  }
});

test("attack 109, ASVS 12.2.1: a request by http is refused before its body arrives", { timeout: 60_000 }, async () => {
  const signet = await startSignet({ vars: { ISSUER: "https://sso.example" } });
  try {
    for (const path of ["/oauth/token", "/admin/v1/import"]) {
      const headers = {
        "X-Test-By-Http": "1",
        "Content-Length": 1_000,
        "Content-Type": "application/x-www-form-urlencoded",
      };
      const outgoing = httpRequest(`${signet.issuer}${path}`, { method: "POST", headers });
      outgoing.on("error", () => {});
      outgoing.write("grant_type=");
      const [response] = await once(outgoing, "response");
      assert.equal(response.statusCode, 403, path);
      outgoing.destroy();
    }
  } finally {
    await signet.close();
  }
});
