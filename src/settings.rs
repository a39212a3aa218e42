//! The settings, parsed whole before the first request is served.

use crate::gateway::{Gateway, ProtectedPaths};
use crate::http::parse_number;
use crate::secret::{KeyRing, Secret, SecretDigest};
use crate::sso::ClientArea;
use crate::token::TOKEN_TTL_MAX;
use serde::Serialize;
use std::net::IpAddr;
use url::{Host, Url};

/// The least length of `ADMIN_TOKEN`, in characters.
const ADMIN_TOKEN_MIN: usize = 32;
/// The default idle limit of a session, in seconds: one hour.
const SESSION_IDLE_DEFAULT: u64 = 3_600;
/// The default absolute limit of a session, in seconds: twelve hours.
const SESSION_MAX_DEFAULT: u64 = 43_200;
/// The greatest limit of a session, in seconds: 30 days.
pub const SESSION_LIMIT_MAX: u64 = 2_592_000;
/// The least idle limit of a session, in seconds: two minutes, because it is refreshed once a minute at most.
const SESSION_IDLE_MIN: u64 = 120;
/// The least absolute limit of a session, in seconds: one minute.
const SESSION_MAX_MIN: u64 = 60;
/// A day, in seconds.
const DAY: u64 = 86_400;
/// The longest retention of events, in days: ten years.
const EVENT_RETENTION_MAX: u64 = 3_650;
/// The default retention of events, in days.
const EVENT_RETENTION_DEFAULT: u64 = 90;
/// The location hints that Durable Objects know (Cloudflare's documentation, "Data location").
const OBJECT_LOCATIONS: [&str; 9] = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"];

/// Everything a deployment sets.
pub struct Settings {
    /// The origin others know Signet by.
    pub issuer: Issuer,
    /// The client area and its destinations.
    pub client_area: ClientArea,
    /// The lifetime of a token, in seconds.
    pub token_ttl: u64,
    /// How long a session lives.
    pub session_limits: SessionLimits,
    /// How long a new event is kept, in seconds.
    pub event_ttl: u64,
    /// The signing keys.
    pub keys: KeyRing,
    /// The digest of the administration token.
    pub admin_token: SecretDigest,
    /// Where people without a session are sent to sign in.
    pub login_url: Option<Url>,
    /// The client area that Signet stands in front of, in gateway mode.
    pub gateway: Option<Gateway>,
    /// Whether WHMCS's API takes GET, with the caller's secret in the address.
    pub api_allow_get: bool,
    /// Whether a sign-in link first gives the browser a nonce, so that a double click signs in.
    pub browser_nonce: bool,
    /// Where objects made by administration are placed.
    pub object_location: Option<String>,
}

/// How long a session lives, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request.
    pub idle: u64,
    /// In all.
    pub max: u64,
}

/// The issuer (RFC 8414 section 2): an origin, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    fn parse(text: &str) -> Option<Self> {
        parse_origin(text).map(Self)
    }

    /// The issuer as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of the SSO endpoint, which is the audience of every token.
    pub fn sso_endpoint(&self) -> String {
        format!("{}/oauth/singlesignon", self.0)
    }
}

