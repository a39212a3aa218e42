// The SSO endpoint /oauth/singlesignon.

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
  postForm,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const AREA = "https://my.example/billing/";
const DESTINATIONS = {
  "clientarea:profile": "clientarea.php?action=details",
  "clientarea:billing_info": "clientarea.php?action=creditcard",
  "clientarea:emails": "clientarea.php?action=emails",
  "clientarea:announcements": "announcements.php",
  "clientarea:downloads": "downloads.php",
  "clientarea:knowledgebase": "knowledgebase.php",
  "clientarea:network_status": "serverstatus.php",
  "clientarea:services": "clientarea.php?action=services",
  "clientarea:product_details": "clientarea.php?action=productdetails&id=12",
  "clientarea:domains": "clientarea.php?action=domains",
  "clientarea:domain_details": "clientarea.php?action=domaindetails&id=34",
  "clientarea:invoices": "bills/all",
  "clientarea:tickets": "supporttickets.php",
  "clientarea:submit_ticket": "submitticket.php",
  "clientarea:shopping_cart": "cart.php",
  "clientarea:shopping_cart_addons": "cart.php?gid=addons",
  "clientarea:shopping_cart_domain_register": "cart.php?a=add&domain=register",
  "clientarea:shopping_cart_domain_transfer": "cart.php?a=add&domain=transfer",
  "sso:custom_redirect": "index.php?rp=/store/vps&currency=2",
};
const INPUTS = { service_id: "12", domain_id: "34", sso_redirect_path: "/index.php?rp=/store/vps&currency=2" };

let signet, set;

before(async () => {
  signet = await startSignet({
    vars: { CLIENT_AREA_URL: AREA, DESTINATIONS: { "clientarea:invoices": "bills/all" } },
  });
  set = await createSet(signet, { delegated: true, scopes: Object.keys(DESTINATIONS) });
});
after(() => signet.close());

const user = (id, account = {}) => putUser(signet, id, { services: [12], domains: [34], ...account });
const tokenFor = (user_id, form) => getToken(signet, set, { user_id, ...form });

for (const method of ["GET", "POST"]) {
  test(`WHMCS destinations: each of the 18 scopes and the custom redirect, by ${method}`, async () => {
    await user("traveller");
    for (const [scope, path] of Object.entries(DESTINATIONS)) {
      const token = await tokenFor("traveller", { scope, ...INPUTS });
      const response = await openLink(signet, token, { method });
      assert.equal(response.status, method === "GET" ? 302 : 303, scope);
      assert.equal(response.headers.get("location"), AREA + path);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("referrer-policy"), "no-referrer");
      assert.equal(await whoIs(signet, cookieOf(response)), "traveller");
    }
  });
}

test("WHMCS destinations: without a scope the client area's home, with several scopes the one that the request names", async () => {
  await user("several");
  for (const [granted, asked, path] of [
    ["clientarea:sso", undefined, "clientarea.php"],
    ["clientarea:emails clientarea:downloads", undefined, "clientarea.php"],
    ["clientarea:emails clientarea:downloads", "clientarea:downloads", "downloads.php"],
    ["clientarea:sso clientarea:emails", undefined, "clientarea.php?action=emails"],
  ]) {
    const params = asked ? { scope: asked } : {};
    const response = await openLink(signet, await tokenFor("several", { scope: granted }), { params });
    assert.equal(response.headers.get("location"), AREA + path, granted);
  }
});

test("the spelling /oauth/singlesignon.php works, and goto, redirect and restricted are never followed", async () => {
  await user("legacy");
  const token = await tokenFor("legacy", { scope: "clientarea:emails" });
  const extra = "goto=https://evil.example&redirect=//evil.example&restricted=1";
  const response = await signet.fetch(`/oauth/singlesignon.php?access_token=${token}&${extra}`);
  assert.equal(response.headers.get("location"), `${AREA}clientarea.php?action=emails`);
});

