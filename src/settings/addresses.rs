//! The settings that name addresses and depend on one another.

use super::table::{CLIENT_AREA_URL, CONSOLE_ORIGIN, DESTINATIONS, LOGIN_URL, ORIGIN_URL, PROTECTED_PATHS, Values};
use crate::destination::ClientArea;
use crate::gateway::Gateway;
use crate::issuer::{Issuer, scheme_and_host};
use url::Url;

/// The client area. Its default address is that of the issuer.
pub(super) fn client_area(values: &mut Values, issuer: Option<&Issuer>) -> Option<ClientArea> {
    let base = if values.has(&CLIENT_AREA_URL) {
        values.parse(&CLIENT_AREA_URL)?
    } else {
        Url::parse(issuer?.as_str()).ok()?
    };
    let paths = values.parse(&DESTINATIONS);
    ClientArea::new(base, paths.as_deref()).map_err(|problem| values.report(&DESTINATIONS, problem)).ok()
}

/// See the fields of the same names in [`super::Settings`].
pub(super) struct Addresses {
    pub(super) login_url: Option<Url>,
    pub(super) gateway: Option<Gateway>,
    pub(super) console_origin: Option<String>,
}

impl Addresses {
    /// Parses each address and checks the combination.
    pub(super) fn parse(values: &mut Values, issuer: Option<&Issuer>) -> Self {
        let login_url = values.parse(&LOGIN_URL);
        let protected = values.parse(&PROTECTED_PATHS).unwrap_or_default();
        let gateway = values.parse(&ORIGIN_URL).map(|origin| Gateway { origin, protected: protected.clone() });
        if values.has(&PROTECTED_PATHS) && !values.has(&ORIGIN_URL) {
            values.report(&PROTECTED_PATHS, "is of no use without ORIGIN_URL");
        }
        let console_origin = console_origin(values, issuer, gateway.is_some());
        if let (Some(issuer), Some(gateway)) = (issuer, &gateway) {
            let is_signet = |origin: &String| Some(origin) == console_origin.as_ref() || origin == issuer.as_str();
            if is_signet(&gateway.origin) {
                values
                    .report(&ORIGIN_URL, "is Signet's own address, so that requests would never reach the client area");
            }
        }
        if let (Some(issuer), Some(login_url)) = (issuer, &login_url)
            && login_url.origin().ascii_serialization() == issuer.as_str()
            && protected.protect(login_url.path(), login_url.query().unwrap_or_default())
        {
            values.report(&LOGIN_URL, "lies below PROTECTED_PATHS, so that nobody could ever reach it");
        }
        Self { login_url, gateway, console_origin }
    }
}

/// In gateway mode the client area's scripts run on the issuer's host, so administration needs another host.
fn console_origin(values: &mut Values, issuer: Option<&Issuer>, is_gateway: bool) -> Option<String> {
    if !values.has(&CONSOLE_ORIGIN) {
        return issuer.filter(|_| !is_gateway).map(|issuer| issuer.as_str().to_owned());
    }
    let origin = values.parse(&CONSOLE_ORIGIN)?;
    let (scheme, host) = scheme_and_host(&origin);
    let problem = match issuer.map(|issuer| scheme_and_host(issuer.as_str())) {
        Some((issuer_scheme, _)) if scheme != issuer_scheme => "has another scheme than ISSUER",
        Some((_, issuer_host)) if is_gateway && host == issuer_host => {
            "is on the host of ISSUER, which the client area shares in gateway mode"
        }
        _ => return Some(origin),
    };
    values.report(&CONSOLE_ORIGIN, problem);
    None
}

#[cfg(test)]
mod tests {
    use crate::settings::tests::settings;

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
        assert_eq!(console(&[gateway]), Ok(None), "administration is off by default");
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
    fn the_login_page_must_not_require_a_session() {
        let protected = [("ORIGIN_URL", "https://my-server.example"), ("PROTECTED_PATHS", r#"["/billing"]"#)];
        for (login_url, is_valid) in [
            ("https://sso.example/login?next=billing", true),
            ("https://panel.example/billing", true),
            ("https://sso.example/billing/login", false),
            ("https://sso.example/%62illing/login", false),
            ("https://sso.example/index.php?rp=/billing/login", false),
        ] {
            let outcome = settings(&[protected[0], protected[1], ("LOGIN_URL", login_url)]);
            assert_eq!(outcome.is_ok(), is_valid, "{login_url}");
        }
    }

    #[test]
    fn http_is_allowed_only_for_localhost() {
        for valid in ["http://localhost:8787", "http://127.0.0.1:1", "http://[::1]:1", "https://sso.example:8443"] {
            assert!(settings(&[("ISSUER", valid)]).is_ok(), "{valid}");
        }
    }

    #[test]
    fn the_client_area_can_be_in_a_directory() {
        let settings = settings(&[("CLIENT_AREA_URL", "https://my.example/billing")]).ok().unwrap();
        assert_eq!(settings.client_area.base().as_str(), "https://my.example/billing/");
    }
}
