//! The issuer, and the parsing of origins and of URLs that may carry secrets.

use std::net::IpAddr;
use url::Url;

/// The issuer (RFC 8414 section 2): an origin, without a trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

impl Issuer {
    pub fn parse(text: &str) -> Option<Self> {
        parse_origin(text).map(Self)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL of the SSO endpoint, which is the audience of every token.
    pub fn sso_endpoint(&self) -> String {
        format!("{}/oauth/singlesignon", self.0)
    }
}

/// Parses a URL that may carry secrets: https, or http to the local machine; without a user, a password or a fragment.
pub fn parse_web_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let is_local = url.host_str().is_some_and(is_local_host);
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_local);
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (is_private && is_plain && url.has_host()).then_some(url)
}

/// Parses an origin whose requests may carry secrets. The result has no trailing slash.
pub fn parse_origin(text: &str) -> Option<String> {
    let url = parse_web_url(text).filter(|url| url.query().is_none())?;
    let origin = url.origin().ascii_serialization();
    (url.path() == "/" && origin.len() <= 255).then_some(origin)
}

/// Whether the host of a URL is the local machine (RFC 6761 section 6.3, RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3).
pub fn is_local_host(host: &str) -> bool {
    let name = host.strip_suffix('.').unwrap_or(host);
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// The scheme and the host of an origin, without the port. Cookies are shared by all ports of a host (RFC 6265 section 8.5).
pub fn scheme_and_host(origin: &str) -> (&str, &str) {
    let (scheme, authority) = origin.split_once("://").unwrap_or_default();
    let port_at = authority.rfind(':').filter(|at| !authority.get(*at..).is_some_and(|port| port.contains(']')));
    (scheme, port_at.and_then(|at| authority.get(..at)).unwrap_or(authority))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_not_part_of_the_host() {
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
