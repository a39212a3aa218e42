// Gets ready what the other commands need, and nothing twice. Only Node's own modules are used here,
// because this runs before `npm ci` has.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** The origin a local Signet is known by. */
export const localOrigin = (port) => `http://localhost:${port}`;

const WASM_TARGET = "wasm32-unknown-unknown";

/** Everything a command here needs: the compiler's target, the npm packages, the build tools, local secrets. */
export function setup() {
  wasmTarget();
  npmPackages();
  buildTools();
  devVars();
}

/**
 * The programs that build the Worker, installed on first use.
 *
 * Returns the path of worker-build and the variables that keep it from downloading other programs itself.
 */
export function buildTools() {
  const bin = join(root, "node_modules", ".bin");
  return {
    workerBuild: cargoProgram("worker-build", "worker-build", pinned("worker")),
    env: {
      WASM_BINDGEN_BIN: cargoProgram("wasm-bindgen-cli", "wasm-bindgen", pinned("wasm-bindgen")),
      WASM_OPT_BIN: join(bin, "wasm-opt"),
      ESBUILD_BIN: join(bin, "esbuild"),
    },
  };
}

/** Adds the wasm32 target to the Rust toolchain in use. */
export function wasmTarget() {
  const sysroot = output("rustc", ["--print", "sysroot"]);
  if (sysroot === undefined) {
    fail("Rust is missing. Install it from https://rustup.rs, open a new shell and try again.");
  }
  if (existsSync(join(sysroot, "lib", "rustlib", WASM_TARGET))) return;
  say(`adding the Rust target ${WASM_TARGET} (some seconds)`);
  if (!run("rustup", ["target", "add", WASM_TARGET])) {
    fail(`The Rust target ${WASM_TARGET} is missing, and \`rustup target add ${WASM_TARGET}\` did not add it.`);
  }
}

/** Installs the npm packages when they are not those of package-lock.json. */
export function npmPackages() {
  if (npmIsCurrent()) return;
  say("installing the npm packages of package-lock.json (some 20 s, 300 MB)");
  if (!run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"])) fail("`npm ci` failed.");
}

function npmIsCurrent() {
  const installed = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installed)) return false;
  const packages = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
  const have = packages(installed);
  return Object.entries(packages(join(root, "package-lock.json"))).every(
    ([path, wanted]) => path === "" || (have[path] ? have[path].version === wanted.version : wanted.optional),
  );
}

/** Writes `.dev.vars`, the settings and secrets of this machine's local Signet, if there is none. */
function devVars() {
  const lines = [
    "# Made for this machine only, read by `npm start` and `wrangler dev`. Never commit it, never deploy these values.",
    `ISSUER="${localOrigin(8787)}"`,
    `SIGNING_KEYS="k1:${secret()}"`,
    `ADMIN_TOKEN="${secret()}"`,
  ];
  const file = join(root, ".dev.vars");
  if (existsSync(file)) return;
  writeFileSync(file, `${lines.join("\n")}\n`, { mode: 0o600, flag: "wx" });
  say("wrote .dev.vars with fresh random secrets");
}

/** 32 random bytes as 43 characters of base64url. */
export const secret = () => randomBytes(32).toString("base64url");

/** The version that Cargo.toml pins, so that a program and its library cannot drift apart. */
function pinned(crate) {
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
  const version = manifest.match(new RegExp(`^${crate} = .*"=([0-9.]+)"`, "m"))?.[1];
  return version ?? fail(`Cargo.toml does not pin ${crate} to one version.`);
}

/** The path of a program of a crate: from PATH or the cache when it is the exact version, else installed. */
function cargoProgram(crate, name, version) {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "signet", `${crate}-${version}`);
  const cached = join(folder, "bin", name);
  const found = [cached, name].find((program) => output(program, ["--version"])?.split(" ").at(-1) === version);
  if (found) return found;

  say(`compiling ${crate} ${version}, which builds the Worker; once per machine, about 2 minutes on 2 cores`);
  const quiet = process.stderr.isTTY ? [] : ["--quiet"];
  const args = ["install", crate, "--version", version, "--debug", "--locked", "--force", "--root", folder];
  // Where and how the project is compiled is no matter of this program's; Cargo then uses a temporary folder.
  const { CARGO_TARGET_DIR: _, RUSTFLAGS: __, ...env } = process.env;
  if (!run("cargo", [...args, ...quiet], { env })) fail(`\`cargo install ${crate} --version ${version}\` failed.`);
  return cached;
}

/** Runs a program in the project's folder and shows its output; true when it succeeds. */
export function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: "inherit", ...options }).status === 0;
}

/** A program's output, or undefined when it fails or does not exist. */
export function output(program, args) {
  const result = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** One line of progress. */
export const say = (line) => console.log(`signet: ${line}`);

/** Ends the program with a message for its user. */
export function fail(message) {
  console.error(`signet: ${message}`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup();
  say("ready: npm start, npm test");
}
