//! `/oauth/session`, `/oauth/logout` and `/account/security`: what a session cookie opens.

use super::fault::{Fault, Trouble};
use super::object::unexpected;
use super::site::{Placement, Site, Trail};
use super::standing::{end, stands};
use crate::http::{Failure, Method, Request, Response};
use crate::log::Outcome;
use crate::page;
use crate::session::{
    CsrfToken, LogoutRequest, SecurityForm, SecurityPage, identity, logout_page, nobody, security_page,
};
use crate::user::{Command, Reply, Security, Session, SessionCookie, SessionEnd, UserAction, applications_of};

/// The session cookie that the browser presents, its signature and absolute limit checked.
pub(super) fn presented(request: &Request, site: &Site) -> Option<SessionCookie> {
    SessionCookie::open(request, &site.settings.keys, site.now)
}

/// The cookie and the live session that the browser presents: one object request, none without a cookie.
pub(super) async fn live_session(
    request: &Request,
    site: &Site,
    trail: &mut Trail,
) -> Result<Option<(SessionCookie, Session)>, Fault> {
    let Some(cookie) = presented(request, site) else { return Ok(None) };
    trail.user_id = Some(cookie.sub.clone());
    let session = session_of(&cookie, Usage::Used, request, site).await?;
    Ok(session.map(|session| (cookie, session)))
}

/// Whether a session was used since the last question, so that its idle limit moves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Usage {
    Used,
    Unused,
}

/// The session of `cookie`, if it stands and is alive: one object request, and the KV read of [`stands`].
pub(super) async fn session_of(
    cookie: &SessionCookie,
    usage: Usage,
    request: &Request,
    site: &Site,
) -> Result<Option<Session>, Fault> {
    if !stands(cookie, request, site).await? {
        return Ok(None);
    }
    let command = match usage {
        Usage::Used => Command::CheckSession(cookie.sid.clone()),
        Usage::Unused => Command::PeekSession(cookie.sid.clone()),
    };
    match site.ask(&cookie.sub, Placement::NearCaller, request, command).await? {
        Reply::Session(session) => Ok(Some(session)),
        Reply::Missing => Ok(None),
        reply => Err(unexpected(&reply)),
    }
}

/// The answer without a live session: a refusal, or for people the way to sign in.
pub(super) fn refuse_nobody(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    let response = nobody(request, &site.settings)?;
    trail.outcome = Outcome::Deferred;
    trail.reason = Some("sent_to_login");
    Ok(response)
}

/// Says who is signed in. Nothing but the cookie is looked at: no address, method or identity that a proxy or a client
/// puts into a header opens anything.
pub(super) async fn check(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    match live_session(request, site, trail).await? {
        Some((cookie, session)) => Ok(identity(&cookie.sub, &session)),
        None => refuse_nobody(request, site, trail),
    }
}

/// Asks people whether to sign out, and signs out who says so:
/// 1. another site cannot,
/// 2. parse the request: where to go then,
/// 3. a GET shows the page,
/// 4. end the session at the object, if it is not dead already,
/// 5. people get a page that goes on, callers of JSON get 204; the browser forgets the cookie.
pub(super) async fn logout(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    let is_post = request.method == Method::Post;
    if is_post && request.is_cross_site(site.settings.issuer.as_str()) {
        return Err(Failure::of(403, "invalid_form", "Another site cannot sign you out.").into());
    }
    // 2.
    let logout = LogoutRequest::parse(request)?;
    let cookie = presented(request, site);
    trail.user_id = cookie.as_ref().map(|cookie| cookie.sub.clone());
    // 3.
    let home = site.settings.client_area.base().as_str();
    if !is_post {
        trail.outcome = Outcome::Deferred;
        trail.reason = Some("logout_asked");
        let markup = logout_page(cookie.as_ref().map(|cookie| cookie.sub.as_str()), &logout, home);
        return Ok(page::response(200, markup).with_own_referrer());
    }
    // 4.
    if let Some(cookie) = cookie {
        end(&cookie, SessionEnd::SignedOut, request, site).await?;
    }
    // 5.
    let response = match request.wants_page() {
        false => Response::empty(204),
        true => {
            let place = site.settings.client_area.place(logout.return_to.as_ref());
            page::after_form(request, "You are signed out", "Go to the client area", &place)
        }
    };
    Ok(SessionCookie::clear(response).with("Clear-Site-Data", "\"cache\", \"storage\""))
}

/// Shows users their sessions, and does what they ask there:
/// 1. another site cannot,
/// 2. the browser presents a session that stands,
/// 3. a POST says what is asked, and proves that it comes from the page of this session,
/// 4. the object checks the session and does it, in one turn,
/// 5. show the page; after a POST by a page that goes on to it, so that reloading repeats nothing. That page leads on to
///    `LOGIN_URL` too, where the form ended the very session it came from.
pub(super) async fn security(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    let is_post = request.method == Method::Post;
    if is_post && request.is_cross_site(site.settings.issuer.as_str()) {
        return Err(Failure::of(403, "invalid_form", "Another site cannot change this.").into());
    }
    // 2.
    let Some(cookie) = presented(request, site) else { return refuse_nobody(request, site, trail) };
    trail.user_id = Some(cookie.sub.clone());
    if !stands(&cookie, request, site).await? {
        return refuse_nobody(request, site, trail);
    }
    let csrf_token = CsrfToken { sid: cookie.sid.clone() };
    // 3.
    let action = if is_post {
        let form = SecurityForm::parse(request)?;
        csrf_token.check(&form.csrf_token, &site.settings.keys)?;
        form.action
    } else {
        UserAction::Review
    };
    // 4.
    let command = Command::AsUser(cookie.sid.clone(), action);
    match site.ask(&cookie.sub, Placement::NearCaller, request, command).await? {
        // 5.
        Reply::Security(security) => show_security(&cookie, security, &csrf_token, site).await,
        Reply::Done => {
            let place = format!("{}/account/security", site.settings.issuer.as_str());
            Ok(page::after_form(request, "Done", "Go to your sessions", &place))
        }
        Reply::Missing => refuse_nobody(request, site, trail),
        reply => Err(unexpected(&reply).into()),
    }
}

/// The page, with the names of the applications, and without sessions whose application's sessions were ended: one KV read.
async fn show_security(
    cookie: &SessionCookie,
    mut security: Security,
    csrf_token: &CsrfToken,
    site: &Site,
) -> Result<Response, Trouble> {
    let ids: Vec<_> = applications_of(&security.sessions).into_iter().collect();
    let applications = site.kv()?.applications(&ids).await?;
    security.sessions.retain(|session| {
        let application = applications.iter().find(|application| application.id == session.client_id);
        !session.is_ended_by(application.and_then(|application| application.not_before))
    });
    let names: Vec<_> =
        applications.iter().filter_map(|application| Some((&application.id, application.name()?))).collect();
    let home = site.settings.client_area.base().as_str();
    let markup = security_page(&SecurityPage {
        user: &cookie.sub,
        current: &cookie.sid,
        security: &security,
        applications: &names,
        csrf_token: &csrf_token.seal(&site.settings.keys)?,
        home,
    });
    Ok(page::response(200, markup).with_own_referrer())
}
