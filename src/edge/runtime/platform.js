// Calls of the platform. Each function is one call from WebAssembly, because a call costs more than what it does.

/** The header fields that Signet reads, in the order of `HeaderName::ALL`. */
const HEADER_NAMES = [
  "accept",
  "authorization",
  "cf-connecting-ip",
  "content-length",
  "content-type",
  "cookie",
  "origin",
  "purpose",
  "sec-fetch-dest",
  "sec-fetch-mode",
  "sec-fetch-site",
  "sec-purpose",
  "upgrade",
  "user-agent",
  "x-forwarded-method",
  "x-moz",
  "x-purpose",
];

/**
 * The head of a request, in lines: its method, the origin, path and query of its address, and its header fields. A header
 * field is its place in `HEADER_NAMES`, a space and its value. Throws if the address is malformed.
 */
export function head({ method, url, headers }) {
  const { origin, pathname, search } = new URL(url);
  let lines = `${method}\n${origin}\n${pathname}\n${search}`;
  for (let place = 0; place < HEADER_NAMES.length; place += 1) {
    const value = headers.get(HEADER_NAMES[place]);
    if (value !== null) lines += `\n${place} ${value}`;
  }
  return lines;
}

/** The whole body, or `undefined` if it is sent in chunks: then its length is not known before its end. */
export const bodyOf = (request) => (request.headers.has("transfer-encoding") ? undefined : request.bytes());

/** Headers of lines: a name, the next line its value. */
export function headersOf(lines) {
  const headers = new Headers();
  add(headers, lines);
  return headers;
}

/** A response with the headers of `base` and those in `lines`, which replace headers of `base`. */
export function respond(status, base, lines, body) {
  const response = new Response(body, { status, headers: base });
  add(response.headers, lines);
  return response;
}

function add(headers, lines) {
  if (lines === "") return;
  const fields = lines.split("\n");
  for (let n = 0; n < fields.length; n += 2) {
    if (fields[n] === "Set-Cookie") headers.append(fields[n], fields[n + 1]);
    else headers.set(fields[n], fields[n + 1]);
  }
}

function bound(env, binding) {
  if (env[binding] === undefined) throw new Error(`${binding} is not bound`);
  return env[binding];
}

const kv = (env) => bound(env, "SIGNET_KV");

/** Calls the object `name` of the namespace `binding`. `locationHint` places a new object. */
export function callObject(env, binding, name, locationHint, message) {
  const options = locationHint === undefined ? undefined : { locationHint };
  return bound(env, binding).getByName(name, options).run(message);
}

/** The statements in `lines`, each with its bindings. The first character of a line is its kind. */
function statementsOf(lines) {
  const statements = [];
  for (const line of lines.split("\n")) {
    const text = line.slice(1);
    if (line[0] === "s") statements.push([text]);
    else statements.at(-1).push(line[0] === "t" ? text : line[0] === "n" ? Number(text) : null);
  }
  return statements;
}

/** The rows of a query with one column, each JSON or a number, as an array in JSON. */
export function query(storage, lines) {
  const [statement] = statementsOf(lines);
  const rows = storage.sql
    .exec(...statement)
    .raw()
    .toArray();
  return `[${rows.map(([value]) => value ?? "null").join()}]`;
}

/** Runs all statements, or none if one fails. A single statement needs no transaction. */
export function execute(storage, lines) {
  const statements = statementsOf(lines);
  const run = () => {
    for (const statement of statements) storage.sql.exec(...statement);
  };
  if (statements.length === 1) run();
  else storage.transactionSync(run);
}

/** Those of `bindings` that `env` does not have. Each is written with one of its methods: `USERS.getByName`. */
export function unbound(env, bindings) {
  const isMissing = (path) => {
    const [binding, method] = path.split(".");
    return typeof env[binding]?.[method] !== "function";
  };
  return bindings.split(" ").filter(isMissing).join(" ");
}

export const kvGet = (env, key) => kv(env).get(key);

/** The values of several keys, in their order, as an array in JSON. */
export const kvGetEach = async (env, keys) => {
  const names = JSON.parse(keys);
  const values = await kv(env).get(names);
  return JSON.stringify(names.map((name) => values.get(name) ?? null));
};

export const kvPut = (env, key, value, expirationTtl) =>
  kv(env).put(key, value, expirationTtl === undefined ? {} : { expirationTtl });

export const kvDelete = (env, key) => kv(env).delete(key);

/** A page of key names and the cursor of the next page, in JSON. */
export const kvList = async (env, prefix, cursor, limit) => {
  const page = await kv(env).list({ prefix, limit, cursor });
  return JSON.stringify({ keys: page.keys.map(({ name }) => name), cursor: page.list_complete ? null : page.cursor });
};

/** Counts one event of `key`. Returns whether the key is within its limit. */
export const isWithinLimit = async (env, binding, key) => (await env[binding].limit({ key })).success;

export const writeDataPoint = (env, binding, event, outcome, reason, clientId, milliseconds) =>
  env[binding].writeDataPoint({
    indexes: [event],
    blobs: [event, outcome, reason, clientId],
    doubles: [milliseconds],
  });
