// PHP as Debian packages it, with its curl extension.

import { spawnSync } from "node:child_process";
import { skipIf } from "./optional.mjs";
import { order } from "./program.mjs";

/** Why there is none, or `undefined`. */
export const missing = prepare();

/** The `skip` option of every test that needs PHP. */
export const skip = skipIf(missing);

function prepare() {
  const { status } = spawnSync("php", ["-r", 'exit(extension_loaded("curl") ? 0 : 1);']);
  return status === 0 ? undefined : "no PHP with its curl extension";
}

/** Runs a program that reads an order and prints its answer, both JSON. Whatever PHP complains of spoils the answer. */
export async function runPhp(program, content) {
  return JSON.parse(await order("php", ["-d", "error_reporting=-1", "-d", "display_errors=1", program], content));
}
