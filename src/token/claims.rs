//! What an SSO token says, and the one way to read one.

use crate::destination::{DestinationInputs, ScopeSet};
use crate::id::{ClientId, TokenId, UserId};
use crate::issuer::Issuer;
use crate::secret::{KeyRing, Purpose, Secret};
use crate::time::Timestamp;
use crate::user::Denial;
use serde::{Deserialize, Serialize};

/// The longest lifetime of a token, in seconds.
pub const TOKEN_TTL_MAX: u64 = 60;
/// How far the clock that minted a token may be ahead, in seconds: edge locations do not share one.
const CLOCK_SKEW_MAX: u64 = 60;
/// The longest token worth reading, in bytes. The longest that Signet mints is shorter.
pub const TOKEN_BYTES_MAX: usize = 8192;

/// The claims of an SSO token (RFC 7519 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The issuer.
    pub iss: String,
    /// The SSO endpoint, the only place that takes the token.
    pub aud: String,
    /// The user to sign in.
    pub sub: UserId,
    /// The credential set that asked for the token (RFC 8693 section 4.3).
    pub client_id: ClientId,
    /// The granted scopes (RFC 8693 section 4.2).
    pub scope: ScopeSet,
    /// When it was issued.
    pub iat: Timestamp,
    /// When it expires. From this second on it is invalid.
    pub exp: Timestamp,
    /// Its id.
    pub jti: TokenId,
    /// Whether a delegated credential set or an API credential asked for it, so that its revocation stands in KV alone.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delegated: bool,
    /// The optional destination inputs.
    #[serde(flatten)]
    pub inputs: DestinationInputs,
}

/// Why a token does not sign its user in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// Not signed by Signet as an SSO token, or its payload is not [`Claims`]. It names nobody.
    Forged,
    /// Signed by Signet, and denied. [`open`] finds `TokenMisdirected`, also for a lifetime that Signet never gives, and
    /// `TokenExpired`.
    Denied(Denial, Box<Claims>),
}

impl TokenRefusal {
    /// The stable name of the reason, for the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Denied(denial, _) => denial.reason(),
        }
    }
}

/// Opens `text` as an SSO token: the signature first, then the claims, then the time. There is no leeway.
///
/// # Errors
/// A [`TokenRefusal`]; `Forged` unless the signature is good.
pub fn open(text: &Secret, keys: &KeyRing, issuer: &Issuer, now: Timestamp) -> Result<Claims, TokenRefusal> {
    if text.expose().len() > TOKEN_BYTES_MAX {
        return Err(TokenRefusal::Forged);
    }
    let claims: Claims = keys.open(Purpose::SsoToken, text.expose()).ok_or(TokenRefusal::Forged)?;
    let is_ours = claims.iss == issuer.as_str() && claims.aud == issuer.sso_endpoint();
    // The clock that minted it may be a little ahead, but the token must not outlive the object's memory of it.
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
