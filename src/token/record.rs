//! The record of an issued token, for administration and receipts. No decision depends on it.

use super::Claims;
use crate::destination::{RelativePath, ScopeSet};
use crate::id::{ClientId, OwnedId, TokenId, UserId};
use crate::time::Timestamp;
use crate::user::{Fate, TokenFate};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// An issued token as KV stores it under `token:{jti}`: the claims without the signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRecord {
    pub jti: TokenId,
    pub user_id: UserId,
    pub client_id: ClientId,
    pub scope: ScopeSet,
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
    /// The inputs of the destination.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_id: Option<OwnedId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_redirect_path: Option<RelativePath>,
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
            service_id: claims.service_id.clone(),
            domain_id: claims.domain_id.clone(),
            sso_redirect_path: claims.sso_redirect_path.clone(),
        }
    }
}

impl TokenRecord {
    /// The record with the token's state: `pending`, `signed_in`, `denied`, `revoked` or `expired`.
    pub fn to_json(&self, fate: Option<&TokenFate>, now: Timestamp) -> serde_json::Result<Value> {
        let state = match fate {
            Some(fate) => state(fate),
            None if now >= self.expires_at => ("expired", None),
            None => ("pending", None),
        };
        Ok(with_state(serde_json::to_value(self)?, state, fate))
    }
}

/// What is known of a token by its id.
#[derive(Debug)]
pub enum KnownToken {
    /// The record in KV, and the final state if the token has one.
    Recorded(TokenRecord, Option<TokenFate>),
    /// Only the final state, at the object of this user.
    Settled(UserId, TokenId, TokenFate),
}

impl KnownToken {
    pub const fn jti(&self) -> &TokenId {
        match self {
            Self::Recorded(record, _) => &record.jti,
            Self::Settled(_, jti, _) => jti,
        }
    }

    pub const fn user(&self) -> &UserId {
        match self {
            Self::Recorded(record, _) => &record.user_id,
            Self::Settled(user, ..) => user,
        }
    }

    /// The client that the token was issued to; `None` if no row says it.
    pub const fn client_id(&self) -> Option<&ClientId> {
        match self {
            Self::Recorded(record, _) => Some(&record.client_id),
            Self::Settled(.., fate) => fate.client_id.as_ref(),
        }
    }

    /// The final state; `None` for a token without one.
    pub const fn fate(&self) -> Option<&TokenFate> {
        match self {
            Self::Recorded(_, fate) => fate.as_ref(),
            Self::Settled(.., fate) => Some(fate),
        }
    }

    /// The answer to a lookup by id.
    pub fn to_json(&self, now: Timestamp) -> serde_json::Result<Value> {
        match self {
            Self::Recorded(record, fate) => record.to_json(fate.as_ref(), now),
            Self::Settled(_, jti, fate) => Ok(unrecorded_json(jti, fate)),
        }
    }
}

/// The state of a used or revoked token without a record in KV.
pub fn unrecorded_json(jti: &TokenId, fate: &TokenFate) -> Value {
    with_state(json!({"jti": jti}), state(fate), Some(fate))
}

/// The state of a used or revoked token, and the reason of a denial.
const fn state(fate: &TokenFate) -> (&'static str, Option<&'static str>) {
    match fate.fate {
        Fate::SignedIn => ("signed_in", None),
        Fate::Denied(denial) => ("denied", Some(denial.reason())),
        Fate::Revoked => ("revoked", None),
    }
}

fn with_state(mut token: Value, (state, reason): (&str, Option<&str>), fate: Option<&TokenFate>) -> Value {
    if let Some(fields) = token.as_object_mut() {
        fields.insert("state".to_owned(), state.into());
        fields.insert("reason".to_owned(), reason.into());
        fields.insert("settled_at".to_owned(), fate.map(|fate| fate.at.seconds()).into());
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::NOW_FOR_TEST as NOW;
    use crate::token::claims_for_test;
    use crate::user::Denial;

    #[test]
    fn stored_form_is_unchanged() {
        let claims = Claims { delegated: true, ..claims_for_test() };
        let full = Claims {
            service_id: OwnedId::parse("12"),
            domain_id: OwnedId::parse("34"),
            sso_redirect_path: RelativePath::parse("cart.php"),
            ..claims.clone()
        };
        let plain = concat!(
            r#"{"jti":"AQEBAQEBAQEBAQEBAQEBAQ","user_id":"42","client_id":"portal","#,
            r#""scope":"clientarea:sso clientarea:invoices","issued_at":1800000000,"expires_at":1800000060"#
        );
        for (claims, stored) in [
            (claims, format!("{plain}}}")),
            (full, format!(r#"{plain},"service_id":"12","domain_id":"34","sso_redirect_path":"cart.php"}}"#)),
        ] {
            let record = TokenRecord::from(&claims);
            assert_eq!(serde_json::to_string(&record).unwrap(), stored);
            assert_eq!(serde_json::from_str::<TokenRecord>(&stored).unwrap(), record);
        }
    }

    #[test]
    fn the_json_has_the_state_of_the_token() {
        let record = json!({
            "jti": "AQEBAQEBAQEBAQEBAQEBAQ", "user_id": "42", "client_id": "portal", "scope": "clientarea:sso",
            "issued_at": 1_799_999_941, "expires_at": 1_800_000_001, "service_id": "12",
        });
        let at = Timestamp::from_seconds(1_799_999_950);
        for (fate, now, state, reason) in [
            (None, NOW, "pending", None),
            (None, NOW.plus(1), "expired", None),
            (Some(Fate::SignedIn), NOW.plus(1), "signed_in", None),
            (Some(Fate::Denied(Denial::NotOwner)), NOW, "denied", Some("not_owner")),
            (Some(Fate::Revoked), NOW, "revoked", None),
        ] {
            let mut expected = record.clone();
            expected["state"] = state.into();
            expected["reason"] = reason.into();
            expected["settled_at"] = fate.map(|_| at.seconds()).into();
            let typed: TokenRecord = serde_json::from_value(record.clone()).unwrap();
            let fate = fate.map(|fate| TokenFate { fate, at, client_id: None });
            assert_eq!(typed.to_json(fate.as_ref(), now).unwrap(), expected);
        }
    }
}
