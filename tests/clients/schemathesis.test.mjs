// PyPI Schemathesis, which reads /openapi.json and invents requests: valid ones, invalid ones, and sequences of them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { readDescription } from "../support/openapi.mjs";
import { pythonProgram, skip } from "../support/python.mjs";
import { seed } from "../support/random.mjs";
import { startSignet } from "../support/signet.mjs";
import { fullSize } from "../support/size.mjs";
import { claimsOf, createSet, getToken, putUser, signIn } from "../support/workflow.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const ACTIONS = [
  "CreateSsoToken",
  "CreateOAuthCredential",
  "UpdateOAuthCredential",
  "DeleteOAuthCredential",
  "ListOAuthCredentials",
];
/** How many requests are invented for each operation, beside those that cover each constraint; SIGNET_FUZZ asks for more. */
const EXAMPLES = process.env.SIGNET_FUZZ ?? (fullSize ? "40" : "10");
const USER = "42";
let signet, folder;

before(async () => {
  signet = await startSignet();
  folder = await mkdtemp(join(tmpdir(), "schemathesis-"));
});
after(async () => {
  await signet.close();
  await rm(folder, { recursive: true });
});

/** Who the run is: a user, signed in; an application with a token; an API credential; an administrator. */
async function identities() {
  await putUser(signet, USER, { services: [12], domains: [34] });
  const set = await createSet(signet, { user_id: USER, scopes: ["clientarea:invoices", "sso:custom_redirect"] });
  const { Cookie } = await signIn(signet, set);
  const { jti } = claimsOf(await getToken(signet, set));
  const { body: api } = await signet.admin("POST", "/api-credentials", { name: "Panel", actions: ACTIONS });
  return {
    USER,
    CLIENT_ID: set.client_id,
    CLIENT_SECRET: set.client_secret,
    COOKIE: Cookie.split("=")[1],
    JTI: jti,
    API_IDENTIFIER: api.identifier,
    API_SECRET: api.secret,
    ADMIN_TOKEN: signet.adminToken,
  };
}

/** Runs Schemathesis and returns `{ status, output }`. */
async function schemathesis(who) {
  const config = join(folder, "schemathesis.toml");
  const template = await readFile(join(HERE, "schemathesis.toml"), "utf8");
  await writeFile(
    config,
    template.replace(/<(\w+)>/g, (_, name) => who[name]),
  );
  const variables = Object.entries(who).map(([name, value]) => [`SIGNET_${name}`, value]);
  const env = { ...process.env, ...Object.fromEntries(variables), PYTHONPATH: HERE, PYTHONDONTWRITEBYTECODE: "1" };
  const options = ["--no-color", "--seed", String(seed()), "--max-examples", EXAMPLES];
  const args = ["--config-file", config, "run", `${signet.issuer}/openapi.json`, ...options];
  const child = spawn(pythonProgram("schemathesis"), args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const [status, ...outputs] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { status, output: outputs.join("") };
}

test("OpenAPI 3.1: no invented request gets a 5xx, or an answer of another status, type, header or content than described", {
  skip,
}, async () => {
  const who = await identities();
  const { status, output } = await schemathesis(who);
  assert.equal(status, 0, output);
  const { operations } = await readDescription(signet);
  assert.ok(
    output.includes(`Tested: ${operations.length - 1}\n`),
    `all but the one that gave it the description: ${output}`,
  );
  assert.deepEqual(
    signet.logs.filter(({ message }) => /panick|RuntimeError|"outcome":"failed"/.test(message)),
    [],
  );
  const set = { client_id: who.CLIENT_ID, client_secret: who.CLIENT_SECRET };
  assert.ok(await signIn(signet, set), "a sign-in works afterwards");
});
