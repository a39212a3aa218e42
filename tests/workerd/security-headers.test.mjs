// The security headers of every answer, and secrets in no log line.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { basic, bearer, cookieOf, createSet, getToken, openLink, putUser, whoIs } from "../support/workflow.mjs";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

const PATHS = [
  "/",
  "/oauth/token",
  "/oauth/token.php",
  "/oauth/singlesignon",
  "/oauth/singlesignon.php?access_token=x",
  "/oauth/session",
  "/oauth/logout",
  "/oauth/revoke",
  "/oauth/introspect",
  "/oauth/receipts/x",
  "/account/security",
  "/includes/api.php",
  "/healthz",
  "/admin/v1/users/1",
  "/admin/v1/api-credentials",
  "/admin/v1/credentials",
  "/admin/v1/import",
  "/admin/v1/nowhere",
  "/admin",
  "/admin/users/1",
  "/admin/sign-in",
  "/admin/nowhere",
  "/nowhere",
  "/oauth/",
  "/%00",
  "/..%2f..%2fetc",
];
/** Pages with forms, at addresses without secrets, let the browser send the origin of a form. */
const referrerPolicy = (path, { status, headers }) => {
  const isConsole =
    /^\/admin(?!\/v1)/.test(path) && status !== 405 && headers.get("content-type").startsWith("text/html");
  return isConsole || (path === "/oauth/logout" && status === 200) ? "same-origin" : "no-referrer";
};
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

test("RFC 9110, Fetch, CSP: every path and method answers below 500 with the security headers, and no CORS", async () => {
  for (const path of PATHS) {
    for (const method of METHODS) {
      for (const accept of ["application/json", "text/html"]) {
        const headers = { Accept: accept, Origin: "https://evil.example", "X-Echo": "canary" };
        const response = await signet.fetch(path, { method, headers });
        const label = `${method} ${path}`;
        assert.ok(response.status < 500, `${label}: ${response.status}`);
        assert.equal(response.headers.get("x-content-type-options"), "nosniff", label);
        assert.equal(response.headers.get("cache-control"), "no-store", label);
        assert.equal(response.headers.get("referrer-policy"), referrerPolicy(path, response), label);
        assert.match(
          response.headers.get("content-security-policy"),
          /default-src 'none'.*frame-ancestors 'none'/,
          label,
        );
        for (const name of ["cross-origin-opener-policy", "cross-origin-resource-policy"])
          assert.equal(response.headers.get(name), "same-origin", label);
        assert.match(response.headers.get("x-request-id"), /^[0-9a-f]{16}$/, label);
        for (const [name, value] of response.headers) {
          assert.ok(!name.startsWith("access-control-"), `${label}: ${name}`);
          assert.ok(!value.includes("canary"), label);
        }
        assert.equal(response.headers.get("strict-transport-security"), null, "plain http");
        if (method === "HEAD") assert.equal(await response.text(), "");
        else assert.ok(!(await response.text()).includes("canary"), label);
      }
    }
  }
});

test("RFC 6797 sections 6.1.2, 7.2, 8.3: HSTS only by https, for subdomains only with HSTS_INCLUDE_SUBDOMAINS, and never on localhost", async () => {
  for (const [vars, Host, policy] of [
    [{ ISSUER: "https://sso.example" }, "sso.example", "max-age=63072000"],
    [
      { ISSUER: "https://sso.example", HSTS_INCLUDE_SUBDOMAINS: "true" },
      "sso.example",
      "max-age=63072000; includeSubDomains",
    ],
    [{ ISSUER: "https://sso.example", HSTS_INCLUDE_SUBDOMAINS: "true" }, "localhost", null],
    [{ ISSUER: "https://sso.localhost" }, "sso.localhost", null],
    [{ ISSUER: "https://localhost" }, "signet.example.workers.dev", null],
  ]) {
    const https = await startSignet({ vars });
    try {
      for (const path of PATHS) {
        const response = await https.fetch(path, { headers: { Host } });
        assert.equal(response.headers.get("strict-transport-security"), policy, `${Host}${path}`);
        const plain = await https.fetch(path, { headers: { Host, "X-Test-By-Http": "1" } });
        assert.equal(plain.headers.get("strict-transport-security"), null, `${Host}${path}`);
      }
    } finally {
      await https.close();
    }
  }
});

