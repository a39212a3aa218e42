//! The keys of assertions, which other programs verify: ECDSA on P-256 (`ES256`, RFC 7518 section 3.4).
//!
//! This module derives the private scalar. The runtime's WebCrypto derives the public key and signs.

use super::keys::{KeyRingProblem, expand};

/// The order of the group P-256, big-endian (NIST SP 800-186 section 3.2.1.3).
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];
/// The bytes before the scalar in PKCS #8 (RFC 5208) of an EC private key on P-256 without its public key (RFC 5915).
const PKCS8_HEAD: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20,
];
/// The label of the derivation. It differs from the `typ` of every [`super::Purpose`].
const LABEL: &str = "assertion ES256";

/// A private key on P-256, derived from an entry of `SIGNING_KEYS`. It is never printed.
pub struct AssertionKey {
    kid: String,
    scalar: [u8; 32],
}

impl AssertionKey {
    /// Derives the key of the entry `kid`. Tries again if a scalar is not less than the order, as one in 2^32 is.
    pub(super) fn derive(key: &[u8], kid: &str) -> Result<Self, KeyRingProblem> {
        for counter in 1..=u8::MAX {
            let scalar = expand(key, LABEL, counter)?;
            if is_private_scalar(&scalar) {
                return Ok(Self { kid: kid.to_owned(), scalar });
            }
        }
        Err(KeyRingProblem::Malformed)
    }

    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The key as WebCrypto imports it: PKCS #8.
    pub fn to_pkcs8(&self) -> Vec<u8> {
        [PKCS8_HEAD.as_slice(), &self.scalar].concat()
    }
}

/// Whether `scalar` is from 1 to the order less 1. The comparison is not in constant time, which reveals only refused scalars.
fn is_private_scalar(scalar: &[u8; 32]) -> bool {
    *scalar != [0; 32] && *scalar < ORDER
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scalar_lies_within_the_group() {
        let mut least = [0; 32];
        assert!(!is_private_scalar(&least));
        least[31] = 1;
        assert!(is_private_scalar(&least));
        let mut greatest = ORDER;
        assert!(!is_private_scalar(&greatest));
        greatest[31] -= 1;
        assert!(is_private_scalar(&greatest));
        assert!(!is_private_scalar(&[255; 32]));
    }

    #[test]
    fn derivation_is_unchanged() {
        let pkcs8 = AssertionKey::derive(&[7; 32], "k1").ok().unwrap().to_pkcs8();
        assert_eq!(pkcs8.len(), 67);
        let hex: String = pkcs8.iter().skip(35).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6743553dedcef61fe359009f5006baca40bd27edb145b94507257f00510991e3");
        assert_ne!(pkcs8, AssertionKey::derive(&[8; 32], "k1").ok().unwrap().to_pkcs8());
    }
}
