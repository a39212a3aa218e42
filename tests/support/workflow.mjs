// The steps of a sign-in, and the requests that many tests send.

import assert from "node:assert/strict";

/** Creates or replaces an account. */
export async function putUser(signet, user, account = {}) {
  const answer = await signet.admin("PUT", `/users/${user}`, { status: "Active", ...account });
  assert.ok([200, 201].includes(answer.status), JSON.stringify(answer.body));
  return answer.body;
}

/** Creates a credential set with the fields of `change`: which users it may sign in, and others. */
export async function createSet(signet, change) {
  const scopes = ["clientarea:invoices"];
  const answer = await signet.admin("POST", "/credentials", { name: "Portal", scopes, ...change });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
}

/** The `Authorization` header of a credential set. */
export const basic = ({ client_id, client_secret }) => ({
  Authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`,
});

/** The `Authorization` header of a bearer token. */
export const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** Sends a form. */
export const postForm = (signet, path, fields, headers = {}) =>
  signet.fetch(path, { method: "POST", headers, body: new URLSearchParams(fields) });

/** Sends a token request; the grant type is filled in. */
export const postToken = (signet, set, form = {}) =>
  postForm(signet, "/oauth/token", { grant_type: "single_sign_on", ...form }, basic(set));

/** Gets a token, and fails if the request is refused. */
export async function getToken(signet, set, form) {
  const response = await postToken(signet, set, form);
  const answer = await response.json();
  assert.equal(response.status, 200, JSON.stringify(answer));
  return answer.access_token;
}

/** The claims in a token. */
export const claimsOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url").toString());

/** Opens a sign-in link. `params` are further parameters, `headers` may have a cookie. */
export function openLink(signet, token, { params = {}, headers = {}, method = "GET" } = {}) {
  const form = new URLSearchParams({ access_token: token, ...params });
  if (method === "POST") return signet.fetch("/oauth/singlesignon", { method, headers, body: form });
  return signet.fetch(`/oauth/singlesignon?${form}`, { method, headers });
}

/** The `Cookie` header that a browser makes of an answer's `Set-Cookie`. */
export const cookieOf = (response) => ({ Cookie: response.headers.get("set-cookie").split(";")[0] });

/** Signs in and returns the cookie. */
export async function signIn(signet, set, { form, headers } = {}) {
  const response = await openLink(signet, await getToken(signet, set, form), { headers });
  assert.equal(response.status, 302);
  return cookieOf(response);
}

/** Signs an administrator in to the console and returns the cookie. */
export async function enterConsole(signet) {
  const headers = { Host: new URL(signet.consoleOrigin).host };
  return cookieOf(await postForm(signet, "/admin/sign-in", { admin_token: signet.adminToken }, headers));
}

/** The CSRF token in the forms of a page. */
export const csrfTokenIn = (page) => page.match(/name="csrf_token" value="([^"]+)"/)[1];

/** The CSRF token in the forms of the page at a path, as a browser with these headers gets it. */
export const csrfTokenAt = async (signet, path, headers) =>
  csrfTokenIn(await (await signet.fetch(path, { headers })).text());

/** The user whom a cookie signs in, or `undefined`. */
export async function whoIs(signet, cookie) {
  const response = await signet.fetch("/oauth/session", { headers: cookie });
  return response.status === 200 ? (await response.json()).user_id : undefined;
}

/** The rows of the sessions that a user's object stores, the expired ones too. */
export const storedSessions = (signet, user) =>
  signet.sql(
    user,
    "SELECT jti, json_extract(data, '$.session_id') AS id, data FROM token WHERE session_expires_at IS NOT NULL",
  );

/** The numbers that two entries of a user's audit trail have in common. */
export const repeatedNumbers = (signet, user) =>
  signet.sql(
    user,
    `SELECT number FROM (SELECT number FROM token WHERE number IS NOT NULL UNION ALL SELECT number FROM event)
     GROUP BY number HAVING count(*) > 1`,
  );

/** The names of a user's events, newest first. */
export async function eventsOf(signet, user) {
  const { body } = await signet.admin("GET", `/users/${user}/events?limit=100`);
  return body.events.map(({ event, reason }) => (reason ? `${event}: ${reason}` : event));
}

/** The exact messages of the failures. */
export const messages = {
  closed: (user) => `Single Sign-On authentication denied for "Closed" User ID: ${user}`,
  disabled: (user) => `Single Sign-On authentication denied per configuration for User ID: ${user}`,
  unable: (user) => `Unable to authenticate with Single Sign-On token for User ID: ${user}`,
  closedWithSession: (user) =>
    `OAuth authorization request denied due to unexpected active login session for "Closed" User ID: ${user}`,
};

/** Asserts that an answer is a failure in JSON. */
export async function assertFailure(response, status, error, description) {
  const body = await response.json();
  assert.deepEqual({ status: response.status, ...body }, { status, error, error_description: description });
}

/** The header of a caller that accepts JSON. */
export const json = { Accept: "application/json" };
