//! Whether a token is issued, what it says, and the token.

use super::{ClientProblem, TokenError, TokenRequest};
use crate::credential::{Binding, ClientAuthentication, CredentialSet};
use crate::destination::{DestinationInputs, Scope, ScopeSet};
use crate::http::{Failure, Response};
use crate::id::{OwnedId, TokenId, UserId};
use crate::secret::Purpose;
use crate::settings::Settings;
use crate::time::Timestamp;
use crate::token::Claims;
use serde_json::json;

/// A token to be handed out. It is a secret, so it has no `Debug`.
pub struct Grant {
    /// What the token says.
    pub claims: Claims,
    /// The token.
    access_token: String,
}

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
    let set = authenticate(&request.client, set, now)?;
    // 2.
    if !set.grant_types.contains(&request.grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    let scope = granted_scope(request.wish.scope, set)?;
    let sub = granted_user(request.wish.user_id, &set.binding)?;
    let service_id = granted_service(request.wish.inputs.service_id, set.service_id.as_ref())?;
    Ok(Claims {
        iss: settings.issuer.as_str().to_owned(),
        aud: settings.issuer.sso_endpoint(),
        sub,
        client_id: set.client_id.clone(),
        scope,
        iat: now,
        exp: now.plus(settings.token_ttl),
        jti,
        delegated: set.binding.user().is_none(),
        inputs: DestinationInputs { service_id, ..request.wish.inputs },
    })
}

/// The credential set that `client` proves to be, with `set` as KV knows it (RFC 6749 section 2.3). An unknown client
/// takes the same work as a wrong secret.
///
/// # Errors
/// [`TokenError::InvalidClient`].
pub fn authenticate<'a>(
    client: &ClientAuthentication,
    set: Option<&'a CredentialSet>,
    now: Timestamp,
) -> Result<&'a CredentialSet, TokenError> {
    let is_proven = client.proves(set, now);
    let set = set.filter(|_| is_proven).ok_or(TokenError::InvalidClient(ClientProblem::WrongCredentials))?;
    if set.disabled { Err(TokenError::InvalidClient(ClientProblem::Disabled)) } else { Ok(set) }
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

impl Grant {
    /// Signs a token that says `claims`.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`](crate::secret::KeyRing::sign).
    pub fn sign(claims: Claims, settings: &Settings) -> serde_json::Result<Self> {
        let access_token = settings.keys.sign(Purpose::SsoToken, &claims)?;
        Ok(Self { claims, access_token })
    }

    /// The token, for the one answer that hands it out.
    pub fn access_token(&self) -> &str {
        &self.access_token
    }

    /// A ready link to the SSO endpoint.
    pub(super) fn redirect_url(&self, settings: &Settings) -> String {
        format!("{}?access_token={}", settings.issuer.sso_endpoint(), self.access_token)
    }

    /// The answer (RFC 6749 section 5.1) with a ready link to the SSO endpoint, and the id that a receipt is asked by.
    pub fn into_response(self, settings: &Settings) -> Response {
        Response::json(
            200,
            &json!({
                "access_token": self.access_token,
                "token_type": "Bearer",
                "expires_in": settings.token_ttl,
                "scope": self.claims.scope,
                "jti": self.claims.jti,
                "redirect_url": self.redirect_url(settings),
            }),
        )
        .with("Pragma", "no-cache")
    }
}

#[cfg(test)]
mod tests;
