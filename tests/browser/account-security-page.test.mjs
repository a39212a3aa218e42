// The user's own pages, /account/security and /oauth/logout, in a real browser; without JavaScript unless a test says so.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { assertAccessible } from "../support/axe.mjs";
import { launchChromium, leave, skip } from "../support/chromium.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, csrfTokenAt, getToken, messages, putUser, signIn, whoIs } from "../support/workflow.mjs";

const HTML = `"><script>window.pwned = 1</script><img src=x onerror="window.pwned = 1"><b>bold</b>&amp;`;
const FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:150.0) Gecko/20100101 Firefox/150.0";

let signet, area, set, browser, user, contexts, problems;
let users = 0;

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  area = await site(() => `<h1>The client area</h1><a href="${signet.issuer}/account/security">Your sessions</a>`);
  signet = await startSignet({ vars: { CLIENT_AREA_URL: area.origin } });
  set = await createSet(signet, { delegated: true, name: "My Panel" });
});
after(async () => {
  await browser?.close();
  await signet?.close();
  area?.close();
});
beforeEach(async () => {
  if (skip) return;
  [user, contexts, problems] = [`user${(users += 1)}`, [], []];
  await putUser(signet, user);
});
afterEach(async () => {
  for (const context of contexts ?? []) await context.close();
});

/** Serves the same content at every path of another site: 127.0.0.1 is not localhost. */
async function site(content) {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><html lang="en"><title>Another site</title>${content(request)}`);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${server.address().port}`, close };
}

