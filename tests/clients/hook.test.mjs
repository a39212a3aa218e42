// WHMCS's hook, run by PHP as WHMCS runs it, against Signet in workerd.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { fileURLToPath } from "node:url";
import { docBlock } from "../support/docs.mjs";
import { runPhp, skip } from "../support/php.mjs";
import { freePort } from "../support/port.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  assertFailure,
  createSet,
  eventsOf,
  getToken,
  json,
  messages,
  openLink,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

const STAND_IN = fileURLToPath(new URL("whmcs_stand_in.php", import.meta.url));
const HOOK = fileURLToPath(new URL("../../src/whmcs/hook.php", import.meta.url));
let signet, hooks, whmcs, config;

before(async () => {
  signet = await startSignet();
  hooks = mkdtempSync(join(tmpdir(), "signet-hooks-"));
  copyFileSync(HOOK, join(hooks, "signet.php"));
});
after(async () => {
  await signet.close();
  rmSync(hooks, { recursive: true });
});

let nextClient = 1000;

/** WHMCS with one client, whom Signet does not know. */
beforeEach(() => {
  nextClient += 1000;
  whmcs = { clients: [client(nextClient)], services: [], domains: [], log: [] };
  config = configured(signet.issuer, signet.adminToken);
});

const client = (id, change = {}) => ({ id, status: "Active", allowSingleSignOn: 1, ...change });
const services = (clientid, ...ids) => ids.map((id) => ({ id, clientid }));
const domains = (userid, ...ids) => ids.map((id) => ({ id, userid }));

/** The documented configuration. */
const configured = (address, token) =>
  docBlock("docs/whmcs-and-cpanel.md#synchronize-accounts-with-whmcs")
    .replace("https://console.example.com", address)
    .replace("the administration token", token);

/** Lets WHMCS fire events, pairs of a name and its variables, in one run of PHP; returns what that wrote to the activity log. */
async function fire(events, { failing = {}, shortened = null, flat = false } = {}) {
  const file = join(hooks, "_signet_config.php");
  if (config === null) rmSync(file, { force: true });
  else writeFileSync(file, config);
  const result = await runPhp(STAND_IN, {
    hook: join(hooks, "signet.php"),
    state: whmcs,
    events,
    failing,
    shortened,
    flat,
  });
  assert.deepEqual([result.complaints, result.output], [[], ""]);
  for (const { description } of result.log) whmcs.log.push({ id: whmcs.log.length + 1, description });
  const logged = result.log.map(({ description }) => description);
  for (const token of [signet.adminToken, config?.match(/'token' => '(.*?)'/)?.[1]]) {
    assert.ok(!token || !logged.join().includes(token), "the token is in the log");
  }
  return logged;
}

/** What Signet knows of a user: status, switch, services and domains; nothing if there is no such account. */
async function accountOf(user) {
  const { status, body } = await signet.admin("GET", `/users/${user}`);
  return status === 404 ? undefined : [body.status, body.sso, body.services.map(Number), body.domains.map(Number)];
}

