// cPanel's application links, opened as cPanel documents it (WHM API 1, `create_integration_link`).

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startSignet } from "../support/signet.mjs";
import { claimsOf, createSet, postForm, putUser, whoIs } from "../support/workflow.mjs";

const LINK = "/oauth/token.php";
const STATIC_URL = "https://my.example/login";
let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "42", { services: [12] });
  set = await createSet(signet, {
    user_id: "42",
    service_id: 12,
    scopes: ["clientarea:invoices", "clientarea:product_details"],
  });
});
after(() => signet.close());

/**
 * What cPanel does when a user clicks: it posts the link's four values and follows `redirect_url`; when the answer asks it to retry, it waits and
 * tries again, three times at most; else it sends the user to the link's static URL. `waited` notes the seconds it would wait.
 */
async function click({ url, subscriber_unique_id, token }, { onRetry = () => {} } = {}) {
  const waited = [];
  for (let attempt; ; ) {
    const form = { app: "Signet_billing", token, user: "cpuser", subscriber_unique_id, ...(attempt && { attempt }) };
    const response = await postForm(signet, url, form);
    const answer = await response.json();
    if (answer.redirect_url) return { to: answer.redirect_url, waited, answer, response };
    if (answer.retry === undefined || answer.attempt >= 3) return { to: STATIC_URL, waited, answer, response };
    assert.ok(answer.retry > 0 && answer.retry <= 60);
    waited.push(answer.retry);
    attempt = answer.attempt;
    await onRetry(attempt);
  }
}

const link = (query = "", change = {}) => ({
  url: LINK + query,
  subscriber_unique_id: set.client_id,
  token: set.client_secret,
  ...change,
});

test("a click signs the subscriber in, at the destination that the link's address names", async () => {
  for (const [query, place] of [
    ["?scope=clientarea:invoices", "clientarea.php?action=invoices"],
    ["?scope=clientarea%3Asso%20clientarea%3Aproduct_details", "clientarea.php?action=productdetails&id=12"],
    ["", "clientarea.php"],
  ]) {
    const { to, answer, response } = await click(link(query));
    assert.deepEqual([response.status, Object.keys(answer)], [200, ["redirect_url"]]);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.ok(to.startsWith(`${signet.issuer}/oauth/singlesignon?access_token=`));
    const opened = await signet.fetch(to.slice(signet.issuer.length));
    assert.deepEqual([opened.status, opened.headers.get("location")], [302, `${signet.issuer}/${place}`]);
    assert.equal(await whoIs(signet, { Cookie: opened.headers.get("set-cookie").split(";")[0] }), "42");
  }
});

test("a delegated set takes the user from the link's address", async () => {
  const delegated = await createSet(signet, { delegated: true });
  const change = { subscriber_unique_id: delegated.client_id, token: delegated.client_secret };
  const { to } = await click(link("?user_id=42", change));
  assert.equal(claimsOf(new URL(to).searchParams.get("access_token")).sub, "42");
  assert.equal((await click(link("", change))).answer.error, "invalid_request");
});

test("when it is refused, the user goes to the static URL: no error answer has a redirect_url", async () => {
  for (const [of, status, error] of [
    [link("", { token: "wrong" }), 401, "invalid_client"],
    [link("", { token: "" }), 401, "invalid_client"],
    [link("", { subscriber_unique_id: "nobody" }), 401, "invalid_client"],
    [link("?scope=clientarea:downloads"), 400, "invalid_scope"],
    [link("?scope=openid"), 400, "invalid_scope"],
    [link("?user_id=7"), 400, "invalid_grant"],
    [link("?token=x"), 400, "invalid_request"],
    [link("?service_id=13"), 400, "invalid_request"],
  ]) {
    const { to, answer, response } = await click(of);
    assert.deepEqual([to, response.status, answer.error], [STATIC_URL, status, error], of.url);
    assert.deepEqual(Object.keys(answer), ["error", "error_description"]);
  }
});

test("when storage fails, cPanel waits and tries again, and succeeds when storage is back", async () => {
  const down = () => signet.faults.set([{ target: "kv.get", mode: "throw" }]);
  await down();
  const through = await click(link(), { onRetry: (attempt) => attempt === 2 && signet.faults.set([]) });
  assert.deepEqual(through.waited, [5, 5]);
  assert.ok(through.to.startsWith(signet.issuer));
  await down();
  const never = await click(link());
  await signet.faults.set([]);
  assert.deepEqual([never.to, never.answer], [STATIC_URL, { attempt: 3, retry: 5 }]);
});

test("the token endpoint takes no application link, and its .php path still takes token requests", async () => {
  assert.equal((await click(link("", { url: "/oauth/token" }))).response.status, 401);
  const { client_id, client_secret } = set;
  assert.ok(
    (await (await postForm(signet, LINK, { grant_type: "single_sign_on", client_id, client_secret })).json())
      .access_token,
  );
});
