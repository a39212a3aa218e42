//! How a client authenticates (RFC 6749 section 2.3, RFC 7617).

use super::*;
use proptest::prelude::*;

#[test]
fn basic_credentials_are_form_decoded_and_kept_undecoded() {
    for (pair, id, secret, undecoded) in [
        ("portal:s3cret", "portal", "s3cret", None),
        ("portal:a:b", "portal", "a:b", None),
        ("portal::", "portal", ":", None),
        ("portal: ", "portal", " ", None),
        ("portal:é", "portal", "é", None),
        ("portal:%C3%A9", "portal", "é", Some("%C3%A9")),
        ("portal:%c3%a9", "portal", "é", Some("%c3%a9")),
        ("portal:a%3Ab", "portal", "a:b", Some("a%3Ab")),
        ("portal:a%2Bb", "portal", "a+b", Some("a%2Bb")),
        ("portal:a+b", "portal", "a b", Some("a+b")),
        ("portal:a%20b", "portal", "a b", Some("a%20b")),
        ("portal:a%25b", "portal", "a%b", Some("a%25b")),
        ("portal:100%", "portal", "100%", None),
        ("portal:%zz", "portal", "%zz", None),
        ("a%2Bb%2F%3D:s", "a+b/=", "s", None),
        ("a+b/=:s", "a+b/=", "s", None),
    ] {
        let expected = (id.to_owned(), secret.to_owned(), undecoded.map(str::to_owned));
        assert_eq!(credentials(with_header(&basic(pair), GRANT).unwrap()), expected, "{pair}");
    }
}

/// RFC 9110 sections 5.5 and 11.4.
#[test]
fn the_scheme_is_case_insensitive_and_white_space_is_ignored() {
    let encoded = STANDARD.encode("portal:s3cret");
    for prefix in ["Basic ", "basic ", "BASIC ", "bAsIc ", "Basic   ", " Basic ", "\tbasic  "] {
        for suffix in ["", " ", "\t "] {
            let header = format!("{prefix}{encoded}{suffix}");
            assert!(with_header(&header, GRANT).is_ok(), "{header:?}");
        }
    }
}

#[test]
fn malformed_credentials_count_as_absent() {
    let encoded = STANDARD.encode("portal:s3cret");
    let base64url = STANDARD.encode("portal:>>>???").replace('+', "-").replace('/', "_");
    assert!(base64url.contains(['-', '_']));
    for header in [
        "",
        "Basic",
        "Basic ",
        "Basic *",
        "Basic portal:s3cret",
        &encoded,
        &format!("Basic{encoded}"),
        &format!("Basic\t{encoded}"),
        &format!("Basic {}", encoded.trim_end_matches('=')),
        &format!("Basic {base64url}"),
        &format!("Basic {encoded}, Basic {encoded}"),
        &format!("Basic \"{encoded}\""),
        &format!("Bearer {encoded}"),
        &format!("Digest {encoded}"),
        &format!("Basic realm={encoded}"),
        &basic(""),
        &basic(":"),
        &basic("portal"),
        &basic("portal:"),
        &basic(":s3cret"),
        &basic("por tal:s3cret"),
        &basic("a%3Ab:s3cret"),
        &basic("%00:s3cret"),
        &basic(b"portal:\xff\xfe"),
        &basic(b"\xff:s3cret"),
        &basic(format!("{}:s3cret", "a".repeat(129))),
    ] {
        assert_eq!(with_header(header, GRANT).err(), Some(NO_CREDENTIALS), "{header:?}");
    }
}

#[test]
fn the_body_may_carry_the_credentials() {
    for (id, secret, expected) in
        [("portal", "s3cret", ("portal", "s3cret")), ("a%2Bb%2F%3D", "%2B+%25%3A%C3%A9", ("a+b/=", "+ %:é"))]
    {
        let request = parse(&format!("{GRANT}&client_id={id}&client_secret={secret}")).unwrap();
        assert_eq!(credentials(request), (expected.0.to_owned(), expected.1.to_owned(), None));
    }
}

#[test]
fn incomplete_credentials_count_as_absent() {
    for more in [
        "", "client_id=portal", "client_secret=s3cret", "client_id=portal&client_secret=",
        "client_id=&client_secret=s3cret", "client_id=&client_secret=", "client_id=por+tal&client_secret=s3cret",
        "Client_Id=portal&Client_Secret=s3cret",
    ] {
        assert_eq!(parse(&format!("{GRANT}&{more}")).err(), Some(NO_CREDENTIALS), "{more}");
    }
}

#[test]
fn a_client_authenticates_in_one_way() {
    let encoded = basic("portal:s3cret");
    for (header, more, expected) in [
        (encoded.as_str(), "client_id=portal&client_secret=s3cret", Err((400, "invalid_request"))),
        (&encoded, "client_id=portal&client_secret=wrong", Err((400, "invalid_request"))),
        (&encoded, "client_secret=s3cret", Err((400, "invalid_request"))),
        (&encoded, "client_id=other", Err((400, "invalid_request"))),
        ("Basic *", "client_id=portal&client_secret=s3cret", Err((400, "invalid_request"))),
        ("Bearer x", "client_id=portal&client_secret=s3cret", Err((400, "invalid_request"))),
        ("Basic *", "client_id=portal", Err((401, "invalid_client"))),
        (&encoded, "client_id=portal", Ok(())),
        (&encoded, "client_secret=", Ok(())),
        (&encoded, "client_id=&client_secret=", Ok(())),
    ] {
        let outcome = with_header(header, &format!("{GRANT}&{more}")).map(drop).map_err(status_and_code);
        assert_eq!(outcome, expected, "{header} and {more}");
    }
}

#[test]
fn a_request_prints_no_secret() {
    for request in [parse(BODY), with_header(&basic("portal:s3%63ret"), GRANT)] {
        let printed = format!("{:?}", request.unwrap());
        assert!(!printed.contains("s3cret") && !printed.contains("s3%63ret"), "{printed}");
    }
}

fn form_encode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

proptest! {
    #[test]
    fn any_form_encoded_secret_arrives(secret in "\\PC{1,40}") {
        let header = basic(format!("portal:{}", form_encode(&secret)));
        prop_assert_eq!(credentials(with_header(&header, GRANT).unwrap()).1, secret);
    }

    #[test]
    fn any_secret_without_a_percent_sign_arrives_as_it_is(secret in "[^%]{1,40}") {
        let (_, decoded, undecoded) = credentials(with_header(&basic(format!("portal:{secret}")), GRANT).unwrap());
        prop_assert_eq!(undecoded.unwrap_or(decoded), secret);
    }

    #[test]
    fn any_secret_arrives_in_the_body(secret in ".{1,40}") {
        let body = format!("{GRANT}&client_id=portal&client_secret={}", form_encode(&secret));
        prop_assert_eq!(credentials(parse(&body).unwrap()).1, secret);
    }

    #[test]
    fn no_header_panics(header in any::<String>(), pair in any::<Vec<u8>>()) {
        let _ = with_header(&header, GRANT);
        let _ = with_header(&basic(pair), GRANT);
    }
}
