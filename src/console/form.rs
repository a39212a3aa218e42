//! The forms of the console. Each is one request to the administration, so the console can do no more than the API.

use super::{Notice, View};
use crate::admin::{AdminRequest, MALFORMED_USER_ID, OVERLAP_SECONDS_MAX, RecordRequest, UserRequest};
use crate::credential::{CredentialChange, CredentialInput, GrantType};
use crate::destination::Scope;
use crate::http::{ErrorCode, Failure, Params, Request, parse_number};
use crate::id::{ClientId, OwnedId, SessionId, TokenId, UserId};
use crate::user::{AccountInput, Status};
use crate::whmcs::{ActionName, AddressRange, ApiCredentialChange, ApiCredentialInput};
use std::collections::BTreeSet;

const BAD_FORM: Failure = Failure::of(400, ErrorCode::InvalidForm, "The form is not one of this page.");
const NOT_CONFIRMED: Failure = Failure::of(400, ErrorCode::InvalidForm, "The box that confirms it was not ticked.");

/// The request that a form makes, and what the console shows after it.
#[derive(Debug)]
pub struct FormAction {
    pub request: AdminRequest,
    pub notice: Notice,
    /// The page that has the notice.
    pub next: View,
}

/// The parameters of a form.
///
/// # Errors
/// 400 if the body is not a form, or repeats a parameter.
pub(super) fn parse_form(request: &Request) -> Result<Params, Failure> {
    if !request.is_form() {
        return Err(BAD_FORM);
    }
    Params::parse(b"", &request.body)
}

impl FormAction {
    /// Parses a form that was posted to the page `view`.
    ///
    /// # Errors
    /// 400 if it is not a form of that page, or a field is invalid.
    pub fn parse(view: View, form: &Params) -> Result<Self, Failure> {
        let action = form.get("action").unwrap_or_default();
        match view {
            View::NewCredential => Self::create_credential(form),
            View::Credential(id) => Self::credential_form(id, action, form),
            View::User { id, .. } => Self::user_form(id, action, form),
            View::Token { jti, user } => Self::token_form(jti, user, action, form),
            View::NewApiCredential => Self::create_api_credential(form),
            View::ApiCredential(id) => Self::api_credential_form(id, action, form),
            View::Overview
            | View::Health
            | View::Credentials { .. }
            | View::Users
            | View::Export(_)
            | View::Tokens
            | View::ApiCredentials { .. } => Err(BAD_FORM),
        }
    }

    fn create_credential(form: &Params) -> Result<Self, Failure> {
        let input = CredentialInput {
            name: text(form, "name"),
            description: paragraphs(form, "description"),
            grant_types: vec![GrantType::SingleSignOn],
            scopes: scopes(form),
            user_id: form
                .parsed("user_id", UserId::parse, MALFORMED_USER_ID)?
                .filter(|_| form.get("delegated").is_none()),
            delegated: form.get("delegated").is_some(),
            service_id: form.parsed("service_id", OwnedId::parse, BAD_OWNED_ID)?,
            logo_uri: form.get("logo_uri").map(str::to_owned),
            client_uri: form.get("client_uri").map(str::to_owned),
            redirect_uris: lines(form, "redirect_uris"),
            disabled: false,
        };
        let request = AdminRequest::Credential(RecordRequest::Create(input));
        Ok(Self { request, notice: Notice::Saved, next: View::Credentials { cursor: None } })
    }

    fn credential_form(id: ClientId, action: &str, form: &Params) -> Result<Self, Failure> {
        let next = View::Credential(id.clone());
        let change = |change| AdminRequest::Credential(RecordRequest::Patch(id.clone(), change));
        let disable = |disabled| change(CredentialChange { disabled: Some(disabled), ..CredentialChange::default() });
        let (request, notice, next) = match action {
            "save" => {
                let changed = CredentialChange {
                    name: Some(text(form, "name")),
                    description: Some(paragraphs(form, "description")),
                    scopes: Some(scopes(form)),
                    service_id: Some(form.parsed("service_id", OwnedId::parse, BAD_OWNED_ID)?),
                    logo_uri: Some(form.get("logo_uri").map(str::to_owned)),
                    client_uri: Some(form.get("client_uri").map(str::to_owned)),
                    redirect_uris: Some(lines(form, "redirect_uris")),
                    ..CredentialChange::default()
                };
                (change(changed), Notice::Saved, next)
            }
            "disable" => (disable(true), Notice::Saved, next),
            "enable" => (disable(false), Notice::Saved, next),
            "rotate" => {
                let overlap = parse_number(form.get("overlap_seconds").unwrap_or_default());
                let overlap = overlap.filter(|seconds| *seconds <= OVERLAP_SECONDS_MAX).ok_or(BAD_FORM)?;
                (AdminRequest::RotateCredential(id, overlap), Notice::Saved, next)
            }
            "end_sessions" => (AdminRequest::EndCredentialSessions(id), Notice::Ended, next),
            "revoke" => {
                let request = AdminRequest::Credential(parse_revocation(id, form)?);
                (request, Notice::Revoked, View::Credentials { cursor: None })
            }
            _ => return Err(BAD_FORM),
        };
        Ok(Self { request, notice, next })
    }

