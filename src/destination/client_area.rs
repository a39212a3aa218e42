//! The client area and the address of each destination in it.

use super::scope::DEFAULTS;
use super::{DestinationInputs, MissingInput, RelativePath, Scope, path};
use serde_json::Value;
use url::Url;

const HOME_PATH: &str = "clientarea.php";
/// The key of the client area's home in the setting `DESTINATIONS`.
const HOME_KEY: &str = "home";
const SERVICE_ID: &str = "{service_id}";
const DOMAIN_ID: &str = "{domain_id}";

pub struct ClientArea {
    base: Url,
    overrides: Vec<(String, String)>,
}

impl ClientArea {
    /// The client area at `base`. `overrides` is the setting `DESTINATIONS`: a JSON object that maps scopes, or `home`, to paths
    /// that replace the default ones.
    ///
    /// # Errors
    /// The mistake in `overrides`, such as a path that is not below `base`.
    pub fn new(base: Url, overrides: Option<&str>) -> Result<Self, &'static str> {
        let mut overrides = match overrides {
            Some(json) => parse_overrides(json).ok_or("is not a table of scopes and paths")?,
            None => Vec::new(),
        };
        for (key, template) in &mut overrides {
            let is_known = key == HOME_KEY || DEFAULTS.iter().any(|(scope, _, _)| scope == key);
            if !is_known {
                return Err("names a scope that is not a destination");
            }
            let sample = template.replace(SERVICE_ID, "1").replace(DOMAIN_ID, "1");
            RelativePath::parse(&sample)
                .and_then(|path| path::join(&base, path.as_str()))
                .ok_or("has a path that leaves the client area")?;
            if let Some(path) = template.strip_prefix('/') {
                *template = path.to_owned();
            }
        }
        Ok(Self { base, overrides })
    }

    /// The address of the client area, with a trailing slash.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The address of the destination `scope`, or of the client area's home page without a scope.
    pub fn locate(&self, scope: Option<Scope>, inputs: &DestinationInputs) -> Result<String, MissingInput> {
        if scope == Some(Scope::CUSTOM_REDIRECT) {
            let path = inputs.sso_redirect_path.as_ref().ok_or(MissingInput::RedirectPath)?;
            return Ok(self.below(path.as_str()));
        }
        let mut path = self.template(scope).to_owned();
        if path.contains(SERVICE_ID) {
            let id = inputs.service_id.as_ref().ok_or(MissingInput::ServiceId)?;
            path = path.replace(SERVICE_ID, id.as_str());
        }
        if path.contains(DOMAIN_ID) {
            let id = inputs.domain_id.as_ref().ok_or(MissingInput::DomainId)?;
            path = path.replace(DOMAIN_ID, id.as_str());
        }
        Ok(self.below(&path))
    }

    /// The address of `path`, or of the client area without a path.
    pub fn place(&self, path: Option<&RelativePath>) -> String {
        path.map_or_else(|| self.base.to_string(), |path| self.below(path.as_str()))
    }

    fn template(&self, scope: Option<Scope>) -> &str {
        let key = scope.map_or(HOME_KEY, Scope::as_str);
        let default = || DEFAULTS.iter().find(|(scope, _, _)| *scope == key).map_or(HOME_PATH, |(_, _, path)| path);
        let replaced = self.overrides.iter().find(|(scope, _)| scope == key);
        replaced.map_or_else(default, |(_, path)| path)
    }

    /// The address of `path`, or of the client area if that address is not below it.
    fn below(&self, path: &str) -> String {
        path::join(&self.base, path).unwrap_or_else(|| self.base.clone()).into()
    }
}

/// The keys and paths of the setting `DESTINATIONS`. `None` if it is not an object of texts.
fn parse_overrides(json: &str) -> Option<Vec<(String, String)>> {
    let Ok(Value::Object(table)) = serde_json::from_str(json) else { return None };
    table.into_iter().map(|(key, path)| Some((key, path.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnedId;

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
    fn every_destination_is_below_the_client_area() {
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
}
