//! Valid and invalid token requests.

use super::*;
use crate::http::{FORM_FOR_TEST as FORM, Method, request_for_test};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

mod client;
mod form;

/// A valid body without the client's credentials.
const GRANT: &str = "grant_type=single_sign_on";
/// A valid body.
const BODY: &str = "grant_type=single_sign_on&client_id=portal&client_secret=s3cret";

const NO_CREDENTIALS: TokenError = TokenError::InvalidClient(ClientProblem::NoCredentials);

fn parse_as(target: &str, headers: &[(&str, &str)], body: &str) -> Result<TokenRequest, TokenError> {
    TokenRequest::parse(&request_for_test(Method::Post, target, headers, body))
}

fn parse(body: &str) -> Result<TokenRequest, TokenError> {
    parse_as("/oauth/token", &[FORM], body)
}

/// [`BODY`] with `more` parameters.
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

/// The id, the secret, and the undecoded secret if it differs.
fn credentials(request: TokenRequest) -> (String, String, Option<String>) {
    let client = request.client;
    let undecoded = client.undecoded_secret.map(|secret| secret.expose().to_owned());
    (client.client_id.to_string(), client.secret.expose().to_owned(), undecoded)
}

fn status_and_code(error: TokenError) -> (u16, &'static str) {
    let failure = error.failure();
    (failure.status, failure.error.as_str())
}
