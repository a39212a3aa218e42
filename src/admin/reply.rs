//! What the administration answers, and its JSON.

use crate::credential::CredentialSet;
use crate::http::Response;
use crate::id::{TokenId, UserId};
use crate::issuer::Issuer;
use crate::secret::Secret;
use crate::store::Page;
use crate::time::Timestamp;
use crate::token::{TokenRecord, unrecorded_json};
use crate::user::{Account, Event, Export, Session, TokenFate};
use crate::whmcs::ApiCredential;
use serde_json::{Value, json};

/// What came of a request to the administration.
#[allow(clippy::large_enum_variant, reason = "there is one per request, and it is taken apart at once")]
#[derive(Debug)]
pub enum AdminReply {
    /// An account as it is now.
    Account {
        /// Whose.
        user: UserId,
        /// The account.
        account: Account,
        /// Whether it was just created.
        is_new: bool,
    },
    /// The live sessions of a user, newest first.
    Sessions(Vec<Session>),
    /// A page of a user's audit trail, newest first.
    Events {
        /// The events, numbered.
        events: Vec<(u64, Event)>,
        /// Where the next page begins; none after the last.
        cursor: Option<String>,
    },
    /// Everything that is kept of a user.
    Export(UserExport),
    /// A credential set as it is now.
    Credential {
        /// The set.
        set: CredentialSet,
        /// Its secret, if that is new.
        secret: Option<Secret>,
        /// Whether it was just created.
        is_new: bool,
    },
    /// A page of credential sets.
    Credentials(Page<CredentialSet>),
    /// An API credential as it is now.
    ApiCredential {
        /// The credential.
        credential: ApiCredential,
        /// Its secret, if that is new.
        secret: Option<Secret>,
        /// Whether it was just created.
        is_new: bool,
    },
    /// A page of API credentials.
    ApiCredentials(Page<ApiCredential>),
    /// A token's record, and what became of it.
    Token {
        /// The record.
        record: TokenRecord,
        /// What became of it, if anything did.
        fate: Option<TokenFate>,
    },
    /// It is done.
    Done,
}

/// Everything that is kept of a user: what the user's object holds, and what KV knows of the ids in it.
#[derive(Debug)]
pub struct UserExport {
    /// The user.
    pub user: UserId,
    /// What the object holds.
    pub kept: Export,
    /// The records of its tokens.
    pub records: Vec<TokenRecord>,
    /// The credential sets bound to the user.
    pub sets: Vec<CredentialSet>,
}

impl UserExport {
    /// The export as JSON, made at `now`.
    ///
    /// # Errors
    /// Those of serde.
    pub fn to_json(&self, now: Timestamp) -> serde_json::Result<Value> {
        let Self { user, kept, records, sets } = self;
        let token = |(jti, fate): &(TokenId, TokenFate)| match records.iter().find(|record| record.jti == *jti) {
            Some(record) => record.to_json(Some(fate), now),
            None => Ok(unrecorded_json(jti, fate)),
        };
        let credentials = kept.credentials.iter().map(|bound| {
            let set = sets.iter().find(|set| set.client_id == bound.client_id);
            let set = set.map(|set| credential_json(set, None)).transpose()?;
            Ok(json!({"client_id": bound.client_id, "state": bound.state, "set": set}))
        });
        Ok(json!({
            "user_id": user,
            "exported_at": now,
            "account": kept.account.as_ref().map(|account| account_json(user, account)),
            "sessions": kept.sessions.iter().map(Session::to_json).collect::<Vec<_>>(),
            "events": kept.events,
            "tokens": kept.tokens.iter().map(token).collect::<serde_json::Result<Vec<_>>>()?,
            "credentials": credentials.collect::<serde_json::Result<Vec<_>>>()?,
        }))
    }
}

