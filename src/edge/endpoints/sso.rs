//! `GET` and `POST /oauth/singlesignon`.

use crate::credential::CredentialSet;
use crate::edge::runtime::platform::random;
use crate::edge::runtime::{Error, Fault, RequestContext};
use crate::edge::storage::calls::Redeemed;
use crate::edge::storage::kv::Application;
use crate::edge::storage::sessions::{is_valid, session_cookie};
use crate::http::{Response, ReturnLink};
use crate::id::{ClientId, SessionId};
use crate::page;
use crate::sso::{BrowserNonce, Redirect, SsoRequest, SwitchConfirmation, signed_in_response, switch_page};
use crate::token::{self, Claims, TokenRefusal};
use crate::user::{Denial, Redemption, Replay, SessionCookie, SessionEnd};

/// Signs a user in with a token. Steps 1 to 5 do not change the token:
/// 1. refuse a request that is no top-level navigation,
/// 2. parse the request,
/// 3. redirect once, if that makes the browser send its cookies,
/// 4. open the token, and plan the redirect,
/// 5. ask the person before the browser switches from the live session of another user,
/// 6. let the user's object decide: one object request,
/// 7. redirect to the destination, with the session cookie unless the browser has it.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    SsoRequest::check_navigation(&context.request)?;
    // 2.
    let sso = SsoRequest::parse(&context.request)?;
    // 3.
    let cookie = session_cookie(context);
    if let Some(detour) = redirect_for_cookies(&sso, cookie.is_some(), context)? {
        return Ok(detour);
    }
    // 4.
    let claims = open_token(&sso, cookie.as_ref(), context).await?;
    let redirect = Redirect::plan(&sso, &claims, &context.settings.client_area)?;
    // 5.
    let (own, other) = match cookie {
        Some(cookie) if !is_valid(&cookie, context).await? => (None, None),
        Some(cookie) if cookie.sub == claims.sub => (Some(cookie.sid), None),
        cookie => (None, cookie),
    };
    if let Some(other) = &other
        && let Some(page) = ask_before_switching(&sso, &claims, other, context).await?
    {
        context.audit.defer("switch_asked");
        return Ok(page);
    }
    // 6.
    let (session, reason) = match redeem(&claims, &redirect, own.clone(), context).await? {
        Redeemed::SignedIn(session) => (session, other.is_some().then_some("switched")),
        Redeemed::Repeated(session) => (session, Some("repeated")),
        Redeemed::Denied(denial) => return Err(refuse(TokenRefusal::Denied(denial, Box::new(claims)), context).await),
    };
    context.audit.reason.set(reason);
    // 7.
    if let Some(other) = other {
        // The new cookie replaces the cookie of this session.
        let user = context.user_near_caller(&other.sub);
        context.after_answer(user.end_session(other.sid, SessionEnd::Switched));
    }
    let response = signed_in_response(&context.request, &sso, &redirect.location);
    if own.is_some_and(|own| own == session.id) {
        return Ok(response);
    }
    let cookie = SessionCookie::of(&claims.sub, &session, claims.delegated);
    Ok(cookie.set(response, &context.settings.keys, context.settings.session_limits.max)?)
}

/// The claims of the token. Logs them, and reports the use of an expired token to the user's object after the answer.
async fn open_token(
    sso: &SsoRequest,
    cookie: Option<&SessionCookie>,
    context: &RequestContext,
) -> Result<Claims, Error> {
    let opened = token::open(&sso.access_token, &context.settings.keys, &context.settings.issuer, context.now);
    if let Err(TokenRefusal::Denied(Denial::TokenExpired, claims)) = &opened {
        let browser_session = cookie.filter(|cookie| cookie.sub == claims.sub).map(|cookie| cookie.sid.clone());
        let replay = Replay { jti: claims.jti.clone(), client_id: claims.client_id.clone(), browser_session };
        context.after_answer(context.user_near_caller(&claims.sub).note_replay(replay));
    }
    let claims = match opened {
        Ok(claims) => claims,
        Err(refusal) => return Err(refuse(refusal, context).await),
    };
    context.audit.set_client(&claims.client_id);
    context.audit.set_user(&claims.sub);
    context.audit.set_token(&claims.jti);
    Ok(claims)
}

