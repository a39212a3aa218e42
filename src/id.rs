//! Identifiers. A value of one of these types is valid: it was parsed when it came in.

use crate::json::NumberOrText;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use sha2::{Digest as _, Sha256};

/// The bytes of a random identifier: 128 bits, so that it cannot be guessed.
pub const RANDOM_ID_BYTES: usize = 16;

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn parse(text: &str) -> Option<Self> {
                Self::is_valid(text).then(|| Self(text.to_owned()))
            }

            fn is_valid(text: &str) -> bool {
                let is_valid: fn(&str) -> bool = $is_valid;
                is_valid(text)
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

macro_rules! from_random {
    ($($name:ident),*) => {$(
        impl $name {
            pub fn from_random(bytes: [u8; RANDOM_ID_BYTES]) -> Self {
                Self(URL_SAFE_NO_PAD.encode(bytes))
            }
        }
    )*};
}

macro_rules! deserialize_from_text {
    ($($name:ident),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if Self::is_valid(&text) { Ok(Self(text)) } else { Err(D::Error::custom("not an id")) }
            }
        }
    )*};
}

identifier!(
    /// A User ID: 1 to 64 of `A-Z a-z 0-9 . _ -`, not all dots, because `.` and `..` have a meaning in URL paths.
    UserId,
    |text| is_word(text) && text.bytes().any(|b| b != b'.')
);
identifier!(
    /// A `client_id` (RFC 6749 section 2.2): 1 to 128 of `A-Z a-z 0-9 . _ ~ + / = -`.
    ClientId,
    |text| consists_of(text, 128, b"._~+/=-")
);
identifier!(
    /// The id of a service or a domain that a user owns: 1 to 64 of `A-Z a-z 0-9 . _ -`. In JSON it may be a number.
    OwnedId,
    is_word
);
identifier!(
    /// The `jti` of a token (RFC 7519 section 4.1.7): 128 random bits in base64url.
    TokenId,
    is_random_id
);
identifier!(
    /// The id of a session: 128 random bits in base64url.
    SessionId,
    is_random_id
);
from_random!(ClientId, TokenId, SessionId);
deserialize_from_text!(UserId, ClientId, TokenId, SessionId);

impl ClientId {
    /// The number of a credential set in WHMCS's API, unless an import gave it another: 31 bits of a hash, never 0.
    pub fn number(&self) -> u32 {
        let digest = Sha256::digest(&self.0);
        let number = digest.iter().take(4).fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) >> 1;
        number.max(1)
    }
}

impl<'de> Deserialize<'de> for OwnedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = NumberOrText::deserialize(deserializer)?.into_text();
        if Self::is_valid(&text) { Ok(Self(text)) } else { Err(D::Error::custom("not an id")) }
    }
}

/// Whether `text` has 1 to `longest` letters, digits and marks of `punctuation`.
fn consists_of(text: &str, longest: usize, punctuation: &[u8]) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || punctuation.contains(&b))
}

fn is_word(text: &str) -> bool {
    consists_of(text, 64, b"._-")
}

fn is_random_id(text: &str) -> bool {
    text.len() == 22 && consists_of(text, 22, b"_-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_ids_follow_the_grammar() {
        for good in ["1", "alice", "a.b_c-D", "..x", &"a".repeat(64)] {
            assert!(UserId::parse(good).is_some(), "{good:?}");
        }
        for bad in ["", ".", "..", "a b", "a/b", "é", "a\n", "<b>", "a%2e", &"a".repeat(65)] {
            assert!(UserId::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn client_ids_may_have_the_characters_of_base64() {
        assert!(ClientId::parse("ACME-PORTAL.q1+/w==").is_some());
        for bad in ["", "a b", "a:b", "a\0", &"a".repeat(129)] {
            assert!(ClientId::parse(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn owned_ids_may_be_numbers_in_json() {
        let ids: Vec<OwnedId> = serde_json::from_str(r#"[12, "12", "srv-7"]"#).unwrap();
        assert_eq!(serde_json::to_string(&ids).unwrap(), r#"["12","12","srv-7"]"#);
        for bad in ["[-1]", "[1.5]", "[null]", "[[]]", r#"[""]"#, r#"["a b"]"#] {
            assert!(serde_json::from_str::<Vec<OwnedId>>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbers_of_credential_sets_are_unchanged() {
        for (id, number) in [("portal", 1_749_746_304), ("a+/=", 319_856_092)] {
            assert_eq!(ClientId::parse(id).unwrap().number(), number, "{id}");
        }
    }

    #[test]
    fn random_ids_are_22_characters_of_base64url() {
        let id = TokenId::from_random([255; RANDOM_ID_BYTES]);
        assert_eq!(id.as_str(), "_____________________w");
        assert_eq!(TokenId::parse(id.as_str()), Some(id));
        assert_eq!(TokenId::parse("short"), None);
        assert_eq!(SessionId::parse("_____________________="), None);
    }
}