/** Opens a browser profile of its own. */
async function open(options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  contexts.push(context);
  const page = await context.newPage();
  // A failed page is reported here too, by its status, and the work of Clear-Site-Data; what a policy stops is a problem.
  const harmless = /Failed to load resource|^Clear-Site-Data header/;
  page.on("console", (message) => harmless.test(message.text()) || problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
  return page;
}

/** Opens a browser profile and signs the user in. */
async function signedIn({ by = set, form = {}, ...options } = {}) {
  const page = await open(options);
  await page.goto(await linkOf({ by, form }));
  assert.ok(page.url().startsWith(area.origin), page.url());
  return page;
}

async function linkOf({ by = set, form = {} } = {}) {
  const token = await getToken(signet, by, by.user_id ? form : { user_id: user, ...form });
  return `${signet.issuer}/oauth/singlesignon?access_token=${token}`;
}

const show = (page, path = "/account/security") => page.goto(`${signet.issuer}${path}`);
const heading = (page) => page.textContent("h1");
const alert = (page) => page.innerText("[role=alert]");
const text = (page) => page.innerText("main");
const button = (page, label) => page.locator("button", { hasText: label });

const press = (page, label) => leave(page, () => button(page, label).click());

/** The browser's cookie, as a header. */
async function cookie(page) {
  const [{ name, value }] = await page.context().cookies();
  return { Cookie: `${name}=${value}` };
}

/** The entry of each session on the page. */
const entries = (page) =>
  page.$$eval(".entries > li", (items) =>
    items.map((item) => ({
      browser: item.querySelector("h2").textContent,
      ...Object.fromEntries(
        [...item.querySelectorAll("dt")].map((dt) => [dt.textContent, dt.nextElementSibling.textContent]),
      ),
      times: [...item.querySelectorAll("time")].map((time) => [time.dateTime, time.textContent]),
      buttons: [...item.querySelectorAll("button")].map((button) => button.textContent),
    })),
  );

const entryCount = async (page) => (await entries(page)).length;
const proofOf = (page) => page.$eval("[name=csrf_token]", (field) => field.value);

/** Everything that the pages can change of a user. */
async function state() {
  const { sso } = (await signet.admin("GET", `/users/${user}`)).body;
  const { sessions } = (await signet.admin("GET", `/users/${user}/sessions`)).body;
  return { sso, sessions: sessions.map(({ session_id }) => session_id) };
}

test("HTML, Cross-Origin-Opener-Policy: a sign-in link that an application opens in a new window signs in there, and the application cannot follow it", {
  skip,
}, async () => {
  let link;
  const portal = await site(
    () =>
      `<a id="link" target="_blank" rel="opener" href="${link}">Open</a><button onclick="opened = window.open('${link}', 'area')">Open</button>`,
  );
  try {
    for (const selector of ["#link", "button"]) {
      link = await linkOf();
      const page = await open({ javaScriptEnabled: true });
      await page.goto(portal.origin);
      const [popup] = await Promise.all([page.waitForEvent("popup"), page.click(selector)]);
      await popup.waitForURL(`${area.origin}/**`);
      assert.equal(await whoIs(signet, await cookie(popup)), user, selector);
      await leave(popup, () => popup.click("text=Your sessions"));
      assert.equal(await heading(popup), "Your sessions");
      assert.equal(await popup.evaluate(() => window.opener), null, selector);
      if (selector === "button")
        assert.equal(await page.evaluate(() => window.opened.closed), true, "nor the other way round");
    }
  } finally {
    portal.close();
  }
  assert.deepEqual(problems, []);
});

test("the page lists every session, newest first: when, from where, by whom, to what; this browser's is marked", {
  skip,
}, async () => {
  const home = await createSet(signet, { name: "Own Portal", user_id: user, scopes: [] });
  const shop = await createSet(signet, { name: "Shop", delegated: true, scopes: ["clientarea:shopping_cart_addons"] });
  await signet.clock.set(-3_000_000);
  await signedIn({ by: shop, extraHTTPHeaders: { "CF-Connecting-IP": "192.0.2.7" }, userAgent: FIREFOX });
  await signet.clock.set(-1_500_000);
  const page = await signedIn();
  await signet.clock.set(0);
  await signedIn({ by: home, userAgent: "curl/8.5.0" });
  await leave(page, () => page.click("text=Your sessions"));
  assert.equal(page.url(), `${signet.issuer}/account/security`);
  assert.equal(await heading(page), "Your sessions");
  assert.ok((await text(page)).includes(`Signed in as ${user}`));
  const shown = await entries(page);
  const facts = shown.map((of) => [of.browser, of.From, of.Application, of.Destination, of.Browser, ...of.buttons]);
  const own = await page.evaluate(() => navigator.userAgent);
  assert.deepEqual(facts, [
    ["An unknown browser", "an unknown address", "Own Portal", "Client Area Home", "curl/8.5.0", "End this session"],
    ["Chrome on Linux this browser", "an unknown address", "My Panel", "My Invoices", own, "Sign out"],
    ["Firefox on Windows", "192.0.2.7", "Shop", "Shopping Cart Addons", FIREFOX, "End this session"],
  ]);
  const { sessions } = (await signet.admin("GET", `/users/${user}/sessions`)).body;
  const rfc3339 = (seconds) => new Date(seconds * 1000).toISOString().replace(".000", "");
  const people = {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  };
  const format = new Intl.DateTimeFormat("en-GB", { ...people, timeZone: "UTC" });
  const displayed = (seconds) => [rfc3339(seconds), `${format.format(seconds * 1000).replace(" at ", ", ")} UTC`];
  assert.deepEqual(
    shown.map(({ times }) => times[0]),
    sessions.map((session) => displayed(session.created_at)),
  );
  assert.deepEqual(shown[2].times[1], displayed(sessions[2].last_seen_at));
  const [newest, middle, oldest] = sessions.map(({ created_at }) => created_at);
  assert.ok(newest - middle >= 1500 && middle - oldest >= 1500);
  assert.deepEqual(problems, []);
});

test("the page shows that this browser's session is in use now", { skip }, async () => {
  await signet.clock.set(-1_500_000);
  const page = await signedIn();
  await signet.clock.set(0);
  await show(page);
  const [{ times }] = await entries(page);
  assert.ok(Date.now() - Date.parse(times[1][0]) < 60_000, `last used: ${times[1][1]}`);
});

test("ending one other session signs that browser out at its next request, and no other", { skip }, async () => {
  const [page, other, third] = [await signedIn(), await signedIn({ userAgent: FIREFOX }), await signedIn()];
  await show(page);
  assert.equal(await entryCount(page), 3);
  const stolen = await cookie(other);
  await leave(page, () => page.locator(".entries > li", { hasText: "Firefox" }).locator("button").click());
  assert.equal(page.url(), `${signet.issuer}/account/security`);
  assert.deepEqual(
    (await entries(page)).map(({ browser }) => browser),
    ["Chrome on Linux", "Chrome on Linux this browser"],
  );
  assert.equal((await show(other, "/oauth/session")).status(), 401);
  assert.equal((await show(other)).status(), 401);
  assert.equal(await heading(other), "Please sign in");
  assert.equal(await whoIs(signet, stolen), undefined);
  for (const still of [page, third]) assert.equal((await show(still, "/oauth/session")).status(), 200);
  await show(page);
  await page.reload();
  assert.equal(await entryCount(page), 2, "reloading repeats nothing");
  assert.deepEqual(problems, []);
});

test("ending all other sessions leaves this one alone", { skip }, async () => {
  const [page, ...others] = [await signedIn(), await signedIn(), await signedIn()];
  await show(page);
  await press(page, "End all other sessions");
  assert.deepEqual(
    (await entries(page)).map(({ browser }) => browser),
    ["Chrome on Linux this browser"],
  );
  assert.equal(await button(page, "End").count(), 0, "there is nothing left to end");
  for (const other of others) assert.equal((await show(other, "/oauth/session")).status(), 401);
  assert.equal((await show(page, "/oauth/session")).status(), 200);
  assert.deepEqual(problems, []);
});

test("switching single sign-on off refuses every link, until it is switched on again", { skip }, async () => {
  const [page, other, visitor] = [await signedIn(), await signedIn(), await open()];
  const older = await linkOf();
  const refused = async (link) => {
    assert.equal((await visitor.goto(link)).status(), 403);
    assert.deepEqual(
      [await heading(visitor), await alert(visitor)],
      ["This link did not sign you in", messages.disabled(user)],
    );
  };
  await show(page);
  await press(page, "Disallow single sign-on");
  assert.match(await text(page), /Not allowed\. No application can sign you in here\./);
  assert.equal((await state()).sso, false);
  for (const link of [older, await linkOf()]) await refused(link);
  assert.equal((await show(other, "/oauth/session")).status(), 200, "sessions go on");
  await press(page, "Allow single sign-on");
  assert.match(await text(page), /Allowed\. Applications that you use may sign you in/);
  await visitor.goto(await linkOf());
  assert.equal(await heading(visitor), "The client area");
  assert.deepEqual(problems, []);
});

/** Asserts that a browser is signed out, and that a copy of its cookie is worth nothing. */
async function assertSignedOut(page, copy) {
  assert.deepEqual(await page.context().cookies(), []);
  assert.equal(await whoIs(signet, copy), undefined, "a stolen cookie");
  assert.equal((await signet.fetch("/account/security", { headers: copy })).status, 401, "a stolen cookie");
}

test("the page's button signs this browser out and leads to the client area", { skip }, async () => {
  const [page, other] = [await signedIn(), await signedIn()];
  const copy = await cookie(page);
  await show(page);
  await press(page, "Sign out");
  assert.equal(page.url(), `${area.origin}/`);
  await assertSignedOut(page, copy);
  await page.goBack();
  assert.equal(await heading(page), "Please sign in", "Back shows nothing of the user");
  assert.equal((await show(other, "/oauth/session")).status(), 200);
  assert.deepEqual(problems, []);
});

for (const [name, query, place] of [
  ["the client area", "", "/"],
  ["the path it was given", "?return_to=bye.php%3Fa%3Db", "/bye.php?a=b"],
]) {
  test(`opening /oauth/logout changes nothing; its button signs out and leads to ${name}`, { skip }, async () => {
    const page = await signedIn();
    const copy = await cookie(page);
    for (const _ of ["opened", "opened again"]) assert.equal((await show(page, `/oauth/logout${query}`)).status(), 200);
    assert.deepEqual([await heading(page), await whoIs(signet, copy), await cookie(page)], ["Sign out?", user, copy]);
    await press(page, "Sign out");
    assert.equal(page.url(), `${area.origin}${place}`);
    await assertSignedOut(page, copy);
    await show(page, "/oauth/logout");
    assert.equal(await heading(page), "Nobody is signed in");
    assert.equal(await page.locator("form").count(), 0);
    assert.deepEqual(problems, []);
  });
}

test("/oauth/logout: staying leads to the client area, still signed in", { skip }, async () => {
  const page = await signedIn();
  await show(page, "/oauth/logout");
  await leave(page, () => page.click("text=Stay signed in"));
  assert.equal(page.url(), `${area.origin}/`);
  assert.equal((await show(page, "/oauth/session")).status(), 200);
});

test("/oauth/logout: a place outside the client area is refused, and nobody signed out", { skip }, async () => {
  const page = await signedIn();
  const outside = ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "../x"];
  for (const place of outside) {
    const response = await show(page, `/oauth/logout?return_to=${encodeURIComponent(place)}`);
    assert.deepEqual([response.status(), await page.locator("form").count()], [400, 0], place);
    // A field that was changed in between is checked again.
    await show(page, "/oauth/logout?return_to=bye.php");
    await page.$eval("[name=return_to]", (field, place) => (field.value = place), place);
    await press(page, "Sign out");
    assert.equal(page.url(), `${signet.issuer}/oauth/logout`, place);
    assert.equal(await alert(page), "The return_to is not a path within the client area.");
  }
  assert.equal((await show(page, "/oauth/session")).status(), 200);
});

