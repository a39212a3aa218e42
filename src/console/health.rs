//! What the health page finds.

use super::ADMINISTRATION_OFF;
use crate::settings::Settings;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Note,
    /// Wrong.
    Bad,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// How it is.
    pub level: Level,
    /// In words.
    pub finding: String,
}

/// What the platform says of itself, measured for the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// How long KV took to answer, in milliseconds; none if it did not.
    pub kv_milliseconds: Option<u64>,
    /// Whether the users' objects are bound.
    pub has_users: bool,
    /// Whether failed attempts are limited.
    pub has_rate_limit: bool,
    /// Whether data points are written.
    pub has_analytics: bool,
}

/// Checks the configuration. That the settings are sound, and that the console's object answers, is known
/// when the page is shown.
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
            false => {
                check("Encryption", Level::Note, "Signet is reached by http. That is for this machine only.".to_owned())
            }
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
                    "{} signs; all of {} verify. A rotation is under way.",
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
                check("Client area", Level::Good, format!("Signet stands in front of {}.", gateway.origin))
            }
            (None, true) => check("Client area", Level::Good, format!("{client_area} is on Signet's host.")),
            (None, false) => check(
                "Client area",
                Level::Note,
                format!("{client_area} is on another host, which Signet's cookie does not reach."),
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
    fn what_is_wrong_or_worth_knowing_is_told() {
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
