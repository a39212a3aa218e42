// Ports of this machine.

import { once } from "node:events";
import { createServer } from "node:net";

/**
 * The range of ports. It is below the ephemeral ports (from 32768 on Linux, from 49152 on macOS), so that no other program
 * gets one by chance between its choice and its use, and above the ports that browsers refuse.
 */
const [FIRST, END] = [12_000, 32_000];
/** The number of ports of one process. */
const SLICE = 100;

let slice,
  given = 0;

/** A port of loopback that nobody listens on, and that no other test process is given. */
export async function freePort() {
  slice ??= leaseSlice();
  const first = await slice;
  for (let tries = 1; tries < SLICE; tries += 1) {
    const port = first + 1 + (given++ % (SLICE - 1));
    const server = await listening(port);
    if (!server) continue;
    server.close();
    await once(server, "close");
    return port;
  }
  throw new Error(`no port is free from ${first} on`);
}

/** Reserves a slice for this process, by listening on its first port until the process ends. */
async function leaseSlice() {
  const count = (END - FIRST) / SLICE;
  for (let n = 0; n < count; n += 1) {
    const first = FIRST + ((process.pid + n) % count) * SLICE;
    const lease = await listening(first);
    if (!lease) continue;
    lease.unref();
    return first;
  }
  throw new Error(`no ports are free between ${FIRST} and ${END}`);
}

/** A server that listens on a port, or `undefined` if the port is in use. */
async function listening(port) {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
    return server;
  } catch (error) {
    if (["EADDRINUSE", "EACCES"].includes(error.code)) return undefined;
    throw error;
  }
}
