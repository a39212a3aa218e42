//! Gateway mode: forwards requests to the origin of the client area.

mod socket;

use crate::edge::runtime::platform::Answer;
use crate::edge::runtime::run::settled;
use crate::edge::runtime::{Error, Fault, RequestContext, assertion_keys, run_to_end};
use crate::edge::storage::sessions::live_session;
use crate::gateway::{
    Assertion, Gateway, is_foreign_handshake, is_own_cookie, is_removed, made_private, without_own_cookies,
};
use crate::http::{ErrorCode, Failure, HeaderName};
use crate::user::{Session, SessionCookie};
use socket::Socket;
use url::Position;
use worker::js_sys::{Promise, Reflect, try_iter};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::web_sys::{self, Headers, RequestCache, RequestInit, RequestRedirect, ResponseInit, WorkerGlobalScope};
use worker::worker_sys::ext::{HeadersExt as _, ResponseExt as _};

const FOREIGN_HANDSHAKE: Failure =
    Failure::of(403, ErrorCode::ForeignOrigin, "Another site cannot open a WebSocket with your session.");
/// The headers for shared caches only (RFC 9213, and its predecessors).
const SHARED_CACHES: [&str; 3] = ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "Surrogate-Control"];

/// The highest status of a `Response` that can be constructed (Fetch Standard, section 5.5). Origins can send higher
/// ones.
const STATUS_MAX: u16 = 599;

/// Forwards a request to the origin, with the identity of the user:
/// 1. find the session: one object request, none without a cookie,
/// 2. refuse a protected path without a session, and a WebSocket that another site opens with one,
/// 3. remove identity headers and Signet's cookies from the request, and add the identity of the session,
/// 4. forward the request, and return the answer without Signet's cookies,
/// 5. relay a WebSocket with an identity, and close it when the session ends.
pub(crate) async fn serve(incoming: &web_sys::Request, context: &RequestContext) -> Result<Answer, Error> {
    let gateway = context.settings.gateway.as_ref().ok_or(Failure::NOT_FOUND)?;
    // 1.
    let session = live_session(context).await?;
    // 2.
    if session.is_none() && gateway.protected.protect(&context.request.path, &context.request.query) {
        return context.send_to_login().map(Answer::Signet);
    }
    if session.is_some() && is_foreign_handshake(&context.request, context.settings.issuer.as_str()) {
        return Err(FOREIGN_HANDSHAKE.into());
    }
    // 3.
    let identity = match &session {
        Some((cookie, session)) => Some(Identity::of(cookie, session, context).await?),
        None => None,
    };
    let outgoing = outgoing(incoming, context, gateway, identity).map_err(internal("origin request"))?;
    // 4.
    let answer = settled(fetch(&outgoing)).await.map_err(|error| Fault::Origin(format!("{error:?}")))?;
    let answer: web_sys::Response = answer.unchecked_into();
    if is_cloudflares_own(answer.status()) {
        return Err(Fault::Origin(format!("status {}", answer.status())).into());
    }
    context.audit.set_reason("forwarded");
    let answer = returned(answer, session.is_some(), context.settings.hsts(&context.request).header())
        .map_err(internal("origin answer"))?;
    // 5.
    let Some((cookie, _)) = session else { return Ok(Answer::ClientArea(answer)) };
    let Some(origin) = answer.websocket() else { return Ok(Answer::ClientArea(answer)) };
    let (socket, browser) = Socket::new(origin, cookie, context.clone()).map_err(internal("websocket"))?;
    let answer = switched(&answer, &browser).map_err(internal("websocket"))?;
    run_to_end(&context.worker, socket.run());
    Ok(Answer::ClientArea(answer))
}

/// The identity headers for the origin.
struct Identity {
    user: String,
    assertion: String,
}

impl Identity {
    async fn of(cookie: &SessionCookie, session: &Session, context: &RequestContext) -> Result<Self, Fault> {
        let assertion = Assertion::new(
            &context.settings.issuer,
            context.settings.client_area.base().as_str(),
            &cookie.sub,
            session,
            context.now,
        );
        let assertion = assertion_keys::sign(&context.settings, &assertion).await?;
        Ok(Self { user: cookie.sub.as_str().to_owned(), assertion })
    }
}