test("a malformed or contradictory request is refused with 400 before the token is spent", async () => {
  await user("careful");
  const token = await tokenFor("careful", { scope: "clientarea:product_details clientarea:emails", service_id: "12" });
  const bad = (description) => ["invalid_request", description];
  for (const [query, [error, description]] of [
    ["", bad("The parameter access_token is missing.")],
    ["access_token=", bad("The parameter access_token is missing.")],
    [`access_token=${token}&access_token=${token}`, bad("A parameter is given more than once.")],
    [`access_token=${token}&scope=clientarea:homepage`, ["invalid_scope", "The scope is not a destination."]],
    [`access_token=${token}&scope=clientarea:sso`, ["invalid_scope", "The scope is not a destination."]],
    [
      `access_token=${token}&scope=clientarea:emails+clientarea:emails`,
      ["invalid_scope", "The scope is not a destination."],
    ],
    [`access_token=${token}&scope=clientarea:downloads`, ["invalid_scope", "The scope was not granted to this token."]],
    [`access_token=${token}&service_id=13`, bad("The request contradicts what is signed into the token.")],
    [`access_token=${token}&service_id=%00`, bad("The service_id is malformed.")],
    [`access_token=${token}&domain_id=a+b`, bad("The domain_id is malformed.")],
    [
      `access_token=${token}&sso_redirect_path=//evil.example`,
      bad("The sso_redirect_path is not a path within the client area."),
    ],
  ]) {
    await assertFailure(await signet.fetch(`/oauth/singlesignon?${query}`, { headers: json }), 400, error, description);
  }
  const inBoth = await postForm(signet, `/oauth/singlesignon?access_token=${token}`, { access_token: token }, json);
  await assertFailure(inBoth, 400, "invalid_request", "A parameter is given more than once.");
  const asBearer = await openLink(signet, token, { headers: { ...json, Authorization: `Bearer ${token}` } });
  await assertFailure(asBearer, 400, "invalid_request", "The token belongs in the parameter access_token alone.");
  const asJson = await signet.fetch("/oauth/singlesignon", {
    method: "POST",
    headers: { ...json, "Content-Type": "application/json" },
    body: JSON.stringify({ access_token: token }),
  });
  await assertFailure(asJson, 400, "invalid_request", "The body is not application/x-www-form-urlencoded.");
  assert.equal((await openLink(signet, token)).status, 302, "the token was not spent");
});

test("a destination that lacks its input is refused with 400 before the token is spent", async () => {
  await user("vague");
  for (const [scope, params] of [
    ["clientarea:product_details", { service_id: "12" }],
    ["clientarea:domain_details", { domain_id: "34" }],
    ["sso:custom_redirect", { sso_redirect_path: "cart.php" }],
  ]) {
    const token = await tokenFor("vague", { scope });
    const [name] = Object.keys(params);
    const without = await openLink(signet, token, { headers: json });
    const article = name === "sso_redirect_path" ? "an" : "a";
    await assertFailure(without, 400, "invalid_request", `The destination needs ${article} ${name}.`);
    assert.equal((await openLink(signet, token, { params })).status, 302);
  }
});

test("the failures have their exact texts and statuses; a denial spends the token", async () => {
  await user("clara", { status: "Closed" });
  await user("otto", { sso: false });
  await user("alice");
  await user("bob");
  for (const [id, form, status, message] of [
    ["clara", {}, 403, messages.closed],
    ["otto", {}, 403, messages.disabled],
    ["nobody", {}, 403, messages.unable],
    ["alice", { service_id: "99" }, 403, messages.unable],
    ["bob", { domain_id: "99" }, 403, messages.unable],
  ]) {
    const token = await tokenFor(id, form);
    await assertFailure(await openLink(signet, token, { headers: json }), status, "access_denied", message(id));
    await user(id, { sso: true, services: [12, 99], domains: [34, 99] });
    const again = await openLink(signet, token, { headers: json });
    await assertFailure(again, 401, "invalid_token", messages.unable(id));
    assert.equal(
      again.headers.get("www-authenticate"),
      'Signet realm="signet"',
      "RFC 9110 section 15.5.2: no Bearer is taken here",
    );
  }
});

test("a browser gets the failure as a page, escaped, which no other page can frame", async () => {
  await user("carla", { status: "Closed" });
  const response = await openLink(signet, await tokenFor("carla"));
  const page = await response.text();
  assert.equal(response.status, 403);
  assert.ok(page.includes(messages.closed("carla").replaceAll('"', "&quot;")), page);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.match(response.headers.get("content-security-policy"), /frame-ancestors 'none'/);
});

test("Active and Inactive accounts sign in", async () => {
  for (const status of ["Active", "Inactive"]) {
    await user("ivan", { status });
    assert.equal((await openLink(signet, await tokenFor("ivan"))).status, 302, status);
  }
});

