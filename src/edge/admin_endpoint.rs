//! `/admin/v1/…`.

use super::credentials::Revocation;
use super::fault::Trouble;
use super::object::unexpected;
use super::platform::random;
use super::site::{Placement, Site, Trail};
use super::standing::counting;
use super::{accounts, credentials};
use crate::admin::{ACCOUNT_FULL, AdminReply, AdminRequest, PageRequest, PagedList, RecordRequest, missing};
use crate::credential::{CredentialChange, CredentialInput, CredentialSet};
use crate::http::{ErrorCode, Failure, Request, Response};
use crate::id::{ClientId, TokenId, UserId};
use crate::secret::Secret;
use crate::store::{self, Page};
use crate::token::TokenRecord;
use crate::user::{Command, Effect, Event, Reply, Saved, TokenFate, TokenRevocation, next_page_before};
use crate::whmcs::{ApiCredential, ApiCredentialChange, ApiCredentialInput};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const NO_CREDENTIAL: Failure = Failure::of(404, ErrorCode::NotFound, "There is no such credential set.");
const NO_API_CREDENTIAL: Failure = Failure::of(404, ErrorCode::NotFound, "There is no such API credential.");
const NO_TOKEN: Failure =
    Failure::of(404, ErrorCode::NotFound, "There is no record of such a token. Records are kept for a day.");

/// Answers an administrator, who has proved to be one.
pub(super) async fn serve(request: &Request, site: &Site, trail: &mut Trail) -> Result<Response, Trouble> {
    let reply = perform(AdminRequest::parse(request)?, request, site, trail).await?;
    Ok(reply.into_response(&site.settings.issuer, site.now)?)
}

/// Does what an administrator asks. `request` is where it came from.
pub(super) async fn perform(
    ask: AdminRequest,
    request: &Request,
    site: &Site,
    trail: &mut Trail,
) -> Result<AdminReply, Trouble> {
    match &ask {
        AdminRequest::User(user, _) | AdminRequest::Events { user, .. } => trail.user_id = Some(user.clone()),
        AdminRequest::Credential(ask) => trail.client_id = ask.id().cloned(),
        AdminRequest::RotateCredential(id, _)
        | AdminRequest::EndCredentialSessions(id)
        | AdminRequest::EndApiCredentialSessions(id) => trail.client_id = Some(id.clone()),
        AdminRequest::ApiCredential(ask) => trail.client_id = ask.id().cloned(),
        AdminRequest::GetToken(jti) | AdminRequest::RevokeToken(jti) => trail.jti = Some(jti.clone()),
    }
    let admin = Admin { request, site };
    match ask {
        AdminRequest::User(user, ask) => admin.user(user, ask).await,
        AdminRequest::Events { user, page } => {
            let (events, cursor) = admin.events(&user, page).await?;
            Ok(AdminReply::Events { events, cursor })
        }
        AdminRequest::Credential(ask) => admin.credentials(ask).await,
        AdminRequest::RotateCredential(id, overlap) => admin.rotate(&id, overlap).await,
        AdminRequest::EndCredentialSessions(id) => {
            credentials::end_sessions(site, request, &admin.credential(&id).await?).await?;
            Ok(AdminReply::Done)
        }
        AdminRequest::ApiCredential(ask) => admin.api_credentials(ask).await,
        AdminRequest::EndApiCredentialSessions(id) => {
            admin.api_credential(&id).await?;
            credentials::end_sessions_of_any_user(site, &id, false).await?;
            Ok(AdminReply::Done)
        }
        AdminRequest::GetToken(jti) => {
            let (record, fate) = admin.token(&jti).await?;
            Ok(AdminReply::Token { record, fate })
        }
        AdminRequest::RevokeToken(jti) => admin.revoke_token(&jti).await,
    }
}

/// An administrator, and the request that came.
pub(super) struct Admin<'a> {
    pub(super) request: &'a Request,
    pub(super) site: &'a Site,
}

