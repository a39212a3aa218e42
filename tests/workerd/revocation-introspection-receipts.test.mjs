// Revocation, introspection and receipts: what applications ask about their tokens.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  basic,
  bearer,
  claimsOf,
  createSet,
  eventsOf,
  getToken,
  openLink,
  postForm,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const BOTH = ["/oauth/revoke", "/oauth/introspect"];
const INACTIVE = '{"active":false}';
let signet, set, other, delegated;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12] });
  set = await createSet(signet, { user_id: "1", scopes: ["clientarea:invoices", "clientarea:product_details"] });
  other = await createSet(signet, { user_id: "1" });
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

const post = (path, client, form) => postForm(signet, path, form, client ? basic(client) : {});
const revoke = (token, client = set) => post("/oauth/revoke", client, { token });
const introspect = (token, client = set) => post("/oauth/introspect", client, { token });
const receipt = (jti, client = set) => signet.fetch(`/oauth/receipts/${jti}`, { headers: client ? basic(client) : {} });

test("RFC 7009 section 2.1: a revoked token signs nobody in, and revoking it again succeeds", async () => {
  const token = await getToken(signet, set);
  for (let n = 0; n < 2; n += 1) {
    const response = await revoke(token);
    assert.deepEqual([response.status, await response.text()], [200, "{}"]);
    assert.equal(response.headers.get("content-type"), "application/json", "simple-oauth2 parses the answer");
    assert.equal(response.headers.get("cache-control"), "no-store");
  }
  assert.equal((await openLink(signet, token)).status, 401);
  assert.equal((await eventsOf(signet, "1"))[0], "token.revoked: by_application");
});

test("RFC 7009 section 2.2: revoking an unknown, forged, malformed or expired token succeeds without an object request", async () => {
  const expired = await getToken(signet, set);
  const forged = `${expired.slice(0, -4)}AAAA`;
  await signet.clock.set(61_000);
  try {
    await signet.ops.reset();
    for (const token of [expired, forged, "x", "a.b.c", "\u0000", "x".repeat(20_000)]) {
      const response = await revoke(token);
      assert.deepEqual([response.status, await response.text()], [200, "{}"], token.slice(0, 20));
    }
    const used = await signet.ops.read();
    assert.deepEqual([used["object.run"], used["kv.put"]], [0, 0]);
  } finally {
    await signet.clock.set(0);
  }
});

test("RFC 7009 section 2.1: revoking another client's token is refused, and the token stays valid", async () => {
  const token = await getToken(signet, set);
  for (const client of [other, delegated]) {
    await assertFailure(await revoke(token, client), 400, "invalid_grant", "The token was issued to another client.");
  }
  assert.equal((await openLink(signet, token)).status, 302);
});

test("RFC 7009 section 2: revoking a spent token succeeds and ends no session", async () => {
  const token = await getToken(signet, set);
  const response = await openLink(signet, token);
  assert.equal((await revoke(token)).status, 200);
  const cookie = { Cookie: response.headers.get("set-cookie").split(";")[0] };
  assert.equal(await whoIs(signet, cookie), "1");
});

test("RFC 7009 section 2.2.1, CVE-2020-15223: when storage fails the answer is 503 with Retry-After, never 200", async () => {
  for (const [target, on] of [
    ["kv.get", ""],
    ["object.run", ""],
    ["sql.exec", "INSERT INTO token"],
    ["sql.exec", "SELECT"],
  ]) {
    const token = await getToken(signet, set);
    await signet.faults.set([{ target, on, mode: "throw" }]);
    const response = await revoke(token);
    await signet.faults.set([]);
    assert.equal(response.headers.get("retry-after"), "5", target);
    await assertFailure(
      response,
      503,
      "temporarily_unavailable",
      "Signet cannot reach its storage. Try again in a moment.",
    );
    assert.equal((await openLink(signet, token)).status, 302, `${target}: what was not revoked is not said to be`);
  }
});

test("RFC 6749 section 2.3, RFC 7662 section 2.1: questions about a token need client authentication", async () => {
  const token = await getToken(signet, set);
  const wrong = { ...set, client_secret: "wrong" };
  const unknown = { client_id: "nobody", client_secret: "wrong" };
  for (const path of BOTH) {
    const answers = [];
    for (const client of [undefined, wrong, unknown]) {
      const response = await post(path, client, { token });
      assert.match(response.headers.get("www-authenticate"), /^Basic realm=/);
      answers.push(`${response.status} ${await response.text()}`);
    }
    assert.equal(new Set(answers).size, 1, "no answer says why");
    assert.match(answers[0], /^401 .*invalid_client/);
    const { client_id, client_secret } = set;
    assert.equal(
      (await post(path, undefined, { token: "x", client_id, client_secret })).status,
      200,
      "client_secret_post",
    );
    await assertFailure(
      await post(path, set, { token, client_secret }),
      400,
      "invalid_request",
      "The client authenticates in two ways at once.",
    );
  }
  const byBearer = await postForm(signet, "/oauth/introspect", { token }, bearer(signet.adminToken));
  assert.equal(byBearer.status, 401);
  assert.equal((await receipt(claimsOf(token).jti, null)).status, 401);
  assert.equal((await receipt(claimsOf(token).jti, wrong)).status, 401);
  assert.equal((await openLink(signet, token)).status, 302);
});

