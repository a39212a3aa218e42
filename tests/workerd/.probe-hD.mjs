import { startSignet } from "../support/signet.mjs";
import * as w from "../support/workflow.mjs";
const signet = await startSignet();
for (const on of ["DELETE FROM session", "INSERT INTO event"]) {
  const user = "p" + on.length;
  await w.putUser(signet, user); const set = await w.createSet(signet, { user_id: user });
  const cookie = await w.signIn(signet, set);
  await signet.faults.set([{ target: "sql.exec", on, mode: "throw" }]);
  const r = await signet.admin("PATCH", `/users/${user}`, { status: "Closed" });
  await signet.faults.set([]);
  console.log(on, r.status, (await signet.admin("GET", `/users/${user}`)).body.status, "rows", (await signet.sql(user, "SELECT id FROM session")).length, "listed", (await signet.admin("GET", `/users/${user}/sessions`)).body.sessions?.length, "who", await w.whoIs(signet, cookie), await w.eventsOf(signet, user));
  await signet.admin("PATCH", `/users/${user}`, { status: "Active" });
  console.log("  reopened without a retry: who", await w.whoIs(signet, cookie));
}
for (const on of ["INTO session", "INTO event"]) {
  const user = "q" + on.length;
  await w.putUser(signet, user); const set = await w.createSet(signet, { user_id: user });
  const cookie = await w.signIn(signet, set); const token = await w.getToken(signet, set);
  await signet.faults.set([{ target: "sql.exec", on, mode: "throw" }]);
  const r = await w.openLink(signet, token, { headers: cookie });
  await signet.faults.set([]);
  console.log("redeem", on, r.status, "old session:", await w.whoIs(signet, cookie), "sessions", (await signet.sql(user, "SELECT id FROM session")).length, "retry", (await w.openLink(signet, token, { headers: cookie })).status, await w.eventsOf(signet, user));
}
await signet.close();
