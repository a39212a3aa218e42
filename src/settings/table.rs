//! The table of settings: the name, the default value and the parser of each.

use super::value::{Problem, admin_token, directory, key_ring, location, number, origin, page, switch, token_records};
use super::{SettingProblem, TokenRecords};
use crate::gateway::ProtectedPaths;
use crate::issuer::{Issuer, parse_origin};
use crate::secret::{KeyRing, SecretDigest};
use crate::token::TOKEN_TTL_MAX;
use DefaultValue::{Absent, Required, Value};
use url::Url;

/// The greatest limit of a session, in seconds (30 days).
pub const SESSION_LIMIT_MAX: u64 = 2_592_000;
/// The greatest `SESSION_CACHE`, in seconds. An ended session can pass for this time.
const SESSION_CACHE_MAX: u64 = 60;

/// The keys that sign tokens, cookies and assertions: `kid:base64url` entries, separated by commas.
pub(super) const SIGNING_KEYS: Setting<KeyRing> = setting("SIGNING_KEYS", Required, key_ring);
/// The bearer token of administrators.
pub(super) const ADMIN_TOKEN: Setting<SecretDigest> = setting("ADMIN_TOKEN", Required, admin_token);
/// The origin of Signet for browsers and applications.
pub(super) const ISSUER: Setting<Issuer> =
    setting("ISSUER", Required, |text| origin(Issuer::parse(text), "https://sso.example.com"));
pub(super) const CLIENT_AREA_URL: Setting<Url> = setting("CLIENT_AREA_URL", DefaultValue::Issuer, directory);
/// The only origin on which administration answers. In gateway mode there is no default.
pub(super) const CONSOLE_ORIGIN: Setting<String> =
    setting("CONSOLE_ORIGIN", DefaultValue::Issuer, |text| origin(parse_origin(text), "https://console.example.com"));
/// The destinations whose paths differ from those of WHMCS: a JSON object, checked with the client area.
pub(super) const DESTINATIONS: Setting<String> = setting("DESTINATIONS", Absent, |text| Ok(text.to_owned()));
pub(super) const TOKEN_TTL: Setting<u64> =
    setting("TOKEN_TTL", Value("60"), |text| number(text, "seconds", 1..=TOKEN_TTL_MAX));
/// The time after which an unused session ends. The minimum is two minutes, because use is recorded at most once a minute.
pub(super) const SESSION_IDLE: Setting<u64> =
    setting("SESSION_IDLE", Value("3600"), |text| number(text, "seconds", 120..=SESSION_LIMIT_MAX));
/// The time after which every session ends.
pub(super) const SESSION_MAX: Setting<u64> =
    setting("SESSION_MAX", Value("43200"), |text| number(text, "seconds", 60..=SESSION_LIMIT_MAX));
/// The time in seconds for which an isolate answers session checks from memory.
pub(super) const SESSION_CACHE: Setting<u64> =
    setting("SESSION_CACHE", Value("0"), |text| number(text, "seconds", 0..=SESSION_CACHE_MAX));
/// The address to which people without a session are redirected.
pub(super) const LOGIN_URL: Setting<Url> = setting("LOGIN_URL", Absent, page);
/// Gateway mode: the origin of the client area's server.
pub(super) const ORIGIN_URL: Setting<String> =
    setting("ORIGIN_URL", Absent, |text| origin(parse_origin(text), "https://my-server.example.com"));
/// Gateway mode: the prefixes of paths that require a session.
pub(super) const PROTECTED_PATHS: Setting<ProtectedPaths> =
    setting("PROTECTED_PATHS", Absent, |text| Ok(ProtectedPaths::parse(Some(text))?));
/// Whether WHMCS's API accepts GET, and credentials in the address.
pub(super) const API_ALLOW_GET: Setting<bool> = setting("API_ALLOW_GET", Value("false"), switch);
/// The time for which a new event of the audit trail is kept: at most ten years.
pub(super) const EVENT_RETENTION_DAYS: Setting<u64> =
    setting("EVENT_RETENTION_DAYS", Value("90"), |text| number(text, "days", 1..=3_650));
