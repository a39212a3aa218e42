// Which roles each route accepts: every route, with the credentials of every role. The routes are those of
// /openapi.json and the pages.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readDescription } from "../support/openapi.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  claimsOf,
  createSet,
  csrfTokenAt,
  enterConsole,
  getToken,
  json,
  putUser,
  signIn,
} from "../support/workflow.mjs";

/**
 * One row a route, one column a role:
 *
 * - `nobody` presents nothing, `wrong` a made-up bearer token;
 * - `user` presents the session cookie of the user concerned, `app` the credential set that issued the token concerned,
 *   `other` another user's set, `off` a disabled set, `api` an API credential, `admin` the administration token;
 * - `mixed` presents a live session cookie as a bearer token, and an SSO token as a session cookie;
 * - `oper` presents the cookie of an administrator who is signed in to the console.
 *
 * A cell is the status, with a plus where something was stored, changed or deleted. `idle` is 200 that says only that
 * the token is not active. An SSO request is the browser's own: with other credentials it is refused.
 */
const TABLE = `
                                                    nobody wrong user  app   other off   api   admin mixed oper
POST   /oauth/token                                 401    401   401   200+  200+  401   401   401   401   401
POST   /oauth/token.php                             401    401   401   200+  200+  401   401   401   401   401
POST   /oauth/revoke                                401    401   401   200+  400   401   401   401   401   401
POST   /oauth/introspect                            401    401   401   200   idle  401   401   401   401   401
GET    /oauth/receipts/{jti}                        401    401   401   200   404   401   401   401   401   401
GET    /oauth/singlesignon                          302+   400   302+  400   400   400   400   400   400   302+
POST   /oauth/singlesignon                          303+   400   303+  400   400   400   400   400   400   303+
GET    /oauth/singlesignon.php                      302+   400   302+  400   400   400   400   400   400   302+
POST   /oauth/singlesignon.php                      303+   400   303+  400   400   400   400   400   400   303+
GET    /oauth/session                               401    401   200   401   401   401   401   401   401   401
GET    /oauth/logout                                200    200   200   200   200   200   200   200   200   200
POST   /oauth/logout                                204    204   204+  204   204   204   204   204   204   204
POST   /includes/api.php                            403    403   403   403   403   403   200+  403   403   403
GET    /.well-known/oauth-authorization-server      200    200   200   200   200   200   200   200   200   200
GET    /.well-known/jwks.json                       200    200   200   200   200   200   200   200   200   200
GET    /openapi.json                                200    200   200   200   200   200   200   200   200   200
GET    /healthz                                     200    200   200   200   200   200   200   200   200   200
GET    /account/security                            401    401   200   401   401   401   401   401   401   401
POST   /account/security                            401    401   303+  401   401   401   401   401   401   401
PUT    /admin/v1/users/{user_id}                    401    401   401   401   401   401   401   200+  401   401
GET    /admin/v1/users/{user_id}                    401    401   401   401   401   401   401   200   401   401
PATCH  /admin/v1/users/{user_id}                    401    401   401   401   401   401   401   200+  401   401
DELETE /admin/v1/users/{user_id}                    401    401   401   401   401   401   401   204+  401   401
GET    /admin/v1/users/{user_id}/sessions           401    401   401   401   401   401   401   200   401   401
DELETE /admin/v1/users/{user_id}/sessions           401    401   401   401   401   401   401   204+  401   401
DELETE /admin/v1/users/{user_id}/sessions/{session_id}
                                                    401    401   401   401   401   401   401   204+  401   401
GET    /admin/v1/users/{user_id}/events             401    401   401   401   401   401   401   200   401   401
GET    /admin/v1/users/{user_id}/export             401    401   401   401   401   401   401   200   401   401
POST   /admin/v1/credentials                        401    401   401   401   401   401   401   201+  401   401
GET    /admin/v1/credentials                        401    401   401   401   401   401   401   200   401   401
GET    /admin/v1/credentials/{client_id}            401    401   401   401   401   401   401   200   401   401
PATCH  /admin/v1/credentials/{client_id}            401    401   401   401   401   401   401   200+  401   401
DELETE /admin/v1/credentials/{client_id}            401    401   401   401   401   401   401   204+  401   401
POST   /admin/v1/credentials/{client_id}/rotate     401    401   401   401   401   401   401   200+  401   401
DELETE /admin/v1/credentials/{client_id}/sessions   401    401   401   401   401   401   401   204+  401   401
POST   /admin/v1/api-credentials                    401    401   401   401   401   401   401   201+  401   401
GET    /admin/v1/api-credentials                    401    401   401   401   401   401   401   200   401   401
GET    /admin/v1/api-credentials/{identifier}       401    401   401   401   401   401   401   200   401   401
PATCH  /admin/v1/api-credentials/{identifier}       401    401   401   401   401   401   401   200+  401   401
DELETE /admin/v1/api-credentials/{identifier}       401    401   401   401   401   401   401   204+  401   401
DELETE /admin/v1/api-credentials/{identifier}/sessions 401    401   401   401   401   401   401   204+  401   401
GET    /admin/v1/tokens/{jti}                       401    401   401   401   401   401   401   200   401   401
DELETE /admin/v1/tokens/{jti}                       401    401   401   401   401   401   401   204+  401   401
POST   /admin/v1/import                             401    401   401   401   401   401   401   200+  401   401
GET    /admin                                       401    401   401   401   401   401   401   401   401   200
GET    /admin/health                                401    401   401   401   401   401   401   401   401   200
GET    /admin/credentials                           401    401   401   401   401   401   401   401   401   200
GET    /admin/credentials/new                       401    401   401   401   401   401   401   401   401   200
GET    /admin/credentials/{client_id}               401    401   401   401   401   401   401   401   401   200
GET    /admin/users                                 401    401   401   401   401   401   401   401   401   200
GET    /admin/users/{user_id}                       401    401   401   401   401   401   401   401   401   200
GET    /admin/users/{user_id}/export                401    401   401   401   401   401   401   401   401   200
GET    /admin/tokens                                401    401   401   401   401   401   401   401   401   200
GET    /admin/tokens/{jti}                          401    401   401   401   401   401   401   401   401   200
GET    /admin/api-credentials                       401    401   401   401   401   401   401   401   401   200
GET    /admin/api-credentials/new                   401    401   401   401   401   401   401   401   401   200
GET    /admin/api-credentials/{identifier}          401    401   401   401   401   401   401   401   401   200
POST   /admin/sign-in                               401    401   401   401   401   401   401   303   401   401
POST   /admin/sign-out                              401    401   401   401   401   401   401   401   401   303
POST   /admin/credentials/new                       401    401   401   401   401   401   401   401   401   201+
POST   /admin/credentials/{client_id}               401    401   401   401   401   401   401   401   401   303+
POST   /admin/users/{user_id}                       401    401   401   401   401   401   401   401   401   303+
POST   /admin/tokens/{jti}                          401    401   401   401   401   401   401   401   401   303+
POST   /admin/api-credentials/new                   401    401   401   401   401   401   401   401   401   201+
POST   /admin/api-credentials/{identifier}          401    401   401   401   401   401   401   401   401   303+
`;

