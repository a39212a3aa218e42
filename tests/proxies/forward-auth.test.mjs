// Forward authentication with real proxies, configured as documented, in front of a real client area.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { localOrigin } from "../../scripts/setup.mjs";
import { startOrigin } from "../support/origin.mjs";
import { echoProgram, skipFastCgi, startPhp } from "../support/php.mjs";
import { freePort } from "../support/port.mjs";
import { names, skip, startProxy } from "../support/proxies.mjs";
import { startSignet } from "../support/signet.mjs";
import { openWebSocket } from "../support/websocket.mjs";
import { cookieOf, createSet, getToken, json, putUser, signIn } from "../support/workflow.mjs";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
const LOGIN_URL = "https://panel.example.com/login";
const page = { Accept: "text/html" };
/** Names that some server takes for what a proxy says. */
const TRUSTED = [
  "X.Signet.User",
  "X~Signet~User",
  "x.signet_user",
  "X-Signet.User",
  "X!Signet!User",
  "X.Forwarded.User",
  "X-Forwarded.User",
  "X-Forwarded-Email",
  "X-Forwarded-Groups",
  "X-Forwarded-Port",
  "X-Forwarded-Prefix",
  "X-Forwarded-Server",
  "Forwarded",
  "Remote-User",
  "Remote_User",
  "Remote.User",
  "X-Remote-User",
  "X.Remote.User",
  "X-Auth-Request-User",
  "X-Auth.Request-User",
  "X-WebAuth-User",
  "X-Authenticated-User",
  "X-Original-URL",
  "X.Original.URL",
  "X-Rewrite-URL",
  "X_Rewrite_URL",
  "X-Real-IP",
  "X_Real_IP",
  "X.Real.IP",
  "X-Client-IP",
  "Client-IP",
  "Client_IP",
  "True-Client-IP",
  "X-Cluster-Client-IP",
  "X-Forwarded-For",
  "Proxy",
];

describe("PHP behind Caddy", { skip: skip.caddy || skipFastCgi }, () => {
  let signet, php, proxy;

  before(async () => {
    php = await startPhp({ fastCgi: true });
    const port = await freePort();
    signet = await startSignet({ vars: { ISSUER: localOrigin(port) } });
    const transport = `transport fastcgi {\nenv SCRIPT_FILENAME ${echoProgram}\n}`;
    const adapt = (config) => config.replace("header_up X-Real-IP {remote_host}", (line) => `${line}\n${transport}`);
    proxy = await startProxy("caddy", {
      port,
      signet: signet.issuer,
      clientArea: `http://127.0.0.1:${php.port}`,
      adapt,
    });
    await putUser(signet, "alice");
  });
  after(async () => {
    await proxy?.close();
    await signet?.close();
    await php?.close();
  });

  test("attack 102, RFC 3875 section 4.1.18: PHP sees one identity, and no other spelling of it", async () => {
    const cookie = await signIn(signet, await createSet(signet, { user_id: "alice" }));
    for (const names of [...TRUSTED.map((name) => [name]), TRUSTED]) {
      const headers = [...Object.entries(cookie), ...names.map((name) => [name, "mallory"])];
      const { server } = await (await proxy.fetch("/billing/", { headers })).json();
      assert.equal(server.HTTP_X_SIGNET_USER, "alice", String(names));
      assert.ok(!JSON.stringify(server).includes("mallory"), `${names}: ${JSON.stringify(server)}`);
    }
  });
});

