//! The settings, parsed whole before the first request is served.

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

/// A day, in seconds.
const DAY: u64 = 86_400;

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
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SettingProblem {
    /// The setting's name in wrangler.toml.
    pub setting: &'static str,
    /// What is wrong with it.
    pub problem: Cow<'static, str>,
}

impl Settings {
    /// Parses all settings, each read by its name with `read`.
    ///
    /// # Errors
    /// Every problem found, not only the first.
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
            event_ttl: event_days?.saturating_mul(DAY),
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

#[cfg(test)]
pub(crate) mod tests;
