//! `/.well-known/…` and `/openapi.json`: what Signet tells everybody of itself.

use super::assertion_keys;
use super::fault::Trouble;
use super::site::Site;
use crate::http::Response;
use crate::oauth;
use crate::openapi;
use crate::route::Route;
use serde_json::json;

/// How long these documents may be kept. A new signing key should be published for as long before it signs.
const CACHED: (&str, &str) = ("Cache-Control", "public, max-age=300");

/// The authorization server's metadata (RFC 8414 section 3).
pub(super) fn metadata(site: &Site) -> Response {
    let document = oauth::metadata(&site.settings.issuer, Route::advertised());
    Response::json(200, &document).with(CACHED.0, CACHED.1)
}

/// The public keys of assertions (RFC 7517 section 5).
pub(super) async fn jwks(site: &Site) -> Result<Response, Trouble> {
    let keys = assertion_keys::published(&site.settings).await?;
    Ok(Response::json(200, &json!({"keys": keys})).with(CACHED.0, CACHED.1))
}

/// The description of the API.
pub(super) fn description() -> Response {
    Response::json_text(200, openapi::DOCUMENT.to_owned()).with(CACHED.0, CACHED.1)
}