/** The pages, which no description lists. A new page gets its line here and its row in the table, a new cookie a column. */
const PAGES = [
  "GET /account/security",
  "POST /account/security",
  "GET /admin",
  "GET /admin/health",
  "GET /admin/credentials",
  "GET /admin/credentials/new",
  "GET /admin/credentials/{client_id}",
  "GET /admin/users",
  "GET /admin/users/{user_id}",
  "GET /admin/users/{user_id}/export",
  "GET /admin/tokens",
  "GET /admin/tokens/{jti}",
  "GET /admin/api-credentials",
  "GET /admin/api-credentials/new",
  "GET /admin/api-credentials/{identifier}",
  "POST /admin/sign-in",
  "POST /admin/sign-out",
  "POST /admin/credentials/new",
  "POST /admin/credentials/{client_id}",
  "POST /admin/users/{user_id}",
  "POST /admin/tokens/{jti}",
  "POST /admin/api-credentials/new",
  "POST /admin/api-credentials/{identifier}",
];

const { roles, rows } = parse(TABLE);
let signet,
  api,
  people = 0;

before(async () => {
  signet = await startSignet();
  api = await readDescription(signet);
});
after(() => signet.close());

/** The roles, and each row as `{ route, cells }`. A long route has its cells on the line below. */
function parse(table) {
  const [head, ...lines] = table
    .trim()
    .replace(/\}\n +/g, "} ")
    .split("\n")
    .map((line) => line.trim().split(/\s+/));
  return { roles: head, rows: lines.map(([method, path, ...cells]) => ({ route: `${method} ${path}`, cells })) };
}

