//! The answers of the administration, and their JSON.

use super::UserExport;
use crate::credential::CredentialSet;
use crate::http::Response;
use crate::id::UserId;
use crate::issuer::Issuer;
use crate::secret::Secret;
use crate::store::Page;
use crate::time::Timestamp;
use crate::token::KnownToken;
use crate::user::{Account, Event, Session};
use crate::whmcs::ApiCredential;
use serde_json::{Map, Value, json};

/// The result of a request to the administration. Lists have the newest entry first. A `cursor` is that of the next page. A
/// `secret` is there only if it is new.
#[derive(Debug)]
pub enum AdminReply {
    Account { user: UserId, account: Account, is_new: bool },
    Sessions(Vec<Session>),
    Events { events: Vec<(u64, Event)>, cursor: Option<String> },
    Export(UserExport),
    Credential { set: CredentialSet, secret: Option<Secret>, is_new: bool },
    Credentials(Page<CredentialSet>),
    ApiCredential { credential: ApiCredential, secret: Option<Secret>, is_new: bool },
    ApiCredentials(Page<ApiCredential>),
    Token(KnownToken),
    Done,
}

impl AdminReply {
    /// The answer of the administration API.
    pub fn into_response(self, issuer: &Issuer, now: Timestamp) -> serde_json::Result<Response> {
        let status = |is_new| if is_new { 201 } else { 200 };
        Ok(match self {
            Self::Account { user, account, is_new } => Response::json(status(is_new), &account_json(&user, &account)),
            Self::Sessions(sessions) => {
                let sessions: Vec<_> = sessions.iter().map(|session| session.shown(None)).collect();
                Response::json(200, &json!({"sessions": sessions}))
            }
            Self::Export(export) => Response::json(200, &export.to_json(now)?),
            Self::Events { events, cursor } => {
                let events: Vec<_> = events.iter().map(|(_, event)| event).collect();
                Response::json(200, &json!({"events": events, "cursor": cursor}))
            }
            Self::Credential { set, secret, is_new } => {
                let response = Response::json(status(is_new), &credential_json(&set, secret.as_ref())?);
                if !is_new {
                    return Ok(response);
                }
                response.with("Location", &format!("{}/admin/v1/credentials/{}", issuer.as_str(), set.client_id))
            }
            Self::Credentials(page) => page_json("credentials", &page, |set| credential_json(set, None))?,
            Self::ApiCredential { credential, secret, is_new } => {
                Response::json(status(is_new), &api_credential_json(&credential, secret.as_ref())?)
            }
            Self::ApiCredentials(page) => {
                page_json("api_credentials", &page, |credential| api_credential_json(credential, None))?
            }
            Self::Token(token) => Response::json(200, &token.to_json(now)?),
            Self::Done => Response::empty(204),
        })
    }
}

fn page_json<T>(
    name: &str,
    page: &Page<T>,
    to_json: impl Fn(&T) -> serde_json::Result<Value>,
) -> serde_json::Result<Response> {
    let records = page.records.iter().map(to_json).collect::<Result<Vec<_>, _>>()?;
    Ok(Response::json(200, &json!({name: records, "cursor": page.cursor})))
}

pub(super) fn account_json(user: &UserId, account: &Account) -> Value {
    json!({
        "user_id": user,
        "status": account.status,
        "sso": account.sso,
        "services": account.services,
        "domains": account.domains,
        "created_at": account.created_at,
        "updated_at": account.updated_at,
    })
}

pub(super) fn credential_json(set: &CredentialSet, secret: Option<&Secret>) -> serde_json::Result<Value> {
    Ok(with_secret(serde_json::to_value(set)?, "client_secret", secret))
}

fn api_credential_json(credential: &ApiCredential, secret: Option<&Secret>) -> serde_json::Result<Value> {
    Ok(with_secret(serde_json::to_value(credential)?, "secret", secret))
}

/// The fields of a stored record without the digest of the secret. A new secret is added in clear as the field `name`.
fn with_secret(stored: Value, name: &str, secret: Option<&Secret>) -> Value {
    let mut shown = Map::new();
    if let Value::Object(fields) = stored {
        shown.extend(fields.into_iter().filter(|(name, _)| name != "secret"));
        shown.extend(secret.map(|secret| (name.to_owned(), secret.expose().into())));
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialInput;
    use crate::id::ClientId;
    use crate::time::NOW_FOR_TEST as NOW;
    use crate::user::AccountInput;
    use crate::whmcs::ApiCredentialInput;

    #[test]
    fn wire_form_of_an_account_is_unchanged() {
        let input: AccountInput =
            serde_json::from_value(json!({"status": "Inactive", "sso": false, "services": [12], "domains": ["d"]}))
                .unwrap();
        assert_eq!(
            account_json(&UserId::parse("42").unwrap(), &input.into_account(None, NOW)),
            json!({
                "user_id": "42", "status": "Inactive", "sso": false, "services": ["12"], "domains": ["d"],
                "created_at": 1_800_000_000, "updated_at": 1_800_000_000,
            })
        );
    }

    #[test]
    fn a_secret_is_shown_only_if_it_is_new() {
        let input: CredentialInput =
            serde_json::from_value(json!({"name": "P", "scopes": [], "user_id": "42", "service_id": 12})).unwrap();
        let new = Secret::new("s3cret");
        let set = input.into_set(ClientId::parse("portal").unwrap(), &new, NOW).unwrap();
        let mut expected = json!({
            "client_id": "portal", "name": "P", "description": "", "grant_types": ["single_sign_on"],
            "scopes": ["clientarea:sso"], "user_id": "42", "service_id": "12", "disabled": false,
            "created_at": 1_800_000_000, "updated_at": 1_800_000_000,
        });
        assert_eq!(credential_json(&set, None).unwrap(), expected);
        expected["client_secret"] = "s3cret".into();
        assert_eq!(credential_json(&set, Some(&new)).unwrap(), expected);
    }

    #[test]
    fn the_secret_of_an_api_credential_is_shown_only_if_it_is_new() {
        let input: ApiCredentialInput =
            serde_json::from_value(json!({"name": "P", "actions": ["CreateSsoToken"]})).unwrap();
        let new = Secret::new("s3cret");
        let credential = input.into_credential(ClientId::parse("api").unwrap(), &new, NOW).unwrap();
        let mut expected = json!({
            "identifier": "api", "name": "P", "actions": ["CreateSsoToken"], "allowed_addresses": [],
            "created_at": 1_800_000_000, "updated_at": 1_800_000_000,
        });
        assert_eq!(api_credential_json(&credential, None).unwrap(), expected);
        expected["secret"] = "s3cret".into();
        assert_eq!(api_credential_json(&credential, Some(&new)).unwrap(), expected);
    }
}
