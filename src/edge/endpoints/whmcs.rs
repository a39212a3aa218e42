//! `POST /includes/api.php`.

use crate::credential::{ClientProblem, CredentialInput, CredentialSet};
use crate::edge::runtime::platform::{random, read_multipart};
use crate::edge::runtime::{Error, Fault, RequestContext, limits};
use crate::edge::storage::credentials::Revocation;
use crate::edge::storage::kv::put_record_after_answer;
use crate::edge::storage::{accounts, credentials};
use crate::http::{Failure, HeaderName, Response};
use crate::id::{ClientId, OwnedId, TokenId, UserId};
use crate::secret::Secret;
use crate::store::{CREDENTIAL_PREFIX, Page};
use crate::token::SsoToken;
use crate::user::Actor;
use crate::whmcs::{
    Action, ActionName, ApiAnswer, ApiParams, ApiRequest, CreateSsoToken, CredentialReference, ListCredentials,
    UpdateCredential,
};
use serde_json::json;

/// The number of credential sets in one page of KV.
const PAGE: u64 = 100;

/// Why an action fails: with an answer in WHMCS's format, or an error.
enum ActionError {
    Answer(ApiAnswer),
    Error(Error),
}

impl From<ApiAnswer> for ActionError {
    fn from(answer: ApiAnswer) -> Self {
        Self::Answer(answer)
    }
}

impl From<Error> for ActionError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Fault> for ActionError {
    fn from(fault: Fault) -> Self {
        Self::Error(fault.into())
    }
}

/// Answers an API request as WHMCS does:
/// 1. read the parameters of the query and the form,
/// 2. authenticate the API credential: one KV read,
/// 3. check that the credential allows the address of the caller and the action,
/// 4. parse and run the action.
pub(crate) async fn serve(context: &RequestContext) -> Result<Response, Error> {
    // 1.
    let api = ApiRequest::new(read_params(context).await?);
    let answer = match answer(&api, context).await {
        Ok(answer) | Err(ActionError::Answer(answer)) => answer,
        Err(ActionError::Error(error)) => return Err(error),
    };
    if answer.is_failed_attempt {
        limits::count_failed_attempt(context).await?;
    }
    if !answer.is_success() {
        context.audit.deny(context.audit.reason.get().unwrap_or("refused"));
    }
    Ok(answer.into_response(&api.action, api.encoding))
}

async fn read_params(context: &RequestContext) -> Result<ApiParams, Error> {
    let query = form_urlencoded::parse(context.request.query.as_bytes()).into_owned();
    let content_type = context.request.headers.get(HeaderName::ContentType).unwrap_or_default();
    let is_multipart = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    let body = if is_multipart {
        read_multipart(content_type, &mut context.request.body.clone()).await?
    } else if context.request.content_type().is_none() && !content_type.is_empty() {
        return Err(Failure::bad_request("The Content-Type is not that of a form in UTF-8.").into());
    } else {
        form_urlencoded::parse(&context.request.body).into_owned().collect()
    };
    Ok(ApiParams::merge(query, body.into_iter())?)
}

/// Runs steps 2 to 4 of [`serve`].
async fn answer(api: &ApiRequest, context: &RequestContext) -> Result<ApiAnswer, ActionError> {
    // 2.
    let refuse = |status, message: &str| Err(ActionError::Answer(ApiAnswer::error(status, message)));
    let client = api.client.as_ref().map_err(|problem| not_authenticated(*problem, context))?;
    context.audit.set_client(&client.client_id);
    let known = context.kv().api_credential(&client.client_id).await?;
    let caller =
        client.authenticate(known.as_ref(), context.now).map_err(|problem| not_authenticated(problem, context))?;
    // 3.
    let address = context.request.address();
    if !caller.allows(address.as_deref()) {
        context.audit.set_reason("address_not_allowed");
        return refuse(403, &format!("Invalid IP {}", address.as_deref().unwrap_or("unknown")));
    }
    if api.action.is_empty() {
        return refuse(400, "Empty action request");
    }
    let Some(name) = ActionName::parse(&api.action) else { return refuse(200, "Command Not Found") };
    if !caller.actions.contains(&name) {
        context.audit.set_reason("action_not_allowed");
        return refuse(403, &format!("Invalid Permissions: API action \"{}\" is not allowed", api.action));
    }
    // 4.
    let actions = Actions { context };
    match Action::parse(name, &api.params)? {
        Action::CreateSsoToken(token) => actions.create_sso_token(token, &caller.identifier).await,
        Action::CreateCredential(input) => actions.create(input).await,
        Action::UpdateCredential(update) => actions.update(update).await,
        Action::DeleteCredential(reference) => actions.delete(&reference).await,
        Action::ListCredentials(list) => actions.list(list).await,
    }
}

