//! Gateway mode: the client area behind Signet.

use super::fault::{Fault, Trouble};
use super::session_endpoints::{live_session, refuse_nobody};
use super::site::{Site, Trail};
use super::{Answer, assertion_keys};
use crate::gateway::{Assertion, Gateway, is_identity_header};
use crate::http::{Failure, Request};
use crate::settings::Issuer;
use crate::user::{Session, SessionCookie};
use worker::js_sys::Promise;
use worker::url::Position;
use worker::wasm_bindgen::JsCast as _;
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{self, Headers, RequestInit, RequestRedirect, WorkerGlobalScope};

/// Passes a request on to the client area, with the identity of its sender:
/// 1. who is it? One object request, none without a cookie,
/// 2. some paths are for signed-in users only,
/// 3. no identity but Signet's own goes on,
/// 4. everything else does, as it came.
pub(super) async fn serve(
    incoming: &worker::Request,
    request: &Request,
    site: &Site,
    trail: &mut Trail,
) -> Result<Answer, Trouble> {
    let gateway = site.settings.gateway.as_ref().ok_or(Failure::NOT_FOUND)?;
    // 1.
    let session = live_session(request, site, trail).await?;
    // 2.
    if session.is_none() && gateway.protected.protect(&request.path) {
        return refuse_nobody(request, site, trail).map(Answer::Signet);
    }
    // 3.
    let identity = match session {
        Some((cookie, session)) => Some(Identity::of(cookie, &session, site).await?),
        None => None,
    };
    let outgoing = outgoing(incoming, gateway, &site.settings.issuer, identity).map_err(internal)?;
    // 4.
    let answer = JsFuture::from(fetch(&outgoing)).await.map_err(|error| Fault::Origin(format!("{error:?}")))?;
    let answer: web_sys::Response = answer.unchecked_into();
    if is_cloudflares_own(answer.status()) {
        return Err(Fault::Origin(format!("status {}", answer.status())).into());
    }
    trail.reason = Some("forwarded");
    Ok(Answer::ClientArea(answer))
}

/// Who is signed in, as the client area is told.
struct Identity {
    user: String,
    assertion: String,
}

impl Identity {
    async fn of(cookie: SessionCookie, session: &Session, site: &Site) -> Result<Self, Fault> {
        let assertion = Assertion::new(&site.settings, &cookie.sub, session, site.now);
        let assertion = assertion_keys::sign(&site.settings, &assertion).await?;
        Ok(Self { user: cookie.sub.as_str().to_owned(), assertion })
    }
}

/// The request for the client area's server: method, body and everything else as it came, but for the address, the
/// headers of identity, and those that tell the server how it is known to the world.
fn outgoing(
    incoming: &worker::Request,
    gateway: &Gateway,
    issuer: &Issuer,
    identity: Option<Identity>,
) -> worker::Result<web_sys::Request> {
    let target = format!("{}{}", gateway.origin, &incoming.url()?[Position::BeforePath..]);
    let headers = Headers::new()?;
    for (name, value) in incoming.headers().entries() {
        if !is_identity_header(&name) {
            headers.append(&name, &value)?;
        }
    }
    let (scheme, host) = issuer.as_str().split_once("://").unwrap_or_default();
    headers.set("X-Forwarded-Proto", scheme)?;
    headers.set("X-Forwarded-Host", host)?;
    if let Some(Identity { user, assertion }) = identity {
        headers.set("X-Signet-User", &user)?;
        headers.set("X-Signet-Assertion", &assertion)?;
    }
    // A request serves as the options of another: the platform reads method, body and signal from it.
    let moved = web_sys::Request::new_with_str_and_init(&target, incoming.inner().unchecked_ref::<RequestInit>())?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    Ok(web_sys::Request::new_with_request_and_init(&moved, &init)?)
}

fn fetch(request: &web_sys::Request) -> Promise {
    worker::js_sys::global().unchecked_into::<WorkerGlobalScope>().fetch_with_request(request)
}

/// Whether Cloudflare's edge made this answer because it could not reach the server (its 5xx errors 520 to 527 and 530).
const fn is_cloudflares_own(status: u16) -> bool {
    matches!(status, 520..=527 | 530)
}

fn internal(error: worker::Error) -> Fault {
    Fault::Internal("origin request", error.to_string())
}
