//! `GET` and `POST /oauth/singlesignon`.

use super::fault::Trouble;
use super::kv::Application;
use super::platform::random;
use super::session_endpoints::presented;
use super::site::{Placement, Site, Trail};
use super::standing::standing;
use crate::http::{Request, Response};
use crate::id::{SessionId, UserId};
use crate::log::Outcome;
use crate::page;
use crate::sso::{Denial, Journey, Refusal, SsoRequest, SwitchConfirmation, signed_in};
use crate::token::{self, Claims};
use crate::user::{Command, Redemption, Reply, SessionCookie, SessionEnd};
use worker::Context;

/// Redeems a token and redirects. Until step 6, nothing is spent:
/// 1. only a top-level navigation may go on,
/// 2. parse the request,
/// 3. let a browser that could not send its cookie come back with it,
/// 4. open the token and plan the journey,
/// 5. a session that ended with all of its application does not count; ask before switching from another user's live session,
/// 6. let the user's object decide: one request,
/// 7. redirect.
pub(super) async fn serve(
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<Response, Trouble> {
    // 1.
    SsoRequest::check_navigation(request)?;
    // 2.
    let sso = SsoRequest::parse(request)?;
    // 3. A SameSite=Lax cookie does not come with another site's POST, but with the GET after a redirect.
    let presented = presented(request, site);
    if sso.is_post && presented.is_none() && request.is_cross_site(site.settings.issuer.as_str()) {
        trail.outcome = Outcome::Deferred;
        trail.reason = Some("cross_site_post");
        let again = format!("{}?{}", site.settings.issuer.sso_endpoint(), sso.to_query());
        return Ok(Response::redirect(303, &again));
    }
    // 4.
    let claims = token::open(&sso.access_token, &site.settings.keys, &site.settings.issuer, site.now)
        .map_err(|refusal| refuse(refusal.into(), trail))?;
    trail.client_id = Some(claims.client_id.clone());
    trail.user_id = Some(claims.sub.clone());
    trail.jti = Some(claims.jti.clone());
    let journey = Journey::plan(&sso, &claims, &site.settings.client_area)?;
    // 5.
    let presented = match presented {
        Some(cookie) => standing(cookie, request, site).await?,
        None => None,
    };
    let (own, other) = match presented {
        Some(cookie) if cookie.sub == claims.sub => (Some(cookie.sid), None),
        Some(cookie) => (None, Some(cookie)),
        None => (None, None),
    };
    if let Some(other) = &other
        && let Some(page) = ask_before_switching(request, &sso, &claims, other, site).await?
    {
        trail.outcome = Outcome::Deferred;
        trail.reason = Some("switch_asked");
        return Ok(page);
    }
    // 6.
    let reply = redeem(request, &claims, &journey, own, site).await?;
    // 7.
    let session = match reply {
        Reply::SignedIn(session) => session,
        Reply::Repeated(_) => {
            trail.reason = Some("repeated");
            return Ok(signed_in(sso.is_post, &journey.location, None));
        }
        Reply::Denied(denial) => {
            trail.ends_session = denial == Denial::ClosedWithSession;
            return Err(refuse(Refusal::Denied(denial, claims.sub), trail));
        }
        other => return Err(super::object::unexpected(&other).into()),
    };
    if let Some(other) = other {
        trail.reason = Some("switched");
        end_switched_session(context, request, site, other);
    }
    let cookie = SessionCookie::of(&claims.sub, &session, claims.delegated).seal(&site.settings.keys)?;
    Ok(signed_in(sso.is_post, &journey.location, Some((&cookie, site.settings.session_limits.max))))
}

fn refuse(refusal: Refusal, trail: &mut Trail) -> Trouble {
    trail.reason = Some(match &refusal {
        Refusal::Forged => {
            trail.is_failed_attempt = true;
            "forged"
        }
        Refusal::Denied(denial, user) => {
            trail.user_id = Some(user.clone());
            denial.reason()
        }
    });
    Trouble::Caller(refusal.failure())
}

/// The page that asks, unless the other session is dead or the question was answered.
async fn ask_before_switching(
    request: &Request,
    sso: &SsoRequest,
    claims: &Claims,
    other: &SessionCookie,
    site: &Site,
) -> Result<Option<Response>, Trouble> {
    let confirmation = SwitchConfirmation { jti: claims.jti.clone(), sid: other.sid.clone() };
    let answer = sso.switch.as_deref().filter(|_| sso.is_post);
    if answer.is_some_and(|answer| confirmation.is_confirmed_by(answer, &site.settings.keys)) {
        return Ok(None);
    }
    let check = Command::CheckSession(other.sid.clone());
    match site.ask(&other.sub, Placement::NearCaller, request, check).await? {
        Reply::Session(_) => {}
        Reply::Missing => return Ok(None),
        reply => return Err(super::object::unexpected(&reply).into()),
    }
    let home = site.settings.client_area.base().as_str();
    // The form posts to the address of the page, so it repeats only what that does not say.
    let in_address = |name: &str| form_urlencoded::parse(request.query.as_bytes()).any(|(key, _)| key == name);
    let repeated = sso.fields().filter(|(name, _)| !in_address(name));
    let sealed = confirmation.seal(&site.settings.keys)?;
    let markup = page::switch(other.sub.as_str(), claims.sub.as_str(), &sealed, repeated, home);
    Ok(Some(Response::html(200, markup, Some(home))))
}

/// Asks the user's object; before that, KV whether a delegated set or an API credential still stands: one KV read.
async fn redeem(
    request: &Request,
    claims: &Claims,
    journey: &Journey,
    presented: Option<SessionId>,
    site: &Site,
) -> Result<Reply, Trouble> {
    if claims.delegated {
        let applications = site.kv()?.applications([&claims.client_id].into_iter()).await?;
        if !applications.values().any(Application::is_enabled) {
            return Ok(Reply::Denied(Denial::CredentialRevoked));
        }
    }
    let command = Command::Redeem(Redemption {
        jti: claims.jti.clone(),
        expires_at: claims.exp,
        client_id: claims.client_id.clone(),
        delegated: claims.delegated,
        destination: journey.destination,
        service_id: journey.inputs.service_id.clone(),
        domain_id: journey.inputs.domain_id.clone(),
        presented,
        session_id: SessionId::from_random(random()?),
        session_idle: site.settings.session_limits.idle,
        session_max: site.settings.session_limits.max,
    });
    Ok(site.ask(&claims.sub, Placement::NearCaller, request, command).await?)
}

/// Ends the session that the browser gave up, after the answer. Its cookie is replaced already.
fn end_switched_session(context: &Context, request: &Request, site: &Site, other: SessionCookie) {
    let (env, request_id, caller) = (site.env.clone(), site.request_id.clone(), request.caller());
    let command = Command::EndSession(other.sid, SessionEnd::Switched);
    let turn = crate::user::Turn { request_id, caller, command };
    let user: UserId = other.sub;
    context.wait_until(async move {
        if let Err(fault) = super::user_object::ask(&env, &user, None, &turn).await {
            worker::console_error!("{}", fault.log_line("sso", &turn.request_id));
        }
    });
}
