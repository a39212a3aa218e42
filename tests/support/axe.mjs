// What axe says of a page.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";

/** Asserts that axe finds nothing on a page, and that it does not scroll sideways. The page must allow JavaScript. */
export async function assertAccessible(page, label) {
  // In the page itself: it has no frames, for which axe would open another page.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  const { width } = page.viewportSize();
  assert.deepEqual(found, [], `${label}, ${width} px`);
  const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(fits, `${label} scrolls sideways, ${width} px`);
}
