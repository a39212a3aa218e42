//! `/oauth/session`, `/oauth/logout` and `/account/security`: the routes that authenticate by the session cookie.

use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::sessions::{end, is_valid, live_session, session_cookie};
use crate::http::{ErrorCode, Failure, Method, Response};
use crate::page;
use crate::session::{CsrfToken, LogoutRequest, SecurityForm, SecurityPage, identity, logout_page, security_page};
use crate::user::{Security, SessionCookie, SessionEnd, applications_of};

/// Answers who is signed in, by the session cookie alone. Headers that a proxy or a client adds have no influence.
pub(crate) async fn check(context: &RequestContext) -> Result<Response, Error> {
    match live_session(context).await? {
        Some((cookie, session)) => Ok(identity(&cookie.sub, &session)),
        None => context.send_to_login(),
    }
}

/// Shows the sign-out page, and signs out:
/// 1. refuse a POST from another site,
/// 2. parse the request,
/// 3. answer a GET with the sign-out page,
/// 4. end the session in the user's object: one object request,
/// 5. delete the cookie; browsers get a page that redirects to the client area, other callers get 204.
pub(crate) async fn logout(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let is_post = context.request.method == Method::Post;
    if is_post && context.is_cross_site() {
        return Err(Failure::of(403, ErrorCode::InvalidForm, "Another site cannot sign you out.").into());
    }
    // 2.
    let logout = LogoutRequest::parse(&context.request)?;
    let cookie = session_cookie(context);
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
    let response = if context.request.wants_page() {
        let place = context.settings.client_area.place(logout.return_to.as_ref());
        page::after_form(&context.request, "You are signed out", "Go to the client area", &place)
    } else {
        Response::empty(204)
    };
    Ok(SessionCookie::clear(response).with("Clear-Site-Data", "\"cache\", \"storage\""))
}

/// Shows users their sessions, and runs the actions on this page:
/// 1. refuse a POST from another site,
/// 2. verify the session cookie: one KV read if a delegated set or an API credential opened the session,
/// 3. parse a POST, and check its CSRF token,
/// 4. let the user's object check the session and run the action: one object request,
/// 5. show the page; after a POST, redirect to it, so that a reload does not repeat the action. If the action ended the
///    current session, the redirect leads on to `LOGIN_URL`.
pub(crate) async fn security(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let is_post = context.request.method == Method::Post;
    if is_post && context.is_cross_site() {
        return Err(Failure::of(403, ErrorCode::InvalidForm, "Another site cannot change this.").into());
    }
    // 2.
    let Some(cookie) = session_cookie(context) else { return context.send_to_login() };
    context.audit.set_user(&cookie.sub);
    if !is_valid(&cookie, context).await? {
        return context.send_to_login();
    }
    let csrf_token = CsrfToken { sid: cookie.sid.clone() };
    let (sid, user) = (cookie.sid.clone(), context.user_near_caller(&cookie.sub));
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

/// The page of sessions, with the names of applications and without ended sessions. Costs one KV read.
async fn show_security(
    cookie: &SessionCookie,
    mut security: Security,
    csrf_token: &CsrfToken,
    context: &RequestContext,
) -> Result<Response, Error> {
    let ids = applications_of(&security.sessions);
    let applications = context.kv().applications(&ids).await?;
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
