use super::*;
use crate::console::{Check, Count, Counters, Level, Notice, View};
use crate::credential::CredentialSet;
use crate::id::UserId;
use crate::log::Outcome;
use crate::secret::Secret;
use crate::settings::TokenRecords;
use crate::store::Page;
use crate::time::NOW_FOR_TEST as NOW;
use crate::time::Timestamp;
use crate::token::{KnownToken, TokenRecord};
use crate::user::{Account, Event, Fate, Session, TokenFate, session_for_test};
use crate::whmcs::ApiCredential;
use serde_json::json;

const EVIL: &str = r#""><script>alert(1)</script><img src=x onerror=alert(1)>"#;
fn frame() -> Frame<'static> {
    Frame { section: Section::Users, csrf_token: "proof", notice: Some(Notice::Saved) }
}

fn set(name: &str) -> CredentialSet {
    let digest = "A".repeat(43);
    serde_json::from_value(json!({
        "client_id": "a+/=", "name": name, "description": name, "grant_types": ["single_sign_on"],
        "scopes": ["clientarea:sso", "clientarea:invoices"], "user_id": "42", "logo_uri": name, "redirect_uris": [name],
        "disabled": false, "created_at": 1, "updated_at": 2, "secret": {"digest": digest},
    }))
    .unwrap()
}

fn api_credential(name: &str) -> ApiCredential {
    let digest = "A".repeat(43);
    serde_json::from_value(json!({
        "identifier": "api", "name": name, "actions": ["CreateSsoToken"], "allowed_addresses": ["192.0.2.0/24"],
        "created_at": 1, "updated_at": 2, "secret": {"digest": digest},
    }))
    .unwrap()
}

fn account(services: &[String]) -> Account {
    serde_json::from_value(
        json!({"status": "Active", "sso": true, "services": services, "domains": [], "created_at": 1, "updated_at": 2}),
    )
    .unwrap()
}

fn users(user_agent: &str) -> Response {
    let (id, account) = (UserId::parse("42").unwrap(), account(&["12".to_owned()]));
    let (address, browser) = (Some(user_agent.to_owned()), Some(user_agent.to_owned()));
    let session = Session { address, user_agent: browser, ..session_for_test() };
    let event: Event = serde_json::from_value(json!({
        "at": 1, "event": "sso.denied", "request_id": "r1", "reason": "closed", "client_id": "portal",
        "jti": "AQEBAQEBAQEBAQEBAQEBAQ", "address": user_agent, "user_agent": user_agent,
    }))
    .unwrap();
    let (sessions, events) = ([session], [(7, event)]);
    let page = UserPage {
        id: &id,
        account: &account,
        sessions: &sessions,
        events: &events,
        older: Some(user_agent.to_owned()),
    };
    user_page(&frame(), &page)
}

fn token_record() -> TokenRecord {
    serde_json::from_value(json!({
        "jti": "AQEBAQEBAQEBAQEBAQEBAQ", "user_id": "42", "client_id": "portal", "scope": "sso:custom_redirect",
        "issued_at": NOW, "expires_at": NOW.plus(60), "sso_redirect_path": "a.php?b=<i>",
    }))
    .unwrap()
}

fn settled_token() -> KnownToken {
    let TokenRecord { jti, user_id, client_id, .. } = token_record();
    KnownToken::Settled(user_id, jti, TokenFate { fate: Fate::Revoked, at: NOW, client_id: Some(client_id) })
}

