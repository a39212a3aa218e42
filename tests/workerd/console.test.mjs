// The console at /admin, by HTTP. tests/browser/console.test.mjs tests it in a browser.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { secret } from "../../scripts/setup.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  bearer,
  cookieOf,
  createSet,
  csrfTokenAt,
  csrfTokenIn,
  enterConsole,
  json,
  postForm,
  putUser,
  signIn,
} from "../support/workflow.mjs";

let signet, cookie;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1");
  cookie = await enterConsole(signet);
});
after(() => signet.close());

const post = (path, form, headers = {}) => postForm(signet, path, form, headers);
const enter = (admin_token, form = {}) => post("/admin/sign-in", { admin_token, ...form });

const proofOf = async (path) => csrfTokenAt(signet, path, cookie);

test("ASVS 7.2.4: signing in ends a session that the browser had before, and never continues it", async () => {
  const mine = cookieOf(await enter(signet.adminToken, {}));
  const again = cookieOf(await post("/admin/sign-in", { admin_token: signet.adminToken }, mine));
  assert.notEqual(mine.Cookie, again.Cookie);
  const statusOf = async (headers) => (await signet.fetch("/admin", { headers })).status;
  assert.deepEqual(
    [await statusOf(mine), await statusOf(again), await statusOf(cookie)],
    [401, 200, 200],
    "others go on",
  );
  assert.equal((await post("/admin/sign-in", { admin_token: "wrong" }, again)).status, 401);
  assert.equal(await statusOf(again), 200, "a wrong token ends nothing");
  for (const bad of [
    "__Host-signet-admin=x",
    `${mine.Cookie}x`,
    `${mine.Cookie}; ${again.Cookie}`,
    "__Host-signet-admin=",
  ]) {
    assert.equal((await signet.fetch("/admin", { headers: { Cookie: bad } })).status, 401, bad);
  }
});

test("RFC 8725 section 3.12: the console's cookie opens only the console, and no other cookie or token opens it", async () => {
  for (const path of ["/admin/v1/users/1", "/oauth/session", "/account/security"]) {
    assert.equal((await signet.fetch(path, { headers: cookie })).status, 401, path);
  }
  const user = await signIn(signet, await createSet(signet, { user_id: "1" }));
  const renamed = { Cookie: user.Cookie.replace("__Host-signet=", "__Host-signet-admin=") };
  const authorization = bearer(signet.adminToken);
  for (const headers of [user, renamed, authorization])
    assert.equal((await signet.fetch("/admin", { headers })).status, 401);
});

test("without a session every page of the console is the sign-in page, whether it exists or not", async () => {
  for (const path of ["/admin", "/admin/", "/admin/users/1", "/admin/users/none", "/admin/credentials/none"]) {
    const response = await signet.fetch(path);
    assert.equal(response.status, 401, path);
    assert.match(await response.text(), /<h1>Sign in<\/h1>/);
  }
  const refused = await post("/admin/users/1", { action: "delete", confirmed: "on" });
  assert.equal(refused.status, 401);
  assert.equal((await signet.admin("GET", "/users/1")).status, 200);
});

test("signing in redirects only to the console", async () => {
  for (const [then, place] of [
    ["/admin/users/1", "/admin/users/1"],
    ["https://evil.example/", "/admin"],
    ["//evil.example/admin", "/admin"],
    ["/oauth/logout", "/admin"],
  ]) {
    const response = await enter(signet.adminToken, { then });
    const arrival = `/admin/sign-in?then=${place.replaceAll("/", "%2F")}`;
    assert.deepEqual([response.status, response.headers.get("location")], [303, `${signet.issuer}${arrival}`], then);
    const arrived = await signet.fetch(arrival, { headers: cookieOf(response) });
    assert.deepEqual([arrived.status, arrived.headers.get("location")], [303, `${signet.issuer}${place}`], then);
    const elsewhere = await signet.fetch(`/admin/sign-in?then=${encodeURIComponent(then)}`, { headers: cookie });
    assert.equal(elsewhere.headers.get("location"), `${signet.issuer}${place}`, then);
  }
  const response = await signet.fetch("/admin/sign-in", { method: "PUT" });
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD, POST"]);
});

