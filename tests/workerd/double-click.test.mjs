// Two clicks on one sign-in link: the setting BROWSER_NONCE, and the link back to the application.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  claimsOf,
  cookieOf,
  createSet,
  eventsOf,
  getToken,
  json,
  messages,
  openLink,
  putUser,
  storedSessions,
  whoIs,
} from "../support/workflow.mjs";

const AREA = "https://my.example/billing/";
const NONCE = /^__Host-signet-nonce=([A-Za-z0-9_-]{22}); Path=\/; Secure; HttpOnly; SameSite=Lax; Max-Age=60$/;
let plain, signet, sets;

before(async () => {
  const vars = { CLIENT_AREA_URL: AREA };
  plain = await startSignet({ vars });
  signet = await startSignet({ vars: { ...vars, BROWSER_NONCE: "true" } });
  const scopes = ["clientarea:invoices", "clientarea:product_details"];
  sets = new Map();
  for (const each of [plain, signet]) sets.set(each, await createSet(each, { delegated: true, scopes }));
});
after(() => Promise.all([plain.close(), signet.close()]));

/** A token of a user who exists. */
async function tokenOf(user, on = signet, form = {}) {
  await putUser(on, user, { services: [12] });
  return getToken(on, sets.get(on), { user_id: user, scope: "clientarea:invoices", ...form });
}

/** The first hop of a link, and how to open what it leads to. */
async function hop(token, { params, headers, method, on = signet } = {}) {
  const response = await openLink(on, token, { params, headers, method });
  const location = response.headers.get("location");
  assert.ok(location?.startsWith(`${on.issuer}/oauth/singlesignon?`), `${response.status} ${location}`);
  return { response, location: new URL(location), follow: (init) => on.fetch(location.slice(on.issuer.length), init) };
}

const nonceOf = (response) => ({ Cookie: `__Host-signet-nonce=${response.headers.get("set-cookie").match(NONCE)[1]}` });
const marked = (token, headers = {}, more = {}) =>
  openLink(signet, token, { params: { nonce: "1" }, headers: { ...json, ...headers }, ...more });

test("without BROWSER_NONCE a link is redeemed at once, and a nonce has no effect", async () => {
  const token = await tokenOf("1", plain);
  const nonce = { Cookie: "__Host-signet-nonce=AAAAAAAAAAAAAAAAAAAAAA" };
  const first = await openLink(plain, token, { headers: nonce });
  assert.equal(first.status, 302);
  assert.match(first.headers.get("set-cookie"), /^__Host-signet=/);
  const [{ data }] = await storedSessions(plain, "1");
  assert.ok(!data.includes("nonce"));
  const again = await openLink(plain, token, { params: { nonce: "1" }, headers: { ...json, ...nonce } });
  await assertFailure(again, 401, "invalid_token", messages.unable("1"));
});

test("the first request sets a nonce and redirects to the same link, without spending the token or reading storage", async () => {
  const token = await tokenOf("2", signet, { scope: "clientarea:product_details clientarea:invoices" });
  await signet.ops.reset();
  const { response, location, follow } = await hop(token, {
    params: { scope: "clientarea:product_details", service_id: "12", goto: "x" },
  });
  assert.deepEqual(
    [response.status, response.headers.get("cache-control"), response.headers.get("referrer-policy")],
    [302, "no-store", "no-referrer"],
  );
  assert.match(response.headers.get("set-cookie"), NONCE);
  assert.deepEqual(Object.fromEntries(location.searchParams), {
    access_token: token,
    scope: "clientarea:product_details",
    service_id: "12",
    nonce: "1",
  });
  const used = await signet.ops.read();
  assert.ok(
    Object.values(used).every((count) => count === 0),
    JSON.stringify(used),
  );
  const landed = await follow({ headers: nonceOf(response) });
  assert.deepEqual(
    [landed.status, landed.headers.get("location")],
    [302, `${AREA}clientarea.php?action=productdetails&id=12`],
  );
  assert.equal(await whoIs(signet, cookieOf(landed)), "2");
});

test("each browser gets a nonce of its own, and keeps it", async () => {
  const token = await tokenOf("3");
  const nonces = [];
  for (let n = 0; n < 20; n += 1) nonces.push(nonceOf((await hop(token)).response).Cookie);
  assert.equal(new Set(nonces).size, 20);
  const [held] = nonces;
  assert.equal(nonceOf((await hop(token, { headers: { Cookie: held } })).response).Cookie, held);
  for (const bad of ["", "x", "x".repeat(10_000), `${held.split("=")[1]}A`, "A".repeat(21)]) {
    const given = nonceOf((await hop(token, { headers: { Cookie: `__Host-signet-nonce=${bad}` } })).response).Cookie;
    assert.ok(!nonces.includes(given) && !given.endsWith(`=${bad}`), bad.slice(0, 30));
  }
});

test("a browser that keeps no cookie continues without a nonce, and its link works once", async () => {
  const token = await tokenOf("4");
  const { follow } = await hop(token);
  const landed = await follow();
  assert.equal(landed.headers.get("location"), `${AREA}clientarea.php?action=invoices`);
  await assertFailure(await marked(token), 401, "invalid_token", messages.unable("4"));
});

