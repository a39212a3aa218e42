// The contestants: how each is built and started, each in a workerd process of its own.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { localOrigin, root, secret } from "../scripts/setup.mjs";
import { freePort } from "../tests/support/port.mjs";

const USERS = { className: "User", useSQLite: true };

/** Each contestant: its `title`, how its modules are made, and its bindings. */
const definitions = {
  signet: {
    title: "Signet",
    modules: async (folder) => [
      { type: "ESModule", path: "index.js", contents: await readFile(join(folder, "index.js"), "utf8") },
      { type: "CompiledWasm", path: "index_bg.wasm", contents: await readFile(join(folder, "index_bg.wasm")) },
    ],
    bindings: {
      kvNamespaces: ["SIGNET_KV"],
      durableObjects: { USERS, CONSOLE: { className: "Console", useSQLite: true } },
    },
  },
  hono: {
    title: "Stand-in",
    modules: () => bundle("hono/worker.ts"),
    bindings: { kvNamespaces: ["KV"], durableObjects: { USERS } },
  },
  provider: {
    title: "workers-oauth-provider",
    modules: () => bundle("oauth-provider/worker.ts"),
    bindings: { kvNamespaces: ["OAUTH_KV"] },
  },
  empty: { title: "Empty Worker", modules: () => bundle("empty/worker.ts"), bindings: {} },
};

export const NAMES = Object.keys(definitions);

/** Bundles an entry module as its deployment would. */
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
  return [{ type: "ESModule", path: "index.js", contents: outputFiles[0].text }];
}

/** Where Linux keeps files in memory. */
const MEMORY = "/dev/shm";

/** A contestant with stores of its own, in memory if possible: the disk of this machine is not what is compared. */
export class Contestant {
  #miniflare;
  #pid;
  #options;
  #stores;

  /**
   * Builds a contestant. `originUrl` is the server of the client area, `signet` the folder of the build of Signet, and
   * `inspectorPort` the port of V8's inspector, if any. `onPrinted` receives what workerd prints, which is dropped otherwise.
   */
  static async build(name, { originUrl, signet, inspectorPort, onPrinted } = {}) {
    const contestant = new Contestant();
    const { title, modules, bindings } = definitions[name];
    const config = await readFile(join(root, "wrangler.toml"), "utf8");
    contestant.name = name;
    contestant.title = title;
    contestant.port = await freePort();
    contestant.issuer = localOrigin(contestant.port);
    contestant.consoleHost = `console.${new URL(contestant.issuer).host}`;
    contestant.adminToken = secret();
    contestant.#stores = await mkdtemp(join(existsSync(MEMORY) ? MEMORY : tmpdir(), "signet-bench-"));
    contestant.#options = {
      modules: await modules(signet),
      ...bindings,
      bindings: {
        ISSUER: contestant.issuer,
        SIGNING_KEYS: `k1:${secret()}`,
        ADMIN_TOKEN: contestant.adminToken,
        ORIGIN_URL: originUrl,
        CONSOLE_ORIGIN: `http://${contestant.consoleHost}`,
      },
      compatibilityDate: config.match(/^compatibility_date = "(.+)"/m)[1],
      kvPersist: join(contestant.#stores, "kv"),
      durableObjectsPersist: join(contestant.#stores, "objects"),
      // Straight to the Worker: the socket that Miniflare opens by itself leads through a Worker of its own.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: contestant.port }],
      // The log lines of all contestants are read at the same cost.
      handleRuntimeStdio(stdout, stderr) {
        for (const stream of [stdout, stderr]) {
          if (onPrinted) stream.on("data", onPrinted);
          else stream.resume();
        }
      },
      inspectorPort,
      cf: false,
      telemetry: { enabled: false },
    };
    return contestant;
  }

  /** What is deployed, in bytes, and gzipped. */
  get size() {
    const contents = this.#options.modules.map(({ contents }) => Buffer.from(contents));
    const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
    const gzipped = contents.map((content) => gzipSync(content, { level: 9 }).length);
    return { bytes: sum(contents.map(({ length }) => length)), gzipped: sum(gzipped) };
  }

  /** Starts workerd with the stores as they are. */
  async start() {
    this.#miniflare = new Miniflare(this.#options);
    await this.#miniflare.ready;
  }

  /** Finds the process that was started last, for `cpu` and `memory`. */
  async findProcess() {
    this.#pid = (await workerds()).find((pid) => !found.has(pid));
    found.add(this.#pid);
  }

  async stop() {
    await this.#miniflare?.dispose();
    this.#miniflare = undefined;
  }

  /** Stops workerd and deletes the stores. */
  async reset() {
    await this.stop();
    await rm(this.#stores, { recursive: true, force: true });
  }

  /** The CPU time that workerd used, in milliseconds, after the work that follows its answers. */
  async cpu() {
    for (let last; ; await new Promise((resolve) => setTimeout(resolve, SETTLED_MS))) {
      const { cpu } = await statOf(this.#pid);
      if (cpu === last) return cpu;
      last = cpu;
    }
  }

  /** The resident memory of workerd, in bytes. */
  async memory() {
    const status = await readFile(`/proc/${this.#pid}/status`, "utf8");
    return Number(status.match(/^VmRSS:\s+(\d+) kB/m)[1]) * 1024;
  }
}

/** The processes that belong to a contestant. */
const found = new Set();

/** How long a process uses no CPU before its work counts as done, in milliseconds. */
const SETTLED_MS = 30;
/** Linux counts CPU time in ticks of 10 ms. */
const TICK_MS = 10;

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

/** The parent of a process, and the CPU time that it used, in milliseconds. */
async function statOf(pid) {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  // The name, in parentheses, may contain spaces.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { parent: Number(fields[1]), cpu: (Number(fields[11]) + Number(fields[12])) * TICK_MS };
}