/** The scene of a row: a new user with a live session, and the credentials of each role. */
async function newScene() {
  people += 1;
  const [user, stranger] = [`user-${people}`, `stranger-${people}`];
  for (const name of [user, stranger]) await putUser(signet, name, { services: [], domains: [] });
  const app = await createSet(signet, { user_id: user });
  const other = await createSet(signet, { user_id: stranger });
  const off = await createSet(signet, { user_id: user });
  await signet.admin("PATCH", `/credentials/${off.client_id}`, { disabled: true });
  const { body: panel } = await signet.admin("POST", "/api-credentials", {
    name: "Panel",
    actions: ["CreateSsoToken"],
  });
  const cookie = await signIn(signet, app);
  const [token, mixed] = [await getToken(signet, app), await getToken(signet, app)];
  const session = await (await signet.fetch("/oauth/session", { headers: cookie })).json();
  const csrf_token = await csrfTokenAt(signet, "/account/security", cookie);
  const console = await enterConsole(signet);
  const console_form = await csrfTokenAt(signet, "/admin/users", console);
  return {
    console,
    console_form,
    user,
    app,
    other,
    off,
    panel,
    cookie,
    token,
    mixed,
    jti: claimsOf(token).jti,
    session_id: session.session_id,
    csrf_token,
  };
}

const pair = ({ client_id, client_secret }) => ({
  headers: basic({ client_id, client_secret }),
  identifier: client_id,
  secret: client_secret,
});

/** What a role presents: header fields; and the same secret where WHMCS's API expects it, in the form. */
const presents = {
  nobody: () => ({}),
  wrong: () => ({ headers: bearer("A".repeat(43)), identifier: "nobody", secret: "A".repeat(43) }),
  user: ({ cookie }) => ({ headers: cookie }),
  app: ({ app }) => pair(app),
  other: ({ other }) => pair(other),
  off: ({ off }) => pair(off),
  api: ({ panel }) => pair({ client_id: panel.identifier, client_secret: panel.secret }),
  admin: () => ({ headers: bearer(signet.adminToken), identifier: "admin", secret: signet.adminToken }),
  mixed: ({ cookie, mixed }) => ({
    headers: { ...bearer(cookie.Cookie.split("=")[1]), Cookie: `__Host-signet=${mixed}` },
  }),
  oper: ({ console }) => ({ headers: console }),
};

