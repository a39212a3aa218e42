//! The session of an administrator in the console, and its cookie.

use crate::http::{Request, Response};
use crate::id::SessionId;
use crate::secret::{KeyRing, Purpose, SecretDigest};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The idle limit of a session, in seconds: half an hour.
pub const CONSOLE_IDLE: u64 = 1_800;
/// The absolute limit of a session, in seconds: eight hours.
pub const CONSOLE_MAX: u64 = 28_800;
/// The least time between two writes of `last_seen_at`, in seconds.
const REFRESH_SECONDS: u64 = 60;

/// A session in the console's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleSession {
    pub id: SessionId,
    /// The digest of the administration token that opened the session. See [`super::ConsoleEnvelope`].
    pub admin_token: SecretDigest,
    pub opened_at: Timestamp,
    /// To the minute.
    pub last_seen_at: Timestamp,
}

impl ConsoleSession {
    pub fn new(id: SessionId, admin_token: SecretDigest, now: Timestamp) -> Self {
        Self { id, admin_token, opened_at: now, last_seen_at: now }
    }

    /// When the session expires if it is not used again.
    pub fn expires_at(&self) -> Timestamp {
        self.last_seen_at.plus(CONSOLE_IDLE).min(self.opened_at.plus(CONSOLE_MAX))
    }

    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The session as it must be stored after its use at `now`; `None` if it was stored less than [`REFRESH_SECONDS`] ago.
    pub fn refreshed(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.last_seen_at) >= REFRESH_SECONDS).then(|| Self { last_seen_at: now, ..self.clone() })
    }
}

/// The signed content of the cookie. The object decides whether the session is active.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleCookie {
    pub sid: SessionId,
    /// The absolute limit of the session.
    pub exp: Timestamp,
}

impl ConsoleCookie {
    /// Browsers accept a cookie with the prefix `__Host-` only with `Secure`, without `Domain`, and for the path `/`.
    pub const NAME: &str = "__Host-signet-admin";
    /// Browsers do not send the cookie with requests from other sites.
    const SAME_SITE: &str = "Strict";

    pub fn of(session: &ConsoleSession) -> Self {
        Self { sid: session.id.clone(), exp: session.opened_at.plus(CONSOLE_MAX) }
    }

    /// Returns the cookie of `request`, if Signet signed it and its absolute limit is after `now`.
    pub fn open(request: &Request, keys: &KeyRing, now: Timestamp) -> Option<Self> {
        let cookie: Self = keys.open(Purpose::Console, request.cookie(Self::NAME)?)?;
        (now < cookie.exp).then_some(cookie)
    }

    /// Adds the cookie to `response`.
    pub fn set(&self, response: Response, keys: &KeyRing) -> serde_json::Result<Response> {
        Ok(response.with_cookie(Self::NAME, &keys.sign(Purpose::Console, self)?, Self::SAME_SITE, CONSOLE_MAX))
    }

    /// Makes `response` delete the cookie.
    pub fn clear(response: Response) -> Response {
        response.with_cookie(Self::NAME, "", Self::SAME_SITE, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};
    use crate::secret::{Secret, keys_for_test};
    use crate::time::NOW_FOR_TEST as NOW;

    fn digest(text: &str) -> SecretDigest {
        SecretDigest::of(&Secret::new(text))
    }

    fn session() -> ConsoleSession {
        ConsoleSession::new(SessionId::from_random([1; 16]), digest("token"), NOW)
    }

    #[test]
    fn a_session_has_an_idle_and_an_absolute_limit() {
        let live = |session: &ConsoleSession, seconds| session.is_live(NOW.plus(seconds));
        assert!(live(&session(), CONSOLE_IDLE - 1) && !live(&session(), CONSOLE_IDLE));
        let used = ConsoleSession { last_seen_at: NOW.plus(CONSOLE_MAX - 10), ..session() };
        assert!(live(&used, CONSOLE_MAX - 1) && !live(&used, CONSOLE_MAX));
    }

    #[test]
    fn the_last_use_is_stored_at_most_once_a_minute() {
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
    fn the_cookie_is_signed_strict_and_for_the_console_only() {
        let keys = keys_for_test(7);
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
