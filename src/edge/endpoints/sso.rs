//! `GET` and `POST /oauth/singlesignon`.

use crate::edge::runtime::platform::random;
use crate::edge::runtime::{Error, Fault, RequestContext};
use crate::edge::storage::Placement;
use crate::edge::storage::calls::Redeemed;
use crate::edge::storage::kv::Application;
use crate::edge::storage::sessions::{presented, stands};
use crate::http::{Response, ReturnLink};
use crate::id::{ClientId, SessionId};
use crate::page;
use crate::sso::{BrowserNonce, Redirect, SsoRequest, SwitchConfirmation, signed_in_response, switch_page};
use crate::token::{self, Claims, TokenRefusal};
use crate::user::{Denial, Redemption, Replay, SessionCookie, SessionEnd};

/// Redeems a token and redirects. Until step 6, nothing is spent:
/// 1. only a top-level navigation may go on,
/// 2. parse the request,
/// 3. let a browser come back with its cookies, where that is needed,
/// 4. verify the token and plan the redirect,
/// 5. a session does not count if its application's sessions were ended; ask before switching from another user's live session,
/// 6. let the user's object decide: one request,
/// 7. redirect, with the session cookie unless the browser has it.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    SsoRequest::check_navigation(&context.request)?;
    // 2.
    let sso = SsoRequest::parse(&context.request)?;
    // 3.
    let presented = presented(context);
    if let Some(round) = way_round(&sso, presented.is_some(), context)? {
        return Ok(round);
    }
    // 4.
    let claims = match token::open(&sso.access_token, &context.settings.keys, &context.settings.issuer, context.now) {
        Ok(claims) => claims,
        Err(refusal) => {
            if let TokenRefusal::Denied(Denial::TokenExpired, claims) = &refusal {
                let presented = presented.filter(|cookie| cookie.sub == claims.sub).map(|cookie| cookie.sid);
                let replay = Replay { jti: claims.jti.clone(), client_id: claims.client_id.clone(), presented };
                context.after_answer(context.user(&claims.sub, Placement::NearCaller).note_replay(replay));
            }
            return Err(refuse(refusal, context).await);
        }
    };
    context.audit.set_client(&claims.client_id);
    context.audit.set_user(&claims.sub);
    context.audit.set_token(&claims.jti);
    let redirect = Redirect::plan(&sso, &claims, &context.settings.client_area)?;
    // 5.
    let presented = match presented {
        Some(cookie) if stands(&cookie, context).await? => Some(cookie),
        Some(_) | None => None,
    };
    let (own, other) = match presented {
        Some(cookie) if cookie.sub == claims.sub => (Some(cookie.sid), None),
        Some(cookie) => (None, Some(cookie)),
        None => (None, None),
    };
    if let Some(other) = &other
        && let Some(page) = ask_before_switching(&sso, &claims, other, context).await?
    {
        context.audit.defer("switch_asked");
        return Ok(page);
    }
    // 6.
    let session = match redeem(&claims, &redirect, own.clone(), context).await? {
        Redeemed::SignedIn(session) => {
            if other.is_some() {
                context.audit.set_reason("switched");
            }
            session
        }
        Redeemed::Repeated(session) => {
            context.audit.set_reason("repeated");
            session
        }
        Redeemed::Denied(denial) => {
            return Err(refuse(TokenRefusal::Denied(denial, Box::new(claims)), context).await);
        }
    };
    // 7.
    if let Some(other) = other {
        // The browser gave this session up: its cookie is replaced.
        let user = context.user(&other.sub, Placement::NearCaller);
        context.after_answer(user.end_session(other.sid, SessionEnd::Switched));
    }
    let response = signed_in_response(&context.request, &sso, &redirect.location);
    if own.is_some_and(|own| own == session.id) {
        return Ok(response);
    }
    let cookie = SessionCookie::of(&claims.sub, &session, claims.delegated);
    Ok(cookie.set(response, &context.settings.keys, context.settings.session_limits.max)?)
}

