// A client area's server behind the gateway. It answers with the request that reached it.

import { once } from "node:events";
import { createServer } from "node:http";
import { fieldsOf } from "./http.mjs";
import { acceptWebSocket } from "./websocket.mjs";

/**
 * Starts a server on loopback. `paths` answers paths of its own: a function of request and response for each. Any other
 * request is answered with what came in, as JSON: `{ method, url, headers (pairs), body }`.
 *
 * It accepts WebSockets and sends every text back with the user that the request named: `alice: hello`. At `/silent` it
 * sends nothing by itself: `origin.sockets` are its ends, for the tests to use.
 *
 * The result has `url`, `requests` (how many came, WebSockets included), `sockets` and `close`.
 */
export async function startOrigin(paths = {}) {
  const origin = { requests: 0, sockets: [] };
  const server = createServer((request, response) => {
    origin.requests += 1;
    const answer = paths[request.url.split("?")[0]] ?? echo;
    answer(request, response);
  });
  server.on("upgrade", (request, socket, head) => {
    origin.requests += 1;
    acceptWebSocket(request, socket, head, (peer) => {
      if (request.url === "/silent") origin.sockets.push(peer);
      else void reply(peer, request.headers["x-signet-user"]);
    });
  });
  server.listen(0, "127.0.0.1").unref();
  await once(server, "listening");
  origin.url = `http://127.0.0.1:${server.address().port}`;
  origin.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return origin;
}

async function echo(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { method, url } = request;
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify({ method, url, headers: fieldsOf(request), body: Buffer.concat(chunks).toString() }));
}

/**
 * Sends every text back with the user that the request named, and all bytes as they came, until the connection is
 * closed.
 */
async function reply(peer, user) {
  for (;;) {
    const message = await peer.next();
    if (typeof message === "string") peer.send(`${user}: ${message}`);
    else if (Buffer.isBuffer(message)) peer.send(message);
    else return;
  }
}
