// The contestant of the bench: Signet's hot contract as a Worker in TypeScript, with Hono and jose.
//
// It has the routes, checks, headers, stored facts and log lines of Signet for tokens, sign-ins, session checks and the
// gateway. It has no console, import, WHMCS API, WebSockets, protected paths, nonce, or page that asks before an account
// switch: no measured request uses them.

import { type Context, Hono } from "hono";
import { errors } from "jose";
import {
  BASE_SCOPE,
  type Inputs,
  isDestination,
  isOwnedId,
  isRelativePath,
  isScope,
  isUserId,
  locate,
  onlyDestination,
} from "./client-area";
import { authenticate, type CredentialSet, credentialKey, digestOf, parseClient } from "./credential";
import { forward } from "./gateway";
import {
  type App,
  answer,
  badRequest,
  COOKIE,
  caller,
  cookie,
  type Env,
  Failure,
  form,
  hex,
  json,
  keysOf,
  parameters,
  queryOf,
  randomId,
  record,
  refuse,
  SESSION_IDLE,
  SESSION_MAX,
  TOKEN_TTL,
} from "./http";
import { type Denial, expiresAt, type Session } from "./user";

export { User } from "./user";

/** The claims of a token. */
interface TokenClaims extends Inputs {
  iss: string;
  aud: string;
  sub: string;
  client_id: string;
  scope: string;
  iat: number;
  exp: number;
  jti: string;
  delegated?: true;
}

/** The signed content of the session cookie. */
interface SessionCookie {
  sub: string;
  sid: string;
  exp: number;
  /** The client that opened the session, if it may sign in any user, and when. */
  by?: { client_id: string; at: number };
}

/** How long KV keeps the record of a token, in seconds. */
const TOKEN_RECORD_TTL = 86_400;
const CLOCK_SKEW_MAX = 60;
const TOKEN_BYTES_MAX = 8_192;
const COOKIE_BYTES_MAX = 1_024;
const BODY_PARAMETERS = [
  "grant_type",
  "client_id",
  "client_secret",
  "scope",
  "user_id",
  "service_id",
  "domain_id",
  "sso_redirect_path",
  "token",
  "token_type_hint",
];
const BROWSER_CHALLENGE = { "WWW-Authenticate": 'Signet realm="signet"' };
const EVENTS: Record<string, string> = {
  "/oauth/token": "token",
  "/oauth/singlesignon": "sso",
  "/oauth/session": "session",
  "/healthz": "health",
};

const app = new Hono<App>();

/** Prepares a request, answers its failure, and writes the log line of the decision after the answer. */
app.use(async (c, next) => {
  const start = Date.now();
  c.set("requestId", hex(crypto.getRandomValues(new Uint8Array(8))));
  c.set("now", Math.floor(start / 1000));
  c.set("log", { event: EVENTS[c.req.path] ?? "client_area", outcome: "granted", reason: "ok" });
  try {
    const isPlain = c.env.ISSUER.startsWith("https:") && !c.req.url.startsWith("https:");
    if (isPlain && c.req.path !== "/healthz") throw new Failure(403, "https_required", "Use https.");
    await next();
  } catch (failure) {
    return await fail(c, failure);
  } finally {
    c.executionCtx.waitUntil(record(c, start));
  }
});

/** Errors that are no `Failure` are faults of ours. */
app.onError((error, c) => {
  const [log, requestId] = [c.get("log"), c.get("requestId")];
  log.outcome = "failed";
  log.reason = "internal";
  console.error(JSON.stringify({ ...log, error: String(error), request_id: requestId }));
  return refuse(c, new Failure(503, "temporarily_unavailable", "Try again in a moment."), false);
});

async function fail(c: Context<App>, failure: unknown): Promise<Response> {
  if (!(failure instanceof Failure)) throw failure;
  const log = c.get("log");
  log.outcome = "denied";
  log.reason = failure.options.reason ?? failure.error;
  const isPage = log.event === "sso" || log.event === "client_area";
  if (failure.options.isFailedAttempt && (await exceedsLimit(c))) {
    log.reason = "too_many_requests";
    return refuse(c, new Failure(429, "too_many_requests", "There were too many failed attempts."), isPage);
  }
  return refuse(c, failure, isPage);
}

/** Counts a failed attempt for the address and the client. Returns whether one is over its limit. */
async function exceedsLimit(c: Context<App>): Promise<boolean> {
  const limiter = c.env.FAILURES;
  if (!limiter) return false;
  const keys = [c.req.header("cf-connecting-ip"), c.get("log").client_id].filter((key) => key !== undefined);
  const outcomes = await Promise.all(keys.map((key) => limiter.limit({ key }).catch(() => ({ success: true }))));
  return outcomes.some(({ success }) => !success);
}

