//! The requests of the administration API.

use super::*;
use crate::http::request_for_test;

mod body;
mod routes;

const JSON: (&str, &str) = ("content-type", "application/json");
const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

fn parse_as(headers: &[(&str, &str)], method: Method, target: &str, body: &str) -> Result<AdminRequest, Failure> {
    AdminRequest::parse(&request_for_test(method, &format!("/admin/v1/{target}"), headers, body))
}

fn parse(method: Method, target: &str, body: &str) -> Result<AdminRequest, Failure> {
    parse_as(&[JSON], method, target, body)
}

fn status(outcome: Result<AdminRequest, Failure>) -> Option<u16> {
    outcome.err().map(|failure| failure.status)
}

fn authenticate(headers: &[(&str, &str)]) -> Result<(), Failure> {
    let digest = SecretDigest::of(&Secret::new("the-administration-token"));
    AdminRequest::authenticate(&request_for_test(Method::Get, "/admin/v1/credentials", headers, ""), &digest)
}

#[test]
fn the_administration_token_is_accepted() {
    let token = "the-administration-token";
    for value in ["Bearer {}", "bearer {}", "BEARER {}", "Bearer   {}", "Bearer {} ", " Bearer  {}\t"] {
        assert_eq!(authenticate(&[("authorization", &value.replace("{}", token))]), Ok(()), "{value:?}");
    }
}

#[test]
fn a_missing_and_a_wrong_token_have_the_same_answer() {
    let missing = authenticate(&[]).unwrap_err();
    assert_eq!(missing.status, 401);
    assert_eq!(missing.header, Some(("WWW-Authenticate", r#"Bearer realm="signet administration""#)));
    for value in [
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        "Bearer the-administration-toke",
        "Bearer\tthe-administration-token",
        "Bearer the-administration-token\u{a0}",
        "Bearer The-Administration-Token",
        "Bearer the-administration-token, Bearer the-administration-token",
        "Basic the-administration-token",
        "the-administration-token",
    ] {
        assert_eq!(authenticate(&[("authorization", value)]), Err(missing.clone()), "{value:?}");
    }
    assert_eq!(authenticate(&[("cookie", "the-administration-token")]), Err(missing));
}
