//! Workers KV: credential sets and token records. It is eventually consistent, so nothing that decides on a redemption rests on
//! it, except for delegated sets and API credentials, which no user's object knows: their revocation, and the end of the
//! sessions that they opened.

use super::fault::Fault;
use crate::credential::CredentialSet;
use crate::id::{ClientId, TokenId};
use crate::json::error_place;
use crate::store::{self, Page};
use crate::time::Timestamp;
use crate::token::TokenRecord;
use crate::whmcs::ApiCredential;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use worker::{Env, KvStore};

/// How many keys KV reads in one operation, at most.
const BULK: usize = 100;

/// The namespace `SIGNET_KV`.
pub(super) struct Kv(KvStore);

/// What KV holds of an application.
pub(super) struct Application {
    /// Its credential set.
    pub(super) set: Option<CredentialSet>,
    /// Its API credential.
    pub(super) api_credential: Option<ApiCredential>,
    /// The moment up to which its sessions are ended.
    pub(super) not_before: Option<Timestamp>,
}

impl Application {
    /// Its name.
    pub(super) fn name(&self) -> Option<&str> {
        let set = self.set.as_ref().map(|set| &set.name);
        set.or_else(|| self.api_credential.as_ref().map(|credential| &credential.name)).map(String::as_str)
    }

    /// Whether tokens that it asked for are redeemed, whoever their user is. Those of a set that was revoked, and whose id was bound
    /// to one user since then, are not.
    pub(super) fn signs_in_anybody(&self) -> bool {
        let is_delegated = |set: &CredentialSet| !set.disabled && set.binding.user().is_none();
        self.api_credential.is_some() || self.set.as_ref().is_some_and(is_delegated)
    }
}

fn failed<E: Display>(operation: &'static str) -> impl FnOnce(E) -> Fault {
    move |error| Fault::Storage(operation, error.to_string())
}

/// The record at `key`. What is wrong with one is told without its id and without what it holds.
fn parse<T: DeserializeOwned>(key: &str, text: &str) -> Result<T, Fault> {
    let kind = key.split(':').next().unwrap_or_default();
    serde_json::from_str(text).map_err(|error| Fault::Storage("kv value", format!("{kind}: {}", error_place(&error))))
}

/// The record at `key` among these texts, if there is one.
fn parse_at<T: DeserializeOwned>(texts: &BTreeMap<String, Option<String>>, key: &str) -> Result<Option<T>, Fault> {
    texts.get(key).and_then(Option::as_ref).map(|text| parse(key, text)).transpose()
}

impl Kv {
    pub(super) fn open(env: &Env) -> Result<Self, Fault> {
        env.kv("SIGNET_KV").map(Self).map_err(failed("kv binding"))
    }

    /// A value that does not parse is a fault, never an absence: the answer must not be `invalid_client`.
    pub(super) async fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Fault> {
        let text = self.0.get(key).text().await.map_err(failed("kv get"))?;
        text.map(|text| parse(key, &text)).transpose()
    }

    pub(super) async fn put<T: Serialize>(&self, key: &str, value: &T, ttl: Option<u64>) -> Result<(), Fault> {
        let put = self.0.put(key, serde_json::to_string(value)?).map_err(failed("kv put"))?;
        let put = match ttl {
            Some(seconds) => put.expiration_ttl(seconds),
            None => put,
        };
        put.execute().await.map_err(failed("kv put"))
    }

    pub(super) async fn credential(&self, client_id: &ClientId) -> Result<Option<CredentialSet>, Fault> {
        self.get(&store::credential_key(client_id)).await
    }

