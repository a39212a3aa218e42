//! The audit trail of a user.

use crate::id::{ClientId, SessionId, TokenId};
use crate::time::Timestamp;
use crate::user::{Denial, Status};
use serde::{Deserialize, Serialize};

/// A class of events. Each keeps its newest events and no more, so that events of one class never push out those of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// What operators did.
    Administration,
    /// Sign-ins.
    SignIn,
    /// Refused tokens. Whoever holds a credential set can cause them at will.
    Denial,
    /// Replayed tokens, and sessions that a replay ended. Whoever has a link can cause them at will.
    Replay,
    /// What the user did. The user can repeat it at will.
    User,
    /// What an application did. It can repeat it at will.
    Application,
}

impl EventClass {
    /// Every class.
    pub const ALL: [Self; 6] =
        [Self::Administration, Self::SignIn, Self::Denial, Self::Replay, Self::User, Self::Application];

    /// Its stable name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Administration => "administration",
            Self::SignIn => "sign_in",
            Self::Denial => "denial",
            Self::Replay => "replay",
            Self::User => "user",
            Self::Application => "application",
        }
    }

    /// How many events of it are kept.
    pub const fn quota(self) -> u64 {
        match self {
            Self::Administration | Self::SignIn => 1_000,
            Self::Denial => 500,
            Self::Replay | Self::User | Self::Application => 200,
        }
    }

    /// Whether the quota holds at every moment. The other classes are cut down once a day.
    pub const fn is_always_within_quota(self) -> bool {
        match self {
            Self::Administration | Self::SignIn => false,
            Self::Denial | Self::Replay | Self::User | Self::Application => true,
        }
    }
}

/// The number before which the next page of an audit trail begins, when this one has `events` of the `limit` asked for. A
/// page that is not full is the last.
pub fn next_page_before(events: &[(u64, Event)], limit: u64) -> Option<u64> {
    events.last().filter(|_| events.len() as u64 == limit).map(|(number, _)| *number)
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventKind {
    /// The account was created.
    #[serde(rename = "account.created")]
    AccountCreated,
    /// The account was changed.
    #[serde(rename = "account.changed")]
    AccountChanged,
    /// The account was deleted.
    #[serde(rename = "account.deleted")]
    AccountDeleted,
    /// A token was redeemed.
    #[serde(rename = "sso.signed_in")]
    SignedIn,
    /// A token was refused.
    #[serde(rename = "sso.denied")]
    Denied,
    /// A session ended before its time.
    #[serde(rename = "session.ended")]
    SessionEnded,
    /// A spent token was presented again, by another browser than the one that it signed in.
    #[serde(rename = "token.replayed")]
    TokenReplayed,
    /// A token was revoked.
    #[serde(rename = "token.revoked")]
    TokenRevoked,
    /// A credential set was revoked or disabled.
    #[serde(rename = "credential.revoked")]
    CredentialRevoked,
    /// A disabled credential set was enabled again.
    #[serde(rename = "credential.restored")]
    CredentialRestored,
    /// Everything personal was erased: the account, its sessions, and the addresses and browsers in the events before.
    #[serde(rename = "account.erased")]
    AccountErased,
}

impl EventKind {
    /// Every kind.
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

    /// Its stable name.
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

/// One line of the audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// What happened.
    pub event: EventKind,
    /// The request that did it, as in the log.
    pub request_id: String,
    /// Why, if it was a refusal or an end; or who did it, if it was no administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<EventReason>,
    /// The account's status after the event, if it is about the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Whether the account allows single sign-on after the event, if it is about the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso: Option<bool>,
    /// The credential set concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// The token concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jti: Option<TokenId>,
    /// The session concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<SessionId>,
    /// The sessions that gave way to this one: the browser's own before, or the oldest of too many.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced_session_ids: Vec<SessionId>,
    /// The address the request came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// The browser the request came from, as it named itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
}

impl Event {
    /// The class it is kept in.
    pub const fn class(&self) -> EventClass {
        match (self.event, self.reason) {
            (_, Some(EventReason::Actor(Actor::User))) => EventClass::User,
            (_, Some(EventReason::Actor(Actor::Application))) => EventClass::Application,
            (EventKind::SignedIn, _) => EventClass::SignIn,
            (EventKind::Denied, _) => EventClass::Denial,
            (EventKind::TokenReplayed, _) => EventClass::Replay,
            (EventKind::SessionEnded, Some(EventReason::SessionEnd(end))) => match end {
                SessionEnd::SignedOut | SessionEnd::Switched | SessionEnd::User => EventClass::User,
                SessionEnd::TokenReplayed => EventClass::Replay,
                SessionEnd::Administrator | SessionEnd::Application => EventClass::Administration,
            },
            (
                EventKind::AccountCreated
                | EventKind::AccountChanged
                | EventKind::AccountDeleted
                | EventKind::AccountErased
                | EventKind::SessionEnded
                | EventKind::TokenRevoked
                | EventKind::CredentialRevoked
                | EventKind::CredentialRestored,
                _,
            ) => EventClass::Administration,
        }
    }
}

/// Why a token was refused or a session ended, or who did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum EventReason {
    /// A denial of single sign-on.
    Denial(Denial),
    /// An end of a session.
    SessionEnd(SessionEnd),
    /// Who did it, if it was no administrator.
    Actor(Actor),
}

/// Who did something, if it was no administrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Actor {
    /// The user, on the page of their sessions.
    #[serde(rename = "by_user")]
    User,
    /// The application that the token was issued to.
    #[serde(rename = "by_application")]
    Application,
}

