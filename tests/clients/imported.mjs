// Credential sets whose secrets Signet did not make.

import { createHmac } from "node:crypto";
import { createSet } from "../support/workflow.mjs";

const LABEL = "signet secret digest v1".padEnd(64, ".");

/** A set for user 42 with a secret of somebody else's making, as an import would store it. */
export async function importSet(signet, client_secret) {
  const { client_id } = await createSet(signet, { user_id: "42" });
  const kv = await signet.kv();
  const stored = JSON.parse(await kv.get(`credential:${client_id}`));
  stored.secret.digest = createHmac("sha256", LABEL).update(client_secret).digest("base64url");
  await kv.put(`credential:${client_id}`, JSON.stringify(stored));
  return { client_id, client_secret };
}
