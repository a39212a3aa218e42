//! The replies of a user's object, as JSON.

use crate::id::{ClientId, OwnedId, TokenId};
use crate::user::{Account, BoundCredential, Denial, Event, Session, TokenFate};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// An [`Export`] holds at most this many events, the newest. The quotas of all event classes together are lower.
pub const EXPORT_EVENTS_MAX: u64 = 5_000;
/// An [`Export`] holds at most this many tokens, the newest, and at most this many credential sets.
pub const EXPORT_RECORDS_MAX: u16 = 500;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The token opened this new session.
    SignedIn(Session),
    /// The token opened this session earlier, in the same browser. The browser may lack the session cookie.
    Repeated(Session),
    /// The user is not signed in.
    Denied(Denial),
    Session(Session),
    Security(Security),
    /// The live sessions, newest first.
    Sessions(Vec<Session>),
    Account(Account),
    Saved(Saved),
    /// The account would own more than [`OWNED_MAX`](crate::user::OWNED_MAX) services and domains. Nothing was written.
    Full,
    Deleted(Deleted),
    Export(Export),
    /// Numbered events, newest first.
    Events(Vec<(u64, Event)>),
    /// The final state of the token; `None` while it can still be redeemed.
    Fate(Option<TokenFate>),
    /// Whether the token would sign its user in.
    Active(bool),
    Done,
    /// The stored state is already as requested. Nothing was written.
    Unchanged,
    /// The account, session or record does not exist.
    Missing,
}

/// A deleted account, as far as KV still refers to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// The services that the account owned.
    pub services: BTreeSet<OwnedId>,
    /// The bound credential sets that the deletion revoked.
    pub credentials: Vec<ClientId>,
}

/// Everything that the object stores, up to [`EXPORT_EVENTS_MAX`] and [`EXPORT_RECORDS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub account: Option<Account>,
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
    /// Newest first.
    pub events: Vec<Event>,
    /// The final states of tokens, newest first.
    pub tokens: Vec<(TokenId, TokenFate)>,
    pub credentials: Vec<BoundCredential>,
}

/// The result of a request to write the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    pub account: Account,
    pub effect: Effect,
    /// The services that the account no longer owns.
    pub dropped: BTreeSet<OwnedId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    Created,
    Changed,
    /// The stored record was equal. Nothing was written.
    Unchanged,
}

/// The account as its user sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Whether single sign-on is enabled.
    pub sso: bool,
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::assert_wire;
    use crate::time::Timestamp;
    use crate::user::{AccountInput, CredentialState, Fate, session_for_test as session};
    use serde_json::json;

    #[test]
    fn wire_form_of_each_effect_is_unchanged() {
        for (effect, wire) in
            [(Effect::Created, "created"), (Effect::Changed, "changed"), (Effect::Unchanged, "unchanged")]
        {
            assert_wire(effect, json!(wire));
        }
    }

    #[test]
    fn wire_form_of_each_reply_is_unchanged() {
        let at = Timestamp::from_seconds(1);
        let session = session();
        let (jti, portal) = (session.token.clone(), session.client_id.clone());
        let input: AccountInput = serde_json::from_value(json!({"status": "Closed"})).unwrap();
        let account = input.into_account(None, at);
        let (row, person) = (serde_json::to_value(&session).unwrap(), serde_json::to_value(&account).unwrap());
        let event: Event =
            serde_json::from_value(json!({"at": 1, "event": "sso.signed_in", "request_id": "r1"})).unwrap();
        let line = serde_json::to_value(&event).unwrap();
        for (reply, wire) in [
            (Reply::SignedIn(session.clone()), json!({"signed_in": row})),
            (Reply::Repeated(session.clone()), json!({"repeated": row})),
            (Reply::Denied(Denial::Closed), json!({"denied": "closed"})),
            (Reply::Session(session.clone()), json!({"session": row})),
            (
                Reply::Security(Security { sso: true, sessions: vec![session.clone()] }),
                json!({"security": {"sso": true, "sessions": [row]}}),
            ),
            (Reply::Active(true), json!({"active": true})),
            (Reply::Sessions(vec![session]), json!({"sessions": [row]})),
            (Reply::Account(account.clone()), json!({"account": person})),
            (
                Reply::Saved(Saved { account, effect: Effect::Created, dropped: BTreeSet::new() }),
                json!({"saved": {"account": person, "effect": "created", "dropped": []}}),
            ),
            (
                Reply::Deleted(Deleted {
                    services: OwnedId::parse("12").into_iter().collect(),
                    credentials: vec![portal.clone()],
                }),
                json!({"deleted": {"services": ["12"], "credentials": ["portal"]}}),
            ),
            (
                Reply::Export(Export {
                    tokens: vec![(jti, TokenFate { fate: Fate::Revoked, at, client_id: None })],
                    credentials: vec![BoundCredential { client_id: portal, state: CredentialState::Enabled }],
                    ..Export::default()
                }),
                json!({"export": {
                    "account": null,
                    "sessions": [],
                    "events": [],
                    "tokens": [["AQEBAQEBAQEBAQEBAQEBAQ", {"fate": "revoked", "at": 1}]],
                    "credentials": [{"client_id": "portal", "state": "enabled"}],
                }}),
            ),
            (Reply::Events(vec![(7, event)]), json!({"events": [[7, line]]})),
            (Reply::Fate(None), json!({"fate": null})),
            (
                Reply::Fate(Some(TokenFate { fate: Fate::Revoked, at, client_id: None })),
                json!({"fate": {"fate": "revoked", "at": 1}}),
            ),
            (Reply::Full, json!("full")),
            (Reply::Done, json!("done")),
            (Reply::Unchanged, json!("unchanged")),
            (Reply::Missing, json!("missing")),
        ] {
            assert_wire(reply, wire);
        }
    }
}