test("RFC 9700 section 4.2: no token, signature, secret or cookie is in the log, in KV or in an object", async () => {
  await putUser(signet, "1");
  const set = await createSet(signet, { user_id: "1" });
  const token = await getToken(signet, set);
  const cookie = cookieOf(await openLink(signet, token));
  await whoIs(signet, cookie);
  await openLink(signet, token, { headers: { "User-Agent": "elsewhere" } });
  await openLink(signet, `${token}x`);
  await signet.fetch(`/oauth/token?client_secret=${set.client_secret}`, { method: "POST", headers: basic(set) });
  await signet.ops.read();
  const kv = await signet.kv();
  const stored = await Promise.all((await kv.list()).keys.map(async ({ name }) => [name, await kv.get(name)]));
  const rows = [];
  for (const table of ["account", "token", "credential", "event"])
    rows.push(await signet.sql("1", `SELECT * FROM ${table}`));
  await signet.logged("token_used");
  const everything = JSON.stringify([signet.logs, stored, rows]);
  const value = cookie.Cookie.split("=")[1];
  for (const secret of [
    token,
    token.split(".")[2],
    value,
    value.split(".")[2],
    set.client_secret,
    signet.adminToken,
    signet.keys.slice(3),
  ]) {
    assert.ok(!everything.includes(secret), secret.slice(0, 8));
  }
});

test("one JSON line per decision, with its reason and without the token's id", async () => {
  await putUser(signet, "2", { status: "Closed" });
  const set = await createSet(signet, { user_id: "2" });
  const token = await getToken(signet, set);
  const response = await openLink(signet, token);
  const line = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
  const { jti_hash, ...rest } = line;
  assert.match(jti_hash, /^[0-9a-f]{16}$/);
  assert.deepEqual(rest, {
    event: "sso",
    outcome: "denied",
    reason: "closed",
    client_id: set.client_id,
    user_id: "2",
    request_id: response.headers.get("x-request-id"),
  });
});

/** Asserts what every answer carries, and that it repeats nothing of `canary`. */
async function assertSecured(response, label, canary) {
  assert.equal(response.headers.get("x-content-type-options"), "nosniff", label);
  assert.equal(response.headers.get("cache-control"), "no-store", label);
  assert.equal(response.headers.get("referrer-policy"), referrerPolicy(label.split(" ")[1], response), label);
  assert.match(response.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/, label);
  for (const name of ["cross-origin-opener-policy", "cross-origin-resource-policy"])
    assert.equal(response.headers.get(name), "same-origin", label);
  assert.equal(response.headers.get("access-control-allow-origin"), null, label);
  const all = (await response.text()) + JSON.stringify([...response.headers]);
  assert.ok(!all.includes(canary), label);
}

test("ASVS 3.4: answers to an administrator, and answers with an invalid configuration, have the security headers too", async () => {
  const broken = await startSignet({ vars: { SIGNING_KEYS: null } });
  try {
    const tail = [
      "/users/1",
      "/users/1/sessions",
      "/users/1/events",
      "/credentials",
      "/credentials/x/rotate",
      "/tokens/x",
      "/nowhere",
    ];
    const paths = [
      ...tail.map((path) => `/admin/v1${path}`),
      "/oauth/token",
      "/oauth/singlesignon",
      "/oauth/session",
      "/oauth/revoke",
      "/oauth/introspect",
      "/oauth/receipts/x",
      "/oauth/logout",
      "/account/security",
      "/includes/api.php",
      "/admin",
      "/admin/users/1",
      "/nowhere",
      "/healthz",
    ];
    for (const path of paths) {
      for (const method of METHODS) {
        for (const target of [signet, broken]) {
          const headers = { ...bearer(target.adminToken), Origin: "null", "X-Echo": "canary" };
          const response = await target.fetch(path, { method, headers });
          if (target === signet) assert.ok(response.status < 500, `${method} ${path}: ${response.status}`);
          await assertSecured(response, `${method} ${path}`, "canary");
        }
      }
    }
  } finally {
    await broken.close();
  }
});

