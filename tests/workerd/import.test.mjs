// The import: what a file may contain, how each invalid line is refused, and that importing the same file again changes
// nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  accountLine,
  allDone,
  counts,
  credentialLine,
  importLines,
  importList,
  secretOf,
  whmcsClient,
} from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import {
  createSet,
  eventsOf,
  getToken,
  openLink,
  postForm,
  postToken,
  putUser,
  signIn,
  whoIs,
} from "../support/workflow.mjs";

let signet;

before(async () => {
  signet = await startSignet();
});
after(() => signet.close());

const refused = (line, reason) => ({ refused: { line, reason } });

test("an account line means what PUT means: it creates or replaces all fields, keeps sso if the line has none, and keeps created_at", async () => {
  await putUser(signet, "a1", { sso: false, services: [1], domains: [2] });
  const { body: before } = await signet.admin("GET", "/users/a1");
  const lines = [
    accountLine("a1", { status: "Inactive" }),
    accountLine("a2", { sso: false, services: [12, "s"], domains: ["d.example"] }),
  ];
  const { status, headers, reports } = await importLines(signet, lines);
  assert.deepEqual([status, headers.get("content-type")], [200, "application/x-ndjson"]);
  assert.deepEqual(reports, allDone(2, { created: 1, changed: 1 }));
  const of = async (user) => {
    const { created_at, updated_at, ...account } = (await signet.admin("GET", `/users/${user}`)).body;
    return [account, created_at];
  };
  const replaced = { user_id: "a1", status: "Inactive", sso: false, services: [], domains: [] };
  assert.deepEqual(await of("a1"), [replaced, before.created_at]);
  const [created] = await of("a2");
  assert.deepEqual(created, {
    user_id: "a2",
    status: "Active",
    sso: false,
    services: ["12", "s"],
    domains: ["d.example"],
  });
  assert.deepEqual(await eventsOf(signet, "a1"), ["account.changed", "account.created"]);
});

test("an imported application keeps its client_id and secret, and gets a token that signs its user in", async () => {
  const { reports } = await importLines(signet, [accountLine("b1"), credentialLine("ACME.b1+/=", { user_id: "b1" })]);
  assert.deepEqual(reports, allDone(2, { created: 2 }));
  const set = { client_id: "ACME.b1+/=", client_secret: secretOf("ACME.b1+/=") };
  assert.equal(await whoIs(signet, await signIn(signet, set)), "b1");
  assert.equal((await postToken(signet, { ...set, client_secret: `${set.client_secret}x` })).status, 401);
  const { body } = await signet.admin("GET", `/credentials/${encodeURIComponent(set.client_id)}`);
  assert.deepEqual([body.name, body.user_id, body.scopes], ["Portal", "b1", ["clientarea:sso", "clientarea:invoices"]]);
});

const weak = "The secret has fewer than 6 different characters, or repeats one text.";

