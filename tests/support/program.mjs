// Programs in other languages that belong to the tests.

import { execFile } from "node:child_process";

/** How long a program may take, in milliseconds. */
const PATIENCE_MS = 60_000;

/** Runs a program with JSON on its standard input and returns its output. */
export function order(command, args, content) {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { timeout: PATIENCE_MS }, (error, stdout, stderr) => {
      if (error) reject(new Error(stderr || error.message));
      else resolve(stdout.trim());
    });
    child.stdin.on("error", () => {}); // a program may end before it reads its input
    child.stdin.end(JSON.stringify(content));
  });
}
