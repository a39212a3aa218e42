//! The session cookie.

use super::Session;
use super::session::is_ended;
use crate::http::{Request, Response};
use crate::id::{ClientId, SessionId, UserId};
use crate::secret::{KeyRing, Purpose};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// What the session cookie says. It is signed; the row decides whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCookie {
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// When the session ends at the latest.
    pub exp: Timestamp,
    /// What opened the session, if that may sign in any user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OpenedBy>,
}

/// A delegated credential set or an API credential that opened a session. No user's object knows it, so an end of its sessions
/// stands in KV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedBy {
    /// Its id.
    pub client_id: ClientId,
    /// When it opened the session.
    pub at: Timestamp,
}

impl OpenedBy {
    /// Whether the session counts as ended because it was opened at or before `not_before`.
    pub fn is_ended_by(&self, not_before: Option<Timestamp>) -> bool {
        is_ended(self.at, not_before)
    }
}

impl SessionCookie {
    /// Its name. The prefix makes browsers refuse it without Secure, with a Domain, or for another path.
    pub const NAME: &str = "__Host-signet";
    /// Lax, because users come from their application's site.
    const SAME_SITE: &str = "Lax";
    /// The longest cookie value worth reading, in bytes.
    const BYTES_MAX: usize = 1024;

    /// The cookie of `session`. `delegated` says whether what opened it may sign in any user.
    pub fn of(user: &UserId, session: &Session, delegated: bool) -> Self {
        let by = delegated.then(|| OpenedBy { client_id: session.client_id.clone(), at: session.created_at });
        Self { sub: user.clone(), sid: session.id.clone(), exp: session.max_expires_at, by }
    }

    /// The cookie that `request` presents, if Signet signed it and its absolute limit is not over at `now`.
    pub fn open(request: &Request, keys: &KeyRing, now: Timestamp) -> Option<Self> {
        let value = request.cookie(Self::NAME)?;
        if value.len() > Self::BYTES_MAX {
            return None;
        }
        let cookie: Self = keys.open(Purpose::Session, value)?;
        (now < cookie.exp).then_some(cookie)
    }

    /// `response`, which makes the browser keep the cookie for `max_age` seconds.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn set(&self, response: Response, keys: &KeyRing, max_age: u64) -> serde_json::Result<Response> {
        Ok(response.with_cookie(Self::NAME, &keys.sign(Purpose::Session, self)?, Self::SAME_SITE, max_age))
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
    use crate::secret::{entry_for_test, keys_for_test};
    use crate::user::session::tests::{NOW, session};
    use serde_json::json;

    fn keys() -> KeyRing {
        keys_for_test(7)
    }

    fn cookie() -> SessionCookie {
        SessionCookie::of(&UserId::parse("42").unwrap(), &session(), false)
    }

    fn sealed(cookie: &SessionCookie, keys: &KeyRing) -> String {
        keys.sign(Purpose::Session, cookie).unwrap()
    }

    fn open(value: &str, keys: &KeyRing, now: Timestamp) -> Option<SessionCookie> {
        let cookie = format!("{}={value}", SessionCookie::NAME);
        SessionCookie::open(&request_for_test(Method::Get, "/", &[("cookie", &cookie)], ""), keys, now)
    }

    #[test]
    fn the_cookie_has_every_attribute() {
        let set = cookie().set(Response::empty(204), &keys(), 60).unwrap();
        let value = sealed(&cookie(), &keys());
        let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60";
        assert_eq!(set.header("Set-Cookie"), Some(format!("__Host-signet={value}{attributes}").as_str()));
        let cleared = SessionCookie::clear(Response::empty(204));
        assert!(cleared.header("Set-Cookie").unwrap().ends_with("; SameSite=Lax; Max-Age=0"));
    }

    #[test]
    fn wire_form_of_the_cookie_is_unchanged() {
        let json = r#"{"sub":"42","sid":"AgICAgICAgICAgICAgICAg","exp":1800043200}"#;
        assert_eq!(serde_json::to_string(&cookie()).unwrap(), json);
        let delegated = SessionCookie::of(&UserId::parse("42").unwrap(), &session(), true);
        let json = json.replace('}', r#","by":{"client_id":"portal","at":1800000000}}"#);
        assert_eq!(serde_json::to_string(&delegated).unwrap(), json);
        assert_eq!(open(&sealed(&delegated, &keys()), &keys(), NOW), Some(delegated));
    }

    #[test]
    fn the_longest_cookie_that_signet_makes_is_read() {
        let longest = SessionCookie {
            sub: UserId::parse(&"u".repeat(64)).unwrap(),
            by: Some(OpenedBy { client_id: ClientId::parse(&"c".repeat(128)).unwrap(), at: NOW }),
            ..cookie()
        };
        assert_eq!(open(&sealed(&longest, &keys()), &keys(), NOW), Some(longest));
    }

    #[test]
    fn a_cookie_opens_until_its_absolute_limit() {
        let value = sealed(&cookie(), &keys());
        for (at, opens) in [(0, true), (43_199, true), (43_200, false), (43_201, false)] {
            let expected = opens.then(cookie);
            assert_eq!(open(&value, &keys(), NOW.plus(at)), expected, "after {at} s");
        }
    }

    #[test]
    fn only_what_signet_signed_as_a_cookie_opens() {
        let value = sealed(&cookie(), &keys());
        let foreign = keys_for_test(8);
        for bad in [
            String::new(),
            "attacker".into(),
            session().id.to_string(),
            format!("\"{value}\""),
            format!("{value}."),
            value[..value.len() - 1].to_owned(),
            sealed(&cookie(), &foreign),
            keys().sign(Purpose::SsoToken, &cookie()).unwrap(),
            keys().sign(Purpose::Switch, &cookie()).unwrap(),
            keys().sign(Purpose::Session, &json!({"sub": "42", "sid": "x", "exp": 1_800_043_200})).unwrap(),
            keys().sign(Purpose::Session, &json!({"sub": "42", "sid": session().id})).unwrap(),
        ] {
            assert_eq!(open(&bad, &keys(), NOW), None, "{bad:?}");
        }
    }

    #[test]
    fn the_longest_cookie_read_has_1024_bytes() {
        // With a kid of three characters, a cookie can have exactly this length.
        let keys = KeyRing::parse(&entry_for_test("key", 7)).ok().unwrap();
        let padded = |length: usize| {
            let json = |n| json!({"sub": "42", "sid": session().id, "exp": 1_800_043_200, "padding": "x".repeat(n)});
            (1..1_000).map(|n| keys.sign(Purpose::Session, &json(n)).unwrap()).find(|v| v.len() == length).unwrap()
        };
        assert_eq!(open(&padded(1_024), &keys, NOW), Some(cookie()));
        assert_eq!(open(&padded(1_026), &keys, NOW), None);
    }
}
