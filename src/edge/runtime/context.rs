//! The context of a request, which every endpoint receives.

use super::{Error, Fault};
use crate::http::{Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::log::Outcome;
use crate::oauth::TokenError;
use crate::session::not_signed_in;
use crate::settings::Settings;
use crate::time::Timestamp;
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use worker::{Context, Env};

/// A request, the settings and the platform. Clones share one [`AuditContext`].
#[derive(Clone)]
pub(crate) struct RequestContext {
    pub(crate) request: Rc<Request>,
    pub(crate) now: Timestamp,
    pub(crate) settings: Rc<Settings>,
    pub(crate) env: Env,
    /// The Worker's context, for work after the answer.
    pub(crate) worker: Rc<Context>,
    pub(crate) audit: Rc<AuditContext>,
    pub(crate) deferred: Deferred,
}

/// Runs `task` until it ends, even after the answer.
pub(crate) fn run_to_end(worker: &Context, task: impl Future<Output = ()> + 'static) {
    let task: Pin<Box<dyn Future<Output = ()>>> = Box::pin(task);
    worker.wait_until(task);
}

/// The calls that run after the answer.
pub(crate) type Deferred = Rc<RefCell<Vec<Pin<Box<dyn Future<Output = ()>>>>>>;

/// The fields of the log line of a request.
pub(crate) struct AuditContext {
    pub(crate) request_id: String,
    pub(crate) event: &'static str,
    /// The outcome, unless the request ends with an [`Error`].
    pub(crate) outcome: Cell<Outcome>,
    /// The reason; `None` for the error code of the failure, or "ok".
    pub(crate) reason: Cell<Option<&'static str>>,
    pub(crate) client_id: RefCell<Option<ClientId>>,
    pub(crate) user_id: RefCell<Option<UserId>>,
    pub(crate) jti: RefCell<Option<TokenId>>,
}

impl RequestContext {
    /// Runs `call` after the answer. Logs its fault.
    pub(crate) fn after_answer<T>(&self, call: impl Future<Output = Result<T, Fault>> + 'static) {
        let audit = self.audit.clone();
        self.deferred.borrow_mut().push(Box::pin(async move {
            if let Err(fault) = call.await {
                audit.report(&fault);
            }
        }));
    }

    /// The origin of the console: the setting `CONSOLE_ORIGIN`, or the issuer.
    pub(crate) fn console_origin(&self) -> &str {
        self.settings.console_origin.as_deref().unwrap_or_else(|| self.settings.issuer.as_str())
    }

    pub(crate) fn is_cross_site(&self) -> bool {
        self.request.is_cross_site(self.settings.issuer.as_str())
    }

    /// The answer without a live session: redirects a browser that opens a page to `LOGIN_URL`.
    ///
    /// # Errors
    /// 401 for other callers, and without `LOGIN_URL`.
    pub(crate) fn send_to_login(&self) -> Result<Response, Error> {
        let response = not_signed_in(&self.request, &self.settings)?;
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

    /// Logs a refusal whose answer is not an [`Error`].
    pub(crate) fn deny(&self, reason: &'static str) {
        self.outcome.set(Outcome::Denied);
        self.set_reason(reason);
    }

    /// Logs an answer that asks the browser for another request before the decision.
    pub(crate) fn defer(&self, reason: &'static str) {
        self.outcome.set(Outcome::Deferred);
        self.set_reason(reason);
    }

    /// The failure for `error`. Logs the exact reason, which the answer may not contain.
    pub(crate) fn refuse(&self, error: TokenError) -> Error {
        self.set_reason(error.reason());
        error.failure().into()
    }

    /// Logs a fault that does not change the answer.
    pub(crate) fn report(&self, fault: &Fault) {
        worker::console_error!("{}", fault.log_line(self.event, &self.request_id));
    }
}
