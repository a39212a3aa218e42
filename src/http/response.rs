//! A response as plain data, so that its headers can be asserted without a platform.

use serde_json::Value;
use std::fmt;

/// The order to browsers to use https for Signet's host (HTTP Strict Transport Security, RFC 6797).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hsts {
    /// There is none.
    Off,
    /// For this host.
    Host,
    /// For this host and its subdomains (RFC 6797 section 6.1.2).
    IncludeSubDomains,
}

impl Hsts {
    /// The value of `Strict-Transport-Security`: for two years, as browsers' preload lists recommend; none if there is to be
    /// no such header.
    pub const fn header(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Host => Some("max-age=63072000"),
            Self::IncludeSubDomains => Some("max-age=63072000; includeSubDomains"),
        }
    }
}

/// A response. `Debug` leaves out the values of the headers and the body, which may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        write!(f, "Response({} {names:?}, {} bytes)", self.status, self.body.len())
    }
}

impl Response {
    /// A response without a body.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    /// A JSON document.
    pub fn json(status: u16, value: &Value) -> Self {
        Self::json_text(status, value.to_string())
    }

    /// A JSON document as it stands.
    pub fn json_text(status: u16, text: String) -> Self {
        Self { body: text, ..Self::empty(status) }.with("Content-Type", "application/json")
    }

    /// Problem details (RFC 9457).
    pub fn problem(status: u16, value: &Value) -> Self {
        Self { body: value.to_string(), ..Self::empty(status) }.with("Content-Type", "application/problem+json")
    }

    /// A redirect. `location` is an absolute address made by Signet.
    pub fn redirect(status: u16, location: &str) -> Self {
        Self::empty(status).with("Location", location)
    }

    /// The response with a cookie for Signet's host alone, out of reach of scripts, kept for `max_age` seconds; 0 makes the
    /// browser forget it. `same_site` is `Lax` or `Strict` (RFC 6265bis section 5.6.7), and `name` begins with `__Host-`.
    pub fn with_cookie(self, name: &str, value: &str, same_site: &str, max_age: u64) -> Self {
        let cookie = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite={same_site}; Max-Age={max_age}");
        self.with("Set-Cookie", &cookie)
    }

    /// The response with one more header field.
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The value of a header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| *key == name).map(|(_, value)| value.as_str())
    }

    /// The page, whose forms tell where they come from: without a referrer a browser calls that `null`. For addresses
    /// that hold no secret.
    pub fn with_own_referrer(self) -> Self {
        self.with("Referrer-Policy", "same-origin")
    }

    /// The response with the security headers that every answer carries. It is not stored, and sends no referrer, unless
    /// it says so itself. No page of another origin can hold a reference to its window, or load it.
    pub fn secured(mut self, hsts: Hsts) -> Self {
        if self.header("Content-Security-Policy").is_none() {
            self = self.with("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
        }
        if let Some(policy) = hsts.header() {
            self = self.with("Strict-Transport-Security", policy);
        }
        if self.header("Cache-Control").is_none() {
            self = self.with("Cache-Control", "no-store");
        }
        if self.header("Referrer-Policy").is_none() {
            self = self.with("Referrer-Policy", "no-referrer");
        }
        self.with("X-Content-Type-Options", "nosniff")
            .with("X-Frame-Options", "DENY")
            .with("Cross-Origin-Opener-Policy", "same-origin")
            .with("Cross-Origin-Resource-Policy", "same-origin")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hsts_is_as_ordered() {
        for (hsts, value) in [
            (Hsts::Off, None),
            (Hsts::Host, Some("max-age=63072000")),
            (Hsts::IncludeSubDomains, Some("max-age=63072000; includeSubDomains")),
        ] {
            assert_eq!(Response::empty(204).secured(hsts).header("Strict-Transport-Security"), value);
        }
    }
}
