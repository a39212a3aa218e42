// The Worker that the tests run: the built Worker, unmodified, with an environment and a clock that tests observe and
// control. signet.mjs loads this module and gives it the built Worker as ./worker/index.js. It is never deployed.

import { DurableObject } from "cloudflare:workers";
import Signet, { Console as SignetConsole, User as SignetUser } from "./worker/index.js";

const CONTROL = "/.test-control";
/** The header of a request that counts as http although the issuer is https. */
const BY_HTTP = "x-test-by-http";

/**
 * The number of calls that Signet made since the last reset. All objects and requests share this isolate and these
 * values.
 */
const ops = {};
let faults = [];
/** The content of KV when a `stale` fault was set. */
let snapshot = new Map();
/** The number of promises given to `ctx.waitUntil` that are not settled yet. */
let background = 0;
/** The timers of Signet that have not fired. `ops.read` does not wait for them unless asked to. */
const timers = new Set();
/** The longest delay of a timer, in milliseconds. */
let longestTimer = Infinity;
/** The data points written to Analytics Engine. */
const points = [];
let clockOffset = 0;
/** The time at which the clock is stopped, in milliseconds since the epoch, or null. */
let stoppedAt = null;

const TARGETS = [
  "kv.get",
  "kv.put",
  "kv.delete",
  "kv.list",
  "object.run",
  "console.run",
  "sql.exec",
  "alarm.get",
  "alarm.set",
];

/** The number of requests without an answer. */
let answering = 0;

function resetOps() {
  for (const name of [...TARGETS, "sql.rowsRead", "sql.rowsWritten", "record.early"]) ops[name] = 0;
}

/** Counts a log line or a data point that is written before the answer. */
function countEarly() {
  if (answering > 0) ops["record.early"] += 1;
}

const { log } = console;
console.log = (...args) => {
  countEarly();
  log(...args);
};

resetOps();

const RealDate = Date;
/** At which reading of the clock, counted from now, WebAssembly panics; 0 for none. */
let panicAt = 0;
const now = () => {
  if (panicAt > 0) {
    panicAt -= 1;
    // An exception that no frame of WebAssembly catches leaves it as a panic does.
    if (panicAt === 0) throw new WebAssembly.RuntimeError("injected panic");
  }
  return stoppedAt ?? RealDate.now() + clockOffset;
};
globalThis.Date = new Proxy(RealDate, {
  get: (date, name) => (name === "now" ? now : Reflect.get(date, name)),
  construct: (date, args, target) => Reflect.construct(date, args.length > 0 ? args : [now()], target),
});

const { setTimeout: setRealTimeout, clearTimeout: clearRealTimeout } = globalThis;
globalThis.setTimeout = (callback, delay) => {
  const timer = setRealTimeout(
    () => {
      timers.delete(timer);
      callback();
    },
    Math.min(delay, longestTimer),
  );
  if (delay > 0) timers.add(timer);
  return timer;
};
globalThis.clearTimeout = (timer) => {
  timers.delete(timer);
  clearRealTimeout(timer);
};

export default {
  async fetch(request, env, ctx) {
    if (request.url.endsWith(CONTROL)) return Response.json(await control(await request.json(), env));
    answering += 1;
    try {
      return await Signet.fetch(asPresented(request, env), watchedEnv(env), watchedContext(ctx));
    } finally {
      answering -= 1;
    }
  },
};

/**
 * The request as Cloudflare presents it: by https where the issuer is https, although the test sent it to a plain
 * socket.
 */
function asPresented(request, { ISSUER }) {
  if (!ISSUER?.startsWith("https:") || request.headers.has(BY_HTTP)) return request;
  return new Request(request.url.replace(/^http:/, "https:"), request);
}

export class User extends DurableObject {
  #signet;
  #cursors = [];

  constructor(ctx, env) {
    super(ctx, env);
    this.#start();
  }

  /** Starts a new life of the object: with its storage, and with nothing in memory. */
  #start() {
    this.#signet = new SignetUser(this.ctx, this.env);
    // Signet reads both when it runs the first command.
    this.#signet.ctx = watchedState(this.ctx, this.#cursors);
    this.#signet.env = watchedEnv(this.env);
    this.#countRows();
  }

  run(command) {
    try {
      return this.#signet.run(command);
    } finally {
      this.#countRows();
    }
  }

  async alarm() {
    try {
      await this.#signet.alarm();
    } finally {
      this.#countRows();
    }
  }

  /** Executes an order of signet.mjs. */
  async fetch(request) {
    const { sql, params } = await request.json();
    if (sql) {
      const cursor = this.ctx.storage.sql.exec(sql, ...params);
      const rows = cursor.toArray();
      // Signet has rows in memory, which are those in storage unless a test writes some.
      if (cursor.rowsWritten > 0) this.#start();
      return Response.json(rows);
    }
    // As the platform does when the alarm goes off.
    await this.ctx.storage.deleteAlarm();
    await this.alarm();
    return Response.json(null);
  }

  #countRows() {
    for (const cursor of this.#cursors.splice(0)) {
      ops["sql.rowsRead"] += cursor.rowsRead;
      ops["sql.rowsWritten"] += cursor.rowsWritten;
    }
  }
}

/** The console's object. Its rows are in no budget, so they are not counted. */
export class Console extends SignetConsole {
  /** Executes an order of signet.mjs. */
  async fetch(request) {
    const { sql, params } = await request.json();
    return Response.json(this.ctx.storage.sql.exec(sql, ...params).toArray());
  }
}