impl AdminReply {
    /// The answer of the administration API at `now`.
    ///
    /// # Errors
    /// Those of serde.
    pub fn into_response(self, issuer: &Issuer, now: Timestamp) -> serde_json::Result<Response> {
        let status = |is_new| if is_new { 201 } else { 200 };
        Ok(match self {
            Self::Account { user, account, is_new } => Response::json(status(is_new), &account_json(&user, &account)),
            Self::Sessions(sessions) => {
                let sessions: Vec<_> = sessions.iter().map(Session::to_json).collect();
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
            Self::Token { record, fate } => Response::json(200, &record.to_json(fate.as_ref(), now)?),
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

/// An account.
fn account_json(user: &UserId, account: &Account) -> Value {
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

/// A credential set; with its secret only when that is new.
///
/// # Errors
/// Those of serde.
fn credential_json(set: &CredentialSet, secret: Option<&Secret>) -> serde_json::Result<Value> {
    with_secret(serde_json::to_value(set)?, "client_secret", secret)
}

/// An API credential; with its secret only when that is new.
///
/// # Errors
/// Those of serde.
fn api_credential_json(credential: &ApiCredential, secret: Option<&Secret>) -> serde_json::Result<Value> {
    with_secret(serde_json::to_value(credential)?, "secret", secret)
}

/// What is stored, but instead of its secret's digest the secret, called `name`, if there is one to show.
fn with_secret(mut stored: Value, name: &str, secret: Option<&Secret>) -> serde_json::Result<Value> {
    if let Some(fields) = stored.as_object_mut() {
        fields.remove("secret");
        fields.extend(secret.map(|secret| (name.to_owned(), secret.expose().into())));
    }
    Ok(stored)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialInput;
    use crate::id::ClientId;
    use crate::user::{AccountInput, BoundCredential, CredentialState, Denial, Fate};
    use crate::whmcs::ApiCredentialInput;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

    #[test]
    fn wire_form_of_an_account_is_unchanged() {
        let input: AccountInput =
            serde_json::from_value(json!({"status": "Inactive", "sso": false, "services": [12], "domains": ["d"]}))
                .unwrap();
        assert_eq!(
            account_json(&UserId::parse("42").unwrap(), &input.into_account(None, NOW)),
            json!({
                "user_id": "42",
                "status": "Inactive",
                "sso": false,
                "services": ["12"],
                "domains": ["d"],
                "created_at": 1_800_000_000,
                "updated_at": 1_800_000_000,
            })
        );
    }

    #[test]
    fn a_secret_is_shown_only_when_it_is_new() {
        let input: CredentialInput =
            serde_json::from_value(json!({"name": "P", "scopes": [], "user_id": "42", "service_id": 12})).unwrap();
        let new = Secret::new("s3cret");
        let set = input.into_set(ClientId::parse("portal").unwrap(), &new, NOW).unwrap();
        let mut expected = json!({
            "client_id": "portal",
            "name": "P",
            "description": "",
            "grant_types": ["single_sign_on"],
            "scopes": ["clientarea:sso"],
            "user_id": "42",
            "service_id": "12",
            "disabled": false,
            "created_at": 1_800_000_000,
            "updated_at": 1_800_000_000,
        });
        assert_eq!(credential_json(&set, None).unwrap(), expected);
        expected["client_secret"] = "s3cret".into();
        assert_eq!(credential_json(&set, Some(&new)).unwrap(), expected);
    }

    #[test]
    fn the_secret_of_an_api_credential_is_shown_only_when_it_is_new() {
        let input: ApiCredentialInput =
            serde_json::from_value(json!({"name": "P", "actions": ["CreateSsoToken"]})).unwrap();
        let new = Secret::new("s3cret");
        let credential = input.into_credential(ClientId::parse("api").unwrap(), &new, NOW).unwrap();
        let mut expected = json!({
            "identifier": "api",
            "name": "P",
            "actions": ["CreateSsoToken"],
            "allowed_addresses": [],
            "created_at": 1_800_000_000,
            "updated_at": 1_800_000_000,
        });
        assert_eq!(api_credential_json(&credential, None).unwrap(), expected);
        expected["secret"] = "s3cret".into();
        assert_eq!(api_credential_json(&credential, Some(&new)).unwrap(), expected);
    }

    #[test]
    fn wire_form_of_an_export_is_unchanged() {
        let at = Timestamp::from_seconds(1_799_999_950);
        let account: AccountInput = serde_json::from_value(json!({"status": "Active"})).unwrap();
        let input: CredentialInput =
            serde_json::from_value(json!({"name": "P", "scopes": [], "user_id": "42"})).unwrap();
        let portal = ClientId::parse("portal").unwrap();
        let set = input.into_set(portal.clone(), &Secret::new("s3cret"), NOW).unwrap();
        let record = json!({
            "jti": JTI, "user_id": "42", "client_id": "portal", "scope": "clientarea:sso", "issued_at": 1, "expires_at": 61,
        });
        let (known, unknown) = (TokenId::parse(JTI).unwrap(), TokenId::from_random([2; 16]));
        let event = json!({"at": 1, "event": "sso.signed_in", "request_id": "r1", "address": "192.0.2.1"});
        let user = UserId::parse("42").unwrap();
        let account = account.into_account(None, NOW);
        let expected = json!({
            "user_id": "42",
            "exported_at": 1_800_000_000,
            "account": account_json(&user, &account),
            "sessions": [],
            "events": [event],
            "tokens": [
                {
                    "jti": JTI, "user_id": "42", "client_id": "portal", "scope": "clientarea:sso", "issued_at": 1,
                    "expires_at": 61, "state": "signed_in", "reason": null, "settled_at": 1_799_999_950,
                },
                {"jti": unknown, "state": "denied", "reason": "closed", "settled_at": 1_799_999_950},
            ],
            "credentials": [
                {"client_id": "portal", "state": "enabled", "set": credential_json(&set, None).unwrap()},
                {"client_id": "gone", "state": "revoked", "set": null},
            ],
        });
        let bound = |client_id: &str, state| BoundCredential { client_id: ClientId::parse(client_id).unwrap(), state };
        let kept = Export {
            account: Some(account),
            events: vec![serde_json::from_value(event).unwrap()],
            tokens: vec![
                (known.clone(), TokenFate { fate: Fate::SignedIn, at }),
                (unknown, TokenFate { fate: Fate::Denied(Denial::Closed), at }),
            ],
            credentials: vec![bound("portal", CredentialState::Enabled), bound("gone", CredentialState::Revoked)],
            ..Export::default()
        };
        let records = vec![serde_json::from_value(record).unwrap()];
        let export = UserExport { user, kept, records, sets: vec![set] };
        let json = export.to_json(NOW).unwrap();
        assert_eq!(json, expected);
        assert!(!json.to_string().contains("digest"));
    }
}
