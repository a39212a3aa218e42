// `npm run bench`: how fast Signet answers in workerd on this machine, on its real socket and real stores.
// Compare figures of one machine only, and run it twice: the first run warms the disk.

import { startOrigin } from "../tests/support/origin.mjs";
import { startSignet } from "../tests/support/signet.mjs";

const REQUESTS = 2_000;
const PARALLEL = 16;

const origin = await startOrigin();
const signet = await startSignet({ vars: { ORIGIN_URL: origin.url } });
const withNonce = await startSignet({ vars: { BROWSER_NONCE: "true" } });
try {
  const requestToken = await application(signet);
  const requestTokenWithNonce = await application(withNonce);

  const tokens = [];
  const cookies = [];
  await measure("a short answer, /healthz", () => signet.fetch("/healthz"));
  await measure("the token endpoint", async (n) => tokens.push(await requestToken(n)));
  await measure("the SSO endpoint", async () => {
    const response = await signet.fetch(`/oauth/singlesignon?access_token=${tokens.pop()}`);
    if (response.status !== 302) throw new Error(`not signed in: ${response.status}`);
    cookies.push(response.headers.get("set-cookie").split(";")[0]);
  });
  const tokensWithNonce = [];
  for (let n = 0; n < REQUESTS; n += 1) tokensWithNonce.push(await requestTokenWithNonce(n));
  await measure("the SSO endpoint with BROWSER_NONCE, both requests", async () => {
    const link = `/oauth/singlesignon?access_token=${tokensWithNonce.pop()}`;
    const first = await withNonce.fetch(link);
    const cookie = first.headers.get("set-cookie").split(";")[0];
    const response = await withNonce.fetch(`${link}&nonce=1`, { headers: { cookie } });
    if (!response.headers.get("set-cookie")?.startsWith("__Host-signet="))
      throw new Error(`not signed in: ${response.status}`);
  });
  await measure("the first of them alone", () => withNonce.fetch("/oauth/singlesignon?access_token=x"));
  await measure("the session check", async () => {
    const response = await signet.fetch("/oauth/session", { headers: { cookie: cookies.at(-1) } });
    if (response.status !== 200) throw new Error(`no session: ${response.status}`);
  });
  await measure("the gateway, to nobody", () => signet.fetch("/"));
  await measure("the gateway, with an assertion", async () => {
    const response = await signet.fetch("/", { headers: { cookie: cookies.at(-1) } });
    if (!(await response.text()).includes("X-Signet-Assertion")) throw new Error("no assertion");
  });
} finally {
  await signet.close();
  await withNonce.close();
  origin.close();
}

/** Makes users and a credential set for them, and returns what asks for the nth token. */
async function application(on) {
  for (let user = 0; user < PARALLEL; user += 1) await on.admin("PUT", `/users/${user}`, { status: "Active" });
  const { body: set } = await on.admin("POST", "/credentials", {
    name: "Bench",
    delegated: true,
    scopes: ["clientarea:invoices"],
  });
  const authorization = `Basic ${btoa(`${set.client_id}:${set.client_secret}`)}`;
  return async (n) => {
    const body = new URLSearchParams({ grant_type: "single_sign_on", user_id: String(n % PARALLEL) });
    const response = await on.fetch("/oauth/token", { method: "POST", headers: { authorization }, body });
    return (await response.json()).access_token;
  };
}

/** Runs `work` many times, some in parallel, and prints requests a second and the time of one. */
async function measure(name, work) {
  const times = [];
  let next = 0;
  const lane = async () => {
    while (next < REQUESTS) {
      const start = performance.now();
      await work(next++);
      times.push(performance.now() - start);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: PARALLEL }, lane));
  const seconds = (performance.now() - start) / 1_000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.floor((times.length - 1) * share)].toFixed(1);
  console.log(`${name}: ${(REQUESTS / seconds).toFixed(0)} requests/s; median ${at(0.5)} ms, 99th ${at(0.99)} ms`);
}