app.get("/healthz", (c) => json(c, 200, { status: "ok" }));

app.post("/oauth/token", async (c) => {
  const [now, log] = [c.get("now"), c.get("log")];
  if (["cross-site", "same-site"].includes(c.req.header("sec-fetch-site") ?? "")) {
    throw new Failure(403, "foreign_page", "A page of another origin sent the request.");
  }
  const fields = await form(c);
  const query = queryOf(c);
  if (query !== "" && BODY_PARAMETERS.some((name) => new URLSearchParams(query).has(name))) {
    throw badRequest("Parameters belong in the body, not in the address.");
  }
  const client = parseClient(c, fields);
  const grantType = fields.get("grant_type");
  if (grantType === undefined) throw badRequest("The parameter grant_type is missing.");
  if (grantType !== "single_sign_on") {
    throw new Failure(400, "unsupported_grant_type", "The only grant type is single_sign_on.");
  }
  const requested = { scope: scopesOf(fields), user: fields.get("user_id"), inputs: inputsOf(fields) };
  if (requested.user !== undefined && !isUserId(requested.user)) throw badRequest("The user_id is malformed.");
  log.client_id = client.id;

  const stored = await c.env.KV.get<CredentialSet>(credentialKey(client.id), "json");
  const set = await authenticate(stored, client.id, client.secrets, now);
  const claims = grant(set, requested, c.env.ISSUER, now);
  log.user_id = claims.sub;
  log.jti = claims.jti;
  const token = await (await keysOf(c)).sign("sso+jwt", claims);
  c.executionCtx.waitUntil(
    c.env.KV.put(`token:${claims.jti}`, JSON.stringify(tokenRecord(claims)), { expirationTtl: TOKEN_RECORD_TTL }),
  );
  const body = {
    access_token: token,
    token_type: "Bearer",
    expires_in: TOKEN_TTL,
    scope: claims.scope,
    jti: claims.jti,
    redirect_url: `${claims.aud}?access_token=${token}`,
  };
  return json(c, 200, body, { Pragma: "no-cache" });
});

/** The scopes that a request names. */
function scopesOf(fields: Map<string, string>): string[] | undefined {
  const scopes = fields.get("scope")?.split(" ");
  if (scopes && !scopes.every(isScope)) throw invalidScope();
  return scopes && [...new Set(scopes)];
}

const invalidScope = () => new Failure(400, "invalid_scope", "A scope is unknown or not allowed to the client.");

function inputsOf(fields: Map<string, string>): Inputs {
  const inputs: Inputs = {};
  for (const name of ["service_id", "domain_id", "sso_redirect_path"] as const) {
    const value = fields.get(name);
    if (value === undefined) continue;
    const isValid = name === "sso_redirect_path" ? isRelativePath(value) : isOwnedId(value);
    if (!isValid) throw badRequest(`The ${name} is malformed.`);
    inputs[name] = value;
  }
  return inputs;
}

/** The claims of the requested token, if the credential set allows them. */
function grant(
  set: CredentialSet,
  requested: { scope?: string[]; user?: string; inputs: Inputs },
  issuer: string,
  now: number,
): TokenClaims {
  if (!set.grant_types.includes("single_sign_on")) {
    throw new Failure(400, "unauthorized_client", "The client may not use this grant type.");
  }
  const scopes = requested.scope ?? set.scopes;
  if (!scopes.every((scope) => set.scopes.includes(scope))) throw invalidScope();
  if (set.user_id !== undefined && requested.user !== undefined && requested.user !== set.user_id) {
    throw new Failure(400, "invalid_grant", "The client may not sign in this user.");
  }
  const sub = set.user_id ?? requested.user;
  if (sub === undefined) throw badRequest("The parameter user_id is missing: the client is bound to no user.");
  const { service_id } = requested.inputs;
  if (service_id !== undefined && set.service_id !== undefined && service_id !== set.service_id) {
    throw badRequest("The service_id is not the one the client belongs to.");
  }
  const claims: TokenClaims = {
    iss: issuer,
    aud: `${issuer}/oauth/singlesignon`,
    sub,
    client_id: set.client_id,
    scope: scopes.join(" "),
    iat: now,
    exp: now + TOKEN_TTL,
    jti: randomId(),
    ...requested.inputs,
  };
  if (set.user_id === undefined) claims.delegated = true;
  if (set.service_id !== undefined) claims.service_id = set.service_id;
  return claims;
}

const tokenRecord = ({
  jti,
  sub,
  client_id,
  scope,
  iat,
  exp,
  service_id,
  domain_id,
  sso_redirect_path,
}: TokenClaims) => ({
  jti,
  user_id: sub,
  client_id,
  scope,
  issued_at: iat,
  expires_at: exp,
  service_id,
  domain_id,
  sso_redirect_path,
});

