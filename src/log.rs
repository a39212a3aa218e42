//! The log: one JSON line per decision. A line has no field for a token, a secret or a cookie.

use crate::id::{ClientId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

/// How a decision ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    #[default]
    Granted,
    /// It was refused.
    Denied,
    /// It could not be done, for a fault of Signet's.
    Failed,
    /// The answer only leads to the decision: a question, or a way round.
    Deferred,
}

impl Outcome {
    /// Its word in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Failed => "failed",
            Self::Deferred => "deferred",
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, Serialize)]
pub struct LogLine<'a> {
    /// What was decided on, such as `token` or `sso`.
    pub event: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The stable name of the reason.
    pub reason: &'static str,
    /// The credential set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<&'a ClientId>,
    /// The user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_id: Option<&'a UserId>,
    /// The token: 16 hexadecimal digits of its id's SHA-256.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti_hash: Option<String>,
    /// The lines of an import, and what became of them, as JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lines: Option<Box<RawValue>>,
    /// The request.
    pub request_id: &'a str,
}

impl<'a> LogLine<'a> {
    /// A line about nobody in particular.
    pub const fn new(event: &'static str, outcome: Outcome, reason: &'static str, request_id: &'a str) -> Self {
        Self { event, outcome, reason, client_id: None, user_id: None, jti_hash: None, lines: None, request_id }
    }

    /// The line as JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The name of a token in the log. It finds the token's lines, but does not give its id away.
pub fn jti_hash(jti: &TokenId) -> String {
    let digest = Sha256::digest(jti.as_str());
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
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
