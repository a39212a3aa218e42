// `npm run bench`: measures Signet beside other Workers on this machine, in one run. docs/performance.md explains it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, release } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { build, builds } from "../scripts/build.mjs";
import { fail, root, say } from "../scripts/setup.mjs";
import { Contestant, NAMES } from "./contestants.mjs";
import { CONNECTIONS, Load } from "./load.mjs";
import { clientOf, TITLES, USERS } from "./operations.mjs";
import { startOrigin } from "./origin.mjs";
import { chart, tables } from "./report.mjs";

const ALL = { only: NAMES, operations: Object.keys(TITLES), series: ["signins", "users", "cold"] };
const options = {
  // The contestants, the operations and the further series, as lists with commas. Chosen operations have no series by default.
  only: { type: "string", default: ALL.only.join() },
  operations: { type: "string", default: ALL.operations.join() },
  series: { type: "string" },
  rounds: { type: "string", default: "5" },
  requests: { type: "string", default: "2000" },
  // The sign-ins of one user, and the users, of the series.
  signins: { type: "string", default: "1,100,10000" },
  // The memory of SQLite in a local workerd ends between 2,000 and 2,500 open objects of Signet.
  users: { type: "string", default: "10,1000,2000" },
  // The folder of a build of Signet. By default, the release Worker is built.
  signet: { type: "string" },
  json: { type: "string" },
  svg: { type: "string" },
};
const values = parsed();
values.series ??= values.operations === ALL.operations.join() ? ALL.series.join() : "none";
const listed = (name) => values[name].split(",");
const [[rounds], [requests]] = [numbers("rounds", 1), numbers("requests", 1)];
/** The sizes of the two series. */
const counts = { signins: numbers("signins"), users: numbers("users") };

function parsed() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return refuse(error.message.split(". ")[0]);
  }
}

/** Prints what is wrong with the options, and which options there are. */
function refuse(problem) {
  const usage = Object.keys(options).map((name) => `[--${name} …]`);
  console.error(`bench: ${problem}.\nusage: npm run bench -- ${usage.join(" ")}`);
  process.exit(2);
}

/** The whole numbers from 1 of an option, at most `count`. */
function numbers(name, count = Infinity) {
  const list = listed(name);
  if (list.length > count || !list.every((text) => /^[1-9]\d*$/.test(text))) {
    refuse(`--${name} ${values[name]} is not ${count === 1 ? "a whole number" : "a list of whole numbers"} from 1`);
  }
  return list.map(Number);
}

/** How many rounds of the series of sign-ins and users are counted. */
const SERIES_ROUNDS = Math.min(rounds, 3);
/** How many rounds of cold starts are counted: more, because their times vary most. */
const COLD_ROUNDS = 2 * rounds;

/** The entries of a list that an option names, in the order of the report. */
function chosen(name) {
  const unknown = listed(name).find((entry) => ![...ALL[name], "none"].includes(entry));
  if (unknown !== undefined) refuse(`--${name} ${unknown} is unknown; it is one of ${ALL[name].join(", ")}`);
  return ALL[name].filter((entry) => listed(name).includes(entry));
}

/** How many requests a user gets in a batch of the series of sign-ins, and how many users share it, one after the other. */
const GROWN_REQUESTS = 16;
const GROWN_USERS = Math.min(32, Math.ceil(requests / GROWN_REQUESTS));

