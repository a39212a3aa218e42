// `npm run cost`: counts the operations of a sign-in and of a session check in workerd, computes what they cost on
// Cloudflare, and writes the result into docs/cost.md.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startSignet } from "../tests/support/signet.mjs";
import { claimsOf, createSet, getToken, openLink, putUser, signIn, whoIs } from "../tests/support/workflow.mjs";
import { root, say } from "./setup.mjs";

const PAGE = join(root, "docs/cost.md");
const BEGIN = "<!-- computed by `npm run cost` -->";
const END = "<!-- end of the computed part -->";

/**
 * CPU time of a request in milliseconds, in the Worker and in the object together. Measured in workerd on a machine with two
 * cores in November 2026, from the CPU time of the process over 2,000 requests. Replace it with the figures of `npm run bench`.
 */
const CPU_MS = { token: 1.8, signIn: 0.7, check: 0.4, remembered: 0.2, forwarding: 0.8 };

/** What no count and no price says. */
const ASSUMED = {
  /** Wall-clock time for which a request keeps the object active, in milliseconds. */
  objectMs: 5,
  /** Bytes of a log line with the attributes that Cloudflare adds. */
  logBytes: 1_000,
  /** Bytes of an object without rows (Cloudflare's documentation), and of a sign-in that it keeps. */
  objectBytes: 12_000,
  signInBytes: 1_000,
  /** Pages that a user opens after a sign-in, a minute or more apart, and the files of each. */
  pages: 20,
  files: 50,
  days: 30,
  retentionDays: 90,
  /** Requests per second that one object accepts (Cloudflare's documentation). */
  objectPerSecond: 1_000,
};

/** How often an isolate sends its counts to the console's object, in seconds. */
const CHART_SECONDS = 5;

const OBJECT_GB = 0.128;
const MILLION = 1e6;

/**
 * Prices in US dollars. `included`, `price` and `per` are of the Workers Paid plan and a month; `free` is the limit of the
 * Workers Free plan for a day.
 */
const METERS = [
  ["requests", "Worker requests", { included: 10e6, price: 0.3, free: 100_000, source: "Workers" }],
  ["cpuMs", "CPU milliseconds", { included: 30e6, price: 0.02, source: "Workers" }],
  ["kvReads", "KV reads", { included: 10e6, price: 0.5, free: 100_000, source: "KV" }],
  ["kvWrites", "KV writes", { included: 1e6, price: 5, free: 1_000, source: "KV" }],
  ["kvGb", "KV storage, GB-month", { included: 1, price: 0.5, per: 1, source: "KV" }],
  ["objectRequests", "object requests", { included: 1e6, price: 0.15, free: 100_000, source: "Durable Objects" }],
  ["objectGbS", "object duration, GB-s", { included: 400_000, price: 12.5, free: 13_000, source: "Durable Objects" }],
  ["rowsRead", "rows read", { included: 25e9, price: 0.001, free: 5e6, source: "Durable Objects" }],
  ["rowsWritten", "rows written", { included: 50e6, price: 1, free: 100_000, source: "Durable Objects" }],
  ["objectGb", "object storage, GB-month", { included: 5, price: 0.2, per: 1, source: "Durable Objects" }],
  ["logGb", "log ingestion, GB", { included: 50, price: 0.25, per: 1, free: 0.5, source: "Observability" }],
].map(([key, name, terms]) => ({ key, name, per: MILLION, ...terms }));

const sumOf = (numbers) => numbers.reduce((sum, number) => sum + number, 0);

/** The price of the Workers Paid plan for a month. */
const PLAN = 5;

const SOURCES = {
  Workers: "https://developers.cloudflare.com/workers/platform/pricing/",
  KV: "https://developers.cloudflare.com/kv/platform/pricing/",
  "Durable Objects": "https://developers.cloudflare.com/durable-objects/platform/pricing/",
  Observability: "https://developers.cloudflare.com/observability/pricing/",
};
const READ_ON = "26 November 2026";

const { pages, files } = ASSUMED;

/** The ways in which a client area uses Signet, with the session checks of a sign-in. */
const USES = [
  { name: "sign-ins only", checks: 0 },
  { name: "one session check for each page", checks: pages },
  { name: "gateway mode", checks: pages * (1 + files), isGateway: true },
  { name: "gateway mode, `SESSION_CACHE` 60", checks: pages * (1 + files), isGateway: true, isCached: true },
];

