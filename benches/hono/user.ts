// The object of one user. Every method is synchronous, so that calls do not interleave.
//
// A sign-in is one row, keyed by the id of its token: what became of the token, the session, and the entry of the audit
// trail. The object keeps the account, the bound credential sets and the live sessions in memory after the first load,
// and changes memory only after the row is written.

import { DurableObject } from "cloudflare:workers";

/** How many live sessions a user has at most. Opening one more ends the oldest. */
const SESSIONS_MAX = 20;
/** The least time between two writes of `last_seen_at`, in seconds. */
const REFRESH_SECONDS = 60;
/** How long the row of a sign-in is kept, in seconds: 90 days. */
const EVENT_TTL = 90 * 86_400;
const SWEEP_DELAY_MS = 86_400_000;

export type Status = "Active" | "Inactive" | "Closed";

export interface Account {
  status: Status;
  sso: boolean;
  services: string[];
  domains: string[];
}

/** Who sent a request, for the audit trail. */
export interface Caller {
  address: string | null;
  user_agent: string | null;
}

export interface Session {
  session_id: string;
  client_id: string;
  jti: string;
  destination: string | null;
  created_at: number;
  last_seen_at: number;
  idle_seconds: number;
  max_expires_at: number;
  address: string | null;
  user_agent: string | null;
}

export interface Redemption {
  jti: string;
  exp: number;
  client_id: string;
  delegated: boolean;
  destination: string | null;
  service_id?: string;
  domain_id?: string;
  browser_session?: string;
  session_id: string;
  idle: number;
  max: number;
  request_id: string;
  caller: Caller;
}

export type Denial =
  | "closed"
  | "closed_with_session"
  | "sso_disabled"
  | "unknown_account"
  | "not_owner"
  | "token_used"
  | "token_expired"
  | "token_misdirected"
  | "credential_revoked";

export type Redeemed = { session: Session; repeated: boolean } | { denial: Denial };

/** The row of a token that was redeemed or refused. */
interface SignIn {
  at: number;
  request_id: string;
  session?: Session;
  /** The sessions that this sign-in ended. */
  replaced?: string[];
  /** Why the session ended before its limits. */
  ended?: string;
  denial?: Denial;
  client_id?: string;
  caller?: Caller;
}

interface Memory {
  account?: Account;
  credentials: Map<string, string>;
  /** The live sessions by their ids, in the order in which they were opened. */
  sessions: Map<string, Session>;
  isSwept: boolean;
}

const TABLES = `
  CREATE TABLE IF NOT EXISTS account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS sign_in (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, live_until INTEGER NOT NULL,
    data TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS event (number INTEGER PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL)`;

const LOAD = `
  SELECT 'account' AS kind, NULL AS id, data FROM account
  UNION ALL SELECT 'credential', client_id, state FROM credential
  UNION ALL SELECT 'sign_in', jti, data FROM sign_in WHERE live_until > ?
  UNION ALL SELECT 'swept', NULL, EXISTS (SELECT 1 FROM sign_in)`;

export class User extends DurableObject {
  private readonly sql = this.ctx.storage.sql;
  private loaded: Memory | undefined;

  /** Redeems a token: decides by the account, the token and the credential set, and opens the session in one row. */
  redeem(redemption: Redemption): Redeemed {
    const now = seconds();
    if (now >= redemption.exp) return { denial: "token_expired" };
    const memory = this.load(now);
    const { account, credentials } = memory;
    let denial = denialOf(account, redemption);
    if (denial === "closed" && redemption.browser_session) denial = "closed_with_session";
    if (denial === "closed" || denial === "closed_with_session" || denial === "sso_disabled") {
      return this.deny(redemption, denial, now);
    }
    if (!redemption.delegated && credentials.get(redemption.client_id) !== "enabled") denial = "credential_revoked";
    if (denial) return this.repeat(redemption, denial, now) ?? this.deny(redemption, denial, now);

    const { session_id, client_id, jti, destination, caller } = redemption;
    const session: Session = {
      session_id,
      client_id,
      jti,
      destination,
      created_at: now,
      last_seen_at: now,
      idle_seconds: redemption.idle,
      max_expires_at: now + redemption.max,
      address: caller.address,
      user_agent: caller.user_agent,
    };
    const replaced = replacedSessions(memory, redemption.browser_session, now);
    const row: SignIn = { at: now, request_id: redemption.request_id, session };
    let isFirst: boolean;
    if (replaced.length === 0) isFirst = this.insert(jti, row, now, expiresAt(session));
    else {
      row.replaced = replaced.map(({ session_id }) => session_id);
      isFirst = this.ctx.storage.transactionSync(() => {
        if (!this.insert(jti, row, now, expiresAt(session))) return false;
        for (const { jti } of replaced) this.sql.exec("UPDATE sign_in SET live_until = 0 WHERE jti = ?", jti);
        return true;
      });
    }
    if (!isFirst) return this.repeat(redemption, undefined, now) ?? this.deny(redemption, "token_used", now);
    for (const { session_id } of replaced) memory.sessions.delete(session_id);
    memory.sessions.set(session_id, session);
    return { session, repeated: false };
  }

