//! API credentials: who may call which actions, from where.

use crate::credential::{Client, StoredSecret};
use crate::id::ClientId;
use crate::json::given;
use crate::secret::Secret;
use crate::time::Timestamp;
use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use std::net::IpAddr;

/// The greatest length of a name, in characters.
const NAME_MAX: usize = 128;
/// The greatest number of address ranges.
const ADDRESSES_MAX: usize = 100;

/// The name of an action. It is WHMCS's, and has no case in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ActionName {
    /// Get a token.
    CreateSsoToken,
    /// Create a credential set.
    CreateOAuthCredential,
    /// Change a credential set.
    UpdateOAuthCredential,
    /// Revoke a credential set.
    DeleteOAuthCredential,
    /// List the credential sets.
    ListOAuthCredentials,
}

impl ActionName {
    /// Every action.
    pub const ALL: [Self; 5] = [
        Self::CreateSsoToken,
        Self::CreateOAuthCredential,
        Self::UpdateOAuthCredential,
        Self::DeleteOAuthCredential,
        Self::ListOAuthCredentials,
    ];

    /// The action of this name, which has no case.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str().eq_ignore_ascii_case(name))
    }

    /// Its name as WHMCS spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateSsoToken => "CreateSsoToken",
            Self::CreateOAuthCredential => "CreateOAuthCredential",
            Self::UpdateOAuthCredential => "UpdateOAuthCredential",
            Self::DeleteOAuthCredential => "DeleteOAuthCredential",
            Self::ListOAuthCredentials => "ListOAuthCredentials",
        }
    }
}

/// Addresses: one, or a range in CIDR notation (RFC 4632, RFC 4291 section 2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// The range spelled by `text`. IPv4 addresses mapped into IPv6 are those IPv4 addresses.
    pub fn parse(text: &str) -> Option<Self> {
        let range: IpNet = text.parse().ok().or_else(|| text.parse().ok().map(IpAddr::into))?;
        let mapped = match (range.addr().to_canonical(), range.prefix_len().checked_sub(96)) {
            (address @ IpAddr::V4(_), Some(length)) => IpNet::new(address, length).ok(),
            _ => None,
        };
        Some(Self(mapped.unwrap_or(range)))
    }

    /// The range as text, a single address without its prefix length.
    pub fn to_text(self) -> String {
        if self.0.prefix_len() == self.0.max_prefix_len() { self.0.addr().to_string() } else { self.0.to_string() }
    }

    /// Whether `address` is one of them. An IPv4 address mapped into IPv6 is that IPv4 address.
    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl<'de> Deserialize<'de> for AddressRange {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("not an address range"))
    }
}

/// An API credential, under `api-credential:{identifier}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiCredential {
    /// Its id. Tokens that it creates name it as their client.
    pub identifier: ClientId,
    /// A name for people.
    pub name: String,
    /// Its role: the actions it may call.
    pub actions: Vec<ActionName>,
    /// Where it may call from; none for anywhere.
    pub allowed_addresses: Vec<AddressRange>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// The stored form of its secret.
    pub secret: StoredSecret,
}

/// A new API credential as an administrator writes it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiCredentialInput {
    /// A name for people.
    pub name: String,
    /// The actions it may call.
    pub actions: Vec<ActionName>,
    /// Where it may call from.
    #[serde(default)]
    pub allowed_addresses: Vec<AddressRange>,
}

/// The fields of an API credential to change; the others stay.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiCredentialChange {
    /// The new name.
    #[serde(default, deserialize_with = "given")]
    pub name: Option<String>,
    /// All actions.
    #[serde(default, deserialize_with = "given")]
    pub actions: Option<Vec<ActionName>>,
    /// All addresses.
    #[serde(default, deserialize_with = "given")]
    pub allowed_addresses: Option<Vec<AddressRange>>,
}

impl ApiCredentialInput {
    /// The API credential this makes at `now`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn into_credential(
        self,
        identifier: ClientId,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<ApiCredential, &'static str> {
        checked(ApiCredential {
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
    /// `credential` with this change, made at `now`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn apply(self, credential: ApiCredential, now: Timestamp) -> Result<ApiCredential, &'static str> {
        checked(ApiCredential {
            name: self.name.unwrap_or(credential.name),
            actions: self.actions.unwrap_or(credential.actions),
            allowed_addresses: self.allowed_addresses.unwrap_or(credential.allowed_addresses),
            updated_at: now,
            ..credential
        })
    }
}

fn checked(credential: ApiCredential) -> Result<ApiCredential, &'static str> {
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
    /// Whether it may be used from `address`, which is none when the platform did not tell.
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
    use serde_json::{Value, json};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

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
    fn a_secret_proves_its_own_credential_alone() {
        let known = credential(&[]);
        let proves = |text: &str, stored| {
            ClientAuthentication::parse("api", text).unwrap().authenticate::<ApiCredential>(stored, NOW).is_ok()
        };
        assert!(proves("s3cret", Some(&known)));
        assert!(!proves("S3cret", Some(&known)));
        assert!(!proves("s3cret", None));
        assert!(!proves("", None));
    }

    #[test]
    fn addresses_are_single_or_ranges() {
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
    fn what_is_unsound_is_refused() {
        for bad in [
            json!({"name": "", "actions": []}),
            json!({"name": "x".repeat(129), "actions": []}),
            json!({"name": "a\nb", "actions": []}),
            json!({"name": "x", "actions": [], "allowed_addresses": vec!["192.0.2.1"; 101]}),
        ] {
            let input: ApiCredentialInput = serde_json::from_value(bad.clone()).unwrap();
            let made = input.into_credential(ClientId::parse("a").unwrap(), &Secret::new("s"), NOW);
            assert!(made.is_err(), "{bad}");
        }
        for bad in [
            json!({"name": "x"}),
            json!({"name": "x", "actions": ["createssotoken"]}),
            json!({"name": "x", "actions": ["GetClients"]}),
            json!({"name": "x", "actions": [], "allowed_addresses": ["192.0.2.0/33"]}),
            json!({"name": "x", "actions": [], "allowed_addresses": ["example.com"]}),
            json!({"name": "x", "actions": [], "more": 1}),
        ] {
            assert!(serde_json::from_value::<ApiCredentialInput>(bad.clone()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_change_leaves_the_rest_alone() {
        let change: ApiCredentialChange = serde_json::from_value(json!({"actions": []})).unwrap();
        let changed = change.apply(credential(&["192.0.2.1"]), NOW.plus(1)).unwrap();
        assert_eq!(changed, ApiCredential { actions: vec![], updated_at: NOW.plus(1), ..credential(&["192.0.2.1"]) });
    }

    #[test]
    fn action_names_are_whmcs() {
        for name in [
            "CreateSsoToken",
            "CreateOAuthCredential",
            "UpdateOAuthCredential",
            "DeleteOAuthCredential",
            "ListOAuthCredentials",
        ] {
            let action = ActionName::parse(&name.to_ascii_lowercase()).unwrap();
            assert_eq!(serde_json::to_value(action).unwrap(), name);
        }
        assert_eq!(ActionName::parse("getclients"), None);
    }
}
