use super::*;
use crate::http::{Method, request_for_test};
use crate::secret::entry_for_test;

/// A valid configuration with `changes`. An empty value removes a setting.
pub(crate) fn settings(changes: &[(&str, &str)]) -> Result<Settings, Vec<SettingProblem>> {
    let signing_keys = entry_for_test("k1", 7);
    let valid = [
        ("SIGNING_KEYS", signing_keys.as_str()),
        ("ADMIN_TOKEN", "admin-token-of-at-least-32-characters"),
        ("ISSUER", "https://sso.example"),
    ];
    Settings::parse(|name| {
        changes.iter().chain(&valid).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn the_defaults_are_valid() {
    let settings = settings(&[]).ok().unwrap();
    assert_eq!(settings.token_ttl, 60);
    assert_eq!(settings.session_limits, SessionLimits { idle: 3_600, max: 43_200 });
    assert_eq!(settings.event_ttl, 90 * 86_400);
    assert_eq!(settings.client_area.base().as_str(), "https://sso.example/");
    assert_eq!(settings.issuer.sso_endpoint(), "https://sso.example/oauth/singlesignon");
}

#[test]
fn every_problem_is_reported_at_once() {
    let problems = Settings::parse(|_| None).err().unwrap();
    let reported: Vec<_> = problems.iter().map(|p| p.setting).collect();
    assert_eq!(reported, ["SIGNING_KEYS", "ADMIN_TOKEN", "ISSUER"]);
}

#[test]
fn hsts_is_for_https_except_on_localhost() {
    let hsts = |issuer: &str, origin: &str, include_subdomains: &str| {
        let changes = [("ISSUER", issuer), ("HSTS_INCLUDE_SUBDOMAINS", include_subdomains)];
        let request = Request { origin: origin.into(), ..request_for_test(Method::Get, "/", &[], "") };
        settings(&changes).ok().unwrap().hsts(&request)
    };
    for (issuer, origin, subdomains, expected) in [
        ("https://sso.example", "https://sso.example", "", Hsts::Host),
        ("https://sso.example", "https://signet.workers.dev", "false", Hsts::Host),
        ("https://sso.example", "https://sso.example", "true", Hsts::IncludeSubDomains),
        ("https://sso.example", "http://sso.example", "true", Hsts::Off),
        ("https://sso.example", "https://localhost:8787", "", Hsts::Off),
        ("https://localhost", "https://signet.workers.dev", "", Hsts::Off),
        ("https://localhost:8787", "https://localhost:8787", "true", Hsts::Off),
        ("https://sso.localhost", "https://sso.localhost", "", Hsts::Off),
        ("https://localhost.", "https://localhost.", "", Hsts::Off),
        ("https://127.0.0.1:8787", "https://127.0.0.1:8787", "", Hsts::Off),
        ("https://127.1.2.3", "https://127.1.2.3", "", Hsts::Off),
        ("https://[::1]", "https://[::1]", "", Hsts::Off),
        ("https://mylocalhost", "https://mylocalhost", "", Hsts::Host),
    ] {
        assert_eq!(hsts(issuer, origin, subdomains), expected, "{issuer} {origin} {subdomains}");
    }
}

#[test]
fn events_are_kept_for_whole_days() {
    for (days, seconds) in [("1", 86_400), ("30", 2_592_000), ("3650", 315_360_000)] {
        assert_eq!(settings(&[("EVENT_RETENTION_DAYS", days)]).ok().unwrap().event_ttl, seconds);
    }
}
