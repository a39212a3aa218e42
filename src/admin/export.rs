//! The export of everything that Signet stores of a user.

use super::reply::{account_json, credential_json};
use crate::credential::CredentialSet;
use crate::id::{TokenId, UserId};
use crate::time::Timestamp;
use crate::token::{TokenRecord, unrecorded_json};
use crate::user::{Export, TokenFate};
use serde_json::{Value, json};

/// The data of a user's object, and the records in KV that it names.
#[derive(Debug)]
pub struct UserExport {
    pub user: UserId,
    /// The data of the object.
    pub kept: Export,
    pub records: Vec<TokenRecord>,
    /// The credential sets that are bound to the user.
    pub sets: Vec<CredentialSet>,
}

impl UserExport {
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
            "sessions": kept.sessions.iter().map(|session| session.shown(None)).collect::<Vec<_>>(),
            "events": kept.events,
            "tokens": kept.tokens.iter().map(token).collect::<serde_json::Result<Vec<_>>>()?,
            "credentials": credentials.collect::<serde_json::Result<Vec<_>>>()?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::CredentialInput;
    use crate::id::ClientId;
    use crate::secret::Secret;
    use crate::time::NOW_FOR_TEST as NOW;
    use crate::user::{AccountInput, BoundCredential, CredentialState, Denial, Fate};

    const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";

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
                (known.clone(), TokenFate { fate: Fate::SignedIn, at, client_id: None }),
                (unknown, TokenFate { fate: Fate::Denied(Denial::Closed), at, client_id: None }),
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
