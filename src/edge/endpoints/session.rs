//! `/oauth/session`, `/oauth/logout` and `/account/security`: what a session cookie opens.

use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::Placement;
use crate::edge::storage::sessions::{end, live_session, presented, stands};
use crate::http::{ErrorCode, Failure, Method, Response};
use crate::page;
use crate::session::{CsrfToken, LogoutRequest, SecurityForm, SecurityPage, identity, logout_page, security_page};
use crate::user::{Security, SessionCookie, SessionEnd, applications_of};

/// Says who is signed in. Nothing but the cookie is looked at: no address, method or identity that a proxy or a client
/// puts into a header opens anything.
pub(crate) async fn check(context: &RequestContext) -> Result<Response, Error> {
    match live_session(context).await? {
        Some((cookie, session)) => Ok(identity(&cookie.sub, &session)),
        None => context.send_to_login(),
    }
}

/// Asks people whether to sign out, and signs out who says so:
/// 1. another site cannot,
/// 2. parse the request: where to go then,
/// 3. a GET shows the page,
/// 4. end the session at the object, if it is not dead already,
/// 5. people get a page that goes on, callers of JSON get 204; the browser forgets the cookie.
pub(crate) async fn logout(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let is_post = context.request.method == Method::Post;
    if is_post && context.is_cross_site() {
        return Err(Failure::of(403, ErrorCode::InvalidForm, "Another site cannot sign you out.").into());
    }
    // 2.
    let logout = LogoutRequest::parse(&context.request)?;
    let cookie = presented(context);
    if let Some(cookie) = &cookie {
        context.audit.set_user(&cookie.sub);
    }
    // 3.
    let home = context.settings.client_area.base().as_str();
    if !is_post {
        context.audit.defer("logout_asked");
        let markup = logout_page(cookie.as_ref().map(|cookie| cookie.sub.as_str()), &logout, home);
        return Ok(page::response(200, markup).with_own_referrer());
    }
    // 4.
    if let Some(cookie) = cookie {
        end(&cookie, SessionEnd::SignedOut, context).await?;
    }
    // 5.
    let response = match context.request.wants_page() {
        false => Response::empty(204),
        true => {
            let place = context.settings.client_area.place(logout.return_to.as_ref());
            page::after_form(&context.request, "You are signed out", "Go to the client area", &place)
        }
    };
    Ok(SessionCookie::clear(response).with("Clear-Site-Data", "\"cache\", \"storage\""))
}

/// Shows users their sessions, and does what they ask there:
/// 1. another site cannot,
/// 2. the browser presents a session that stands,
/// 3. a POST says what is asked, and proves that it comes from the page of this session,
/// 4. the object checks the session and does it: one request,
/// 5. show the page; after a POST by a page that goes on to it, so that reloading repeats nothing. That page leads on to
///    `LOGIN_URL` too, where the form ended the very session it came from.
pub(crate) async fn security(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let is_post = context.request.method == Method::Post;
    if is_post && context.is_cross_site() {
        return Err(Failure::of(403, ErrorCode::InvalidForm, "Another site cannot change this.").into());
    }
    // 2.
    let Some(cookie) = presented(context) else { return context.send_to_login() };
    context.audit.set_user(&cookie.sub);
    if !stands(&cookie, context).await? {
        return context.send_to_login();
    }
    let csrf_token = CsrfToken { sid: cookie.sid.clone() };
    let (sid, user) = (cookie.sid.clone(), context.user(&cookie.sub, Placement::NearCaller));
    if !is_post {
        // 4. and 5. of a GET.
        return match user.review(sid).await? {
            Some(security) => show_security(&cookie, security, &csrf_token, context).await,
            None => context.send_to_login(),
        };
    }
    // 3.
    let form = SecurityForm::parse(&context.request)?;
    csrf_token.check(&form.csrf_token, &context.settings.keys)?;
    // 4.
    if !user.act_as_user(sid, form.action).await? {
        return context.send_to_login();
    }
    // 5.
    let place = format!("{}/account/security", context.settings.issuer.as_str());
    Ok(page::after_form(&context.request, "Done", "Go to your sessions", &place))
}

/// The page, with the names of the applications, and without sessions whose application's sessions were ended: one KV read.
async fn show_security(
    cookie: &SessionCookie,
    mut security: Security,
    csrf_token: &CsrfToken,
    context: &RequestContext,
) -> Result<Response, Error> {
    let ids: Vec<_> = applications_of(&security.sessions).into_iter().collect();
    let applications = context.kv()?.applications(&ids).await?;
    security.sessions.retain(|session| {
        let application = applications.iter().find(|application| application.id == session.client_id);
        !session.is_ended_by(application.and_then(|application| application.not_before))
    });
    let names: Vec<_> =
        applications.iter().filter_map(|application| Some((&application.id, application.name()?))).collect();
    let home = context.settings.client_area.base().as_str();
    let markup = security_page(&SecurityPage {
        user: &cookie.sub,
        current: &cookie.sid,
        security: &security,
        applications: &names,
        csrf_token: &csrf_token.seal(&context.settings.keys)?,
        home,
    });
    Ok(page::response(200, markup).with_own_referrer())
}
