//! A credential set as the object of its user knows it.

use crate::id::ClientId;
use serde::{Deserialize, Serialize};

/// A credential set that is bound to the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCredential {
    /// The set.
    pub client_id: ClientId,
    /// Its state.
    pub state: CredentialState,
}

/// The state of a bound credential set. One that the object does not know is refused like a revoked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// Its tokens are redeemed.
    Enabled,
    /// Its tokens are refused until it is enabled again.
    Disabled,
    /// Its tokens are refused. Only an import can bring it back.
    Revoked,
}

impl CredentialState {
    /// Every state.
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::Revoked];

    /// Its stable name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::assert_wire;
    use serde_json::json;

    #[test]
    fn stored_form_of_each_state_of_a_set_is_unchanged() {
        for (state, name) in CredentialState::ALL.into_iter().zip(["enabled", "disabled", "revoked"]) {
            assert_wire(state, json!(name));
            assert_eq!(state.as_str(), name);
        }
    }
}
