//! Converts requests and responses between the platform and the core, and reads time and random bytes.

use super::run::settled;
use super::{Error, Fault};
use crate::http::{Failure, HeaderName, Headers, Hsts, Method, Request, Response, security_headers};
use crate::log::hexadecimal;
use crate::time::Timestamp;
use std::cell::RefCell;
use worker::js_sys::{Array, Date, Promise, Reflect, Uint8Array, try_iter};
use worker::wasm_bindgen::prelude::*;
use worker::web_sys::{
    self, ReadableStream, ReadableStreamDefaultReader, TransformStream, WritableStreamDefaultWriter,
};
use worker::{Env, wasm_bindgen};

#[wasm_bindgen(module = "/src/edge/runtime/platform.js")]
extern "C" {
    #[wasm_bindgen(catch)]
    fn head(request: &web_sys::Request) -> Result<String, JsValue>;
    #[wasm_bindgen(catch, js_name = bodyOf)]
    fn body_of(request: &web_sys::Request) -> Result<Option<Promise>, JsValue>;
    #[wasm_bindgen(catch, js_name = headersOf)]
    fn headers_of(lines: &str) -> Result<web_sys::Headers, JsValue>;
    #[wasm_bindgen(catch)]
    fn respond(status: u16, base: &web_sys::Headers, lines: &str, body: &JsValue)
    -> Result<web_sys::Response, JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn query(storage: &JsValue, lines: &str) -> Result<String, JsValue>;
    #[wasm_bindgen(catch)]
    pub(crate) fn execute(storage: &JsValue, lines: &str) -> Result<(), JsValue>;
    /// Those of `bindings` that `env` does not have. Each is written with one of its methods: `USERS.getByName`.
    pub(crate) fn unbound(env: &Env, bindings: &str) -> String;
    #[wasm_bindgen(catch, js_name = callObject)]
    pub(crate) fn call_object(
        env: &Env,
        binding: &str,
        name: &str,
        location_hint: Option<&str>,
        message: &str,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = kvGet)]
    pub(crate) fn kv_get(env: &Env, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = kvGetEach)]
    pub(crate) fn kv_get_each(env: &Env, keys: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = kvPut)]
    pub(crate) fn kv_put(env: &Env, key: &str, value: &str, expiration_ttl: Option<u32>) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = kvDelete)]
    pub(crate) fn kv_delete(env: &Env, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = kvList)]
    pub(crate) fn kv_list(env: &Env, prefix: &str, cursor: Option<&str>, limit: u32) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = isWithinLimit)]
    pub(crate) fn is_within_limit(env: &Env, binding: &str, key: &str) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_name = writeDataPoint)]
    pub(crate) fn write_data_point(
        env: &Env,
        binding: &str,
        event: &str,
        outcome: &str,
        reason: &str,
        client_id: &str,
        milliseconds: f64,
    ) -> Result<(), JsValue>;
}

/// How many random bytes are drawn at once.
const RANDOM_BYTES: usize = 512;

thread_local! {
    /// Random bytes that no call has received yet.
    static RANDOM: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    /// The security headers of every answer, made once per isolate for each policy.
    static SECURITY_HEADERS: RefCell<Vec<(Hsts, web_sys::Headers)>> = const { RefCell::new(Vec::new()) };
}

pub(crate) enum Answer {
    Signet(Response),
    /// An answer of Signet whose body is still being written. The writer of the body also records the decision.
    Streamed(Response, ReadableStream),
    /// An answer of the client area, in gateway mode.
    ClientArea(web_sys::Response),
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_millis(milliseconds())
}

/// Milliseconds since the Unix epoch. The platform advances the clock only during I/O.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number after 1970")]
pub(crate) fn milliseconds() -> u64 {
    Date::now() as u64
}

/// Whether `env` has `binding`, which is written as for [`unbound`].
pub(crate) fn is_bound(env: &Env, binding: &str) -> bool {
    unbound(env, binding).is_empty()
}

/// The text of an error that the platform throws.
pub(crate) fn error_text(error: &JsValue) -> String {
    let message = error.dyn_ref::<worker::js_sys::Error>().map(|error| error.to_string().into());
    message.or_else(|| error.as_string()).unwrap_or_else(|| format!("{error:?}"))
}

/// Random bytes from the platform. They are drawn for several calls at once, because each draw is a call of the platform.
///
/// # Errors
/// If the platform returns no random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], Fault> {
    RANDOM.with_borrow_mut(|drawn| {
        if drawn.len() < N {
            drawn.resize(N.max(RANDOM_BYTES), 0);
            getrandom::fill(drawn).map_err(|error| {
                drawn.clear();
                Fault::Internal("random", error.to_string())
            })?;
        }
        let rest = drawn.len().saturating_sub(N);
        let mut bytes = [0; N];
        for (byte, drawn) in bytes.iter_mut().zip(drawn.iter_mut().skip(rest)) {
            *byte = std::mem::take(drawn);
        }
        drawn.truncate(rest);
        Ok(bytes)
    })
}