test("RFC 9110 section 7.2: an invalid Host is 400, with the security headers", async () => {
  // The runtime itself stumbles over others, such as "a b", before Signet.
  for (const Host of ["9999999999999999", "[", "256.256.256.256", "x:y"]) {
    const response = await signet.fetch("/oauth/session", { headers: { Host } });
    assert.equal(response.status, 400, Host);
    await assertSecured(response, `GET /oauth/session ${Host}`, "canary");
    const { outcome, reason } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
    assert.deepEqual([outcome, reason], ["denied", "invalid_request"]);
  }
});

test("Fetch: a preflight from any origin is refused and allows nothing", async () => {
  for (const path of PATHS) {
    for (const Origin of ["https://evil.example", "null", signet.issuer]) {
      const headers = {
        Origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
      };
      const response = await signet.fetch(path, { method: "OPTIONS", headers });
      assert.ok(response.status >= 400, `${path}: ${response.status}`);
      assert.ok(![...response.headers.keys()].some((name) => name.startsWith("access-control-")), path);
    }
  }
});

test("RFC 9700 section 4.2: whatever fails, and wherever a secret is sent, no log line and no answer repeats it", async () => {
  await putUser(signet, "3");
  const set = await createSet(signet, { user_id: "3" });
  const { body: rotated } = await signet.admin("POST", `/credentials/${set.client_id}/rotate`, { overlap_seconds: 60 });
  const token = await getToken(signet, rotated);
  const cookie = cookieOf(await openLink(signet, await getToken(signet, set)));
  const value = cookie.Cookie.split("=")[1];
  const secrets = [
    token,
    token.split(".")[2],
    value,
    value.split(".")[2],
    set.client_secret,
    rotated.client_secret,
    signet.adminToken,
  ];
  const seen = signet.logs.length;
  let last;
  for (const secret of secrets) {
    for (const [method, path, init] of [
      ["GET", `/${secret}`],
      ["GET", `/oauth/singlesignon?access_token=${secret}&scope=${secret}`],
      ["POST", `/oauth/token?client_secret=${secret}`],
      ["GET", `/oauth/session?token=${secret}`],
      [
        "POST",
        "/oauth/token",
        { body: new URLSearchParams({ grant_type: secret, client_id: "x", client_secret: secret }) },
      ],
      ["POST", "/oauth/token", { headers: bearer(secret), body: new URLSearchParams({ a: "b" }) }],
      ["POST", "/oauth/singlesignon", { headers: { "Content-Type": secret }, body: secret }],
      ["GET", `/admin/v1/users/${secret}x.`],
      ["GET", "/admin/v1/users/3", { headers: { Authorization: `Bearer ${secret}x` } }],
      ["GET", "/oauth/session", { headers: { Cookie: `__Host-signet=${secret}x` } }],
    ]) {
      last = await signet.fetch(path, { method, ...init });
      assert.ok(last.status >= 400 && last.status < 500, `${method} ${path.slice(0, 30)}: ${last.status}`);
      assert.ok(!(await last.text()).includes(secret), `${method} ${path.slice(0, 30)}`);
    }
  }
  await signet.logged(last.headers.get("x-request-id"));
  const logs = JSON.stringify(signet.logs);
  assert.ok(signet.logs.length >= seen + secrets.length * 10, "each left its line");
  for (const secret of secrets) assert.ok(!logs.includes(secret), secret.slice(0, 8));
  assert.equal((await openLink(signet, token)).status, 302, "and the token was not spent");
});
