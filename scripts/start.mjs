// `npm start`: runs Signet with its demo on this machine. Arguments go to `wrangler dev`: `npm start -- --port 9000`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { build, builds } from "./build.mjs";
import { fail, localOrigin, root, say, setup } from "./setup.mjs";

const PORT = "8787";
const PATIENCE_MS = 3_000;
/** Lines of wrangler that do not help here. */
const NOISE = /^\s*$|⛅️|^[─-]+$|\[custom build\]|^Using secrets|^⎔|^The file .* changed|^🪵/u;

const extra = process.argv.slice(2);
const { values } = parseArgs({ args: extra, options: { port: { type: "string" } }, strict: false });
const port = values.port ?? PORT;

setup();
await assertFree(port);
await build("demo").catch((error) => fail(`${error.message}.`));
process.exitCode = await serve();

async function assertFree(port) {
  const server = createServer().listen(Number(port), "localhost");
  try {
    await once(server, "listening");
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    fail(`port ${port} is in use. Free it, or take another: npm start -- --port 9000`);
  }
  server.close();
}

/** Runs `wrangler dev` until it ends or a signal stops it. Returns the exit status. */
async function serve() {
  const wrangler = spawn(process.execPath, wranglerArgs(), {
    cwd: root,
    // In a process group of its own, so that a signal reaches each of its processes once.
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
    env: {
      ...process.env,
      SIGNET_BUILD: "demo",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
    },
  });
  let stopped = false;
  const stop = (signal) => {
    stopped = true;
    kill(wrangler, signal);
    // wrangler sometimes hangs when it stops. The stored data survives this.
    setTimeout(() => kill(wrangler, "SIGKILL"), PATIENCE_MS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, stop);
  show(wrangler.stdout);
  const [status] = await once(wrangler, "close");
  return stopped ? 0 : status;
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (error.code !== "ESRCH") throw error;
  }
}

function wranglerArgs() {
  const main = `${builds.demo.folder}/index.js`;
  // .dev.vars has the issuer of the default port.
  const origin = values.port ? ["--var", `ISSUER:${localOrigin(port)}`] : ["--port", PORT];
  const program = join("node_modules", "wrangler", "bin", "wrangler.js");
  return [program, "dev", main, "--show-interactive-dev-session=false", ...origin, ...extra];
}

/** Prints wrangler's lines once it is ready: requests, the Worker's log, errors. */
function show(stdout) {
  let ready = false;
  createInterface(stdout).on("line", (line) => {
    if (line.includes("Ready on ")) {
      ready = true;
      say(`running at ${localOrigin(port)}/  (a change in src/ rebuilds it, Ctrl-C stops it)`);
      say(`the operator's console is at ${localOrigin(port)}/admin  (its token is ADMIN_TOKEN in .dev.vars)`);
    } else if (ready && !NOISE.test(line)) {
      console.log(line);
    }
  });
}