test("an account closed while its browser has a session: the fourth failure, and the session ends", async () => {
  await user("unexpected");
  const cookie = await signIn(signet, set, { form: { user_id: "unexpected" } });
  const token = await tokenFor("unexpected");
  await signet.admin("PATCH", "/users/unexpected", { status: "Closed" });
  assert.equal(await whoIs(signet, cookie), undefined, "closing ends the session");
  const response = await openLink(signet, token, { headers: { ...json, ...cookie } });
  assert.match(response.headers.get("set-cookie"), /^__Host-signet=;.*Max-Age=0/);
  await assertFailure(response, 403, "access_denied", messages.closedWithSession("unexpected"));
});

test("RFC 7519 section 4.1.4: a token is valid for 60 s to the millisecond", async () => {
  await user("slow");
  try {
    const start = await signet.clock.stop();
    const [early, late] = [await tokenFor("slow"), await tokenFor("slow")];
    await signet.clock.stop(start + 59_999);
    assert.equal((await openLink(signet, early)).status, 302);
    await signet.clock.stop(start + 60_000);
    await assertFailure(await openLink(signet, late, { headers: json }), 401, "invalid_token", messages.unable("slow"));
  } finally {
    await signet.clock.set(0);
  }
});

test("RFC 8725 section 3.1: without a valid signature every answer is the same, whichever user the token names", async () => {
  await user("closed-one", { status: "Closed" });
  await user("open-one");
  const answers = new Set();
  for (const id of ["closed-one", "open-one", "unknown-one"]) {
    const [header, payload, signature] = (await tokenFor(id)).split(".");
    const none = Buffer.from('{"alg":"none","typ":"sso+jwt"}').toString("base64url");
    const flipped = (signature[0] === "A" ? "B" : "A") + signature.slice(1);
    for (const forged of [`${header}.${payload}.${flipped}`, `${none}.${payload}.`, `${header}.${payload}`, "x", "."]) {
      const response = await openLink(signet, forged, { headers: json });
      const { "x-request-id": _, date: __, ...headers } = Object.fromEntries(response.headers);
      answers.add(JSON.stringify([response.status, headers, await response.text()]));
    }
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
  assert.match([...answers][0], /^\[401,.*The sign-in link is not valid\./);
});

test("Fetch Metadata: only a top-level navigation spends a token; HEAD and prefetches never do", async () => {
  await user("prefetched");
  const token = await tokenFor("prefetched");
  const head = await openLink(signet, token, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("allow")], [405, "GET, POST"]);
  for (const [status, headers] of [
    [503, { "Sec-Purpose": "prefetch" }],
    [503, { "Sec-Purpose": "prefetch;prerender" }],
    [503, { Purpose: "prefetch" }],
    [503, { "X-Moz": "prefetch" }],
    [503, { "X-Purpose": "preview" }],
    ...["empty", "image", "iframe", "script", "object", "worker", ""].map((dest) => [403, { "Sec-Fetch-Dest": dest }]),
  ]) {
    for (const method of ["GET", "POST"]) {
      assert.equal((await openLink(signet, token, { method, headers })).status, status, JSON.stringify(headers));
    }
  }
  assert.equal((await openLink(signet, token, { headers: { "Sec-Fetch-Dest": "document" } })).status, 302);
});

test("a second click in the browser that the token signed in is redirected again, without a new session", async () => {
  await user("eager");
  const token = await tokenFor("eager", { scope: "clientarea:emails" });
  const cookie = cookieOf(await openLink(signet, token));
  const again = await openLink(signet, token, { headers: cookie });
  assert.equal(again.status, 302);
  assert.equal(again.headers.get("location"), `${AREA}clientarea.php?action=emails`);
  assert.equal(again.headers.get("set-cookie"), null);
  assert.equal((await signet.admin("GET", "/users/eager/sessions")).body.sessions.length, 1);
  const elsewhere = await openLink(signet, token, { headers: json });
  await assertFailure(elsewhere, 401, "invalid_token", messages.unable("eager"));
  assert.equal(await whoIs(signet, cookie), "eager", "the same browser without its cookie ends nothing");
});

const from = (address, browser) => ({ ...json, "CF-Connecting-IP": address, "User-Agent": browser });

test("RFC 6749 section 4.1.2: a token replayed by another browser in another network ends the session that it opened", async () => {
  await user("robbed");
  const token = await tokenFor("robbed");
  const cookie = cookieOf(await openLink(signet, token, { headers: from("192.0.2.1", "victim") }));
  const replay = await openLink(signet, token, { headers: from("198.51.100.1", "thief") });
  await assertFailure(replay, 401, "invalid_token", messages.unable("robbed"));
  assert.equal(await whoIs(signet, cookie), undefined);
  assert.deepEqual((await eventsOf(signet, "robbed")).slice(0, 2), ["session.ended: token_replayed", "token.replayed"]);
});

for (const [name, opened, replayed] of [
  ["the other address family", from("192.0.2.1", "same"), from("2001:db8::1", "same")],
  ["another address of the same /24", from("192.0.2.1", "one"), from("192.0.2.254", "two")],
  ["another address of the same /64", from("2001:db8::1", "one"), from("2001:db8::ffff:1", "two")],
  ["another browser at the same address", from("192.0.2.1", "one"), from("192.0.2.1", "two")],
  ["the same browser without its cookie", from("192.0.2.1", "same"), from("192.0.2.1", "same")],
]) {
  test(`RFC 6749 section 4.1.2: a replay from ${name} ends nothing, and is recorded with where it came from`, async () => {
    const id = `replayed-${name.replaceAll(/\W/g, "-")}`;
    await user(id);
    const token = await tokenFor(id);
    const cookie = cookieOf(await openLink(signet, token, { headers: opened }));
    await assertFailure(
      await openLink(signet, token, { headers: replayed }),
      401,
      "invalid_token",
      messages.unable(id),
    );
    assert.equal(await whoIs(signet, cookie), id);
    await signet.admin("DELETE", `/users/${id}/sessions`);
    assert.equal((await openLink(signet, token, { headers: replayed })).status, 401);
    const { events } = (await signet.admin("GET", `/users/${id}/events`)).body;
    const replays = events.filter(({ event }) => event === "token.replayed");
    assert.equal(replays.length, 2, "also when the session is gone");
    for (const replay of replays) {
      assert.deepEqual(
        [replay.jti, replay.address, replay.user_agent],
        [claimsOf(token).jti, replayed["CF-Connecting-IP"], replayed["User-Agent"]],
      );
    }
  });
}

test("attack 35, RFC 6749 section 4.1.2: a replay after the token expired is recorded too, and ends the session like any other", async () => {
  await user("late");
  const token = await tokenFor("late");
  const cookie = cookieOf(await openLink(signet, token, { headers: from("192.0.2.1", "victim") }));
  const unopened = await tokenFor("late");
  const replays = async () => {
    await signet.ops.read(); // what follows the answer is done
    return (await eventsOf(signet, "late")).filter((event) => /replayed/.test(event));
  };
  await signet.clock.set(61_000);
  try {
    for (const [link, headers] of [
      [unopened, from("198.51.100.1", "thief")],
      [token, { ...cookie, ...from("192.0.2.1", "victim") }],
    ]) {
      await assertFailure(
        await openLink(signet, link, { headers: { ...json, ...headers } }),
        401,
        "invalid_token",
        messages.unable("late"),
      );
      assert.deepEqual(await replays(), [], "neither a token that nobody used, nor the very browser");
    }
    assert.equal((await openLink(signet, token, { headers: from("198.51.100.1", "thief") })).status, 401);
    assert.deepEqual(await replays(), ["session.ended: token_replayed", "token.replayed"]);
    assert.equal(await whoIs(signet, cookie), undefined);
  } finally {
    await signet.clock.set(0);
  }
});

test("a sign-in replaces the browser's own session with a new one", async () => {
  await user("again");
  const first = await signIn(signet, set, { form: { user_id: "again" } });
  const second = await signIn(signet, set, { form: { user_id: "again" }, headers: first });
  assert.notEqual(first.Cookie, second.Cookie);
  assert.deepEqual([await whoIs(signet, first), await whoIs(signet, second)], [undefined, "again"]);
});

test("a session that the browser had before is never continued", async () => {
  await user("fixed");
  const planted = { Cookie: "__Host-signet=attacker" };
  const cookie = await signIn(signet, set, { form: { user_id: "fixed" }, headers: planted });
  assert.notEqual(cookie.Cookie, planted.Cookie);
  assert.equal(await whoIs(signet, planted), undefined);
});

test("a user has at most 20 sessions; the oldest is removed", async () => {
  await user("busy");
  const cookies = [];
  for (let n = 0; n < 21; n += 1) {
    await signet.clock.set(n * 1000);
    cookies.push(await signIn(signet, set, { form: { user_id: "busy" } }));
  }
  await signet.clock.set(0);
  assert.equal((await signet.admin("GET", "/users/busy/sessions")).body.sessions.length, 20);
  assert.deepEqual([await whoIs(signet, cookies[0]), await whoIs(signet, cookies[1])], [undefined, "busy"]);
});

const confirmation = (page) => page.match(/name="switch" value="([^"]+)"/)[1];

