// The token endpoint /oauth/token.

import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  basic,
  claimsOf,
  createSet,
  getToken,
  openLink,
  postForm,
  postToken,
  putUser,
} from "../support/workflow.mjs";

const FORM = "application/x-www-form-urlencoded";
let signet, bound, delegated;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "42");
  bound = await createSet(signet, { user_id: "42", scopes: ["clientarea:invoices", "clientarea:emails"] });
  delegated = await createSet(signet, { delegated: true });
});
after(() => signet.close());

const grant = { grant_type: "single_sign_on" };
const post = (body, headers = {}, path = "/oauth/token") => postForm(signet, path, body, headers);
const raw = (body, headers, path = "/oauth/token") => signet.fetch(path, { method: "POST", headers, body });

test("RFC 6749 section 5.1: the exact answer", async () => {
  const response = await postToken(signet, bound, { scope: "clientarea:invoices" });
  const { access_token, ...rest } = await response.json();
  assert.equal(response.status, 200);
  assert.deepEqual(rest, {
    token_type: "Bearer",
    expires_in: 60,
    scope: "clientarea:invoices",
    jti: claimsOf(access_token).jti,
    redirect_url: `${signet.issuer}/oauth/singlesignon?access_token=${access_token}`,
  });
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("content-type"), "application/json");
  const { iat, jti, ...claims } = claimsOf(access_token);
  assert.match(jti, /^[\w-]{22}$/);
  assert.deepEqual(claims, {
    iss: signet.issuer,
    aud: `${signet.issuer}/oauth/singlesignon`,
    sub: "42",
    client_id: bound.client_id,
    scope: "clientarea:invoices",
    exp: iat + 60,
  });
});

test("RFC 6749 section 2.3.1: a client authenticates with Basic or in the form, at both spellings of the path", async () => {
  const { client_id, client_secret } = bound;
  for (const path of ["/oauth/token", "/oauth/token.php"]) {
    assert.equal((await post(grant, basic(bound), path)).status, 200);
    assert.equal((await post({ ...grant, client_id, client_secret }, {}, path)).status, 200);
    assert.equal((await post({ ...grant, client_id }, basic(bound), path)).status, 200, "its own id beside Basic");
  }
});

test("RFC 6749 section 2.3: two methods of authentication at once are refused, valid or not", async () => {
  const wrong = { ...bound, client_secret: "wrong" };
  for (const header of [bound, wrong]) {
    for (const { client_id, client_secret } of [bound, wrong]) {
      const response = await post({ ...grant, client_id, client_secret }, basic(header));
      await assertFailure(response, 400, "invalid_request", "The client authenticates in two ways at once.");
    }
  }
});