/// What is wrong with one setting. Names and texts only, never values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SettingProblem {
    /// The setting's name in wrangler.toml.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Settings {
    /// Parses all settings, each read by its name with `read`.
    ///
    /// # Errors
    /// Every problem found, not only the first.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let mut keep = |setting, problem| problems.push(SettingProblem { setting, problem });
        let read = |name: &str| read(name).filter(|value| !value.is_empty());

        let keys = KeyRing::parse(&read("SIGNING_KEYS").unwrap_or_default())
            .map_err(|problem| keep("SIGNING_KEYS", problem.message()))
            .ok();
        let admin_token = parse_admin_token(read("ADMIN_TOKEN")).map_err(|p| keep("ADMIN_TOKEN", p)).ok();
        let issuer = parse_issuer(read("ISSUER")).map_err(|p| keep("ISSUER", p)).ok();
        let base = match (read("CLIENT_AREA_URL"), &issuer) {
            (Some(text), _) => parse_directory(&text).map_err(|p| keep("CLIENT_AREA_URL", p)).ok(),
            (None, Some(issuer)) => Url::parse(issuer.as_str()).ok(),
            (None, None) => None,
        };
        let client_area = base.and_then(|base| {
            ClientArea::new(base, read("DESTINATIONS").as_deref()).map_err(|p| keep("DESTINATIONS", p)).ok()
        });
        let token_ttl = parse_whole(read("TOKEN_TTL"), TOKEN_TTL_MAX, 1..=TOKEN_TTL_MAX)
            .ok_or_else(|| keep("TOKEN_TTL", "is not a number of seconds from 1 to 60"))
            .ok();
        let idle = parse_whole(read("SESSION_IDLE"), SESSION_IDLE_DEFAULT, SESSION_IDLE_MIN..=SESSION_LIMIT_MAX)
            .ok_or_else(|| keep("SESSION_IDLE", "is not a number of seconds from 120 to 2592000"))
            .ok();
        let max = parse_whole(read("SESSION_MAX"), SESSION_MAX_DEFAULT, SESSION_MAX_MIN..=SESSION_LIMIT_MAX)
            .ok_or_else(|| keep("SESSION_MAX", "is not a number of seconds from 60 to 2592000"))
            .ok();
        let event_days = parse_whole(read("EVENT_RETENTION_DAYS"), EVENT_RETENTION_DEFAULT, 1..=EVENT_RETENTION_MAX)
            .ok_or_else(|| keep("EVENT_RETENTION_DAYS", "is not a number of days from 1 to 3650"))
            .ok();
        let api_allow_get = parse_switch(read("API_ALLOW_GET")).map_err(|p| keep("API_ALLOW_GET", p)).unwrap_or(false);
        let browser_nonce = parse_switch(read("BROWSER_NONCE")).map_err(|p| keep("BROWSER_NONCE", p)).unwrap_or(false);
        let object_location = read("OBJECT_LOCATION");
        if object_location.as_deref().is_some_and(|hint| !OBJECT_LOCATIONS.contains(&hint)) {
            keep("OBJECT_LOCATION", "is not a location hint of Durable Objects");
        }

        let login_url = read("LOGIN_URL").and_then(|text| parse_page(&text).map_err(|p| keep("LOGIN_URL", p)).ok());
        let protected = ProtectedPaths::parse(read("PROTECTED_PATHS").as_deref())
            .map_err(|p| keep("PROTECTED_PATHS", p))
            .unwrap_or_default();
        let gateway = read("ORIGIN_URL").and_then(|text| match parse_origin(&text) {
            Some(origin) => Some(Gateway { origin, protected: protected.clone() }),
            None => {
                keep("ORIGIN_URL", "is not an origin such as https://my-server.example.com (http only for localhost)");
                None
            }
        });
        if read("ORIGIN_URL").is_none() && read("PROTECTED_PATHS").is_some() {
            keep("PROTECTED_PATHS", "is of no use without ORIGIN_URL");
        }
        if let (Some(issuer), Some(login_url)) = (&issuer, &login_url)
            && login_url.origin().ascii_serialization() == issuer.as_str()
            && protected.protect(login_url.path(), login_url.query().unwrap_or_default())
        {
            keep("LOGIN_URL", "lies below PROTECTED_PATHS, so that nobody could ever reach it");
        }

        match (keys, admin_token, issuer, client_area, token_ttl, idle, max, event_days) {
            (
                Some(keys),
                Some(admin_token),
                Some(issuer),
                Some(client_area),
                Some(token_ttl),
                Some(idle),
                Some(max),
                Some(event_days),
            ) if problems.is_empty() => {
                let session_limits = SessionLimits { idle, max };
                Ok(Self {
                    issuer,
                    client_area,
                    token_ttl,
                    session_limits,
                    event_ttl: event_days.saturating_mul(DAY),
                    keys,
                    admin_token,
                    login_url,
                    gateway,
                    api_allow_get,
                    browser_nonce,
                    object_location,
                })
            }
            _ => Err(problems),
        }
    }
}

