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

/** Starts a headless browser with a fresh profile, no traffic of its own and `more` arguments. Close it after use. */
export function launchChromium(more = []) {
  if (missing) throw new Error(missing);
  const args = [...more, "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  args.push("--disable-component-update", "--disable-sync");
  return chromium.launch({ executablePath: chromiumPath, args });
}

/**
 * Performs an action that leads to another page, and waits until that page has loaded. If the page has a `Refresh` header,
 * waits for the page that follows it.
 */
export async function leave(page, act) {
  let answer, isOnTheWay;
  const note = (response) => {
    if (response.request().isNavigationRequest() && response.frame() === page.mainFrame()) answer = response;
  };
  const arrive = (frame) => {
    if (frame === page.mainFrame()) isOnTheWay = answer?.headers().refresh !== undefined;
  };
  page.on("response", note).on("framenavigated", arrive);
  try {
    await Promise.all([page.waitForEvent("load", { predicate: () => !isOnTheWay }), act()]);
  } finally {
    page.off("response", note).off("framenavigated", arrive);
  }
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
