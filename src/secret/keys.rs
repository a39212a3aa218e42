//! The signing keys, and compact JWS with HS256 (RFC 7515, RFC 7518 section 3.2).
//!
//! Signet signs everything that only Signet verifies with HS256, and assertions, which others verify, with an [`AssertionKey`].
//! Each [`Purpose`] has its own derived key and its own `typ`, so a text signed for one purpose is invalid for another (RFC 8725
//! section 3.12). Each key and purpose has one fixed header. Signet compares the header of a text with these and never parses it,
//! so an attacker cannot choose the algorithm.

use super::{AssertionKey, is_weak};
use crate::json;
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
    SsoToken,
    Session,
    /// The confirmation of an account switch.
    Switch,
    /// The CSRF token of a form.
    Form,
    /// The session cookie of the console.
    Console,
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
        json::parse(&self.verify(purpose, text)?).ok()
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
mod tests;
