//! The Worker: its entry point, and everything that uses the platform. Dependencies point from left to right:
//!
//! ```text
//! endpoints ─► storage ─► runtime
//! ```

mod endpoints;
mod runtime;
mod storage;

use crate::address;
use crate::admin::AdminRequest;
use crate::console::refusal_page;
use crate::failure_response::Format;
use crate::http::{BODY_BYTES_MAX, Failure, Hsts, Method, Response};
use crate::limit::{FOREIGN_PAGE, TOO_MANY_ATTEMPTS};
use crate::log::{LogLine, Outcome, jti_hash};
use crate::route::Route;
use crate::settings::{SettingProblem, Settings};
use crate::user::SessionCookie;
use crate::whmcs::ApiRequest;
use endpoints::{admin, console, discovery, gateway, health, import, issued_tokens, session, sso, token, whmcs};
use runtime::platform::{self, Answer};
use runtime::{AuditContext, Deferred, Error, Fault, RequestContext, decisions, limits, run, settings};
use std::rc::Rc;
use storage::counters;
use worker::wasm_bindgen::prelude::*;
use worker::{Context, Env, wasm_bindgen, web_sys, worker_sys};

const MALFORMED_ADDRESS: Failure = Failure::bad_request("The request's Host is malformed.");

/// The event in the log for a request without a route.
const UNROUTED: &str = "request";

/// Starts request `number`. Returns the response, or a promise that the request waits for.
///
/// # Errors
/// If the platform cannot make the response.
#[wasm_bindgen]
pub fn start(
    number: u32,
    incoming: web_sys::Request,
    env: Env,
    worker: worker_sys::Context,
) -> Result<JsValue, JsValue> {
    run::start(number, fetch(number, incoming, env, Context::new(worker)))
}

/// Whether request `number`, which has just started, is forwarded to the origin of gateway mode.
#[wasm_bindgen]
#[must_use]
pub fn forwards(number: u32) -> bool {
    run::forwards(number)
}

/// Does the work that follows the answer of request `number`. Returns a promise if the work waits.
///
/// # Errors
/// Never.
#[wasm_bindgen]
pub fn finish(number: u32) -> Result<JsValue, JsValue> {
    run::finish(number)
}

/// Continues request `number` with the result of the promise that it waits for. Returns like [`start`].
///
/// # Errors
/// If the platform cannot make the response.
#[wasm_bindgen]
pub fn resume(number: u32, value: JsValue, is_error: bool) -> Result<JsValue, JsValue> {
    run::resume(number, value, is_error)
}

/// The answer to a request that ended with `error`. Logs the error.
///
/// # Errors
/// If the platform cannot make the response.
#[wasm_bindgen]
pub fn fail(error: &JsValue) -> Result<web_sys::Response, JsValue> {
    let request_id = platform::request_id();
    let fault = Fault::Internal("request", platform::error_text(error));
    worker::console_error!("{}", fault.log_line(UNROUTED, &request_id));
    let response = fault.failure().into_response(Format::Json, None).with("X-Request-Id", &request_id);
    platform::write_response(&response, Hsts::Off)
}

