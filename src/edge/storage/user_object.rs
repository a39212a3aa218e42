//! The user's object: loads rows, decides, and saves changes.

use super::object;
use super::rows::Rows;
use crate::edge::runtime::{Fault, platform, settings};
use crate::store::SWEEP_DELAY;
use crate::time::Timestamp;
use crate::user::{Envelope, Reply, decide};
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::prelude::*;
use worker::{Env, Error, Result, State, wasm_bindgen, wasm_bindgen_futures, worker_sys};

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "USERS";

/// One object per user, named by the User ID. Cloudflare runs each object in a single thread, with strongly consistent
/// storage.
#[wasm_bindgen]
pub struct User {
    object: Rc<UserRows>,
}

struct UserRows {
    state: State,
    env: Env,
    rows: Rows,
}

#[wasm_bindgen]
impl User {
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: worker_sys::DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        Self { object: Rc::new(UserRows { rows: Rows::open(&state), state, env }) }
    }

    /// Runs one command: an [`Envelope`] in, a [`Reply`] out, as JSON. Does not wait, so commands do not interleave.
    ///
    /// # Errors
    /// If the message is invalid or storage fails. Then nothing is saved.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes a text as `String`")]
    pub fn run(&self, message: String) -> std::result::Result<String, JsValue> {
        let reply = object::read(&message).and_then(|envelope| self.object.answer(envelope, platform::now()));
        Ok(serde_json::to_string(&reply?).map_err(Error::from)?)
    }

    /// Deletes expired rows. No answer depends on it.
    ///
    /// # Errors
    /// If storage fails. The platform then calls again.
    pub async fn alarm(&self) -> std::result::Result<(), JsValue> {
        Ok(self.object.sweep().await?)
    }
}

impl UserRows {
    /// Either all changes are saved or none:
    /// 1. load the rows that the command needs,
    /// 2. decide,
    /// 3. save the changes.
    fn answer(self: &Rc<Self>, envelope: Envelope, now: Timestamp) -> Result<Reply> {
        // 1.
        let facts = self.rows.load(&envelope.command, now)?;
        // 2.
        let decision = decide(facts, envelope, now);
        // 3.
        if !decision.changes.is_empty() {
            let settings = settings::read(&self.env).map_err(|_| Error::from("the settings are invalid"))?;
            self.rows.save_all(&decision.changes, now, settings.event_ttl)?;
            let object = Rc::clone(self);
            wasm_bindgen_futures::spawn_local(async move { object.schedule_sweep(now).await });
        }
        Ok(decision.reply)
    }

    async fn sweep(&self) -> Result<()> {
        let now = platform::now();
        if let Some(next) = self.rows.sweep(now).await? {
            self.state.storage().set_alarm(after(now, next)).await?;
        }
        Ok(())
    }

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
