//! What every endpoint gets: the request, the settings, the platform, and what the log will say.

use super::{Error, Fault};
use crate::http::{Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::log::Outcome;
use crate::oauth::TokenError;
use crate::session::nobody;
use crate::settings::Settings;
use crate::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use worker::{Context, Env};

/// A request, and what it is served with. Clones share one [`AuditContext`].
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) request: Request,
    pub(crate) now: Timestamp,
    pub(crate) settings: Rc<Settings>,
    /// The bindings.
    pub(crate) env: Env,
    /// The platform's own context, for work after the answer.
    pub(crate) worker: Rc<Context>,
    pub(crate) audit: Rc<AuditContext>,
}

/// What the log line of a request says.
pub(crate) struct AuditContext {
    pub(crate) request_id: String,
    pub(crate) event: &'static str,
    /// The outcome, unless the request fails.
    pub(crate) outcome: Cell<Outcome>,
    /// The reason, where it differs from the default: the code of the failure, or "ok".
    pub(crate) reason: Cell<Option<&'static str>>,
    pub(crate) client_id: RefCell<Option<ClientId>>,
    pub(crate) user_id: RefCell<Option<UserId>>,
    pub(crate) jti: RefCell<Option<TokenId>>,
}

impl RequestContext {
    /// The origin of administration. The address check refuses requests for administration on other origins.
    pub(crate) fn console_origin(&self) -> &str {
        self.settings.console_origin.as_deref().unwrap_or_else(|| self.settings.issuer.as_str())
    }

    /// Whether a page of another site sent the request.
    pub(crate) fn is_cross_site(&self) -> bool {
        self.request.is_cross_site(self.settings.issuer.as_str())
    }

    /// The answer without a live session: a redirect to `LOGIN_URL` for a browser that opens a page.
    ///
    /// # Errors
    /// 401 for everybody else.
    pub(crate) fn send_to_login(&self) -> Result<Response, Error> {
        let response = nobody(&self.request, &self.settings)?;
        self.audit.defer("sent_to_login");
        Ok(response)
    }
}

impl AuditContext {
    pub(crate) fn new(event: &'static str, request_id: String) -> Self {
        Self {
            request_id,
            event,
            outcome: Cell::default(),
            reason: Cell::default(),
            client_id: RefCell::default(),
            user_id: RefCell::default(),
            jti: RefCell::default(),
        }
    }

    pub(crate) fn set_client(&self, client_id: &ClientId) {
        self.client_id.replace(Some(client_id.clone()));
    }

    pub(crate) fn set_user(&self, user: &UserId) {
        self.user_id.replace(Some(user.clone()));
    }

    pub(crate) fn set_token(&self, jti: &TokenId) {
        self.jti.replace(Some(jti.clone()));
    }

    pub(crate) fn set_reason(&self, reason: &'static str) {
        self.reason.set(Some(reason));
    }

    /// Logs the request as denied, although its answer is not a failure.
    pub(crate) fn deny(&self, reason: &'static str) {
        self.outcome.set(Outcome::Denied);
        self.set_reason(reason);
    }

    /// Logs the request as deferred: its answer only leads to the decision.
    pub(crate) fn defer(&self, reason: &'static str) {
        self.outcome.set(Outcome::Deferred);
        self.set_reason(reason);
    }

    /// The failure that answers `error`. The log gets its exact reason.
    pub(crate) fn refuse(&self, error: TokenError) -> Error {
        self.set_reason(error.reason());
        error.failure().into()
    }

    /// Logs a fault that does not change the answer.
    pub(crate) fn report(&self, fault: &Fault) {
        worker::console_error!("{}", fault.log_line(self.event, &self.request_id));
    }
}