for (const method of ["GET", "POST"]) {
  test(`RFC 9700 section 4.7: a ${method} asks before it switches from another user's live session`, async () => {
    await user("first");
    await user("second");
    const first = await signIn(signet, set, { form: { user_id: "first" } });
    const token = await tokenFor("second");
    const asked = await openLink(signet, token, { method, headers: first });
    const page = await asked.text();
    assert.equal(asked.status, 200);
    assert.equal(asked.headers.get("set-cookie"), null);
    assert.ok(page.includes("first") && page.includes("second"));
    assert.equal(page.includes(token), method === "POST", "the page repeats only what its address does not say");

    const other = await tokenFor("second");
    const foreign = confirmation(await (await openLink(signet, other, { headers: first })).text());
    for (const wrong of ["", "x", foreign, token]) {
      const refused = await openLink(signet, token, { method: "POST", headers: first, params: { switch: wrong } });
      assert.equal(refused.status, 200, `asked again for ${wrong}`);
    }
    const byGet = await openLink(signet, token, { headers: first, params: { switch: confirmation(page) } });
    assert.equal(byGet.status, 200, "only a POST switches");
    assert.equal(await whoIs(signet, first), "first");

    const params = { switch: confirmation(page) };
    const switched = await openLink(signet, token, { method: "POST", headers: first, params });
    assert.deepEqual([switched.status, switched.headers.get("refresh")], [200, `0; url=${AREA}clientarea.php`]);
    assert.equal(
      switched.headers.get("location"),
      null,
      "CSP3 section 6.4.1: no redirect after a form of Signet's own",
    );
    assert.equal(await whoIs(signet, cookieOf(switched)), "second");
    await signet.ops.read(); // waits for what is done after the answer
    assert.equal(await whoIs(signet, first), undefined);
    assert.equal((await eventsOf(signet, "first"))[0], "session.ended: switched");
  });
}

