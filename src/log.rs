//! The log: one line of JSON for each decision. No field holds a token, a secret or a cookie.

use crate::id::{ClientId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    #[default]
    Granted,
    Denied,
    /// A fault of Signet's, such as storage that does not answer.
    Failed,
    /// No decision yet: the answer is a page that asks, or a redirect after which the browser comes back.
    Deferred,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Deferred => "deferred",
        }
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct LogLine<'a> {
    /// The kind of request, such as `token` or `sso`.
    pub event: &'static str,
    pub outcome: Outcome,
    pub reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a UserId>,
    /// See [`jti_hash`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti_hash: Option<String>,
    /// How many lines of an import were created, changed, unchanged and refused, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Box<RawValue>>,
    pub request_id: &'a str,
    /// The operation that failed, if Signet or the platform failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'a str>,
}

impl<'a> LogLine<'a> {
    pub const fn new(event: &'static str, outcome: Outcome, reason: &'static str, request_id: &'a str) -> Self {
        Self {
            event,
            outcome,
            reason,
            client_id: None,
            user_id: None,
            jti_hash: None,
            lines: None,
            request_id,
            operation: None,
            error: None,
        }
    }

    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The token in the log: 16 hexadecimal digits of the SHA-256 of its id. It finds the token's lines without revealing the id.
pub fn jti_hash(jti: &TokenId) -> String {
    let digest = Sha256::digest(jti.as_str());
    hexadecimal(digest.iter().take(8))
}

/// Two hexadecimal digits for each byte.
pub fn hexadecimal<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    let digit = |number: u8| char::from_digit(number.into(), 16).unwrap_or_default();
    bytes.flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_json_object() {
        let user = UserId::parse("42").unwrap();
        let jti = TokenId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        let line = LogLine {
            user_id: Some(&user),
            jti_hash: Some(jti_hash(&jti)),
            ..LogLine::new("sso", Outcome::Denied, "closed", "r1")
        };
        assert_eq!(
            line.to_json(),
            r#"{"event":"sso","outcome":"denied","reason":"closed","user_id":"42","jti_hash":"8a5bdb4cc1516412","request_id":"r1"}"#
        );
    }
}
