//! What the SSO endpoint takes, before a token is spent, and where it leads.

use super::*;
use crate::http::{FORM_FOR_TEST as FORM, form_for_test, request_for_test};
use crate::settings::tests::settings;

mod journey;
mod parse;

fn scope(text: &str) -> Option<Scope> {
    Some(Scope::parse(text).unwrap())
}

fn owned(text: &str) -> Option<OwnedId> {
    Some(OwnedId::parse(text).unwrap())
}

fn path(text: &str) -> Option<RelativePath> {
    Some(RelativePath::parse(text).unwrap())
}

fn get(query: &str) -> Result<SsoRequest, Failure> {
    SsoRequest::parse(&request_for_test(Method::Get, &format!("/oauth/singlesignon?{query}"), &[], ""))
}

fn post(query: &str, body: &str) -> Result<SsoRequest, Failure> {
    SsoRequest::parse(&form_for_test(&format!("/oauth/singlesignon?{query}"), body))
}

#[track_caller]
fn assert_refused<T>(outcome: Result<T, Failure>, error: &str, about: &str) {
    let failure = outcome.map(drop).unwrap_err();
    assert_eq!((failure.status, failure.error.as_str()), (400, error), "{about}");
}
