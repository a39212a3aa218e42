//! The browser's nonce: it distinguishes a second click in one browser from the same link in another. See the setting
//! `BROWSER_NONCE`.

use crate::http::{Request, Response};
use crate::id::RANDOM_ID_BYTES;
use crate::secret::{Secret, SecretDigest};
use crate::token::TOKEN_TTL_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The parameter that marks a link whose first hop is done, so that a browser that keeps no cookie goes on without one.
pub const NONCE_MARK: &str = "nonce";

/// 128 random bits in base64url, which only one browser and Signet know.
#[derive(Debug)]
pub struct BrowserNonce(Secret);

impl BrowserNonce {
    /// The name of its cookie.
    pub const COOKIE: &str = "__Host-signet-nonce";

    /// A new nonce.
    pub fn from_random(bytes: [u8; RANDOM_ID_BYTES]) -> Self {
        Self(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// The nonce in `request`'s cookie.
    pub fn of(request: &Request) -> Option<Self> {
        let value = request.cookie(Self::COOKIE)?;
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        (bytes.len() == RANDOM_ID_BYTES).then(|| Self(Secret::new(value)))
    }

    /// What Signet remembers of it.
    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(&self.0)
    }

    /// The response with an order to keep it for as long as any token lives.
    pub fn kept(&self, response: Response) -> Response {
        response.with_cookie(Self::COOKIE, self.0.expose(), "Lax", TOKEN_TTL_MAX)
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
    fn a_nonce_comes_back_as_it_was_kept() {
        let nonce = BrowserNonce::from_random([255; RANDOM_ID_BYTES]);
        let kept = nonce.kept(Response::empty(302));
        let cookie = "__Host-signet-nonce=_____________________w";
        let attributes = "; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=60";
        assert_eq!(kept.header("Set-Cookie"), Some(format!("{cookie}{attributes}").as_str()));
        assert_eq!(read(cookie), Some(nonce.digest()));
        assert!(!format!("{nonce:?}").contains("___"));
    }

    #[test]
    fn what_signet_did_not_make_is_no_nonce() {
        for bad in ["", "x", "_____________________w==", "______________________", "____________________w", "é"] {
            assert_eq!(read(&format!("__Host-signet-nonce={bad}")), None, "{bad}");
        }
        assert_eq!(read("nonce=_____________________w"), None);
    }
}
