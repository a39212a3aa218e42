//! The console's forms: each is one request to the administration, and so has exactly its powers.

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

/// What a form asks, and what is shown once it is done.
#[derive(Debug)]
pub struct Act {
    /// What is asked.
    pub ask: AdminRequest,
    /// What is said when it is done.
    pub notice: Notice,
    /// The page that is shown then.
    pub then: View,
}

/// The parameters of a form.
///
/// # Errors
/// 400 when the body is not a form, or names a parameter twice.
pub(super) fn parse_form(request: &Request) -> Result<Params, Failure> {
    if !request.is_form() {
        return Err(BAD_FORM);
    }
    Params::parse(b"", &request.body)
}

impl Act {
    /// Parses the form posted to the page `view`.
    ///
    /// # Errors
    /// 400 when it is not a form of that page, or a field is invalid.
    pub fn parse(view: View, form: &Params) -> Result<Self, Failure> {
        let action = form.get("action").unwrap_or_default();
        match view {
            View::NewCredential => Self::create_credential(form),
            View::Credential(id) => Self::on_credential(id, action, form),
            View::User { id, .. } => Self::on_user(id, action, form),
            View::Token(jti) => Self::on_token(jti, action, form),
            View::NewApiCredential => Self::create_api_credential(form),
            View::ApiCredential(id) => Self::on_api_credential(id, action, form),
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
        let ask = AdminRequest::Credential(RecordRequest::Create(input));
        Ok(Self { ask, notice: Notice::Saved, then: View::Credentials { cursor: None } })
    }

    fn on_credential(id: ClientId, action: &str, form: &Params) -> Result<Self, Failure> {
        let then = View::Credential(id.clone());
        let change = |change| AdminRequest::Credential(RecordRequest::Patch(id.clone(), change));
        let switch = |disabled| change(CredentialChange { disabled: Some(disabled), ..CredentialChange::default() });
        let (ask, notice, then) = match action {
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
                (change(changed), Notice::Saved, then)
            }
            "disable" => (switch(true), Notice::Saved, then),
            "enable" => (switch(false), Notice::Saved, then),
            "rotate" => {
                let overlap = parse_number(form.get("overlap_seconds").unwrap_or_default());
                let overlap = overlap.filter(|seconds| *seconds <= OVERLAP_SECONDS_MAX).ok_or(BAD_FORM)?;
                (AdminRequest::RotateCredential(id, overlap), Notice::Saved, then)
            }
            "end_sessions" => (AdminRequest::EndCredentialSessions(id), Notice::Ended, then),
            "revoke" => {
                let ask = AdminRequest::Credential(parse_revocation(id, form)?);
                (ask, Notice::Revoked, View::Credentials { cursor: None })
            }
            _ => return Err(BAD_FORM),
        };
        Ok(Self { ask, notice, then })
    }

    fn on_user(id: UserId, action: &str, form: &Params) -> Result<Self, Failure> {
        let then = View::user(id.clone());
        let (ask, notice, then) = match action {
            "save" => {
                let account = AccountInput {
                    status: form.parsed("status", Status::parse, BAD_FORM)?.ok_or(BAD_FORM)?,
                    sso: Some(form.get("sso").is_some()),
                    services: owned_ids(form, "services")?,
                    domains: owned_ids(form, "domains")?,
                };
                let shown = form.parsed("shown", |text| serde_json::from_str(text).ok(), BAD_FORM)?;
                let end_sessions = form.get("end_sessions").is_some();
                let ask = match shown {
                    Some(shown) => UserRequest::PatchAccount { change: account.changes_to(&shown), end_sessions },
                    None => UserRequest::PutAccount { account, end_sessions },
                };
                (ask, Notice::Saved, then)
            }
            "end_session" => {
                let session = form.parsed("session_id", SessionId::parse, BAD_FORM)?.ok_or(BAD_FORM)?;
                (UserRequest::EndSession(session), Notice::Ended, then)
            }
            "end_sessions" => {
                let client_id = form.parsed("client_id", ClientId::parse, BAD_FORM)?;
                (UserRequest::EndSessions(client_id), Notice::Ended, then)
            }
            "delete" => {
                check_confirmed(form)?;
                let erase = form.get("erase").is_some();
                (UserRequest::DeleteAccount { erase }, Notice::Deleted, View::Users)
            }
            _ => return Err(BAD_FORM),
        };
        Ok(Self { ask: AdminRequest::User(id, ask), notice, then })
    }

    fn on_token(jti: TokenId, action: &str, form: &Params) -> Result<Self, Failure> {
        if action != "revoke" {
            return Err(BAD_FORM);
        }
        check_confirmed(form)?;
        let then = View::Token(jti.clone());
        Ok(Self { ask: AdminRequest::RevokeToken(jti), notice: Notice::Revoked, then })
    }

    fn create_api_credential(form: &Params) -> Result<Self, Failure> {
        let input = ApiCredentialInput {
            name: text(form, "name"),
            actions: actions(form),
            allowed_addresses: addresses(form)?,
        };
        let ask = AdminRequest::ApiCredential(RecordRequest::Create(input));
        Ok(Self { ask, notice: Notice::Saved, then: View::ApiCredentials { cursor: None } })
    }

    fn on_api_credential(id: ClientId, action: &str, form: &Params) -> Result<Self, Failure> {
        match action {
            "save" => {
                let change = ApiCredentialChange {
                    name: Some(text(form, "name")),
                    actions: Some(actions(form)),
                    allowed_addresses: Some(addresses(form)?),
                };
                let then = View::ApiCredential(id.clone());
                let ask = AdminRequest::ApiCredential(RecordRequest::Patch(id, change));
                Ok(Self { ask, notice: Notice::Saved, then })
            }
            "end_sessions" => {
                let then = View::ApiCredential(id.clone());
                Ok(Self { ask: AdminRequest::EndApiCredentialSessions(id), notice: Notice::Ended, then })
            }
            "revoke" => {
                let ask = AdminRequest::ApiCredential(parse_revocation(id, form)?);
                Ok(Self { ask, notice: Notice::Revoked, then: View::ApiCredentials { cursor: None } })
            }
            _ => Err(BAD_FORM),
        }
    }
}

const BAD_OWNED_ID: Failure =
    Failure::bad_request("An id of a service or domain has other characters than letters, digits, and . _ -");

/// The revocation of a record, which the form confirms.
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

/// A text of several lines, which browsers end with a carriage return each.
fn paragraphs(form: &Params, name: &str) -> String {
    text(form, name).replace("\r\n", "\n")
}

/// What is written in a field, line by line.
fn lines(form: &Params, name: &str) -> Vec<String> {
    let lines = form.get(name).unwrap_or_default().lines().map(str::trim);
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// What is written in a field, separated by white space or commas.
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

/// The boxes ticked: each is named as its scope.
fn scopes(form: &Params) -> Vec<Scope> {
    Scope::destinations().filter(|scope| form.get(scope.as_str()).is_some()).collect()
}

fn actions(form: &Params) -> Vec<ActionName> {
    ActionName::ALL.into_iter().filter(|action| form.get(action.as_str()).is_some()).collect()
}

#[cfg(test)]
mod tests;
