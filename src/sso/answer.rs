//! The answers of the SSO endpoint.

use super::Denial;
use crate::http::{BROWSER_CHALLENGE, Failure, Response};
use crate::id::UserId;
use crate::token::TokenRefusal;

/// The session cookie. The prefix makes browsers refuse it without Secure, with a Domain, or for another path.
pub const SESSION_COOKIE: &str = "__Host-signet";
/// Lax, because users come from their application's site.
const SAME_SITE: &str = "Lax";

/// Why a token does not sign anyone in, and whom it names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The signature is not ours. Nobody is named.
    Forged,
    /// The signature is good.
    Denied(Denial, UserId),
}

impl From<TokenRefusal> for Refusal {
    fn from(refusal: TokenRefusal) -> Self {
        match refusal {
            TokenRefusal::Forged => Self::Forged,
            TokenRefusal::Misdirected(claims) => Self::Denied(Denial::TokenMisdirected, claims.sub),
            TokenRefusal::Expired(claims) => Self::Denied(Denial::TokenExpired, claims.sub),
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
            Self::Denied(denial, user) => {
                let description = denial.message(user).into();
                match denial.status() {
                    401 => Failure { description, ..INVALID_TOKEN },
                    status => Failure { description, ..Failure::of(status, "access_denied", "") },
                }
            }
        }
    }
}

/// The redirect of a sign-in: 303 after a POST, so that the browser goes on with a GET (RFC 9700 section 4.12).
pub fn signed_in(is_post: bool, location: &str, cookie: Option<(&str, u64)>) -> Response {
    let response = Response::redirect(if is_post { 303 } else { 302 }, location);
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

    #[test]
    fn the_cookie_has_every_attribute() {
        let response = signed_in(true, "https://my.example/", Some(("v", 60)));
        assert_eq!(response.status, 303);
        assert_eq!(
            response.header("Set-Cookie"),
            Some("__Host-signet=v; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60")
        );
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
            let failure = Refusal::Denied(denial, user.clone()).failure();
            assert_eq!(failure.status, denial.status());
            assert_eq!(failure.description, denial.message(&user));
            let challenge = (failure.status == 401).then_some(BROWSER_CHALLENGE);
            assert_eq!(failure.header, challenge, "RFC 9110 section 15.5.2");
        }
    }
}
