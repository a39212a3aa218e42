//! What makes a token request, and what is wrong with those that are none.

use super::*;
use crate::http::{FORM_FOR_TEST as FORM, Method, request_for_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

mod client;
mod form;

/// A body that is right but for the client's credentials.
const GRANT: &str = "grant_type=single_sign_on";
/// A body that is right.
const BODY: &str = "grant_type=single_sign_on&client_id=portal&client_secret=s3cret";

const NO_CREDENTIALS: TokenError = TokenError::InvalidClient(ClientProblem::NoCredentials);

fn parse_as(target: &str, headers: &[(&str, &str)], body: &str) -> Result<TokenRequest, TokenError> {
    TokenRequest::parse(&request_for_test(Method::Post, target, headers, body))
}

fn parse(body: &str) -> Result<TokenRequest, TokenError> {
    parse_as("/oauth/token", &[FORM], body)
}

/// The right body and more.
fn parse_with(more: &str) -> Result<TokenRequest, TokenError> {
    parse(&format!("{BODY}&{more}"))
}

/// `Basic` and the base64 of `pair`.
fn basic(pair: impl AsRef<[u8]>) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn with_header(authorization: &str, body: &str) -> Result<TokenRequest, TokenError> {
    parse_as("/oauth/token", &[FORM, ("authorization", authorization)], body)
}

/// Id, secret, and the secret as it stood in the header if that is another.
fn presented(request: TokenRequest) -> (String, String, Option<String>) {
    let client = request.client;
    let undecoded = client.undecoded_secret.map(|secret| secret.expose().to_owned());
    (client.client_id.to_string(), client.secret.expose().to_owned(), undecoded)
}

fn told(error: TokenError) -> (u16, &'static str) {
    let failure = error.failure();
    (failure.status, failure.error.as_str())
}
