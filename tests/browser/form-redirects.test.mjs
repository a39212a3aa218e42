// Forms that lead out of Signet, in a real browser, to a client area that redirects every request on to another origin.
// Chromium applies the `form-action` of a page to each redirect after its form (CSP3 section 6.4.1).

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { localOrigin } from "../../scripts/setup.mjs";
import { assertAccessible } from "../support/axe.mjs";
import { launchChromium, leave, skip } from "../support/chromium.mjs";
import { startOrigin } from "../support/origin.mjs";
import { freePort } from "../support/port.mjs";
import { skip as skipProxy, startProxy } from "../support/proxies.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, getToken, putUser, whoIs } from "../support/workflow.mjs";

const HEADING = "Somewhere else";
let browser, page, problems, other, area, signet, set;

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  other = await site("other.localhost", (request, response) =>
    response.end(`<!doctype html><title>Other</title><h1>${HEADING}</h1>`),
  );
  area = await site("127.0.0.1", onwards);
  signet = await startSignet({ vars: { CLIENT_AREA_URL: area.origin } });
  set = await createSet(signet, { delegated: true });
  for (const user of ["alice", "ivan"]) await putUser(signet, user);
});
after(async () => {
  await browser?.close();
  await signet?.close();
  for (const each of [other, area]) each?.close();
});
beforeEach(async () => {
  if (!skip) page = await open();
});
afterEach(async () => {
  if (skip) return;
  await page.context().close();
  assert.deepEqual(problems, [], "nothing is blocked");
});

