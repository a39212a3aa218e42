// `npm run bench`: measures Signet beside other Workers on this machine, in one run.
//
// Compare figures of one run only. Ratios are to the stand-in in TypeScript, `hono`.

import { createServer } from "node:net";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { NAMES, residentBytes, start, statOf } from "./contestants.mjs";
import { Load } from "./load.mjs";
import { Client, operations, USERS } from "./operations.mjs";

const { values: options } = parseArgs({
  options: {
    only: { type: "string", default: NAMES.join(",") },
    operations: { type: "string", default: Object.keys(operations).join(",") },
    rounds: { type: "string", default: "5" },
    requests: { type: "string", default: "2000" },
    signet: { type: "string" },
  },
});
const names = options.only.split(",");
const chosen = options.operations.split(",");
const [rounds, requests] = [Number(options.rounds), Number(options.requests)];

const origin = await startOrigin();
const contestants = [];
try {
  for (const name of names) {
    const contestant = await start(name, { originUrl: origin.url, signet: options.signet });
    const load = await Load.open(contestant.port);
    const client = new Client(contestant, load);
    await client.makeUsers(USERS);
    contestants.push({ ...contestant, load, client });
  }
  const samples = {};
  // Round 0 is not counted: it compiles and warms what is measured.
  for (let round = 0; round <= rounds; round += 1) {
    for (const operation of chosen) {
      const order = round % 2 ? contestants : contestants.toReversed();
      for (const contestant of order) {
        const sample = await measure(contestant, operations[operation], requests);
        if (round > 0) ((samples[operation] ??= {})[contestant.name] ??= []).push(sample);
      }
    }
    process.stderr.write(`round ${round} of ${rounds}\n`);
  }
  print(samples);
  for (const { name, pid, size } of contestants) {
    const resident = (await residentBytes(pid)) / 1e6;
    console.log(`${name}: ${size.bytes} bytes, ${size.gzipped} gzipped; memory ${resident.toFixed(0)} MB`);
  }
} finally {
  for (const { load, close } of contestants) {
    load.close();
    await close();
  }
  origin.close();
}

/** One batch: CPU of workerd in microseconds per request, requests per second, and the times of requests. */
async function measure({ client, load, pid }, { prepare }, count) {
  const work = await prepare(client, count);
  await sleep(50);
  const before = await settledCpu(pid);
  const { seconds, times } = await load.run(count, work);
  const cpu = (await settledCpu(pid)) - before;
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  return { cpu: (cpu * 1_000) / count, rate: count / seconds, p50: at(0.5), p99: at(0.99) };
}

/** The CPU time of a process after the work that follows its answers. */
async function settledCpu(pid) {
  for (let last; ; await sleep(30)) {
    const { cpu } = await statOf(pid);
    if (cpu === last) return cpu;
    last = cpu;
  }
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function print(samples) {
  const base = names.includes("hono") ? "hono" : names[0];
  for (const [operation, byName] of Object.entries(samples)) {
    for (const name of names) {
      const figure = (key, of = name) => median(byName[of].map((sample) => sample[key]));
      const spread = (key) => {
        const values = byName[name].map((sample) => sample[key]);
        return `${Math.min(...values).toFixed(0)}-${Math.max(...values).toFixed(0)}`;
      };
      const ratio = (key) => median(byName[name].map((sample, n) => sample[key] / byName[base][n][key])).toFixed(2);
      console.log(
        `${operation.padEnd(8)} ${name.padEnd(7)} cpu ×${ratio("cpu")} rate ×${ratio("rate")} | ` +
          `cpu ${figure("cpu").toFixed(0)} us (${spread("cpu")}), ${figure("rate").toFixed(0)}/s (${spread("rate")}), ` +
          `p50 ${figure("p50").toFixed(1)} ms, p99 ${figure("p99").toFixed(1)} ms`,
      );
    }
  }
}

/** The server of the client area: answers each request with the same page. */
async function startOrigin() {
  const page = "<!doctype html><title>Invoices</title>";
  const answer = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\n\r\n${page}`;
  const server = createServer({ noDelay: true }, (socket) => {
    let text = "";
    socket.setEncoding("latin1");
    socket.on("error", () => {});
    socket.on("data", (data) => {
      text += data;
      if (!text.endsWith("\r\n\r\n")) return;
      const isIdentified = text.includes("signet-assertion: ") || text.includes("Signet-Assertion: ");
      text = "";
      socket.write(isIdentified ? answer : "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const sockets = new Set();
  server.on("connection", (socket) => sockets.add(socket));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
