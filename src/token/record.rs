//! The record of an issued token, for look-ups. No decision rests on it.

use super::Claims;
use crate::id::{ClientId, TokenId, UserId};
use crate::sso::{DestinationInputs, ScopeSet};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What KV keeps of an issued token, under `token:{jti}`: its claims, but not its signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    /// The token's id.
    pub jti: TokenId,
    /// The user it signs in.
    pub user_id: UserId,
    /// The credential set that asked for it.
    pub client_id: ClientId,
    /// The granted scopes.
    pub scope: ScopeSet,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it dies.
    pub expires_at: Timestamp,
    /// The destination inputs signed into it.
    #[serde(flatten)]
    pub inputs: DestinationInputs,
}

impl From<&Claims> for TokenRecord {
    fn from(claims: &Claims) -> Self {
        Self {
            jti: claims.jti.clone(),
            user_id: claims.sub.clone(),
            client_id: claims.client_id.clone(),
            scope: claims.scope.clone(),
            issued_at: claims.iat,
            expires_at: claims.exp,
            inputs: claims.inputs.clone(),
        }
    }
}
