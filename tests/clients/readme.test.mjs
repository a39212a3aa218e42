// The README's commands, run as they are written.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { allDone, secretOf, whmcsClient } from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import { postToken } from "../support/workflow.mjs";

/** The commands of a section of the README, block by block. */
async function blocksOf(heading) {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.split(`\n${heading}\n`)[1].split(/\n##+ /)[0];
  return [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block);
}

/** Runs commands in a folder of their own and returns what they print. */
async function run(signet, script) {
  const folder = await mkdtemp(join(tmpdir(), "signet-readme-"));
  try {
    await writeFile(join(folder, ".dev.vars"), `ADMIN_TOKEN="${signet.adminToken}"\n`);
    const commands = script.replaceAll("http://localhost:8787", signet.issuer);
    return (await promisify(execFile)("bash", ["-euo", "pipefail", "-c", commands], { cwd: folder })).stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the walk-through of the README ends in the client area, signed in", async () => {
  const blocks = await blocksOf("## Walk through it with curl");
  assert.equal(blocks.length, 6);
  const signet = await startSignet();
  try {
    const printed = await run(signet, blocks.join("\n"));
    assert.ok(printed.includes(`Location: ${signet.issuer}/clientarea.php?action=invoices`), printed);
    assert.match(printed, /"user_id":"42"\}/);
    assert.match(printed, /HTTP\/1.1 204/);
  } finally {
    await signet.close();
  }
});

test("the imports of the README bring a file, its rest, and the list that WHMCS gives", async () => {
  const [setting] = await blocksOf("## Walk through it with curl");
  const blocks = await blocksOf("### Import");
  assert.equal(blocks.length, 3);
  const signet = await startSignet();
  const asked = [];
  const whmcs = createServer(async (request, response) => {
    asked.push(Object.fromEntries(new URLSearchParams(Buffer.concat(await request.toArray()).toString())));
    response.end(JSON.stringify({ result: "success", clients: [whmcsClient("COMPANY.a+/=", 13)] }));
  });
  try {
    await once(whmcs.listen(0, "127.0.0.1"), "listening");
    const script = [setting, ...blocks].join("\n").replace("https://whmcs.example.com", `http://127.0.0.1:${whmcs.address().port}`);
    const printed = await run(signet, script);
    const reports = printed.trim().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(reports, [...allDone(2, { created: 2 }), ...allDone(1, { unchanged: 1 }), ...allDone(1, { created: 1 })]);
    assert.deepEqual(asked, [{ action: "ListOAuthCredentials", responsetype: "json", identifier: "IDENTIFIER", secret: "SECRET" }]);
    for (const [client_id, client_secret] of [
      ["acme", "the-secret-that-acme-has-had-for-years"], ["COMPANY.a+/=", secretOf("COMPANY.a+/=")],
    ]) assert.equal((await postToken(signet, { client_id, client_secret })).status, 200, client_id);
  } finally {
    whmcs.close();
    await signet.close();
  }
});
