//! Plain words for the stable names of reasons.

use crate::user::Denial;

/// What a reason of a denied sign-in means.
pub(super) fn explain_reason(reason: &str) -> &'static str {
    match Denial::ALL.into_iter().find(|denial| denial.reason() == reason) {
        Some(denial) => explain(denial),
        None => match reason {
            "forged" => "The link was not made by Signet, or was damaged on the way.",
            "invalid_request" => "The link was malformed, or asked for what its token does not grant.",
            "access_denied" => "Something other than a page asked, such as an image or a script.",
            "temporarily_unavailable" => "A browser wanted to load the page ahead of time, and was told to wait.",
            "too_many_requests" => "Too many bad links from one address.",
            "method_not_allowed" => "The link was asked for in a way that never signs in.",
            "storage" => "Storage did not answer. The log says which.",
            _ => "See the log.",
        },
    }
}

/// What a denial means.
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
    fn every_denial_has_words_of_its_own() {
        let words: std::collections::BTreeSet<_> = Denial::ALL.map(|denial| explain_reason(denial.reason())).into();
        assert_eq!(words.len(), Denial::ALL.len());
        assert!(!words.contains(explain_reason("something new")));
    }
}
