// WebSockets (RFC 6455), as far as the tests need them: whole messages, text and binary, and closes with their codes.

import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request } from "node:http";

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;

/** One side of an open connection. */
export class Peer {
  #socket;
  #masks;
  #rest = Buffer.alloc(0);
  #received = [];
  #waiting = [];

  constructor(socket, { masks }) {
    this.#socket = socket;
    this.#masks = masks;
    socket.on("data", (data) => this.#read(data));
    socket.on("error", () => {});
    socket.on("close", () => this.#hand({ lost: true }));
  }

  /** What comes next: a text, a `Buffer`, `{ code, reason }` of a close, or `{ lost: true }` at the end of the connection. */
  next() {
    if (this.#received.length > 0) return Promise.resolve(this.#received.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Sends a text or a `Buffer`. */
  send(message) {
    this.#write(typeof message === "string" ? TEXT : BINARY, Buffer.from(message));
  }

  /** Sends a close; without a code, one that has none. */
  close(code, reason = "") {
    const head = Buffer.alloc(code === undefined ? 0 : 2);
    if (code !== undefined) head.writeUInt16BE(code);
    this.#write(CLOSE, Buffer.concat([head, Buffer.from(reason)]));
  }

  /** Hangs up without a word. */
  destroy() {
    this.#socket.destroy();
  }

  #hand(received) {
    const resolve = this.#waiting.shift();
    if (resolve) resolve(received);
    else this.#received.push(received);
  }

  #write(opcode, data) {
    const size = data.length < 126 ? [data.length] : data.length < 65_536 ? [126, 2] : [127, 8];
    const head = Buffer.alloc(2 + (size[1] ?? 0));
    head[0] = 0x80 | opcode;
    head[1] = size[0] | (this.#masks ? 0x80 : 0);
    if (size[1] === 2) head.writeUInt16BE(data.length, 2);
    if (size[1] === 8) head.writeBigUInt64BE(BigInt(data.length), 2);
    const mask = randomBytes(4);
    this.#socket.write(Buffer.concat(this.#masks ? [head, mask, masked(data, mask)] : [head, data]));
  }

  #read(data) {
    this.#rest = Buffer.concat([this.#rest, data]);
    for (let frame; (frame = takeFrame(this.#rest)); ) {
      this.#rest = frame.rest;
      if (frame.opcode === TEXT) this.#hand(frame.data.toString());
      if (frame.opcode === BINARY) this.#hand(frame.data);
      if (frame.opcode === CLOSE) {
        const code = frame.data.length > 0 ? frame.data.readUInt16BE() : undefined;
        this.#hand({ code, reason: frame.data.subarray(2).toString() });
      }
    }
  }
}

/** Opens a WebSocket, or returns the answer of a server that does not. Headers are an object. */
export async function openWebSocket(origin, path, headers = {}) {
  const outgoing = request(origin + path, {
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": randomBytes(16).toString("base64"),
      ...headers,
    },
  });
  const answer = Promise.race([once(outgoing, "upgrade"), once(outgoing, "response")]);
  outgoing.end();
  const [incoming, socket] = await answer;
  if (incoming.statusCode !== 101) {
    incoming.resume();
    return { status: incoming.statusCode, headers: incoming.headers };
  }
  return { status: 101, headers: incoming.headers, peer: new Peer(socket, { masks: true }) };
}

/** Accepts a WebSocket on a Node server's `upgrade` event. */
export function acceptWebSocket(incoming, socket) {
  const key = `${incoming.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
  const fields = [`Sec-WebSocket-Accept: ${createHash("sha1").update(key).digest("base64")}`];
  const [protocol] = (incoming.headers["sec-websocket-protocol"] ?? "").split(/, */);
  if (protocol) fields.push(`Sec-WebSocket-Protocol: ${protocol}`);
  socket.write(
    ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade", ...fields, "", ""].join("\r\n"),
  );
  return new Peer(socket, { masks: false });
}

function takeFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1] & 0x7f;
  const start = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
  const isMasked = (bytes[1] & 0x80) !== 0;
  const from = start + (isMasked ? 4 : 0);
  if (bytes.length < from) return undefined;
  const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
  if (bytes.length < from + length) return undefined;
  const data = bytes.subarray(from, from + length);
  return {
    opcode: bytes[0] & 0x0f,
    data: isMasked ? masked(data, bytes.subarray(start, from)) : data,
    rest: bytes.subarray(from + length),
  };
}

function masked(data, mask) {
  return Buffer.from(data.map((byte, n) => byte ^ mask[n % 4]));
}