/** A proof that the attacker may well have: that of a session of their own. */
async function attackersProof() {
  await putUser(signet, "mallory");
  const headers = await signIn(signet, set, { form: { user_id: "mallory" } });
  return csrfTokenAt(signet, "/account/security", headers);
}

const attackForm = (path, fields) => `<form method="post" action="${signet.issuer}${path}">
  ${Object.entries(fields)
    .map(([name, value]) => `<input type="hidden" name="${name}" value="${value}">`)
    .join("")}
  <button>You have won</button></form>`;

for (const [aim, path, fields] of [
  ["sign out", "/oauth/logout", {}],
  ["end the other sessions", "/account/security", { action: "end_other_sessions" }],
  ["switch single sign-on off", "/account/security", { action: "disallow_sso" }],
]) {
  test(`CSRF: another site's form cannot ${aim}, submitted by a script or by a click`, { skip }, async () => {
    const csrf_token = await attackersProof();
    const attacker = await site(
      ({ url }) =>
        attackForm(path, { ...fields, csrf_token }) +
        (url === "/auto" ? "<script>document.forms[0].submit()</script>" : ""),
    );
    await signedIn();
    const victims = { "/auto": await signedIn({ javaScriptEnabled: true }), "/click": await signedIn() };
    const untouched = await state();
    try {
      for (const [way, page] of Object.entries(victims)) {
        const answered = page.waitForResponse((response) => response.url() === signet.issuer + path);
        await page.goto(attacker.origin + way);
        if (way === "/click") await press(page, "You have won");
        const answer = await answered;
        assert.deepEqual([answer.request().method(), answer.status()], ["POST", 403]);
        await page.waitForSelector("[role=alert]");
        assert.match(await alert(page), /^Another site cannot /);
        assert.deepEqual(await state(), untouched);
        assert.equal((await show(page, "/oauth/session")).status(), 200);
      }
    } finally {
      attacker.close();
    }
    assert.deepEqual(problems, []);
  });
}

