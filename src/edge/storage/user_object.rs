//! The user's object: loads rows, decides, saves changes, and keeps in memory what the next command needs.

use super::object;
use super::rows::Rows;
use super::sql::is_refused_by_key;
use crate::edge::runtime::{Fault, platform, settings};
use crate::store::SWEEP_DELAY;
use crate::time::Timestamp;
use crate::user::{Command, Decision, Envelope, Facts, Reply, decide};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use worker::wasm_bindgen::prelude::*;
use worker::{Env, Error, Result, State, wasm_bindgen, worker_sys};

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "USERS";

/// One object per user, named by the User ID. Cloudflare runs each object in a single thread, with strongly consistent
/// storage.
#[wasm_bindgen]
pub struct User {
    state: State,
    env: Env,
    rows: Rows,
    /// The facts after the previous command. `None` before the first command, and after a failure or a sweep: the next
    /// command loads all facts again.
    facts: Cell<Option<Facts>>,
    /// When the next sweep is scheduled; `None` if that is not known.
    sweep_at: Rc<Cell<Option<Timestamp>>>,
}

#[wasm_bindgen]
impl User {
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(state: worker_sys::DurableObjectState, env: Env) -> Self {
        let state = State::from(state);
        let rows = Rows::open(&state);
        Self { state, env, rows, facts: Cell::default(), sweep_at: Rc::default() }
    }

    /// Runs one command: an [`Envelope`] in, a [`Reply`] out, as JSON.
    ///
    /// # Errors
    /// If the message is invalid or storage fails. Then nothing is saved.
    #[expect(clippy::needless_pass_by_value, reason = "wasm-bindgen passes a text as `String`")]
    pub fn run(&self, command: String) -> std::result::Result<String, JsValue> {
        let reply = self.answer(&command, platform::now())?;
        Ok(serde_json::to_string(&reply).map_err(Error::from)?)
    }

    /// Deletes expired rows. No answer depends on it.
    ///
    /// # Errors
    /// If storage fails. The platform then calls again.
    pub async fn alarm(&self) -> std::result::Result<(), JsValue> {
        let now = platform::now();
        self.facts.set(None);
        self.sweep_at.set(None);
        if let Some(next) = self.rows.sweep(now).await? {
            // Before waiting, because a command may run in the meantime.
            self.sweep_at.set(Some(next));
            let scheduled = self.state.storage().set_alarm(after(now, next)).await;
            scheduled.inspect_err(|_| self.sweep_at.set(None))?;
        }
        Ok(())
    }
}

impl User {
    /// Runs one command. There is no `await`, so commands do not interleave. Either all changes are saved or none:
    /// 1. load the rows that the command needs and memory lacks,
    /// 2. decide, and save the changes.
    ///
    /// With facts in memory, a redemption does not load the final state of its token. It decides as if there were none:
    /// then every decision but "expired" writes one, and the primary key refuses a second. After such a refusal,
    /// 3. load the final state, and repeat step 2.
    ///
    /// # Errors
    /// If storage fails. Then the facts are dropped from memory, so memory is never ahead of storage.
    fn answer(&self, message: &str, now: Timestamp) -> Result<Reply> {
        let envelope: Envelope = object::read(message)?;
        // 1.
        let known = self.facts.take();
        let is_assumed = known.is_some() && matches!(envelope.command, Command::Redeem(_));
        let mut facts = self.rows.load(known, &envelope.command, now)?;
        // 2.
        let decision = match self.decide(&facts, envelope, now) {
            Err(error) if is_assumed && is_refused_by_key(&error) => {
                // 3.
                let envelope: Envelope = object::read(message)?;
                facts.token = self.rows.load_token(&envelope.command, now)?;
                self.decide(&facts, envelope, now)
            }
            decision => decision,
        }?;
        self.facts.set(Some(facts.after(decision.changes, now)));
        Ok(decision.reply)
    }

    /// Decides, and saves the changes.
    fn decide(&self, facts: &Facts, envelope: Envelope, now: Timestamp) -> Result<Decision> {
        let decision = decide(facts, envelope, now);
        if !decision.changes.is_empty() {
            let settings = settings::read(&self.env).map_err(|_| Error::from("the settings are invalid"))?;
            self.rows.save_all(&decision.changes, facts.latest, now, settings.event_ttl)?;
            self.schedule_sweep(now);
        }
        Ok(decision)
    }

    /// Schedules a sweep within [`SWEEP_DELAY`], unless one is scheduled already. The answer does not wait for it. A
    /// failure is only logged: without a sweep, expired rows take up space but are ignored.
    fn schedule_sweep(&self, now: Timestamp) {
        let latest = now.plus(SWEEP_DELAY);
        let known = self.sweep_at.get();
        if known.is_some_and(|at| at <= latest) {
            return;
        }
        // Later commands do not schedule the sweep again while this one is being scheduled.
        self.sweep_at.set(Some(latest));
        let (storage, sweep_at) = (self.state.storage(), Rc::clone(&self.sweep_at));
        self.state.wait_until(async move {
            let scheduled = match known {
                Some(at) => Some(at),
                None => storage.get_alarm().await.ok().flatten().map(|at| Timestamp::from_millis(at.unsigned_abs())),
            };
            if let Some(at) = scheduled.filter(|at| *at <= latest) {
                sweep_at.set(Some(at));
            } else if let Err(error) = storage.set_alarm(after(now, latest)).await {
                sweep_at.set(None);
                worker::console_error!("{}", Fault::storage("alarm")(error).log_line("alarm", "none"));
            }
        });
    }
}

fn after(now: Timestamp, then: Timestamp) -> Duration {
    Duration::from_secs(then.since(now))
}
