// The user's page /account/security, by HTTP: what it accepts and what it changes.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import {
  createSet,
  csrfTokenIn,
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

const PAGE = "/account/security";
let signet, set;

before(async () => {
  signet = await startSignet();
  set = await createSet(signet, { delegated: true, name: "My <b>Panel</b>" });
});
after(() => signet.close());

async function session(user, headers = {}) {
  return signIn(signet, set, { form: { user_id: user }, headers });
}

const show = async (cookie) => (await signet.fetch(PAGE, { headers: cookie })).text();
const idOf = async (cookie) => (await (await signet.fetch("/oauth/session", { headers: cookie })).json()).session_id;

async function press(cookie, form, headers = {}) {
  return postForm(signet, PAGE, { csrf_token: csrfTokenIn(await show(cookie)), ...form }, { ...cookie, ...headers });
}

test("the page shows each session with its application's name, escaped, for one object request and two KV reads, and one more read for a delegated set's session", async () => {
  await putUser(signet, "seen");
  const first = await session("seen", { "User-Agent": "<script>alert(1)</script>", "CF-Connecting-IP": "192.0.2.1" });
  await session("seen");
  await signet.ops.reset();
  const page = await show(first);
  const used = await signet.ops.read();
  assert.deepEqual([used["object.run"], used["kv.get"], used["sql.rowsWritten"]], [1, 2, 0]);
  for (const text of [
    "My &lt;b&gt;Panel&lt;/b&gt;",
    "My Invoices",
    "192.0.2.1",
    "&lt;script&gt;",
    "this browser",
    "End all other sessions",
  ]) {
    assert.ok(page.includes(text), text);
  }
  assert.ok(!page.includes("<script") && !page.includes("<b>"));
  assert.equal(page.match(/<li>/g).length, 2);
});

test("a deleted set is shown by its id", async () => {
  await putUser(signet, "gone");
  const old = await createSet(signet, { delegated: true, name: "Old Panel" });
  const cookie = await signIn(signet, old, { form: { user_id: "gone" } });
  await signet.admin("DELETE", `/credentials/${old.client_id}`);
  const page = await show(cookie);
  assert.ok(page.includes(old.client_id) && !page.includes("Old Panel"));
});

test("attack 110, CSP3 section 6.4.1: every action is answered with a page that leads on to the sessions, without a redirect; JSON with a 303", async () => {
  await putUser(signet, "acts");
  const [cookie, other] = [await session("acts"), await session("acts")];
  for (const form of [
    { action: "end_session", session_id: await idOf(other) },
    { action: "end_session", session_id: "AAAAAAAAAAAAAAAAAAAAAA" },
    { action: "end_other_sessions" },
    { action: "disallow_sso" },
    { action: "allow_sso" },
  ]) {
    const response = await press(cookie, form);
    const facts = ["refresh", "location", "cache-control"].map((name) => response.headers.get(name));
    assert.deepEqual(
      [response.status, ...facts],
      [200, `0; url=${signet.issuer}${PAGE}`, null, "no-store"],
      form.action,
    );
  }
  const answer = await postForm(
    signet,
    PAGE,
    { action: "allow_sso", csrf_token: csrfTokenIn(await show(cookie)) },
    { ...cookie, ...json },
  );
  assert.deepEqual([answer.status, answer.headers.get("location")], [303, `${signet.issuer}${PAGE}`]);
});

test("a user ends one session or all others, and never a session of another user", async () => {
  await putUser(signet, "ends");
  await putUser(signet, "stranger");
  const stranger = await session("stranger");
  const [mine, second, third, fourth] = [
    await session("ends"),
    await session("ends"),
    await session("ends"),
    await session("ends"),
  ];
  await press(mine, { action: "end_session", session_id: await idOf(second) });
  assert.deepEqual([await whoIs(signet, second), await whoIs(signet, third)], [undefined, "ends"]);
  assert.equal((await eventsOf(signet, "ends"))[0], "session.ended: user");
  await press(mine, { action: "end_session", session_id: await idOf(stranger) });
  assert.equal(await whoIs(signet, stranger), "stranger");
  await press(mine, { action: "end_other_sessions" });
  assert.deepEqual(await Promise.all([mine, third, fourth].map((cookie) => whoIs(signet, cookie))), [
    "ends",
    undefined,
    undefined,
  ]);
  await press(mine, { action: "end_session", session_id: await idOf(mine) });
  assert.equal(await whoIs(signet, mine), undefined);
});

