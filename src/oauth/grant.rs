//! The decision of the token endpoint, and its answer.

use super::{TokenError, TokenRequest};
use crate::credential::CredentialSet;
use crate::destination::{DestinationInputs, Scope, ScopeSet};
use crate::http::{Failure, Response};
use crate::id::{OwnedId, TokenId, UserId};
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::token::{Claims, Grant, SsoToken};
use serde::Serialize;

/// The claims of the requested token. `set` is the credential set in KV.
/// 1. The client is authenticated.
/// 2. The grant type, the scopes, the user and the service are checked against the credential set.
pub fn grant(
    request: TokenRequest,
    set: Option<&CredentialSet>,
    settings: &Settings,
    now: Timestamp,
    jti: TokenId,
) -> Result<Claims, TokenError> {
    // 1.
    let set = request.client.authenticate(set, now)?;
    // 2.
    if !set.grant_types.contains(&request.grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    let scope = grant_scope(request.parameters.scope, set)?;
    let sub = grant_user(request.parameters.user_id, set)?;
    let service_id = grant_service(request.parameters.inputs.service_id, set.service_id.as_ref())?;
    let grant = Grant {
        sub,
        client_id: set.client_id.clone(),
        scope,
        delegated: set.delegated,
        inputs: DestinationInputs { service_id, ..request.parameters.inputs },
    };
    Ok(grant.into_claims(&settings.issuer, settings.token_ttl, now, jti))
}

fn grant_scope(requested: Option<ScopeSet>, set: &CredentialSet) -> Result<ScopeSet, TokenError> {
    let allowed: ScopeSet = set.scopes.iter().copied().collect();
    match requested {
        None => Ok(allowed),
        Some(scope) if scope.iter().all(|scope: Scope| allowed.contains(scope)) => Ok(scope),
        Some(_) => Err(TokenError::InvalidScope),
    }
}

fn grant_user(requested: Option<UserId>, set: &CredentialSet) -> Result<UserId, TokenError> {
    match (&set.user_id, requested) {
        (Some(own), None) => Ok(own.clone()),
        (Some(own), Some(requested)) if requested == *own => Ok(requested),
        (None, Some(requested)) if set.delegated => Ok(requested),
        (_, Some(_)) => Err(TokenError::InvalidGrant),
        (None, None) => {
            Err(Failure::bad_request("The parameter user_id is missing: the client is bound to no user.").into())
        }
    }
}

fn grant_service(requested: Option<OwnedId>, own: Option<&OwnedId>) -> Result<Option<OwnedId>, TokenError> {
    match (requested, own) {
        (Some(requested), Some(own)) if requested != *own => {
            Err(Failure::bad_request("The service_id is not the one the client belongs to.").into())
        }
        (requested, own) => Ok(requested.or_else(|| own.cloned())),
    }
}

/// The answer with `token` (RFC 6749 section 5.1), its sign-in link, and the id for which a receipt can be requested.
pub fn token_response(token: &SsoToken, settings: &Settings) -> Response {
    #[derive(Serialize)]
    struct Body<'a> {
        access_token: &'a str,
        expires_in: u64,
        jti: &'a TokenId,
        redirect_url: &'a str,
        scope: &'a ScopeSet,
        token_type: &'static str,
    }
    let link = token.link(&settings.issuer.sso_endpoint());
    let body = Body {
        access_token: token.text.expose(),
        expires_in: settings.token_ttl,
        jti: &token.claims.jti,
        redirect_url: link.expose(),
        scope: &token.claims.scope,
        token_type: "Bearer",
    };
    Response::json(200, &body).with("Pragma", "no-cache")
}

#[cfg(test)]
mod tests;