test("a repeat by the same browser lands in the same session, with its cookie; a repeat by another browser does not", async () => {
  const token = await tokenOf("5");
  const [nonce, foreign] = [nonceOf((await hop(token)).response), nonceOf((await hop(token)).response)];
  const first = await marked(token, nonce);
  const again = await marked(token, nonce);
  const ids = await Promise.all(
    [first, again].map(async (response) => {
      assert.deepEqual(
        [response.status, response.headers.get("location")],
        [302, `${AREA}clientarea.php?action=invoices`],
      );
      return (await (await signet.fetch("/oauth/session", { headers: cookieOf(response) })).json()).session_id;
    }),
  );
  assert.equal(ids[0], ids[1]);
  for (const headers of [{}, foreign, { Cookie: `${nonce.Cookie}; ${nonce.Cookie}` }, { "X-Nonce": nonce.Cookie }]) {
    const refused = await marked(token, headers);
    assert.equal(refused.headers.get("set-cookie"), null);
    await assertFailure(refused, 401, "invalid_token", messages.unable("5"));
  }
  assert.deepEqual(await eventsOf(signet, "5"), [
    ...Array(4).fill("token.replayed"),
    "sso.signed_in",
    "account.created",
  ]);
  await signet.fetch("/oauth/logout", { method: "POST", headers: { ...json, ...cookieOf(first) } });
  assert.equal((await marked(token, nonce)).status, 401, "not after the session has ended");
  const other = await tokenOf("5");
  assert.equal((await marked(other, foreign)).status, 302);
  assert.equal((await marked(other, nonce)).status, 401, "a nonce counts for the token that it redeemed");
});

test("a repeat by the nonce works for ten seconds, and not for a service of another user", async () => {
  try {
    const start = await signet.clock.stop();
    const token = await tokenOf("6", signet, { scope: "clientarea:product_details" });
    const nonce = nonceOf((await hop(token)).response);
    const open = (service_id) =>
      openLink(signet, token, { params: { nonce: "1", service_id }, headers: { ...json, ...nonce } });
    assert.equal((await open("12")).status, 302);
    assert.equal((await open("13")).status, 403);
    for (const [ms, status] of [
      [9_999, 302],
      [10_000, 401],
    ]) {
      await signet.clock.stop(start + ms);
      assert.equal((await open("12")).status, status, `after ${ms} ms`);
    }
  } finally {
    await signet.clock.set(0);
  }
});

test("a Closed account and disabled single sign-on are refused before the nonce is compared", async () => {
  const token = await tokenOf("7");
  const nonce = nonceOf((await hop(token)).response);
  assert.equal((await marked(token, nonce)).status, 302);
  await signet.admin("PATCH", "/users/7", { sso: false });
  await assertFailure(await marked(token, nonce), 403, "access_denied", messages.disabled("7"));
  await signet.admin("PATCH", "/users/7", { status: "Closed", sso: true });
  await assertFailure(await marked(token, nonce), 403, "access_denied", messages.closed("7"));
});

test("a request that never spends a token sets no nonce", async () => {
  const token = await tokenOf("8");
  for (const [init, status] of [
    [{ method: "HEAD" }, 405],
    [{ headers: { "Sec-Purpose": "prefetch" } }, 503],
    [{ headers: { "Sec-Fetch-Dest": "image" } }, 403],
    [{ params: { scope: "clientarea:homepage" } }, 400],
  ]) {
    const response = await openLink(signet, token, init);
    assert.deepEqual([response.status, response.headers.get("set-cookie")], [status, null]);
  }
});

test("a POST from any site is repeated by GET, with which the browser sends the nonce", async () => {
  for (const site of ["cross-site", "same-site", "same-origin"]) {
    const token = await tokenOf(`9-${site}`);
    const round = await hop(token, { method: "POST", headers: { "Sec-Fetch-Site": site } });
    assert.deepEqual([round.response.status, round.response.headers.get("set-cookie")], [303, null]);
    const given = await round.follow();
    const landed = await marked(token, nonceOf(given));
    assert.deepEqual([landed.status, await whoIs(signet, cookieOf(landed))], [302, `9-${site}`]);
  }
});