test("a browser that keeps no cookie, such as WebKit on http://localhost, gets a page that says so", async () => {
  const arrival = new URL((await enter(signet.adminToken, { then: "/admin/users/1" })).headers.get("location"));
  const shown = async (path, headers) => {
    const response = await signet.fetch(path, { headers });
    return [response.status, (await response.text()).match(/role="alert">([^<]*)/)?.[1] ?? null];
  };
  const [status, alert] = await shown(arrival.pathname + arrival.search);
  assert.equal(status, 401);
  assert.match(alert, /your browser did not keep the session cookie\. Safari keeps none on http:\/\/localhost/);
  const page = await (await signet.fetch(arrival.pathname + arrival.search)).text();
  assert.match(page, /name="then" value="\/admin\/users\/1"/, "signing in leads on from there");
  assert.deepEqual(await shown("/admin"), [401, null]);
  assert.deepEqual(
    await shown("/admin/sign-in?then=%2Fadmin", { Cookie: "__Host-signet-admin=x" }),
    [401, null],
    "a dead session is another matter",
  );
});

test("ASVS 7.4.1: changing ADMIN_TOKEN ends every session for good, even if it is changed back", async () => {
  const own = await startSignet();
  try {
    const old = await enterConsole(own);
    const statusOf = async (headers) => (await own.fetch("/admin", { headers })).status;
    await own.restart();
    assert.equal(await statusOf(old), 200, "a restart ends nothing");
    const another = secret();
    await own.restart({ ADMIN_TOKEN: another });
    const fresh = await enterConsole({ ...own, adminToken: another });
    assert.deepEqual([await statusOf(old), await statusOf(fresh)], [401, 200]);
    await own.restart({ ADMIN_TOKEN: own.adminToken });
    assert.deepEqual([await statusOf(old), await statusOf(fresh)], [401, 401]);
    const again = await enterConsole(own);
    await own.restart({ ADMIN_TOKEN: another });
    await own.fetch("/oauth/singlesignon?access_token=forged");
    await own.ops.read({ timers: true }); // only the chart's counts reached the console's object
    await own.restart({ ADMIN_TOKEN: own.adminToken });
    assert.equal(await statusOf(again), 401);
  } finally {
    await own.close();
  }
});

test("RFC 9700 section 4.7: a page of another origin, even of the same site, cannot use the console, and gets a link back to it", async () => {
  for (const headers of [
    { "Sec-Fetch-Site": "cross-site" },
    { "Sec-Fetch-Site": "same-site" },
    { Origin: "https://evil.example" },
    { Origin: "null" },
  ]) {
    for (const path of ["/admin/sign-in", "/admin/sign-out", "/admin/users/1"]) {
      const form = {
        admin_token: signet.adminToken,
        csrf_token: await proofOf("/admin/users/1"),
        action: "end_sessions",
      };
      await assertFailure(
        await post(path, form, { ...cookie, ...headers, ...json }),
        403,
        "invalid_form",
        "Another site cannot use the console.",
      );
      const response = await post(path, form, { ...cookie, ...headers });
      const page = await response.text();
      assert.deepEqual([response.status, response.headers.get("set-cookie")], [403, null]);
      assert.match(page, /<a class="button" href="\/admin">Open the console<\/a>/);
      assert.ok(!page.includes("/account/security") && !page.includes("client area"), page);
    }
  }
  assert.equal((await signet.fetch("/admin", { headers: cookie })).status, 200);
});

