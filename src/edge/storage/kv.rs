//! Workers KV: credential sets, API credentials, token records and claims on services. KV is eventually consistent, so
//! the user's object decides on redemptions. KV decides only about clients that may sign in any user: whether a
//! delegated set or an API credential is revoked, and whether its sessions are ended.

use crate::credential::CredentialSet;
use crate::edge::runtime::platform::{error_text, kv_delete, kv_get, kv_get_each, kv_list, kv_put};
use crate::edge::runtime::run::settled;
use crate::edge::runtime::{Fault, RequestContext};
use crate::id::{ClientId, TokenId};
use crate::json::{self, error_place};
use crate::settings::TokenRecords;
use crate::store::{self, Page};
use crate::time::Timestamp;
use crate::token::{Claims, TokenRecord};
use crate::whmcs::ApiCredential;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use worker::Env;
use worker::js_sys::Promise;
use worker::wasm_bindgen::JsValue;

/// The maximum number of keys in one read operation of KV.
const BULK: usize = 100;

/// A key and its value.
type Entry = (String, Option<String>);

/// The binding's name in wrangler.toml.
pub(crate) const BINDING: &str = "SIGNET_KV";

/// The namespace `SIGNET_KV`.
pub(crate) struct Kv(Env);

/// A page of key names.
#[derive(Deserialize)]
struct Names {
    keys: Vec<String>,
    cursor: Option<String>,
}

/// The result of an operation of KV.
async fn done(operation: &'static str, promise: Result<Promise, JsValue>) -> Result<JsValue, Fault> {
    let fault = |error: JsValue| Fault::Storage(operation, error_text(&error));
    settled(promise.map_err(fault)?).await.map_err(fault)
}

/// The result of an operation of KV that returns JSON.
async fn read_json<T: DeserializeOwned>(
    operation: &'static str,
    promise: Result<Promise, JsValue>,
) -> Result<T, Fault> {
    Ok(json::parse(&done(operation, promise).await?.as_string().unwrap_or_default())?)
}

/// The records of one application.
pub(crate) struct Application {
    pub(crate) id: ClientId,
    pub(crate) set: Option<CredentialSet>,
    pub(crate) api_credential: Option<ApiCredential>,
    /// Sessions that the application opened at or before this time are ended.
    pub(crate) not_before: Option<Timestamp>,
}

impl Application {
    pub(crate) fn name(&self) -> Option<&str> {
        let set = self.set.as_ref().map(|set| &set.name);
        set.or_else(|| self.api_credential.as_ref().map(|credential| &credential.name)).map(String::as_str)
    }

    /// Whether the application may sign in any user: it is an API credential or an enabled delegated set. A set whose
    /// id was revoked and then imported for one user may not.
    pub(crate) fn may_sign_in_any_user(&self) -> bool {
        let is_delegated = |set: &CredentialSet| !set.disabled && set.delegated;
        self.api_credential.is_some() || self.set.as_ref().is_some_and(is_delegated)
    }
}

/// Parses the value `text` of `key`.
fn parse<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, Fault> {
    json::parse(text).map_err(|error| invalid_value(key, &error))
}

/// The fault contains neither the id in the key nor any part of the value.
fn invalid_value(key: &str, error: &serde_json::Error) -> Fault {
    let kind = key.split(':').next().unwrap_or_default();
    Fault::Storage("kv value", format!("{kind}: {}", error_place(error)))
}

fn parse_entry<T: DeserializeOwned>((key, text): &Entry) -> Result<Option<T>, Fault> {
    text.as_ref().map(|text| parse(key, text)).transpose()
}

impl Kv {
    pub(crate) fn open(env: &Env) -> Self {
        Self(env.clone())
    }