test("each invalid line is refused by its number with one precise reason, changes nothing, and the import continues", async () => {
  const neither = "The line is neither user_id and account, nor client_id, client_secret and credential.";
  const field = (kind) => `The ${kind} has an unknown, missing or invalid field.`;
  const change = (line, change) => JSON.stringify({ ...JSON.parse(line), ...change });
  const [account, set] = [accountLine("bad"), credentialLine("bad", { user_id: "bad" })];
  const cases = [
    ["{", "The line is not JSON."],
    [`${account}${account}`, "The line is not JSON."],
    [account.slice(0, -1), "The line is not JSON."],
    [Buffer.from([0x22, 0xff, 0x22]), "The line is not UTF-8."],
    [`\ufeff${account}`, "The line is not JSON."],
    [account.padEnd(65_537, " "), "The line is longer than 64 KiB."],
    ["x".repeat(200_000), "The line is longer than 64 KiB."],
    ["[]", neither],
    ["{}", neither],
    ['{"user_id":"bad"}', neither],
    [change(account, { more: 1 }), neither],
    [change(account, { client_id: "bad" }), neither],
    [change(account, { user_id: "a b" }), "The user_id is malformed."],
    [change(account, { user_id: 5 }), "The user_id is malformed."],
    [change(account, { account: { status: "active" } }), field("account")],
    [change(account, { account: { status: "Active", admin: true } }), field("account")],
    [change(set, { client_id: "a b" }), "The client_id is malformed."],
    [change(set, { client_secret: "x".repeat(31) }), "The secret must have 32 to 1024 characters."],
    [change(set, { client_secret: "x".repeat(1025) }), "The secret must have 32 to 1024 characters."],
    [change(set, { client_secret: "x".repeat(32) }), weak],
    [change(set, { client_secret: "changeme".repeat(4) }), weak],
    [credentialLine("bad", { user_id: "bad", scopes: ["clientarea:homepage"] }), field("credential")],
    [credentialLine("bad", {}), 'Give either user_id or "delegated": true.'],
    [credentialLine("bad", { user_id: "bad", delegated: true }), 'Give either user_id or "delegated": true.'],
    [credentialLine("bad", { user_id: "bad", name: "" }), "The name must have 1 to 128 characters."],
  ];
  // Each bad line stands between a good one and a blank one.
  const chunks = cases
    .flatMap(([line], n) => [accountLine(`good-${n}`), "\n", line, "\n\n"])
    .map((part) => Buffer.from(part));
  const { reports } = await importLines(signet, Buffer.concat(chunks));
  const expected = cases.map(([, reason], n) => refused(3 * n + 2, reason));
  assert.deepEqual(reports, [
    ...expected,
    { done: counts(3 * cases.length, { created: cases.length, refused: cases.length }) },
  ]);
  assert.equal((await signet.admin("GET", "/users/bad")).status, 404);
  assert.equal((await signet.admin("GET", "/credentials/bad")).status, 404);
  for (const [n] of cases.entries()) assert.equal((await signet.admin("GET", `/users/good-${n}`)).status, 200);
});

test("attack 112, RFC 8725 section 3.5: the import refuses a secret that repeats one text or has few different characters", async () => {
  await putUser(signet, "w1", { services: [590] });
  for (const secret of ["x".repeat(32), "changeme".repeat(4), `${"x".repeat(40)}abcd`]) {
    const line = credentialLine("w1", { user_id: "w1" }, secret);
    const lists = [
      await importLines(signet, [line]),
      await importList(signet, [whmcsClient("w1", 590, { clientSecret: secret })]),
    ];
    for (const { reports } of lists) assert.deepEqual(reports[0], refused(1, weak), secret);
    assert.equal((await postToken(signet, { client_id: "w1", client_secret: secret })).status, 401);
  }
});

test("lines may end with CRLF, the file may begin with a byte order mark, blank lines count, the last line needs no line end", async () => {
  const longest = accountLine("c3").padEnd(65_536, " ");
  const { reports } = await importLines(
    signet,
    `\ufeff${accountLine("c1")}\r\n\r\n \t\n${longest}\n${accountLine("c2")}`,
  );
  assert.deepEqual(reports, allDone(5, { created: 3 }));
  for (const user of ["c1", "c2", "c3"]) assert.equal((await signet.admin("GET", `/users/${user}`)).status, 200);
  assert.deepEqual((await importLines(signet, "")).reports, allDone(0, {}));
  assert.deepEqual((await importLines(signet, "\n\n")).reports, allDone(2, {}));
});

test("lines are processed in the order of the file, and the last line about an id decides", async () => {
  const lines = [];
  for (let n = 0; n < 30; n += 1) {
    lines.push(accountLine("d1", { domains: [n] }), accountLine(`d-${n}`, { services: [100] }));
    lines.push(credentialLine("d1", { user_id: "d1", name: `Portal ${n}` }));
  }
  const { reports } = await importLines(signet, lines);
  assert.deepEqual(reports, allDone(90, { created: 32, changed: 58 }));
  assert.deepEqual((await signet.admin("GET", "/users/d1")).body.domains, ["29"]);
  assert.equal((await signet.admin("GET", "/credentials/d1")).body.name, "Portal 29");
  assert.equal(JSON.parse(await (await signet.kv()).get("service:100"))[0], "d-29");
});

test("a service that moves within a file belongs to its new owner in KV, in either order of the lines", async () => {
  await importLines(signet, [accountLine("e1", { services: [200] }), accountLine("e2", { services: [201] })]);
  await importLines(signet, [accountLine("e1", { services: [201] }), accountLine("e2", { services: [200] })]);
  const kv = await signet.kv();
  assert.deepEqual([await kv.get("service:200"), await kv.get("service:201")], ['["e2"]', '["e1"]']);
  await importLines(signet, [accountLine("e1")]);
  assert.equal(await kv.get("service:201"), null);
});

