//! `/admin/v1/…`.

use super::fault::Trouble;
use super::platform::random;
use super::site::{Placement, Site};
use super::user_object::unexpected;
use crate::admin::{
    AdminRequest, CredentialRequest, UserRequest, account_json, credential_json, event_page_json, token_json,
};
use crate::credential::{CredentialChange, CredentialInput, CredentialSet};
use crate::http::{Failure, Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::secret::Secret;
use crate::session::session_json;
use crate::token::TokenRecord;
use crate::user::{Command, Reply, Session};
use serde_json::{Value, json};

const NO_CREDENTIAL: Failure = Failure::of(404, "not_found", "There is no such credential set.");
const NO_TOKEN: Failure =
    Failure::of(404, "not_found", "There is no record of such a token. Records are kept for a day.");

/// Does what an administrator asks, who has proved to be one.
pub(super) async fn serve(request: &Request, site: &Site) -> Result<Response, Trouble> {
    let admin = Admin { request, site };
    match AdminRequest::parse(request)? {
        AdminRequest::User(user, ask) => admin.user(&user, ask).await,
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
        let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
        let set = input.into_set(id, &secret, self.site.now).map_err(Failure::bad_request)?;
        self.site.kv()?.put_credential(&set).await?;
        let location = format!("{}/admin/v1/credentials/{}", self.site.settings.issuer.as_str(), set.client_id);
        Ok(Response::json(201, &credential_json(&set, Some(&secret))?).with("Location", &location))
    }

    async fn list(&self, cursor: Option<String>, limit: u64) -> Result<Response, Trouble> {
        let page = self.site.kv()?.credentials(cursor, limit).await?;
        let sets = page.sets.iter().map(|set| credential_json(set, None)).collect::<Result<Vec<_>, _>>()?;
        Ok(Response::json(200, &json!({"credentials": sets, "cursor": page.cursor})))
    }

    /// Switching a set off reaches the object before KV, switching it on KV before the object:
    /// whatever fails in between, the set stays off.
    async fn patch(&self, id: &ClientId, change: CredentialChange) -> Result<Response, Trouble> {
        let old = self.credential(id).await?;
        let was_disabled = old.disabled;
        let set = change.apply(old, self.site.now).map_err(Failure::bad_request)?;
        if set.disabled {
            self.tell_object(&set, Command::RevokeCredential(id.clone())).await?;
        }
        self.site.kv()?.put_credential(&set).await?;
        if was_disabled && !set.disabled {
            self.tell_object(&set, Command::RestoreCredential(id.clone())).await?;
        }
        Ok(Response::json(200, &credential_json(&set, None)?))
    }

    /// The object first: from then on no token of the set is redeemed, whatever KV still says.
    async fn delete(&self, id: &ClientId) -> Result<Response, Trouble> {
        let set = self.credential(id).await?;
        self.tell_object(&set, Command::RevokeCredential(id.clone())).await?;
        self.site.kv()?.delete_credential(id).await?;
        Ok(Response::empty(204))
    }

    async fn tell_object(&self, set: &CredentialSet, command: Command) -> Result<(), Trouble> {
        match set.binding.user() {
            None => Ok(()),
            Some(user) => match self.ask(user, command).await? {
                Reply::Done => Ok(()),
                reply => Err(unexpected(&reply).into()),
            },
        }
    }

    async fn rotate(&self, id: &ClientId, overlap: u64) -> Result<Response, Trouble> {
        let old = self.credential(id).await?;
        let (now, secret) = (self.site.now, Secret::from_random(random()?));
        let set = CredentialSet { secret: old.secret.rotated(&secret, overlap, now), updated_at: now, ..old };
        self.site.kv()?.put_credential(&set).await?;
        Ok(Response::json(200, &credential_json(&set, Some(&secret))?))
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
