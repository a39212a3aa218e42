//! The session cookie.

use super::Session;
use super::session::is_ended;
use crate::http::{Request, Response};
use crate::id::{ClientId, SessionId, UserId};
use crate::secret::{KeyRing, Purpose};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The signed content of the session cookie. The row in the user's object decides whether the session is still valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCookie {
    pub sub: UserId,
    pub sid: SessionId,
    /// The absolute limit of the session.
    pub exp: Timestamp,
    /// The client that opened the session, if that client may sign in any user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<OpenedBy>,
}

/// A delegated credential set or an API credential that opened a session. It has sessions of many users, so the end of
/// its sessions is stored in KV.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenedBy {
    pub client_id: ClientId,
    /// When the session was opened.
    pub at: Timestamp,
}

impl OpenedBy {
    /// Whether the session was ended because it was opened at or before `not_before`.
    pub fn is_ended_by(&self, not_before: Option<Timestamp>) -> bool {
        is_ended(self.at, not_before)
    }
}

impl SessionCookie {
    /// Browsers refuse a cookie with this prefix unless it is Secure, has the path `/` and has no Domain (RFC 6265bis
    /// section 4.1.3.2).
    pub const NAME: &str = "__Host-signet";
    /// Lax, because users follow links from the site of their application.
    pub const SAME_SITE: &str = "Lax";
    /// The maximum length of a cookie value, in bytes. Longer values are not verified.
    const BYTES_MAX: usize = 1024;

    /// The cookie of `session`. `delegated` says whether the client that opened the session may sign in any user.
    pub fn of(user: &UserId, session: &Session, delegated: bool) -> Self {
        let by = delegated.then(|| OpenedBy { client_id: session.client_id.clone(), at: session.created_at });
        Self { sub: user.clone(), sid: session.id.clone(), exp: session.max_expires_at, by }
    }

    /// The cookie in `request`, if Signet signed it and the absolute limit has not passed at `now`.
    pub fn open(request: &Request, keys: &KeyRing, now: Timestamp) -> Option<Self> {
        let value = request.cookie(Self::NAME)?;
        if value.len() > Self::BYTES_MAX {
            return None;
        }
        let cookie: Self = keys.open(Purpose::Session, value)?;
        (now < cookie.exp).then_some(cookie)
    }

    /// Sets the cookie for `max_age` seconds.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn set(&self, response: Response, keys: &KeyRing, max_age: u64) -> serde_json::Result<Response> {
        Ok(response.with_cookie(Self::NAME, &keys.sign(Purpose::Session, self)?, Self::SAME_SITE, max_age))
    }

    /// Deletes the cookie.
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
    fn the_longest_possible_cookie_opens() {
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
    fn only_a_value_signed_as_a_session_cookie_opens() {
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
    fn a_cookie_value_has_at_most_1024_bytes() {
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
