// Requests that no client would send: none gets a 5xx, and Signet works afterwards.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generator, seed } from "../support/random.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  claimsOf,
  cookieOf,
  createSet,
  csrfTokenAt,
  enterConsole,
  getToken,
  openLink,
  putUser,
  whoIs,
} from "../support/workflow.mjs";

/** How many requests; SIGNET_FUZZ asks for more. */
const REQUESTS = Number(process.env.SIGNET_FUZZ ?? 3_000);
/** How many are under way at once. */
const LANES = 4;
/** A token is valid for a minute, so each round makes new requests to mutate. */
const ROUND = 300;

let signet, bound, delegated;

before(async () => {
  signet = await startSignet({ vars: { CLIENT_AREA_URL: "https://my.example/billing/" } });
  await putUser(signet, "1", { services: [12], domains: [34] });
  await putUser(signet, "2");
  const scopes = ["clientarea:product_details", "clientarea:invoices", "sso:custom_redirect"];
  bound = await createSet(signet, { user_id: "1", scopes });
  delegated = await createSet(signet, { delegated: true, scopes });
});
after(() => signet.close());

/** Valid requests of every route, to be mutated: with tokens, cookies and ids that are live now. */
async function validRequests() {
  const form = { "Content-Type": "application/x-www-form-urlencoded" };
  const admin = { ...bearer(signet.adminToken), "Content-Type": "application/json" };
  const [spent, live, other] = [
    await getToken(signet, bound),
    await getToken(signet, bound),
    await getToken(signet, delegated, { user_id: "2", scope: "clientarea:invoices" }),
  ];
  const cookie = cookieOf(await openLink(signet, spent));
  const { jti } = claimsOf(live);
  const { body: scratch } = await signet.admin("POST", "/credentials", { name: "x", user_id: "2", scopes: [] });
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "x",
    actions: ["CreateSsoToken", "ListOAuthCredentials", "CreateOAuthCredential", "UpdateOAuthCredential"],
  });
  const operator = await enterConsole(signet);
  const csrf_token = await csrfTokenAt(signet, "/admin/users/2", operator);
  const get = (path, headers = {}) => ({ method: "GET", path, headers, body: "" });
  const post = (path, headers, body) => ({ method: "POST", path, headers, body });
  const manage = (method, path, body) => ({
    method,
    path: `/admin/v1${path}`,
    headers: admin,
    body: body ? JSON.stringify(body) : "",
  });
  return [
    post("/oauth/token", { ...basic(bound), ...form }, "grant_type=single_sign_on&scope=clientarea:invoices"),
    post("/oauth/token.php", { ...basic(delegated), ...form }, "grant_type=single_sign_on&user_id=2"),
    post(
      "/oauth/token",
      form,
      `grant_type=single_sign_on&client_id=${bound.client_id}&client_secret=${encodeURIComponent(bound.client_secret)}&service_id=12`,
    ),
    get(`/oauth/singlesignon?access_token=${live}&scope=clientarea:invoices`),
    get(`/oauth/singlesignon?access_token=${other}`, cookie),
    get(`/oauth/singlesignon.php?access_token=${live}&scope=sso:custom_redirect&sso_redirect_path=cart.php`, {
      Accept: "application/json",
    }),
    post("/oauth/singlesignon", { ...form, ...cookie }, `access_token=${other}&switch=x`),
    post(
      "/oauth/singlesignon",
      { ...form, "Sec-Fetch-Site": "cross-site" },
      `access_token=${live}&scope=clientarea:product_details&service_id=12`,
    ),
    get("/oauth/session", cookie),
    get("/oauth/session", { ...cookie, "X-Forwarded-Method": "POST", "X-Forwarded-Uri": "/a", "X-Signet-User": "1" }),
    post("/oauth/revoke", { ...basic(bound), ...form }, `token=${spent}&token_type_hint=access_token`),
    post("/oauth/introspect", { ...basic(bound), ...form }, `token=${live}`),
    get(`/oauth/receipts/${jti}`, basic(bound)),
    get("/account/security", cookie),
    post("/account/security", { ...cookie, ...form }, `action=end_session&session_id=${jti}&csrf_token=${live}`),
    get("/admin", operator),
    get(`/admin/credentials/${scratch.client_id}?notice=saved`, operator),
    get("/admin/users?user_id=2", operator),
    get("/admin/users/2", operator),
    get(`/admin/tokens/${jti}`, operator),
    get("/admin/health", operator),
    post(
      "/admin/users/3",
      { ...operator, ...form },
      `action=save&status=Inactive&sso=on&services=1,2&domains=a.example&csrf_token=${csrf_token}`,
    ),
    post(
      "/admin/credentials/new",
      { ...operator, ...form },
      `name=x&delegated=on&clientarea:invoices=on&csrf_token=${csrf_token}`,
    ),
    post(
      `/admin/credentials/${scratch.client_id}`,
      { ...operator, ...form },
      `action=rotate&overlap_seconds=60&csrf_token=${csrf_token}`,
    ),
    post(
      "/admin/api-credentials/new",
      { ...operator, ...form },
      `name=x&CreateSsoToken=on&allowed_addresses=192.0.2.0/24&csrf_token=${csrf_token}`,
    ),
    post("/admin/sign-in", form, `admin_token=${signet.adminToken}&then=/admin/health`),
    {
      ...manage("POST", "/import"),
      headers: { ...admin, "Content-Type": "application/x-ndjson" },
      body: `{"user_id":"3","account":{"status":"Active"}}\n{"client_id":"i","client_secret":"${live.slice(0, 40)}","credential":{"name":"i","scopes":[],"delegated":true}}\n`,
    },
    manage("POST", "/import", {
      result: "success",
      clients: [
        {
          clientIdentifier: "j",
          clientSecret: live.slice(0, 40),
          name: "j",
          scope: "clientarea:sso",
          grantTypes: "single_sign_on",
          serviceId: 12,
          credentialId: 7,
        },
      ],
    }),
    get("/openapi.json"),
    get("/oauth/logout?return_to=bye.php", cookie),
    post("/oauth/logout", { ...cookie, ...form }, "return_to=bye.php%3Fa%3Db"),
    post("/oauth/logout", { ...cookie, Accept: "application/json" }, ""),
    post(
      "/includes/api.php",
      form,
      `identifier=${api.identifier}&secret=${api.secret}&action=CreateSsoToken&client_id=1&destination=clientarea:invoices`,
    ),
    post(
      "/includes/api.php?responsetype=xml",
      form,
      `username=${api.identifier}&password=${api.secret}&action=ListOAuthCredentials&limit=2`,
    ),
    post(
      "/includes/api.php",
      form,
      `identifier=${api.identifier}&secret=${api.secret}&action=CreateOAuthCredential&grantType=single_sign_on&scope=clientarea:sso&serviceId=12`,
    ),
    post(
      "/includes/api.php",
      { "Content-Type": "multipart/form-data; boundary=b" },
      `--b\r\nContent-Disposition: form-data; name="action"\r\n\r\nUpdateOAuthCredential\r\n--b--\r\n`,
    ),
    manage("PATCH", `/api-credentials/${api.identifier}`, { name: "fuzzed" }),
    get("/.well-known/oauth-authorization-server"),
    get("/.well-known/jwks.json"),
    get("/openapi.json"),
    get("/healthz"),
    manage("GET", "/users/2"),
    manage("PUT", "/users/3", { status: "Inactive", sso: true, services: ["a", 5] }),
    manage("PATCH", "/users/3", { sso: false }),
    manage("DELETE", "/users/3"),
    manage("GET", "/users/2/sessions"),
    manage("DELETE", "/users/3/sessions"),
    manage("GET", "/users/1/events?limit=5&before=3"),
    manage("POST", "/credentials", {
      name: "x",
      user_id: "3",
      scopes: ["clientarea:invoices"],
      redirect_uris: ["https://a.example/"],
    }),
    manage("GET", "/credentials?limit=3"),
    manage("GET", `/credentials/${scratch.client_id}`),
    manage("PATCH", `/credentials/${scratch.client_id}`, { name: "y", disabled: true }),
    manage("POST", `/credentials/${scratch.client_id}/rotate`, { overlap_seconds: 60 }),
    manage("DELETE", `/credentials/${scratch.client_id}`),
    manage("GET", `/tokens/${jti}`),
    manage("DELETE", `/tokens/${jti}`),
  ];
}