/// The answer to a caller that is not authenticated. Logs the reason.
fn not_authenticated(problem: ClientProblem, context: &RequestContext) -> ApiAnswer {
    context.audit.set_reason(problem.reason());
    problem.into()
}

struct Actions<'a> {
    context: &'a RequestContext,
}

impl Actions<'_> {
    /// Issues a token for the user of an account. The API credential is the client of the token.
    async fn create_sso_token(&self, request: CreateSsoToken, caller: &ClientId) -> Result<ApiAnswer, ActionError> {
        let settings = &self.context.settings;
        self.context.audit.set_user(&request.user);
        let account = self.context.user(&request.user).account().await?;
        let grant = request.grant(account.as_ref(), &settings.client_area, caller)?;
        let jti = TokenId::from_random(random()?);
        let claims = grant.into_claims(&settings.issuer, settings.token_ttl, self.context.now, jti);
        self.context.audit.set_token(&claims.jti);
        let token = SsoToken::mint(claims, &settings.keys).map_err(Fault::from)?;
        put_record_after_answer(self.context.kv(), &token.claims, self.context);
        Ok(ApiAnswer::token(&token, &settings.issuer))
    }

    /// The user who owns the service.
    async fn owner(&self, service: Option<&OwnedId>) -> Result<UserId, ActionError> {
        let owner = match service {
            Some(service) => accounts::owner_of(self.context, service).await?,
            None => None,
        };
        owner.ok_or_else(no_owner)
    }

    async fn create(&self, input: CredentialInput) -> Result<ApiAnswer, ActionError> {
        let owner = self.owner(input.service_id.as_ref()).await?;
        let input = CredentialInput { user_id: Some(owner), ..input };
        let (set, secret) = match credentials::create(self.context, input).await {
            Err(Error::Failure(failure)) => return Err(ApiAnswer::error(200, failure.description).into()),
            created => created?,
        };
        Ok(ApiAnswer::success(json!({
            "credentialId": set.number(),
            "clientIdentifier": set.client_id,
            "clientSecret": secret.expose(),
        })))
    }

    /// The credential set, if it is bound to a service. WHMCS's API does not know other sets.
    async fn find(&self, reference: &CredentialReference) -> Result<CredentialSet, ActionError> {
        let set = match reference {
            CredentialReference::Number(Some(number)) => credentials::by_number(self.context, *number).await?,
            CredentialReference::ClientId(Some(id)) => self.context.kv().credential(id).await?,
            CredentialReference::Number(None) | CredentialReference::ClientId(None) => None,
        };
        set.filter(CredentialSet::is_of_service).ok_or_else(|| reference.unknown().into())
    }

    /// Changes a set. A new service must belong to the same user, because the user of a set never changes.
    async fn update(&self, update: UpdateCredential) -> Result<ApiAnswer, ActionError> {
        let UpdateCredential { reference, change, reset_secret } = update;
        let old = self.find(&reference).await?;
        if let Some(service) = &change.service_id {
            let owner = self.owner(service.as_ref()).await?;
            if old.user_id.as_ref() != Some(&owner) {
                return Err(no_owner());
            }
        }
        let now = self.context.now;
        let mut set = change.apply(old, now).map_err(|problem| ActionError::Answer(ApiAnswer::error(200, problem)))?;
        let mut answer = json!({"credentialId": set.number()});
        if reset_secret {
            let secret = Secret::from_random(random()?);
            set = CredentialSet { secret: set.secret.rotate(&secret, 0, now), ..set };
            if let Some(fields) = answer.as_object_mut() {
                fields.insert("newClientSecret".to_owned(), secret.expose().into());
            }
        }
        if !credentials::save(self.context, &set, false).await? {
            return Err(reference.unknown().into());
        }
        Ok(ApiAnswer::success(answer))
    }

    async fn delete(&self, reference: &CredentialReference) -> Result<ApiAnswer, ActionError> {
        let set = self.find(reference).await?;
        let revocation = Revocation { ends_sessions: false, by: Some(Actor::Application) };
        credentials::revoke(self.context, &set, revocation).await?;
        Ok(ApiAnswer::success(json!({"credentialId": set.number()})))
    }

    async fn list(&self, list: ListCredentials) -> Result<ApiAnswer, ActionError> {
        let (kv, mut sets, mut cursor) = (self.context.kv(), Vec::<CredentialSet>::new(), None);
        while list.grant_type_is_known && (sets.len() as u64) < ListCredentials::LIMIT_MAX {
            let page: Page<CredentialSet> = kv.page(CREDENTIAL_PREFIX, cursor, PAGE).await?;
            sets.extend(page.records.into_iter().filter(CredentialSet::is_of_service));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(ApiAnswer::success(json!({"clients": list.arrange(&sets)})))
    }
}

fn no_owner() -> ActionError {
    ApiAnswer::error(200, "Service ID not associated with valid Client.").into()
}
