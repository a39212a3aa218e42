//! Origins and addresses: the issuer, which addresses may carry secrets, and their parts.

use std::net::IpAddr;
use url::Url;

/// The issuer (RFC 8414 section 2): an origin, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    /// The issuer that `text` spells.
    pub fn parse(text: &str) -> Option<Self> {
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

/// A URL that may carry secrets: https, or http to this very machine, with no user and no fragment.
pub fn parse_web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = url.host_str().is_some_and(is_local_host);
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_private && is_plain && url.has_host()).then_some(url)
}

/// An origin, without a trailing slash.
pub fn parse_origin(text: &str) -> Option<String> {
    let url = parse_web_url(text).filter(|url| url.query().is_none())?;
    let origin = url.origin().ascii_serialization();
    (url.path() == "/" && origin.len() <= 255).then_some(origin)
}

/// Whether `host`, as a URL spells it, is this very machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section
/// 2.5.3).
pub fn is_local_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The scheme and the host of an origin. Hosts share cookies, whatever their port (RFC 6265 section 8.5).
pub fn scheme_and_host(origin: &str) -> (&str, &str) {
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    let port_at = authority.rfind(':').filter(|at| !authority.get(*at..).is_some_and(|port| port.contains(']')));
    (scheme, port_at.and_then(|at| authority.get(..at)).unwrap_or(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_told_from_its_port() {
        for (origin, expected) in [
            ("https://sso.example", ("https", "sso.example")),
            ("https://sso.example:8443", ("https", "sso.example")),
            ("http://[::1]:8787", ("http", "[::1]")),
            ("http://[::1]", ("http", "[::1]")),
            ("", ("", "")),
        ] {
            assert_eq!(scheme_and_host(origin), expected, "{origin}");
        }
    }
}
