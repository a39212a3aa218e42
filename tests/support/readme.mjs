// The README, for the tests that hold it to its word.

import { readFileSync } from "node:fs";

const readme = new URL("../../README.md", import.meta.url);

/** The first fenced code block of a language in the README. */
export function readmeBlock(language) {
  const fence = "```";
  const block = readFileSync(readme, "utf8").split(`\n${fence}${language}\n`)[1]?.split(`\n${fence}`)[0];
  if (block === undefined) throw new Error(`the README has no block in ${language}`);
  return `${block}\n`;
}