app.get("/oauth/singlesignon", async (c) => {
  const { env } = c;
  const log = c.get("log");
  checkNavigation(c);
  if (c.req.header("authorization") !== undefined) {
    throw badRequest("The token belongs in the parameter access_token alone.");
  }
  const query = parameters(queryOf(c));
  const text = query.get("access_token");
  if (text === undefined) throw badRequest("The parameter access_token is missing.");
  const scope = query.get("scope");
  if (scope !== undefined && !isDestination(scope)) {
    throw new Failure(400, "invalid_scope", "The scope is not a destination.");
  }
  const inputs = inputsOf(query);
  const browser = await sessionCookie(c);

  const claims = await openToken(c, text);
  log.client_id = claims.client_id;
  log.user_id = claims.sub;
  log.jti = claims.jti;
  const scopes = claims.scope.split(" ");
  if (scope !== undefined && !scopes.includes(scope)) {
    throw new Failure(400, "invalid_scope", "The scope was not granted to this token.");
  }
  const agreed: Inputs = {};
  for (const name of ["service_id", "domain_id", "sso_redirect_path"] as const) {
    if (claims[name] !== undefined && inputs[name] !== undefined && claims[name] !== inputs[name]) {
      throw badRequest("The request contradicts what is signed into the token.");
    }
    agreed[name] = claims[name] ?? inputs[name];
  }
  const destination = scope ?? onlyDestination(scopes);
  const located = locate(clientArea(env), destination, agreed);
  if ("missing" in located) throw badRequest(`The destination needs a ${located.missing}.`);

  if (claims.delegated && !(await isEnabled(env, claims.client_id))) throw denied("credential_revoked");
  const redeemed = await env.USERS.getByName(claims.sub).redeem({
    jti: claims.jti,
    exp: claims.exp,
    client_id: claims.client_id,
    delegated: claims.delegated ?? false,
    destination,
    service_id: agreed.service_id,
    domain_id: agreed.domain_id,
    browser_session: browser?.sub === claims.sub ? browser.sid : undefined,
    session_id: randomId(),
    idle: SESSION_IDLE,
    max: SESSION_MAX,
    request_id: c.get("requestId"),
    caller: caller(c),
  });
  if ("denial" in redeemed) throw denied(redeemed.denial);
  const { session, repeated } = redeemed;
  if (repeated) log.reason = "repeated";
  if (browser && browser.sub !== claims.sub) {
    log.reason = "switched";
    c.executionCtx.waitUntil(env.USERS.getByName(browser.sub).endSession(browser.sid, "switched"));
  }
  if (browser?.sid === session.session_id) return answer(c, 302, null, { Location: located.location });
  const content: SessionCookie = { sub: claims.sub, sid: session.session_id, exp: session.max_expires_at };
  if (claims.delegated) content.by = { client_id: session.client_id, at: session.created_at };
  const value = await (await keysOf(c)).sign("session+jwt", content);
  return answer(c, 302, null, {
    Location: located.location,
    "Set-Cookie": `${COOKIE}=${value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=${SESSION_MAX}`,
  });
});

/** Refuses prefetches and requests that are no top-level navigation, which must not use up a token. */
function checkNavigation(c: Context<App>): void {
  const announcements = [c.req.header("sec-purpose"), c.req.header("purpose"), c.req.header("x-moz")];
  const isAhead = announcements.some((value) => value?.toLowerCase().includes("prefetch"));
  if (isAhead || c.req.header("x-purpose")?.toLowerCase().includes("preview")) {
    throw new Failure(503, "temporarily_unavailable", "A sign-in link cannot be fetched ahead of time.");
  }
  if (![undefined, "document"].includes(c.req.header("sec-fetch-dest"))) {
    throw new Failure(403, "access_denied", "A sign-in link works only when it is opened as a page.");
  }
}

/** The claims of a token: signed by us, for this endpoint, and not expired. */
async function openToken(c: Context<App>, text: string): Promise<TokenClaims> {
  const { env } = c;
  const now = c.get("now");
  if (text.length > TOKEN_BYTES_MAX) throw forged();
  try {
    const expected = { issuer: env.ISSUER, audience: `${env.ISSUER}/oauth/singlesignon` };
    const claims = await (await keysOf(c)).open<TokenClaims>("sso+jwt", text, now, expected);
    const { iat, exp } = claims;
    if (iat > exp || exp > iat + TOKEN_TTL || iat > now + CLOCK_SKEW_MAX) throw denied("token_misdirected");
    return claims;
  } catch (error) {
    if (error instanceof Failure) throw error;
    if (error instanceof errors.JWTExpired) throw denied("token_expired");
    if (error instanceof errors.JWTClaimValidationFailed) throw denied("token_misdirected");
    throw forged();
  }
}

