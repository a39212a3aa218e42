// With invalid settings nothing is served.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startSignet } from "../support/signet.mjs";

const STRONG = randomBytes(32).toString("base64url");

const key = (bytes) => `k1:${Buffer.from(bytes).toString("base64url")}`;
/** Secrets that are long enough, and no secrets: one byte or one text again and again, few different bytes, one key twice. */
const WEAK = [
  ["SIGNING_KEYS", key(Array(32).fill(7))],
  ["SIGNING_KEYS", key([...Array(40).fill(7), 1, 2, 3, 4])],
  ["SIGNING_KEYS", key(Buffer.from("changeme".repeat(4)))],
  ["SIGNING_KEYS", `k1:${STRONG},k2:${STRONG}`],
  ["ADMIN_TOKEN", "a".repeat(64)],
  ["ADMIN_TOKEN", `${"a".repeat(40)}bcde`],
  ["ADMIN_TOKEN", "changeme".repeat(8)],
];

for (const [name, value] of [
  ...WEAK,
  ["SIGNING_KEYS", null],
  ["SIGNING_KEYS", "k1:c2hvcnQ"],
  ["ADMIN_TOKEN", "only-31-characters-are-too-few!"],
  ["ISSUER", null],
  ["ISSUER", "http://sso.example"],
  ["CLIENT_AREA_URL", "http://my.example/"],
  ["DESTINATIONS", { "clientarea:invoices": "https://evil.example/" }],
  ["TOKEN_TTL", 61],
  ["API_ALLOW_GET", "yes"],
  ["HSTS_INCLUDE_SUBDOMAINS", "yes"],
  ["BROWSER_NONCE", "yes"],
  ["EVENT_RETENTION_DAYS", 0],
  ["CONSOLE_ORIGIN", "my-console"],
]) {
  const rule = WEAK.some(([, weak]) => weak === value)
    ? "attack 112, RFC 8725 section 3.5"
    : "RFC 7518 section 3.2 and its like";
  test(`${rule}: ${name}=${JSON.stringify(value)} is 503 and named, but never shown`, async () => {
    const signet = await startSignet({ vars: { [name]: value } });
    try {
      const health = await signet.fetch("/healthz");
      assert.equal(health.status, 503);
      const { problems } = await health.json();
      assert.deepEqual(
        problems.map(({ setting }) => setting),
        [name],
      );
      for (const [method, path] of [
        ["POST", "/oauth/token"],
        ["GET", "/oauth/singlesignon?access_token=x"],
        ["GET", "/oauth/session"],
        ["POST", "/oauth/logout"],
        ["GET", "/admin/v1/users/1"],
      ]) {
        const response = await signet.fetch(path, { method });
        assert.equal(response.status, 503, path);
        assert.ok(response.headers.get("retry-after"));
      }
      const line = await signet.logged("config.invalid");
      assert.ok(line.message.includes(name));
      if (typeof value === "string") assert.ok(!signet.logs.some(({ message }) => message.includes(value)));
    } finally {
      await signet.close();
    }
  });
}

test("ASVS 3.5.4: in gateway mode neither the client area's server, which would be a loop, nor the console may be at the issuer", async () => {
  const issuer = "https://sso.example";
  for (const [vars, named] of [
    [{ ISSUER: issuer, ORIGIN_URL: issuer, CONSOLE_ORIGIN: null }, ["ORIGIN_URL"]],
    [{ ISSUER: issuer, ORIGIN_URL: "https://server.example", CONSOLE_ORIGIN: issuer }, ["CONSOLE_ORIGIN"]],
    [
      { ISSUER: issuer, ORIGIN_URL: "https://server.example", CONSOLE_ORIGIN: "https://server.example" },
      ["ORIGIN_URL"],
    ],
  ]) {
    const signet = await startSignet({ vars });
    try {
      const { problems } = await (await signet.fetch("/healthz")).json();
      assert.deepEqual(
        problems.map(({ setting }) => setting),
        named,
      );
      assert.equal((await signet.fetch("/")).status, 503);
    } finally {
      await signet.close();
    }
  }
});

test("a missing binding is named at /healthz", async () => {
  const signet = await startSignet({ vars: { SIGNET_KV: null, USERS: null, CONSOLE: null } });
  try {
    const health = await signet.fetch("/healthz");
    assert.equal(health.status, 503);
    assert.deepEqual(
      (await health.json()).problems.map(({ setting }) => setting),
      ["SIGNET_KV", "USERS", "CONSOLE"],
    );
  } finally {
    await signet.close();
  }
});

test("valid settings are healthy", async () => {
  const signet = await startSignet();
  try {
    const health = await signet.fetch("/healthz");
    assert.deepEqual([health.status, await health.json()], [200, { status: "ok" }]);
  } finally {
    await signet.close();
  }
});

test("attack 103: an uploaded version of the Worker has no preview URL", async () => {
  const config = await readFile(new URL("../../wrangler.toml", import.meta.url), "utf8");
  assert.match(config.split(/^\[/m)[0], /^preview_urls = false$/m, "where TOML takes it for the Worker's own");
});
