//! `POST /oauth/token`.

use crate::edge::runtime::platform::random;
use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::kv::put_record_after_answer;
use crate::http::Response;
use crate::id::TokenId;
use crate::oauth::{ApplicationLink, TokenRequest, grant, token_response};
use crate::token::SsoToken;

/// Issues a token to a client:
/// 1. parse the request: a token request, or a click on an application link of cPanel,
/// 2. read the credential set: one KV read,
/// 3. authenticate the client, decide, and sign the token,
/// 4. store the record of the token after the answer: one KV write,
/// 5. answer.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let (token_request, attempts_before) = if ApplicationLink::is_at(&context.request) {
        let link = ApplicationLink::parse(&context.request).map_err(|error| context.audit.refuse(error))?;
        (link.token_request, Some(link.attempts_before))
    } else {
        (TokenRequest::parse(&context.request).map_err(|error| context.audit.refuse(error))?, None)
    };
    let client_id = token_request.client.client_id.clone();
    context.audit.set_client(&client_id);
    // 2.
    let kv = context.kv();
    let set = match (kv.credential(&client_id).await, attempts_before) {
        (Err(fault), Some(attempts_before)) => {
            context.audit.report(&fault);
            context.audit.defer("retry");
            return Ok(ApplicationLink::retry(attempts_before));
        }
        (set, _) => set?,
    };
    // 3.
    let jti = TokenId::from_random(random()?);
    let claims =
        grant(token_request, set.as_ref(), &context.settings, context.now, jti).map_err(|e| context.audit.refuse(e))?;
    context.audit.set_user(&claims.sub);
    context.audit.set_token(&claims.jti);
    let token = SsoToken::mint(claims, &context.settings.keys)?;
    // 4.
    put_record_after_answer(kv, &token.claims, context);
    // 5.
    Ok(match attempts_before {
        Some(_) => ApplicationLink::response(&token, &context.settings.issuer),
        None => token_response(&token, &context.settings),
    })
}