test("an ended session of another user asks nothing", async () => {
  await user("gone");
  await user("next");
  const cookie = await signIn(signet, set, { form: { user_id: "gone" } });
  await signet.admin("DELETE", "/users/gone/sessions");
  assert.equal((await openLink(signet, await tokenFor("next"), { headers: cookie })).status, 302);
});

test("SameSite=Lax: another site's POST, which has no cookie, is repeated by a GET that has it", async () => {
  await user("victim");
  await user("attacker");
  const cookie = await signIn(signet, set, { form: { user_id: "victim" } });
  const token = await tokenFor("attacker", { scope: "clientarea:emails" });
  for (const headers of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }, { Origin: "null" }]) {
    const round = await openLink(signet, token, { method: "POST", headers });
    assert.equal(round.status, 303);
    assert.equal(round.headers.get("set-cookie"), null);
    const location = round.headers.get("location");
    assert.ok(location.startsWith(`${signet.issuer}/oauth/singlesignon?`), location);
    const asked = await signet.fetch(location.slice(signet.issuer.length), { headers: cookie });
    assert.equal(asked.status, 200, "asks before it switches");
  }
  const sameSite = await openLink(signet, token, { method: "POST", headers: { "Sec-Fetch-Site": "same-site" } });
  assert.equal(
    sameSite.headers.get("location"),
    `${AREA}clientarea.php?action=emails`,
    "not spent; and no round way here",
  );
});

test("both spellings of the path take a GET and a POST", async () => {
  await user("speller");
  for (const path of ["/oauth/singlesignon", "/oauth/singlesignon.php"]) {
    for (const [method, status] of [
      ["GET", 302],
      ["POST", 303],
    ]) {
      const form = new URLSearchParams({ access_token: await tokenFor("speller", { scope: "clientarea:emails" }) });
      const response = await (method === "GET"
        ? signet.fetch(`${path}?${form}`)
        : signet.fetch(path, { method, body: form }));
      assert.deepEqual(
        [response.status, response.headers.get("location")],
        [status, `${AREA}clientarea.php?action=emails`],
      );
    }
  }
});