test("RFC 6749 section 5.2: each malformed request has its answer", async () => {
  const form = { "Content-Type": "application/x-www-form-urlencoded", ...basic(set) };
  for (const path of BOTH) {
    for (const [headers, body, description, query = ""] of [
      [form, "", "The parameter token is missing."],
      [form, "token=", "The parameter token is missing."],
      [form, "token_type_hint=access_token", "The parameter token is missing."],
      [form, "token=a&token=b", "A parameter is given more than once."],
      [form, "token=a", "Parameters belong in the body, not in the address.", "?token=a"],
      [
        { ...form, "Content-Type": "application/json" },
        '{"token":"a"}',
        "The body is not application/x-www-form-urlencoded.",
      ],
      [basic(set), "token=a", "The body is not application/x-www-form-urlencoded."],
    ]) {
      await assertFailure(
        await signet.fetch(path + query, { method: "POST", headers, body }),
        400,
        "invalid_request",
        description,
      );
    }
    const large = await signet.fetch(path, { method: "POST", headers: form, body: `token=${"x".repeat(70_000)}` });
    assert.equal(large.status, 413);
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const response = await signet.fetch(path, { method, headers: form });
      assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"]);
    }
  }
  for (const hint of ["access_token", "refresh_token", "nonsense"]) {
    assert.equal(
      (await post("/oauth/revoke", set, { token: "x", token_type_hint: hint })).status,
      200,
      "RFC 7009 section 2.1: hints are ignored",
    );
  }
});

test("RFC 7662 section 2.2: an active token is described by its claims", async () => {
  const token = await getToken(signet, set, { scope: "clientarea:invoices" });
  const response = await introspect(token);
  const { iss, aud, sub, client_id, scope, iat, exp, jti } = claimsOf(token);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(await response.json(), {
    active: true,
    token_type: "Bearer",
    iss,
    aud,
    sub,
    client_id,
    scope,
    iat,
    exp,
    jti,
  });
});

test("RFC 7662 section 2.2: an inactive token is answered by active=false alone", async () => {
  const spent = await getToken(signet, set);
  await openLink(signet, spent);
  const revoked = await getToken(signet, set);
  await revoke(revoked);
  const live = await getToken(signet, set);
  const cookie = await signIn(signet, set);
  for (const [what, token, client] of [
    ["spent", spent],
    ["revoked", revoked],
    ["another client's", live, other],
    ["forged", `${live.slice(0, -4)}AAAA`],
    ["no token", "x"],
    ["a session cookie", cookie.Cookie.split("=")[1]],
  ]) {
    const response = await introspect(token, client);
    assert.deepEqual([response.status, await response.text()], [200, INACTIVE], what);
  }
  await signet.clock.set(61_000);
  assert.equal(await (await introspect(live)).text(), INACTIVE, "expired");
  await signet.clock.set(0);
});

test("RFC 7662 section 2.2: a token is active exactly while it could sign its user in", async () => {
  await putUser(signet, "2", { services: [12] });
  // A delegated set, for a bound one is revoked with the account.
  const own = await createSet(signet, { delegated: true, scopes: ["clientarea:product_details"] });
  const token = await getToken(signet, own, { user_id: "2", service_id: "12" });
  const isActive = async (of = token) => (await (await introspect(of, own)).json()).active;
  for (const [change, active] of [
    [{ status: "Closed" }, false],
    [{ status: "Inactive", services: ["12"] }, true],
    [{ sso: false }, false],
    [{ sso: true }, true],
    [{ services: [] }, false],
    [{ services: ["12"] }, true],
  ]) {
    await signet.admin("PATCH", "/users/2", change);
    assert.equal(await isActive(), active, JSON.stringify(change));
  }
  await signet.admin("DELETE", "/users/2");
  assert.equal(await isActive(), false, "deleted");
  await putUser(signet, "2", { services: [12] });
  assert.equal(await isActive(), true);
  assert.equal((await openLink(signet, token, { params: { service_id: "12" } })).status, 302, "asking spent nothing");
});

test("RFC 7662 section 4: asking a thousand times never spends a token", async () => {
  const token = await getToken(signet, set);
  await signet.ops.reset();
  for (let round = 0; round < 50; round += 1) {
    const answers = await Promise.all(Array.from({ length: 20 }, async () => (await introspect(token)).json()));
    assert.ok(answers.every(({ active }) => active));
  }
  assert.equal((await signet.ops.read())["sql.rowsWritten"], 0);
  assert.equal((await openLink(signet, token)).status, 302);
});

