//! The rows of the user's object.

use super::sql::{Sql, json, number, seconds};
use crate::id::{ClientId, TokenId};
use crate::store::{SWEEP_DELAY, TOKEN_RECORD_TTL, USER_MIGRATIONS};
use crate::time::Timestamp;
use crate::user::{
    Account, BoundCredential, Change, Command, EXPORT_EVENTS_MAX, EXPORT_RECORDS_MAX, Event, EventClass, Facts,
    Introspection, Redemption, Replay, Session, TokenFate, TokenRevocation,
};
use serde::Deserialize;
use worker::{Result, State};

pub(super) struct Rows(Sql);

/// A row that [`FACTS`] selects.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    Account(Account),
    Session(Session),
    Token(TokenFate),
    Credential(BoundCredential),
}

/// Selects the rows that most commands need: the account, the live sessions, and the token and the credential set of
/// the command.
const FACTS: &str = "SELECT '{\"account\":' || data || '}' FROM account \
    UNION ALL SELECT '{\"session\":' || data || '}' FROM session WHERE expires_at > ? \
    UNION ALL SELECT '{\"token\":' || data || '}' FROM token WHERE jti = ? \
    UNION ALL SELECT json_object('credential', json_object('client_id', client_id, 'state', state)) \
    FROM credential WHERE client_id = ?";

impl Rows {
    pub(super) fn open(state: &State) -> Self {
        Self(Sql::new(state, &USER_MIGRATIONS))
    }

    /// Loads the rows that `command` needs at `now`.
    pub(super) fn load(&self, command: &Command, now: Timestamp) -> Result<Facts> {
        let mut facts = Facts::default();
        if !self.0.open_tables()? {
            return Ok(facts);
        }
        let (jti, client_id) = named(command);
        let (jti, client_id) = (jti.map(TokenId::as_str), client_id.map(ClientId::as_str));
        for fact in self.0.select(FACTS, vec![seconds(now), jti.into(), client_id.into()])? {
            match fact {
                Fact::Account(account) => facts.account = Some(account),
                Fact::Session(session) => facts.sessions.push(session),
                Fact::Token(fate) => facts.token = Some(fate),
                Fact::Credential(set) => facts.credentials.push(set),
            }
        }
        match command {
            Command::ListEvents { before, limit } => facts.events = self.events(*before, *limit)?,
            Command::DeleteAccount { erase } => {
                facts.credentials = self.credentials(u64::from(u32::MAX))?;
                facts.has_callers = *erase && self.has_callers()?;
            }
            Command::Export => {
                facts.credentials = self.credentials(EXPORT_RECORDS_MAX)?;
                facts.events = self.events(None, EXPORT_EVENTS_MAX)?;
                facts.tokens = self.tokens(EXPORT_RECORDS_MAX)?;
            }
            _ => {}
        }
        Ok(facts)
    }

    fn credentials(&self, limit: u64) -> Result<Vec<BoundCredential>> {
        let query = "SELECT json_object('client_id', client_id, 'state', state) FROM credential LIMIT ?";
        self.0.select(query, vec![number(limit)])
    }

    fn events(&self, before: Option<u64>, limit: u64) -> Result<Vec<(u64, Event)>> {
        let query =
            "SELECT '[' || number || ',' || data || ']' FROM event WHERE number < ? ORDER BY number DESC LIMIT ?";
        let before = number(before.unwrap_or(u64::from(u32::MAX)));
        self.0.select(query, vec![before, number(limit)])
    }

    fn tokens(&self, limit: u64) -> Result<Vec<(TokenId, TokenFate)>> {
        let query = "SELECT '[' || json_quote(jti) || ',' || data || ']' FROM token ORDER BY expires_at DESC LIMIT ?";
        self.0.select(query, vec![number(limit)])
    }

    fn has_callers(&self) -> Result<bool> {
        let query = "SELECT count(*) FROM event \
                     WHERE json_extract(data, '$.address') IS NOT NULL OR json_extract(data, '$.user_agent') IS NOT NULL";
        Ok(self.0.value::<u64>(query)? > 0)
    }

    /// Saves all changes, or none if one fails. The first write creates the tables. New events are kept for `event_ttl`
    /// seconds.
    pub(super) fn save_all(&self, changes: &[Change], now: Timestamp, event_ttl: u64) -> Result<()> {
        self.0.write(|| changes.iter().try_for_each(|change| self.save(change, now, event_ttl)))
    }

