//! HTTP Strict Transport Security for the client area's answers.

use crate::http::Request;
use crate::settings::Issuer;
use url::{Host, Url};

/// The HSTS policy (RFC 6797 section 6.1) of the answer to `request`: two years. None by http (section 7.2), and none on
/// this very machine, where it would hold for every other port too (section 8.3).
pub fn strict_transport_security(request: &Request, issuer: &Issuer) -> Option<&'static str> {
    let is_local = match Url::parse(issuer.as_str()).ok()?.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    (request.is_secure && !is_local).then_some("max-age=63072000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test as request};
    use crate::settings::tests::settings;

    #[test]
    fn rfc_6797_7_2_and_8_3_hsts_is_for_https_and_for_no_local_name() {
        for (issuer, is_secure, is_sent) in [
            ("https://sso.example", true, true),
            ("https://sso.example", false, false),
            ("https://localhost:8443", true, false),
            ("https://my.localhost", true, false),
            ("https://127.0.0.1", true, false),
            ("https://[::1]", true, false),
        ] {
            let settings = settings(&[("ISSUER", issuer)]).ok().unwrap();
            let request = Request { is_secure, ..request(Method::Get, "/", &[], "") };
            assert_eq!(
                strict_transport_security(&request, &settings.issuer).is_some(),
                is_sent,
                "{issuer} {is_secure}"
            );
        }
    }
}
