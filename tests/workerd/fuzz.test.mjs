// Requests that nobody should send. SIGNET_FUZZ says how many.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generator, seed } from "../support/random.mjs";
import { startSignet } from "../support/signet.mjs";
import { basic, createSet, getToken, putUser, signIn, whoIs } from "../support/workflow.mjs";

const REQUESTS = Number(process.env.SIGNET_FUZZ ?? 3_000);
let signet, set;

before(async () => {
  signet = await startSignet();
  await putUser(signet, "1", { services: [12] });
  set = await createSet(signet, { user_id: "1", scopes: ["clientarea:invoices", "sso:custom_redirect"] });
});
after(() => signet.close());

test(`RFC 9110 section 15.6: none of ${REQUESTS} mutated requests is answered with 5xx`, async () => {
  const random = generator(seed());
  const pick = (list) => list[random(list.length)];
  const cookie = await signIn(signet, set);
  const token = await getToken(signet, set);
  const bearer = { Authorization: `Bearer ${signet.adminToken}` };
  const samples = [
    ["POST", "/oauth/token", { ...basic(set), "Content-Type": "application/x-www-form-urlencoded" },
      "grant_type=single_sign_on&scope=sso:custom_redirect&sso_redirect_path=cart.php?a%3Db&user_id=1&service_id=12"],
    ["GET", `/oauth/singlesignon?access_token=${token}&scope=clientarea:invoices`, { ...cookie, Accept: "text/html" }],
    ["POST", "/oauth/singlesignon.php", { "Content-Type": "application/x-www-form-urlencoded" }, `access_token=${token}&switch=x`],
    ["GET", "/oauth/session", cookie],
    ["POST", "/oauth/logout", { Accept: "application/json" }],
    ["GET", "/healthz", {}],
    ["PUT", "/admin/v1/users/9", { ...bearer, "Content-Type": "application/json" }, '{"status":"Active","sso":true,"services":[1,"a"]}'],
    ["PATCH", "/admin/v1/users/9", { ...bearer, "Content-Type": "application/json" }, '{"sso":false}'],
    ["GET", "/admin/v1/users/9/events?limit=5&cursor=9", bearer],
    ["DELETE", "/admin/v1/users/9/sessions/AAAAAAAAAAAAAAAAAAAAAA", bearer],
    ["POST", "/admin/v1/credentials", { ...bearer, "Content-Type": "application/json" }, '{"name":"x","user_id":"9","scopes":["clientarea:emails"]}'],
    ["GET", "/admin/v1/credentials/a%2Bb", bearer],
    ["GET", "/admin/v1/tokens/AAAAAAAAAAAAAAAAAAAAAA", bearer],
  ];
  const bits = ["%00", "%ff", "é", "..", "/", "//", "?", "&", "=", "+", "%", "%2", "\"", "{", "}", "[", ",", ":", ";", " ", "null", "-1", "1e999",
    "9".repeat(40), "a".repeat(3_000), "\t", "true", "A", ".", "\\", "\u202e"];
  const mutate = (text) => {
    const at = random(text.length + 1);
    const end = at + random(Math.min(6, text.length - at + 1));
    return text.slice(0, at) + pick([...bits, ""]) + text.slice(end);
  };
  const encodable = (text) => text.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  for (let n = 0; n < REQUESTS; n += 1) {
    let [method, path, headers, body] = pick(samples);
    for (let change = random(3); change >= 0; change -= 1) {
      const what = random(4);
      if (what === 0) path = `/${encodable(mutate(path.slice(1)))}`;
      if (what === 1 && body !== undefined) body = mutate(body);
      if (what === 2) method = pick(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]);
      if (what === 3) {
        const names = ["Authorization", "Cookie", "Content-Type", "Accept", "Origin", "Sec-Fetch-Dest", "Sec-Fetch-Site", "User-Agent"];
        const name = pick(names);
        headers = { ...headers, [name]: mutate(headers[name] ?? "x").replace(/[^\x20-\x7e]/gu, "?").trim() };
      }
    }
    const response = await signet.fetch(path, { method, headers, body: method === "TRACE" ? undefined : body });
    const label = JSON.stringify({ method, path, headers, body });
    assert.ok(response.status < 500, `${response.status} for ${label}`);
    assert.equal(response.headers.get("x-content-type-options"), "nosniff", label);
  }
  await putUser(signet, "1");
  assert.equal(await whoIs(signet, await signIn(signet, set)), "1", "and Signet works on");
});
