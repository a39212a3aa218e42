// The description at /openapi.json: every operation is performed, and every answer is one that it describes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readDescription } from "../support/openapi.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  claimsOf,
  cookieOf,
  createSet,
  getToken,
  json,
  openLink,
  putUser,
} from "../support/workflow.mjs";

const ACTIONS = [
  "CreateSsoToken",
  "CreateOAuthCredential",
  "UpdateOAuthCredential",
  "DeleteOAuthCredential",
  "ListOAuthCredentials",
];
const JTI = "AAAAAAAAAAAAAAAAAAAAAA";
const IMPORT = "/admin/v1/import";
const BOTH_FORMATS = [json, { Accept: "text/html" }];
let signet, api, bound, delegated, caller;

before(async () => {
  signet = await startSignet({ vars: { LOGIN_URL: "https://panel.example/login" } });
  api = await readDescription(signet);
  await putUser(signet, "1", { services: [12], domains: [34] });
  await putUser(signet, "2");
  const scopes = ["clientarea:invoices", "clientarea:product_details", "sso:custom_redirect"];
  bound = await createSet(signet, { user_id: "1", scopes, redirect_uris: ["https://a.example/"] });
  delegated = await createSet(signet, { delegated: true, scopes });
  caller = (await signet.admin("POST", "/api-credentials", { name: "Panel", actions: ACTIONS })).body;
});
after(() => signet.close());

/** Sends a request and holds its answer to the description. */
async function call(method, target, init = {}, to = signet) {
  const response = await to.fetch(target, { method, ...init });
  await api.assertAnswer(method, target, response);
  return response;
}

/** Sends a form. */
const post = (target, form, headers = {}) => call("POST", target, { headers, body: new URLSearchParams(form) });

/** Administers; the description must take the body exactly if Signet does. */
async function administer(method, path, body) {
  const target = `/admin/v1${path}`;
  const headers = { ...bearer(signet.adminToken), ...(body && { "Content-Type": "application/json" }) };
  const response = await call(method, target, { headers, body: body && JSON.stringify(body) });
  if (body) {
    const { schema } = api.find(method, target).bodies["application/json"];
    assert.equal(
      api.fault(schema, body) === undefined,
      response.status !== 400,
      `${method} ${path} ${JSON.stringify(body)}: ${response.status}`,
    );
  }
  return response.status === 204 ? null : response.json();
}

/** Asserts that a request was answered with a status. */
async function expect(status, response) {
  assert.equal((await response).status, status, await (await response).clone().text());
}

/** The operations whose answer of this status is described. */
const answering = (status) => api.operations.filter(({ responses }) => status in responses);
/** A path of the description, its parameters filled in: with a well-formed value, or another. */
const filled = (path, value) =>
  path.replace(/\{(\w+)\}/g, (_, name) => value ?? { jti: JTI, session_id: JTI }[name] ?? "nobody");
/** How to be let in at a path, for all but what is sent in the form. */
const authorized = (path) => (path.startsWith("/admin/") ? bearer(signet.adminToken) : {});
/** A valid body for an operation, if it takes one in JSON. */
function soundBody({ bodies }) {
  const example = api.example(bodies["application/json"]?.schema);
  return example && { "Content-Type": "application/json", body: JSON.stringify(example) };
}

test("RFC 9110: discovery, and health", async () => {
  for (const path of [
    "/openapi.json",
    "/.well-known/oauth-authorization-server",
    "/.well-known/jwks.json",
    "/healthz",
  ]) {
    await expect(200, call("GET", path));
  }
});

test("RFC 6749 section 5: each answer of the token endpoint, at both addresses", async () => {
  const grant_type = "single_sign_on";
  const barred = await createSet(signet, { user_id: "1", grant_types: [] });
  for (const path of ["/oauth/token", "/oauth/token.php"]) {
    await expect(200, post(path, { grant_type }, basic(bound)));
    await expect(
      200,
      post(path, { grant_type, user_id: "2", scope: "clientarea:product_details", service_id: "12" }, basic(delegated)),
    );
    const errors = [];
    for (const [set, form] of [
      [bound, {}],
      [bound, { grant_type, user_id: "2" }],
      [barred, { grant_type }],
      [bound, { grant_type: "password" }],
      [bound, { grant_type, scope: "openid" }],
    ]) {
      const response = await post(path, form, basic(set));
      errors.push((await response.json()).error);
      assert.equal(response.status, 400);
    }
    assert.deepEqual(errors, [
      "invalid_request",
      "invalid_grant",
      "unauthorized_client",
      "unsupported_grant_type",
      "invalid_scope",
    ]);
    await expect(401, post(path, { grant_type }));
  }
});

