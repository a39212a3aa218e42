//! The settings, parsed before the first request is served.

mod addresses;
mod table;
mod value;

use crate::destination::ClientArea;
use crate::gateway::Gateway;
use crate::http::{Hsts, Request};
use crate::issuer::{Issuer, is_local_host, scheme_and_host};
use crate::secret::{KeyRing, SecretDigest};
use addresses::Addresses;
use serde::Serialize;
use std::borrow::Cow;
use table::Values;
use url::Url;

#[cfg(test)]
pub use table::SESSION_LIMIT_MAX;

const DAY_SECONDS: u64 = 86_400;

/// The settings of a deployment. `settings/table.rs` describes each of them.
pub struct Settings {
    pub issuer: Issuer,
    pub client_area: ClientArea,
    /// In seconds.
    pub token_ttl: u64,
    pub session_limits: SessionLimits,
    /// How long an isolate answers session checks from memory, in seconds; 0 disables this.
    pub session_cache: u64,
    pub token_records: TokenRecords,
    /// The time for which a new event is kept, in seconds.
    pub event_ttl: u64,
    pub keys: KeyRing,
    pub admin_token: SecretDigest,
    pub login_url: Option<Url>,
    /// `None` outside gateway mode.
    pub gateway: Option<Gateway>,
    /// The only origin of administration, without a trailing slash. `None` turns administration off.
    pub console_origin: Option<String>,
    pub api_allow_get: bool,
    pub browser_nonce: bool,
    pub hsts_include_subdomains: bool,
    pub object_location: Option<String>,
}

/// Where the record of each issued token is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRecords {
    Kv,
    /// Nowhere.
    Off,
}

/// The limits of a session, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// The longest time without a request.
    pub idle: u64,
    /// The longest lifetime.
    pub max: u64,
}

/// A missing or invalid setting. It never contains the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingProblem {
    /// The name in wrangler.toml.
    pub setting: &'static str,
    pub problem: Cow<'static, str>,
}

impl Settings {
    /// Parses all settings. `read` returns the value of a name.
    ///
    /// # Errors
    /// Every problem, not only the first.
    pub fn parse(read: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingProblem>> {
        let mut values = Values::new(&read);
        match Self::parse_values(&mut values) {
            Some(settings) if values.problems.is_empty() => Ok(settings),
            _ => Err(values.problems),
        }
    }

    /// Parses every setting before it returns, so that every problem is found.
    fn parse_values(values: &mut Values) -> Option<Self> {
        let keys = values.parse(&table::SIGNING_KEYS);
        let admin_token = values.parse(&table::ADMIN_TOKEN);
        let issuer = values.parse(&table::ISSUER);
        let client_area = addresses::client_area(values, issuer.as_ref());
        let token_ttl = values.parse(&table::TOKEN_TTL);
        let idle = values.parse(&table::SESSION_IDLE);
        let max = values.parse(&table::SESSION_MAX);
        let session_cache = values.parse(&table::SESSION_CACHE);
        let token_records = values.parse(&table::TOKEN_RECORDS);
        let event_days = values.parse(&table::EVENT_RETENTION_DAYS);
        let api_allow_get = values.parse(&table::API_ALLOW_GET);
        let browser_nonce = values.parse(&table::BROWSER_NONCE);
        let hsts_include_subdomains = values.parse(&table::HSTS_INCLUDE_SUBDOMAINS);
        let object_location = values.parse(&table::OBJECT_LOCATION);
        let Addresses { login_url, gateway, console_origin } = Addresses::parse(values, issuer.as_ref());
        Some(Self {
            issuer: issuer?,
            client_area: client_area?,
            token_ttl: token_ttl?,
            session_limits: SessionLimits { idle: idle?, max: max? },
            session_cache: session_cache?,
            token_records: token_records?,
            event_ttl: event_days?.saturating_mul(DAY_SECONDS),
            keys: keys?,
            admin_token: admin_token?,
            login_url,
            gateway,
            console_origin,
            api_allow_get: api_allow_get?,
            browser_nonce: browser_nonce?,
            hsts_include_subdomains: hsts_include_subdomains?,
            object_location,
        })
    }

    /// Whether requests by http are refused, because the issuer is https.
    pub fn requires_https(&self) -> bool {
        self.issuer.as_str().starts_with("https://")
    }

    /// The HSTS policy of the answer to `request`. There is no policy by http (RFC 6797 section 7.2), and none on a local host
    /// name, where it would apply to the servers at all other ports too (section 8.3).
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

#[cfg(test)]
pub(crate) mod tests;
