//! A sign-in, stored in one row of the user's object.

use super::session::expires_at;
use super::{Fate, Session};
use crate::destination::Scope;
use crate::id::{ClientId, SessionId, TokenId};
use crate::secret::SecretDigest;
use crate::time::Timestamp;
use serde::Serialize;

/// What a token's row stores if the token signed its user in: the final state of the token, the session that it opened,
/// and the entry of the audit log. The row's key is the token's id, and the row stores the number of the entry and the
/// end of the session in columns. With these, the row is parsed as a [`TokenFate`](super::TokenFate), as a [`Session`]
/// and as an [`Event`](super::Event).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignIn {
    /// Always [`Fate::SignedIn`].
    pub fate: Fate,
    pub at: Timestamp,
    pub client_id: ClientId,
    pub session_id: SessionId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<Scope>,
    pub last_seen_at: Timestamp,
    pub idle_seconds: u64,
    pub max_expires_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nonce: Option<SecretDigest>,
    pub request_id: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub replaced_session_ids: Vec<SessionId>,
}

impl SignIn {
    /// When the session ends if it is not used.
    pub fn session_expires_at(&self) -> Timestamp {
        expires_at(self.last_seen_at, self.idle_seconds, self.max_expires_at)
    }

    /// The session that `token` opened. `number` is the number of the entry in the audit log.
    pub fn into_session(self, token: TokenId, number: u64) -> Session {
        Session {
            id: self.session_id,
            token,
            client_id: self.client_id,
            destination: self.destination,
            created_at: self.at,
            last_seen_at: self.last_seen_at,
            idle_seconds: self.idle_seconds,
            max_expires_at: self.max_expires_at,
            address: self.address,
            user_agent: self.user_agent,
            nonce: self.nonce,
            ordinal: number,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Caller;
    use crate::secret::Secret;
    use crate::time::NOW_FOR_TEST as NOW;
    use crate::user::{Event, EventKind, TokenFate, session_for_test};
    use serde_json::{Value, json};

    fn sign_in() -> SignIn {
        let session = session_for_test();
        SignIn {
            fate: Fate::SignedIn,
            at: NOW,
            client_id: session.client_id,
            session_id: session.id,
            destination: session.destination,
            last_seen_at: NOW,
            idle_seconds: 3_600,
            max_expires_at: NOW.plus(43_200),
            address: session.address,
            user_agent: None,
            nonce: None,
            request_id: "r1".into(),
            replaced_session_ids: Vec::new(),
        }
    }

    #[test]
    fn stored_form_is_unchanged() {
        let stored = concat!(
            r#"{"fate":"signed_in","at":1800000000,"client_id":"portal","session_id":"AgICAgICAgICAgICAgICAg","#,
            r#""destination":"clientarea:invoices","last_seen_at":1800000000,"idle_seconds":3600,"#,
            r#""max_expires_at":1800043200,"address":"192.0.2.1","request_id":"r1"}"#
        );
        assert_eq!(serde_json::to_string(&sign_in()).unwrap(), stored);
        let full = SignIn {
            user_agent: Some("Browser/1".into()),
            nonce: Some(SecretDigest::of(&Secret::new("s"))),
            replaced_session_ids: vec![SessionId::from_random([3; 16])],
            ..sign_in()
        };
        let more = concat!(
            r#""user_agent":"Browser/1","nonce":"VTMu6xZAVsA4I-AO7-uPqMLaBkuiHAPSslokXqddOfk","request_id":"r1","#,
            r#""replaced_session_ids":["AwMDAwMDAwMDAwMDAwMDAw"]}"#
        );
        assert_eq!(serde_json::to_string(&full).unwrap(), stored.replace(r#""request_id":"r1"}"#, more));
    }

    #[test]
    fn the_stored_form_is_parsed_as_a_final_state_a_session_and_an_event() {
        let (token, sign_in) = (session_for_test().token, sign_in());
        let stored = serde_json::to_value(&sign_in).unwrap();
        let with = |fields: Value| -> Value {
            let (Value::Object(row), Value::Object(fields)) = (stored.clone(), fields) else { panic!() };
            row.into_iter().chain(fields).collect()
        };
        let fate: TokenFate = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(fate, TokenFate { fate: Fate::SignedIn, at: NOW, client_id: Some(sign_in.client_id.clone()) });
        let session: Session = serde_json::from_value(with(json!({"token": token, "ordinal": 3}))).unwrap();
        assert_eq!(session, session_for_test());
        assert_eq!(session, sign_in.clone().into_session(token.clone(), 3));
        let event: Event = serde_json::from_value(with(json!({"event": "sso.signed_in", "jti": token}))).unwrap();
        let caller = Caller { address: sign_in.address, user_agent: None };
        let expected = Event {
            client_id: Some(sign_in.client_id),
            jti: Some(token),
            session_id: Some(sign_in.session_id),
            ..Event::new(EventKind::SignedIn, NOW, "r1".into(), caller)
        };
        assert_eq!(event, expected);
    }
}
