// The log lines and data points of decisions, and the limit of failed attempts.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  basic,
  claimsOf,
  createSet,
  enterConsole,
  getToken,
  json,
  openLink,
  postForm,
  postToken,
  putUser,
} from "../support/workflow.mjs";

const LIMIT = 3;
const TOO_MANY = "Too many failed attempts. Try again in a minute.";
let signet, set;

before(async () => {
  signet = await startSignet({ limit: LIMIT, analytics: true });
  await putUser(signet, "1");
  set = await createSet(signet, { user_id: "1" });
});
after(() => signet.close());

let networks = 0;
/** An address that nobody has used yet. */
const newcomer = () => ({ "CF-Connecting-IP": `198.51.100.${(networks += 1)}` });
const form = { grant_type: "single_sign_on" };

/** Every way to try a secret: what it sends with a wrong one, and its answer over the limit. */
const attempts = {
  "the token endpoint": (headers) =>
    postForm(signet, "/oauth/token", form, { ...headers, ...basic({ client_id: "x1", client_secret: "y" }) }),
  "the revocation endpoint": (headers) =>
    postForm(signet, "/oauth/revoke", { token: "x", client_id: "x2", client_secret: "y" }, headers),
  "the introspection endpoint": (headers) =>
    postForm(signet, "/oauth/introspect", { token: "x", client_id: "x3", client_secret: "y" }, headers),
  receipts: (headers) =>
    signet.fetch("/oauth/receipts/AAAAAAAAAAAAAAAAAAAAAA", {
      headers: { ...headers, ...basic({ client_id: "x4", client_secret: "y" }) },
    }),
  "cPanel's link": (headers) =>
    postForm(signet, "/oauth/token.php", { subscriber_unique_id: "x5", token: "y" }, headers),
  "the SSO endpoint": (headers) => openLink(signet, "not.a.token", { headers: { ...json, ...headers } }),
  "the administration": (headers) =>
    signet.fetch("/admin/v1/users/1", { headers: { ...headers, Authorization: "Bearer wrong" } }),
  "the console": (headers) => postForm(signet, "/admin/sign-in", { admin_token: "wrong" }, headers),
  "WHMCS's API": (headers) =>
    postForm(signet, "/includes/api.php", { action: "x", identifier: "x6", secret: "y" }, headers),
  "WHMCS's API without a secret": (headers) => postForm(signet, "/includes/api.php", { action: "x" }, headers),
};

for (const [name, attempt] of Object.entries(attempts)) {
  test(`RFC 6585 section 4: failed attempts beyond the limit are 429 with Retry-After: ${name}`, async () => {
    const headers = newcomer();
    const statuses = [];
    let last;
    // Twice as many where the minute ends in between.
    while (statuses.at(-1) !== 429 && statuses.length <= 2 * LIMIT)
      statuses.push((last = await attempt(headers)).status);
    assert.equal(statuses.pop(), 429, statuses.join());
    assert.ok(statuses.length >= LIMIT && statuses.every((status) => [401, 403].includes(status)), statuses.join());
    assert.equal(last.headers.get("retry-after"), "60");
    assert.match(await last.text(), new RegExp(TOO_MANY));
    assert.equal(
      JSON.parse((await signet.logged(last.headers.get("x-request-id"))).message).reason,
      "too_many_requests",
    );
  });
}

test("nobody can lock a client out: after 100 wrong secrets from many addresses, the right one works from a new address", async () => {
  const wrong = { ...set, client_secret: "wrong" };
  const attacker = newcomer();
  const statuses = new Set();
  for (let n = 0; n < 100; n += 1) {
    const headers = { ...basic(wrong), ...(n % 2 ? attacker : newcomer()) };
    statuses.add((await postForm(signet, "/oauth/token", form, headers)).status);
  }
  assert.deepEqual([...statuses].sort(), [401, 429]);
  for (const headers of [newcomer(), {}]) {
    const sent = { method: "POST", headers: { ...basic(set), ...headers }, body: new URLSearchParams(form) };
    const response = await signet.fetch("/oauth/token", sent);
    assert.equal(response.status, 200);
    const { access_token } = await response.json();
    assert.equal(
      (await openLink(signet, access_token, { headers: attacker })).status,
      302,
      "a good link counts from anywhere",
    );
  }
});

/** Fails from an address until it is over the limit. */
async function runIntoLimit(headers, attempt = attempts["the administration"]) {
  for (let n = 0; n <= 2 * LIMIT; n += 1) if ((await attempt(headers)).status === 429) return;
  assert.fail("never over the limit");
}