/** Counts the operations of what `act` does with this number of requests. */
async function costOf(signet, requests, act) {
  await signet.ops.reset();
  await act();
  const ops = await signet.ops.read();
  return {
    requests,
    kvReads: ops["kv.get"],
    kvWrites: ops["kv.put"] + ops["kv.delete"] + ops["kv.list"],
    objectRequests: sumOf(Object.entries(ops).map(([name, count]) => (name.startsWith("object.") ? count : 0))),
    rowsRead: ops["sql.rowsRead"],
    rowsWritten: ops["sql.rowsWritten"] + ops["alarm.set"],
  };
}

/**
 * Counts the operations of each step on the built Worker. `end` is what the alarms of a user do who signs in once and never
 * again, until nothing of the sign-in is kept.
 */
export async function countOperations() {
  const user = "12345";
  const signet = await startSignet();
  const start = await signet.clock.stop();
  const at = (days, seconds = 0) => signet.clock.stop(start + (days * 86_400 + seconds) * 1000);
  const cost = (requests, act) => costOf(signet, requests, act);
  /** Runs the alarms of a sign-in: after a day, and when its events expire. */
  const sweep = async (day) => {
    const alarms = [day + 1, day + 1 + ASSUMED.retentionDays];
    for (const day of alarms) {
      await at(day, 1);
      await signet.alarm(user);
    }
    return alarms.length;
  };
  try {
    await putUser(signet, user);
    const set = await createSet(signet, { user_id: user });
    await signIn(signet, set);
    await sweep(0);

    const day = 100;
    await at(day);
    let token, cookie;
    const counts = {
      token: await cost(1, async () => {
        token = await getToken(signet, set);
      }),
      signIn: await cost(1, async () => {
        cookie = (await openLink(signet, token)).headers.get("set-cookie").split(";")[0];
      }),
    };
    const check = async () => {
      if ((await whoIs(signet, { Cookie: cookie })) !== user) throw new Error("there is no session");
    };
    counts.check = await cost(1, check);
    await at(day, 60);
    counts.refresh = await cost(1, check);
    const key = `token:${claimsOf(token).jti}`;
    counts.recordBytes = key.length + (await (await signet.kv()).get(key)).length;
    await signet.clock.hurry(10);
    await signet.ops.read({ timers: true });
    await signet.ops.reset();
    await signIn(signet, set);
    counts.chart = (await signet.ops.read({ timers: true }))["console.run"];
    await sweep(day); // so that the next sign-in is the only one

    const last = day + 200;
    await at(last);
    await signIn(signet, set);
    let alarms;
    const end = await cost(0, async () => {
      alarms = await sweep(last);
    });
    counts.end = { ...end, objectRequests: end.objectRequests + alarms };

    await signet.restart({ TOKEN_RECORDS: "off", SESSION_CACHE: "60" });
    counts.tokenOff = await cost(1, async () => {
      token = await getToken(signet, set);
    });
    cookie = (await openLink(signet, token)).headers.get("set-cookie").split(";")[0];
    await check();
    counts.remembered = await cost(1, check);
    return counts;
  } finally {
    await signet.close();
  }
}

/** The use of all meters by sign-ins of `users` in a month, each with `signIns` of them. */
function useOf(counts, { checks, isGateway, isCached }, records, { users, signIns }) {
  const asked = isCached ? pages : checks;
  const sum = (key) =>
    (records === "kv" ? counts.token : counts.tokenOff)[key] +
    counts.signIn[key] +
    counts.end[key] +
    Math.min(asked, pages) * counts.refresh[key] +
    Math.max(asked - pages, 0) * counts.check[key] +
    (checks - asked) * counts.remembered[key];
  const n = users * signIns;
  // Each request to the console's object writes one row: the counter of the day.
  const chart = Math.min(n * counts.chart, ASSUMED.objectPerSecond * 86_400 * ASSUMED.days);
  const objectRequests = n * sum("objectRequests") + chart;
  const kept = (n / ASSUMED.days) * ASSUMED.retentionDays;
  const cpu = CPU_MS.token + CPU_MS.signIn + asked * CPU_MS.check + (checks - asked) * CPU_MS.remembered;
  return {
    requests: n * sum("requests"),
    cpuMs: n * (cpu + (isGateway ? checks * CPU_MS.forwarding : 0)),
    kvReads: n * sum("kvReads"),
    kvWrites: n * sum("kvWrites"),
    kvGb: records === "kv" ? ((n / ASSUMED.days) * counts.recordBytes) / 1e9 : 0,
    objectRequests,
    objectGbS: objectRequests * (ASSUMED.objectMs / 1000) * OBJECT_GB,
    rowsRead: n * sum("rowsRead"),
    rowsWritten: n * sum("rowsWritten") + chart,
    objectGb: (users * ASSUMED.objectBytes + kept * ASSUMED.signInBytes) / 1e9,
    logGb: (n * sum("requests") * ASSUMED.logBytes) / 1e9,
  };
}

