// An acknowledged change survives a crash.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  claimsOf,
  cookieOf,
  createSet,
  eventsOf,
  getToken,
  json,
  openLink,
  postToken,
  putUser,
  repeatedNumbers,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const CRASHES = 5;
/** How many sign-ins are acknowledged before each crash, which comes in the middle of more. */
const SIGN_INS = 24;
const LANES = 8;

let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12] });
  set = await createSet(signet, { user_id: "1" });
});
after(() => signet.close());

test("a restart keeps accounts, credential sets, spent tokens, sessions, events, and tokens not yet redeemed", async () => {
  const [spent, revoked, unspent] = [
    await getToken(signet, set),
    await getToken(signet, set),
    await getToken(signet, set),
  ];
  const cookie = cookieOf(await openLink(signet, spent));
  await signet.ops.read(); // the tokens' records are written
  assert.equal((await signet.admin("DELETE", `/tokens/${claimsOf(revoked).jti}`)).status, 204);
  const stored = async () =>
    [
      await signet.admin("GET", "/users/1"),
      await signet.admin("GET", `/credentials/${set.client_id}`),
      await signet.admin("GET", "/users/1/sessions"),
      await signet.admin("GET", "/users/1/events"),
      await signet.admin("GET", `/tokens/${claimsOf(spent).jti}`),
      await signet.admin("GET", `/tokens/${claimsOf(revoked).jti}`),
    ].map(({ status, body }) => ({ status, body }));
  const before = await stored();
  assert.ok(
    before.every(({ status }) => status === 200),
    JSON.stringify(before),
  );
  await signet.restart();
  assert.deepEqual(await stored(), before);
  assert.equal((await openLink(signet, spent)).status, 401, "spent stays spent");
  assert.equal((await openLink(signet, revoked)).status, 401, "revoked stays revoked");
  assert.equal(await whoIs(signet, cookie), "1");
  assert.deepEqual(await eventsOf(signet, "1"), [
    "token.replayed",
    "token.revoked",
    "sso.signed_in",
    "account.created",
  ]);
  assert.equal((await openLink(signet, unspent)).status, 302);
});

test(`${CRASHES} crashes under load lose nothing that was acknowledged, and leave no session without its spent token`, async () => {
  const acknowledged = { spent: [], ended: [], revokedSets: [], accounts: [] };
  const lane = (user) => async (isRunning) => {
    const own = await createSet(signet, { user_id: user });
    for (let n = 0; isRunning(); n += 1) {
      const token = await getToken(signet, own);
      const response = await openLink(signet, token);
      assert.equal(response.status, 302);
      acknowledged.spent.push({ user, token });
      const account = await signet.admin("PATCH", `/users/${user}`, { services: [n] });
      if (account.status === 200) acknowledged.accounts.push({ user, service: String(n) });
      const cookie = cookieOf(response);
      const left = await signet.fetch("/oauth/logout", { method: "POST", headers: { ...json, ...cookie } });
      if (left.status === 204) acknowledged.ended.push({ user, cookie });
      const doomed = await createSet(signet, { user_id: user });
      if ((await signet.admin("DELETE", `/credentials/${doomed.client_id}`)).status === 204)
        acknowledged.revokedSets.push(doomed);
    }
  };
  const users = Array.from({ length: LANES }, (_, n) => `lane-${n}`);
  for (const user of users) await putUser(signet, user);
  for (let crash = 1; crash <= CRASHES; crash += 1) {
    let isRunning = true;
    const failures = [];
    const lanes = users.map((user) => lane(user)(() => isRunning).catch((error) => failures.push(error)));
    while (acknowledged.spent.length < crash * SIGN_INS && failures.length === 0) await sleep(1);
    assert.deepEqual(failures, [], "before the crash, all is well");
    const started = performance.now();
    const restarted = signet.restart();
    isRunning = false;
    await Promise.all([restarted, ...lanes]);
    assert.ok(failures.length > 0, "the crash came in the middle of requests");
    assert.equal((await signet.fetch("/healthz")).status, 200);
    console.log(`crash ${crash}: up again after ${Math.round(performance.now() - started)} ms`);
    for (const user of users) await assertConsistent(user);
  }
  for (const { user, token } of acknowledged.spent) {
    assert.equal((await openLink(signet, token)).status, 401);
    const [{ n }] = await signet.sql(
      user,
      "SELECT count(*) AS n FROM token WHERE jti = ? AND number IS NOT NULL",
      claimsOf(token).jti,
    );
    assert.equal(n, 1, "its success event is there");
  }
  for (const { user, cookie } of acknowledged.ended) assert.equal(await whoIs(signet, cookie), undefined, user);
  for (const doomed of acknowledged.revokedSets) assert.equal((await postToken(signet, doomed)).status, 401);
  for (const user of users) {
    const [service] = (await signet.admin("GET", `/users/${user}`)).body.services;
    const last = acknowledged.accounts.filter((write) => write.user === user).at(-1).service;
    // A write whose answer the crash lost may have happened: it is the one after the last acknowledged write.
    assert.ok([last, String(Number(last) + 1), "0"].includes(service), `${user}: ${service} after ${last}`);
  }
  assert.equal(await whoIs(signet, await signIn(signet, set)), "1");
});

