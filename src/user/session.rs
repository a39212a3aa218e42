//! The session of a signed-in user.

use crate::destination::Scope;
use crate::id::{ClientId, SessionId, TokenId, UserId};
use crate::secret::SecretDigest;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The minimum time between two writes of `last_seen_at`, in seconds. Most session checks therefore write nothing.
const REFRESH_SECONDS: u64 = 60;

/// The object sends it to the Worker as JSON. The object stores it as a part of a [`SignIn`](super::SignIn), whose names
/// of the fields are the aliases.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    #[serde(alias = "session_id")]
    pub id: SessionId,
    /// The token that opened the session.
    pub token: TokenId,
    /// The credential set or API credential that requested the token.
    pub client_id: ClientId,
    /// The destination of the sign-in; `None` for the home page of the client area.
    pub destination: Option<Scope>,
    #[serde(alias = "at")]
    pub created_at: Timestamp,
    /// The last use, to the minute.
    pub last_seen_at: Timestamp,
    /// The idle limit, in seconds.
    pub idle_seconds: u64,
    /// The absolute limit.
    pub max_expires_at: Timestamp,
    /// The IP address that opened the session.
    pub address: Option<String>,
    pub user_agent: Option<String>,
    /// The digest of the browser's nonce, if the setting `BROWSER_NONCE` is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<SecretDigest>,
    /// The number of the sign-in in the audit log. Orders sessions that were opened in the same second.
    pub ordinal: u64,
}

impl Session {
    /// How long the browser's nonce allows a repeated sign-in, in seconds. It covers a double click.
    const REPEAT_SECONDS: u64 = 10;

    /// When the session ends if it is not used again.
    pub fn expires_at(&self) -> Timestamp {
        expires_at(self.last_seen_at, self.idle_seconds, self.max_expires_at)
    }

    /// Sorts sessions in the order in which they were opened.
    pub const fn age_key(&self) -> (Timestamp, u64) {
        (self.created_at, self.ordinal)
    }

    /// Whether `nonce` proves a repeated sign-in by the browser that opened the session, within
    /// `REPEAT_SECONDS`.
    pub fn is_repeated_by(&self, nonce: Option<&SecretDigest>, now: Timestamp) -> bool {
        nonce.is_some() && nonce == self.nonce.as_ref() && now.since(self.created_at) < Self::REPEAT_SECONDS
    }

    /// Whether the session was ended because it was opened at or before `not_before`.
    pub fn is_ended_by(&self, not_before: Option<Timestamp>) -> bool {
        is_ended(self.created_at, not_before)
    }

    /// Whether neither limit has passed at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The session in answers of `/oauth/session` and the administration API.
    pub fn shown<'a>(&'a self, user_id: Option<&'a UserId>) -> ShownSession<'a> {
        ShownSession {
            address: self.address.as_deref(),
            client_id: &self.client_id,
            created_at: self.created_at,
            destination: self.destination,
            expires_at: self.expires_at(),
            jti: &self.token,
            last_seen_at: self.last_seen_at,
            session_id: &self.id,
            user_agent: self.user_agent.as_deref(),
            user_id,
        }
    }

    /// The session as used at `now`; `None` if the last write was less than `REFRESH_SECONDS` ago.
    pub fn refreshed(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.last_seen_at) >= REFRESH_SECONDS).then(|| Self { last_seen_at: now, ..self.clone() })
    }
}

/// The JSON of [`Session::shown`].
#[derive(Debug, Serialize)]
pub struct ShownSession<'a> {
    address: Option<&'a str>,
    client_id: &'a ClientId,
    created_at: Timestamp,
    destination: Option<Scope>,
    expires_at: Timestamp,
    jti: &'a TokenId,
    last_seen_at: Timestamp,
    session_id: &'a SessionId,
    user_agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a UserId>,
}

/// When a session ends if it is not used again: at the nearer of its two limits.
pub(super) fn expires_at(last_seen_at: Timestamp, idle_seconds: u64, max_expires_at: Timestamp) -> Timestamp {
    last_seen_at.plus(idle_seconds).min(max_expires_at)
}

