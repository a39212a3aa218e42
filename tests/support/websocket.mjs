// WebSockets (RFC 6455) by npm ws, read message by message.

import { once } from "node:events";
import { WebSocket, WebSocketServer } from "ws";

const server = new WebSocketServer({ noServer: true });

/** One side of a connection. */
export class Peer {
  #socket;
  #received = [];
  #waiting = [];

  constructor(socket) {
    this.#socket = socket;
    socket.on("message", (data, isBinary) => this.#receive(isBinary ? data : data.toString()));
    socket.on("close", (code, reason) => this.#receive({ code, reason: reason.toString() }));
    socket.on("error", () => {}); // a close follows
  }

  /**
   * What comes next: a text, a `Buffer`, or `{ code, reason }` of the close: 1005 if it had no code, 1006 if there was
   * none.
   */
  next() {
    if (this.#received.length > 0) return Promise.resolve(this.#received.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a text or a `Buffer`. */
  send(message) {
    this.#socket.send(message);
  }

  /** Sends a close; without a code, one that has none. */
  close(code, reason) {
    this.#socket.close(code, reason);
  }

  /** Ends the connection without a close. */
  destroy() {
    this.#socket.terminate();
  }

  #receive(event) {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(event);
    else this.#received.push(event);
  }
}

/** Opens a WebSocket: `{ status: 101, headers, peer }`, or `{ status, headers }` of a server that refuses it. */
export async function openWebSocket(origin, path, sent = {}, protocols = []) {
  const url = new URL(path, origin.replace(/^http/, "ws"));
  const socket = new WebSocket(url, protocols, { headers: sent, perMessageDeflate: false });
  const peer = new Peer(socket);
  let headers;
  socket.once("upgrade", (response) => {
    ({ headers } = response);
  });
  const opened = once(socket, "open").then(() => ({ status: 101, headers, peer }));
  const refused = once(socket, "unexpected-response").then(([request, { statusCode, headers }]) => {
    request.destroy();
    return { status: statusCode, headers };
  });
  return Promise.race([opened, refused]);
}

/** Accepts a WebSocket on a Node server's `upgrade` event, with its first subprotocol, and passes its `Peer` to `use`. */
export function acceptWebSocket(request, socket, head, use) {
  server.handleUpgrade(request, socket, head, (accepted) => use(new Peer(accepted)));
}
