//! Why a user is not signed in.

use serde::{Deserialize, Serialize};

/// Why a token whose signature is good does not sign its user in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// The account is Closed.
    Closed,
    /// The account is Closed, and the browser presents a session of it.
    ClosedWithSession,
    /// Single sign-on is switched off for the account.
    SsoDisabled,
    /// Signet knows no such account.
    UnknownAccount,
    /// The account does not own the service or the domain.
    NotOwner,
    /// The token was redeemed, or refused, before.
    TokenUsed,
    /// The token was revoked.
    TokenRevoked,
    /// The token has expired.
    TokenExpired,
    /// The token is for another issuer or audience.
    TokenMisdirected,
    /// The credential set that asked for the token was revoked or disabled.
    CredentialRevoked,
}

impl Denial {
    /// Every denial.
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

    /// The stable name of the reason, for logs, events and receipts.
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