test("importing the same file again changes nothing: no row, no KV write, no event, no updated_at; every line counts as unchanged", async () => {
  const lines = [
    accountLine("f1", { services: [300, 301], domains: ["f.example"] }),
    accountLine("f2", { status: "Closed" }),
    accountLine("f3", { sso: false }),
    credentialLine("f1", { user_id: "f1", service_id: 300, redirect_uris: ["https://f.example/"] }),
    credentialLine("f2", { delegated: true }),
    credentialLine("f3", { user_id: "f3", disabled: true }),
  ];
  assert.deepEqual((await importLines(signet, lines)).reports, allDone(6, { created: 6 }));
  const state = async () =>
    Promise.all(
      [
        ...["f1", "f2", "f3"].flatMap((user) => [
          signet.admin("GET", `/users/${user}`),
          signet.admin("GET", `/users/${user}/events`),
        ]),
        ...["f1", "f2", "f3"].map((id) => signet.admin("GET", `/credentials/${id}`)),
      ].map(async (answer) => (await answer).body),
    );
  const before = await state();
  await signet.clock.set(60_000);
  await signet.ops.reset();
  assert.deepEqual((await importLines(signet, lines)).reports, allDone(6, { unchanged: 6 }));
  const ops = await signet.ops.read();
  assert.deepEqual([ops["sql.rowsWritten"], ops["kv.put"], ops["kv.delete"], ops["alarm.set"]], [0, 0, 0, 0]);
  assert.deepEqual(await state(), before);
  await signet.clock.set(0);
});

test("a line makes as many calls as the documented limits say", async () => {
  const services = Array.from({ length: 250 }, (_, i) => 80_000 + i);
  const kv = await signet.kv();
  await kv.put("service:81000", JSON.stringify(["p1", "p2", "p3", "p4", "p5", "p6", "p7", "p8"]));
  await putUser(signet, "p8");
  await signet.sql("p8", `UPDATE account SET data = json_set(data, '$.services', json('["81000"]'))`);
  const numbered = { credentialId: 8_101 };
  for (const [what, calls, send] of [
    ["an account", 1, () => importLines(signet, [accountLine("p0")])],
    ["250 services that are new", 1 + 3 + 250, () => importLines(signet, [accountLine("p0", { services })])],
    ["250 services that are not new", 1 + 3, () => importLines(signet, [accountLine("p0", { services })])],
    ["250 services that are dropped", 1 + 3 + 250, () => importLines(signet, [accountLine("p0")])],
    ["a set", 5, () => importLines(signet, [credentialLine("p0", { user_id: "p0" })])],
    ["a delegated set", 4, () => importLines(signet, [credentialLine("p-delegated", { delegated: true })])],
    [
      "a set of a service that eight accounts claimed, with a number of its own",
      7 + 7,
      () => importList(signet, [whmcsClient("p8", 81_000, numbered)]),
    ],
  ]) {
    await signet.ops.reset();
    const { reports } = await send();
    assert.equal(reports[0].done?.line, 1, JSON.stringify(reports));
    const ops = await signet.ops.read();
    const counted = ["kv.get", "kv.put", "kv.delete", "kv.list", "object.run"].reduce(
      (sum, name) => sum + ops[name],
      0,
    );
    assert.equal(counted, calls, `${what}: ${JSON.stringify(ops)}`);
  }
});

test("importing the current secret again keeps a running rotation", async () => {
  const line = credentialLine("g1", { delegated: true });
  await importLines(signet, [line]);
  const old = { client_id: "g1", client_secret: secretOf("g1") };
  const { body: rotated } = await signet.admin("POST", "/credentials/g1/rotate", { overlap_seconds: 600 });
  const current = credentialLine("g1", { delegated: true }, rotated.client_secret);
  assert.deepEqual((await importLines(signet, [current])).reports, allDone(1, { unchanged: 1 }));
  await putUser(signet, "g1");
  for (const set of [old, rotated]) assert.equal((await postToken(signet, set, { user_id: "g1" })).status, 200);
  assert.deepEqual((await importLines(signet, [line])).reports, allDone(1, { changed: 1 }), "the file's secret, alone");
  assert.equal((await postToken(signet, old, { user_id: "g1" })).status, 200);
  assert.equal((await postToken(signet, rotated, { user_id: "g1" })).status, 401);
});