/** Those that the runtime knows: it refuses others itself. */
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "SEARCH", "LOCK"];
const TEXTS = [
  "",
  " ",
  "0",
  "-1",
  "1e999",
  "null",
  "true",
  "[]",
  "{}",
  "{",
  '"',
  "'",
  "%",
  "%00",
  "%ff",
  "%F0%9F%98%80",
  "+",
  "&",
  "=",
  ";",
  ",",
  ":",
  "..",
  "/",
  "//",
  "\\",
  "\t",
  "é",
  "a".repeat(300),
  "9".repeat(40),
  "access_token",
  "grant_type=x",
  "&scope=",
  "[[[[[[[[",
  "\u00ff\u00fe",
  '{"a":{"a":{"a":1}}}',
  "-----",
];
const HEADERS = [
  "Accept",
  "Authorization",
  "Content-Type",
  "Content-Encoding",
  "Cookie",
  "Host",
  "Origin",
  "Purpose",
  "Referer",
  "Sec-Fetch-Dest",
  "Sec-Fetch-Site",
  "Sec-Purpose",
  "User-Agent",
  "X-Forwarded-For",
  "X-Forwarded-Method",
  "X-Signet-User",
  "Sec-Fetch-Mode",
  "X-Forwarded-Host",
  "CF-Connecting-IP",
  "If-None-Match",
  "Range",
  "X-HTTP-Method-Override",
  "X-Moz",
];
const VALUES = [
  "application/json",
  "text/html",
  "*/*",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded;charset=utf-16",
  "gzip",
  "Basic",
  "Basic !!",
  "Basic Og==",
  "Basic /////w==",
  "basic  eDp5",
  "Bearer",
  "Bearer x",
  "evil.example",
  "null",
  "https://evil.example",
  "prefetch",
  "document",
  "iframe",
  "cross-site",
  "same-origin",
  "navigate",
  "POST",
  "__Host-signet=x",
  "a=b; a=c",
  "=",
  "bytes=0-1",
  "*",
  "127.0.0.1",
  "x".repeat(4_000),
  "é",
  "",
];

