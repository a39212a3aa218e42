// The documentation: its commands, run as they are written by bash and pasted into an interactive zsh as macOS starts it; its
// links; and that a test runs every block.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { root } from "../../scripts/setup.mjs";
import { allPages, docCommands, pages, readPage } from "../support/docs.mjs";
import { allDone, secretOf, whmcsClient } from "../support/import.mjs";
import { startSignet } from "../support/signet.mjs";
import { postToken } from "../support/workflow.mjs";
import { skip } from "../support/zsh.mjs";

/** The code blocks of all pages. */
const allBlocks = pages.flatMap((page) => readPage(page).blocks);

/** All commands of the documentation. */
const allCommands = allBlocks.filter(({ language }) => language === "sh").map(({ text }) => text);

/** What the walk-through does to begin with: the variables that other commands use. */
const [variables] = docCommands("README.md#a-walk-through-with-curl");

/** A stand-in for `npx` that prints its arguments and the secret that it is given. */
const NPX = 'case "$*" in *"secret put"*) echo "npx $* <$(cat)>" ;; *) echo "npx $*" ;; esac';

/** Runs a program in a folder, and returns what it prints. */
async function execute(program, args, { folder, input = "" }) {
  const env = { ...process.env, PATH: [join(folder, "bin"), process.env.PATH].join(delimiter) };
  const running = promisify(execFile)(program, args, { cwd: folder, env });
  running.child.stdin.on("error", () => {}); // a program may end before it reads its input
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
  const folder = await mkdtemp(join(tmpdir(), "signet-docs-"));
  try {
    await writeFile(
      join(folder, ".dev.vars"),
      `# Read by \`npm start\`; never deploy it.\nADMIN_TOKEN="${adminToken}"\n`,
    );
    await mkdir(join(folder, "bin"));
    for (const [name, script] of Object.entries(fakes)) {
      await writeFile(join(folder, "bin", name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    }
    const printed = await shells[shell].run(commands, folder);
    return { printed, files: (await readdir(folder)).filter((name) => !["bin", ".dev.vars"].includes(name)) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

const at = (signet, commands) => commands.replaceAll("http://localhost:8787", signet.issuer);

test("issue 9, item 27: no command has a comment, or a mark that an interactive shell reads otherwise", () => {
  assert.ok(allCommands.length >= 13);
  for (const command of allCommands) assert.doesNotMatch(command, /(^|\s)#|!/m);
  for (const { section, text } of allBlocks.filter(({ language }) => language === "text"))
    assert.doesNotMatch(text, /^ *(npm|npx|node|curl|cargo) /m, `${section}: commands are in blocks of sh`);
});

test("a test runs every command and configuration, or the page says why none does", () => {
  const files = ["workerd", "proxies", "browser", "clients", "support"].flatMap((folder) =>
    readdirSync(join(root, "tests", folder))
      .filter((name) => name.endsWith(".mjs"))
      .map((name) => readFileSync(join(root, "tests", folder, name), "utf8")),
  );
  const tests = files.join("\n");
  for (const { section, language, reason } of allBlocks.filter((block) => block.language !== "text")) {
    const call = `${language === "sh" ? "docCommands" : "docBlock"}("${section}")`;
    assert.ok(tests.includes(call) !== Boolean(reason), `${section}: ${language}`);
    assert.notEqual(language, "", section);
  }
});

test("every relative link and every anchor leads somewhere, and every table of contents is complete", () => {
  for (const page of allPages) {
    const { anchors, prose } = readPage(page);
    assert.deepEqual([...new Set(anchors)], anchors, `${page}: no heading comes twice`);
    const targets = [...prose.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, link, file]) => link ?? file,
    );
    for (const target of targets.filter((target) => !target.startsWith("https://"))) {
      const [path, anchor] = target.split("#");
      const file = path === "" ? page : join(dirname(page), path);
      assert.ok(existsSync(join(root, file)), `${page}: ${target}`);
      if (anchor) assert.ok(readPage(file).anchors.includes(anchor), `${page}: ${target}`);
    }
    if (!page.startsWith("docs/")) continue;
    for (const [, heading] of prose.matchAll(/^## (.+)$/gm)) {
      const isListed = prose.includes(`* [${heading}](#`);
      assert.ok(isListed, `${page}: ${heading} is not in the table of contents`);
    }
  }
});

test("every npm script, part of the tests and file that the pages name exists", () => {
  const scripts = Object.keys(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).scripts);
  const names = { scripts: 0, parts: 0, files: 0 };
  for (const page of pages) {
    const { text } = readPage(page);
    for (const [, name] of text.matchAll(/\bnpm (?:run )?(setup|start|test|build|bench|format|run [a-z]+)\b/g)) {
      names.scripts += 1;
      assert.ok(scripts.includes(name.replace("run ", "")), `${page}: npm ${name}`);
    }
    for (const [, list] of text.matchAll(/\bnpm test -- ([a-z ]+)/g))
      for (const part of list.trim().split(" ")) {
        names.parts += 1;
        assert.ok(part === "rust" || existsSync(join(root, "tests", part)), `${page}: npm test -- ${part}`);
      }
    for (const [, path] of text.matchAll(/`((?:src|tests|scripts|benches|docs)\/[^`*{ ]*)`/g)) {
      names.files += 1;
      assert.ok(existsSync(join(root, path)), `${page}: ${path}`);
    }
  }
  assert.ok(
    Object.values(names).every((count) => count > 1),
    JSON.stringify(names),
  );
});

test("the README has at most 200 lines", () => {
  assert.ok(readPage("README.md").text.split("\n").length <= 201);
});

for (const [shell, { skip }] of Object.entries(shells)) {
  test(`${shell}: the commands of npm are scripts, and the edge is checked by cargo`, { skip }, async () => {
    const fakes = { npm: 'echo "npm $*"', cargo: 'echo "cargo $*"' };
    const { printed } = await run(shell, docCommands("README.md#two-commands").join("\n"), { fakes });
    assert.equal(printed, "npm start\nnpm test\n");
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    assert.ok(scripts.start && scripts.test);
    const check = await run(shell, docCommands("docs/develop.md#editors-and-the-edge").join("\n"), { fakes });
    assert.equal(check.printed, "cargo check --target wasm32-unknown-unknown\n");
  });

  test(`${shell}: the walk-through of the README ends in the client area, signed in`, { skip }, async () => {
    const blocks = docCommands("README.md#a-walk-through-with-curl");
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

  test(`${shell}: the documented imports bring a file, its rest, and the list that WHMCS gives`, { skip }, async () => {
    const blocks = [
      ...docCommands("docs/administration.md#import"),
      ...docCommands("docs/whmcs-and-cpanel.md#move-from-whmcs"),
    ];
    assert.equal(blocks.length, 3);
    const signet = await startSignet();
    const asked = [];
    const whmcs = createServer(async (request, response) => {
      asked.push(Object.fromEntries(new URLSearchParams(Buffer.concat(await request.toArray()).toString())));
      response.end(JSON.stringify({ result: "success", clients: [whmcsClient("COMPANY.a+/=", 13)] }));
    });
    try {
      await once(whmcs.listen(0, "127.0.0.1"), "listening");
      const commands = [variables, ...blocks]
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

  test(`issue 9, item 27: ${shell}: the commands of the deployment, whose secrets are set, shown and in no file`, {
    skip,
  }, async () => {
    const signet = await startSignet();
    try {
      const commands = docCommands("docs/operations.md#deploy-to-cloudflare")
        .join("\n")
        .replace("https://sso.example.com", signet.issuer);
      const { printed, files } = await run(shell, commands, { fakes: { npm: 'echo "npm $*"', npx: NPX } });
      const [setup, login, deploy, keys, token, shown, health] = printed.trim().split("\n");
      assert.deepEqual([setup, login, deploy], ["npm run setup", "npx wrangler login", "npx wrangler deploy"]);
      assert.match(keys, /^npx wrangler secret put SIGNING_KEYS <k1:[\w-]{43}>$/);
      assert.match(shown, /^[\w-]{43}$/);
      assert.equal(token, `npx wrangler secret put ADMIN_TOKEN <${shown}>`);
      assert.equal(health, '{"status":"ok"}');
      assert.deepEqual(files, []);
    } finally {
      await signet.close();
    }
  });
}

test("issue 9, item 27: git ignores what the documented commands write", async () => {
  const ignored = await readFile(join(root, ".gitignore"), "utf8");
  const written = allCommands.flatMap((command) =>
    [...command.matchAll(/(?:> ?|-c )([\w.]+)/g)].map(([, name]) => name),
  );
  assert.deepEqual([...new Set(written)], ["cookies.txt", "import.ndjson"]);
  for (const name of written) assert.ok(ignored.includes(`\n/${name}\n`), name);
});