/// Serves one request:
/// 1. read the head of the request,
/// 2. find the route, and read the settings,
/// 3. serve the request; without valid settings, only `/healthz`,
/// 4. record the decision after the answer,
/// 5. answer, with security headers unless the answer comes from the origin of gateway mode.
async fn fetch(number: u32, incoming: web_sys::Request, env: Env, worker: Context) -> Result<JsValue, JsValue> {
    let (start, request_id, worker) = (platform::milliseconds(), platform::request_id(), Rc::new(worker));
    // 1.
    let head = platform::read_head(&incoming);
    // 2.
    let (route, format) = match &head {
        Ok(request) => (Route::of(request), Route::format(request)),
        Err(_) => (Err(MALFORMED_ADDRESS), Format::Json),
    };
    let settings = settings::read(&env);
    let hsts = match (&head, &settings) {
        (Ok(request), Ok(settings)) => settings.hsts(request),
        _ => Hsts::Off,
    };
    let event = route.as_ref().map_or(UNROUTED, |route| route.name());
    let (audit, deferred) = (Rc::new(AuditContext::new(event, request_id.clone())), Deferred::default());
    if matches!(route, Ok(Route::ClientArea)) {
        run::forward(number);
    }
    // 3.
    let result = match (head, &route, &settings) {
        (_, Err(failure), _) => Err(failure.clone().into()),
        (Err(_), Ok(_), _) => Err(MALFORMED_ADDRESS.into()),
        (Ok(_), Ok(Route::Health), _) => Ok(Answer::Signet(health::serve(&env))),
        (Ok(_), Ok(_), Err(problems)) => Err(not_configured(problems, &request_id).into()),
        (Ok(request), Ok(route), Ok(settings)) => {
            let (settings, env, worker, audit) = (settings.clone(), env.clone(), worker.clone(), audit.clone());
            let (request, deferred) = (Rc::new(request), deferred.clone());
            let context = RequestContext { request, now: platform::now(), settings, env, worker, audit, deferred };
            serve(*route, &incoming, context).await
        }
    };
    // 4.
    let decision = Decision::of(&result, &audit, start);
    // 5.
    let finish = |response: Response| response.with("X-Request-Id", &request_id);
    let response = match result {
        Ok(Answer::ClientArea(response)) => Ok(response),
        Ok(Answer::Streamed(response, body)) => platform::write_stream(&finish(response), &body, hsts),
        Ok(Answer::Signet(response)) => platform::write_response(&finish(response), hsts),
        Err(error) => {
            let response = refuse(error.into_failure(), route.ok(), format, settings.ok().as_deref());
            platform::write_response(&finish(response), hsts)
        }
    };
    run::defer(number, async move {
        if let Some(decision) = decision {
            decision.record(&audit, &env, &worker);
        }
        for call in deferred.take() {
            call.await;
        }
        Ok(JsValue::UNDEFINED)
    });
    response.map(JsValue::from)
}

/// Logs the problems of the settings.
fn not_configured(problems: &[SettingProblem], request_id: &str) -> Failure {
    let line = serde_json::json!({"event": "config.invalid", "problems": problems, "request_id": request_id});
    worker::console_error!("{line}");
    Failure::NOT_CONFIGURED
}

/// Serves a request on its route. A failed attempt to prove a secret counts against the rate limit.
async fn serve(route: Route, incoming: &web_sys::Request, mut context: RequestContext) -> Result<Answer, Error> {
    let result = match check(route, incoming, &mut context).await {
        Ok(None) => dispatch(route, incoming, &context).await,
        Ok(Some(response)) => Ok(Answer::Signet(response)),
        Err(error) => Err(error),
    };
    match result {
        Err(Error::Failure(failure)) if failure.is_failed_attempt => {
            limits::count_failed_attempt(&context).await?;
            Err(failure.into())
        }
        result => result,
    }
}

/// Checks a request before its endpoint serves it. The cheapest checks come first:
/// 1. check the address; the answer may redirect to the correct one,
/// 2. on a route that takes a secret, refuse pages of other origins and addresses with too many failed attempts,
/// 3. authenticate administrators, and check the head of a WHMCS API request,
/// 4. read the body, up to [`BODY_BYTES_MAX`].
async fn check(
    route: Route,
    incoming: &web_sys::Request,
    context: &mut RequestContext,
) -> Result<Option<Response>, Error> {
    let RequestContext { request, settings, audit, .. } = context;
    // 1.
    if let Some(refusal) = address::refusal(request, route, settings) {
        audit.outcome.set(refusal.outcome);
        audit.set_reason(refusal.reason);
        return Ok(Some(refusal.response));
    }
    // 2.
    if route.has_secret(request) {
        // The console answers foreign pages itself.
        if request.is_of_foreign_page() && route != Route::Console {
            return Err(FOREIGN_PAGE.into());
        }
        if limits::refuses(request) {
            return Err(TOO_MANY_ATTEMPTS.into());
        }
    }
    // 3.
    if route.is_administration() && route != Route::Console {
        AdminRequest::authenticate(request, &settings.admin_token)?;
    }
    if route == Route::Whmcs {
        ApiRequest::check_head(request, settings.api_allow_get)?;
    }
    // 4.
    if route.has_body() && request.method != Method::Get {
        let body = platform::read_body(incoming, request, BODY_BYTES_MAX).await?;
        Rc::make_mut(request).body = body;
    }
    Ok(None)
}

