// Gateway mode: which headers and cookies pass between a client and the client area's server.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/setup.mjs";
import { startOrigin } from "../support/origin.mjs";
import { skip, startPhp } from "../support/php.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, enterConsole, putUser, signIn, whoIs } from "../support/workflow.mjs";

/** Bytes that are not UTF-8, as Node spells them. */
const BYTES = "caf\xe9 \x80\xff\xc3";
let origin, signet, set;

before(async () => {
  const answering = (headers) => (_, response) => response.writeHead(200, headers).end("ok");
  origin = await startOrigin({
    "/bytes": answering({
      "X-Back": BYTES,
      "Set-Cookie": [`a=${BYTES}; Path=/`, "b=é"],
      "Content-Disposition": `attachment; filename="${BYTES}"`,
    }),
    "/own-cookies": answering({
      "Set-Cookie": [
        "a=1; Path=/",
        "__Host-signet=x; Path=/; Secure",
        "__host-Signet=x; Path=/; Secure",
        " __Host-signet =x; Path=/; Secure",
        "\t__Host-signet=x; Path=/; Secure",
        "=__Host-signet=x",
        "__Host-signet-admin=x; Path=/; Secure",
        "__Host-signet-later=x; Path=/; Secure",
        "b=__Host-signet; Path=/",
      ],
    }),
    "/public": answering({
      "Cache-Control": "public, max-age=60, s-maxage=600",
      "CDN-Cache-Control": "max-age=600",
      "Surrogate-Control": "max-age=600",
    }),
    "/private": answering({ "Cache-Control": "no-cache, max-age=60" }),
    "/hsts": answering({ "Strict-Transport-Security": "max-age=1" }),
    "/odd": (_, response) => response.writeHead(999, "Own Text", { "X-Own": "kept" }).end("odd"),
    "/not-modified": (_, response) => response.writeHead(304, { ETag: '"1"' }).end(),
    "/length": async (request, response) => {
      let length = 0;
      for await (const chunk of request) length += chunk.length;
      response.end(JSON.stringify({ length, expect: request.headers.expect ?? null }));
    },
  });
  signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  set = await createSet(signet, { delegated: true });
  await putUser(signet, "alice");
  await putUser(signet, "mallory");
});
after(async () => {
  await signet.close();
  origin.close();
});

const session = (user = "alice") => signIn(signet, set, { form: { user_id: user } });

/** The header fields that reached the origin, as pairs, the names in lower case. */
async function passed(headers, path = "/") {
  const response = await signet.fetch(path, { headers });
  assert.equal(response.status, 200);
  return (await response.json()).headers.map(([name, value]) => [name.toLowerCase(), value]);
}

/** Names that some server takes for what a proxy says. */
const TRUSTED = [
  "X-Signet-User",
  "X.Signet.User",
  "X~Signet~User",
  "x.signet_user",
  "X-Signet.Assertion",
  "X!Signet'Session",
  "X|Signet|User",
  "X-Forwarded-User",
  "X.Forwarded.User",
  "X_Forwarded-Email",
  "X-Forwarded-Groups",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Forwarded-Server",
  "X-Forwarded-Preferred-Username",
  "X-Forwarded-Access-Token",
  "X-Forwarded",
  "Forwarded",
  "Forwarded-For",
  "Remote-User",
  "REMOTE_USER",
  "Remote.Groups",
  "X-Remote-User",
  "X-Remote-Group",
  "X-Original-URL",
  "X_Original_URL",
  "X-Original-Host",
  "X-Rewrite-URL",
  "X.Rewrite.URL",
  "X-Client-IP",
  "Client-IP",
  "Client_IP",
  "True-Client-IP",
  "X-Cluster-Client-IP",
  "X-Auth-Request-User",
  "X-WebAuth-User",
  "X-Authenticated-User",
  "X-MS-Client-Principal",
  "X-Goog-Authenticated-User-Email",
  "X-Amzn-Oidc-Identity",
  "X-SSL-Client-S-DN",
  "SSL_CLIENT_S_DN",
  "X-Host",
  "Proxy",
  "CF_Connecting_IP",
  "CF.Connecting.IP",
  "cf-connecting_ip",
];