test("an import never changes which users a set may sign in, and a number belongs to one set", async () => {
  await importLines(signet, [accountLine("h1", { services: [400] }), credentialLine("h1", { user_id: "h1" })]);
  const bound = "There is such a credential set, and whom it may sign in never changes.";
  const { reports } = await importLines(signet, [
    credentialLine("h1", { user_id: "h2" }),
    credentialLine("h1", { delegated: true }),
  ]);
  assert.deepEqual(reports, [refused(1, bound), refused(2, bound), { done: counts(2, { refused: 2 }) }]);
  assert.equal((await signet.admin("GET", "/credentials/h1")).body.user_id, "h1");
  const list = [whmcsClient("h2", 400, { credentialId: 77 }), whmcsClient("h3", 400, { credentialId: 77 })];
  const taken = "The number of the credential set belongs to another client_id.";
  assert.deepEqual((await importList(signet, list)).reports, [
    refused(2, taken),
    { done: counts(2, { created: 1, refused: 1 }) },
  ]);
  await signet.admin("DELETE", "/credentials/h2");
  assert.deepEqual((await importList(signet, list.slice(1))).reports, allDone(1, { created: 1 }), "once it is free");
});

test("a revoked set that is imported again issues valid tokens; one that is imported as disabled does not", async () => {
  await putUser(signet, "i1");
  const line = credentialLine("i1", { user_id: "i1" });
  const set = { client_id: "i1", client_secret: secretOf("i1") };
  await importLines(signet, [line]);
  await signet.admin("DELETE", "/credentials/i1");
  assert.equal((await postToken(signet, set)).status, 401);
  assert.deepEqual((await importLines(signet, [line])).reports, allDone(1, { created: 1 }));
  const token = await getToken(signet, set);
  const disabled = credentialLine("i1", { user_id: "i1", disabled: true });
  assert.deepEqual((await importLines(signet, [disabled])).reports, allDone(1, { changed: 1 }));
  assert.equal((await openLink(signet, token)).status, 401, "a token from before, at once");
  assert.equal((await postToken(signet, set)).status, 401);
  assert.deepEqual((await importLines(signet, [line])).reports, allDone(1, { changed: 1 }));
  assert.equal(await whoIs(signet, await signIn(signet, set)), "i1");
  assert.deepEqual(await eventsOf(signet, "i1"), [
    "sso.signed_in",
    "credential.restored",
    "sso.denied: credential_revoked",
    "credential.revoked",
    "credential.restored",
    "credential.revoked",
    "account.created",
  ]);
});

test("an account that an import closes loses its sessions at once", async () => {
  await putUser(signet, "j1");
  const cookie = await signIn(signet, await createSet(signet, { user_id: "j1" }));
  await importLines(signet, [accountLine("j1", { status: "Closed" })]);
  assert.equal(await whoIs(signet, cookie), undefined);
});

test("WHMCS's list: applications keep their secrets, sets are bound to the owners of their services and keep their numbers", async () => {
  await putUser(signet, "k1", { services: [500, 501] });
  const clients = [
    whmcsClient("COMPANY.k1+/==", 500, { credentialId: 5 }),
    whmcsClient("COMPANY.k2+/==", "501", {
      credentialId: "6",
      name: "Mine",
      redirectUri: "https://k.example/",
      scope: "clientarea:emails",
    }),
  ];
  assert.deepEqual((await importList(signet, clients)).reports, allDone(2, { created: 2 }));
  assert.deepEqual((await importList(signet, clients)).reports, allDone(2, { unchanged: 2 }));
  const set = { client_id: "COMPANY.k1+/==", client_secret: secretOf("COMPANY.k1+/==") };
  assert.equal(await whoIs(signet, await signIn(signet, set)), "k1");
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "Panel",
    actions: ["UpdateOAuthCredential", "DeleteOAuthCredential", "ListOAuthCredentials"],
  });
  const call = async (action, fields) => {
    return (
      await postForm(signet, "/includes/api.php", { identifier: api.identifier, secret: api.secret, action, ...fields })
    ).json();
  };
  const rows = (await call("ListOAuthCredentials", {})).clients.filter(({ clientIdentifier }) =>
    clientIdentifier.startsWith("COMPANY.k"),
  );
  assert.deepEqual(
    rows.map(({ credentialId, name, serviceId, redirectUri }) => [credentialId, name, serviceId, redirectUri]),
    [
      [5, "Service 500", 500, []],
      [6, "Mine", 501, ["https://k.example/"]],
    ],
  );
  assert.equal((await call("UpdateOAuthCredential", { credentialId: 5, name: "Renamed" })).result, "success");
  assert.equal((await signet.admin("GET", `/credentials/${encodeURIComponent(set.client_id)}`)).body.name, "Renamed");
  assert.equal((await call("DeleteOAuthCredential", { credentialId: 5 })).credentialId, 5);
  assert.equal((await postToken(signet, set)).status, 401);
  assert.equal((await call("DeleteOAuthCredential", { credentialId: 5 })).message, "Invalid Credential ID provided.");
});

