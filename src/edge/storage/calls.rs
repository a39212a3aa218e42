//! Typed calls to the objects of users and of the console: one method for each command. Each call costs one object
//! request.

use super::{console_object, object, sessions, user_object};
use crate::console::{ConsoleCommand, ConsoleEnvelope, ConsoleReply, ConsoleSession, Count};
use crate::edge::runtime::{Fault, settings};
use crate::http::Request;
use crate::id::{ClientId, SessionId, TokenId, UserId};
use crate::user::{
    Account, AccountChange, AccountInput, Actor, BoundCredential, Command, Deleted, Denial, Envelope, Event, Export,
    Introspection, Redemption, Replay, Reply, Saved, Security, Session, SessionEnd, TokenFate, TokenRevocation,
    UserAction,
};
use serde::Serialize;
use std::rc::Rc;
use worker::Env;

/// Converts the reply of an object. A reply that does not belong to the command is a fault.
macro_rules! answer {
    ($call:expr, $($reply:pat => $answer:expr),+) => {
        match $call.await? {
            $($reply => Ok($answer),)+
            reply => Err(unexpected(&reply)),
        }
    };
}

fn unexpected(reply: &impl Serialize) -> Fault {
    let text = serde_json::to_string(reply).unwrap_or_default();
    let kind: String = text.chars().take_while(|c| *c != ':').collect();
    Fault::Internal("object reply", kind)
}

/// The object of one user, called on behalf of one HTTP request.
pub(crate) struct UserObject {
    pub(crate) env: Env,
    pub(crate) user: UserId,
    /// The location hint of a new object; `None` places it near the caller.
    pub(crate) location: Option<String>,
    pub(crate) request_id: String,
    /// The HTTP request, for the audit trail.
    pub(crate) request: Rc<Request>,
}

pub(crate) enum Redeemed {
    /// The token opened this new session.
    SignedIn(Session),
    /// The token opened this session earlier, in the same browser.
    Repeated(Session),
    Denied(Denial),
}

pub(crate) enum Patched {
    Saved(Saved),
    /// The account would own too many services and domains. Nothing was written.
    Full,
    /// The account does not exist.
    Missing,
}

impl UserObject {
    pub(crate) async fn redeem(self, redemption: Redemption) -> Result<Redeemed, Fault> {
        answer!(
            self.call(Command::Redeem(redemption)),
            Reply::SignedIn(session) => Redeemed::SignedIn(session),
            Reply::Repeated(session) => Redeemed::Repeated(session),
            Reply::Denied(denial) => Redeemed::Denied(denial)
        )
    }

    /// The session, if it is live. Restarts the idle limit.
    pub(crate) async fn check_session(self, id: SessionId) -> Result<Option<Session>, Fault> {
        self.session(Command::CheckSession(id)).await
    }

    /// The session, if it is live. Does not restart the idle limit.
    pub(crate) async fn peek_session(self, id: SessionId) -> Result<Option<Session>, Fault> {
        self.session(Command::PeekSession(id)).await
    }

    async fn session(self, command: Command) -> Result<Option<Session>, Fault> {
        answer!(self.call(command), Reply::Session(session) => Some(session), Reply::Missing => None)
    }

    /// Returns whether the session was live.
    pub(crate) async fn end_session(self, id: SessionId, why: SessionEnd) -> Result<bool, Fault> {
        answer!(self.call(Command::EndSession(id, why)), Reply::Done => true, Reply::Missing => false)
    }

    /// Ends all sessions, or those of one application. Returns whether the account exists.
    pub(crate) async fn end_sessions(self, client_id: Option<ClientId>, why: SessionEnd) -> Result<bool, Fault> {
        answer!(self.call(Command::EndSessions { client_id, why }), Reply::Done => true, Reply::Missing => false)
    }

    /// The account as its user sees it, if the session is valid.
    pub(crate) async fn review(self, id: SessionId) -> Result<Option<Security>, Fault> {
        let command = Command::AsUser(id, UserAction::Review);
        answer!(self.call(command), Reply::Security(security) => Some(security), Reply::Missing => None)
    }

    /// Runs an action other than [`UserAction::Review`]. Returns whether the session is valid.
    pub(crate) async fn act_as_user(self, id: SessionId, action: UserAction) -> Result<bool, Fault> {
        answer!(self.call(Command::AsUser(id, action)), Reply::Done => true, Reply::Missing => false)
    }

    /// The live sessions, or those of one application, newest first.
    pub(crate) async fn sessions(self, client_id: Option<ClientId>) -> Result<Vec<Session>, Fault> {
        answer!(self.call(Command::ListSessions(client_id)), Reply::Sessions(sessions) => sessions)
    }

    pub(crate) async fn account(self) -> Result<Option<Account>, Fault> {
        answer!(self.call(Command::GetAccount), Reply::Account(account) => Some(account), Reply::Missing => None)
    }

    pub(crate) async fn put_account(self, account: AccountInput, end_sessions: bool) -> Result<Saved, Fault> {
        answer!(self.call(Command::PutAccount { account, end_sessions }), Reply::Saved(saved) => saved)
    }

