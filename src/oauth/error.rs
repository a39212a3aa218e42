//! The errors of the endpoints for applications (RFC 6749 section 5.2).

use crate::credential::ClientProblem;
use crate::http::{ErrorCode, Failure};

/// Why a request of an application is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    InvalidRequest(Failure),
    /// Client authentication failed. Only the log contains the reason.
    InvalidClient(ClientProblem),
    /// The credential set is bound to another user.
    InvalidGrant,
    /// The token was issued to another client (RFC 7009 section 2.1).
    ForeignToken,
    /// The credential set may not use this grant type.
    UnauthorizedClient,
    UnsupportedGrantType,
    /// A scope is unknown or malformed, or the credential set does not allow it.
    InvalidScope,
}

impl TokenError {
    /// The reason in the log.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient(problem) => problem.reason(),
            Self::InvalidGrant => "invalid_grant",
            Self::ForeignToken => "foreign_token",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
        }
    }

    pub fn failure(self) -> Failure {
        match self {
            Self::InvalidRequest(failure) => failure,
            Self::InvalidClient(_) => Failure::of(401, ErrorCode::InvalidClient, "Client authentication failed.")
                .with("WWW-Authenticate", r#"Basic realm="signet", charset="UTF-8""#)
                .failed_attempt(),
            Self::InvalidGrant => Failure::of(400, ErrorCode::InvalidGrant, "The client may not sign in this user."),
            Self::ForeignToken => Failure::of(400, ErrorCode::InvalidGrant, "The token was issued to another client."),
            Self::UnauthorizedClient => {
                Failure::of(400, ErrorCode::UnauthorizedClient, "The client may not use this grant type.")
            }
            Self::UnsupportedGrantType => {
                Failure::of(400, ErrorCode::UnsupportedGrantType, "The only grant type is single_sign_on.")
            }
            Self::InvalidScope => {
                Failure::of(400, ErrorCode::InvalidScope, "A scope is unknown or not allowed to the client.")
            }
        }
    }
}

impl From<ClientProblem> for TokenError {
    fn from(problem: ClientProblem) -> Self {
        Self::InvalidClient(problem)
    }
}

impl From<Failure> for TokenError {
    fn from(failure: Failure) -> Self {
        Self::InvalidRequest(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure_response::Format;

    #[test]
    fn each_error_has_its_status_and_code() {
        for (error, status, code, reason) in [
            (Failure::REPEATED_PARAMETER.into(), 400, "invalid_request", "invalid_request"),
            (TokenError::InvalidClient(ClientProblem::NoCredentials), 401, "invalid_client", "no_credentials"),
            (TokenError::InvalidClient(ClientProblem::WrongCredentials), 401, "invalid_client", "wrong_credentials"),
            (TokenError::InvalidClient(ClientProblem::Disabled), 401, "invalid_client", "credential_disabled"),
            (TokenError::InvalidGrant, 400, "invalid_grant", "invalid_grant"),
            (TokenError::ForeignToken, 400, "invalid_grant", "foreign_token"),
            (TokenError::UnauthorizedClient, 400, "unauthorized_client", "unauthorized_client"),
            (TokenError::UnsupportedGrantType, 400, "unsupported_grant_type", "unsupported_grant_type"),
            (TokenError::InvalidScope, 400, "invalid_scope", "invalid_scope"),
        ] {
            assert_eq!(error.reason(), reason);
            let failure = error.failure();
            assert_eq!((failure.status, failure.error.as_str()), (status, code), "{reason}");
            let is_allowed = |c: char| matches!(c, '\x20'..='\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
            assert!(failure.description.chars().all(is_allowed), "RFC 6749 section 5.2: {}", failure.description);
            assert_eq!(failure.header.is_some(), status == 401);
        }
    }

    #[test]
    fn every_failed_authentication_has_the_same_answer() {
        let answers = [ClientProblem::NoCredentials, ClientProblem::WrongCredentials, ClientProblem::Disabled]
            .map(|problem| TokenError::InvalidClient(problem).failure().into_response(Format::Json, None));
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        assert_eq!(answers[0].header("WWW-Authenticate"), Some(r#"Basic realm="signet", charset="UTF-8""#));
    }
}