test("attack 108: a page of another origin is refused before its secret is compared, and does not count towards the limit", async () => {
  const ip = { "CF-Connecting-IP": "198.51.100.77" };
  for (let n = 0; n < 2 * LIMIT; n += 1) {
    for (const site of ["cross-site", "same-site"]) {
      const headers = { ...ip, "Sec-Fetch-Site": site };
      const answers = [
        await signet.fetch("/admin/v1/credentials", { headers }),
        await postForm(signet, "/oauth/token", form, { ...headers, ...basic(set) }),
        await postForm(signet, "/includes/api.php", { identifier: "x", secret: "y" }, headers),
      ];
      assert.deepEqual(
        answers.map(({ status }) => status),
        [403, 403, 403],
        site,
      );
    }
  }
  const Authorization = `Bearer ${signet.adminToken}`;
  assert.equal((await signet.fetch("/admin/v1/credentials", { headers: { ...ip, Authorization } })).status, 200);
});

test("attack 108, ASVS 6.3.1: every route refuses an address over the limit before any read or comparison, even with the right secret", async () => {
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "P",
    actions: ["ListOAuthCredentials"],
  });
  const token = await getToken(signet, set);
  const Authorization = `Bearer ${signet.adminToken}`;
  const { client_id, client_secret } = set;
  const post = (path, fields, headers) => postForm(signet, path, fields, headers);
  const right = {
    "/oauth/token": (headers) => post("/oauth/token", form, { ...headers, ...basic(set) }),
    "/oauth/token.php": (headers) =>
      post("/oauth/token.php", { subscriber_unique_id: client_id, token: client_secret }, headers),
    "/oauth/introspect": (headers) => post("/oauth/introspect", { token, client_id, client_secret }, headers),
    "/oauth/receipts": (headers) =>
      signet.fetch(`/oauth/receipts/${claimsOf(token).jti}`, { headers: { ...headers, ...basic(set) } }),
    "/oauth/revoke": (headers) => post("/oauth/revoke", { token, client_id, client_secret }, headers),
    "/includes/api.php": (headers) =>
      post(
        "/includes/api.php",
        { identifier: api.identifier, secret: api.secret, action: "ListOAuthCredentials" },
        headers,
      ),
    "/admin/v1/users/1": (headers) => signet.fetch("/admin/v1/users/1", { headers: { ...headers, Authorization } }),
    "/admin/v1/import": (headers) =>
      signet.fetch("/admin/v1/import", {
        method: "POST",
        headers: { ...headers, Authorization, "Content-Type": "application/x-ndjson" },
        body: "\n",
      }),
    "/admin/sign-in": (headers) => post("/admin/sign-in", { admin_token: signet.adminToken }, headers),
  };
  const [bad, neighbour, other] = ["2001:db8:7:7::1", "2001:db8:7:7:ffff::2", "2001:db8:7:8::1"].map((ip) => ({
    "CF-Connecting-IP": ip,
  }));
  await runIntoLimit(bad);
  await signet.ops.read({ timers: true }); // the chart's counts so far are written, an object request
  await signet.ops.reset();
  for (const [path, ask] of Object.entries(right)) {
    for (const headers of [bad, neighbour]) {
      const response = await ask(headers);
      assert.deepEqual([response.status, response.headers.get("retry-after")], [429, "60"], path);
      assert.match(await response.text(), new RegExp(TOO_MANY), path);
    }
  }
  for (const attempt of Object.values(attempts)) assert.equal((await attempt(bad)).status, 429);
  const used = await signet.ops.read();
  assert.ok(
    Object.values(used).every((count) => count === 0),
    JSON.stringify(used),
  );
  for (const [path, ask] of Object.entries(right)) {
    assert.ok([200, 303].includes((await ask(other)).status), `another network: ${path}`);
  }
  const operator = { ...(await enterConsole(signet)), ...bad };
  assert.equal((await signet.fetch("/admin", { headers: operator })).status, 200, "an open session continues");
  await signet.clock.set(61_000);
  try {
    for (const [path, ask] of Object.entries(right))
      assert.ok([200, 303].includes((await ask(bad)).status), `a minute later: ${path}`);
  } finally {
    await signet.clock.set(0);
  }
});

test("forged links bring an address over the limit; its valid links still work", async () => {
  const headers = newcomer();
  await runIntoLimit(headers, attempts["the SSO endpoint"]);
  const sent = { method: "POST", headers: { ...headers, ...basic(set) }, body: new URLSearchParams(form) };
  assert.equal((await signet.fetch("/oauth/token", sent)).status, 429);
  assert.equal((await openLink(signet, await getToken(signet, set), { headers })).status, 302);
  assert.equal((await attempts["the SSO endpoint"](headers)).status, 429);
});

