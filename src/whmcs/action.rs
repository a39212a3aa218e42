//! The actions and their parameters. Error messages are those of WHMCS.

use super::answer::credential_row;
use super::{ActionName, ApiAnswer, ApiParams};
use crate::credential::{CredentialChange, CredentialInput, CredentialSet, GrantType};
use crate::destination::{ClientArea, DestinationInputs, RelativePath, Scope};
use crate::http::parse_number;
use crate::id::{ClientId, OwnedId, UserId};
use crate::token::Grant;
use crate::user::{Account, Denial};
use serde_json::Value;
use std::cmp::Ordering;

/// The longest part of an unknown grant type or scope in an error message, in characters.
const QUOTED_MAX: usize = 64;

#[derive(Debug, PartialEq, Eq)]
pub enum Action {
    CreateSsoToken(CreateSsoToken),
    /// The caller adds the owner of the service as `user_id`.
    CreateCredential(CredentialInput),
    UpdateCredential(UpdateCredential),
    DeleteCredential(CredentialReference),
    ListCredentials(ListCredentials),
}

/// The parameters of `CreateSsoToken`. A client of WHMCS is the user with the same number.
#[derive(Debug, PartialEq, Eq)]
pub struct CreateSsoToken {
    pub user: UserId,
    /// `None` for the home page of the client area.
    pub destination: Option<Scope>,
    pub inputs: DestinationInputs,
    user_parameter: &'static str,
}

/// The reference of an action to a credential set. `None` is a malformed value, which no set has.
#[derive(Debug, PartialEq, Eq)]
pub enum CredentialReference {
    Number(Option<u32>),
    ClientId(Option<ClientId>),
}

#[derive(Debug, PartialEq, Eq)]
pub struct UpdateCredential {
    pub reference: CredentialReference,
    pub change: CredentialChange,
    pub reset_secret: bool,
}

#[derive(Debug, PartialEq, Eq)]
pub struct ListCredentials {
    /// Whether no grant type is requested, or one that exists. The list is empty otherwise.
    pub grant_type_is_known: bool,
    pub sort_field: String,
    pub is_descending: bool,
    pub limit: u64,
}

fn error(message: impl Into<String>) -> ApiAnswer {
    ApiAnswer::error(200, message)
}

fn not_provisioned(description: &str) -> ApiAnswer {
    error(format!("Token could not be provisioned: invalid_request. {description}"))
}

impl Action {
    /// # Errors
    /// The answer with the first problem.
    pub fn parse(name: ActionName, params: &ApiParams) -> Result<Self, ApiAnswer> {
        Ok(match name {
            ActionName::CreateSsoToken => Self::CreateSsoToken(CreateSsoToken::parse(params)?),
            ActionName::CreateOAuthCredential => Self::CreateCredential(parse_credential(params)?),
            ActionName::UpdateOAuthCredential => Self::UpdateCredential(UpdateCredential::parse(params)?),
            ActionName::DeleteOAuthCredential => {
                Self::DeleteCredential(CredentialReference::Number(parse_number32(params.get("credentialid"))))
            }
            ActionName::ListOAuthCredentials => Self::ListCredentials(ListCredentials::parse(params)),
        })
    }
}

impl CreateSsoToken {
    fn parse(params: &ApiParams) -> Result<Self, ApiAnswer> {
        let user = |name| params.parsed(name, UserId::parse, || error(format!("Invalid {name}")));
        let (client, user) = (user("client_id")?, user("user_id")?);
        let user_parameter = if client.is_some() { "client_id" } else { "user_id" };
        let is_unambiguous = client.is_none() || user.is_none() || client == user;
        let user = client.or(user).ok_or_else(|| error("A valid client_id or user_id is required"))?;
        let owned =
            |name| params.parsed(name, OwnedId::parse, || not_provisioned(&format!("The {name} is malformed.")));
        let outside = || not_provisioned("The sso_redirect_path is not a path within the client area.");
        let parameters = Self {
            user,
            destination: params.parsed("destination", Scope::parse_destination, || error("Invalid destination"))?,
            inputs: DestinationInputs {
                service_id: owned("service_id")?,
                domain_id: owned("domain_id")?,
                sso_redirect_path: params.parsed("sso_redirect_path", RelativePath::parse, outside)?,
            },
            user_parameter,
        };
        if is_unambiguous { Ok(parameters) } else { Err(error("Invalid user_id for client")) }
    }

    /// Grants the token to the API credential `caller`. `account` is the user's account.
    ///
    /// # Errors
    /// The answer with the reason of the refusal.
    pub fn grant(self, account: Option<&Account>, area: &ClientArea, caller: &ClientId) -> Result<Grant, ApiAnswer> {
        let Self { user, destination, inputs, user_parameter } = self;
        let account = account.ok_or_else(|| error(format!("Invalid {user_parameter}")))?;
        let denial = account.denial(inputs.service_id.as_ref(), inputs.domain_id.as_ref());
        if matches!(denial, Some(Denial::Closed | Denial::SsoDisabled)) {
            return Err(error(format!("SSO authentication blocked for client {user}")));
        }
        area.locate(destination, &inputs).map_err(|missing| not_provisioned(missing.message()))?;
        if denial.is_some() {
            return Err(not_provisioned("The service or domain is not the client's."));
        }
        let scope = [Scope::BASE].into_iter().chain(destination).collect();
        Ok(Grant { sub: user, client_id: caller.clone(), scope, delegated: true, inputs })
    }
}

