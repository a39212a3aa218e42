// Answers with the security headers, failures, parameters, cookies, and the log.

import type { Context } from "hono";
import { Keys } from "./keys";
import type { User } from "./user";

export interface Env {
  ISSUER: string;
  SIGNING_KEYS: string;
  ADMIN_TOKEN: string;
  CLIENT_AREA_URL?: string;
  ORIGIN_URL?: string;
  KV: KVNamespace;
  USERS: DurableObjectNamespace<User>;
  FAILURES?: RateLimit;
  ANALYTICS?: AnalyticsEngineDataset;
}

/** What the steps of a request pass on. */
export interface Variables {
  requestId: string;
  now: number;
  log: LogFields;
}

export type App = { Bindings: Env; Variables: Variables };

/** The fields of the log line of a request. */
export interface LogFields {
  event: string;
  outcome: "granted" | "denied" | "failed" | "deferred";
  reason: string;
  client_id?: string;
  user_id?: string;
  jti?: string;
}

export const COOKIE = "__Host-signet";
export const SESSION_IDLE = 3_600;
export const SESSION_MAX = 43_200;
export const TOKEN_TTL = 60;
/** The longest request body, in bytes. */
const BODY_BYTES_MAX = 65_536;
const PARAMETERS_MAX = 100;

const SECURITY = {
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cache-Control": "no-store",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};
const SECURE = { ...SECURITY, "Strict-Transport-Security": "max-age=63072000" };

/** The signing keys, imported at the first request that needs them. */
export const keysOf = (c: Context<App>) => Keys.of(c.env.SIGNING_KEYS);

type Headers = Record<string, string>;

/** An answer with the security headers, built at once. */
export function answer(c: Context<App>, status: number, body: string | null, headers: Headers): Response {
  const security = c.env.ISSUER.startsWith("https:") ? SECURE : SECURITY;
  return new Response(body, { status, headers: { ...security, "X-Request-Id": c.get("requestId"), ...headers } });
}

export const json = (c: Context<App>, status: number, body: object, headers: Headers = {}) =>
  answer(c, status, JSON.stringify(body), { "Content-Type": "application/json", ...headers });

/** A refusal of the caller. `reason` is for the log alone. It is no `Error`, whose stack would cost more than the answer. */
export class Failure {
  constructor(
    readonly status: number,
    readonly error: string,
    readonly description: string,
    readonly options: { reason?: string; headers?: Headers; isFailedAttempt?: boolean } = {},
  ) {}
}

export const badRequest = (description: string) => new Failure(400, "invalid_request", description);

/** The answer to a failure: JSON, or a page if the request accepts HTML on a route for people. */
export function refuse(c: Context<App>, failure: Failure, isPage: boolean): Response {
  const { status, error, description, options } = failure;
  const accept = c.req.header("accept") ?? "";
  if (!isPage || (accept.includes("application/json") && !accept.includes("text/html"))) {
    return json(c, status, { error, error_description: description }, options.headers);
  }
  const page = `<!doctype html><html lang="en"><title>${status}</title><p role="alert">${escapeHtml(description)}</p></html>`;
  return answer(c, status, page, { "Content-Type": "text/html; charset=utf-8", ...options.headers });
}

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c] ?? "&quot;");

/** The query of the request, without its question mark. */
export function queryOf(c: Context<App>): string {
  const at = c.req.url.indexOf("?");
  return at < 0 ? "" : c.req.url.slice(at + 1);
}

/** The parameters of a query or a form. Each occurs once; empty ones count as absent. */
export function parameters(text: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(text)) {
    if (parameters.has(name)) throw badRequest("A parameter occurs twice.");
    if (parameters.size === PARAMETERS_MAX) throw badRequest("There are too many parameters.");
    parameters.set(name, value);
  }
  for (const [name, value] of parameters) if (value === "") parameters.delete(name);
  return parameters;
}

const tooLarge = () => new Failure(413, "invalid_request", "The body is too large.");

/** The parameters of a form in the body. */
export async function form(c: Context<App>): Promise<Map<string, string>> {
  const type = c.req.header("content-type")?.toLowerCase();
  if (type?.split(";")[0].trim() !== "application/x-www-form-urlencoded" || /,|charset="?utf-(16|32)/.test(type)) {
    throw badRequest("The body is not application/x-www-form-urlencoded.");
  }
  if (Number(c.req.header("content-length") ?? 0) > BODY_BYTES_MAX) throw tooLarge();
  const text = await c.req.raw.text();
  if (text.length > BODY_BYTES_MAX) throw tooLarge();
  return parameters(text);
}

/** The value of a cookie. None if two cookies have that name (RFC 6265bis sections 5.4 and 5.7). */
export function cookie(c: Context<App>, name: string): string | undefined {
  const header = c.req.header("cookie");
  if (!header?.includes(name)) return undefined;
  let found: string | undefined;
  for (const pair of header.split(";")) {
    const at = pair.indexOf("=");
    if (at < 0 || trim(pair.slice(0, at)) !== name) continue;
    if (found !== undefined) return undefined;
    found = trim(pair.slice(at + 1));
  }
  return found !== undefined && /^[A-Za-z0-9_.-]*$/.test(found) ? found : undefined;
}

/** Without the spaces and tabs around it. `String.trim` removes other characters too. */
const trim = (text: string) => text.replace(/^[ \t]+|[ \t]+$/g, "");

/** Who sent the request, for the audit trail. */
export const caller = (c: Context<App>) => ({
  address: c.req.header("cf-connecting-ip")?.slice(0, 200) ?? null,
  user_agent: c.req.header("user-agent")?.slice(0, 200) ?? null,
});

/** Writes the log line of a decision, in which the id of the token is a digest, and its data point. */
export async function record(c: Context<App>, start: number): Promise<void> {
  const { jti, ...line } = c.get("log");
  const requestId = c.get("requestId");
  c.env.ANALYTICS?.writeDataPoint({
    indexes: [line.event],
    blobs: [line.event, line.outcome, line.reason, line.client_id ?? ""],
    doubles: [Date.now() - start],
  });
  if (jti === undefined) return console.log(JSON.stringify({ ...line, request_id: requestId }));
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(jti));
  console.log(JSON.stringify({ ...line, jti_hash: hex(new Uint8Array(digest, 0, 8)), request_id: requestId }));
}

export const encoder = new TextEncoder();

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX[byte];
  return text;
}

/** 128 random bits in base64url: the id of a token, a session or a client. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .slice(0, 22);
}
