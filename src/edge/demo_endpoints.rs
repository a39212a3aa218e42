//! The demo's routes: the portal's page and button, and the client area.

use super::fault::Trouble;
use super::platform::random;
use super::session_endpoints::live_session;
use super::site::{Placement, Site, Trail};
use super::{sso_endpoint, token_endpoint};
use crate::credential::CredentialInput;
use crate::demo::{self, PORTAL_KEY, Portal, SIGN_IN_PATH, SsoRedirect, TRACE_TTL, Trace, USERS, Visit};
use crate::destination::Scope;
use crate::http::{BROWSER_CHALLENGE, Failure, Headers, Method, Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::page;
use crate::secret::{Purpose, Secret};
use crate::user::{Command, Reply};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use worker::{Context, Date};

/// Where the decision on a session's token is found.
const LATEST_EVENTS: Command = Command::ListEvents { before: None, limit: 50 };

/// Serves a path of the demo.
pub(super) async fn serve(
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<Response, Trouble> {
    match (request.path.as_str(), request.method) {
        (SIGN_IN_PATH, Method::Post) => sign_in(request, site, context, trail).await,
        (SIGN_IN_PATH, _) => Err(Failure::method_not_allowed("POST").into()),
        (_, Method::Post) => Err(Failure::method_not_allowed("GET, HEAD").into()),
        ("/", _) => {
            portal(request, site).await?;
            let session = live_session(request, site, trail).await?;
            let markup = demo::home(session.as_ref().map(|(cookie, _)| cookie.sub.as_str()));
            Ok(page::response(200, markup))
        }
        _ => client_area(request, site, trail).await,
    }
}

/// What the button does: the portal asks the token endpoint, and sends the browser to the link it gets.
async fn sign_in(request: &Request, site: &Site, context: &Context, trail: &mut Trail) -> Result<Response, Trouble> {
    if request.is_cross_site(site.settings.issuer.as_str()) {
        return Err(Failure::of(403, "access_denied", "Another site cannot press the demo's button.").into());
    }
    let body = demo::token_request(request)?;
    let portal = portal(request, site).await?;
    let basic = STANDARD.encode(format!("{}:{}", portal.client_id, portal.client_secret));
    let fields =
        [("content-type", "application/x-www-form-urlencoded".to_owned()), ("authorization", format!("Basic {basic}"))];
    let token_request = Request {
        method: Method::Post,
        path: "/oauth/token".to_owned(),
        query: String::new(),
        headers: fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Headers>(),
        origin: request.origin.clone(),
        body: body.into_bytes(),
    };
    let start = Date::now().as_millis();
    let response = token_endpoint::serve(&token_request, site, context, trail).await?;
    let token_ms = Date::now().as_millis().saturating_sub(start);
    let answer: Value = serde_json::from_str(&response.body)?;
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    if let Some(jti) = &trail.jti {
        let claims = site.settings.keys.open(Purpose::SsoToken, text("access_token")).unwrap_or_default();
        let trace = Trace { claims, token_ms, redirect: None };
        site.kv()?.put(&trace_key(jti), &trace, Some(TRACE_TTL)).await?;
    }
    Ok(page::after_form(request, "Signing in", "Open the sign-in link", text("redirect_url")))
}

fn trace_key(jti: &TokenId) -> String {
    format!("demo-trace:{jti}")
}

/// Serves the SSO endpoint, and remembers what it did, for the client area to show.
pub(super) async fn sso(
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<Response, Trouble> {
    let start = Date::now().as_millis();
    let response = sso_endpoint::serve(request, site, context, trail).await?;
    let ms = Date::now().as_millis().saturating_sub(start);
    if let (Some(jti), Some(location)) = (&trail.jti, goes_to(&response)) {
        let kv = site.kv()?;
        if let Some(trace) = kv.get::<Trace>(&trace_key(jti)).await? {
            let redirect = SsoRedirect { status: response.status, location: location.to_owned(), ms };
            kv.put(&trace_key(jti), &Trace { redirect: Some(redirect), ..trace }, Some(TRACE_TTL)).await?;
        }
    }
    Ok(response)
}

/// Where an answer sends the browser, by redirect or by a page that goes on.
fn goes_to(response: &Response) -> Option<&str> {
    response.header("Location").or_else(|| response.header("Refresh")?.strip_prefix("0; url="))
}

async fn client_area(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    let start = Date::now().as_millis();
    let Some((cookie, session)) = live_session(request, site, trail).await? else {
        let page = page::response(401, demo::signed_out());
        return Ok(page.with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1));
    };
    let check_ms = Date::now().as_millis().saturating_sub(start);
    let trace = site.kv()?.get::<Trace>(&trace_key(&session.token)).await?.unwrap_or_default();
    let events = match site.ask(&cookie.sub, Placement::NearCaller, request, LATEST_EVENTS).await? {
        Reply::Events(events) => events,
        _ => Vec::new(),
    };
    let markup = demo::client_area(&Visit {
        label: demo::label(request, &site.settings.client_area),
        user: cookie.sub.as_str(),
        session: &session,
        trace: &trace,
        decision: events.iter().map(|(_, event)| event).find(|event| event.jti.as_ref() == Some(&session.token)),
        check_ms,
        now: site.now,
    });
    Ok(page::response(200, markup))
}

/// The portal's credential set. The first call makes it, and the users.
async fn portal(request: &Request, site: &Site) -> Result<Portal, Trouble> {
    let kv = site.kv()?;
    if let Some(portal) = kv.get::<Portal>(PORTAL_KEY).await? {
        return Ok(portal);
    }
    for user in &USERS {
        if let Some(id) = UserId::parse(user.id) {
            let command = Command::PutAccount { account: user.account(), end_sessions: false };
            site.ask(&id, Placement::AsConfigured, request, command).await?;
        }
    }
    let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
    let scopes: Vec<Scope> = Scope::destinations().collect();
    let input: CredentialInput =
        serde_json::from_value(json!({"name": "Demo portal", "scopes": scopes, "delegated": true}))?;
    let portal = Portal { client_id: id.as_str().to_owned(), client_secret: secret.expose().to_owned() };
    let set = input.into_set(id, &secret, site.now).map_err(Failure::bad_request)?;
    kv.put_credential(&set).await?;
    kv.put(PORTAL_KEY, &portal, None).await?;
    Ok(portal)
}
