//! `GET /oauth/session` and `POST /oauth/logout`.

use super::fault::Trouble;
use super::site::{Placement, Site, Trail};
use crate::admin::session_json;
use crate::http::{Failure, Format, Request, Response};
use crate::sso::{SESSION_COOKIE, cookie_cleared};
use crate::user::{Command, Reply, SessionCookie, SessionEnd};

fn presented(request: &Request, site: &Site) -> Option<SessionCookie> {
    SessionCookie::open(request.cookie(SESSION_COOKIE)?, &site.settings.keys, site.now)
}

/// Says who is signed in: 200 with the session, or 401.
pub(super) async fn check(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    const NOBODY: Failure = Failure::of(401, "invalid_session", "Nobody is signed in.")
        .with("WWW-Authenticate", r#"Bearer realm="signet""#);
    let cookie = presented(request, site).ok_or(NOBODY)?;
    trail.user_id = Some(cookie.sub.clone());
    match site.ask(&cookie.sub, Placement::NearCaller, request, Command::CheckSession(cookie.sid)).await? {
        Reply::Session(session) => {
            let mut body = session_json(&session);
            if let Some(fields) = body.as_object_mut() {
                fields.insert("user_id".to_owned(), cookie.sub.as_str().into());
            }
            Ok(Response::json(200, &body))
        }
        Reply::Missing => Err(NOBODY.into()),
        reply => Err(super::user_object::unexpected(&reply).into()),
    }
}

/// Ends the session: people go to the client area, callers of JSON get 204. Signing out twice is fine.
pub(super) async fn logout(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    if request.is_cross_site(site.settings.issuer.as_str()) {
        return Err(Failure::of(403, "access_denied", "Another site cannot sign you out.").into());
    }
    if let Some(cookie) = presented(request, site) {
        trail.user_id = Some(cookie.sub.clone());
        let command = Command::EndSession(cookie.sid, SessionEnd::SignedOut);
        match site.ask(&cookie.sub, Placement::NearCaller, request, command).await? {
            Reply::Done | Reply::Missing => {}
            reply => return Err(super::user_object::unexpected(&reply).into()),
        }
    }
    let response = match request.format() {
        Format::Json | Format::Problem => Response::empty(204),
        Format::Page => Response::redirect(303, site.settings.client_area.base().as_str()),
    };
    Ok(cookie_cleared(response).with("Clear-Site-Data", "\"cache\", \"storage\""))
}
