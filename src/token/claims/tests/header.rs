//! Each key and purpose has one fixed header. A token cannot choose its algorithm or its key.

use super::*;

/// The valid claims under `header`, signed by the valid key.
fn under(header: &str) -> String {
    forge(header, serde_json::to_string(&claims()).unwrap())
}

#[test]
fn only_the_fixed_header_opens() {
    assert_eq!(open_now(&under(HEADER)), Ok(claims()));
    assert_forged(
        [
            "",
            "{}",
            "null",
            r#"{"alg":"HS256"}"#,
            r#"{"alg":"HS256","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"sso+jwt"}"#,
            r#"{"typ":"sso+jwt","alg":"HS256","kid":"k1"}"#,
            r#"{"alg": "HS256", "typ": "sso+jwt", "kid": "k1"}"#,
            r#"{"alg":"HS256","alg":"none","typ":"sso+jwt","kid":"k1"}"#,
            r#"{"alg":"HS256","typ":"sso+jwt","kid":"k1"} "#,
            r#"{"\u0061lg":"HS256","typ":"sso+jwt","kid":"k1"}"#,
        ]
        .map(under),
    );
}

/// In each of these only the encoding of the header is invalid. The signature is valid.
#[test]
fn the_header_has_one_encoding_even_when_it_is_signed() {
    let (header, payload) = (encode(HEADER), encode(serde_json::to_string(&claims()).unwrap()));
    let under_segment = |segment: &str| seal(&format!("{segment}.{payload}"));
    assert_eq!(open_now(&under_segment(&header)), Ok(claims()));
    assert_forged(
        [
            header.to_lowercase(),
            header.to_uppercase(),
            format!("{header}="),
            format!(" {header}"),
            format!("{header}AA"),
        ]
        .iter()
        .map(|segment| under_segment(segment)),
    );
    assert_forged([under_segment(HEADER)]);
}

#[test]
fn a_token_cannot_choose_its_algorithm() {
    for alg in
        ["none", "None", "NONE", "nOnE", "", "hs256", "HS384", "HS512", "RS256", "PS256", "ES256", "EdDSA", "dir"]
    {
        let text = under(&HEADER.replace("HS256", alg));
        let (signed, _) = text.rsplit_once('.').unwrap();
        assert_forged([text.clone(), format!("{signed}."), signed.to_owned()]);
    }
    for alg in ["null", "0", "true", "[\"HS256\"]", "{}"] {
        assert_forged([under(&HEADER.replace("\"HS256\"", alg))]);
    }
}

#[test]
fn the_type_is_fixed() {
    for typ in ["JWT", "jwt", "SSO+JWT", "application/sso+jwt", "session+jwt", "switch+jwt", "at+jwt", ""] {
        assert_forged([under(&HEADER.replace("sso+jwt", typ))]);
    }
}

#[test]
fn an_unknown_kid_is_refused() {
    let long = "k1".repeat(5_000);
    for kid in [
        "", "k2", "K1", "k1 ", "k1,k1", "../../dev/null", "/etc/passwd", "' OR 1=1 --", "k1\\u0000",
        "https://evil.example/key", &long,
    ] {
        assert_forged([under(&HEADER.replace("k1", kid))]);
    }
    for kid in ["1", "null", "true", "[\"k1\"]", "{\"k1\":1}"] {
        assert_forged([under(&HEADER.replace("\"k1\"", kid))]);
    }
}

#[test]
fn other_header_fields_are_refused() {
    for field in [
        r#""crit":["exp"]"#, r#""crit":[]"#, r#""b64":false,"crit":["b64"]"#, r#""jku":"https://evil.example/keys""#,
        r#""jwk":{"kty":"oct","k":"AA"}"#, r#""x5u":"https://evil.example/cert""#, r#""x5c":["AA"]"#, r#""zip":"DEF""#,
        r#""cty":"JWT""#, r#""kid":"k1""#,
    ] {
        assert_forged([under(&format!("{},{field}}}", &HEADER[..HEADER.len() - 1]))]);
    }
}

#[test]
fn a_text_signed_for_another_purpose_is_no_token() {
    let keys = valid_settings().keys;
    for purpose in [Purpose::Session, Purpose::Switch] {
        assert_forged([keys.sign(purpose, &claims()).unwrap()]);
        let signed = format!("{}.{}", encode(HEADER), encode(serde_json::to_string(&claims()).unwrap()));
        assert_forged([format!("{signed}.{}", encode(mac(&key_for_test(7), purpose.typ(), &signed)))]);
    }
}

#[test]
fn a_token_is_invalid_for_another_purpose() {
    let keys = valid_settings().keys;
    for purpose in [Purpose::Session, Purpose::Switch] {
        assert_eq!(keys.verify(purpose, &sign(&claims())), None);
    }
}

#[test]
fn only_the_derived_key_signs() {
    let signed = format!("{}.{}", encode(HEADER), encode(serde_json::to_string(&claims()).unwrap()));
    let hmac = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(&signed).finalize().into_bytes();
    assert_forged([
        format!("{signed}.{}", encode(hmac(&key_for_test(7)))),
        format!("{signed}.{}", encode(hmac(b""))),
        format!("{signed}.{}", encode(hmac(b"k1"))),
        format!("{signed}.{}", encode(mac(&key_for_test(8), "sso+jwt", &signed))),
    ]);
}

#[test]
fn a_rotation_keeps_tokens_valid_until_the_old_key_is_removed() {
    let (old, new) = (entry_for_test("old", 1), entry_for_test("new", 2));
    let opens = |text: &str, settings: &Settings| {
        open(&Secret::new(text), &settings.keys, &settings.issuer, NOW) == Ok(claims())
    };
    let sign = |settings: &Settings| settings.keys.sign(Purpose::SsoToken, &claims()).unwrap();
    let (before, during, after) = (settings(&old), settings(&format!("{new},{old}")), settings(&new));

    let (of_old, of_new) = (sign(&before), sign(&during));
    assert_eq!(of_new, sign(&after), "the first key signs");
    for (text, is_valid) in [(&of_old, [true, true, false]), (&of_new, [false, true, true])] {
        assert_eq!([&before, &during, &after].map(|settings| opens(text, settings)), is_valid);
    }
    assert!(!opens(&of_old, &settings(&entry_for_test("old", 3))), "the kid of another key");
}
