//! Compares the description with the code. tests/workerd/openapi.test.mjs compares it with the answers of the Worker.

use super::DOCUMENT;
use crate::admin::{AdminRequest, OVERLAP_SECONDS_MAX};
use crate::credential::{ClientProblem, CredentialChange, CredentialInput, GrantType};
use crate::destination::Scope;
use crate::http::{Failure, Method, Request, form_for_test, request_for_test};
use crate::import::{Content, WhmcsList};
use crate::oauth::{TokenError, TokenRequest};
use crate::route::Route;
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::user::{
    AccountChange, AccountInput, Actor, CredentialState, Denial, EventKind, Fate, SessionEnd, Status, TokenFate,
};
use crate::whmcs::{ActionName, ApiCredentialChange, ApiCredentialInput, ApiRequest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::fmt::Debug;

const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";
/// Every method that the router distinguishes, and its name in the document.
const METHODS: [(&str, Method); 7] = [
    ("get", Method::Get),
    ("head", Method::Head),
    ("post", Method::Post),
    ("put", Method::Put),
    ("patch", Method::Patch),
    ("delete", Method::Delete),
    ("trace", Method::Other),
];

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    object(value).keys().map(String::as_str).collect()
}

fn schema(name: &str) -> Value {
    document()["components"]["schemas"][name].clone()
}

/// A request for a path of the document, with values for its parameters.
fn request(method: Method, path: &str, body: &str) -> Request {
    let path = [
        ("{user_id}", "42"),
        ("{session_id}", JTI),
        ("{client_id}", "portal"),
        ("{identifier}", "panel"),
        ("{jti}", JTI),
    ]
    .iter()
    .fold(path.to_owned(), |path, (name, value)| path.replace(name, value));
    request_for_test(method, &path, &[("content-type", "application/json")], body)
}

/// The status if the router or the administration refuses a request.
fn refusal(request: &Request) -> Option<u16> {
    match Route::of(request) {
        Ok(Route::ClientArea) => Some(404),
        Ok(Route::Admin) => AdminRequest::parse(request).err().map(|failure| failure.status),
        Ok(Route::Whmcs) => ApiRequest::check_head(request, false).err().map(|failure| failure.status),
        Ok(_) => None,
        Err(failure) => Some(failure.status),
    }
}

#[test]
fn each_operation_is_served_and_no_other_method() {
    for (path, item) in object(&document()["paths"]) {
        for (name, method) in METHODS {
            let refusal = refusal(&request(method, path, ""));
            if item.get(name).is_some() {
                assert!(!matches!(refusal, Some(404 | 405)), "{name} {path}: {refusal:?}");
            } else if !["/oauth/session", "/admin/v1/import"].contains(&path.as_str())
                && (name != "head" || path.starts_with("/admin/"))
            {
                // The first path accepts any method, the second checks its method last. HEAD is allowed where GET is
                // (RFC 9110 section 9.3.2).
                assert_eq!(refusal, Some(405), "{name} {path}");
            }
        }
    }
}

#[test]
fn every_route_except_pages_is_described() {
    let document = document();
    let described = keys(&document["paths"]);
    for (path, route) in Route::paths() {
        let is_page = matches!(route, Route::Security | Route::Console);
        let is_below = |key: &str| path.ends_with('/') && key.starts_with(path) && !is_page;
        let is_described = described.iter().any(|key| *key == path || is_below(key));
        assert_eq!(is_described, !is_page, "{path}");
    }
}

#[track_caller]
fn assert_enum<T: Serialize>(name: &str, values: impl IntoIterator<Item = T>) {
    let values: Vec<_> = values.into_iter().map(|value| serde_json::to_value(value).unwrap()).collect();
    assert_eq!(schema(name)["enum"], Value::from(values), "{name}");
}

#[test]
fn each_enumeration_has_the_values_of_the_code() {
    assert_enum("Destination", Scope::destinations());
    assert_eq!(schema("Scope")["anyOf"][0]["const"], Scope::BASE.as_str());
    assert_enum("GrantType", GrantType::ALL);
    assert_enum("Status", Status::ALL);
    assert_enum("Denial", Denial::ALL);
    assert_enum("SessionEnd", SessionEnd::ALL);
    assert_enum("EventKind", EventKind::ALL);
    assert_enum("Actor", Actor::ALL);
    assert_enum("CredentialState", CredentialState::ALL);
    assert_enum("ActionName", ActionName::ALL);
}

#[test]
fn the_states_of_a_token_are_those_of_the_code() {
    let record = json!({
        "jti": JTI, "user_id": "42", "client_id": "portal", "scope": "clientarea:sso", "issued_at": 0, "expires_at": 60,
    });
    let record: TokenRecord = serde_json::from_value(record).unwrap();
    let at = Timestamp::from_seconds(1);
    let state = |fate: Option<Fate>, now| {
        let fate = fate.map(|fate| TokenFate { fate, at, client_id: None });
        record.to_json(fate.as_ref(), Timestamp::from_seconds(now)).unwrap()["state"].take()
    };
    let denied = Fate::Denied(Denial::Closed);
    let settled = [Fate::SignedIn, denied, Fate::Revoked].map(|fate| state(Some(fate), 60));
    let states: Vec<_> = [state(None, 59)].into_iter().chain(settled).chain([state(None, 60)]).collect();
    assert_enum("TokenState", states);
}

