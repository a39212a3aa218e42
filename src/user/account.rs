//! The account of a user.

use super::Denial;
use crate::id::OwnedId;
use crate::json::given;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The maximum number of services and domains of an account, together. The account is stored in one row, which
/// Cloudflare limits to 2 MB. This many ids of maximum length take 1.7 MB.
pub const OWNED_MAX: usize = 25_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    Active,
    /// The account has no active services. The user can still sign in.
    Inactive,
    /// The user cannot sign in.
    Closed,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::Active, Self::Inactive, Self::Closed];

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Inactive => "Inactive",
            Self::Closed => "Closed",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub status: Status,
    /// Whether single sign-on is enabled.
    pub sso: bool,
    pub services: BTreeSet<OwnedId>,
    pub domains: BTreeSet<OwnedId>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An account as an administrator writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountInput {
    pub status: Status,
    /// Whether single sign-on is enabled. If the field is missing, a new account enables single sign-on and an existing
    /// account keeps its value, which the user may have chosen.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub sso: Option<bool>,
    #[serde(default)]
    pub services: BTreeSet<OwnedId>,
    #[serde(default)]
    pub domains: BTreeSet<OwnedId>,
}

/// A change of some fields of an account. Missing fields keep their values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountChange {
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub status: Option<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub sso: Option<bool>,
    /// Replaces the list of services.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub services: Option<BTreeSet<OwnedId>>,
    /// Replaces the list of domains.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub domains: Option<BTreeSet<OwnedId>>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove_services: BTreeSet<OwnedId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub remove_domains: BTreeSet<OwnedId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add_services: BTreeSet<OwnedId>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub add_domains: BTreeSet<OwnedId>,
}

impl AccountInput {
    /// The fields in which this differs from the account that was `shown`. Concurrent changes of other fields are kept.
    pub fn changes_to(self, shown: &Self) -> AccountChange {
        AccountChange {
            status: Some(self.status).filter(|status| *status != shown.status),
            sso: self.sso.filter(|_| self.sso != shown.sso),
            services: Some(self.services).filter(|services| *services != shown.services),
            domains: Some(self.domains).filter(|domains| *domains != shown.domains),
            ..AccountChange::default()
        }
    }

    /// The account to store at `now` in place of `old`.
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
    /// The services that this change assigns to the account.
    pub fn claimed(&self) -> BTreeSet<OwnedId> {
        changed(self.services.clone().unwrap_or_default(), &self.remove_services, self.add_services.clone())
    }

    /// Applies the change at `now`. Each list is first replaced, then ids are removed, then ids are added.
    pub fn apply(self, account: Account, now: Timestamp) -> Account {
        let services = self.services.unwrap_or(account.services);
        let domains = self.domains.unwrap_or(account.domains);
        Account {
            status: self.status.unwrap_or(account.status),
            sso: self.sso.unwrap_or(account.sso),
            services: changed(services, &self.remove_services, self.add_services),
            domains: changed(domains, &self.remove_domains, self.add_domains),
            created_at: account.created_at,
            updated_at: now,
        }
    }
}

fn changed(owned: BTreeSet<OwnedId>, removed: &BTreeSet<OwnedId>, added: BTreeSet<OwnedId>) -> BTreeSet<OwnedId> {
    let mut ids = added;
    ids.extend(owned.into_iter().filter(|id| !removed.contains(id)));
    ids
}

impl Account {
    /// The number of services and domains, together.
    pub fn owned(&self) -> usize {
        self.services.len().saturating_add(self.domains.len())
    }

    /// Whether the account owns the service and the domain, if given.
    pub fn owns(&self, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> bool {
        service.is_none_or(|id| self.services.contains(id)) && domain.is_none_or(|id| self.domains.contains(id))
    }

    /// Why the user cannot be signed in, to this service or domain if given. `Closed` and `SsoDisabled` take precedence
    /// over `NotOwner`.
    pub fn denial(&self, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> Option<Denial> {
        match self.status {
            Status::Closed => Some(Denial::Closed),
            Status::Active | Status::Inactive if !self.sso => Some(Denial::SsoDisabled),
            Status::Active | Status::Inactive => (!self.owns(service, domain)).then_some(Denial::NotOwner),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<OwnedId> {
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
    fn an_account_without_the_field_sso_keeps_its_value() {
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
    fn lists_are_replaced_then_shortened_then_extended() {
        for (change, services, domains) in [
            ("{}", vec!["12"], vec!["34", "example.com"]),
            (r#"{"add_services":[13,12,"13"]}"#, vec!["12", "13"], vec!["34", "example.com"]),
            (r#"{"remove_domains":[34,"unknown"]}"#, vec!["12"], vec!["example.com"]),
            (r#"{"remove_services":[12],"add_domains":["a"]}"#, vec![], vec!["34", "a", "example.com"]),
            (r#"{"remove_services":[12,13],"add_services":[12]}"#, vec!["12"], vec!["34", "example.com"]),
            (
                r#"{"services":[1,2,3],"remove_services":[2],"add_services":[4]}"#,
                vec!["1", "3", "4"],
                vec!["34", "example.com"],
            ),
            (r#"{"domains":[],"add_domains":[5]}"#, vec!["12"], vec!["5"]),
        ] {
            let parsed: AccountChange = serde_json::from_str(change).unwrap();
            let changed = parsed.apply(account(), Timestamp::from_seconds(3));
            assert_eq!((changed.services, changed.domains), (ids(&services), ids(&domains)), "{change}");
        }
        for (change, claimed) in [
            (r#"{"status":"Closed","add_domains":[1],"remove_services":[12]}"#, vec![]),
            (r#"{"services":[1,2],"remove_services":[2,3],"add_services":[3,4]}"#, vec!["1", "3", "4"]),
        ] {
            assert_eq!(serde_json::from_str::<AccountChange>(change).unwrap().claimed(), ids(&claimed), "{change}");
        }
        for bad in [r#"{"add_services":null}"#, r#"{"remove_domains":"34"}"#, r#"{"add_domains":["a b"]}"#] {
            assert!(serde_json::from_str::<AccountChange>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_largest_account_fits_into_a_row() {
        let services = (0..OWNED_MAX).map(|n| OwnedId::parse(&format!("{n:064}")).unwrap()).collect();
        let largest = Account { services, domains: BTreeSet::new(), ..account() };
        assert_eq!(largest.owned(), OWNED_MAX);
        assert!(serde_json::to_string(&largest).unwrap().len() < 1_800_000);
    }

    #[test]
    fn a_given_service_and_domain_must_be_owned() {
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
            let denial = |account: Account| account.denial(service.as_ref(), domain.as_ref());
            assert_eq!(denial(account()), (!owns).then_some(Denial::NotOwner), "{service:?} {domain:?}");
            assert_eq!(denial(Account { sso: false, ..account() }), Some(Denial::SsoDisabled));
            assert_eq!(denial(Account { status: Status::Closed, sso: false, ..account() }), Some(Denial::Closed));
        }
    }
}
