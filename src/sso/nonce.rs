//! The browser's nonce. It distinguishes a second click in one browser from the same link in another browser. See the
//! setting `BROWSER_NONCE`.

use crate::http::{Request, Response};
use crate::id::RANDOM_ID_BYTES;
use crate::secret::{Secret, SecretDigest};
use crate::token::TOKEN_TTL_MAX;
use crate::user::SessionCookie;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The parameter of the address to which Signet redirects when it sets the nonce. A browser that rejects the cookie is not
/// redirected again.
pub(super) const NONCE_PARAMETER: &str = "nonce";

/// 128 random bits in base64url.
#[derive(Debug)]
pub struct BrowserNonce(Secret);

impl BrowserNonce {
    /// The name of the cookie.
    pub const COOKIE: &str = "__Host-signet-nonce";

    pub fn from_random(bytes: [u8; RANDOM_ID_BYTES]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The nonce in the cookie of `request`.
    pub fn of(request: &Request) -> Option<Self> {
        let value = request.cookie(Self::COOKIE)?;
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        (bytes.len() == RANDOM_ID_BYTES).then(|| Self(Secret::new(value)))
    }

    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// Sets the cookie for the longest lifetime of a token.
    pub fn set(&self, response: Response) -> Response {
        response.with_cookie(Self::COOKIE, self.0.expose(), SessionCookie::SAME_SITE, TOKEN_TTL_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, request_for_test};

    fn read(cookie: &str) -> Option<SecretDigest> {
        let request = request_for_test(Method::Get, "/oauth/singlesignon", &[("cookie", cookie)], "");
        BrowserNonce::of(&request).map(|nonce| nonce.digest())
    }

    #[test]
    fn a_nonce_is_read_from_its_own_cookie() {
        let nonce = BrowserNonce::from_random([255; RANDOM_ID_BYTES]);
        let response = nonce.set(Response::empty(302));
        let cookie = "__Host-signet-nonce=_____________________w";
        let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60";
        assert_eq!(response.header("Set-Cookie"), Some(format!("{cookie}{attributes}").as_str()));
        assert_eq!(read(cookie), Some(nonce.digest()));
        assert!(!format!("{nonce:?}").contains("___"));
    }

    #[test]
    fn a_malformed_cookie_is_ignored() {
        for invalid in ["", "x", "_____________________w==", "______________________", "____________________w", "é"] {
            assert_eq!(read(&format!("__Host-signet-nonce={invalid}")), None, "{invalid}");
        }
        assert_eq!(read("nonce=_____________________w"), None);
    }
}