pub(super) const TOKEN_RECORDS: Setting<TokenRecords> = setting("TOKEN_RECORDS", Value("kv"), token_records);
/// Whether browsers must also use https for all subdomains of Signet's host.
pub(super) const HSTS_INCLUDE_SUBDOMAINS: Setting<bool> = setting("HSTS_INCLUDE_SUBDOMAINS", Value("false"), switch);
/// Whether a double click on a sign-in link always signs in, at the cost of one more redirect.
pub(super) const BROWSER_NONCE: Setting<bool> = setting("BROWSER_NONCE", Value("false"), switch);
/// Where Cloudflare places the objects of users that administration creates. Without it, near the caller.
pub(super) const OBJECT_LOCATION: Setting<String> = setting("OBJECT_LOCATION", Absent, location);

pub(super) struct Setting<T> {
    name: &'static str,
    default: DefaultValue,
    parse: fn(&str) -> Result<T, Problem>,
}

/// The value of a setting that is not set.
#[derive(Clone, Copy)]
enum DefaultValue {
    /// There is none: every route except `/healthz` answers 503.
    Required,
    Issuer,
    Absent,
    Value(&'static str),
}

const fn setting<T>(name: &'static str, default: DefaultValue, parse: fn(&str) -> Result<T, Problem>) -> Setting<T> {
    Setting { name, default, parse }
}

/// The values of a deployment, and the problems found so far.
pub(super) struct Values<'a> {
    read: &'a dyn Fn(&str) -> Option<String>,
    pub(super) problems: Vec<SettingProblem>,
}

impl<'a> Values<'a> {
    pub(super) fn new(read: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { read, problems: Vec::new() }
    }

    fn text<T>(&self, setting: &Setting<T>) -> Option<String> {
        (self.read)(setting.name).filter(|text| !text.is_empty())
    }

    /// Whether `setting` has a value of its own.
    pub(super) fn has<T>(&self, setting: &Setting<T>) -> bool {
        self.text(setting).is_some()
    }

    /// The value of `setting`, or its default value. A missing or invalid value is reported.
    pub(super) fn parse<T>(&mut self, setting: &Setting<T>) -> Option<T> {
        let text = match (self.text(setting), setting.default) {
            (Some(text), _) => text,
            (None, Value(text)) => text.to_owned(),
            (None, Required) => {
                self.report(setting, "is missing");
                return None;
            }
            (None, DefaultValue::Issuer | Absent) => return None,
        };
        (setting.parse)(&text).map_err(|problem| self.report(setting, problem)).ok()
    }