test("RFC 6749 section 5.2: over the limit, an unknown client and a wrong secret get the same answer", async () => {
  const answers = new Set();
  for (const client_id of [set.client_id, "unknown"]) {
    const headers = newcomer();
    for (let n = 0; n < 2 * LIMIT; n += 1) {
      const sent = {
        method: "POST",
        headers: { ...headers, ...basic({ client_id, client_secret: "wrong" }) },
        body: new URLSearchParams(form),
      };
      const response = await signet.fetch("/oauth/token", sent);
      if (response.status === 429) answers.add(await response.text());
    }
  }
  assert.equal(answers.size, 1);
});

test("guesses at one client from many addresses reach the limit too, at the token endpoint and at WHMCS's API", async () => {
  const wrong = { grant_type: "single_sign_on", client_id: "x7", client_secret: "y" };
  for (const [path, body] of [
    ["/oauth/token", wrong],
    ["/includes/api.php", { action: "x", identifier: "x8", secret: "y" }],
  ]) {
    const statuses = [];
    while (statuses.at(-1) !== 429 && statuses.length <= 2 * LIMIT) {
      statuses.push((await postForm(signet, path, body, newcomer())).status);
    }
    assert.equal(statuses.at(-1), 429, `${path}: ${statuses.join()}`);
    assert.ok(statuses.length > LIMIT, `${path}: ${statuses.join()}`);
  }
});

test("a failure that tests no secret never counts towards the limit", async () => {
  const headers = newcomer();
  for (let n = 0; n < 3 * LIMIT; n += 1) {
    const bad = await postForm(signet, "/oauth/token", { grant_type: "x" }, { ...headers, ...basic(set) });
    await assertFailure(bad, 400, "unsupported_grant_type", "The only grant type is single_sign_on.");
    assert.equal((await signet.fetch("/oauth/session", { headers })).status, 401, "nobody is signed in");
  }
});

test("a data point per decision: event, outcome, reason, client_id and milliseconds; no user, no secret", async () => {
  const before = (await signet.points()).length;
  const token = await getToken(signet, set);
  await openLink(signet, token);
  await openLink(signet, token, { headers: newcomer() });
  await postToken(signet, { ...set, client_secret: "wrong" });
  await signet.fetch("/healthz");
  await signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  await postToken(signet, set);
  await signet.faults.set([]);
  const points = (await signet.points()).slice(before);
  assert.deepEqual(
    points.map(({ indexes, blobs }) => [indexes.join(), ...blobs]).map((point) => point.slice(1).join(" ")),
    [
      `token granted ok ${set.client_id}`,
      `sso granted ok ${set.client_id}`,
      `sso denied token_used ${set.client_id}`,
      points[3].blobs.join(" "), // the limit may be reached or not
      "health granted ok ",
      `token failed storage ${set.client_id}`,
    ],
  );
  assert.ok(["wrong_credentials", "too_many_requests"].includes(points[3].blobs[2]), points[3].blobs.join());
  for (const { indexes, doubles, blobs } of points) {
    assert.deepEqual([indexes.length, indexes[0], doubles.length, blobs.length], [1, blobs[0], 1, 4]);
    assert.ok(doubles[0] >= 0 && doubles[0] < 10_000);
  }
});

test("the log line and the data point of a decision follow the answer, on every kind of answer", async () => {
  const token = await getToken(signet, set);
  for (const act of [
    () => signet.fetch("/healthz"),
    () => postToken(signet, set),
    () => openLink(signet, token),
    () => openLink(signet, token, { headers: newcomer() }),
    () => signet.fetch("/nowhere"),
    () => signet.admin("GET", "/users/1"),
  ]) {
    await signet.ops.reset();
    const points = (await signet.points()).length;
    await act();
    assert.equal((await signet.points()).length, points + 1, String(act));
    assert.equal((await signet.ops.read())["record.early"], 0, String(act));
  }
});

test("counting for the chart costs one object request for many sign-ins, after the answers", {
  timeout: 60_000,
}, async () => {
  await signet.ops.read({ timers: true }); // the counts so far are written
  await signet.ops.reset();
  for (let n = 0; n < 10; n += 1) await openLink(signet, await getToken(signet, set));
  assert.equal((await signet.ops.read())["console.run"], 0, "nothing yet");
  assert.equal((await signet.ops.read({ timers: true }))["console.run"], 1);
});
