// A client area's server, for the gateway to stand in front of: it shows what reaches it.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Starts a server on loopback. `paths` answers paths of its own: a function of request and response for each. Any other
 * request is answered with what came in, as JSON: `{ method, url, headers (pairs), body }`.
 *
 * It accepts WebSockets and sends every message back with the user it was told of: `alice: hello`.
 *
 * The result has `url`, `requests` (how many came) and `close`.
 */
export async function startOrigin(paths = {}) {
  const origin = { requests: 0 };
  const server = createServer((request, response) => {
    origin.requests += 1;
    const answer = paths[request.url.split("?")[0]] ?? echo;
    answer(request, response);
  });
  server.on("upgrade", acceptWebSocket);
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  origin.url = `http://127.0.0.1:${server.address().port}`;
  origin.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return origin;
}

/** The header fields of a request as pairs, in the order and spelling they came. */
export const pairs = ({ rawHeaders }) => rawHeaders.flatMap((name, n) => (n % 2 ? [] : [[name, rawHeaders[n + 1]]]));

async function echo(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url } = request;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method, url, headers: pairs(request), body: Buffer.concat(chunks).toString() }));
}

/** RFC 6455, as far as short text messages go. */
function acceptWebSocket(request, socket) {
  const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const accept = createHash("sha1").update(key).digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  socket.on("data", (frame) => {
    if ((frame[0] & 0x0f) !== 1) return socket.end();
    const message = Buffer.from(`${request.headers["x-signet-user"]}: ${unmasked(frame)}`);
    socket.write(Buffer.concat([Buffer.from([0x81, message.length]), message]));
  });
  socket.on("error", () => socket.destroy());
}

function unmasked(frame) {
  const length = frame[1] & 0x7f;
  const [mask, data] = [frame.subarray(2, 6), frame.subarray(6, 6 + length)];
  return data.map((byte, n) => byte ^ mask[n % 4]);
}