    /// One KV read. An invalid value is a fault and not `None`: the answer must not be `invalid_client`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        let text = done("kv get", kv_get(&self.0, key)).await?.as_string();
        text.map(|text| parse(key, &text)).transpose()
    }

    /// One KV write. The record expires after `ttl` seconds, if given.
    pub(crate) async fn put<T: Serialize>(&self, key: &str, value: &T, ttl: Option<u64>) -> Result<(), Fault> {
        let value = serde_json::to_string(value)?;
        let ttl = ttl.map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX));
        done("kv put", kv_put(&self.0, key, &value, ttl)).await.map(drop)
    }

    pub(crate) async fn credential(&self, client_id: &ClientId) -> Result<Option<CredentialSet>, Fault> {
        self.get(&store::credential_key(client_id)).await
    }

    /// The records of these applications, in their order. Ids must be distinct. Costs one KV read for up to 33 ids.
    pub(crate) async fn applications(&self, ids: &[&ClientId]) -> Result<Vec<Application>, Fault> {
        let keys =
            |id: &&ClientId| [store::credential_key(id), store::api_credential_key(id), store::not_before_key(id)];
        let entries = self.entries(ids.iter().flat_map(keys).collect()).await?;
        let (entries, _) = entries.as_chunks();
        let application = |(id, [set, api_credential, not_before]): (&&ClientId, &[Entry; 3])| {
            Ok(Application {
                id: (*id).clone(),
                set: parse_entry(set)?,
                api_credential: parse_entry(api_credential)?,
                not_before: parse_entry(not_before)?,
            })
        };
        ids.iter().zip(entries).map(application).collect()
    }

    /// The records of these keys, in their order. Keys must be distinct. Costs one KV read for up to [`BULK`] keys.
    pub(crate) async fn get_each<T: DeserializeOwned>(&self, keys: Vec<String>) -> Result<Vec<Option<T>>, Fault> {
        self.entries(keys).await?.iter().map(parse_entry).collect()
    }

    async fn entries(&self, keys: Vec<String>) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        for keys in keys.chunks(BULK) {
            let read = kv_get_each(&self.0, &serde_json::to_string(keys)?);
            let values: Vec<Option<String>> = read_json("kv get", read).await?;
            entries.extend(keys.iter().cloned().zip(values));
        }
        Ok(entries)
    }

    pub(crate) async fn put_credential(&self, set: &CredentialSet) -> Result<(), Fault> {
        self.put(&store::credential_key(&set.client_id), set, None).await
    }

    pub(crate) async fn api_credential(&self, identifier: &ClientId) -> Result<Option<ApiCredential>, Fault> {
        self.get(&store::api_credential_key(identifier)).await
    }

    pub(crate) async fn put_api_credential(&self, credential: &ApiCredential) -> Result<(), Fault> {
        self.put(&store::api_credential_key(&credential.identifier), credential, None).await
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), Fault> {
        done("kv delete", kv_delete(&self.0, key)).await.map(drop)
    }

    /// A page of the records under a prefix, in the order of their keys. Skips records that were deleted after their keys
    /// were listed. Costs two KV operations.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<Page<T>, Fault> {
        let listed = kv_list(&self.0, prefix, cursor.as_deref(), u32::try_from(limit).unwrap_or(u32::MAX));
        let names: Names = read_json("kv list", listed).await?;
        let records: Vec<Option<T>> = self.get_each(names.keys).await?;
        Ok(Page { records: records.into_iter().flatten().collect(), cursor: names.cursor })
    }

    pub(crate) async fn token_record(&self, jti: &TokenId) -> Result<Option<TokenRecord>, Fault> {
        self.get(&store::token_key(jti)).await
    }

    pub(crate) async fn put_token_record(&self, record: &TokenRecord) -> Result<(), Fault> {
        self.put(&store::token_key(&record.jti), record, Some(store::TOKEN_RECORD_TTL)).await
    }
}

/// Stores the record of an issued token after the answer, unless the setting `TOKEN_RECORDS` is off. A sign-in does not
/// need the record. Costs one KV write.
pub(crate) fn put_record_after_answer(kv: Kv, claims: &Claims, context: &RequestContext) {
    if context.settings.token_records == TokenRecords::Off {
        return;
    }
    let record = TokenRecord::from(claims);
    context.after_answer(async move { kv.put_token_record(&record).await });
}