/// An id for the log and the answer; `none` if there are no random bytes, because the id is not a secret.
pub(crate) fn request_id() -> String {
    random::<8>().map_or_else(|_| "none".to_owned(), |bytes| hexadecimal(bytes.iter()))
}

/// The request without its body.
///
/// # Errors
/// If the address is malformed.
pub(crate) fn read_head(incoming: &web_sys::Request) -> Result<Request, JsValue> {
    let head = head(incoming)?;
    let mut lines = head.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let (method, origin, path, search) = (Method::parse(next()), next().to_owned(), next().to_owned(), next());
    let query = search.strip_prefix('?').unwrap_or_default().to_owned();
    let field = |line: &str| {
        let (place, value) = line.split_once(' ')?;
        Some((*HeaderName::ALL.get(place.parse::<usize>().ok()?)?, value.to_owned()))
    };
    Ok(Request {
        method,
        path,
        query,
        headers: Headers::new(lines.filter_map(field).collect()),
        origin,
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
    pub(crate) fn of(incoming: &web_sys::Request, request: &Request) -> Result<Self, BodyError> {
        let body = incoming.body();
        let reader = body.map(|body| ReadableStreamDefaultReader::new(&body)).transpose().map_err(|_| BodyError)?;
        Ok(Self { reader, missing: request.content_length() })
    }

    /// The next chunk; `None` after the last.
    ///
    /// # Errors
    /// If the body ends early, or does not match its `Content-Length` (RFC 9112 section 8).
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, BodyError> {
        let Some(reader) = &self.reader else { return self.end() };
        let read = settled(reader.read()).await.map_err(|_| BodyError)?;
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

/// Reads a body of up to `longest` bytes: at once if its length is known, otherwise chunk by chunk.
///
/// # Errors
/// 413 for a longer body, 400 for an incomplete one.
pub(crate) async fn read_body(
    incoming: &web_sys::Request,
    request: &Request,
    longest: usize,
) -> Result<Vec<u8>, Failure> {
    const BROKEN: Failure = Failure::bad_request("The request body could not be read.");
    request.check_content_length(longest)?;
    if let Some(length) = request.content_length()
        && let Some(read) = body_of(incoming).map_err(|_| BROKEN)?
    {
        let body = settled(read).await.map_err(|_| BROKEN)?.unchecked_into::<Uint8Array>().to_vec();
        return if body.len() as u64 == length { Ok(body) } else { Err(BROKEN) };
    }
    let mut body = Vec::new();
    let mut chunks = Chunks::of(incoming, request).map_err(|BodyError| BROKEN)?;
    while let Some(chunk) = chunks.next().await.map_err(|BodyError| BROKEN)? {
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
    settled(wrapped.form_data()?).await
}

/// The platform's form of a response, with the security headers.
pub(crate) fn write_response(response: &Response, hsts: Hsts) -> Result<web_sys::Response, JsValue> {
    let body = if response.body.is_empty() { JsValue::NULL } else { response.body.as_str().into() };
    write(response, &body, hsts)
}

pub(crate) fn write_stream(
    response: &Response,
    body: &ReadableStream,
    hsts: Hsts,
) -> Result<web_sys::Response, JsValue> {
    write(response, body, hsts)
}

fn write(response: &Response, body: &JsValue, hsts: Hsts) -> Result<web_sys::Response, JsValue> {
    let own = response.headers.iter().map(|(name, value)| (*name, value.as_str()));
    respond(response.status, &base_headers(hsts)?, &lines(own)?, body)
}

fn base_headers(hsts: Hsts) -> Result<web_sys::Headers, JsValue> {
    SECURITY_HEADERS.with_borrow_mut(|known| {
        if let Some((_, headers)) = known.iter().find(|(policy, _)| *policy == hsts) {
            return Ok(headers.clone());
        }
        let headers = headers_of(&lines(security_headers(hsts))?)?;
        known.push((hsts, headers.clone()));
        Ok(headers)
    })
}

/// Headers as lines: a name, the next line its value.
///
/// # Errors
/// If a value has a line break, which would end it.
fn lines<'a>(headers: impl Iterator<Item = (&'a str, &'a str)>) -> Result<String, JsValue> {
    let mut lines = String::new();
    for (name, value) in headers {
        if value.contains('\n') {
            return Err("a header value has a line break".into());
        }
        for line in [name, value] {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(line);
        }
    }
    Ok(lines)
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
        settled(self.0.write_with_chunk(&chunk)).await.map(drop).map_err(|_| ClientGone)
    }

    pub(crate) async fn close(self) -> Result<(), ClientGone> {
        settled(self.0.close()).await.map(drop).map_err(|_| ClientGone)
    }
}
