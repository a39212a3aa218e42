//! The form of a token request (RFC 6749 section 3.2), and its parameters.

use super::*;
use crate::destination::Scope;
use proptest::prelude::*;

const REPEATED: TokenError = TokenError::InvalidRequest(Failure::REPEATED_PARAMETER);

#[test]
fn every_parameter_is_read() {
    let request = parse_with(
        "scope=clientarea:sso+clientarea:invoices&user_id=42&service_id=12&domain_id=34&sso_redirect_path=/cart.php?a%3Db",
    )
    .unwrap();
    assert_eq!(request.grant_type, GrantType::SingleSignOn);
    assert_eq!(request.parameters.scope.unwrap().to_string(), "clientarea:sso clientarea:invoices");
    assert_eq!(request.parameters.user_id.unwrap().as_str(), "42");
    assert_eq!(request.parameters.inputs.service_id.unwrap().as_str(), "12");
    assert_eq!(request.parameters.inputs.domain_id.unwrap().as_str(), "34");
    assert_eq!(request.parameters.inputs.sso_redirect_path.unwrap().as_str(), "cart.php?a=b");
}

#[test]
fn an_empty_parameter_counts_as_absent() {
    for more in ["", "scope=&user_id=&service_id=&domain_id=&sso_redirect_path=", "scope&user_id"] {
        let request = parse_with(more).unwrap();
        assert!(request.parameters.scope.is_none() && request.parameters.user_id.is_none(), "{more}");
        assert_eq!(request.parameters.inputs, DestinationInputs::default(), "{more}");
    }
}

#[test]
fn unknown_parameters_are_ignored() {
    assert!(parse_with("foo=bar&goto=clientarea:invoices&%00=%ff").is_ok());
    assert!(parse_as("/oauth/token?foo=bar&utm_source=x", &[FORM], BODY).is_ok());
}

#[test]
fn the_body_is_a_form() {
    let form = FORM.1;
    for (content_type, is_form) in [
        (form.to_owned(), true),
        (form.to_uppercase(), true),
        (format!("{form}; charset=utf-8"), true),
        (format!("{form};charset=\"UTF-8\""), true),
        (format!("{form};"), true),
        (format!("{form}; charset=ISO-8859-1"), true),
        (format!("{form}; charset=us-ascii"), true),
        (format!("{form}; charset=utf8"), true),
        (format!("{form};charset=windows-1252"), true),
        (format!("{form};boundary=x"), true),
        (format!("{form};charset=utf-16"), false),
        (format!("{form};charset=UTF-16LE"), false),
        (format!("{form};charset=utf-32"), false),
        (format!("{form};charset=utf-8, application/json"), false),
        (format!("application/json, {form}"), false),
        (format!("{form}, application/json"), false),
        (format!("{form}x"), false),
        ("application/json".into(), false),
        ("multipart/form-data; boundary=x".into(), false),
        ("text/plain".into(), false),
        ("application/x-www-form".into(), false),
        ("*/*".into(), false),
        (";".into(), false),
        (String::new(), false),
    ] {
        let outcome = parse_as("/oauth/token", &[("content-type", &content_type)], BODY);
        assert_eq!(
            outcome.map(drop).map_err(status_and_code),
            if is_form { Ok(()) } else { Err((400, "invalid_request")) },
            "{content_type}"
        );
    }
    assert_eq!(parse_as("/oauth/token", &[], BODY).map(drop).map_err(status_and_code), Err((400, "invalid_request")));
}

#[test]
fn parameters_in_the_address_are_refused() {
    for name in [
        "grant_type", "client_id", "client_secret", "scope", "user_id", "service_id", "domain_id", "sso_redirect_path",
        "client%5Fsecret", "%63lient_id",
    ] {
        for query in [format!("{name}=x"), format!("{name}="), name.to_owned(), format!("a=b&{name}=x")] {
            for body in [BODY, GRANT, ""] {
                let outcome = parse_as(&format!("/oauth/token?{query}"), &[FORM], body);
                assert_eq!(outcome.map(drop).map_err(status_and_code), Err((400, "invalid_request")), "{query}");
            }
        }
    }
}

