//! All that touches the platform: the Worker's entry, its endpoints, and the objects of users and of the console.

mod accounts;
mod admin_endpoint;
mod assertion_keys;
mod console_endpoint;
mod console_object;
mod credentials;
mod decisions;
#[cfg(feature = "demo")]
mod demo_endpoints;
mod discovery_endpoints;
mod fault;
mod gateway_endpoint;
mod gateway_socket;
mod health_endpoint;
mod import_endpoint;
mod imports;
mod inquiry_endpoints;
mod kv;
mod limits;
mod object;
mod platform;
mod rows;
mod session_endpoints;
mod settings;
mod site;
mod sql;
mod sso_endpoint;
mod standing;
mod tally;
mod token_endpoint;
mod user_object;
mod whmcs_endpoint;

use crate::address;
use crate::admin::AdminRequest;
use crate::console;
use crate::failure_response::Format;
use crate::http::{BODY_BYTES_MAX, Failure, Hsts, Method, Request, Response};
use crate::limit::{FOREIGN_PAGE, TOO_MANY_ATTEMPTS};
use crate::log::{LogLine, Outcome, jti_hash};
use crate::route::Route;
use crate::whmcs::ApiRequest;
use fault::Trouble;
use site::{Site, Trail};
use worker::{Context, Env, event, web_sys};

/// The answer to a request whose `Host` makes no address.
const MALFORMED_ADDRESS: Failure = Failure::bad_request("The request's Host is malformed.");

/// The event in the log of a request that leads nowhere.
const UNROUTED: &str = "request";

/// An answer to a request.
enum Answer {
    /// Signet's own.
    Signet(Response),
    /// Signet's own, whose body is still being written. Whoever writes it records the decision.
    Streamed(Response, web_sys::ReadableStream),
    /// The client area's, in gateway mode.
    ClientArea(web_sys::Response),
}

/// Serves one request:
/// 1. read its head,
/// 2. find its route, check the settings and the address, refuse callers with too many failed attempts, and let nobody but
///    administrators into administration,
/// 3. read its body, within the limit,
/// 4. serve it; a failed attempt at a secret counts against the rate limit,
/// 5. record the decision, and answer with the security headers. The client area's own answers pass without them.
#[event(fetch)]
async fn fetch(request: worker::Request, env: Env, context: Context) -> worker::Result<web_sys::Response> {
    // 1.
    let start = platform::milliseconds();
    let request_id = platform::request_id();
    let Ok(head) = platform::read_head(&request) else {
        let line = LogLine::new(UNROUTED, Outcome::Denied, MALFORMED_ADDRESS.error.as_str(), &request_id);
        decisions::record(&line, None, 0, &env, &context);
        let response = MALFORMED_ADDRESS.into_response(Format::Json, None).with("X-Request-Id", &request_id);
        return Ok(platform::write_response(response.secured(Hsts::Off))?.into());
    };
    let mut trail = Trail { event: UNROUTED, ..Trail::default() };
    // 2. to 4.
    let mut outcome = serve(request, head.clone(), env.clone(), &context, &request_id, &mut trail).await;
    if trail.is_failed_attempt && limits::exceeds(&head, trail.client_id.as_ref(), &env, &request_id).await {
        trail.reason = None;
        outcome = Err(TOO_MANY_ATTEMPTS.into());
    }
    // 5.
    let (meaning, reason, fault) = match &outcome {
        Ok(_) => (trail.outcome, "ok", None),
        Err(Trouble::Caller(failure)) => (Outcome::Denied, failure.error.as_str(), None),
        Err(Trouble::Ours(fault)) => (Outcome::Failed, fault.reason(), Some(fault)),
    };
    let line = LogLine {
        client_id: trail.client_id.as_ref(),
        user_id: trail.user_id.as_ref(),
        jti_hash: trail.jti.as_ref().map(jti_hash),
        ..LogLine::new(trail.event, meaning, trail.reason.filter(|_| fault.is_none()).unwrap_or(reason), &request_id)
    };
    if !matches!(outcome, Ok(Answer::Streamed(..))) {
        decisions::record(&line, fault, platform::milliseconds().saturating_sub(start), &env, &context);
    }
    let hsts = settings::read(&env).map_or(Hsts::Off, |settings| settings.hsts(&head));
    let finish = |response: Response| response.with("X-Request-Id", &request_id).secured(hsts);
    let response = match outcome {
        Ok(Answer::ClientArea(response)) => return Ok(response),
        Ok(Answer::Streamed(response, body)) => return Ok(platform::write_stream(&finish(response), body)?.into()),
        Ok(Answer::Signet(response)) => response,
        Err(Trouble::Caller(failure)) => tell(failure, &head, &trail),
        Err(Trouble::Ours(fault)) => tell(fault.failure(), &head, &trail),
    };
    Ok(platform::write_response(finish(response))?.into())
}

