//! The rows of the user's object.

use super::sql::{Sql, json, number, parse, seconds};
use crate::store::{SCHEMA, SWEEP_DELAY, TOKEN_RECORD_TTL};
use crate::time::Timestamp;
use crate::user::{Change, Command, EVENT_TTL, EVENTS_KEPT, Facts};
use serde::Deserialize;
use worker::js_sys::{Function, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue, prelude::Closure};
use worker::{Result, State, Storage};

/// The tables of one user.
pub(super) struct Rows(Sql);

#[derive(Deserialize)]
struct EventRow {
    number: f64,
    data: String,
}

#[derive(Deserialize)]
struct CountRow {
    count: f64,
}

#[derive(Deserialize)]
struct EarliestRow {
    earliest: Option<f64>,
}

impl Rows {
    /// Opens the storage and makes the tables that are missing.
    pub(super) fn open(state: &State) -> Result<Self> {
        Sql::open(state, &SCHEMA).map(Self)
    }

    /// Loads the rows that bear on `command` at `now`.
    pub(super) fn load(&self, command: &Command, now: Timestamp) -> Result<Facts> {
        let (jti, client_id) = match command {
            Command::Redeem(redemption) => (Some(&redemption.jti), Some(&redemption.client_id)),
            Command::IntrospectToken(introspection) => (Some(&introspection.jti), Some(&introspection.client_id)),
            Command::GetToken(jti) | Command::RevokeToken(jti) => (Some(jti), None),
            Command::RevokeCredential(client_id) | Command::RestoreCredential(client_id) => (None, Some(client_id)),
            Command::CheckSession(_)
            | Command::PeekSession(_)
            | Command::AsUser(..)
            | Command::EndSession(..)
            | Command::EndSessions
            | Command::ListSessions
            | Command::GetAccount
            | Command::PutAccount(_)
            | Command::PatchAccount(_)
            | Command::DeleteAccount
            | Command::ListEvents { .. } => (None, None),
        };
        let mut facts = Facts {
            account: self.0.data("SELECT data FROM account", Vec::new())?.pop(),
            sessions: self.0.data("SELECT data FROM session WHERE expires_at > ?", vec![seconds(now)])?,
            ..Facts::default()
        };
        if let Some(jti) = jti {
            facts.token = self.0.data("SELECT data FROM token WHERE jti = ?", vec![jti.as_str().into()])?.pop();
        }
        if let Some(client_id) = client_id {
            let query = "SELECT count(*) AS count FROM revoked_credential WHERE client_id = ?";
            let counts: Vec<CountRow> = self.0.select(query, vec![client_id.as_str().into()])?;
            facts.credential_is_revoked = counts.iter().any(|row| row.count > 0.0);
        }
        if let Command::ListEvents { before, limit } = command {
            let query = "SELECT number, data FROM event WHERE number < ? ORDER BY number DESC LIMIT ?";
            let before = number(before.unwrap_or(u64::from(u32::MAX)));
            let rows: Vec<EventRow> = self.0.select(query, vec![before, number(*limit)])?;
            let events = rows.iter().map(|row| Ok((row.number as u64, parse(&row.data)?)));
            facts.events = events.collect::<Result<_>>()?;
        }
        Ok(facts)
    }

    /// Writes all of `changes`, or none if one fails.
    pub(super) fn save_all(self, storage: &Storage, changes: Vec<Change>, now: Timestamp) -> Result<()> {
        let storage = storage.as_raw();
        // The crate does not bind this method. What the closure throws rolls the transaction back, and comes out again.
        let transaction = Reflect::get(storage, &"transactionSync".into())?.dyn_into::<Function>()?;
        let save = Closure::once_into_js(move || -> std::result::Result<(), JsValue> {
            changes.iter().try_for_each(|change| self.save(change, now)).map_err(JsValue::from)
        });
        transaction.call1(storage, &save)?;
        Ok(())
    }

    /// Writes one change: at most one row, but for the end of all sessions.
    fn save(&self, change: &Change, now: Timestamp) -> Result<()> {
        match change {
            Change::SettleToken(jti, fate) => self.0.exec(
                // The primary key refuses a second fate.
                "INSERT INTO token (jti, expires_at, data) VALUES (?, ?, ?)",
                vec![jti.as_str().into(), seconds(now.plus(TOKEN_RECORD_TTL)), json(fate)?],
            ),
            Change::SaveSession(session) => self.0.exec(
                "INSERT OR REPLACE INTO session (id, expires_at, data) VALUES (?, ?, ?)",
                vec![session.id.as_str().into(), seconds(session.expires_at()), json(session)?],
            ),
            Change::DeleteSession(id) => self.0.exec("DELETE FROM session WHERE id = ?", vec![id.as_str().into()]),
            Change::DeleteSessionsBut(id) => self.0.exec("DELETE FROM session WHERE id <> ?", vec![id.as_str().into()]),
            Change::DeleteSessions => self.0.exec("DELETE FROM session", Vec::new()),
            Change::SaveAccount(account) => {
                self.0.exec("INSERT OR REPLACE INTO account (only, data) VALUES (1, ?)", vec![json(account)?])
            }
            Change::DeleteAccount => self.0.exec("DELETE FROM account", Vec::new()),
            Change::RevokeCredential(client_id) => self.0.exec(
                "INSERT OR IGNORE INTO revoked_credential (client_id) VALUES (?)",
                vec![client_id.as_str().into()],
            ),
            Change::RestoreCredential(client_id) => {
                self.0.exec("DELETE FROM revoked_credential WHERE client_id = ?", vec![client_id.as_str().into()])
            }
            Change::Record(event) => self.0.exec(
                "INSERT INTO event (expires_at, data) VALUES (?, ?)",
                vec![seconds(now.plus(EVENT_TTL)), json(event)?],
            ),
        }
    }

    /// Deletes dead rows, and events beyond the number kept.
    pub(super) fn sweep(&self, now: Timestamp) -> Result<()> {
        for table in ["token", "session", "event"] {
            self.0.exec(&format!("DELETE FROM {table} WHERE expires_at <= ?"), vec![seconds(now)])?;
        }
        self.0.exec("DELETE FROM event WHERE number <= (SELECT max(number) FROM event) - ?", vec![number(EVENTS_KEPT)])
    }

    /// When the next row dies: within [`SWEEP_DELAY`] if there are tokens or sessions, which come
    /// and go; nothing if no row ever does.
    pub(super) fn next_sweep(&self, now: Timestamp) -> Result<Option<Timestamp>> {
        if self.count("SELECT (SELECT count(*) FROM token) + (SELECT count(*) FROM session) AS count")? > 0.0 {
            return Ok(Some(now.plus(SWEEP_DELAY)));
        }
        let rows: Vec<EarliestRow> = self.0.select("SELECT min(expires_at) AS earliest FROM event", Vec::new())?;
        Ok(rows.first().and_then(|row| row.earliest).map(|earliest| Timestamp::from_seconds(earliest as u64)))
    }

    /// Whether nothing is left but tables.
    pub(super) fn are_gone(&self) -> Result<bool> {
        let query = "SELECT (SELECT count(*) FROM account) + (SELECT count(*) FROM revoked_credential) \
                     + (SELECT count(*) FROM event) AS count";
        Ok(self.count(query)? == 0.0)
    }

    fn count(&self, query: &str) -> Result<f64> {
        let rows: Vec<CountRow> = self.0.select(query, Vec::new())?;
        Ok(rows.iter().map(|row| row.count).sum())
    }
}
