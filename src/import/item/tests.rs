use super::*;
use crate::user::Status;
use proptest::prelude::*;
use serde_json::{Value, json};

const SECRET: &str = "8f14e45fceea167a5a36dedd4bea2543";

fn content(bytes: &[u8]) -> Content {
    Item::parse(&RawLine { number: 7, bytes: Some(bytes.to_vec()) }).content
}

fn account() -> Value {
    json!({"user_id": "42", "account": {"status": "Active", "sso": false, "services": [12], "domains": ["d"]}})
}

fn credential() -> Value {
    let set = json!({"name": "Portal", "scopes": ["clientarea:invoices"], "user_id": "42"});
    json!({"client_id": "acme", "client_secret": SECRET, "credential": set})
}

/// `value` with the field at `path` added or replaced.
fn with(mut value: Value, path: &[&str], field: Value) -> Vec<u8> {
    let target = path.iter().fold(&mut value, |value, name| &mut value[*name]);
    *target = field;
    value.to_string().into_bytes()
}

#[track_caller]
fn assert_refused(line: &[u8], reason: Reason) {
    match content(line) {
        Content::Refused(refused) => assert_eq!(refused, reason, "{}", String::from_utf8_lossy(line)),
        other => panic!("{other:?} of {}", String::from_utf8_lossy(line)),
    }
}

#[test]
fn an_account_has_the_fields_of_put() {
    let Content::Entry(Entry::Account(user, input)) = content(account().to_string().as_bytes()) else { panic!() };
    assert_eq!((user.as_str(), input.status, input.sso), ("42", Status::Active, Some(false)));
    assert_eq!((input.services.len(), input.domains.len()), (1, 1));
    let least = br#" {"account": {"status": "Closed"}, "user_id": "a.b"}	"#;
    assert!(matches!(content(least), Content::Entry(Entry::Account(_, input)) if input.sso.is_none()));
}

#[test]
fn a_credential_set_has_the_fields_of_post_and_an_id_and_a_secret() {
    let Content::Entry(Entry::Credential(entry)) = content(credential().to_string().as_bytes()) else { panic!() };
    assert_eq!((entry.client_id.as_str(), entry.secret.expose(), entry.number), ("acme", SECRET, None));
    assert_eq!((entry.input.name.as_str(), entry.owner_of), ("Portal", None));
}

#[test]
fn a_line_of_white_space_is_blank() {
    for blank in ["", " ", "\r", "\t \r"] {
        assert!(matches!(content(blank.as_bytes()), Content::Blank), "{blank:?}");
    }
}

#[test]
fn a_line_that_ends_with_a_carriage_return_is_valid() {
    let line = format!("{}\r", account());
    assert!(matches!(content(line.as_bytes()), Content::Entry(Entry::Account(..))));
}

#[test]
fn each_mistake_has_its_reason() {
    let long = |length: usize| json!("äbcdéfghiÿ".chars().cycle().take(length - 1).chain(['z']).collect::<String>());
    for (line, reason) in [
        (b"\xff".to_vec(), Reason::NotUtf8),
        (b"{".to_vec(), Reason::NotJson),
        (b"x".to_vec(), Reason::NotJson),
        (b"{}{}".to_vec(), Reason::NotJson),
        (format!("\u{feff}{}", account()).into_bytes(), Reason::NotJson),
        (b"null".to_vec(), Reason::NeitherKind),
        (b"[]".to_vec(), Reason::NeitherKind),
        (br#"["42",{"status":"Active"}]"#.to_vec(), Reason::NeitherKind),
        (b"{}".to_vec(), Reason::NeitherKind),
        (br#"{"user_id":"42"}"#.to_vec(), Reason::NeitherKind),
        (br#"{"account":{"status":"Active"}}"#.to_vec(), Reason::NeitherKind),
        (br#"{"user_id":"1","user_id":"2","account":{"status":"Active"}}"#.to_vec(), Reason::NeitherKind),
        (with(account(), &["account"], Value::Null), Reason::NeitherKind),
        (with(account(), &["client_id"], json!("acme")), Reason::NeitherKind),
        (with(account(), &["more"], json!(1)), Reason::NeitherKind),
        (with(credential(), &["client_secret"], Value::Null), Reason::NeitherKind),
        (with(credential(), &["user_id"], json!("42")), Reason::NeitherKind),
        (with(account(), &["user_id"], json!(42)), Reason::UserId),
        (with(account(), &["user_id"], json!("a b")), Reason::UserId),
        (with(account(), &["account"], json!([])), Reason::Account),
        (with(account(), &["account"], json!(["Active"])), Reason::Account),
        (with(account(), &["account", "status"], json!("active")), Reason::Account),
        (with(account(), &["account", "more"], json!(1)), Reason::Account),
        (with(account(), &["account", "services"], json!(["a b"])), Reason::Account),
        (with(credential(), &["client_id"], json!("a b")), Reason::ClientId),
        (with(credential(), &["client_id"], json!("")), Reason::ClientId),
        (with(credential(), &["client_secret"], json!("")), Reason::SecretLength),
        (with(credential(), &["client_secret"], json!(5)), Reason::SecretLength),
        (with(credential(), &["client_secret"], long(31)), Reason::SecretLength),
        (with(credential(), &["client_secret"], long(1025)), Reason::SecretLength),
        (with(credential(), &["client_secret"], json!("x".repeat(32))), Reason::WeakSecret),
        (with(credential(), &["client_secret"], json!("changeme".repeat(4))), Reason::WeakSecret),
        (with(credential(), &["credential"], json!("x")), Reason::Credential),
        (with(credential(), &["credential"], json!(["P", "", [], [], "42"])), Reason::Credential),
        (with(credential(), &["credential", "scopes"], json!(["clientarea:homepage"])), Reason::Credential),
        (with(credential(), &["credential", "client_secret"], json!(SECRET)), Reason::Credential),
    ] {
        assert_refused(&line, reason);
    }
    for length in [32, 1024] {
        let line = with(credential(), &["client_secret"], long(length));
        assert!(matches!(content(&line), Content::Entry(Entry::Credential(_))), "{length} characters");
    }
    let too_long = Item::parse(&RawLine { number: 7, bytes: None });
    assert!(matches!(too_long.content, Content::Refused(Reason::TooLong)) && too_long.line == 7);
}

#[test]
fn no_reason_quotes_a_secret() {
    for path in [vec!["client_id"], vec!["credential"], vec!["credential", "scopes"], vec!["credential", "name"]] {
        for value in [json!(null), json!(5), json!(SECRET), json!([SECRET])] {
            if let Content::Refused(reason) = content(&with(credential(), &path, value)) {
                assert!(!reason.text().contains(SECRET), "{reason:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = content(&bytes);
    }

    #[test]
    fn no_damage_to_a_valid_line_panics(at in 0_usize..200, byte in any::<u8>()) {
        for line in [account(), credential()] {
            let mut bytes = line.to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = content(&bytes);
        }
    }
}
