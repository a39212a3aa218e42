//! The request of each path and method.

use super::*;

const METHODS: [Method; 7] =
    [Method::Get, Method::Head, Method::Post, Method::Put, Method::Patch, Method::Delete, Method::Other];

/// A request in short, and what is missing if the answer is 404.
fn short(request: AdminRequest) -> String {
    match request {
        AdminRequest::User(user, request) => {
            let missing = request.missing();
            let noun = match &*missing.description {
                "Nothing is kept of such a user." | "There is nothing left to erase." => "trace",
                description => description.trim_start_matches("There is no such ").trim_end_matches('.'),
            };
            format!("{user}: {request:?} or no {noun}")
        }
        AdminRequest::Events { user, page } => format!("events of {user}: {}", list(page)),
        AdminRequest::Credential(request) => record(request),
        AdminRequest::RotateCredential(id, overlap) => format!("rotate {id} in {overlap}"),
        AdminRequest::EndCredentialSessions(id) => format!("end sessions of {id}"),
        AdminRequest::ApiCredential(request) => record(request),
        AdminRequest::EndApiCredentialSessions(id) => format!("end sessions of API credential {id}"),
        AdminRequest::GetToken(jti, user) => format!("get {jti} of {user:?}"),
        AdminRequest::RevokeToken(jti, user) => format!("revoke {jti} of {user:?}"),
    }
}

fn list(PageRequest { cursor, limit }: PageRequest) -> String {
    format!("list {limit} from {cursor:?}")
}

fn record<Input, Change>(request: RecordRequest<Input, Change>) -> String {
    match request {
        RecordRequest::Create(_) => "create".into(),
        RecordRequest::List(page) => list(page),
        RecordRequest::Get(id) => format!("get {id}"),
        RecordRequest::Patch(id, _) => format!("patch {id}"),
        RecordRequest::Delete { id, end_sessions: false } => format!("delete {id}"),
        RecordRequest::Delete { id, end_sessions: true } => format!("delete {id} and end its sessions"),
    }
}

/// Method, body, and the expected request in short.
type Requests = &'static [(Method, &'static str, &'static str)];

