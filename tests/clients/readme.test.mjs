// The README's walk-through, run as it is written.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startSignet } from "../support/signet.mjs";

const HEADING = "## Walk through it with curl";

test("the walk-through of the README ends in the client area, signed in", async () => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const section = readme.split(`${HEADING}\n`)[1].split("\n## ")[0];
  const blocks = [...section.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block]) => block);
  assert.equal(blocks.length, 6);
  const signet = await startSignet();
  const folder = await mkdtemp(join(tmpdir(), "signet-readme-"));
  try {
    await writeFile(join(folder, ".dev.vars"), `ADMIN_TOKEN="${signet.adminToken}"\n`);
    const script = blocks.join("\n").replaceAll("http://localhost:8787", signet.issuer);
    const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], { cwd: folder });
    assert.ok(stdout.includes(`Location: ${signet.issuer}/clientarea.php?action=invoices`), stdout);
    assert.match(stdout, /"user_id":"42"\}/);
    assert.match(stdout, /HTTP\/1.1 204/);
  } finally {
    await rm(folder, { recursive: true });
    await signet.close();
  }
});
