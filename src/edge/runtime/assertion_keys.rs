//! Signs assertions and publishes their keys, by the runtime's WebCrypto.

use super::{Fault, run};
use crate::gateway::{Assertion, jwk, signing_input};
use crate::secret::AssertionKey;
use crate::settings::Settings;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::cell::OnceCell;
use std::rc::Rc;
use worker::js_sys::{Array, Object, Promise, Reflect, Uint8Array, global};
use worker::wasm_bindgen::{JsCast as _, JsValue};
use worker::web_sys::{CryptoKey, SubtleCrypto, WorkerGlobalScope};

thread_local! {
    /// The keys are imported once per isolate.
    static KEYS: OnceCell<Rc<[ImportedKey]>> = const { OnceCell::new() };
}

/// A private key, and its public key as a JWK.
struct ImportedKey {
    kid: String,
    key: CryptoKey,
    jwk: Value,
}

/// Signs an assertion with the first key: `header.payload.signature` (RFC 7515 section 3.1).
pub(crate) async fn sign(settings: &Settings, assertion: &Assertion) -> Result<String, Fault> {
    let keys = imported(settings).await?;
    let first = keys.first().ok_or_else(|| Fault::Internal("webcrypto", "there is no key".to_owned()))?;
    let mut text = signing_input(&first.kid, assertion)?;
    let algorithm = ecdsa(&[("hash", "SHA-256")])?;
    let promise = subtle()?.sign_with_object_and_u8_array(&algorithm, &first.key, text.as_bytes());
    let signature = Uint8Array::new(&settled(promise).await?).to_vec();
    text.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut text);
    Ok(text)
}

/// The public keys as JWKs (RFC 7517 section 4).
pub(crate) async fn published(settings: &Settings) -> Result<Vec<Value>, Fault> {
    Ok(imported(settings).await?.iter().map(|key| key.jwk.clone()).collect())
}

async fn imported(settings: &Settings) -> Result<Rc<[ImportedKey]>, Fault> {
    if let Some(keys) = KEYS.with(|cell| cell.get().cloned()) {
        return Ok(keys);
    }
    let mut keys = Vec::new();
    for key in settings.keys.assertion_keys() {
        keys.push(import(key).await?);
    }
    Ok(KEYS.with(|cell| Rc::clone(cell.get_or_init(|| keys.into()))))
}

/// Imports a private key as extractable, because WebCrypto derives the public key only by an export.
async fn import(key: &AssertionKey) -> Result<ImportedKey, Fault> {
    let algorithm = ecdsa(&[("namedCurve", "P-256")])?;
    let bytes = Uint8Array::from(key.to_pkcs8().as_slice());
    let usages = Array::of1(&"sign".into());
    let crypto = subtle()?;
    let imported: CryptoKey =
        settled(crypto.import_key_with_object("pkcs8", &bytes, &algorithm, true, &usages)).await?.unchecked_into();
    let exported = settled(crypto.export_key("jwk", &imported)).await?;
    let coordinate = |name: &str| {
        let value = Reflect::get(&exported, &name.into()).ok().and_then(|value| value.as_string());
        value.ok_or_else(|| Fault::Internal("webcrypto", format!("the exported key has no {name}")))
    };
    let jwk = jwk(key.kid(), &coordinate("x")?, &coordinate("y")?);
    Ok(ImportedKey { kid: key.kid().to_owned(), key: imported, jwk })
}

fn subtle() -> Result<SubtleCrypto, Fault> {
    Ok(global().unchecked_into::<WorkerGlobalScope>().crypto().map_err(failed)?.subtle())
}

fn ecdsa(more: &[(&str, &str)]) -> Result<Object, Fault> {
    let parameters = Object::new();
    for (name, value) in [("name", "ECDSA")].iter().chain(more) {
        Reflect::set(&parameters, &(*name).into(), &(*value).into()).map_err(failed)?;
    }
    Ok(parameters)
}

async fn settled(promise: Result<Promise, JsValue>) -> Result<JsValue, Fault> {
    run::settled(promise.map_err(failed)?).await.map_err(failed)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` passes the error itself")]
fn failed(error: JsValue) -> Fault {
    Fault::Internal("webcrypto", format!("{error:?}"))
}
