//! A token at the user's object: the questions about it, and its final state.

use super::{Actor, Denial};
use crate::destination::Scope;
use crate::id::{ClientId, OwnedId, SessionId, TokenId};
use crate::secret::SecretDigest;
use crate::store::TOKEN_RECORD_TTL;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A request to sign the user in with a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    pub jti: TokenId,
    pub expires_at: Timestamp,
    pub client_id: ClientId,
    /// Whether the client may sign in any user. The object does not store the state of such a client.
    pub delegated: bool,
    pub destination: Option<Scope>,
    /// The service that the account must own.
    pub service_id: Option<OwnedId>,
    /// The domain that the account must own.
    pub domain_id: Option<OwnedId>,
    /// This user's session in the browser's verified cookie.
    #[serde(rename = "presented")]
    pub browser_session: Option<SessionId>,
    /// The digest of the nonce in the browser's cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<SecretDigest>,
    /// The id of the session to open.
    pub session_id: SessionId,
    /// The idle limit of the session, in seconds.
    pub session_idle: u64,
    /// The absolute limit of the session, in seconds.
    pub session_max: u64,
}

/// A question whether a token would sign its user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introspection {
    pub jti: TokenId,
    pub client_id: ClientId,
    /// Whether the client may sign in any user, as in [`Redemption`].
    pub delegated: bool,
    /// The service that the token was signed for.
    pub service_id: Option<OwnedId>,
    /// The domain that the token was signed for.
    pub domain_id: Option<OwnedId>,
}

/// A request to redeem a token that has expired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    pub jti: TokenId,
    pub client_id: ClientId,
    /// This user's session in the browser's verified cookie.
    #[serde(rename = "presented")]
    pub browser_session: Option<SessionId>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRevocation {
    pub jti: TokenId,
    pub client_id: ClientId,
    pub expires_at: Timestamp,
    /// Who revokes the token; `None` for an administrator.
    pub by: Option<Actor>,
}

/// The final state of a token, and when it was reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFate {
    pub fate: Fate,
    pub at: Timestamp,
    /// The client that the token was issued to; `None` in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
}

impl TokenFate {
    /// Whether the final state is still kept at `now`. The row of a sign-in is kept longer than the state of its token.
    pub fn is_kept(&self, now: Timestamp) -> bool {
        now < self.at.plus(TOKEN_RECORD_TTL)
    }
}

/// The final state of a token. A token without one can still be redeemed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// The token signed its user in.
    SignedIn,
    /// The token was refused. A refused token cannot be redeemed later.
    Denied(Denial),
    /// The token was revoked before it was redeemed.
    Revoked,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::assert_wire;
    use crate::user::{Command, session_for_test as session};
    use serde_json::json;

    #[test]
    fn wire_form_of_a_redemption_is_unchanged() {
        let redemption = Redemption {
            jti: session().token,
            expires_at: Timestamp::from_seconds(60),
            client_id: session().client_id,
            delegated: true,
            destination: Scope::parse("clientarea:invoices"),
            service_id: OwnedId::parse("12"),
            domain_id: None,
            browser_session: None,
            nonce: None,
            session_id: session().id,
            session_idle: 3_600,
            session_max: 43_200,
        };
        assert_wire(
            Command::Redeem(redemption),
            json!({"redeem": {
                "jti": "AQEBAQEBAQEBAQEBAQEBAQ",
                "expires_at": 60,
                "client_id": "portal",
                "delegated": true,
                "destination": "clientarea:invoices",
                "service_id": "12",
                "domain_id": null,
                "presented": null,
                "session_id": "AgICAgICAgICAgICAgICAg",
                "session_idle": 3600,
                "session_max": 43200,
            }}),
        );
    }

    #[test]
    fn stored_form_of_each_fate_is_unchanged() {
        let denied = Denial::ALL.map(|denial| (Fate::Denied(denial), format!(r#"{{"denied":"{}"}}"#, denial.reason())));
        let others = [(Fate::SignedIn, r#""signed_in""#.to_owned()), (Fate::Revoked, r#""revoked""#.to_owned())];
        for (fate, json) in others.into_iter().chain(denied) {
            for (client_id, rest) in [(Some(session().client_id), r#","client_id":"portal"}"#), (None, "}")] {
                let fate = TokenFate { fate, at: Timestamp::from_seconds(1), client_id };
                let stored = format!(r#"{{"fate":{json},"at":1{rest}"#);
                assert_eq!(serde_json::to_string(&fate).unwrap(), stored);
                assert_eq!(serde_json::from_str::<TokenFate>(&stored).unwrap(), fate);
            }
        }
    }
}
