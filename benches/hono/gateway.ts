// Gateway mode: forwards requests to the origin of the client area, with the identity of the user.

import type { Context } from "hono";
import { type App, COOKIE, Failure, keysOf } from "./http";
import type { Session } from "./user";

const ASSERTION_TTL = 60;
const CLOCK_SKEW = 5;

/** The headers that servers trust because a proxy sets them. CGI reads other characters than letters and digits as `-`. */
const TRUSTED = new RegExp(
  `^(${[
    "(x-signet|x-forwarded|remote|x-remote|x-auth-request|x-webauth|x-authenticated|x-consumer|x-authentik)-.*",
    "(x-pomerium|tailscale-user|oidc|x-vouch|x-token-user|x-goog-authenticated-user|x-amzn-oidc|x-appengine)-.*",
    "(x-ssl-client|ssl-client|x-arr|x-azure|fastly|x-original|x-rewrite|x-envoy|x-middleware|x-invoke)-.*",
    "(x-sendfile|x-accel|x-lighttpd|x-litespeed)-.*",
    "(x-auth-user|x-ms-client-principal|x-client-cert|client-cert|forwarded).*",
    "x-(proxy-user|token-subject|userinfo|forwarded|real-ip|client-ip|cluster-client-ip|originating-ip|host|scheme|url-scheme)",
    "client-ip|true-client-ip|front-end-https|proxy|expect",
  ].join("|")})$`,
);
const SHARED_CACHES = ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control"];

function isRemoved(name: string): boolean {
  const canonical = name.replace(/[^a-z0-9]/g, "-");
  return TRUSTED.test(canonical) || (canonical !== name && canonical.startsWith("cf-"));
}

/** Whether a cookie, `name=value`, may be read as one of ours. */
const isOwnCookie = (cookie: string) => /^[^a-z0-9_]*__host-signet/i.test(cookie);

/** Forwards the request, with the identity headers if there is a session. */
export async function forward(c: Context<App>, user: string, session: Session | undefined): Promise<Response> {
  const { env } = c;
  const [now, log] = [c.get("now"), c.get("log")];
  if (!env.ORIGIN_URL) throw new Failure(404, "not_found", "There is no such page.");
  const incoming = c.req.raw;
  const headers = new Headers(incoming.headers);
  for (const name of incoming.headers.keys()) if (isRemoved(name)) headers.delete(name);
  const cookies = headers.get("cookie");
  if (cookies?.toLowerCase().includes(COOKIE.toLowerCase())) {
    const others = cookies.split(";").filter((cookie) => !cookie.split(",").some(isOwnCookie));
    if (others.length > 0) headers.set("Cookie", others.join(";").trimStart());
    else headers.delete("Cookie");
  }
  const issuer = new URL(env.ISSUER);
  headers.set("X-Forwarded-Proto", issuer.protocol.slice(0, -1));
  headers.set("X-Forwarded-Host", issuer.host);
  const address = incoming.headers.get("cf-connecting-ip");
  if (address !== null) {
    headers.set("X-Forwarded-For", address);
    headers.set("X-Real-IP", address);
  }
  const init: RequestInit = { headers, redirect: "manual" };
  if (session) {
    const iat = now - CLOCK_SKEW;
    headers.set("X-Signet-User", user);
    headers.set(
      "X-Signet-Assertion",
      await (await keysOf(c)).assert({
        iss: env.ISSUER,
        aud: env.CLIENT_AREA_URL ?? `${env.ISSUER}/`,
        sub: user,
        sid: session.session_id,
        client_id: session.client_id,
        auth_time: Math.min(session.created_at, iat),
        iat,
        exp: now + ASSERTION_TTL,
      }),
    );
    init.cache = "no-store";
  }
  const { pathname, search } = new URL(incoming.url);
  const outgoing = new Request(new Request(`${env.ORIGIN_URL}${pathname}${search}`, incoming), init);
  const answer = await fetch(outgoing).catch(() => undefined);
  if (!answer || (answer.status >= 520 && answer.status <= 530)) {
    throw new Failure(502, "bad_gateway", "The client area does not answer.", { reason: "origin" });
  }
  log.reason = "forwarded";
  return returned(answer, session !== undefined, issuer.protocol === "https:");
}

/** The answer for the browser: without cookies of ours, and private if it is personal. */
function returned(answer: Response, isPersonal: boolean, isSecure: boolean): Response {
  const copy = new Response(answer.body, answer);
  const cookies = answer.headers.getSetCookie();
  if (cookies.some(isOwnCookie)) {
    copy.headers.delete("Set-Cookie");
    for (const cookie of cookies) if (!isOwnCookie(cookie)) copy.headers.append("Set-Cookie", cookie);
  }
  if (isPersonal) {
    const directives = (answer.headers.get("Cache-Control") ?? "").split(",").map((directive) => directive.trim());
    const kept = directives.filter((directive) => directive !== "" && !/^(public|s-maxage)\b/i.test(directive));
    if (!kept.some((directive) => /^(private|no-store)\b/i.test(directive))) kept.push("private");
    copy.headers.set("Cache-Control", kept.join(", "));
    for (const name of SHARED_CACHES) copy.headers.delete(name);
  }
  if (isSecure && !copy.headers.has("Strict-Transport-Security")) {
    copy.headers.set("Strict-Transport-Security", "max-age=63072000");
  }
  return copy;
}
