//! The settings, parsed whole before the first request is served.

use crate::destination::ClientArea;
use crate::gateway::{Gateway, ProtectedPaths};
use crate::http::{Hsts, Request, parse_number};
use crate::issuer::{Issuer, is_local_host, parse_origin, parse_web_url, scheme_and_host};
use crate::secret::{KeyRing, Secret, SecretDigest, is_weak};
use crate::token::TOKEN_TTL_MAX;
use serde::Serialize;
use url::Url;

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
    /// The one origin that administration answers on, without a trailing slash; none while administration is off.
    pub console_origin: Option<String>,
    /// Whether WHMCS's API takes the caller's secret in the address, and so GET.
    pub api_allow_get: bool,
    /// Whether a sign-in link first gives the browser a nonce, so that a double click signs in.
    pub browser_nonce: bool,
    /// Whether browsers must use https for the subdomains of Signet's host too.
    pub hsts_include_subdomains: bool,
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
        let mut switch = |name| parse_switch(read(name)).map_err(|p| keep(name, p)).unwrap_or(false);
        let api_allow_get = switch("API_ALLOW_GET");
        let browser_nonce = switch("BROWSER_NONCE");
        let hsts_include_subdomains = switch("HSTS_INCLUDE_SUBDOMAINS");
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
        let console_origin = match (read("CONSOLE_ORIGIN"), &gateway) {
            (Some(text), _) => parse_console_origin(&text, issuer.as_ref(), gateway.as_ref())
                .map_err(|p| keep("CONSOLE_ORIGIN", p))
                .ok(),
            (None, None) => issuer.as_ref().map(|issuer| issuer.as_str().to_owned()),
            (None, Some(_)) => None,
        };
        if let (Some(issuer), Some(gateway)) = (&issuer, &gateway) {
            let is_signet = |origin: &String| Some(origin) == console_origin.as_ref() || origin == issuer.as_str();
            if is_signet(&gateway.origin) {
                keep("ORIGIN_URL", "is Signet's own address, so that requests would never reach the client area");
            }
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
                    console_origin,
                    api_allow_get,
                    browser_nonce,
                    hsts_include_subdomains,
                    object_location,
                })
            }
            _ => Err(problems),
        }
    }

    /// Whether the issuer is https, so that no request by http is served.
    pub fn requires_https(&self) -> bool {
        self.issuer.as_str().starts_with("https://")
    }

    /// The HSTS policy of the answer to `request`. There is none by http (RFC 6797 section 7.2), and none on a name of
    /// this machine: it would turn every other server there to https (section 8.3 applies to all ports of a host).
    pub fn hsts(&self, request: &Request) -> Hsts {
        let is_local = |origin: &str| is_local_host(scheme_and_host(origin).1);
        if !request.is_secure() || is_local(self.issuer.as_str()) || is_local(&request.origin) {
            Hsts::Off
        } else if self.hsts_include_subdomains {
            Hsts::IncludeSubDomains
        } else {
            Hsts::Host
        }
    }
}

fn parse_admin_token(value: Option<String>) -> Result<SecretDigest, &'static str> {
    let token = value.ok_or("is missing")?;
    if token.chars().count() < ADMIN_TOKEN_MIN {
        return Err("has fewer than 32 characters");
    }
    if is_weak(token.as_bytes()) {
        return Err("has fewer than 6 different characters, or repeats one text");
    }
    Ok(SecretDigest::of(&Secret::new(token)))
}

fn parse_issuer(value: Option<String>) -> Result<Issuer, &'static str> {
    Issuer::parse(&value.ok_or("is missing")?)
        .ok_or("is not an origin such as https://sso.example.com (http only for localhost)")
}