async fn serve(
    incoming: worker::Request,
    mut request: Request,
    env: Env,
    context: &Context,
    request_id: &str,
    trail: &mut Trail,
) -> Result<Answer, Trouble> {
    let route = Route::of(&request)?;
    trail.event = route.name();
    if route == Route::Health {
        return Ok(Answer::Signet(health_endpoint::serve(&env)));
    }
    let site = Site::new(env, request_id)?;
    trail.home = Some(site.settings.client_area.base().to_string());
    if let Some(refusal) = address::refusal(&request, route, &site.settings) {
        trail.outcome = refusal.outcome;
        trail.reason = Some(refusal.reason);
        return Ok(Answer::Signet(refusal.response));
    }
    if route.takes_secret(&request) {
        // The console says so in its own words.
        if request.is_of_foreign_page() && route != Route::Console {
            return Err(FOREIGN_PAGE.into());
        }
        if limits::refuses(&request) {
            return Err(TOO_MANY_ATTEMPTS.into());
        }
    }
    match route {
        Route::Admin | Route::Import => AdminRequest::authenticate(&request, &site.settings.admin_token)
            .inspect_err(|_| trail.is_failed_attempt = true)?,
        Route::Whmcs => ApiRequest::check_head(&request, site.settings.api_allow_get)?,
        _ => {}
    }
    if route.takes_body() && request.method != Method::Get {
        request.check_content_length(BODY_BYTES_MAX)?;
        request.body = platform::read_body(&incoming, &request, BODY_BYTES_MAX).await?;
    }
    let response = match route {
        Route::ClientArea => return gateway_endpoint::serve(&incoming, request, site, context, trail).await,
        Route::Token => token_endpoint::serve(&request, &site, context, trail).await,
        #[cfg(not(feature = "demo"))]
        Route::Sso => sso_endpoint::serve(&request, &site, context, trail).await,
        #[cfg(feature = "demo")]
        Route::Sso => demo_endpoints::sso(&request, &site, context, trail).await,
        #[cfg(feature = "demo")]
        Route::Demo => demo_endpoints::serve(&request, &site, context, trail).await,
        Route::Revocation => inquiry_endpoints::revoke(&request, &site, trail).await,
        Route::Introspection => inquiry_endpoints::introspect(&request, &site, trail).await,
        Route::Receipt => inquiry_endpoints::receipt(&request, &site, trail).await,
        Route::Session => session_endpoints::check(&request, &site, trail).await,
        Route::Logout => session_endpoints::logout(&request, &site, trail).await,
        Route::Security => session_endpoints::security(&request, &site, trail).await,
        Route::Metadata => Ok(discovery_endpoints::metadata(&site)),
        Route::Jwks => discovery_endpoints::jwks(&site).await,
        Route::Description => Ok(discovery_endpoints::description()),
        Route::Whmcs => whmcs_endpoint::serve(&request, &site, context, trail).await,
        Route::Import => return import_endpoint::serve(&incoming, request, site, context).await,
        Route::Admin => admin_endpoint::serve(&request, &site, trail).await,
        Route::Console => console_endpoint::serve(&request, &site, trail).await,
        Route::Health => Ok(health_endpoint::serve(&site.env)),
    };
    response.map(Answer::Signet)
}

fn tell(failure: Failure, request: &Request, trail: &Trail) -> Response {
    let format = Route::format(request);
    let response = match Route::of(request) {
        Ok(Route::Console) if format == Format::Page => console::refusal_page(&failure),
        _ => failure.into_response(format, trail.home.as_deref()),
    };
    if trail.ends_session { crate::user::SessionCookie::clear(response) } else { response }
}
