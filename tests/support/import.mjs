// Requests of the import.

import { once } from "node:events";
import { request } from "node:http";

const NDJSON = "application/x-ndjson";

/** The secret of an application that is imported. */
export const secretOf = (name) => `the secret that ${name} has had for years`;

/** A line about an account. */
export const accountLine = (user_id, account = {}) =>
  JSON.stringify({ user_id, account: { status: "Active", ...account } });

/** A line about a credential set with the fields of `change`: which users it may sign in, and others. */
export function credentialLine(client_id, change, client_secret = secretOf(client_id)) {
  const credential = { name: "Portal", scopes: ["clientarea:invoices"], ...change };
  return JSON.stringify({ client_id, client_secret, credential });
}

/** A client as WHMCS's `ListOAuthCredentials` returns it. */
export function whmcsClient(clientIdentifier, serviceId, change = {}) {
  return {
    credentialId: 1,
    name: "",
    description: "",
    grantTypes: "single_sign_on",
    scope: "clientarea:sso clientarea:invoices",
    clientIdentifier,
    clientSecret: secretOf(clientIdentifier),
    uuid: null,
    serviceId,
    logoUri: "",
    redirectUri: [],
    rsaKeyPairId: 0,
    createdAt: "18th November 2016 9:32:24am",
    updatedAt: "18th November 2016 9:32:24am",
    ...change,
  };
}

/** Imports lines, or a body, and returns `{ status, headers, reports }`. */
export async function importLines(signet, lines, { type = NDJSON } = {}) {
  const body = Array.isArray(lines) ? lines.map((line) => `${line}\n`).join("") : lines;
  const headers = { Authorization: `Bearer ${signet.adminToken}`, "Content-Type": type };
  const response = await signet.fetch("/admin/v1/import", { method: "POST", headers, body });
  const text = await response.text();
  const isStream = response.headers.get("content-type") === NDJSON;
  return { status: response.status, headers: response.headers, reports: isStream ? parsed(text) : JSON.parse(text) };
}

/** Imports WHMCS's list of clients. */
export const importList = (signet, clients) =>
  importLines(signet, JSON.stringify({ result: "success", clients }), { type: "application/json" });

/** The counts of an import, as in its reports; `line` counts blank lines too. */
export const counts = (line, { created = 0, changed = 0, unchanged = 0, refused = 0 }) => ({
  line,
  created,
  changed,
  unchanged,
  refused,
});

/** The reports of an import that refused nothing: one. */
export const allDone = (line, outcomes) => [{ done: counts(line, outcomes) }];

const parsed = (text) =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

/**
 * Begins an import whose lines follow later. `write` sends text and waits until it is sent or the connection is closed, `end`
 * ends the body, `break` closes the connection. `reports` are those received so far; `next` waits for one, `ended` for the end
 * of the answer.
 */
export function beginImport(signet) {
  const { host: Host } = new URL(signet.consoleOrigin);
  const headers = {
    Host,
    Authorization: `Bearer ${signet.adminToken}`,
    "Content-Type": NDJSON,
    "Transfer-Encoding": "chunked",
  };
  const { port } = new URL(signet.issuer);
  const outgoing = request({
    agent: false,
    host: "127.0.0.1",
    port,
    method: "POST",
    path: "/admin/v1/import",
    headers,
  });
  const reports = [];
  let isOver = false;
  let wake = () => {};
  const ended = read().finally(() => {
    isOver = true;
    wake();
  });

  async function read() {
    const [incoming] = await once(outgoing, "response");
    let rest = "";
    for await (const chunk of incoming) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop();
      reports.push(...parsed(lines.join("\n")));
      wake();
    }
  }
  ended.catch(() => {});
  outgoing.on("error", () => {});
  const closed = new Promise((resolve) => outgoing.once("close", resolve));

  return {
    reports,
    ended,
    /** Resolves to the first report for which `matches` holds; fails if the answer ends without one. */
    async next(matches) {
      for (;;) {
        const found = reports.find(matches);
        if (found) return found;
        if (isOver) throw new Error(`the answer ended without the report: ${JSON.stringify(reports.at(-1))}`);
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    },
    write: (text) => Promise.race([new Promise((resolve) => outgoing.write(text, resolve)), closed]),
    end: (text) => outgoing.end(text),
    break: () => outgoing.destroy(),
    get isOpen() {
      return !outgoing.destroyed;
    },
  };
}
