//! What every endpoint needs: the settings, the stores, the time, and the trail it leaves for the log.

use super::fault::{Fault, Trouble};
use super::kv::Kv;
use super::{platform, settings};
use crate::http::{Failure, Request};
use crate::id::{ClientId, TokenId, UserId};
use crate::log::Outcome;
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::user::{Command, Reply, Turn};
use std::rc::Rc;
use worker::Env;

/// One request's view of the deployment.
pub(super) struct Site {
    pub(super) env: Env,
    pub(super) settings: Rc<Settings>,
    pub(super) request_id: String,
    pub(super) now: Timestamp,
}

/// What the log line of a request says.
#[derive(Default)]
pub(super) struct Trail {
    pub(super) event: &'static str,
    pub(super) reason: Option<&'static str>,
    pub(super) client_id: Option<ClientId>,
    pub(super) user_id: Option<UserId>,
    pub(super) jti: Option<TokenId>,
    /// Where a page offers to go on.
    pub(super) home: Option<String>,
    /// What the answer means, if it is no failure.
    pub(super) outcome: Outcome,
    /// Whether a secret was presented, or should have been, and proved nothing.
    pub(super) is_failed_attempt: bool,
    /// Whether a refusal also clears the session cookie.
    pub(super) ends_session: bool,
}

/// Who touches a user's object, and so decides where a new one is placed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Placement {
    /// Near the user, who is at the other end of this request.
    NearCaller,
    /// Where the setting `OBJECT_LOCATION` says.
    AsConfigured,
}

impl Site {
    /// Reads the settings.
    ///
    /// # Errors
    /// 503 if they are invalid; the reasons go to the log.
    pub(super) fn new(env: Env, request_id: &str) -> Result<Self, Trouble> {
        let settings = settings::read(&env).map_err(|problems| {
            worker::console_error!(
                "{}",
                serde_json::json!({"event": "config.invalid", "problems": problems, "request_id": request_id})
            );
            Failure::NOT_CONFIGURED
        })?;
        Ok(Self { env, settings, request_id: request_id.to_owned(), now: platform::now() })
    }

    /// The origin of administration. A request to another origin never gets here.
    pub(super) fn console_origin(&self) -> &str {
        self.settings.console_origin.as_deref().unwrap_or_else(|| self.settings.issuer.as_str())
    }

    /// The KV namespace.
    pub(super) fn kv(&self) -> Result<Kv, Fault> {
        Kv::open(&self.env)
    }

    /// Asks the object of `user`: one request.
    pub(super) async fn ask(
        &self,
        user: &UserId,
        placement: Placement,
        request: &Request,
        command: Command,
    ) -> Result<Reply, Fault> {
        let turn = Turn { request_id: self.request_id.clone(), caller: request.caller(), command };
        let hint = match placement {
            Placement::NearCaller => None,
            Placement::AsConfigured => self.settings.object_location.as_deref(),
        };
        super::user_object::ask(&self.env, user, hint, &turn).await
    }
}
