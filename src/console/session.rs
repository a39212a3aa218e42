//! The session of an administrator in the console.

use crate::http::{Request, Response};
use crate::id::SessionId;
use crate::secret::{KeyRing, Purpose, SecretDigest};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How long a session lives without use, in seconds: half an hour.
pub const CONSOLE_IDLE: u64 = 1_800;
/// How long a session lives in all, in seconds: eight hours.
pub const CONSOLE_MAX: u64 = 28_800;
/// How often the use of a session is written down, in seconds.
const REFRESH_SECONDS: u64 = 60;

/// A session as the console's object keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSession {
    /// Its id.
    pub id: SessionId,
    /// The digest of the administration token that opened it. It ends with that token: see [`super::ConsoleEnvelope`].
    pub admin_token: SecretDigest,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}

impl ConsoleSession {
    /// A session opened at `now`.
    pub fn new(id: SessionId, admin_token: SecretDigest, now: Timestamp) -> Self {
        Self { id, admin_token, opened_at: now, last_seen_at: now }
    }

    /// When it dies, if it is not used any more.
    pub fn expires_at(&self) -> Timestamp {
        self.last_seen_at.plus(CONSOLE_IDLE).min(self.opened_at.plus(CONSOLE_MAX))
    }

    /// Whether it is alive at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The session used at `now`, if that is to be written down.
    pub fn refreshed(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.last_seen_at) >= REFRESH_SECONDS).then(|| Self { last_seen_at: now, ..self.clone() })
    }
}

/// What the cookie says. The object has the last word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleCookie {
    /// The session.
    pub sid: SessionId,
    /// The session's absolute limit.
    pub exp: Timestamp,
}

impl ConsoleCookie {
    /// Its name. The prefix makes browsers refuse it without Secure, with a Domain, or for another path.
    pub const NAME: &str = "__Host-signet-admin";
    /// Strict: nobody comes to the console from another site signed in.
    const SAME_SITE: &str = "Strict";

    /// The cookie of `session`.
    pub fn of(session: &ConsoleSession) -> Self {
        Self { sid: session.id.clone(), exp: session.opened_at.plus(CONSOLE_MAX) }
    }

    /// The cookie that `request` presents, if Signet signed it and its absolute limit is not over at `now`.
    pub fn open(request: &Request, keys: &KeyRing, now: Timestamp) -> Option<Self> {
        let cookie: Self = keys.open(Purpose::Console, request.cookie(Self::NAME)?)?;
        (now < cookie.exp).then_some(cookie)
    }

    /// `response`, which makes the browser keep the cookie.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn set(&self, response: Response, keys: &KeyRing) -> serde_json::Result<Response> {
        Ok(response.with_cookie(Self::NAME, &keys.sign(Purpose::Console, self)?, Self::SAME_SITE, CONSOLE_MAX))
    }

    /// `response`, which makes the browser forget the cookie.
    pub fn clear(response: Response) -> Response {
        response.with_cookie(Self::NAME, "", Self::SAME_SITE, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};
    use crate::secret::{Secret, entry_for_test};

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn digest(text: &str) -> SecretDigest {
        SecretDigest::of(&Secret::new(text))
    }

    fn session() -> ConsoleSession {
        ConsoleSession::new(SessionId::from_random([1; 16]), digest("token"), NOW)
    }

    #[test]
    fn it_ends_unused_or_old() {
        let live = |session: &ConsoleSession, seconds| session.is_live(NOW.plus(seconds));
        assert!(live(&session(), CONSOLE_IDLE - 1) && !live(&session(), CONSOLE_IDLE));
        let used = ConsoleSession { last_seen_at: NOW.plus(CONSOLE_MAX - 10), ..session() };
        assert!(live(&used, CONSOLE_MAX - 1) && !live(&used, CONSOLE_MAX));
    }

    #[test]
    fn its_use_is_written_down_once_a_minute() {
        assert_eq!(session().refreshed(NOW.plus(59)), None);
        assert_eq!(session().refreshed(NOW.plus(60)).unwrap().last_seen_at, NOW.plus(60));
    }

    #[test]
    fn stored_form_is_unchanged() {
        let mut stored = serde_json::to_value(session()).unwrap();
        assert!(stored["admin_token"].take().is_string());
        let expected =
            r#"{"admin_token":null,"id":"AQEBAQEBAQEBAQEBAQEBAQ","last_seen_at":1800000000,"opened_at":1800000000}"#;
        assert_eq!(stored, serde_json::from_str::<serde_json::Value>(expected).unwrap());
    }

    #[test]
    fn the_cookie_is_signed_strict_and_for_the_console_alone() {
        let keys = KeyRing::parse(&entry_for_test("k1", 7)).ok().unwrap();
        let kept = ConsoleCookie::of(&session()).set(Response::empty(303), &keys).unwrap();
        let header = kept.header("Set-Cookie").unwrap();
        for part in
            ["__Host-signet-admin=", "; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict", "; Max-Age=28800"]
        {
            assert!(header.contains(part), "{header}");
        }
        let value = header.split(';').next().unwrap();
        let of = |cookie: &str, now| {
            ConsoleCookie::open(&request_for_test(Method::Get, "/admin", &[("cookie", cookie)], ""), &keys, now)
        };
        assert_eq!(of(value, NOW).unwrap().sid, session().id);
        assert_eq!(of(value, NOW.plus(CONSOLE_MAX)), None);
        let user = keys.sign(Purpose::Session, &ConsoleCookie { sid: session().id, exp: NOW.plus(9) }).unwrap();
        for bad in [
            format!("__Host-signet-admin={user}"),
            format!("{value}x"),
            "__Host-signet-admin=".to_owned(),
            String::new(),
        ] {
            assert_eq!(of(&bad, NOW), None, "{bad}");
        }
        assert!(ConsoleCookie::clear(Response::empty(303)).header("Set-Cookie").unwrap().contains("Max-Age=0"));
    }
}
