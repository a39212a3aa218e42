use super::*;
use crate::credential::{ClientAuthentication, CredentialChange, CredentialInput};
use crate::time::NOW_FOR_TEST as NOW;
use serde_json::{Value, json};

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

fn create(input: Value) -> Result<CredentialSet, String> {
    let input: CredentialInput = serde_json::from_value(input).map_err(|e| e.to_string())?;
    let id = ClientId::parse("portal").unwrap();
    input.into_set(id, &secret("s1"), NOW).map_err(str::to_owned)
}

fn bound() -> CredentialSet {
    create(json!({"name": "Portal", "scopes": ["clientarea:invoices"], "user_id": "42"})).unwrap()
}

fn credentials(id: &str, text: &str) -> ClientAuthentication {
    ClientAuthentication::parse(id, text).unwrap()
}

#[test]
fn stored_form_is_unchanged() {
    let stored = serde_json::to_string(&bound()).unwrap();
    let digest = serde_json::to_string(&SecretDigest::of(&secret("s1"))).unwrap();
    assert_eq!(
        stored,
        format!(
            concat!(
                r#"{{"client_id":"portal","name":"Portal","description":"","grant_types":["single_sign_on"],"#,
                r#""scopes":["clientarea:sso","clientarea:invoices"],"user_id":"42","disabled":false,"#,
                r#""created_at":1800000000,"updated_at":1800000000,"secret":{{"digest":{}}}}}"#
            ),
            digest
        )
    );
    assert_eq!(serde_json::from_str::<CredentialSet>(&stored).unwrap(), bound());
}

#[test]
fn a_set_has_its_imported_number_or_that_of_its_id() {
    let imported = CredentialSet { number: Some(7), ..bound() };
    let stored = serde_json::to_value(&imported).unwrap();
    assert_eq!(stored["number"], 7);
    assert_eq!(serde_json::from_value::<CredentialSet>(stored).unwrap(), imported);
    assert_eq!((imported.number(), bound().number()), (7, bound().client_id.number()));
}

#[test]
fn a_set_of_a_service_is_bound_and_has_a_service() {
    for (binding, service, is_of_service) in [
        (json!({"user_id": "42"}), json!(12), true),
        (json!({"user_id": "42"}), Value::Null, false),
        (json!({"delegated": true}), Value::Null, false),
        (json!({"delegated": true}), json!(12), false),
    ] {
        let mut input = json!({"name": "P", "scopes": [], "service_id": service});
        input.as_object_mut().unwrap().extend(binding.as_object().unwrap().clone());
        assert_eq!(create(input.clone()).unwrap().is_of_service(), is_of_service, "{input}");
    }
}

#[test]
fn a_delegated_set_survives_storage() {
    let set = create(json!({"name": "P", "scopes": [], "delegated": true})).unwrap();
    let stored = serde_json::to_value(&set).unwrap();
    assert_eq!(stored["delegated"], true);
    assert_eq!(stored.get("user_id"), None);
    assert_eq!(serde_json::from_value::<CredentialSet>(stored).unwrap(), set);
}

#[test]
fn a_set_is_bound_or_delegated_never_both_or_neither() {
    for invalid in [
        json!({"name": "P", "scopes": []}),
        json!({"name": "P", "scopes": [], "delegated": false}),
        json!({"name": "P", "scopes": [], "user_id": "1", "delegated": true}),
    ] {
        assert!(create(invalid.clone()).is_err(), "{invalid}");
    }
}

#[test]
fn invalid_fields_are_refused() {
    for invalid in [
        json!({"name": "", "scopes": [], "user_id": "1"}),
        json!({"name": "x".repeat(129), "scopes": [], "user_id": "1"}),
        json!({"name": "a\nb", "scopes": [], "user_id": "1"}),
        json!({"name": "P", "scopes": ["clientarea:homepage"], "user_id": "1"}),
        json!({"name": "P", "scopes": "clientarea:sso", "user_id": "1"}),
        json!({"name": "P", "user_id": "1"}),
        json!({"name": "P", "scopes": [], "user_id": "a b"}),
        json!({"name": "P", "scopes": [], "user_id": "1", "client_secret": "mine"}),
        json!({"name": "P", "scopes": [], "user_id": "1", "grant_types": ["authorization_code"]}),
        json!({"name": "P", "scopes": [], "user_id": "1", "description": "x".repeat(1025)}),
        json!({"name": "P", "scopes": [], "user_id": "1", "description": "a\0b"}),
        json!({"name": "P", "scopes": [], "user_id": "1", "redirect_uris": vec!["x"; 21]}),
        json!({"name": "P", "scopes": [], "user_id": "1", "redirect_uris": ["a\nb"]}),
    ] {
        assert!(create(invalid.clone()).is_err(), "{invalid}");
    }
    let described = create(json!({"name": "P", "scopes": [], "user_id": "1", "description": "a\r\n\tb"})).unwrap();
    assert_eq!(described.description, "a\r\n\tb");
}