/// The origin of administration. In gateway mode the client area's scripts run on the issuer's host, so it is another one.
fn parse_console_origin(
    text: &str,
    issuer: Option<&Issuer>,
    gateway: Option<&Gateway>,
) -> Result<String, &'static str> {
    let origin =
        parse_origin(text).ok_or("is not an origin such as https://console.example.com (http only for localhost)")?;
    if let Some(issuer) = issuer {
        let (console_scheme, console_host) = scheme_and_host(&origin);
        let (scheme, host) = scheme_and_host(issuer.as_str());
        if console_scheme != scheme {
            return Err("has another scheme than ISSUER");
        }
        if gateway.is_some() && console_host == host {
            return Err("is on the host of ISSUER, which the client area shares in gateway mode");
        }
    }
    Ok(origin)
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
    use crate::http::{Method, request_for_test};
    use crate::secret::entry_for_test;

    /// A sound configuration, with `changes` over it; an empty value unsets.
    pub(crate) fn settings(changes: &[(&str, &str)]) -> Result<Settings, Vec<SettingProblem>> {
        let signing_keys = entry_for_test("k1", 7);
        let sound = [
            ("SIGNING_KEYS", signing_keys.as_str()),
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
    fn administration_has_one_origin_and_in_gateway_mode_a_host_of_its_own() {
        let gateway = ("ORIGIN_URL", "https://my-server.example");
        let console = |changes: &[(&str, &str)]| settings(changes).map(|settings| settings.console_origin);
        assert_eq!(console(&[]), Ok(Some("https://sso.example".into())));
        assert_eq!(console(&[gateway]), Ok(None), "off until it is set");
        for (origin, is_valid) in [
            ("https://console.example", true),
            ("https://console.sso.example/", true),
            ("https://sso.example", false),
            ("https://sso.example:8443", false),
            ("https://my-server.example", false),
        ] {
            let problems = console(&[gateway, ("CONSOLE_ORIGIN", origin)]);
            assert_eq!(problems.is_ok(), is_valid, "{origin}: {problems:?}");
        }
        for origin in ["https://console.example", "https://sso.example", "https://sso.example:8443"] {
            assert_eq!(console(&[("CONSOLE_ORIGIN", origin)]), Ok(Some(origin.into())));
        }
        let local = [("ISSUER", "http://localhost:1"), ("CONSOLE_ORIGIN", "https://console.example")];
        assert!(console(&local).is_err(), "another scheme");
    }

    #[test]
    fn hsts_is_for_https_and_never_for_this_machine() {
        let hsts = |issuer: &str, origin: &str, include_subdomains: &str| {
            let changes = [("ISSUER", issuer), ("HSTS_INCLUDE_SUBDOMAINS", include_subdomains)];
            let request = Request { origin: origin.into(), ..request_for_test(Method::Get, "/", &[], "") };
            settings(&changes).ok().unwrap().hsts(&request)
        };
        for (issuer, origin, subdomains, expected) in [
            ("https://sso.example", "https://sso.example", "", Hsts::Host),
            ("https://sso.example", "https://signet.workers.dev", "false", Hsts::Host),
            ("https://sso.example", "https://sso.example", "true", Hsts::IncludeSubDomains),
            ("https://sso.example", "http://sso.example", "true", Hsts::Off),
            ("https://sso.example", "https://localhost:8787", "", Hsts::Off),
            ("https://localhost", "https://signet.workers.dev", "", Hsts::Off),
            ("https://localhost:8787", "https://localhost:8787", "true", Hsts::Off),
            ("https://sso.localhost", "https://sso.localhost", "", Hsts::Off),
            ("https://localhost.", "https://localhost.", "", Hsts::Off),
            ("https://127.0.0.1:8787", "https://127.0.0.1:8787", "", Hsts::Off),
            ("https://127.1.2.3", "https://127.1.2.3", "", Hsts::Off),
            ("https://[::1]", "https://[::1]", "", Hsts::Off),
            ("https://mylocalhost", "https://mylocalhost", "", Hsts::Host),
        ] {
            assert_eq!(hsts(issuer, origin, subdomains), expected, "{issuer} {origin} {subdomains}");
        }
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