test("attack 102, RFC 3875 section 4.1.18: headers that only a proxy may set never pass, in any spelling, with or without a session", async () => {
  for (const cookie of [[], Object.entries(await session())]) {
    for (const name of TRUSTED) {
      for (const headers of [
        [[name, "mallory"]],
        [
          [name, "mallory"],
          [name, "mallory"],
        ],
        [
          [name, "mallory"],
          ["Connection", name],
        ],
      ]) {
        const seen = await passed([...headers, ...cookie]);
        assert.ok(!JSON.stringify(seen).includes("mallory"), `${name}: ${JSON.stringify(seen)}`);
      }
    }
    const all = await passed([...TRUSTED.map((name) => [name, "mallory"]), ...cookie]);
    assert.ok(!JSON.stringify(all).includes("mallory"), JSON.stringify(all));
    assert.equal(Object.fromEntries(all)["x-signet-user"], cookie.length > 0 ? "alice" : undefined);
  }
});

test("other headers pass unchanged: X_App, X.App and other names of applications", async () => {
  const own = [
    ["X_App", "1"],
    ["X.App~Key", "2"],
    ["X-Requested-With", "XMLHttpRequest"],
    ["X-Client-Version", "3"],
    ["X-CSRF-Token", "4"],
    ["Accept-Language", "de"],
  ];
  const seen = Object.fromEntries(await passed(own));
  for (const [name, value] of own) assert.equal(seen[name.toLowerCase()], value, name);
});

test("the origin gets the caller's address from the platform alone", async () => {
  const claims = [
    ["X-Forwarded-For", "192.0.2.66"],
    ["X-Real-IP", "192.0.2.66"],
    ["X-Forwarded-Host", "evil.example"],
    ["X-Forwarded-Proto", "gopher"],
  ];
  const { host } = new URL(signet.issuer);
  for (const [more, address] of [
    [[], undefined],
    [[["CF-Connecting-IP", "198.51.100.7"]], "198.51.100.7"],
    [[["CF-Connecting-IP", "2001:db8::1"]], "2001:db8::1"],
  ]) {
    const seen = Object.fromEntries(await passed([...claims, ...more]));
    const said = ["x-forwarded-for", "x-real-ip", "x-forwarded-host", "x-forwarded-proto"].map((name) => seen[name]);
    assert.deepEqual(said, [address, address, host, "http"]);
  }
});

test("attack 102: PHP behind the gateway sees one identity in one spelling", { skip }, async () => {
  const php = await startPhp();
  const other = await startSignet({ vars: { ORIGIN_URL: `http://127.0.0.1:${php.port}` } });
  try {
    await putUser(other, "alice");
    const cookie = await signIn(other, await createSet(other, { user_id: "alice" }));
    for (const more of [[], [...Object.entries(cookie)]]) {
      const response = await other.fetch("/", { headers: [...TRUSTED.map((name) => [name, "mallory"]), ...more] });
      const { server, cookies } = await response.json();
      assert.ok(!JSON.stringify(server).includes("mallory"), JSON.stringify(server));
      assert.equal(server.HTTP_X_SIGNET_USER, more.length > 0 ? "alice" : undefined);
      assert.deepEqual(cookies, {});
    }
  } finally {
    await other.close();
    await php.close();
  }
});