test("WHM API 1, create_integration_link: each answer to a click on a link of cPanel", async () => {
  const link = { app: "x", user: "cpuser", subscriber_unique_id: bound.client_id, token: bound.client_secret };
  const path = "/oauth/token.php?scope=clientarea:invoices&service_id=12";
  assert.deepEqual(Object.keys(await (await post(path, link)).json()), ["redirect_url"]);
  await expect(401, post(path, { ...link, token: "wrong" }));
  await signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  const retry = await post(path, { ...link, attempt: "1" });
  await signet.faults.set([]);
  assert.deepEqual(await retry.json(), { retry: 5, attempt: 2 });
});

test("RFC 7009, RFC 7662: each answer about a token, and its receipts", async () => {
  const token = await getToken(signet, bound);
  for (const [client, active] of [
    [bound, true],
    [delegated, false],
  ]) {
    assert.equal((await (await post("/oauth/introspect", { token }, basic(client))).json()).active, active);
  }
  await expect(400, post("/oauth/revoke", { token }, basic(delegated)));
  const receipt = (jti, headers) => call("GET", `/oauth/receipts/${jti}`, { headers });
  await signet.ops.read(); // the record is written after the answer
  await expect(200, receipt(claimsOf(token).jti, basic(bound)));
  await expect(200, post("/oauth/revoke", { token, token_type_hint: "access_token" }, basic(bound)));
  assert.equal((await (await receipt(claimsOf(token).jti, basic(bound))).json()).state, "revoked");
  await expect(404, receipt(JTI, basic(bound)));
  await expect(401, receipt(JTI, {}));
  await expect(400, receipt(`${JTI}?user_id=a%20b`, basic(bound)));
  for (const path of ["/oauth/introspect", "/oauth/revoke"]) {
    await expect(400, post(path, {}, basic(bound)));
    await expect(401, post(path, { token }));
  }
});

test("each answer of the SSO endpoint, at both addresses, to programs and to people", async () => {
  await putUser(signet, "closed", { status: "Closed" });
  for (const path of ["/oauth/singlesignon", "/oauth/singlesignon.php"]) {
    for (const format of BOTH_FORMATS) {
      const get = (form, headers) =>
        call("GET", `${path}?${new URLSearchParams(form)}`, { headers: { ...format, ...headers } });
      const send = (form, headers) => post(path, form, { ...format, ...headers });
      for (const [open, redirected] of [
        [get, 302],
        [send, 303],
      ]) {
        const access_token = await getToken(signet, bound, { scope: "clientarea:invoices" });
        const opened = await open({ access_token });
        assert.equal(opened.status, redirected);
        await expect(401, open({ access_token }));
        await expect(401, open({ access_token: "forged" }));
        await expect(400, open({}));
        await expect(400, open({ access_token, scope: "clientarea:homepage" }));
        await expect(403, open({ access_token: await getToken(signet, delegated, { user_id: "closed" }) }));
        await expect(503, open({ access_token }, { "Sec-Purpose": "prefetch" }));
        const other = await getToken(signet, delegated, { user_id: "2" });
        await expect(200, open({ access_token: other }, cookieOf(opened)));
      }
      await expect(303, send({ access_token: await getToken(signet, bound) }, { "Sec-Fetch-Site": "cross-site" }));
    }
  }
});

