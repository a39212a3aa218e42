//! The confirmation of an account switch: proof that this browser saw the page that asks.

use crate::id::{SessionId, TokenId};
use crate::secret::{KeyRing, Purpose};
use serde::{Deserialize, Serialize};

/// Binds the confirmation to one token and to the session it replaces. It needs no expiry of its
/// own: it is worth nothing once the token is dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchConfirmation {
    /// The token to redeem.
    pub jti: TokenId,
    /// The session that the browser holds.
    pub sid: SessionId,
}

impl SwitchConfirmation {
    /// The confirmation as a form field.
    ///
    /// # Errors
    /// Those of [`KeyRing::sign`].
    pub fn seal(&self, keys: &KeyRing) -> serde_json::Result<String> {
        keys.sign(Purpose::Switch, self)
    }

    /// Whether `text` is this very confirmation, signed by Signet.
    pub fn is_confirmed_by(&self, text: &str, keys: &KeyRing) -> bool {
        keys.verify(Purpose::Switch, text)
            .and_then(|payload| serde_json::from_slice::<Self>(&payload).ok())
            .is_some_and(|confirmation| confirmation == *self)
    }
}
