//! `POST /oauth/revoke`, `POST /oauth/introspect` and `GET /oauth/receipts/{jti}`: requests of applications about their
//! tokens.

use crate::credential::ClientAuthentication;
use crate::edge::runtime::{Error, RequestContext};
use crate::edge::storage::tokens;
use crate::http::{ErrorCode, Failure, Response};
use crate::id::UserId;
use crate::oauth::{IssuedTokenRequest, ReceiptRequest, TokenError, introspection_response};
use crate::settings::TokenRecords;
use crate::token::{self, Claims};
use crate::user::{Actor, Introspection, TokenRevocation};

/// Revokes a token (RFC 7009):
/// 1. parse the request,
/// 2. authenticate the client: one KV read,
/// 3. answer 200 for an expired or unknown token (RFC 7009 section 2.2),
/// 4. refuse a token of another client,
/// 5. revoke the token in the user's object: one object request.
pub(crate) async fn revoke(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let request = IssuedTokenRequest::parse(&context.request).map_err(|error| context.audit.refuse(error))?;
    // 2.
    authenticate(&request.client, context).await?;
    // 3.
    let Some(claims) = open(&request, context) else {
        context.audit.set_reason("unknown_token");
        return Ok(revoked());
    };
    context.audit.set_token(&claims.jti);
    // 4.
    if claims.client_id != request.client.client_id {
        return Err(context.audit.refuse(TokenError::ForeignToken));
    }
    // 5.
    context.audit.set_user(&claims.sub);
    let revocation = TokenRevocation {
        jti: claims.jti,
        client_id: claims.client_id,
        expires_at: claims.exp,
        by: Some(Actor::Application),
    };
    context.user(&claims.sub).revoke_token(revocation).await?;
    Ok(revoked())
}

/// The answer to a revocation. Clients ignore its content (RFC 7009 section 2.2), but some parse it as JSON.
fn revoked() -> Response {
    Response::json_text(200, "{}".to_owned())
}

/// Answers whether a token would sign its user in (RFC 7662). The token stays redeemable:
/// 1. parse the request,
/// 2. authenticate the client: one KV read,
/// 3. a token that is expired, unknown or of another client is not active,
/// 4. ask the user's object: one object request.
pub(crate) async fn introspect(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let request = IssuedTokenRequest::parse(&context.request).map_err(|error| context.audit.refuse(error))?;
    // 2.
    authenticate(&request.client, context).await?;
    // 3.
    let own = open(&request, context).filter(|claims| claims.client_id == request.client.client_id);
    let Some(claims) = own else { return Ok(introspection_response(None)) };
    context.audit.set_token(&claims.jti);
    context.audit.set_user(&claims.sub);
    // 4.
    let introspection = Introspection {
        jti: claims.jti.clone(),
        client_id: claims.client_id.clone(),
        delegated: claims.delegated,
        service_id: claims.service_id.clone(),
        domain_id: claims.domain_id.clone(),
    };
    let is_active = context.user(&claims.sub).introspect_token(introspection).await?;
    Ok(introspection_response(is_active.then_some(&claims)))
}

/// Answers the final state of a token to the client that it was issued to:
/// 1. parse the request,
/// 2. authenticate the client: one KV read,
/// 3. find the token: one KV read and one object request. Without records of tokens, the user is the one that the set is
///    bound to, or the parameter `user_id`,
/// 4. refuse a token of another client.
pub(crate) async fn receipt(context: &RequestContext) -> Result<Response, Error> {
    const NO_RECEIPT: Failure = Failure::of(
        404,
        ErrorCode::NotFound,
        "There is no receipt of such a token. A new one may take a minute to be known, and is kept for a day.",
    );
    // 1.
    let receipt = ReceiptRequest::parse(&context.request).map_err(|error| context.audit.refuse(error))?;
    // 2.
    let bound = authenticate(&receipt.client, context).await?;
    // 3.
    let no_receipt = || tokens::no_token(NO_RECEIPT, context);
    let jti = receipt.jti.ok_or_else(no_receipt)?;
    let user = match (receipt.user, bound) {
        (Some(named), Some(bound)) if named != bound => return Err(no_receipt().into()),
        (named, bound) => named.or_else(|| bound.filter(|_| context.settings.token_records == TokenRecords::Off)),
    };
    let token = tokens::find(jti, user, context).await?;
    // 4.
    let token = token.filter(|token| token.client_id() == Some(&receipt.client.client_id)).ok_or_else(no_receipt)?;
    context.audit.set_token(token.jti());
    context.audit.set_user(token.user());
    Ok(Response::json(200, &token.to_json(context.now)?))
}

/// Authenticates a client against its credential set in KV. Returns the user that the set is bound to. Costs one KV
/// read.
async fn authenticate(client: &ClientAuthentication, context: &RequestContext) -> Result<Option<UserId>, Error> {
    context.audit.set_client(&client.client_id);
    let set = context.kv().credential(&client.client_id).await?;
    match client.authenticate(set.as_ref(), context.now) {
        Ok(set) => Ok(set.user_id.clone()),
        Err(problem) => Err(context.audit.refuse(problem.into())),
    }
}

/// The claims of the token in the request, if its signature is valid and it has not expired.
fn open(request: &IssuedTokenRequest, context: &RequestContext) -> Option<Claims> {
    token::open(&request.token, &context.settings.keys, &context.settings.issuer, context.now).ok()
}
