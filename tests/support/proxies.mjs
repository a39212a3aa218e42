// nginx and Caddy with the documented configurations, on loopback.

import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { localOrigin } from "../../scripts/setup.mjs";
import { docBlock } from "./docs.mjs";
import { send } from "./http.mjs";
import { skipIf } from "./optional.mjs";

/** How long a server may take to start; one that ends instead is noticed at once. */
const START_MS = 60_000;

/** The servers: the documented configuration, changed for a test, and how to run the program with it. */
const servers = {
  nginx: {
    config({ port, signet, clientArea }) {
      const server = rewritten(docBlock("docs/client-area.md#nginx"), [
        ["listen 443 ssl;", `listen 127.0.0.1:${port};`],
        ["server_name my.example.com;", "server_name localhost;"],
        [/^ *ssl_certificate(_key)? .*\n/gm, ""],
        ["https://signet.example.workers.dev", signet],
        ["http://127.0.0.1:8080", clientArea],
      ]);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (name) => `${name}_temp_path ${name};`,
      );
      const own = ["pid nginx.pid;", "daemon off;", "master_process off;", "error_log stderr;", "events {}"];
      return [...own, "http {", "access_log off;", ...temporary, server, "}", ""].join("\n");
    },
    args: (folder, file) => ["-p", folder, "-e", "stderr", "-c", file],
  },
  caddy: {
    config({ port, signet, clientArea }) {
      const site = rewritten(docBlock("docs/client-area.md#caddy"), [
        ["my.example.com {", `${localOrigin(port)} {`],
        ["https://signet.example.workers.dev", signet],
        ["127.0.0.1:8080", new URL(clientArea).host],
      ]);
      return `{\n\tadmin off\n\tauto_https off\n\tdefault_bind 127.0.0.1\n}\n${site}`;
    },
    args: (_, file) => ["run", "--adapter", "caddyfile", "--config", file],
  },
};

const programs = Object.fromEntries(Object.keys(servers).map((name) => [name, find(name)]));

/** The names of the servers. */
export const names = Object.keys(servers);

/** Why one or both are not there, or `undefined`. */
export const missing = whyMissing(names.filter((name) => programs[name] === undefined));

/** The `skip` option of every test that needs the server of a name. */
export const skip = Object.fromEntries(
  names.map((name) => [name, skipIf(programs[name] ? undefined : whyMissing([name]))]),
);

/**
 * Starts a server on a port of loopback, in front of `signet` and `clientArea` (origins). `adapt` may change the
 * configuration. The result has `origin` and `fetch`, as Signet in the tests has. Close it after use.
 */
export async function startProxy(name, { port, signet, clientArea, adapt = (config) => config }) {
  const folder = await mkdtemp(join(tmpdir(), `signet-${name}-`));
  const file = join(folder, "config");
  await writeFile(file, adapt(servers[name].config({ port, signet, clientArea })));
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const program = spawn(programs[name], servers[name].args(folder, file), {
    cwd: folder,
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const ended = new Promise((resolve) => program.on("close", resolve).on("error", resolve));
  let said = "";
  program.stderr.on("data", (text) => (said += text));
  const agent = new Agent({ keepAlive: true });
  const origin = localOrigin(port);

  async function close() {
    agent.destroy();
    program.kill("SIGTERM");
    await ended;
    await rm(folder, { recursive: true });
  }

  if (!(await answers(origin, ended))) {
    await close();
    throw new Error(`${name} does not answer: ${said}`);
  }
  return { origin, fetch: (path, init) => send(agent, origin, path, init), close };
}

/** A configuration, with every one of `replacements` made. */
function rewritten(documented, replacements) {
  return replacements.reduce((config, [from, to]) => {
    const next = config.replaceAll(from, to);
    if (next === config) throw new Error(`the documented configuration lacks ${from}`);
    return next;
  }, documented);
}

/** Waits until an origin answers; false if the program ends before that, or takes too long. */
async function answers(origin, ended) {
  let isOver = false;
  ended.then(() => (isOver = true));
  const agent = new Agent();
  for (const end = Date.now() + START_MS; Date.now() < end && !isOver; await sleep(20)) {
    try {
      await send(agent, origin, "/.signet");
      return true;
    } catch {
      // not yet
    }
  }
  return false;
}

function whyMissing(absent) {
  return absent.length > 0 ? `no ${absent.join(", no ")}: install it` : undefined;
}

function find(name) {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
  return folders.map((folder) => join(folder, name)).find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