test("every refusal before sign-in is a page with a link back to the console", async () => {
  const limited = await startSignet({ limit: 1 });
  try {
    const guess = () =>
      postForm(limited, "/admin/sign-in", { admin_token: "wrong" }, { "CF-Connecting-IP": "192.0.2.1" });
    await guess();
    await signet.faults.set([{ target: "console.run", mode: "throw" }]);
    const failed = await signet.fetch("/admin", { headers: cookie });
    await signet.faults.set([]);
    for (const [response, status, title] of [
      [
        await signet.fetch("/admin/sign-in", {
          method: "POST",
          headers: { "Content-Type": "text/plain" },
          body: "admin_token=x",
        }),
        400,
        "Nothing was changed",
      ],
      [await signet.fetch("/admin/sign-in", { method: "POST", body: "x".repeat(70_000) }), 413, "Nothing was changed"],
      [await guess(), 429, "Please try again"],
      [failed, 503, "Please try again"],
    ]) {
      const page = await response.text();
      assert.equal(response.status, status);
      assert.ok(
        page.includes(`<h1>${title}</h1>`) && page.includes('<a class="button" href="/admin">Open the console</a>'),
        page,
      );
      assert.ok(!page.includes("client area") && !page.includes("/account/security"), page);
      assert.equal(response.headers.has("retry-after"), status === 429 || status === 503, status);
    }
  } finally {
    await limited.close();
  }
});

test("callers that accept JSON get failures in JSON", async () => {
  await assertFailure(
    await signet.fetch("/admin", { headers: json }),
    401,
    "invalid_session",
    "No administrator is signed in.",
  );
  for (const headers of [json, {}]) {
    const { headers: sent } = await signet.fetch("/admin", { headers });
    assert.equal(sent.get("www-authenticate"), 'Signet realm="signet"', "RFC 9110 section 15.5.2");
  }
  await assertFailure(
    await signet.fetch("/admin/nowhere", { headers: { ...json, ...cookie } }),
    404,
    "not_found",
    "There is nothing at this address.",
  );
  await assertFailure(
    await post("/admin/users/1", {}, { ...json, ...cookie }),
    400,
    "invalid_form",
    "The form is not one of this page.",
  );
  const csrf = await post("/admin/users/1", { action: "end_sessions" }, { ...json, ...cookie });
  await assertFailure(csrf, 403, "invalid_form", "The form is out of date. Open the page again.");
});

test("when storage fails, nobody is signed in and nothing is changed", async () => {
  await putUser(signet, "2");
  const csrf_token = await proofOf("/admin/users/2");
  const save = () => post("/admin/users/2", { action: "save", status: "Closed", csrf_token }, cookie);
  for (const [target, act] of [
    ["console.run", () => enter(signet.adminToken)],
    ["console.run", () => signet.fetch("/admin", { headers: cookie })],
    ["console.run", save],
    ["object.run", save],
    ["object.run", () => signet.fetch("/admin/users/2", { headers: cookie })],
    ["kv.list", () => signet.fetch("/admin/credentials", { headers: cookie })],
  ]) {
    await signet.faults.set([{ target, mode: "throw" }]);
    const response = await act();
    await signet.faults.set([]);
    assert.deepEqual(
      [response.status, response.headers.get("retry-after"), response.headers.get("set-cookie")],
      [503, "5", null],
      target,
    );
  }
  assert.equal((await signet.admin("GET", "/users/2")).body.status, "Active");
  assert.equal((await save()).status, 303);
  assert.equal((await signet.admin("GET", "/users/2")).body.status, "Closed");
});

test("one log line per request, with its outcome and reason, and without a token, cookie or secret", async () => {
  const lines = async (response) => {
    const { event, outcome, reason } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
    return `${event} ${outcome} ${reason}`;
  };
  const csrf_token = await proofOf("/admin/credentials/new");
  const created = await post("/admin/credentials/new", { name: "Logged", delegated: "on", csrf_token }, cookie);
  const shownSecret = (await created.text()).match(/<code id="secret">([^<]+)</)[1];
  for (const [response, line] of [
    [await enter("wrong-token"), "console denied wrong_credentials"],
    [await enter(signet.adminToken), "console granted signed_in"],
    [await signet.fetch("/admin"), "console denied no_session"],
    [await signet.fetch("/admin", { headers: cookie }), "console granted shown"],
    [await signet.fetch("/admin/nowhere", { headers: cookie }), "console denied not_found"],
    [created, "console granted changed"],
    [await post("/admin/credentials/new", { name: "x" }, cookie), "console denied invalid_form"],
  ]) {
    assert.equal(await lines(response), line);
  }
  const logs = JSON.stringify(signet.logs);
  for (const hidden of ["wrong-token", signet.adminToken, cookie.Cookie.split("=")[1], shownSecret, csrf_token])
    assert.ok(!logs.includes(hidden));
});

