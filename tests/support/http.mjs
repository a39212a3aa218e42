// HTTP/1.1 requests, sent exactly as a test spells them, by Node's own client. `fetch` and npm undici send neither a
// `Connection` header of the caller's nor `Upgrade`, which the tests of gateways and proxies need.

import { once } from "node:events";
import { request } from "node:http";
import { pipeline } from "node:stream";

/**
 * Sends one request to a path of an origin on this machine, and returns a `Response`. It follows no redirect.
 *
 * Headers are an object, or pairs to send a name twice. All are allowed, `Host` included. The body is a string, a `Buffer`,
 * a form (`URLSearchParams`), or an async iterable, which is sent in chunks without a `Content-Length`.
 */
export async function send(agent, origin, path, { method = "GET", headers = {}, body } = {}) {
  const { host, port } = new URL(origin);
  const isChunked = body?.[Symbol.asyncIterator] !== undefined;
  const content = Buffer.isBuffer(body) || isChunked ? body : Buffer.from(String(body ?? ""));
  const pairs = Array.isArray(headers) ? [...headers] : Object.entries(headers);
  const byDefault = (name, value) => {
    if (!pairs.some(([given]) => given.toLowerCase() === name.toLowerCase())) pairs.push([name, value]);
  };
  byDefault("Host", host);
  if (body instanceof URLSearchParams) byDefault("Content-Type", "application/x-www-form-urlencoded");
  if (isChunked) byDefault("Transfer-Encoding", "chunked");
  else if (body !== undefined || !["GET", "HEAD"].includes(method)) byDefault("Content-Length", content.length);

  const incoming = await attempt();

  /** Sends it; once more if the server has just closed the idle connection that was to be used again. */
  async function attempt() {
    const outgoing = request({ agent, host: "127.0.0.1", port, method, path, headers: pairs.flat().map(String) });
    // An answer may come before the whole body is sent. The rest is then of no interest.
    pipeline(isChunked ? content : [content], outgoing, () => {});
    try {
      return (await once(outgoing, "response"))[0];
    } catch (error) {
      if (error.code === "ECONNRESET" && outgoing.reusedSocket && !isChunked) return attempt();
      throw error;
    }
  }
  const answer = Buffer.concat(await incoming.toArray());
  return new Response(answer.length === 0 ? null : answer, {
    status: incoming.statusCode,
    headers: fieldsOf(incoming),
  });
}

/** The header fields of a message as pairs, in the order and spelling they came. */
export const fieldsOf = ({ rawHeaders }) => rawHeaders.flatMap((name, n) => (n % 2 ? [] : [[name, rawHeaders[n + 1]]]));
