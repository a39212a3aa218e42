//! The parameters of each action, and WHMCS's error messages.

use super::*;
use crate::http::Response;
use crate::time::Timestamp;
use crate::user::Status;
use crate::whmcs::Encoding;
use crate::whmcs::request::tests::params;
use serde_json::json;
use url::Url;

fn parse(name: ActionName, form: &str) -> Result<Action, ApiAnswer> {
    Action::parse(name, &params(form))
}

#[track_caller]
fn assert_error(name: ActionName, form: &str, message: &str) {
    let Response { status, body, .. } = parse(name, form).unwrap_err().into_response("", Encoding::Json);
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, body), (200, json!({"result": "error", "message": message})), "{form}");
}

#[test]
fn the_user_is_the_client_the_user_or_both() {
    for (form, user, user_parameter) in
        [("client_id=1", "1", "client_id"), ("user_id=2", "2", "user_id"), ("client_id=1&user_id=1", "1", "client_id")]
    {
        let user = UserId::parse(user).unwrap();
        let expected = CreateSsoToken { user, destination: None, inputs: DestinationInputs::default(), user_parameter };
        assert_eq!(parse(ActionName::CreateSsoToken, form), Ok(Action::CreateSsoToken(expected)), "{form}");
    }
}

#[test]
fn a_token_can_have_a_destination() {
    let form =
        "client_id=1&destination=sso:custom_redirect&sso_redirect_path=/cart.php%3Fa%3Dview%26b%3D2&service_id=5";
    let Ok(Action::CreateSsoToken(token)) = parse(ActionName::CreateSsoToken, form) else { panic!("{form}") };
    assert_eq!(token.destination, Some(Scope::CUSTOM_REDIRECT));
    assert_eq!(token.inputs.sso_redirect_path, RelativePath::parse("cart.php?a=view&b=2"));
    assert_eq!(token.inputs.service_id, OwnedId::parse("5"));
}

#[test]
fn each_invalid_token_parameter_has_its_message() {
    for (form, message) in [
        ("", "A valid client_id or user_id is required"),
        ("client_id=", "A valid client_id or user_id is required"),
        ("client_id=a%20b", "Invalid client_id"),
        ("user_id=%2e%2e", "Invalid user_id"),
        ("client_id=1&user_id=2", "Invalid user_id for client"),
        ("client_id=1&user_id=2&destination=nowhere", "Invalid destination"),
        ("client_id=1&destination=clientarea:homepage", "Invalid destination"),
        ("client_id=1&destination=clientarea:sso", "Invalid destination"),
        ("client_id=1&destination=nowhere", "Invalid destination"),
        (
            "client_id=1&service_id=a%20b",
            "Token could not be provisioned: invalid_request. The service_id is malformed.",
        ),
        (
            "client_id=1&sso_redirect_path=//evil.example",
            "Token could not be provisioned: invalid_request. The sso_redirect_path is not a path within the client area.",
        ),
    ] {
        assert_error(ActionName::CreateSsoToken, form, message);
    }
}

