// The setting TOKEN_RECORDS: without records in KV, lookups by id ask the object of the user and answer for used tokens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readDescription } from "../support/openapi.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  basic,
  bearer,
  claimsOf,
  createSet,
  enterConsole,
  getToken,
  openLink,
  postForm,
  putUser,
} from "../support/workflow.mjs";

const UNKNOWN = "AAAAAAAAAAAAAAAAAAAAAA";
const MISSING_USER =
  "The parameter user_id is missing. Signet stores no token records (TOKEN_RECORDS), so it must know the user.";
const NOT_USED =
  "No such token was used within a day. Signet stores no records of unused tokens (TOKEN_RECORDS). " +
  "The application can revoke an unused token with POST /oauth/revoke.";
let signet, api, bound, other, delegated;

before(async () => {
  signet = await startSignet({ vars: { TOKEN_RECORDS: "off" } });
  api = await readDescription(signet);
  await putUser(signet, "1", { services: [12] });
  await putUser(signet, "closed", { status: "Closed" });
  bound = await createSet(signet, { user_id: "1", service_id: 12 });
  other = await createSet(signet, { user_id: "1" });
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

/** Sends a request, and holds its answer to the description. */
async function call(method, target, headers, to = signet) {
  const response = await to.fetch(target, { method, headers: { Host: new URL(to.consoleOrigin).host, ...headers } });
  await api.assertAnswer(method, target, response);
  const text = await response.text();
  return { status: response.status, ...(text !== "" && { body: JSON.parse(text) }) };
}

const lookUp = (jti, query = "", method = "GET", to = signet) =>
  call(method, `/admin/v1/tokens/${jti}${query}`, bearer(to.adminToken), to);
const receipt = (jti, set, query = "", to = signet) => call("GET", `/oauth/receipts/${jti}${query}`, basic(set), to);

/** A token that was used, and its id. */
async function used(set = bound, form = {}, to = signet) {
  const token = await getToken(to, set, form);
  await openLink(to, token);
  return { token, jti: claimsOf(token).jti };
}

test("no door that issues tokens writes to KV, and the tokens sign in", async () => {
  const { body: caller } = await signet.admin("POST", "/api-credentials", { name: "P", actions: ["CreateSsoToken"] });
  const { identifier, secret } = caller;
  const link = { app: "x", token: bound.client_secret, subscriber_unique_id: bound.client_id, user: "cpuser" };
  await signet.ops.reset();
  const links = [
    await getToken(signet, bound),
    await getToken(signet, delegated, { user_id: "1" }),
    ...(await Promise.all([
      postForm(signet, "/oauth/token.php", link),
      postForm(signet, "/includes/api.php", {
        action: "CreateSsoToken",
        client_id: "1",
        identifier,
        secret,
        responsetype: "json",
      }),
    ]).then((answers) =>
      Promise.all(
        answers.map(async (answer) => new URL((await answer.json()).redirect_url).searchParams.get("access_token")),
      ),
    )),
  ];
  assert.equal((await signet.ops.read())["kv.put"], 0);
  for (const token of links) assert.equal((await openLink(signet, token)).status, 302);
  assert.deepEqual((await (await signet.kv()).list({ prefix: "token:" })).keys, []);
});

test("an administrator finds a used token by its id and its user", async () => {
  const { jti } = await used();
  const settled_at = (await lookUp(jti, "?user_id=1")).body.settled_at;
  assert.deepEqual(await lookUp(jti, "?user_id=1"), {
    status: 200,
    body: { jti, state: "signed_in", reason: null, settled_at },
  });
  for (const [token, user, state, reason] of [
    [await used(delegated, { user_id: "closed" }), "closed", "denied", "closed"],
    [await used(delegated, { user_id: "nobody" }), "nobody", "denied", "unknown_account"],
  ]) {
    const { status, body } = await lookUp(token.jti, `?user_id=${user}`);
    assert.deepEqual([status, body.state, body.reason], [200, state, reason]);
  }
});

test("without the user the answer is 400 and names the parameter; with another user, or before its use, 404", async () => {
  const { jti } = await used();
  const unused = claimsOf(await getToken(signet, bound)).jti;
  for (const method of ["GET", "DELETE"]) {
    for (const [id, query, status, detail] of [
      [jti, "", 400, MISSING_USER],
      [jti, "?user_id=", 400, MISSING_USER],
      [jti, "?user_id=a%20b", 400, "The User ID is malformed."],
      [jti, "?user_id=closed", 404, NOT_USED],
      [unused, "?user_id=1", 404, NOT_USED],
      [UNKNOWN, "?user_id=1", 404, NOT_USED],
    ]) {
      const answer = await lookUp(id, query, method);
      assert.deepEqual([answer.status, answer.body.detail], [status, detail], `${method} ${query}`);
    }
  }
});

test("an administrator cannot revoke an unused token, and a used one stays as it is", async () => {
  const unused = await getToken(signet, bound);
  assert.equal((await lookUp(claimsOf(unused).jti, "?user_id=1", "DELETE")).status, 404);
  assert.equal((await openLink(signet, unused)).status, 302);
  assert.equal((await lookUp(claimsOf(unused).jti, "?user_id=1", "DELETE")).status, 204);
  assert.equal((await lookUp(claimsOf(unused).jti, "?user_id=1")).body.state, "signed_in");
});

test("revocation and introspection carry the token, so they work without a record", async () => {
  const token = await getToken(signet, bound);
  const { jti } = claimsOf(token);
  const introspect = async () =>
    (await (await postForm(signet, "/oauth/introspect", { token }, basic(bound))).json()).active;
  assert.equal(await introspect(), true);
  assert.equal((await postForm(signet, "/oauth/revoke", { token }, basic(bound))).status, 200);
  assert.equal(await introspect(), false);
  assert.equal((await openLink(signet, token)).status, 401);
  assert.equal((await receipt(jti, bound)).body.state, "revoked");
  assert.equal((await lookUp(jti, "?user_id=1")).body.state, "revoked");
});

test("a bound set gets receipts of its used tokens, and of no other set's", async () => {
  const { jti } = await used();
  const { status, body } = await receipt(jti, bound);
  assert.deepEqual([status, body.state], [200, "signed_in"]);
  assert.deepEqual(await receipt(jti, bound, "?user_id=1"), { status, body });
  const unused = claimsOf(await getToken(signet, bound)).jti;
  const refused = { status: 404, body: { error: "not_found", error_description: NOT_USED } };
  for (const [id, set, query] of [
    [jti, other, ""],
    [jti, delegated, "?user_id=1"],
    [jti, bound, "?user_id=closed"],
    [unused, bound, ""],
    [UNKNOWN, bound, ""],
    ["x", bound, ""],
  ]) {
    assert.deepEqual(await receipt(id, set, query), refused, `${id} ${query}`);
  }
});

test("a delegated set names the user of the token", async () => {
  const { jti } = await used(delegated, { user_id: "1" });
  const { status, body } = await receipt(jti, delegated, "?user_id=1");
  assert.deepEqual([status, body.state], [200, "signed_in"]);
  assert.deepEqual(await receipt(jti, delegated), {
    status: 400,
    body: { error: "invalid_request", error_description: MISSING_USER },
  });
  assert.equal((await receipt(jti, delegated, "?user_id=closed")).status, 404);
  assert.equal((await receipt(jti, bound)).status, 404);
});

test("the export lists used tokens, and erasing removes them", async () => {
  await putUser(signet, "leaving");
  const { jti } = await used(delegated, { user_id: "leaving" });
  const { body } = await signet.admin("GET", "/users/leaving/export");
  assert.deepEqual(
    body.tokens.map(({ jti, state }) => [jti, state]),
    [[jti, "signed_in"]],
  );
  assert.equal((await signet.admin("DELETE", "/users/leaving?erase=true")).status, 204);
});

test("the console asks for the user of a token, and its audit trail leads to the token", async () => {
  const { jti } = await used();
  const headers = { ...(await enterConsole(signet)), Accept: "text/html" };
  const show = async (path) => {
    const response = await signet.fetch(path, { headers });
    return { status: response.status, location: response.headers.get("location"), page: await response.text() };
  };
  assert.match((await show("/admin/tokens")).page, /name="user_id"/);
  const found = await show(`/admin/tokens?jti=${jti}&user_id=1`);
  assert.deepEqual([found.status, found.location], [303, `${signet.consoleOrigin}/admin/tokens/${jti}?user_id=1`]);
  const { status, page } = await show(`/admin/tokens/${jti}?user_id=1`);
  assert.equal(status, 200);
  assert.match(page, /It signed its user in/);
  assert.doesNotMatch(page, /Revoke this token/);
  assert.ok((await show("/admin/users/1")).page.includes(`/admin/tokens/${jti}?user_id=1`));
  assert.equal((await show(`/admin/tokens/${jti}`)).status, 400);
});

test("with records, the user is optional and must be the token's", async () => {
  const recorded = await startSignet();
  try {
    await putUser(recorded, "1");
    const set = await createSet(recorded, { user_id: "1" });
    const { jti } = await used(set, {}, recorded);
    await recorded.ops.read(); // the record is written after the answer
    const found = await lookUp(jti, "", "GET", recorded);
    assert.deepEqual([found.status, found.body.user_id, found.body.state], [200, "1", "signed_in"]);
    assert.deepEqual(await lookUp(jti, "?user_id=1", "GET", recorded), found);
    assert.equal((await lookUp(jti, "?user_id=2", "GET", recorded)).status, 404);
    assert.deepEqual(await receipt(jti, set, "?user_id=1", recorded), found);
    assert.equal((await receipt(jti, set, "?user_id=2", recorded)).status, 404);
    const pending = claimsOf(await getToken(recorded, set)).jti;
    await recorded.ops.read();
    assert.equal((await lookUp(pending, "?user_id=2", "DELETE", recorded)).status, 404);
    assert.equal((await lookUp(pending, "?user_id=1", "DELETE", recorded)).status, 204);
    assert.equal((await lookUp(pending, "", "GET", recorded)).body.state, "revoked");

    // A used token whose record was lost is found by its user.
    await (await recorded.kv()).delete(`token:${jti}`);
    assert.equal((await lookUp(jti, "", "GET", recorded)).status, 404);
    assert.equal((await lookUp(jti, "?user_id=1", "GET", recorded)).body.state, "signed_in");

    // Records of the time before the setting changed are still read.
    await recorded.restart({ TOKEN_RECORDS: "off" });
    assert.equal((await lookUp(pending, "", "GET", recorded)).body.state, "revoked");
  } finally {
    await recorded.close();
  }
});
