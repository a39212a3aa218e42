//! Messages to and from Durable Objects.

use crate::edge::runtime::Fault;
use crate::json::error_place;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::wasm_bindgen::JsValue;
use worker::web_sys::{self, RequestInit};
use worker::{Env, Request};

/// Sends `message` to the object `name` of the namespace `binding`, and parses the reply. `hint` places a new object.
/// Costs one object request.
pub(super) async fn call<T: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    hint: Option<&str>,
    message: &impl Serialize,
) -> Result<T, Fault> {
    let answer = send(env, binding, name, hint, &serde_json::to_string(message)?).await?;
    serde_json::from_str(&answer).map_err(|error| Fault::Storage("object answer", error_place(&error)))
}

async fn send(env: &Env, binding: &str, name: &str, hint: Option<&str>, message: &str) -> Result<String, Fault> {
    let namespace = env.durable_object(binding).map_err(Fault::storage("object binding"))?;
    let stub = match hint {
        Some(hint) => namespace.get_by_name_with_location_hint(name, hint),
        None => namespace.get_by_name(name),
    };
    let stub = stub.map_err(Fault::storage("object stub"))?;
    let request = request(message).map_err(|error| Fault::storage("object request")(worker::Error::from(error)))?;
    let mut response = stub.fetch_with_request(request.into()).await.map_err(Fault::storage("object request"))?;
    if response.status_code() != 200 {
        return Err(Fault::Storage("object answer", format!("status {}", response.status_code())));
    }
    response.text().await.map_err(Fault::storage("object answer"))
}

fn request(message: &str) -> Result<web_sys::Request, JsValue> {
    let init = RequestInit::new();
    init.set_method("POST");
    init.set_body(&message.into());
    web_sys::Request::new_with_str_and_init("https://object/", &init)
}

/// Parses the message to this object.
///
/// # Errors
/// If the message is invalid. The platform returns the error to the sender, so the error contains nothing of the
/// message.
pub(super) async fn read<T: DeserializeOwned>(mut request: Request) -> worker::Result<T> {
    serde_json::from_str(&request.text().await?).map_err(|error| format!("message: {}", error_place(&error)).into())
}