test("CSRF: the form of a sibling host, with which the browser sends the cookie, fails without a CSRF token", {
  skip,
}, async () => {
  const csrf_token = await attackersProof();
  const attacker = await site(() => attackForm("/account/security", { action: "disallow_sso", csrf_token }));
  const page = await signedIn();
  const untouched = await state();
  try {
    await page.goto(attacker.origin.replace("127.0.0.1", "localhost"));
    const posted = page.waitForRequest((request) => request.method() === "POST");
    await press(page, "You have won");
    const { cookie, "sec-fetch-site": from } = await (await posted).allHeaders();
    assert.ok(cookie.startsWith("__Host-signet=") && from === "same-site");
    assert.deepEqual(
      [await heading(page), await alert(page)],
      ["Nothing was changed", "The form is out of date. Open the page again."],
    );
  } finally {
    attacker.close();
  }
  assert.deepEqual(await state(), untouched);
});

test("CSRF: another site's links, images, requests and frames change and show nothing", { skip }, async () => {
  const page = await signedIn({ javaScriptEnabled: true });
  await show(page);
  const forged = new URLSearchParams({ action: "disallow_sso", csrf_token: await proofOf(page) });
  const [security, logout] = [`${signet.issuer}/account/security`, `${signet.issuer}/oauth/logout`];
  const send = (url, body) => `fetch("${url}", { method: "POST", mode: "no-cors", credentials: "include", ${body} })`;
  const attacker = await site(
    () => `<img src="${logout}"><img src="${security}?${forged}">
    <iframe src="${security}"></iframe><iframe src="${logout}"></iframe><a href="${security}?${forged}">You have won</a>
    <script>${send(security, `body: new URLSearchParams("${forged}")`)}; ${send(logout, "")}</script>`,
  );
  const untouched = await state();
  try {
    await page.goto(attacker.origin, { waitUntil: "networkidle" });
    for (const frame of page.frames().slice(1))
      assert.equal(await frame.locator("button").count(), 0, "nothing to click");
    const refusals = () => problems.filter((problem) => problem.includes("frame-ancestors"));
    while (refusals().length < 2) await page.waitForEvent("console");
    assert.equal(refusals().length, 2, problems.join("\n"));
    await leave(page, () => page.click("text=You have won"));
    assert.equal(await heading(page), "Your sessions", "the link only shows the page");
  } finally {
    attacker.close();
  }
  assert.deepEqual(await state(), untouched);
  assert.equal((await show(page, "/oauth/session")).status(), 200);
});

