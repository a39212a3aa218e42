//! The checks of the health page.

use super::ADMINISTRATION_OFF;
use crate::secret::AssertionKey;
use crate::settings::{Settings, TokenRecords};

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

impl Check {
    fn new(level: Level, name: &'static str, finding: impl Into<String>) -> Self {
        Self { name, level, finding: finding.into() }
    }

    /// A check that `is_good`, or has another level and finding.
    fn either(name: &'static str, is_good: bool, finding: &str, otherwise: (Level, &str)) -> Self {
        let (level, finding) = if is_good { (Level::Good, finding) } else { otherwise };
        Self::new(level, name, finding)
    }
}

/// Checks the configuration. The page is shown only if the settings are valid and the console's object answers, so these checks
/// report that without a test.
pub fn checks(settings: &Settings, platform: &Platform) -> Vec<Check> {
    use Level::{Bad, Good, Note};
    let issuer = settings.issuer.as_str();
    let kids: Vec<_> = settings.keys.assertion_keys().map(AssertionKey::kid).collect();
    let client_area = settings.client_area.base();
    let client_area_origin = client_area.origin().ascii_serialization();
    let (idle, max) = (settings.session_limits.idle, settings.session_limits.max);
    vec![
        Check::new(Good, "Settings", "Every setting is valid."),
        Check::new(Good, "Address", format!("ISSUER is {issuer}.")),
        match settings.console_origin.as_deref() {
            Some(origin) if origin == client_area_origin => {
                let finding = format!(
                    "Administration is at {origin}, the origin of the client area. If both are served there, a script of \
                     the client area can use your session: set CONSOLE_ORIGIN."
                );
                Check::new(Note, "Console", finding)
            }
            Some(origin) => Check::new(Good, "Console", format!("Administration is at {origin}, and nowhere else.")),
            None => Check::new(Note, "Console", ADMINISTRATION_OFF),
        },
        Check::either(
            "Encryption",
            settings.requires_https(),
            "Signet answers by https only.",
            (Note, "Signet answers by http. Use http on the local machine only."),
        ),
        match platform.kv_milliseconds {
            Some(milliseconds) => Check::new(Good, "Workers KV", format!("It answered in {milliseconds} ms.")),
            None => Check::new(Bad, "Workers KV", "It did not answer. No token can be issued."),
        },
        Check::either(
            "Durable Objects",
            platform.has_users,
            "The console's object answers, and the users' objects are bound.",
            (Bad, "There is no binding USERS. Nobody can be signed in."),
        ),
        if let [kid] = kids.as_slice() {
            Check::new(Good, "Signing keys", format!("One key, {kid}."))
        } else {
            let (first, all) = (kids.first().unwrap_or(&""), kids.join(", "));
            let finding =
                format!("Signet signs with {first} and accepts signatures by {all}. A rotation is under way.");
            Check::new(Note, "Signing keys", finding)
        },
        Check::either(
            "Rate limit",
            platform.has_rate_limit,
            "Failed attempts at a secret are limited.",
            (Note, "There is no binding FAILURES: failed attempts are not limited."),
        ),
        Check::either(
            "Analytics Engine",
            platform.has_analytics,
            "A data point is written for every decision.",
            (Note, "There is no binding ANALYTICS: no data points are written."),
        ),
        match &settings.gateway {
            Some(gateway) => Check::new(Good, "Client area", format!("Signet is the gateway to {}.", gateway.origin)),
            None if client_area_origin == issuer => {
                Check::new(Good, "Client area", format!("{client_area} is on Signet's host."))
            }
            None => {
                let finding =
                    format!("{client_area} is on another host, to which browsers do not send Signet's cookie.");
                Check::new(Note, "Client area", finding)
            }
        },
        match &settings.login_url {
            Some(url) => Check::new(Good, "Login page", format!("People without a session are sent to {url}.")),
            None => Check::new(Note, "Login page", "LOGIN_URL is not set: people without a session get 401."),
        },
        Check::new(
            Good,
            "Tokens and sessions",
            format!("A token lives {} s, a session {idle} s unused and {max} s in all.", settings.token_ttl),
        ),
        match settings.session_cache {
            0 => Check::new(Good, "Session checks", "SESSION_CACHE is 0: an ended session is refused at once."),
            seconds => {
                let finding =
                    format!("SESSION_CACHE is {seconds}: an ended session can still be accepted for {seconds} s.");
                Check::new(Note, "Session checks", finding)
            }
        },
        Check::either(
            "Token records",
            settings.token_records == TokenRecords::Kv,
            "TOKEN_RECORDS is kv: KV stores a record of each issued token for a day.",
            (Note, "TOKEN_RECORDS is off: lookups by id find only tokens that were used or revoked."),
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
        let (cache, records) = ([("SESSION_CACHE", "30")], [("TOKEN_RECORDS", "off")]);
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
            ("Session checks", &[], platform(), Level::Good),
            ("Session checks", &cache, platform(), Level::Note),
            ("Token records", &[], platform(), Level::Good),
            ("Token records", &records, platform(), Level::Note),
        ] {
            assert_eq!(level(name, vars, &platform), expected, "{name} {vars:?} {platform:?}");
        }
    }
}
