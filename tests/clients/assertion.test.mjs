// An assertion, verified away from Signet: with npm jose, PyPI joserfc and PyPI PyJWT, and nothing but the public keys.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { createLocalJWKSet, jwtVerify } from "jose";
import { root } from "../../scripts/setup.mjs";
import { docBlock } from "../support/docs.mjs";
import { startOrigin } from "../support/origin.mjs";
import { runPython, skip } from "../support/python.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, getToken, putUser, signIn } from "../support/workflow.mjs";

const program = (file) => fileURLToPath(new URL(file, import.meta.url));
let origin, signet, cookie, assertion, token, keys, foreignKeys;

before(async () => {
  origin = await startOrigin();
  signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
  const stranger = await startSignet();
  keys = await keysOf(signet);
  foreignKeys = await keysOf(stranger);
  await stranger.close();
  await putUser(signet, "42");
  const set = await createSet(signet, { user_id: "42" });
  cookie = await signIn(signet, set);
  assertion = await freshAssertion();
  token = await getToken(signet, set);
});
after(async () => {
  await signet?.close();
  origin.close();
});

/** What the client area is sent of the signed-in user. */
async function freshAssertion() {
  const { headers } = await (await signet.fetch("/", { headers: cookie })).json();
  return headers.find(([name]) => name.toLowerCase() === "x-signet-assertion")[1];
}

const keysOf = async (from) => (await from.fetch("/.well-known/jwks.json")).json();

const verifiers = {
  async jose(order) {
    const { payload } = await jwtVerify(order.assertion, createLocalJWKSet(order.keys), {
      issuer: order.issuer,
      audience: order.audience,
      typ: "assertion+jwt",
      algorithms: ["ES256"],
      // Only with this does jose look at `iat`.
      maxTokenAge: 120,
      currentDate: new Date(Date.now() + order.later * 1_000),
    });
    return payload.sub;
  },
  joserfc: (order) => runPython(program("joserfc_verify.py"), order),
  // It refuses an `iat` after its own clock, and so does php-jwt, by the same comparison.
  PyJWT: (order) => runPython(program("pyjwt_verify.py"), order),
};

/** The assertion with a part replaced by what `change` makes of it. */
function tampered(part, change) {
  const parts = assertion.split(".");
  parts[part] = change(parts[part]);
  return parts.join(".");
}

const encoded = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const claimed = (claims) => (payload) => encoded({ ...JSON.parse(Buffer.from(payload, "base64url")), ...claims });

test("the documented example verifies an assertion, and refuses an SSO token", async () => {
  const file = join(root, "target", "documented-example.mjs");
  await writeFile(file, docBlock("docs/client-area.md#assertions").replaceAll("https://my.example.com", signet.issuer));
  const { signedInUser } = await import(pathToFileURL(file));
  const request = (value) => ({ headers: { "x-signet-assertion": value } });
  assert.equal(await signedInUser(request(assertion)), "42");
  for (const bad of [token, undefined, ""]) await assert.rejects(signedInUser(request(bad)));
});

for (const [library, verify] of Object.entries(verifiers)) {
  const options = { skip: library !== "jose" && skip };
  const order = (change) => ({
    assertion,
    keys,
    issuer: signet.issuer,
    audience: `${signet.issuer}/`,
    later: 0,
    ...change,
  });

  test(`RFC 7515 section 5.2: ${library} verifies an assertion with the published keys alone`, options, async () => {
    assert.equal(await verify(order({})), "42");
  });

  test(
    `attack 111, RFC 7519 section 4.1.6: ${library} takes an assertion while its clock is four seconds slow`,
    options,
    async () => {
      const start = await signet.clock.stop();
      try {
        await signet.clock.stop(start + 4_000);
        assert.equal(await verify(order({ assertion: await freshAssertion() })), "42");
        await signet.clock.stop(start + 30_000);
        await assert.rejects(verify(order({ assertion: await freshAssertion() })));
      } finally {
        await signet.clock.set(0);
      }
    },
  );

  test(
    `RFC 7519 section 4.1, RFC 8725: ${library} refuses what was tampered with, is not for it, is dead, or is no assertion`,
    options,
    async () => {
      for (const [what, change] of [
        ["another user", { assertion: tampered(1, claimed({ sub: "1" })) }],
        ["a longer life", { assertion: tampered(1, claimed({ exp: 9_999_999_999 })) }],
        ["another signature", { assertion: tampered(2, () => Buffer.alloc(64, 1).toString("base64url")) }],
        [
          "no signature",
          { assertion: `${encoded({ alg: "none", typ: "assertion+jwt" })}.${assertion.split(".")[1]}.` },
        ],
        ["an SSO token", { assertion: token }],
        ["a stranger's keys", { keys: foreignKeys }],
        ["another issuer", { issuer: "https://other.example" }],
        ["another audience", { audience: "https://other.example/" }],
        ["after its 60 seconds", { later: 61 }],
      ]) {
        await assert.rejects(verify(order(change)), undefined, what);
      }
    },
  );
}
