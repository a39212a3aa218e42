// The import of files of any length: it streams both ways in bounded memory, and continues after an interruption.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  accountLine,
  allDone,
  beginImport,
  counts,
  credentialLine,
  importLines,
  secretOf,
} from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import { fullSize } from "../support/size.mjs";
import { postToken } from "../support/workflow.mjs";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

const isThere = async (user) => (await signet.admin("GET", `/users/${user}`)).status === 200;

test("the import streams: it reports progress before the last byte of the file is sent", async () => {
  const sent = beginImport(signet);
  for (let n = 1; n <= 1_000; n += 1) await sent.write(n % 10 ? "\n" : `${accountLine(`s${n}`)}\n`);
  assert.deepEqual(await sent.next(({ progress }) => progress), { progress: counts(1_000, { created: 100 }) });
  sent.end(accountLine("s-last"));
  await sent.ended;
  assert.deepEqual(sent.reports.slice(1), [{ done: counts(1_001, { created: 101 }) }]);
});

test("each line is processed as it arrives, before the next one is sent", async () => {
  const sent = beginImport(signet);
  await sent.write(`${accountLine("waits-for-none")}\nbad\n`);
  assert.deepEqual(await sent.next(() => true), { refused: { line: 2, reason: "The line is not JSON." } });
  assert.ok(await isThere("waits-for-none"));
  sent.end();
  await sent.ended;
  assert.deepEqual(sent.reports.at(-1), { done: counts(2, { created: 1, refused: 1 }) });
});

test("RFC 9112 section 8: an import whose body is cut off stops at the incomplete line and does not process it", async () => {
  const chunk = (text, length = text.length) => `${length.toString(16)}\r\n${text}`;
  for (const [name, head, body] of [
    ["of a known length", "Content-Length: 100000", (text) => text],
    ["cut between chunks", "Transfer-Encoding: chunked", (text) => `${chunk(text)}\r\n`],
    ["cut within a chunk", "Transfer-Encoding: chunked", (text) => chunk(text, 5_000)],
  ]) {
    const user = name.replaceAll(" ", "-");
    // The incomplete line is valid JSON as it stands, but might have continued.
    const text = `${accountLine(`${user}-1`)}\n\n${accountLine(`${user}-torn`)}`;
    const answer = await rawAnswer([head], body(text));
    assert.ok(answer.includes(`{"stopped":{"line":3,"reason":"The body broke off."}}\n`), `${name}: ${answer}`);
    assert.deepEqual([await isThere(`${user}-1`), await isThere(`${user}-torn`)], [true, false], name);
  }
});

test("a list that is cut off is refused whole", async () => {
  const list = '{"result":"success","clients":[]}';
  const answer = await rawAnswer(["Content-Length: 100000"], list, "application/json");
  assert.ok(answer.startsWith("HTTP/1.1 400 ") && answer.includes("The request body could not be read."), answer);
});

/** What is answered when the client ends its half of the connection after `body`, which is not whole. */
function rawAnswer(headers, body, type = "application/x-ndjson") {
  const head = [
    "POST /admin/v1/import HTTP/1.1",
    `Host: ${new URL(signet.consoleOrigin).host}`,
    `Authorization: Bearer ${signet.adminToken}`,
    `Content-Type: ${type}`,
    ...headers,
  ];
  return new Promise((resolve, reject) => {
    const socket = connect(new URL(signet.issuer).port, "127.0.0.1");
    let answer = "";
    socket.on("data", (data) => (answer += data));
    socket.on("error", reject);
    socket.on("close", () => resolve(answer));
    socket.write(`${head.join("\r\n")}\r\n\r\n`);
    socket.end(body);
  });
}

