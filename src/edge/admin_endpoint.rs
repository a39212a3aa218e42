//! `/admin/v1/…`.

use super::credentials;
use super::fault::Trouble;
use super::kv::Page;
use super::platform::random;
use super::site::{Placement, Site};
use super::user_object::unexpected;
use crate::admin::{
    AdminRequest, ApiCredentialRequest, CredentialRequest, UserRequest, account_json, api_credential_json,
    credential_json, event_page_json, token_json,
};
use crate::credential::{CredentialChange, CredentialInput, CredentialSet};
use crate::http::{Failure, Request, Response};
use crate::id::{ClientId, OwnedId, TokenId, UserId};
use crate::secret::Secret;
use crate::session::session_json;
use crate::store;
use crate::token::TokenRecord;
use crate::user::{AccountChange, Command, Reply, Session};
use crate::whmcs::ApiCredential;
use serde_json::{Value, json};

const NO_CREDENTIAL: Failure = Failure::of(404, "not_found", "There is no such credential set.");
const NO_API_CREDENTIAL: Failure = Failure::of(404, "not_found", "There is no such API credential.");
const NO_TOKEN: Failure =
    Failure::of(404, "not_found", "There is no record of such a token. Records are kept for a day.");

/// Does what an administrator asks, who has proved to be one.
pub(super) async fn serve(request: &Request, site: &Site) -> Result<Response, Trouble> {
    let admin = Admin { request, site };
    match AdminRequest::parse(request)? {
        AdminRequest::User(user, ask) => admin.user_with_services(&user, ask).await,
        AdminRequest::ApiCredential(ask) => admin.api_credential(ask).await,
        AdminRequest::Credential(CredentialRequest::Create(input)) => admin.create(*input).await,
        AdminRequest::Credential(CredentialRequest::List { cursor, limit }) => admin.list(cursor, limit).await,
        AdminRequest::Credential(CredentialRequest::Get(id)) => {
            Ok(Response::json(200, &credential_json(&admin.credential(&id).await?, None)?))
        }
        AdminRequest::Credential(CredentialRequest::Patch(id, change)) => admin.patch(&id, *change).await,
        AdminRequest::Credential(CredentialRequest::Delete(id)) => admin.delete(&id).await,
        AdminRequest::Credential(CredentialRequest::Rotate(id, overlap)) => admin.rotate(&id, overlap).await,
        AdminRequest::GetToken(jti) => admin.token(&jti).await,
        AdminRequest::RevokeToken(jti) => admin.revoke_token(&jti).await,
    }
}

struct Admin<'a> {
    request: &'a Request,
    site: &'a Site,
}

