// The load generator: HTTP/1.1 over a fixed number of connections, with as little work per request as possible, because it
// shares the machine with what it measures.

import { once } from "node:events";
import { connect } from "node:net";

/** How many connections are open, each with one request at a time. */
export const CONNECTIONS = 16;

/** The headers of a browser behind Cloudflare. Every request has them. */
const BROWSER = {
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
  "Accept-Language": "en-GB,en;q=0.9",
  "Accept-Encoding": "gzip, br",
  "CF-Connecting-IP": "203.0.113.7",
  "CF-IPCountry": "GB",
  "CF-Ray": "9a1b2c3d4e5f6a7b-LHR",
  "CF-Visitor": '{"scheme":"https"}',
  "X-Forwarded-For": "203.0.113.7",
  "X-Forwarded-Proto": "https",
};

/** A request as bytes. A body is a form. */
export function encode({ method = "GET", host, path, headers = {}, body }) {
  const fields = { Host: host, ...BROWSER, Accept: "application/json", ...headers };
  if (body !== undefined) {
    fields["Content-Type"] ??= "application/x-www-form-urlencoded";
    fields["Content-Length"] = Buffer.byteLength(body);
  }
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body ?? ""}`;
}

/** Connections to a port of this machine. */
export class Load {
  #connections;

  constructor(connections) {
    this.#connections = connections;
  }

  static async open(port, count = CONNECTIONS) {
    return new Load(await Promise.all(Array.from({ length: count }, () => Connection.open(port))));
  }

  /**
   * Runs `work(send, n)` for each n below `count`, one at a time on each connection. `send` takes a request as bytes and
   * resolves to `{ status, head, body }`. Returns the seconds in total, and the milliseconds of each, sorted.
   */
  async run(count, work) {
    const times = [];
    let next = 0;
    const start = performance.now();
    await Promise.all(
      this.#connections.map(async (connection) => {
        const send = (bytes) => connection.send(bytes);
        while (next < count) {
          const started = performance.now();
          await work(send, next++);
          times.push(performance.now() - started);
        }
      }),
    );
    const seconds = (performance.now() - start) / 1_000;
    return { seconds, times: times.sort((a, b) => a - b) };
  }

  close() {
    for (const connection of this.#connections) connection.close();
  }
}

/** A connection, opened again if the server has closed it while it was idle. */
class Connection {
  #port;
  #socket;
  #received = "";
  /** The request that is not answered yet. */
  #request;

  static async open(port) {
    const connection = new Connection();
    connection.#port = port;
    await connection.#connect();
    return connection;
  }

  async #connect() {
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    socket.setEncoding("latin1");
    socket.on("data", (text) => this.#receive(text));
    socket.on("error", () => {}); // `close` follows
    socket.on("close", () => {
      if (this.#socket === socket) this.#socket = undefined;
      if (this.#request) void this.#transmit(); // the server closed it while the request was on its way
    });
    this.#socket = socket;
  }

  send(bytes) {
    return new Promise((resolve) => {
      this.#request = { bytes, resolve };
      void this.#transmit();
    });
  }

  async #transmit() {
    if (!this.#socket) await this.#connect();
    this.#socket.write(this.#request.bytes, "latin1");
  }

  #receive(text) {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const body = bodyOf(head, this.#received.slice(end + 4));
    if (body === undefined) return;
    this.#received = "";
    const { resolve } = this.#request;
    this.#request = undefined;
    resolve({ status: Number(head.slice(9, 12)), head, body });
  }

  close() {
    this.#request = undefined;
    this.#socket?.destroy();
  }
}

/** The body, or undefined if it is not complete. No request of the bench is answered with trailers. */
function bodyOf(head, rest) {
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return rest.length >= Number(length) ? rest : undefined;
  if (!/\r\ntransfer-encoding: chunked/i.test(head)) return rest;
  if (!rest.endsWith("0\r\n\r\n")) return undefined;
  let body = "";
  for (let at = 0; ; ) {
    const line = rest.indexOf("\r\n", at);
    const size = Number.parseInt(rest.slice(at, line), 16);
    if (!(size > 0)) return body;
    body += rest.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
}

/** The value of a header in the head of an answer. */
export const header = (head, name) => new RegExp(`\r\n${name}: ([^\r]*)`, "i").exec(head)?.[1];
