//! The signing keys, and compact JWS with HS256 (RFC 7515, RFC 7518 section 3.2).
//!
//! Signet signs everything that only Signet verifies with HS256, and assertions, which others verify, with an [`AssertionKey`].
//! Each [`Purpose`] has its own derived key and its own `typ`, so a text signed for one purpose is invalid for another (RFC 8725
//! section 3.12). Each key and purpose has one fixed header. Signet compares the header of a text with these and never parses it,
//! so an attacker cannot choose the algorithm.

use super::{AssertionKey, is_weak};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;

type HmacSha256 = Hmac<Sha256>;

/// The least length of a key, in bytes: that of the digest (RFC 7518 section 3.2).
const KEY_BYTES_MIN: usize = 32;
/// The greatest number of keys. A rotation needs two or three.
const KEYS_MAX: usize = 8;

/// What a signed text is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// An access token.
    SsoToken,
    /// The session cookie.
    Session,
    /// The confirmation of an account switch.
    Switch,
    /// The CSRF token of a form.
    Form,
    /// The session cookie of the console.
    Console,
    /// The cursor of a list.
    Cursor,
}

impl Purpose {
    #[cfg(test)]
    pub const ALL: [Self; 6] = [Self::SsoToken, Self::Session, Self::Switch, Self::Form, Self::Console, Self::Cursor];

    /// The `typ` of the header (RFC 8725 section 3.11).
    pub const fn typ(self) -> &'static str {
        match self {
            Self::SsoToken => "sso+jwt",
            Self::Session => "session+jwt",
            Self::Switch => "switch+jwt",
            Self::Form => "form+jwt",
            Self::Console => "console+jwt",
            Self::Cursor => "cursor+jwt",
        }
    }
}

/// Why `SIGNING_KEYS` is invalid. The messages quote no part of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRingProblem {
    Empty,
    TooMany,
    /// An entry is not `kid:base64url`, or its kid is not 1 to 32 of `A-Z a-z 0-9 _ -`.
    Malformed,
    DuplicateKid,
    Short,
    /// See [`is_weak`].
    Weak,
    /// Refused because the key would stay valid after one of the entries is removed.
    DuplicateKey,
}

impl KeyRingProblem {
    pub const fn message(self) -> &'static str {
        match self {
            Self::Empty => "is missing",
            Self::TooMany => "has more than 8 entries",
            Self::Malformed => "has an entry that is not kid:base64url",
            Self::DuplicateKid => "has two entries with the same kid",
            Self::Short => "has a key of fewer than 32 bytes",
            Self::Weak => "has a key of fewer than 6 different bytes, or of one repeated text",
            Self::DuplicateKey => "has two entries with the same key",
        }
    }
}

/// The keys of `SIGNING_KEYS`. Signet signs with the first key and accepts signatures by any of them.
pub struct KeyRing {
    signing: Key,
    retired: Vec<Key>,
}

struct Key {
    kid: String,
    sso_token: DerivedKey,
    session: DerivedKey,
    switch: DerivedKey,
    form: DerivedKey,
    console: DerivedKey,
    cursor: DerivedKey,
    assertion: AssertionKey,
}

struct DerivedKey {
    /// The JWS header in base64url.
    header: String,
    mac: HmacSha256,
}

impl KeyRing {
    /// Parses `SIGNING_KEYS`: entries `kid:base64url`, separated by commas or white space.
    ///
    /// # Errors
    /// The first [`KeyRingProblem`] found.
    pub fn parse(text: &str) -> Result<Self, KeyRingProblem> {
        let mut keys: Vec<Key> = Vec::new();
        for entry in text.split([',', ' ', '\n', '\r', '\t']).filter(|e| !e.is_empty()) {
            let key = Key::parse(entry)?;
            if keys.iter().any(|other| other.kid == key.kid) {
                return Err(KeyRingProblem::DuplicateKid);
            }
            if keys.iter().any(|other| other.assertion.to_pkcs8() == key.assertion.to_pkcs8()) {
                return Err(KeyRingProblem::DuplicateKey);
            }
            if keys.len() == KEYS_MAX {
                return Err(KeyRingProblem::TooMany);
            }
            keys.push(key);
        }
        let mut keys = keys.into_iter();
        let signing = keys.next().ok_or(KeyRingProblem::Empty)?;
        Ok(Self { signing, retired: keys.collect() })
    }

