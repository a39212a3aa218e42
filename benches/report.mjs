// The report of a run of the bench: tables, and a chart.
//
// `node benches/report.mjs FILE` writes the tables of a JSON result into docs/performance.md, and the chart beside it.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../scripts/setup.mjs";
import { TITLES } from "./operations.mjs";

/** The contestant that ratios are to. */
const BASE = "hono";

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The median, and in parentheses the least and the greatest. */
function spread(values, digits = 0) {
  const text = (value) => value.toFixed(digits);
  return `${text(median(values))} (${text(Math.min(...values))}–${text(Math.max(...values))})`;
}

/** The median of the ratios of a contestant to the stand-in, round by round. `undefined` if one of them was not measured. */
function ratio(samples, name, figure) {
  const [own, base] = [samples?.[name], samples?.[BASE]];
  if (!own || !base) return undefined;
  return median(own.map((sample, round) => figure(sample) / figure(base[round])));
}

const figureOf = (key) => (sample) => sample[key];
const times = (value) => (value === undefined ? "" : `${value.toFixed(2)}×`);

/** A table in Markdown. */
function table(headings, rows) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  return [line(headings), line(headings.map(() => "---")), ...rows.map(line)].join("\n");
}

/** All tables of a result, the ratios first. */
export function tables(result) {
  const { machine, parameters, contestants, operations, series } = result;
  const names = Object.keys(contestants);
  const title = (name) => contestants[name].title;
  const others = names.filter((name) => name !== BASE);
  const compared = others.flatMap((name) => [`${title(name)}: CPU`, "throughput"]);
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  const sections = [
    `Measured on ${result.date}: ${machine.cpu}, ${machine.cores} cores, Linux ${machine.linux}; ${versions.join(", ")}. ` +
      `Medians of ${parameters.rounds} rounds of ${parameters.requests} requests over ${parameters.connections} connections; ` +
      "the least and the greatest in parentheses.",
    "### Targets",
    table(["target", "measured", "reached"], targets(result)),
    "### Ratios to the stand-in",
    table(
      ["operation", ...compared],
      Object.entries(operations).map(([operation, samples]) => [
        TITLES[operation],
        ...others.flatMap((name) => [
          times(ratio(samples, name, figureOf("cpu"))),
          times(ratio(samples, name, figureOf("rate"))),
        ]),
      ]),
    ),
    "### Each operation",
    table(
      ["operation", "contestant", "CPU, µs per request", "requests/s", "p50, ms", "p99, ms"],
      Object.entries(operations).flatMap(([operation, byName]) =>
        Object.entries(byName).map(([name, samples]) => [
          TITLES[operation],
          title(name),
          ...[["cpu"], ["rate"], ["p50", 1], ["p99", 1]].map(([key, digits]) =>
            spread(samples.map(figureOf(key)), digits),
          ),
        ]),
      ),
    ),
    "### Size and memory",
    table(
      ["contestant", "deployed, kB", "gzipped, kB", "memory of workerd, MB"],
      names.map((name) => {
        const { bytes, gzipped, memory } = contestants[name];
        return [title(name), (bytes / 1e3).toFixed(0), (gzipped / 1e3).toFixed(0), (memory / 1e6).toFixed(0)];
      }),
    ),
  ];
  if (series.cold) {
    const { cold } = series;
    const base = cold.empty && median(cold.empty.empty);
    sections.push(
      base ? "### Cold start, in ms more than the empty Worker" : "### Cold start, in ms",
      table(
        ["first request", ...names.map(title)],
        Object.entries(cold).map(([operation, samples]) => [
          TITLES[operation],
          ...names.map((name) => (samples[name] ? spread(samples[name].map((time) => time - (base ?? 0))) : "")),
        ]),
      ),
    );
  }
  for (const [name, heading] of [
    ["signins", "sign-ins of the user"],
    ["users", "users"],
  ]) {
    if (!series[name]) continue;
    const { first, ...byOperation } = series[name];
    sections.push(
      `### Growth with the ${heading}`,
      table(
        ["operation", heading, "contestant", "CPU, µs per request", "requests/s", "CPU, to the stand-in"],
        bySize(byOperation).map(([operation, size, contestant, samples]) => [
          TITLES[operation],
          Number(size).toLocaleString("en"),
          title(contestant),
          spread(samples.map(figureOf("cpu"))),
          spread(samples.map(figureOf("rate"))),
          times(ratio(byOperation[operation][size], contestant, figureOf("cpu"))),
        ]),
      ),
    );
    if (!first) continue;
    sections.push(
      "### First redemption of a user in a new process, in ms",
      table(
        [heading, ...Object.keys(Object.values(first)[0]).map(title)],
        Object.entries(first).map(([size, byName]) => [
          Number(size).toLocaleString("en"),
          ...Object.values(byName).map((samples) => spread(samples, 1)),
        ]),
      ),
    );
  }
  return sections.join("\n\n");
}

/** The samples of a series, each with its operation, size and contestant. */
const bySize = (series) =>
  Object.entries(series).flatMap(([operation, sizes]) =>
    Object.entries(sizes).flatMap(([size, byName]) =>
      Object.entries(byName).map(([name, samples]) => [operation, size, name, samples]),
    ),
  );

