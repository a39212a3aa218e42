//! The commands that the Worker sends to a user's object, as JSON.

use crate::http::Caller;
use crate::id::{ClientId, SessionId, TokenId};
use crate::user::{
    AccountChange, AccountInput, Actor, BoundCredential, Introspection, Redemption, Replay, SessionEnd, TokenRevocation,
};
use serde::{Deserialize, Serialize};

/// One request to a user's object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The id of the HTTP request, as in the log. Empty unless the command [is recorded](Command::is_recorded).
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub request_id: String,
    /// The source of the HTTP request. Empty unless the command [is recorded](Command::is_recorded).
    #[serde(default, skip_serializing_if = "Caller::is_empty")]
    pub caller: Caller,
    pub command: Command,
}

/// A command, and the [`Reply`](crate::user::Reply) variants that can answer it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Sign the user in with a token. Replies: `SignedIn`, `Repeated`, `Denied`.
    Redeem(Redemption),
    /// Check a session, and restart its idle limit. Replies: `Session`, `Missing`.
    CheckSession(SessionId),
    /// Check a session without restarting its idle limit. Replies: `Session`, `Missing`.
    PeekSession(SessionId),
    /// End a session. Replies: `Done`, `Missing`.
    EndSession(SessionId, SessionEnd),
    /// End sessions. Replies: `Done`; `Missing` without an account.
    EndSessions {
        /// The application whose sessions end; `None` for all sessions.
        client_id: Option<ClientId>,
        why: SessionEnd,
    },
    /// Run an action of the user who has this session, and restart the idle limit of the session. Replies: `Security`
    /// to [`UserAction::Review`], otherwise `Done`; `Missing` if the session is not valid.
    AsUser(SessionId, UserAction),
    /// List the live sessions, or those of one application. Reply: `Sessions`.
    ListSessions(Option<ClientId>),
    /// Read the account. Replies: `Account`, `Missing`.
    GetAccount,
    /// Create or replace the account. An equal account is not written again. Reply: `Saved`.
    PutAccount { account: AccountInput, end_sessions: bool },
    /// Change the account. An equal account is not written again. Replies: `Saved`, `Full`, `Missing`.
    PatchAccount { change: AccountChange, end_sessions: bool },
    /// Delete the account, end its sessions, and revoke its bound credential sets. Replies: `Deleted`, `Missing`.
    DeleteAccount {
        /// Whether addresses and browsers are removed from all events too. Erasing also works without an account, if
        /// there is something to erase.
        erase: bool,
    },
    /// Read everything that the object stores. Replies: `Export`; `Missing` if the object is empty.
    Export,
    /// List events, newest first. Reply: `Events`.
    ListEvents {
        /// List only events with a lower number; `None` for the newest.
        before: Option<u64>,
        limit: u64,
    },
    /// Read the final state of a token. Reply: `Fate`.
    GetToken(TokenId),
    /// Check whether a token would sign its user in. The token stays redeemable. Reply: `Active`.
    IntrospectToken(Introspection),
    /// Record the use of an expired token if it is a replay. Replies: `Done`, `Unchanged`.
    NoteReplay(Replay),
    /// Revoke a token. Reply: `Done`.
    RevokeToken(TokenRevocation),
    /// Save the state of a credential set that is bound to this user. Replies: `Done`, `Unchanged`.
    SetCredential {
        set: BoundCredential,
        /// Whether the sessions that the set opened end too.
        end_sessions: bool,
        /// Who changes the set; `None` for an administrator.
        by: Option<Actor>,
    },
}

impl Command {
    /// Whether the command can add an event to the audit trail, which names the HTTP request.
    pub const fn is_recorded(&self) -> bool {
        match self {
            Self::CheckSession(_)
            | Self::PeekSession(_)
            | Self::AsUser(_, UserAction::Review)
            | Self::ListSessions(_)
            | Self::GetAccount
            | Self::Export
            | Self::ListEvents { .. }
            | Self::GetToken(_)
            | Self::IntrospectToken(_) => false,
            Self::Redeem(_)
            | Self::EndSession(..)
            | Self::EndSessions { .. }
            | Self::AsUser(..)
            | Self::PutAccount { .. }
            | Self::PatchAccount { .. }
            | Self::DeleteAccount { .. }
            | Self::NoteReplay(_)
            | Self::RevokeToken(_)
            | Self::SetCredential { .. } => true,
        }
    }
}

/// An action on the user's page of sessions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserAction {
    /// Show the page.
    Review,
    /// End one session. A session that has already ended is no error.
    EndSession(SessionId),
    /// End all sessions except the current one.
    EndOtherSessions,
    /// Enable or disable single sign-on for the account.
    SetSso(bool),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::OwnedId;
    use crate::json::assert_wire;
    use crate::time::Timestamp;
    use crate::user::{CredentialState, session_for_test as session};
    use serde_json::json;

    const JTI: &str = "AQEBAQEBAQEBAQEBAQEBAQ";
    const SID: &str = "AgICAgICAgICAgICAgICAg";

    fn jti() -> TokenId {
        session().token
    }

    fn sid() -> SessionId {
        session().id
    }

    fn portal() -> ClientId {
        session().client_id
    }

    #[test]
    fn wire_form_of_an_envelope_is_unchanged() {
        let caller = Caller { address: Some("192.0.2.1".into()), user_agent: None };
        assert_wire(
            Envelope { request_id: "r1".into(), caller, command: Command::DeleteAccount { erase: false } },
            json!({
                "request_id": "r1",
                "caller": {"address": "192.0.2.1", "user_agent": null},
                "command": {"delete_account": {"erase": false}},
            }),
        );
        assert_wire(
            Envelope { request_id: String::new(), caller: Caller::default(), command: Command::GetAccount },
            json!({"command": "get_account"}),
        );
    }

    #[test]
    fn wire_form_of_each_command_is_unchanged() {
        let put: AccountInput = serde_json::from_value(json!({"status": "Active", "sso": false})).unwrap();
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
                Command::NoteReplay(Replay { jti: jti(), client_id: portal(), browser_session: Some(sid()) }),
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
}