test("DESTINATIONS moves the home and the pages that need an id", async () => {
  const moved = { home: "index.php", "clientarea:product_details": "services/{service_id}/view" };
  const own = await startSignet({ vars: { CLIENT_AREA_URL: "https://my.example", DESTINATIONS: moved } });
  try {
    await putUser(own, "1", { services: [12] });
    const all = await createSet(own, { user_id: "1", scopes: ["clientarea:product_details"] });
    for (const [form, path] of [
      [{ scope: "clientarea:sso" }, "index.php"],
      [{ service_id: "12" }, "services/12/view"],
    ]) {
      const response = await openLink(own, await getToken(own, all, form));
      assert.equal(response.headers.get("location"), `https://my.example/${path}`);
    }
  } finally {
    await own.close();
  }
});

/** Ways to fail, each with what to do to a fresh user of that name; it returns the token to present. */
const failures = [
  [
    "used",
    401,
    messages.unable,
    async (id) => {
      const token = await tokenFor(id);
      await openLink(signet, token);
      return token;
    },
  ],
  [
    "revoked",
    401,
    messages.unable,
    async (id) => {
      const token = await tokenFor(id);
      await signet.ops.read(); // its record is written after the answer
      assert.equal((await signet.admin("DELETE", `/tokens/${claimsOf(token).jti}`)).status, 204);
      return token;
    },
  ],
  [
    "of-a-revoked-set",
    401,
    messages.unable,
    async (id) => {
      const own = await createSet(signet, { user_id: id });
      const token = await getToken(signet, own);
      await signet.admin("DELETE", `/credentials/${own.client_id}`);
      return token;
    },
  ],
  [
    "closed",
    403,
    messages.closed,
    async (id) => {
      await user(id, { status: "Closed" });
      return tokenFor(id);
    },
  ],
  [
    "disabled",
    403,
    messages.disabled,
    async (id) => {
      await user(id, { sso: false });
      return tokenFor(id);
    },
  ],
  ["of-somebody-else", 403, messages.unable, (id) => tokenFor(id, { service_id: "99" })],
  [
    "unknown",
    403,
    messages.unable,
    async (id) => {
      await signet.admin("DELETE", `/users/${id}`);
      return tokenFor(id);
    },
  ],
  ["forged", 401, () => "The sign-in link is not valid.", async (id) => `${await tokenFor(id)}A`],
];

for (const [id, status, message, prepare] of failures) {
  test(`WHMCS failures: browsers and programs learn that a token is ${id}, with the same security headers`, async () => {
    for (const [type, headers] of [
      ["application/json", json],
      ["text/html; charset=utf-8", { Accept: "text/html" }],
    ]) {
      await user(id);
      const token = await prepare(id);
      const response = await openLink(signet, token, { headers });
      const text = await response.text();
      assert.deepEqual([response.status, response.headers.get("content-type")], [status, type]);
      const shown = type.startsWith("text/html") ? text : JSON.parse(text).error_description;
      const expected = type.startsWith("text/html") ? message(id).replaceAll('"', "&quot;") : message(id);
      assert.ok(type.startsWith("text/html") ? shown.includes(expected) : shown === expected, shown);
      assert.equal(response.headers.get("cache-control"), "no-store");
      assert.equal(response.headers.get("referrer-policy"), "no-referrer");
      assert.equal(response.headers.get("x-content-type-options"), "nosniff");
      assert.match(response.headers.get("content-security-policy"), /default-src 'none'.*frame-ancestors 'none'/);
      assert.equal(response.headers.has("www-authenticate"), status === 401);
      assert.equal(response.headers.get("set-cookie"), null);
      const all = text + JSON.stringify([...response.headers]);
      assert.ok(
        ![token, token.split(".")[2]].some((secret) => all.includes(secret)),
        "the token is nowhere in the answer",
      );
    }
  });
}