#[test]
fn the_errors_of_the_token_endpoint_are_those_of_the_code() {
    let mut codes = BTreeSet::new();
    for error in [
        Failure::REPEATED_PARAMETER.into(),
        TokenError::InvalidGrant,
        TokenError::UnauthorizedClient,
        TokenError::UnsupportedGrantType,
        TokenError::InvalidScope,
    ] {
        codes.insert(error.failure().error.as_str());
    }
    let documented = schema("TokenError")["properties"]["error"]["enum"].take();
    assert_eq!(
        documented.as_array().unwrap().iter().map(|code| code.as_str().unwrap()).collect::<BTreeSet<_>>(),
        codes
    );
    let invalid_client = TokenError::InvalidClient(ClientProblem::NoCredentials).failure().error.as_str();
    assert_eq!(schema("InvalidClientError")["properties"]["error"]["const"], invalid_client);
}

/// The names of the fields of `T`, read from serde's error for an unknown field.
fn fields<T: DeserializeOwned + Debug>() -> BTreeSet<String> {
    let message = serde_json::from_value::<T>(json!({"another": 0})).unwrap_err().to_string();
    message.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}

/// Asserts that the schema `name` has the fields of `T`, that it requires those that `T` requires, and that its example has all.
#[track_caller]
fn assert_body<T: DeserializeOwned + Debug>(name: &str) {
    let schema = schema(name);
    let names = keys(&schema["properties"]);
    assert_eq!(fields::<T>().iter().map(String::as_str).collect::<BTreeSet<_>>(), names, "{name}");
    assert_eq!(schema["additionalProperties"], false, "{name}");
    let example = &schema["examples"][0];
    assert_eq!(keys(example), names, "{name}");
    serde_json::from_value::<T>(example.clone()).unwrap();
    for field in names {
        let mut without = example.clone();
        without.as_object_mut().unwrap().remove(field);
        let is_required = schema["required"].as_array().is_some_and(|required| required.contains(&field.into()));
        assert_eq!(serde_json::from_value::<T>(without).is_err(), is_required, "{name} without {field}");
    }
}

#[test]
fn each_body_has_the_fields_of_its_type() {
    assert_body::<AccountInput>("AccountInput");
    assert_body::<AccountChange>("AccountChange");
    assert_body::<CredentialInput>("CredentialInput");
    assert_body::<CredentialChange>("CredentialChange");
    assert_body::<ApiCredentialInput>("ApiCredentialInput");
    assert_body::<ApiCredentialChange>("ApiCredentialChange");
    let rotation = schema("Rotation");
    assert_eq!(keys(&rotation["properties"]), ["overlap_seconds"].into());
    assert_eq!(rotation["properties"]["overlap_seconds"]["maximum"], OVERLAP_SECONDS_MAX);
}

#[test]
fn the_administration_accepts_each_example_and_no_other_field() {
    let mut accepted = 0;
    for (path, item) in object(&document()["paths"]) {
        for (name, method) in METHODS {
            let body = &item[name]["requestBody"]["content"]["application/json"]["schema"]["$ref"];
            let Some(body) = body.as_str() else { continue };
            let schema = schema(body.trim_start_matches("#/components/schemas/"));
            let mut example = schema["examples"][0].clone();
            if path == "/admin/v1/import" {
                let list = WhmcsList::parse(example.to_string().as_bytes()).ok().unwrap();
                assert!(list.items().all(|client| matches!(client.content, Content::Entry(_))));
                continue;
            }
            assert_eq!(refusal(&request(method, path, &example.to_string())), None, "{name} {path}");
            example["another"] = json!(0);
            assert_eq!(refusal(&request(method, path, &example.to_string())), Some(400), "{name} {path}");
            accepted += 1;
        }
    }
    assert_eq!(accepted, 7);
}

#[test]
fn each_parameter_of_a_token_request_belongs_in_the_body() {
    let (token, inquiry) = (schema("TokenForm"), schema("InquiryForm"));
    let refusal = |name: &str| {
        TokenRequest::parse(&form_for_test(&format!("/oauth/token?{name}=1"), "")).unwrap_err().failure().description
    };
    for name in keys(&token["properties"]).union(&keys(&inquiry["properties"])) {
        assert_eq!(refusal(name), "Parameters belong in the body, not in the address.", "{name}");
    }
    assert_ne!(refusal("another"), "Parameters belong in the body, not in the address.");
}

fn references<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_component_is_defined_and_used() {
    let document = document();
    let (mut used, mut defined) = (BTreeSet::new(), BTreeSet::new());
    references(&document, &mut used);
    for (kind, components) in object(&document["components"]).iter().filter(|(kind, _)| *kind != "securitySchemes") {
        defined.extend(keys(components).into_iter().map(|name| format!("#/components/{kind}/{name}")));
    }
    assert_eq!(used, defined.iter().map(String::as_str).collect());
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(document()["info"]["version"], env!("CARGO_PKG_VERSION"));
}