    /// Signs `claims` for `purpose`: `header.payload.signature`.
    pub fn sign(&self, purpose: Purpose, claims: &impl Serialize) -> serde_json::Result<String> {
        let key = self.signing.derived(purpose);
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims)?);
        let mut text = format!("{}.{payload}", key.header);
        let signature = key.mac.clone().chain_update(&text).finalize().into_bytes();
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }

    /// Returns the payload of `text`, if one of the keys signed it for `purpose`.
    ///
    /// Checks the signature before it decodes the payload. Accepts one encoding only: base64url without padding and without
    /// excess bits.
    pub fn verify(&self, purpose: Purpose, text: &str) -> Option<String> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let key = self.keys().map(|key| key.derived(purpose)).find(|key| key.header == header)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        key.mac.clone().chain_update(signed).verify_slice(&signature).ok()?;
        String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }

    /// Verifies `text` and parses its payload. See [`KeyRing::verify`].
    pub fn open<T: DeserializeOwned>(&self, purpose: Purpose, text: &str) -> Option<T> {
        serde_json::from_str(&self.verify(purpose, text)?).ok()
    }

    /// The keys of assertions: Signet signs with the first and publishes all.
    pub fn assertion_keys(&self) -> impl Iterator<Item = &AssertionKey> {
        self.keys().map(|key| &key.assertion)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.signing).chain(&self.retired)
    }
}

impl Key {
    fn parse(entry: &str) -> Result<Self, KeyRingProblem> {
        let (kid, key) = entry.split_once(':').ok_or(KeyRingProblem::Malformed)?;
        let is_valid_kid =
            (1..=32).contains(&kid.len()) && kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if !is_valid_kid {
            return Err(KeyRingProblem::Malformed);
        }
        let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).map_err(|_| KeyRingProblem::Malformed)?;
        if key.len() < KEY_BYTES_MIN {
            return Err(KeyRingProblem::Short);
        }
        if is_weak(&key) {
            return Err(KeyRingProblem::Weak);
        }
        Ok(Self {
            kid: kid.to_owned(),
            sso_token: DerivedKey::derive(&key, kid, Purpose::SsoToken)?,
            session: DerivedKey::derive(&key, kid, Purpose::Session)?,
            switch: DerivedKey::derive(&key, kid, Purpose::Switch)?,
            form: DerivedKey::derive(&key, kid, Purpose::Form)?,
            console: DerivedKey::derive(&key, kid, Purpose::Console)?,
            cursor: DerivedKey::derive(&key, kid, Purpose::Cursor)?,
            assertion: AssertionKey::derive(&key, kid)?,
        })
    }

    fn derived(&self, purpose: Purpose) -> &DerivedKey {
        match purpose {
            Purpose::SsoToken => &self.sso_token,
            Purpose::Session => &self.session,
            Purpose::Switch => &self.switch,
            Purpose::Form => &self.form,
            Purpose::Console => &self.console,
            Purpose::Cursor => &self.cursor,
        }
    }
}

