//! The claims of an SSO token, and the verification of a token.

use crate::destination::{RelativePath, ScopeSet};
use crate::id::{ClientId, OwnedId, TokenId, UserId};
use crate::issuer::Issuer;
use crate::secret::{KeyRing, Purpose, Secret};
use crate::time::Timestamp;
use crate::user::Denial;
use serde::{Deserialize, Serialize};

/// The longest lifetime of a token, in seconds.
pub const TOKEN_TTL_MAX: u64 = 60;
/// The clock skew accepted in `iat`, in seconds: edge locations do not share a clock.
const CLOCK_SKEW_MAX: u64 = 60;
/// The longest token that is verified, in bytes. The longest token that Signet mints is shorter.
pub const TOKEN_BYTES_MAX: usize = 8192;

/// The claims of an SSO token (RFC 7519 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    pub iss: String,
    /// The SSO endpoint, which alone accepts the token.
    pub aud: String,
    pub sub: UserId,
    /// The credential set or API credential that requested the token (RFC 8693 section 4.3).
    pub client_id: ClientId,
    /// The granted scopes (RFC 8693 section 4.2).
    pub scope: ScopeSet,
    pub iat: Timestamp,
    /// The first second at which the token is invalid.
    pub exp: Timestamp,
    pub jti: TokenId,
    /// Whether a delegated credential set or an API credential requested the token. The revocation of these is stored in KV
    /// alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delegated: bool,
    /// The inputs of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_id: Option<OwnedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_redirect_path: Option<RelativePath>,
}

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// The signature or the payload is invalid, so the user is unknown.
    Forged,
    /// The signature is valid. [`open`] returns `TokenMisdirected` for another issuer or audience and for an invalid lifetime,
    /// and `TokenExpired`.
    Denied(Denial, Box<Claims>),
}

impl TokenRefusal {
    /// The reason in the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Denied(denial, _) => denial.reason(),
        }
    }
}

/// Verifies the signature of `text`, then the claims, then the expiry, which has no leeway.
///
/// # Errors
/// [`TokenRefusal::Forged`] if the signature or the payload is invalid, [`TokenRefusal::Denied`] otherwise.
pub fn open(text: &Secret, keys: &KeyRing, issuer: &Issuer, now: Timestamp) -> Result<Claims, TokenRefusal> {
    if text.expose().len() > TOKEN_BYTES_MAX {
        return Err(TokenRefusal::Forged);
    }
    let claims: Claims = keys.open(Purpose::SsoToken, text.expose()).ok_or(TokenRefusal::Forged)?;
    let is_ours = claims.iss == issuer.as_str() && claims.aud == issuer.sso_endpoint();
    // `iat` may be ahead by the clock skew, but the token must expire before the user's object deletes its record of use.
    let lifetime_is_valid = claims.iat <= claims.exp
        && claims.exp <= claims.iat.plus(TOKEN_TTL_MAX)
        && claims.iat <= now.plus(CLOCK_SKEW_MAX);
    if !is_ours || !lifetime_is_valid {
        return Err(TokenRefusal::Denied(Denial::TokenMisdirected, Box::new(claims)));
    }
    if now >= claims.exp {
        return Err(TokenRefusal::Denied(Denial::TokenExpired, Box::new(claims)));
    }
    Ok(claims)
}

#[cfg(test)]
pub(super) mod tests;