fn parse_admin_token(value: Option<String>) -> Result<SecretDigest, &'static str> {
    let token = value.ok_or("is missing")?;
    if token.chars().count() < ADMIN_TOKEN_MIN {
        return Err("has fewer than 32 characters");
    }
    Ok(SecretDigest::of(&Secret::new(token)))
}

fn parse_issuer(value: Option<String>) -> Result<Issuer, &'static str> {
    Issuer::parse(&value.ok_or("is missing")?)
        .ok_or("is not an origin such as https://sso.example.com (http only for localhost)")
}

/// An origin, without a trailing slash.
fn parse_origin(text: &str) -> Option<String> {
    let url = parse_web_url(text).filter(|url| url.query().is_none())?;
    let origin = url.origin().ascii_serialization();
    (url.path() == "/" && origin.len() <= 255).then_some(origin)
}

fn parse_page(text: &str) -> Result<Url, &'static str> {
    parse_web_url(text).ok_or("is not an https address (http only for localhost)")
}

fn parse_directory(text: &str) -> Result<Url, &'static str> {
    let mut url = parse_web_url(text)
        .filter(|url| url.query().is_none())
        .ok_or("is not an https address without query (http only for localhost)")?;
    if !url.path().ends_with('/') {
        let directory = format!("{}/", url.path());
        url.set_path(&directory);
    }
    Ok(url)
}

/// A URL that may carry secrets: https, or http to this very machine, with no user and no fragment.
pub(crate) fn parse_web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::V4(address).is_loopback(),
        Host::Ipv6(address) => IpAddr::V6(address).is_loopback(),
    };
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_private && is_plain).then_some(url)
}

/// A switch, off by default.
fn parse_switch(value: Option<String>) -> Result<bool, &'static str> {
    match value.as_deref() {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err("is neither true nor false"),
    }
}

