//! Requests, responses, time and random bytes, between the platform and plain data.

use super::fault::{Fault, Trouble};
use crate::http::{BODY_BYTES_MAX, Failure, Method, Request, Response};
use crate::time::Timestamp;
use futures_util::StreamExt as _;
use worker::js_sys::{Array, try_iter};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::{Date, Headers, ResponseBuilder, web_sys};

/// The current second.
pub(super) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Milliseconds since the epoch. The clock stands still while nothing is waited for.
pub(super) fn milliseconds() -> u64 {
    Date::now().as_millis()
}

/// Random bytes from the platform.
///
/// # Errors
/// When the platform has none. Nothing is made of fewer.
pub(super) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Internal("random", error.to_string()))?;
    Ok(bytes)
}

/// An id for the log and the answer. It need not be secret, so it may be missing.
pub(super) fn request_id() -> String {
    random::<8>().map_or_else(|_| "none".to_owned(), |bytes| bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Everything of a request but its body.
pub(super) fn read_head(request: &worker::Request) -> worker::Result<Request> {
    let url = request.url()?;
    Ok(Request {
        method: Method::parse(&request.inner().method()),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: request.headers().entries().collect(),
        is_secure: url.scheme() == "https",
        body: Vec::new(),
    })
}

/// The body of a request, read no further than the limit.
///
/// # Errors
/// 413 beyond [`BODY_BYTES_MAX`], 400 when it breaks off.
pub(super) async fn read_body(request: &mut worker::Request) -> Result<Vec<u8>, Trouble> {
    let mut body = Vec::new();
    if request.inner().body().is_none() {
        return Ok(body);
    }
    let broken = |_| Failure::bad_request("The request body could not be read.");
    let mut chunks = request.stream().map_err(broken)?;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(broken)?;
        if body.len().saturating_add(chunk.len()) > BODY_BYTES_MAX {
            return Err(Failure::BODY_TOO_LARGE.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The texts of a `multipart/form-data` body (RFC 7578), as the platform parses it. Files are left out.
///
/// # Errors
/// 400 when it is malformed.
pub(super) async fn read_multipart(content_type: &str, body: &mut [u8]) -> Result<Vec<(String, String)>, Trouble> {
    let form = parse_multipart(content_type, body).await;
    let entries = form.ok().and_then(|form| try_iter(&form).ok().flatten());
    let entries = entries.ok_or(Failure::bad_request("The body is not multipart/form-data."))?;
    let text = |pair: &Array, index| pair.get(index).as_string();
    let pairs = entries.filter_map(|entry| {
        let pair: Array = entry.ok()?.dyn_into().ok()?;
        Some((text(&pair, 0)?, text(&pair, 1)?))
    });
    Ok(pairs.collect())
}

async fn parse_multipart(content_type: &str, body: &mut [u8]) -> Result<JsValue, JsValue> {
    let headers = web_sys::Headers::new()?;
    headers.set("Content-Type", content_type)?;
    let init = web_sys::ResponseInit::new();
    init.set_headers(&headers);
    let wrapped = web_sys::Response::new_with_opt_u8_array_and_init(Some(body), &init)?;
    JsFuture::from(wrapped.form_data()?).await
}

/// Hands a response to the platform.
pub(super) fn write_response(response: Response) -> worker::Result<worker::Response> {
    let headers = Headers::new();
    for (name, value) in &response.headers {
        headers.append(name, value)?;
    }
    let builder = ResponseBuilder::new().with_status(response.status).with_headers(headers);
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body.into_bytes()) })
}
