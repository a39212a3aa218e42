//! `GET` and `POST /oauth/singlesignon`.

use super::fault::{Fault, Trouble};
use super::kv::Application;
use super::platform::random;
use super::session_endpoints::presented;
use super::site::{Placement, Site, Trail};
use super::standing::stands;
use crate::http::{Request, Response, WayBack};
use crate::id::{ClientId, SessionId, UserId};
use crate::log::Outcome;
use crate::page;
use crate::sso::{BrowserNonce, Journey, SsoRequest, SwitchConfirmation, signed_in, switch_page};
use crate::token::{self, Claims, TokenRefusal};
use crate::user::{Command, Denial, Redemption, Replay, Reply, SessionCookie, SessionEnd, Turn};
use worker::Context;

/// Redeems a token and redirects. Until step 6, nothing is spent:
/// 1. only a top-level navigation may go on,
/// 2. parse the request,
/// 3. let a browser come back with its cookies, where that is needed,
/// 4. open the token and plan the journey,
/// 5. a session does not count if its application's sessions were ended; ask before switching from another user's live session,
/// 6. let the user's object decide: one request,
/// 7. redirect, with the session cookie unless the browser has it.
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
    // 3.
    let presented = presented(request, site);
    if let Some(round) = way_round(request, &sso, presented.is_some(), site, trail)? {
        return Ok(round);
    }
    // 4.
    let claims = match token::open(&sso.access_token, &site.settings.keys, &site.settings.issuer, site.now) {
        Ok(claims) => claims,
        Err(refusal) => {
            if let TokenRefusal::Denied(Denial::TokenExpired, claims) = &refusal {
                let presented = presented.filter(|cookie| cookie.sub == claims.sub).map(|cookie| cookie.sid);
                let replay = Replay { jti: claims.jti.clone(), client_id: claims.client_id.clone(), presented };
                ask_after_answer(context, request, site, claims.sub.clone(), Command::NoteReplay(replay));
            }
            return Err(refuse(request, refusal, site, trail).await);
        }
    };
    trail.client_id = Some(claims.client_id.clone());
    trail.user_id = Some(claims.sub.clone());
    trail.jti = Some(claims.jti.clone());
    let journey = Journey::plan(&sso, &claims, &site.settings.client_area)?;
    // 5.
    let presented = match presented {
        Some(cookie) if stands(&cookie, request, site).await? => Some(cookie),
        Some(_) | None => None,
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
    let session = match redeem(request, &claims, &journey, own.clone(), site).await? {
        Reply::SignedIn(session) => session,
        Reply::Repeated(session) => {
            trail.reason = Some("repeated");
            session
        }
        Reply::Denied(denial) => {
            return Err(refuse(request, TokenRefusal::Denied(denial, Box::new(claims)), site, trail).await);
        }
        other => return Err(super::object::unexpected(&other).into()),
    };
    // 7.
    if let Some(other) = other {
        trail.reason.get_or_insert("switched");
        // The browser gave this session up: its cookie is replaced.
        let command = Command::EndSession(other.sid, SessionEnd::Switched);
        ask_after_answer(context, request, site, other.sub, command);
    }
    let response = signed_in(request, &sso, &journey.location);
    if own.is_some_and(|own| own == session.id) {
        return Ok(response);
    }
    let cookie = SessionCookie::of(&claims.sub, &session, claims.delegated);
    Ok(cookie.set(response, &site.settings.keys, site.settings.session_limits.max)?)
}

/// The redirect that lets the browser come back with its cookies, where that is needed. It spends nothing.
///
/// A SameSite=Lax cookie does not come with another site's POST, but with the GET after a redirect. With the setting
/// `BROWSER_NONCE`, every link comes back as a marked GET, and the browser has a nonce by then. A nonce that it holds
/// already stays, so that two clicks never have two.
fn way_round(
    request: &Request,
    sso: &SsoRequest,
    has_session: bool,
    site: &Site,
    trail: &mut Trail,
) -> Result<Option<Response>, Fault> {
    let lacks_cookies = !has_session && request.is_cross_site(site.settings.issuer.as_str());
    let is_signets_form = sso.is_post && sso.switch.is_some();
    let lacks_nonce = site.settings.browser_nonce && !sso.is_marked && !is_signets_form;
    let endpoint = site.settings.issuer.sso_endpoint();
    let (reason, round) = if sso.is_post && (lacks_cookies || lacks_nonce) {
        ("sent_round", Response::redirect(303, &format!("{endpoint}?{}", sso.to_query(false))))
    } else if lacks_nonce {
        let nonce = match BrowserNonce::of(request) {
            Some(nonce) => nonce,
            None => BrowserNonce::from_random(random()?),
        };
        ("nonce_given", nonce.kept(Response::redirect(302, &format!("{endpoint}?{}", sso.to_query(true)))))
    } else {
        return Ok(None);
    };
    trail.outcome = Outcome::Deferred;
    trail.reason = Some(reason);
    Ok(Some(round))
}

/// Refuses. People who hold a dead link are shown the way back.
async fn refuse(request: &Request, refusal: TokenRefusal, site: &Site, trail: &mut Trail) -> Trouble {
    let mut failure = refusal.failure();
    trail.reason = Some(refusal.reason());
    trail.is_failed_attempt = failure.is_failed_attempt;
    trail.ends_session = failure.clears_session;
    if let TokenRefusal::Denied(_, claims) = refusal {
        if failure.status == 401 && request.wants_page() {
            failure.way_back = way_back(&claims.client_id, site).await.map(Box::new);
        }
        trail.user_id = Some(claims.sub);
    }
    Trouble::Caller(failure)
}

/// The way back of a person whose link is dead: to the application's own page if its credential set names one, else to
/// `LOGIN_URL`. One KV read; if it fails, the refusal does not change.
async fn way_back(client_id: &ClientId, site: &Site) -> Option<WayBack> {
    let set = match site.kv() {
        Ok(kv) => kv.credential(client_id).await.ok().flatten(),
        Err(_) => None,
    };
    set.and_then(|set| set.way_back()).or_else(|| {
        let login_url = site.settings.login_url.as_ref()?;
        Some(WayBack { label: "Sign in".to_owned(), address: login_url.to_string() })
    })
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
    let answer = sso.switch.as_ref().filter(|_| sso.is_post);
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
    let markup = switch_page(other.sub.as_str(), claims.sub.as_str(), &sealed, repeated, home);
    Ok(Some(page::response(200, markup)))
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
        let applications = site.kv()?.applications(&[&claims.client_id]).await?;
        if !applications.iter().any(Application::signs_in_anybody) {
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
        nonce: BrowserNonce::of(request).filter(|_| site.settings.browser_nonce).map(|nonce| nonce.digest()),
        session_id: SessionId::from_random(random()?),
        session_idle: site.settings.session_limits.idle,
        session_max: site.settings.session_limits.max,
    });
    Ok(site.ask(&claims.sub, Placement::NearCaller, request, command).await?)
}

/// Asks the object of `user` to do what the answer need not wait for.
fn ask_after_answer(context: &Context, request: &Request, site: &Site, user: UserId, command: Command) {
    let (env, request_id, caller) = (site.env.clone(), site.request_id.clone(), request.caller());
    let turn = Turn { request_id, caller, command };
    context.wait_until(async move {
        if let Err(fault) = super::user_object::ask(&env, &user, None, &turn).await {
            worker::console_error!("{}", fault.log_line("sso", &turn.request_id));
        }
    });
}
