// Gateway mode: WebSockets between a browser and the client area's server.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startOrigin } from "../support/origin.mjs";
import { startSignet } from "../support/signet.mjs";
import { openWebSocket } from "../support/websocket.mjs";
import { createSet, putUser, signIn, storedSessions } from "../support/workflow.mjs";

/** What stands for the minute between two questions after the session, in milliseconds. */
const MINUTE = 50;
/** The default of `SESSION_IDLE`, in milliseconds. */
const IDLE = 3_600_000;
let origin, signet, set;

before(async () => {
  origin = await startOrigin();
  signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  await signet.clock.hurry(MINUTE);
  set = await createSet(signet, { delegated: true });
  await putUser(signet, "alice");
});
after(async () => {
  await signet.close();
  origin.close();
});
afterEach(async () => {
  await signet.faults.set([]);
  await signet.clock.set(0);
});

const session = () => signIn(signet, set, { form: { user_id: "alice" } });

/** An open WebSocket with a session, and the origin's end of it. */
async function connected(headers) {
  const { peer } = await openWebSocket(signet.issuer, "/silent", headers ?? (await session()));
  return [peer, origin.sockets.pop()];
}

test("RFC 6455: text, bytes, long messages and a subprotocol pass both ways, with the user", async () => {
  const headers = { ...(await session()), "X-Signet-User": "mallory" };
  const { peer, headers: answered } = await openWebSocket(signet.issuer, "/", headers, ["chat", "other"]);
  assert.equal(answered["sec-websocket-protocol"], "chat");
  for (const text of ["hello", "", "é 🚀", "x".repeat(300_000)]) {
    peer.send(text);
    assert.equal(await peer.next(), `alice: ${text}`);
  }
  for (const bytes of [Buffer.from([0, 255, 128]), Buffer.alloc(0), randomBytes(700_000)]) {
    peer.send(bytes);
    assert.deepEqual(await peer.next(), bytes);
  }
  peer.close(1000, "done");
  assert.deepEqual(await peer.next(), { code: 1000, reason: "done" });
});

test("messages arrive in their order, and before the close that follows them", async () => {
  const [browser, server] = await connected();
  for (const [from, to] of [
    [server, browser],
    [browser, server],
  ]) {
    for (let n = 0; n < 2_000; n += 1) from.send(`message ${n}`);
    for (let n = 0; n < 2_000; n += 1) assert.equal(await to.next(), `message ${n}`);
  }
  for (let n = 0; n < 100; n += 1) server.send(`last ${n}`);
  server.close(1000);
  for (let n = 0; n < 100; n += 1) assert.equal(await browser.next(), `last ${n}`);
  assert.equal((await browser.next()).code, 1000);
});

test("RFC 6455 section 7.4.1: a close passes with its code and reason, and a lost connection closes the other side", async () => {
  for (const [code, reason] of [
    [1000, ""],
    [1001, "leaving"],
    [3000, "é"],
    [4999, "own"],
    [undefined, ""],
  ]) {
    for (const turned of [false, true]) {
      const ends = await connected();
      const [from, to] = turned ? ends.reverse() : ends;
      from.close(code, reason);
      // RFC 6455 section 7.1.5: a close without a code reads as 1005.
      assert.deepEqual(await to.next(), { code: code ?? 1005, reason }, String(code));
    }
  }
  for (const turned of [false, true]) {
    const ends = await connected();
    const [from, to] = turned ? ends.reverse() : ends;
    from.destroy();
    assert.equal((await to.next()).code, 1001);
  }
});

test("attack 106, RFC 6455 section 10.2: a request of a foreign Origin with a session never reaches the origin", async () => {
  const cookie = await session();
  const before = origin.requests;
  for (const foreign of [
    "https://evil.example",
    "http://evil.localhost",
    "null",
    `${signet.issuer}0`,
    signet.issuer.replace("http", "https"),
  ]) {
    assert.equal((await openWebSocket(signet.issuer, "/", { ...cookie, Origin: foreign })).status, 403, foreign);
  }
  assert.equal(origin.requests, before);
  for (const headers of [{ ...cookie, Origin: signet.issuer }, cookie]) {
    const { peer } = await openWebSocket(signet.issuer, "/", headers);
    peer.send("hello");
    assert.equal(await peer.next(), "alice: hello");
    peer.destroy();
  }
});

