use super::Claims;
use crate::destination::{DestinationInputs, ScopeSet};
use crate::id::{ClientId, TokenId, UserId};
use crate::issuer::Issuer;
use crate::secret::{KeyRing, Purpose, Secret};
use crate::time::Timestamp;

/// The content of a token that a client is granted.
#[derive(Debug)]
pub struct Grant {
    pub sub: UserId,
    pub client_id: ClientId,
    pub scope: ScopeSet,
    /// Whether the client may sign in any user.
    pub delegated: bool,
    pub inputs: DestinationInputs,
}

impl Grant {
    /// The claims of a token that is issued at `now` for `ttl` seconds.
    pub fn into_claims(self, issuer: &Issuer, ttl: u64, now: Timestamp, jti: TokenId) -> Claims {
        let Self { sub, client_id, scope, delegated, inputs } = self;
        let (iss, aud) = (issuer.as_str().to_owned(), issuer.sso_endpoint());
        let DestinationInputs { service_id, domain_id, sso_redirect_path } = inputs;
        let exp = now.plus(ttl);
        Claims {
            iss,
            aud,
            sub,
            client_id,
            scope,
            iat: now,
            exp,
            jti,
            delegated,
            service_id,
            domain_id,
            sso_redirect_path,
        }
    }
}

#[derive(Debug)]
pub struct SsoToken {
    pub claims: Claims,
    pub text: Secret,
}

impl SsoToken {
    pub fn mint(claims: Claims, keys: &KeyRing) -> serde_json::Result<Self> {
        let text = Secret::new(keys.sign(Purpose::SsoToken, &claims)?);
        Ok(Self { claims, text })
    }

    /// The sign-in link. `endpoint` is the address of the SSO endpoint.
    pub fn link(&self, endpoint: &str) -> Secret {
        Secret::new(format!("{endpoint}?access_token={}", self.text.expose()))
    }
}
