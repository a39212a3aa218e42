// Profiles one operation of one contestant with V8's sampling profiler, and prints the functions that take most time:
// `node benches/profile.mjs signet session 3000`. The last argument may name the folder of a build of Signet. Build it
// without `wasm-opt --strip-debug` to see the names of its functions.
//
// Samples are wall time, so they are longer on a busy machine. Time that the platform waits is `(idle)`.

import { once } from "node:events";
import { join } from "node:path";
import WebSocket from "ws";
import { builds } from "../scripts/build.mjs";
import { root } from "../scripts/setup.mjs";
import { freePort } from "../tests/support/port.mjs";
import { Contestant } from "./contestants.mjs";
import { Load } from "./load.mjs";
import { clientOf } from "./operations.mjs";
import { startOrigin } from "./origin.mjs";

const [name, operation, count = "3000", signet = join(root, builds.release.folder)] = process.argv.slice(2);
const FUNCTIONS = 40;
const WARM_UP = 1_000;
const INTERVAL_US = 200;

const origin = await startOrigin();
const inspectorPort = await freePort();
const contestant = await Contestant.build(name, { originUrl: origin.url, signet, inspectorPort });
try {
  await contestant.start();
  const client = clientOf(contestant);
  client.load = await Load.open(contestant.port);
  await client.setUp();
  await client.load.run(WARM_UP, await client.operations[operation](WARM_UP));
  const work = await client.operations[operation](Number(count));
  const { profile, seconds } = await profiled(() => client.load.run(Number(count), work));
  client.load.close();
  console.log(`${((seconds * 1e6) / Number(count)).toFixed(0)} µs per request, of which in`);
  for (const [place, time] of [...selfTimes(profile)].sort((a, b) => b[1] - a[1]).slice(0, FUNCTIONS)) {
    console.log(`${(time / Number(count)).toFixed(1).padStart(8)} µs  ${place}`);
  }
} finally {
  await contestant.reset();
  origin.close();
}

/** Profiles the Worker while `work` runs. Returns its result with the `profile`. */
async function profiled(work) {
  const targets = await (await fetch(`http://127.0.0.1:${inspectorPort}/json`)).json();
  const socket = new WebSocket(targets.find(({ id }) => id.startsWith("core:user:")).webSocketDebuggerUrl);
  await once(socket, "open");
  const waiting = new Map();
  socket.on("message", (text) => {
    const { id, result } = JSON.parse(text);
    waiting.get(id)?.(result);
  });
  const call = (method, params = {}) =>
    new Promise((resolve) => {
      const id = waiting.size + 1;
      waiting.set(id, resolve);
      socket.send(JSON.stringify({ id, method, params }));
    });
  await call("Profiler.enable");
  await call("Profiler.setSamplingInterval", { interval: INTERVAL_US });
  await call("Profiler.start");
  const result = await work();
  const { profile } = await call("Profiler.stop");
  socket.close();
  return { ...result, profile };
}

/** The time spent in each function itself, in microseconds. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const places = new Map(
    nodes.map(({ id, callFrame: { functionName, lineNumber, columnNumber } }) => [
      id,
      `${functionName || "(anonymous)"} ${lineNumber + 1}:${columnNumber + 1}`,
    ]),
  );
  const times = new Map();
  for (const [n, id] of samples.entries()) {
    const place = places.get(id);
    times.set(place, (times.get(place) ?? 0) + timeDeltas[n]);
  }
  return times;
}
