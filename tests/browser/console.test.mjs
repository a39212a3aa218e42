// The operator's console at /admin, in a real browser; without JavaScript unless a test says so.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, test } from "node:test";
import { assertAccessible } from "../support/axe.mjs";
import { launchChromium, leave, skip } from "../support/chromium.mjs";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  claimsOf,
  createSet,
  eventsOf,
  getToken,
  openLink,
  postForm,
  postToken,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const EVIL = `"><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"><b>bold</b>`;
const SESSION_IDLE_MS = 1_800_000;
/** The looks that every page must have. */
const LOOKS = ["light", "dark"].flatMap((colorScheme) =>
  [320, 1280].map((width) => ({ javaScriptEnabled: true, colorScheme, viewport: { width, height: 800 } })),
);

let signet, browser;
const [contexts, problems] = [[], []];

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  signet = await startSignet();
});
after(async () => {
  await browser?.close();
  await signet?.close();
});
afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
  assert.deepEqual(problems.splice(0), [], "nothing that the policy stops, and no script error");
});

/** Opens a browser profile of its own. */
async function open(options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  contexts.push(context);
  const page = await context.newPage();
  const harmless = /Failed to load resource|^Clear-Site-Data header|Password forms should have/;
  page.on("console", (message) => harmless.test(message.text()) || problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  return page;
}

const show = (page, path) => page.goto(`${signet.issuer}${path}`);
const heading = (page) => page.innerText("h1");
const text = (page) => page.innerText("main");
const pathOf = (page) => page.url().slice(signet.issuer.length);

const press = (page, label) => leave(page, () => page.locator("button", { hasText: label }).first().click());

async function signInto(page, path = "/admin") {
  await show(page, path);
  await page.fill("#admin_token", signet.adminToken);
  await press(page, "Sign in");
  assert.equal(pathOf(page), path);
}

/** Opens a browser profile and signs the administrator in. */
async function operator(path, options) {
  const page = await open(options);
  await signInto(page, path);
  return page;
}

/** The console's cookie, as a header. */
async function cookie(page) {
  const { name, value } = (await page.context().cookies()).find(({ name }) => name === "__Host-signet-admin");
  return { Cookie: `${name}=${value}` };
}

/** The value beside a term of a page. */
const fact = (page, term) => page.innerText(`dt:text-is("${term}") + dd`);

test("signing in: a wrong token is reported, the right one leads to the requested page", { skip }, async () => {
  const page = await open();
  const response = await show(page, "/admin/health");
  assert.deepEqual([response.status(), await heading(page)], [401, "Sign in"]);
  await page.fill("#admin_token", "wrong");
  await press(page, "Sign in");
  assert.equal(await page.innerText("[role=alert]"), "That is not the administration token.");
  await page.fill("#admin_token", ` ${signet.adminToken} `);
  await press(page, "Sign in");
  assert.deepEqual([pathOf(page), await heading(page)], ["/admin/health", "Health"]);
  const [kept] = await page.context().cookies();
  const { name, secure, httpOnly, sameSite, path, domain } = kept;
  assert.deepEqual(
    { name, secure, httpOnly, sameSite, path, domain },
    { name: "__Host-signet-admin", secure: true, httpOnly: true, sameSite: "Strict", path: "/", domain: "localhost" },
  );
  assert.ok(!kept.value.includes(signet.adminToken));
});

test("credential sets: create, use, change, rotate with overlap, disable, enable, revoke", { skip }, async () => {
  await putUser(signet, "42");
  const page = await operator("/admin/credentials");
  await leave(page, () => page.click("text=New credential set"));
  await page.fill("#name", "Customer portal");
  await page.fill("#user_id", "42");
  await page.check("[name='clientarea:invoices']");
  await press(page, "Create");
  assert.equal(await heading(page), "Customer portal");
  assert.equal(await page.isVisible("#copy"), false, "no button that needs JavaScript");
  const client_secret = await page.innerText("#secret");
  const client_id = await fact(page, "client_id");
  const set = { client_id, client_secret };
  assert.equal(claimsOf(await getToken(signet, set)).scope, "clientarea:sso clientarea:invoices");

  await leave(page, () => page.click("text=I have kept it"));
  assert.ok(!(await page.content()).includes(client_secret), "shown once");
  await page.fill("#description", "For our customers");
  await page.check("[name='clientarea:tickets']");
  await press(page, "Save");
  assert.equal(await page.innerText("[role=status]"), "Saved.");
  const { body } = await signet.admin("GET", `/credentials/${client_id}`);
  assert.deepEqual(
    [body.description, body.scopes],
    ["For our customers", ["clientarea:sso", "clientarea:invoices", "clientarea:tickets"]],
  );

  await page.selectOption("#overlap_seconds", { label: "Lives on for an hour" });
  await press(page, "Rotate the secret");
  const rotated = { client_id, client_secret: await page.innerText("#secret") };
  assert.notEqual(rotated.client_secret, client_secret);
  for (const each of [set, rotated]) assert.equal((await postToken(signet, each)).status, 200, "both secrets live");
  await leave(page, () => page.click("text=I have kept it"));

  const token = await getToken(signet, set);
  await press(page, "Disable");
  assert.ok((await text(page)).includes("disabled"));
  assert.equal((await postToken(signet, set)).status, 401);
  assert.equal((await openLink(signet, token)).status, 401, "its tokens too, at once");
  await press(page, "Enable");
  assert.equal((await postToken(signet, set)).status, 200);

  const before = pathOf(page);
  await page.locator("button", { hasText: "Revoke this credential set" }).click();
  assert.equal(pathOf(page), before, "the box must be ticked first");
  await page.check("[name=confirmed]");
  await press(page, "Revoke this credential set");
  assert.equal(await page.innerText("[role=status]"), "Revoked.");
  assert.equal((await signet.admin("GET", `/credentials/${client_id}`)).status, 404);
});

test("a set may be delegated, and the list is read a page at a time", { skip }, async () => {
  const page = await operator("/admin/credentials/new");
  await page.fill("#name", "Any panel");
  await page.check("[name=delegated]");
  await press(page, "Create");
  const { body } = await signet.admin("GET", `/credentials/${await fact(page, "client_id")}`);
  assert.deepEqual([body.delegated, body.user_id], [true, undefined]);
  for (let n = 0; n < 51; n += 1) await createSet(signet, { delegated: true, name: `Set ${n}` });
  await show(page, "/admin/credentials");
  const first = await page.locator("tbody tr").count();
  await leave(page, () => page.click("text=Next page"));
  const second = await page.locator("tbody tr").count();
  const { body: all } = await signet.admin("GET", "/credentials?limit=100");
  assert.deepEqual([first, first + second], [50, all.credentials.length]);
});

test("users: find, create, change, close; sessions and the audit trail", { skip }, async () => {
  const page = await operator("/admin/users");
  await page.fill("#user_id", "alice");
  await press(page, "Find");
  assert.deepEqual([pathOf(page), await heading(page)], ["/admin/users/alice", "User alice"]);
  assert.ok((await text(page)).includes("There is no such account."));
  await page.fill("#services", "12, 13\n14");
  await press(page, "Create");
  assert.deepEqual((await signet.admin("GET", "/users/alice")).body.services, ["12", "13", "14"]);

  const set = await createSet(signet, { user_id: "alice", name: "Portal" });
  const firefox = {
    "User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0",
    "CF-Connecting-IP": "192.0.2.7",
  };
  const sessions = [
    await signIn(signet, set, { headers: firefox }),
    await signIn(signet, set),
    await signIn(signet, set),
  ];
  await show(page, "/admin/users/alice");
  const row = page.locator("tr", { hasText: "Firefox on Windows" }).first();
  for (const shown of ["192.0.2.7", set.client_id, "My Invoices"])
    assert.ok((await row.innerText()).includes(shown), shown);
  await leave(page, () => row.locator("button").click());
  assert.deepEqual(await Promise.all(sessions.map((cookie) => whoIs(signet, cookie))), [undefined, "alice", "alice"]);
  await press(page, "End all sessions");
  assert.deepEqual(await Promise.all(sessions.map((cookie) => whoIs(signet, cookie))), [
    undefined,
    undefined,
    undefined,
  ]);
  const trail = await page.innerText("section[aria-labelledby=events]");
  for (const shown of ["account.created", "sso.signed_in", "session.ended", "An administrator ended it."])
    assert.ok(trail.includes(shown), shown);

  const own = await signIn(signet, set);
  await page.uncheck("[name=sso]");
  await press(page, "Save");
  assert.equal((await openLink(signet, await getToken(signet, set))).status, 403);
  assert.equal(await whoIs(signet, own), "alice", "switching single sign-on off ends no session");
  await page.selectOption("#status", "Closed");
  await press(page, "Save");
  assert.equal(await whoIs(signet, own), undefined, "closing does");
  assert.ok(
    (await page.innerText("section[aria-labelledby=events]")).includes(
      "Single sign-on is switched off for the account.",
    ),
  );

  await page.check("[name=confirmed]");
  await press(page, "Delete this account");
  assert.equal((await signet.admin("GET", "/users/alice")).status, 404);
  assert.ok((await eventsOf(signet, "alice")).includes("account.deleted"));
});

test("the audit trail is read a page at a time", { skip }, async () => {
  for (let n = 0; n < 60; n += 1) await putUser(signet, "busy", { services: [n] });
  const page = await operator("/admin/users/busy");
  const count = () => page.locator("section[aria-labelledby=events] tbody tr").count();
  assert.equal(await count(), 50);
  await leave(page, () => page.click("text=Older events"));
  assert.equal(await count(), 10);
});

test("a token is found by its id, with its receipt and a plain explanation", { skip }, async () => {
  await putUser(signet, "7");
  await putUser(signet, "closed", { status: "Closed" });
  const set = await createSet(signet, { delegated: true });
  const issue = async (user_id) => {
    const token = await getToken(signet, set, { user_id });
    return { token, jti: claimsOf(token).jti };
  };
  const [used, denied, waiting] = [await issue("7"), await issue("closed"), await issue("7")];
  await openLink(signet, used.token);
  await openLink(signet, denied.token);
  await signet.ops.read();
  const page = await operator("/admin/tokens");
  const find = async (jti) => {
    await show(page, "/admin/tokens");
    await page.fill("#jti", jti);
    await press(page, "Find");
    return text(page);
  };
  assert.match(await find(used.jti), /It signed its user in on/);
  assert.match(await find(denied.jti), /It was denied on .* The account is Closed\./);
  assert.match(await find(` ${waiting.jti} `), /It is waiting\. No browser has opened its link yet\./);
  assert.deepEqual(
    [await fact(page, "User"), await fact(page, "Application"), await fact(page, "Scope")],
    ["7", set.client_id, "clientarea:sso clientarea:invoices"],
  );
  await page.check("[name=confirmed]");
  await press(page, "Revoke this token");
  assert.match(await text(page), /It was revoked on/);
  assert.equal((await openLink(signet, waiting.token)).status, 401);
  const late = await issue("7");
  await signet.ops.read();
  await signet.clock.set(61_000);
  try {
    assert.match(await find(late.jti), /It expired\. No browser opened its link in time\./);
  } finally {
    await signet.clock.set(0);
  }
  assert.match(await find("AAAAAAAAAAAAAAAAAAAAAA"), /There is no record of such a token/);
  assert.match(await find("short"), /That is not the id of a token/);
});

test("API credentials: create, use, change, revoke", { skip }, async () => {
  await putUser(signet, "1");
  const page = await operator("/admin/api-credentials");
  await leave(page, () => page.click("text=New API credential"));
  await page.fill("#name", "Panel");
  await page.check("[name=CreateSsoToken]");
  await press(page, "Create");
  const [identifier, secret] = [await fact(page, "identifier"), await page.innerText("#secret")];
  const call = async () => {
    return (
      await postForm(
        signet,
        "/includes/api.php",
        { identifier, secret, action: "CreateSsoToken", client_id: "1" },
        { "CF-Connecting-IP": "192.0.2.1" },
      )
    ).json();
  };
  assert.equal((await call()).result, "success");
  await leave(page, () => page.click("text=I have kept it"));
  await page.fill("#allowed_addresses", "198.51.100.0/24\n2001:db8::1");
  await press(page, "Save");
  assert.equal((await call()).message, "Invalid IP 192.0.2.1");
  assert.deepEqual((await page.inputValue("#allowed_addresses")).split("\n"), ["198.51.100.0/24", "2001:db8::1"]);
  await page.check("[name=confirmed]");
  await press(page, "Revoke this API credential");
  assert.equal((await call()).message, "Authentication Failed");
});

test("invalid input changes nothing and is explained in words", { skip }, async () => {
  await putUser(signet, "5", { services: [1] });
  const page = await operator("/admin/users/5");
  await page.fill("#services", "a/b");
  await press(page, "Save");
  assert.equal(await heading(page), "Nothing was changed");
  assert.match(await page.innerText("[role=alert]"), /other characters than letters, digits/);
  assert.deepEqual((await signet.admin("GET", "/users/5")).body.services, ["1"]);
  for (const [path, title, status] of [
    ["/admin/nowhere", "Not found", 404],
    ["/admin/users/a%20b", "Nothing was changed", 400],
    ["/admin/credentials/none", "Not found", 404],
  ]) {
    const response = await show(page, path);
    assert.deepEqual([response.status(), await heading(page)], [status, title], path);
  }
});

test("health: problems of the configuration are marked", { skip }, async () => {
  const page = await operator("/admin/health");
  const state = async (name) => (await page.locator("tr", { hasText: name }).innerText()).split(/\s+/);
  assert.ok((await text(page)).includes("Signet is healthy"));
  assert.ok((await state("Workers KV")).includes("OK"));
  assert.ok((await state("Rate limit")).includes("note"));
  await signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  await show(page, "/admin/health");
  await signet.faults.set([]);
  assert.ok((await text(page)).includes("Something is wrong"));
  assert.ok((await state("Workers KV")).includes("wrong"));
});

test("the chart counts sign-ins, and denials by reason", { skip, timeout: 120_000 }, async () => {
  const own = await startSignet();
  const page = await open();
  try {
    await own.clock.stop(); // the day does not end meanwhile
    await putUser(own, "1");
    const set = await createSet(own, { user_id: "1" });
    for (let n = 0; n < 4; n += 1) await openLink(own, await getToken(own, set));
    const token = await getToken(own, set);
    for (let n = 0; n < 3; n += 1) await openLink(own, token, { headers: { "User-Agent": `elsewhere ${n}` } });
    await openLink(own, "not.a.token");
    await own.ops.read({ timers: true }); // the counts are written
    await page.goto(`${own.issuer}/admin`);
    await page.fill("#admin_token", own.adminToken);
    await press(page, "Sign in");
    assert.deepEqual([await fact(page, "signed in"), await fact(page, "denied")].map(Number), [5, 3]);
    const rows = await page.$$eval("section[aria-labelledby=denials] tbody tr", (rows) =>
      rows.map((row) => [row.querySelector("th").innerText, row.querySelector("[data-label=Times]").innerText]),
    );
    assert.deepEqual(rows, [
      ["token_used", "2"],
      ["forged", "1"],
    ]);
    assert.ok(
      (await page
        .locator("rect.good-fill")
        .evaluateAll((bars) => bars.filter((bar) => bar.height.baseVal.value > 0).length)) === 1,
    );
  } finally {
    await own.close();
  }
});

test("ASVS 7.4.1: signing out ends the session at the server; so do half an hour unused, and eight hours", {
  skip,
}, async () => {
  const page = await operator();
  const stolen = await cookie(page);
  const status = async () => (await signet.fetch("/admin", { headers: stolen })).status;
  assert.equal(await status(), 200);
  await press(page, "Sign out");
  assert.equal(await heading(page), "Sign in");
  assert.equal(await status(), 401);
  assert.deepEqual(
    (await page.context().cookies()).filter(({ name }) => name === "__Host-signet-admin"),
    [],
  );

  await signInto(page);
  const idle = await cookie(page);
  const used = await cookie(await operator());
  const statusOf = async (headers) => (await signet.fetch("/admin", { headers })).status;
  try {
    for (let elapsed = 0; elapsed < 28_800_000; elapsed += SESSION_IDLE_MS - 60_000) {
      await signet.clock.set(elapsed);
      assert.equal(await statusOf(used), 200, `after ${elapsed / 1000} s`);
    }
    assert.equal(await statusOf(idle), 401);
    await signet.clock.set(28_800_000);
    assert.equal(await statusOf(used), 401);
  } finally {
    await signet.clock.set(0);
  }
});

test("RFC 9700 section 4.7: another site can neither sign in, sign out nor change anything; nor can a form of another session", {
  skip,
}, async () => {
  await putUser(signet, "9", { services: [1] });
  const page = await operator("/admin/users/9", { javaScriptEnabled: true });
  const attacks = [
    ["/admin/sign-out", {}],
    ["/admin/users/9", { action: "save", status: "Closed" }],
    ["/admin/credentials/new", { name: "x", delegated: "on" }],
    ["/admin/sign-in", { admin_token: signet.adminToken }],
  ];
  const server = createServer((request, response) => {
    const [path, fields] = attacks[Number(request.url.slice(1))] ?? attacks[0];
    response.setHeader("Content-Type", "text/html");
    const inputs = Object.entries(fields)
      .map(([name, value]) => `<input name="${name}" value="${value}">`)
      .join("");
    response.end(
      `<!doctype html><title>Prize</title><form method="post" action="${signet.issuer}${path}">${inputs}<button>Win</button></form>`,
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    for (const index of attacks.keys()) {
      await page.goto(`http://127.0.0.1:${server.address().port}/${index}`);
      const [response] = await Promise.all([
        page.waitForResponse((r) => r.url().startsWith(signet.issuer)),
        leave(page, () => page.click("button")),
      ]);
      assert.equal(response.status(), 403, attacks[index][0]);
      assert.equal(response.headers()["set-cookie"], undefined);
      assert.equal(await heading(page), "Nothing was changed");
      await leave(page, () => page.click("text=Open the console"));
      assert.deepEqual([pathOf(page), await heading(page)], ["/admin", "Overview"], "the way back");
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
  await show(page, "/admin/users/9");
  assert.equal(await heading(page), "User 9", "still signed in");
  assert.equal((await signet.admin("GET", "/users/9")).body.status, "Active");

  const other = await operator("/admin/users/9");
  const csrf_token = await other.inputValue("[name=csrf_token] >> nth=0");
  const post = async (form) => (await postForm(signet, "/admin/users/9", form, await cookie(page))).status;
  assert.equal(await post({ action: "save", status: "Closed", csrf_token }), 403);
  assert.equal(await post({ action: "save", status: "Closed" }), 403);
  assert.equal(
    (await signet.fetch("/admin/users/9?action=save&status=Closed", { headers: await cookie(page) })).status,
    200,
  );
  assert.equal((await signet.admin("GET", "/users/9")).body.status, "Active");
});

test("attack 103, ASVS 3.5.4: in gateway mode a script of the client area reaches nothing of the console, whose operator is signed in", {
  skip,
}, async () => {
  const origin = await startOrigin({
    "/evil": (_, response) =>
      response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html><title>Client area</title>"),
    "/sw.js": (_, response) => response.writeHead(200, { "Content-Type": "text/javascript" }).end(""),
  });
  const own = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  try {
    const page = await open({ javaScriptEnabled: true });
    await page.goto(`${own.consoleOrigin}/admin/health`);
    await page.fill("#admin_token", own.adminToken);
    await press(page, "Sign in");
    assert.equal(page.url(), `${own.consoleOrigin}/admin/health`);
    await page.goto(`${own.issuer}/evil`);
    const seen = await page.evaluate(async (console) => {
      const status = async (url, init) =>
        fetch(url, { credentials: "include", ...init }).then(
          (response) => response.status,
          () => "blocked",
        );
      const opened = window.open(`${console}/admin`);
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      let read = "blocked";
      try {
        read = opened.document.body.innerText;
      } catch {
        // another origin
      }
      return {
        beside: await status("/admin"),
        api: await status("/admin/v1/users"),
        there: await status(`${console}/admin`),
        loaded: await status(`${console}/admin`, { mode: "no-cors" }),
        closed: opened.closed,
        read: opened.closed ? "blocked" : read,
        worker: await navigator.serviceWorker.register("/sw.js", { scope: "/admin" }).then((worker) => worker.scope),
        foreign: await navigator.serviceWorker.register(`${console}/sw.js`).then(
          () => "registered",
          () => "blocked",
        ),
      };
    }, own.consoleOrigin);
    assert.deepEqual(seen, {
      beside: 421,
      api: 421,
      there: "blocked",
      loaded: "blocked",
      closed: true,
      read: "blocked",
      worker: `${own.issuer}/admin`,
      foreign: "blocked",
    });
    await page.goto(`${own.consoleOrigin}/admin`);
    assert.equal(await heading(page), "Overview");
  } finally {
    problems.splice(0); // the messages about requests that the browser blocked
    await own.close();
    origin.close();
  }
});

test("stored HTML is shown as text", { skip }, async () => {
  await putUser(signet, "xss");
  const set = await createSet(signet, { user_id: "xss", name: EVIL.slice(0, 128), description: EVIL });
  await signIn(signet, set, { headers: { "User-Agent": EVIL } });
  await openLink(signet, await getToken(signet, set), { headers: { "User-Agent": EVIL } });
  const page = await operator("/admin/credentials", { javaScriptEnabled: true });
  for (const path of [
    "/admin/credentials",
    `/admin/credentials/${set.client_id}`,
    "/admin/users/xss",
    `/admin/users?user_id=${encodeURIComponent(EVIL)}`,
  ]) {
    await show(page, path);
    assert.equal(await page.evaluate(() => window.pwned), undefined, path);
    assert.equal(await page.locator("main b, main img").count(), 0, path);
  }
});

test("with JavaScript a button copies the secret", { skip }, async () => {
  const page = await operator("/admin/credentials/new", {
    javaScriptEnabled: true,
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await page.fill("#name", "Copied");
  await page.check("[name=delegated]");
  await press(page, "Create");
  await page.click("#copy");
  await page.waitForFunction(() => document.getElementById("copied").textContent === "Copied.");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await page.innerText("#secret"));
});

test("the keyboard alone works: skip the navigation, tick, press, with a visible focus", { skip }, async () => {
  const page = await open();
  await show(page, "/admin/users");
  await page.focus("#admin_token");
  await page.keyboard.type(signet.adminToken);
  await leave(page, () => page.keyboard.press("Enter"));
  await page.keyboard.press("Tab");
  const focused = () => page.locator(":focus");
  assert.equal(await focused().innerText(), "Skip to the content");
  assert.ok((await focused().boundingBox()).x >= 0, "it comes into sight");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await focused().getAttribute("id"), "user_id");
  assert.notEqual(await focused().evaluate((element) => getComputedStyle(element).outlineStyle), "none");
  await page.keyboard.type("42");
  await leave(page, () => page.keyboard.press("Enter"));
  assert.equal(pathOf(page), "/admin/users/42");
});

test("WCAG 2.2: axe finds nothing and nothing scrolls sideways, on every page, wide and narrow, light and dark", {
  skip,
}, async () => {
  await putUser(signet, "42", {
    services: [12],
    domains: ["a-very-long-domain-name-that-goes-on-and-on-and-on.example"],
  });
  const set = await createSet(signet, { user_id: "42", name: "N".repeat(128) });
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "P",
    actions: ["CreateSsoToken"],
    allowed_addresses: ["2001:db8::/32"],
  });
  await signIn(signet, set);
  const token = await getToken(signet, set);
  await openLink(signet, token);
  await openLink(signet, token, { headers: { "User-Agent": "elsewhere" } });
  await signet.ops.read();
  const paths = [
    "/admin",
    "/admin/credentials",
    "/admin/credentials/new",
    `/admin/credentials/${set.client_id}`,
    "/admin/users",
    "/admin/users/42",
    "/admin/users/unknown",
    "/admin/tokens",
    `/admin/tokens/${claimsOf(token).jti}`,
    "/admin/api-credentials",
    "/admin/api-credentials/new",
    `/admin/api-credentials/${api.identifier}`,
    "/admin/health",
    "/admin/nowhere",
  ];
  for (const look of LOOKS) {
    const page = await open(look);
    await show(page, "/admin");
    await assertAccessible(page, "signing in");
    await show(page, "/admin/sign-in?then=%2Fadmin");
    assert.match(await page.innerText("[role=alert]"), /did not keep the session cookie/);
    await assertAccessible(page, "no cookie kept");
    await page.goto(`${signet.issuer.replace("localhost", "127.0.0.1")}/admin/users`);
    assert.equal(await heading(page), "The console is elsewhere");
    await assertAccessible(page, "another host");
    await leave(page, () => page.click("text=Open the console"));
    assert.deepEqual([pathOf(page), await heading(page)], ["/admin", "Sign in"]);
    await page.fill("#admin_token", signet.adminToken);
    await press(page, "Sign in");
    for (const path of paths) {
      await show(page, path);
      await assertAccessible(page, path);
    }
    await show(page, "/admin/credentials/new");
    await page.fill("#name", "Checked");
    await page.check("[name=delegated]");
    await press(page, "Create");
    await assertAccessible(page, "the new secret");
  }
});
