//! Rejects requests to the wrong origin or by plain http, before Signet reads a body, a secret or storage.

use crate::console::{ADMINISTRATION_OFF, misdirected_page};
use crate::failure_response::Format;
use crate::http::{ErrorCode, Failure, HeaderName, Method, Request, Response};
use crate::issuer::scheme_and_host;
use crate::log::Outcome;
use crate::route::Route;
use crate::settings::Settings;
use std::borrow::Cow;

/// The answer to a request by http if the issuer is https.
pub const HTTPS_REQUIRED: Failure =
    Failure::of(403, ErrorCode::HttpsRequired, "Signet answers by https only. Nothing of this request was read.");

/// The answer to a request that is not served at this address, and what the log says of it.
#[derive(Debug)]
pub struct Refusal {
    /// `Deferred` for a redirect, otherwise `Denied`.
    pub outcome: Outcome,
    pub reason: &'static str,
    pub response: Response,
}

/// Returns why `request` is not served at the address that it was sent to:
/// 1. If the issuer is https, only `/healthz` is served by http. Pages are redirected, everything else is refused.
/// 2. Administration is served on its own origin only.
/// 3. In gateway mode the client area is not served on the host of administration, so that its scripts cannot run there.
pub fn refusal(request: &Request, route: Route, settings: &Settings) -> Option<Refusal> {
    let home = settings.client_area.base().as_str();
    let refuse = |failure: Failure| Refusal {
        outcome: Outcome::Denied,
        reason: failure.error.as_str(),
        response: failure.into_response(Route::format(request), Some(home)),
    };
    // 1.
    if settings.requires_https() && !request.is_secure() && route != Route::Health {
        return Some(match https_address(request, route, settings) {
            Some(address) => {
                let response = Response::redirect(308, &address);
                Refusal { outcome: Outcome::Deferred, reason: HTTPS_REQUIRED.error.as_str(), response }
            }
            None => refuse(HTTPS_REQUIRED),
        });
    }
    // 2.
    let console_origin = settings.console_origin.as_deref();
    if route.is_administration() && console_origin != Some(request.origin.as_str()) {
        let failure = misdirected(console_origin);
        return Some(match Route::format(request) {
            Format::Page => {
                let response = misdirected_page(console_origin);
                Refusal { outcome: Outcome::Denied, reason: failure.error.as_str(), response }
            }
            Format::Json | Format::Problem | Format::Whmcs => refuse(failure),
        });
    }
    // 3.
    let is_on_console_host =
        console_origin.is_some_and(|origin| scheme_and_host(origin).1 == scheme_and_host(&request.origin).1);
    if route == Route::ClientArea && settings.gateway.is_some() && is_on_console_host {
        return Some(refuse(Failure::NOT_FOUND));
    }
    None
}

/// The https address of a page that was requested by http. A WebSocket handshake has none: it follows no redirect.
fn https_address(request: &Request, route: Route, settings: &Settings) -> Option<String> {
    let is_page = route.is_page()
        && matches!(request.method, Method::Get | Method::Head)
        && request.headers.get(HeaderName::Upgrade).is_none();
    let origin = if route.is_administration() { settings.console_origin.as_deref()? } else { settings.issuer.as_str() };
    is_page.then(|| format!("{origin}{}", request.target()))
}

