// The demo and every page of Signet, in a real browser.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { assertAccessible } from "../support/axe.mjs";
import { launchChromium, leave, skip } from "../support/chromium.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, getToken, messages, putUser, whoIs } from "../support/workflow.mjs";

const LABELS = {
  "clientarea:sso": "Client Area Home",
  "clientarea:profile": "My Details",
  "clientarea:billing_info": "Manage Billing Information/Credit Card",
  "clientarea:emails": "My Emails",
  "clientarea:announcements": "Announcements",
  "clientarea:downloads": "Downloads",
  "clientarea:knowledgebase": "Knowledgebase",
  "clientarea:network_status": "Network Status",
  "clientarea:services": "My Products/Services",
  "clientarea:product_details": "Product Details/Information",
  "clientarea:domains": "My Domains",
  "clientarea:domain_details": "Domain Details/Information",
  "clientarea:invoices": "My Invoices",
  "clientarea:tickets": "My Support Tickets",
  "clientarea:submit_ticket": "Open New Ticket",
  "clientarea:shopping_cart": "Shopping Cart Default Product Group",
  "clientarea:shopping_cart_addons": "Shopping Cart Addons",
  "clientarea:shopping_cart_domain_register": "Shopping Cart Register Domain",
  "clientarea:shopping_cart_domain_transfer": "Shopping Cart Transfer Domain",
  "sso:custom_redirect": "Custom Page",
};

let signet, set, browser, context, page, problems;

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  signet = await startSignet({ demo: true });
  set = await createSet(signet, { delegated: true });
});
after(async () => {
  await browser?.close();
  await signet?.close();
});
beforeEach(() => open());
afterEach(async () => {
  await context?.close();
});

/** Opens a fresh browser profile. */
async function open(options = {}) {
  if (skip) return;
  await context?.close();
  context = await browser.newContext(options);
  page = await context.newPage();
  problems = [];
  // A failed page is reported here too, by its status, and the work of Clear-Site-Data; what a policy stops is a problem.
  const harmless = /Failed to load resource|^Clear-Site-Data header/;
  page.on("console", (message) => harmless.test(message.text()) || problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(String(error)));
}

async function press(user, destination = "clientarea:invoices") {
  await page.goto(`${signet.issuer}/`);
  await page.check(`input[value="${user}"]`);
  await page.selectOption("#destination", destination);
  await follow("main button");
}

/** Clicks what leads to another page, and waits for that. */
const follow = (selector) => leave(page, () => page.click(selector));

const heading = () => page.textContent("h1");
const alert = () => page.innerText("[role=alert]");
const text = () => page.innerText("main");

/** The session cookie, as a header to ask Signet with. */
async function cookie() {
  const [{ name, value }] = await context.cookies();
  return { Cookie: `${name}=${value}` };
}

async function linkFor(user) {
  return `${signet.issuer}/oauth/singlesignon?access_token=${await getToken(signet, set, { user_id: user })}`;
}

for (const javaScriptEnabled of [true, false]) {
  test(`the demo, from click to client area, for every destination; JavaScript ${javaScriptEnabled ? "on" : "off"}`, {
    skip,
  }, async () => {
    await open({ javaScriptEnabled });
    for (const [destination, label] of Object.entries(LABELS)) {
      await press("alice", destination);
      assert.equal(await heading(), label);
      const shown = await text();
      for (const part of [
        "Signed in as alice",
        "POST /oauth/token",
        "sso.signed_in",
        "302 →",
        "Session",
        " at the latest",
      ]) {
        assert.ok(shown.includes(part), `${destination}: ${part}`);
      }
    }
    const { session_id } = await (await signet.fetch("/oauth/session", { headers: await cookie() })).json();
    const shown = await text();
    assert.ok(shown.includes(session_id));
    for (const step of ["POST /oauth/token → 200", "/oauth/singlesignon", "GET /oauth/session → 200"]) {
      assert.match(shown.slice(shown.indexOf(step) + step.length), /^\s*(under 1|\d+) ms/, step);
    }
    await page.click("summary");
    const claims = JSON.parse(await page.innerText("pre"));
    assert.deepEqual([claims.sub, claims.scope, claims.exp - claims.iat], ["alice", "sso:custom_redirect", 60]);
    assert.deepEqual(problems, []);
  });
}