test("CSRF: another site's request is refused even if the browser sends the cookie with it", {
  skip,
}, async () => {
  const page = await signedIn();
  await show(page);
  const body = new URLSearchParams({ action: "disallow_sso", csrf_token: await proofOf(page) });
  const untouched = await state();
  for (const mark of [{ "Sec-Fetch-Site": "cross-site" }, { Origin: "https://evil.example" }]) {
    const headers = { ...(await cookie(page)), ...mark };
    for (const [path, form] of [
      ["/account/security", body],
      ["/oauth/logout", new URLSearchParams()],
    ]) {
      assert.equal((await signet.fetch(path, { method: "POST", headers, body: form })).status, 403, path);
    }
  }
  assert.deepEqual(await state(), untouched);
});

test("CSRF: a form without a CSRF token, or with one of another session, is refused and changes nothing", {
  skip,
}, async () => {
  const [page, other] = [await signedIn(), await signedIn()];
  for (const one of [page, other]) await show(one);
  const [own, sister] = [await proofOf(page), await proofOf(other)];
  assert.notEqual(own, sister);
  const tampered = own.slice(0, -2) + (own.endsWith("AA") ? "BB" : "AA");
  const proofs = {
    missing: undefined,
    empty: "",
    tampered,
    "a sister's": sister,
    "a stranger's": await attackersProof(),
  };
  const untouched = await state();
  const url = `${signet.issuer}/account/security`;
  for (const [name, csrf_token] of Object.entries(proofs)) {
    for (const action of ["end_other_sessions", "disallow_sso", "allow_sso"]) {
      const form = csrf_token === undefined ? { action } : { action, csrf_token };
      const answer = await page.request.post(url, { form, maxRedirects: 0 });
      assert.equal(answer.status(), 403, `${name}: ${action}`);
    }
    await show(page);
    await page.$$eval(
      "[name=csrf_token]",
      (fields, proof) => {
        for (const field of fields) proof === undefined ? field.remove() : (field.value = proof);
      },
      csrf_token,
    );
    await press(page, "Disallow single sign-on");
    assert.deepEqual(
      [await heading(page), await alert(page)],
      ["Nothing was changed", "The form is out of date. Open the page again."],
    );
  }
  assert.deepEqual(await state(), untouched);
  const answer = await page.request.post(url, { form: { action: "disallow_sso", csrf_token: own }, maxRedirects: 0 });
  assert.deepEqual([answer.status(), (await state()).sso], [200, false], "the right proof does it");
});