/** Serves a site of its own at a name of this machine. */
async function site(host, answer) {
  const server = createServer((request, response) => {
    response.setHeader("Content-Type", "text/html");
    answer(request, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://${host}:${server.address().port}`, close };
}

/** What the client area does with every request. */
function onwards(request, response) {
  response.writeHead(302, { Location: `${other.origin}/from${request.url}` }).end();
}

async function open(options = {}) {
  const context = await browser.newContext({ javaScriptEnabled: false, ...options });
  const opened = await context.newPage();
  problems = [];
  opened.on(
    "console",
    (message) =>
      /Failed to load resource|^Clear-Site-Data header/.test(message.text()) || problems.push(message.text()),
  );
  return opened;
}

const linkOf = async (user, on = signet, by = set) =>
  `${on.issuer}/oauth/singlesignon?access_token=${await getToken(on, by, { user_id: user })}`;

/** Signs a user in, and returns the cookie as a header. */
async function signedIn(user = "alice", on = signet, by = set) {
  await page.goto(await linkOf(user, on, by));
  return cookie();
}

async function cookie() {
  const [first] = await page.context().cookies();
  return first && { Cookie: `${first.name}=${first.value}` };
}

/** Presses a button, and asserts that the browser arrives at the other origin by way of `path`, one step of history later. */
async function arrive(label, path, button = page.locator("button", { hasText: label })) {
  const steps = await page.evaluate(() => history.length);
  await leave(page, () => button.first().click());
  assert.equal(page.url(), `${other.origin}/from${path}`);
  assert.equal(await page.textContent("h1"), HEADING);
  assert.equal(await page.evaluate(() => history.length), steps + 1, "the page on the way is no step of its own");
}

/** Goes back, which must show a page of Signet and stay there. */
async function goBack(heading) {
  await page.goBack();
  await page.waitForTimeout(300);
  assert.equal(await page.textContent("h1"), heading);
}

const show = (path, on = signet) => page.goto(`${on.issuer}${path}`);

test('attack 110, CSP3 section 6.4.1: the sessions\' button "Sign out" arrives, and Back does not lead out again', {
  skip,
}, async () => {
  const old = await signedIn();
  await show("/account/security");
  await arrive("Sign out", "/");
  assert.deepEqual([await cookie(), await whoIs(signet, old)], [undefined, undefined]);
  await goBack("Please sign in");
});

for (const [query, path] of [
  ["", "/"],
  ["?return_to=bye.php%3Fa%3Db%26c", "/bye.php?a=b&c"],
]) {
  test(`attack 110, CSP3 section 6.4.1: the page that asks whether to sign out arrives at ${path}`, {
    skip,
  }, async () => {
    const old = await signedIn();
    await show(`/oauth/logout${query}`);
    await arrive("Sign out", path);
    assert.equal(await whoIs(signet, old), undefined);
    await goBack("Nobody is signed in");
  });
}

test("attack 110, CSP3 section 6.4.1: switching the account arrives, signed in as the other user", {
  skip,
}, async () => {
  await signedIn("alice");
  await page.goto(await linkOf("ivan"));
  assert.equal(await page.textContent("h1"), "Switch account?");
  await arrive("Sign in as ivan", "/clientarea.php?action=invoices");
  assert.equal(await whoIs(signet, await cookie()), "ivan");
  await page.goBack();
  assert.equal(
    page.url(),
    `${other.origin}/from/clientarea.php?action=invoices`,
    "Back repeats the link, which leads there",
  );
});

test("attack 110, CSP3 section 6.4.1: each action on the sessions arrives at the sessions", { skip }, async () => {
  await signedIn();
  const rival = await open();
  await rival.goto(await linkOf("alice"));
  await show("/account/security");
  for (const label of ["End this session", "Disallow single sign-on", "Allow single sign-on"]) {
    await leave(page, () => page.locator("button", { hasText: label }).first().click());
    assert.deepEqual(
      [page.url(), await page.textContent("h1")],
      [`${signet.issuer}/account/security`, "Your sessions"],
      label,
    );
  }
  await rival.context().close();
});

test("attack 110, CSP3 section 6.4.1: ending the very session of the page leads people to LOGIN_URL, wherever that redirects", {
  skip,
}, async () => {
  const own = await startSignet({ vars: { CLIENT_AREA_URL: area.origin, LOGIN_URL: `${area.origin}/login` } });
  try {
    const by = await createSet(own, { delegated: true });
    await putUser(own, "alice");
    await signedIn("alice", own, by);
    await page.context().clearCookies();
    const old = await signedIn("alice", own, by);
    await show("/account/security", own);
    const { session_id } = await (await own.fetch("/oauth/session", { headers: old })).json();
    await page.$$eval(
      "[name=session_id]",
      (fields, id) => {
        for (const field of fields) field.value = id;
      },
      session_id,
    );
    await arrive("End this session", "/login");
    assert.equal(await whoIs(own, old), undefined);
  } finally {
    await own.close();
  }
});

test("the tests above detect a blocked form: Chromium stops a redirect after a form that leads to another origin", {
  skip,
}, async () => {
  const control = await site("localhost", (request, response) => {
    if (request.method === "POST") return response.writeHead(303, { Location: `${area.origin}/` }).end();
    response.setHeader("Content-Security-Policy", `form-action 'self' ${area.origin}`);
    response.end(
      '<!doctype html><title>Control</title><h1>Control</h1><form method="post"><button>Leave</button></form>',
    );
  });
  try {
    await page.goto(control.origin);
    await Promise.all([page.waitForEvent("console"), page.click("button")]);
    assert.equal(await page.textContent("h1"), "Control");
    assert.ok(problems.length > 0 && problems.every((text) => text.includes("form-action")), problems.join());
    problems = [];
  } finally {
    control.close();
  }
});

test("attack 110, CSP3 section 6.4.1: a client area's own button for signing out arrives, under a policy of 'self'", {
  skip,
}, async () => {
  const policy = "default-src 'none'; form-action 'self'";
  const origin = await startOrigin({
    "/own": (_, response) => {
      response.writeHead(200, { "Content-Type": "text/html", "Content-Security-Policy": policy });
      response.end(
        '<!doctype html><title>Area</title><form method="post" action="/oauth/logout"><button>Leave</button></form>',
      );
    },
    "/": onwards,
    "/clientarea.php": onwards,
  });
  const gateway = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  try {
    const by = await createSet(gateway, { delegated: true });
    await putUser(gateway, "alice");
    const old = await signedIn("alice", gateway, by);
    await show("/own", gateway);
    await arrive("Leave", "/");
    assert.equal(await whoIs(gateway, old), undefined);
  } finally {
    await gateway.close();
    origin.close();
  }
});

test("attack 110, CSP3 section 6.4.1: the demo's buttons arrive: sign in, switch, sign out", { skip }, async () => {
  const demo = await startSignet({ demo: true, vars: { CLIENT_AREA_URL: area.origin } });
  try {
    for (const user of ["alice", "ivan"]) {
      await show("/", demo);
      await page.check(`[value=${user}]`);
      if (user === "alice") {
        await arrive("Sign in", "/clientarea.php?action=invoices");
      } else {
        await leave(page, () => page.click("button"));
        await arrive("Sign in as ivan", "/clientarea.php?action=invoices");
      }
      await show("/clientarea.php", demo);
      assert.ok((await page.innerText("main")).includes(`Signed in as ${user}`));
    }
    await arrive("Sign out", "/");
  } finally {
    await demo.close();
  }
});

test("attack 110, CSP3 section 6.4.1: behind nginx with @login, signing out arrives at the login page of another origin", {
  skip: skip || skipProxy.nginx,
}, async () => {
  const port = await freePort();
  const own = await startSignet({ vars: { ISSUER: localOrigin(port) } });
  const adapt = (config) =>
    config.replace("# error_page", "error_page").replace("https://panel.example.com/login", `${area.origin}/login`);
  const origin = await startOrigin();
  const proxy = await startProxy("nginx", { port, signet: own.issuer, clientArea: origin.url, adapt });
  const front = { ...own, issuer: proxy.origin };
  try {
    const by = await createSet(own, { delegated: true });
    await putUser(own, "alice");
    const old = await signedIn("alice", front, by);
    assert.equal(page.url(), `${proxy.origin}/clientarea.php?action=invoices`);
    await show("/account/security", front);
    await arrive("Sign out", "/login");
    assert.equal(await whoIs(own, old), undefined);
    await signedIn("alice", front, by);
    await show("/oauth/logout?return_to=bye.php", front);
    await arrive("Sign out", "/login");
  } finally {
    await proxy.close();
    origin.close();
    await own.close();
  }
});

test("WCAG 2.2: the page on the way is a whole page with a link, for a browser that ignores Refresh", {
  skip,
}, async () => {
  const { SIGNET_SHOTS } = process.env;
  await page.context().close();
  for (const [width, colorScheme] of [
    [320, "light"],
    [375, "light"],
    [375, "dark"],
    [1280, "light"],
    [1280, "dark"],
  ]) {
    page = await open({ javaScriptEnabled: true, colorScheme, viewport: { width, height: 800 } });
    await page.route("**/oauth/logout", async (route) => {
      const response = await route.fetch();
      const { refresh, ...headers } = response.headers();
      assert.equal(refresh, route.request().method() === "POST" ? `0; url=${area.origin}/` : undefined);
      await route.fulfill({ response, headers });
    });
    await signedIn();
    await show("/oauth/logout");
    await leave(page, () => page.click("button"));
    assert.deepEqual(
      [await page.title(), await page.textContent("h1")],
      ["You are signed out · Signet", "You are signed out"],
    );
    assert.equal(await page.locator("h1, main").count(), 2);
    await assertAccessible(page, `${width}, ${colorScheme}`);
    if (SIGNET_SHOTS) await page.screenshot({ path: join(SIGNET_SHOTS, `signed-out-${width}-${colorScheme}.png`) });
    await leave(page, () => page.click("text=Go to the client area"));
    assert.equal(page.url(), `${other.origin}/from/`);
    if (width !== 1280 || colorScheme !== "dark") await page.context().close();
  }
});
