// `npm test`: runs all tests, or the named parts: `npm test -- workerd browser`.

import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, relative } from "node:path";
import { run as runTests } from "node:test";
import { spec } from "node:test/reporters";
import { requireAll } from "../tests/support/optional.mjs";
import { build } from "./build.mjs";
import { fail, root, run, say, setup } from "./setup.mjs";

/** The parts, in the order they run. `missing` names what this machine lacks for a part, if anything. */
const parts = {
  rust: { test: () => run("cargo", ["test", "--locked", "--all-features"]) },
  workerd: { test: () => nodeTests("workerd") },
  proxies: { test: () => nodeTests("proxies"), missing: () => missingFor("proxies") },
  browser: { test: () => nodeTests("browser"), missing: () => missingFor("chromium") },
  clients: { test: () => nodeTests("clients"), missing: () => missingFor("python", "php", "zsh") },
};

let built;

/** Runs the test files of a folder of tests/, as many at a time as there are processors. Returns whether they passed. */
async function nodeTests(name) {
  await (built ??= buildAll());
  const folder = join(root, "tests", name);
  const files = readdirSync(folder).filter((file) => file.endsWith(".test.mjs"));
  if (files.length === 0) return false; // without a file, Node would search other folders
  // Without this, each test file runs Cargo, which compiles again whenever the other Worker was built last.
  process.env.SIGNET_BUILT = "1";
  const tests = runTests({ files: files.map((file) => join(folder, file)), concurrency: availableParallelism() });
  let passed = true;
  tests.on("test:fail", () => (passed = false));
  for await (const text of tests.compose(withFileNames).compose(new spec())) process.stdout.write(text);
  return passed;
}

/** Adds the name of each file above its tests, which the reporter leaves out. */
async function* withFileNames(events) {
  let last;
  for await (const event of events) {
    const { file, nesting } = event.data;
    if (event.type === "test:start" && nesting === 0 && file && file !== last) {
      yield { type: "test:stdout", data: { message: `\n${relative(root, file)}\n` } };
      last = file;
    }
    yield event;
  }
}

async function missingFor(...supports) {
  const modules = await Promise.all(supports.map((support) => import(`../tests/support/${support}.mjs`)));
  return modules.flatMap(({ missing }) => missing ?? []).join("; ") || undefined;
}

async function buildAll() {
  try {
    await build("release");
    await build("demo");
  } catch (error) {
    fail(`${error.message}.`);
  }
}

/** Tests a part and reports the result, with a warning if tests are skipped. */
async function testPart(name) {
  say(`testing: ${name}`);
  const missing = await parts[name].missing?.();
  if (missing) say(`WARNING: ${missing}. Tests that need it ${requireAll ? "fail" : "ARE SKIPPED"}.`);
  const passed = (await parts[name].test()) && !(missing && requireAll);
  return {
    passed,
    line: `${name.padEnd(8)} ${passed ? "passed" : "FAILED"}${missing ? `; tests missed: ${missing}` : ""}`,
  };
}

const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
const unknown = chosen.filter((name) => !(name in parts));
if (unknown.length > 0) fail(`there is no part ${unknown.join(", ")}; there are ${Object.keys(parts).join(", ")}.`);

setup();
const results = [];
for (const name of chosen) results.push(await testPart(name));
say("summary");
for (const { line } of results) say(`  ${line}`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