#[test]
fn a_refused_token_has_the_message_of_the_first_reason() {
    let area = ClientArea::new(Url::parse("https://my.example/").unwrap(), None).unwrap();
    let caller = ClientId::parse("api").unwrap();
    let account = |status, sso| Account {
        status,
        sso,
        services: OwnedId::parse("12").into_iter().collect(),
        domains: OwnedId::parse("34").into_iter().collect(),
        created_at: Timestamp::from_seconds(0),
        updated_at: Timestamp::from_seconds(0),
    };
    let (active, inactive) = (account(Status::Active, true), account(Status::Inactive, true));
    let (closed, off) = (account(Status::Closed, true), account(Status::Active, false));
    let blocked = Err("SSO authentication blocked for client 1".to_owned());
    let not_provisioned = |text: &str| Err(format!("Token could not be provisioned: invalid_request. {text}"));
    let needs = |input: &str| not_provisioned(&format!("The destination needs {input}."));
    let not_owned = || not_provisioned("The service or domain is not the client's.");
    for (account, user, rest, expected) in [
        (Some(&active), "client_id=1", "", Ok(())),
        (Some(&inactive), "user_id=1", "", Ok(())),
        (Some(&active), "client_id=1", "destination=clientarea:product_details&service_id=12", Ok(())),
        (Some(&active), "client_id=1", "destination=clientarea:domain_details&domain_id=34", Ok(())),
        (None, "client_id=1", "destination=clientarea:product_details", Err("Invalid client_id".to_owned())),
        (None, "user_id=1", "service_id=22", Err("Invalid user_id".to_owned())),
        (None, "client_id=1&user_id=1", "", Err("Invalid client_id".to_owned())),
        (Some(&closed), "client_id=1", "destination=clientarea:product_details", blocked.clone()),
        (Some(&off), "user_id=1", "service_id=22", blocked),
        (Some(&active), "client_id=1", "destination=clientarea:product_details&domain_id=35", needs("a service_id")),
        (Some(&active), "client_id=1", "destination=clientarea:domain_details", needs("a domain_id")),
        (Some(&active), "client_id=1", "destination=sso:custom_redirect", needs("an sso_redirect_path")),
        (Some(&active), "client_id=1", "destination=clientarea:product_details&service_id=22", not_owned()),
        (Some(&active), "client_id=1", "service_id=22", not_owned()),
        (Some(&active), "client_id=1", "domain_id=35", not_owned()),
    ] {
        let form = &format!("{user}&{rest}");
        let Ok(Action::CreateSsoToken(token)) = parse(ActionName::CreateSsoToken, form) else { panic!("{form}") };
        let expected = expected.map_err(|message| ApiAnswer::error(200, message));
        assert_eq!(token.grant(account, &area, &caller).map(drop), expected, "{form}");
    }
}

#[test]
fn a_credential_set_is_for_a_service() {
    let form = "grantType=single_sign_on&scope=clientarea:sso+clientarea:invoices&serviceId=12&redirectUri[]=a&redirectUri[]=b";
    let expected = CredentialInput {
        name: "Service 12".into(),
        grant_types: vec![GrantType::SingleSignOn],
        scopes: vec![Scope::BASE, Scope::parse("clientarea:invoices").unwrap()],
        service_id: OwnedId::parse("12"),
        redirect_uris: vec!["a".into(), "b".into()],
        ..CredentialInput::default()
    };
    assert_eq!(parse(ActionName::CreateOAuthCredential, form), Ok(Action::CreateCredential(expected)));
}