test("the console finds what requested a token: a credential set or an API credential", async () => {
  const { body: api } = await signet.admin("POST", "/api-credentials", { name: "P", actions: ["CreateSsoToken"] });
  const response = await signet.fetch(`/admin/credentials/${api.identifier}`, { headers: cookie });
  assert.deepEqual(
    [response.status, response.headers.get("location")],
    [
      303,
      `${signet.issuer}/admin/api-credentials/${encodeURIComponent(api.identifier).replace(/[-_]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
    ],
  );
});

test("a user's form writes only the fields that were changed in it, and keeps what others wrote meanwhile", async () => {
  await putUser(signet, "both", { services: [1] });
  const page = await (await signet.fetch("/admin/users/both", { headers: cookie })).text();
  await signet.admin("PATCH", "/users/both", { sso: false, services: [1, 2] });
  const shown = page.match(/name="shown" value="([^"]*)"/)[1].replaceAll("&quot;", '"');
  assert.equal(
    (
      await postForm(
        signet,
        "/admin/users/both",
        {
          action: "save",
          csrf_token: csrfTokenIn(page),
          shown,
          status: "Inactive",
          sso: "on",
          services: "1",
          domains: "",
        },
        cookie,
      )
    ).status,
    303,
  );
  const { status, sso, services } = (await signet.admin("GET", "/users/both")).body;
  assert.deepEqual([status, sso, services], ["Inactive", false, ["1", "2"]]);
});

test("issue 9, item 11: the form closes a user whose lists are too long for it, and keeps the lists", async () => {
  const domains = Array.from({ length: 5_000 }, (_, i) => String(10_000 + i));
  await putUser(signet, "long", { domains });
  const page = await (await signet.fetch("/admin/users/long", { headers: cookie })).text();
  assert.ok(page.includes("It owns 0 services and 5000 domains.") && page.length < 20_000);
  const shown = page.match(/name="shown" value="([^"]+)"/)[1].replaceAll("&quot;", '"');
  const form = { action: "save", csrf_token: csrfTokenIn(page), shown, status: "Closed" };
  assert.equal((await post("/admin/users/long", form, cookie)).status, 303);
  const { status, sso, domains: kept } = (await signet.admin("GET", "/users/long")).body;
  assert.deepEqual([status, sso, kept], ["Closed", false, domains]);
});

test("the log names the user and the object of an administrator's request, by the API and in the console", async () => {
  const { client_id } = await createSet(signet, { user_id: "1" });
  const subject = async (response) => {
    const { user_id, client_id } = JSON.parse((await signet.logged(response.headers.get("x-request-id"))).message);
    return { user_id, client_id };
  };
  const authorization = bearer(signet.adminToken);
  for (const [path, expected] of [
    ["/users/1", { user_id: "1", client_id: undefined }],
    [`/credentials/${client_id}`, { user_id: undefined, client_id }],
  ]) {
    assert.deepEqual(await subject(await signet.fetch(`/admin/v1${path}`, { headers: authorization })), expected);
    assert.deepEqual(await subject(await signet.fetch(`/admin${path}`, { headers: cookie })), expected);
  }
});

test("RFC 9110 section 9.3.2: HEAD answers as GET without a body; no page is stored", async () => {
  const response = await signet.fetch("/admin/health", { method: "HEAD", headers: cookie });
  assert.deepEqual(
    [response.status, await response.text(), response.headers.get("cache-control")],
    [200, "", "no-store"],
  );
});