/// The request to the origin. Replaces the address and the headers that only a proxy may set, and removes Signet's
/// cookies. A request with an identity bypasses Cloudflare's cache.
///
/// The platform copies the headers, because their values may not be valid UTF-8.
fn outgoing(
    incoming: &web_sys::Request,
    context: &RequestContext,
    gateway: &Gateway,
    identity: Option<Identity>,
) -> worker::Result<web_sys::Request> {
    let address = url::Url::parse(&incoming.url())?;
    let target = format!("{}{}", gateway.origin, &address[Position::BeforePath..]);
    let headers = Headers::new_with_headers(&incoming.headers())?;
    for name in names(&headers)?.iter().filter(|name| is_removed(name)) {
        headers.delete(name)?;
    }
    if let Some(cookies) = context.request.headers.get(HeaderName::Cookie).and_then(without_own_cookies) {
        headers.delete("Cookie")?;
        if !cookies.is_empty() {
            headers.set("Cookie", &cookies)?;
        }
    }
    let (scheme, host) = context.settings.issuer.as_str().split_once("://").unwrap_or_default();
    headers.set("X-Forwarded-Proto", scheme)?;
    headers.set("X-Forwarded-Host", host)?;
    if let Some(address) = context.request.headers.get(HeaderName::CfConnectingIp) {
        headers.set("X-Forwarded-For", address)?;
        headers.set("X-Real-IP", address)?;
    }
    let init = RequestInit::new();
    if let Some(Identity { user, assertion }) = identity {
        headers.set("X-Signet-User", &user)?;
        headers.set("X-Signet-Assertion", &assertion)?;
        init.set_cache(RequestCache::NoStore);
    }
    init.set_headers(&headers);
    init.set_redirect(RequestRedirect::Manual);
    // A request is a valid `RequestInit`: the platform copies method, body and signal from it.
    let moved = web_sys::Request::new_with_str_and_init(&target, incoming.unchecked_ref::<RequestInit>())?;
    Ok(web_sys::Request::new_with_request_and_init(&moved, &init)?)
}

/// The names of all headers, in lower case.
fn names(headers: &Headers) -> Result<Vec<String>, JsValue> {
    let names = try_iter(&headers.keys())?.into_iter().flatten();
    names.map(|name| Ok(name?.as_string().unwrap_or_default())).collect()
}

fn fetch(request: &web_sys::Request) -> Promise {
    worker::js_sys::global().unchecked_into::<WorkerGlobalScope>().fetch_with_request(request)
}

/// The answer of the origin for the browser. Removes Signet's cookies, which the origin cannot set, and makes an answer
/// that `is_personal` private for caches. Adds `hsts` unless the origin has its own HSTS policy.
fn returned(
    answer: web_sys::Response,
    is_personal: bool,
    hsts: Option<&'static str>,
) -> Result<web_sys::Response, JsValue> {
    let cookies = answer.headers().get_all("Set-Cookie");
    let cookies: Vec<_> = cookies.iter().filter_map(|cookie| cookie.as_string()).collect();
    let sets_own_cookie = cookies.iter().any(|cookie| is_own_cookie(cookie));
    if answer.status() > STATUS_MAX && !sets_own_cookie {
        return Ok(answer);
    }
    // The headers of a fetched response are immutable, so this copies it.
    let init = answer.unchecked_ref::<ResponseInit>();
    let copy = web_sys::Response::new_with_opt_readable_stream_and_init(answer.body().as_ref(), init)?;
    let headers = copy.headers();
    if sets_own_cookie {
        headers.delete("Set-Cookie")?;
        for cookie in cookies.iter().filter(|cookie| !is_own_cookie(cookie)) {
            headers.append("Set-Cookie", cookie)?;
        }
    }
    if is_personal {
        if let Some(private) = made_private(&headers.get("Cache-Control")?.unwrap_or_default()) {
            headers.set("Cache-Control", &private)?;
        }
        for name in SHARED_CACHES {
            headers.delete(name)?;
        }
    }
    if let Some(hsts) = hsts
        && !headers.has("Strict-Transport-Security")?
    {
        headers.set("Strict-Transport-Security", hsts)?;
    }
    Ok(copy)
}

/// The answer to the browser's handshake: the answer of the origin with `browser` as its WebSocket. The platform adds
/// the handshake headers. Each connection negotiates compression separately.
fn switched(answer: &web_sys::Response, browser: &web_sys::WebSocket) -> Result<web_sys::Response, JsValue> {
    let headers = answer.headers();
    headers.delete("Sec-WebSocket-Extensions")?;
    let init = ResponseInit::new();
    init.set_status(answer.status());
    init.set_headers(&headers);
    Reflect::set(&init, &"webSocket".into(), browser)?;
    web_sys::Response::new_with_opt_str_and_init(None, &init)
}

/// Whether Cloudflare made this answer because it could not reach the origin (its 5xx errors 520 to 527 and 530).
const fn is_cloudflares_own(status: u16) -> bool {
    matches!(status, 520..=527 | 530)
}

fn internal<E: Into<worker::Error>>(operation: &'static str) -> impl FnOnce(E) -> Fault {
    move |error| Fault::Internal(operation, error.into().to_string())
}
