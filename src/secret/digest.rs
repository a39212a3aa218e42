//! The stored form of a secret.

use super::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::digest::CtOutput;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::Sha256;
use std::sync::LazyLock;

/// The key of the digest, as long as HMAC's block. It separates these digests from those of other programs.
const LABEL: [u8; 64] = *b"signet secret digest v1.........................................";
/// HMAC with this key. Making it costs as much as a digest.
static KEYED: LazyLock<Hmac<Sha256>> = LazyLock::new(|| Hmac::new(&LABEL.into()));

/// HMAC-SHA-256 of a secret with a fixed key. Secrets are random and long, so they need no slow password hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// A digest of no known secret. Verifying against it takes as long as against the digest of an existing client.
    pub const DUMMY: Self = Self([0; 32]);

    pub fn of(secret: &Secret) -> Self {
        Self(KEYED.clone().chain_update(secret.expose()).finalize().into_bytes().into())
    }

    /// Whether this is the digest of `secret`.
    pub fn verify(&self, secret: &Secret) -> bool {
        self.matches(&Self::of(secret))
    }

    /// Whether the digests are equal, compared in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        let output = |digest: &Self| CtOutput::<Hmac<Sha256>>::new(digest.0.into());
        output(self) == output(other)
    }
}

impl Serialize for SecretDigest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl<'de> Deserialize<'de> for SecretDigest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(D::Error::custom)?;
        Ok(Self(bytes.try_into().map_err(|_| D::Error::custom("a digest has 32 bytes"))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text)
    }

    #[test]
    fn verifies_only_its_own_secret() {
        let digest = SecretDigest::of(&secret("correct horse"));
        assert!(digest.verify(&secret("correct horse")));
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert!(!digest.verify(&secret(wrong)), "{wrong:?}");
        }
    }

    #[test]
    fn the_dummy_verifies_nothing() {
        assert!(!SecretDigest::DUMMY.verify(&secret("")));
    }

    #[test]
    fn stored_form_is_unchanged() {
        let json = serde_json::to_string(&SecretDigest::of(&secret("s"))).unwrap();
        assert_eq!(json, "\"VTMu6xZAVsA4I-AO7-uPqMLaBkuiHAPSslokXqddOfk\"");
        let back: SecretDigest = serde_json::from_str(&json).unwrap();
        assert!(back.verify(&secret("s")));
    }

    #[test]
    fn a_damaged_stored_form_is_refused() {
        for bad in ["\"\"", "\"AAAA\"", "\"not base64!\"", "null", "5"] {
            assert!(serde_json::from_str::<SecretDigest>(bad).is_err(), "{bad}");
        }
    }
}
