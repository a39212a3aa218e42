//! The reasons to refuse a sign-in.

use serde::{Deserialize, Serialize};

/// Why a token with a valid signature does not sign its user in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    Closed,
    /// The account is Closed, and the browser has a session cookie of the same user.
    ClosedWithSession,
    /// Single sign-on is disabled for the account.
    SsoDisabled,
    /// The user has no account.
    UnknownAccount,
    /// The account does not own the service or the domain.
    NotOwner,
    /// The token was redeemed or refused earlier.
    TokenUsed,
    TokenRevoked,
    TokenExpired,
    /// The token is for another issuer or audience.
    TokenMisdirected,
    /// The client of the token was revoked or disabled.
    CredentialRevoked,
}

impl Denial {
    pub const ALL: [Self; 10] = [
        Self::Closed,
        Self::ClosedWithSession,
        Self::SsoDisabled,
        Self::UnknownAccount,
        Self::NotOwner,
        Self::TokenUsed,
        Self::TokenRevoked,
        Self::TokenExpired,
        Self::TokenMisdirected,
        Self::CredentialRevoked,
    ];

    /// The name in logs, events and receipts.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::ClosedWithSession => "closed_with_session",
            Self::SsoDisabled => "sso_disabled",
            Self::UnknownAccount => "unknown_account",
            Self::NotOwner => "not_owner",
            Self::TokenUsed => "token_used",
            Self::TokenRevoked => "token_revoked",
            Self::TokenExpired => "token_expired",
            Self::TokenMisdirected => "token_misdirected",
            Self::CredentialRevoked => "credential_revoked",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_the_stored_form() {
        for denial in Denial::ALL {
            assert_eq!(serde_json::to_value(denial).unwrap(), denial.reason());
        }
    }
}
