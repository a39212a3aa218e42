//! Whether a token is issued, what it says, and the token.

use super::{TokenError, TokenRequest};
use crate::credential::{Binding, CredentialSet};
use crate::destination::{DestinationInputs, Scope, ScopeSet};
use crate::http::{Failure, Response};
use crate::id::{OwnedId, TokenId, UserId};
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::token::{Claims, Grant, SsoToken};
use serde_json::json;

/// What the token says that `request` asks for, with `set` as KV knows it:
/// 1. the client proves who it is,
/// 2. it may use the grant type, the scopes and the user.
///
/// # Errors
/// A [`TokenError`].
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
    let scope = granted_scope(request.parameters.scope, set)?;
    let sub = granted_user(request.parameters.user_id, &set.binding)?;
    let service_id = granted_service(request.parameters.inputs.service_id, set.service_id.as_ref())?;
    let grant = Grant {
        sub,
        client_id: set.client_id.clone(),
        scope,
        delegated: set.binding.user().is_none(),
        inputs: DestinationInputs { service_id, ..request.parameters.inputs },
    };
    Ok(grant.into_claims(&settings.issuer, settings.token_ttl, now, jti))
}

fn granted_scope(asked: Option<ScopeSet>, set: &CredentialSet) -> Result<ScopeSet, TokenError> {
    let allowed: ScopeSet = set.scopes.iter().copied().collect();
    match asked {
        None => Ok(allowed),
        Some(scope) if scope.iter().all(|scope: Scope| allowed.contains(scope)) => Ok(scope),
        Some(_) => Err(TokenError::InvalidScope),
    }
}

fn granted_user(asked: Option<UserId>, binding: &Binding) -> Result<UserId, TokenError> {
    match (binding, asked) {
        (Binding::Bound { user_id }, None) => Ok(user_id.clone()),
        (Binding::Bound { user_id }, Some(asked)) if asked == *user_id => Ok(asked),
        (Binding::Bound { .. }, Some(_)) => Err(TokenError::InvalidGrant),
        (Binding::Delegated { .. }, Some(asked)) => Ok(asked),
        (Binding::Delegated { .. }, None) => {
            Err(Failure::bad_request("The parameter user_id is missing: the client is bound to no user.").into())
        }
    }
}

fn granted_service(asked: Option<OwnedId>, own: Option<&OwnedId>) -> Result<Option<OwnedId>, TokenError> {
    match (asked, own) {
        (Some(asked), Some(own)) if asked != *own => {
            Err(Failure::bad_request("The service_id is not the one the client belongs to.").into())
        }
        (asked, own) => Ok(asked.or_else(|| own.cloned())),
    }
}

/// The answer with `token` (RFC 6749 section 5.1), a ready link to the SSO endpoint, and the id that a receipt is asked by.
pub fn token_response(token: &SsoToken, settings: &Settings) -> Response {
    Response::json(
        200,
        &json!({
            "access_token": token.text.expose(),
            "token_type": "Bearer",
            "expires_in": settings.token_ttl,
            "scope": token.claims.scope,
            "jti": token.claims.jti,
            "redirect_url": token.link(&settings.issuer.sso_endpoint()).expose(),
        }),
    )
    .with("Pragma", "no-cache")
}

#[cfg(test)]
mod tests;