test("RFC 6749 section 5.2: an unknown client and a wrong secret get the same answer", async () => {
  const answers = new Set();
  for (const set of [
    { ...bound, client_secret: "wrong" },
    { ...bound, client_secret: delegated.client_secret },
    { client_id: "unknown", client_secret: "wrong" },
    { client_id: "unknown", client_secret: bound.client_secret },
  ]) {
    for (const response of [await post(grant, basic(set)), await post({ ...grant, ...pair(set) })]) {
      const { "x-request-id": _, date: __, ...headers } = Object.fromEntries(response.headers);
      answers.add(JSON.stringify([response.status, headers, await response.json()]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
  const [status, headers, body] = JSON.parse([...answers][0]);
  assert.equal(status, 401);
  assert.equal(headers["www-authenticate"], 'Basic realm="signet", charset="UTF-8"');
  assert.deepEqual(body, { error: "invalid_client", error_description: "Client authentication failed." });
});

const pair = ({ client_id, client_secret }) => ({ client_id, client_secret });

test("RFC 6749 section 5.2: each error, with its fixed text", async () => {
  const noGrant = await createSet(signet, { user_id: "42", grant_types: [] });
  const request = (description) => [400, "invalid_request", description];
  const scope = [400, "invalid_scope", "A scope is unknown or not allowed to the client."];
  for (const [set, form, expected] of [
    [bound, { grant_type: "" }, request("The parameter grant_type is missing.")],
    [bound, { user_id: "a b" }, request("The user_id is malformed.")],
    [bound, { service_id: "a b" }, request("The service_id is malformed.")],
    [bound, { domain_id: "/" }, request("The domain_id is malformed.")],
    [bound, { sso_redirect_path: "//evil" }, request("The sso_redirect_path is not a path within the client area.")],
    [delegated, {}, request("The parameter user_id is missing: the client is bound to no user.")],
    [bound, { user_id: "43" }, [400, "invalid_grant", "The client may not sign in this user."]],
    [noGrant, {}, [400, "unauthorized_client", "The client may not use this grant type."]],
    [bound, { grant_type: "password" }, [400, "unsupported_grant_type", "The only grant type is single_sign_on."]],
    [bound, { scope: "clientarea:downloads" }, scope],
    [bound, { scope: "clientarea:homepage" }, scope],
    [bound, { scope: "clientarea:Invoices" }, scope],
    [bound, { scope: 'clientarea:invoices"' }, scope],
    [bound, { scope: "clientarea:invoices  clientarea:emails" }, scope],
    [bound, { scope: "x".repeat(10_000) }, scope],
  ]) {
    await assertFailure(await postToken(signet, set, form), ...expected);
  }
});

test("RFC 6749 section 3.3: a request without a scope gets all that the set allows; a narrower scope is granted", async () => {
  const all = claimsOf(await getToken(signet, bound)).scope;
  assert.equal(all, "clientarea:sso clientarea:invoices clientarea:emails");
  assert.equal(claimsOf(await getToken(signet, bound, { scope: "clientarea:emails" })).scope, "clientarea:emails");
});

test("a set with a service signs it into every token and refuses another", async () => {
  const set = await createSet(signet, { user_id: "42", service_id: 12 });
  assert.equal(claimsOf(await getToken(signet, set)).service_id, "12");
  const other = await postToken(signet, set, { service_id: "13" });
  await assertFailure(other, 400, "invalid_request", "The service_id is not the one the client belongs to.");
});

test("RFC 6749 section 3.2: a repeated parameter is refused, an unknown one ignored, an empty one omitted", async () => {
  for (const name of ["grant_type", "client_id", "client_secret", "scope", "user_id", "foo"]) {
    const response = await raw(`grant_type=single_sign_on&${name}=x&${name}=y`, {
      ...basic(bound),
      "Content-Type": FORM,
    });
    await assertFailure(response, 400, "invalid_request", "A parameter is given more than once.");
  }
  assert.equal((await postToken(signet, bound, { foo: "bar", scope: "", user_id: "" })).status, 200);
  const empty = await post({ ...grant, client_id: bound.client_id, client_secret: "" });
  await assertFailure(empty, 401, "invalid_client", "Client authentication failed.");
});

test("RFC 6749 section 2.3.1: credentials and parameters in the address are refused", async () => {
  for (const name of ["client_id", "client_secret", "grant_type", "scope"]) {
    const response = await post(grant, basic(bound), `/oauth/token?${name}=x`);
    await assertFailure(response, 400, "invalid_request", "Parameters belong in the body, not in the address.");
  }
});

test("RFC 7617: malformed Basic credentials are 401", async () => {
  const b64 = (text) => Buffer.from(text).toString("base64");
  const good = `${bound.client_id}:${bound.client_secret}`;
  for (const header of [
    "Basic",
    "Basic ",
    "Basic !",
    `Basic\t${b64(good)}`,
    `Basic ${b64("no-colon")}`,
    `Basic ${b64(":x")}`,
    `Basic ${b64(`${bound.client_id}:`)}`,
    `Basic ${b64(good)}, Basic ${b64(good)}`,
    `Bearer ${b64(good)}`,
    `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString("base64")}`,
    `Basic ${b64(`${good} `)}`,
    "Digest x",
  ]) {
    await assertFailure(
      await post(grant, { Authorization: header }),
      401,
      "invalid_client",
      "Client authentication failed.",
    );
  }
  for (const header of ["basic {}", "BASIC {}", "bAsIc {}", "Basic   {}", "Basic {} ", "Basic  {}\t "]) {
    const Authorization = header.replace("{}", b64(good));
    assert.equal(
      (await post(grant, { Authorization })).status,
      200,
      `RFC 9110 sections 5.5 and 11.4: ${JSON.stringify(header)}`,
    );
  }
});

test("RFC 6749 section 3.2: the body must be a form", async () => {
  const body = "grant_type=single_sign_on";
  for (const type of [
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain",
    `application/json, ${FORM}`,
    `${FORM};charset=utf-16`,
    `${FORM}; charset=UTF-32LE`,
    `${FORM}; charset=utf-8, application/json`,
    "x",
    "",
  ]) {
    const response = await raw(body, { ...basic(bound), "Content-Type": type });
    await assertFailure(response, 400, "invalid_request", "The body is not application/x-www-form-urlencoded.");
  }
  for (const type of [FORM, `${FORM}; charset=UTF-8`, FORM.toUpperCase()]) {
    assert.equal((await raw(body, { ...basic(bound), "Content-Type": type })).status, 200, type);
  }
});

/** Sends a request piece by piece on a socket of its own, until the server has had enough, and returns its answer. */
async function sendPieces(pieces) {
  const socket = connect(Number(new URL(signet.issuer).port), "127.0.0.1");
  let answer = "";
  socket.on("data", (data) => (answer += data));
  socket.on("error", () => {}); // the server may close before it has everything
  for (const piece of pieces) {
    if (answer) break;
    socket.write(piece);
    await sleep(20);
  }
  for (const end = Date.now() + 30_000; Date.now() < end && !answer.endsWith("}"); ) await sleep(20);
  socket.destroy();
  const [head, body] = answer.split("\r\n\r\n");
  return new Response(body, { status: Number(head.split(" ")[1]) });
}

test("RFC 9110 section 15.5.14: a body over 64 KiB is refused, with or without a Content-Length, before its end", async () => {
  const headers = { ...basic(bound), "Content-Type": FORM };
  const fill = `${new URLSearchParams(grant)}&pad=`.padEnd(65_536, "x");
  assert.equal((await raw(fill, headers)).status, 200);
  const head = (field) =>
    [
      "POST /oauth/token HTTP/1.1",
      "Host: signet",
      `Authorization: ${headers.Authorization}`,
      `Content-Type: ${FORM}`,
      field,
      "",
      "",
    ].join("\r\n");
  const chunk = (text) => `${text.length.toString(16)}\r\n${text}\r\n`;
  function* endless(fields = "Transfer-Encoding: chunked") {
    yield head(fields);
    for (let n = 0; n < 1_000; n += 1) yield chunk("x".repeat(16_384));
  }
  for (const pieces of [
    [head("Content-Length: 65537"), fill, "x"],
    [head("Content-Length: 101000000"), fill],
    [head("Transfer-Encoding: chunked"), chunk(fill), chunk("x"), "0\r\n\r\n"],
    endless(),
  ]) {
    await assertFailure(await sendPieces(pieces), 413, "invalid_request", "The request body is larger than 64 KiB.");
  }
  const contradiction = endless("Content-Length: 5\r\nTransfer-Encoding: chunked");
  await assertFailure(await sendPieces(contradiction), 400, "invalid_request", "The request body could not be read.");
  assert.equal((await postToken(signet, bound)).status, 200, "the next request is served");
});

test("RFC 9110 section 15.5.6: any other method is 405 with Allow, and TRACE returns nothing of the request", async () => {
  for (const method of ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"]) {
    const response = await signet.fetch("/oauth/token", { method, headers: { "X-Echo": "canary" } });
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "POST"], method);
    assert.ok(!(await response.text()).includes("canary"));
  }
});

test("RFC 8414 section 3.3: the issuer comes from the settings, whatever the Host header says", async () => {
  const response = await post(grant, { ...basic(bound), Host: "evil.example", "X-Forwarded-Host": "evil.example" });
  assert.ok((await response.json()).redirect_url.startsWith(`${signet.issuer}/`));
});

test("a disabled or revoked set is an invalid client at once", async () => {
  const set = await createSet(signet, { user_id: "42" });
  const path = `/credentials/${set.client_id}`;
  const refused = [401, "invalid_client", "Client authentication failed."];
  await signet.admin("PATCH", path, { disabled: true });
  await assertFailure(await postToken(signet, set), ...refused);
  await signet.admin("PATCH", path, { disabled: false });
  assert.equal(
    (await openLink(signet, await getToken(signet, set))).status,
    302,
    "enabled again, its tokens are redeemed",
  );
  await signet.admin("DELETE", path);
  await assertFailure(await postToken(signet, set), ...refused);
});

test("after a rotation the old secret works to the end of its overlap, and not a second longer", async () => {
  const set = await createSet(signet, { user_id: "42" });
  const { body: rotated } = await signet.admin("POST", `/credentials/${set.client_id}/rotate`, {
    overlap_seconds: 100,
  });
  assert.notEqual(rotated.client_secret, set.client_secret);
  const status = async (credentials) => (await postToken(signet, credentials)).status;
  assert.deepEqual([await status(set), await status(rotated)], [200, 200]);
  await signet.clock.set(101_000);
  assert.deepEqual([await status(set), await status(rotated)], [401, 200]);
  await signet.clock.set(0);
});

test("the record of a token is kept in KV for a day, without its signature", async () => {
  const token = await getToken(signet, bound);
  const { jti } = claimsOf(token);
  await signet.ops.read(); // waits for what is done after the answer
  const { keys } = await (await signet.kv()).list({ prefix: `token:${jti}` });
  assert.equal(keys.length, 1);
  assert.ok(Math.abs(keys[0].expiration - (Date.now() / 1000 + 86_400)) < 60);
  const stored = await (await signet.kv()).get(`token:${jti}`);
  assert.ok(!stored.includes(token.split(".")[2]));
});

/** The header fields of an answer, except those that differ each time. */
const fieldsOf = ({ headers }) => {
  const varying = ["x-request-id", "date", "content-length", "connection", "keep-alive"];
  return Object.fromEntries([...headers].filter(([name]) => !varying.includes(name)));
};

test("RFC 6749 sections 5.1 and 5.2: the exact header fields of each kind of answer", async () => {
  const always = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "content-type": "application/json",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
  };
  const challenge = { "www-authenticate": 'Basic realm="signet", charset="UTF-8"' };
  for (const [status, response, more] of [
    [200, await postToken(signet, bound), { pragma: "no-cache" }],
    [400, await postToken(signet, bound, { scope: "clientarea:downloads" }), {}],
    [400, await postToken(signet, bound, { user_id: "43" }), {}],
    [401, await post({ ...grant, ...pair(bound), client_secret: "wrong" }), challenge],
    [405, await signet.fetch("/oauth/token"), { allow: "POST" }],
  ]) {
    assert.equal(response.status, status);
    assert.deepEqual(fieldsOf(response), { ...always, ...more });
  }
});

test("RFC 6749 section 5.2: missing or incomplete credentials are an invalid client", async () => {
  const { client_id, client_secret } = bound;
  for (const form of [
    {},
    { client_id },
    { client_secret },
    { client_id: "", client_secret: "" },
    { client_id: "a b", client_secret },
  ]) {
    await assertFailure(await post({ ...grant, ...form }), 401, "invalid_client", "Client authentication failed.");
  }
  const contradiction = await post({ ...grant, client_id: delegated.client_id }, basic(bound));
  await assertFailure(contradiction, 400, "invalid_request", "The client_id contradicts the Authorization header.");
});

test("a bound set may name its own user; a delegated set's token names the user and has the inputs of its destination", async () => {
  assert.equal(claimsOf(await getToken(signet, bound, { user_id: "42" })).sub, "42");
  const scope = "clientarea:product_details sso:custom_redirect";
  const set = await createSet(signet, { delegated: true, scopes: scope.split(" ") });
  const inputs = { service_id: "12", domain_id: "example.com", sso_redirect_path: "cart.php?a=add&b=%20" };
  const { iat, exp, jti, ...claims } = claimsOf(
    await getToken(signet, set, { user_id: "Some.User_1-x", scope, ...inputs }),
  );
  assert.deepEqual(claims, {
    iss: signet.issuer,
    aud: `${signet.issuer}/oauth/singlesignon`,
    sub: "Some.User_1-x",
    client_id: set.client_id,
    scope,
    delegated: true,
    ...inputs,
  });
});

test("a second rotation ends the first secret at once, and an overlap lasts to its end", async () => {
  const first = await createSet(signet, { user_id: "42" });
  const rotate = async () =>
    (await signet.admin("POST", `/credentials/${first.client_id}/rotate`, { overlap_seconds: 100 })).body;
  const status = async (set) => (await postToken(signet, set)).status;
  try {
    const start = await signet.clock.stop();
    const second = await rotate();
    const third = await rotate();
    assert.deepEqual([await status(first), await status(second), await status(third)], [401, 200, 200]);
    await signet.clock.stop(start + 99_999);
    assert.deepEqual([await status(second), await status(third)], [200, 200]);
    await signet.clock.stop(start + 100_000);
    assert.deepEqual([await status(second), await status(third)], [401, 200]);
  } finally {
    await signet.clock.set(0);
  }
});

test("the record of a token has what its claims say, and nothing more", async () => {
  const set = await createSet(signet, { user_id: "42", service_id: 12 });
  const token = await getToken(signet, set);
  await signet.ops.read(); // waits for what is done after the answer
  const { jti, iat, exp, scope } = claimsOf(token);
  assert.deepEqual(await (await signet.kv()).get(`token:${jti}`, "json"), {
    jti,
    user_id: "42",
    client_id: set.client_id,
    scope,
    issued_at: iat,
    expires_at: exp,
    service_id: "12",
  });
});

test("TOKEN_TTL shortens the life of a token", async () => {
  const brief = await startSignet({ vars: { TOKEN_TTL: 5 } });
  try {
    await putUser(brief, "1");
    const set = await createSet(brief, { user_id: "1" });
    const answer = await (await postToken(brief, set)).json();
    const { iat, exp } = claimsOf(answer.access_token);
    assert.deepEqual([answer.expires_in, exp - iat], [5, 5]);
    await brief.clock.set(5_000);
    assert.equal((await openLink(brief, answer.access_token)).status, 401);
  } finally {
    await brief.close();
  }
});