/// A whole number of seconds or days.
fn parse_whole(value: Option<String>, default: u64, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
    match value {
        None => Some(default),
        Some(text) => parse_number(&text).filter(|number| range.contains(number)),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sound configuration, with `changes` over it; an empty value unsets.
    pub(crate) fn settings(changes: &[(&str, &str)]) -> Result<Settings, Vec<SettingProblem>> {
        let sound = [
            ("SIGNING_KEYS", "k1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"),
            ("ADMIN_TOKEN", "admin-token-of-at-least-32-characters"),
            ("ISSUER", "https://sso.example"),
        ];
        Settings::parse(|name| {
            changes.iter().chain(&sound).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn problem_of(name: &str, value: &str) -> Vec<&'static str> {
        settings(&[(name, value)]).err().unwrap_or_default().iter().map(|p| p.setting).collect()
    }

    #[test]
    fn defaults_are_sound() {
        let settings = settings(&[]).ok().unwrap();
        assert_eq!(settings.token_ttl, 60);
        assert_eq!(settings.session_limits, SessionLimits { idle: 3_600, max: 43_200 });
        assert_eq!(settings.event_ttl, 90 * 86_400);
        assert_eq!(settings.client_area.base().as_str(), "https://sso.example/");
        assert_eq!(settings.issuer.sso_endpoint(), "https://sso.example/oauth/singlesignon");
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let problems = Settings::parse(|_| None).err().unwrap();
        let named: Vec<_> = problems.iter().map(|p| p.setting).collect();
        assert_eq!(named, ["SIGNING_KEYS", "ADMIN_TOKEN", "ISSUER"]);
    }

    #[test]
    fn each_bad_value_names_its_setting() {
        for (name, bad) in [
            ("SIGNING_KEYS", ""),
            ("SIGNING_KEYS", "k1:c2hvcnQ"),
            ("ADMIN_TOKEN", "short"),
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
            ("EVENT_RETENTION_DAYS", "0"),
            ("EVENT_RETENTION_DAYS", "3651"),
            ("EVENT_RETENTION_DAYS", "1.5"),
            ("OBJECT_LOCATION", "mars"),
            ("API_ALLOW_GET", "1"),
            ("API_ALLOW_GET", "True"),
            ("API_ALLOW_GET", "yes"),
            ("BROWSER_NONCE", "1"),
            ("BROWSER_NONCE", "on"),
            ("LOGIN_URL", "/login"),
            ("LOGIN_URL", "http://panel.example/login"),
            ("LOGIN_URL", "javascript:alert(1)"),
            ("ORIGIN_URL", "http://my-server.example"),
            ("ORIGIN_URL", "https://my-server.example/billing"),
            ("ORIGIN_URL", "https://my-server.example/?a"),
            ("PROTECTED_PATHS", r#"["/billing"]"#),
        ] {
            assert_eq!(problem_of(name, bad), [name], "{name}={bad}");
        }
    }

    #[test]
    fn gateway_mode_has_an_origin_and_protected_paths() {
        let origin = ("ORIGIN_URL", "https://my-server.example");
        assert!(settings(&[]).ok().unwrap().gateway.is_none());
        let open = settings(&[origin]).ok().unwrap().gateway.unwrap();
        assert_eq!(open.origin, "https://my-server.example");
        assert!(!open.protected.protect("/", ""));
        let closed = settings(&[origin, ("PROTECTED_PATHS", r#"["/"]"#)]).ok().unwrap().gateway.unwrap();
        assert!(closed.protected.protect("/", ""));
    }

    #[test]
    fn the_login_page_must_be_within_reach() {
        let protected = [("ORIGIN_URL", "https://my-server.example"), ("PROTECTED_PATHS", r#"["/billing"]"#)];
        for (login_url, is_sound) in [
            ("https://sso.example/login?next=billing", true),
            ("https://panel.example/billing", true),
            ("https://sso.example/billing/login", false),
            ("https://sso.example/%62illing/login", false),
            ("https://sso.example/index.php?rp=/billing/login", false),
        ] {
            let outcome = settings(&[protected[0], protected[1], ("LOGIN_URL", login_url)]);
            assert_eq!(outcome.is_ok(), is_sound, "{login_url}");
        }
    }

    #[test]
    fn http_is_for_this_machine_only() {
        for good in ["http://localhost:8787", "http://127.0.0.1:1", "http://[::1]:1", "https://sso.example:8443"] {
            assert!(settings(&[("ISSUER", good)]).is_ok(), "{good}");
        }
    }

    #[test]
    fn events_are_kept_for_whole_days() {
        for (days, seconds) in [("1", 86_400), ("30", 2_592_000), ("3650", 315_360_000)] {
            assert_eq!(settings(&[("EVENT_RETENTION_DAYS", days)]).ok().unwrap().event_ttl, seconds);
        }
    }

    #[test]
    fn a_switch_is_off_unless_it_says_true() {
        for (value, is_on) in [("", false), ("false", false), ("true", true)] {
            let settings = settings(&[("API_ALLOW_GET", value), ("BROWSER_NONCE", value)]).ok().unwrap();
            assert_eq!((settings.api_allow_get, settings.browser_nonce), (is_on, is_on), "{value}");
        }
    }

    #[test]
    fn the_client_area_may_live_in_a_directory() {
        let settings = settings(&[("CLIENT_AREA_URL", "https://my.example/billing")]).ok().unwrap();
        assert_eq!(settings.client_area.base().as_str(), "https://my.example/billing/");
    }
}
