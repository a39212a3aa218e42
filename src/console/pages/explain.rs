//! Explanations of the reasons in the log.

use crate::http::ErrorCode;
use crate::user::Denial;

/// Explains the reason of a denied sign-in.
pub(super) fn explain_reason(reason: &str) -> &'static str {
    if let Some(denial) = Denial::ALL.into_iter().find(|denial| denial.reason() == reason) {
        return explain(denial);
    }
    match ErrorCode::parse(reason) {
        Some(ErrorCode::InvalidRequest) => "The link was malformed, or asked for what its token does not grant.",
        Some(ErrorCode::AccessDenied) => "The link was not opened as a page, but for example by an image or a script.",
        Some(ErrorCode::TemporarilyUnavailable) => {
            "A browser tried to load the page ahead of time, and was asked to wait."
        }
        Some(ErrorCode::TooManyRequests) => "Too many bad links from one address.",
        Some(ErrorCode::MethodNotAllowed) => "The link was requested with a method that does not sign in.",
        _ if reason == "forged" => "The link was not made by Signet, or was damaged on the way.",
        _ if reason == "storage" => "Storage did not answer. See the log.",
        _ => "See the log.",
    }
}

pub(super) const fn explain(denial: Denial) -> &'static str {
    match denial {
        Denial::Closed => "The account is Closed.",
        Denial::ClosedWithSession => "The account is Closed, and the browser still held a session, which ended.",
        Denial::SsoDisabled => "Single sign-on is switched off for the account.",
        Denial::UnknownAccount => "Signet knows no such account.",
        Denial::NotOwner => "The account does not own the service or domain the link leads to.",
        Denial::TokenUsed => "The link had been used already.",
        Denial::TokenRevoked => "The token had been revoked.",
        Denial::TokenExpired => "The link was opened too late.",
        Denial::TokenMisdirected => "The token is for another address of Signet, or its life is longer than allowed.",
        Denial::CredentialRevoked => "The credential set that asked for the token is disabled or revoked.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_denial_has_its_own_explanation() {
        let words: std::collections::BTreeSet<_> = Denial::ALL.map(|denial| explain_reason(denial.reason())).into();
        assert_eq!(words.len(), Denial::ALL.len());
        assert!(!words.contains(explain_reason("something new")));
    }
}