async fn dispatch(route: Route, incoming: &web_sys::Request, context: &RequestContext) -> Result<Answer, Error> {
    let response = match route {
        Route::ClientArea => return gateway::serve(incoming, context).await,
        Route::Import => return import::serve(incoming, context).await,
        Route::Token => token::serve(context).await,
        #[cfg(not(feature = "demo"))]
        Route::Sso => sso::serve(context).await,
        #[cfg(feature = "demo")]
        Route::Sso => endpoints::demo::trace(context, sso::serve(context)).await,
        #[cfg(feature = "demo")]
        Route::Demo => endpoints::demo::serve(context, token::serve).await,
        Route::Revocation => issued_tokens::revoke(context).await,
        Route::Introspection => issued_tokens::introspect(context).await,
        Route::Receipt => issued_tokens::receipt(context).await,
        Route::Session => session::check(context).await,
        Route::Logout => session::logout(context).await,
        Route::Security => session::security(context).await,
        Route::Metadata => Ok(discovery::metadata(context)),
        Route::Jwks => discovery::jwks(context).await,
        Route::Description => Ok(discovery::description()),
        Route::Whmcs => whmcs::serve(context).await,
        Route::Admin => admin::serve(context).await,
        Route::Console => console::serve(context).await,
        Route::Health => Ok(health::serve(&context.env)),
    };
    response.map(Answer::Signet)
}

/// The decision of a request.
struct Decision {
    outcome: Outcome,
    reason: &'static str,
    fault: Option<Fault>,
    milliseconds: u64,
}

impl Decision {
    /// The decision in `result`; `None` if the writer of a streamed body records it.
    fn of(result: &Result<Answer, Error>, audit: &AuditContext, start: u64) -> Option<Self> {
        let (outcome, reason, fault) = match result {
            Ok(Answer::Streamed(..)) => return None,
            Ok(_) => (audit.outcome.get(), audit.reason.get().unwrap_or("ok"), None),
            Err(Error::Failure(failure)) => {
                (Outcome::Denied, audit.reason.get().unwrap_or(failure.error.as_str()), None)
            }
            Err(Error::Fault(fault)) => (Outcome::Failed, fault.reason(), Some(fault.clone())),
        };
        Some(Self { outcome, reason, fault, milliseconds: platform::milliseconds().saturating_sub(start) })
    }

    /// Logs the decision, and counts sign-ins for the console.
    fn record(self, audit: &AuditContext, env: &Env, worker: &Context) {
        let (client_id, user_id, jti) = (audit.client_id.borrow(), audit.user_id.borrow(), audit.jti.borrow());
        let line = LogLine {
            client_id: client_id.as_ref(),
            user_id: user_id.as_ref(),
            jti_hash: jti.as_ref().map(jti_hash),
            ..LogLine::new(audit.event, self.outcome, self.reason, &audit.request_id)
        };
        decisions::record(&line, self.fault.as_ref(), self.milliseconds, env);
        counters::count(&line, env, worker);
    }
}

/// The answer to a failure. With a route and valid settings, its page links to the client area.
fn refuse(failure: Failure, route: Option<Route>, format: Format, settings: Option<&Settings>) -> Response {
    let clears_session = failure.clears_session;
    let response = match route {
        Some(Route::Console) if format == Format::Page => refusal_page(&failure),
        _ => {
            let settings = settings.filter(|_| route.is_some());
            failure.into_response(format, settings.map(|settings| settings.client_area.base().as_str()))
        }
    };
    if clears_session { SessionCookie::clear(response) } else { response }
}