test("RFC 6750 section 2: a POST with no token, an empty one or two is refused, and spends no token", async () => {
  await user("poster");
  const token = await tokenFor("poster");
  const send = (body, query = "") =>
    signet.fetch(`/oauth/singlesignon${query}`, {
      method: "POST",
      headers: { ...json, "Content-Type": "application/x-www-form-urlencoded" },
      body,
    });
  for (const [response, description] of [
    [await send(""), "The parameter access_token is missing."],
    [await send("access_token="), "The parameter access_token is missing."],
    [await send(`access_token=${token}&access_token=${token}`), "A parameter is given more than once."],
    [await send(`access_token=${token}&access_token=`), "A parameter is given more than once."],
    [await send(`access_token=${token}`, `?access_token=${token}`), "A parameter is given more than once."],
    [await send(`access_token=${token}&pad=${"x".repeat(65_536)}`), undefined],
  ]) {
    if (description) await assertFailure(response, 400, "invalid_request", description);
    else assert.equal(response.status, 413);
  }
  assert.equal((await openLink(signet, token, { method: "POST" })).status, 303);
});

test("a second click by POST is redirected too; after the session ended, the link is refused", async () => {
  await user("clicker");
  const token = await tokenFor("clicker");
  const cookie = cookieOf(await openLink(signet, token));
  const again = await openLink(signet, token, { method: "POST", headers: cookie });
  assert.deepEqual([again.status, again.headers.get("set-cookie")], [303, null]);
  await signet.fetch("/oauth/logout", { method: "POST", headers: cookie });
  const late = await openLink(signet, token, { headers: { ...json, ...cookie } });
  await assertFailure(late, 401, "invalid_token", messages.unable("clicker"));
  assert.equal(await whoIs(signet, cookie), undefined, "and opens nothing");
});

test("a second click after 60 s is refused, and the session stays valid", async () => {
  await user("sleeper");
  const token = await tokenFor("sleeper");
  const cookie = cookieOf(await openLink(signet, token));
  try {
    await signet.clock.set(61_000);
    await assertFailure(
      await openLink(signet, token, { headers: { ...json, ...cookie } }),
      401,
      "invalid_token",
      messages.unable("sleeper"),
    );
    assert.equal(await whoIs(signet, cookie), "sleeper");
  } finally {
    await signet.clock.set(0);
  }
});

test("a switch that fails keeps the other user signed in: the token expired meanwhile, or its user is denied", async () => {
  await user("host");
  await user("guest");
  const headers = await signIn(signet, set, { form: { user_id: "host" } });
  for (const [status, message, spoil, mend] of [
    [401, messages.unable, () => signet.clock.set(61_000), () => signet.clock.set(0)],
    [403, messages.closed, () => user("guest", { status: "Closed" }), () => user("guest")],
  ]) {
    const token = await tokenFor("guest");
    const params = { switch: confirmation(await (await openLink(signet, token, { headers })).text()) };
    await spoil();
    const refused = await openLink(signet, token, { method: "POST", headers: { ...headers, ...json }, params });
    const { error_description } = await refused.json();
    assert.deepEqual([refused.status, error_description], [status, message("guest")]);
    assert.equal(refused.headers.get("set-cookie"), null);
    await signet.ops.read(); // nothing is done after the answer either
    assert.equal(await whoIs(signet, headers), "host");
    await mend();
  }
});

test("SameSite=Lax: the repeated request has all parameters and signs in a browser without a session", async () => {
  await user("rounder");
  const headers = { "Sec-Fetch-Site": "cross-site" };
  const token = await tokenFor("rounder", { scope: "clientarea:product_details sso:custom_redirect" });
  const malformed = await openLink(signet, token, {
    method: "POST",
    headers,
    params: { scope: "clientarea:homepage" },
  });
  assert.equal(malformed.status, 400, "a malformed request is not sent round");
  for (const [params, path] of [
    [{ scope: "clientarea:product_details", service_id: "12" }, "clientarea.php?action=productdetails&id=12"],
    [{ scope: "sso:custom_redirect", sso_redirect_path: "cart.php?a=b&c=%20d" }, "cart.php?a=b&c=%20d"],
  ]) {
    const fresh = await tokenFor("rounder", { scope: "clientarea:product_details sso:custom_redirect" });
    const round = await openLink(signet, fresh, { method: "POST", headers, params: { ...params, goto: "x" } });
    assert.deepEqual([round.status, round.headers.get("set-cookie")], [303, null]);
    const landed = await signet.fetch(round.headers.get("location").slice(signet.issuer.length));
    assert.deepEqual([landed.status, landed.headers.get("location")], [302, AREA + path]);
    assert.equal(await whoIs(signet, cookieOf(landed)), "rounder");
  }
});
