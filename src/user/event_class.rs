//! The classes of events, and how many events of each are kept.

use super::{Actor, Event, EventKind, EventReason, SessionEnd};

/// A class of events. Each class has its own quota, so that events of one class never displace events of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventClass {
    /// What administrators did.
    Administration,
    SignIn,
    /// Refused tokens. Anyone who holds a credential set can cause any number of them.
    Denial,
    /// Replayed tokens, and sessions that a replay ended. Anyone who has a link can cause any number of them.
    Replay,
    /// What the user did, any number of times.
    User,
    /// What an application did, any number of times.
    Application,
}

impl EventClass {
    pub const ALL: [Self; 6] =
        [Self::Administration, Self::SignIn, Self::Denial, Self::Replay, Self::User, Self::Application];

    /// The stored name.
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

    /// How many events of the class are kept.
    pub const fn quota(self) -> u64 {
        match self {
            Self::Administration | Self::SignIn => 1_000,
            Self::Denial => 500,
            Self::Replay | Self::User | Self::Application => 200,
        }
    }

    /// Whether each new event enforces the quota. The sweep enforces the quotas of the other classes once a day.
    pub const fn is_always_within_quota(self) -> bool {
        match self {
            Self::Administration | Self::SignIn => false,
            Self::Denial | Self::Replay | Self::User | Self::Application => true,
        }
    }
}

impl Event {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Caller;
    use crate::time::Timestamp;

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
    fn events_of_users_and_applications_have_their_own_classes() {
        let with = |kind, reason| {
            let event = Event::new(kind, Timestamp::from_seconds(1), "r1".into(), Caller::default());
            Event { reason, ..event }.class()
        };
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
