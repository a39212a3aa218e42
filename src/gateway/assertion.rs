//! The assertion: a signed JWT that tells the client area's server who is signed in.

use crate::id::{ClientId, SessionId, UserId};
use crate::issuer::Issuer;
use crate::time::Timestamp;
use crate::user::Session;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

/// The lifetime of an assertion, in seconds.
const ASSERTION_TTL: u64 = 60;
/// How many seconds `iat` is set back. Verifiers with a slower clock refuse an `iat` in their future (RFC 7519 section 4.1.6).
const CLOCK_SKEW: u64 = 5;

/// The claims of an assertion (RFC 7519 section 4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assertion {
    pub iss: String,
    /// The address of the client area.
    pub aud: String,
    pub sub: UserId,
    /// The session (OpenID Connect Front-Channel Logout section 3).
    pub sid: SessionId,
    /// The application that signed the user in.
    pub client_id: ClientId,
    /// When the session was opened (OpenID Connect Core section 2), but not after `iat`.
    pub auth_time: Timestamp,
    pub iat: Timestamp,
    pub exp: Timestamp,
}

impl Assertion {
    pub fn new(issuer: &Issuer, audience: &str, user: &UserId, session: &Session, now: Timestamp) -> Self {
        let iat = now.minus(CLOCK_SKEW);
        Self {
            iss: issuer.as_str().to_owned(),
            aud: audience.to_owned(),
            sub: user.clone(),
            sid: session.id.clone(),
            client_id: session.client_id.clone(),
            auth_time: session.created_at.min(iat),
            iat,
            exp: now.plus(ASSERTION_TTL),
        }
    }
}

/// The text to sign: `header.payload` (RFC 7515 section 5.1).
pub fn signing_input(kid: &str, assertion: &Assertion) -> serde_json::Result<String> {
    let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"ES256","typ":"assertion+jwt","kid":"{kid}"}}"#));
    Ok(format!("{header}.{}", URL_SAFE_NO_PAD.encode(serde_json::to_vec(assertion)?)))
}

/// A public key as a JWK (RFC 7517 section 4, RFC 7518 section 6.2.1). `x` and `y` are base64url.
pub fn jwk(kid: &str, x: &str, y: &str) -> Value {
    json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "use": "sig", "alg": "ES256", "kid": kid})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::user::session_for_test;

    fn issuer() -> Issuer {
        Issuer::parse("https://sso.example").unwrap()
    }

    fn session(created_at: u64) -> Session {
        Session { created_at: Timestamp::from_seconds(created_at), ..session_for_test() }
    }

    #[test]
    fn wire_form_is_unchanged() {
        let user = UserId::parse("42").unwrap();
        let assertion =
            Assertion::new(&issuer(), "https://my.example/billing/", &user, &session(5), Timestamp::from_seconds(17));
        let input = signing_input("k1", &assertion).unwrap();
        let parts: Vec<_> =
            input.split('.').map(|part| String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()).collect();
        assert_eq!(parts[0], r#"{"alg":"ES256","typ":"assertion+jwt","kid":"k1"}"#);
        assert_eq!(
            parts[1],
            concat!(
                r#"{"iss":"https://sso.example","aud":"https://my.example/billing/","sub":"42","#,
                r#""sid":"AgICAgICAgICAgICAgICAg","client_id":"portal","auth_time":5,"iat":12,"exp":77}"#
            )
        );
        assert_eq!(parts.len(), 2);
    }

    #[test]
    fn rfc_7519_4_1_6_no_time_is_in_the_future_of_a_slower_clock() {
        let (user, now) = (UserId::parse("42").unwrap(), Timestamp::from_seconds(1_000));
        for (opened, auth_time) in [(1_000, 995), (996, 995), (995, 995), (900, 900)] {
            let assertion = Assertion::new(&issuer(), "https://my.example/", &user, &session(opened), now);
            assert_eq!(
                [assertion.iat, assertion.auth_time, assertion.exp].map(Timestamp::seconds),
                [995, auth_time, 1_060]
            );
        }
    }
}
