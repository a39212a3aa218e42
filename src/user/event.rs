//! The events of a user: the audit log in the user's object.

use crate::http::Caller;
use crate::id::{ClientId, SessionId, TokenId};
use crate::time::Timestamp;
use crate::user::{Denial, Status};
use serde::de::IntoDeserializer as _;
use serde::{Deserialize, Deserializer, Serialize};

/// The event number before which the next page of events starts. A page with fewer events than `limit` is the last.
pub fn next_page_before(events: &[(u64, Event)], limit: u64) -> Option<u64> {
    events.last().filter(|_| events.len() as u64 == limit).map(|(number, _)| *number)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    #[serde(rename = "account.created")]
    AccountCreated,
    #[serde(rename = "account.changed")]
    AccountChanged,
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// A token signed the user in.
    #[serde(rename = "sso.signed_in")]
    SignedIn,
    /// A token was refused.
    #[serde(rename = "sso.denied")]
    Denied,
    /// A session ended before its idle limit and its absolute limit.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// A redeemed or refused token was used again, and not by the browser that it signed in.
    #[serde(rename = "token.replayed")]
    TokenReplayed,
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    /// A credential set was revoked or disabled.
    #[serde(rename = "credential.revoked")]
    CredentialRevoked,
    /// A disabled or revoked credential set was enabled again.
    #[serde(rename = "credential.restored")]
    CredentialRestored,
    /// All personal data was erased: the account, its sessions, and the addresses and browsers in earlier events.
    #[serde(rename = "account.erased")]
    AccountErased,
}

impl EventKind {
    #[cfg(test)]
    pub const ALL: [Self; 11] = [
        Self::AccountCreated,
        Self::AccountChanged,
        Self::AccountDeleted,
        Self::SignedIn,
        Self::Denied,
        Self::SessionEnded,
        Self::TokenReplayed,
        Self::TokenRevoked,
        Self::CredentialRevoked,
        Self::CredentialRestored,
        Self::AccountErased,
    ];

    /// The stored name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AccountCreated => "account.created",
            Self::AccountChanged => "account.changed",
            Self::AccountDeleted => "account.deleted",
            Self::SignedIn => "sso.signed_in",
            Self::Denied => "sso.denied",
            Self::SessionEnded => "session.ended",
            Self::TokenReplayed => "token.replayed",
            Self::TokenRevoked => "token.revoked",
            Self::CredentialRevoked => "credential.revoked",
            Self::CredentialRestored => "credential.restored",
            Self::AccountErased => "account.erased",
        }
    }
}

/// One entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub at: Timestamp,
    pub event: EventKind,
    /// The id of the HTTP request, as in the log.
    pub request_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EventReason>,
    /// The new status, in an event about the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether single sign-on is enabled from now on, in an event about the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso: Option<bool>,
    /// The credential set or API credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<TokenId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The sessions that the new session ended: the earlier one of the same browser, and the oldest above the maximum.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_session_ids: Vec<SessionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Event {
    pub fn new(event: EventKind, at: Timestamp, request_id: String, caller: Caller) -> Self {
        Self {
            at,
            event,
            request_id,
            reason: None,
            status: None,
            sso: None,
            client_id: None,
            jti: None,
            session_id: None,
            replaced_session_ids: Vec::new(),
            address: caller.address,
            user_agent: caller.user_agent,
        }
    }
}

/// Why a token was refused or a session ended, or who caused the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum EventReason {
    Denial(Denial),
    SessionEnd(SessionEnd),
    Actor(Actor),
}

impl<'de> Deserialize<'de> for EventReason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let name = || name.as_str().into_deserializer();
        Denial::deserialize(name())
            .map(Self::Denial)
            .or_else(|_: D::Error| SessionEnd::deserialize(name()).map(Self::SessionEnd))
            .or_else(|_: D::Error| Actor::deserialize(name()).map(Self::Actor))
    }
}

