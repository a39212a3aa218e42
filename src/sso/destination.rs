//! Scopes and the destinations they name.

use super::path::{self, RelativePath};
use crate::id::OwnedId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::collections::BTreeMap;
use url::Url;

/// The default destinations, relative to the client area: scope, label, path. They are WHMCS's.
const DEFAULTS: [(&str, &str, &str); 18] = [
    ("clientarea:profile", "My Details", "clientarea.php?action=details"),
    ("clientarea:billing_info", "Manage Billing Information/Credit Card", "clientarea.php?action=creditcard"),
    ("clientarea:emails", "My Emails", "clientarea.php?action=emails"),
    ("clientarea:announcements", "Announcements", "announcements.php"),
    ("clientarea:downloads", "Downloads", "downloads.php"),
    ("clientarea:knowledgebase", "Knowledgebase", "knowledgebase.php"),
    ("clientarea:network_status", "Network Status", "serverstatus.php"),
    ("clientarea:services", "My Products/Services", "clientarea.php?action=services"),
    (
        "clientarea:product_details",
        "Product Details/Information",
        "clientarea.php?action=productdetails&id={service_id}",
    ),
    ("clientarea:domains", "My Domains", "clientarea.php?action=domains"),
    ("clientarea:domain_details", "Domain Details/Information", "clientarea.php?action=domaindetails&id={domain_id}"),
    ("clientarea:invoices", "My Invoices", "clientarea.php?action=invoices"),
    ("clientarea:tickets", "My Support Tickets", "supporttickets.php"),
    ("clientarea:submit_ticket", "Open New Ticket", "submitticket.php"),
    ("clientarea:shopping_cart", "Shopping Cart Default Product Group", "cart.php"),
    ("clientarea:shopping_cart_addons", "Shopping Cart Addons", "cart.php?gid=addons"),
    ("clientarea:shopping_cart_domain_register", "Shopping Cart Register Domain", "cart.php?a=add&domain=register"),
    ("clientarea:shopping_cart_domain_transfer", "Shopping Cart Transfer Domain", "cart.php?a=add&domain=transfer"),
];
const HOME_PATH: &str = "clientarea.php";
const BASE: &str = "clientarea:sso";
const CUSTOM_REDIRECT: &str = "sso:custom_redirect";
/// The key of the client area's home in the setting `DESTINATIONS`.
const HOME_KEY: &str = "home";
const SERVICE_ID: &str = "{service_id}";
const DOMAIN_ID: &str = "{domain_id}";

/// A scope (RFC 6749 section 3.3): the base scope, or the name of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(&'static str);

impl Scope {
    /// `clientarea:sso`, in every credential set; not a destination.
    pub const BASE: Self = Self(BASE);
    /// `sso:custom_redirect`, to the path in `sso_redirect_path`.
    pub const CUSTOM_REDIRECT: Self = Self(CUSTOM_REDIRECT);

    /// The scope named `text`, exactly.
    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|scope| scope.0 == text)
    }

    /// Every scope.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::BASE].into_iter().chain(Self::destinations())
    }

    /// Every scope that names a destination.
    pub fn destinations() -> impl Iterator<Item = Self> {
        DEFAULTS.iter().map(|(scope, _, _)| Self(scope)).chain([Self::CUSTOM_REDIRECT])
    }

    /// The scope's name.
    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// What WHMCS calls the destination.
    pub fn label(self) -> &'static str {
        DEFAULTS.iter().find(|(scope, _, _)| *scope == self.0).map_or("Custom Redirect", |(_, label, _)| label)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("unknown scope"))
    }
}

/// Scopes without repetition, in the order given. In JSON one text, separated by spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Parses scopes separated by single spaces (RFC 6749 section 3.3), or nothing if one is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ').map(Scope::parse).collect::<Option<Vec<_>>>().map(Self::from_iter)
    }

    /// Whether `scope` is among them.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// The scopes in order.
    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The one destination, if there is exactly one.
    pub fn only_destination(&self) -> Option<Scope> {
        let mut destinations = self.iter().filter(|scope| *scope != Scope::BASE);
        destinations.next().filter(|_| destinations.next().is_none())
    }
}

impl FromIterator<Scope> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut unique = Vec::new();
        for scope in scopes {
            if !unique.contains(&scope) {
                unique.push(scope);
            }
        }
        Self(unique)
    }
}