    fn save(&self, change: &Change, now: Timestamp, event_ttl: u64) -> Result<()> {
        match change {
            Change::SettleToken(jti, fate) => self.0.exec(
                // Fails by the primary key if the token has a final state.
                "INSERT INTO token (jti, expires_at, data) VALUES (?, ?, ?)",
                vec![jti.as_str().into(), seconds(now.plus(TOKEN_RECORD_TTL)), json(fate)?],
            ),
            Change::SaveSession(session) => self.0.exec(
                "INSERT OR REPLACE INTO session (id, expires_at, data) VALUES (?, ?, ?)",
                vec![session.id.as_str().into(), seconds(session.expires_at()), json(session)?],
            ),
            Change::DeleteSession(id) => self.0.exec("DELETE FROM session WHERE id = ?", vec![id.as_str().into()]),
            Change::DeleteOtherSessions(id) => {
                self.0.exec("DELETE FROM session WHERE id <> ?", vec![id.as_str().into()])
            }
            Change::DeleteSessions => self.0.exec("DELETE FROM session", Vec::new()),
            Change::SaveAccount(account) => {
                self.0.exec("INSERT OR REPLACE INTO account (only, data) VALUES (1, ?)", vec![json(account)?])
            }
            Change::DeleteAccount => self.0.exec("DELETE FROM account", Vec::new()),
            Change::SaveCredential(set) => self.0.exec(
                "INSERT OR REPLACE INTO credential (client_id, state) VALUES (?, ?)",
                vec![set.client_id.as_str().into(), set.state.as_str().into()],
            ),
            Change::EraseCallers => {
                self.0.exec("UPDATE event SET data = json_remove(data, '$.address', '$.user_agent')", Vec::new())
            }
            Change::Record(event) => self.record(event, now.plus(event_ttl)),
        }
    }

    /// Adds an event, and enforces the quota of its class if it [is always within
    /// quota](EventClass::is_always_within_quota).
    fn record(&self, event: &Event, expires_at: Timestamp) -> Result<()> {
        let class = event.class();
        // The primary key finds the highest number of each class without a scan.
        let latest = EventClass::ALL
            .map(|class| format!("ifnull((SELECT max(number) FROM event WHERE class = '{}'), 0)", class.as_str()));
        self.0.exec(
            &format!(
                "INSERT INTO event (class, number, expires_at, data) VALUES (?, 1 + max({}), ?, ?)",
                latest.join(", ")
            ),
            vec![class.as_str().into(), seconds(expires_at), json(event)?],
        )?;
        if class.is_always_within_quota() { self.trim(class) } else { Ok(()) }
    }

    /// Deletes the oldest events of a class above its quota.
    fn trim(&self, class: EventClass) -> Result<()> {
        self.0.exec(
            "DELETE FROM event WHERE class = ? AND number <= \
             (SELECT number FROM event WHERE class = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
            vec![class.as_str().into(), class.as_str().into(), number(class.quota())],
        )
    }

    /// Deletes expired rows and events above the quotas, and the tables if they are empty. Returns when to sweep again:
    /// after [`SWEEP_DELAY`] if there are tokens or sessions, else when the next event expires; `None` if no row
    /// expires.
    pub(super) async fn sweep(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if !self.0.open_tables()? {
            return Ok(None);
        }
        for table in ["token", "session", "event"] {
            self.0.exec(&format!("DELETE FROM {table} WHERE expires_at <= ?"), vec![seconds(now)])?;
        }
        EventClass::ALL.into_iter().try_for_each(|class| self.trim(class))?;
        let count = "SELECT (SELECT count(*) FROM token) + (SELECT count(*) FROM session)";
        let next = match self.0.value::<u64>(count)? {
            0 => self.0.value("SELECT min(expires_at) FROM event")?,
            _ => Some(now.plus(SWEEP_DELAY)),
        };
        if next.is_none() && self.is_empty()? {
            self.0.delete_all().await?;
        }
        Ok(next)
    }

    /// Whether no row is needed any more. The state of a revoked set is not needed, because a set without a stored
    /// state is refused too.
    fn is_empty(&self) -> Result<bool> {
        let query = "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM event) \
                     + (SELECT count(*) FROM credential WHERE state <> 'revoked')";
        Ok(self.0.value::<u64>(query)? == 0)
    }
}

/// The token and the bound credential set in `command`.
const fn named(command: &Command) -> (Option<&TokenId>, Option<&ClientId>) {
    match command {
        Command::Redeem(Redemption { jti, delegated: true, .. })
        | Command::IntrospectToken(Introspection { jti, delegated: true, .. })
        | Command::GetToken(jti)
        | Command::NoteReplay(Replay { jti, .. })
        | Command::RevokeToken(TokenRevocation { jti, .. }) => (Some(jti), None),
        Command::Redeem(Redemption { jti, client_id, .. })
        | Command::IntrospectToken(Introspection { jti, client_id, .. }) => (Some(jti), Some(client_id)),
        Command::SetCredential { set, .. } => (None, Some(&set.client_id)),
        Command::CheckSession(_)
        | Command::PeekSession(_)
        | Command::AsUser(..)
        | Command::EndSession(..)
        | Command::EndSessions { .. }
        | Command::ListSessions(_)
        | Command::GetAccount
        | Command::PutAccount { .. }
        | Command::PatchAccount { .. }
        | Command::DeleteAccount { .. }
        | Command::Export
        | Command::ListEvents { .. } => (None, None),
    }
}
