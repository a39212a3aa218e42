//! Which texts are accepted as a token. Each refused text differs from a valid token in one respect.

use super::*;
use crate::destination::RelativePath;
use crate::id::OwnedId;
use crate::secret::{entry_for_test, key_for_test};
use crate::time::NOW_FOR_TEST as NOW;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

mod contents;
mod encoding;
mod header;

/// The header of key `k1`, which `valid_settings` configures.
const HEADER: &str = r#"{"alg":"HS256","typ":"sso+jwt","kid":"k1"}"#;

struct Settings {
    keys: KeyRing,
    issuer: Issuer,
}

fn settings(signing_keys: &str) -> Settings {
    Settings { keys: KeyRing::parse(signing_keys).unwrap(), issuer: Issuer::parse("https://sso.example").unwrap() }
}

fn valid_settings() -> Settings {
    settings(&entry_for_test("k1", 7))
}

/// The claims of a token that is valid at `NOW` under [`valid_settings`].
pub(crate) fn claims() -> Claims {
    Claims {
        iss: "https://sso.example".into(),
        aud: "https://sso.example/oauth/singlesignon".into(),
        sub: UserId::parse("42").unwrap(),
        client_id: ClientId::parse("portal").unwrap(),
        scope: ScopeSet::parse("clientarea:sso clientarea:invoices").unwrap(),
        iat: NOW,
        exp: NOW.plus(60),
        jti: TokenId::from_random([1; 16]),
        delegated: false,
        service_id: None,
        domain_id: None,
        sso_redirect_path: None,
    }
}

fn sign(claims: &impl Serialize) -> String {
    valid_settings().keys.sign(Purpose::SsoToken, claims).unwrap()
}

/// The claims, with `name` set to `value`.
fn with(name: &str, value: Value) -> Value {
    let mut claims = serde_json::to_value(claims()).unwrap();
    claims[name] = value;
    claims
}

/// HMAC-SHA-256 with the key that is derived from `key` for `typ`.
fn mac(key: &[u8], typ: &str, text: &str) -> Vec<u8> {
    let hmac = |key: &[u8], text: &[u8]| {
        Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(text).finalize().into_bytes().to_vec()
    };
    let derived = hmac(key, format!("signet v1 {typ}\u{1}").as_bytes());
    hmac(&derived, text.as_bytes())
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// `signed` and its signature by the valid key.
fn seal(signed: &str) -> String {
    format!("{signed}.{}", encode(mac(&key_for_test(7), "sso+jwt", signed)))
}

/// A token with this header and payload, signed by the valid key.
fn forge(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    seal(&format!("{}.{}", encode(header), encode(payload)))
}

fn open_at(text: &str, now: Timestamp) -> Result<Claims, TokenRefusal> {
    let settings = valid_settings();
    open(&Secret::new(text), &settings.keys, &settings.issuer, now)
}

fn misdirected(claims: &Claims) -> TokenRefusal {
    TokenRefusal::Denied(Denial::TokenMisdirected, Box::new(claims.clone()))
}

fn open_now(text: &str) -> Result<Claims, TokenRefusal> {
    open_at(text, NOW)
}

#[track_caller]
fn assert_forged<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) {
    for text in texts {
        let text = text.as_ref();
        assert_eq!(open_now(text), Err(TokenRefusal::Forged), "{text:?}");
    }
}

#[test]
fn a_signed_token_is_valid() {
    assert_eq!(open_now(&sign(&claims())), Ok(claims()));
}

#[test]
fn forged_tokens_of_the_tests_are_signed_by_the_valid_key() {
    let payload = serde_json::to_string(&claims()).unwrap();
    assert_eq!(forge(HEADER, payload), sign(&claims()));
}

#[test]
fn wire_form_is_unchanged() {
    let plain = concat!(
        r#"{"iss":"https://sso.example","aud":"https://sso.example/oauth/singlesignon","sub":"42","#,
        r#""client_id":"portal","scope":"clientarea:sso clientarea:invoices","iat":1800000000,"#,
        r#""exp":1800000060,"jti":"AQEBAQEBAQEBAQEBAQEBAQ""#
    );
    assert_eq!(serde_json::to_string(&claims()).unwrap(), format!("{plain}}}"));
    let full = Claims {
        delegated: true,
        service_id: OwnedId::parse("12"),
        domain_id: OwnedId::parse("34"),
        sso_redirect_path: RelativePath::parse("cart.php?a=view"),
        ..claims()
    };
    let json = format!(
        r#"{plain},"delegated":true,"service_id":"12","domain_id":"34","sso_redirect_path":"cart.php?a=view"}}"#
    );
    assert_eq!(serde_json::to_string(&full).unwrap(), json);
    assert_eq!(open_now(&sign(&full)), Ok(full));
}

#[test]
fn a_token_expires_exactly_at_exp() {
    let text = sign(&claims());
    let expired = || Err(TokenRefusal::Denied(Denial::TokenExpired, Box::new(claims())));
    for (at, is_valid) in [(0, true), (1, true), (59, true), (60, false), (61, false), (86_400, false)] {
        let expected = if is_valid { Ok(claims()) } else { expired() };
        assert_eq!(open_at(&text, NOW.plus(at)), expected, "after {at} s");
    }
}

#[test]
fn the_longest_lifetime_is_60_seconds() {
    for (ttl, is_valid) in [(1, true), (59, true), (60, true), (61, false), (3_600, false)] {
        let claims = Claims { exp: NOW.plus(ttl), ..claims() };
        let expected = if is_valid { Ok(claims.clone()) } else { Err(misdirected(&claims)) };
        assert_eq!(open_now(&sign(&claims)), expected, "{ttl} s");
    }
}

#[test]
fn a_token_for_another_issuer_or_audience_is_misdirected() {
    let (iss, aud) = (claims().iss, claims().aud);
    let other_iss = [
        "", "https://sso.exampl", "https://sso.example/", "https://sso.example.evil", "http://sso.example",
        "HTTPS://SSO.EXAMPLE", "https://sso.example:443",
    ];
    let other_aud = [
        "",
        "https://sso.example",
        "https://sso.example/oauth/singlesigno",
        "https://sso.example/oauth/singlesignon/",
        "https://sso.example/oauth/singlesignon.php",
        "https://evil.example/oauth/singlesignon",
        "/oauth/singlesignon",
    ];
    let cases = other_iss
        .map(|iss| Claims { iss: iss.into(), aud: aud.clone(), ..claims() })
        .into_iter()
        .chain(other_aud.map(|aud| Claims { iss: iss.clone(), aud: aud.into(), ..claims() }));
    for claims in cases {
        assert_eq!(open_now(&sign(&claims)), Err(misdirected(&claims)), "{claims:?}");
    }
}

#[test]
fn the_longest_verified_text_has_8192_bytes() {
    let of_length = |length: usize| {
        let padded = |n| sign(&with("padding", "x".repeat(n).into()));
        (5_000..6_500).map(padded).find(|text| text.len() == length).unwrap()
    };
    assert_eq!(TOKEN_BYTES_MAX, 8_192);
    assert_eq!(open_now(&of_length(8_192)), Ok(claims()));
    assert_forged([of_length(8_193)]);
}