/// A redirect to this endpoint after which the browser sends its cookies, if that is needed. It does not change the
/// token.
///
/// Browsers do not send a SameSite=Lax cookie with a POST from another site, but with the GET after a redirect. With
/// the setting `BROWSER_NONCE`, the redirect also sets a nonce and marks the link. A browser keeps an existing nonce,
/// so that both requests of a double click have the same nonce.
fn redirect_for_cookies(
    sso: &SsoRequest,
    has_session: bool,
    context: &RequestContext,
) -> Result<Option<Response>, Fault> {
    let lacks_cookies = !has_session && context.is_cross_site();
    let is_signets_form = sso.is_post && sso.switch.is_some();
    let lacks_nonce = context.settings.browser_nonce && !sso.has_nonce_parameter && !is_signets_form;
    let endpoint = context.settings.issuer.sso_endpoint();
    let (reason, redirect) = if sso.is_post && (lacks_cookies || lacks_nonce) {
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
    Ok(Some(redirect))
}

/// The failure for `refusal`. On the page of a 401, a link leads back to where the person can sign in.
async fn refuse(refusal: TokenRefusal, context: &RequestContext) -> Error {
    let mut failure = refusal.failure();
    context.audit.set_reason(refusal.reason());
    if let TokenRefusal::Denied(_, claims) = &refusal {
        context.audit.set_user(&claims.sub);
        if failure.status == 401 && context.request.wants_page() {
            failure.return_link = sign_in_link(&claims.client_id, context).await.map(Box::new);
        }
    }
    failure.into()
}

/// The link on the page of a token that is not accepted: to the page that the credential set names, or to `LOGIN_URL`.
/// Costs one KV read. If the read fails, the link leads to `LOGIN_URL`.
async fn sign_in_link(client_id: &ClientId, context: &RequestContext) -> Option<ReturnLink> {
    let set = context.kv().credential(client_id).await.ok().flatten();
    set.and_then(CredentialSet::into_return_link).or_else(|| {
        let login_url = context.settings.login_url.as_ref()?;
        Some(ReturnLink { label: "Sign in".to_owned(), address: login_url.to_string() })
    })
}

/// The page that asks before switching; `None` if the person has confirmed or the other session is not live. Costs at
/// most one object request.
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
    if context.user_near_caller(&other.sub).check_session(other.sid.clone()).await?.is_none() {
        return Ok(None);
    }
    let home = context.settings.client_area.base().as_str();
    // The form posts to the address of the page, so it contains only the other parameters.
    let in_address = |name: &str| form_urlencoded::parse(context.request.query.as_bytes()).any(|(key, _)| key == name);
    let repeated = sso.fields().filter(|(name, _)| !in_address(name));
    let sealed = confirmation.seal(&context.settings.keys)?;
    let markup = switch_page(other.sub.as_str(), claims.sub.as_str(), &sealed, repeated, home);
    Ok(Some(page::response(200, markup)))
}

/// Redeems the token at the user's object. Before that, checks a delegated set or an API credential in KV: one KV read.
async fn redeem(
    claims: &Claims,
    redirect: &Redirect,
    browser_session: Option<SessionId>,
    context: &RequestContext,
) -> Result<Redeemed, Fault> {
    if claims.delegated {
        let applications = context.kv().applications(&[&claims.client_id]).await?;
        if !applications.iter().any(Application::may_sign_in_any_user) {
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
        browser_session,
        nonce: BrowserNonce::of(&context.request)
            .filter(|_| context.settings.browser_nonce)
            .map(|nonce| nonce.digest()),
        session_id: SessionId::from_random(random()?),
        session_idle: context.settings.session_limits.idle,
        session_max: context.settings.session_limits.max,
    };
    context.user_near_caller(&claims.sub).redeem(redemption).await
}