impl Actor {
    /// Every actor.
    #[cfg(test)]
    pub const ALL: [Self; 2] = [Self::User, Self::Application];
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionEnd {
    /// The user signed out.
    SignedOut,
    /// The browser switched to another user.
    Switched,
    /// The user ended it on the page of their sessions.
    User,
    /// An administrator ended it.
    Administrator,
    /// An administrator ended the sessions that its application had opened.
    Application,
    /// The token that opened it was presented again by another browser in another network, so it may have been stolen
    /// (RFC 6749 section 4.1.2).
    TokenReplayed,
}

impl SessionEnd {
    /// Every end.
    #[cfg(test)]
    pub const ALL: [Self; 6] =
        [Self::SignedOut, Self::Switched, Self::User, Self::Administrator, Self::Application, Self::TokenReplayed];
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(event: EventKind) -> Event {
        Event {
            at: Timestamp::from_seconds(1),
            event,
            request_id: "r1".into(),
            reason: None,
            status: None,
            sso: None,
            client_id: None,
            jti: None,
            session_id: None,
            replaced_session_ids: Vec::new(),
            address: None,
            user_agent: None,
        }
    }

    #[track_caller]
    fn assert_stored(event: &Event, stored: &str) {
        assert_eq!(serde_json::to_string(event).unwrap(), stored);
        assert_eq!(serde_json::from_str::<Event>(stored).unwrap(), *event);
    }

    #[test]
    fn a_page_that_is_full_has_another_after_it() {
        let events = [(9, event(EventKind::AccountCreated)), (7, event(EventKind::AccountCreated))];
        for (count, limit, before) in [(0, 2, None), (1, 2, None), (2, 2, Some(7)), (1, 1, Some(9))] {
            assert_eq!(next_page_before(&events[..count], limit), before, "{count} of {limit}");
        }
    }

    #[test]
    fn stored_form_of_each_kind_is_unchanged() {
        for (kind, name) in [
            (EventKind::AccountCreated, "account.created"),
            (EventKind::AccountChanged, "account.changed"),
            (EventKind::AccountDeleted, "account.deleted"),
            (EventKind::SignedIn, "sso.signed_in"),
            (EventKind::Denied, "sso.denied"),
            (EventKind::SessionEnded, "session.ended"),
            (EventKind::TokenReplayed, "token.replayed"),
            (EventKind::TokenRevoked, "token.revoked"),
            (EventKind::CredentialRevoked, "credential.revoked"),
            (EventKind::CredentialRestored, "credential.restored"),
            (EventKind::AccountErased, "account.erased"),
        ] {
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
    fn each_reason_is_one_word_and_told_from_the_others() {
        let ends = [
            (SessionEnd::SignedOut, "signed_out"),
            (SessionEnd::Switched, "switched"),
            (SessionEnd::User, "user"),
            (SessionEnd::Administrator, "administrator"),
            (SessionEnd::Application, "application"),
            (SessionEnd::TokenReplayed, "token_replayed"),
        ];
        let ends = ends.map(|(end, word)| (EventReason::SessionEnd(end), word));
        let denials = Denial::ALL.map(|denial| (EventReason::Denial(denial), denial.reason()));
        let actors = [(Actor::User, "by_user"), (Actor::Application, "by_application")];
        let actors = actors.map(|(actor, word)| (EventReason::Actor(actor), word));
        for (reason, word) in ends.into_iter().chain(denials).chain(actors) {
            assert_eq!(serde_json::to_value(reason).unwrap(), word);
            assert_eq!(serde_json::from_value::<EventReason>(word.into()).unwrap(), reason);
        }
    }

    #[test]
    fn each_class_has_its_name_and_its_quota() {
        for (class, name, quota, is_always_within_quota) in [
            (EventClass::Administration, "administration", 1_000, false),
            (EventClass::SignIn, "sign_in", 1_000, false),
            (EventClass::Denial, "denial", 500, true),
            (EventClass::Replay, "replay", 200, true),
            (EventClass::User, "user", 200, true),
            (EventClass::Application, "application", 200, true),
        ] {
            assert_eq!((class.as_str(), class.quota()), (name, quota));
            assert_eq!(class.is_always_within_quota(), is_always_within_quota, "{name}");
        }
    }

    #[test]
    fn what_users_and_applications_cause_at_will_has_classes_of_its_own() {
        let with = |kind, reason| Event { reason, ..event(kind) }.class();
        for kind in EventKind::ALL {
            let class = match kind {
                EventKind::SignedIn => EventClass::SignIn,
                EventKind::Denied => EventClass::Denial,
                EventKind::TokenReplayed => EventClass::Replay,
                _ => EventClass::Administration,
            };
            assert_eq!(with(kind, None), class, "{kind:?}");
            assert_eq!(with(kind, Some(EventReason::Actor(Actor::User))), EventClass::User);
            assert_eq!(with(kind, Some(EventReason::Actor(Actor::Application))), EventClass::Application);
        }
        for end in SessionEnd::ALL {
            let class = match end {
                SessionEnd::SignedOut | SessionEnd::Switched | SessionEnd::User => EventClass::User,
                SessionEnd::TokenReplayed => EventClass::Replay,
                SessionEnd::Administrator | SessionEnd::Application => EventClass::Administration,
            };
            assert_eq!(with(EventKind::SessionEnded, Some(EventReason::SessionEnd(end))), class, "{end:?}");
        }
    }
}
