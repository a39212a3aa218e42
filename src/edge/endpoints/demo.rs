//! The routes of the demo: the portal and the client area.

use crate::credential::CredentialInput;
use crate::demo::{self, PORTAL_KEY, Portal, SIGN_IN_PATH, SsoRedirect, TRACE_TTL, Trace, USERS, Visit};
use crate::destination::Scope;
use crate::edge::runtime::platform::{milliseconds, random};
use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::sessions::live_session;
use crate::http::{BROWSER_CHALLENGE, ErrorCode, Failure, HeaderName, Headers, Method, Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::page;
use crate::secret::{Purpose, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How many of the newest events are searched for the sign-in of the session.
const LATEST_EVENTS: u64 = 50;

/// Serves a path of the demo. `issue_token` is the token endpoint, which the portal calls.
pub(crate) async fn serve(
    context: &RequestContext,
    issue_token: impl AsyncFn(&RequestContext) -> Result<Response, Error>,
) -> Result<Response, Error> {
    match (context.request.path.as_str(), context.request.method) {
        (SIGN_IN_PATH, Method::Post) => sign_in(context, issue_token).await,
        (SIGN_IN_PATH, _) => Err(Failure::method_not_allowed("POST").into()),
        (_, Method::Post) => Err(Failure::method_not_allowed("GET, HEAD").into()),
        ("/", _) => {
            portal(context).await?;
            let session = live_session(context).await?;
            let markup = demo::home(session.as_ref().map(|(cookie, _)| cookie.sub.as_str()));
            Ok(page::response(200, markup))
        }
        _ => client_area(context).await,
    }
}

/// Signs a demo user in: the portal requests a token, and sends the browser to the link in the answer.
async fn sign_in(
    context: &RequestContext,
    issue_token: impl AsyncFn(&RequestContext) -> Result<Response, Error>,
) -> Result<Response, Error> {
    if context.is_cross_site() {
        return Err(Failure::of(403, ErrorCode::AccessDenied, "Another site cannot press the demo's button.").into());
    }
    let body = demo::token_request(&context.request)?;
    let portal = portal(context).await?;
    let basic = STANDARD.encode(format!("{}:{}", portal.client_id, portal.client_secret));
    let headers = Headers::new(vec![
        (HeaderName::ContentType, "application/x-www-form-urlencoded".to_owned()),
        (HeaderName::Authorization, format!("Basic {basic}")),
    ]);
    let token_request = Request {
        method: Method::Post,
        path: "/oauth/token".to_owned(),
        query: String::new(),
        headers,
        origin: context.request.origin.clone(),
        body: body.into_bytes(),
    };
    let start = milliseconds();
    let response = issue_token(&RequestContext { request: token_request.into(), ..context.clone() }).await?;
    let token_ms = milliseconds().saturating_sub(start);
    let answer: Value = serde_json::from_str(&response.body)?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let jti = context.audit.jti.borrow().clone();
    if let Some(jti) = jti {
        let claims = context.settings.keys.open(Purpose::SsoToken, text("access_token")).unwrap_or_default();
        let trace = Trace { claims, token_ms, redirect: None };
        context.kv().put(&trace_key(&jti), &trace, Some(TRACE_TTL)).await?;
    }
    Ok(page::after_form(&context.request, "Signing in", "Open the sign-in link", text("redirect_url")))
}

fn trace_key(jti: &TokenId) -> String {
    format!("demo-trace:{jti}")
}

/// Stores the answer of the SSO endpoint, which the client area shows. `sso` is the pending call of the endpoint.
pub(crate) async fn trace(
    context: &RequestContext,
    sso: impl Future<Output = Result<Response, Error>>,
) -> Result<Response, Error> {
    let start = milliseconds();
    let response = sso.await?;
    let ms = milliseconds().saturating_sub(start);
    let jti = context.audit.jti.borrow().clone();
    if let (Some(jti), Some(location)) = (jti, target(&response)) {
        let kv = context.kv();
        if let Some(trace) = kv.get::<Trace>(&trace_key(&jti)).await? {
            let redirect = SsoRedirect { status: response.status, location: location.to_owned(), ms };
            kv.put(&trace_key(&jti), &Trace { redirect: Some(redirect), ..trace }, Some(TRACE_TTL)).await?;
        }
    }
    Ok(response)
}

/// The target of a redirect, or of a page that redirects.
fn target(response: &Response) -> Option<&str> {
    response.header("Location").or_else(|| response.header("Refresh")?.strip_prefix("0; url="))
}

async fn client_area(context: &RequestContext) -> Result<Response, Error> {
    let start = milliseconds();
    let Some((cookie, session)) = live_session(context).await? else {
        let page = page::response(401, demo::signed_out());
        return Ok(page.with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1));
    };
    let check_ms = milliseconds().saturating_sub(start);
    let trace = context.kv().get::<Trace>(&trace_key(&session.token)).await?.unwrap_or_default();
    let events = context.user_near_caller(&cookie.sub).events(None, LATEST_EVENTS).await?;
    let markup = demo::client_area(&Visit {
        label: demo::label(&context.request, &context.settings.client_area),
        user: cookie.sub.as_str(),
        session: &session,
        trace: &trace,
        decision: events.iter().map(|(_, event)| event).find(|event| event.jti.as_ref() == Some(&session.token)),
        check_ms,
        now: context.now,
    });
    Ok(page::response(200, markup))
}

/// The credential set of the portal. The first call creates it, and the accounts of the demo users.
async fn portal(context: &RequestContext) -> Result<Portal, Error> {
    let kv = context.kv();
    if let Some(portal) = kv.get::<Portal>(PORTAL_KEY).await? {
        return Ok(portal);
    }
    for user in &USERS {
        if let Some(id) = UserId::parse(user.id) {
            context.user(&id).put_account(user.account(), false).await?;
        }
    }
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let scopes: Vec<Scope> = Scope::destinations().collect();
    let input: CredentialInput =
        serde_json::from_value(json!({"name": "Demo portal", "scopes": scopes, "delegated": true}))?;
    let portal = Portal { client_id: id.as_str().to_owned(), client_secret: secret.expose().to_owned() };
    let set = input.into_set(id, &secret, context.now).map_err(Failure::bad_request)?;
    kv.put_credential(&set).await?;
    kv.put(PORTAL_KEY, &portal, None).await?;
    Ok(portal)
}
