//! The bodies of the requests.

use super::*;
use proptest::prelude::*;

/// The requests that have a body, each with a valid one.
const VALID: [(Method, &str, &str); 5] = [
    (Method::Put, "users/42", r#"{"status":"Closed","sso":false,"services":[12,"a"],"domains":["example.com"]}"#),
    (Method::Patch, "users/42", r#"{"status":"Inactive"}"#),
    (Method::Post, "credentials", r#"{"name":"P","scopes":["clientarea:invoices"],"delegated":true}"#),
    (Method::Patch, "credentials/portal", r#"{"scopes":["clientarea:emails"]}"#),
    (Method::Post, "credentials/portal/rotate", r#"{"overlap_seconds":2592000}"#),
];

#[test]
fn a_valid_body_is_accepted() {
    for (method, target, body) in VALID {
        assert!(parse(method, target, body).is_ok(), "{method:?} {target}");
    }
}

#[test]
fn a_body_needs_the_media_type_of_json() {
    for (content_type, refusal) in [
        ("application/json", None),
        ("Application/JSON; charset=utf-8", None),
        ("application/json; charset=utf8", None),
        ("application/json; charset=ISO-8859-1; x=y", None),
        ("application/merge-patch+json", Some(415)),
        ("text/plain", Some(415)),
        ("text/json", Some(415)),
        ("application/x-www-form-urlencoded", Some(415)),
        ("multipart/form-data; boundary=x", Some(415)),
        ("application/json, text/plain", Some(415)),
        ("text/plain, application/json", Some(415)),
        ("application/json;charset=utf-16", Some(415)),
        ("", Some(415)),
    ] {
        for (method, target, body) in VALID {
            let outcome = parse_as(&[("content-type", content_type)], method, target, body);
            assert_eq!(status(outcome), refusal, "{content_type} for {method:?} {target}");
        }
    }
    for (method, target, body) in VALID {
        assert_eq!(status(parse_as(&[], method, target, body)), Some(415), "{method:?} {target}");
    }
}

#[test]
fn an_unknown_field_is_refused() {
    for (method, target, body) in VALID {
        for field in [r#""unknown":1"#, r#""created_at":1"#, r#""client_id":"mine""#, r#""client_secret":"mine""#] {
            let body = format!("{},{field}}}", &body[..body.len() - 1]);
            assert_eq!(status(parse(method, target, &body)), Some(400), "{method:?} {target} {field}");
        }
    }
}

#[test]
fn an_array_of_the_fields_is_refused() {
    for (method, target, _) in VALID {
        for body in ["[]", r#"["Active"]"#, r#"["P","",[],[],"42"]"#, "[60]"] {
            assert_eq!(status(parse(method, target, body)), Some(400), "{method:?} {target} {body}");
        }
    }
}

#[test]
fn a_repeated_field_is_refused() {
    for (method, target, body) in VALID {
        let body = format!("{},{}", &body[..body.len() - 1], &body[1..]);
        assert_eq!(status(parse(method, target, &body)), Some(400), "{body}");
    }
}

#[test]
fn the_message_distinguishes_invalid_json_from_invalid_fields() {
    let description = |body| parse(Method::Put, "users/42", body).unwrap_err().description;
    for body in ["", "{", "x", "{\"status\":\"Active\"}x", "{'status':'Active'}", "\u{feff}{}"] {
        assert_eq!(description(body), "The body is not JSON.", "{body:?}");
    }
    for body in [
        "{}",
        "null",
        "5",
        "[]",
        r#"["Active"]"#,
        r#"{"status":"active"}"#,
        r#"{"status":"Fraud"}"#,
        r#"{"status":"Active","sso":"true"}"#,
        r#"{"status":"Active","sso":null}"#,
        r#"{"status":"Active","services":"12"}"#,
        r#"{"status":"Active","services":[null]}"#,
        r#"{"status":"Active","services":["a b"]}"#,
        r#"{"status":"Active","domains":[-1]}"#,
    ] {
        assert_eq!(description(body), "The body has an unknown, missing or invalid field.", "{body}");
    }
}

#[test]
fn the_binding_of_a_set_cannot_change() {
    for field in [r#"{"user_id":"43"}"#, r#"{"delegated":true}"#, r#"{"created_at":1}"#, r#"{"secret":{}}"#] {
        assert_eq!(status(parse(Method::Patch, "credentials/portal", field)), Some(400), "{field}");
    }
}

#[test]
fn an_overlap_has_at_most_30_days() {
    for (body, refusal) in [
        ("{}", None),
        (r#"{"overlap_seconds":0}"#, None),
        (r#"{"overlap_seconds":2592000}"#, None),
        (r#"{"overlap_seconds":2592001}"#, Some(400)),
        (r#"{"overlap_seconds":-1}"#, Some(400)),
        (r#"{"overlap_seconds":1.5}"#, Some(400)),
        (r#"{"overlap_seconds":"60"}"#, Some(400)),
        (r#"{"overlap_seconds":null}"#, Some(400)),
        (r#"{"overlap":60}"#, Some(400)),
    ] {
        assert_eq!(status(parse(Method::Post, "credentials/portal/rotate", body)), refusal, "{body}");
    }
}

#[test]
fn a_rotation_needs_no_body() {
    let rotation = parse_as(&[], Method::Post, "credentials/portal/rotate", "").unwrap();
    assert!(matches!(rotation, AdminRequest::RotateCredential(_, 0)), "{rotation:?}");
}

proptest! {
    #[test]
    fn no_bytes_panic(target in any::<String>(), body in any::<Vec<u8>>()) {
        for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
            for target in [target.as_str(), "users/42", "credentials", "credentials/portal", "credentials/portal/rotate"] {
                let mut request = request_for_test(method, &format!("/admin/v1/{target}"), &[JSON], "");
                request.body.clone_from(&body);
                let _ = AdminRequest::parse(&request);
            }
        }
    }
}
