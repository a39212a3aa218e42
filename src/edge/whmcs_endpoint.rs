//! `POST /includes/api.php`.

use super::credentials::Revocation;
use super::fault::{Fault, Trouble};
use super::platform::{random, read_multipart};
use super::site::{Site, Trail};
use super::token_endpoint::keep_record;
use super::{accounts, credentials};
use crate::credential::{ClientProblem, CredentialInput, CredentialSet};
use crate::http::{Failure, Request, Response};
use crate::id::{ClientId, OwnedId, TokenId, UserId};
use crate::log::Outcome;
use crate::secret::Secret;
use crate::token::SsoToken;
use crate::user::Actor;
use crate::whmcs::{
    Action, ActionName, ApiAnswer, ApiParams, ApiRequest, CreateSsoToken, CredentialReference, ListCredentials,
    UpdateCredential,
};
use serde_json::json;
use worker::Context;

/// How many credential sets are read at once.
const PAGE: u64 = 100;

/// Why an action is not done: its answer, or a trouble.
enum Stop {
    Answer(ApiAnswer),
    Trouble(Trouble),
}

impl From<ApiAnswer> for Stop {
    fn from(answer: ApiAnswer) -> Self {
        Self::Answer(answer)
    }
}

impl From<Trouble> for Stop {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Trouble(fault.into())
    }
}

/// Answers as WHMCS would:
/// 1. read the parameters, of the query and of a form of either kind,
/// 2. the caller proves who it is: one KV read,
/// 3. it calls from where it may, what its role allows,
/// 4. parse the action and do it.
pub(super) async fn serve(
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<Response, Trouble> {
    // 1.
    let api = ApiRequest::new(read_params(request).await?);
    let answer = match answer(&api, request, site, context, trail).await {
        Ok(answer) | Err(Stop::Answer(answer)) => answer,
        Err(Stop::Trouble(trouble)) => return Err(trouble),
    };
    if !answer.is_success() {
        trail.outcome = Outcome::Denied;
        trail.reason = trail.reason.or(Some("refused"));
    }
    Ok(answer.into_response(&api.action, api.encoding))
}

async fn read_params(request: &Request) -> Result<ApiParams, Trouble> {
    let query = form_urlencoded::parse(request.query.as_bytes()).into_owned();
    let content_type = request.headers.get("content-type").unwrap_or_default();
    let is_multipart = content_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data");
    let body = if is_multipart {
        read_multipart(content_type, &mut request.body.clone()).await?
    } else if request.content_type().is_none() && !content_type.is_empty() {
        return Err(Failure::bad_request("The Content-Type is not that of a form in UTF-8.").into());
    } else {
        form_urlencoded::parse(&request.body).into_owned().collect()
    };
    Ok(ApiParams::merge(query, body.into_iter())?)
}

/// Steps 2 to 4 of [`serve`].
async fn answer(
    api: &ApiRequest,
    request: &Request,
    site: &Site,
    context: &Context,
    trail: &mut Trail,
) -> Result<ApiAnswer, Stop> {
    // 2.
    let refuse = |status, message: &str| Err(Stop::Answer(ApiAnswer::error(status, message)));
    let client = api.client.as_ref().map_err(|problem| not_authenticated(*problem, trail))?;
    trail.client_id = Some(client.client_id.clone());
    let known = site.kv()?.api_credential(&client.client_id).await?;
    let caller = client.authenticate(known.as_ref(), site.now).map_err(|problem| not_authenticated(problem, trail))?;
    // 3.
    let address = request.caller().address;
    if !caller.allows(address.as_deref()) {
        trail.reason = Some("address_not_allowed");
        return refuse(403, &format!("Invalid IP {}", address.as_deref().unwrap_or("unknown")));
    }
    if api.action.is_empty() {
        return refuse(400, "Empty action request");
    }
    let Some(name) = ActionName::parse(&api.action) else { return refuse(200, "Command Not Found") };
    if !caller.actions.contains(&name) {
        trail.reason = Some("action_not_allowed");
        return refuse(403, &format!("Invalid Permissions: API action \"{}\" is not allowed", api.action));
    }
    // 4.
    let act = Act { request, site };
    match Action::parse(name, &api.params)? {
        Action::CreateSsoToken(token) => act.create_sso_token(token, &caller.identifier, context, trail).await,
        Action::CreateCredential(input) => act.create(input).await,
        Action::UpdateCredential(update) => act.update(update).await,
        Action::DeleteCredential(reference) => act.delete(&reference).await,
        Action::ListCredentials(list) => act.list(list).await,
    }
}

fn not_authenticated(problem: ClientProblem, trail: &mut Trail) -> ApiAnswer {
    let answer = ApiAnswer::from(problem);
    trail.reason = Some(problem.reason());
    trail.is_failed_attempt = answer.is_failed_attempt;
    answer
}

struct Act<'a> {
    request: &'a Request,
    site: &'a Site,
}