const forged = () =>
  new Failure(401, "invalid_token", "The sign-in link is not valid.", {
    reason: "forged",
    headers: BROWSER_CHALLENGE,
    isFailedAttempt: true,
  });

/** Whether a delegated set may sign in any user: one KV read. */
async function isEnabled(env: Env, clientId: string): Promise<boolean> {
  const set = await env.KV.get<CredentialSet>(credentialKey(clientId), "json");
  return set !== null && !set.disabled && set.user_id === undefined;
}

/** The failure for a token that does not sign its user in. */
function denied(denial: Denial): Failure {
  const isInvalid = ["token_used", "token_expired", "token_misdirected"].includes(denial);
  const isUser = ["closed", "closed_with_session", "sso_disabled", "not_owner", "unknown_account"].includes(denial);
  if (isUser) return new Failure(403, "access_denied", "The user cannot be signed in.", { reason: denial });
  const options = { reason: denial, headers: isInvalid ? BROWSER_CHALLENGE : undefined };
  return isInvalid
    ? new Failure(401, "invalid_token", "The sign-in link is no longer valid.", options)
    : new Failure(403, "access_denied", "The application may not sign in users.", options);
}

app.all("/oauth/session", async (c) => {
  const live = await liveSession(c);
  if (!live) {
    throw new Failure(401, "invalid_session", "Nobody is signed in.", { headers: BROWSER_CHALLENGE });
  }
  const { user, session } = live;
  const expires = expiresAt(session);
  const { session_id, client_id, jti, destination, created_at, last_seen_at, address, user_agent } = session;
  const body = {
    user_id: user,
    session_id,
    client_id,
    jti,
    destination,
    created_at,
    last_seen_at,
    expires_at: expires,
    address,
    user_agent,
  };
  const headers = { "X-Signet-User": user, "X-Signet-Session": session_id, "X-Signet-Expires": String(expires) };
  return json(c, 200, body, headers);
});

/** The session of the cookie, if it is live: one object request. */
async function liveSession(c: Context<App>): Promise<{ user: string; session: Session } | undefined> {
  const content = await sessionCookie(c);
  if (!content) return undefined;
  c.get("log").user_id = content.sub;
  if (content.by) {
    const notBefore = await c.env.KV.get<number>(`not-before:${content.by.client_id}`, "json");
    if (notBefore !== null && content.by.at <= notBefore) return undefined;
  }
  const session = await c.env.USERS.getByName(content.sub).checkSession(content.sid);
  return session && { user: content.sub, session };
}

/** The verified content of the session cookie. */
async function sessionCookie(c: Context<App>): Promise<SessionCookie | undefined> {
  const value = cookie(c, COOKIE);
  if (value === undefined || value.length > COOKIE_BYTES_MAX) return undefined;
  const keys = await keysOf(c);
  return keys.open<SessionCookie>("session+jwt", value, c.get("now")).catch(() => undefined);
}

const clientArea = (env: Env) => env.CLIENT_AREA_URL ?? `${env.ISSUER}/`;

/** The part of the administration that the bench needs. */
app.use("/admin/v1/*", async (c, next) => {
  const given = new TextEncoder().encode(c.req.header("authorization") ?? "");
  const wanted = new TextEncoder().encode(`Bearer ${c.env.ADMIN_TOKEN}`);
  if (given.length !== wanted.length || !crypto.subtle.timingSafeEqual(given, wanted)) {
    throw new Failure(401, "unauthorized", "The administration token is missing or wrong.");
  }
  c.get("log").event = "admin";
  await next();
});

app.put("/admin/v1/users/:user", async (c) => {
  const account = { sso: true, services: [], domains: [], ...(await c.req.json()) };
  const isNew = await c.env.USERS.getByName(c.req.param("user")).putAccount(account);
  return json(c, isNew ? 201 : 200, account);
});

app.post("/admin/v1/credentials", async (c) => {
  const { name, user_id, delegated, scopes, service_id } = await c.req.json<CredentialSet>();
  const [client_id, secret] = [randomId(), `${randomId()}${randomId()}`];
  const set: CredentialSet = {
    client_id,
    name,
    scopes: [...new Set([BASE_SCOPE, ...scopes])],
    grant_types: ["single_sign_on"],
    user_id,
    delegated,
    service_id,
    disabled: false,
    digest: await digestOf(secret),
  };
  if (user_id !== undefined) await c.env.USERS.getByName(user_id).setCredential(client_id, "enabled");
  await c.env.KV.put(credentialKey(client_id), JSON.stringify(set));
  return json(c, 201, { client_id, client_secret: secret });
});

app.all("*", async (c) => {
  const live = await liveSession(c);
  return forward(c, live?.user ?? "", live?.session);
});

export default app;
