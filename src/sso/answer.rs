//! The answers of the SSO endpoint.

use super::SsoRequest;
use crate::http::{BROWSER_CHALLENGE, ErrorCode, Failure, Request, Response};
use crate::page;
use crate::token::TokenRefusal;
use crate::user::Denial;

impl TokenRefusal {
    /// `invalid_token` for a token that is no longer valid (RFC 6750 section 3.1), `access_denied` for a denied user.
    pub fn failure(&self) -> Failure {
        const INVALID_TOKEN: Failure = Failure::of(401, ErrorCode::InvalidToken, "The sign-in link is not valid.")
            .with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1);
        match self {
            Self::Forged => INVALID_TOKEN.failed_attempt(),
            Self::Denied(denial, claims) => {
                let description = denial.message(&claims.sub).into();
                let failure = match denial.status() {
                    401 => Failure { description, ..INVALID_TOKEN },
                    status => Failure { description, ..Failure::of(status, ErrorCode::AccessDenied, "") },
                };
                if *denial == Denial::ClosedWithSession { failure.clearing_session() } else { failure }
            }
        }
    }
}

/// The answer to a sign-in: a redirect. After a POST it is 303, so that the browser continues with a GET (RFC 9700 section
/// 4.12). The form of the switch page gets [`page::after_form`], because its policy allows no redirect to another origin.
pub fn signed_in_response(request: &Request, sso: &SsoRequest, location: &str) -> Response {
    match (sso.is_post, &sso.switch) {
        (true, Some(_)) => page::after_form(request, "You are signed in", "Go to the client area", location),
        (true, None) => Response::redirect(303, location),
        (false, _) => Response::redirect(302, location),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};
    use crate::token::claims_for_test;

    #[test]
    fn only_the_form_of_the_switch_page_gets_a_page() {
        for (method, target, accept, status) in [
            (Method::Get, "/oauth/singlesignon?access_token=x", "*/*", 302),
            (Method::Get, "/oauth/singlesignon?access_token=x&switch=y", "*/*", 302),
            (Method::Post, "/oauth/singlesignon?access_token=x", "*/*", 303),
            (Method::Post, "/oauth/singlesignon?access_token=x&switch=y", "*/*", 200),
            (Method::Post, "/oauth/singlesignon?access_token=x&switch=y", "application/json", 303),
        ] {
            let request = request_for_test(method, target, &[("accept", accept)], "");
            let response = signed_in_response(&request, &SsoRequest::parse(&request).unwrap(), "https://my.example/");
            assert_eq!(response.status, status, "{method:?} {target}");
            assert_eq!(response.header("Refresh").is_some(), status == 200, "{method:?} {target}");
        }
    }

    #[test]
    fn the_answer_to_a_forged_token_has_no_user_id() {
        let failure = TokenRefusal::Forged.failure();
        assert_eq!((failure.status, failure.error.as_str()), (401, "invalid_token"));
        assert!(!failure.description.contains("User ID"));
    }

    #[test]
    fn every_denial_has_its_status_and_message() {
        let claims = claims_for_test();
        for denial in Denial::ALL {
            let failure = TokenRefusal::Denied(denial, Box::new(claims.clone())).failure();
            assert_eq!(failure.status, denial.status());
            assert_eq!(failure.description, denial.message(&claims.sub));
            let challenge = (failure.status == 401).then_some(BROWSER_CHALLENGE);
            assert_eq!(failure.header, challenge, "RFC 9110 section 15.5.2");
        }
    }
}
