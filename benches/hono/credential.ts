// Credential sets in KV, and the authentication of clients (RFC 6749 section 2.3.1).

import type { Context } from "hono";
import { isClientId } from "./client-area";
import { type App, badRequest, encoder, Failure } from "./http";

/** A credential set as KV stores it under `credential:{client_id}`. */
export interface CredentialSet {
  client_id: string;
  name: string;
  scopes: string[];
  grant_types: string[];
  /** The user that the set signs in; none if it is delegated. */
  user_id?: string;
  delegated?: true;
  service_id?: string;
  disabled: boolean;
  /** The SHA-256 of the secret in base64. During a rotation, also that of the previous secret and its end. */
  digest: string;
  previous?: [digest: string, end: number];
}

const NONE = new Uint8Array(32);

const invalidClient = (reason: string) =>
  new Failure(401, "invalid_client", "Client authentication failed.", {
    reason,
    headers: { "WWW-Authenticate": 'Basic realm="signet", charset="UTF-8"' },
    isFailedAttempt: true,
  });

export const credentialKey = (clientId: string) => `credential:${clientId}`;

/** The credentials of HTTP Basic, or those in the form. */
export function parseClient(c: Context<App>, form: Map<string, string>): { id: string; secrets: string[] } {
  const header = c.req.header("authorization");
  const [formId, formSecret] = [form.get("client_id"), form.get("client_secret")];
  if (header === undefined) {
    if (formId === undefined || formSecret === undefined || !isClientId(formId)) throw invalidClient("no_credentials");
    return { id: formId, secrets: [formSecret] };
  }
  if (formSecret !== undefined) throw badRequest("The client authenticates in two ways at once.");
  const credentials = parseBasic(header);
  if (!credentials) throw invalidClient("no_credentials");
  if (formId !== undefined && formId !== credentials.id) {
    throw badRequest("The client_id contradicts the Authorization header.");
  }
  return credentials;
}

/** Many clients send the secret without the form encoding, so it is tried with and without. */
function parseBasic(header: string): { id: string; secrets: string[] } | undefined {
  const encoded = /^basic +(.*)$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  try {
    const pair = atob(encoded);
    const colon = pair.indexOf(":");
    const [id, secret] = [pair.slice(0, colon), pair.slice(colon + 1)];
    if (colon < 0 || secret === "") return undefined;
    const [decodedId, decoded] = [decodeForm(id), decodeForm(secret)];
    const clientId = [decodedId, id].find((text) => text !== undefined && isClientId(text));
    if (clientId === undefined) return undefined;
    return { id: clientId, secrets: decoded === undefined || decoded === secret ? [secret] : [decoded, secret] };
  } catch {
    return undefined;
  }
}

function decodeForm(text: string): string | undefined {
  if (!/[+%]/.test(text)) return text;
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** Throws `invalid_client` unless one of the secrets is that of the set. An unknown client takes as long as a known one. */
export async function authenticate(
  set: CredentialSet | null,
  id: string,
  secrets: string[],
  now: number,
): Promise<CredentialSet> {
  const current = set ? bytesOf(set.digest) : NONE;
  const previous = set?.previous && now < set.previous[1] ? bytesOf(set.previous[0]) : NONE;
  let isValid = false;
  for (const secret of secrets) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(secret)));
    const isCurrent = crypto.subtle.timingSafeEqual(digest, current);
    const isPrevious = crypto.subtle.timingSafeEqual(digest, previous);
    isValid ||= isCurrent || isPrevious;
  }
  if (!set || !isValid || set.client_id !== id) throw invalidClient("wrong_credentials");
  if (set.disabled) throw invalidClient("credential_disabled");
  return set;
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

export async function digestOf(secret: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", encoder.encode(secret));
  return btoa(String.fromCharCode(...new Uint8Array(digest)));
}
