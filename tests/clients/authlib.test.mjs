// PyPI Authlib, the client library of many Python applications.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { runPython, skip } from "../support/python.mjs";
import { startSignet } from "../support/signet.mjs";
import { createSet, openLink, putUser } from "../support/workflow.mjs";
import { importSet } from "./imported.mjs";

const PROGRAM = fileURLToPath(new URL("authlib_client.py", import.meta.url));
let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "42");
  set = await createSet(signet, { user_id: "42" });
});
after(() => signet.close());

/** Runs the Python client and returns what it printed. */
function fetchToken(change = {}) {
  const { client_id, client_secret } = set;
  const url = `${signet.issuer}/oauth/token`;
  const order = {
    url,
    client_id,
    client_secret,
    method: "client_secret_basic",
    scope: "clientarea:invoices",
    ...change,
  };
  return runPython(PROGRAM, order).then(JSON.parse);
}

for (const method of ["client_secret_basic", "client_secret_post"]) {
  test(`RFC 6749 section 4.5: gets a token with ${method}, and it signs in`, { skip }, async () => {
    const { token } = await fetchToken({ method });
    assert.deepEqual([token.token_type, token.scope], ["Bearer", "clientarea:invoices"]);
    assert.equal((await openLink(signet, token.access_token)).status, 302);
  });

  test(`RFC 6749 section 5.2: a wrong secret by ${method} is an invalid client`, { skip }, async () => {
    const refused = await fetchToken({ method, client_secret: "wrong" });
    assert.deepEqual(refused, { error: "invalid_client", description: "Client authentication failed." });
  });

  test(`RFC 6749 section 2.3.1: a secret full of special characters works by ${method}`, { skip }, async () => {
    // Authlib leaves the form-encoding out of Basic.
    const special = await importSet(signet, "p+q %/=&:~100%");
    assert.ok((await fetchToken({ ...special, method })).token);
  });
}

test("RFC 6749 section 5.2: a scope that is not allowed is refused", { skip }, async () => {
  assert.equal((await fetchToken({ scope: "clientarea:downloads" })).error, "invalid_scope");
});
