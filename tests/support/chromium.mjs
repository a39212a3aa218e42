// A real browser, driven by playwright-core, which brings none of its own.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { skipIf } from "./optional.mjs";

/** The browser's program: $CHROMIUM, or the first found in the usual places. */
export const chromiumPath = find();

/** Why there is no browser, or `undefined`. */
export const missing = chromiumPath === undefined ? "no Chromium: install it, or name one in $CHROMIUM" : undefined;

/** The `skip` option of every test that needs a browser. */
export const skip = skipIf(missing);

/** Starts a browser, headless, with a fresh profile and no traffic of its own. Close it after use. */
export function launchChromium() {
  if (missing) throw new Error(missing);
  const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  args.push("--disable-component-update", "--disable-sync");
  return chromium.launch({ executablePath: chromiumPath, args });
}

/** For `page.evaluate`: the texts whose contrast with what is behind them is below 4.5. */
export function lowContrast() {
  const parse = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = color.map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "");
    if (!own || element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(parse(getComputedStyle(element).color)), luminance(behind(element))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) found.push(`${element.tagName} ${element.textContent.slice(0, 40)}`);
  }
  return found;
}

function find() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const folders = ["/usr/bin", ...(process.env.PATH ?? "").split(delimiter)];
  const candidates = folders.flatMap((folder) => names.map((name) => join(folder, name)));
  return [...candidates, "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"].find(isProgram);
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
