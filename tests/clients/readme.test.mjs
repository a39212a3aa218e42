// The README's commands, run as they are written: by bash, and pasted into an interactive zsh as macOS starts it.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { allDone, secretOf, whmcsClient } from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import { postToken } from "../support/workflow.mjs";
import { skip } from "../support/zsh.mjs";

const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");

/** The commands in a part of the README, block by block. */
const commandsIn = (text) => [...text.matchAll(/^ *```sh\n(.*?)^ *```/gms)].map(([, block]) => block);

/** The commands of a section of the README, block by block. */
const blocksOf = (heading) => commandsIn(readme.split(`\n${heading}\n`)[1].split(/\n##+ /)[0]);

/** Runs a program in a folder, and returns what it prints. */
async function execute(program, args, { folder, input = "" }) {
  const env = { ...process.env, PATH: [join(folder, "bin"), process.env.PATH].join(delimiter) };
  const running = promisify(execFile)(program, args, { cwd: folder, env });
  running.child.stdin.end(input);
  return running;
}

/** Each shell with its `skip` option, and how it runs commands in a folder; returns what they print. */
const shells = {
  bash: {
    skip: false,
    run: async (commands, folder) => (await execute("bash", ["-euo", "pipefail", "-c", commands], { folder })).stdout,
  },
  // As pasted: a `#` begins no comment, and a `!` recalls an earlier command. Prompts go to standard error.
  zsh: {
    skip,
    async run(commands, folder) {
      const { stdout, stderr } = await execute("zsh", ["-f", "-i", "-s"], { folder, input: `${commands}\nexit 0\n` });
      assert.doesNotMatch(stderr, /zsh: /);
      return stdout;
    },
  },
};

/**
 * Runs commands by a shell in a folder of their own, which has `.dev.vars` as `npm start` writes it. Programs named in `fakes`
 * are replaced by scripts. Returns what the commands print, and the names of the files that they left.
 */
async function run(shell, commands, { adminToken = "", fakes = {} } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "signet-readme-"));
  try {
    await writeFile(
      join(folder, ".dev.vars"),
      `# Read by \`npm start\`; never deploy it.\nADMIN_TOKEN="${adminToken}"\n`,
    );
    await mkdir(join(folder, "bin"));
    for (const [name, script] of Object.entries({ npm: 'echo "npm ran: $*"', ...fakes })) {
      await writeFile(join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const printed = await shells[shell].run(commands, folder);
    assert.doesNotMatch(printed, /npm ran/);
    return { printed, files: (await readdir(folder)).filter((name) => !["bin", ".dev.vars"].includes(name)) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const at = (signet, commands) => commands.replaceAll("http://localhost:8787", signet.issuer);

test("issue 9, item 27: no command of the README has a comment, or a mark that an interactive shell reads otherwise", () => {
  const blocks = commandsIn(readme);
  assert.ok(blocks.length >= 11);
  for (const block of blocks) assert.doesNotMatch(block, /(^|\s)#|!/m);
  const others = [...readme.matchAll(/^ *```\n(.*?)^ *```/gms)].map(([, block]) => block);
  for (const block of others)
    assert.doesNotMatch(block, /^ *(npm|npx|node|curl|cargo) /m, "commands are in blocks of sh");
});

for (const [shell, { skip }] of Object.entries(shells)) {
  test(`${shell}: the walk-through of the README ends in the client area, signed in`, { skip }, async () => {
    const blocks = blocksOf("## Walk through it with curl");
    assert.equal(blocks.length, 6);
    const signet = await startSignet();
    try {
      const { printed } = await run(shell, at(signet, blocks.join("\n")), signet);
      assert.ok(printed.includes(`Location: ${signet.issuer}/clientarea.php?action=invoices`), printed);
      assert.match(printed, /"user_id":"42"\}/);
      assert.match(printed, /HTTP\/1.1 204/);
    } finally {
      await signet.close();
    }
  });

  test(`${shell}: the imports of the README bring a file, its rest, and the list that WHMCS gives`, {
    skip,
  }, async () => {
    const [setting] = blocksOf("## Walk through it with curl");
    const blocks = blocksOf("### Import");
    assert.equal(blocks.length, 3);
    const signet = await startSignet();
    const asked = [];
    const whmcs = createServer(async (request, response) => {
      asked.push(Object.fromEntries(new URLSearchParams(Buffer.concat(await request.toArray()).toString())));
      response.end(JSON.stringify({ result: "success", clients: [whmcsClient("COMPANY.a+/=", 13)] }));
    });
    try {
      await once(whmcs.listen(0, "127.0.0.1"), "listening");
      const commands = [setting, ...blocks]
        .join("\n")
        .replace("https://whmcs.example.com", `http://127.0.0.1:${whmcs.address().port}`);
      const { printed, files } = await run(shell, at(signet, commands), signet);
      const reports = printed
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      assert.deepEqual(reports, [
        ...allDone(2, { created: 2 }),
        ...allDone(1, { unchanged: 1 }),
        ...allDone(1, { created: 1 }),
      ]);
      assert.deepEqual(asked, [
        { action: "ListOAuthCredentials", responsetype: "json", identifier: "IDENTIFIER", secret: "SECRET" },
      ]);
      for (const [client_id, client_secret] of [
        ["acme", "the-secret-that-acme-has-had-for-years"],
        ["COMPANY.a+/=", secretOf("COMPANY.a+/=")],
      ])
        assert.equal((await postToken(signet, { client_id, client_secret })).status, 200, client_id);
      assert.deepEqual(files, ["import.ndjson"]);
    } finally {
      whmcs.close();
      await signet.close();
    }
  });

  test(`issue 9, item 27: ${shell}: the secrets of the README are set and shown, and in no file`, {
    skip,
  }, async () => {
    const [commands] = blocksOf("## Deploy to Cloudflare");
    const { printed, files } = await run(shell, commands, { fakes: { npx: 'echo "$* <$(cat)>"' } });
    const [, keys, stored, shown] =
      printed.match(/^wrangler secret put SIGNING_KEYS <k1:(.*)>\nwrangler secret put ADMIN_TOKEN <(.*)>\n(.*)\n$/) ??
      [];
    assert.match(keys ?? printed, /^[\w-]{43}$/);
    assert.match(stored, /^[\w-]{43}$/);
    assert.equal(shown, stored);
    assert.deepEqual(files, []);
  });
}

test("issue 9, item 27: git ignores what the commands of the README write", async () => {
  const ignored = await readFile(new URL("../../.gitignore", import.meta.url), "utf8");
  const written = commandsIn(readme).flatMap((block) =>
    [...block.matchAll(/(?:> ?|-c )([\w.]+)/g)].map(([, name]) => name),
  );
  assert.deepEqual([...new Set(written)], ["cookies.txt", "import.ndjson"]);
  for (const name of written) assert.ok(ignored.includes(`\n/${name}\n`), name);
});