/** Lets a server listen until the test ends, and returns its address. */
async function listen(t, server) {
  const sockets = new Set();
  server.on("connection", (socket) => sockets.add(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return `http://127.0.0.1:${server.address().port}`;
}

/** An address where nobody listens. */
const nowhere = async () => `http://127.0.0.1:${await freePort()}`;

for (const [event, vars] of [
  ["ClientAdd", (id) => ({ client_id: id, user_id: 1 })],
  ["ClientAdd", (id) => ({ userid: id })],
  ["ClientEdit", (id) => ({ userid: id, status: "Active", allow_sso: true })],
  ["AfterShoppingCartCheckout", (id) => ({ OrderID: 1, ServiceIDs: [id + 2, id + 1], DomainIDs: [id + 3] })],
  ["AfterShoppingCartCheckout", (id) => ({ OrderID: 1, ServiceIDs: [], DomainIDs: [id + 3] })],
  ["ServiceEdit", (id) => ({ userid: id, serviceid: id + 1 })],
  ["DomainEdit", (id) => ({ userid: id, domainid: id + 3 })],
  ["AfterModuleCreate", (id) => ({ params: { userid: id, serviceid: id + 1 } })],
  ["AfterRegistrarRegistration", (id) => ({ params: { userid: id, domainid: id + 3 } })],
  ["AfterRegistrarTransfer", (id) => ({ params: { userid: id, domainid: id + 3 } })],
]) {
  test(`${event}(${Object.keys(vars(0))}): the client is sent whole, first as a new account, then as a changed one`, {
    skip,
  }, async () => {
    const id = nextClient;
    whmcs.services = [...services(id, id + 2, id + 1), ...services(7, 7)];
    whmcs.domains = domains(id, id + 3);
    assert.deepEqual(await fire([[event, vars(id)]]), []);
    assert.deepEqual(await accountOf(id), ["Active", true, [id + 1, id + 2], [id + 3]]);
    whmcs.services = services(id, id + 1, id + 2, id + 4);
    assert.deepEqual(await fire([[event, vars(id)]]), []);
    assert.deepEqual(await accountOf(id), ["Active", true, [id + 1, id + 2, id + 4], [id + 3]]);
  });
}

for (const status of ["Active", "Inactive", "Closed"]) {
  test(`ClientEdit: the status ${status} is ${status}, whether WHMCS has saved it yet or not`, { skip }, async () => {
    for (const saved of [status, "Active"]) {
      whmcs.clients = [client(nextClient, { status: saved })];
      await fire([["ClientEdit", { userid: nextClient, status }]]);
      assert.equal((await accountOf(nextClient))[0], status);
    }
  });
}

for (const flat of [false, true]) {
  test(`GetClientsProducts, GetClientsDomains: hundreds are read in pages, ${flat ? "flat as the reference prints them" : "nested"}`, {
    skip,
  }, async () => {
    const ids = Array.from({ length: 230 }, (_, i) => nextClient * 1000 + i);
    whmcs.services = services(nextClient, ...ids);
    whmcs.domains = domains(nextClient, ...ids);
    assert.deepEqual(await fire([["ClientEdit", { userid: nextClient }]], { flat }), []);
    assert.deepEqual(await accountOf(nextClient), ["Active", true, ids, ids]);
  });
}

test("a list that cannot be read to its end is not sent: nobody loses a service by it", { skip }, async () => {
  const id = nextClient;
  whmcs.services = services(id, id + 1);
  await fire([["ClientAdd", { client_id: id }]]);
  whmcs.services = [];
  for (const [command, whole] of [
    ["GetClientsDetails", ""],
    ["GetClientsProducts", " whole"],
    ["GetClientsDomains", " whole"],
  ]) {
    const logged = await fire([["ClientEdit", { userid: id }]], { failing: { [command]: "Database ö down" } });
    assert.deepEqual(logged, [`Signet: client ${id} was not sent${whole}: ${command} failed: Database ? down`]);
    assert.deepEqual(await accountOf(id), ["Active", true, [id + 1], []]);
  }
  whmcs.services = services(id, ...Array.from({ length: 150 }, (_, i) => id * 1000 + i));
  const logged = await fire([["ClientEdit", { userid: id }]], { shortened: "GetClientsProducts" });
  assert.deepEqual(logged, [`Signet: client ${id} was not sent whole: GetClientsProducts listed 100 of 150 entries`]);
  assert.deepEqual(await accountOf(id), ["Active", true, [id + 1], []]);
});

for (const command of ["GetClientsDetails", "GetClientsProducts", "GetClientsDomains"]) {
  test(`issue 9, item 11: a client is closed at once while ${command} fails, and single sign-on is switched off`, {
    skip,
  }, async () => {
    const [id, failing] = [nextClient, { [command]: "Database down" }];
    const set = await createSet(signet, { user_id: String(id) });
    whmcs.services = services(id, id + 1);
    await fire([["ClientAdd", { client_id: id }]]);
    const cookie = await signIn(signet, set);
    whmcs.services = [];
    const logged = await fire([["ClientEdit", { userid: id, status: "Inactive", allow_sso: 0 }]], { failing });
    assert.deepEqual(logged, [`Signet: client ${id} was not sent whole: ${command} failed: Database down`]);
    assert.deepEqual(await accountOf(id), ["Inactive", false, [id + 1], []]);
    await signet.admin("PATCH", `/users/${id}`, { sso: true });
    await fire([["ClientEdit", { userid: id, allow_sso: "0" }]], { failing });
    assert.equal((await accountOf(id))[1], false, "the switch goes without a status, too");
    assert.equal(await whoIs(signet, cookie), String(id));
    await fire([["ClientClose", { userid: id }]], { failing });
    assert.equal(await whoIs(signet, cookie), undefined);
    assert.deepEqual(await accountOf(id), ["Closed", false, [id + 1], []]);
  });
}

for (const command of ["GetClientsProducts", "GetClientsDomains"]) {
  test(`issue 9, item 11: DailyCronJob closes a client whose ${command} fails, known or not, and sends the others whole`, {
    skip,
  }, async () => {
    const [known, unknown, other] = [0, 1, 2].map((n) => nextClient + n);
    await fire([["ClientAdd", { client_id: known }]]);
    whmcs.clients = [
      client(known, { status: "Closed" }),
      client(unknown, { status: "Closed", allowSingleSignOn: 0 }),
      client(other),
    ];
    whmcs.services = services(other, other + 1);
    whmcs.failingFor = [known, unknown];
    assert.deepEqual(await fire([["DailyCronJob", {}]], { failing: { [command]: "Database down" } }), [
      ...[known, unknown].map((id) => `Signet: client ${id} was not sent whole: ${command} failed: Database down`),
      "Signet: everybody was sent: 1 clients, 0 refused",
    ]);
    const accounts = await Promise.all([known, unknown, other].map(accountOf));
    assert.deepEqual(accounts, [
      ["Closed", true, [], []],
      ["Closed", false, [], []],
      ["Active", true, [other + 1], []],
    ]);
  });
}

test("issue 9, item 11: a client with 12,000 domains and 600 services is sent in parts, changed by little, and closed at once", {
  skip,
}, async () => {
  const id = nextClient;
  const ids = (from, count) => Array.from({ length: count }, (_, i) => 4_000_000_000 + from + i);
  whmcs.services = services(id, ...ids(0, 600));
  whmcs.domains = domains(id, ...ids(0, 12_000));
  assert.deepEqual(await fire([["DailyCronJob", {}]]), ["Signet: everybody was sent: 1 clients, 0 refused"]);
  assert.deepEqual(await accountOf(id), ["Active", true, ids(0, 600), ids(0, 12_000)]);
  assert.deepEqual(JSON.parse(await (await signet.kv()).get(`service:${ids(599, 1)}`)), [String(id)]);
  const events = (await eventsOf(signet, String(id))).length;
  assert.equal(events, 1 + 26, "one creation, and 12,600 ids by 500");
  await fire([["DailyCronJob", {}]]);
  assert.equal((await eventsOf(signet, String(id))).length, events, "what is so already leaves no trace");

  whmcs.services = services(id, ...ids(1, 600));
  whmcs.domains = domains(id, ...ids(1, 12_000));
  assert.deepEqual(await fire([["ServiceEdit", { userid: id, serviceid: 4_000_000_600 }]]), []);
  assert.deepEqual(await accountOf(id), ["Active", true, ids(1, 600), ids(1, 12_000)]);
  assert.equal((await eventsOf(signet, String(id))).length, events + 1, "one change");

  const set = await createSet(signet, { user_id: String(id), scopes: ["clientarea:domain_details"] });
  const cookie = await signIn(signet, set, { form: { domain_id: "4000012000" } });
  assert.equal(await whoIs(signet, cookie), String(id));
  assert.deepEqual(await fire([["ClientClose", { userid: id }]]), []);
  assert.equal(await whoIs(signet, cookie), undefined);
  assert.equal((await accountOf(id))[0], "Closed");
});

test("issue 9, item 11: a long list that breaks off half-way removes first, and the next daily job completes it", {
  skip,
}, async () => {
  const id = nextClient;
  const ids = (from, count) => Array.from({ length: count }, (_, i) => 4_000_000_000 + from + i);
  whmcs.domains = domains(id, ...ids(0, 1_000));
  await fire([["DailyCronJob", {}]]);
  whmcs.domains = domains(id, ...ids(500, 1_500));
  await signet.faults.set([{ target: "object.run", mode: "throw", nth: 4, on: String(id) }]);
  const logged = await fire([["DailyCronJob", {}]]);
  await signet.faults.set([]);
  assert.match(logged[0], new RegExp(`^Signet: client ${id} was not sent whole: Signet answered 503`));
  assert.equal(logged[1], "Signet: everybody was sent: 0 clients, 0 refused");
  assert.deepEqual(
    (await accountOf(id))[3],
    ids(500, 1_000),
    "what went is gone, and the first part of what came is there",
  );
  assert.deepEqual(await fire([["DailyCronJob", {}]]), ["Signet: everybody was sent: 1 clients, 0 refused"]);
  assert.deepEqual((await accountOf(id))[3], ids(500, 1_500));
});

test("issue 9, item 11: a client who owns more than Signet takes is closed all the same", { skip }, async () => {
  const id = nextClient;
  whmcs.domains = domains(id, ...Array.from({ length: 25_001 }, (_, i) => i + 1));
  whmcs.clients = [client(id, { status: "Closed" }), client(id + 1)];
  assert.deepEqual(await fire([["DailyCronJob", {}]]), [
    `Signet: client ${id} was not sent whole: Signet answered 409: The account would own more than 25,000 services and domains.`,
    "Signet: everybody was sent: 1 clients, 0 refused",
  ]);
  const [status, , , owned] = await accountOf(id);
  assert.deepEqual([status, owned.length], ["Closed", 25_000]);
  assert.deepEqual(await accountOf(id + 1), ["Active", true, [], []]);
});

test("issue 9, item 11: an event waits some 5 seconds for Signet in all, and the daily job sends the rest", {
  skip,
}, async (t) => {
  let requests = 0;
  const slow = createHttpServer((request, response) => {
    requests += 1;
    setTimeout(() => response.end('{"services":[],"domains":[]}'), 1_500);
  });
  config = configured(await listen(t, slow), signet.adminToken);
  whmcs.domains = domains(nextClient, ...Array.from({ length: 9_000 }, (_, i) => i + 1));
  const start = Date.now();
  const [logged] = await fire([["ClientEdit", { userid: nextClient }]]);
  const waited = Date.now() - start;
  assert.match(logged, new RegExp(`^Signet: client ${nextClient} was not sent whole: `));
  assert.ok(requests <= 4 && waited < 15_000, `${requests} requests, ${waited} ms`);
});

test("ServiceDelete, DomainDelete: what is deleted is left out, before WHMCS has deleted it and after", {
  skip,
}, async () => {
  const id = nextClient;
  const whole = { services: services(id, id + 1, id + 2), domains: domains(id, id + 3, id + 4) };
  for (const after of [whole, { services: services(id, id + 2), domains: domains(id, id + 4) }]) {
    Object.assign(whmcs, whole);
    await fire([["ClientEdit", { userid: id }]]);
    await fire([
      ["change", after],
      ["ServiceDelete", { userid: id, clientId: id, serviceid: id + 1 }],
    ]);
    assert.deepEqual((await accountOf(id))[2], [id + 2]);
    await fire([
      ["change", { ...after, services: services(id, id + 2) }],
      ["DomainDelete", { userid: id, domainid: id + 3 }],
    ]);
    assert.deepEqual(await accountOf(id), ["Active", true, [id + 2], [id + 4]]);
  }
});

test("ServiceEdit: a service that was moved is its new owner's and no longer its old one's", { skip }, async () => {
  const [old, id] = [nextClient, nextClient + 1];
  Object.assign(whmcs, { clients: [client(old), client(id)], services: services(old, old + 5) });
  await fire([
    ["ClientEdit", { userid: old }],
    ["ClientEdit", { userid: id }],
  ]);
  assert.deepEqual((await accountOf(old))[2], [old + 5]);
  const moved = services(id, old + 5);
  await fire([
    ["PreServiceEdit", { serviceid: old + 5 }],
    ["change", { services: moved }],
    ["ServiceEdit", { userid: id, serviceid: old + 5 }],
  ]);
  assert.deepEqual([(await accountOf(old))[2], (await accountOf(id))[2]], [[], [old + 5]]);
});

test("DomainEdit: a domain that was moved is its new owner's at once, and no longer its old one's after the daily job", {
  skip,
}, async () => {
  const [old, id] = [nextClient, nextClient + 1];
  Object.assign(whmcs, { clients: [client(old), client(id)], domains: domains(old, old + 5) });
  await fire([["ClientEdit", { userid: old }]]);
  whmcs.domains = domains(id, old + 5);
  await fire([["DomainEdit", { userid: id, domainid: old + 5 }]]);
  assert.deepEqual((await accountOf(id))[3], [old + 5]);
  await fire([["DailyCronJob", {}]]);
  assert.deepEqual([(await accountOf(old))[3], (await accountOf(id))[3]], [[], [old + 5]]);
});

test("ClientClose: the session ends at once, and the next sign-in is denied word for word", { skip }, async () => {
  const id = String(nextClient);
  await fire([["ClientAdd", { client_id: nextClient }]]);
  const set = await createSet(signet, { user_id: id });
  const cookie = await signIn(signet, set);
  const token = await getToken(signet, set);
  assert.equal(await whoIs(signet, cookie), id);
  assert.deepEqual(await fire([["ClientClose", { userid: nextClient }]]), []);
  assert.equal(await whoIs(signet, cookie), undefined);
  await assertFailure(await openLink(signet, token, { headers: json }), 403, "access_denied", messages.closed(id));
});

for (const event of ["PreDeleteClient", "ClientDelete"]) {
  test(`${event}: the account is deleted, and what WHMCS then deletes of the client does not bring it back`, {
    skip,
  }, async () => {
    const id = nextClient;
    whmcs.services = services(id, id + 1);
    await fire([["ClientEdit", { userid: id }]]);
    const logged = await fire([
      [event, { userid: id }],
      ["ServiceDelete", { userid: id, serviceid: id + 1 }],
    ]);
    assert.deepEqual([logged, await accountOf(id)], [[], undefined]);
    assert.deepEqual(
      await fire([
        ["PreDeleteClient", { userid: id }],
        ["ClientDelete", { userid: id }],
      ]),
      [],
      "twice is no failure",
    );
  });
}

test("AfterClientMerge: the merged client's account is deleted, the other has what it had", { skip }, async () => {
  const [from, to] = [nextClient, nextClient + 1];
  Object.assign(whmcs, {
    clients: [client(from), client(to)],
    services: [...services(from, from + 5), ...services(to, from + 6)],
  });
  await fire([
    ["ClientEdit", { userid: from }],
    ["ClientEdit", { userid: to }],
  ]);
  whmcs.services = services(to, from + 5, from + 6);
  assert.deepEqual(await fire([["AfterClientMerge", { toUserID: to, fromUserID: from }]]), []);
  assert.deepEqual([await accountOf(from), (await accountOf(to))[2]], [undefined, [from + 5, from + 6]]);
});

test("allow_sso: what WHMCS forbids is off, and nothing but the user or an administrator switches it on again", {
  skip,
}, async () => {
  const id = nextClient;
  const edit = (vars = {}) =>
    fire([
      ["ClientEdit", { userid: id, ...vars }],
      ["DailyCronJob", {}],
    ]);
  const sso = async () => (await accountOf(id))[1];
  whmcs.clients = [client(id, { allowSingleSignOn: 0 })];
  await edit();
  assert.equal(await sso(), false, "from the first time");
  whmcs.clients = [client(id)];
  await edit({ allow_sso: true });
  assert.equal(await sso(), false, "WHMCS does not switch it on");
  await signet.admin("PATCH", `/users/${id}`, { sso: true });
  await edit({ allow_sso: true });
  assert.equal(await sso(), true);
  await fire([["ClientEdit", { userid: id, allow_sso: false }]]);
  assert.equal(await sso(), false, "as the event says, saved or not");
  await signet.admin("PATCH", `/users/${id}`, { sso: true });
  for (const unsaid of ["", null]) await edit({ allow_sso: unsaid });
  assert.equal(await sso(), true, "nothing was said");
});

test("the user's own switch at Signet outlives every event and the daily job", { skip }, async () => {
  const id = nextClient;
  await fire([["ClientAdd", { client_id: id }]]);
  await signet.admin("PATCH", `/users/${id}`, { sso: false });
  whmcs.services = services(id, id + 1);
  await fire([
    ["ServiceEdit", { userid: id, serviceid: id + 1 }],
    ["ClientEdit", { userid: id, allow_sso: true }],
    ["DailyCronJob", {}],
  ]);
  assert.deepEqual(await accountOf(id), ["Active", false, [id + 1], []]);
});

test("Signet out of reach: each event is in the activity log, and WHMCS goes on; the daily job repairs what was missed", {
  skip,
}, async () => {
  const id = nextClient;
  const deleted = id + 1;
  whmcs.clients.push(client(deleted));
  await fire([
    ["ClientEdit", { userid: deleted }],
    ["ClientEdit", { userid: id }],
  ]);
  config = configured(await nowhere(), signet.adminToken);
  whmcs.services = services(id, id + 2);
  const logged = await fire([
    ["ServiceEdit", { userid: id, serviceid: id + 2 }],
    ["ClientClose", { userid: id }],
    ["PreDeleteClient", { userid: deleted }],
  ]);
  assert.equal(logged.length, 3);
  assert.match(logged[0], new RegExp(`^Signet: client ${id} was not sent: Signet cannot be reached: `));
  assert.equal(logged[1], `Signet: client ${id} was not sent: Signet could not be reached a moment ago`);
  assert.equal(logged[2], `Signet: deletion of client ${deleted} failed: Signet could not be reached a moment ago`);
  whmcs.clients = [client(id, { status: "Closed" })];

  const [again, job] = await fire([["DailyCronJob", {}]]);
  assert.match(again, new RegExp(`^Signet: deletion of client ${deleted} failed: Signet cannot be reached: `));
  assert.match(job, /^Signet: DailyCronJob was not passed on: Signet cannot be reached: /);

  config = configured(signet.issuer, signet.adminToken);
  assert.deepEqual(await fire([["DailyCronJob", {}]]), [
    `Signet: deletion of client ${deleted} repeated`,
    "Signet: everybody was sent: 1 clients, 0 refused",
  ]);
  assert.deepEqual([await accountOf(id), await accountOf(deleted)], [["Closed", true, [id + 2], []], undefined]);
  const events = await eventsOf(signet, String(id));
  assert.deepEqual(await fire([["DailyCronJob", {}]]), ["Signet: everybody was sent: 1 clients, 0 refused"]);
  assert.deepEqual(await eventsOf(signet, String(id)), events, "what is so already leaves no trace");
});

test("a deletion is repeated for no client that WHMCS still has, whatever the activity log says", {
  skip,
}, async () => {
  await fire([["ClientAdd", { client_id: nextClient }]]);
  whmcs.log.push({ id: 1, description: `Signet: deletion of client ${nextClient} failed: forged` });
  await fire([["DailyCronJob", {}]]);
  assert.equal((await eventsOf(signet, String(nextClient))).join(), "account.created");
});

test("a server that says nothing holds WHMCS up once, for seconds", { skip }, async (t) => {
  config = configured(await listen(t, createServer()), signet.adminToken);
  const start = Date.now();
  const logged = await fire(Array(5).fill(["ClientEdit", { userid: nextClient }]));
  assert.equal(logged.length, 5);
  assert.match(logged[0], /Signet cannot be reached: .*timed out/i);
  // It waits 5 s for one answer. Five answers would take 25 s.
  assert.ok(Date.now() - start < 15_000, `${Date.now() - start} ms`);
});

test("a wrong token is in the activity log as Signet's refusal", { skip }, async () => {
  config = configured(signet.issuer, "not-the-administration-token-of-signet");
  const logged = await fire([
    ["ClientEdit", { userid: nextClient }],
    ["PreDeleteClient", { userid: nextClient }],
    ["DailyCronJob", {}],
  ]);
  const refusal = "Signet answered 401: The administration token is missing or wrong.";
  assert.deepEqual(logged, [
    `Signet: client ${nextClient} was not sent: ${refusal}`,
    `Signet: deletion of client ${nextClient} failed: ${refusal}`,
    `Signet: DailyCronJob was not passed on: ${refusal}`,
  ]);
});

test("a server that is not Signet: its answer is cut, and the token in it stays out of the log", {
  skip,
}, async (t) => {
  const echo = createHttpServer((request, response) => {
    const { authorization } = request.headers;
    response.writeHead(request.url.endsWith("import") ? 200 : 418);
    response.end(
      JSON.stringify({ detail: authorization + "x\n".repeat(200), stopped: { line: 1, reason: authorization } }),
    );
  });
  config = configured(await listen(t, echo), signet.adminToken);
  const logged = await fire([
    ["ClientEdit", { userid: nextClient }],
    ["DailyCronJob", {}],
  ]);
  assert.match(logged[0], /Signet answered 418: Bearer \(token\)x\?x\?/);
  assert.ok(logged[0].length <= 300);
  assert.match(logged[1], /Signet stopped: Bearer \(token\)$/);
});

test("an answer without the account is logged as such", { skip }, async (t) => {
  for (const answer of ["hello", "[]", '{"services":"12"}', '{"services":[12]}']) {
    const server = createHttpServer((request, response) => response.end(answer));
    config = configured(await listen(t, server), signet.adminToken);
    const logged = await fire([["ClientEdit", { userid: nextClient }]]);
    assert.deepEqual(
      logged,
      [`Signet: client ${nextClient} was not sent whole: Signet did not answer with an account`],
      answer,
    );
  }
});

test("an import whose answer breaks off is a failure", { skip }, async (t) => {
  const server = createHttpServer((request, response) => response.end('{"progress":{"line":1}}\n'));
  config = configured(await listen(t, server), signet.adminToken);
  assert.deepEqual(await fire([["DailyCronJob", {}]]), ["Signet: DailyCronJob was not passed on: Signet broke off"]);
});

test("DailyCronJob: tries Signet again, also when an event of the same run could not reach it", { skip }, async (t) => {
  const methods = [];
  const server = createHttpServer((request, response) => {
    methods.push(request.method);
    if (request.method === "PATCH") return request.socket.destroy();
    response.writeHead(request.method === "DELETE" ? 404 : 200);
    return response.end('{"done":{"created":1}}\n');
  });
  config = configured(await listen(t, server), signet.adminToken);
  const gone = nextClient + 1;
  whmcs.log = [{ id: 1, description: `Signet: deletion of client ${gone} failed: Signet answered 503` }];
  const logged = await fire([
    ["ClientEdit", { userid: nextClient }],
    ["DailyCronJob", {}],
  ]);
  assert.deepEqual(logged.slice(1), [
    `Signet: deletion of client ${gone} repeated`,
    "Signet: everybody was sent: 1 clients, 0 refused",
  ]);
  assert.deepEqual(methods, ["PATCH", "DELETE", "POST"]);
});

test("an answer without end is not read to its end", { skip }, async (t) => {
  const endless = createHttpServer((request, response) => {
    response.writeHead(200);
    const more = () => {
      while (!response.destroyed && response.write("x".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  });
  config = configured(await listen(t, endless), signet.adminToken);
  const [logged] = await fire([["ClientEdit", { userid: nextClient }]]);
  assert.match(logged, /Signet cannot be reached: /);
  assert.doesNotMatch(logged, /timed out/i, "it was cut for its length, not for its time");
});

for (const [what, broken] of [
  ["missing", () => null],
  [
    "not PHP",
    () => `<?php return ['address' => '${signet.issuer}', 'token' => '${signet.adminToken}' '${signet.adminToken}'];`,
  ],
  ["without its opening tag", () => configured(signet.issuer, signet.adminToken).replace("<?php", "")],
  ["no array", () => "<?php return 'the-token';"],
  ["without token", () => configured(signet.issuer, "")],
  ["with a token of two lines", () => configured(signet.issuer, "a\\nb").replaceAll("'", '"')],
  ["without address", () => configured("", signet.adminToken)],
  ["with an address that is not https", () => configured("http://sso.example.com", signet.adminToken)],
  ["with a path in the address", () => configured(`${signet.issuer}/admin`, signet.adminToken)],
]) {
  test(`a configuration that is ${what} is logged at each event, and not quoted`, { skip }, async () => {
    config = broken();
    const invalidConfig = "_signet_config.php does not return an https address and a token";
    assert.deepEqual(
      await fire([
        ["ClientEdit", { userid: nextClient }],
        ["DailyCronJob", {}],
      ]),
      [
        `Signet: client ${nextClient} was not sent: ${invalidConfig}`,
        `Signet: DailyCronJob was not passed on: ${invalidConfig}`,
      ],
    );
  });
}

test("DailyCronJob: hundreds of clients go page by page; one that cannot be sent stops nobody else", {
  skip,
}, async () => {
  const ids = Array.from({ length: 250 }, (_, i) => nextClient + i);
  const [broken, large] = [ids[3], ids[4]];
  whmcs.clients = ids.map((id) => client(id, id === broken ? { status: "Frozen" } : {})).reverse();
  whmcs.services = services(large, ...Array.from({ length: 1_001 }, (_, i) => 4_000_000_000 + i));
  const logged = await fire([["DailyCronJob", {}]]);
  assert.deepEqual(logged, [
    `Signet: client ${broken} was not sent: the status of the client is unknown to Signet`,
    "Signet: everybody was sent: 249 clients, 0 refused",
  ]);
  assert.deepEqual([await accountOf(broken), (await accountOf(large))[2].length], [undefined, 1_001]);
  assert.deepEqual(await accountOf(ids.at(-1)), ["Active", true, [], []]);
});

test("DailyCronJob: a storage failure stops it and is logged; the next day's does the rest", { skip }, async () => {
  await signet.faults.set([{ target: "object.run", mode: "throw" }]);
  const [logged] = await fire([["DailyCronJob", {}]]);
  await signet.faults.set([]);
  assert.match(logged, /^Signet: DailyCronJob was not passed on: Signet stopped: /);
  await fire([["DailyCronJob", {}]]);
  assert.deepEqual(await accountOf(nextClient), ["Active", true, [], []]);
});

test("DailyCronJob: what Signet stopped at is sent from there on, and a page that failed once more", {
  skip,
}, async () => {
  const ids = [0, 1, 2].map((i) => nextClient + i);
  whmcs.clients = ids.map((id) => client(id));
  for (const on of ids.map(String)) {
    await Promise.all(ids.map((id) => signet.admin("DELETE", `/users/${id}`)));
    await signet.faults.set([{ target: "object.run", mode: "throw", nth: 1, on }]);
    const logged = await fire([["DailyCronJob", {}]]);
    await signet.faults.set([]);
    assert.deepEqual(logged, ["Signet: everybody was sent: 3 clients, 0 refused"]);
    for (const id of ids) assert.deepEqual(await accountOf(id), ["Active", true, [], []], `${on}: ${id}`);
  }
});

test("DailyCronJob: of a page that was stopped only the rest is sent", { skip }, async (t) => {
  const bodies = [];
  const server = createHttpServer(async (request, response) => {
    bodies.push(
      (await request.toArray())
        .join("")
        .trim()
        .split("\n")
        .map((line) => Number(JSON.parse(line).user_id)),
    );
    response.end(bodies.length === 1 ? '{"stopped":{"line":2,"reason":"Enough."}}\n' : '{"done":{}}\n');
  });
  const ids = [0, 1, 2].map((i) => nextClient + i);
  whmcs.clients = ids.map((id) => client(id));
  config = configured(await listen(t, server), signet.adminToken);
  await fire([["DailyCronJob", {}]]);
  assert.deepEqual(bodies, [ids, ids.slice(1)]);
});

test("every hook is one that WHMCS documents, and the file does nothing by itself", { skip }, async () => {
  const { events } = await runPhp(STAND_IN, { hook: join(hooks, "signet.php"), state: whmcs, events: [] });
  assert.deepEqual(events.sort(), [
    "AfterClientMerge",
    "AfterModuleCreate",
    "AfterRegistrarRegistration",
    "AfterRegistrarTransfer",
    "AfterShoppingCartCheckout",
    "ClientAdd",
    "ClientClose",
    "ClientDelete",
    "ClientEdit",
    "DailyCronJob",
    "DomainDelete",
    "DomainEdit",
    "PreDeleteClient",
    "PreServiceEdit",
    "ServiceDelete",
    "ServiceEdit",
  ]);
  assert.equal(
    execFileSync("php", [join(hooks, "signet.php")], { encoding: "utf8" }),
    "This file cannot be accessed directly",
  );
});

test("a client whom Signet knows otherwise is made what WHMCS says, the user's switch apart", { skip }, async () => {
  await putUser(signet, nextClient, { status: "Closed", sso: false, services: ["vps-1"], domains: ["example.com"] });
  await fire([["DailyCronJob", {}]]);
  assert.deepEqual(await accountOf(nextClient), ["Active", false, [], []]);
});
