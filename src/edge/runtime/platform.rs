//! Converts requests and responses between the platform and the core, and reads time and random bytes.

use super::{Error, Fault};
use crate::http::{Failure, Method, Request, Response};
use crate::time::Timestamp;
use worker::js_sys::{Array, Reflect, Uint8Array, try_iter};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::wasm_bindgen_futures::JsFuture;
use worker::web_sys::{ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStreamDefaultWriter};
use worker::{Date, Headers, ResponseBuilder, web_sys};

pub(crate) enum Answer {
    Signet(Response),
    /// An answer of Signet whose body is still being written. The writer of the body also records the decision.
    Streamed(Response, ReadableStream),
    /// An answer of the client area, in gateway mode.
    ClientArea(web_sys::Response),
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(Date::now().as_millis())
}

/// Milliseconds since the Unix epoch. The platform advances the clock only during I/O.
pub(crate) fn milliseconds() -> u64 {
    Date::now().as_millis()
}

/// Random bytes from the platform.
///
/// # Errors
/// If the platform returns no random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Fault::Internal("random", error.to_string()))?;
    Ok(bytes)
}

/// An id for the log and the answer; `none` if there are no random bytes, because the id is not a secret.
pub(crate) fn request_id() -> String {
    random::<8>().map_or_else(|_| "none".to_owned(), |bytes| bytes.iter().map(|b| format!("{b:02x}")).collect())
}

/// The request without its body.
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

/// Reads the body of a request chunk by chunk.
pub(crate) struct Chunks {
    reader: Option<ReadableStreamDefaultReader>,
    /// The bytes of the `Content-Length` that are not read yet; `None` without this header.
    missing: Option<u64>,
}

/// The body ended early, or does not match its `Content-Length`.
pub(crate) struct BodyError;

impl Chunks {
    pub(crate) fn of(incoming: &worker::Request, request: &Request) -> Result<Self, BodyError> {
        let body = incoming.inner().body();
        let reader = body.map(|body| ReadableStreamDefaultReader::new(&body)).transpose().map_err(|_| BodyError)?;
        Ok(Self { reader, missing: request.content_length() })
    }

    /// The next chunk; `None` after the last.
    ///
    /// # Errors
    /// If the body ends early, or does not match its `Content-Length` (RFC 9112 section 8).
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        let Some(reader) = &self.reader else { return self.end() };
        let read = JsFuture::from(reader.read()).await.map_err(|_| BodyError)?;
        let value = Reflect::get(&read, &"value".into()).map_err(|_| BodyError)?;
        if value.is_undefined() {
            return self.end();
        }
        let chunk = value.dyn_into::<Uint8Array>().map_err(|_| BodyError)?.to_vec();
        let without = |missing: u64| missing.checked_sub(chunk.len() as u64).ok_or(BodyError);
        self.missing = self.missing.map(without).transpose()?;
        Ok(Some(chunk))
    }

    fn end(&self) -> Result<Option<Vec<u8>>, BodyError> {
        if self.missing.is_none_or(|missing| missing == 0) { Ok(None) } else { Err(BodyError) }
    }
}

/// Reads a body of up to `longest` bytes.
///
/// # Errors
/// 413 for a longer body, 400 for an incomplete one.
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

/// The text fields of a `multipart/form-data` body (RFC 7578), parsed by the platform. Files are ignored.
///
/// # Errors
/// 400 if the body is malformed.
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

pub(crate) fn write_response(response: Response) -> worker::Result<worker::Response> {
    let builder = response_head(&response)?;
    Ok(if response.body.is_empty() { builder.empty() } else { builder.fixed(response.body.into_bytes()) })
}

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

/// Writes the body of an answer while it is sent.
pub(crate) struct Sink(WritableStreamDefaultWriter);

/// The client closed the connection.
pub(crate) struct ClientGone;

impl Sink {
    /// A sink, and the stream of what is written to it.
    pub(crate) fn new() -> Result<(Self, ReadableStream), Fault> {
        let fault = |error: JsValue| Fault::Internal("stream", format!("{error:?}"));
        let stream = TransformStream::new().map_err(fault)?;
        Ok((Self(stream.writable().get_writer().map_err(fault)?), stream.readable()))
    }

    /// Writes `text` and waits until it is read, so that memory holds one text at most.
    pub(crate) async fn write(&self, text: &str) -> Result<(), ClientGone> {
        let chunk = Uint8Array::from(text.as_bytes());
        JsFuture::from(self.0.write_with_chunk(&chunk)).await.map(drop).map_err(|_| ClientGone)
    }

    pub(crate) async fn close(self) -> Result<(), ClientGone> {
        JsFuture::from(self.0.close()).await.map(drop).map_err(|_| ClientGone)
    }
}
