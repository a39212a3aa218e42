use super::*;

const CLIENT: &str = "portal";

fn parse(address: &str, body: &str) -> Result<FormAction, Failure> {
    FormAction::parse(crate::console::view_at(address).unwrap(), &Params::parse(b"", body.as_bytes()).unwrap())
}

/// The request that a form makes, in short.
fn request(address: &str, body: &str) -> String {
    match parse(address, body).unwrap().request {
        AdminRequest::User(user, UserRequest::PutAccount { account, end_sessions }) => {
            format!("{user} put {}, end_sessions: {end_sessions}", serde_json::to_string(&account).unwrap())
        }
        AdminRequest::User(user, UserRequest::PatchAccount { change, end_sessions }) => {
            format!("{user} patch {}, end_sessions: {end_sessions}", serde_json::to_string(&change).unwrap())
        }
        AdminRequest::User(user, request) => format!("{user} {request:?}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn each_form_of_a_user_is_one_command() {
    for (body, expected) in [
        (
            "action=save&status=Inactive&sso=on&services=12,+13%0D%0A14&domains=a.example",
            r#"1 put {"status":"Inactive","sso":true,"services":["12","13","14"],"domains":["a.example"]}, end_sessions: false"#,
        ),
        (
            "action=save&status=Closed&services=&domains=&end_sessions=on",
            r#"1 put {"status":"Closed","sso":false,"services":[],"domains":[]}, end_sessions: true"#,
        ),
        ("action=end_sessions", "1 EndSessions(None)"),
        ("action=end_sessions&client_id=a%2B", r#"1 EndSessions(Some(ClientId("a+")))"#),
        (
            "action=end_session&session_id=AQEBAQEBAQEBAQEBAQEBAQ",
            r#"1 EndSession(SessionId("AQEBAQEBAQEBAQEBAQEBAQ"))"#,
        ),
        ("action=delete&confirmed=yes", "1 DeleteAccount { erase: false }"),
        ("action=delete&confirmed=yes&erase=on", "1 DeleteAccount { erase: true }"),
    ] {
        assert_eq!(request("/admin/users/1", body), expected, "{body}");
    }
}

#[test]
fn only_the_changed_fields_of_a_shown_account_are_written() {
    let shown = r#"{"status":"Active","sso":true,"services":["12","13"],"domains":[]}"#;
    for (fields, expected) in [
        ("status=Active&sso=on&services=12%0D%0A13&domains=", "{}"),
        ("status=Closed&sso=on&services=12%0D%0A13&domains=", r#"{"status":"Closed"}"#),
        ("status=Active&services=12%0D%0A13&domains=", r#"{"sso":false}"#),
        ("status=Active&sso=on&services=12&domains=a.example", r#"{"services":["12"],"domains":["a.example"]}"#),
    ] {
        let body =
            form_urlencoded::Serializer::new(format!("action=save&{fields}")).append_pair("shown", shown).finish();
        for (end, is_end) in [("", false), ("&end_sessions=on", true)] {
            let expected = format!("1 patch {expected}, end_sessions: {is_end}");
            assert_eq!(request("/admin/users/1", &format!("{body}{end}")), expected, "{fields}");
        }
    }
    // Lists that are too long for the form are neither in `shown` nor in the fields.
    let body = form_urlencoded::Serializer::new("action=save&status=Closed".to_owned())
        .append_pair("shown", r#"{"status":"Active","sso":false}"#)
        .finish();
    assert_eq!(request("/admin/users/1", &body), r#"1 patch {"status":"Closed"}, end_sessions: false"#);
    assert_eq!(parse("/admin/users/1", "action=save&status=Active&shown=x").unwrap_err().status, 400);
}

#[test]
fn a_new_set_is_bound_or_delegated() {
    let created = |body: &str| match parse("/admin/credentials/new", body).unwrap().request {
        AdminRequest::Credential(RecordRequest::Create(input)) => input,
        other => panic!("{other:?}"),
    };
    let bound = created(
        "name=+P+&user_id=42&clientarea:invoices=on&redirect_uris=https://a.example/?b=1,2%0D%0A%0D%0A+https://b.example+",
    );
    assert_eq!((bound.name.as_str(), bound.user_id, bound.delegated), ("P", UserId::parse("42"), false));
    assert_eq!(bound.scopes, [Scope::parse("clientarea:invoices").unwrap()]);
    assert_eq!(bound.redirect_uris, ["https://a.example/?b=1,2", "https://b.example"]);
    let delegated = created(
        "name=P&user_id=42&delegated=on&service_id=12&logo_uri=https://a.example/l.png&client_uri=https://a.example/",
    );
    assert_eq!((delegated.user_id, delegated.delegated), (None, true));
    assert_eq!(
        (delegated.service_id, delegated.logo_uri.as_deref(), delegated.client_uri.as_deref()),
        (OwnedId::parse("12"), Some("https://a.example/l.png"), Some("https://a.example/"))
    );
}

#[test]
fn each_form_of_a_set_is_one_request() {
    let address = format!("/admin/credentials/{CLIENT}");
    let change = |body: &str| match parse(&address, body).unwrap().request {
        AdminRequest::Credential(RecordRequest::Patch(id, change)) => {
            assert_eq!(id.as_str(), CLIENT);
            change
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(change("action=disable").disabled, Some(true));
    assert_eq!(change("action=enable").disabled, Some(false));
    let saved =
        change("action=save&name=N&description=a%0D%0Ab&clientarea:emails=on&service_id=&logo_uri=&client_uri=");
    assert_eq!((saved.name.as_deref(), saved.service_id), (Some("N"), Some(None)));
    assert_eq!((saved.logo_uri, saved.client_uri), (Some(None), Some(None)));
    assert_eq!(saved.description.as_deref(), Some("a\nb"));
    assert_eq!((saved.disabled, saved.grant_types, saved.redirect_uris), (None, None, Some(vec![])));
    for (body, expected) in [
        ("action=rotate&overlap_seconds=3600", r#"RotateCredential(ClientId("portal"), 3600)"#),
        ("action=end_sessions", r#"EndCredentialSessions(ClientId("portal"))"#),
        ("action=revoke&confirmed=on", r#"Credential(Delete { id: ClientId("portal"), end_sessions: false })"#),
        (
            "action=revoke&confirmed=on&end_sessions=on",
            r#"Credential(Delete { id: ClientId("portal"), end_sessions: true })"#,
        ),
    ] {
        assert_eq!(request(&address, body), expected);
    }
}

#[test]
fn each_form_of_tokens_and_api_credentials_is_one_request() {
    let jti = "AQEBAQEBAQEBAQEBAQEBAQ";
    assert_eq!(
        request(&format!("/admin/tokens/{jti}"), "action=revoke&confirmed=on"),
        format!("RevokeToken(TokenId({jti:?}), None)")
    );
    let body = "name=P&CreateSsoToken=on&allowed_addresses=192.0.2.1+2001:db8::/32";
    let action = parse("/admin/api-credentials/new", body).unwrap();
    let AdminRequest::ApiCredential(RecordRequest::Create(input)) = action.request else { panic!() };
    assert_eq!(input.actions, [ActionName::CreateSsoToken]);
    let addresses: Vec<_> = input.allowed_addresses.into_iter().map(AddressRange::to_text).collect();
    assert_eq!(addresses, ["192.0.2.1", "2001:db8::/32"]);
    let address = "/admin/api-credentials/api";
    assert!(request(address, "action=save&name=P").starts_with(r#"ApiCredential(Patch(ClientId("api"), "#));
    assert_eq!(request(address, "action=end_sessions"), r#"EndApiCredentialSessions(ClientId("api"))"#);
    for (body, end_sessions) in
        [("action=revoke&confirmed=on", false), ("action=revoke&confirmed=on&end_sessions=on", true)]
    {
        let expected = format!(r#"ApiCredential(Delete {{ id: ClientId("api"), end_sessions: {end_sessions} }})"#);
        assert_eq!(request(address, body), expected);
    }
}

#[test]
fn an_invalid_or_unconfirmed_form_is_refused() {
    let jti = "AQEBAQEBAQEBAQEBAQEBAQ";
    for (address, body) in [
        ("/admin/users/1".to_owned(), "action=save&status=Active&services=a/b"),
        ("/admin/users/1".to_owned(), "action=save&status=active"),
        ("/admin/users/1".to_owned(), "action=end_session"),
        ("/admin/users/1".to_owned(), "action=delete"),
        ("/admin/users/1".to_owned(), "action=delete&erase=on"),
        ("/admin/users/1".to_owned(), "action=end_sessions&client_id=a+b"),
        ("/admin/users/1".to_owned(), "action=rotate"),
        ("/admin/users/1".to_owned(), ""),
        ("/admin/credentials/p".to_owned(), "action=revoke"),
        ("/admin/credentials/p".to_owned(), "action=rotate&overlap_seconds=2592001"),
        ("/admin/credentials/p".to_owned(), "action=rotate"),
        ("/admin/credentials/p".to_owned(), "action=save&name=x&service_id=a+b"),
        ("/admin/credentials/new".to_owned(), "name=x&user_id=a+b"),
        (format!("/admin/tokens/{jti}"), "action=revoke"),
        (format!("/admin/tokens/{jti}"), "action=save"),
        ("/admin/api-credentials/a".to_owned(), "action=revoke"),
        ("/admin/api-credentials/a".to_owned(), "action=save&name=x&allowed_addresses=example.com"),
        ("/admin/health".to_owned(), "action=save"),
        ("/admin/credentials".to_owned(), "name=x"),
    ] {
        assert_eq!(parse(&address, body).unwrap_err().status, 400, "{address} {body}");
    }
}