test("each result of a sign-in shows its page", { skip }, async () => {
  await press("ivan");
  assert.equal(await heading(), "My Invoices", "Inactive accounts sign in");
  await open();
  for (const [user, message] of [
    ["clara", messages.closed],
    ["otto", messages.disabled],
  ]) {
    await press(user);
    assert.equal(await heading(), "This link did not sign you in");
    assert.equal(await alert(), message(user));
  }
  await page.goto(await linkFor("stranger"));
  assert.equal(await alert(), messages.unable("stranger"));
  await page.goto(`${signet.issuer}/oauth/singlesignon?access_token=nonsense`);
  assert.equal(await alert(), "The sign-in link is not valid.");
  await page.goto(`${signet.issuer}/oauth/singlesignon`);
  assert.equal(await heading(), "This link does not work");
  const link = await linkFor("alice");
  await signet.clock.set(61_000);
  await page.goto(link);
  await signet.clock.set(0);
  assert.equal(await alert(), messages.unable("alice"));
  await page.goto(`${signet.issuer}/clientarea.php`);
  assert.equal(await heading(), "Nobody is signed in");
  assert.deepEqual(problems, []);
});

test("a link that is opened again redirects in the same browser and is refused in another", { skip }, async () => {
  await press("alice"); // the demo makes its users at the first visit
  await open();
  const link = await linkFor("alice");
  for (const click of ["first", "second"]) {
    await page.goto(link);
    assert.equal(await heading(), "My Invoices", `${click} click`);
  }
  await open();
  await page.goto(link);
  assert.equal(await alert(), messages.unable("alice"));
});

test("the account-switch page: stay or switch, and never without asking", { skip }, async () => {
  await press("alice");
  await press("ivan");
  assert.equal(await heading(), "Switch account?");
  const alice = await cookie();
  await follow("text=Stay signed in as alice");
  assert.ok((await text()).includes("This browser is signed in as alice"));
  assert.deepEqual([await cookie(), await whoIs(signet, alice)], [alice, "alice"]);
  await press("ivan");
  await follow("text=Sign in as ivan");
  assert.equal(await heading(), "My Invoices");
  assert.ok((await text()).includes("Signed in as ivan"));
  const ivan = await cookie();
  assert.deepEqual(
    [await whoIs(signet, alice), await whoIs(signet, ivan)],
    [undefined, "ivan"],
    "the old session is gone",
  );
  await page.goBack();
  assert.deepEqual([await cookie(), await whoIs(signet, ivan)], [ivan, "ivan"], "Back to the question changes nothing");
  await page.goto(`${signet.issuer}/clientarea.php`);
  await follow("text=Sign out");
  assert.deepEqual([await context.cookies(), await whoIs(signet, ivan)], [[], undefined]);
  await page.goto(`${signet.issuer}/clientarea.php`);
  assert.equal(await heading(), "Nobody is signed in");
  assert.deepEqual(problems, []);
});

test("Back, Forward and Reload after landing stay signed in; after sign-out they show nothing of the user", {
  skip,
}, async () => {
  await press("alice");
  const alice = await cookie();
  await page.goBack();
  assert.equal(await heading(), "Sign a user in with one click", "Back skips the link");
  await page.goForward();
  assert.equal(await heading(), "My Invoices");
  await page.reload();
  assert.ok((await text()).includes("Signed in as alice"));
  assert.deepEqual(await cookie(), alice, "no new session");
  await follow("text=Sign out");
  await page.goBack();
  assert.equal(await heading(), "Nobody is signed in");
  assert.doesNotMatch(await text(), /alice/);
  assert.deepEqual(problems, []);
});

