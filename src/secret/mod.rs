//! Secrets: the text that a client sends, the digest that Signet stores, and the signing keys.

mod assertion_key;
mod digest;
mod keys;
mod strength;

pub use assertion_key::AssertionKey;
pub use digest::SecretDigest;
pub use keys::{KeyRing, Purpose};
pub use strength::is_weak;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;

/// A secret in clear. It is never printed, stored or copied; only [`Secret::expose`] reads it.
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A secret of 256 random bits in base64url: 43 characters.
    pub fn from_random(bytes: [u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The secret in clear, for hashing and for the one answer that shows a new secret.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

/// A signing key for tests: 32 consecutive numbers from `first`.
#[cfg(test)]
pub(crate) fn key_for_test(first: u8) -> [u8; 32] {
    std::array::from_fn(|n| first.wrapping_add(n as u8))
}

#[cfg(test)]
pub(crate) fn keys_for_test(first: u8) -> KeyRing {
    KeyRing::parse(&entry_for_test("k1", first)).ok().unwrap()
}

/// The entry `kid` of `SIGNING_KEYS`, with the key of [`key_for_test`].
#[cfg(test)]
pub(crate) fn entry_for_test(kid: &str, first: u8) -> String {
    format!("{kid}:{}", URL_SAFE_NO_PAD.encode(key_for_test(first)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(redacted)");
    }

    #[test]
    fn a_random_secret_has_43_characters() {
        assert_eq!(Secret::from_random([255; 32]).expose().len(), 43);
    }
}