test("disabling single sign-on makes links fail with their exact text, and enabling it makes them work again", async () => {
  await putUser(signet, "switch");
  const cookie = await session("switch");
  const open = async () => openLink(signet, await getToken(signet, set, { user_id: "switch" }), { headers: json });
  await press(cookie, { action: "disallow_sso" });
  const denied = await open();
  assert.deepEqual([denied.status, (await denied.json()).error_description], [403, messages.disabled("switch")]);
  assert.equal(await whoIs(signet, cookie), "switch", "the session continues");
  assert.match(await show(cookie), /Not allowed\./);
  await press(cookie, { action: "allow_sso" });
  assert.equal((await open()).status, 302);
  const { body } = await signet.admin("GET", "/users/switch/events");
  const changes = body.events.filter(({ event }) => event === "account.changed");
  assert.deepEqual(
    changes.map(({ sso, status, reason }) => [sso, status, reason]),
    [
      [true, "Active", "by_user"],
      [false, "Active", "by_user"],
    ],
  );
});

test("ASVS 3.5.1: a form without this session's CSRF token changes nothing", async () => {
  await putUser(signet, "forged");
  const [cookie, sibling] = [await session("forged"), await session("forged")];
  const valid = csrfTokenIn(await show(cookie));
  const post = (body, headers = {}) => postForm(signet, PAGE, body, { ...cookie, ...headers });
  const action = { action: "disallow_sso" };
  for (const [body, headers, status] of [
    [action, {}, 403],
    [{ ...action, csrf_token: "x" }, {}, 403],
    [{ ...action, csrf_token: csrfTokenIn(await show(sibling)) }, {}, 403],
    [{ ...action, csrf_token: cookie.Cookie.split("=")[1] }, {}, 403],
    [{ ...action, csrf_token: valid }, { "Sec-Fetch-Site": "cross-site" }, 403],
    [{ ...action, csrf_token: valid }, { Origin: "https://evil.example" }, 403],
    [{ ...action, csrf_token: valid }, { Origin: "null" }, 403],
    [{ ...action, csrf_token: valid }, { Cookie: "" }, 401],
    [{ csrf_token: valid }, {}, 400],
    [{ action: "end_session", csrf_token: valid }, {}, 400],
    [{ action: "close_account", csrf_token: valid }, {}, 400],
  ]) {
    assert.equal((await post(body, headers)).status, status, JSON.stringify([body, headers]));
  }
  const text = await signet.fetch(PAGE, {
    method: "POST",
    headers: { ...cookie, "Content-Type": "text/plain" },
    body: `action=disallow_sso&csrf_token=${valid}`,
  });
  assert.equal(text.status, 400);
  for (const method of ["GET", "HEAD"])
    await signet.fetch(`${PAGE}?action=disallow_sso&csrf_token=${valid}`, { method, headers: cookie });
  assert.equal((await signet.admin("GET", "/users/forged")).body.sso, true);
  assert.equal((await eventsOf(signet, "forged")).filter((event) => event.startsWith("account.changed")).length, 0);
});

test("a form of a session that has ended changes nothing", async () => {
  await putUser(signet, "late");
  const [cookie, other] = [await session("late"), await session("late")];
  const csrf_token = csrfTokenIn(await show(cookie));
  await signet.admin("DELETE", `/users/late/sessions/${await idOf(cookie)}`);
  assert.equal((await postForm(signet, PAGE, { action: "end_other_sessions", csrf_token }, cookie)).status, 401);
  assert.equal(await whoIs(signet, other), "late");
});

test("when storage fails nothing changes, and the page says so", async () => {
  await putUser(signet, "broken");
  const [cookie, other] = [await session("broken"), await session("broken")];
  const csrf_token = csrfTokenIn(await show(cookie));
  for (const [target, on] of [
    ["object.run", ""],
    ["sql.exec", "SET session_expires_at = NULL"],
    ["sql.exec", "INSERT INTO event"],
  ]) {
    await signet.faults.set([{ target, on, mode: "throw" }]);
    const response = await postForm(signet, PAGE, { action: "end_other_sessions", csrf_token }, cookie);
    await signet.faults.set([]);
    assert.deepEqual([response.status, response.headers.get("retry-after")], [503, "5"], `${target} ${on}`);
    assert.deepEqual([await whoIs(signet, cookie), await whoIs(signet, other)], ["broken", "broken"]);
  }
  await signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  assert.equal((await signet.fetch(PAGE, { headers: cookie })).status, 503);
  await signet.faults.set([]);
});
