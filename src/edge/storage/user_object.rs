//! The user's object: load, decide, save.

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

/// One object per user, named by the User ID. It is single-threaded and strongly consistent.
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

    /// Answers one command. Reading it is the only await before the changes are saved, so no other command comes between.
    /// All changes are saved, or none.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let envelope: Envelope = object::read(request).await?;
        let now = platform::now();
        // Load,
        let facts = self.rows.load(&envelope.command, now)?;
        // decide,
        let decision = decide(facts, envelope, now);
        // save.
        if !decision.changes.is_empty() {
            let settings = settings::read(&self.env).map_err(|_| Error::from("the settings are invalid"))?;
            self.rows.save_all(&decision.changes, now, settings.event_ttl)?;
            self.arm_sweep(now).await;
        }
        Response::from_json(&decision.reply)
    }

    /// Sweeps dead rows. Running twice or never changes no answer.
    async fn alarm(&self) -> Result<Response> {
        let now = platform::now();
        if let Some(next) = self.rows.sweep(now).await? {
            self.state.storage().set_alarm(after(now, next)).await?;
        }
        Response::empty()
    }
}

impl User {
    /// Sees to it that a sweep comes within [`SWEEP_DELAY`]. A failure costs space, not safety.
    async fn arm_sweep(&self, now: Timestamp) {
        let storage = self.state.storage();
        let latest = now.plus(SWEEP_DELAY);
        let is_armed = match storage.get_alarm().await {
            Ok(at) => at.is_some_and(|at| Timestamp::from_millis(at.unsigned_abs()) <= latest),
            Err(_) => false,
        };
        if !is_armed && let Err(error) = storage.set_alarm(after(now, latest)).await {
            worker::console_error!("{}", Fault::storage("alarm")(error).log_line("alarm", "none"));
        }
    }
}

fn after(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_secs(then.since(now))
}