/// The redirect that lets the browser come back with its cookies, where that is needed. It spends nothing.
///
/// A SameSite=Lax cookie does not come with another site's POST, but with the GET after a redirect. With the setting
/// `BROWSER_NONCE`, every link comes back as a marked GET, and the browser has a nonce by then. A nonce that it holds
/// already stays, so that two clicks never have two.
fn way_round(sso: &SsoRequest, has_session: bool, context: &RequestContext) -> Result<Option<Response>, Fault> {
    let lacks_cookies = !has_session && context.is_cross_site();
    let is_signets_form = sso.is_post && sso.switch.is_some();
    let lacks_nonce = context.settings.browser_nonce && !sso.has_nonce_parameter && !is_signets_form;
    let endpoint = context.settings.issuer.sso_endpoint();
    let (reason, round) = if sso.is_post && (lacks_cookies || lacks_nonce) {
        ("sent_round", Response::redirect(303, &format!("{endpoint}?{}", sso.to_query(false))))
    } else if lacks_nonce {
        let nonce = match BrowserNonce::of(&context.request) {
            Some(nonce) => nonce,
            None => BrowserNonce::from_random(random()?),
        };
        ("nonce_given", nonce.set(Response::redirect(302, &format!("{endpoint}?{}", sso.to_query(true)))))
    } else {
        return Ok(None);
    };
    context.audit.defer(reason);
    Ok(Some(round))
}

/// Refuses. People who hold a dead link are shown the way back.
async fn refuse(refusal: TokenRefusal, context: &RequestContext) -> Error {
    let mut failure = refusal.failure();
    context.audit.set_reason(refusal.reason());
    if let TokenRefusal::Denied(_, claims) = &refusal {
        context.audit.set_user(&claims.sub);
        if failure.status == 401 && context.request.wants_page() {
            failure.return_link = return_link(&claims.client_id, context).await.map(Box::new);
        }
    }
    failure.into()
}

/// The way back of a person whose link is dead: to the application's own page if its credential set names one, else to
/// `LOGIN_URL`. One KV read; if it fails, the refusal does not change.
async fn return_link(client_id: &ClientId, context: &RequestContext) -> Option<ReturnLink> {
    let set = match context.kv() {
        Ok(kv) => kv.credential(client_id).await.ok().flatten(),
        Err(_) => None,
    };
    set.and_then(|set| set.into_return_link()).or_else(|| {
        let login_url = context.settings.login_url.as_ref()?;
        Some(ReturnLink { label: "Sign in".to_owned(), address: login_url.to_string() })
    })
}

/// The page that asks, unless the other session is dead or the question was answered.
async fn ask_before_switching(
    sso: &SsoRequest,
    claims: &Claims,
    other: &SessionCookie,
    context: &RequestContext,
) -> Result<Option<Response>, Error> {
    let confirmation = SwitchConfirmation { jti: claims.jti.clone(), sid: other.sid.clone() };
    let answer = sso.switch.as_ref().filter(|_| sso.is_post);
    if answer.is_some_and(|answer| confirmation.is_confirmed_by(answer, &context.settings.keys)) {
        return Ok(None);
    }
    if context.user(&other.sub, Placement::NearCaller).check_session(other.sid.clone()).await?.is_none() {
        return Ok(None);
    }
    let home = context.settings.client_area.base().as_str();
    // The form posts to the address of the page, so it repeats only what that does not say.
    let in_address = |name: &str| form_urlencoded::parse(context.request.query.as_bytes()).any(|(key, _)| key == name);
    let repeated = sso.fields().filter(|(name, _)| !in_address(name));
    let sealed = confirmation.seal(&context.settings.keys)?;
    let markup = switch_page(other.sub.as_str(), claims.sub.as_str(), &sealed, repeated, home);
    Ok(Some(page::response(200, markup)))
}

/// Asks the user's object; before that, KV whether a delegated set or an API credential still stands: one KV read.
async fn redeem(
    claims: &Claims,
    redirect: &Redirect,
    presented: Option<SessionId>,
    context: &RequestContext,
) -> Result<Redeemed, Fault> {
    if claims.delegated {
        let applications = context.kv()?.applications(&[&claims.client_id]).await?;
        if !applications.iter().any(Application::signs_in_anybody) {
            return Ok(Redeemed::Denied(Denial::CredentialRevoked));
        }
    }
    let redemption = Redemption {
        jti: claims.jti.clone(),
        expires_at: claims.exp,
        client_id: claims.client_id.clone(),
        delegated: claims.delegated,
        destination: redirect.destination,
        service_id: redirect.inputs.service_id.clone(),
        domain_id: redirect.inputs.domain_id.clone(),
        presented,
        nonce: BrowserNonce::of(&context.request)
            .filter(|_| context.settings.browser_nonce)
            .map(|nonce| nonce.digest()),
        session_id: SessionId::from_random(random()?),
        session_idle: context.settings.session_limits.idle,
        session_max: context.settings.session_limits.max,
    };
    context.user(&claims.sub, Placement::NearCaller).redeem(redemption).await
}
