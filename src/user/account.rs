//! The account: what Signet knows of a user.

use crate::id::OwnedId;
use crate::json::given;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The status of an account. Active and Inactive accounts may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// In use.
    Active,
    /// Without active services; may still sign in.
    Inactive,
    /// Ended; may not sign in.
    Closed,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Closed];

    /// The status called `text`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Closed => "Closed",
        }
    }
}

/// An account as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its status.
    pub status: Status,
    /// Whether single sign-on is allowed.
    pub sso: bool,
    /// The services it owns.
    pub services: Vec<OwnedId>,
    /// The domains it owns.
    pub domains: Vec<OwnedId>,
    /// When Signet first heard of it.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A whole account as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    /// Its status.
    pub status: Status,
    /// Whether single sign-on is allowed. If it is left out, a new account allows it, and an old one stays as it is: the
    /// switch may be the user's own doing.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub sso: Option<bool>,
    /// The services it owns.
    #[serde(default)]
    pub services: Vec<OwnedId>,
    /// The domains it owns.
    #[serde(default)]
    pub domains: Vec<OwnedId>,
}

/// The fields of an account to change; the others stay.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    /// The new status.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub status: Option<Status>,
    /// The new switch.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub sso: Option<bool>,
    /// All services.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub services: Option<Vec<OwnedId>>,
    /// All domains.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub domains: Option<Vec<OwnedId>>,
}

impl AccountInput {
    /// What this changes in the account that was `shown`. What others change meanwhile in other fields stays.
    pub fn changes_to(self, shown: &Self) -> AccountChange {
        AccountChange {
            status: Some(self.status).filter(|status| *status != shown.status),
            sso: self.sso.filter(|_| self.sso != shown.sso),
            services: Some(self.services).filter(|services| *services != shown.services),
            domains: Some(self.domains).filter(|domains| *domains != shown.domains),
        }
    }

    /// The account this makes at `now`, in place of `old`.
    pub fn into_account(self, old: Option<&Account>, now: Timestamp) -> Account {
        Account {
            status: self.status,
            sso: self.sso.unwrap_or(old.is_none_or(|account| account.sso)),
            services: self.services,
            domains: self.domains,
            created_at: old.map_or(now, |account| account.created_at),
            updated_at: now,
        }
    }
}

impl AccountChange {
    /// `account` with this change, made at `now`.
    pub fn apply(self, account: Account, now: Timestamp) -> Account {
        Account {
            status: self.status.unwrap_or(account.status),
            sso: self.sso.unwrap_or(account.sso),
            services: self.services.unwrap_or(account.services),
            domains: self.domains.unwrap_or(account.domains),
            created_at: account.created_at,
            updated_at: now,
        }
    }
}

impl Account {
    /// Whether it owns the service and the domain, where one is named.
    pub fn owns(&self, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> bool {
        service.is_none_or(|id| self.services.contains(id)) && domain.is_none_or(|id| self.domains.contains(id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> Vec<OwnedId> {
        ids.iter().map(|id| OwnedId::parse(id).unwrap()).collect()
    }

    fn account() -> Account {
        Account {
            status: Status::Active,
            sso: true,
            services: ids(&["12"]),
            domains: ids(&["34", "example.com"]),
            created_at: Timestamp::from_seconds(1),
            updated_at: Timestamp::from_seconds(2),
        }
    }

    #[test]
    fn stored_form_is_unchanged() {
        for (status, name) in [(Status::Active, "Active"), (Status::Inactive, "Inactive"), (Status::Closed, "Closed")] {
            let stored = format!(
                r#"{{"status":"{name}","sso":true,"services":["12"],"domains":["34","example.com"],"created_at":1,"updated_at":2}}"#
            );
            let account = Account { status, ..account() };
            assert_eq!(serde_json::to_string(&account).unwrap(), stored);
            assert_eq!(serde_json::from_str::<Account>(&stored).unwrap(), account);
        }
    }

    #[test]
    fn an_account_that_does_not_speak_of_single_sign_on_leaves_it_alone() {
        let input = |json: &str| serde_json::from_str::<AccountInput>(json).unwrap();
        let off = Account { sso: false, ..account() };
        for (json, old, sso) in [
            (r#"{"status":"Active"}"#, None, true),
            (r#"{"status":"Active"}"#, Some(&account()), true),
            (r#"{"status":"Active"}"#, Some(&off), false),
            (r#"{"status":"Active","sso":true}"#, Some(&off), true),
            (r#"{"status":"Active","sso":false}"#, Some(&account()), false),
            (r#"{"status":"Active","sso":false}"#, None, false),
        ] {
            assert_eq!(input(json).into_account(old, Timestamp::from_seconds(3)).sso, sso, "{json} {old:?}");
        }
        assert!(serde_json::from_str::<AccountInput>(r#"{"status":"Active","sso":null}"#).is_err());
    }

    #[test]
    fn whatever_is_named_must_be_owned() {
        let id = |text| OwnedId::parse(text).unwrap();
        for (service, domain, owns) in [
            (None, None, true),
            (Some("12"), None, true),
            (None, Some("example.com"), true),
            (Some("12"), Some("34"), true),
            (Some("34"), None, false),
            (None, Some("12"), false),
            (Some("12"), Some("35"), false),
            (Some("13"), Some("34"), false),
            (Some("1"), None, false),
            (None, Some("EXAMPLE.COM"), false),
        ] {
            let (service, domain) = (service.map(id), domain.map(id));
            assert_eq!(account().owns(service.as_ref(), domain.as_ref()), owns, "{service:?} {domain:?}");
        }
    }
}
