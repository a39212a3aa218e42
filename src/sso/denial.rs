//! The denials of single sign-on, word for word as WHMCS gives them.

use crate::id::UserId;
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

    /// The message for the user.
    pub fn message(self, user: &UserId) -> String {
        match self {
            Self::Closed => format!(r#"Single Sign-On authentication denied for "Closed" User ID: {user}"#),
            Self::ClosedWithSession => format!(
                r#"OAuth authorization request denied due to unexpected active login session for "Closed" User ID: {user}"#
            ),
            Self::SsoDisabled => {
                format!("Single Sign-On authentication denied per configuration for User ID: {user}")
            }
            Self::UnknownAccount
            | Self::NotOwner
            | Self::TokenUsed
            | Self::TokenRevoked
            | Self::TokenExpired
            | Self::TokenMisdirected
            | Self::CredentialRevoked => {
                format!("Unable to authenticate with Single Sign-On token for User ID: {user}")
            }
        }
    }

    /// The status of the answer: 403 when the user is denied, 401 when the token is dead.
    pub const fn status(self) -> u16 {
        match self {
            Self::Closed | Self::ClosedWithSession | Self::SsoDisabled | Self::UnknownAccount | Self::NotOwner => 403,
            Self::TokenUsed
            | Self::TokenRevoked
            | Self::TokenExpired
            | Self::TokenMisdirected
            | Self::CredentialRevoked => 401,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_word_for_word() {
        let user = UserId::parse("42").unwrap();
        let unable = "Unable to authenticate with Single Sign-On token for User ID: 42";
        for denial in Denial::ALL {
            let expected = match denial {
                Denial::Closed => r#"Single Sign-On authentication denied for "Closed" User ID: 42"#,
                Denial::ClosedWithSession => {
                    r#"OAuth authorization request denied due to unexpected active login session for "Closed" User ID: 42"#
                }
                Denial::SsoDisabled => "Single Sign-On authentication denied per configuration for User ID: 42",
                _ => unable,
            };
            assert_eq!(denial.message(&user), expected);
        }
    }

    #[test]
    fn the_reason_is_the_stored_form() {
        for denial in Denial::ALL {
            assert_eq!(serde_json::to_value(denial).unwrap(), denial.reason());
        }
    }
}
