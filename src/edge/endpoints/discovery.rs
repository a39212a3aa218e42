//! `/.well-known/…` and `/openapi.json`: the server's metadata, keys and API description.

use crate::edge::runtime::{Error, RequestContext, assertion_keys};
use crate::http::Response;
use crate::oauth;
use crate::openapi;
use crate::route::Route;
use serde_json::json;

/// Clients may cache these documents for five minutes. Publish a new signing key for at least as long before it signs.
const CACHED: (&str, &str) = ("Cache-Control", "public, max-age=300");

/// Authorization server metadata (RFC 8414 section 3).
pub(crate) fn metadata(context: &RequestContext) -> Response {
    let document = oauth::metadata(&context.settings.issuer, Route::advertised());
    Response::json(200, &document).with(CACHED.0, CACHED.1)
}

/// The public keys of assertions: a JWK Set (RFC 7517 section 5).
pub(crate) async fn jwks(context: &RequestContext) -> Result<Response, Error> {
    let keys = assertion_keys::published(&context.settings).await?;
    Ok(Response::json(200, &json!({"keys": keys})).with(CACHED.0, CACHED.1))
}

pub(crate) fn description() -> Response {
    Response::json_text(200, openapi::DOCUMENT.to_owned()).with(CACHED.0, CACHED.1)
}