    fn user_form(id: UserId, action: &str, form: &Params) -> Result<Self, Failure> {
        let next = View::user(id.clone());
        let (request, notice, next) = match action {
            "save" => {
                let account = AccountInput {
                    status: form.parsed("status", Status::parse, BAD_FORM)?.ok_or(BAD_FORM)?,
                    sso: Some(form.get("sso").is_some()),
                    services: owned_ids(form, "services")?,
                    domains: owned_ids(form, "domains")?,
                };
                let shown = form.parsed("shown", |text| serde_json::from_str(text).ok(), BAD_FORM)?;
                let end_sessions = form.get("end_sessions").is_some();
                let request = match shown {
                    Some(shown) => UserRequest::PatchAccount { change: account.changes_to(&shown), end_sessions },
                    None => UserRequest::PutAccount { account, end_sessions },
                };
                (request, Notice::Saved, next)
            }
            "end_session" => {
                let session = form.parsed("session_id", SessionId::parse, BAD_FORM)?.ok_or(BAD_FORM)?;
                (UserRequest::EndSession(session), Notice::Ended, next)
            }
            "end_sessions" => {
                let client_id = form.parsed("client_id", ClientId::parse, BAD_FORM)?;
                (UserRequest::EndSessions(client_id), Notice::Ended, next)
            }
            "delete" => {
                check_confirmed(form)?;
                let erase = form.get("erase").is_some();
                (UserRequest::DeleteAccount { erase }, Notice::Deleted, View::Users)
            }
            _ => return Err(BAD_FORM),
        };
        Ok(Self { request: AdminRequest::User(id, request), notice, next })
    }

    fn token_form(jti: TokenId, user: Option<UserId>, action: &str, form: &Params) -> Result<Self, Failure> {
        if action != "revoke" {
            return Err(BAD_FORM);
        }
        check_confirmed(form)?;
        // Only a recorded token can be revoked, and its record names the user.
        let next = View::Token { jti: jti.clone(), user: None };
        Ok(Self { request: AdminRequest::RevokeToken(jti, user), notice: Notice::Revoked, next })
    }

    fn create_api_credential(form: &Params) -> Result<Self, Failure> {
        let input = ApiCredentialInput {
            name: text(form, "name"),
            actions: actions(form),
            allowed_addresses: addresses(form)?,
        };
        let request = AdminRequest::ApiCredential(RecordRequest::Create(input));
        Ok(Self { request, notice: Notice::Saved, next: View::ApiCredentials { cursor: None } })
    }

    fn api_credential_form(id: ClientId, action: &str, form: &Params) -> Result<Self, Failure> {
        let next = View::ApiCredential(id.clone());
        let (request, notice, next) = match action {
            "save" => {
                let change = ApiCredentialChange {
                    name: Some(text(form, "name")),
                    actions: Some(actions(form)),
                    allowed_addresses: Some(addresses(form)?),
                };
                (AdminRequest::ApiCredential(RecordRequest::Patch(id, change)), Notice::Saved, next)
            }
            "end_sessions" => (AdminRequest::EndApiCredentialSessions(id), Notice::Ended, next),
            "revoke" => {
                let request = AdminRequest::ApiCredential(parse_revocation(id, form)?);
                (request, Notice::Revoked, View::ApiCredentials { cursor: None })
            }
            _ => return Err(BAD_FORM),
        };
        Ok(Self { request, notice, next })
    }
}

const BAD_OWNED_ID: Failure =
    Failure::bad_request("An id of a service or domain has other characters than letters, digits, and . _ -");

fn parse_revocation<Input, Change>(id: ClientId, form: &Params) -> Result<RecordRequest<Input, Change>, Failure> {
    check_confirmed(form)?;
    Ok(RecordRequest::Delete { id, end_sessions: form.get("end_sessions").is_some() })
}

fn check_confirmed(form: &Params) -> Result<(), Failure> {
    form.get("confirmed").map(drop).ok_or(NOT_CONFIRMED)
}

fn text(form: &Params, name: &str) -> String {
    form.get(name).unwrap_or_default().trim().to_owned()
}

/// A text of several lines, without the carriage returns that browsers send.
fn paragraphs(form: &Params, name: &str) -> String {
    text(form, name).replace("\r\n", "\n")
}

/// The lines of a field that are not empty.
fn lines(form: &Params, name: &str) -> Vec<String> {
    let lines = form.get(name).unwrap_or_default().lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// The words of a field, separated by white space or commas.
fn words<'a>(form: &'a Params, name: &str) -> impl Iterator<Item = &'a str> {
    let text = form.get(name).unwrap_or_default();
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty())
}

fn owned_ids(form: &Params, name: &str) -> Result<BTreeSet<OwnedId>, Failure> {
    words(form, name).try_fold(BTreeSet::new(), |mut ids, word| {
        ids.insert(OwnedId::parse(word).ok_or(BAD_OWNED_ID)?);
        Ok(ids)
    })
}

fn addresses(form: &Params) -> Result<Vec<AddressRange>, Failure> {
    const BAD_ADDRESS: Failure =
        Failure::bad_request("An address is neither an IP address nor a range such as 192.0.2.0/24.");
    words(form, "allowed_addresses").map(|word| AddressRange::parse(word).ok_or(BAD_ADDRESS)).collect()
}

/// The scopes whose checkboxes are checked.
fn scopes(form: &Params) -> Vec<Scope> {
    Scope::destinations().filter(|scope| form.get(scope.as_str()).is_some()).collect()
}

fn actions(form: &Params) -> Vec<ActionName> {
    ActionName::ALL.into_iter().filter(|action| form.get(action.as_str()).is_some()).collect()
}

#[cfg(test)]
mod tests;