#[test]
fn the_page_of_the_application_is_an_https_address() {
    let with = |uri: &str| create(json!({"name": "P", "scopes": [], "user_id": "1", "client_uri": uri}));
    for (uri, address) in [
        ("https://portal.example/billing?a=b", "https://portal.example/billing?a=b"),
        ("https://portal.example", "https://portal.example/"),
        ("https:portal.example", "https://portal.example/"),
        ("http://localhost:8787/", "http://localhost:8787/"),
    ] {
        let set = with(uri).unwrap();
        let stored: CredentialSet = serde_json::from_value(serde_json::to_value(&set).unwrap()).unwrap();
        assert_eq!((stored.client_uri.as_deref(), &stored), (Some(uri), &set));
        let link = ReturnLink { label: "Go back to P".into(), address: address.into() };
        assert_eq!(set.clone().into_return_link(), Some(link), "{uri}");
        assert_eq!(CredentialSet { disabled: true, ..set }.into_return_link(), None);
    }
    assert_eq!(bound().into_return_link(), None);
    let long = format!("https://portal.example/{}", "x".repeat(1024));
    for invalid in [
        "", "x", "/billing", "//portal.example/", "http://portal.example/", "javascript:alert(1)", "data:text/html,x",
        "https://", "https://u:p@portal.example/", "https://portal.example/#a", "https://portal.example/\n", &long,
    ] {
        assert!(with(invalid).is_err(), "{invalid:?}");
    }
    let clear: CredentialChange = serde_json::from_value(json!({"client_uri": null})).unwrap();
    assert_eq!(clear.apply(with("https://portal.example/").unwrap(), NOW).unwrap().client_uri, None);
    let set: CredentialChange = serde_json::from_value(json!({"client_uri": "ftp://portal.example/"})).unwrap();
    assert!(set.apply(bound(), NOW).is_err());
}

#[test]
fn a_change_touches_only_what_it_names() {
    let change: CredentialChange = serde_json::from_value(json!({"disabled": true})).unwrap();
    let later = NOW.plus(5);
    let changed = change.apply(bound(), later).unwrap();
    assert_eq!(changed, CredentialSet { disabled: true, updated_at: later, ..bound() });
    let with_service = CredentialSet { service_id: OwnedId::parse("12"), ..bound() };
    let keep: CredentialChange = serde_json::from_value(json!({})).unwrap();
    assert_eq!(keep.apply(with_service.clone(), NOW).unwrap().service_id, with_service.service_id);
    let clear: CredentialChange = serde_json::from_value(json!({"service_id": null})).unwrap();
    assert_eq!(clear.apply(with_service, NOW).unwrap().service_id, None);
    assert!(serde_json::from_value::<CredentialChange>(json!({"user_id": "43"})).is_err());
    assert!(serde_json::from_value::<CredentialChange>(json!({"delegated": true})).is_err());
}

#[test]
fn only_the_secret_of_the_set_authenticates_its_client() {
    let set = bound();
    for (id, secret, stored, is_authenticated) in [
        ("portal", "s1", Some(&set), true),
        ("portal", "s2", Some(&set), false),
        ("portal", "", Some(&set), false),
        ("other", "s1", Some(&set), false),
        ("portal", "s1", None, false),
    ] {
        assert_eq!(credentials(id, secret).authenticate(stored, NOW).is_ok(), is_authenticated, "{id} {secret}");
    }
}

#[test]
fn a_secret_that_was_not_form_encoded_is_accepted() {
    let both = |decoded: &str, undecoded: &str| ClientAuthentication {
        undecoded_secret: Some(secret(undecoded)),
        ..credentials("portal", decoded)
    };
    assert!(both("x", "s1").authenticate(Some(&bound()), NOW).is_ok());
    assert!(both("s1", "x").authenticate(Some(&bound()), NOW).is_ok());
    assert!(both("x", "y").authenticate(Some(&bound()), NOW).is_err());
}

#[test]
fn a_rotation_keeps_the_old_secret_for_its_overlap() {
    let stored = StoredSecret::new(&secret("old")).rotate(&secret("new"), 10, NOW);
    for (at, is_valid) in [(0, true), (9, true), (10, false), (11, false)] {
        assert_eq!(stored.verify(&secret("old"), NOW.plus(at)), is_valid, "after {at} s");
        assert!(stored.verify(&secret("new"), NOW.plus(at)));
    }
    let without_overlap = StoredSecret::new(&secret("old")).rotate(&secret("new"), 0, NOW);
    assert!(!without_overlap.verify(&secret("old"), NOW));
}

#[test]
fn during_a_rotation_only_the_newest_secret_is_current() {
    let stored = StoredSecret::new(&secret("old")).rotate(&secret("new"), 10, NOW);
    assert!(stored.is_current(&secret("new")));
    assert!(!stored.is_current(&secret("old")) && !stored.is_current(&secret("other")));
}

#[test]
fn a_second_rotation_ends_the_first_secret() {
    let twice = StoredSecret::new(&secret("a")).rotate(&secret("b"), 100, NOW).rotate(&secret("c"), 100, NOW);
    assert!(!twice.verify(&secret("a"), NOW));
    assert!(twice.verify(&secret("b"), NOW) && twice.verify(&secret("c"), NOW));
}
