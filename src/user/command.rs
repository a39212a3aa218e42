//! What the Worker asks of a user's object, and what it answers. Both travel as JSON.

use crate::id::{ClientId, OwnedId, SessionId, TokenId};
use crate::secret::SecretDigest;
use crate::sso::{Denial, Scope};
use crate::time::Timestamp;
use crate::user::{Account, AccountChange, AccountInput, Event, Session, SessionEnd};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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

/// Where a request came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caller {
    /// The client's address, as Cloudflare saw it.
    pub address: Option<String>,
    /// The client's `User-Agent`, shortened.
    pub user_agent: Option<String>,
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
    /// End all sessions. Answer: `Done`, `Missing`.
    EndSessions,
    /// Do what the user of this live session asks on the page of their sessions. It counts as a use of the session.
    /// Answer: `Security` to a review, else `Done`; `Missing` if the session is dead.
    AsUser(SessionId, UserAction),
    /// List the live sessions. Answer: `Sessions`.
    ListSessions,
    /// Read the account. Answer: `Account`, `Missing`.
    GetAccount,
    /// Create or replace the account. Nothing is written if it is that already. Answer: `Saved`.
    PutAccount(AccountInput),
    /// Change the account. Nothing is written if it is that already. Answer: `Saved`, `Full`, `Missing`.
    PatchAccount(AccountChange),
    /// Delete the account and end its sessions. Answer: `Deleted`, `Missing`.
    DeleteAccount,
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
    /// Revoke a token. Answer: `Done`.
    RevokeToken(TokenId),
    /// Refuse every token of a credential set from now on. Answer: `Done`, `Unchanged`.
    RevokeCredential(ClientId),
    /// Take a `RevokeCredential` back. Answer: `Done`, `Unchanged`.
    RestoreCredential(ClientId),
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

/// What of a token decides on whether it would sign its user in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Introspection {
    /// The token.
    pub jti: TokenId,
    /// The credential set that asked for it.
    pub client_id: ClientId,
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
    /// The account is gone. It owned these services.
    Deleted(BTreeSet<OwnedId>),
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
                    service_id: OwnedId::parse("12"),
                    domain_id: None,
                }),
                json!({"introspect_token": {"jti": JTI, "client_id": "portal", "service_id": "12", "domain_id": null}}),
            ),
            (Command::EndSessions, json!("end_sessions")),
            (Command::ListSessions, json!("list_sessions")),
            (
                Command::PutAccount(put),
                json!({"put_account": {"status": "Active", "sso": false, "services": [], "domains": []}}),
            ),
            (Command::PatchAccount(patch), json!({"patch_account": {"sso": true}})),
            (
                Command::PatchAccount(parts),
                json!({"patch_account": {
                    "remove_services": ["1"], "remove_domains": ["2"], "add_services": ["3"], "add_domains": ["4"],
                }}),
            ),
            (Command::DeleteAccount, json!("delete_account")),
            (Command::ListEvents { before: Some(7), limit: 50 }, json!({"list_events": {"before": 7, "limit": 50}})),
            (Command::GetToken(jti()), json!({"get_token": JTI})),
            (Command::RevokeToken(jti()), json!({"revoke_token": JTI})),
            (Command::RevokeCredential(portal()), json!({"revoke_credential": "portal"})),
            (Command::RestoreCredential(portal()), json!({"restore_credential": "portal"})),
        ] {
            assert_wire(command, wire);
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
            (Reply::Deleted(OwnedId::parse("12").into_iter().collect()), json!({"deleted": ["12"]})),
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