for (const name of Object.keys(ALL)) chosen(name);
if (process.platform !== "linux") fail("the bench reads the CPU time of workerd from /proc, so it needs Linux.");
let signet = values.signet;
if (!signet && listed("only").includes("signet")) {
  await build("release");
  signet = join(root, builds.release.folder);
}
const origin = await startOrigin();
const contestants = [];
try {
  for (const name of chosen("only")) contestants.push(await Contestant.build(name, { originUrl: origin.url, signet }));
  const result = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    parameters: { rounds, requests, connections: CONNECTIONS },
    contestants: Object.fromEntries(contestants.map(({ name, title, size }) => [name, { title, ...size }])),
    operations: {},
    series: {},
  };
  await measureOperations(result);
  const series = { signins: measureSignIns, users: measureUsers, cold: measureColdStarts };
  for (const name of chosen("series")) result.series[name] = await series[name]();
  console.log(tables(result));
  if (values.json) write(values.json, `${JSON.stringify(result, null, 2)}\n`);
  if (values.svg) write(values.svg, chart(result));
} finally {
  for (const contestant of contestants) await contestant.reset();
  origin.close();
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function machine() {
  const version = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;
  const packages = ["workerd", "miniflare", "hono", "jose", "@cloudflare/workers-oauth-provider"];
  return {
    cpu: cpus()[0].model,
    cores: cpus().length,
    linux: release(),
    versions: { node: process.versions.node, ...Object.fromEntries(packages.map((name) => [name, version(name)])) },
  };
}

/** Runs `work` with the clients of contestants that start with empty stores. */
async function withClients(started, work) {
  const clients = [];
  try {
    for (const contestant of started) {
      const client = clientOf(contestant);
      clients.push(client);
      await open(client);
      await client.setUp();
    }
    return await work(clients);
  } finally {
    for (const client of clients) {
      client.load?.close();
      await client.contestant.reset();
    }
  }
}

/** Starts the contestant of a client, and connects to it. */
async function open(client) {
  await client.contestant.start();
  await client.contestant.findProcess();
  client.load = await Load.open(client.contestant.port);
}

async function close(client) {
  client.load.close();
  await client.contestant.stop();
}

/** Calls `turn` in rounds, each round once for each client in alternating order. */
async function inRounds(from, to, clients, turn) {
  for (let round = from; round <= to; round += 1) {
    for (const client of round % 2 ? clients : clients.toReversed()) await turn(client, round);
  }
}

/** Adds a sample to a tree of samples. */
function add(samples, [key, ...keys], sample) {
  if (keys.length > 0) add((samples[key] ??= {}), keys, sample);
  else (samples[key] ??= []).push(sample);
}

/**
 * Measures batches of an operation for rounds 1 to `last`, and adds them to `samples` by contestant. A small round 0 is not
 * counted: it compiles and warms what is measured.
 */
function measureRounds(last, clients, samples, operation, count, before = () => {}) {
  return inRounds(0, last, clients, async (client, round) => {
    await before(client);
    const sample = await measure(client, operation, round === 0 ? Math.ceil(count / 4) : count);
    if (round > 0) add(samples, [client.contestant.name], sample);
  });
}

/** One batch: CPU of workerd in microseconds per request, requests per second, and milliseconds per request. */
async function measure(client, operation, count) {
  const work = await client.operations[operation](count);
  const before = await client.contestant.cpu();
  const { seconds, times } = await client.load.run(count, work);
  const cpu = (await client.contestant.cpu()) - before;
  const at = (share) => times[Math.floor((times.length - 1) * share)];
  return { cpu: (cpu * 1_000) / count, rate: count / seconds, p50: at(0.5), p99: at(0.99) };
}

/** Measures the operations, and the memory of workerd after them. */
function measureOperations(result) {
  return withClients(contestants, async (clients) => {
    for (const operation of chosen("operations")) {
      say(`measuring: ${TITLES[operation]}`);
      const able = clients.filter((client) => operation in client.operations);
      await measureRounds(rounds, able, (result.operations[operation] = {}), operation, requests);
    }
    for (const { contestant } of clients) result.contestants[contestant.name].memory = await contestant.memory();
  });
}

/** The contestants that sign users in. */
function signInContestants() {
  return contestants.filter(({ name }) => ["hono", "signet"].includes(name));
}

/** Redemption and session check of users with 1, 100 and 10,000 sign-ins, and the first redemption of a new process. */
function measureSignIns() {
  return withClients(signInContestants(), async (clients) => {
    const samples = {};
    const sizes = counts.signins;
    for (const size of sizes) {
      say(`measuring: users with ${size.toLocaleString("en")} sign-ins`);
      // So many sign-ins of several users would take too long.
      const users = size > 1_000 ? 1 : GROWN_USERS;
      for (const client of clients) await grow(client, users, size);
      for (const operation of ["redeem", "session"]) {
        const into = ((samples[operation] ??= {})[size] = {});
        // Batches would make a small number of sign-ins a large one.
        const before = (client) => (size < GROWN_REQUESTS ? grow(client, users, size) : undefined);
        await measureRounds(SERIES_ROUNDS, clients, into, operation, GROWN_USERS * GROWN_REQUESTS, before);
      }
      for (const client of clients) (client.grown ??= {})[size] = client.userOf;
    }
    await inRounds(1, SERIES_ROUNDS, clients, async (client) => {
      await close(client);
      await open(client);
      for (const size of sizes) {
        client.userOf = (n) => n % USERS;
        await client.load.run(USERS, await client.operations.redeem(USERS));
        client.userOf = client.grown[size];
        const { times } = await client.load.run(1, await client.operations.redeem(1));
        add(samples, ["first", size, client.contestant.name], times[0]);
      }
    });
    return samples;
  });
}

/** Makes users with so many sign-ins each, for the requests that follow. */
async function grow(client, users, size) {
  const first = await client.makeUsers(users);
  const perUser = (GROWN_USERS * GROWN_REQUESTS) / users;
  client.userOf = (n) => first + Math.floor(n / perUser);
  await client.signIn(users * size, (n) => first + (n % users));
}

/** Redemption and session check spread over 10, 1,000 and 2,000 users. */
function measureUsers() {
  return withClients(signInContestants(), async (clients) => {
    const samples = {};
    let made = USERS;
    for (const users of counts.users) {
      say(`measuring: ${users.toLocaleString("en")} users`);
      for (const client of clients) {
        await client.makeUsers(Math.max(0, users - made));
        client.userOf = (n) => n % users;
      }
      made = Math.max(made, users);
      for (const operation of ["redeem", "session"]) {
        const into = ((samples[operation] ??= {})[users] = {});
        await measureRounds(SERIES_ROUNDS, clients, into, operation, Math.max(requests / 2, users));
      }
    }
    return samples;
  });
}

/** The milliseconds from the start of a process to its first answer, for each operation. */
async function measureColdStarts() {
  const samples = {};
  const clients = contestants.map((contestant) => clientOf(contestant));
  /** Starts a process, times what was prepared for its first request, if anything, and prepares that of the next. */
  const turn = async (client, prepared, next) => {
    const start = performance.now();
    await client.contestant.start();
    client.load = await Load.open(client.contestant.port, 1);
    if (prepared) await client.load.run(1, prepared);
    else await client.setUp();
    const time = performance.now() - start;
    const work = await client.operations[next](1);
    await close(client);
    return { time, work };
  };
  say("measuring: cold starts");
  for (const client of clients) {
    client.able = chosen("operations").filter((operation) => operation in client.operations);
    ({ work: client.prepared } = await turn(client, undefined, client.able[0]));
  }
  await inRounds(1, COLD_ROUNDS, clients, async (client) => {
    for (const [n, operation] of client.able.entries()) {
      const { time, work } = await turn(client, client.prepared, client.able[(n + 1) % client.able.length]);
      client.prepared = work;
      add(samples, [operation, client.contestant.name], time);
    }
  });
  for (const { contestant } of clients) await contestant.reset();
  return samples;
}
