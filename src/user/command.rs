//! What the Worker asks of a user's object, and what it answers. Both travel as JSON.

use crate::destination::Scope;
use crate::http::Caller;
use crate::id::{ClientId, OwnedId, SessionId, TokenId};
use crate::secret::SecretDigest;
use crate::time::Timestamp;
use crate::user::{Account, AccountChange, AccountInput, Actor, Denial, Event, Session, SessionEnd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How many events an [`Export`] has at most, the newest: more than all classes keep.
pub const EXPORT_EVENTS_MAX: u64 = 5_000;
/// How many tokens an [`Export`] has at most, the newest; and how many credential sets.
pub const EXPORT_RECORDS_MAX: u64 = 500;

/// One request to the object: a command, and who caused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The request, as in the log.
    pub request_id: String,
    /// Where the request came from.
    pub caller: Caller,
    /// What is asked.
    pub command: Command,
}

/// What can be asked of a user's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Sign the user in with a token. Answer: `SignedIn`, `Repeated` or `Denied`.
    Redeem(Redemption),
    /// Is this session alive? Refreshes its idle limit. Answer: `Session`, `Missing`.
    CheckSession(SessionId),
    /// Is this session alive? It is not refreshed, as nobody used it. Answer: `Session`, `Missing`.
    PeekSession(SessionId),
    /// End a session. Answer: `Done`, `Missing`.
    EndSession(SessionId, SessionEnd),
    /// End all sessions, or those that one application opened. Answer: `Done`; `Missing` without an account.
    EndSessions {
        /// The application; none for all sessions.
        client_id: Option<ClientId>,
        /// Why they end.
        why: SessionEnd,
    },
    /// Do what the user of this live session asks on the page of their sessions. It counts as a use of the session.
    /// Answer: `Security` to a review, else `Done`; `Missing` if the session is dead.
    AsUser(SessionId, UserAction),
    /// List the live sessions, all or those that one application opened. Answer: `Sessions`.
    ListSessions(Option<ClientId>),
    /// Read the account. Answer: `Account`, `Missing`.
    GetAccount,
    /// Create or replace the account. Nothing is written if it is that already. Answer: `Saved`.
    PutAccount {
        /// The account.
        account: AccountInput,
        /// Whether its sessions end too.
        end_sessions: bool,
    },
    /// Change the account. Nothing is written if it is that already. Answer: `Saved`, `Full`, `Missing`.
    PatchAccount {
        /// What to change.
        change: AccountChange,
        /// Whether its sessions end too.
        end_sessions: bool,
    },
    /// Delete the account, end its sessions, and revoke the credential sets bound to it. Answer: `Deleted`, `Missing`.
    DeleteAccount {
        /// Whether addresses and browsers are removed from all events too. This also works without an account, as long as
        /// there is something to erase.
        erase: bool,
    },
    /// Read everything. Answer: `Export`; `Missing` if there is nothing.
    Export,
    /// List events older than the one numbered `before`, newest first. Answer: `Events`.
    ListEvents {
        /// The number of an event; none for the newest.
        before: Option<u64>,
        /// How many at most.
        limit: u64,
    },
    /// What became of a token? Answer: `Fate`.
    GetToken(TokenId),
    /// Would this token sign its user in? Nothing is spent. Answer: `Active`.
    IntrospectToken(Introspection),
    /// Record that an expired token was presented, if that is a replay. Answer: `Done`, `Unchanged`.
    NoteReplay(Replay),
    /// Revoke a token. Answer: `Done`.
    RevokeToken(TokenRevocation),
    /// Note the state of a credential set that is bound to this user. Only the tokens of an enabled one are redeemed. Answer:
    /// `Done`, `Unchanged`.
    SetCredential {
        /// The set, and the state it is in from now on.
        set: BoundCredential,
        /// Whether the sessions that it opened end too.
        end_sessions: bool,
        /// Who did it, if it was no administrator.
        by: Option<Actor>,
    },
}

/// A token to revoke.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenRevocation {
    /// The token.
    pub jti: TokenId,
    /// The application that asked for it.
    pub client_id: ClientId,
    /// When it expires.
    pub expires_at: Timestamp,
    /// Who revokes it; none for an administrator.
    pub by: Option<Actor>,
}

