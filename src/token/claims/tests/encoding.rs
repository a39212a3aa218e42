//! Exactly one encoding of a token is accepted.

use super::*;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;

fn segments(text: &str) -> [String; 3] {
    text.split('.').map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()
}

#[test]
fn no_single_bit_may_flip() {
    let text = sign(&claims());
    let flips = (0..text.len()).flat_map(|at| (0..8).map(move |bit| (at, bit)));
    assert_forged(flips.map(|(at, bit)| {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1 << bit;
        String::from_utf8_lossy(&bytes).into_owned()
    }));
}

#[test]
fn no_character_may_be_missing_or_repeated() {
    let text = sign(&claims());
    assert_forged((0..text.len()).map(|end| &text[..end]));
    assert_forged((1..=text.len()).map(|start| &text[start..]));
    assert_forged((0..text.len()).map(|at| [&text[..at], &text[at + 1..]].concat()));
    assert_forged((0..text.len()).map(|at| [&text[..=at], &text[at..]].concat()));
}

#[test]
fn no_character_may_be_added() {
    let text = sign(&claims());
    for added in ["=", "==", " ", "\t", "\n", "\r\n", "\0", ".", "A", "%20", "+", "/", "é", "\u{feff}"] {
        assert_forged((0..=text.len()).map(|at| [&text[..at], added, &text[at..]].concat()));
    }
    assert_forged([format!("Bearer {text}"), format!("{text}.{text}"), format!("\"{text}\"")]);
}

#[test]
fn letters_are_case_sensitive() {
    let text = sign(&claims());
    assert_forged([text.to_uppercase(), text.to_lowercase()]);
    assert_forged((0..text.len()).filter_map(|at| {
        let letter = text[at..=at].chars().next().filter(char::is_ascii_alphabetic)?;
        let other = if letter.is_ascii_lowercase() { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        Some([&text[..at], &other.to_string(), &text[at + 1..]].concat())
    }));
}

#[test]
fn the_last_character_of_a_signature_has_one_encoding() {
    let text = sign(&claims());
    let (rest, last) = text.split_at(text.len() - 1);
    let alphabet = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']).map(String::from);
    assert_forged(alphabet.filter(|other| other != last).map(|other| format!("{rest}{other}")));
}

/// In each of these only the encoding of the payload is invalid. The signature is valid.
#[test]
fn a_payload_has_one_encoding_even_when_it_is_signed() {
    let header = encode(HEADER);
    let signed_as = |payload: String| seal(&format!("{header}.{payload}"));
    for padding in 0..3 {
        let claims = with("padding", format!("???>>>~~~{}", "x".repeat(padding)).into());
        let json = claims.to_string();
        let payload = encode(&json);
        assert!(open_now(&signed_as(payload.clone())).is_ok());
        assert!(payload.contains('-') || payload.contains('_'), "{payload}");
        assert_forged([
            signed_as(STANDARD_NO_PAD.encode(&json)),
            signed_as(STANDARD.encode(&json)),
            signed_as(format!("{payload}\n")),
            signed_as(format!(" {payload}")),
            signed_as(format!("{payload}=")),
            signed_as(format!("{payload}A")),
            signed_as(json.clone()),
        ]);
        if !json.len().is_multiple_of(3) {
            let (rest, last) = payload.split_at(payload.len() - 1);
            let with_stray_bit = char::from(last.as_bytes()[0] + 1);
            assert_forged([signed_as(URL_SAFE.encode(&json)), signed_as(format!("{rest}{with_stray_bit}"))]);
        }
    }
}

#[test]
fn a_signature_has_one_encoding() {
    let [header, payload, _] = segments(&sign(&claims()));
    let signed = format!("{header}.{payload}");
    let signature = mac(&key_for_test(7), "sso+jwt", &signed);
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_forged([
        format!("{signed}.{}", URL_SAFE.encode(&signature)),
        format!("{signed}.{}", STANDARD.encode(&signature)),
        format!("{signed}.{}", encode(&signature[..31])),
        format!("{signed}.{}", encode(&signature[..16])),
        format!("{signed}.{}", encode([signature.as_slice(), &[0]].concat())),
        format!("{signed}.{}", encode([0; 32])),
        format!("{signed}.{hex}"),
        format!("{signed}."),
    ]);
}

#[test]
fn a_token_has_three_segments() {
    let [header, payload, signature] = segments(&sign(&claims()));
    assert_forged([
        String::new(),
        ".".into(),
        "..".into(),
        "...".into(),
        format!("{header}.{payload}"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        format!("{payload}.{signature}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}..{signature}"),
        format!(".{header}.{payload}.{signature}"),
        seal(&header),
        seal(&format!("{header}.")),
        seal(&format!("{header}.{payload}.{payload}")),
        seal(&format!("{header}.{payload}.")),
        seal(&format!("{header}..{payload}")),
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#),
    ]);
}

proptest! {
    #[test]
    fn no_random_text_is_a_token(text in any::<String>()) {
        prop_assert_eq!(open_now(&text), Err(TokenRefusal::Forged));
    }

    #[test]
    fn no_random_segments_are_a_token(text in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{43}") {
        prop_assert_eq!(open_now(&text), Err(TokenRefusal::Forged));
    }

    #[test]
    fn no_random_payload_is_a_token(payload in any::<Vec<u8>>()) {
        prop_assert_eq!(open_now(&forge(HEADER, payload)), Err(TokenRefusal::Forged));
    }
}
