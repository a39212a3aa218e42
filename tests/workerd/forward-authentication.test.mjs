// Forward authentication: Signet tells a proxy who is signed in. It sends identity headers and never trusts incoming
// ones.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { docBlock } from "../support/docs.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  cookieOf,
  createSet,
  csrfTokenIn,
  getToken,
  json,
  openLink,
  postForm,
  putUser,
  signIn,
} from "../support/workflow.mjs";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
let signet, withLogin, set;

before(async () => {
  signet = await startSignet();
  withLogin = await startSignet({ vars: { LOGIN_URL: "https://panel.example/login" } });
  await putUser(signet, "alice");
  await putUser(signet, "mallory");
  set = await createSet(signet, { delegated: true });
});
after(async () => {
  await signet.close();
  await withLogin.close();
});

const session = () => signIn(signet, set, { form: { user_id: "alice" } });

test("whatever method a proxy calls with or forwards, the answer is the session's headers", async () => {
  const cookie = await session();
  const { session_id, expires_at } = await (await signet.fetch("/oauth/session", { headers: cookie })).json();
  for (const method of METHODS) {
    for (const forwarded of METHODS) {
      const headers = { ...cookie, "X-Forwarded-Method": forwarded, "X-Forwarded-Uri": "/billing/" };
      const response = await signet.fetch("/oauth/session", { method, headers });
      const identity = ["user", "session", "expires"].map((name) => response.headers.get(`x-signet-${name}`));
      assert.deepEqual(
        [response.status, ...identity],
        [200, "alice", session_id, String(expires_at)],
        `${method}, ${forwarded}`,
      );
      assert.equal(response.headers.get("cache-control"), "no-store");
    }
  }
});

test("without a session every method is 401, names nobody, and costs nothing", async () => {
  await signet.ops.reset();
  for (const method of METHODS) {
    const response = await signet.fetch("/oauth/session", { method, headers: { "X-Forwarded-Method": "OPTIONS" } });
    assert.deepEqual(
      [response.status, response.headers.get("www-authenticate")],
      [401, 'Signet realm="signet"'],
      method,
    );
    assert.ok(![...response.headers.keys()].some((name) => name.startsWith("x-signet-")), method);
  }
  assert.ok(Object.values(await signet.ops.read()).every((count) => count === 0));
});

test("LOGIN_URL: a browser that opens a page is sent there, everything else is 401", async () => {
  const page = { Accept: "text/html,application/xhtml+xml" };
  for (const [init, status] of [
    [{ headers: page }, 302],
    [{ headers: { "Sec-Fetch-Mode": "navigate" } }, 302],
    [{ headers: { ...page, "X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/billing/" } }, 302],
    [{ headers: { ...page, Cookie: "__Host-signet=x" } }, 302],
    [{ headers: { ...page, "X-Forwarded-Method": "POST" } }, 401],
    [{ headers: { ...page, "Sec-Fetch-Mode": "cors" } }, 401],
    [{ headers: page, method: "POST" }, 401],
    [{ headers: json }, 401],
    [{}, 401],
  ]) {
    const response = await withLogin.fetch("/oauth/session", init);
    assert.equal(response.status, status, JSON.stringify(init));
    assert.equal(response.headers.get("location"), status === 302 ? "https://panel.example/login" : null);
    const without = await signet.fetch("/oauth/session", init);
    assert.equal(without.status, 401, "without the setting");
    assert.equal((await without.json()).login_url, undefined);
    if (status === 401) {
      const { error, login_url } = await response.json();
      assert.deepEqual([error, login_url], ["invalid_session", "https://panel.example/login"], "the answer names it");
    }
  }
});

test("the documented middleware lets users pass and sends others to LOGIN_URL", async () => {
  await putUser(withLogin, "alice");
  const alice = await signIn(withLogin, await createSet(withLogin, { user_id: "alice" }));
  const middleware = async ({ issuer }) => {
    const source = docBlock("docs/client-area.md#ask-signet").replace("https://my.example.com", issuer);
    return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).signedIn;
  };
  const outcomeOf = async (site, headers) => {
    const request = { headers };
    const outcome = {};
    const response = { redirect: (url) => (outcome.redirect = url), sendStatus: (status) => (outcome.status = status) };
    await (await middleware(site))(request, response, () => (outcome.user = request.user));
    return outcome;
  };
  assert.deepEqual(await outcomeOf(withLogin, { cookie: alice.Cookie }), { user: "alice" });
  assert.deepEqual(await outcomeOf(withLogin, { cookie: "__Host-signet=x" }), {
    redirect: "https://panel.example/login",
  });
  assert.deepEqual(await outcomeOf(withLogin, {}), { redirect: "https://panel.example/login" });
  assert.deepEqual(await outcomeOf(signet, {}), { status: 401 });
});

test("LOGIN_URL: middleware that asks by fetch, which always sends Sec-Fetch-Mode: cors, learns where people sign in", async () => {
  for (const accept of ["*/*", "text/html", "application/json"]) {
    const response = await fetch(`${withLogin.issuer}/oauth/session`, {
      headers: { Accept: accept },
      redirect: "manual",
    });
    const { login_url } = await response.json();
    assert.deepEqual([response.status, login_url], [401, "https://panel.example/login"], accept);
  }
});