/// Every page, with `text` in place of all texts from outside.
fn pages(text: &str) -> Vec<Response> {
    let page = |records| Page { records, cursor: None };
    let counts = [Count { day: NOW.day(), outcome: Outcome::Denied, reason: text.into(), count: 3 }];
    let check = Check { name: "Address", level: Level::Bad, finding: text.to_owned() };
    let secret = Secret::new(text);
    let failure = Failure { description: text.to_owned().into(), ..Failure::NOT_FOUND };
    vec![
        overview_page(&frame(), &Counters::new(&counts, NOW), TokenRecords::Kv),
        overview_page(&frame(), &Counters::new(&counts, NOW), TokenRecords::Off),
        health_page(&frame(), &[check]),
        credentials_page(&frame(), &page(vec![set(text)])),
        credential_page(&frame(), &set(text)),
        new_credential_page(&frame()),
        api_credentials_page(&frame(), &Page { records: vec![api_credential(text)], cursor: Some(text.to_owned()) }),
        api_credential_page(&frame(), &api_credential(text)),
        new_api_credential_page(&frame()),
        secret_page(&frame(), 201, text, (text, text), &secret, &View::Overview),
        users(text),
        find_user_page(&frame()),
        unknown_user_page(&frame(), &UserId::parse("42").unwrap()),
        find_token_page(&frame(), TokenRecords::Kv),
        find_token_page(&frame(), TokenRecords::Off),
        token_page(&frame(), &KnownToken::Recorded(token_record(), None), NOW),
        token_page(&frame(), &settled_token(), NOW),
        failure_page(&frame(), &failure),
        sign_in_page(&View::Credentials { cursor: Some(text.to_owned()) }, Some(&failure)),
        refusal_page(&failure),
        misdirected_page(Some("https://console.example")),
        misdirected_page(None),
    ]
}

#[test]
fn texts_from_outside_are_escaped() {
    for page in pages(EVIL) {
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains("<img") && !page.body.contains("<i>"),
            "{}",
            page.body
        );
    }
}

#[test]
fn every_page_has_a_strict_content_security_policy() {
    for page in pages("x") {
        let policy = page.header("Content-Security-Policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("form-action 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(policy.contains("script-src"), page.body.contains("<script>"), "{policy}");
        assert!(!page.body.contains(" style=") && !page.body.contains(" onclick"), "{}", page.body);
        assert_eq!(page.header("Referrer-Policy"), Some("same-origin"));
    }
}

#[test]
fn lists_that_are_too_long_for_a_form_are_left_out_of_it() {
    let id = UserId::parse("42").unwrap();
    let form_of = |count: usize| {
        let account = account(&(0..count).map(|n| format!("{n:064}")).collect::<Vec<_>>());
        user_page(&frame(), &UserPage { id: &id, account: &account, sessions: &[], events: &[], older: None }).body
    };
    let (listed, left_out) = (form_of(400), form_of(401));
    let account = account(&(0..400).map(|n| format!("{n:064}")).collect::<Vec<_>>());
    let services = account.services.iter().map(AsRef::as_ref).collect::<Vec<_>>().join("\r\n");
    let shown = serde_json::to_string(&account.services).unwrap();
    let largest = form_urlencoded::Serializer::new(String::new())
        .append_pair("shown", &shown)
        .append_pair("services", &services)
        .finish();
    assert!(largest.len() < 60_000, "the rest of the form fits too: {}", largest.len());
    assert!(listed.contains("<textarea id=\"services\"") && !listed.contains("too many"), "{listed}");
    assert!(!left_out.contains("<textarea") && left_out.contains("It owns 401 services and 0 domains."), "{left_out}");
    assert!(left_out.contains("name=\"status\"") && left_out.len() < 20_000, "{left_out}");
}

#[test]
fn every_form_that_changes_something_has_the_csrf_token() {
    for page in pages("x") {
        for form in page.body.split("<form").skip(1).filter(|form| form.contains("method=\"post\"")) {
            let form = form.split("</form>").next().unwrap();
            let is_sign_in = form.contains("admin_token");
            assert!(is_sign_in || form.contains(r#"name="csrf_token" value="proof""#), "{form}");
        }
    }
}

#[test]
fn only_the_page_of_a_new_secret_shows_one() {
    let shows = |page: &Response| page.body.contains("s3cret");
    let secret = Secret::new("s3cret");
    assert!(shows(&secret_page(&frame(), 201, "x", ("client_id", "a"), &secret, &View::Overview)));
    assert!(!pages("x").iter().any(shows));
    assert!(!pages("x").iter().any(|page| page.body.contains(&"A".repeat(43))), "not even its digest");
}