/** The targets, what was measured, and whether it reached them. */
function targets({ contestants, operations, series }) {
  const rows = [];
  const add = (name, value, isReached, text = times(value)) => {
    if (value !== undefined && Number.isFinite(value)) rows.push([name, text, isReached(value) ? "yes" : "no"]);
  };
  const [atMost, atLeast] = [(limit) => (value) => value <= limit, (limit) => (value) => value >= limit];
  for (const [operation, limit] of [
    ["redeem", 1],
    ["signin", 1],
    ["session", 1],
    ["token", 0.95],
    ["empty", 1.2],
  ]) {
    const name = `${TITLES[operation]}: CPU at most ${limit}× the stand-in`;
    add(name, ratio(operations[operation], "signet", figureOf("cpu")), atMost(limit));
  }
  for (const operation of ["token", "redeem"]) {
    const name = `${TITLES[operation]}: throughput at least 1× the stand-in`;
    add(name, ratio(operations[operation], "signet", figureOf("rate")), atLeast(1));
  }
  const sizes = Object.values(series.signins?.redeem ?? {}).map(({ signet }) => signet);
  if (sizes.length > 1 && sizes[0]) {
    const cpu = (samples) => median(samples.map(figureOf("cpu")));
    add(
      "Redemption: CPU with the most sign-ins at most 1.2× that with the fewest",
      cpu(sizes.at(-1)) / cpu(sizes[0]),
      atMost(1.2),
    );
  }
  const { cold } = series;
  if (cold?.empty?.empty) {
    const base = median(cold.empty.empty);
    for (const [operation, { signet, hono }] of Object.entries(cold)) {
      if (!signet || !hono) continue;
      const name = `${TITLES[operation]}: cold start at most 1.5× the stand-in`;
      add(name, (median(signet) - base) / (median(hono) - base), atMost(1.5));
    }
  }
  const { signet } = contestants;
  if (signet) {
    add("Size: at most 400 kB gzipped", signet.gzipped, atMost(400_000), `${(signet.gzipped / 1e3).toFixed(0)} kB`);
  }
  return rows;
}

const BAR = 16;
const LABELS = 116;
/** Space for the figures beside a bar. */
const FIGURES = 98;
/** Fits on a screen of 360 pixels at full size, so that text stays readable. */
const WIDTH = 340;
/** Text and marks that a dark background needs lighter. The bars have enough contrast on both backgrounds. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 14px }
  .back { fill: #fff } .line { stroke: #1f2328 }
  .empty { fill: #8c959f } .hono { fill: #bf5b04 } .provider { fill: #8250df } .signet { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .back { fill: #0d1117 } .line { stroke: #f0f6fc }
    .hono { fill: #e8842c } .provider { fill: #a371f7 } .signet { fill: #388bfd }
  }`;

/** The chart: CPU per request of each operation and contestant, with the spread. It has its own background, light or dark. */
export function chart({ contestants, operations }) {
  const all = Object.values(operations).flatMap((byName) => Object.values(byName).flat());
  const greatest = Math.max(...all.map(figureOf("cpu")));
  const scale = (cpu) => (cpu / greatest) * (WIDTH - LABELS - FIGURES);
  const shapes = [];
  let y = 24;
  const text = (x, content, style = "") => shapes.push(`<text x="${x}" y="${y}"${style}>${content}</text>`);
  text(12, "CPU per request, in µs (less is better)", ' class="title"');
  for (const [operation, byName] of Object.entries(operations)) {
    y += 28;
    text(12, TITLES[operation], ' class="title"');
    for (const [name, samples] of Object.entries(byName)) {
      const values = samples.map(figureOf("cpu"));
      const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)];
      y += BAR + 4;
      text(12, SHORT[name]);
      const [top, x] = [y - BAR + 4, (cpu) => (LABELS + scale(cpu)).toFixed(1)];
      shapes.push(
        `<rect class="${name}" x="${LABELS}" y="${top}" width="${scale(middle).toFixed(1)}" height="${BAR - 4}"/>`,
      );
      shapes.push(`<path class="line" d="M${x(least)} ${top + 6}H${x(most)}"/>`);
      const percent = ratio(byName, name, figureOf("cpu"));
      const suffix = percent === undefined || name === BASE ? "" : ` (${percent.toFixed(2)}×)`;
      text(Number(x(most)) + 6, `${middle.toFixed(0)}${suffix}`);
    }
  }
  for (const legend of ["Bar: median. Line: least to greatest.", "×: ratio to the stand-in."]) {
    y += 24;
    text(12, legend);
  }
  const height = y + 16;
  const summary = Object.keys(contestants).map((name) => contestants[name].title);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>CPU per request of ${summary.join(", ")}</title>`,
    `<style>${STYLE}\n</style>`,
    `<rect class="back" width="${WIDTH}" height="${height}" rx="6"/>`,
    ...shapes,
    "</svg>\n",
  ].join("\n");
}

/** The names in the chart. */
const SHORT = { empty: "Empty Worker", hono: "Stand-in", provider: "oauth-provider", signet: "Signet" };

/** The comments in docs/performance.md between which the tables are written. */
const [BEGIN, END] = ["<!-- begin: npm run bench -->", "<!-- end: npm run bench -->"];

function writeDocs(file) {
  const result = JSON.parse(readFileSync(file, "utf8"));
  const page = join(root, "docs", "performance.md");
  const [before, rest] = readFileSync(page, "utf8").split(BEGIN);
  const after = rest.split(END)[1];
  const image =
    '<img src="performance.svg" alt="CPU per request of each operation. The tables below have the same figures.">';
  writeFileSync(join(root, "docs", "performance.svg"), chart(result));
  writeFileSync(page, `${before}${BEGIN}\n\n${image}\n\n${tables(result)}\n\n${END}${after}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeDocs(process.argv[2]);
