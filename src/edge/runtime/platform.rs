//! Requests, responses, time and random bytes, between the platform and plain data.

use super::{Error, Fault};
use crate::http::{Failure, Method, Request, Response};
use crate::time::Timestamp;
use worker::js_sys::{Array, Reflect, Uint8Array, try_iter};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStreamDefaultWriter};
use worker::{Date, Headers, ResponseBuilder, web_sys};

/// An answer to a request.
pub(crate) enum Answer {
    /// Signet's own.
    Signet(Response),
    /// Signet's own, whose body is still being written. Whoever writes it records the decision.
    Streamed(Response, ReadableStream),
    /// The client area's, in gateway mode.
    ClientArea(web_sys::Response),
}

/// The current second.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Milliseconds since the epoch. The clock stands still while nothing is waited for.
pub(crate) fn milliseconds() -> u64 {
    Date::now().as_millis()
}

/// Random bytes from the platform.
///
/// # Errors
/// When the platform has none. Nothing is made of fewer.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Internal("random", error.to_string()))?;
    Ok(bytes)
}

/// An id for the log and the answer. It need not be secret, so it may be missing.
pub(crate) fn request_id() -> String {
    random::<8>().map_or_else(|_| "none".to_owned(), |bytes| bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// Everything of a request but its body.
pub(crate) fn read_head(request: &worker::Request) -> worker::Result<Request> {
    let url = request.url()?;
    Ok(Request {
        method: Method::parse(&request.inner().method()),
        path: url.path().to_owned(),
        query: url.query().unwrap_or_default().to_owned(),
        headers: request.headers().entries().collect(),
        origin: url.origin().ascii_serialization(),
        body: Vec::new(),
    })
}

/// The body of a request, read chunk by chunk.
pub(crate) struct Chunks {
    /// None if there is no body.
    reader: Option<ReadableStreamDefaultReader>,
    /// How many bytes are announced and not read yet, if their number was announced.
    missing: Option<u64>,
}

/// A body that broke off.
pub(crate) struct Broken;

impl Chunks {
    /// The body of `incoming`, whose head is `request`.
    pub(crate) fn of(incoming: &worker::Request, request: &Request) -> Result<Self, Broken> {
        let body = incoming.inner().body();
        let reader = body.map(|body| ReadableStreamDefaultReader::new(&body)).transpose().map_err(|_| Broken)?;
        Ok(Self { reader, missing: request.content_length() })
    }

    /// The next chunk; none after the last.
    ///
    /// # Errors
    /// When the body breaks off, or has another length than its `Content-Length` (RFC 9112 section 8).
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, Broken> {
        let Some(reader) = &self.reader else { return self.end() };
        let read = JsFuture::from(reader.read()).await.map_err(|_| Broken)?;
        let value = Reflect::get(&read, &"value".into()).map_err(|_| Broken)?;
        if value.is_undefined() {
            return self.end();
        }
        let chunk = value.dyn_into::<Uint8Array>().map_err(|_| Broken)?.to_vec();
        let without = |missing: u64| missing.checked_sub(chunk.len() as u64).ok_or(Broken);
        self.missing = self.missing.map(without).transpose()?;
        Ok(Some(chunk))
    }

    fn end(&self) -> Result<Option<Vec<u8>>, Broken> {
        if self.missing.is_none_or(|missing| missing == 0) { Ok(None) } else { Err(Broken) }
    }
}

/// The body of a request, read no further than `longest` bytes.
///
/// # Errors
/// 413 beyond that, 400 when it breaks off.
pub(crate) async fn read_body(
    incoming: &worker::Request,
    request: &Request,
    longest: usize,
) -> Result<Vec<u8>, Failure> {
    let broken = |_| Failure::bad_request("The request body could not be read.");
    let mut body = Vec::new();
    let mut chunks = Chunks::of(incoming, request).map_err(broken)?;
    while let Some(chunk) = chunks.next().await.map_err(broken)? {
        if body.len().saturating_add(chunk.len()) > longest {
            return Err(Failure::body_too_large(longest));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The texts of a `multipart/form-data` body (RFC 7578), as the platform parses it. Files are left out.
///
/// # Errors
/// 400 when it is malformed.
pub(crate) async fn read_multipart(content_type: &str, body: &mut [u8]) -> Result<Vec<(String, String)>, Error> {
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
pub(crate) fn write_response(response: Response) -> worker::Result<worker::Response> {
    let builder = response_head(&response)?;
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body.into_bytes()) })
}

/// Hands a response to the platform whose body is still to be written.
pub(crate) fn write_stream(response: &Response, body: ReadableStream) -> worker::Result<worker::Response> {
    Ok(response_head(response)?.stream(body))
}

fn response_head(response: &Response) -> worker::Result<ResponseBuilder> {
    let headers = Headers::new();
    for (name, value) in &response.headers {
        headers.append(name, value)?;
    }
    Ok(ResponseBuilder::new().with_status(response.status).with_headers(headers))
}

/// The body of an answer, written while it is sent.
pub(crate) struct Sink(WritableStreamDefaultWriter);

/// Nobody reads the answer any more.
pub(crate) struct Gone;

impl Sink {
    /// A sink, and the stream that brings what is written to it.
    pub(crate) fn new() -> Result<(Self, ReadableStream), Fault> {
        let fault = |error: JsValue| Fault::Internal("stream", format!("{error:?}"));
        let stream = TransformStream::new().map_err(fault)?;
        Ok((Self(stream.writable().get_writer().map_err(fault)?), stream.readable()))
    }

    /// Writes, and waits until it is read, so that no more is kept than that.
    pub(crate) async fn write(&self, text: &str) -> Result<(), Gone> {
        let chunk = Uint8Array::from(text.as_bytes());
        JsFuture::from(self.0.write_with_chunk(&chunk)).await.map(drop).map_err(|_| Gone)
    }

    /// Ends the body.
    pub(crate) async fn close(self) -> Result<(), Gone> {
        JsFuture::from(self.0.close()).await.map(drop).map_err(|_| Gone)
    }
}