/// Each path with the value of `Allow` and its requests.
const ROUTES: [(&str, &str, Requests); 17] = [
    (
        "users/42",
        "GET, PUT, PATCH, DELETE",
        &[
            (Method::Get, "", "42: GetAccount or no account"),
            (
                Method::Put,
                r#"{"status":"Active"}"#,
                "42: PutAccount { account: AccountInput { status: Active, sso: None, services: {}, domains: {} }, end_sessions: false } or no account",
            ),
            (
                Method::Patch,
                r#"{"sso":false}"#,
                "42: PatchAccount { change: AccountChange { status: None, sso: Some(false), services: None, domains: None, \
                 remove_services: {}, remove_domains: {}, add_services: {}, add_domains: {} }, end_sessions: false } or no account",
            ),
            (Method::Delete, "", "42: DeleteAccount { erase: false } or no account"),
        ],
    ),
    (
        "users/42?end_sessions=true&erase=true",
        "GET, PUT, PATCH, DELETE",
        &[
            (Method::Get, "", "42: GetAccount or no account"),
            (
                Method::Put,
                r#"{"status":"Active"}"#,
                "42: PutAccount { account: AccountInput { status: Active, sso: None, services: {}, domains: {} }, end_sessions: true } or no account",
            ),
            (
                Method::Patch,
                "{}",
                "42: PatchAccount { change: AccountChange { status: None, sso: None, services: None, domains: None, \
                 remove_services: {}, remove_domains: {}, add_services: {}, add_domains: {} }, end_sessions: true } or no account",
            ),
            (Method::Delete, "", "42: DeleteAccount { erase: true } or no trace"),
        ],
    ),
    ("users/42/export", "GET", &[(Method::Get, "", "42: Export or no trace")]),
    (
        "users/42/sessions",
        "GET, DELETE",
        &[
            (Method::Get, "", "42: ListSessions(None) or no account"),
            (Method::Delete, "", "42: EndSessions(None) or no account"),
        ],
    ),
    (
        "users/42/sessions?client_id=a%2B",
        "GET, DELETE",
        &[
            (Method::Get, "", r#"42: ListSessions(Some(ClientId("a+"))) or no account"#),
            (Method::Delete, "", r#"42: EndSessions(Some(ClientId("a+"))) or no account"#),
        ],
    ),
    (
        "users/42/sessions/AQEBAQEBAQEBAQEBAQEBAQ",
        "DELETE",
        &[(Method::Delete, "", r#"42: EndSession(SessionId("AQEBAQEBAQEBAQEBAQEBAQ")) or no session"#)],
    ),
    ("users/42/events", "GET", &[(Method::Get, "", "events of 42: list 50 from None")]),
    (
        "credentials",
        "GET, POST",
        &[
            (Method::Get, "", "list 50 from None"),
            (Method::Post, r#"{"name":"P","scopes":[],"user_id":"42"}"#, "create"),
        ],
    ),
    (
        "credentials/portal",
        "GET, PATCH, DELETE",
        &[
            (Method::Get, "", "get portal"),
            (Method::Patch, r#"{"disabled":true}"#, "patch portal"),
            (Method::Delete, "", "delete portal"),
        ],
    ),
    (
        "credentials/portal?end_sessions=true",
        "GET, PATCH, DELETE",
        &[
            (Method::Get, "", "get portal"),
            (Method::Patch, "{}", "patch portal"),
            (Method::Delete, "", "delete portal and end its sessions"),
        ],
    ),
    ("credentials/portal/sessions", "DELETE", &[(Method::Delete, "", "end sessions of portal")]),
    ("api-credentials/panel/sessions", "DELETE", &[(Method::Delete, "", "end sessions of API credential panel")]),
    (
        "api-credentials/panel?end_sessions=true",
        "GET, PATCH, DELETE",
        &[
            (Method::Get, "", "get panel"),
            (Method::Patch, "{}", "patch panel"),
            (Method::Delete, "", "delete panel and end its sessions"),
        ],
    ),
    ("credentials/portal/rotate", "POST", &[(Method::Post, r#"{"overlap_seconds":60}"#, "rotate portal in 60")]),
    (
        "api-credentials",
        "GET, POST",
        &[
            (Method::Get, "", "list 50 from None"),
            (Method::Post, r#"{"name":"P","actions":["CreateSsoToken"]}"#, "create"),
        ],
    ),
    (
        "api-credentials/panel",
        "GET, PATCH, DELETE",
        &[
            (Method::Get, "", "get panel"),
            (Method::Patch, r#"{"allowed_addresses":["192.0.2.0/24"]}"#, "patch panel"),
            (Method::Delete, "", "delete panel"),
        ],
    ),
    (
        "tokens/AQEBAQEBAQEBAQEBAQEBAQ",
        "GET, DELETE",
        &[
            (Method::Get, "", "get AQEBAQEBAQEBAQEBAQEBAQ of None"),
            (Method::Delete, "", "revoke AQEBAQEBAQEBAQEBAQEBAQ of None"),
        ],
    ),
];

#[test]
fn each_path_has_its_methods_and_no_other() {
    for (path, allow, requests) in ROUTES {
        for method in METHODS {
            match requests.iter().find(|(allowed, _, _)| *allowed == method) {
                Some((_, body, expected)) => assert_eq!(short(parse(method, path, body).unwrap()), *expected),
                None => assert_eq!(
                    parse(method, path, "{}").err(),
                    Some(Failure::method_not_allowed(allow)),
                    "{method:?} {path}"
                ),
            }
        }
    }
}

#[test]
fn other_paths_are_not_found() {
    for path in [
        "",
        "users",
        "user/42",
        "Users/42",
        "users/42/",
        "users/42/session",
        "users/42/events/1",
        &format!("users/42/sessions/{JTI}/x"),
        "credentials/portal/",
        "credentials/portal/rotate/now",
        "credentials/portal/secret",
        "tokens",
        &format!("tokens/{JTI}/"),
        "%ff/42",
    ] {
        for method in METHODS {
            assert_eq!(parse(method, path, "{}").err(), Some(Failure::NOT_FOUND), "{method:?} {path}");
        }
    }
    let outside = request_for_test(Method::Get, "/admin/v2/users/42", &[], "");
    assert_eq!(AdminRequest::parse(&outside).err(), Some(Failure::NOT_FOUND));
}

#[test]
fn an_identifier_may_be_percent_encoded() {
    for (target, expected) in [
        ("credentials/a%2Fb%2B%3D", "get a/b+="),
        ("credentials/a+b", "get a+b"),
        ("credentials/rotate", "get rotate"),
        ("users/%34%32", "42: GetAccount or no account"),
    ] {
        assert_eq!(short(parse(Method::Get, target, "").unwrap()), expected, "{target}");
    }
    assert_eq!(short(parse(Method::Post, "credentials/a%2Frotate/rotate", "").unwrap()), "rotate a/rotate in 0");
}

#[test]
fn a_malformed_identifier_is_refused() {
    for target in [
        "users/..",
        "users/a%20b",
        "users/a%2Fb",
        "users/%C3%A9",
        "users/%FF",
        "users/",
        &format!("users/{}", "a".repeat(65)),
        "users/42/sessions/1",
        "users/42/sessions/",
        "credentials/a%20b",
        "credentials/a%3Ab",
        "credentials/%FF",
        "credentials/",
        &format!("credentials/{}", "a".repeat(129)),
        "tokens/1",
        "tokens/%FF",
        "tokens/AQEBAQEBAQEBAQEBAQEBA%3D",
    ] {
        assert_eq!(status(parse(Method::Delete, target, "")), Some(400), "{target}");
    }
    assert_eq!(status(parse(Method::Post, "credentials/a%3Ab/rotate", "")), Some(400));
}

#[test]
fn a_request_for_a_token_may_name_its_user() {
    for (query, expected) in [("", "None"), ("user_id=", "None"), ("user_id=42", r#"Some(UserId("42"))"#)] {
        for (method, verb) in [(Method::Get, "get"), (Method::Delete, "revoke")] {
            let request = parse(method, &format!("tokens/{JTI}?{query}"), "").unwrap();
            assert_eq!(short(request), format!("{verb} {JTI} of {expected}"), "{query}");
        }
    }
    assert_eq!(status(parse(Method::Get, &format!("tokens/{JTI}?user_id=a%20b"), "")), Some(400));
}

#[test]
fn a_boolean_in_the_query_is_true_or_false() {
    for (method, target, body) in [
        (Method::Put, "users/42?end_sessions=", r#"{"status":"Active"}"#),
        (Method::Patch, "users/42?end_sessions=", "{}"),
        (Method::Delete, "users/42?erase=", ""),
        (Method::Delete, "credentials/portal?end_sessions=", ""),
        (Method::Delete, "api-credentials/panel?end_sessions=", ""),
    ] {
        for (value, expected) in
            [("true", None), ("false", None), ("", None), ("1", Some(400)), ("yes", Some(400)), ("True", Some(400))]
        {
            assert_eq!(status(parse(method, &format!("{target}{value}"), body)), expected, "{target}{value}");
        }
    }
    for method in [Method::Get, Method::Delete] {
        assert_eq!(status(parse(method, "users/42/sessions?client_id=a%20b", "")), Some(400));
    }
}

#[test]
fn lists_have_a_limit_and_a_cursor() {
    for (query, expected) in [
        ("", "list 50 from None"),
        ("limit=1", "list 1 from None"),
        ("limit=100", "list 100 from None"),
        ("limit=&cursor=", "list 50 from None"),
        ("cursor=abc%3D", "list 50 from Some(\"abc=\")"),
        ("unknown=1", "list 50 from None"),
    ] {
        assert_eq!(short(parse(Method::Get, &format!("credentials?{query}"), "").unwrap()), expected, "{query}");
    }
    let events = parse(Method::Get, "users/42/events?cursor=7&limit=2", "").unwrap();
    assert_eq!(short(events), "events of 42: list 2 from Some(\"7\")");
}

#[test]
fn an_invalid_limit_is_refused() {
    for limit in ["0", "101", "-1", "1.5", "1e1", "x", "+1", "18446744073709551616"] {
        for list in ["credentials", "users/42/events"] {
            assert_eq!(status(parse(Method::Get, &format!("{list}?limit={limit}"), "")), Some(400), "{limit}");
        }
    }
    for list in ["credentials", "users/42/events"] {
        assert_eq!(status(parse(Method::Get, &format!("{list}?limit=1&limit=1"), "")), Some(400));
    }
}

#[test]
fn an_empty_application_does_not_mean_all() {
    for query in ["client_id=", "client_id"] {
        for method in [Method::Get, Method::Delete] {
            assert_eq!(
                status(parse(method, &format!("users/42/sessions?{query}"), "")),
                Some(400),
                "{method:?} {query}"
            );
        }
    }
}