  /** The session, if it is live. Restarts its idle limit. */
  checkSession(id: string): Session | undefined {
    const now = seconds();
    const { account, sessions } = this.load(now);
    const session = sessions.get(id);
    if (!session || !isLive(session, now) || !account || account.status === "Closed") return undefined;
    if (now - session.last_seen_at < REFRESH_SECONDS) return session;
    const refreshed = { ...session, last_seen_at: now };
    this.sql.exec(
      "UPDATE sign_in SET live_until = ?, data = json_set(data, '$.session.last_seen_at', ?) WHERE jti = ?",
      expiresAt(refreshed),
      now,
      session.jti,
    );
    sessions.set(id, refreshed);
    return refreshed;
  }

  endSession(id: string, why: string): boolean {
    const now = seconds();
    const { sessions } = this.load(now);
    const session = sessions.get(id);
    if (!session || !isLive(session, now)) return false;
    this.sql.exec(
      "UPDATE sign_in SET live_until = 0, data = json_set(data, '$.ended', ?) WHERE jti = ?",
      why,
      session.jti,
    );
    sessions.delete(id);
    return true;
  }

  /** Stores the account. A Closed account ends all sessions. */
  putAccount(account: Account): boolean {
    const now = seconds();
    const memory = this.load(now);
    const isNew = memory.account === undefined;
    this.ctx.storage.transactionSync(() => {
      this.sql.exec("INSERT OR REPLACE INTO account (only, data) VALUES (1, ?)", JSON.stringify(account));
      if (account.status === "Closed") {
        this.sql.exec(
          "UPDATE sign_in SET live_until = 0, data = json_set(data, '$.ended', 'closed') WHERE live_until > ?",
          now,
        );
      }
      this.record(now, { event: isNew ? "account.created" : "account.changed" });
    });
    memory.account = account;
    if (account.status === "Closed") memory.sessions.clear();
    return isNew;
  }

  setCredential(clientId: string, state: string): void {
    const { credentials } = this.load(seconds());
    this.sql.exec("INSERT OR REPLACE INTO credential (client_id, state) VALUES (?, ?)", clientId, state);
    credentials.set(clientId, state);
  }

  /** Deletes expired rows. No answer depends on it. */
  async alarm(): Promise<void> {
    const now = seconds();
    this.sql.exec("DELETE FROM sign_in WHERE expires_at <= ?", now);
    this.sql.exec("DELETE FROM event WHERE expires_at <= ?", now);
    const { left } = this.sql
      .exec<{ left: number }>("SELECT EXISTS (SELECT 1 FROM sign_in) OR EXISTS (SELECT 1 FROM event) AS left")
      .one();
    if (left) await this.ctx.storage.setAlarm(Date.now() + SWEEP_DELAY_MS);
    if (this.loaded) this.loaded.isSwept = Boolean(left);
  }

  /** Everything that decisions need, by one statement after the object starts. */
  private load(now: number): Memory {
    if (this.loaded) return this.loaded;
    this.sql.exec(TABLES);
    const memory: Memory = { credentials: new Map(), sessions: new Map(), isSwept: false };
    const live: Session[] = [];
    for (const { kind, id, data } of this.sql.exec<{ kind: string; id: string; data: string }>(LOAD, now)) {
      if (kind === "account") memory.account = JSON.parse(data);
      else if (kind === "credential") memory.credentials.set(id, data);
      else if (kind === "swept") memory.isSwept = Boolean(data);
      else live.push(JSON.parse(data).session);
    }
    live.sort((a, b) => a.created_at - b.created_at);
    for (const session of live) memory.sessions.set(session.session_id, session);
    this.loaded = memory;
    return memory;
  }

