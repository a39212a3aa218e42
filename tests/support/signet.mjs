// Signet in workerd, with its real HTTP socket and its real storage, and with control of its storage calls and its
// clock.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Miniflare } from "miniflare";
import { build, builds } from "../../scripts/build.mjs";
import { localOrigin, root, secret } from "../../scripts/setup.mjs";
import { send } from "./http.mjs";
import { freePort } from "./port.mjs";

/** How long a log line may take, in milliseconds. On an idle machine it takes none. */
const LOG_MS = 30_000;

/**
 * Builds Signet if necessary and starts it with empty storage.
 *
 * - `demo`: the Worker with the demo instead of the one that is deployed.
 * - `vars`: settings and secrets to add or replace. `null` removes a setting, or the binding `SIGNET_KV`, `USERS` or `CONSOLE`.
 * - `limit`: the number of failed attempts a minute that the rate-limit binding allows; without it there is no such binding.
 * - `analytics`: whether there is an Analytics Engine binding.
 * - `port`: the port of loopback; without it, a free one.
 *
 * Where the setting `ISSUER` is https, requests to the plain socket count as https, unless they have a header
 * `X-Test-By-Http`.
 *
 * The result has `issuer` (the origin to reach it by), `consoleOrigin` (the setting `CONSOLE_ORIGIN`: the same, and in gateway
 * mode another name of the same port), `adminToken`, `keys` (the setting `SIGNING_KEYS`) and `logs` (what it wrote to the
 * console, as `{ level, message }`), besides the functions documented below. Close it after use.
 */
