// `npm run setup`: installs what the other commands need, where it is missing. It uses only Node's own modules, because
// it runs before `npm ci`.

import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** The issuer of a local Signet. */
export const localOrigin = (port) => `http://localhost:${port}`;

/** Installs everything: the compiler, the npm packages, the build tools, local secrets. */
export function setup() {
  rustToolchain();
  npmPackages();
  buildTools();
  devVars();
}

/** Installs the programs that build the Worker, and returns their paths. */
export function buildTools() {
  const bin = join(root, "node_modules", ".bin");
  return {
    wasmBindgen: cargoProgram("wasm-bindgen-cli", "wasm-bindgen", pinned("wasm-bindgen")),
    wasmMetadce: join(bin, "wasm-metadce"),
    wasmOpt: join(bin, "wasm-opt"),
    esbuild: join(bin, "esbuild"),
  };
}

/** Installs the Rust toolchain of rust-toolchain.toml when it is missing. */
export function rustToolchain() {
  // Without this variable, rustup would install the toolchain here, and its progress would not be seen.
  const env = { ...process.env, RUSTUP_AUTO_INSTALL: "0" };
  const sysroot = output("rustc", ["--print", "sysroot"], { env });
  if (sysroot && existsSync(join(sysroot, "lib", "rustlib", "wasm32-unknown-unknown"))) return;
  if (output("rustup", ["--version"], { env }) === undefined) {
    fail("rustup is missing. Install it from https://rustup.rs, open a new shell and try again.");
  }
  say("installing the Rust toolchain of rust-toolchain.toml (some 30 s, 700 MB)");
  if (!run("rustup", ["toolchain", "install", "--no-self-update"])) {
    fail("`rustup toolchain install` failed. It needs the network, and rustup 1.28 or newer (`rustup self update`).");
  }
}

/** Installs the npm packages of package-lock.json, unless they are installed. */
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

/** Writes `.dev.vars`, the settings and secrets of a local Signet, unless it exists. */
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

/** The version of a crate that Cargo.toml pins: a program and its library must have the same version. */
function pinned(crate) {
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
  const version = manifest.match(new RegExp(`^${crate} = .*"=([0-9.]+)"`, "m"))?.[1];
  return version ?? fail(`Cargo.toml does not pin ${crate} to one version.`);
}

/** The path of a crate's program in exactly this version: from the cache or PATH, or installed. */
function cargoProgram(crate, name, version) {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "signet", `${crate}-${version}`);
  const cached = join(folder, "bin", name);
  const found = [cached, name].find((program) => output(program, ["--version"])?.split(" ").at(-1) === version);
  if (found) return found;

  say(`compiling ${crate} ${version}, which builds the Worker; once per machine, about 2 minutes on 2 cores`);
  const quiet = process.stderr.isTTY ? [] : ["--quiet"];
  const args = ["install", crate, "--version", version, "--debug", "--locked", "--force", "--root", folder];
  // The folder and the flags that the project is compiled with do not apply here. Cargo then uses a temporary folder.
  const { CARGO_TARGET_DIR: _, RUSTFLAGS: __, ...env } = process.env;
  if (!run("cargo", [...args, ...quiet], { env })) fail(`\`cargo install ${crate} --version ${version}\` failed.`);
  return cached;
}

/** Runs a program in the project's folder and shows its output. Returns whether it succeeded. */
export function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, stdio: "inherit", ...options }).status === 0;
}

/** A program's output, or undefined if it fails or does not exist. */
export function output(program, args, options = {}) {
  const result = spawnSync(program, args, { cwd: root, encoding: "utf8", ...options });
  return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Prints a line of progress. */
export const say = (line) => console.log(`signet: ${line}`);

/** Prints an error message and exits. */
export function fail(message) {
  console.error(`signet: ${message}`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  setup();
  say("ready: npm start, npm test");
}