test("WHMCS's list: a set that was imported before gets the number of the list instead of its own", async () => {
  await putUser(signet, "l1", { services: [510] });
  await importLines(signet, [credentialLine("l1", { user_id: "l1" })]);
  const kv = await signet.kv();
  const keysOf = async () => {
    const { keys } = await kv.list({ prefix: "credential-id:" });
    const numbers = keys.map(async ({ name }) => ((await kv.get(name)) === '"l1"' ? [name] : []));
    return (await Promise.all(numbers)).flat();
  };
  assert.match((await keysOf()).join(), /^credential-id:\d{6,}$/);
  assert.deepEqual(
    (await importList(signet, [whmcsClient("l1", 510, { credentialId: 9 })])).reports,
    allDone(1, { changed: 1 }),
  );
  assert.deepEqual(await keysOf(), ["credential-id:9"]);
});

test("WHMCS's list: each invalid client is refused by its position with one precise reason", async () => {
  await putUser(signet, "m1", { services: [520] });
  const client = (change) => whmcsClient("m1", 520, change);
  const cases = [
    [5, "The client has a missing field, or one of another type than in WHMCS."],
    [{}, "The client has a missing field, or one of another type than in WHMCS."],
    [client({ clientIdentifier: "a b" }), "The client_id is malformed."],
    [client({ credentialId: 0 }), "The credentialId is not a number from 1 to 4294967295."],
    [client({ clientSecret: "" }), "The clientSecret is empty: this list does not show it."],
    [client({ clientSecret: "short" }), "The secret must have 32 to 1024 characters."],
    [client({ clientSecret: "0".repeat(64) }), weak],
    [client({ grantTypes: "authorization_code" }), "The grantTypes do not include single_sign_on."],
    [client({ scope: "clientarea:sso openid" }), 'The scope "openid" is unknown.'],
    [client({ scope: "x".repeat(300) }), `The scope "${"x".repeat(64)}" is unknown.`],
    [client({ serviceId: "" }), "The serviceId is missing or malformed."],
    [client({ serviceId: 0 }), "The service is not any user's."],
    [client({ serviceId: 521 }), "The service is not any user's."],
    [client({ name: "x".repeat(129) }), "The name must have 1 to 128 characters."],
  ];
  const { reports } = await importList(signet, [...cases.map(([row]) => row), client({})]);
  const expected = cases.map(([, reason], n) => refused(n + 1, reason));
  assert.deepEqual(reports, [...expected, { done: counts(15, { created: 1, refused: 14 }) }]);
  // The owner in KV is a hint: the account has the last word.
  await (await signet.kv()).put("service:522", '["m1"]');
  assert.deepEqual(
    (await importList(signet, [client({ serviceId: 522 })])).reports[0],
    refused(1, "The service is not any user's."),
  );
});

test("Signet's own list has no secrets, and cannot be imported", async () => {
  const { body: api } = await signet.admin("POST", "/api-credentials", {
    name: "Panel",
    actions: ["ListOAuthCredentials"],
  });
  await createSet(signet, { user_id: "j1", service_id: 540 });
  const list = await (
    await postForm(signet, "/includes/api.php", {
      identifier: api.identifier,
      secret: api.secret,
      action: "ListOAuthCredentials",
    })
  ).text();
  const { reports } = await importLines(signet, list, { type: "application/json" });
  const last = reports.pop();
  assert.ok(last.done.refused > 0 && last.done.refused === last.done.line);
  for (const {
    refused: { reason },
  } of reports)
    assert.equal(reason, "The clientSecret is empty: this list does not show it.");
});

