//! The requests of administrators, by the API or in the console.

use super::calls::Patched;
use super::credentials::Revocation;
use super::sessions::without_ended;
use super::{accounts, credentials, tokens};
use crate::admin::{
    ACCOUNT_FULL, AdminReply, AdminRequest, NO_API_CREDENTIAL, NO_CREDENTIAL, NO_TOKEN, PageRequest, PagedList,
    RecordRequest, UserRequest,
};
use crate::credential::{CredentialChange, CredentialInput, CredentialSet};
use crate::edge::runtime::platform::random;
use crate::edge::runtime::{Error, RequestContext};
use crate::http::Failure;
use crate::id::{ClientId, TokenId, UserId};
use crate::secret::Secret;
use crate::store::{self, Page};
use crate::token::{KnownToken, TokenRecord};
use crate::user::{Effect, Event, Saved, SessionEnd, TokenRevocation, next_page_before};
use crate::whmcs::{ApiCredential, ApiCredentialChange, ApiCredentialInput};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Runs a request of an administrator.
pub(crate) async fn perform(request: AdminRequest, context: &RequestContext) -> Result<AdminReply, Error> {
    log_subject(&request, context);
    let admin = Admin { context };
    match request {
        AdminRequest::User(user, request) => admin.user(user, request).await,
        AdminRequest::Events { user, page } => {
            let (events, cursor) = admin.events(&user, page).await?;
            Ok(AdminReply::Events { events, cursor })
        }
        AdminRequest::Credential(request) => admin.credentials(request).await,
        AdminRequest::RotateCredential(id, overlap) => admin.rotate(&id, overlap).await,
        AdminRequest::EndCredentialSessions(id) => {
            credentials::end_sessions(context, &admin.credential(&id).await?).await?;
            Ok(AdminReply::Done)
        }
        AdminRequest::ApiCredential(request) => admin.api_credentials(request).await,
        AdminRequest::EndApiCredentialSessions(id) => {
            admin.api_credential(&id).await?;
            credentials::end_sessions_of_any_user(context, &id, false).await?;
            Ok(AdminReply::Done)
        }
        AdminRequest::GetToken(jti, user) => Ok(AdminReply::Token(admin.token(jti, user).await?)),
        AdminRequest::RevokeToken(jti, user) => admin.revoke_token(jti, user).await,
    }
}

/// Logs the user, the client or the token that the request is about.
fn log_subject(request: &AdminRequest, context: &RequestContext) {
    match request {
        AdminRequest::User(user, _) | AdminRequest::Events { user, .. } => context.audit.set_user(user),
        AdminRequest::Credential(request) => request.id().into_iter().for_each(|id| context.audit.set_client(id)),
        AdminRequest::RotateCredential(id, _)
        | AdminRequest::EndCredentialSessions(id)
        | AdminRequest::EndApiCredentialSessions(id) => context.audit.set_client(id),
        AdminRequest::ApiCredential(request) => request.id().into_iter().for_each(|id| context.audit.set_client(id)),
        AdminRequest::GetToken(jti, _) | AdminRequest::RevokeToken(jti, _) => context.audit.set_token(jti),
    }
}

pub(crate) struct Admin<'a> {
    pub(crate) context: &'a RequestContext,
}

