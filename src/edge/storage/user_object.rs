//! The user's object: loads rows, decides, and saves changes.

use super::object;
use super::rows::Rows;
use crate::edge::runtime::{Fault, platform, settings};
use crate::store::SWEEP_DELAY;
use crate::time::Timestamp;
use crate::user::{Envelope, decide};
use std::time::Duration;
use worker::{DurableObject, Env, Error, Request, Response, Result, State, durable_object};

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "USERS";

/// One object per user, named by the User ID. Cloudflare runs each object in a single thread, with strongly consistent
/// storage.
#[durable_object(alarm)]
pub struct User {
    state: State,
    env: Env,
    rows: Rows,
}

impl DurableObject for User {
    fn new(state: State, env: Env) -> Self {
        Self { rows: Rows::open(&state), state, env }
    }

    /// Runs one command. Reading the request is the only `await` before the changes are saved, so commands do not
    /// interleave. Either all changes are saved or none:
    /// 1. load the rows that the command needs,
    /// 2. decide,
    /// 3. save the changes.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let envelope: Envelope = object::read(request).await?;
        let now = platform::now();
        // 1.
        let facts = self.rows.load(&envelope.command, now)?;
        // 2.
        let decision = decide(facts, envelope, now);
        // 3.
        if !decision.changes.is_empty() {
            let settings = settings::read(&self.env).map_err(|_| Error::from("the settings are invalid"))?;
            self.rows.save_all(&decision.changes, now, settings.event_ttl)?;
            self.schedule_sweep(now).await;
        }
        Response::from_json(&decision.reply)
    }

    /// Deletes expired rows. No answer depends on it.
    async fn alarm(&self) -> Result<Response> {
        let now = platform::now();
        if let Some(next) = self.rows.sweep(now).await? {
            self.state.storage().set_alarm(after(now, next)).await?;
        }
        Response::empty()
    }
}

impl User {
    /// Schedules a sweep within [`SWEEP_DELAY`], unless one is scheduled already. A failure is only logged: without a
    /// sweep, expired rows take up space but are ignored.
    async fn schedule_sweep(&self, now: Timestamp) {
        let storage = self.state.storage();
        let latest = now.plus(SWEEP_DELAY);
        let is_scheduled = match storage.get_alarm().await {
            Ok(at) => at.is_some_and(|at| Timestamp::from_millis(at.unsigned_abs()) <= latest),
            Err(_) => false,
        };
        if !is_scheduled && let Err(error) = storage.set_alarm(after(now, latest)).await {
            worker::console_error!("{}", Fault::storage("alarm")(error).log_line("alarm", "none"));
        }
    }
}

fn after(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_secs(then.since(now))
}
