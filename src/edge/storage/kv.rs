//! Workers KV: credential sets, API credentials, token records and claims on services. KV is eventually consistent, so
//! the user's object decides on redemptions. KV decides only about clients that may sign in any user: whether a
//! delegated set or an API credential is revoked, and whether its sessions are ended.

use crate::credential::CredentialSet;
use crate::edge::runtime::{Fault, RequestContext};
use crate::id::{ClientId, TokenId};
use crate::json::error_place;
use crate::settings::TokenRecords;
use crate::store::{self, Page};
use crate::time::Timestamp;
use crate::token::{Claims, TokenRecord};
use crate::whmcs::ApiCredential;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{Env, KvStore};

/// The maximum number of keys in one read operation of KV.
const BULK: usize = 100;

/// A key and its value.
type Entry = (String, Option<String>);

/// The namespace `SIGNET_KV`.
pub(crate) struct Kv(KvStore);

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
        let is_delegated = |set: &CredentialSet| !set.disabled && set.binding.user().is_none();
        self.api_credential.is_some() || self.set.as_ref().is_some_and(is_delegated)
    }
}

/// Parses the value `text` of `key`. An error contains neither the id in the key nor any part of the value.
fn parse<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, Fault> {
    let kind = key.split(':').next().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| Fault::Storage("kv value", format!("{kind}: {}", error_place(&error))))
}

fn parse_entry<T: DeserializeOwned>((key, text): &Entry) -> Result<Option<T>, Fault> {
    text.as_ref().map(|text| parse(key, text)).transpose()
}

impl Kv {
    pub(crate) fn open(env: &Env) -> Result<Self, Fault> {
        env.kv("SIGNET_KV").map(Self).map_err(Fault::storage("kv binding"))
    }

    /// One KV read. An invalid value is a fault and not `None`: the answer must not be `invalid_client`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        let text = self.0.get(key).text().await.map_err(Fault::storage("kv get"))?;
        text.map(|text| parse(key, &text)).transpose()
    }

    /// One KV write. The record expires after `ttl` seconds, if given.
    pub(crate) async fn put<T: Serialize>(&self, key: &str, value: &T, ttl: Option<u64>) -> Result<(), Fault> {
        let mut put = self.0.put(key, serde_json::to_string(value)?).map_err(Fault::storage("kv put"))?;
        if let Some(seconds) = ttl {
            put = put.expiration_ttl(seconds);
        }
        put.execute().await.map_err(Fault::storage("kv put"))
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
            let mut values = self.0.get_bulk(keys).text().await.map_err(Fault::storage("kv get"))?;
            entries.extend(keys.iter().map(|key| (key.clone(), values.remove(key).flatten())));
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
        self.0.delete(key).await.map_err(Fault::storage("kv delete"))
    }

    /// A page of the records under a prefix, in the order of their keys. Skips records that were deleted after their keys
    /// were listed. Costs two KV operations.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<Page<T>, Fault> {
        let mut list = self.0.list().prefix(prefix.to_owned()).limit(limit);
        if let Some(cursor) = cursor {
            list = list.cursor(cursor);
        }
        let page = list.execute().await.map_err(Fault::storage("kv list"))?;
        let records: Vec<Option<T>> = self.get_each(page.keys.into_iter().map(|key| key.name).collect()).await?;
        let cursor = if page.list_complete { None } else { page.cursor };
        Ok(Page { records: records.into_iter().flatten().collect(), cursor })
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
