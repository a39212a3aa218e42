//! The console's object: the sessions of administrators, and the counts of the chart.

use super::fault::Fault;
use super::sql::{Sql, json, number, seconds};
use super::{object, platform, settings};
use crate::console::{ConsoleCommand, ConsoleEnvelope, ConsoleReply, ConsoleSession, Count, DAYS_KEPT};
use crate::id::SessionId;
use crate::secret::SecretDigest;
use crate::store::CONSOLE_SCHEMA;
use crate::time::Timestamp;
use worker::{DurableObject, Env, Request, Response, Result, State, durable_object};

/// The binding's name in wrangler.toml.
pub(super) const BINDING: &str = "CONSOLE";

/// The one object of its class, named `console`.
#[durable_object(fetch)]
pub struct Console {
    state: State,
}

impl DurableObject for Console {
    fn new(state: State, _env: Env) -> Self {
        Self { state }
    }

    /// One turn. Reading it is the only await. The first write makes the tables.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let ConsoleEnvelope { command, admin_token } = object::read(request).await?;
        let tables = Tables(Sql::open(&self.state));
        if matches!(command, ConsoleCommand::Open { .. } | ConsoleCommand::Count(_)) {
            tables.0.make_tables(&CONSOLE_SCHEMA)?;
        } else if !tables.0.has_tables()? {
            return Response::from_json(&match command {
                ConsoleCommand::Counts(_) => ConsoleReply::Counts(Vec::new()),
                ConsoleCommand::Check(_) => ConsoleReply::Missing,
                _ => ConsoleReply::Done,
            });
        }
        tables.end_sessions_of_other_tokens(&admin_token)?;
        Response::from_json(&tables.obey(command, platform::now())?)
    }
}

struct Tables(Sql);

impl Tables {
    fn end_sessions_of_other_tokens(&self, admin_token: &SecretDigest) -> Result<()> {
        self.0.exec("DELETE FROM session WHERE data -> '$.admin_token' IS NOT ?", vec![json(admin_token)?])
    }

    fn obey(&self, command: ConsoleCommand, now: Timestamp) -> Result<ConsoleReply> {
        match command {
            ConsoleCommand::Open { session, replaces } => {
                self.0.exec("DELETE FROM session WHERE expires_at <= ?", vec![seconds(now)])?;
                replaces.map_or(Ok(()), |id| self.end(&id))?;
                self.save(&session)?;
            }
            ConsoleCommand::Check(id) => {
                let query = "SELECT data FROM session WHERE id = ?";
                let session: Option<ConsoleSession> = self.0.data(query, vec![id.as_str().into()])?.pop();
                let Some(session) = session.filter(|session| session.is_live(now)) else {
                    return Ok(ConsoleReply::Missing);
                };
                session.refreshed(now).map_or(Ok(()), |fresh| self.save(&fresh))?;
            }
            ConsoleCommand::End(id) => self.end(&id)?,
            ConsoleCommand::Count(counts) => {
                let first_kept = now.day().saturating_sub(DAYS_KEPT);
                self.0.exec("DELETE FROM tally WHERE day < ?", vec![number(first_kept)])?;
                counts.iter().try_for_each(|count| self.add(count))?;
            }
            ConsoleCommand::Counts(since) => {
                let query = "SELECT day, outcome, reason, count FROM tally WHERE day >= ?";
                return Ok(ConsoleReply::Counts(self.0.select(query, vec![number(since)])?));
            }
        }
        Ok(ConsoleReply::Done)
    }

    fn end(&self, id: &SessionId) -> Result<()> {
        self.0.exec("DELETE FROM session WHERE id = ?", vec![id.as_str().into()])
    }

    fn save(&self, session: &ConsoleSession) -> Result<()> {
        self.0.exec(
            "INSERT OR REPLACE INTO session (id, expires_at, data) VALUES (?, ?, ?)",
            vec![session.id.as_str().into(), seconds(session.expires_at()), json(session)?],
        )
    }

    fn add(&self, count: &Count) -> Result<()> {
        self.0.exec(
            "INSERT INTO tally (day, outcome, reason, count) VALUES (?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET count = count + excluded.count",
            vec![number(count.day), count.outcome.as_str().into(), count.reason.as_str().into(), number(count.count)],
        )
    }
}

/// Asks the console's object, placed where the setting `OBJECT_LOCATION` says if it is new: one object request.
pub(super) async fn ask(env: &Env, command: ConsoleCommand) -> std::result::Result<ConsoleReply, Fault> {
    let settings =
        settings::read(env).map_err(|_| Fault::Internal("settings", "the configuration is invalid".to_owned()))?;
    let envelope = ConsoleEnvelope { admin_token: settings.admin_token.clone(), command };
    object::ask(env, BINDING, "console", settings.object_location.as_deref(), &envelope).await
}