test("each answer about a session, and of signing out", async () => {
  const cookie = cookieOf(await openLink(signet, await getToken(signet, bound, { scope: "clientarea:invoices" })));
  await expect(200, call("GET", "/oauth/session", { headers: cookie }));
  await expect(401, call("GET", "/oauth/session", { headers: json }));
  await expect(302, call("GET", "/oauth/session", { headers: { Accept: "text/html" } }));
  for (const headers of [cookie, {}]) await expect(200, call("GET", "/oauth/logout?return_to=bye.php", { headers }));
  for (const format of BOTH_FORMATS) {
    await expect(400, call("GET", "/oauth/logout?return_to=//evil.example", { headers: format }));
    await expect(400, post("/oauth/logout", { return_to: "//evil.example" }, { ...cookie, ...format }));
    await expect(403, post("/oauth/logout", {}, { ...cookie, ...format, "Sec-Fetch-Site": "cross-site" }));
  }
  await expect(204, post("/oauth/logout", {}, { ...cookie, ...json }));
  await expect(200, post("/oauth/logout", { return_to: "bye.php" }, { ...cookie, Accept: "text/html" }));
});

test("each answer of WHMCS's API, in both encodings", async () => {
  const { identifier, secret } = caller;
  const act = async (action, form = {}) =>
    (await post("/includes/api.php", { identifier, secret, action, ...form })).json();
  assert.equal((await act("CreateSsoToken", { client_id: "1" })).result, "success");
  const created = await act("CreateOAuthCredential", {
    grantType: "single_sign_on",
    scope: "clientarea:sso",
    serviceId: "12",
    name: "é/",
  });
  const { credentialId } = created;
  assert.ok((await act("UpdateOAuthCredential", { credentialId, resetSecret: "1" })).newClientSecret);
  assert.deepEqual((await act("ListOAuthCredentials", { sortOrder: "ASC" })).clients.length, 1);
  assert.deepEqual(await act("DeleteOAuthCredential", { credentialId }), { result: "success", credentialId });
  assert.equal((await act("GetClients")).result, "error");
  for (const responsetype of ["json", "xml"]) {
    await expect(200, post("/includes/api.php", { identifier, secret, action: "ListOAuthCredentials", responsetype }));
    await expect(400, post("/includes/api.php", { identifier, secret, responsetype }));
    await expect(
      403,
      post("/includes/api.php", { identifier, secret: "wrong", action: "ListOAuthCredentials", responsetype }),
    );
  }
});

test("users: each success", async () => {
  const example = api.example({ $ref: "#/components/schemas/AccountInput" });
  assert.equal(
    (await administer("PUT", "/users/3", example)).created_at,
    (await administer("PUT", "/users/3", example)).created_at,
  );
  assert.deepEqual((await administer("GET", "/users/3")).services, ["12", "vps-7"]);
  await administer("PATCH", "/users/3", api.example({ $ref: "#/components/schemas/AccountChange" }));
  await administer("PATCH", "/users/3", { sso: true });
  for (const from of [10_000, 20_000, 30_000]) {
    await administer("PATCH", "/users/3", { add_domains: Array.from({ length: 10_000 }, (_, i) => from + i) }); // at last 409
  }
  await administer("PATCH", "/users/3", { domains: [] });
  await openLink(signet, await getToken(signet, delegated, { user_id: "3" }), {
    headers: { "User-Agent": "a browser" },
  });
  await openLink(signet, await getToken(signet, delegated, { user_id: "3", scope: "clientarea:invoices" }));
  const { sessions } = await administer("GET", "/users/3/sessions");
  assert.equal(sessions.length, 2);
  assert.deepEqual((await administer("GET", `/users/3/sessions?client_id=${bound.client_id}`)).sessions, []);
  await administer("DELETE", `/users/3/sessions/${sessions[0].session_id}`);
  await administer("DELETE", `/users/3/sessions?client_id=${delegated.client_id}`);
  await administer("DELETE", "/users/3/sessions");
  await administer("PATCH", "/users/3", { status: "Closed" });
  await openLink(signet, await getToken(signet, delegated, { user_id: "3" }));
  const { events, cursor } = await administer("GET", "/users/3/events?limit=2");
  assert.deepEqual(
    events.map(({ event }) => event),
    ["sso.denied", "account.changed"],
  );
  await administer("GET", `/users/3/events?cursor=${cursor}`);
  await administer("PUT", "/users/3?end_sessions=true", { status: "Active" });
  await createSet(signet, { user_id: "3" });
  await signet.ops.read(); // the tokens' records are written
  await (await signet.kv()).delete(`token:${sessions[0].jti}`);
  const { tokens, credentials } = await administer("GET", "/users/3/export");
  assert.deepEqual([tokens.length, credentials.length], [3, 1]);
  await administer("DELETE", "/users/3?erase=true");
});

