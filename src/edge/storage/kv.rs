//! Workers KV: credential sets and token records. It is eventually consistent, so no decision on a redemption rests on it, with
//! one exception: no user's object knows delegated sets and API credentials, so KV says whether they are revoked and whether
//! the sessions that they opened are ended.

use crate::credential::CredentialSet;
use crate::edge::runtime::{Fault, RequestContext};
use crate::id::{ClientId, TokenId};
use crate::json::error_place;
use crate::store::{self, Page};
use crate::time::Timestamp;
use crate::token::{Claims, TokenRecord};
use crate::whmcs::ApiCredential;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Display;
use worker::{Env, KvStore};

/// How many keys KV reads in one operation, at most.
const BULK: usize = 100;

/// A key, and the value there if there is one.
type Entry = (String, Option<String>);

/// The namespace `SIGNET_KV`.
pub(crate) struct Kv(KvStore);

/// What KV holds of an application.
pub(crate) struct Application {
    /// Its id.
    pub(crate) id: ClientId,
    /// Its credential set.
    pub(crate) set: Option<CredentialSet>,
    /// Its API credential.
    pub(crate) api_credential: Option<ApiCredential>,
    /// The moment up to which its sessions are ended.
    pub(crate) not_before: Option<Timestamp>,
}

impl Application {
    /// Its name.
    pub(crate) fn name(&self) -> Option<&str> {
        let set = self.set.as_ref().map(|set| &set.name);
        set.or_else(|| self.api_credential.as_ref().map(|credential| &credential.name)).map(String::as_str)
    }

    /// Whether tokens that it asked for are redeemed, whoever their user is. Those of a set that was revoked, and whose id was bound
    /// to one user since then, are not.
    pub(crate) fn signs_in_anybody(&self) -> bool {
        let is_delegated = |set: &CredentialSet| !set.disabled && set.binding.user().is_none();
        self.api_credential.is_some() || self.set.as_ref().is_some_and(is_delegated)
    }
}

fn failed<E: Display>(operation: &'static str) -> impl FnOnce(E) -> Fault {
    move |error| Fault::Storage(operation, error.to_string())
}

/// The record in `text`, which is the value at `key`. An error names neither the id in the key nor anything of the value.
fn parse<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, Fault> {
    let kind = key.split(':').next().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| Fault::Storage("kv value", format!("{kind}: {}", error_place(&error))))
}

/// The record at a key, if there is one.
fn parse_entry<T: DeserializeOwned>((key, text): &Entry) -> Result<Option<T>, Fault> {
    text.as_ref().map(|text| parse(key, text)).transpose()
}

/// The page of records. One that was deleted after its key was listed is left out.
fn page_of<T: DeserializeOwned>(page: Page<Entry>) -> Result<Page<T>, Fault> {
    let records = page.records.iter().filter_map(|entry| parse_entry(entry).transpose());
    Ok(Page { records: records.collect::<Result<_, _>>()?, cursor: page.cursor })
}

impl Kv {
    pub(crate) fn open(env: &Env) -> Result<Self, Fault> {
        env.kv("SIGNET_KV").map(Self).map_err(failed("kv binding"))
    }

    /// A value that does not parse is a fault, never an absence: the answer must not be `invalid_client`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        self.text(key).await?.map(|text| parse(key, &text)).transpose()
    }

    async fn text(&self, key: &str) -> Result<Option<String>, Fault> {
        self.0.get(key).text().await.map_err(failed("kv get"))
    }

    pub(crate) async fn put<T: Serialize>(&self, key: &str, value: &T, ttl: Option<u64>) -> Result<(), Fault> {
        self.put_text(key, serde_json::to_string(value)?, ttl).await
    }

    async fn put_text(&self, key: &str, text: String, ttl: Option<u64>) -> Result<(), Fault> {
        let put = self.0.put(key, text).map_err(failed("kv put"))?;
        let put = match ttl {
            Some(seconds) => put.expiration_ttl(seconds),
            None => put,
        };
        put.execute().await.map_err(failed("kv put"))
    }

    pub(crate) async fn credential(&self, client_id: &ClientId) -> Result<Option<CredentialSet>, Fault> {
        self.get(&store::credential_key(client_id)).await
    }

    /// What KV holds of these applications, none of them twice, in their order: one operation for up to 33 of them.
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

    /// The records at these keys, none of them twice, in their order: one operation for each [`BULK`].
    pub(crate) async fn get_each<T: DeserializeOwned>(&self, keys: Vec<String>) -> Result<Vec<Option<T>>, Fault> {
        self.entries(keys).await?.iter().map(parse_entry).collect()
    }

    async fn entries(&self, keys: Vec<String>) -> Result<Vec<Entry>, Fault> {
        let mut entries = Vec::new();
        for keys in keys.chunks(BULK) {
            let mut values = self.0.get_bulk(keys).text().await.map_err(failed("kv get"))?;
            entries.extend(keys.iter().map(|key| (key.clone(), values.remove(key).flatten())));
        }
        Ok(entries)
    }

    pub(crate) async fn put_credential(&self, set: &CredentialSet) -> Result<(), Fault> {
        self.put(&store::credential_key(&set.client_id), set, None).await
    }

    /// A page of all credential sets: two operations.
    pub(crate) async fn credentials(&self, cursor: Option<String>, limit: u64) -> Result<Page<CredentialSet>, Fault> {
        page_of(self.list(store::CREDENTIAL_PREFIX, cursor, limit).await?)
    }

    pub(crate) async fn api_credential(&self, identifier: &ClientId) -> Result<Option<ApiCredential>, Fault> {
        self.get(&store::api_credential_key(identifier)).await
    }

    pub(crate) async fn put_api_credential(&self, credential: &ApiCredential) -> Result<(), Fault> {
        self.put(&store::api_credential_key(&credential.identifier), credential, None).await
    }

    /// A page of all API credentials: two operations.
    pub(crate) async fn api_credentials(
        &self,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<Page<ApiCredential>, Fault> {
        page_of(self.list(store::API_CREDENTIAL_PREFIX, cursor, limit).await?)
    }

    pub(crate) async fn delete(&self, key: &str) -> Result<(), Fault> {
        self.0.delete(key).await.map_err(failed("kv delete"))
    }

    /// A page of what is under a prefix, in the order of the keys: two operations.
    async fn list(&self, prefix: &str, cursor: Option<String>, limit: u64) -> Result<Page<Entry>, Fault> {
        let list = self.0.list().prefix(prefix.to_owned()).limit(limit);
        let list = match cursor {
            Some(cursor) => list.cursor(cursor),
            None => list,
        };
        let page = list.execute().await.map_err(failed("kv list"))?;
        let records = self.entries(page.keys.into_iter().map(|key| key.name).collect()).await?;
        let cursor = if page.list_complete { None } else { page.cursor };
        Ok(Page { records, cursor })
    }

    pub(crate) async fn token_record(&self, jti: &TokenId) -> Result<Option<TokenRecord>, Fault> {
        self.get(&store::token_key(jti)).await
    }

    pub(crate) async fn put_token_record(&self, record: &TokenRecord) -> Result<(), Fault> {
        self.put(&store::token_key(&record.jti), record, Some(store::TOKEN_RECORD_TTL)).await
    }
}

/// Stores the record of an issued token, after the answer. A sign-in does not need the record.
pub(crate) fn put_record_after_answer(kv: Kv, claims: &Claims, context: &RequestContext) {
    let record = TokenRecord::from(claims);
    context.after_answer(async move { kv.put_token_record(&record).await });
}