/** Executes an order of signet.mjs. */
async function control(order, env) {
  switch (order.do) {
    case "ops":
      return { ops, background, waiting: timers.size };
    case "reset":
      resetOps();
      return null;
    case "faults":
      if (order.faults.some(({ mode }) => mode === "stale")) snapshot = await copyOf(env.SIGNET_KV);
      faults = order.faults.map((fault) => ({ ...fault, met: 0 }));
      return null;
    case "points":
      return points;
    case "clock":
      ({ offset: clockOffset = 0, stoppedAt = null } = order);
      return null;
    case "panic":
      panicAt = order.at;
      return null;
    case "timers":
      longestTimer = order.longest;
      return null;
    case "object": {
      const request = new Request("http://object/", { method: "POST", body: JSON.stringify(order) });
      return (await env[order.binding].getByName(order.name).fetch(request)).json();
    }
  }
}

async function copyOf(kv) {
  const copy = new Map();
  for (let cursor, done = false; !done; ) {
    const page = await kv.list({ cursor });
    for (const { name } of page.keys) copy.set(name, await kv.getWithMetadata(name));
    ({ cursor, list_complete: done } = page);
  }
  return copy;
}

/** Counts a call and returns the fault set for it, if any. */
function count(target, subject) {
  ops[target] += 1;
  const about = faults.filter((fault) => fault.target === target && subject.includes(fault.on ?? ""));
  for (const fault of about) fault.met += 1;
  return about.find((fault) => fault.nth === undefined || fault.nth === fault.met);
}

/** Performs a call with the fault set for it, if any. */
async function call(target, subject, perform, stale) {
  const fault = count(target, subject);
  if (fault?.mode === "throw") throw injected(target);
  if (fault?.mode === "delay") await new Promise((resolve) => setRealTimeout(resolve, fault.ms));
  while (fault?.mode === "hold" && faults.includes(fault)) await new Promise((resolve) => setRealTimeout(resolve, 10));
  if (fault?.mode === "stale") return stale();
  const result = await perform();
  if (fault?.mode === "late") await new Promise((resolve) => setRealTimeout(resolve, fault.ms));
  if (fault?.mode === "lose") throw injected(target);
  return result;
}

const injected = (target) => new Error(`${target}: injected fault`);

/** The same object, with some of its properties replaced. */
function replacing(object, replacements) {
  return new Proxy(object, {
    get(_, name) {
      if (Object.hasOwn(replacements, name)) return replacements[name];
      const value = object[name];
      return typeof value === "function" && name !== "constructor" ? value.bind(object) : value;
    },
  });
}

const watchedContext = (ctx) => replacing(ctx, { waitUntil: watchedWaitUntil(ctx) });

function watchedWaitUntil(ctx) {
  const settled = () => {
    background -= 1;
  };
  return (promise) => {
    background += 1;
    promise.then(settled, settled);
    ctx.waitUntil(promise);
  };
}

function watchedEnv({ SIGNET_KV, USERS, CONSOLE, ANALYTICS, ...rest }) {
  return {
    ...rest,
    ...(SIGNET_KV && { SIGNET_KV: watchedKv(SIGNET_KV) }),
    ...(USERS && { USERS: watchedObjects(USERS, "object.run") }),
    ...(CONSOLE && { CONSOLE: watchedObjects(CONSOLE, "console.run") }),
    ...(ANALYTICS && {
      ANALYTICS: {
        writeDataPoint(point) {
          countEarly();
          points.push(point);
        },
      },
    }),
  };
}

function watchedKv(kv) {
  const copied = (key) => snapshot.get(key) ?? { value: null, metadata: null, cacheStatus: null };
  return replacing(kv, {
    get: (key, options) =>
      call(
        "kv.get",
        String(key),
        () => kv.get(key, options),
        () =>
          Array.isArray(key)
            ? new Map(key.map((one) => [one, copied(one).value]))
            : decoded(copied(key).value, options),
      ),
    getWithMetadata: (key, options) =>
      call(
        "kv.get",
        key,
        () => kv.getWithMetadata(key, options),
        async () => ({
          ...copied(key),
          value: await decoded(copied(key).value, options),
        }),
      ),
    put: (key, ...rest) => call("kv.put", key, () => kv.put(key, ...rest)),
    delete: (key) => call("kv.delete", key, () => kv.delete(key)),
    list: (options) => call("kv.list", options?.prefix ?? "", () => kv.list(options)),
  });
}

/** A KV text as the type that was asked for. */
function decoded(text, options) {
  if (text === null) return null;
  const type = options?.type ?? options ?? "text";
  return type === "stream" ? new Response(text).body : new Response(text)[type]();
}

function watchedObjects(namespace, target) {
  const watched = (stub, name) => replacing(stub, { run: (...args) => call(target, name, () => stub.run(...args)) });
  return replacing(namespace, {
    get: (id, options) => watched(namespace.get(id, options), id.name ?? ""),
    getByName: (name, options) => watched(namespace.getByName(name, options), name),
  });
}

/**
 * An object's state. It keeps the SQL cursors, because the row counts of a cursor are complete only after it was read.
 */
function watchedState(ctx, cursors) {
  const { storage } = ctx;
  const sql = replacing(storage.sql, {
    exec(statement, ...params) {
      const fault = count("sql.exec", statement);
      if (fault?.mode === "throw") throw injected("sql.exec");
      const cursor = storage.sql.exec(statement, ...params);
      cursors.push(cursor);
      if (fault) throw injected("sql.exec");
      return cursor;
    },
  });
  // As long from now as Signet's clock says.
  const setAlarm = (time, options) =>
    call("alarm.set", "", () => storage.setAlarm(Number(time) - now() + RealDate.now(), options));
  const getAlarm = () => call("alarm.get", "", () => storage.getAlarm());
  const watchedStorage = replacing(storage, { sql, getAlarm, setAlarm });
  return replacing(ctx, { storage: watchedStorage, waitUntil: watchedWaitUntil(ctx) });
}