/// 421 (RFC 9110 section 15.5.20), with the right address.
fn misdirected(console_origin: Option<&str>) -> Failure {
    let description = match console_origin {
        Some(origin) => Cow::Owned(format!("Administration is at {origin}.")),
        None => Cow::Borrowed(ADMINISTRATION_OFF),
    };
    Failure { description, ..Failure::of(421, ErrorCode::MisdirectedRequest, "") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::request_for_test;
    use crate::settings::tests::settings;

    const GATEWAY: (&str, &str) = ("ORIGIN_URL", "https://my-server.example");
    const CONSOLE: (&str, &str) = ("CONSOLE_ORIGIN", "https://console.example");

    /// The status and the `Location` of the answer to a request for `target` of `origin`; 0 if it is served.
    fn answer(changes: &[(&str, &str)], method: Method, origin: &str, target: &str) -> (u16, Option<String>) {
        answer_with(changes, method, origin, target, &[("accept", "text/html")])
    }

    fn answer_with(
        changes: &[(&str, &str)],
        method: Method,
        origin: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (u16, Option<String>) {
        let request = Request { origin: origin.into(), ..request_for_test(method, target, headers, "") };
        let route = Route::of(&request).unwrap();
        let refusal = refusal(&request, route, &settings(changes).ok().unwrap());
        refusal.map_or((0, None), |refusal| {
            (refusal.response.status, refusal.response.header("Location").map(str::to_owned))
        })
    }

    #[test]
    fn pages_are_redirected_from_http_and_everything_else_is_refused() {
        let http = |method, target: &str| answer(&[GATEWAY, CONSOLE], method, "http://any.example:80", target);
        for (method, target) in [
            (Method::Get, "/oauth/singlesignon?access_token=x&a"),
            (Method::Get, "/oauth/singlesignon.php"),
            (Method::Get, "/oauth/logout?return_to=a%2fb"),
            (Method::Head, "/oauth/logout"),
            (Method::Get, "/account/security"),
            (Method::Get, "/clientarea.php?action=details"),
            (Method::Head, "/"),
            (Method::Get, "//evil.example/x"),
        ] {
            assert_eq!(http(method, target), (308, Some(format!("https://sso.example{target}"))), "{target}");
        }
        assert_eq!(
            http(Method::Get, "/admin/users?a=b"),
            (308, Some("https://console.example/admin/users?a=b".into()))
        );
        for (method, target) in [
            (Method::Post, "/oauth/singlesignon"),
            (Method::Post, "/oauth/logout"),
            (Method::Post, "/account/security"),
            (Method::Post, "/admin/sign-in"),
            (Method::Post, "/x"),
            (Method::Other, "/x"),
            (Method::Post, "/oauth/token"),
            (Method::Post, "/oauth/token.php"),
            (Method::Post, "/oauth/revoke"),
            (Method::Post, "/oauth/introspect"),
            (Method::Get, "/oauth/receipts/x"),
            (Method::Get, "/oauth/session"),
            (Method::Get, "/.well-known/oauth-authorization-server"),
            (Method::Get, "/.well-known/jwks.json"),
            (Method::Get, "/openapi.json"),
            (Method::Post, "/includes/api.php"),
            (Method::Get, "/includes/api.php"),
            (Method::Get, "/admin/v1/users/1"),
            (Method::Post, "/admin/v1/import"),
        ] {
            assert_eq!(http(method, target), (403, None), "{method:?} {target}");
        }
        assert_eq!(http(Method::Get, "/healthz"), (0, None));
        let socket = [("upgrade", "websocket"), ("accept", "text/html")];
        assert_eq!(answer_with(&[GATEWAY], Method::Get, "http://sso.example", "/x", &socket), (403, None));
        assert_eq!(answer(&[GATEWAY], Method::Get, "http://sso.example", "/admin").0, 403, "administration is off");
    }

    #[test]
    fn http_is_served_if_the_issuer_is_http() {
        let local = ("ISSUER", "http://localhost:8787");
        for (path, method) in
            [("/oauth/token", Method::Post), ("/account/security", Method::Get), ("/admin", Method::Get)]
        {
            assert_eq!(answer(&[local], method, "http://localhost:8787", path), (0, None), "{path}");
        }
    }

    #[test]
    fn administration_is_served_on_its_origin_only() {
        for (changes, origin, is_served) in [
            (&[][..], "https://sso.example", true),
            (&[], "https://signet.workers.dev", false),
            (&[], "https://sso.example:8443", false),
            (&[], "https://sso.example.", false),
            (&[CONSOLE], "https://console.example", true),
            (&[CONSOLE], "https://sso.example", false),
            (&[GATEWAY], "https://sso.example", false),
            (&[GATEWAY, CONSOLE], "https://sso.example", false),
            (&[GATEWAY, CONSOLE], "https://console.example", true),
        ] {
            let expected = if is_served { 0 } else { 421 };
            for path in ["/admin", "/admin/users/1", "/admin/v1/users/1", "/admin/v1/import"] {
                for method in [Method::Get, Method::Post] {
                    assert_eq!(answer(changes, method, origin, path).0, expected, "{changes:?} {origin}{path}");
                }
            }
            assert_eq!(answer(changes, Method::Post, origin, "/oauth/token"), (0, None));
        }
    }

    #[test]
    fn the_answer_to_a_misdirected_request_names_the_right_origin() {
        let body = |changes: &[(&str, &str)], path: &str, accept: &str| {
            let request = Request {
                origin: "https://elsewhere.example".into(),
                ..request_for_test(Method::Get, path, &[("accept", accept)], "")
            };
            let refusal = refusal(&request, Route::of(&request).unwrap(), &settings(changes).ok().unwrap()).unwrap();
            assert_eq!((refusal.reason, refusal.response.status), ("misdirected_request", 421));
            refusal.response.body
        };
        for (path, accept) in
            [("/admin/users/1", "text/html"), ("/admin", "application/json"), ("/admin/v1/users/1", "*/*")]
        {
            assert!(body(&[CONSOLE], path, accept).contains("https://console.example"), "{path}");
            assert!(body(&[GATEWAY], path, accept).contains("CONSOLE_ORIGIN"), "{path}");
        }
        assert!(body(&[CONSOLE], "/admin/users/1", "text/html").contains(r#"href="https://console.example/admin""#));
    }

    #[test]
    fn the_client_area_is_not_served_on_the_host_of_administration() {
        for (changes, origin, status) in [
            (&[GATEWAY, CONSOLE][..], "https://sso.example", 0),
            (&[GATEWAY, CONSOLE], "https://other.example", 0),
            (&[GATEWAY, CONSOLE], "https://console.example", 404),
            (&[GATEWAY, CONSOLE], "https://console.example:8443", 404),
            (&[GATEWAY], "https://sso.example", 0),
            (&[], "https://sso.example", 0),
        ] {
            for path in ["/shop", "/sw.js", "/administration", "//admin"] {
                assert_eq!(answer(changes, Method::Get, origin, path).0, status, "{changes:?} {origin}{path}");
            }
        }
    }
}