test("without a session a WebSocket passes from any origin, without an identity and without a session check", async () => {
  await signet.ops.reset();
  for (const headers of [
    {},
    { Origin: "https://evil.example" },
    { Cookie: "__Host-signet=x", Origin: "https://evil.example" },
  ]) {
    const { peer } = await openWebSocket(signet.issuer, "/", headers);
    peer.send("hello");
    assert.equal(await peer.next(), "undefined: hello");
    await sleep(3 * MINUTE);
    peer.send("again");
    assert.equal(await peer.next(), "undefined: again");
    peer.destroy();
  }
  assert.equal((await signet.ops.read())["object.run"], 0);
});

test("attack 106: both sides of a WebSocket are closed with 1008 within a minute of the end of its session", async () => {
  const ways = {
    "signing out": (cookie) => signet.fetch("/oauth/logout", { method: "POST", headers: cookie }),
    "an administrator": () => signet.admin("DELETE", "/users/alice/sessions"),
    "closing the account": () => signet.admin("PATCH", "/users/alice", { status: "Closed" }),
    "the absolute limit": () => signet.clock.set(43_200_000),
  };
  for (const [way, end] of Object.entries(ways)) {
    const cookie = await session();
    const ends = await connected(cookie);
    await sleep(3 * MINUTE);
    ends[0].send("still there");
    assert.equal(await ends[1].next(), "still there", way);
    await end(cookie);
    for (const side of ends) assert.deepEqual(await side.next(), { code: 1008, reason: "The session has ended." }, way);
    await signet.clock.set(0);
    await putUser(signet, "alice");
  }
  const line = JSON.parse((await signet.logged('"event":"websocket"')).message);
  assert.deepEqual([line.outcome, line.reason, line.user_id], ["denied", "session_ended", "alice"]);
});

test("a WebSocket whose session cannot be checked is closed with 1011", async () => {
  const ends = await connected();
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  for (const side of ends) assert.equal((await side.next()).code, 1011);
  const line = JSON.parse((await signet.logged('"reason":"storage"')).message);
  assert.deepEqual([line.event, line.outcome], ["websocket", "failed"]);
});

test("a slow session check delays no message", async () => {
  const ends = await connected();
  await signet.faults.set([{ target: "object.run", mode: "hold" }]);
  await sleep(3 * MINUTE);
  ends[0].send("meanwhile");
  assert.equal(await ends[1].next(), "meanwhile");
  await signet.faults.set([]);
  ends[0].destroy();
});

test("the browser's messages count as a use of the session; silence and the origin's messages do not", async () => {
  const start = await signet.clock.stop();
  const lastSeen = async () =>
    (await storedSessions(signet, "alice")).map(({ data }) => JSON.parse(data).last_seen_at * 1000 - start);
  const checked = async () => {
    const { "object.run": before } = await signet.ops.read();
    while ((await signet.ops.read())["object.run"] < before + 2) await sleep(MINUTE / 5);
  };
  await signet.admin("DELETE", "/users/alice/sessions");
  const ends = await connected();
  await signet.clock.stop(start + IDLE - 120_000);
  ends[1].send("news");
  assert.equal(await ends[0].next(), "news");
  await checked();
  assert.deepEqual(await lastSeen(), [0]);
  ends[0].send("typing");
  assert.equal(await ends[1].next(), "typing");
  await checked();
  assert.deepEqual(await lastSeen(), [IDLE - 120_000]);
  await signet.clock.stop(start + IDLE + 60_000);
  await checked();
  await signet.clock.stop(start + 2 * IDLE - 120_000);
  for (const side of ends) assert.equal((await side.next()).code, 1008);
});