impl Admin<'_> {
    pub(crate) async fn user(&self, user: UserId, request: UserRequest) -> Result<AdminReply, Error> {
        let (context, object, missing) = (self.context, self.context.user(&user), request.missing());
        let is_done = match request {
            UserRequest::GetAccount => {
                let account = object.account().await?.ok_or(missing)?;
                return Ok(AdminReply::Account { user, account, is_new: false });
            }
            UserRequest::PutAccount { account, end_sessions } => {
                let Saved { account, effect, dropped } = accounts::put(context, &user, account, end_sessions).await?;
                accounts::remove_claims(context, &user, &dropped).await?;
                return Ok(AdminReply::Account { user, account, is_new: effect == Effect::Created });
            }
            UserRequest::PatchAccount { change, end_sessions } => {
                return match accounts::patch(context, &user, change, end_sessions).await? {
                    Patched::Saved(Saved { account, .. }) => Ok(AdminReply::Account { user, account, is_new: false }),
                    Patched::Full => Err(ACCOUNT_FULL.into()),
                    Patched::Missing => Err(missing.into()),
                };
            }
            UserRequest::ListSessions(client_id) => {
                return Ok(AdminReply::Sessions(without_ended(object.sessions(client_id).await?, context).await?));
            }
            UserRequest::Export => {
                return Ok(AdminReply::Export(accounts::export(context, &user).await?.ok_or(missing)?));
            }
            UserRequest::DeleteAccount { erase } => accounts::delete(context, &user, erase).await?,
            UserRequest::EndSessions(client_id) => object.end_sessions(client_id, SessionEnd::Administrator).await?,
            UserRequest::EndSession(id) => object.end_session(id, SessionEnd::Administrator).await?,
        };
        Ok(is_done.then_some(AdminReply::Done).ok_or(missing)?)
    }

    async fn credentials(
        &self,
        request: RecordRequest<CredentialInput, CredentialChange>,
    ) -> Result<AdminReply, Error> {
        let set = match request {
            RecordRequest::Create(input) => {
                let (set, secret) = credentials::create(self.context, input).await?;
                return Ok(AdminReply::Credential { set, secret: Some(secret), is_new: true });
            }
            RecordRequest::List(page) => return Ok(AdminReply::Credentials(self.credential_page(page).await?)),
            RecordRequest::Delete { id, end_sessions } => {
                let revocation = Revocation { ends_sessions: end_sessions, by: None };
                credentials::revoke(self.context, &self.credential(&id).await?, revocation).await?;
                return Ok(AdminReply::Done);
            }
            RecordRequest::Get(id) => self.credential(&id).await?,
            RecordRequest::Patch(id, change) => self.patch(&id, change).await?,
        };
        Ok(AdminReply::Credential { set, secret: None, is_new: false })
    }

    /// A page of all credential sets. Costs two KV operations.
    pub(crate) async fn credential_page(&self, page: PageRequest) -> Result<Page<CredentialSet>, Error> {
        self.page(PagedList::Credentials, store::CREDENTIAL_PREFIX, page).await
    }

    /// A page of all API credentials. Costs two KV operations.
    pub(crate) async fn api_credential_page(&self, page: PageRequest) -> Result<Page<ApiCredential>, Error> {
        self.page(PagedList::ApiCredentials, store::API_CREDENTIAL_PREFIX, page).await
    }

    async fn page<T: DeserializeOwned>(
        &self,
        list: PagedList<'_>,
        prefix: &str,
        page: PageRequest,
    ) -> Result<Page<T>, Error> {
        let at = self.open(list, page.cursor.as_deref())?;
        let Page { records, cursor } = self.context.kv().page(prefix, at, page.limit).await?;
        Ok(Page { records, cursor: self.seal(list, cursor)? })
    }

    /// A page of events of `user`, newest first, and the cursor of the next page. Costs one object request.
    pub(crate) async fn events(
        &self,
        user: &UserId,
        page: PageRequest,
    ) -> Result<(Vec<(u64, Event)>, Option<String>), Error> {
        let list = PagedList::Events(user);
        let before = self.open(list, page.cursor.as_deref())?;
        let events = self.context.user(user).events(before, page.limit).await?;
        let cursor = self.seal(list, next_page_before(&events, page.limit))?;
        Ok((events, cursor))
    }

    fn open<T: DeserializeOwned>(&self, list: PagedList<'_>, cursor: Option<&str>) -> Result<Option<T>, Failure> {
        cursor.map(|cursor| list.open(cursor, &self.context.settings.keys)).transpose()
    }

    fn seal(&self, list: PagedList<'_>, at: Option<impl Serialize>) -> serde_json::Result<Option<String>> {
        at.map(|at| list.seal(at, &self.context.settings.keys)).transpose()
    }

    async fn credential(&self, id: &ClientId) -> Result<CredentialSet, Error> {
        Ok(self.context.kv().credential(id).await?.ok_or(NO_CREDENTIAL)?)
    }

    async fn patch(&self, id: &ClientId, change: CredentialChange) -> Result<CredentialSet, Error> {
        let old = self.credential(id).await?;
        let enables = change.disabled == Some(false);
        let set = change.apply(old, self.context.now).map_err(Failure::bad_request)?;
        self.save(set, enables).await
    }

    async fn rotate(&self, id: &ClientId, overlap: u64) -> Result<AdminReply, Error> {
        let old = self.credential(id).await?;
        let (now, secret) = (self.context.now, Secret::from_random(random()?));
        let set = CredentialSet { secret: old.secret.rotate(&secret, overlap, now), updated_at: now, ..old };
        let set = self.save(set, false).await?;
        Ok(AdminReply::Credential { set, secret: Some(secret), is_new: false })
    }

    /// Writes a changed set.
    ///
    /// # Errors
    /// 404 if the set was revoked in the meantime.
    async fn save(&self, set: CredentialSet, enables: bool) -> Result<CredentialSet, Error> {
        let is_saved = credentials::save(self.context, &set, enables).await?;
        Ok(is_saved.then_some(set).ok_or(NO_CREDENTIAL)?)
    }

    async fn api_credentials(
        &self,
        request: RecordRequest<ApiCredentialInput, ApiCredentialChange>,
    ) -> Result<AdminReply, Error> {
        let (kv, now) = (self.context.kv(), self.context.now);
        let (credential, secret, is_new) = match request {
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
                if credentials::is_revoked(self.context, &id, credential.created_at).await? {
                    kv.delete(&store::api_credential_key(&id)).await?;
                    return Err(NO_API_CREDENTIAL.into());
                }
                (credential, None, false)
            }
            RecordRequest::Delete { id, end_sessions } => {
                self.api_credential(&id).await?;
                credentials::record_revocation(self.context, &id).await?;
                if end_sessions {
                    credentials::end_sessions_of_any_user(self.context, &id, true).await?;
                }
                kv.delete(&store::api_credential_key(&id)).await?;
                return Ok(AdminReply::Done);
            }
        };
        Ok(AdminReply::ApiCredential { credential, secret, is_new })
    }

    pub(crate) async fn api_credential(&self, id: &ClientId) -> Result<ApiCredential, Error> {
        Ok(self.context.kv().api_credential(id).await?.ok_or(NO_API_CREDENTIAL)?)
    }

    /// A token by its id. Costs one KV read and one object request.
    pub(crate) async fn token(&self, jti: TokenId, user: Option<UserId>) -> Result<KnownToken, Error> {
        Ok(tokens::find(jti, user, self.context).await?.ok_or_else(|| tokens::no_token(NO_TOKEN, self.context))?)
    }

    /// Revokes a token that can still be redeemed. A token that has a final state stays as it is.
    async fn revoke_token(&self, jti: TokenId, user: Option<UserId>) -> Result<AdminReply, Error> {
        if let KnownToken::Recorded(record, None) = self.token(jti, user).await? {
            let TokenRecord { jti, client_id, expires_at, user_id, .. } = record;
            self.context.user(&user_id).revoke_token(TokenRevocation { jti, client_id, expires_at, by: None }).await?;
        }
        Ok(AdminReply::Done)
    }
}
