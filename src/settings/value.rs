//! The parsers of values.

use super::TokenRecords;
use crate::http::parse_number;
use crate::issuer::parse_web_url;
use crate::secret::{KeyRing, Secret, SecretDigest, is_weak};
use std::borrow::Cow;
use std::ops::RangeInclusive;
use url::Url;

/// The shortest `ADMIN_TOKEN`, in characters.
const ADMIN_TOKEN_MIN: usize = 32;
/// The location hints of Durable Objects (Cloudflare's documentation, "Data location").
const OBJECT_LOCATIONS: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// The problem of a value, as a text that does not contain the value.
pub(super) type Problem = Cow<'static, str>;

pub(super) fn key_ring(text: &str) -> Result<KeyRing, Problem> {
    KeyRing::parse(text).map_err(|problem| problem.message().into())
}

pub(super) fn admin_token(text: &str) -> Result<SecretDigest, Problem> {
    if text.chars().count() < ADMIN_TOKEN_MIN {
        return Err("has fewer than 32 characters".into());
    }
    if is_weak(text.as_bytes()) {
        return Err("has fewer than 6 different characters, or repeats one text".into());
    }
    Ok(SecretDigest::of(&Secret::new(text.to_owned())))
}

/// Returns the `parsed` origin, or a problem with the `example`.
pub(super) fn origin<T>(parsed: Option<T>, example: &str) -> Result<T, Problem> {
    parsed.ok_or_else(|| format!("is not an origin such as {example} (http only for localhost)").into())
}

pub(super) fn page(text: &str) -> Result<Url, Problem> {
    Ok(parse_web_url(text).ok_or("is not an https address (http only for localhost)")?)
}

/// An address to which relative paths are appended.
pub(super) fn directory(text: &str) -> Result<Url, Problem> {
    let mut url = parse_web_url(text)
        .filter(|url| url.query().is_none())
        .ok_or("is not an https address without query (http only for localhost)")?;
    if !url.path().ends_with('/') {
        let directory = format!("{}/", url.path());
        url.set_path(&directory);
    }
    Ok(url)
}

pub(super) fn switch(text: &str) -> Result<bool, Problem> {
    match text {
        "false" => Ok(false),
        "true" => Ok(true),
        _ => Err("is neither true nor false".into()),
    }
}

pub(super) fn token_records(text: &str) -> Result<TokenRecords, Problem> {
    match text {
        "kv" => Ok(TokenRecords::Kv),
        "off" => Ok(TokenRecords::Off),
        _ => Err("is neither kv nor off".into()),
    }
}

/// A whole number of `unit` within `range`.
pub(super) fn number(text: &str, unit: &str, range: RangeInclusive<u64>) -> Result<u64, Problem> {
    let problem = || format!("is not a number of {unit} from {} to {}", range.start(), range.end());
    parse_number(text).filter(|number| range.contains(number)).ok_or_else(|| problem().into())
}

pub(super) fn location(text: &str) -> Result<String, Problem> {
    let is_known = OBJECT_LOCATIONS.contains(&text);
    Ok(is_known.then(|| text.to_owned()).ok_or("is not a location hint of Durable Objects")?)
}

#[cfg(test)]
mod tests {
    use crate::secret::entry_for_test;
    use crate::settings::TokenRecords;
    use crate::settings::tests::settings;

