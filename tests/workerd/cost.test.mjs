// The page of costs: its counted operations are those of the built Worker, and its sums are right.

import assert from "node:assert/strict";
import { test } from "node:test";
import { chargeOf, countOperations, readPage, withReport } from "../../scripts/cost.mjs";

test("docs/cost.md has the operations of this Worker: `npm run cost` brings it up to date", async () => {
  assert.equal(readPage(), withReport(readPage(), await countOperations()));
});

test("a charge is for the use beyond what the plan includes, as in Cloudflare's examples", () => {
  for (const [meter, use, charge] of [
    [{ included: 10e6, price: 0.3, per: 1e6 }, 15e6, 1.5],
    [{ included: 30e6, price: 0.02, per: 1e6 }, 7 * 15e6, 1.5],
    [{ included: 10e6, price: 0.3, per: 1e6 }, 10e6, 0],
    [{ included: 10e6, price: 0.3, per: 1e6 }, 1, 0],
    [{ included: 50, price: 0.25, per: 1 }, 75, 6.25],
  ]) {
    assert.equal(Number(chargeOf(meter, use).toFixed(6)), charge);
  }
});
