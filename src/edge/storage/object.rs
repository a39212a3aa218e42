//! Messages to and from Durable Objects.

use crate::edge::runtime::Fault;
use crate::edge::runtime::platform::{call_object, error_text};
use crate::edge::runtime::run::settled;
use crate::json::{error_place, parse};
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::Env;
use worker::wasm_bindgen::JsValue;

/// Sends `message` to the object `name` of the namespace `binding`, and parses the reply. `hint` places a new object.
/// Costs one object request.
pub(super) async fn call<T: DeserializeOwned>(
    env: &Env,
    binding: &str,
    name: &str,
    hint: Option<&str>,
    message: &impl Serialize,
) -> Result<T, Fault> {
    let fault = |error: JsValue| Fault::Storage("object request", error_text(&error));
    let reply = call_object(env, binding, name, hint, &serde_json::to_string(message)?).map_err(fault)?;
    let reply = settled(reply).await.map_err(fault)?.as_string().unwrap_or_default();
    parse(&reply).map_err(|error| Fault::Storage("object answer", error_place(&error)))
}

/// Parses the message to this object.
///
/// # Errors
/// If the message is invalid. The platform returns the error to the sender, so the error contains nothing of the
/// message.
pub(super) fn read<T: DeserializeOwned>(message: &str) -> worker::Result<T> {
    parse(message).map_err(|error| format!("message: {}", error_place(&error)).into())
}