    pub(crate) async fn patch_account(self, change: AccountChange, end_sessions: bool) -> Result<Patched, Fault> {
        answer!(
            self.call(Command::PatchAccount { change, end_sessions }),
            Reply::Saved(saved) => Patched::Saved(saved),
            Reply::Full => Patched::Full,
            Reply::Missing => Patched::Missing
        )
    }

    /// Deletes the account. `erase` also removes the addresses and browsers from all events. `None` if there is nothing
    /// to delete.
    pub(crate) async fn delete_account(self, erase: bool) -> Result<Option<Deleted>, Fault> {
        let command = Command::DeleteAccount { erase };
        answer!(self.call(command), Reply::Deleted(deleted) => Some(deleted), Reply::Missing => None)
    }

    /// Everything that the object stores; `None` if the object is empty.
    pub(crate) async fn export(self) -> Result<Option<Export>, Fault> {
        answer!(self.call(Command::Export), Reply::Export(export) => Some(export), Reply::Missing => None)
    }

    /// The events with numbers below `before`, newest first.
    pub(crate) async fn events(self, before: Option<u64>, limit: u64) -> Result<Vec<(u64, Event)>, Fault> {
        answer!(self.call(Command::ListEvents { before, limit }), Reply::Events(events) => events)
    }

    /// The final state of a token; `None` while it can still be redeemed.
    pub(crate) async fn token_fate(self, jti: TokenId) -> Result<Option<TokenFate>, Fault> {
        answer!(self.call(Command::GetToken(jti)), Reply::Fate(fate) => fate)
    }

    /// Whether the token would sign its user in.
    pub(crate) async fn introspect_token(self, token: Introspection) -> Result<bool, Fault> {
        answer!(self.call(Command::IntrospectToken(token)), Reply::Active(active) => active)
    }

    /// Records the use of an expired token if it is a replay.
    pub(crate) async fn note_replay(self, replay: Replay) -> Result<(), Fault> {
        answer!(self.call(Command::NoteReplay(replay)), Reply::Done | Reply::Unchanged => ())
    }

    pub(crate) async fn revoke_token(self, revocation: TokenRevocation) -> Result<(), Fault> {
        answer!(self.call(Command::RevokeToken(revocation)), Reply::Done => ())
    }

    /// Stores the state of a bound credential set. Returns whether the stored state changed.
    pub(crate) async fn set_credential(
        self,
        set: BoundCredential,
        end_sessions: bool,
        by: Option<Actor>,
    ) -> Result<bool, Fault> {
        let command = Command::SetCredential { set, end_sessions, by };
        answer!(self.call(command), Reply::Done => true, Reply::Unchanged => false)
    }

    async fn call(self, command: Command) -> Result<Reply, Fault> {
        // Any other command may end sessions. A check that started before the object answers may find the session live.
        let is_check = matches!(command, Command::CheckSession(_) | Command::PeekSession(_));
        let forget = || {
            if !is_check {
                sessions::forget(&self.user);
            }
        };
        forget();
        let (request_id, caller) =
            if command.is_recorded() { (self.request_id, self.request.caller()) } else { Default::default() };
        let envelope = Envelope { request_id, caller, command };
        let reply =
            object::call(&self.env, user_object::BINDING, self.user.as_str(), self.location.as_deref(), &envelope)
                .await;
        forget();
        reply
    }
}

/// The object of the console.
pub(crate) struct ConsoleObject<'a>(pub(crate) &'a Env);

impl ConsoleObject<'_> {
    /// Opens a session, and ends the earlier session of the same browser.
    pub(crate) async fn open(&self, session: ConsoleSession, replaces: Option<SessionId>) -> Result<(), Fault> {
        answer!(self.call(ConsoleCommand::Open { session, replaces }), ConsoleReply::Done => ())
    }

    /// Whether a session is live. Restarts the idle limit.
    pub(crate) async fn check(&self, id: SessionId) -> Result<bool, Fault> {
        answer!(self.call(ConsoleCommand::Check(id)), ConsoleReply::Done => true, ConsoleReply::Missing => false)
    }

    pub(crate) async fn end(&self, id: SessionId) -> Result<(), Fault> {
        answer!(self.call(ConsoleCommand::End(id)), ConsoleReply::Done => ())
    }

    pub(crate) async fn count(&self, counts: Vec<Count>) -> Result<(), Fault> {
        answer!(self.call(ConsoleCommand::Count(counts)), ConsoleReply::Done => ())
    }

    /// The counts of the day `since` and later days.
    pub(crate) async fn counts(&self, since: u64) -> Result<Vec<Count>, Fault> {
        answer!(self.call(ConsoleCommand::Counts(since)), ConsoleReply::Counts(counts) => counts)
    }

    /// Calls the object. A new object is placed by the setting `OBJECT_LOCATION`.
    async fn call(&self, command: ConsoleCommand) -> Result<ConsoleReply, Fault> {
        let settings = settings::read(self.0)
            .map_err(|_| Fault::Internal("settings", "the configuration is invalid".to_owned()))?;
        let envelope = ConsoleEnvelope { admin_token: settings.admin_token.clone(), command };
        object::call(self.0, console_object::BINDING, "console", settings.object_location.as_deref(), &envelope).await
    }
}
