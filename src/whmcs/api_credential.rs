//! API credentials: the clients of WHMCS's API, with the actions and addresses that they are allowed.

use super::{ActionName, AddressRange};
use crate::credential::{Client, StoredSecret};
use crate::id::ClientId;
use crate::json::given;
use crate::secret::Secret;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The longest name, in characters.
const NAME_MAX: usize = 128;
const ADDRESSES_MAX: usize = 100;

/// An API credential as KV stores it under `api-credential:{identifier}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiCredential {
    /// The `client_id` of the tokens that it creates.
    pub identifier: ClientId,
    pub name: String,
    pub actions: Vec<ActionName>,
    /// The addresses from which it may call. An empty list allows every address.
    pub allowed_addresses: Vec<AddressRange>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub secret: StoredSecret,
}

/// The input of an administrator for a new API credential.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiCredentialInput {
    pub name: String,
    pub actions: Vec<ActionName>,
    #[serde(default)]
    pub allowed_addresses: Vec<AddressRange>,
}

/// A change of an API credential. Missing fields keep their value.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiCredentialChange {
    #[serde(default, deserialize_with = "given")]
    pub name: Option<String>,
    #[serde(default, deserialize_with = "given")]
    pub actions: Option<Vec<ActionName>>,
    #[serde(default, deserialize_with = "given")]
    pub allowed_addresses: Option<Vec<AddressRange>>,
}

impl ApiCredentialInput {
    /// # Errors
    /// The first problem, as a sentence for the administrator.
    pub fn into_credential(
        self,
        identifier: ClientId,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<ApiCredential, &'static str> {
        check(ApiCredential {
            identifier,
            name: self.name,
            actions: self.actions,
            allowed_addresses: self.allowed_addresses,
            created_at: now,
            updated_at: now,
            secret: StoredSecret::new(secret),
        })
    }
}

impl ApiCredentialChange {
    /// # Errors
    /// The first problem, as a sentence for the administrator.
    pub fn apply(self, credential: ApiCredential, now: Timestamp) -> Result<ApiCredential, &'static str> {
        check(ApiCredential {
            name: self.name.unwrap_or(credential.name),
            actions: self.actions.unwrap_or(credential.actions),
            allowed_addresses: self.allowed_addresses.unwrap_or(credential.allowed_addresses),
            updated_at: now,
            ..credential
        })
    }
}

fn check(credential: ApiCredential) -> Result<ApiCredential, &'static str> {
    let length = credential.name.chars().count();
    if !(1..=NAME_MAX).contains(&length) || credential.name.chars().any(char::is_control) {
        return Err("The name must have 1 to 128 characters.");
    }
    if credential.allowed_addresses.len() > ADDRESSES_MAX {
        return Err("There are more than 100 allowed_addresses.");
    }
    Ok(credential)
}

impl Client for ApiCredential {
    fn client_id(&self) -> &ClientId {
        &self.identifier
    }

    fn secret(&self) -> &StoredSecret {
        &self.secret
    }
}

