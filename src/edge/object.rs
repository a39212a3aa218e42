//! Calling an object.

use super::fault::Fault;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Headers, Method, Request, RequestInit, Stub};

/// Sends `message` to an object and reads its reply: one object request.
pub(super) async fn call<T: DeserializeOwned>(stub: &Stub, message: &impl Serialize) -> Result<T, Fault> {
    let headers = Headers::new();
    headers.set("Content-Type", "application/json").map_err(Fault::storage("object request"))?;
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(headers).with_body(Some(serde_json::to_string(message)?.into()));
    let request = Request::new_with_init("https://object/", &init).map_err(Fault::storage("object request"))?;
    let mut response = stub.fetch_with_request(request).await.map_err(Fault::storage("object request"))?;
    if response.status_code() != 200 {
        return Err(Fault::Storage("object answer", format!("status {}", response.status_code())));
    }
    let text = response.text().await.map_err(Fault::storage("object answer"))?;
    serde_json::from_str(&text).map_err(|error| Fault::Storage("object answer", error.to_string()))
}

/// The fault of a reply that the command cannot have.
pub(super) fn unexpected(reply: &impl Serialize) -> Fault {
    let text = serde_json::to_string(reply).unwrap_or_default();
    let kind: String = text.chars().take_while(|c| *c != ':').collect();
    Fault::Internal("object reply", kind)
}
