//! `POST /oauth/token`.

use super::fault::Trouble;
use super::kv::Kv;
use super::platform::random;
use super::site::{Site, Trail};
use crate::http::{Request, Response};
use crate::id::TokenId;
use crate::log::Outcome;
use crate::oauth::{ApplicationLink, TokenError, TokenRequest, grant, token_response};
use crate::token::{Claims, SsoToken, TokenRecord};
use worker::Context;

/// Exchanges a credential set for a token:
/// 1. parse the request: a token request, or a click on an application link of cPanel,
/// 2. read the credential set: one KV read,
/// 3. decide, and sign the token,
/// 4. keep a record, after the answer: one KV write,
/// 5. answer.
pub(super) async fn serve(
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<Response, Trouble> {
    // 1.
    let (token_request, attempts_before) = if ApplicationLink::is_at(request) {
        let link = ApplicationLink::parse(request).map_err(|error| refuse(error, trail))?;
        (link.token_request, Some(link.attempts_before))
    } else {
        (TokenRequest::parse(request).map_err(|error| refuse(error, trail))?, None)
    };
    let client_id = token_request.client.client_id.clone();
    trail.client_id = Some(client_id.clone());
    // 2.
    let kv = site.kv()?;
    let set = match (kv.credential(&client_id).await, attempts_before) {
        (Err(fault), Some(attempts_before)) => {
            worker::console_error!("{}", fault.log_line(trail.event, &site.request_id));
            trail.outcome = Outcome::Deferred;
            trail.reason = Some("retry");
            return Ok(ApplicationLink::retry(attempts_before));
        }
        (set, _) => set?,
    };
    // 3.
    let jti = TokenId::from_random(random()?);
    let claims = grant(token_request, set.as_ref(), &site.settings, site.now, jti).map_err(|e| refuse(e, trail))?;
    trail.user_id = Some(claims.sub.clone());
    trail.jti = Some(claims.jti.clone());
    let token = SsoToken::mint(claims, &site.settings.keys)?;
    // 4.
    keep_record(kv, &token.claims, site, context, trail);
    // 5.
    Ok(match attempts_before {
        Some(_) => ApplicationLink::response(&token, &site.settings.issuer),
        None => token_response(&token, &site.settings),
    })
}

/// Tells the caller of a [`TokenError`], and the log why.
pub(super) fn refuse(error: TokenError, trail: &mut Trail) -> Trouble {
    trail.reason = Some(error.reason());
    let failure = error.failure();
    trail.is_failed_attempt = failure.is_failed_attempt;
    Trouble::Caller(failure)
}

/// Keeps the record of an issued token, after the answer. A lost record costs a look-up, never a sign-in.
pub(super) fn keep_record(kv: Kv, claims: &Claims, site: &Site, context: &Context, trail: &Trail) {
    let (record, event, request_id) = (TokenRecord::from(claims), trail.event, site.request_id.clone());
    context.wait_until(async move {
        if let Err(fault) = kv.put_token_record(&record).await {
            worker::console_error!("{}", fault.log_line(event, &request_id));
        }
    });
}