/** A valid request, changed in some places. */
function mutated(valid, random) {
  const request = { ...valid, headers: { ...valid.headers } };
  const pick = (list) => list[random(list.length)];
  const bend = (text) => {
    const from = random(text.length + 1);
    const to = from + random(pick([6, text.length - from + 1]));
    return pick([
      () => text.slice(0, from) + text.slice(to),
      () => text.slice(0, from) + pick(TEXTS) + text.slice(from),
      () => text.slice(0, from) + pick(TEXTS) + text.slice(to),
      () => text + text.slice(from, to),
      () => text.slice(0, from) + String.fromCharCode(33 + random(94)) + text.slice(from + 1),
      () => pick(TEXTS),
    ])();
  };
  const changes = [
    () => (request.method = pick(METHODS)),
    () => (request.path = `/${bend(request.path.slice(1))}`),
    () =>
      (request.path += `${request.path.includes("?") ? "&" : "?"}${pick(["access_token", "scope", "client_secret", "a", ""])}=${pick(TEXTS)}`),
    () => (request.body = bend(request.body)),
    () => (request.body = Buffer.from(Array.from({ length: random(200) }, () => random(256)))),
    () => (request.body = pick(TEXTS).repeat(pick([1, 10, 3_000]))),
    () => (request.headers[pick(HEADERS)] = pick(VALUES)),
    () => {
      const names = Object.keys(request.headers);
      if (names.length > 0) delete request.headers[pick(names)];
    },
    () => {
      const names = Object.keys(request.headers);
      if (names.length > 0) {
        const name = pick(names);
        request.headers[name] = bend(request.headers[name]);
      }
    },
  ];
  do {
    pick(changes)();
    request.body = Buffer.isBuffer(request.body) ? request.body.toString("latin1") : request.body;
  } while (random(2) === 0);
  return sendable(request);
}