#[test]
fn each_invalid_parameter_of_a_credential_set_has_its_message() {
    let sso = "granttype=single_sign_on";
    for (form, message) in [
        ("", "A valid grant type is required."),
        ("grantType=authorization_code", r#"The requested grant type "authorization_code" is invalid."#),
        ("grantType=x", r#"The requested grant type "x" is invalid."#),
        (sso, "A service ID is required for the single sign-on grant type."),
        (&format!("{sso}&serviceId=12"), "At least one valid scope is required."),
        (&format!("{sso}&serviceId=12&scope=+"), "At least one valid scope is required."),
        (&format!("{sso}&serviceId=12&scope=clientarea:sso+openid"), r#"The requested scope "openid" is invalid."#),
        (&format!("{sso}&serviceId=a%20b&scope=clientarea:sso"), "A valid Service ID is required."),
    ] {
        assert_error(ActionName::CreateOAuthCredential, form, message);
    }
    let long = format!("granttype={}", "x".repeat(1_000));
    let message = format!(r#"The requested grant type "{}" is invalid."#, "x".repeat(64));
    assert_error(ActionName::CreateOAuthCredential, &long, &message);
}

#[test]
fn an_update_changes_only_given_fields() {
    let by_number = |n| CredentialReference::Number(Some(n));
    for (form, reference, change, reset_secret) in [
        ("credentialId=7", by_number(7), CredentialChange::default(), false),
        (
            "credentialId=7&clientApiIdentifier=x&resetSecret=true&serviceId=13&logoUri=l",
            by_number(7),
            CredentialChange {
                service_id: Some(OwnedId::parse("13")),
                logo_uri: Some(Some("l".into())),
                ..CredentialChange::default()
            },
            true,
        ),
        (
            "clientApiIdentifier=a%2B%2F%3D&name=N&description=&logoUri=&redirectUri=u",
            CredentialReference::ClientId(ClientId::parse("a+/=")),
            CredentialChange {
                name: Some("N".into()),
                description: Some(String::new()),
                logo_uri: Some(None),
                redirect_uris: Some(vec!["u".into()]),
                ..CredentialChange::default()
            },
            false,
        ),
    ] {
        let expected = UpdateCredential { reference, change, reset_secret };
        assert_eq!(parse(ActionName::UpdateOAuthCredential, form), Ok(Action::UpdateCredential(expected)), "{form}");
    }
}

#[test]
fn each_invalid_parameter_of_an_update_has_its_message() {
    for (form, message) in [
        ("", "A Credential ID or Client Identifier is required."),
        ("credentialId=1&grantType=x", r#"The requested grant type "x" is invalid."#),
        ("credentialId=1&scope=", "At least one valid scope is required."),
        ("credentialId=1&scope=x", r#"The requested scope "x" is invalid."#),
        ("credentialId=1&serviceId=", "A service ID is required for the single sign-on grant type."),
        ("credentialId=1&serviceId=a%20b", "A valid Service ID is required."),
    ] {
        assert_error(ActionName::UpdateOAuthCredential, form, message);
    }
}

#[test]
fn a_malformed_reference_is_an_unknown_set() {
    for form in ["credentialId=x", "credentialId=-1", "credentialId=4294967296"] {
        let deleted = Action::DeleteCredential(CredentialReference::Number(None));
        assert_eq!(parse(ActionName::DeleteOAuthCredential, form), Ok(deleted), "{form}");
    }
    for (reference, message) in [
        (CredentialReference::Number(None), "Invalid Credential ID provided."),
        (CredentialReference::ClientId(None), "Invalid Client Identifier provided."),
    ] {
        assert!(reference.unknown().into_response("", Encoding::Json).body.contains(message));
    }
}

#[test]
fn a_list_is_sorted_and_limited() {
    for (form, sort_field, is_descending, limit, grant_type_is_known) in [
        ("", "credentialId", false, 1_000, true),
        ("sortField=name&sortOrder=DESC&limit=5&grantType=single_sign_on", "name", true, 5, true),
        ("sortOrder=asc&limit=0", "credentialId", false, 1_000, true),
        ("limit=99999999&grantType=authorization_code", "credentialId", false, 1_000, false),
    ] {
        let expected = ListCredentials { sort_field: sort_field.into(), is_descending, limit, grant_type_is_known };
        assert_eq!(parse(ActionName::ListOAuthCredentials, form), Ok(Action::ListCredentials(expected)), "{form}");
    }
}

#[test]
fn numbers_sort_before_texts() {
    let mut values: Vec<_> =
        (0..60_u64).map(|n| if n % 3 == 0 { json!(format!("s{n}")) } else { json!(97 * n % 61) }).collect();
    values.push(Value::Null);
    values.sort_by(compare);
    let (numbers, rest) = values.split_at(40);
    assert!(numbers.is_sorted_by_key(|value| value.as_u64().unwrap()));
    let (texts, last) = rest.split_at(20);
    assert!(texts.is_sorted_by_key(|value| value.as_str().unwrap()));
    assert_eq!(last, [Value::Null]);
}

#[test]
fn rows_are_sorted_by_the_requested_field() {
    // 25 December 2026, 28 November 2026, 25 November 2026: the order of the times differs from that of the texts.
    let sets =
        [(10, "b", 1_798_156_800), (9, "c", 1_795_824_000), (11, "a", 1_795_564_800)].map(|(number, name, at)| {
            let stored = json!({
                "client_id": name, "name": name, "grant_types": ["single_sign_on"], "scopes": ["clientarea:sso"],
                "user_id": "42", "redirect_uris": [], "number": number, "disabled": false, "created_at": at,
                "updated_at": 2_000_000_000 - at, "secret": {"digest": "A".repeat(43)}, "description": "",
            });
            serde_json::from_value::<CredentialSet>(stored).unwrap()
        });
    for (form, numbers) in [
        ("", vec![9, 10, 11]),
        ("sortOrder=DESC", vec![11, 10, 9]),
        ("sortField=name", vec![11, 10, 9]),
        ("sortField=name&sortOrder=desc&limit=2", vec![9, 10]),
        ("sortField=createdAt", vec![11, 9, 10]),
        ("sortField=updatedAt", vec![10, 9, 11]),
        ("sortField=nothing", vec![10, 9, 11]),
    ] {
        let Ok(Action::ListCredentials(list)) = parse(ActionName::ListOAuthCredentials, form) else { panic!("{form}") };
        let arranged: Vec<_> = list.arrange(&sets).iter().map(|row| row["credentialId"].as_u64().unwrap()).collect();
        assert_eq!(arranged, numbers, "{form}");
    }
}