fn check_grant_type(text: &str) -> Result<(), ApiAnswer> {
    let unknown = || error(format!("The requested grant type \"{}\" is invalid.", quote(text)));
    GrantType::parse(text).map(drop).ok_or_else(unknown)
}

fn parse_scopes(text: &str) -> Result<Vec<Scope>, ApiAnswer> {
    let names: Vec<_> = text.split_ascii_whitespace().collect();
    if names.is_empty() {
        return Err(error("At least one valid scope is required."));
    }
    let unknown = |name: &str| error(format!("The requested scope \"{}\" is invalid.", quote(name)));
    names.into_iter().map(|name| Scope::parse(name).ok_or_else(|| unknown(name))).collect()
}

fn parse_service(text: &str) -> Result<OwnedId, ApiAnswer> {
    if text.is_empty() {
        return Err(error("A service ID is required for the single sign-on grant type."));
    }
    OwnedId::parse(text).ok_or_else(|| error("A valid Service ID is required."))
}

fn quote(text: &str) -> String {
    text.chars().take(QUOTED_MAX).collect()
}

fn parse_credential(params: &ApiParams) -> Result<CredentialInput, ApiAnswer> {
    check_grant_type(params.get("granttype").ok_or_else(|| error("A valid grant type is required."))?)?;
    let service = params.get("serviceid");
    let service = service.ok_or_else(|| error("A service ID is required for the single sign-on grant type."))?;
    let scopes = parse_scopes(params.get("scope").unwrap_or_default())?;
    Ok(CredentialInput {
        description: params.get("description").unwrap_or_default().to_owned(),
        logo_uri: params.get("logouri").map(str::to_owned),
        redirect_uris: params.list("redirecturi").unwrap_or_default(),
        ..CredentialInput::of_service(parse_service(service)?, params.get("name").map(str::to_owned), scopes)
    })
}

impl CredentialReference {
    fn parse(params: &ApiParams) -> Result<Self, ApiAnswer> {
        match (params.get("credentialid"), params.get("clientapiidentifier")) {
            (Some(number), _) => Ok(Self::Number(parse_number32(Some(number)))),
            (None, Some(id)) => Ok(Self::ClientId(ClientId::parse(id))),
            (None, None) => Err(error("A Credential ID or Client Identifier is required.")),
        }
    }

    /// The answer if there is no such credential set.
    pub fn unknown(&self) -> ApiAnswer {
        match self {
            Self::Number(_) => error("Invalid Credential ID provided."),
            Self::ClientId(_) => error("Invalid Client Identifier provided."),
        }
    }
}

fn parse_number32(text: Option<&str>) -> Option<u32> {
    text.and_then(parse_number).and_then(|number| u32::try_from(number).ok())
}

impl UpdateCredential {
    fn parse(params: &ApiParams) -> Result<Self, ApiAnswer> {
        let reference = CredentialReference::parse(params)?;
        params.get("granttype").map(check_grant_type).transpose()?;
        let change = CredentialChange {
            name: params.get("name").map(str::to_owned),
            description: params.given("description").map(str::to_owned),
            scopes: params.given("scope").map(parse_scopes).transpose()?,
            service_id: params.given("serviceid").map(parse_service).transpose()?.map(Some),
            logo_uri: params.given("logouri").map(|uri| Some(uri.to_owned()).filter(|uri| !uri.is_empty())),
            redirect_uris: params.list("redirecturi"),
            ..CredentialChange::default()
        };
        Ok(Self { reference, change, reset_secret: params.is_on("resetsecret") })
    }
}

impl ListCredentials {
    /// The greatest number of credential sets in a list.
    pub const LIMIT_MAX: u64 = 1_000;

    /// The rows of `sets`, sorted by the requested field and limited in number. Rows without that field keep their order.
    pub fn arrange(&self, sets: &[CredentialSet]) -> Vec<Value> {
        let mut rows: Vec<_> = sets.iter().map(|set| self.sort_key_and_row(set)).collect();
        rows.sort_by(|(a, _), (b, _)| compare(a, b));
        if self.is_descending {
            rows.reverse();
        }
        rows.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// The sort key of `set`, and its row. Dates are sorted by time, not by text.
    fn sort_key_and_row(&self, set: &CredentialSet) -> (Value, Value) {
        let row = credential_row(set);
        let by = match self.sort_field.as_str() {
            "createdAt" => set.created_at.seconds().into(),
            "updatedAt" => set.updated_at.seconds().into(),
            field => row.get(field).cloned().unwrap_or_default(),
        };
        (by, row)
    }

    fn parse(params: &ApiParams) -> Self {
        let limit = params.get("limit").and_then(parse_number).filter(|limit| *limit > 0);
        Self {
            grant_type_is_known: params.get("granttype").is_none_or(|text| GrantType::parse(text).is_some()),
            sort_field: params.get("sortfield").unwrap_or("credentialId").to_owned(),
            is_descending: params.get("sortorder").is_some_and(|order| order.eq_ignore_ascii_case("desc")),
            limit: limit.unwrap_or(Self::LIMIT_MAX).min(Self::LIMIT_MAX),
        }
    }
}

/// A total order, without which a sort may panic: numbers, then texts, then other values.
fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Number(_) => 0,
        Value::String(_) => 1,
        _ => 2,
    };
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a.as_u64().cmp(&b.as_u64()),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        _ => rank(a).cmp(&rank(b)),
    }
}

#[cfg(test)]
mod tests;
