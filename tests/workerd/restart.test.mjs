// What was acknowledged survives a crash.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { cookieOf, createSet, eventsOf, getToken, openLink, putUser, signIn, whoIs } from "../support/workflow.mjs";

let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12] });
  set = await createSet(signet, { user_id: "1" });
});
after(() => signet.close());

test("a restart keeps accounts, credential sets, spent tokens, sessions, events, and tokens not yet redeemed", async () => {
  const [spent, unspent] = [await getToken(signet, set), await getToken(signet, set)];
  const cookie = cookieOf(await openLink(signet, spent));
  await signet.restart();
  const { body } = await signet.admin("GET", "/users/1");
  assert.deepEqual([body.status, body.services], ["Active", ["12"]]);
  assert.equal((await signet.admin("GET", `/credentials/${set.client_id}`)).status, 200);
  assert.equal((await openLink(signet, spent)).status, 401, "spent stays spent");
  assert.equal(await whoIs(signet, cookie), "1");
  assert.deepEqual(await eventsOf(signet, "1"), ["sso.signed_in", "account.created"]);
  assert.equal((await openLink(signet, unspent)).status, 302);
});

test("crashes under load lose nothing that was acknowledged, and leave no session without its spent token", async () => {
  const acknowledged = [];
  for (let crash = 0; crash < 5; crash += 1) {
    let running = true;
    const lane = async () => {
      while (running) {
        const token = await getToken(signet, set);
        const response = await openLink(signet, token);
        if (response.status === 302) acknowledged.push(token);
      }
    };
    const lanes = Array.from({ length: 8 }, () => lane().catch(() => {}));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const restarted = signet.restart();
    running = false;
    await Promise.all([restarted, ...lanes]);
    const orphans = await signet.sql("1",
      "SELECT id FROM session WHERE json_extract(data, '$.token') NOT IN (SELECT jti FROM token)");
    assert.deepEqual(orphans, []);
  }
  assert.ok(acknowledged.length > 50, `${acknowledged.length} sign-ins`);
  for (const token of acknowledged) assert.equal((await openLink(signet, token)).status, 401);
  assert.equal(await whoIs(signet, await signIn(signet, set)), "1");
});