test("after clients that disconnect in the middle the next import works, and the log says how far each import came", async () => {
  const isOver = ({ message }) => message.includes("body_broken") || message.includes("answer_unread");
  const before = signet.logs.filter(isOver).length;
  const lines = Array.from({ length: 300 }, (_, n) => `${accountLine(`away-${n % 50}`, { domains: [n] })}\n`).join("");
  for (let n = 0; n < 10; n += 1) {
    const sent = beginImport(signet);
    await sent.write("bad\n");
    await sent.next(() => true);
    await sent.write(lines);
    await sleep(10 * n);
    sent.break();
  }
  for (const end = Date.now() + 60_000; Date.now() < end && signet.logs.filter(isOver).length < before + 10; )
    await sleep(10);
  assert.equal(signet.logs.filter(isOver).length, before + 10, "each logs its end");
  assert.deepEqual((await importLines(signet, [accountLine("after-all")])).reports, allDone(1, { created: 1 }));
});

/** The long file has 100,000 lines at full size. A fifth of the lines proves the same. */
const SCALE = fullSize ? 5 : 1;
const LINES = 20_000 * SCALE;
const [USERS, SETS, ROUNDS] = [300 * SCALE, 40 * SCALE, 60];
/** Each line is padded to this many bytes, so that workerd's memory would show a file that is kept whole. */
const PADDED = fullSize ? 12_000 : 24_000;
/** After this many lines every object holds all the memory that it needs for itself. */
const WARM = 5_000 * SCALE;
/**
 * How much workerd may grow while the next `WARM` lines pass. Its heaps vary, but these lines, 300 or 120 MB, do not
 * fit.
 */
const GROWTH_MAX = (fullSize ? 100 : 75) * 2 ** 20;

/**
 * The lines of the long file. Each round writes every account, and some sets. In odd rounds accounts say what they said in
 * the round before. The last lines are blank.
 */
function* longFile() {
  let line = 0;
  for (let round = 1; round <= ROUNDS; round += 1) {
    for (let n = 0; n < USERS; n += 1) yield [(line += 1), longAccount(n, round)];
    for (let n = 0; n < SETS / 4; n += 1) {
      const set = ((round * SETS) / 4 + n) % SETS;
      yield [(line += 1), credentialLine(`long-${set}`, { user_id: `long-${set}`, name: `Round ${round}` })];
    }
    for (let n = 0; n < USERS / 75; n += 1) yield [(line += 1), `no line ${n}`];
  }
  while (line < LINES) yield [(line += 1), ""];
}

const longAccount = (n, round) =>
  accountLine(`long-${n}`, { status: round % 4 < 2 ? "Active" : "Inactive", domains: [Math.floor(round / 2)] });

/** Sends the lines of the long file from `first` on, until the end or until the connection ends. */
async function sendLong(sent, first) {
  let text = "";
  for (const [line, content] of longFile()) {
    if (line < first) continue;
    text += `${content.padEnd(PADDED)}\n`;
    if (text.length < 65_536) continue;
    if (!sent.isOpen) return;
    await sent.write(text);
    text = "";
  }
  sent.end(text);
}

/** The resident memory of this process's workerd, in bytes. */
function residentBytes() {
  const read = (pid, file) => {
    try {
      return readFileSync(`/proc/${pid}/${file}`, "utf8");
    } catch {
      return ""; // it has ended
    }
  };
  const isOurs = (pid) =>
    read(pid, "comm").trim() === "workerd" && read(pid, "status").includes(`\nPPid:\t${process.pid}\n`);
  const [pid] = readdirSync("/proc").filter((name) => /^\d+$/.test(name) && isOurs(name));
  return Number(read(pid, "status").match(/VmRSS:\s+(\d+) kB/)?.[1] ?? 0) * 1024;
}

