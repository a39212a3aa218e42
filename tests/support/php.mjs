// PHP as Debian packages it, with its curl extension.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { skipIf } from "./optional.mjs";
import { freePort } from "./port.mjs";
import { order } from "./program.mjs";

/** How long PHP may take to accept connections, in milliseconds. */
const START_MS = 30_000;

/** The program that shows what reaches it, as JSON: `{ server, cookies }`. */
export const echoProgram = fileURLToPath(new URL("echo.php", import.meta.url));

/** Why there is none, or `undefined`. */
export const missing = prepare();

/** The `skip` option of every test that needs PHP. */
export const skip = skipIf(missing);

/** The `skip` option of every test that needs PHP behind FastCGI. */
export const skipFastCgi = skipIf(spawnSync("php-cgi", ["-v"]).status === 0 ? undefined : "no php-cgi: install it");

function prepare() {
  const { status } = spawnSync("php", ["-r", 'exit(extension_loaded("curl") ? 0 : 1);']);
  return status === 0 ? undefined : "no PHP with its curl extension";
}

/** Runs a program that reads JSON and prints JSON. A warning of PHP makes the output invalid. */
export async function runPhp(program, content) {
  return JSON.parse(await order("php", ["-d", "error_reporting=-1", "-d", "display_errors=1", program], content));
}

/**
 * Starts PHP as a client area, on a port of loopback: its own web server, which runs `echoProgram` for every path, or
 * with `fastCgi` what a web server passes requests to. The result has `port` and `close`.
 */
export async function startPhp({ fastCgi = false } = {}) {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const program = fastCgi ? spawn("php-cgi", ["-b", address]) : spawn("php", ["-S", address, echoProgram]);
  const ended = once(program, "close");
  for (const end = Date.now() + START_MS; !(await takesConnections(port)); await sleep(20)) {
    if (Date.now() > end || program.exitCode !== null) throw new Error("PHP does not start");
  }
  return {
    port,
    async close() {
      program.kill("SIGTERM");
      await ended;
    },
  };
}

async function takesConnections(port) {
  const socket = connect(port, "127.0.0.1");
  const isOpen = await Promise.race([
    once(socket, "connect").then(() => true),
    once(socket, "close").then(() => false),
  ]).catch(() => false);
  socket.destroy();
  return isOpen;
}
