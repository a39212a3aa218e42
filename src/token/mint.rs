//! Minting a token.

use super::Claims;
use crate::destination::{DestinationInputs, ScopeSet};
use crate::id::{ClientId, TokenId, UserId};
use crate::issuer::Issuer;
use crate::secret::{KeyRing, Purpose, Secret};
use crate::time::Timestamp;

/// What a client is granted: whom its token signs in, and where to.
#[derive(Debug)]
pub struct Grant {
    /// The user.
    pub sub: UserId,
    /// The client.
    pub client_id: ClientId,
    /// The scopes.
    pub scope: ScopeSet,
    /// Whether the client may sign in any user.
    pub delegated: bool,
    /// The destination inputs.
    pub inputs: DestinationInputs,
}

impl Grant {
    /// The claims of a token that is issued at `now` for `ttl` seconds.
    pub fn into_claims(self, issuer: &Issuer, ttl: u64, now: Timestamp, jti: TokenId) -> Claims {
        let Self { sub, client_id, scope, delegated, inputs } = self;
        let (iss, aud) = (issuer.as_str().to_owned(), issuer.sso_endpoint());
        Claims { iss, aud, sub, client_id, scope, iat: now, exp: now.plus(ttl), jti, delegated, inputs }
    }
}

/// A signed token.
#[derive(Debug)]
pub struct SsoToken {
    /// What it says.
    pub claims: Claims,
    /// Its text.
    pub text: Secret,
}

impl SsoToken {
    /// Signs `claims`.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn mint(claims: Claims, keys: &KeyRing) -> serde_json::Result<Self> {
        let text = Secret::new(keys.sign(Purpose::SsoToken, &claims)?);
        Ok(Self { claims, text })
    }

    /// The link to `endpoint`, the address of the SSO endpoint, that signs the user in.
    pub fn link(&self, endpoint: &str) -> Secret {
        Secret::new(format!("{endpoint}?access_token={}", self.text.expose()))
    }
}