/** What a client may send to pass for somebody, or to be let by. */
const CLAIMS = {
  "X-Signet-User": "mallory",
  X_Signet_User: "mallory",
  "X-Signet-Session": "AAAAAAAAAAAAAAAAAAAAAA",
  "X-Signet-Expires": "9999999999",
  "X-Signet-Assertion": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYWxsb3J5In0.",
  "X-Forwarded-User": "mallory",
  "X-Forwarded-Email": "mallory@evil.example",
  "X-Auth-Request-User": "mallory",
  "Remote-User": "mallory",
  "X-Remote-User": "mallory",
  "X-Forwarded-Uri": "/healthz",
  "X-Forwarded-Method": "OPTIONS",
  "X-Forwarded-Host": "evil.example",
  "X-Original-URL": "/healthz",
  "X-Original-Method": "OPTIONS",
  "X-Rewrite-URL": "/healthz",
  "X-HTTP-Method-Override": "OPTIONS",
  Forwarded: "for=127.0.0.1;host=evil.example",
  "X-Real-IP": "127.0.0.1",
  "X-Forwarded-For": "127.0.0.1",
  "CF-Access-Authenticated-User-Email": "mallory@evil.example",
  Connection: "close, Cookie",
};

/** Every route of Signet, with a valid request except for its credentials. */
const ROUTES = [
  ["GET", "/oauth/session"],
  ["POST", "/oauth/logout"],
  ["GET", "/oauth/logout"],
  ["GET", "/account/security"],
  ["POST", "/account/security", { action: "disallow_sso" }],
  ["POST", "/oauth/token", { grant_type: "single_sign_on", user_id: "alice" }],
  ["POST", "/oauth/token.php", { grant_type: "single_sign_on" }],
  ["POST", "/oauth/revoke", { token: "x" }],
  ["POST", "/oauth/introspect", { token: "x" }],
  ["GET", "/oauth/receipts/AAAAAAAAAAAAAAAAAAAAAA"],
  ["GET", "/oauth/singlesignon?access_token=x"],
  ["GET", "/oauth/singlesignon.php"],
  ["POST", "/oauth/singlesignon", { access_token: "x" }],
  ["GET", "/admin/v1/users/alice"],
  ["DELETE", "/admin/v1/users/alice"],
  ["GET", "/admin/v1/credentials"],
  ["GET", "/.well-known/oauth-authorization-server"],
  ["GET", "/.well-known/jwks.json"],
  ["GET", "/healthz"],
  ["GET", "/clientarea.php"],
  ["POST", "/includes/api.php", { action: "CreateSsoToken", client_id: "alice", identifier: "x", secret: "y" }],
];

/** The answer, except what differs from one request to the next. */
async function essence(response) {
  const headers = [...response.headers].filter(([name]) => !["x-request-id", "date"].includes(name));
  return JSON.stringify([response.status, headers.sort(), await response.text()]);
}

test("CVE-2026-40575, CVE-2025-64484: no route trusts an identity, an address or a method in a client's header", async () => {
  for (const [method, path, form] of ROUTES) {
    const ask = async (headers) => {
      const body = form && new URLSearchParams(form);
      return essence(await signet.fetch(path, { method, headers: [["Accept", "application/json"], ...headers], body }));
    };
    const honest = await ask([]);
    for (const [name, value] of Object.entries(CLAIMS)) {
      assert.equal(await ask([[name, value]]), honest, `${method} ${path} with ${name}`);
      assert.equal(
        await ask([
          [name, value],
          [name, value],
        ]),
        honest,
        `${method} ${path} with ${name} twice`,
      );
    }
    assert.equal(await ask(Object.entries(CLAIMS)), honest, `${method} ${path} with all of them`);
    assert.ok(!honest.includes("mallory"));
  }
  assert.equal((await signet.admin("GET", "/users/alice")).body.sso, true);
});

test("with a session, the user stays who the cookie says", async () => {
  const cookie = await session();
  const headers = [...Object.entries(cookie), ...Object.entries(CLAIMS).filter(([name]) => name !== "Connection")];
  const response = await signet.fetch("/oauth/session", { headers });
  assert.deepEqual([response.status, response.headers.get("x-signet-user")], [200, "alice"]);
  assert.equal((await response.json()).user_id, "alice");
  const page = await (await signet.fetch("/account/security", { headers })).text();
  assert.ok(page.includes("alice") && !page.includes("mallory"));
});

test("a replay is recognized by the address that Cloudflare saw, not by one that a client names", async () => {
  const token = await getToken(signet, set, { user_id: "alice" });
  const here = { "User-Agent": "UA/1" };
  const cookie = cookieOf(await openLink(signet, token, { headers: here }));
  assert.equal((await openLink(signet, token, { headers: { ...here, "X-Forwarded-For": "203.0.113.9" } })).status, 401);
  assert.equal((await signet.fetch("/oauth/session", { headers: cookie })).status, 200, "the session lives on");
});

test("RFC 8725 section 3.12: nothing that Signet signs passes for anything else that it signs", async () => {
  const cookie = await session();
  const token = await getToken(signet, set, { user_id: "alice" });
  const value = cookie.Cookie.split("=")[1];
  const page = await (await signet.fetch("/account/security", { headers: cookie })).text();
  const proof = csrfTokenIn(page);
  for (const other of [token, proof]) {
    assert.equal((await signet.fetch("/oauth/session", { headers: { Cookie: `__Host-signet=${other}` } })).status, 401);
  }
  for (const other of [value, proof]) {
    assert.equal((await openLink(signet, other)).status, 401);
    const asked = await postForm(signet, "/oauth/introspect", { token: other }, basic(set));
    assert.equal(await asked.text(), '{"active":false}');
  }
  for (const other of [value, token]) {
    const form = new URLSearchParams({ action: "disallow_sso", csrf_token: other });
    assert.equal(
      (await signet.fetch("/account/security", { method: "POST", headers: cookie, body: form })).status,
      403,
    );
  }
});