    fn invalid_settings(name: &str, value: &str) -> Vec<&'static str> {
        settings(&[(name, value)]).err().unwrap_or_default().iter().map(|p| p.setting).collect()
    }

    #[test]
    fn each_invalid_value_is_reported_for_its_setting() {
        for (name, invalid) in [
            ("SIGNING_KEYS", ""),
            ("SIGNING_KEYS", "k1:c2hvcnQ"),
            ("SIGNING_KEYS", "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
            ("SIGNING_KEYS", &format!("{},{}", entry_for_test("k1", 7), entry_for_test("k2", 7))),
            ("ADMIN_TOKEN", "short"),
            ("ADMIN_TOKEN", &"a".repeat(64)),
            ("ADMIN_TOKEN", &"changeme".repeat(4)),
            ("ADMIN_TOKEN", &"01234".repeat(8)),
            ("ISSUER", "sso.example"),
            ("ISSUER", "http://sso.example"),
            ("ISSUER", "https://sso.example/path"),
            ("ISSUER", "https://user@sso.example"),
            ("CLIENT_AREA_URL", "http://my.example/"),
            ("CLIENT_AREA_URL", "https://my.example/?a"),
            ("CLIENT_AREA_URL", "javascript:alert(1)"),
            ("DESTINATIONS", "{"),
            ("TOKEN_TTL", "61"),
            ("TOKEN_TTL", "0"),
            ("TOKEN_TTL", "1.5"),
            ("TOKEN_TTL", "+5"),
            ("SESSION_IDLE", "119"),
            ("SESSION_IDLE", "2592001"),
            ("SESSION_MAX", "59"),
            ("SESSION_MAX", "2592001"),
            ("SESSION_CACHE", "61"),
            ("SESSION_CACHE", "-1"),
            ("SESSION_CACHE", "off"),
            ("TOKEN_RECORDS", "KV"),
            ("TOKEN_RECORDS", "true"),
            ("EVENT_RETENTION_DAYS", "0"),
            ("EVENT_RETENTION_DAYS", "3651"),
            ("EVENT_RETENTION_DAYS", "1.5"),
            ("OBJECT_LOCATION", "mars"),
            ("API_ALLOW_GET", "1"),
            ("API_ALLOW_GET", "True"),
            ("API_ALLOW_GET", "yes"),
            ("BROWSER_NONCE", "1"),
            ("BROWSER_NONCE", "on"),
            ("HSTS_INCLUDE_SUBDOMAINS", "1"),
            ("CONSOLE_ORIGIN", "console.example"),
            ("CONSOLE_ORIGIN", "http://console.example"),
            ("CONSOLE_ORIGIN", "http://localhost:8787"),
            ("CONSOLE_ORIGIN", "https://console.example/admin"),
            ("ORIGIN_URL", "https://sso.example"),
            ("ORIGIN_URL", "https://sso.example:443/"),
            ("LOGIN_URL", "/login"),
            ("LOGIN_URL", "http://panel.example/login"),
            ("LOGIN_URL", "javascript:alert(1)"),
            ("ORIGIN_URL", "http://my-server.example"),
            ("ORIGIN_URL", "https://my-server.example/billing"),
            ("ORIGIN_URL", "https://my-server.example/?a"),
            ("PROTECTED_PATHS", r#"["/billing"]"#),
        ] {
            assert_eq!(invalid_settings(name, invalid), [name], "{name}={invalid}");
        }
    }

    #[test]
    fn a_switch_is_on_only_if_it_is_true() {
        for (value, is_on) in [("", false), ("false", false), ("true", true)] {
            let settings = settings(&[("API_ALLOW_GET", value), ("BROWSER_NONCE", value)]).ok().unwrap();
            assert_eq!((settings.api_allow_get, settings.browser_nonce), (is_on, is_on), "{value}");
        }
    }

    #[test]
    fn token_records_are_stored_unless_they_are_off() {
        for (value, expected) in [("", TokenRecords::Kv), ("kv", TokenRecords::Kv), ("off", TokenRecords::Off)] {
            assert_eq!(settings(&[("TOKEN_RECORDS", value)]).ok().unwrap().token_records, expected, "{value}");
        }
    }

    #[test]
    fn a_number_has_a_unit_and_a_range() {
        for (name, problem) in [
            ("TOKEN_TTL", "is not a number of seconds from 1 to 60"),
            ("SESSION_IDLE", "is not a number of seconds from 120 to 2592000"),
            ("SESSION_MAX", "is not a number of seconds from 60 to 2592000"),
            ("SESSION_CACHE", "is not a number of seconds from 0 to 60"),
            ("EVENT_RETENTION_DAYS", "is not a number of days from 1 to 3650"),
        ] {
            assert_eq!(settings(&[(name, "no number")]).err().unwrap()[0].problem, problem);
        }
    }
}
