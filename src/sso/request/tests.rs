//! The requests that the SSO endpoint accepts.

use super::*;
use crate::http::{FORM_FOR_TEST as FORM, form_for_test, request_for_test};
use proptest::prelude::*;

pub(in crate::sso) fn get(query: &str) -> Result<SsoRequest, Failure> {
    SsoRequest::parse(&request_for_test(Method::Get, &format!("/oauth/singlesignon?{query}"), &[], ""))
}

fn post(query: &str, body: &str) -> Result<SsoRequest, Failure> {
    SsoRequest::parse(&form_for_test(&format!("/oauth/singlesignon?{query}"), body))
}

#[track_caller]
pub(in crate::sso) fn assert_refused<T>(outcome: Result<T, Failure>, error: &str, about: &str) {
    let failure = outcome.map(drop).unwrap_err();
    assert_eq!((failure.status, failure.error.as_str()), (400, error), "{about}");
}

fn navigation(headers: &[(&str, &str)]) -> Option<u16> {
    let request = request_for_test(Method::Get, "/oauth/singlesignon?access_token=t", headers, "");
    SsoRequest::check_navigation(&request).err().map(|failure| failure.status)
}

#[test]
fn a_prefetch_is_refused() {
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-purpose", "prefetch;prerender"),
        ("sec-purpose", "prefetch;anonymous-client-ip"),
        ("sec-purpose", "Prefetch"),
        ("purpose", "prefetch"),
        ("purpose", "PREFETCH"),
        ("x-purpose", "preview"),
        ("x-moz", "prefetch"),
    ] {
        assert_eq!(navigation(&[(name, value)]), Some(503), "{name}: {value}");
        let as_document = [(name, value), ("sec-fetch-dest", "document"), ("sec-fetch-mode", "navigate")];
        assert_eq!(navigation(&as_document), Some(503), "{name}: {value}");
    }
}

#[test]
fn only_a_top_level_navigation_is_accepted() {
    assert_eq!(navigation(&[]), None, "a browser without Fetch Metadata");
    for (dest, refusal) in [
        ("document", None),
        ("iframe", Some(403)),
        ("frame", Some(403)),
        ("embed", Some(403)),
        ("object", Some(403)),
        ("image", Some(403)),
        ("script", Some(403)),
        ("style", Some(403)),
        ("worker", Some(403)),
        ("empty", Some(403)),
        ("", Some(403)),
        ("Document", Some(403)),
        ("document, document", Some(403)),
        ("document, empty", Some(403)),
    ] {
        assert_eq!(navigation(&[("sec-fetch-dest", dest)]), refusal, "{dest:?}");
    }
}

#[test]
fn other_headers_do_not_make_a_prefetch() {
    for (name, value) in [("sec-purpose", ""), ("purpose", "visit"), ("x-moz", "1"), ("x-purpose", "prefetchless")] {
        assert_eq!(navigation(&[(name, value)]), None, "{name}: {value}");
    }
}

#[test]
fn every_parameter_is_read() {
    let query = "access_token=a.b.c&scope=clientarea:invoices&service_id=12&domain_id=34&sso_redirect_path=/x?y%3D1";
    for (request, is_post) in [(get(query), false), (post("", query), true), (post(query, ""), true)] {
        let request = request.unwrap();
        assert_eq!((request.access_token.expose(), request.is_post), ("a.b.c", is_post));
        assert_eq!(request.destination, Scope::parse("clientarea:invoices"));
        let inputs = DestinationInputs {
            service_id: OwnedId::parse("12"),
            domain_id: OwnedId::parse("34"),
            sso_redirect_path: RelativePath::parse("x?y=1"),
        };
        assert_eq!(request.inputs, inputs);
        assert!(request.switch.is_none());
    }
}

#[test]
fn a_token_alone_is_enough() {
    let request = get("access_token=t").unwrap();
    assert!(request.switch.is_none());
    assert_eq!((request.destination, request.inputs), (None, DestinationInputs::default()));
}

#[test]
fn a_post_may_be_split_between_query_and_form() {
    let request = post("access_token=t", "scope=clientarea:emails&switch=s").unwrap();
    assert_eq!(request.access_token.expose(), "t");
    assert_eq!(
        (request.destination, request.switch.as_ref().map(Secret::expose)),
        (Scope::parse("clientarea:emails"), Some("s"))
    );
}

#[test]
fn unknown_parameters_are_ignored() {
    for more in
        ["goto=clientarea:invoices", "goto=//evil.example", "redirect=https://evil.example", "restricted=1", "x"]
    {
        let request = get(&format!("access_token=t&{more}")).unwrap();
        assert_eq!((request.destination, request.inputs), (None, DestinationInputs::default()), "{more}");
    }
}

#[test]
fn the_token_is_required_once() {
    for query in ["", "access_token", "access_token=", "Access_Token=t", "token=t"] {
        assert_refused(get(query), "invalid_request", query);
    }
    for query in ["access_token=t&access_token=t", "access_token=t&access_token=", "access_token=&access%5Ftoken=t"] {
        assert_refused(get(query), "invalid_request", query);
    }
    assert_refused(post("access_token=t", "access_token=t"), "invalid_request", "query and form");
}

