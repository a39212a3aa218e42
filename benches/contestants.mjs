// The contestants: how each is built and started, each in a workerd process of its own.

import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { localOrigin, root, secret } from "../scripts/setup.mjs";
import { freePort } from "../tests/support/port.mjs";

/** `--signet` names another folder with a build of Signet. */
export const SIGNET_BUILD = join(root, "build");

/** How to build each contestant: its modules, the entry first, and its bindings. */
const definitions = {
  signet: async ({ signet = SIGNET_BUILD }) => ({
    modules: [
      { type: "ESModule", path: "index.js", contents: await readFile(join(signet, "index.js"), "utf8") },
      { type: "CompiledWasm", path: "index_bg.wasm", contents: await readFile(join(signet, "index_bg.wasm")) },
    ],
    kvNamespaces: ["SIGNET_KV"],
    durableObjects: {
      USERS: { className: "User", useSQLite: true },
      CONSOLE: { className: "Console", useSQLite: true },
    },
  }),
  hono: async () => ({
    modules: [await bundle("hono/worker.ts")],
    kvNamespaces: ["KV"],
    durableObjects: { USERS: { className: "User", useSQLite: true } },
  }),
};

export const NAMES = Object.keys(definitions);

/** Bundles the entry module of a contestant in TypeScript or JavaScript. */
async function bundle(file) {
  const { outputFiles } = await build({
    entryPoints: [join(root, "benches", file)],
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["cloudflare:workers"],
    write: false,
  });
  return { type: "ESModule", path: "index.js", contents: outputFiles[0].text };
}

/**
 * Starts a contestant with empty storage, which is in memory: the disk of this machine is not what is compared.
 * `originUrl` is the server of the client area.
 *
 * The result has `port`, `issuer`, `consoleHost` (the `Host` for administration), `adminToken`, `size` (what is deployed, in
 * bytes, and gzipped), `pid` (of workerd) and `close`.
 */
export async function start(name, { originUrl, signet, port, inspectorPort } = {}) {
  const { modules, ...bindings } = await definitions[name]({ signet });
  const config = await readFile(join(root, "wrangler.toml"), "utf8");
  const stores = await mkdtemp("/dev/shm/signet-bench-");
  port ??= await freePort();
  const issuer = localOrigin(port);
  const adminToken = secret();
  const consoleOrigin = issuer.replace("localhost", "console.localhost");
  const before = new Set(await workerds());
  const miniflare = new Miniflare({
    modules,
    ...bindings,
    bindings: {
      ISSUER: issuer,
      SIGNING_KEYS: `k1:${secret()}`,
      ADMIN_TOKEN: adminToken,
      ORIGIN_URL: originUrl ?? issuer,
      CONSOLE_ORIGIN: consoleOrigin,
    },
    compatibilityDate: config.match(/^compatibility_date = "(.+)"/m)[1],
    kvPersist: join(stores, "kv"),
    durableObjectsPersist: join(stores, "objects"),
    // Straight to the Worker: the socket that Miniflare opens by itself leads through a Worker of its own.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
    // What workerd prints is read and dropped.
    handleRuntimeStdio(stdout, stderr) {
      stdout.resume();
      stderr.resume();
    },
    inspectorPort,
    cf: false,
    telemetry: { enabled: false },
  });
  await miniflare.ready;
  const [pid] = (await workerds()).filter((pid) => !before.has(pid));
  return {
    name,
    port,
    issuer,
    consoleHost: new URL(consoleOrigin).host,
    adminToken,
    pid,
    size: sizeOf(modules),
    async close() {
      await miniflare.dispose();
      await rm(stores, { recursive: true });
    },
  };
}

function sizeOf(modules) {
  const contents = modules.map(({ contents }) => Buffer.from(contents));
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  return { bytes: sum(contents.map((c) => c.length)), gzipped: sum(contents.map((c) => gzipSync(c, { level: 9 }).length)) };
}

/** The process ids of the workerd processes that this process started. */
async function workerds() {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const own = await Promise.all(
    pids.map(async (pid) => {
      const [stat, exe] = await Promise.all([statOf(pid), readlink(`/proc/${pid}/exe`).catch(() => "")]);
      return stat?.parent === process.pid && basename(exe) === "workerd";
    }),
  );
  return pids.filter((_, n) => own[n]).map(Number);
}

/** The parent of a process, and the milliseconds of CPU time that it used. */
export async function statOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // The name in parentheses may contain spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK };
}

/** USER_HZ, which is 100 on all Linux systems that Node runs on. */
const MS_PER_TICK = 10;

/** The resident memory of a process, in bytes. */
export async function residentBytes(pid) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(status.match(/^VmRSS:\s+(\d+) kB/m)[1]) * 1024;
}