#[test]
fn no_parameter_is_repeated() {
    for name in ["grant_type", "client_id", "client_secret", "scope", "user_id", "service_id", "foo"] {
        for (first, second) in [("", ""), ("x", ""), ("", "x"), ("x", "x"), ("x", "y")] {
            let body = format!("{name}={first}&{name}={second}");
            assert_eq!(parse(&body).err(), Some(REPEATED), "{body}");
        }
    }
    assert_eq!(parse_with("client%5Fid=portal").err(), Some(REPEATED));
}

#[test]
fn there_is_one_grant_type() {
    const CLIENT: &str = "client_id=portal&client_secret=s3cret";
    for (grant_type, expected) in [
        ("", Err((400, "invalid_request"))),
        ("grant_type", Err((400, "invalid_request"))),
        ("grant_type=", Err((400, "invalid_request"))),
        ("grant_type=password", Err((400, "unsupported_grant_type"))),
        ("grant_type=client_credentials", Err((400, "unsupported_grant_type"))),
        ("grant_type=SINGLE_SIGN_ON", Err((400, "unsupported_grant_type"))),
        ("grant_type=single_sign_on+", Err((400, "unsupported_grant_type"))),
        ("grant_type=single_sign_on", Ok(())),
    ] {
        assert_eq!(
            parse(&format!("{CLIENT}&{grant_type}")).map(drop).map_err(status_and_code),
            expected,
            "{grant_type}"
        );
    }
}

#[test]
fn scopes_are_known_words_separated_by_one_space() {
    for scope in [
        "openid",
        "clientarea:homepage",
        "clientarea:Invoices",
        "clientarea:../x",
        "clientarea:invoices+",
        "+clientarea:invoices",
        "clientarea:sso++clientarea:invoices",
        "clientarea:sso%09clientarea:invoices",
        "clientarea:sso,clientarea:invoices",
        "%22clientarea:sso%22",
        "clientarea:sso%00",
        "%FF",
        &"x".repeat(10_000),
    ] {
        assert_eq!(parse_with(&format!("scope={scope}")).err(), Some(TokenError::InvalidScope), "{scope}");
    }
    for scope in Scope::all() {
        assert!(parse_with(&format!("scope={}", scope.as_str())).is_ok(), "{scope:?}");
    }
}

#[test]
fn a_malformed_value_is_refused_by_name() {
    for (more, description) in [
        ("user_id=a+b", "The user_id is malformed."),
        ("user_id=..", "The user_id is malformed."),
        ("service_id=1/2", "The service_id is malformed."),
        ("domain_id=example%00", "The domain_id is malformed."),
        ("sso_redirect_path=//evil.example", "The sso_redirect_path is not a path within the client area."),
        ("sso_redirect_path=https://evil.example", "The sso_redirect_path is not a path within the client area."),
    ] {
        let failure = Failure::bad_request(description);
        assert_eq!(parse_with(more).err(), Some(TokenError::InvalidRequest(failure)), "{more}");
    }
}

#[test]
fn the_form_comes_first_then_the_client_then_the_rest() {
    for (body, expected) in [
        ("a=1&a=2&grant_type=password", (400, "invalid_request")),
        ("grant_type=password&scope=nonsense", (401, "invalid_client")),
        ("client_id=a&client_secret=b&scope=nonsense", (400, "invalid_request")),
        ("client_id=a&client_secret=b&grant_type=password&scope=nonsense", (400, "unsupported_grant_type")),
    ] {
        assert_eq!(parse(body).map(drop).map_err(status_and_code), Err(expected), "{body}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in any::<Vec<u8>>(), query in any::<String>(), content_type in any::<String>()) {
        for content_type in [FORM.1, &content_type] {
            let mut request =
                request_for_test(Method::Post, &format!("/oauth/token?{query}"), &[("content-type", content_type)], "");
            request.body.clone_from(&body);
            let _ = TokenRequest::parse(&request);
        }
    }

    #[test]
    fn no_value_panics(name in "(scope|user_id|service_id|domain_id|sso_redirect_path)", value in any::<String>()) {
        let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
        let _ = parse_with(&format!("{name}={value}"));
    }
}