export async function startSignet({ demo = false, vars = {}, limit, analytics = false, port } = {}) {
  const { folder } = await built(demo ? "demo" : "release");
  const issuer = localOrigin(port ?? (await freePort()));
  const settings = { ISSUER: issuer, SIGNING_KEYS: `k1:${secret()}`, ADMIN_TOKEN: secret(), ...vars };
  const consoleOrigin = vars.CONSOLE_ORIGIN ?? consoleOriginOf(issuer, settings);
  if (consoleOrigin !== settings.ISSUER && !("CONSOLE_ORIGIN" in vars)) settings.CONSOLE_ORIGIN = consoleOrigin;
  const stores = await mkdtemp(join(tmpdir(), "signet-"));
  const logs = [];
  const options = await miniflareOptions({ folder, issuer, settings, limit, analytics, stores, logs });
  let miniflare, agent, clockOrder;

  async function start() {
    agent = new Agent({ keepAlive: true });
    miniflare = new Miniflare(options);
    await miniflare.ready;
    if (clockOrder) await control(clockOrder);
  }

  async function stop() {
    agent.destroy();
    await miniflare.dispose();
  }

  /** Sends a request to a path: any method, any header, redirects not followed. See `send`. */
  const fetch = (path, init) => send(agent, issuer, path, init);

  /** Calls the administration at a path such as `/users/7`; returns `{ status, headers, body }`, the body parsed. */
  async function admin(method, path, body) {
    const headers = { Authorization: `Bearer ${settings.ADMIN_TOKEN}`, Host: new URL(consoleOrigin).host };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    const response = await fetch(`/admin/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text === "" ? null : JSON.parse(text) };
  }

  async function control(order) {
    const response = await fetch("/.test-control", { method: "POST", body: JSON.stringify(order) });
    if (response.status !== 200) throw new Error(`order ${order.do} failed: ${await response.text()}`);
    return response.json();
  }

  /** Runs SQL in a user's object and returns the rows. Faults and counts do not apply. */
  const sql = (user, statement, ...params) =>
    control({ do: "object", binding: "USERS", name: user, sql: statement, params });

  /** Runs SQL in the console's object and returns the rows. */
  const consoleSql = (statement, ...params) =>
    control({ do: "object", binding: "CONSOLE", name: "console", sql: statement, params });

  /** Runs the alarm of a user's object now. */
  const alarm = (user) => control({ do: "object", binding: "USERS", name: user });

  const ops = {
    /**
     * The calls that Signet made since the last reset, background work included, as `{ "kv.get": 1, ... }`. It waits for
     * background work except work behind a timer, or with `timers` for that too: then the chart's counts are written.
     */
    async read({ timers = false } = {}) {
      for (;;) {
        const { ops, background, waiting } = await control({ do: "ops" });
        if (background === (timers ? 0 : waiting)) return ops;
        await sleep(10);
      }
    },
    /** The calls that Signet made since the last reset, while requests are in progress. */
    now: async () => (await control({ do: "ops" })).ops,
    /** Waits for background work and sets every count to 0. */
    async reset() {
      await ops.read();
      await control({ do: "reset" });
    },
  };

  let isHolding = false;
  const faults = {
    /**
     * Replaces the faults of Signet's storage calls; `set([])` removes them, and so does a restart. A fault is
     * `{ target, mode, on, nth, ms }`:
     *
     * - `target`: `kv.get`, `kv.put`, `kv.delete`, `kv.list`, `object.run` (a user's), `console.run`, `sql.exec`,
     *   `alarm.get` or `alarm.set`;
     * - `on`: only calls whose key, list prefix, object name or SQL contains this text;
     * - `nth`: only the nth such call, from 1; without it, every one;
     * - `mode`:
     *   - `throw`: the call does not happen;
     *   - `lose`: it happens, and its result is lost;
     *   - `delay`: it happens after `ms` milliseconds (not for SQL);
     *   - `late`: it happens, and its result comes after `ms` milliseconds (not for SQL);
     *   - `hold`: it happens when the faults are replaced (not for SQL);
     *   - `stale`: `kv.get` returns what was stored when this fault was set.
     */
    async set(list) {
      // Or the background work of earlier requests would meet the faults. Held calls wait for new faults.
      if (list.length > 0 && !isHolding) await ops.read();
      isHolding = list.some(({ mode }) => mode === "hold");
      return control({ do: "faults", faults: list });
    },
  };

  async function setClock(to) {
    clockOrder = { do: "clock", ...to };
    await control(clockOrder);
  }

  /**
   * Lets WebAssembly panic at a reading of the clock: the `at`th from now, of any request or object. 0 removes a panic
   * that has not happened.
   */
  const panic = (at) => control({ do: "panic", at });

  const clock = {
    /**
     * Sets the difference of Signet's clock from the real one, in milliseconds. A restart keeps it. Pending alarms do
     * not move.
     */
    set: (offset) => setClock({ offset }),
    /**
     * Stops the clock at a time, in milliseconds since the epoch, until it is set. A restart keeps it stopped. The default is
     * the beginning of this second, because Signet stores whole seconds. Returns the time.
     */
    async stop(stoppedAt = Math.floor(Date.now() / 1000) * 1000) {
      await setClock({ stoppedAt });
      return stoppedAt;
    },
    /** Limits the delay of the timers that Signet sets from now on, in milliseconds, until a restart. */
    hurry: (longest) => control({ do: "timers", longest }),
  };

  /** The data points that Signet wrote, those of finished requests included. */
  const points = async () => {
    await ops.read();
    return control({ do: "points" });
  };

  /** Waits for a log line that contains a text and returns it. Log lines may arrive after the answers. */
  async function logged(text) {
    for (const end = Date.now() + LOG_MS; Date.now() < end; await sleep(10)) {
      const line = logs.find(({ message }) => message.includes(text));
      if (line) return line;
    }
    throw new Error(`not logged within ${LOG_MS} ms: ${text}`);
  }

  /** The KV namespace of Miniflare. Faults and counts do not apply. */
  const kv = () => miniflare.getKVNamespace("SIGNET_KV");

  /** Kills workerd, as in a crash, and starts it again with the same storage and port, and with changed `vars`. */
  async function restart(vars = {}) {
    await stop();
    Object.assign(options.bindings, vars);
    await start();
  }

  /** Kills workerd and deletes its storage. */
  async function close() {
    await stop();
    await rm(stores, { recursive: true });
  }

  try {
    await start();
  } catch (error) {
    await close(); // or the test would never end
    throw error;
  }
  const { SIGNING_KEYS: keys, ADMIN_TOKEN: adminToken } = settings;
  return {
    issuer,
    consoleOrigin,
    keys,
    adminToken,
    logs,
    logged,
    fetch,
    admin,
    sql,
    consoleSql,
    alarm,
    kv,
    points,
    ops,
    faults,
    panic,
    clock,
    restart,
    close,
  };
}

/**
 * The default `CONSOLE_ORIGIN`: the origin by which this machine reaches Signet, in gateway mode on a host of its own.
 */
function consoleOriginOf(origin, { ISSUER, ORIGIN_URL }) {
  const url = new URL(origin);
  if (ISSUER?.startsWith("https:")) url.protocol = "https:";
  if (ORIGIN_URL) url.hostname = `console.${url.hostname}`;
  return url.origin;
}

const builtHere = {};

/** Builds a Worker once in a test process, so that no test runs old code. `npm test` has built both before. */
async function built(name) {
  builtHere[name] ??= process.env.SIGNET_BUILT ? undefined : build(name);
  await builtHere[name];
  return builds[name];
}

async function miniflareOptions({ folder, issuer, settings, limit, analytics, stores, logs }) {
  const module = async (type, path, file) => ({ type, path, contents: await readFile(new URL(file, import.meta.url)) });
  const built = `../../${folder}`;
  const config = await readFile(join(root, "wrangler.toml"), "utf8");
  const { SIGNET_KV, USERS, CONSOLE, ...bindings } = settings;
  return {
    modules: await Promise.all([
      module("ESModule", "instrumented-worker.mjs", "instrumented-worker.mjs"),
      module("ESModule", "worker/index.js", `${built}/index.js`),
      module("CompiledWasm", "worker/index_bg.wasm", `${built}/index_bg.wasm`),
    ]),
    compatibilityDate: config.match(/^compatibility_date = "(.+)"/m)[1],
    bindings: Object.fromEntries(Object.entries(bindings).filter(([, value]) => value !== null)),
    kvNamespaces: SIGNET_KV === null ? [] : ["SIGNET_KV"],
    durableObjects: {
      ...(USERS !== null && { USERS: { className: "User", useSQLite: true } }),
      ...(CONSOLE !== null && { CONSOLE: { className: "Console", useSQLite: true } }),
    },
    ratelimits: limit === undefined ? {} : { FAILURES: { simple: { limit, period: 60 } } },
    analyticsEngineDatasets: analytics ? { ANALYTICS: { dataset: "signet" } } : {},
    kvPersist: join(stores, "kv"),
    durableObjectsPersist: join(stores, "objects"),
    // Straight to the Worker: the socket Miniflare opens by itself leads through a Worker of its own.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: Number(new URL(issuer).port) }],
    handleStructuredLogs({ level, message }) {
      logs.push({ level, message });
    },
    cf: false,
    telemetry: { enabled: false },
  };
}