/** A GET with a cookie of any bytes, which Node's client would not send. */
async function rawGet(path, cookie, origin = signet.issuer) {
  const { host, port } = new URL(origin);
  const socket = connect(port, "127.0.0.1");
  socket.write(
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\nCookie: ${cookie}\r\n\r\n`, "latin1"),
  );
  let answer = "";
  for await (const part of socket) {
    answer += part;
    // It has come whole: the platform does not hang up by itself.
    if (answer.endsWith("}") || answer.endsWith("</html>") || /^HTTP.1.1 400/.test(answer)) break;
  }
  return { status: Number(answer.slice(9, 12)), body: answer.slice(answer.indexOf("\r\n\r\n") + 4) };
}

test("attack 101, RFC 6265bis sections 5.4 and 5.7: a cookie of another name signs nobody in and locks nobody out", async () => {
  const [, theirs] = (await session("mallory")).Cookie.split("=");
  const alice = await session();
  const [, operators] = (await enterConsole(signet)).Cookie.split("=");
  // Bytes: U+0085 and U+00A0 alone and in UTF-8, U+2000, U+3000, U+FEFF, VT, FF and other control characters.
  const marks = [
    "x=1,",
    "x=1, ",
    ",",
    "\x85",
    "\xc2\x85",
    "\xa0",
    "\xc2\xa0",
    "\xe2\x80\x80",
    "\xe3\x80\x80",
    "\xef\xbb\xbf",
    "\x0b",
    "\x0c",
    "\x1f",
    "\x01",
    "-",
    "x-",
  ];
  for (const mark of marks) {
    for (const tossed of [
      `${mark}__Host-signet=${theirs}`,
      `${mark}__Host-signet=j`,
      `a=b; ${mark}__Host-signet=${theirs}`,
    ]) {
      const alone = await rawGet("/oauth/session", tossed);
      assert.ok([400, 401].includes(alone.status), `${JSON.stringify(tossed)}: ${alone.status}`);
      for (const both of [`${tossed}; ${alice.Cookie}`, `${alice.Cookie}; ${tossed}`]) {
        const answer = await rawGet("/oauth/session", both);
        // The platform refuses some control characters itself.
        if (answer.status !== 400) assert.equal(JSON.parse(answer.body).user_id, "alice", JSON.stringify(both));
      }
    }
    const console = await rawGet("/admin", `${mark}__Host-signet-admin=${operators}`, signet.consoleOrigin);
    assert.ok([400, 401].includes(console.status), `console, ${JSON.stringify(mark)}: ${console.status}`);
  }
  for (const pair of [
    [
      ["Cookie", "a=1"],
      ["Cookie", alice.Cookie],
    ],
    [
      ["Cookie", alice.Cookie],
      ["Cookie", "a=1"],
    ],
    [
      ["Cookie", alice.Cookie],
      ["Cookie", alice.Cookie],
    ],
  ]) {
    assert.equal((await signet.fetch("/oauth/session", { headers: pair })).status, 401, "two headers fail closed");
  }
  assert.equal(await whoIs(signet, { Cookie: `a=1;\t${alice.Cookie.replace("=", " =\t")} ; b=2` }), "alice");
});

test("attack 103: Signet's cookies never reach the origin; all others do, unchanged", async () => {
  const { Cookie: mine } = await session();
  const { Cookie: operators } = await enterConsole(signet);
  for (const [sent, arrives] of [
    [mine, undefined],
    [`${mine}; a=1; b="2 ,3"`, 'a=1; b="2 ,3"'],
    [`a=1; ${mine}; ${operators};b=2`, "a=1;b=2"],
    [`a=1;  ${operators}`, "a=1"],
    [`__HOST-SIGNET=x; a=1; __Host-signet-later=y`, "a=1"],
    [`a=1; __Host-app=2`, "a=1; __Host-app=2"],
    ["a=é€; b", "a=é€; b"],
  ]) {
    const seen = await passed([
      ["Cookie", Buffer.from(sent).toString("latin1")],
      ["X-Other", "kept"],
    ]);
    const cookies = seen
      .filter(([name]) => name === "cookie")
      .map(([, value]) => Buffer.from(value, "latin1").toString());
    assert.deepEqual(cookies, arrives === undefined ? [] : [arrives], sent);
    assert.ok(!JSON.stringify(seen).toLowerCase().includes("__host-signet"), sent);
  }
  const repeated = await passed([
    ["Cookie", "a=1"],
    ["Cookie", mine],
    ["Cookie", "b=2"],
  ]);
  assert.ok(!JSON.stringify(repeated).includes("__Host-signet"), JSON.stringify(repeated));
});

test("attack 103: the origin cannot set Signet's cookies", async () => {
  for (const headers of [{}, await session()]) {
    const response = await signet.fetch("/own-cookies", { headers });
    assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=__Host-signet; Path=/"]);
  }
});

test("attack 111, RFC 9110 section 5.5: bytes that are not UTF-8 pass both ways, unchanged", async () => {
  for (const cookie of [[], Object.entries(await session())]) {
    const sent = [
      ["X-Name", BYTES],
      ["Content-Disposition", `attachment; filename="${BYTES}"`],
      ["X-Latin", "\xe9"],
      ["X-Utf", "\xc3\xa9"],
    ];
    const seen = Object.fromEntries(await passed([...sent, ...cookie]));
    for (const [name, value] of sent) assert.equal(seen[name.toLowerCase()], value, name);
    const { headers } = await signet.fetch("/bytes", { headers: cookie });
    assert.deepEqual(
      [headers.get("x-back"), headers.get("content-disposition")],
      [BYTES, `attachment; filename="${BYTES}"`],
    );
    assert.deepEqual(headers.getSetCookie(), [`a=${BYTES}; Path=/`, "b=é"]);
  }
  const cookies = (await passed([["Cookie", `a=${BYTES}; b=1`]])).filter(([name]) => name === "cookie");
  assert.deepEqual(cookies, [["cookie", `a=${BYTES}; b=1`]]);
});

test("attack 111, RFC 9110 section 10.1.1: curl uploads more than 1 MB with Expect: 100-continue", async () => {
  const file = join(root, "target", "upload");
  await writeFile(file, Buffer.alloc(1_500_000, "x"));
  for (const [name, value] of [["X-None", "x"], ...Object.entries(await session())]) {
    for (const more of [[], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"], ["-T", file]]) {
      const args = [
        "-sS",
        "-H",
        `${name}: ${value}`,
        ...(more[0] === "-T" ? [] : ["--data-binary", `@${file}`]),
        ...more,
        `${signet.issuer}/length`,
      ];
      const { stdout } = await promisify(execFile)("curl", args);
      assert.deepEqual(JSON.parse(stdout), { length: 1_500_000, expect: null }, args.join(" "));
    }
  }
});

test("shared caches neither store nor serve an answer with an identity", async () => {
  const cookie = await session();
  for (const [path, control, cdn] of [
    ["/public", "public, max-age=60, s-maxage=600", "max-age=600"],
    ["/private", "no-cache, max-age=60", null],
  ]) {
    const { headers } = await signet.fetch(path);
    assert.deepEqual(
      [headers.get("cache-control"), headers.get("cdn-cache-control")],
      [control, cdn],
      "nobody's answer stays",
    );
  }
  const mine = (await signet.fetch("/public", { headers: cookie })).headers;
  assert.equal(mine.get("cache-control"), "max-age=60, private");
  for (const name of ["cdn-cache-control", "surrogate-control"]) assert.equal(mine.get(name), null, name);
  assert.equal(
    (await signet.fetch("/private", { headers: cookie })).headers.get("cache-control"),
    "no-cache, max-age=60, private",
  );
  assert.equal(
    (await signet.fetch("/echo", { headers: cookie })).headers.get("cache-control"),
    "private",
    "nothing forbids it otherwise",
  );
  // The platform asks the origin's own caches for a fresh answer, unless the client sends a Cache-Control of its own.
  const asked = async (headers) => Object.fromEntries(await passed(headers))["cache-control"];
  assert.deepEqual(
    [await asked({}), await asked(cookie), await asked({ ...cookie, "Cache-Control": "max-age=0" })],
    [undefined, "no-cache", "max-age=0"],
  );
});

test("RFC 6797: answers by https have HSTS unless the origin sets its own, answers on localhost have none; a status of 999 passes", async () => {
  assert.equal((await signet.fetch("/private")).headers.get("strict-transport-security"), null);
  const other = await startSignet({ vars: { ORIGIN_URL: origin.url, ISSUER: "https://my.example" } });
  const headers = { Host: "my.example" };
  try {
    for (const [path, value] of [
      ["/private", "max-age=63072000"],
      ["/not-modified", "max-age=63072000"],
      ["/hsts", "max-age=1"],
    ]) {
      assert.equal((await other.fetch(path, { headers })).headers.get("strict-transport-security"), value, path);
    }
    const [odd] = await once(httpRequest(`${other.issuer}/odd`, { headers }).end(), "response");
    assert.deepEqual(
      [odd.statusCode, odd.statusMessage, odd.headers["x-own"], String(await odd.toArray())],
      [999, "Own Text", "kept", "odd"],
    );
    const seen = (await (await other.fetch("/", { headers })).json()).headers.map(([name, value]) => [
      name.toLowerCase(),
      value,
    ]);
    assert.deepEqual(Object.fromEntries(seen)["x-forwarded-proto"], "https");
  } finally {
    await other.close();
  }
});

test("answers without a body keep their status and headers: HEAD and 304", async () => {
  for (const [headers, control] of [
    [{}, "no-cache, max-age=60"],
    [await session(), "no-cache, max-age=60, private"],
  ]) {
    const head = await signet.fetch("/private", { method: "HEAD", headers });
    assert.deepEqual([head.status, head.headers.get("cache-control"), await head.text()], [200, control, ""]);
    const unchanged = await signet.fetch("/not-modified", { headers });
    assert.deepEqual([unchanged.status, unchanged.headers.get("etag")], [304, '"1"']);
  }
});