impl std::fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::as_str).collect();
        f.write_str(&names.join(" "))
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).ok_or_else(|| D::Error::custom("unknown scope"))
    }
}

/// What a token or a request says of the destination, beside its scope.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationInputs {
    /// The service that `product_details` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<OwnedId>,
    /// The domain that `domain_details` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain_id: Option<OwnedId>,
    /// Where `sso:custom_redirect` goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sso_redirect_path: Option<RelativePath>,
}

/// Where to send the user: the input that is missing, or the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingInput {
    /// The destination's path contains `{service_id}`.
    ServiceId,
    /// The destination's path contains `{domain_id}`.
    DomainId,
    /// The destination is `sso:custom_redirect`.
    RedirectPath,
}

impl MissingInput {
    /// What is missing, in words.
    pub const fn message(self) -> &'static str {
        match self {
            Self::ServiceId => "The destination needs a service_id.",
            Self::DomainId => "The destination needs a domain_id.",
            Self::RedirectPath => "The destination needs an sso_redirect_path.",
        }
    }
}

/// The client area: its address, and where each destination lies in it.
pub struct ClientArea {
    base: Url,
    overrides: BTreeMap<String, String>,
}

impl ClientArea {
    /// The client area at `base`, with the JSON object `overrides` (scope or `home` to path) in
    /// place of default paths.
    ///
    /// # Errors
    /// What is wrong, in words. Every resulting place lies below `base`.
    pub fn new(base: Url, overrides: Option<&str>) -> Result<Self, &'static str> {
        let overrides: BTreeMap<String, String> = match overrides {
            Some(json) => serde_json::from_str(json).map_err(|_| "is not a table of scopes and paths")?,
            None => BTreeMap::new(),
        };
        for (key, template) in &overrides {
            let is_known = key == HOME_KEY || DEFAULTS.iter().any(|(scope, _, _)| scope == key);
            if !is_known {
                return Err("names a scope that is not a destination");
            }
            let sample = template.replace(SERVICE_ID, "1").replace(DOMAIN_ID, "1");
            RelativePath::parse(&sample)
                .and_then(|path| path::join(&base, path.as_str()))
                .ok_or("has a path that leaves the client area")?;
        }
        let without_slash = |path: String| path.strip_prefix('/').map(str::to_owned).unwrap_or(path);
        let overrides = overrides.into_iter().map(|(key, path)| (key, without_slash(path))).collect();
        Ok(Self { base, overrides })
    }

    /// The client area's own address, ending in a slash.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The place that `scope` names, or the client area's home for none.
    ///
    /// # Errors
    /// The first [`MissingInput`].
    pub fn locate(&self, scope: Option<Scope>, inputs: &DestinationInputs) -> Result<String, MissingInput> {
        if scope == Some(Scope::CUSTOM_REDIRECT) {
            let path = inputs.sso_redirect_path.as_ref().ok_or(MissingInput::RedirectPath)?;
            return Ok(self.place(Some(path)));
        }
        let mut place = self.template(scope).to_owned();
        if place.contains(SERVICE_ID) {
            let id = inputs.service_id.as_ref().ok_or(MissingInput::ServiceId)?;
            place = place.replace(SERVICE_ID, id.as_str());
        }
        if place.contains(DOMAIN_ID) {
            let id = inputs.domain_id.as_ref().ok_or(MissingInput::DomainId)?;
            place = place.replace(DOMAIN_ID, id.as_str());
        }
        Ok(self.below(&place))
    }

    /// The place that `path` names, or the client area itself for none.
    pub fn place(&self, path: Option<&RelativePath>) -> String {
        path.map_or_else(|| self.base.to_string(), |path| self.below(path.as_str()))
    }

    fn template(&self, scope: Option<Scope>) -> &str {
        let key = scope.map_or(HOME_KEY, Scope::as_str);
        let default = || DEFAULTS.iter().find(|(scope, _, _)| *scope == key).map_or(HOME_PATH, |(_, _, path)| path);
        self.overrides.get(key).map_or_else(default, String::as_str)
    }

    /// The address of `path`. What does not lie below the client area becomes the client area itself.
    fn below(&self, path: &str) -> String {
        path::join(&self.base, path).unwrap_or_else(|| self.base.clone()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(overrides: Option<&str>) -> Result<ClientArea, &'static str> {
        ClientArea::new(Url::parse("https://my.example/billing/").unwrap(), overrides)
    }

    fn inputs() -> DestinationInputs {
        DestinationInputs {
            service_id: OwnedId::parse("12"),
            domain_id: OwnedId::parse("34"),
            sso_redirect_path: RelativePath::parse("/cart.php?a=view&b=2"),
        }
    }

    #[test]
    fn there_are_18_destinations_and_the_custom_one() {
        assert_eq!(Scope::destinations().count(), 19);
        assert_eq!(Scope::all().count(), 20);
        assert_eq!(Scope::parse("clientarea:homepage"), None);
        assert_eq!(Scope::parse("clientarea:Invoices"), None);
    }

    #[test]
    fn every_destination_lies_below_the_client_area() {
        let area = area(None).unwrap();
        for scope in Scope::destinations().map(Some).chain([None]) {
            let place = area.locate(scope, &inputs()).unwrap();
            assert!(place.starts_with("https://my.example/billing/"), "{scope:?}: {place}");
            assert!(!place.contains('{'), "{place}");
        }
        assert_eq!(
            area.locate(Scope::parse("clientarea:product_details"), &inputs()).unwrap(),
            "https://my.example/billing/clientarea.php?action=productdetails&id=12"
        );
        assert_eq!(
            area.locate(Some(Scope::CUSTOM_REDIRECT), &inputs()).unwrap(),
            "https://my.example/billing/cart.php?a=view&b=2"
        );
        assert_eq!(area.locate(None, &inputs()).unwrap(), "https://my.example/billing/clientarea.php");
    }

    #[test]
    fn a_missing_input_is_named() {
        let (area, none) = (area(None).unwrap(), DestinationInputs::default());
        for (scope, missing) in [
            ("clientarea:product_details", MissingInput::ServiceId),
            ("clientarea:domain_details", MissingInput::DomainId),
            ("sso:custom_redirect", MissingInput::RedirectPath),
        ] {
            assert_eq!(area.locate(Scope::parse(scope), &none), Err(missing), "{scope}");
        }
    }

    #[test]
    fn overrides_replace_single_entries() {
        let json = r#"{"clientarea:invoices":"/bills","clientarea:product_details":"s/{service_id}","home":"start"}"#;
        let area = area(Some(json)).unwrap();
        let at = |scope: &str| area.locate(Scope::parse(scope), &inputs()).unwrap();
        assert_eq!(at("clientarea:invoices"), "https://my.example/billing/bills");
        assert_eq!(at("clientarea:product_details"), "https://my.example/billing/s/12");
        assert_eq!(at("clientarea:downloads"), "https://my.example/billing/downloads.php");
        assert_eq!(area.locate(None, &inputs()).unwrap(), "https://my.example/billing/start");
    }

    #[test]
    fn an_override_that_leaves_the_client_area_is_refused() {
        for json in [
            "[]",
            "5",
            r#"{"clientarea:invoices": 5}"#,
            r#"{"clientarea:sso": "x"}"#,
            r#"{"sso:custom_redirect": "x"}"#,
            r#"{"nowhere": "x"}"#,
            r#"{"clientarea:invoices": "https://evil.example/"}"#,
            r#"{"clientarea:invoices": "//evil.example/"}"#,
            r#"{"clientarea:invoices": "../x"}"#,
            r#"{"clientarea:invoices": "x/../../y"}"#,
        ] {
            assert!(area(Some(json)).is_err(), "{json}");
        }
    }

    #[test]
    fn scope_sets_parse_strictly_and_drop_repetitions() {
        let set = ScopeSet::parse("clientarea:sso clientarea:invoices clientarea:sso").unwrap();
        assert_eq!(set.to_string(), "clientarea:sso clientarea:invoices");
        assert_eq!(set.only_destination(), Scope::parse("clientarea:invoices"));
        for bad in ["", " ", "clientarea:sso ", "clientarea:sso  clientarea:invoices", "clientarea:sso\tx", "\"x\""] {
            assert_eq!(ScopeSet::parse(bad), None, "{bad:?}");
        }
        assert_eq!(ScopeSet::parse("clientarea:sso").unwrap().only_destination(), None);
        assert_eq!(ScopeSet::parse("clientarea:invoices clientarea:emails").unwrap().only_destination(), None);
    }
}
