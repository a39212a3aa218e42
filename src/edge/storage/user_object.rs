//! The user's object: load, decide, save.

use super::object;
use super::rows::Rows;
use crate::edge::runtime::Fault;
use crate::edge::runtime::{platform, settings};
use crate::id::UserId;
use crate::store::SWEEP_DELAY;
use crate::time::Timestamp;
use crate::user::{Reply, Turn, decide};
use std::cell::Cell;
use std::time::Duration;
use worker::{DurableObject, Env, Error, Request, Response, Result, State, durable_object};

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "USERS";

/// One object per user, named by the User ID. It is single-threaded and strongly consistent.
#[durable_object(alarm)]
pub struct User {
    state: State,
    env: Env,
    /// Whether the tables are known to be there.
    has_tables: Cell<bool>,
}

impl DurableObject for User {
    fn new(state: State, env: Env) -> Self {
        Self { state, env, has_tables: Cell::new(false) }
    }

    /// One turn. Reading the command is the only await before the changes are saved, so no other
    /// turn comes between. All changes are saved, or none.
    async fn fetch(&self, request: Request) -> Result<Response> {
        let turn: Turn = object::read(request).await?;
        let now = platform::now();
        let rows = self.rows()?;
        // Load,
        let facts = rows.load(&turn.command, now)?;
        // decide,
        let decision = decide(facts, turn, now);
        // save.
        if !decision.changes.is_empty() {
            let settings = settings::read(&self.env).map_err(|_| Error::from("the settings are invalid"))?;
            rows.save_all(&self.state.storage(), decision.changes, now, settings.event_ttl)?;
            self.has_tables.set(true);
            self.arm_sweep(now).await;
        }
        Response::from_json(&decision.reply)
    }

    /// Sweeps dead rows. Running twice or never changes no answer.
    async fn alarm(&self) -> Result<Response> {
        let now = platform::now();
        let rows = self.rows()?;
        if !rows.has_tables() {
            return Response::empty();
        }
        rows.sweep(now)?;
        match rows.next_sweep(now)? {
            Some(next) => self.state.storage().set_alarm(after(now, next)).await?,
            None if rows.are_gone()? => {
                self.has_tables.set(false);
                self.state.storage().delete_all().await?;
            }
            None => {}
        }
        Response::empty()
    }
}

impl User {
    /// The rows. Whether there are tables is asked once, and then known.
    fn rows(&self) -> Result<Rows> {
        let rows = Rows::open(&self.state, self.has_tables.get())?;
        self.has_tables.set(rows.has_tables());
        Ok(rows)
    }

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

/// Sends `turn` to the object of `user`, placed by `hint` if it is new: one object request.
pub(crate) async fn ask(
    env: &Env,
    user: &UserId,
    hint: Option<&str>,
    turn: &Turn,
) -> std::result::Result<Reply, Fault> {
    object::ask(env, BINDING, user.as_str(), hint, turn).await
}
