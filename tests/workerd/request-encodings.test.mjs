// Encodings of requests: charsets in the Content-Type, white space in Authorization.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  claimsOf,
  createSet,
  csrfTokenAt,
  enterConsole,
  getToken,
  putUser,
  signIn,
} from "../support/workflow.mjs";

const FORM = "application/x-www-form-urlencoded";
/** The type of a form defines no parameter (WHATWG URL section 5), so clients write there what they like. */
const PARAMETERS = [
  "; charset=ISO-8859-1",
  ";charset=us-ascii",
  "; charset=utf8",
  "; charset=windows-1252",
  '; charset="UTF-8"',
  "; boundary=x",
];
/** These cannot be read as UTF-8. */
const WIDE = [";charset=utf-16", "; charset=UTF-16LE", "; charset=utf-32"];
let signet, set, api;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12] });
  set = await createSet(signet, { user_id: "1" });
  ({ body: api } = await signet.admin("POST", "/api-credentials", { name: "P", actions: ["CreateOAuthCredential"] }));
});
after(() => signet.close());

const credentials = () => ({ client_id: set.client_id, client_secret: set.client_secret });
/** Every route that takes a form: what is sent, the status of success, and that of a body that cannot be read. */
const ROUTES = {
  "/oauth/token": async () => ({ fields: { grant_type: "single_sign_on", ...credentials() }, status: 200 }),
  "/oauth/token.php": async () => ({
    fields: { subscriber_unique_id: set.client_id, token: set.client_secret },
    status: 200,
  }),
  "/oauth/revoke": async () => ({ fields: { token: "x", ...credentials() }, status: 200 }),
  "/oauth/introspect": async () => ({ fields: { token: "x", ...credentials() }, status: 200 }),
  "/oauth/singlesignon": async () => ({ fields: { access_token: await getToken(signet, set) }, status: 303 }),
  "/oauth/logout": async () => ({ fields: { return_to: "bye.php" }, headers: await signIn(signet, set), status: 200 }),
  "/account/security": async () => {
    const headers = await signIn(signet, set);
    const csrf_token = await csrfTokenAt(signet, "/account/security", headers);
    return { fields: { action: "end_other_sessions", csrf_token }, headers, status: 200 };
  },
  "/admin/sign-in": async () => ({ fields: { admin_token: signet.adminToken }, status: 303 }),
  "/admin/users/2": async () => {
    const headers = await enterConsole(signet);
    const csrf_token = await csrfTokenAt(signet, "/admin/users/2", headers);
    return { fields: { action: "save", status: "Active", csrf_token }, headers, status: 303 };
  },
  "/includes/api.php": async () => ({
    fields: {
      identifier: api.identifier,
      secret: api.secret,
      action: "CreateOAuthCredential",
      name: "Panel ü",
      grantType: "single_sign_on",
      scope: "clientarea:sso",
      serviceId: "12",
    },
    status: 200,
  }),
};

for (const [path, prepare] of Object.entries(ROUTES)) {
  test(`attack 111, RFC 9110 section 8.3: a form of any charset is accepted except UTF-16 and UTF-32: ${path}`, async () => {
    const send = async (parameters) => {
      const { fields, headers, status } = await prepare();
      const body = String(new URLSearchParams(fields));
      const response = await signet.fetch(path, {
        method: "POST",
        headers: { ...headers, "Content-Type": `${FORM}${parameters}` },
        body,
      });
      return { response, expected: status };
    };
    for (const parameters of PARAMETERS) {
      const { response, expected } = await send(parameters);
      const text = await response.text();
      assert.equal(response.status, expected, `${parameters}: ${text.slice(0, 200)}`);
      assert.ok(!text.includes('"result":"error"'), `${parameters}: ${text.slice(0, 200)}`);
    }
    for (const parameters of [...WIDE, ", application/json", "; charset=utf-8, application/json"]) {
      assert.equal((await send(parameters)).response.status, 400, parameters);
    }
  });
}

test("attack 111, RFC 8259 section 8.1: forms and JSON are read as UTF-8 whatever the charset says", async () => {
  const { fields } = await ROUTES["/includes/api.php"]();
  const headers = { "Content-Type": `${FORM}; charset=ISO-8859-1` };
  const { clientIdentifier } = await (
    await signet.fetch("/includes/api.php", { method: "POST", headers, body: String(new URLSearchParams(fields)) })
  ).json();
  assert.equal((await signet.admin("GET", `/credentials/${clientIdentifier}`)).body.name, "Panel ü");
  const Authorization = `Bearer ${signet.adminToken}`;
  for (const [parameters, status] of [
    ["; charset=ISO-8859-1", 200],
    ["; charset=utf8; x=y", 200],
    ["; charset=utf-16", 415],
  ]) {
    const response = await signet.fetch(`/admin/v1/credentials/${clientIdentifier}`, {
      method: "PATCH",
      headers: { Authorization, "Content-Type": `application/json${parameters}` },
      body: '{"name":"Pänel"}',
    });
    assert.equal(response.status, status, parameters);
  }
  assert.equal((await signet.admin("GET", `/credentials/${clientIdentifier}`)).body.name, "Pänel");
});

test("attack 111, RFC 9110 sections 5.5 and 11.4: every route that reads Authorization ignores white space around the credentials", async () => {
  const token = await getToken(signet, set);
  await signet.ops.read(); // the token's record is written
  const pair = basic(set).Authorization.split(" ")[1];
  const body = new URLSearchParams({ grant_type: "single_sign_on", token });
  const ask = {
    "/oauth/token": (Authorization) =>
      signet.fetch("/oauth/token", { method: "POST", headers: { Authorization }, body }),
    "/oauth/introspect": (Authorization) =>
      signet.fetch("/oauth/introspect", { method: "POST", headers: { Authorization }, body }),
    "/oauth/receipts": (Authorization) =>
      signet.fetch(`/oauth/receipts/${claimsOf(token).jti}`, { headers: { Authorization } }),
    "/oauth/revoke": (Authorization) =>
      signet.fetch("/oauth/revoke", { method: "POST", headers: { Authorization }, body }),
    "/admin/v1/users/1": (Authorization) => signet.fetch("/admin/v1/users/1", { headers: { Authorization } }),
  };
  for (const [path, send] of Object.entries(ask)) {
    const [scheme, value] = path.startsWith("/admin") ? ["Bearer", signet.adminToken] : ["Basic", pair];
    for (const header of [
      `${scheme} ${value}`,
      `${scheme}    ${value}`,
      `${scheme.toLowerCase()}  ${value} \t `,
      ` ${scheme} ${value} `,
    ]) {
      assert.equal((await send(header)).status, 200, `${path}: ${JSON.stringify(header)}`);
    }
    for (const header of [`${scheme}\t${value}`, `${scheme}${value}`, `${scheme} ${value} x`, scheme]) {
      assert.equal((await send(header)).status, 401, `${path}: ${JSON.stringify(header)}`);
    }
  }
});
