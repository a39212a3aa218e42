// zsh, the shell of macOS.

import { spawnSync } from "node:child_process";
import { skipIf } from "./optional.mjs";

/** Why there is none, or `undefined`. */
export const missing = spawnSync("zsh", ["-c", ""]).status === 0 ? undefined : "no zsh";

/** The `skip` option of every test that needs zsh. */
export const skip = skipIf(missing);