test("credential sets: each success", async () => {
  const example = api.example({ $ref: "#/components/schemas/CredentialInput" });
  const { client_id } = await administer("POST", "/credentials", example);
  const nulls = { user_id: null, service_id: null, logo_uri: null, client_uri: null };
  assert.equal(
    (await administer("POST", "/credentials", { name: "é", scopes: [], delegated: true, ...nulls })).delegated,
    true,
  );
  await administer("GET", `/credentials/${client_id}`);
  await administer(
    "PATCH",
    `/credentials/${client_id}`,
    api.example({ $ref: "#/components/schemas/CredentialChange" }),
  );
  await administer("POST", `/credentials/${client_id}/rotate`);
  await administer("POST", `/credentials/${client_id}/rotate`, { overlap_seconds: 2_592_000 });
  const { cursor } = await administer("GET", "/credentials?limit=2");
  assert.ok((await administer("GET", `/credentials?cursor=${encodeURIComponent(cursor)}`)).credentials.length > 0);
  await administer("DELETE", `/credentials/${client_id}/sessions`);
  await administer("DELETE", `/credentials/${client_id}?end_sessions=true`);
});

test("API credentials and tokens: each success", async () => {
  const { identifier } = await administer(
    "POST",
    "/api-credentials",
    api.example({ $ref: "#/components/schemas/ApiCredentialInput" }),
  );
  await administer("GET", `/api-credentials/${identifier}`);
  await administer(
    "PATCH",
    `/api-credentials/${identifier}`,
    api.example({ $ref: "#/components/schemas/ApiCredentialChange" }),
  );
  assert.equal((await administer("GET", "/api-credentials?limit=1")).api_credentials.length, 1);
  await administer("DELETE", `/api-credentials/${identifier}/sessions`);
  await administer("DELETE", `/api-credentials/${identifier}?end_sessions=true`);
  const { jti } = claimsOf(
    await getToken(signet, bound, { scope: "sso:custom_redirect", sso_redirect_path: "cart.php?a=b" }),
  );
  await signet.ops.read();
  assert.equal((await administer("GET", `/tokens/${jti}`)).state, "pending");
  await administer("DELETE", `/tokens/${jti}`);
});