impl ApiCredential {
    /// Whether it may be used from `address`. `None` is an unknown address.
    pub fn allows(&self, address: Option<&str>) -> bool {
        let address: Option<IpAddr> = address.and_then(|text| text.parse().ok());
        self.allowed_addresses.is_empty()
            || address.is_some_and(|address| self.allowed_addresses.iter().any(|range| range.contains(address)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::ClientAuthentication;
    use crate::time::NOW_FOR_TEST as NOW;
    use serde_json::{Value, json};

    fn credential(addresses: &[&str]) -> ApiCredential {
        let input: ApiCredentialInput = serde_json::from_value(
            json!({"name": "Panel", "actions": ["CreateSsoToken"], "allowed_addresses": addresses}),
        )
        .unwrap();
        input.into_credential(ClientId::parse("api").unwrap(), &Secret::new("s3cret"), NOW).unwrap()
    }

    #[test]
    fn stored_form_is_unchanged() {
        let mut stored = serde_json::to_value(credential(&["192.0.2.0/24", "2001:db8::1"])).unwrap();
        assert!(stored["secret"].take()["digest"].is_string());
        assert_eq!(
            stored,
            json!({
                "identifier": "api",
                "name": "Panel",
                "actions": ["CreateSsoToken"],
                "allowed_addresses": ["192.0.2.0/24", "2001:db8::1/128"],
                "created_at": 1_800_000_000,
                "updated_at": 1_800_000_000,
                "secret": Value::Null,
            })
        );
        let whole = credential(&["192.0.2.7"]);
        assert_eq!(serde_json::from_str::<ApiCredential>(&serde_json::to_string(&whole).unwrap()).unwrap(), whole);
    }

    #[test]
    fn a_secret_authenticates_only_its_own_credential() {
        let known = credential(&[]);
        let is_authenticated = |text: &str, stored| {
            ClientAuthentication::parse("api", text).unwrap().authenticate::<ApiCredential>(stored, NOW).is_ok()
        };
        assert!(is_authenticated("s3cret", Some(&known)));
        assert!(!is_authenticated("S3cret", Some(&known)));
        assert!(!is_authenticated("s3cret", None));
        assert!(!is_authenticated("", None));
    }

    #[test]
    fn only_allowed_addresses_are_accepted() {
        for (ranges, address, is_allowed) in [
            (vec![], Some("192.0.2.1"), true),
            (vec![], None, true),
            (vec!["192.0.2.1"], Some("192.0.2.1"), true),
            (vec!["192.0.2.1"], Some("192.0.2.2"), false),
            (vec!["192.0.2.0/24"], Some("192.0.2.255"), true),
            (vec!["192.0.2.0/24"], Some("192.0.3.0"), false),
            (vec!["192.0.2.0/24"], Some("::ffff:192.0.2.9"), true),
            (vec!["2001:db8::/32"], Some("2001:db8:1::1"), true),
            (vec!["2001:db8::/32"], Some("192.0.2.1"), false),
            (vec!["0.0.0.0/0"], Some("::1"), false),
            (vec!["::ffff:192.0.2.1"], Some("192.0.2.1"), true),
            (vec!["::ffff:192.0.2.1"], Some("::ffff:192.0.2.1"), true),
            (vec!["::ffff:192.0.2.1"], Some("192.0.2.2"), false),
            (vec!["::ffff:192.0.2.0/120"], Some("192.0.2.255"), true),
            (vec!["::ffff:192.0.2.0/120"], Some("192.0.3.0"), false),
            (vec!["10.0.0.1", "192.0.2.1"], Some("192.0.2.1"), true),
            (vec!["192.0.2.1"], None, false),
            (vec!["192.0.2.1"], Some("unknown"), false),
        ] {
            assert_eq!(credential(&ranges).allows(address), is_allowed, "{ranges:?} {address:?}");
        }
    }

    #[test]
    fn invalid_fields_are_refused() {
        for invalid in [
            json!({"name": "", "actions": []}),
            json!({"name": "x".repeat(129), "actions": []}),
            json!({"name": "a\nb", "actions": []}),
            json!({"name": "x", "actions": [], "allowed_addresses": vec!["192.0.2.1"; 101]}),
        ] {
            let input: ApiCredentialInput = serde_json::from_value(invalid.clone()).unwrap();
            let made = input.into_credential(ClientId::parse("a").unwrap(), &Secret::new("s"), NOW);
            assert!(made.is_err(), "{invalid}");
        }
        for invalid in [
            json!({"name": "x"}),
            json!({"name": "x", "actions": ["createssotoken"]}),
            json!({"name": "x", "actions": ["GetClients"]}),
            json!({"name": "x", "actions": [], "allowed_addresses": ["192.0.2.0/33"]}),
            json!({"name": "x", "actions": [], "allowed_addresses": ["example.com"]}),
            json!({"name": "x", "actions": [], "more": 1}),
        ] {
            assert!(serde_json::from_value::<ApiCredentialInput>(invalid.clone()).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_change_keeps_the_other_fields() {
        let change: ApiCredentialChange = serde_json::from_value(json!({"actions": []})).unwrap();
        let changed = change.apply(credential(&["192.0.2.1"]), NOW.plus(1)).unwrap();
        assert_eq!(changed, ApiCredential { actions: vec![], updated_at: NOW.plus(1), ..credential(&["192.0.2.1"]) });
    }
}
