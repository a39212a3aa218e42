use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "A/b+cdefghijklmnopqrstuvwxyz0123456789==";

/// A client as WHMCS lists it.
fn client() -> Value {
    json!({
        "credentialId": 5, "name": "", "description": "Billing", "grantTypes": "single_sign_on",
        "scope": "clientarea:sso clientarea:invoices", "clientIdentifier": "COMPANY-NAME.q1+/w==",
        "clientSecret": SECRET, "uuid": null, "serviceId": 12, "logoUri": "", "redirectUri": [""], "rsaKeyPairId": 0,
        "createdAt": "18th November 2016 9:32:24am", "updatedAt": "18th November 2016 9:32:24am",
    })
}

fn with(field: &str, value: Value) -> Value {
    let mut client = client();
    client[field] = value;
    client
}

fn list(clients: &[Value]) -> WhmcsList {
    let body = json!({"result": "success", "clients": clients}).to_string();
    WhmcsList::parse(body.as_bytes()).unwrap()
}

fn entry(client: Value) -> CredentialEntry {
    match list(&[client]).items().next().unwrap().content {
        Content::Entry(Entry::Credential(entry)) => *entry,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_becomes_a_credential_set_bound_to_the_owner_of_its_service() {
    let entry = entry(client());
    assert_eq!((entry.client_id.as_str(), entry.secret.expose()), ("COMPANY-NAME.q1+/w==", SECRET));
    assert_eq!((entry.number, entry.owner_of), (Some(5), OwnedId::parse("12")));
    let input = entry.input;
    assert_eq!((input.name.as_str(), input.description.as_str()), ("Service 12", "Billing"));
    assert_eq!((input.user_id, input.delegated, input.disabled), (None, false, false));
    assert_eq!((input.service_id, input.logo_uri, input.redirect_uris), (OwnedId::parse("12"), None, vec![]));
    assert_eq!(input.scopes, [Scope::BASE, Scope::parse("clientarea:invoices").unwrap()]);
    assert_eq!(input.grant_types, [GrantType::SingleSignOn]);
}

#[test]
fn fields_may_have_more_than_one_type() {
    assert_eq!(entry(with("credentialId", json!("5"))).number, Some(5));
    assert_eq!(entry(with("serviceId", json!("12"))).owner_of, OwnedId::parse("12"));
    assert_eq!(entry(with("redirectUri", json!("https://a.example/"))).input.redirect_uris, ["https://a.example/"]);
    assert_eq!(entry(with("redirectUri", json!(["a", "", "b"]))).input.redirect_uris, ["a", "b"]);
    for absent in ["redirectUri", "logoUri", "description", "name"] {
        assert_eq!(entry(with(absent, Value::Null)).input.name, "Service 12", "{absent}");
    }
    assert_eq!(entry(with("scope", json!(["clientarea:emails"]))).input.scopes.len(), 1);
    for grants in [json!("authorization_code single_sign_on"), json!(["authorization_code", "single_sign_on"])] {
        assert_eq!(entry(with("grantTypes", grants)).input.grant_types, [GrantType::SingleSignOn]);
    }
    // HTML entities are not decoded.
    assert_eq!(entry(with("name", json!("A &amp; B"))).input.name, "A &amp; B");
}

#[test]
fn each_mistake_has_its_reason() {
    let long = "x".repeat(100);
    for (client, reason) in [
        (json!(5), Reason::Client),
        (json!({}), Reason::Client),
        (json!(["a", SECRET, 5, "single_sign_on", "", 12]), Reason::Client),
        (with("name", json!(5)), Reason::Client),
        (with("scope", json!({})), Reason::Client),
        (with("clientSecret", Value::Null), Reason::Client),
        (with("credentialId", json!(1.5)), Reason::Client),
        (with("credentialId", json!(0)), Reason::CredentialId),
        (with("credentialId", json!(4_294_967_296_u64)), Reason::CredentialId),
        (with("credentialId", json!("+5")), Reason::CredentialId),
        (with("clientIdentifier", json!("a b")), Reason::ClientId),
        (with("grantTypes", json!("authorization_code")), Reason::GrantTypes),
        (with("grantTypes", json!("single_sign_on_x")), Reason::GrantTypes),
        (with("grantTypes", json!([])), Reason::GrantTypes),
        (with("clientSecret", json!("")), Reason::NoSecret),
        (with("clientSecret", json!("short")), Reason::SecretLength),
        (with("clientSecret", json!("0".repeat(64))), Reason::WeakSecret),
        (with("scope", json!("clientarea:sso openid")), Reason::UnknownScope("openid".into())),
        (with("scope", json!(long)), Reason::UnknownScope("x".repeat(64))),
        (with("serviceId", json!("")), Reason::ServiceId),
        (with("serviceId", json!("a b")), Reason::ServiceId),
        (with("serviceId", Value::Null), Reason::ServiceId),
    ] {
        match list(std::slice::from_ref(&client)).items().next().unwrap().content {
            Content::Refused(refused) => assert_eq!(refused, reason, "{client}"),
            other => panic!("{other:?} of {client}"),
        }
    }
}

#[test]
fn clients_are_counted_from_1_including_refused_ones() {
    let numbers = |clients: &[Value]| list(clients).items().map(|item| item.line).collect::<Vec<_>>();
    assert_eq!(numbers(&[]), [0; 0]);
    assert_eq!(
        numbers(&[client(), json!("],["), json!(5), json!(null), json!([[1], 2]), client()]),
        [1, 2, 3, 4, 5, 6]
    );
    let spaced =
        WhmcsList::parse(b"\xef\xbb\xbf{\"clients\" : [ 1 , \n {} ,\t\"a\" ] , \"result\":\"success\"}").unwrap();
    assert_eq!(spaced.items().count(), 3);
}

#[test]
fn a_body_that_is_not_a_list_is_refused() {
    let description = |body: &[u8]| WhmcsList::parse(body).err().unwrap().description;
    for body in [&b""[..], b"{", b"x", b"\xff", br#"{"result":"success","clients":[}"#] {
        assert_eq!(description(body), "The body is not JSON.", "{}", String::from_utf8_lossy(body));
    }
    for body in [
        "null",
        "[]",
        "{}",
        r#"["success",[]]"#,
        r#"{"result":"success"}"#,
        r#"{"result":"success","clients":{}}"#,
        r#"{"result":"success","clients":""}"#,
        r#"{"result":"error","clients":[]}"#,
        r#"{"result":"error","message":"Authentication Failed"}"#,
    ] {
        assert_eq!(
            description(body.as_bytes()),
            "The body is not a successful answer of ListOAuthCredentials.",
            "{body}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(body in any::<Vec<u8>>(), clients in "[\\[\\]{},:\"0-9a ]{0,30}") {
        let _ = WhmcsList::parse(&body);
        if let Ok(list) = WhmcsList::parse(format!(r#"{{"result":"success","clients":[{clients}]}}"#).as_bytes()) {
            let expected: Vec<Value> = serde_json::from_str(&format!("[{clients}]")).unwrap_or_default();
            prop_assert_eq!(list.items().count(), expected.len());
        }
    }
}