test("a disabled set gets no answers about its tokens", async () => {
  const own = await createSet(signet, { user_id: "1" });
  const token = await getToken(signet, own);
  await signet.admin("PATCH", `/credentials/${own.client_id}`, { disabled: true });
  for (const ask of [revoke, introspect]) assert.equal((await ask(token, own)).status, 401);
  assert.equal((await receipt(claimsOf(token).jti, own)).status, 401);
});

test("storage failures are 503 to introspection and receipts, never an answer about the token", async () => {
  const token = await getToken(signet, set);
  await signet.ops.read();
  for (const ask of [() => introspect(token), () => receipt(claimsOf(token).jti)]) {
    for (const target of ["kv.get", "object.run", "sql.exec"]) {
      await signet.faults.set([{ target, mode: "throw" }]);
      const response = await ask();
      await signet.faults.set([]);
      assert.equal(response.status, 503, target);
      assert.equal((await response.json()).error, "temporarily_unavailable");
    }
  }
});

async function issued(client = set, form = {}) {
  const token = await getToken(signet, client, form);
  await signet.ops.read(); // the record is written after the answer
  return { token, jti: claimsOf(token).jti };
}

test("the token endpoint returns the id of the token's receipt", async () => {
  const response = await post("/oauth/token", set, { grant_type: "single_sign_on" });
  const { access_token, jti } = await response.json();
  assert.equal(jti, claimsOf(access_token).jti);
});

test("a receipt is pending, then signed in, with the time", async () => {
  const { token, jti } = await issued();
  const { iat, exp, scope } = claimsOf(token);
  const known = { jti, user_id: "1", client_id: set.client_id, scope, issued_at: iat, expires_at: exp };
  const pending = await receipt(jti);
  assert.equal(pending.status, 200);
  assert.deepEqual(await pending.json(), { ...known, state: "pending", reason: null, settled_at: null });
  await openLink(signet, token);
  const { settled_at, ...settled } = await (await receipt(jti)).json();
  assert.deepEqual(settled, { ...known, state: "signed_in", reason: null });
  assert.ok(settled_at >= iat && settled_at <= exp);
});

test("a receipt of a denial has a stable reason", async () => {
  await putUser(signet, "3", { services: [1] });
  const own = await createSet(signet, { user_id: "3", scopes: ["clientarea:product_details"] });
  for (const [change, form, state, reason] of [
    [{}, { service_id: "2" }, "denied", "not_owner"],
    [{ sso: false }, { service_id: "1" }, "denied", "sso_disabled"],
    [{ status: "Closed" }, { service_id: "1" }, "denied", "closed"],
  ]) {
    await putUser(signet, "3", { services: [1], ...change });
    const { token, jti } = await issued(own, form);
    await openLink(signet, token);
    const answer = await (await receipt(jti, own)).json();
    assert.deepEqual([answer.state, answer.reason, typeof answer.settled_at], [state, reason, "number"]);
  }
  await signet.admin("DELETE", "/users/3");
  const anybodys = await createSet(signet, { delegated: true, scopes: ["clientarea:product_details"] });
  const { token, jti } = await issued(anybodys, { user_id: "3", service_id: "1" });
  await openLink(signet, token);
  assert.equal((await (await receipt(jti, anybodys)).json()).reason, "unknown_account");
});

test("a receipt says that a token was revoked, or expired unused", async () => {
  const { token, jti } = await issued();
  await revoke(token);
  assert.equal((await (await receipt(jti)).json()).state, "revoked");
  const { jti: late } = await issued();
  await signet.clock.set(61_000);
  assert.equal((await (await receipt(late)).json()).state, "expired");
  await signet.clock.set(0);
});

test("receipts of another client's token, an unknown token and a malformed id get the same answer", async () => {
  const { jti } = await issued();
  const answers = [];
  for (const [id, client] of [
    [jti, other],
    ["AAAAAAAAAAAAAAAAAAAAAA", set],
    ["x", set],
    ["", set],
    ["..%2f..", set],
    [`${jti}/x`, set],
  ]) {
    const response = await receipt(id, client);
    answers.push(`${response.status} ${await response.text()}`);
  }
  assert.equal(new Set(answers).size, 1, answers.join("\n"));
  assert.match(answers[0], /^404 /);
});

test("revocation and redemption at once take effect in one of two orders, and a token that was revoked first opens no session", async () => {
  for (let round = 0; round < 100; round += 1) {
    const token = await getToken(signet, set);
    const [opened, revoked] = await Promise.all([openLink(signet, token), revoke(token)]);
    assert.equal(revoked.status, 200);
    const [{ data }] = await signet.sql("1", "SELECT data FROM token WHERE jti = ?", claimsOf(token).jti);
    assert.equal(opened.status, JSON.parse(data).fate === "revoked" ? 401 : 302);
    assert.equal(await (await introspect(token)).text(), INACTIVE);
  }
});
