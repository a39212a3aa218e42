// `npm run build`: builds the Worker. `SIGNET_BUILD=demo` builds it with the demo, into another folder.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildTools, fail, npmPackages, root, rustToolchain, say } from "./setup.mjs";

/** The two Workers: where each goes and what it is built with. */
export const builds = {
  release: { folder: "build", features: [] },
  demo: { folder: "target/demo", features: ["--features", "demo"] },
};

/** The entry module, and the functions that the wasm calls. */
const entry = "src/edge/worker.js";
const snippets = ["src/edge/runtime/platform.js"];

// The entry module calls `__wbg_reset_state` after a panic.
const BINDGEN_OPTIONS = ["--no-typescript", "--target", "module", "--experimental-reset-state-function"];

/** What wasm-opt does, chosen by the size of the gzipped file, which is what Cloudflare limits. */
const OPTIMIZATIONS = [
  // wasm-bindgen catches the exceptions of imported functions with it.
  "--enable-exception-handling",
  "-Oz",
  // Inlined functions and shared subexpressions save bytes before compression and cost more of them after it.
  "--one-caller-inline-max-function-size=0",
  "--skip-pass=local-cse",
  "--skip-pass=memory-packing",
  "--dealign",
  // Instances of one generic function are similar, and gzip finds similar bytes only within 32 kB.
  "--reorder-functions-by-name",
  // The names of functions are a sixth of the file.
  "--strip-debug",
];

/**
 * Builds one of `builds`, unless its folder already holds what would be built.
 *
 * Cargo decides whether a source file changed. The slow steps after it run only if its output changed. One build runs
 * at a time, because both Workers are compiled to the same file.
 */
export async function build(name) {
  const { folder, features } = builds[name];
  const tools = buildTools();
  const unlock = await lock();
  try {
    const wasm = compile(features);
    const stamp = digest([
      wasm,
      ...["Cargo.toml", "package-lock.json", "scripts/build.mjs", entry, ...snippets].map((file) => join(root, file)),
    ]);
    const stampFile = join(root, folder, ".stamp");
    if (existsSync(stampFile) && readFileSync(stampFile, "utf8") === stamp) return;
    rmSync(stampFile, { force: true });
    say(`packing the ${name} Worker`);
    pack(wasm, join(root, folder), tools);
    writeFileSync(stampFile, stamp);
    say(`built the ${name} Worker into ${folder}/`);
  } finally {
    unlock();
  }
}

/** Makes `index.js` and `index_bg.wasm`, the two modules that are deployed, of the compiled wasm. */
function pack(wasm, folder, { wasmBindgen, wasmMetadce, wasmOpt, esbuild }) {
  const bindings = join(root, "target", "bindings");
  rmSync(bindings, { recursive: true, force: true });
  runQuietly(wasmBindgen, [wasm, "--out-dir", bindings, "--out-name", "signet", ...BINDGEN_OPTIONS]);
  // esbuild does not know the import of a source phase. Cloudflare imports a wasm module in the same form by default.
  const glue = join(bindings, "signet.js");
  const text = readFileSync(glue, "utf8");
  const imported = 'import source wasmModule from "./signet_bg.wasm"';
  if (!text.includes(imported)) throw new Error("wasm-bindgen's output has another form");
  writeFileSync(
    glue,
    text
      .replace(imported, 'import wasmModule from "./index_bg.wasm"')
      // Then esbuild leaves out the classes of libraries that Signet does not use.
      .replaceAll(/^if \(Symbol\.dispose\) .*$/gm, "")
      .replaceAll("new FinalizationRegistry(", "/* @__PURE__ */ new FinalizationRegistry("),
  );
  copyFileSync(join(root, entry), join(bindings, "worker.js"));
  mkdirSync(folder, { recursive: true });
  const external = ["--external:./index_bg.wasm", "--external:cloudflare:*"];
  const script = join(folder, "index.js");
  const options = ["--bundle", "--format=esm", "--minify", ...external, `--outfile=${script}`];
  runQuietly(esbuild, [join(bindings, "worker.js"), ...options]);
  const [module, needed, graph] = ["signet_bg.wasm", "needed.wasm", "graph.json"].map((file) => join(bindings, file));
  const roots = usedExports(module, script).map((name) => ({ name, export: name, root: true }));
  writeFileSync(graph, JSON.stringify(roots));
  runQuietly(wasmMetadce, [module, "--graph-file", graph, "-g", "-o", needed]);
  runQuietly(wasmOpt, [needed, "-o", join(folder, "index_bg.wasm"), ...OPTIMIZATIONS]);
}

/** The exports of a wasm file that a script names. Libraries export more, and their exports keep code in the file. */
function usedExports(wasm, script) {
  const text = readFileSync(script, "utf8");
  const names = WebAssembly.Module.exports(new WebAssembly.Module(readFileSync(wasm))).map(({ name }) => name);
  return names.filter((name) => text.includes(`.${name}`));
}

/** Compiles the Worker, unless it is current, and returns the path of the wasm file. */
function compile(features) {
  const args = ["build", "--lib", "--release", "--target", "wasm32-unknown-unknown", ...features];
  const { status, stdout } = spawnSync("cargo", [...args, "--message-format=json-render-diagnostics"], {
    cwd: root,
    // wasm-bindgen's futures then come from js-sys, where the crate `worker` has them too.
    env: { ...process.env, WASM_BINDGEN_USE_JS_SYS: "1" },
    encoding: "utf8",
    maxBuffer: Infinity,
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error("the Worker does not compile");
  const files = stdout
    .split("\n")
    .filter((line) => line.includes('"compiler-artifact"'))
    .flatMap((line) => JSON.parse(line).filenames);
  return files.findLast((file) => file.endsWith(".wasm"));
}

/** Runs a program and shows its output only if it fails. */
function runQuietly(program, args) {
  const { status, output, error } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  if (status === 0) return;
  process.stderr.write((error?.message ?? output.join("")).slice(0, 10_000));
  throw new Error(`${basename(program)} failed`);
}

function digest(files) {
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest("hex");
}

/**
 * Waits for the lock on target/ and returns the function that releases it.
 *
 * The lock is a symbolic link whose target is the owner's process id: one call creates it together with its content.
 */
export async function lock() {
  const file = join(root, "target", "build.lock");
  mkdirSync(join(root, "target"), { recursive: true });
  for (let reported = false; ; await sleep(100)) {
    try {
      symlinkSync(String(process.pid), file);
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    const owner = lockOwner(file);
    if (owner === undefined) continue;
    if (!isAlive(owner)) rmSync(file, { force: true });
    else if (!reported) say(`waiting for another build (process ${owner})`);
    reported = true;
  }
}

function lockOwner(file) {
  try {
    return Number(readlinkSync(file));
  } catch {
    return undefined; // the owner has just released it
  }
}

function isAlive(pid) {
  try {
    return pid !== process.pid && process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** The build that SIGNET_BUILD names. The demo is never built for a deployment. */
function chosen() {
  const name = process.env.SIGNET_BUILD || "release";
  if (!(name in builds)) fail(`SIGNET_BUILD=${name} is unknown; it is one of ${Object.keys(builds).join(", ")}.`);
  const wrangler = process.env.WRANGLER_COMMAND;
  if (name === "demo" && wrangler && wrangler !== "dev")
    fail("the demo is for `wrangler dev` only; unset SIGNET_BUILD.");
  return name;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const name = chosen();
  rustToolchain();
  // A running wrangler uses the npm packages, so they must stay as they are.
  if (!process.env.WRANGLER_COMMAND) npmPackages();
  await build(name).catch((error) => fail(`${error.message}.`));
}