/** What a use of a meter costs in a month. */
export const chargeOf = ({ included, price, per }, use) => (Math.max(0, use - included) / per) * price;

/** The sign-ins of a day on the free plan, and the meter that allows no more. Storage is not a limit of a day. */
function freePlan(counts, use, records, isLimit = () => true) {
  const day = useOf(counts, use, records, { users: 1, signIns: 1 });
  const limits = METERS.filter(({ key, free }) => free && day[key] > 0 && isLimit(key)).map(({ key, name, free }) => ({
    name,
    signIns: Math.floor(free / day[key]),
  }));
  return limits.reduce((least, limit) => (limit.signIns < least.signIns ? limit : least));
}

const grouped = (number) => number.toLocaleString("en-US", { maximumFractionDigits: number < 100 ? 2 : 0 });
const dollars = (amount) => (amount >= 1000 ? `$${grouped(Math.round(amount))}` : `$${amount.toFixed(2)}`);

/** Breaks a text into lines; those after the first are indented. */
function wrapped(text, indent = "") {
  const lines = [];
  for (const word of text.trim().split(/\s+/)) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length === 0) lines.push(word);
    else if (longer.length <= 120) lines[lines.length - 1] = longer;
    else lines.push(indent + word);
  }
  return lines.join("\n");
}