impl Admin<'_> {
    pub(super) async fn user(&self, user: UserId, command: Command) -> Result<AdminReply, Trouble> {
        let missing = missing(&command);
        if command == Command::Export {
            let export = accounts::export(self.site, self.request, &user).await?;
            return Ok(AdminReply::Export(export.ok_or(missing)?));
        }
        match accounts::ask(self.site, self.request, &user, command).await? {
            Reply::Account(account) => Ok(AdminReply::Account { user, account, is_new: false }),
            Reply::Saved(Saved { account, effect, .. }) => {
                Ok(AdminReply::Account { user, account, is_new: effect == Effect::Created })
            }
            Reply::Sessions(sessions) => Ok(AdminReply::Sessions(counting(sessions, self.site).await?)),
            Reply::Done | Reply::Deleted(_) => Ok(AdminReply::Done),
            Reply::Full => Err(ACCOUNT_FULL.into()),
            Reply::Missing => Err(missing.into()),
            reply => Err(unexpected(&reply).into()),
        }
    }

    async fn credentials(&self, ask: RecordRequest<CredentialInput, CredentialChange>) -> Result<AdminReply, Trouble> {
        let set = match ask {
            RecordRequest::Create(input) => return self.create(input).await,
            RecordRequest::List(page) => return Ok(AdminReply::Credentials(self.credential_page(page).await?)),
            RecordRequest::Delete { id, end_sessions } => {
                let revocation = Revocation { ends_sessions: end_sessions, by: None };
                credentials::revoke(self.site, self.request, &self.credential(&id).await?, revocation).await?;
                return Ok(AdminReply::Done);
            }
            RecordRequest::Get(id) => self.credential(&id).await?,
            RecordRequest::Patch(id, change) => self.patch(&id, change).await?,
        };
        Ok(AdminReply::Credential { set, secret: None, is_new: false })
    }

    /// A page of all credential sets: two KV operations.
    pub(super) async fn credential_page(&self, page: PageRequest) -> Result<Page<CredentialSet>, Trouble> {
        let list = PagedList::Credentials;
        let at = self.open(list, page.cursor.as_deref())?;
        let Page { records, cursor } = self.site.kv()?.credentials(at, page.limit).await?;
        Ok(Page { records, cursor: self.seal(list, cursor)? })
    }

    /// A page of all API credentials: two KV operations.
    pub(super) async fn api_credential_page(&self, page: PageRequest) -> Result<Page<ApiCredential>, Trouble> {
        let list = PagedList::ApiCredentials;
        let at = self.open(list, page.cursor.as_deref())?;
        let Page { records, cursor } = self.site.kv()?.api_credentials(at, page.limit).await?;
        Ok(Page { records, cursor: self.seal(list, cursor)? })
    }

    /// A page of a user's audit trail, newest first, and the cursor of the next: one object request.
    pub(super) async fn events(
        &self,
        user: &UserId,
        page: PageRequest,
    ) -> Result<(Vec<(u64, Event)>, Option<String>), Trouble> {
        let list = PagedList::Events(user);
        let before = self.open(list, page.cursor.as_deref())?;
        match self.ask(user, Command::ListEvents { before, limit: page.limit }).await? {
            Reply::Events(events) => {
                let cursor = self.seal(list, next_page_before(&events, page.limit))?;
                Ok((events, cursor))
            }
            reply => Err(unexpected(&reply).into()),
        }
    }

    fn open<T: DeserializeOwned>(&self, list: PagedList<'_>, cursor: Option<&str>) -> Result<Option<T>, Failure> {
        cursor.map(|cursor| list.open(cursor, &self.site.settings.keys)).transpose()
    }

    fn seal(&self, list: PagedList<'_>, at: Option<impl Serialize>) -> serde_json::Result<Option<String>> {
        at.map(|at| list.seal(at, &self.site.settings.keys)).transpose()
    }

    async fn credential(&self, id: &ClientId) -> Result<CredentialSet, Trouble> {
        Ok(self.site.kv()?.credential(id).await?.ok_or(NO_CREDENTIAL)?)
    }

    async fn create(&self, input: CredentialInput) -> Result<AdminReply, Trouble> {
        let (set, secret) = credentials::create(self.site, self.request, input).await?;
        Ok(AdminReply::Credential { set, secret: Some(secret), is_new: true })
    }

    async fn patch(&self, id: &ClientId, change: CredentialChange) -> Result<CredentialSet, Trouble> {
        let old = self.credential(id).await?;
        let enables = change.disabled == Some(false);
        let set = change.apply(old, self.site.now).map_err(Failure::bad_request)?;
        self.save(set, enables).await
    }

    async fn rotate(&self, id: &ClientId, overlap: u64) -> Result<AdminReply, Trouble> {
        let old = self.credential(id).await?;
        let (now, secret) = (self.site.now, Secret::from_random(random()?));
        let set = CredentialSet { secret: old.secret.rotated(&secret, overlap, now), updated_at: now, ..old };
        let set = self.save(set, false).await?;
        Ok(AdminReply::Credential { set, secret: Some(secret), is_new: false })
    }

    /// Writes a changed set, unless it is gone.
    async fn save(&self, set: CredentialSet, enables: bool) -> Result<CredentialSet, Trouble> {
        let is_there = credentials::save(self.site, self.request, &set, enables).await?;
        Ok(is_there.then_some(set).ok_or(NO_CREDENTIAL)?)
    }

    async fn api_credentials(
        &self,
        ask: RecordRequest<ApiCredentialInput, ApiCredentialChange>,
    ) -> Result<AdminReply, Trouble> {
        let (kv, now) = (self.site.kv()?, self.site.now);
        let (credential, secret, is_new) = match ask {
            RecordRequest::Create(input) => {
                let (id, secret) = (ClientId::from_random(random()?), Secret::from_random(random()?));
                let credential = input.into_credential(id, &secret, now).map_err(Failure::bad_request)?;
                kv.put_api_credential(&credential).await?;
                (credential, Some(secret), true)
            }
            RecordRequest::List(page) => return Ok(AdminReply::ApiCredentials(self.api_credential_page(page).await?)),
            RecordRequest::Get(id) => (self.api_credential(&id).await?, None, false),
            RecordRequest::Patch(id, change) => {
                let old = self.api_credential(&id).await?;
                let credential = change.apply(old, now).map_err(Failure::bad_request)?;
                kv.put_api_credential(&credential).await?;
                if credentials::is_revoked(self.site, &id, credential.created_at).await? {
                    kv.delete(&store::api_credential_key(&id)).await?;
                    return Err(NO_API_CREDENTIAL.into());
                }
                (credential, None, false)
            }
            RecordRequest::Delete { id, end_sessions } => {
                self.api_credential(&id).await?;
                credentials::note_revocation(self.site, &id).await?;
                if end_sessions {
                    credentials::end_sessions_of_any_user(self.site, &id, true).await?;
                }
                kv.delete(&store::api_credential_key(&id)).await?;
                return Ok(AdminReply::Done);
            }
        };
        Ok(AdminReply::ApiCredential { credential, secret, is_new })
    }

    pub(super) async fn api_credential(&self, id: &ClientId) -> Result<ApiCredential, Trouble> {
        Ok(self.site.kv()?.api_credential(id).await?.ok_or(NO_API_CREDENTIAL)?)
    }

    async fn record(&self, jti: &TokenId) -> Result<TokenRecord, Trouble> {
        Ok(self.site.kv()?.token_record(jti).await?.ok_or(NO_TOKEN)?)
    }

    /// The record of a token, and what became of it.
    pub(super) async fn token(&self, jti: &TokenId) -> Result<(TokenRecord, Option<TokenFate>), Trouble> {
        let record = self.record(jti).await?;
        match self.ask(&record.user_id, Command::GetToken(jti.clone())).await? {
            Reply::Fate(fate) => Ok((record, fate)),
            reply => Err(unexpected(&reply).into()),
        }
    }

    async fn revoke_token(&self, jti: &TokenId) -> Result<AdminReply, Trouble> {
        let record = self.record(jti).await?;
        let command = Command::RevokeToken(TokenRevocation {
            jti: record.jti,
            client_id: record.client_id,
            expires_at: record.expires_at,
            by: None,
        });
        match self.ask(&record.user_id, command).await? {
            Reply::Done => Ok(AdminReply::Done),
            reply => Err(unexpected(&reply).into()),
        }
    }

    pub(super) async fn ask(&self, user: &UserId, command: Command) -> Result<Reply, Trouble> {
        Ok(self.site.ask(user, Placement::AsConfigured, self.request, command).await?)
    }
}