/** Imports a body and returns the reports. */
async function importing(type, body) {
  const response = await call("POST", IMPORT, { headers: { ...authorized(IMPORT), "Content-Type": type }, body });
  assert.equal(response.status, 200);
  return (await response.text())
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

test("the import: each kind of report; a line is accepted exactly if the description allows it", async () => {
  const credential = api.example({ $ref: "#/components/schemas/CredentialInput" });
  const set = { client_id: "brought", client_secret: "a-secret-of-at-least-32-characters", credential };
  const lines = [
    { user_id: "42", account: { status: "Active", services: [12] } },
    set,
    {},
    { user_id: "42" },
    { user_id: "a b", account: { status: "Active" } },
    { user_id: "42", account: { status: "active" } },
    { ...set, client_secret: "x".repeat(31) },
    { ...set, client_secret: "x".repeat(1025) },
    { ...set, credential: { ...credential, delegated: true } },
    { ...set, user_id: "42" },
    { ...set, more: 1 },
  ];
  const described = { $ref: "#/components/schemas/ImportLine" };
  const text = (list) => list.map((line) => `${JSON.stringify(line)}\n`).join("");
  const reports = await importing("application/x-ndjson", text(lines) + "\n".repeat(1_000));
  const refused = lines.flatMap((line, n) => (api.fault(described, line) ? [n + 1] : []));
  assert.equal(refused.length, lines.length - 2);
  assert.deepEqual(
    reports.slice(0, -2).map((report) => report.refused.line),
    refused,
  );
  assert.deepEqual(reports.slice(-2), [
    { progress: { line: 1_000, created: 2, changed: 0, unchanged: 0, refused: refused.length } },
    { done: { line: 1_011, created: 2, changed: 0, unchanged: 0, refused: refused.length } },
  ]);
  await signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  assert.equal((await importing("application/x-ndjson", text(lines))).at(-1).stopped.line, 1);
  await signet.faults.set([]);
  const list = api.example({ $ref: "#/components/schemas/WhmcsExport" });
  const done = { line: 1, created: 1, changed: 0, unchanged: 0, refused: 0 };
  assert.deepEqual(await importing("application/json", JSON.stringify(list)), [{ done }]);
  const [{ clientIdentifier, credentialId }] = list.clients;
  assert.equal((await administer("GET", `/credentials/${encodeURIComponent(clientIdentifier)}`)).number, credentialId);
});

test("Signet accepts a body exactly if the description does", async () => {
  const { client_id } = await createSet(signet, { user_id: "2" });
  const set = { name: "x", scopes: [], user_id: "2" };
  for (const [method, path, ...bodies] of [
    [
      "PUT",
      "/users/4",
      {},
      ["Active"],
      { status: "active" },
      { status: "Active", sso: null },
      { status: "Active", services: [-1] },
      { status: "Active", services: ["18446744073709551615"] },
      { status: "Active", domains: ["a b"] },
      { status: "Active", more: 1 },
      { status: "Inactive", domains: [0] },
    ],
    [
      "PATCH",
      "/users/4",
      [],
      { status: null },
      { sso: "true" },
      { user_id: "4" },
      { add_services: null },
      { remove_domains: ["a b"] },
      { add_domains: [34, "34"] },
      {},
    ],
    [
      "POST",
      "/credentials",
      { ...set, name: "" },
      { ...set, name: "é".repeat(129) },
      { ...set, name: "😀".repeat(128) },
      { ...set, name: "a\u007f" },
      { ...set, user_id: ".." },
      { ...set, user_id: "..x" },
      { ...set, user_id: undefined },
      { ...set, delegated: true },
      { ...set, delegated: false },
      { ...set, scopes: ["clientarea:homepage"] },
      { ...set, scopes: ["clientarea:sso", "clientarea:sso"] },
      { ...set, grant_types: ["password"] },
      { ...set, description: null },
      { ...set, description: "x".repeat(1025) },
      { ...set, redirect_uris: Array(21).fill("x") },
      { ...set, logo_uri: "a\n" },
      ...[
        "http://a.example/",
        "x",
        "javascript:alert(1)",
        "https://a.example/#b",
        "https://a.example:8443/b?c=d",
        "http://localhost:1/",
      ].map((client_uri) => ({ ...set, client_uri })),
    ],
    [
      "PATCH",
      `/credentials/${client_id}`,
      [],
      { name: null },
      { user_id: "1" },
      { service_id: null },
      { logo_uri: 1 },
      { scopes: [] },
      {},
    ],
    [
      "POST",
      `/credentials/${client_id}/rotate`,
      [60],
      { overlap_seconds: -1 },
      { overlap_seconds: 2_592_001 },
      { overlap_seconds: 1.5 },
      {},
    ],
    [
      "POST",
      "/api-credentials",
      { name: "x" },
      { name: "x", actions: ["createssotoken"] },
      { name: "x", actions: [] },
      ...[
        "192.0.2.256",
        "192.0.2.0/33",
        "192.0.2.1/0",
        "example.com",
        "::1",
        "2001:db8::/32",
        "2001:db8::/129",
        "01.2.3.4",
      ].map((range) => ({ name: "x", actions: [], allowed_addresses: [range] })),
    ],
  ]) {
    for (const body of bodies) await administer(method, path, body);
  }
});

test("RFC 6750 section 3: without the administration token every operation of the administration is 401", async () => {
  for (const { method, path } of answering(401).filter(({ path }) => path.startsWith("/admin/"))) {
    await expect(401, call(method, filled(path)));
  }
});

test("RFC 9110 section 15.5.20: at any other host every operation of the administration is 421, whatever the token", async () => {
  const operations = answering(421);
  assert.deepEqual(
    operations,
    api.operations.filter(({ path }) => path.startsWith("/admin/")),
  );
  for (const { method, path } of operations) {
    await expect(421, call(method, filled(path), { headers: { ...authorized(path), Host: "elsewhere.example" } }));
  }
});

test("RFC 9457: every operation of the administration refuses a malformed identifier, parameter or body", async () => {
  for (const { method, path } of answering(400).filter(({ path }) => path.startsWith("/admin/"))) {
    const headers = { ...authorized(path), "Content-Type": "application/json" };
    const target = `${filled(path, "a%20b")}${method === "GET" ? "?limit=0" : ""}`;
    await expect(400, call(method, target, { headers, body: method === "GET" ? undefined : "{" }));
  }
});

test("RFC 9110 section 15.5.5: every operation about one resource is 404 where it does not exist", async () => {
  for (const operation of answering(404).filter(({ path }) => path.startsWith("/admin/"))) {
    const { body, ...type } = soundBody(operation) ?? {};
    const headers = { ...authorized(operation.path), ...type };
    await expect(404, call(operation.method, filled(operation.path), { headers, body }));
  }
});

test("RFC 9110 section 15.5.16: every body of the administration needs the Content-Type of JSON", async () => {
  for (const { method, path } of answering(415)) {
    const headers = { ...authorized(path), "Content-Type": "text/plain" };
    await expect(415, call(method, filled(path), { headers, body: "{}" }));
  }
});

test("RFC 9110 section 15.5.6: a method that is not described is 405, and Allow names those that are", async () => {
  for (const path of new Set(api.operations.map(({ path }) => path))) {
    if (path === "/oauth/session") continue; // a proxy repeats the method of its request
    const described = api.operations.filter((operation) => operation.path === path).map(({ method }) => method);
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"].filter(
      (method) => !described.includes(method),
    )) {
      const response = await signet.fetch(filled(path), { method, headers: authorized(path) });
      const allowed = response.headers
        .get("allow")
        ?.split(", ")
        .filter((name) => name !== "HEAD");
      assert.deepEqual([response.status, allowed?.sort()], [405, described.sort()], `${method} ${path}`);
    }
  }
});

