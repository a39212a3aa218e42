// Checks of accessibility by axe.

import assert from "node:assert/strict";
import { AxeBuilder } from "@axe-core/playwright";

/**
 * Asserts that axe finds no violation on a page and that the page does not scroll sideways. The page must allow
 * JavaScript.
 */
export async function assertAccessible(page, label) {
  // Legacy mode runs in the page itself. The other mode opens a second page to combine the results of frames: there are
  // none.
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  const { width } = page.viewportSize();
  assert.deepEqual(found, [], `${label}, ${width} px`);
  const fits = await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);
  assert.ok(fits, `${label} scrolls sideways, ${width} px`);
}