impl Act<'_> {
    /// Issues a token for a user whose account stands, without a credential set. The API credential is its client.
    async fn create_sso_token(
        &self,
        ask: CreateSsoToken,
        caller: &ClientId,
        context: &Context,
        trail: &mut Trail,
    ) -> Result<ApiAnswer, Stop> {
        let settings = &self.site.settings;
        trail.user_id = Some(ask.user.clone());
        let account = accounts::account_of(self.site, self.request, &ask.user).await?;
        let grant = ask.grant(account.as_ref(), &settings.client_area, caller)?;
        let jti = TokenId::from_random(random()?);
        let claims = grant.into_claims(&settings.issuer, settings.token_ttl, self.site.now, jti);
        trail.jti = Some(claims.jti.clone());
        keep_record(self.site.kv()?, &claims, self.site, context, trail);
        let token = SsoToken::mint(claims, &settings.keys).map_err(Fault::from)?;
        Ok(ApiAnswer::token(&token, &settings.issuer))
    }

    /// The user who owns the service.
    async fn owner(&self, service: Option<&OwnedId>) -> Result<UserId, Stop> {
        let owner = match service {
            Some(service) => accounts::owner_of(self.site, self.request, service).await?,
            None => None,
        };
        owner.ok_or_else(no_owner)
    }

    async fn create(&self, input: CredentialInput) -> Result<ApiAnswer, Stop> {
        let owner = self.owner(input.service_id.as_ref()).await?;
        let input = CredentialInput { user_id: Some(owner), ..input };
        let (set, secret) = match credentials::create(self.site, self.request, input).await {
            Err(Trouble::Caller(failure)) => return Err(ApiAnswer::error(200, failure.description).into()),
            made => made?,
        };
        Ok(ApiAnswer::success(json!({
            "credentialId": set.number(),
            "clientIdentifier": set.client_id,
            "clientSecret": secret.expose(),
        })))
    }

    /// The set that is meant, if it is one that WHMCS's API knows.
    async fn find(&self, reference: &CredentialReference) -> Result<CredentialSet, Stop> {
        let set = match reference {
            CredentialReference::Number(Some(number)) => credentials::by_number(self.site, *number).await?,
            CredentialReference::ClientId(Some(id)) => self.site.kv()?.credential(id).await?,
            CredentialReference::Number(None) | CredentialReference::ClientId(None) => None,
        };
        set.filter(CredentialSet::is_of_service).ok_or_else(|| reference.unknown().into())
    }

    /// Changes a set. Whom it may sign in never changes, so a new service must be that user's.
    async fn update(&self, update: UpdateCredential) -> Result<ApiAnswer, Stop> {
        let UpdateCredential { reference, change, reset_secret } = update;
        let old = self.find(&reference).await?;
        if let Some(service) = &change.service_id {
            let owner = self.owner(service.as_ref()).await?;
            if old.binding.user() != Some(&owner) {
                return Err(no_owner());
            }
        }
        let now = self.site.now;
        let mut set = change.apply(old, now).map_err(|problem| Stop::Answer(ApiAnswer::error(200, problem)))?;
        let mut answer = json!({"credentialId": set.number()});
        if reset_secret {
            let secret = Secret::from_random(random()?);
            set = CredentialSet { secret: set.secret.rotated(&secret, 0, now), ..set };
            if let Some(fields) = answer.as_object_mut() {
                fields.insert("newClientSecret".to_owned(), secret.expose().into());
            }
        }
        if !credentials::save(self.site, self.request, &set, false).await? {
            return Err(reference.unknown().into());
        }
        Ok(ApiAnswer::success(answer))
    }

    async fn delete(&self, reference: &CredentialReference) -> Result<ApiAnswer, Stop> {
        let set = self.find(reference).await?;
        let revocation = Revocation { ends_sessions: false, by: Some(Actor::Application) };
        credentials::revoke(self.site, self.request, &set, revocation).await?;
        Ok(ApiAnswer::success(json!({"credentialId": set.number()})))
    }

    async fn list(&self, list: ListCredentials) -> Result<ApiAnswer, Stop> {
        let (kv, mut sets, mut cursor) = (self.site.kv()?, Vec::<CredentialSet>::new(), None);
        while list.grant_type_is_known && (sets.len() as u64) < ListCredentials::LIMIT_MAX {
            let page = kv.credentials(cursor, PAGE).await?;
            sets.extend(page.records.into_iter().filter(CredentialSet::is_of_service));
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok(ApiAnswer::success(json!({"clients": list.arrange(&sets)})))
    }
}

fn no_owner() -> Stop {
    ApiAnswer::error(200, "Service ID not associated with valid Client.").into()
}
