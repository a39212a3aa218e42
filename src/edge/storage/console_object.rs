//! The console's object: the sessions of administrators, and the daily counts of sign-ins for the chart.

use super::object;
use super::sql::{Sql, json, seconds};
use crate::console::{ConsoleCommand, ConsoleEnvelope, ConsoleReply, ConsoleSession, Count, DAYS_KEPT};
use crate::edge::runtime::platform;
use crate::id::SessionId;
use crate::secret::SecretDigest;
use crate::store::CONSOLE_MIGRATIONS;
use crate::time::Timestamp;
use worker::wasm_bindgen::prelude::*;
use worker::{Env, Error, Result, State, wasm_bindgen, worker_sys};

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "CONSOLE";

/// The class has one object, named `console`.
#[wasm_bindgen]
pub struct Console {
    sql: Sql,
}

#[wasm_bindgen]
impl Console {
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: worker_sys::DurableObjectState, _env: Env) -> Self {
        Self { sql: Sql::new(&State::from(state), &CONSOLE_MIGRATIONS) }
    }

    /// Runs one command: a [`ConsoleEnvelope`] in, a [`ConsoleReply`] out, as JSON. Does not wait, so commands do not
    /// interleave. The first write creates the tables.
    ///
    /// # Errors
    /// If the message is invalid or storage fails.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes a text as `String`")]
    pub fn run(&self, message: String) -> std::result::Result<String, JsValue> {
        let ConsoleEnvelope { command, admin_token } = object::read(&message)?;
        let reply = self.answer(command, &admin_token, platform::now())?;
        Ok(serde_json::to_string(&reply).map_err(Error::from)?)
    }
}

impl Console {
    fn answer(&self, command: ConsoleCommand, admin_token: &SecretDigest, now: Timestamp) -> Result<ConsoleReply> {
        if matches!(command, ConsoleCommand::Open { .. } | ConsoleCommand::Count(_)) {
            self.sql.create_tables()?;
        } else if !self.sql.open_tables()? {
            return Ok(match command {
                ConsoleCommand::Counts(_) => ConsoleReply::Counts(Vec::new()),
                ConsoleCommand::Check(_) => ConsoleReply::Missing,
                _ => ConsoleReply::Done,
            });
        }
        // A changed administration token ends all sessions of the old one.
        self.sql.exec("DELETE FROM session WHERE data -> '$.admin_token' IS NOT ?", vec![json(admin_token)?])?;
        match command {
            ConsoleCommand::Open { session, replaces } => {
                self.sql.exec("DELETE FROM session WHERE expires_at <= ?", vec![seconds(now)])?;
                replaces.map_or(Ok(()), |id| self.end(&id))?;
                self.save(&session)?;
            }
            ConsoleCommand::Check(id) => {
                let query = "SELECT data FROM session WHERE id = ?";
                let session: Option<ConsoleSession> = self.sql.select(query, vec![id.as_str().into()])?.pop();
                let Some(session) = session.filter(|session| session.is_live(now)) else {
                    return Ok(ConsoleReply::Missing);
                };
                session.refreshed(now).map_or(Ok(()), |fresh| self.save(&fresh))?;
            }
            ConsoleCommand::End(id) => self.end(&id)?,
            ConsoleCommand::Count(counts) => {
                let first_kept = now.day().saturating_sub(DAYS_KEPT);
                self.sql.exec("DELETE FROM tally WHERE day < ?", vec![first_kept.into()])?;
                counts.iter().try_for_each(|count| self.add(count))?;
            }
            ConsoleCommand::Counts(since) => {
                let query = "SELECT json_object('day', day, 'outcome', outcome, 'reason', reason, 'count', count) \
                             FROM tally WHERE day >= ?";
                return Ok(ConsoleReply::Counts(self.sql.select(query, vec![since.into()])?));
            }
        }
        Ok(ConsoleReply::Done)
    }

    fn end(&self, id: &SessionId) -> Result<()> {
        self.sql.exec("DELETE FROM session WHERE id = ?", vec![id.as_str().into()])
    }

    fn save(&self, session: &ConsoleSession) -> Result<()> {
        self.sql.exec(
            "INSERT OR REPLACE INTO session (id, expires_at, data) VALUES (?, ?, ?)",
            vec![session.id.as_str().into(), seconds(session.expires_at()), json(session)?],
        )
    }

    fn add(&self, count: &Count) -> Result<()> {
        self.sql.exec(
            "INSERT INTO tally (day, outcome, reason, count) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
            vec![count.day.into(), count.outcome.as_str().into(), count.reason.as_str().into(), count.count.into()],
        )
    }
}
