//! Claims that are invalid, missing or repeated are refused although the signature is valid.

use super::*;

const REQUIRED: [&str; 8] = ["iss", "aud", "sub", "client_id", "scope", "iat", "exp", "jti"];

fn claims_json() -> String {
    serde_json::to_string(&claims()).unwrap()
}

#[track_caller]
fn assert_refused(name: &str, values: &[&str]) {
    for value in values {
        let outcome = open_now(&sign(&with(name, serde_json::from_str(value).unwrap())));
        assert_eq!(outcome, Err(TokenRefusal::Forged), "{name}: {value}");
    }
}

#[test]
fn times_are_whole_numbers() {
    for name in ["exp", "iat"] {
        assert_refused(
            name,
            &[
                "\"1800000060\"", "\"\"", "1800000060.0", "1800000060.5", "-1", "-1800000060", "1e99", "1.8e9",
                "18446744073709551616", "null", "true", "[1800000060]", "[]", "{}",
            ],
        );
    }
}

#[test]
fn extreme_times_do_not_extend_the_lifetime() {
    for (name, time) in [("exp", u64::MAX), ("iat", 0), ("exp", 0)] {
        let outcome = open_now(&sign(&with(name, time.into())));
        assert!(matches!(outcome, Err(TokenRefusal::Denied(Denial::TokenMisdirected, _))), "{outcome:?}");
    }
}

#[test]
fn iat_may_be_a_minute_ahead() {
    for (ahead, is_accepted) in [(0, true), (1, true), (60, true), (61, false), (86_400, false)] {
        let iat = NOW.plus(ahead);
        let early = Claims { iat, exp: iat.plus(TOKEN_TTL_MAX), ..claims() };
        let expected = if is_accepted { Ok(early.clone()) } else { Err(misdirected(&early)) };
        assert_eq!(open_now(&sign(&early)), expected, "{ahead} s");
    }
}

#[test]
fn text_claims_are_json_strings() {
    for name in ["iss", "aud", "sub", "client_id", "scope", "jti"] {
        assert_refused(name, &["null", "42", "true", "[]", "[\"x\"]", "{}"]);
    }
    assert_refused("aud", &[&json!([claims().aud]).to_string()]);
}

#[test]
fn identifiers_follow_their_grammar() {
    let long = format!("\"{}\"", "a".repeat(65));
    assert_refused("sub", &["\"\"", "\"a b\"", "\"..\"", "\"a/b\"", "\"é\"", "\"<b>\"", "\"a\\u0000\"", &long]);
    assert_refused("client_id", &["\"\"", "\"a b\"", "\"a:b\""]);
    assert_refused("jti", &["\"\"", "\"AQ\"", "\"AQEBAQEBAQEBAQEBAQEBA=\"", "\"AQEBAQEBAQEBAQEBAQEBAQE\""]);
    assert_refused("scope", &["\"\"", "\" \"", "\"openid\"", "\"clientarea:sso  clientarea:emails\"", "\"sso:*\""]);
}

#[test]
fn optional_claims_follow_their_grammar() {
    assert_refused("delegated", &["null", "\"true\"", "1", "0", "[]"]);
    for name in ["service_id", "domain_id"] {
        assert_refused(name, &["\"\"", "\"a b\"", "-1", "1.5", "true", "[]", "{}"]);
    }
    assert_refused(
        "sso_redirect_path",
        &["\"\"", "\"//evil.example\"", "\"https://evil.example\"", "\"a/../../b\"", "5", "true", "[]"],
    );
}

#[test]
fn no_claim_may_be_missing() {
    for name in REQUIRED {
        let mut claims = serde_json::to_value(claims()).unwrap();
        assert!(claims.as_object_mut().unwrap().remove(name).is_some());
        assert_eq!(open_now(&sign(&claims)), Err(TokenRefusal::Forged), "{name}");
    }
}

#[test]
fn no_claim_may_be_repeated() {
    let optional =
        [("delegated", "true"), ("service_id", "\"1\""), ("domain_id", "\"1\""), ("sso_redirect_path", "\"x\"")];
    let object = serde_json::to_value(claims()).unwrap();
    let required = REQUIRED.map(|name| (name, object[name].to_string()));
    let all = required.into_iter().chain(optional.map(|(name, value)| (name, value.to_owned())));
    for (name, value) in all {
        let once = claims_json();
        let once = if once.contains(&format!("\"{name}\"")) {
            once
        } else {
            with(name, serde_json::from_str(&value).unwrap()).to_string()
        };
        assert!(open_now(&forge(HEADER, &once)).is_ok(), "{once}");
        let twice = format!("{{\"{name}\":{value},{}", &once[1..]);
        assert_eq!(open_now(&forge(HEADER, &twice)), Err(TokenRefusal::Forged), "{twice}");
    }
}

#[test]
fn names_of_claims_are_exact() {
    for (name, other) in [("exp", "EXP"), ("exp", "Exp"), ("sub", "sub "), ("jti", "jtі")] {
        let renamed = claims_json().replace(&format!("\"{name}\""), &format!("\"{other}\""));
        assert_eq!(open_now(&forge(HEADER, &renamed)), Err(TokenRefusal::Forged), "{other}");
    }
}

#[test]
fn a_payload_is_one_json_object() {
    let json = claims_json();
    assert!(open_now(&forge(HEADER, &json)).is_ok());
    let as_list = serde_json::to_value(claims()).unwrap().as_object().unwrap().values().cloned().collect::<Vec<_>>();
    for payload in [
        String::new(),
        "null".into(),
        "5".into(),
        "\"x\"".into(),
        "[]".into(),
        "{}".into(),
        json!(as_list).to_string(),
        format!("[{json}]"),
        format!("{json}{json}"),
        format!("{json}x"),
        format!("{json}\0"),
        format!("\u{feff}{json}"),
        json[..json.len() - 1].to_owned(),
        json.replace('"', "'"),
        "[".repeat(5_000),
        "{\"a\":".repeat(900),
    ] {
        assert_eq!(open_now(&forge(HEADER, &payload)), Err(TokenRefusal::Forged), "{payload:?}");
    }
    let mut not_utf8 = json.into_bytes();
    not_utf8[10] = 0xff;
    assert_eq!(open_now(&forge(HEADER, not_utf8)), Err(TokenRefusal::Forged));
}