#[test]
fn no_parameter_is_repeated() {
    for name in ["scope", "service_id", "domain_id", "sso_redirect_path", "switch", "goto"] {
        let twice = format!("access_token=t&{name}=1&{name}=1");
        assert_eq!(get(&twice).err(), Some(Failure::REPEATED_PARAMETER), "{name}");
        let split = post(&format!("{name}=1"), &format!("access_token=t&{name}=1"));
        assert_eq!(split.err(), Some(Failure::REPEATED_PARAMETER), "{name}");
    }
}

#[test]
fn a_token_in_a_header_is_refused() {
    for value in ["Bearer t", "bearer x", "Basic YTpi", ""] {
        for target in ["/oauth/singlesignon?access_token=t", "/oauth/singlesignon"] {
            let request = request_for_test(Method::Get, target, &[("authorization", value)], "");
            assert_refused(SsoRequest::parse(&request), "invalid_request", value);
        }
    }
}

#[test]
fn the_body_of_a_post_is_a_form() {
    for headers in [
        vec![],
        vec![("content-type", "application/json")],
        vec![("content-type", "text/plain")],
        vec![("content-type", "multipart/form-data; boundary=x")],
        vec![("content-type", "application/x-www-form-urlencoded; charset=utf-16")],
    ] {
        let at = |body| request_for_test(Method::Post, "/oauth/singlesignon?access_token=t", &headers, body);
        assert_refused(SsoRequest::parse(&at("scope=")), "invalid_request", &format!("{headers:?}"));
        assert!(SsoRequest::parse(&at("")).is_ok(), "without a body {headers:?}");
    }
}

#[test]
fn a_scope_is_one_destination() {
    for destination in Scope::destinations() {
        let request = get(&format!("access_token=t&scope={}", destination.as_str())).unwrap();
        assert_eq!(request.destination, Some(destination));
    }
    for invalid in [
        "clientarea:sso",
        "clientarea:homepage",
        "clientarea:Invoices",
        "CLIENTAREA:INVOICES",
        "clientarea:../x",
        "clientarea:invoices+",
        "clientarea:invoices+clientarea:emails",
        "clientarea:invoices%00",
        "invoices",
        "//evil.example",
        &"x".repeat(10_000),
    ] {
        assert_refused(get(&format!("access_token=t&scope={invalid}")), "invalid_scope", invalid);
    }
}

#[test]
fn a_malformed_input_is_refused() {
    for more in [
        "service_id=a+b", "service_id=1%26x%3D2", "service_id=..%2F", "domain_id=%3Cb%3E", "domain_id=%00",
        "sso_redirect_path=//evil.example", "sso_redirect_path=/%5Cevil.example",
        "sso_redirect_path=https:evil.example", "sso_redirect_path=javascript:alert(1)", "sso_redirect_path=a/../../x",
        "sso_redirect_path=%0d%0aLocation:x",
    ] {
        assert_refused(get(&format!("access_token=t&{more}")), "invalid_request", more);
    }
}

#[test]
fn the_query_of_a_redirect_has_no_confirmation() {
    let query = "access_token=a.b&scope=sso%3Acustom_redirect&service_id=1&domain_id=2&sso_redirect_path=x%3Fy%3D%26";
    assert_eq!(get(&format!("{query}&switch=s&goto=g")).unwrap().to_query(false), query);
    let second = get(&format!("{query}&nonce=0")).unwrap();
    assert_eq!((second.has_nonce_parameter, second.to_query(true)), (true, format!("{query}&nonce=1")));
    assert!(
        !get(&format!("{query}&nonce=")).unwrap().has_nonce_parameter
            && get(&second.to_query(true)).unwrap().has_nonce_parameter
    );
    assert_eq!(get("access_token=%26%3D+%C3%A9").unwrap().to_query(false), "access_token=%26%3D+%C3%A9");
    let fields: Vec<_> = get("access_token=t&domain_id=2").unwrap().fields().map(|(n, v)| format!("{n}={v}")).collect();
    assert_eq!(fields, ["access_token=t", "domain_id=2"]);
}

proptest! {
    #[test]
    fn no_bytes_panic(query in any::<String>(), body in any::<Vec<u8>>()) {
        for method in [Method::Get, Method::Post] {
            let mut request = request_for_test(method, &format!("/oauth/singlesignon?{query}"), &[FORM], "");
            request.body.clone_from(&body);
            let _ = SsoRequest::parse(&request);
        }
    }

    #[test]
    fn any_token_is_unchanged_in_the_query_of_a_redirect(token in "\\PC{1,60}") {
        let encoded: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let again = get(&format!("access_token={encoded}")).unwrap().to_query(false);
        let request = get(&again).unwrap();
        prop_assert_eq!(request.access_token.expose(), token);
    }
}