/// Who caused an event, other than an administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    #[serde(rename = "by_user")]
    User,
    /// The application that the token was issued to.
    #[serde(rename = "by_application")]
    Application,
}

impl Actor {
    #[cfg(test)]
    pub const ALL: [Self; 2] = [Self::User, Self::Application];
}

/// Why a session ended before its idle limit and its absolute limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    SignedOut,
    /// The browser signed in as another user.
    Switched,
    /// The user ended the session on the page of their sessions.
    User,
    Administrator,
    /// An administrator ended the sessions of one application.
    Application,
    /// Another browser in another network used the token of the session again, so the token may be stolen (RFC 6749
    /// section 4.1.2).
    TokenReplayed,
}

impl SessionEnd {
    #[cfg(test)]
    pub const ALL: [Self; 6] =
        [Self::SignedOut, Self::Switched, Self::User, Self::Administrator, Self::Application, Self::TokenReplayed];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event: EventKind) -> Event {
        Event::new(event, Timestamp::from_seconds(1), "r1".into(), Caller::default())
    }

    #[track_caller]
    fn assert_stored(event: &Event, stored: &str) {
        assert_eq!(serde_json::to_string(event).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Event>(stored).unwrap(), *event);
    }

    #[test]
    fn a_full_page_is_followed_by_another() {
        let events = [(9, event(EventKind::AccountCreated)), (7, event(EventKind::AccountCreated))];
        for (count, limit, before) in [(0, 2, None), (1, 2, None), (2, 2, Some(7)), (1, 1, Some(9))] {
            assert_eq!(next_page_before(&events[..count], limit), before, "{count} of {limit}");
        }
    }

    #[test]
    fn stored_form_of_each_kind_is_unchanged() {
        let names = [
            "account.created", "account.changed", "account.deleted", "sso.signed_in", "sso.denied", "session.ended",
            "token.replayed", "token.revoked", "credential.revoked", "credential.restored", "account.erased",
        ];
        for (kind, name) in EventKind::ALL.into_iter().zip(names) {
            assert_stored(&event(kind), &format!(r#"{{"at":1,"event":"{name}","request_id":"r1"}}"#));
            assert_eq!(kind.as_str(), name);
        }
    }

    #[test]
    fn stored_form_of_every_field_is_unchanged() {
        let full = Event {
            reason: Some(EventReason::Denial(Denial::NotOwner)),
            status: Some(Status::Closed),
            sso: Some(false),
            client_id: ClientId::parse("portal"),
            jti: Some(TokenId::from_random([1; 16])),
            session_id: Some(SessionId::from_random([2; 16])),
            address: Some("192.0.2.1".into()),
            user_agent: Some("Browser/1".into()),
            ..event(EventKind::Denied)
        };
        let stored = concat!(
            r#"{"at":1,"event":"sso.denied","request_id":"r1","reason":"not_owner","status":"Closed","sso":false,"#,
            r#""client_id":"portal","jti":"AQEBAQEBAQEBAQEBAQEBAQ","session_id":"AgICAgICAgICAgICAgICAg","#,
            r#""address":"192.0.2.1","user_agent":"Browser/1"}"#
        );
        assert_stored(&full, stored);
    }

    #[test]
    fn each_reason_has_a_distinct_stored_form() {
        let words = ["signed_out", "switched", "user", "administrator", "application", "token_replayed"];
        let ends = SessionEnd::ALL.map(EventReason::SessionEnd).into_iter().zip(words);
        let denials = Denial::ALL.map(|denial| (EventReason::Denial(denial), denial.reason()));
        let actors = Actor::ALL.map(EventReason::Actor).into_iter().zip(["by_user", "by_application"]);
        for (reason, word) in ends.chain(denials).chain(actors) {
            assert_eq!(serde_json::to_value(reason).unwrap(), word);
            assert_eq!(serde_json::from_value::<EventReason>(word.into()).unwrap(), reason);
        }
    }
}