  /** Writes what became of a token, once: the primary key refuses a second row. Returns whether it was the first. */
  private insert(jti: string, row: SignIn, now: number, liveUntil: number): boolean {
    const { rowsWritten } = this.sql.exec(
      "INSERT OR IGNORE INTO sign_in (jti, expires_at, live_until, data) VALUES (?, ?, ?, ?)",
      jti,
      now + EVENT_TTL,
      liveUntil,
      JSON.stringify(row),
    );
    this.scheduleSweep();
    return rowsWritten > 0;
  }

  /** Arms the alarm if no sweep is scheduled. Storage writes it with the row, or neither. */
  private scheduleSweep(): void {
    if (!this.loaded || this.loaded.isSwept) return;
    this.loaded.isSwept = true;
    void this.ctx.storage.setAlarm(Date.now() + SWEEP_DELAY_MS);
  }

  /** The session that the token opened before, for the browser that has it. */
  private repeat(redemption: Redemption, denial: Denial | undefined, now: number): Redeemed | undefined {
    const opened = this.openedBy(redemption.jti, now);
    if (!opened || opened.session_id !== redemption.browser_session) return undefined;
    return denial ? { denial } : { session: opened, repeated: true };
  }

  /** Refuses the sign-in. An unused token becomes unusable; the use of a used token is recorded as a replay. */
  private deny(redemption: Redemption, denial: Denial, now: number): Redeemed {
    const { jti, client_id, request_id, caller } = redemption;
    const isFirst =
      denial !== "token_used" && this.insert(jti, { at: now, request_id, denial, client_id, caller }, now, 0);
    if (!isFirst) this.recordReplay(redemption, now);
    if (denial === "closed_with_session" && redemption.browser_session)
      this.endSession(redemption.browser_session, denial);
    return { denial };
  }

  /** Records a replay. The session that the token opened ends if both the network and the browser differ. */
  private recordReplay({ jti, client_id, request_id, caller }: Redemption, now: number): void {
    const opened = this.openedBy(jti, now);
    const session_id = opened?.session_id ?? null;
    this.record(now, { event: "token.replayed", jti, client_id, session_id, request_id, caller });
    const isElsewhere =
      opened && network(opened.address) !== network(caller.address) && opened.user_agent !== caller.user_agent;
    if (isElsewhere) this.endSession(opened.session_id, "token_replayed");
  }

  private openedBy(jti: string, now: number): Session | undefined {
    const { sessions } = this.load(now);
    return [...sessions.values()].find((session) => session.jti === jti && isLive(session, now));
  }

  private record(now: number, event: object): void {
    this.sql.exec(
      "INSERT INTO event (expires_at, data) VALUES (?, ?)",
      now + EVENT_TTL,
      JSON.stringify({ at: now, ...event }),
    );
    this.scheduleSweep();
  }
}

function denialOf(account: Account | undefined, { service_id, domain_id }: Redemption): Denial | undefined {
  if (!account) return "unknown_account";
  if (account.status === "Closed") return "closed";
  if (!account.sso) return "sso_disabled";
  if (service_id !== undefined && !account.services.includes(service_id)) return "not_owner";
  if (domain_id !== undefined && !account.domains.includes(domain_id)) return "not_owner";
  return undefined;
}

/** The sessions that a new one ends: that of the same browser, and the oldest above the limit. */
function replacedSessions({ sessions }: Memory, browserSession: string | undefined, now: number): Session[] {
  const replaced: Session[] = [];
  for (const [id, session] of sessions) {
    if (!isLive(session, now)) sessions.delete(id);
    else if (id === browserSession) replaced.push(session);
  }
  let surplus = sessions.size - replaced.length - (SESSIONS_MAX - 1);
  for (const [id, session] of sessions) {
    if (surplus <= 0) break;
    if (id === browserSession) continue;
    replaced.push(session);
    surplus -= 1;
  }
  return replaced;
}

export const expiresAt = (session: Session) =>
  Math.min(session.last_seen_at + session.idle_seconds, session.max_expires_at);

const isLive = (session: Session, now: number) => now < expiresAt(session);

const seconds = () => Math.floor(Date.now() / 1000);

/** The /24 of an IPv4 address, the /64 of an IPv6 address. */
function network(address: string | null): string | null {
  if (address === null) return null;
  return address.includes(":") ? address.split(":").slice(0, 4).join(":") : address.split(".").slice(0, 3).join(".");
}