test("a double click on the switch page's button switches once and redirects both times", async () => {
  const first = cookieOf(await marked(await tokenOf("10"), {}));
  const token = await tokenOf("11");
  const nonce = nonceOf((await hop(token, { headers: first })).response);
  const headers = { Cookie: `${first.Cookie}; ${nonce.Cookie}` };
  const page = await (await openLink(signet, token, { params: { nonce: "1" }, headers })).text();
  const body = new URLSearchParams({ switch: page.match(/name="switch" value="([^"]+)"/)[1] });
  const press = () =>
    signet.fetch(`/oauth/singlesignon?access_token=${token}&nonce=1`, { method: "POST", headers, body });
  const users = [];
  for (const response of [await press(), await press()]) {
    assert.deepEqual(
      [response.status, response.headers.get("refresh")],
      [200, `0; url=${AREA}clientarea.php?action=invoices`],
    );
    users.push(await whoIs(signet, cookieOf(response)));
  }
  assert.deepEqual(users, ["11", "11"]);
  assert.equal((await storedSessions(signet, "11")).length, 1);
  await signet.ops.read();
  assert.equal(await whoIs(signet, first), undefined);
});

test("RFC 9700 section 4.2: a nonce is nowhere in the log, in the session or in the audit trail", async () => {
  const token = await tokenOf("12");
  const nonce = nonceOf((await hop(token)).response);
  assert.equal((await marked(token, nonce)).status, 302);
  await signet.logged("nonce_given");
  const rows = [await storedSessions(signet, "12"), await signet.sql("12", "SELECT * FROM event")];
  assert.ok(JSON.stringify(rows).includes('\\"nonce\\":\\"'), "its digest is in the session");
  assert.ok(!JSON.stringify([signet.logs, rows]).includes(nonce.Cookie.split("=")[1]));
});

const page = { Accept: "text/html" };
const linksIn = (html) =>
  [...html.matchAll(/<a class="([^"]+)" href="([^"]+)">([^<]+)</g)].map(([, ...parts]) => parts);
const AREA_LINK = ["button quiet", AREA, "Go to the client area"];

/** Links that are dead, each for a set: what makes the token one. */
const dead = {
  used: async (token) => assert.equal((await openLink(plain, token)).status, 302),
  revoked: async (token) => {
    await plain.ops.read(); // its record is written after the answer
    await plain.admin("DELETE", `/tokens/${claimsOf(token).jti}`);
  },
  expired: () => plain.clock.set(61_000),
};

for (const [name, kill] of Object.entries(dead)) {
  test(`RFC 7591 section 2: the page of a token that is ${name} links back to the application`, async () => {
    try {
      await putUser(plain, name);
      const set = await createSet(plain, {
        user_id: name,
        name: `"Billing" <b>Portal</b>`,
        client_uri: "https://portal.example/billing?a=b&c=d",
      });
      const token = await getToken(plain, set);
      await kill(token);
      await plain.ops.reset();
      const response = await openLink(plain, token, { headers: page });
      assert.equal(response.status, 401);
      assert.equal((await plain.ops.read())["kv.get"], 1);
      const html = await response.text();
      assert.deepEqual(linksIn(html), [
        [
          "button",
          "https://portal.example/billing?a=b&amp;c=d",
          "Go back to &quot;Billing&quot; &lt;b&gt;Portal&lt;/b&gt;",
        ],
        AREA_LINK,
      ]);
      await plain.ops.reset();
      await assertFailure(await openLink(plain, token, { headers: json }), 401, "invalid_token", messages.unable(name));
      assert.equal((await plain.ops.read())["kv.get"], 0, "nothing is read for a program");
      await plain.faults.set([{ target: "kv.get", mode: "throw" }]);
      const without = await openLink(plain, token, { headers: page });
      assert.deepEqual(
        [without.status, linksIn(await without.text())],
        [401, [["button", AREA, "Go to the client area"]]],
        "an outage of KV",
      );
    } finally {
      await plain.faults.set([]);
      await plain.clock.set(0);
    }
  });
}

test("no link back for a disabled set or one without an address; no KV read for a forged or a denied link", async () => {
  await putUser(plain, "13");
  const only = [["button", AREA, "Go to the client area"]];
  const off = await createSet(plain, { delegated: true, client_uri: "https://portal.example/" });
  for (const [set, change] of [
    [off, { disabled: true }],
    [sets.get(plain), {}],
  ]) {
    const token = await getToken(plain, set, { user_id: "13", scope: "clientarea:invoices" });
    await openLink(plain, token);
    await plain.admin("PATCH", `/credentials/${set.client_id}`, change);
    assert.deepEqual(linksIn(await (await openLink(plain, token, { headers: page })).text()), only);
  }
  await putUser(plain, "14", { status: "Closed" });
  const bound = await createSet(plain, { user_id: "14", client_uri: "https://portal.example/" });
  const denied = await getToken(plain, bound);
  await plain.ops.reset();
  for (const [token, status] of [
    [denied, 403],
    [`${denied}A`, 401],
  ]) {
    const response = await openLink(plain, token, { headers: page });
    assert.deepEqual([response.status, linksIn(await response.text())], [status, only]);
  }
  assert.equal((await plain.ops.read())["kv.get"], 0);
});

test("the link back leads to LOGIN_URL where the application has no address", async () => {
  const own = await startSignet({ vars: { CLIENT_AREA_URL: AREA, LOGIN_URL: "https://panel.example/login?a=b" } });
  try {
    await putUser(own, "1");
    const set = await createSet(own, { user_id: "1" });
    const token = await getToken(own, set);
    await openLink(own, token);
    const links = async () => linksIn(await (await openLink(own, token, { headers: page })).text());
    assert.deepEqual(await links(), [["button", "https://panel.example/login?a=b", "Sign in"], AREA_LINK]);
    await own.faults.set([{ target: "kv.get", mode: "throw" }]);
    assert.deepEqual(await links(), [["button", "https://panel.example/login?a=b", "Sign in"], AREA_LINK]);
  } finally {
    await own.close();
  }
});