test("RFC 9457: an invalid import request is refused whole with one problem, and nothing is changed", async () => {
  const body = accountLine("n1");
  const problem = async (init, status, detail) => {
    const response = await signet.fetch("/admin/v1/import", { method: "POST", body, ...init });
    const text = await response.json();
    assert.deepEqual(
      [response.status, text.detail, response.headers.get("content-type")],
      [status, detail, "application/problem+json"],
    );
    return response;
  };
  const Authorization = `Bearer ${signet.adminToken}`;
  const unauthorized = "The administration token is missing or wrong.";
  const type = "application/x-ndjson";
  await problem({ headers: { "Content-Type": type } }, 401, unauthorized);
  await problem({ headers: { "Content-Type": type, Authorization: "Bearer wrong" } }, 401, unauthorized);
  await problem({ method: "PUT", headers: { "Content-Type": type } }, 401, unauthorized);
  const wrong = await problem(
    { method: "PUT", headers: { "Content-Type": type, Authorization } },
    405,
    "The method is not allowed here.",
  );
  assert.equal(wrong.headers.get("allow"), "POST");
  const unsupported = "The body is neither application/x-ndjson nor application/json.";
  for (const type of [
    "",
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/ndjson",
    "application/x-ndjson; charset=utf-16",
  ]) {
    await problem({ headers: { Authorization, ...(type && { "Content-Type": type }) } }, 415, unsupported);
  }
  const json = { Authorization, "Content-Type": "application/json" };
  await problem({ headers: json, body: "{" }, 400, "The body is not JSON.");
  await problem({ headers: json, body: "" }, 400, "The body is not JSON.");
  for (const body of [
    "[]",
    '{"result":"error","message":"Authentication Failed"}',
    '{"result":"success","clients":{}}',
  ]) {
    await problem({ headers: json, body }, 400, "The body is not a successful answer of ListOAuthCredentials.");
  }
  const large = Buffer.alloc(8_388_609, " ");
  const tooLarge = "The request body is larger than 8192 KiB.";
  await problem({ headers: json, body: large }, 413, tooLarge);
  await problem(
    {
      headers: json,
      body: (async function* () {
        for (let n = 0; n < 129; n += 1) yield Buffer.alloc(65_536, " ");
      })(),
    },
    413,
    tooLarge,
  );
  assert.equal((await signet.admin("GET", "/users/n1")).status, 404);
});

test("a list of 8 MiB is accepted", async () => {
  await putUser(signet, "o1", { services: [530] });
  const [valid, invalid] = [whmcsClient("o1", 530, { credentialId: 31 }), { name: "x".repeat(200) }].map((row) =>
    JSON.stringify(row),
  );
  const others = Math.floor((8_388_608 - 1_000) / (invalid.length + 1));
  const body = `{"result":"success","clients":[${valid}${`,${invalid}`.repeat(others)}]}`;
  assert.ok(body.length > 8_380_000 && body.length <= 8_388_608);
  const { reports } = await importLines(signet, body, { type: "application/json" });
  assert.deepEqual(reports.at(-1), { done: counts(others + 1, { created: 1, refused: others }) });
  assert.equal(reports.filter(({ progress }) => progress).length, Math.floor((others + 1) / 1_000));
});

test("the answer has the security headers and the request's id, and the import writes one log line, without secrets", async () => {
  const secret = "an application's secret of forty letters";
  const lines = [
    credentialLine("p1", { delegated: true }, secret),
    credentialLine("p1", { user_id: "p1" }, secret),
    secret,
  ];
  const { headers, reports } = await importLines(signet, lines);
  assert.ok(!JSON.stringify(reports).includes(secret));
  for (const [name, value] of [
    ["cache-control", "no-store"],
    ["x-content-type-options", "nosniff"],
    ["x-frame-options", "DENY"],
    ["referrer-policy", "no-referrer"],
    ["content-security-policy", "default-src 'none'; frame-ancestors 'none'"],
  ])
    assert.equal(headers.get(name), value);
  const request_id = headers.get("x-request-id");
  const { message } = await signet.logged(request_id);
  assert.deepEqual(JSON.parse(message), {
    event: "import",
    outcome: "granted",
    reason: "ok",
    lines: counts(3, { created: 1, refused: 2 }),
    request_id,
  });
  assert.equal(signet.logs.filter(({ message }) => message.includes(request_id)).length, 1);
  assert.ok(!JSON.stringify(signet.logs).includes(secret));
  const kv = await signet.kv();
  assert.ok(!(await kv.get("credential:p1")).includes(secret));
});
