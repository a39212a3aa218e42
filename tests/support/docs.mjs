// The documentation, for the tests that run its commands and configurations.

import { readdirSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);

/** The pages that have commands and configurations, by their paths. */
export const pages = ["README.md", ...markdownIn("docs/").map((name) => `docs/${name}`)];

/** Every page: these, and the other ones of the project's folder. */
export const allPages = [...new Set([...pages, ...markdownIn("")])];

/**
 * Reads a page. Returns its `text`, the `anchors` of its headings, its `prose` without code, and its code `blocks`: each with
 * its `section` (such as `docs/limits.md#sizes`), its `language`, its `text`, and the `reason` why no test runs it, if it says one.
 */
export function readPage(page) {
  const text = readFileSync(new URL(page, root), "utf8");
  const anchors = [];
  const blocks = [];
  let prose = "";
  let block, reason;
  for (const line of text.split("\n")) {
    const [, indent, language] = line.match(/^( *)```(.*)$/) ?? [];
    if (block && indent !== undefined) {
      blocks.push(block);
      block = undefined;
    } else if (block) {
      block.text += `${line.slice(block.indent)}\n`;
    } else if (indent !== undefined) {
      block = { section: `${page}#${anchors.at(-1)}`, language, text: "", reason, indent: indent.length };
    } else {
      const heading = line.match(/^#+ (.+)$/)?.[1];
      if (heading) anchors.push(anchorOf(heading));
      reason = line.match(/^ *<!-- not run: (.+) -->$/)?.[1];
      prose += `${line}\n`;
    }
  }
  if (block || /^ *~~~/m.test(prose)) throw new Error(`${page} has a code block that is not read`);
  return { text, anchors, blocks, prose: prose.replaceAll(/`[^`]*`/g, "") };
}

/** The commands of a section, block by block. */
export const docCommands = (section) => blocksOf(section, (language) => language === "sh");

/** The configuration or the program of a section. It is the only one there. */
export function docBlock(section) {
  const [block, ...others] = blocksOf(section, (language) => language !== "sh");
  if (block === undefined || others.length > 0) throw new Error(`${section} does not have one block`);
  return block;
}

function blocksOf(section, isWanted) {
  const { blocks } = readPage(section.split("#")[0]);
  return blocks.filter((block) => block.section === section && isWanted(block.language)).map(({ text }) => text);
}

/** The anchor that GitHub gives a heading. */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, "")
    .replaceAll(" ", "-");
}

function markdownIn(folder) {
  return readdirSync(new URL(folder, root)).filter((name) => name.endsWith(".md"));
}