/** The request as HTTP/1.1 can carry it: what the client library would refuse never reaches Signet anyway. */
function sendable({ method, path, headers, body }) {
  const visible = (text, pattern) => Buffer.from(text).toString("latin1").replace(pattern, "");
  const pairs = Object.entries(headers).map(([name, value]) => [name, visible(value, /[^\t\x20-\x7e\x80-\xff]/g)]);
  const isGetLike = ["GET", "HEAD"].includes(method);
  return {
    method,
    path: visible(path, /[^\x21-\x22\x24-\x7e\x80-\xff]/g).slice(0, 8_000),
    headers: Object.fromEntries(pairs.filter(([name, value]) => name !== "Host" || /^[\w.:]+$/.test(value))),
    ...(isGetLike && body === "" ? {} : { body: Buffer.from(body, "latin1").subarray(0, 70_000) }),
  };
}

const FIXED_HEADERS = { "x-content-type-options": "nosniff", "x-frame-options": "DENY" };

function assertSafe(response, body, label) {
  // 503 has one meaning here: it refuses a prefetch, which the browser repeats as a navigation.
  const isPrefetch = response.status === 503 && body.includes("cannot be fetched ahead of time");
  assert.ok((response.status >= 200 && response.status < 500) || isPrefetch, `${label}: ${response.status} ${body}`);
  for (const [name, value] of Object.entries(FIXED_HEADERS))
    assert.equal(response.headers.get(name), value, `${label}: ${name}`);
  const isPage = response.headers.get("content-type")?.startsWith("text/html");
  assert.match(
    response.headers.get("referrer-policy"),
    response.status === 200 || isPage ? /^(no-referrer|same-origin)$/ : /^no-referrer$/,
    label,
  );
  assert.match(
    response.headers.get("cache-control"),
    response.status === 200 ? /^(no-store|public, max-age=300)$/ : /^no-store$/,
    label,
  );
  assert.match(response.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/, label);
  assert.match(response.headers.get("x-request-id"), /^[0-9a-f]{16}$/, label);
  assert.equal(response.headers.get("access-control-allow-origin"), null, label);
  const location = response.headers.get("location");
  if (location !== null)
    assert.ok(
      [`${signet.issuer}/`, "https://my.example/billing/"].some((base) => location.startsWith(base)),
      `${label}: ${location}`,
    );
}

async function assertSignsIn() {
  await signet.admin("PUT", "/users/1", { status: "Active", services: [12], domains: [34] });
  const cookie = cookieOf(await openLink(signet, await getToken(signet, bound)));
  assert.equal(await whoIs(signet, cookie), "1");
}

test(`${REQUESTS} mutated requests: no 5xx, the security headers on every answer, and a sign-in works afterwards`, async () => {
  const random = generator(seed());
  const statuses = {};
  for (let sent = 0; sent < REQUESTS; sent += ROUND) {
    const valid = await validRequests();
    const requests = Array.from({ length: Math.min(ROUND, REQUESTS - sent) }, () =>
      mutated(valid[random(valid.length)], random),
    );
    const lane = async () => {
      for (let request = requests.pop(); request; request = requests.pop()) {
        const { path, ...init } = request;
        const label = JSON.stringify({ ...request, body: request.body?.toString("latin1").slice(0, 300) });
        const response = await signet.fetch(path, init).catch((error) => assert.fail(`${label}: ${error}`));
        assertSafe(response, await response.text(), label);
        statuses[response.status] = (statuses[response.status] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    await assertSignsIn();
  }
  console.log(`answers by status: ${JSON.stringify(statuses)}`);
  for (const status of [200, 400, 401, 404, 405]) assert.ok(statuses[status] > 0, `the mutations reach ${status}`);
  const faults = signet.logs.filter(({ message }) => /panick|RuntimeError|"outcome":"failed"/.test(message));
  assert.deepEqual(faults, []);
});