const list = (...items) => items.map((item) => wrapped(`* ${item}`, "  ")).join("\n");
const table = (head, rows) =>
  [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");

/** The table of what each use costs in a month, by group of meters. */
function costTable(counts, population) {
  const groups = [
    ["Worker", ["requests", "cpuMs"]],
    ["KV", ["kvReads", "kvWrites", "kvGb"]],
    ["objects: requests and duration", ["objectRequests", "objectGbS"]],
    ["objects: rows and storage", ["rowsRead", "rowsWritten", "objectGb"]],
    ["logs", ["logGb"]],
  ];
  const row = (use, records) => {
    const used = useOf(counts, use, records, population);
    const charges = groups.map(([, keys]) =>
      sumOf(METERS.filter(({ key }) => keys.includes(key)).map((meter) => chargeOf(meter, used[meter.key]))),
    );
    return [use.name, `\`${records}\``, ...charges.map(dollars), `**${dollars(sumOf(charges) + PLAN)}**`];
  };
  return table(
    ["use", "`TOKEN_RECORDS`", ...groups.map(([name]) => name), "total"],
    USES.flatMap((use) => [row(use, "kv"), row(use, "off")]),
  );
}

/** The computed part of the page. */
export function report(counts) {
  const million = { users: 100_000, signIns: 10 };
  const billion = { users: 1e9, signIns: ASSUMED.days };
  const steps = [
    ["a token", counts.token],
    ["a token, `TOKEN_RECORDS` off", counts.tokenOff],
    ["opening the sign-in link", counts.signIn],
    ["a session check", counts.check],
    ["a session check that restarts the idle limit, once a minute", counts.refresh],
    ["a session check from memory, `SESSION_CACHE`", counts.remembered],
    ["deleting the expired data of a sign-in, by alarms", counts.end],
  ];
  const columns = ["requests", "kvReads", "kvWrites", "objectRequests", "rowsRead", "rowsWritten"];
  const perSecond = 1e9 / 86_400;
  const requestsPerSecond = (use) =>
    grouped(Math.round((useOf(counts, use, "kv", { users: 1, signIns: 1 }).requests * 1e9) / 86_400 / 1000) * 1000);
  const kvWrites = METERS.find(({ key }) => key === "kvWrites").free;
  const free = USES.map((use) => {
    const limits = [
      freePlan(counts, use, "kv"),
      freePlan(counts, use, "kv", (key) => key !== "kvWrites"),
      freePlan(counts, use, "off"),
    ];
    return [use.name, ...limits.map(({ signIns, name }) => `${grouped(signIns)} (${name})`)];
  });
  const { objectPerSecond } = ASSUMED;
  return `
## Counted operations

A test counts these operations on the built Worker, and fails if this page has other numbers.

${table(
  ["step", "Worker requests", "KV reads", "KV writes", "object requests", "rows read", "rows written"],
  steps.map(([name, count]) => [name, ...columns.map((key) => count[key])]),
)}

${list(
  "Setting an alarm counts as one row written, and each run of an alarm counts as one object request.",
  `The end of a sign-in is counted for a user who signs in once and never again. For a user who signs in each day, one
  alarm a day serves all sign-ins. The tables below charge every sign-in the higher cost, so they are upper bounds.`,
  `A delegated set or an API credential costs one more KV read for each sign-in, and one more for each check of its
  sessions.`,
  `The console's chart costs ${counts.chart} object request and one row written for each sign-in, if an isolate serves
  one sign-in in ${CHART_SECONDS} seconds. If it serves more, it sends their counts together.`,
  `A token record has ${counts.recordBytes} bytes, and is stored for one day.`,
)}

## Prices

${wrapped(`Cloudflare's list prices in US dollars, as read on ${READ_ON}. The Workers Paid plan costs ${dollars(PLAN)} a
month. The prices of logs apply from 1 December 2026.`)}

${table(
  ["meter", "free plan, each day", "paid plan includes each month", "then", "source"],
  METERS.map(({ name, free, included, price, per, source }) => [
    name,
    free ? grouped(free) : "no limit",
    grouped(included),
    `$${price < 0.01 ? price : price.toFixed(2)} per ${per === 1 ? "GB" : "million"}`,
    `[${source}](${SOURCES[source]})`,
  ]),
)}

The free plan also limits storage: 1 GB in KV and 5 GB in Durable Objects.

## Assumptions

${list(
  `Requesting a token and opening its link take ${grouped(CPU_MS.token + CPU_MS.signIn)} ms of CPU time; a session check
  ${CPU_MS.check} ms, from memory ${CPU_MS.remembered} ms; forwarding a request to the origin ${CPU_MS.forwarding} ms
  more. These numbers were measured in workerd. They include the object, whose CPU time Cloudflare does not charge.`,
  `A request keeps an object active for ${ASSUMED.objectMs} ms. Cloudflare charges this time for
  ${OBJECT_GB * 1000} MB.`,
  `A log line has ${grouped(ASSUMED.logBytes)} bytes. Each request writes one.`,
  `An object has ${grouped(ASSUMED.objectBytes)} bytes, and ${grouped(ASSUMED.signInBytes)} more for each sign-in of the
  last ${ASSUMED.retentionDays} days (\`EVENT_RETENTION_DAYS\`).`,
  `After a sign-in, a user opens ${pages} pages, a minute or more apart. With one session check for each page, that makes
  ${pages} checks. In gateway mode, each page has ${files} files, which makes ${grouped(pages * (1 + files))} requests.`,
  "With `SESSION_CACHE`, all requests of a page reach the same isolate.",
  "Credential sets are bound. [Analytics](operations.md#analytics) are disabled.",
)}

## A million sign-ins a month

${grouped(million.users)} users sign in ${million.signIns} times each. A month costs:

${costTable(counts, million)}

## A billion sign-ins a day

${wrapped(`A billion users sign in once a day: ${grouped(Math.round(perSecond))} sign-ins per second on average. At list
prices, a month costs:`)}

${costTable(counts, billion)}

What limits a deployment of this size:

${list(
  `**The console's object** is the first limit. Each isolate that signs users in sends its counts to this one object every
  ${CHART_SECONDS} seconds, and an object accepts about ${grouped(objectPerSecond)} requests per second. That is enough
  for ${grouped(objectPerSecond * CHART_SECONDS)} isolates. Beyond it, counts for the chart arrive late or get lost. No
  sign-in waits for them.`,
  `**The object of a user** accepts about ${grouped(objectPerSecond)} requests per second. The requests of one user stay
  far below this number.`,
  `**KV** accepts any number of writes to different keys, and each token record has its own key. It accepts one write per
  second to one key. The credential set of an application is read at each token, and written only when it changes.`,
  `**The Worker** has no limit on requests. On average it serves ${USES.filter(({ isCached }) => !isCached)
    .map((use) => `${requestsPerSecond(use)} requests per second (${use.name})`)
    .join(", ")}.`,
  "**Objects** are not limited in number, nor is their storage together. Every user has one object.",
)}

## The free plan

Sign-ins of one day on the Workers Free plan, and the free allowance that runs out first:

${table(["use", "`TOKEN_RECORDS` `kv`", "`kv`, with lost records", "`TOKEN_RECORDS` `off`"], free)}

${wrapped(`With \`TOKEN_RECORDS\` \`kv\`, KV refuses further records after ${grouped(kvWrites)} tokens of a day. These
tokens still sign in, but cannot be looked up by their ids. The third column counts these sign-ins too.`)}
`;
}

/** The page with its computed part replaced. */
export function withReport(page, counts) {
  const [before, rest] = page.split(BEGIN);
  const [, after] = rest.split(END);
  return `${before}${BEGIN}\n${report(counts)}\n${END}${after}`;
}

export const readPage = () => readFileSync(PAGE, "utf8");

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(PAGE, withReport(readPage(), await countOperations()));
  say("wrote docs/cost.md");
}