    pub(super) fn report<T>(&mut self, setting: &Setting<T>, problem: impl Into<Problem>) {
        self.problems.push(SettingProblem { setting: setting.name, problem: problem.into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;
    use std::cell::RefCell;
    use std::collections::{BTreeMap, BTreeSet};

    const SECRETS: [&str; 2] = ["SIGNING_KEYS", "ADMIN_TOKEN"];
    const WRANGLER: &str = include_str!("../../wrangler.toml");

    /// The page with the table of settings, below the heading "Settings".
    const PAGE: &str = include_str!("../../docs/operations.md");

    /// What the documentation must contain about a setting.
    struct Facts {
        name: &'static str,
        default: &'static str,
        /// The unit, the minimum and the maximum of a number.
        limits: Vec<String>,
    }

    /// The default value and the whole text about each setting in a document.
    type Documented = BTreeMap<String, (String, String)>;

    impl<T> Setting<T> {
        fn facts(&self) -> Facts {
            let default = match self.default {
                Required => "required",
                DefaultValue::Issuer => "the issuer",
                Absent => "none",
                Value(value) => value,
            };
            let problem = (self.parse)("no value").err().unwrap_or_default();
            let limits = problem.strip_prefix("is not a number of ").map(|text| text.split(" from "));
            Facts { name: self.name, default, limits: limits.into_iter().flatten().map(str::to_owned).collect() }
        }
    }

    fn table() -> [Facts; 19] {
        [
            SIGNING_KEYS.facts(),
            ADMIN_TOKEN.facts(),
            ISSUER.facts(),
            CLIENT_AREA_URL.facts(),
            CONSOLE_ORIGIN.facts(),
            DESTINATIONS.facts(),
            TOKEN_TTL.facts(),
            SESSION_IDLE.facts(),
            SESSION_MAX.facts(),
            SESSION_CACHE.facts(),
            LOGIN_URL.facts(),
            ORIGIN_URL.facts(),
            PROTECTED_PATHS.facts(),
            API_ALLOW_GET.facts(),
            EVENT_RETENTION_DAYS.facts(),
            TOKEN_RECORDS.facts(),
            HSTS_INCLUDE_SUBDOMAINS.facts(),
            BROWSER_NONCE.facts(),
            OBJECT_LOCATION.facts(),
        ]
    }

    #[test]
    fn exactly_the_settings_of_the_table_are_read() {
        let read = RefCell::new(BTreeSet::new());
        let outcome = Settings::parse(|name| {
            read.borrow_mut().insert(name.to_owned());
            (name == ISSUER.name).then(|| "https://sso.example".to_owned())
        });
        assert_eq!(outcome.err().unwrap().len(), SECRETS.len());
        assert_eq!(read.into_inner(), table().iter().map(|facts| facts.name.to_owned()).collect());
    }

    #[track_caller]
    fn assert_documents(documented: &Documented, table: &[Facts]) {
        let names: BTreeSet<_> = table.iter().map(|facts| facts.name).collect();
        assert_eq!(documented.keys().map(String::as_str).collect::<BTreeSet<_>>(), names);
        for Facts { name, default, limits } in table {
            let (documented_default, text) = &documented[*name];
            assert_eq!(documented_default, default, "{name}");
            assert!(limits.iter().all(|limit| text.contains(limit)), "{name}: {limits:?}");
        }
    }

    #[test]
    fn the_documentation_has_every_setting_and_no_other() {
        let section = PAGE.split_once("\n## Settings\n").unwrap().1;
        let mut rows =
            section.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        let cells = |row: &str| row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
        let default_at = cells(rows.next().unwrap()).iter().position(|title| title == "default").unwrap();
        let documented = rows.skip(1).map(|row| {
            let default = cells(row)[default_at].split([':', ';']).next().unwrap().to_owned();
            (cells(row)[1].clone(), (default, row.replace(',', "")))
        });
        assert_documents(&documented.collect(), &table());
    }

    #[test]
    fn wrangler_toml_has_every_variable_and_no_other() {
        let vars = WRANGLER.split_once("\n[vars]\n").unwrap().1;
        let mut documented = Documented::new();
        let mut comment = String::new();
        for line in vars.lines() {
            let text = line.trim_start_matches("# ");
            let table = text.strip_prefix("[vars.").and_then(|rest| rest.strip_suffix(']'));
            match table.or(text.split_once(" = ").map(|(name, _)| name)).filter(|name| !name.contains(' ')) {
                Some(name) => {
                    let default =
                        comment.split_once("Default: ").map_or("required", |(_, rest)| rest.split('.').next().unwrap());
                    documented.insert(name.to_owned(), (default.to_owned(), std::mem::take(&mut comment)));
                }
                None => comment += &format!("{text} "),
            }
            // The lines after this one are the content of a table.
            if table.is_some() {
                break;
            }
        }
        let table: Vec<_> = table().into_iter().filter(|facts| !SECRETS.contains(&facts.name)).collect();
        assert_documents(&documented, &table);
        assert!(SECRETS.iter().all(|secret| WRANGLER.contains(secret)), "a comment explains how to set secrets");
    }
}