    /// What KV holds of these applications: one operation for up to 33 of them.
    pub(super) async fn applications(
        &self,
        ids: impl Iterator<Item = &ClientId>,
    ) -> Result<BTreeMap<ClientId, Application>, Fault> {
        let ids: BTreeSet<_> = ids.collect();
        let keys = |id| [store::credential_key(id), store::api_credential_key(id), store::not_before_key(id)];
        let texts: BTreeMap<_, _> =
            self.texts(ids.iter().flat_map(|id| keys(id)).collect()).await?.into_iter().collect();
        let mut applications = BTreeMap::new();
        for id in ids {
            let [set, api_credential, not_before] = keys(id);
            let application = Application {
                set: parse_at(&texts, &set)?,
                api_credential: parse_at(&texts, &api_credential)?,
                not_before: parse_at(&texts, &not_before)?,
            };
            applications.insert(id.clone(), application);
        }
        Ok(applications)
    }

    /// The records at these keys, but for those that are gone: one operation for each [`BULK`].
    async fn get_all<T: DeserializeOwned>(&self, keys: Vec<String>) -> Result<Vec<T>, Fault> {
        Ok(self.get_each(keys).await?.into_iter().filter_map(|(_, record)| record).collect())
    }

    /// These keys, none of them twice, with the records there: one operation for each [`BULK`].
    pub(super) async fn get_each<T: DeserializeOwned>(
        &self,
        keys: Vec<String>,
    ) -> Result<Vec<(String, Option<T>)>, Fault> {
        let texts = self.texts(keys).await?;
        texts
            .into_iter()
            .map(|(key, text)| {
                let record = text.map(|text| parse(&key, &text)).transpose()?;
                Ok((key, record))
            })
            .collect()
    }

    async fn texts(&self, keys: Vec<String>) -> Result<Vec<(String, Option<String>)>, Fault> {
        let mut texts = Vec::new();
        for keys in keys.chunks(BULK) {
            let mut values = self.0.get_bulk(keys).text().await.map_err(failed("kv get"))?;
            texts.extend(keys.iter().map(|key| (key.clone(), values.remove(key).flatten())));
        }
        Ok(texts)
    }

    pub(super) async fn put_credential(&self, set: &CredentialSet) -> Result<(), Fault> {
        self.put(&store::credential_key(&set.client_id), set, None).await
    }

    /// A page of all credential sets: two operations.
    pub(super) async fn credentials(&self, cursor: Option<String>, limit: u64) -> Result<Page<CredentialSet>, Fault> {
        self.list(store::CREDENTIAL_PREFIX, cursor, limit).await
    }

    pub(super) async fn api_credential(&self, identifier: &ClientId) -> Result<Option<ApiCredential>, Fault> {
        self.get(&store::api_credential_key(identifier)).await
    }

    pub(super) async fn put_api_credential(&self, credential: &ApiCredential) -> Result<(), Fault> {
        self.put(&store::api_credential_key(&credential.identifier), credential, None).await
    }

    /// A page of all API credentials: two operations.
    pub(super) async fn api_credentials(
        &self,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<Page<ApiCredential>, Fault> {
        self.list(store::API_CREDENTIAL_PREFIX, cursor, limit).await
    }

    pub(super) async fn delete(&self, key: &str) -> Result<(), Fault> {
        self.0.delete(key).await.map_err(failed("kv delete"))
    }

    /// A page of the records under a prefix, in the order of their keys: two operations.
    async fn list<T: DeserializeOwned>(
        &self,
        prefix: &str,
        cursor: Option<String>,
        limit: u64,
    ) -> Result<Page<T>, Fault> {
        let list = self.0.list().prefix(prefix.to_owned()).limit(limit);
        let list = match cursor {
            Some(cursor) => list.cursor(cursor),
            None => list,
        };
        let page = list.execute().await.map_err(failed("kv list"))?;
        // One that was deleted in between is left out.
        let records = self.get_all(page.keys.into_iter().map(|key| key.name).collect()).await?;
        let cursor = if page.list_complete { None } else { page.cursor };
        Ok(Page { records, cursor })
    }

    pub(super) async fn token_record(&self, jti: &TokenId) -> Result<Option<TokenRecord>, Fault> {
        self.get(&store::token_key(jti)).await
    }

    pub(super) async fn put_token_record(&self, record: &TokenRecord) -> Result<(), Fault> {
        self.put(&store::token_key(&record.jti), record, Some(store::TOKEN_RECORD_TTL)).await
    }
}