test("RFC 9700 section 4.2: after landing, the token is nowhere in the browser", { skip }, async () => {
  const urls = [];
  const referers = [];
  const console = [];
  page.on("request", (request) => {
    urls.push(request.url());
    referers.push(request.headerValue("referer"));
  });
  page.on("console", (message) => console.push(message.text(), message.location().url));
  await press("alice");
  const token = urls.find((url) => url.includes("access_token=")).split("access_token=")[1];
  assert.match(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
  const referrer = await page.evaluate(() => document.referrer);
  await follow("text=Back to the demo");
  const session = await context.newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  await page.goBack();
  assert.equal(await heading(), "My Invoices");
  const storage = [await context.storageState(), await page.evaluate(() => ({ ...sessionStorage }))];
  const sent = await Promise.all(referers);
  // Chromium notes the address that a link had before it was redirected; no page and no list of its history shows that.
  const history = entries.map(({ url, title }) => [url, title]);
  const everything = JSON.stringify([history, sent, referrer, console, await page.content(), storage]);
  assert.ok(entries.length >= 2);
  assert.ok(!everything.includes(token) && !everything.includes(token.split(".")[2]));
});

test("RFC 9700 section 4.2.4: a page at the link's own address sends no Referer when it is left", {
  skip,
}, async () => {
  const leaving = async (name) => {
    assert.match(page.url(), /access_token=/);
    const next = page.waitForRequest((request) => request.isNavigationRequest());
    await follow(`text=${name}`);
    assert.equal(await (await next).headerValue("referer"), null, name);
    assert.equal(await page.evaluate(() => document.referrer), "", name);
  };
  await press("clara");
  await leaving("Go to the client area");
  await press("alice");
  await press("ivan");
  await leaving("Stay signed in as alice");
  await press("ivan");
  await leaving("Sign in as ivan");
});

/** Serves one page on another origin. */
async function site(html) {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(typeof html === "function" ? html(request) : html);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

const speculation = (link) => JSON.stringify({ prefetch: [{ urls: [link], eagerness: "immediate" }] });

for (const [kind, html, reason] of [
  ["a prefetch", (link) => `<link rel="prefetch" href="${link}">`, "temporarily_unavailable"],
  [
    "a speculation rule",
    (link) => `<script type="speculationrules">${speculation(link)}</script>`,
    "temporarily_unavailable",
  ],
  ["an image", (link) => `<img src="${link}">`, "access_denied"],
  ["a frame", (link) => `<iframe src="${link}"></iframe>`, "access_denied"],
  ["an object", (link) => `<object data="${link}"></object>`, "access_denied"],
  ["a script", (link) => `<script src="${link}"></script>`, "access_denied"],
  ["a style sheet", (link) => `<link rel="stylesheet" href="${link}">`, "access_denied"],
  [
    "a fetch",
    (link) => `<script>fetch("${link}", { mode: "no-cors", credentials: "include" })</script>`,
    "access_denied",
  ],
  ["a beacon", (link) => `<script>navigator.sendBeacon("${link}")</script>`, "access_denied"],
]) {
  test(`Fetch Metadata: ${kind} on another site's page spends no token`, { skip }, async () => {
    await press("alice");
    await open();
    const link = await linkFor("alice");
    const attacker = await site(`<!doctype html><title>attacker</title>${html(link)}`);
    signet.logs.length = 0;
    try {
      const asked = context.waitForEvent("request", (request) => request.url() === link);
      await page.goto(attacker.origin);
      await asked;
      // The browser keeps some of these answers even from the tests; the log has them all.
      const { message } = await signet.logged('"event":"sso","outcome":"denied"');
      assert.equal(JSON.parse(message).reason, reason);
    } finally {
      attacker.close();
    }
    await page.goto(link);
    assert.equal(await heading(), "My Invoices", "the token was not spent");
  });
}

test("RFC 9700 section 4.7: another site's form with the attacker's token asks the signed-in victim", {
  skip,
}, async () => {
  await press("alice");
  const alice = await cookie();
  const token = await getToken(signet, set, { user_id: "ivan" });
  const attacker = await site(`<!doctype html><title>attacker</title>
    <form method="post" action="${signet.issuer}/oauth/singlesignon"><input name="access_token" value="${token}"></form>
    <script>document.forms[0].submit()</script>`);
  try {
    await page.goto(attacker.origin);
    await page.waitForSelector("h1");
    await page.waitForLoadState();
    assert.equal(await heading(), "Switch account?");
  } finally {
    attacker.close();
  }
  assert.deepEqual([await cookie(), await whoIs(signet, alice)], [alice, "alice"], "no silent switch");
  await follow("text=Sign in as ivan");
  assert.ok((await text()).includes("Signed in as ivan"), "the question can still be answered");
});

test("CSP frame-ancestors: no page of Signet can be framed", { skip }, async () => {
  const framer = await site(`<!doctype html><title>framer</title><iframe src="${signet.issuer}/"></iframe>`);
  try {
    await page.goto(framer.origin, { waitUntil: "networkidle" });
    const refusals = () => problems.filter((problem) => problem.includes("frame-ancestors"));
    while (refusals().length === 0) await page.waitForEvent("console");
    assert.equal(refusals().length, 1, problems.join("\n"));
  } finally {
    framer.close();
  }
});

test("CSP form-action: the switch page leads on to a client area of another origin", { skip }, async () => {
  const area = await site("<!doctype html><h1>The client area</h1>");
  const other = await startSignet({ vars: { CLIENT_AREA_URL: `${area.origin}/billing/` } });
  try {
    const portal = await createSet(other, { delegated: true });
    for (const user of ["a", "b"]) {
      await putUser(other, user);
      const token = await getToken(other, portal, { user_id: user });
      await page.goto(`${other.issuer}/oauth/singlesignon?access_token=${token}`);
    }
    await follow("text=Sign in as b");
    assert.equal(page.url(), `${area.origin}/billing/clientarea.php?action=invoices`);
    assert.deepEqual(problems, []);
  } finally {
    await other.close();
    area.close();
  }
});

/** Every page there is to look at, opened one after the other. */
async function* pages() {
  await page.goto(`${signet.issuer}/`);
  yield "home";
  await press("clara");
  yield "failure";
  await press("alice");
  await page.click("summary");
  yield "client area";
  await press("ivan");
  yield "switch";
  await page.goto(`${signet.issuer}/`);
  yield "home, signed in";
  await context.clearCookies();
  await page.goto(`${signet.issuer}/clientarea.php`);
  yield "nobody";
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [320, 390, 1280]) {
    test(`WCAG 2.2: axe finds nothing and nothing scrolls sideways, ${colorScheme}, ${width} px wide`, {
      skip,
    }, async () => {
      await open({ colorScheme, viewport: { width, height: 800 } });
      for await (const name of pages()) {
        await assertAccessible(page, name);
      }
    });
  }
}

test("WCAG 1.3.1, 2.4.2, 3.1.1: every page has its language, title, one h1, a main landmark and labelled controls", {
  skip,
}, async () => {
  for await (const name of pages()) {
    const shape = await page.evaluate(() => ({
      language: document.documentElement.lang,
      headings: document.querySelectorAll("h1").length,
      mains: document.querySelectorAll("main").length,
      unlabelled: [...document.querySelectorAll("input:not([type=hidden]), select, button")].filter(
        (control) => !(control.labels?.length || control.textContent.trim()),
      ).length,
    }));
    assert.deepEqual(shape, { language: "en", headings: 1, mains: 1, unlabelled: 0 }, name);
    assert.match(await page.title(), /\S · Signet$/);
  }
});

test("WCAG 2.1.1 and 2.4.7: the keyboard alone signs in, and the focus is seen", { skip }, async () => {
  await page.goto(`${signet.issuer}/`);
  const focused = [];
  for (let n = 0; n < 4; n += 1) {
    await page.keyboard.press("Tab");
    focused.push(
      await page.evaluate(() => {
        const { tagName, type } = document.activeElement;
        return [tagName, type, getComputedStyle(document.activeElement).outlineStyle];
      }),
    );
  }
  assert.deepEqual(focused, [
    ["INPUT", "radio", "solid"],
    ["SELECT", "select-one", "solid"],
    ["INPUT", "text", "solid"],
    ["BUTTON", "submit", "solid"],
  ]);
  await leave(page, () => page.keyboard.press("Enter"));
  assert.equal(await heading(), "My Invoices");
});

test("WCAG 2.1.1: arrow keys choose the user and the destination, Space presses the button", { skip }, async () => {
  await page.goto(`${signet.issuer}/`);
  for (const key of ["Tab", "ArrowDown", "Tab", "ArrowUp", "Tab", "Tab"]) await page.keyboard.press(key);
  const [user, destination] = await page.$eval("form", (form) => [form.user.value, form.destination.value]);
  assert.deepEqual([user, destination], ["ivan", "clientarea:domain_details"]);
  await leave(page, () => page.keyboard.press("Space"));
  assert.equal(await heading(), LABELS[destination]);
  assert.ok((await text()).includes("Signed in as ivan"));
});

test("RFC 6265bis: the browser keeps the cookie for Signet's host alone, out of reach of scripts", {
  skip,
}, async () => {
  await press("alice");
  const [{ name, httpOnly, secure, sameSite, path, domain }] = await context.cookies();
  assert.deepEqual(
    { name, httpOnly, secure, sameSite, path, domain },
    {
      name: "__Host-signet",
      httpOnly: true,
      secure: true,
      sameSite: "Lax",
      path: "/",
      domain: "localhost",
    },
  );
  assert.equal(await page.evaluate(() => document.cookie), "");
});