/** Sends the lines from `first` on, and watches workerd grow while those between `WARM` and `last` are done. */
async function sendWatched(first, last) {
  const sent = beginImport(signet);
  const sending = sendLong(sent, first);
  const reaches = (line) => Promise.race([sent.next(({ progress }) => progress?.line >= line), sent.ended]);
  await reaches(WARM);
  const start = residentBytes();
  assert.ok(start > 0, "workerd is found");
  let most = start;
  const timer = setInterval(() => {
    most = Math.max(most, residentBytes());
  }, 250);
  try {
    await reaches(last);
  } finally {
    clearInterval(timer); // or a failure would keep this process alive
  }
  console.log(
    `workerd has ${Math.round(start / 2 ** 20)} MiB after ${WARM} lines, then at most ${Math.round(most / 2 ** 20)} MiB`,
  );
  assert.ok(most - start < GROWTH_MAX, `workerd grew by ${most - start} bytes`);
  return { sent, sending };
}

test(`${LINES} lines pass in bounded memory; after a kill in the middle and a second import of the rest, nothing is lost or doubled`, {
  timeout: 3_600_000,
}, async () => {
  const start = performance.now();
  // Killed in the middle,
  const first = await sendWatched(1, LINES / 2);
  assert.ok(first.sent.isOpen, JSON.stringify(first.sent.reports.at(-1)));
  await signet.restart();
  await first.sending;
  await first.sent.ended.catch(() => {});
  const before = first.sent.reports.findLast(({ progress }) => progress).progress.line;
  assert.ok(before >= LINES / 2 && !first.sent.reports.some(({ done }) => done), `killed after line ${before}`);
  // and continued from the line after the last one that was acknowledged.
  const second = await sendWatched(before + 1, LINES - before);
  await second.sending;
  await second.sent.ended;
  assert.equal(second.sent.reports.at(-1).done.line, LINES - before);
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `${LINES} lines in ${Math.round(seconds)} s: ${Math.round(LINES / seconds)} a second, with the kill and what it cost`,
  );
  await assertImported();
});

/** What is stored is what one clean run of the long file leaves. */
async function assertImported() {
  const expected = { users: new Map(), sets: new Map() };
  for (const [, content] of longFile()) {
    if (!content.startsWith("{")) continue;
    const { user_id, account, client_id, credential } = JSON.parse(content);
    if (user_id) {
      const now = JSON.stringify(account);
      const { account: known = now, changes = 0 } = expected.users.get(user_id) ?? {};
      expected.users.set(user_id, { account: now, changes: changes + (now === known ? 0 : 1) });
    } else expected.sets.set(client_id, credential);
  }
  assert.deepEqual([expected.users.size, expected.sets.size], [USERS, SETS]);
  for (const [user, { account, changes }] of expected.users) {
    const [stored] = await signet.sql(user, "SELECT data FROM account");
    const { created_at, updated_at, services, sso, ...rest } = JSON.parse(stored.data);
    const sent = JSON.parse(account);
    assert.deepEqual([rest, services, sso], [{ ...sent, domains: sent.domains.map(String) }, [], true], user);
    const events = await signet.sql(user, "SELECT json_extract(data, '$.event') AS event FROM event ORDER BY number");
    assert.deepEqual(
      events.map(({ event }) => event),
      ["account.created", ...Array(changes).fill("account.changed")],
      user,
    );
    assert.deepEqual(
      await signet.sql(
        user,
        "SELECT jti FROM token UNION ALL SELECT client_id FROM credential WHERE state <> 'enabled'",
      ),
      [],
    );
  }
  const kv = await signet.kv();
  for (const [client_id, { name, user_id }] of expected.sets) {
    const set = JSON.parse(await kv.get(`credential:${client_id}`));
    assert.deepEqual([set.name, set.user_id, set.disabled], [name, user_id, false]);
  }
  assert.equal((await kv.list({ prefix: "credential:long-" })).keys.length, SETS);
  assert.equal((await kv.list({ prefix: "credential-id:" })).keys.length, SETS);
  for (const client_id of ["long-0", `long-${SETS - 1}`]) {
    assert.equal((await postToken(signet, { client_id, client_secret: secretOf(client_id) })).status, 200);
  }
}