/** Every sign-in has its number in the audit trail, no other token has one, and no two entries share a number. */
async function assertConsistent(user) {
  const isSignIn = "json_extract(data, '$.fate') IS 'signed_in'";
  const unnumbered = await signet.sql(user, `SELECT jti FROM token WHERE (number IS NOT NULL) <> (${isSignIn})`);
  assert.deepEqual([unnumbered, await repeatedNumbers(signet, user)], [[], []], user);
}

/** A redemption reads the clock at its start, before it is served, in the object, and after the decision. */
const CLOCK_READINGS = 4;

test("after a panic WebAssembly starts again, and no token is redeemed twice", async () => {
  const cookie = await signIn(signet, set);
  for (let at = 1; at <= CLOCK_READINGS; at += 1) {
    const token = await getToken(signet, set);
    await signet.ops.read();
    await signet.panic(at);
    const { status } = await openLink(signet, token, { headers: json });
    assert.ok(status >= 500, `at reading ${at}: ${status}`);
    assert.equal(await whoIs(signet, cookie), "1", `at reading ${at}: the next request`);
    const again = (await openLink(signet, token, { headers: json })).status;
    assert.ok([302, 401].includes(again), `at reading ${at}, again: ${again}`);
    const { body } = await signet.admin("GET", "/users/1/events?limit=100");
    const signedIn = body.events.filter(({ event, jti }) => event === "sso.signed_in" && jti === claimsOf(token).jti);
    assert.equal(signedIn.length, 1, `at reading ${at}: one sign-in`);
  }
});

/** Asserts that an answer is the one to a defect of Signet, with the security headers and a reference in the log. */
async function assertInternal(answer) {
  await assertFailure(answer, 500, "server_error", "Something went wrong in Signet.");
  assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
  assert.match((await signet.logged(answer.headers.get("x-request-id"))).message, /"reason":"internal"/);
}

test("a request that a panic interrupts is an error, and its answer has nothing that it waited for", async (t) => {
  t.after(() => signet.faults.set([]));
  await signet.ops.reset();
  await signet.faults.set([{ target: "kv.get", mode: "hold" }]);
  const waiting = postToken(signet, set);
  while ((await signet.ops.now())["kv.get"] === 0) await sleep(10);
  await signet.panic(1);
  await assertInternal(await signet.fetch("/healthz"));
  assert.equal((await signet.fetch("/healthz")).status, 200);
  await signet.faults.set([]);
  await assertInternal(await waiting);
  assert.equal((await postToken(signet, set)).status, 200);
});
