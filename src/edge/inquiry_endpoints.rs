//! `POST /oauth/revoke`, `POST /oauth/introspect` and `GET /oauth/receipts/{jti}`: what applications ask about tokens.

use super::fault::Trouble;
use super::object::unexpected;
use super::site::{Placement, Site, Trail};
use super::token_endpoint::refuse;
use crate::credential::ClientAuthentication;
use crate::http::{ErrorCode, Failure, Request, Response};
use crate::oauth::{ReceiptRequest, TokenError, TokenInquiry, introspection_json};
use crate::token::{self, Claims};
use crate::user::{Actor, Command, Introspection, Reply, TokenRevocation};
use serde_json::json;

/// Revokes a token:
/// 1. parse the request,
/// 2. the client proves who it is: one KV read,
/// 3. a token that is dead or unknown is revoked enough,
/// 4. a client revokes its own tokens alone,
/// 5. the object remembers, or the answer is no success.
pub(super) async fn revoke(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    let inquiry = TokenInquiry::parse(request).map_err(|error| refuse(error, trail))?;
    // 2.
    prove(&inquiry.client, site, trail).await?;
    // 3.
    let Some(claims) = open(&inquiry, site) else {
        trail.reason = Some("unknown_token");
        return Ok(revoked());
    };
    trail.jti = Some(claims.jti.clone());
    // 4.
    if claims.client_id != inquiry.client.client_id {
        return Err(refuse(TokenError::ForeignToken, trail));
    }
    // 5.
    trail.user_id = Some(claims.sub.clone());
    let command = Command::RevokeToken(TokenRevocation {
        jti: claims.jti,
        client_id: claims.client_id,
        expires_at: claims.exp,
        by: Some(Actor::Application),
    });
    match site.ask(&claims.sub, Placement::AsConfigured, request, command).await? {
        Reply::Done => Ok(revoked()),
        reply => Err(unexpected(&reply).into()),
    }
}

/// The answer to a revocation. Clients ignore what it says (RFC 7009 section 2.2), but some parse it as JSON first.
fn revoked() -> Response {
    Response::json(200, &json!({}))
}

/// Says whether a token would sign its user in. Nothing is spent:
/// 1. parse the request,
/// 2. the client proves who it is: one KV read,
/// 3. a token that is dead, unknown or another client's is not active,
/// 4. ask the object.
pub(super) async fn introspect(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    // 1.
    let inquiry = TokenInquiry::parse(request).map_err(|error| refuse(error, trail))?;
    // 2.
    prove(&inquiry.client, site, trail).await?;
    // 3.
    let own = open(&inquiry, site).filter(|claims| claims.client_id == inquiry.client.client_id);
    let Some(claims) = own else { return Ok(Response::json(200, &introspection_json(None))) };
    trail.jti = Some(claims.jti.clone());
    trail.user_id = Some(claims.sub.clone());
    // 4.
    let command = Command::IntrospectToken(Introspection {
        jti: claims.jti.clone(),
        client_id: claims.client_id.clone(),
        delegated: claims.delegated,
        service_id: claims.inputs.service_id.clone(),
        domain_id: claims.inputs.domain_id.clone(),
    });
    match site.ask(&claims.sub, Placement::AsConfigured, request, command).await? {
        Reply::Active(active) => Ok(Response::json(200, &introspection_json(active.then_some(&claims)))),
        reply => Err(unexpected(&reply).into()),
    }
}

/// Says what became of a token, to the application it was issued to:
/// 1. parse the request,
/// 2. the client proves who it is: one KV read,
/// 3. find the token's record: another KV read,
/// 4. ask the object for its fate.
pub(super) async fn receipt(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    const NO_RECEIPT: Failure = Failure::of(
        404,
        ErrorCode::NotFound,
        "There is no receipt of such a token. A new one may take a minute to be known, and is kept for a day.",
    );
    // 1.
    let receipt = ReceiptRequest::parse(request).map_err(|error| refuse(error, trail))?;
    // 2.
    prove(&receipt.client, site, trail).await?;
    // 3.
    let jti = receipt.jti.ok_or(NO_RECEIPT)?;
    let record = site.kv()?.token_record(&jti).await?;
    let record = record.filter(|record| record.client_id == receipt.client.client_id).ok_or(NO_RECEIPT)?;
    trail.jti = Some(jti.clone());
    trail.user_id = Some(record.user_id.clone());
    // 4.
    match site.ask(&record.user_id, Placement::AsConfigured, request, Command::GetToken(jti)).await? {
        Reply::Fate(fate) => Ok(Response::json(200, &record.to_json(fate.as_ref(), site.now)?)),
        reply => Err(unexpected(&reply).into()),
    }
}

/// Checks the client's credentials against KV.
async fn prove(client: &ClientAuthentication, site: &Site, trail: &mut Trail) -> Result<(), Trouble> {
    trail.client_id = Some(client.client_id.clone());
    let set = site.kv()?.credential(&client.client_id).await?;
    client.authenticate(set.as_ref(), site.now).map(drop).map_err(|problem| refuse(problem.into(), trail))
}

/// The claims of the token asked about, if it is Signet's and alive.
fn open(inquiry: &TokenInquiry, site: &Site) -> Option<Claims> {
    token::open(&inquiry.token, &site.settings.keys, &site.settings.issuer, site.now).ok()
}