for (const name of names) {
  describe(name, { skip: skip[name] }, () => {
    let origin, signet, proxy, set;

    /** Starts the proxy on a port that Signet already knows as its own origin. */
    const front = (port, change = {}) =>
      startProxy(name, { port, signet: signet.issuer, clientArea: origin.url, ...change });

    before(async () => {
      origin = await startOrigin();
      const port = await freePort();
      signet = await startSignet({ vars: { ISSUER: localOrigin(port) } });
      proxy = await front(port);
      set = await createSet(signet, { delegated: true });
      await putUser(signet, "alice");
      await putUser(signet, "mallory");
    });
    after(async () => {
      await proxy?.close();
      await signet?.close();
      origin.close();
    });

    /** Signs in through the proxy, as a browser would, and returns the cookie. */
    async function session(user = "alice") {
      const opened = await proxy.fetch(
        `/oauth/singlesignon?access_token=${await getToken(signet, set, { user_id: user })}`,
      );
      assert.equal(opened.status, 302);
      assert.ok(opened.headers.get("location").startsWith(`${proxy.origin}/`));
      return cookieOf(opened);
    }

    /** What reached the client area under names of identity: pairs, the names in one spelling. */
    async function identity(init) {
      const response = await proxy.fetch("/billing/?a=b", init);
      assert.equal(response.status, 200);
      const { headers } = await response.json();
      const named = headers.map(([key, value]) => [key.toLowerCase().replaceAll(/[^a-z0-9]/g, "-"), value]);
      return named.filter(
        ([key, value]) => key.includes("signet") || key === "x-forwarded-user" || value.includes("mallory"),
      );
    }

    test("the client area learns who is signed in, once and no more", async () => {
      const cookie = await session();
      const live = await (await signet.fetch("/oauth/session", { headers: cookie })).json();
      assert.deepEqual((await identity({ headers: cookie })).sort(), [
        ["x-signet-expires", String(live.expires_at)],
        ["x-signet-session", live.session_id],
        ["x-signet-user", "alice"],
      ]);
    });

    test("without a session the client area is never reached, by any method", async () => {
      const before = origin.requests;
      for (const method of METHODS) {
        for (const headers of [
          json,
          { ...json, Cookie: "__Host-signet=x" },
          { ...json, "X-Forwarded-Method": "OPTIONS" },
        ]) {
          const body = ["POST", "PUT", "PATCH"].includes(method) ? "lost" : undefined;
          assert.equal((await proxy.fetch("/billing/", { method, headers, body })).status, 401, method);
        }
      }
      assert.equal(origin.requests, before);
    });

    test("with a session everything passes: method, query and a large body", async () => {
      const cookie = await session();
      for (const method of METHODS.filter((method) => method !== "HEAD")) {
        const response = await (await proxy.fetch("/a?b=c&d=%20", { method, headers: cookie })).json();
        assert.deepEqual([response.method, response.url], [method, "/a?b=c&d=%20"]);
      }
      const body = "x".repeat(900_000);
      const sent = await (await proxy.fetch("/a", { method: "POST", headers: cookie, body })).json();
      assert.equal(sent.body, body);
    });

    /** What a client may send to pass for somebody, or to be let by. */
    const claims = [
      ...[
        "X-Signet-User",
        "x-signet-user",
        "X_Signet_User",
        "X_SIGNET_USER",
        "X-Signet_User",
        "X-Signet-Assertion",
        "X_Signet_Assertion",
      ].flatMap((header) => [
        [[header, "mallory"]],
        [
          [header, "mallory"],
          [header, "mallory"],
        ],
      ]),
      [
        ["X-Signet-Session", "mallory"],
        ["X-Signet-Expires", "mallory"],
      ],
      [
        ["X-Signet-User", "mallory"],
        ["Connection", "X-Signet-User"],
      ],
      [
        ["X-Signet-User", "mallory"],
        ["Connection", "close, X-Signet-User, X-Signet-Session"],
      ],
      [
        ["X_Signet_User", "mallory"],
        ["Connection", "keep-alive, x_signet_user"],
      ],
      ...["X-Forwarded-User", "X_Forwarded_User", "X-Forwarded_User", "X_Forwarded-User"].map((header) => [
        [header, "mallory"],
      ]),
      ...TRUSTED.map((header) => [[header, "mallory"]]),
      TRUSTED.map((header) => [header, "mallory"]),
      [
        ["X-Forwarded-Uri", "/healthz"],
        ["X-Original-URL", "/healthz"],
        ["X-Forwarded-Method", "OPTIONS"],
        ["X-Forwarded-Host", "evil.example"],
      ],
    ];

    test("CVE-2026-40575: whatever identity a client sends, in any spelling, it opens nothing without a session", async () => {
      const before = origin.requests;
      for (const headers of claims) {
        assert.equal(
          (await proxy.fetch("/billing/", { headers: [["Accept", "application/json"], ...headers] })).status,
          401,
          JSON.stringify(headers),
        );
      }
      assert.equal(origin.requests, before);
    });

    test("CVE-2026-40575: with a session the user stays who the cookie says, and nothing of the client's passes", async () => {
      const cookie = Object.entries(await session());
      for (const headers of claims) {
        const seen = await identity({ headers: [...cookie, ...headers] });
        const label = `${JSON.stringify(headers)}: ${JSON.stringify(seen)}`;
        assert.deepEqual(
          seen.map(([key]) => key).sort(),
          ["x-signet-expires", "x-signet-session", "x-signet-user"],
          label,
        );
        assert.equal(seen.find(([key]) => key === "x-signet-user")[1], "alice", label);
      }
    });

    test("the client area learns the caller's address from the proxy", async () => {
      const headers = [
        ...Object.entries(await session()),
        ["X-Forwarded-For", "192.0.2.66"],
        ["X-Real-IP", "192.0.2.66"],
      ];
      const { headers: seen } = await (await proxy.fetch("/", { headers })).json();
      const addresses = seen
        .filter(([key]) => ["x-forwarded-for", "x-real-ip"].includes(key.toLowerCase()))
        .map(([, value]) => value);
      assert.deepEqual(addresses, ["127.0.0.1", "127.0.0.1"]);
    });

    test("attack 101, RFC 6265bis sections 5.4 and 5.7: no cookie of another name signs anybody in through the proxy", async () => {
      const [, theirs] = (await session("mallory")).Cookie.split("=");
      const alice = await session();
      for (const mark of [
        "x=1,",
        "x=1, ",
        "\x85",
        "\xc2\x85",
        "\xa0",
        "\xc2\xa0",
        "\xe2\x80\x80",
        "\xe3\x80\x80",
        "x-",
      ]) {
        const tossed = `${mark}__Host-signet=${theirs}`;
        assert.equal(
          (await proxy.fetch("/billing/", { headers: { ...json, Cookie: tossed } })).status,
          401,
          JSON.stringify(mark),
        );
        for (const both of [`${tossed}; ${alice.Cookie}`, `${alice.Cookie}; ${tossed}`]) {
          const seen = await identity({ headers: { Cookie: both } });
          assert.equal(seen.find(([key]) => key === "x-signet-user")[1], "alice", JSON.stringify(both));
        }
      }
    });

    test("the user's page and signing out work through the proxy; an old cookie is refused at once", async () => {
      const cookie = await session();
      const shown = await proxy.fetch("/account/security", { headers: cookie });
      assert.match(await shown.text(), /Signed in as <strong>alice/);
      const out = await proxy.fetch("/oauth/logout", { method: "POST", headers: cookie, body: new URLSearchParams() });
      assert.deepEqual([out.status, out.headers.get("refresh")], [200, `0; url=${proxy.origin}/`]);
      assert.equal((await proxy.fetch("/billing/", { headers: { ...json, ...cookie } })).status, 401);
    });

    test("closing the account shuts the client area at the next request", async () => {
      await putUser(signet, "closing");
      const cookie = await session("closing");
      assert.equal((await proxy.fetch("/billing/", { headers: cookie })).status, 200);
      await signet.admin("PATCH", "/users/closing", { status: "Closed" });
      assert.equal((await proxy.fetch("/billing/", { headers: { ...json, ...cookie } })).status, 401);
    });

    test("RFC 7517, RFC 8414: keys and metadata are served; administration and health are not", async () => {
      for (const path of ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server"]) {
        assert.equal((await proxy.fetch(path)).status, 200, path);
      }
      const below = [
        "/oauth/..\\",
        "/oauth/a%2fb/../../",
        "/oauth/a%2fb/.%2e/%2E./",
        "/oauth/%2e%2e/",
        "/oauth/../",
        "/oauth/%252e%252e/",
      ];
      const outside = ["admin/v1/users/alice", "healthz"].flatMap((path) =>
        ["/", ...below].map((start) => start + path),
      );
      for (const path of [...outside, "/.signet"]) {
        const response = await proxy.fetch(path, {
          headers: { ...json, Authorization: `Bearer ${signet.adminToken}` },
        });
        assert.ok([401, 404].includes(response.status), `${path}: ${response.status}`);
      }
    });

    test("RFC 6455: a WebSocket passes with its user, and not without a session", async () => {
      assert.equal((await openWebSocket(proxy.origin, "/socket", json)).status, 401);
      const { peer } = await openWebSocket(proxy.origin, "/socket", await session());
      peer.send("hello");
      assert.equal(await peer.next(), "alice: hello");
      peer.destroy();
    });

    test("LOGIN_URL: people are sent to sign in, programs get 401", async () => {
      const port = await freePort();
      const withLogin = await startSignet({ vars: { ISSUER: localOrigin(port), LOGIN_URL } });
      // nginx's auth_request passes no redirect on, so the configuration has its own, commented out.
      const adapt = (config) => config.replace("# error_page", "error_page");
      const other = await front(port, { signet: withLogin.issuer, adapt });
      try {
        const people = await other.fetch("/billing/", { headers: page });
        assert.deepEqual([people.status, people.headers.get("location")], [302, LOGIN_URL]);
        for (const init of [{ headers: json }, { method: "POST", headers: page, body: "x" }]) {
          assert.equal((await other.fetch("/billing/", init)).status, 401, JSON.stringify(init));
        }
      } finally {
        await other.close();
        await withLogin.close();
      }
    });

    test("when Signet does not answer, the client area stays shut", async () => {
      const cookie = await session();
      const other = await front(await freePort(), { signet: localOrigin(await freePort()) });
      const before = origin.requests;
      try {
        const response = await other.fetch("/billing/", { headers: cookie });
        assert.ok(response.status >= 500, String(response.status));
      } finally {
        await other.close();
      }
      await signet.faults.set([{ target: "object.run", mode: "throw" }]);
      const failing = await proxy.fetch("/billing/", { headers: cookie });
      await signet.faults.set([]);
      assert.ok(failing.status >= 500, String(failing.status));
      assert.equal(origin.requests, before);
    });
  });
}
