// Python with the client libraries of tests/clients/requirements.txt, in a virtual environment of its own.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { lock } from "../../scripts/build.mjs";
import { root } from "../../scripts/setup.mjs";
import { skipIf } from "./optional.mjs";
import { order } from "./program.mjs";

const requirements = join(root, "tests", "clients", "requirements.txt");
const venv = join(root, "target", "python");

/** The Python program that has those libraries. */
const python = join(venv, "bin", "python");

/** Why there is none, or `undefined`. */
export const missing = await prepare();

/** The `skip` option of every test that needs Python. */
export const skip = skipIf(missing);

/** A program that those libraries bring. */
export const pythonProgram = (name) => join(venv, "bin", name);

/** Runs a program that reads an order as JSON and returns what it printed. */
export const runPython = (program, content) => order(python, [program], content);

/** Makes the environment unless it is current, one process at a time. Returns the error, if any. */
async function prepare() {
  const unlock = await lock();
  try {
    return make();
  } finally {
    unlock();
  }
}

function make() {
  const wanted = readFileSync(requirements, "utf8");
  const stamp = join(venv, "requirements.txt");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return undefined;
  rmSync(venv, { recursive: true, force: true });
  const failure =
    failureOf("python3", ["-m", "venv", venv]) ??
    failureOf(python, ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements]);
  if (failure === undefined) writeFileSync(stamp, wanted);
  return failure;
}

function failureOf(program, args) {
  const { status, error, stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  if (status === 0) return undefined;
  return `no Python with its venv module: ${error?.message ?? `${stdout}${stderr}`.trim().split("\n").at(-1)}`;
}
