//! What a user's object answers. It travels as JSON.

use crate::id::{ClientId, OwnedId, TokenId};
use crate::time::Timestamp;
use crate::user::{Account, BoundCredential, Denial, Event, Session};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many events an [`Export`] has at most, the newest: more than all classes keep.
pub const EXPORT_EVENTS_MAX: u64 = 5_000;
/// How many tokens an [`Export`] has at most, the newest; and how many credential sets.
pub const EXPORT_RECORDS_MAX: u64 = 500;

/// What the object answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The token was spent on this new session.
    SignedIn(Session),
    /// The token had opened this session in the same browser; nothing changed. The browser may not have its cookie.
    Repeated(Session),
    /// The user is not signed in.
    Denied(Denial),
    /// The session is alive.
    Session(Session),
    /// What the user sees.
    Security(Security),
    /// The live sessions, newest first.
    Sessions(Vec<Session>),
    /// The account as it is now.
    Account(Account),
    /// The account as it is now, and what became of it.
    Saved(Saved),
    /// The account would own more services and domains than [`OWNED_MAX`](crate::user::OWNED_MAX); nothing was written.
    Full,
    /// The account is gone.
    Deleted(Deleted),
    /// Everything that the object holds.
    Export(Export),
    /// Numbered events, newest first.
    Events(Vec<(u64, Event)>),
    /// What became of the token; none while it may still be redeemed.
    Fate(Option<TokenFate>),
    /// Whether the token would sign its user in.
    Active(bool),
    /// It is done.
    Done,
    /// It was so before; nothing was written.
    Unchanged,
    /// There is no such thing.
    Missing,
}

/// What a deleted account left behind elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// The services that it owned.
    pub services: BTreeSet<OwnedId>,
    /// The credential sets that were bound to it, and are revoked now.
    pub credentials: Vec<ClientId>,
}

/// Everything that the object holds, within the limits of [`EXPORT_EVENTS_MAX`] and [`EXPORT_RECORDS_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The account.
    pub account: Option<Account>,
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
    /// The events, newest first.
    pub events: Vec<Event>,
    /// What became of tokens, newest first.
    pub tokens: Vec<(TokenId, TokenFate)>,
    /// The credential sets bound to the user.
    pub credentials: Vec<BoundCredential>,
}

/// An account that was to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// The account as it is now.
    pub account: Account,
    /// What writing it did.
    pub effect: Effect,
    /// The services that it owned before, and does not now.
    pub dropped: BTreeSet<OwnedId>,
}

/// What writing something did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It is new.
    Created,
    /// It was there, and was another.
    Changed,
    /// It was there, and the same. Nothing was written.
    Unchanged,
}

/// What users see of their account and its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Whether single sign-on is allowed.
    pub sso: bool,
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
}

/// What became of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenFate {
    /// What became of it.
    pub fate: Fate,
    /// When.
    pub at: Timestamp,
}

/// What can become of a token. Each is final.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It signed its user in.
    SignedIn,
    /// It was refused, and is spent.
    Denied(Denial),
    /// It was revoked before anyone redeemed it.
    Revoked,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::json::assert_wire;
    use crate::user::{AccountInput, CredentialState, Status};
    use serde_json::json;

    const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";
    const SID: &str = "AgICAgICAgICAgICAgICAg";

    fn jti() -> TokenId {
        TokenId::parse(JTI).unwrap()
    }

    fn sid() -> SessionId {
        SessionId::parse(SID).unwrap()
    }

    fn none() -> BTreeSet<OwnedId> {
        BTreeSet::new()
    }

    fn portal() -> ClientId {
        ClientId::parse("portal").unwrap()
    }

    #[test]
    fn stored_form_of_each_fate_is_unchanged() {
        let denied = Denial::ALL.map(|denial| (Fate::Denied(denial), format!(r#"{{"denied":"{}"}}"#, denial.reason())));
        let others = [(Fate::SignedIn, r#""signed_in""#.to_owned()), (Fate::Revoked, r#""revoked""#.to_owned())];
        for (fate, json) in others.into_iter().chain(denied) {
            let (fate, stored) =
                (TokenFate { fate, at: Timestamp::from_seconds(1) }, format!(r#"{{"fate":{json},"at":1}}"#));
            assert_eq!(serde_json::to_string(&fate).unwrap(), stored);
            assert_eq!(serde_json::from_str::<TokenFate>(&stored).unwrap(), fate);
        }
    }

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
        let session = Session {
            id: sid(),
            token: jti(),
            client_id: portal(),
            destination: None,
            created_at: at,
            last_seen_at: at,
            idle_seconds: 60,
            max_expires_at: at,
            address: None,
            user_agent: None,
            nonce: None,
            ordinal: 0,
        };
        let input = AccountInput { status: Status::Closed, sso: Some(true), services: none(), domains: none() };
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
                Reply::Saved(Saved { account, effect: Effect::Created, dropped: none() }),
                json!({"saved": {"account": person, "effect": "created", "dropped": []}}),
            ),
            (
                Reply::Deleted(Deleted {
                    services: OwnedId::parse("12").into_iter().collect(),
                    credentials: vec![portal()],
                }),
                json!({"deleted": {"services": ["12"], "credentials": ["portal"]}}),
            ),
            (
                Reply::Export(Export {
                    tokens: vec![(jti(), TokenFate { fate: Fate::Revoked, at })],
                    credentials: vec![BoundCredential { client_id: portal(), state: CredentialState::Enabled }],
                    ..Export::default()
                }),
                json!({"export": {
                    "account": null,
                    "sessions": [],
                    "events": [],
                    "tokens": [[JTI, {"fate": "revoked", "at": 1}]],
                    "credentials": [{"client_id": "portal", "state": "enabled"}],
                }}),
            ),
            (Reply::Events(vec![(7, event)]), json!({"events": [[7, line]]})),
            (Reply::Fate(None), json!({"fate": null})),
            (Reply::Fate(Some(TokenFate { fate: Fate::Revoked, at })), json!({"fate": {"fate": "revoked", "at": 1}})),
            (Reply::Full, json!("full")),
            (Reply::Done, json!("done")),
            (Reply::Unchanged, json!("unchanged")),
            (Reply::Missing, json!("missing")),
        ] {
            assert_wire(reply, wire);
        }
    }
}
