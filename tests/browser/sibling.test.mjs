// Another host of the same site, in a real browser: the cookies and WebSockets that it may send along.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launchChromium, skip } from "../support/chromium.mjs";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, enterConsole, getToken, putUser, signIn } from "../support/workflow.mjs";

let origin, signet, set, browser, mine, evil;

before(async () => {
  if (skip) return;
  browser = await launchChromium();
  origin = await startOrigin({ "/evil": (_, response) => response.setHeader("Content-Type", "text/html").end("<title>evil</title>") });
  signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  // Names below localhost are this machine, and two of them are one site.
  mine = signet.issuer.replace("localhost", "my.site.localhost");
  evil = origin.url.replace("127.0.0.1", "evil.site.localhost");
  set = await createSet(signet, { delegated: true });
  for (const user of ["alice", "mallory"]) await putUser(signet, user);
});
after(async () => {
  await browser?.close();
  await signet?.close();
  origin?.close();
});

/** A page of a fresh browser. */
async function visitor() {
  return (await browser.newContext()).newPage();
}

/** Signs the browser in, as an application does. */
async function enter(page, user) {
  await page.goto(`${mine}/oauth/singlesignon?access_token=${await getToken(signet, set, { user_id: user })}`);
}

/** Goes to the other host and runs a script there. */
async function runThere(page, script, argument) {
  await page.goto(`${evil}/evil`);
  return page.evaluate(script, argument);
}

/** Who the browser is signed in as at Signet. */
async function whoIn(page) {
  const response = await page.goto(`${mine}/oauth/session`);
  return response.status() === 200 ? (await response.json()).user_id : undefined;
}

const toss = (cookie) => {
  document.cookie = `${cookie}; Domain=site.localhost; Path=/`;
  document.cookie = `${cookie}; Domain=site.localhost; Path=/oauth`;
  return document.cookie;
};

test("attack 101, RFC 6265bis: no cookie of a sibling host signs a browser in or out, whatever its name", { skip }, async () => {
  const [, theirs] = (await signIn(signet, set, { form: { user_id: "mallory" } })).Cookie.split("=");
  const [, operators] = (await enterConsole(signet)).Cookie.split("=");
  let taken = 0;
  for (const mark of ["x=1,", "x=1, ", "\u0085", "\u00a0", "\u2000", "\ufeff", "\v", "\f"]) {
    const page = await visitor();
    const cookies = await runThere(page, toss, `${mark}__Host-signet=${theirs}`);
    if (cookies.includes("__Host-signet=")) taken += 1;
    assert.equal(await whoIn(page), undefined, `${JSON.stringify(mark)} signs nobody in`);
    await enter(page, "alice");
    assert.equal(await whoIn(page), "alice", `${JSON.stringify(mark)} is no session to switch from`);
    await runThere(page, toss, `${mark}__Host-signet=j`);
    assert.equal(await whoIn(page), "alice", `${JSON.stringify(mark)} locks nobody out`);
    await runThere(page, toss, `${mark}__Host-signet-admin=${operators}`);
    assert.notEqual((await page.goto(`${mine}/admin`)).status(), 200, `${JSON.stringify(mark)} opens no console`);
    await page.context().close();
  }
  assert.ok(taken >= 5, `the browser took ${taken} of these cookies; with fewer this proves little`);
});

test("attack 106, RFC 6455 section 10.2: a page of a sibling host opens no WebSocket with the session", { skip }, async () => {
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
  await enter(page, "alice");
  assert.equal(await runThere(page, hello, address), "refused");
  assert.equal(await whoIn(page), "alice");
  await page.context().close();
});