test("without a session the page asks people to sign in, or sends them to LOGIN_URL", { skip }, async () => {
  const page = await open();
  assert.equal((await show(page)).status(), 401);
  assert.deepEqual([await heading(page), await alert(page)], ["Please sign in", "Nobody is signed in."]);
  assert.equal(await page.getAttribute("main a", "href"), `${area.origin}/`);
  const json = await page.request.get(`${signet.issuer}/account/security`, { headers: { Accept: "application/json" } });
  assert.deepEqual([json.status(), (await json.json()).error], [401, "invalid_session"]);
  const LOGIN_URL = `${area.origin}/login?to=billing`;
  const other = await startSignet({ vars: { CLIENT_AREA_URL: area.origin, LOGIN_URL } });
  try {
    await page.goto(`${other.issuer}/account/security`);
    assert.equal(page.url(), LOGIN_URL);
    const machine = await page.request.get(`${other.issuer}/account/security`, {
      headers: { Accept: "application/json" },
    });
    assert.equal(machine.status(), 401);
  } finally {
    await other.close();
  }
  assert.deepEqual(problems, []);
});

/** Presses Tab until the focus has been everywhere; returns the texts of what it met, and asserts that it was seen. */
async function tabThrough(page) {
  const met = [];
  for (;;) {
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const { top, bottom } = document.activeElement.getBoundingClientRect();
      const isInView = top >= 0 && bottom <= innerHeight;
      const isSeen = outlineStyle === "solid" && parseFloat(outlineWidth) >= 2 && isInView;
      return { tag: document.activeElement.tagName, name: document.activeElement.textContent, isSeen };
    });
    if (focus.tag === "BODY" || met.length > 50) return met;
    assert.ok(focus.isSeen, `the focus is not seen on ${focus.name}`);
    met.push(focus.name);
  }
}

/** Presses Tab until what has the focus reads `name`, then Enter. */
async function enter(page, name) {
  for (let n = 0; n < 50; n += 1) {
    await page.keyboard.press("Tab");
    if ((await page.evaluate(() => document.activeElement.textContent)).startsWith(name)) break;
  }
  await leave(page, () => page.keyboard.press("Enter"));
}

test("WCAG 2.1.1 and 2.4.7: the keyboard alone reaches and presses every button, and the focus is seen", {
  skip,
}, async () => {
  const [page] = [await signedIn(), await signedIn(), await signedIn(), await signedIn()];
  await show(page);
  const ends = Array(3).fill("End this session");
  const rest = ["End all other sessions", "Disallow single sign-on", "Back to the client area"];
  assert.deepEqual(await tabThrough(page), [...ends, "Sign out", ...rest]);
  await enter(page, "End this session");
  assert.equal(await entryCount(page), 3);
  await enter(page, "End all other sessions");
  assert.equal(await entryCount(page), 1);
  await enter(page, "Disallow single sign-on");
  assert.equal((await state()).sso, false);
  await enter(page, "Allow single sign-on");
  assert.equal((await state()).sso, true);
  await show(page, "/oauth/logout");
  assert.deepEqual(await tabThrough(page), ["Sign out", "Stay signed in", "See all your sessions"]);
  await enter(page, "See all your sessions");
  await enter(page, "Sign out");
  assert.equal(page.url(), `${area.origin}/`);
  assert.deepEqual(await page.context().cookies(), []);
});

