//! Scopes and the destinations they name.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// WHMCS's destinations: scope, label, and default path below the client area.
pub(super) const DEFAULTS: [(&str, &str, &str); 18] = [
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
const BASE: &str = "clientarea:sso";
const CUSTOM_REDIRECT: &str = "sso:custom_redirect";

/// A scope (RFC 6749 section 3.3): the base scope, or the name of a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope(&'static str);

impl Scope {
    /// `clientarea:sso`. Every credential set has it. It names no destination.
    pub const BASE: Self = Self(BASE);
    /// `sso:custom_redirect`, whose path is the input `sso_redirect_path`.
    pub const CUSTOM_REDIRECT: Self = Self(CUSTOM_REDIRECT);

    pub fn parse(text: &str) -> Option<Self> {
        Self::all().find(|scope| scope.0 == text)
    }

    /// The destination named `text`: a scope other than the base scope.
    pub fn parse_destination(text: &str) -> Option<Self> {
        Self::parse(text).filter(|scope| *scope != Self::BASE)
    }

    pub fn all() -> impl Iterator<Item = Self> {
        [Self::BASE].into_iter().chain(Self::destinations())
    }

    pub fn destinations() -> impl Iterator<Item = Self> {
        DEFAULTS.iter().map(|(scope, _, _)| Self(scope)).chain([Self::CUSTOM_REDIRECT])
    }

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// WHMCS's name of the destination.
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

/// Scopes without repetitions, in the given order. In JSON they are one text, separated by spaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// Parses known scopes, separated by single spaces (RFC 6749 section 3.3).
    pub fn parse(text: &str) -> Option<Self> {
        text.split(' ').map(Scope::parse).collect::<Option<Vec<_>>>().map(Self::from_iter)
    }

    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> + '_ {
        self.0.iter().copied()
    }

    /// The destination, if the set has exactly one.
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
        for (n, scope) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_18_destinations_and_the_custom_one() {
        assert_eq!(Scope::destinations().count(), 19);
        assert_eq!(Scope::all().count(), 20);
        assert_eq!(Scope::parse("clientarea:homepage"), None);
        assert_eq!(Scope::parse("clientarea:Invoices"), None);
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
