//! The record of an issued token, for look-ups. No decision rests on it.

use super::Claims;
use crate::destination::{DestinationInputs, ScopeSet};
use crate::id::{ClientId, TokenId, UserId};
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destination::RelativePath;
    use crate::id::OwnedId;

    fn claims() -> Claims {
        Claims {
            iss: "https://sso.example".into(),
            aud: "https://sso.example/oauth/singlesignon".into(),
            sub: UserId::parse("42").unwrap(),
            client_id: ClientId::parse("portal").unwrap(),
            scope: ScopeSet::parse("clientarea:sso clientarea:invoices").unwrap(),
            iat: Timestamp::from_seconds(1_800_000_000),
            exp: Timestamp::from_seconds(1_800_000_060),
            jti: TokenId::from_random([1; 16]),
            delegated: true,
            inputs: DestinationInputs::default(),
        }
    }

    #[test]
    fn stored_form_is_unchanged() {
        let inputs = DestinationInputs {
            service_id: OwnedId::parse("12"),
            domain_id: OwnedId::parse("34"),
            sso_redirect_path: RelativePath::parse("cart.php"),
        };
        let plain = concat!(
            r#"{"jti":"AQEBAQEBAQEBAQEBAQEBAQ","user_id":"42","client_id":"portal","#,
            r#""scope":"clientarea:sso clientarea:invoices","issued_at":1800000000,"expires_at":1800000060"#
        );
        for (inputs, stored) in [
            (DestinationInputs::default(), format!("{plain}}}")),
            (inputs, format!(r#"{plain},"service_id":"12","domain_id":"34","sso_redirect_path":"cart.php"}}"#)),
        ] {
            let record = TokenRecord::from(&Claims { inputs, ..claims() });
            assert_eq!(serde_json::to_string(&record).unwrap(), stored);
            assert_eq!(serde_json::from_str::<TokenRecord>(&stored).unwrap(), record);
        }
    }
}