/** A body without an announced length, so that it is read up to its limit before it is refused. */
async function* chunked(body) {
  yield body;
}

test("RFC 9110 section 15.5.14: every body has a size limit", async () => {
  for (const { method, path } of answering(413)) {
    for (const format of BOTH_FORMATS) {
      const headers = { ...authorized(path), ...format, "Content-Type": "application/json" };
      const longest = path === IMPORT ? 8_388_608 : 65_536;
      await expect(413, call(method, filled(path), { headers, body: chunked(Buffer.alloc(longest + 1, " ")) }));
    }
  }
});

test("RFC 9110 section 15.6.4: with an invalid configuration every operation is 503", async () => {
  const broken = await startSignet({ vars: { SIGNING_KEYS: null } });
  try {
    for (const { method, path } of answering(503)) {
      for (const headers of BOTH_FORMATS) await expect(503, call(method, filled(path), { headers }, broken));
    }
  } finally {
    await broken.close();
  }
});

/** Everything that a caller could present as a secret, all of it wrong. */
const WRONG = {
  grant_type: "single_sign_on",
  token: "forged",
  access_token: "forged",
  client_id: "nobody",
  client_secret: "wrong",
  action: "x",
  identifier: "nobody",
  secret: "wrong",
};

test("RFC 6585 section 4: every operation that checks a secret is 429 after too many failed attempts", async () => {
  const limited = await startSignet({ limit: 1 });
  try {
    for (const { method, path } of answering(429)) {
      for (const format of BOTH_FORMATS) {
        const headers = { ...format, "CF-Connecting-IP": "192.0.2.1" };
        const attempt = () =>
          method === "GET"
            ? call(method, `${filled(path)}?access_token=${WRONG.access_token}`, { headers }, limited)
            : call(method, filled(path), { headers, body: new URLSearchParams(WRONG) }, limited);
        const statuses = [];
        // Once more where the minute ends in between.
        while (statuses.at(-1) !== 429 && statuses.length < 4) statuses.push((await attempt()).status);
        assert.equal(statuses.at(-1), 429, `${method} ${path}: ${statuses}`);
      }
    }
  } finally {
    await limited.close();
  }
});

test("every operation, status and media type of the description was seen", () => {
  assert.deepEqual(api.unseen(), []);
});
