// Another host of the same site, in a real browser: the cookies and WebSockets that it may send along.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { localOrigin } from "../../scripts/setup.mjs";
import { launchChromium, skip } from "../support/chromium.mjs";
import { startOrigin } from "../support/origin.mjs";
import { freePort } from "../support/port.mjs";
import { names, skip as skipProxy, startProxy } from "../support/proxies.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, enterConsole, getToken, putUser, signIn } from "../support/workflow.mjs";

let origin, signet, set, browser, mine, operators, evil;

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  origin = await startOrigin({
    "/evil": (_, response) => response.setHeader("Content-Type", "text/html").end("<title>evil</title>"),
  });
  evil = origin.url.replace("127.0.0.1", "evil.site.localhost");
  const port = await freePort();
  operators = `http://console.site.localhost:${port}`;
  signet = await startSignet({ port, vars: { ORIGIN_URL: origin.url, CONSOLE_ORIGIN: operators } });
  mine = beside(signet.issuer);
  set = await prepare(signet);
});
after(async () => {
  await browser?.close();
  await signet?.close();
  origin?.close();
});

/** The same address at a host beside the other one: names below localhost are this machine, and two of them are one site. */
const beside = (address) => address.replace("localhost", "my.site.localhost");

/** Makes two users and a set that may sign in both. */
async function prepare(signet) {
  for (const user of ["alice", "mallory"]) await putUser(signet, user);
  return createSet(signet, { delegated: true });
}

/** A page of a fresh browser. */
async function visitor() {
  return (await browser.newContext()).newPage();
}

/** Goes to the other host and runs a script there. */
async function runThere(page, script, argument) {
  await page.goto(`${evil}/evil`);
  return page.evaluate(script, argument);
}

/** Signs the browser in as an application does, at an address where people see Signet. */
async function enter(page, user, { signet, set, mine }) {
  await page.goto(`${mine}/oauth/singlesignon?access_token=${await getToken(signet, set, { user_id: user })}`);
}

/** Who the browser is signed in as at Signet. */
async function whoIn(page, { mine }) {
  const response = await page.goto(`${mine}/oauth/session`);
  return response.status() === 200 ? (await response.json()).user_id : undefined;
}

const toss = (cookie) => {
  document.cookie = `${cookie}; Domain=site.localhost; Path=/`;
  document.cookie = `${cookie}; Domain=site.localhost; Path=/oauth`;
  return document.cookie;
};

/** No cookie of the other host, of any name, signs in, leads to a switch, locks out or opens the console. */
async function assertForeignCookiesIgnored(front) {
  const [, theirs] = (await signIn(front.signet, front.set, { form: { user_id: "mallory" } })).Cookie.split("=");
  const [, operator] = (await enterConsole(front.signet)).Cookie.split("=");
  let taken = 0;
  for (const mark of ["x=1,", "x=1, ", "\u0085", "\u00a0", "\u2000", "\ufeff", "\v", "\f", "="]) {
    const page = await visitor();
    const cookies = await runThere(page, toss, `${mark}__Host-signet=${theirs}`);
    if (cookies.includes("__Host-signet=")) taken += 1;
    assert.equal(await whoIn(page, front), undefined, `${JSON.stringify(mark)} signs nobody in`);
    await enter(page, "alice", front);
    assert.equal(await whoIn(page, front), "alice", `${JSON.stringify(mark)} is no session to switch from`);
    await runThere(page, toss, `${mark}__Host-signet=j`);
    assert.equal(await whoIn(page, front), "alice", `${JSON.stringify(mark)} locks nobody out`);
    if (front.console) {
      await runThere(page, toss, `${mark}__Host-signet-admin=${operator}`);
      assert.equal(
        (await page.goto(`${front.console}/admin`)).status(),
        401,
        `${JSON.stringify(mark)} opens no console`,
      );
    }
    await page.context().close();
  }
  assert.ok(taken >= 5, `the browser took ${taken} of these cookies; with fewer this proves little`);
}

test(
  "attack 101, RFC 6265bis: no cookie of a sibling host signs a browser in or out, whatever its name",
  { skip },
  () => assertForeignCookiesIgnored({ signet, set, mine, console: operators }),
);

for (const name of names) {
  test(`attack 101, RFC 6265bis: through ${name}, no cookie of a sibling host signs a browser in or out`, {
    skip: skip || skipProxy[name],
  }, async () => {
    const port = await freePort();
    const own = await startSignet({ vars: { ISSUER: localOrigin(port) } });
    // Caddy knows its site by name.
    const adapt = (config) => config.replace(`${localOrigin(port)} {`, `${beside(localOrigin(port))} {`);
    const proxy = await startProxy(name, { port, signet: own.issuer, clientArea: origin.url, adapt });
    try {
      await assertForeignCookiesIgnored({ signet: own, set: await prepare(own), mine: beside(proxy.origin) });
    } finally {
      await proxy.close();
      await own.close();
    }
  });
}

test("attack 106, RFC 6455 section 10.2: a page of a sibling host opens no WebSocket with the session", {
  skip,
}, async () => {
  const hello = (address) =>
    new Promise((resolve) => {
      const socket = new WebSocket(address);
      socket.onopen = () => socket.send("hello");
      socket.onmessage = ({ data }) => resolve(data);
      socket.onerror = () => resolve("refused");
    });
  const address = `${mine.replace("http", "ws")}/socket`;
  const page = await visitor();
  assert.equal(await runThere(page, hello, address), "undefined: hello", "without a session it passes");
  await enter(page, "alice", { signet, set, mine });
  assert.equal(await runThere(page, hello, address), "refused");
  assert.equal(await whoIn(page, { mine }), "alice");
  await page.context().close();
});