/// A credential set that is bound to the user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BoundCredential {
    /// The set.
    pub client_id: ClientId,
    /// Its state.
    pub state: CredentialState,
}

/// The state of a bound credential set. One that the object does not know is refused like a revoked one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialState {
    /// Its tokens are redeemed.
    Enabled,
    /// Its tokens are refused until it is enabled again.
    Disabled,
    /// Its tokens are refused. Only an import can bring it back.
    Revoked,
}

impl CredentialState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Enabled, Self::Disabled, Self::Revoked];

    /// Its stable name, as stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Revoked => "revoked",
        }
    }
}

/// What users ask on the page of their sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAction {
    /// Show it.
    Review,
    /// End one session. One that is dead already is no failure.
    EndSession(SessionId),
    /// End all sessions but the one that asks.
    EndOtherSessions,
    /// Allow single sign-on, or not.
    SetSso(bool),
}

/// What users see of their account and its sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Security {
    /// Whether single sign-on is allowed.
    pub sso: bool,
    /// The live sessions, newest first.
    pub sessions: Vec<Session>,
}

/// A token that was presented after its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// The token.
    pub jti: TokenId,
    /// The credential set that asked for it.
    pub client_id: ClientId,
    /// This user's session that the browser presents, its cookie checked.
    pub presented: Option<SessionId>,
}

/// What of a token decides on whether it would sign its user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introspection {
    /// The token.
    pub jti: TokenId,
    /// The credential set that asked for it.
    pub client_id: ClientId,
    /// Whether that set may sign in any user, so that this object does not know it.
    pub delegated: bool,
    /// The service signed into it.
    pub service_id: Option<OwnedId>,
    /// The domain signed into it.
    pub domain_id: Option<OwnedId>,
}

