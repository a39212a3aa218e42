//! The status and the message of each denial. The messages are those of WHMCS, word for word.

use crate::id::UserId;
use crate::user::Denial;

impl Denial {
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

    /// 403 if the user is denied, 401 if the token is not valid.
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
}