const form = (fields) => ({ body: new URLSearchParams(fields) });
const inJson = (body) => ({ headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
const sso = ({ token }) => ({ query: `?access_token=${token}` });
const ssoForm = ({ token }) => form({ access_token: token });

/** A form of the console, with the proof of the console's session. */
const asOperator =
  (fields) =>
  ({ console_form }) =>
    form({ ...fields, csrf_token: console_form });

/** What goes with a route, for a request that nothing but its sender can make fail. */
const requests = {
  "POST /oauth/token": () => form({ grant_type: "single_sign_on" }),
  "POST /oauth/token.php": () => form({ grant_type: "single_sign_on" }),
  "POST /oauth/revoke": ({ token }) => form({ token }),
  "POST /oauth/introspect": ({ token }) => form({ token }),
  "GET /oauth/singlesignon": sso,
  "GET /oauth/singlesignon.php": sso,
  "POST /oauth/singlesignon": ssoForm,
  "POST /oauth/singlesignon.php": ssoForm,
  "POST /includes/api.php": ({ user }, { identifier = "", secret = "" }) =>
    form({ identifier, secret, action: "CreateSsoToken", client_id: user }),
  "POST /admin/sign-in": (_, { secret = "" }) => form({ admin_token: secret }),
  "POST /admin/sign-out": asOperator({}),
  "POST /admin/credentials/new": asOperator({ name: "New", delegated: "on" }),
  "POST /admin/credentials/{client_id}": asOperator({ action: "disable" }),
  "POST /admin/users/{user_id}": asOperator({ action: "save", status: "Inactive" }),
  "POST /admin/tokens/{jti}": asOperator({ action: "revoke", confirmed: "on" }),
  "POST /admin/api-credentials/new": asOperator({ name: "New" }),
  "POST /admin/api-credentials/{identifier}": asOperator({ action: "revoke", confirmed: "on" }),
  "POST /account/security": ({ csrf_token }) => form({ action: "disallow_sso", csrf_token }),
  "PUT /admin/v1/users/{user_id}": () => inJson({ status: "Inactive" }),
  "PATCH /admin/v1/users/{user_id}": () => inJson({ sso: false }),
  "POST /admin/v1/credentials": ({ user }) => inJson({ name: "New", scopes: [], user_id: user }),
  "PATCH /admin/v1/credentials/{client_id}": () => inJson({ name: "Renamed" }),
  "POST /admin/v1/api-credentials": () => inJson({ name: "New", actions: [] }),
  "PATCH /admin/v1/api-credentials/{identifier}": () => inJson({ name: "Renamed" }),
  "POST /admin/v1/import": ({ user }) => ({
    headers: { "Content-Type": "application/x-ndjson" },
    body: JSON.stringify({ user_id: user, account: { status: "Closed" } }),
  }),
};

/** Sends the request of a route as a role. Returns the cell, and whether the scene is as it was before. */
async function ask(scene, route, role) {
  const [method, template] = route.split(" ");
  const presented = presents[role](scene);
  const { query = "", headers, body } = requests[route]?.(scene, presented) ?? {};
  const ids = { ...scene, user_id: scene.user, client_id: scene.app.client_id, identifier: scene.panel.identifier };
  const path = template.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(ids[name]));
  await signet.ops.reset();
  const response = await signet.fetch(path + query, {
    method,
    headers: { ...json, ...headers, ...presented.headers },
    body,
  });
  const text = await response.text();
  const writes = await signet.ops.read();
  const hasChanged = writes["kv.put"] + writes["kv.delete"] + writes["sql.rowsWritten"] > 0;
  const isIdle = response.status === 200 && text === '{"active":false}';
  return {
    cell: isIdle ? "idle" : `${response.status}${hasChanged ? "+" : ""}`,
    isUntouched: !hasChanged && (method === "GET" || response.status >= 400),
  };
}

test("every route has its row, and every row its route", () => {
  const routes = [...api.operations.map(({ method, path }) => `${method} ${path}`), ...PAGES];
  assert.deepEqual(rows.map(({ route }) => route).sort(), routes.sort());
  assert.deepEqual(Object.keys(presents), roles);
});

for (const { route, cells } of rows) {
  test(`ASVS 8.2.1, 8.3.1: who may ${route}`, async () => {
    const seen = [];
    let scene;
    for (const role of roles) {
      scene ??= await newScene();
      const { cell, isUntouched } = await ask(scene, route, role);
      seen.push(cell);
      if (!isUntouched) scene = undefined;
    }
    const named = (values) => Object.fromEntries(roles.map((role, n) => [role, values[n]]));
    assert.deepEqual(named(seen), named(cells));
  });
}

test("what is refused changes nothing", () => {
  for (const { route, cells } of rows) assert.ok(!cells.some((cell) => /^[45].*\+/.test(cell)), route);
});