/// All that is needed to redeem a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    /// The token.
    pub jti: TokenId,
    /// When it dies.
    pub expires_at: Timestamp,
    /// The credential set that asked for it.
    pub client_id: ClientId,
    /// Whether that set may sign in any user, so that this object does not know it.
    pub delegated: bool,
    /// Where the user is going.
    pub destination: Option<Scope>,
    /// The service that must be the user's.
    pub service_id: Option<OwnedId>,
    /// The domain that must be the user's.
    pub domain_id: Option<OwnedId>,
    /// This user's session that the browser presents, its cookie checked.
    pub presented: Option<SessionId>,
    /// The digest of the nonce that the browser holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<SecretDigest>,
    /// The id of the session to open.
    pub session_id: SessionId,
    /// How long the session may live without use, in seconds.
    pub session_idle: u64,
    /// How long the session may live in all, in seconds.
    pub session_max: u64,
}

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
    use crate::json::assert_wire;
    use crate::user::session_for_test;
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
    fn wire_form_of_a_turn_is_unchanged() {
        let caller = Caller { address: Some("192.0.2.1".into()), user_agent: None };
        assert_wire(
            Turn { request_id: "r1".into(), caller, command: Command::GetAccount },
            json!({
                "request_id": "r1",
                "caller": {"address": "192.0.2.1", "user_agent": null},
                "command": "get_account",
            }),
        );
    }

    #[test]
    fn wire_form_of_a_redemption_is_unchanged() {
        let redemption = Redemption {
            jti: jti(),
            expires_at: Timestamp::from_seconds(60),
            client_id: portal(),
            delegated: true,
            destination: Scope::parse("clientarea:invoices"),
            service_id: OwnedId::parse("12"),
            domain_id: None,
            presented: None,
            nonce: None,
            session_id: sid(),
            session_idle: 3_600,
            session_max: 43_200,
        };
        assert_wire(
            Command::Redeem(redemption),
            json!({"redeem": {
                "jti": JTI,
                "expires_at": 60,
                "client_id": "portal",
                "delegated": true,
                "destination": "clientarea:invoices",
                "service_id": "12",
                "domain_id": null,
                "presented": null,
                "session_id": SID,
                "session_idle": 3600,
                "session_max": 43200,
            }}),
        );
    }

    #[test]
    fn wire_form_of_each_other_command_is_unchanged() {
        let put =
            AccountInput { status: crate::user::Status::Active, sso: Some(false), services: none(), domains: none() };
        let patch = AccountChange { sso: Some(true), ..AccountChange::default() };
        let parts: AccountChange = serde_json::from_value(
            json!({"remove_services": [1], "remove_domains": [2], "add_services": [3], "add_domains": [4]}),
        )
        .unwrap();
        for (command, wire) in [
            (Command::CheckSession(sid()), json!({"check_session": SID})),
            (Command::PeekSession(sid()), json!({"peek_session": SID})),
            (Command::EndSession(sid(), SessionEnd::SignedOut), json!({"end_session": [SID, "signed_out"]})),
            (Command::AsUser(sid(), UserAction::Review), json!({"as_user": [SID, "review"]})),
            (Command::AsUser(sid(), UserAction::EndSession(sid())), json!({"as_user": [SID, {"end_session": SID}]})),
            (Command::AsUser(sid(), UserAction::EndOtherSessions), json!({"as_user": [SID, "end_other_sessions"]})),
            (Command::AsUser(sid(), UserAction::SetSso(false)), json!({"as_user": [SID, {"set_sso": false}]})),
            (
                Command::IntrospectToken(Introspection {
                    jti: jti(),
                    client_id: portal(),
                    delegated: false,
                    service_id: OwnedId::parse("12"),
                    domain_id: None,
                }),
                json!({"introspect_token": {
                    "jti": JTI, "client_id": "portal", "delegated": false, "service_id": "12", "domain_id": null,
                }}),
            ),
            (
                Command::EndSessions { client_id: Some(portal()), why: SessionEnd::Application },
                json!({"end_sessions": {"client_id": "portal", "why": "application"}}),
            ),
            (Command::ListSessions(None), json!({"list_sessions": null})),
            (
                Command::PutAccount { account: put, end_sessions: true },
                json!({"put_account": {
                    "account": {"status": "Active", "sso": false, "services": [], "domains": []}, "end_sessions": true,
                }}),
            ),
            (
                Command::PatchAccount { change: patch, end_sessions: false },
                json!({"patch_account": {"change": {"sso": true}, "end_sessions": false}}),
            ),
            (
                Command::PatchAccount { change: parts, end_sessions: true },
                json!({"patch_account": {"change": {
                    "remove_services": ["1"], "remove_domains": ["2"], "add_services": ["3"], "add_domains": ["4"],
                }, "end_sessions": true}}),
            ),
            (Command::DeleteAccount { erase: true }, json!({"delete_account": {"erase": true}})),
            (Command::Export, json!("export")),
            (Command::ListEvents { before: Some(7), limit: 50 }, json!({"list_events": {"before": 7, "limit": 50}})),
            (Command::GetToken(jti()), json!({"get_token": JTI})),
            (
                Command::NoteReplay(Replay { jti: jti(), client_id: portal(), presented: Some(sid()) }),
                json!({"note_replay": {"jti": JTI, "client_id": "portal", "presented": SID}}),
            ),
            (
                Command::RevokeToken(TokenRevocation {
                    jti: jti(),
                    client_id: portal(),
                    expires_at: Timestamp::from_seconds(60),
                    by: Some(Actor::Application),
                }),
                json!({"revoke_token": {
                    "jti": JTI, "client_id": "portal", "expires_at": 60, "by": "by_application",
                }}),
            ),
            (
                Command::SetCredential {
                    set: BoundCredential { client_id: portal(), state: CredentialState::Disabled },
                    end_sessions: true,
                    by: Some(Actor::Application),
                },
                json!({"set_credential": {
                    "set": {"client_id": "portal", "state": "disabled"}, "end_sessions": true, "by": "by_application",
                }}),
            ),
        ] {
            assert_wire(command, wire);
        }
    }

    #[test]
    fn stored_form_of_each_state_of_a_set_is_unchanged() {
        for (state, name) in CredentialState::ALL.into_iter().zip(["enabled", "disabled", "revoked"]) {
            assert_wire(state, json!(name));
            assert_eq!(state.as_str(), name);
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
        let session = session_for_test();
        let input =
            AccountInput { status: crate::user::Status::Closed, sso: Some(true), services: none(), domains: none() };
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
