//! The rows of the user's object.

use super::sql::{Sql, json, number, parse, seconds};
use crate::id::TokenId;
use crate::store::{SCHEMA, SWEEP_DELAY, TOKEN_RECORD_TTL};
use crate::time::Timestamp;
use crate::user::{
    BoundCredential, Change, Command, EXPORT_EVENTS_MAX, EXPORT_RECORDS_MAX, Event, EventClass, Facts, TokenFate,
};
use serde::Deserialize;
use worker::js_sys::{Function, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use worker::{Result, SqlStorageValue, State, Storage};

/// The tables of one user, if there are any yet.
pub(super) struct Rows {
    sql: Sql,
    has_tables: bool,
}

#[derive(Deserialize)]
struct EventRow {
    number: f64,
    data: String,
}

#[derive(Deserialize)]
struct TokenRow {
    jti: TokenId,
    data: String,
}

#[derive(Deserialize)]
struct EarliestRow {
    earliest: Option<f64>,
}

impl Rows {
    /// Opens the storage. `has_tables` is whether it is known to have tables; else that is asked.
    pub(super) fn open(state: &State, has_tables: bool) -> Result<Self> {
        let sql = Sql::open(state);
        let has_tables = has_tables || sql.has_tables()?;
        Ok(Self { sql, has_tables })
    }

    /// Whether there are tables. Without them there are no rows.
    pub(super) const fn has_tables(&self) -> bool {
        self.has_tables
    }

    /// Loads the rows that bear on `command` at `now`.
    pub(super) fn load(&self, command: &Command, now: Timestamp) -> Result<Facts> {
        let (jti, client_id) = match command {
            Command::Redeem(redemption) => {
                (Some(&redemption.jti), Some(&redemption.client_id).filter(|_| !redemption.delegated))
            }
            Command::IntrospectToken(token) => (Some(&token.jti), Some(&token.client_id).filter(|_| !token.delegated)),
            Command::GetToken(jti) => (Some(jti), None),
            Command::NoteReplay(replay) => (Some(&replay.jti), None),
            Command::RevokeToken(revocation) => (Some(&revocation.jti), None),
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
        };
        if !self.has_tables {
            return Ok(Facts::default());
        }
        let mut facts = Facts {
            account: self.sql.data("SELECT data FROM account", Vec::new())?.pop(),
            sessions: self.sql.data("SELECT data FROM session WHERE expires_at > ?", vec![seconds(now)])?,
            ..Facts::default()
        };
        if let Some(jti) = jti {
            facts.token = self.sql.data("SELECT data FROM token WHERE jti = ?", vec![jti.as_str().into()])?.pop();
        }
        if let Some(client_id) = client_id {
            facts.credentials = self.credentials("WHERE client_id = ?", vec![client_id.as_str().into()])?;
        }
        match command {
            Command::ListEvents { before, limit } => facts.events = self.events(*before, *limit)?,
            Command::DeleteAccount { erase } => {
                facts.credentials = self.credentials("", Vec::new())?;
                facts.has_traces = *erase && self.has_traces()?;
            }
            Command::Export => {
                facts.credentials = self.credentials("LIMIT ?", vec![number(EXPORT_RECORDS_MAX)])?;
                facts.events = self.events(None, EXPORT_EVENTS_MAX)?;
                facts.tokens = self.tokens(EXPORT_RECORDS_MAX)?;
            }
            _ => {}
        }
        Ok(facts)
    }

    fn credentials(&self, which: &str, bindings: Vec<SqlStorageValue>) -> Result<Vec<BoundCredential>> {
        self.sql.select(&format!("SELECT client_id, state FROM credential {which}"), bindings)
    }

    fn events(&self, before: Option<u64>, limit: u64) -> Result<Vec<(u64, Event)>> {
        let query = "SELECT number, data FROM event WHERE number < ? ORDER BY number DESC LIMIT ?";
        let before = number(before.unwrap_or(u64::from(u32::MAX)));
        let rows: Vec<EventRow> = self.sql.select(query, vec![before, number(limit)])?;
        rows.iter().map(|row| Ok((row.number as u64, parse(&row.data)?))).collect()
    }

    fn tokens(&self, limit: u64) -> Result<Vec<(TokenId, TokenFate)>> {
        let query = "SELECT jti, data FROM token ORDER BY expires_at DESC LIMIT ?";
        let rows: Vec<TokenRow> = self.sql.select(query, vec![number(limit)])?;
        rows.into_iter().map(|row| Ok((row.jti, parse(&row.data)?))).collect()
    }

    fn has_traces(&self) -> Result<bool> {
        let query = "SELECT count(*) AS count FROM event \
                     WHERE json_extract(data, '$.address') IS NOT NULL OR json_extract(data, '$.user_agent') IS NOT NULL";
        Ok(self.sql.count(query)? > 0.0)
    }

    /// Writes all of `changes`, or none if one fails. The first write makes the tables. A new event is kept for `event_ttl`
    /// seconds.
    pub(super) fn save_all(
        self,
        storage: &Storage,
        changes: Vec<Change>,
        now: Timestamp,
        event_ttl: u64,
    ) -> Result<()> {
        let storage = storage.as_raw();
        // The crate does not bind this method. What the closure throws rolls the transaction back, and comes out again.
        let transaction = Reflect::get(storage, &"transactionSync".into())?.dyn_into::<Function>()?;
        let save = Closure::once_into_js(move || -> std::result::Result<(), JsValue> {
            if !self.has_tables {
                self.sql.make_tables(&SCHEMA)?;
            }
            changes.iter().try_for_each(|change| self.save(change, now, event_ttl)).map_err(JsValue::from)
        });
        transaction.call1(storage, &save)?;
        Ok(())
    }

    /// Writes one change.
    fn save(&self, change: &Change, now: Timestamp, event_ttl: u64) -> Result<()> {
        match change {
            Change::SettleToken(jti, fate) => self.sql.exec(
                // The primary key refuses a second fate.
                "INSERT INTO token (jti, expires_at, data) VALUES (?, ?, ?)",
                vec![jti.as_str().into(), seconds(now.plus(TOKEN_RECORD_TTL)), json(fate)?],
            ),
            Change::SaveSession(session) => self.sql.exec(
                "INSERT OR REPLACE INTO session (id, expires_at, data) VALUES (?, ?, ?)",
                vec![session.id.as_str().into(), seconds(session.expires_at()), json(session)?],
            ),
            Change::DeleteSession(id) => self.sql.exec("DELETE FROM session WHERE id = ?", vec![id.as_str().into()]),
            Change::DeleteSessionsBut(id) => {
                self.sql.exec("DELETE FROM session WHERE id <> ?", vec![id.as_str().into()])
            }
            Change::DeleteSessions => self.sql.exec("DELETE FROM session", Vec::new()),
            Change::SaveAccount(account) => {
                self.sql.exec("INSERT OR REPLACE INTO account (only, data) VALUES (1, ?)", vec![json(account)?])
            }
            Change::DeleteAccount => self.sql.exec("DELETE FROM account", Vec::new()),
            Change::SaveCredential(set) => self.sql.exec(
                "INSERT OR REPLACE INTO credential (client_id, state) VALUES (?, ?)",
                vec![set.client_id.as_str().into(), set.state.as_str().into()],
            ),
            Change::EraseTraces => {
                self.sql.exec("UPDATE event SET data = json_remove(data, '$.address', '$.user_agent')", Vec::new())
            }
            Change::Record(event) => self.record(event, now.plus(event_ttl)),
        }
    }

    /// Adds an event. One of a class that others can fill at will pushes out the oldest beyond its quota at once.
    fn record(&self, event: &Event, expires_at: Timestamp) -> Result<()> {
        let class = event.class();
        // The greatest number of each class is found without a scan.
        let latest = EventClass::ALL
            .map(|class| format!("ifnull((SELECT max(number) FROM event WHERE class = '{}'), 0)", class.as_str()));
        self.sql.exec(
            &format!(
                "INSERT INTO event (class, number, expires_at, data) VALUES (?, 1 + max({}), ?, ?)",
                latest.join(", ")
            ),
            vec![class.as_str().into(), seconds(expires_at), json(event)?],
        )?;
        if class.is_always_within_quota() { self.trim(class) } else { Ok(()) }
    }

    /// Deletes the oldest events of a class beyond its quota.
    fn trim(&self, class: EventClass) -> Result<()> {
        self.sql.exec(
            "DELETE FROM event WHERE class = ? AND number <= \
             (SELECT number FROM event WHERE class = ? ORDER BY number DESC LIMIT 1 OFFSET ?)",
            vec![class.as_str().into(), class.as_str().into(), number(class.quota())],
        )
    }

    /// Deletes dead rows, and events beyond the quotas.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<()> {
        for table in ["token", "session", "event"] {
            self.sql.exec(&format!("DELETE FROM {table} WHERE expires_at <= ?"), vec![seconds(now)])?;
        }
        EventClass::ALL.into_iter().try_for_each(|class| self.trim(class))
    }

    /// When the next row dies: within [`SWEEP_DELAY`] if there are tokens or sessions, which come
    /// and go; nothing if no row ever does.
    pub(super) fn next_sweep(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        let query = "SELECT (SELECT count(*) FROM token) + (SELECT count(*) FROM session) AS count";
        if self.sql.count(query)? > 0.0 {
            return Ok(Some(now.plus(SWEEP_DELAY)));
        }
        let rows: Vec<EarliestRow> = self.sql.select("SELECT min(expires_at) AS earliest FROM event", Vec::new())?;
        Ok(rows.first().and_then(|row| row.earliest).map(|earliest| Timestamp::from_seconds(earliest as u64)))
    }

    /// Whether nothing is left that matters. A revoked set may be forgotten: an unknown one is refused too.
    pub(super) fn are_gone(&self) -> Result<bool> {
        let query = "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM event) \
                     + (SELECT count(*) FROM credential WHERE state <> 'revoked') AS count";
        Ok(self.sql.count(query)? == 0.0)
    }
}
