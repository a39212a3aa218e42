//! The state of a credential set, as the object of its user stores it.

use crate::id::ClientId;
use serde::{Deserialize, Serialize};

/// A credential set that can sign in this user only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCredential {
    pub client_id: ClientId,
    pub state: CredentialState,
}

/// The state of a bound credential set. A set without a stored state counts as revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// Tokens of the set are redeemed.
    Enabled,
    /// Tokens of the set are refused until it is enabled again.
    Disabled,
    /// Tokens of the set are refused. Only an import can enable the set again.
    Revoked,
}

impl CredentialState {
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::Revoked];

    /// The stored name.
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
