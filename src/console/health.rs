//! The checks of the health page.

use super::ADMINISTRATION_OFF;
use crate::settings::Settings;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Good,
    /// Valid, but not recommended in production or not complete.
    Note,
    Bad,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: &'static str,
    pub level: Level,
    pub finding: String,
}

/// The state of the bindings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// How long a read of KV took; `None` if it failed.
    pub kv_milliseconds: Option<u64>,
    pub has_users: bool,
    pub has_rate_limit: bool,
    pub has_analytics: bool,
}

/// Checks the configuration. The page is shown only if the settings are valid and the console's object answers, so these checks
/// report that without a test.
pub fn checks(settings: &Settings, platform: &Platform) -> Vec<Check> {
    let check = |name, level, finding: String| Check { name, level, finding };
    let issuer = settings.issuer.as_str();
    let kids: Vec<_> = settings.keys.assertion_keys().map(|key| key.kid()).collect();
    let client_area = settings.client_area.base();
    let shares_host = client_area.origin().ascii_serialization() == issuer;
    vec![
        check("Settings", Level::Good, "Every setting is valid.".to_owned()),
        check("Address", Level::Good, format!("ISSUER is {issuer}.")),
        match settings.console_origin.as_deref() {
            Some(origin) if origin == client_area.origin().ascii_serialization() => check(
                "Console",
                Level::Note,
                format!(
                    "Administration is at {origin}, the origin of the client area. If both are served there, a script of \
                     the client area can use your session: set CONSOLE_ORIGIN."
                ),
            ),
            Some(origin) => check("Console", Level::Good, format!("Administration is at {origin}, and nowhere else.")),
            None => check("Console", Level::Note, ADMINISTRATION_OFF.to_owned()),
        },
        match settings.requires_https() {
            true => check("Encryption", Level::Good, "Signet answers by https only.".to_owned()),
            false => check(
                "Encryption",
                Level::Note,
                "Signet answers by http. Use http on the local machine only.".to_owned(),
            ),
        },
        match platform.kv_milliseconds {
            Some(milliseconds) => check("Workers KV", Level::Good, format!("It answered in {milliseconds} ms.")),
            None => check("Workers KV", Level::Bad, "It did not answer. No token can be issued.".to_owned()),
        },
        match platform.has_users {
            true => check(
                "Durable Objects",
                Level::Good,
                "The console's object answers, and the users' objects are bound.".to_owned(),
            ),
            false => {
                check("Durable Objects", Level::Bad, "There is no binding USERS. Nobody can be signed in.".to_owned())
            }
        },
        match kids.as_slice() {
            [kid] => check("Signing keys", Level::Good, format!("One key, {kid}.")),
            _ => check(
                "Signing keys",
                Level::Note,
                format!(
                    "Signet signs with {} and accepts signatures by {}. A rotation is under way.",
                    kids.first().unwrap_or(&""),
                    kids.join(", ")
                ),
            ),
        },
        match platform.has_rate_limit {
            true => check("Rate limit", Level::Good, "Failed attempts at a secret are limited.".to_owned()),
            false => check(
                "Rate limit",
                Level::Note,
                "There is no binding FAILURES: failed attempts are not limited.".to_owned(),
            ),
        },
        match platform.has_analytics {
            true => check("Analytics Engine", Level::Good, "A data point is written for every decision.".to_owned()),
            false => check(
                "Analytics Engine",
                Level::Note,
                "There is no binding ANALYTICS: no data points are written.".to_owned(),
            ),
        },
        match (&settings.gateway, shares_host) {
            (Some(gateway), _) => {
                check("Client area", Level::Good, format!("Signet is the gateway to {}.", gateway.origin))
            }
            (None, true) => check("Client area", Level::Good, format!("{client_area} is on Signet's host.")),
            (None, false) => check(
                "Client area",
                Level::Note,
                format!("{client_area} is on another host, to which browsers do not send Signet's cookie."),
            ),
        },
        match &settings.login_url {
            Some(url) => check("Login page", Level::Good, format!("People without a session are sent to {url}.")),
            None => {
                check("Login page", Level::Note, "LOGIN_URL is not set: people without a session get 401.".to_owned())
            }
        },
        check(
            "Tokens and sessions",
            Level::Good,
            format!(
                "A token lives {} s, a session {} s unused and {} s in all.",
                settings.token_ttl, settings.session_limits.idle, settings.session_limits.max
            ),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::tests::settings;

    fn platform() -> Platform {
        Platform { kv_milliseconds: Some(3), has_users: true, has_rate_limit: true, has_analytics: true }
    }

    fn level(name: &str, vars: &[(&str, &str)], platform: &Platform) -> Level {
        let settings = settings(vars).ok().unwrap();
        checks(&settings, platform).into_iter().find(|check| check.name == name).unwrap().level
    }

    #[test]
    fn each_finding_has_its_level() {
        let login = [("LOGIN_URL", "https://panel.example/login")];
        let elsewhere = [("CLIENT_AREA_URL", "https://my.example/")];
        let gateway = [("CLIENT_AREA_URL", "https://my.example/"), ("ORIGIN_URL", "https://my-server.example")];
        let console = [("CONSOLE_ORIGIN", "https://console.example")];
        let local = [("ISSUER", "http://localhost:8787")];
        let with = |change: fn(&mut Platform)| {
            let mut platform = platform();
            change(&mut platform);
            platform
        };
        for (name, vars, platform, expected) in [
            ("Address", &[][..], platform(), Level::Good),
            ("Console", &[], platform(), Level::Note),
            ("Console", &elsewhere, platform(), Level::Good),
            ("Console", &gateway, platform(), Level::Note),
            ("Console", &console, platform(), Level::Good),
            ("Encryption", &[], platform(), Level::Good),
            ("Encryption", &local, platform(), Level::Note),
            ("Workers KV", &[], platform(), Level::Good),
            ("Workers KV", &[], with(|p| p.kv_milliseconds = None), Level::Bad),
            ("Durable Objects", &[], platform(), Level::Good),
            ("Durable Objects", &[], with(|p| p.has_users = false), Level::Bad),
            ("Signing keys", &[], platform(), Level::Good),
            ("Rate limit", &[], with(|p| p.has_rate_limit = false), Level::Note),
            ("Analytics Engine", &[], with(|p| p.has_analytics = false), Level::Note),
            ("Client area", &[], platform(), Level::Good),
            ("Client area", &elsewhere, platform(), Level::Note),
            ("Client area", &gateway, platform(), Level::Good),
            ("Login page", &[], platform(), Level::Note),
            ("Login page", &login, platform(), Level::Good),
        ] {
            assert_eq!(level(name, vars, &platform), expected, "{name} {vars:?} {platform:?}");
        }
    }
}
