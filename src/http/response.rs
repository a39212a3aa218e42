//! A response without the platform, so that native tests can assert its headers.

use serde::Serialize;
use std::fmt;

/// The policy of HTTP Strict Transport Security (RFC 6797).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hsts {
    /// No policy.
    Off,
    /// Browsers must use https for this host.
    Host,
    /// Browsers must use https for this host and its subdomains (RFC 6797 section 6.1.2).
    IncludeSubDomains,
}

impl Hsts {
    /// The value of `Strict-Transport-Security`. Browsers keep the policy for two years, as their preload lists recommend.
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Host => Some("max-age=63072000"),
            Self::IncludeSubDomains => Some("max-age=63072000; includeSubDomains"),
        }
    }
}

/// A response. `Debug` omits header values and the body, which may contain secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: String,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "Response({} {names:?}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// A JSON document. `value` has no map whose keys are not texts: only those cannot be serialized.
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        Self::json_text(status, serde_json::to_string(value).unwrap_or_default())
    }

    /// A JSON document that is already serialized.
    pub fn json_text(status: u16, text: String) -> Self {
        Self { body: text, ..Self::empty(status) }.with("Content-Type", "application/json")
    }

    /// Problem details (RFC 9457).
    pub fn problem(status: u16, value: &impl Serialize) -> Self {
        Self { body: serde_json::to_string(value).unwrap_or_default(), ..Self::empty(status) }
            .with("Content-Type", "application/problem+json")
    }

    /// A redirect. `location` is an absolute address that Signet composed.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status).with("Location", location)
    }

    /// Sets a cookie that only Signet's host receives and that scripts cannot read. `name` begins with `__Host-`, `same_site` is
    /// `Lax` or `Strict` (RFC 6265bis section 5.6.7), and `max_age` is in seconds. A `max_age` of 0 deletes the cookie.
    pub fn with_cookie(self, name: &str, value: &str, same_site: &str, max_age: u64) -> Self {
        let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={max_age}");
        self.with("Set-Cookie", &cookie)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    #[cfg(any(test, feature = "demo"))]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// Allows the page to send its address as a referrer to Signet. Without a referrer, browsers send `Origin: null` with its
    /// forms. The address of the page must not contain a secret.
    pub fn with_own_referrer(self) -> Self {
        self.with("Referrer-Policy", "same-origin")
    }

    /// The value of a header that is sent: the response's own, or else the one of [`security_headers`].
    #[cfg(test)]
    pub fn sent_header(&self, name: &str, hsts: Hsts) -> Option<&str> {
        self.header(name).or_else(|| security_headers(hsts).find(|(key, _)| *key == name).map(|(_, value)| value))
    }
}

/// The security headers of every answer of Signet. A header of the response itself replaces the one with the same name.
/// Without its own `Cache-Control` or `Referrer-Policy`, a response is not cached and sends no referrer. Pages of other
/// origins can neither embed a response nor keep a reference to its window.
pub fn security_headers(hsts: Hsts) -> impl Iterator<Item = (&'static str, &'static str)> {
    let headers = [
        ("Content-Security-Policy", Some("default-src 'none'; frame-ancestors 'none'")),
        ("Strict-Transport-Security", hsts.header()),
        ("Cache-Control", Some("no-store")),
        ("Referrer-Policy", Some("no-referrer")),
        ("X-Content-Type-Options", Some("nosniff")),
        ("X-Frame-Options", Some("DENY")),
        ("Cross-Origin-Opener-Policy", Some("same-origin")),
        ("Cross-Origin-Resource-Policy", Some("same-origin")),
    ];
    headers.into_iter().filter_map(|(name, value)| Some((name, value?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsts_has_the_value_of_its_policy() {
        for (hsts, value) in [
            (Hsts::Off, None),
            (Hsts::Host, Some("max-age=63072000")),
            (Hsts::IncludeSubDomains, Some("max-age=63072000; includeSubDomains")),
        ] {
            assert_eq!(Response::empty(204).sent_header("Strict-Transport-Security", hsts), value);
        }
    }
}
