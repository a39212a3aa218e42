//! A session: the row in the user's object, and the cookie in the browser.

use crate::id::{ClientId, SessionId, TokenId, UserId};
use crate::secret::{KeyRing, Purpose};
use crate::sso::Scope;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// A session is refreshed at most once in this many seconds, so that checks seldom write.
const REFRESH_SECONDS: u64 = 60;

/// What a redeemed token opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// The token that opened it.
    pub token: TokenId,
    /// The credential set that asked for the token.
    pub client_id: ClientId,
    /// The destination the user was sent to; none for the client area's home.
    pub destination: Option<Scope>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// How long it lives without use, in seconds.
    pub idle_seconds: u64,
    /// When it ends, used or not.
    pub max_expires_at: Timestamp,
    /// The address it was opened from.
    pub address: Option<String>,
    /// The browser it was opened in, as that named itself.
    pub user_agent: Option<String>,
}

impl Session {
    /// When it ends if it is not used any more.
    pub fn expires_at(&self) -> Timestamp {
        self.last_seen_at.plus(self.idle_seconds).min(self.max_expires_at)
    }

    /// Whether it is alive at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at()
    }

    /// The session as used at `now`, if that is worth writing down.
    pub fn refreshed(&self, now: Timestamp) -> Option<Self> {
        (now.since(self.last_seen_at) >= REFRESH_SECONDS).then(|| Self { last_seen_at: now, ..self.clone() })
    }
}

/// What the session cookie says. It is signed; the row decides whether it still counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCookie {
    /// The user.
    pub sub: UserId,
    /// The session.
    pub sid: SessionId,
    /// When the session ends at the latest.
    pub exp: Timestamp,
}

impl SessionCookie {
    /// The longest cookie value worth reading, in bytes.
    const BYTES_MAX: usize = 1024;

    /// The cookie of `session`.
    pub fn of(user: &UserId, session: &Session) -> Self {
        Self { sub: user.clone(), sid: session.id.clone(), exp: session.max_expires_at }
    }

    /// The cookie's value.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn seal(&self, keys: &KeyRing) -> serde_json::Result<String> {
        keys.sign(Purpose::Session, self)
    }

    /// The cookie that `value` spells, if Signet signed it and its absolute limit is not over.
    pub fn open(value: &str, keys: &KeyRing, now: Timestamp) -> Option<Self> {
        if value.len() > Self::BYTES_MAX {
            return None;
        }
        let cookie: Self = serde_json::from_slice(&keys.verify(Purpose::Session, value)?).ok()?;
        (now < cookie.exp).then_some(cookie)
    }
}