/** Every page of these, with texts as long as they may get, opened one after the other. */
async function* views() {
  const page = await signedIn({ javaScriptEnabled: true });
  const yieldAt = async (name, path) => {
    if (path) await show(page, path);
    return [name, page];
  };
  yield yieldAt("security, 1 session", "/account/security");
  const wide = await createSet(signet, { name: "W".repeat(128), delegated: true, scopes: ["clientarea:billing_info"] });
  const phone = {
    "User-Agent": `Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1 ${"x".repeat(200)}`,
  };
  const others = [[wide, { ...phone, "CF-Connecting-IP": "2001:db8:1234:5678:9abc:def0:1234:5678" }]];
  others.push([set, { "User-Agent": FIREFOX, "CF-Connecting-IP": "192.0.2.7" }]);
  for (const [by, headers] of others) await signIn(signet, by, { form: { user_id: user }, headers });
  yield yieldAt("security, 3 sessions", "/account/security");
  await press(page, "Disallow single sign-on");
  yield yieldAt("security, SSO off");
  await page.$$eval("[name=csrf_token]", (fields) => {
    for (const field of fields) field.remove();
  });
  await press(page, "Allow single sign-on");
  yield yieldAt("security, form out of date");
  yield yieldAt("logout, refused place", "/oauth/logout?return_to=https://evil.example/");
  yield yieldAt("logout", "/oauth/logout?return_to=bye.php");
  await press(page, "Sign out");
  yield yieldAt("logout, nobody", "/oauth/logout");
  yield yieldAt("security, nobody", "/account/security");
}

/** Saves a picture into the folder that SIGNET_SHOTS names, if it does. */
async function shoot(page, name) {
  const { SIGNET_SHOTS } = process.env;
  if (SIGNET_SHOTS)
    await page.screenshot({ path: join(SIGNET_SHOTS, `${name.replace(/\W+/g, "-")}.png`), fullPage: true });
}

test("WCAG 2.2, CSP: axe finds nothing, nothing scrolls sideways, nothing is blocked; narrow and wide, light and dark", {
  skip,
}, async () => {
  for await (const [name, page] of views()) {
    for (const width of [320, 360, 1280]) {
      await page.setViewportSize({ width, height: 800 });
      for (const colorScheme of ["light", "dark"]) {
        await page.emulateMedia({ colorScheme });
        const view = `${name}, ${width}, ${colorScheme}`;
        await assertAccessible(page, view);
        await shoot(page, view);
      }
    }
    assert.deepEqual(problems, [], name);
  }
});

test("XSS: HTML in a User-Agent, a credential set's name and a path to return to stays text", { skip }, async () => {
  const by = await createSet(signet, { name: HTML, delegated: true });
  const page = await signedIn({ by, userAgent: HTML, javaScriptEnabled: true });
  await signedIn({ by, userAgent: HTML });
  const assertTame = async (place) => {
    const elements = await page.locator("script, img, b").count();
    assert.deepEqual([elements, await page.evaluate(() => window.pwned)], [0, undefined], place);
  };
  await show(page);
  for (const entry of await entries(page)) assert.deepEqual([entry.Application, entry.Browser], [HTML, HTML]);
  await assertTame("the page");
  const place = `bye.php?a=${HTML.replaceAll(" ", "+")}`;
  await show(page, `/oauth/logout?return_to=${encodeURIComponent(place)}`);
  assert.equal(await page.inputValue("[name=return_to]"), place);
  await assertTame("the question");
  assert.deepEqual(problems, []);
});

test("WCAG 1.3.1, 2.4.2, 2.4.6, 3.1.1, 4.1.2: language, title, one h1, headings in order, names and times", {
  skip,
}, async () => {
  for await (const [name, page] of views()) {
    const shape = await page.evaluate(() => ({
      language: document.documentElement.lang,
      mains: document.querySelectorAll("main").length,
      h1s: document.querySelectorAll("h1").length,
      nameless: [...document.querySelectorAll("button, a")].filter((control) => !control.textContent.trim()).length,
    }));
    assert.deepEqual(shape, { language: "en", mains: 1, h1s: 1, nameless: 0 }, name);
    assert.match(await page.title(), /\S · Signet$/);
    const levels = await page.$$eval("h1, h2, h3, h4, h5, h6", (all) =>
      all.map((heading) => Number(heading.tagName[1])),
    );
    const skips = levels.filter((level, n) => level > (levels[n - 1] ?? 0) + 1);
    assert.deepEqual(skips, [], `${name}: heading levels ${levels} skip`);
    for (const { times } of await entries(page)) {
      assert.equal(times.length, 2, name);
      for (const [datetime] of times) assert.ok(Math.abs(Date.parse(datetime) - Date.now()) < 300_000, datetime);
    }
  }
});