impl DerivedKey {
    fn derive(key: &[u8], kid: &str, purpose: Purpose) -> Result<Self, KeyRingProblem> {
        let block = expand(key, purpose.typ(), 1)?;
        let header = format!(r#"{{"alg":"HS256","typ":"{}","kid":"{kid}"}}"#, purpose.typ());
        Ok(Self {
            header: URL_SAFE_NO_PAD.encode(header),
            mac: HmacSha256::new_from_slice(&block).map_err(|_| KeyRingProblem::Malformed)?,
        })
    }
}

/// The first block of HKDF-Expand (RFC 5869 section 2.3). The keys are random and long, so the extract step is omitted (section
/// 3.3).
pub(super) fn expand(key: &[u8], label: &str, counter: u8) -> Result<[u8; 32], KeyRingProblem> {
    let mac = HmacSha256::new_from_slice(key).map_err(|_| KeyRingProblem::Malformed)?;
    Ok(mac.chain_update("signet v1 ").chain_update(label).chain_update([counter]).finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{entry_for_test as entry, key_for_test};
    use serde_json::json;

    fn ring(entries: &[&str]) -> KeyRing {
        KeyRing::parse(&entries.join(",")).ok().unwrap()
    }

    #[test]
    fn each_mistake_in_the_setting_has_its_problem() {
        let short = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 31]));
        let many: Vec<_> = (0..9).map(|n| entry(&format!("k{n}"), n)).collect();
        let weak = format!("k1:{}", URL_SAFE_NO_PAD.encode([7; 32]));
        let padded = format!("b:{}", URL_SAFE_NO_PAD.encode([key_for_test(0).as_slice(), &[0]].concat()));
        let long_kid = entry(&"k".repeat(33), 1);
        for (text, problem) in [
            ("", KeyRingProblem::Empty),
            (" , \n", KeyRingProblem::Empty),
            ("changeme", KeyRingProblem::Malformed),
            ("k1:", KeyRingProblem::Short),
            ("k1:*", KeyRingProblem::Malformed),
            (":AAAA", KeyRingProblem::Malformed),
            (&long_kid, KeyRingProblem::Malformed),
            (&short, KeyRingProblem::Short),
            (&format!("{},{}", entry("a", 1), entry("a", 2)), KeyRingProblem::DuplicateKid),
            (&format!("{},{}", entry("a", 1), entry("b", 1)), KeyRingProblem::DuplicateKey),
            (&format!("{},{padded}", entry("a", 0)), KeyRingProblem::DuplicateKey),
            (&weak, KeyRingProblem::Weak),
            (&format!("{},{weak}", entry("a", 1)), KeyRingProblem::Weak),
            (&many.join(","), KeyRingProblem::TooMany),
            (&entry("a.b", 1), KeyRingProblem::Malformed),
            (&entry("a\"b", 1), KeyRingProblem::Malformed),
            (&entry("é", 1), KeyRingProblem::Malformed),
        ] {
            assert_eq!(KeyRing::parse(text).err(), Some(problem), "{text:?}");
        }
    }

    #[test]
    fn a_kid_may_have_letters_digits_underscores_and_hyphens() {
        for kid in ["k1", "2026-11_A", "_", "-", &"k".repeat(32)] {
            assert!(KeyRing::parse(&entry(kid, 1)).is_ok(), "{kid}");
        }
    }

    #[test]
    fn each_problem_has_its_message() {
        let messages = [
            (KeyRingProblem::Empty, "is missing"),
            (KeyRingProblem::TooMany, "has more than 8 entries"),
            (KeyRingProblem::Malformed, "has an entry that is not kid:base64url"),
            (KeyRingProblem::DuplicateKid, "has two entries with the same kid"),
            (KeyRingProblem::Short, "has a key of fewer than 32 bytes"),
            (KeyRingProblem::Weak, "has a key of fewer than 6 different bytes, or of one repeated text"),
            (KeyRingProblem::DuplicateKey, "has two entries with the same key"),
        ];
        for (problem, message) in messages {
            assert_eq!(problem.message(), message);
        }
    }

    #[test]
    fn assertion_keys_come_in_the_order_of_the_ring() {
        let ring = ring(&[&entry("new", 2), &entry("old", 1)]);
        assert_eq!(ring.assertion_keys().map(AssertionKey::kid).collect::<Vec<_>>(), ["new", "old"]);
    }

    #[test]
    fn the_first_key_signs_and_every_key_verifies() {
        let (old, new) = (entry("old", 1), entry("new", 2));
        let before = ring(&[&old]).sign(Purpose::SsoToken, &json!({})).unwrap();
        let rotated = ring(&[&new, &old]);
        assert!(rotated.verify(Purpose::SsoToken, &before).is_some());
        let after = rotated.sign(Purpose::SsoToken, &json!({})).unwrap();
        assert!(ring(&[&new]).verify(Purpose::SsoToken, &after).is_some());
        assert!(ring(&[&new]).verify(Purpose::SsoToken, &before).is_none(), "a removed key verifies nothing");
    }

    #[test]
    fn the_same_kid_with_another_key_verifies_nothing() {
        let text = ring(&[&entry("k", 1)]).sign(Purpose::SsoToken, &json!({})).unwrap();
        assert!(ring(&[&entry("k", 2)]).verify(Purpose::SsoToken, &text).is_none());
    }

    #[test]
    fn a_text_signed_for_one_purpose_is_invalid_for_another() {
        let ring = ring(&[&entry("k", 1)]);
        for made in Purpose::ALL {
            let text = ring.sign(made, &json!({"sub": "1"})).unwrap();
            for asked in Purpose::ALL {
                assert_eq!(ring.verify(asked, &text).is_some(), made == asked, "{made:?} as {asked:?}");
            }
        }
    }

    #[test]
    fn wire_form_is_unchanged() {
        let text = ring(&[&entry("k1", 7)]).sign(Purpose::SsoToken, &json!({"a": 1})).unwrap();
        assert_eq!(
            text,
            "eyJhbGciOiJIUzI1NiIsInR5cCI6InNzbytqd3QiLCJraWQiOiJrMSJ9.eyJhIjoxfQ.0WMyiPqGoo34LCR-395oGJj019iRpfHGpIZPQtmEUPQ"
        );
    }
}
