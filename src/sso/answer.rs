//! The answers of the SSO endpoint.

use super::{Denial, SsoRequest};
use crate::http::{BROWSER_CHALLENGE, Failure, Format, Response};
use crate::id::{ClientId, UserId};
use crate::token::TokenRefusal;

/// The session cookie. The prefix makes browsers refuse it without Secure, with a Domain, or for another path.
pub const SESSION_COOKIE: &str = "__Host-signet";
/// Lax, because users come from their application's site.
pub(super) const SAME_SITE: &str = "Lax";

/// Why a token does not sign anyone in, and whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature is not ours. Nobody is named.
    Forged,
    /// The signature is good. The credential set that asked for the token, and the user it is for.
    Denied(Denial, ClientId, UserId),
}

impl From<TokenRefusal> for Refusal {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Forged => Self::Forged,
            TokenRefusal::Misdirected(claims) => Self::Denied(Denial::TokenMisdirected, claims.client_id, claims.sub),
            TokenRefusal::Expired(claims) => Self::Denied(Denial::TokenExpired, claims.client_id, claims.sub),
        }
    }
}

impl Refusal {
    /// The answer's content: `invalid_token` for a dead token (RFC 6750 section 3.1), `access_denied` for a denied user.
    pub fn failure(&self) -> Failure {
        const INVALID_TOKEN: Failure = Failure::of(401, "invalid_token", "The sign-in link is not valid.")
            .with(BROWSER_CHALLENGE.0, BROWSER_CHALLENGE.1);
        match self {
            Self::Forged => INVALID_TOKEN,
            Self::Denied(denial, _, user) => {
                let description = denial.message(user).into();
                match denial.status() {
                    401 => Failure { description, ..INVALID_TOKEN },
                    status => Failure { description, ..Failure::of(status, "access_denied", "") },
                }
            }
        }
    }
}

/// The answer to a sign-in. It is a redirect, 303 after a POST, so that the browser goes on with a GET (RFC 9700 section
/// 4.12). The form of the switch page, which is Signet's own, is answered by [`Response::after_form`].
pub fn signed_in(request: &SsoRequest, format: Format, location: &str, cookie: Option<(&str, u64)>) -> Response {
    let response = match (request.is_post, &request.switch) {
        (true, Some(_)) => Response::after_form(format, "You are signed in", "Go to the client area", location),
        (true, None) => Response::redirect(303, location),
        (false, _) => Response::redirect(302, location),
    };
    match cookie {
        Some((value, max_age)) => response.with_cookie(SESSION_COOKIE, value, SAME_SITE, max_age),
        None => response,
    }
}

/// The response, with an order to forget the session cookie.
pub fn cookie_cleared(response: Response) -> Response {
    response.with_cookie(SESSION_COOKIE, "", SAME_SITE, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};

    fn request(method: Method, target: &str) -> SsoRequest {
        SsoRequest::parse(&request_for_test(method, target, &[], "")).unwrap()
    }

    #[test]
    fn the_cookie_has_every_attribute() {
        let request = request(Method::Post, "/oauth/singlesignon?access_token=x");
        let response = signed_in(&request, Format::Page, "https://my.example/", Some(("v", 60)));
        assert_eq!(response.status, 303);
        assert_eq!(
            response.header("Set-Cookie"),
            Some("__Host-signet=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
        );
    }

    #[test]
    fn only_the_form_of_the_switch_page_is_answered_by_a_page() {
        let place = "https://my.example/";
        for (method, target, format, status) in [
            (Method::Get, "/oauth/singlesignon?access_token=x", Format::Page, 302),
            (Method::Get, "/oauth/singlesignon?access_token=x&switch=y", Format::Page, 302),
            (Method::Post, "/oauth/singlesignon?access_token=x", Format::Page, 303),
            (Method::Post, "/oauth/singlesignon?access_token=x&switch=y", Format::Page, 200),
            (Method::Post, "/oauth/singlesignon?access_token=x&switch=y", Format::Json, 303),
        ] {
            let response = signed_in(&request(method, target), format, place, Some(("v", 60)));
            assert_eq!(response.status, status, "{method:?} {target}");
            assert!(response.header("Set-Cookie").is_some(), "{method:?} {target}");
            assert_eq!(response.header("Refresh").is_some(), status == 200, "{method:?} {target}");
        }
    }

    #[test]
    fn a_forged_token_names_nobody() {
        let failure = Refusal::Forged.failure();
        assert_eq!((failure.status, failure.error), (401, "invalid_token"));
        assert!(!failure.description.contains("User ID"));
    }

    #[test]
    fn every_denial_keeps_its_status() {
        let user = UserId::parse("7").unwrap();
        for denial in Denial::ALL {
            let failure = Refusal::Denied(denial, ClientId::parse("portal").unwrap(), user.clone()).failure();
            assert_eq!(failure.status, denial.status());
            assert_eq!(failure.description, denial.message(&user));
            let challenge = (failure.status == 401).then_some(BROWSER_CHALLENGE);
            assert_eq!(failure.header, challenge, "RFC 9110 section 15.5.2");
        }
    }
}
