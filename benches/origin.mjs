// The server of the client area: answers each request that names a user with the same page, at little cost.

import { once } from "node:events";
import { createServer } from "node:net";

const PAGE = "<!doctype html><title>Invoices</title>";
const ANSWER = `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: ${PAGE.length}\r\n\r\n${PAGE}`;
const NOBODY = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n";

export async function startOrigin() {
  const sockets = new Set();
  const server = createServer({ noDelay: true }, (socket) => {
    let received = "";
    sockets.add(socket);
    socket.setEncoding("latin1");
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {}); // `close` follows
    socket.on("data", (text) => {
      received += text;
      if (!received.endsWith("\r\n\r\n")) return;
      const isSignedIn = /\r\nx-signet-assertion: /i.test(received);
      received = "";
      socket.write(isSignedIn ? ANSWER : NOBODY);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