/// The applications that opened these sessions, sorted and without duplicates.
pub fn applications_of(sessions: &[Session]) -> Vec<&ClientId> {
    let mut ids = Vec::new();
    for Session { client_id, .. } in sessions {
        if let Err(place) = ids.binary_search(&client_id) {
            ids.insert(place, client_id);
        }
    }
    ids
}

/// Whether a session opened at `opened_at` was ended. A session opened in the second of `not_before` was ended too.
pub(super) fn is_ended(opened_at: Timestamp, not_before: Option<Timestamp>) -> bool {
    not_before.is_some_and(|not_before| opened_at <= not_before)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::secret::Secret;
    pub(in crate::user) use crate::time::NOW_FOR_TEST as NOW;
    use crate::user::cookie::OpenedBy;
    use serde_json::json;

    pub(crate) fn session() -> Session {
        Session {
            id: SessionId::from_random([2; 16]),
            token: TokenId::from_random([1; 16]),
            client_id: ClientId::parse("portal").unwrap(),
            destination: Scope::parse("clientarea:invoices"),
            created_at: NOW,
            last_seen_at: NOW,
            idle_seconds: 3_600,
            max_expires_at: NOW.plus(43_200),
            address: Some("192.0.2.1".into()),
            user_agent: None,
            nonce: None,
            ordinal: 3,
        }
    }

    #[test]
    fn wire_form_to_the_worker_is_unchanged() {
        let wire = concat!(
            r#"{"id":"AgICAgICAgICAgICAgICAg","token":"AQEBAQEBAQEBAQEBAQEBAQ","client_id":"portal","#,
            r#""destination":"clientarea:invoices","created_at":1800000000,"last_seen_at":1800000000,"#,
            r#""idle_seconds":3600,"max_expires_at":1800043200,"address":"192.0.2.1","user_agent":null,"ordinal":3}"#
        );
        assert_eq!(serde_json::to_string(&session()).unwrap(), wire);
        assert_eq!(serde_json::from_str::<Session>(wire).unwrap(), session());
        let nonce = SecretDigest::of(&Secret::new("s"));
        let with_nonce =
            wire.replace(r#""ordinal""#, r#""nonce":"VTMu6xZAVsA4I-AO7-uPqMLaBkuiHAPSslokXqddOfk","ordinal""#);
        assert_eq!(serde_json::from_str::<Session>(&with_nonce).unwrap(), Session { nonce: Some(nonce), ..session() });
    }

    #[test]
    fn wire_form_is_unchanged() {
        let shown = json!({
            "session_id": "AgICAgICAgICAgICAgICAg", "client_id": "portal", "jti": "AQEBAQEBAQEBAQEBAQEBAQ",
            "destination": "clientarea:invoices", "created_at": 1_800_000_000, "last_seen_at": 1_800_000_000,
            "expires_at": 1_800_003_600, "address": "192.0.2.1", "user_agent": null,
        });
        assert_eq!(serde_json::to_value(session().shown(None)).unwrap(), shown);
    }

    #[test]
    fn the_nearer_limit_ends_a_session() {
        let late = Session { last_seen_at: NOW.plus(43_000), ..session() };
        for (session, end) in [(session(), NOW.plus(3_600)), (late, NOW.plus(43_200))] {
            assert_eq!(session.expires_at(), end);
            assert!(session.is_live(Timestamp::from_seconds(end.seconds() - 1)));
            assert!(!session.is_live(end));
        }
    }

    #[test]
    fn sessions_opened_up_to_not_before_are_ended() {
        let by = OpenedBy { client_id: session().client_id, at: NOW };
        for (not_before, is_ended) in [
            (None, false),
            (Some(Timestamp::from_seconds(NOW.seconds() - 1)), false),
            (Some(NOW), true),
            (Some(NOW.plus(1)), true),
        ] {
            assert_eq!((session().is_ended_by(not_before), by.is_ended_by(not_before)), (is_ended, is_ended));
        }
    }
}