impl Admin<'_> {
    async fn ask(&self, user: &UserId, command: Command) -> Result<Reply, Trouble> {
        Ok(self.site.ask(user, Placement::AsConfigured, self.request, command).await?)
    }

    /// The services of an account; none if there is no account.
    async fn services(&self, user: &UserId) -> Result<Option<Vec<OwnedId>>, Trouble> {
        match self.ask(user, Command::GetAccount).await? {
            Reply::Account(account) => Ok(Some(account.services)),
            Reply::Missing => Ok(None),
            reply => Err(unexpected(&reply).into()),
        }
    }

    /// Does what `ask` says. Before services are an account's, KV knows their owner; after they are not, it forgets.
    async fn user_with_services(&self, user: &UserId, ask: UserRequest) -> Result<Response, Trouble> {
        let services = match &ask.command {
            Command::PutAccount(account) => account.services.clone(),
            Command::PatchAccount(AccountChange { services: Some(services), .. }) => services.clone(),
            Command::DeleteAccount => Vec::new(),
            _ => return self.user(user, ask).await,
        };
        let before = self.services(user).await?;
        if before.is_some() || matches!(ask.command, Command::PutAccount(_)) {
            credentials::note_owner(self.site, user, &services).await?;
        }
        let response = self.user(user, ask).await?;
        let dropped: Vec<_> = before.unwrap_or_default().into_iter().filter(|id| !services.contains(id)).collect();
        credentials::forget_owner(self.site, user, &dropped).await?;
        Ok(response)
    }

    async fn user(&self, user: &UserId, ask: UserRequest) -> Result<Response, Trouble> {
        let limit = match ask.command {
            Command::ListEvents { limit, .. } => limit,
            _ => 0,
        };
        match self.ask(user, ask.command).await? {
            Reply::Account(account) => Ok(Response::json(200, &account_json(user, &account))),
            Reply::Created(account) => Ok(Response::json(201, &account_json(user, &account))),
            Reply::Sessions(sessions) => {
                let sessions: Vec<Value> = sessions.iter().map(session_json as fn(&Session) -> Value).collect();
                Ok(Response::json(200, &json!({"sessions": sessions})))
            }
            Reply::Events(events) => Ok(Response::json(200, &event_page_json(&events, limit))),
            Reply::Done => Ok(Response::empty(204)),
            Reply::Missing => Err(ask.missing.into()),
            reply => Err(unexpected(&reply).into()),
        }
    }

    async fn credential(&self, id: &ClientId) -> Result<CredentialSet, Trouble> {
        Ok(self.site.kv()?.credential(id).await?.ok_or(NO_CREDENTIAL)?)
    }

    async fn create(&self, input: CredentialInput) -> Result<Response, Trouble> {
        let now = self.site.now;
        let make = |id, secret: &Secret| input.into_set(id, secret, now).map_err(Failure::bad_request);
        let (set, secret) = credentials::create(self.site, make).await?;
        let location = format!("{}/admin/v1/credentials/{}", self.site.settings.issuer.as_str(), set.client_id);
        Ok(Response::json(201, &credential_json(&set, Some(&secret))?).with("Location", &location))
    }

    async fn list(&self, cursor: Option<String>, limit: u64) -> Result<Response, Trouble> {
        let page: Page<CredentialSet> = self.site.kv()?.list(store::CREDENTIAL_PREFIX, cursor, limit).await?;
        let sets = page.records.iter().map(|set| credential_json(set, None)).collect::<Result<Vec<_>, _>>()?;
        Ok(Response::json(200, &json!({"credentials": sets, "cursor": page.cursor})))
    }

    async fn patch(&self, id: &ClientId, change: CredentialChange) -> Result<Response, Trouble> {
        let old = self.credential(id).await?;
        let was_disabled = old.disabled;
        let set = change.apply(old, self.site.now).map_err(Failure::bad_request)?;
        credentials::save(self.site, self.request, was_disabled, &set).await?;
        Ok(Response::json(200, &credential_json(&set, None)?))
    }

    async fn delete(&self, id: &ClientId) -> Result<Response, Trouble> {
        credentials::revoke(self.site, self.request, &self.credential(id).await?).await?;
        Ok(Response::empty(204))
    }

    async fn rotate(&self, id: &ClientId, overlap: u64) -> Result<Response, Trouble> {
        let old = self.credential(id).await?;
        let (now, secret) = (self.site.now, Secret::from_random(random()?));
        let set = CredentialSet { secret: old.secret.rotated(&secret, overlap, now), updated_at: now, ..old };
        self.site.kv()?.put_credential(&set).await?;
        Ok(Response::json(200, &credential_json(&set, Some(&secret))?))
    }

    async fn api_credential(&self, ask: ApiCredentialRequest) -> Result<Response, Trouble> {
        let (kv, now) = (self.site.kv()?, self.site.now);
        match ask {
            ApiCredentialRequest::Create(input) => {
                let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
                let credential = input.into_credential(id, &secret, now).map_err(Failure::bad_request)?;
                kv.put(&store::api_credential_key(&credential.identifier), &credential, None).await?;
                Ok(Response::json(201, &api_credential_json(&credential, Some(&secret))?))
            }
            ApiCredentialRequest::List { cursor, limit } => {
                let page: Page<ApiCredential> = kv.list(store::API_CREDENTIAL_PREFIX, cursor, limit).await?;
                let shown = page.records.iter().map(|credential| api_credential_json(credential, None));
                let shown = shown.collect::<Result<Vec<_>, _>>()?;
                Ok(Response::json(200, &json!({"api_credentials": shown, "cursor": page.cursor})))
            }
            ApiCredentialRequest::Get(id) => {
                let credential: Option<ApiCredential> = kv.get(&store::api_credential_key(&id)).await?;
                Ok(Response::json(200, &api_credential_json(&credential.ok_or(NO_API_CREDENTIAL)?, None)?))
            }
            ApiCredentialRequest::Patch(id, change) => {
                let key = store::api_credential_key(&id);
                let old: ApiCredential = kv.get(&key).await?.ok_or(NO_API_CREDENTIAL)?;
                let credential = change.apply(old, now).map_err(Failure::bad_request)?;
                kv.put(&key, &credential, None).await?;
                Ok(Response::json(200, &api_credential_json(&credential, None)?))
            }
            ApiCredentialRequest::Delete(id) => {
                let key = store::api_credential_key(&id);
                kv.get::<ApiCredential>(&key).await?.ok_or(NO_API_CREDENTIAL)?;
                kv.delete(&key).await?;
                Ok(Response::empty(204))
            }
        }
    }

    async fn record(&self, jti: &TokenId) -> Result<TokenRecord, Trouble> {
        Ok(self.site.kv()?.token_record(jti).await?.ok_or(NO_TOKEN)?)
    }

    async fn token(&self, jti: &TokenId) -> Result<Response, Trouble> {
        let record = self.record(jti).await?;
        match self.ask(&record.user_id, Command::GetToken(jti.clone())).await? {
            Reply::Fate(fate) => Ok(Response::json(200, &token_json(&record, fate.as_ref(), self.site.now)?)),
            reply => Err(unexpected(&reply).into()),
        }
    }

    async fn revoke_token(&self, jti: &TokenId) -> Result<Response, Trouble> {
        let record = self.record(jti).await?;
        match self.ask(&record.user_id, Command::RevokeToken(jti.clone())).await? {
            Reply::Done => Ok(Response::empty(204)),
            reply => Err(unexpected(&reply).into()),
        }
    }
}
