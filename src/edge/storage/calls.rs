//! Asking the objects of users and of the console: a method for each question, with the answer that it can have. Each is one
//! object request.

use super::{console_object, object, user_object};
use crate::console::{ConsoleCommand, ConsoleEnvelope, ConsoleReply, ConsoleSession, Count};
use crate::edge::runtime::{Fault, settings};
use crate::http::Caller;
use crate::id::{ClientId, SessionId, TokenId, UserId};
use crate::user::{
    Account, AccountChange, AccountInput, Actor, BoundCredential, Command, Deleted, Denial, Envelope, Event, Export,
    Introspection, Redemption, Replay, Reply, Saved, Security, Session, SessionEnd, TokenFate, TokenRevocation,
    UserAction,
};
use serde::Serialize;
use worker::Env;

/// The answer in the reply of an object. A reply that the question cannot have is a fault.
macro_rules! answer {
    ($asked:expr, $($reply:pat => $answer:expr),+) => {
        match $asked.await? {
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

/// The object of one user, as one request asks it.
pub(crate) struct UserObject {
    pub(crate) env: Env,
    pub(crate) user: UserId,
    /// Where the object is placed if it is new; `None` for near the caller.
    pub(crate) location: Option<String>,
    /// The request, as in the log.
    pub(crate) request_id: String,
    pub(crate) caller: Caller,
}

/// What became of a redemption.
pub(crate) enum Redeemed {
    /// The token was spent on this new session.
    SignedIn(Session),
    /// The token opened this session before, in the same browser.
    Repeated(Session),
    /// The user is not signed in.
    Denied(Denial),
}

/// What became of a change of an account.
pub(crate) enum Patched {
    /// It is as it was to be.
    Saved(Saved),
    /// The account would own too much. Nothing was written.
    Full,
    /// There is no account.
    Missing,
}

impl UserObject {
    /// Redeems a token.
    pub(crate) async fn redeem(self, redemption: Redemption) -> Result<Redeemed, Fault> {
        answer!(
            self.ask(Command::Redeem(redemption)),
            Reply::SignedIn(session) => Redeemed::SignedIn(session),
            Reply::Repeated(session) => Redeemed::Repeated(session),
            Reply::Denied(denial) => Redeemed::Denied(denial)
        )
    }

    /// The session, if it is alive. This counts as a use of it.
    pub(crate) async fn check_session(self, id: SessionId) -> Result<Option<Session>, Fault> {
        self.session(Command::CheckSession(id)).await
    }

    /// The session, if it is alive. This does not count as a use of it.
    pub(crate) async fn peek_session(self, id: SessionId) -> Result<Option<Session>, Fault> {
        self.session(Command::PeekSession(id)).await
    }

    async fn session(self, command: Command) -> Result<Option<Session>, Fault> {
        answer!(self.ask(command), Reply::Session(session) => Some(session), Reply::Missing => None)
    }

    /// Ends a session. Returns whether it was alive.
    pub(crate) async fn end_session(self, id: SessionId, why: SessionEnd) -> Result<bool, Fault> {
        answer!(self.ask(Command::EndSession(id, why)), Reply::Done => true, Reply::Missing => false)
    }

    /// Ends all sessions, or those that one application opened. Returns whether there is an account.
    pub(crate) async fn end_sessions(self, client_id: Option<ClientId>, why: SessionEnd) -> Result<bool, Fault> {
        answer!(self.ask(Command::EndSessions { client_id, why }), Reply::Done => true, Reply::Missing => false)
    }

    /// What the user of a session sees of the account, if the session is alive.
    pub(crate) async fn review(self, id: SessionId) -> Result<Option<Security>, Fault> {
        let command = Command::AsUser(id, UserAction::Review);
        answer!(self.ask(command), Reply::Security(security) => Some(security), Reply::Missing => None)
    }

    /// Does what the user of a session asks, except [`UserAction::Review`]. Returns whether the session is alive.
    pub(crate) async fn act_as_user(self, id: SessionId, action: UserAction) -> Result<bool, Fault> {
        answer!(self.ask(Command::AsUser(id, action)), Reply::Done => true, Reply::Missing => false)
    }

    /// The live sessions, newest first: all, or those that one application opened.
    pub(crate) async fn sessions(self, client_id: Option<ClientId>) -> Result<Vec<Session>, Fault> {
        answer!(self.ask(Command::ListSessions(client_id)), Reply::Sessions(sessions) => sessions)
    }

    /// The account.
    pub(crate) async fn account(self) -> Result<Option<Account>, Fault> {
        answer!(self.ask(Command::GetAccount), Reply::Account(account) => Some(account), Reply::Missing => None)
    }

    /// Creates or replaces the account.
    pub(crate) async fn put_account(self, account: AccountInput, end_sessions: bool) -> Result<Saved, Fault> {
        answer!(self.ask(Command::PutAccount { account, end_sessions }), Reply::Saved(saved) => saved)
    }

    /// Changes the account.
    pub(crate) async fn patch_account(self, change: AccountChange, end_sessions: bool) -> Result<Patched, Fault> {
        answer!(
            self.ask(Command::PatchAccount { change, end_sessions }),
            Reply::Saved(saved) => Patched::Saved(saved),
            Reply::Full => Patched::Full,
            Reply::Missing => Patched::Missing
        )
    }

    /// Deletes the account, with `erase` the addresses and browsers in all events too. `None` if there is nothing to delete.
    pub(crate) async fn delete_account(self, erase: bool) -> Result<Option<Deleted>, Fault> {
        let command = Command::DeleteAccount { erase };
        answer!(self.ask(command), Reply::Deleted(deleted) => Some(deleted), Reply::Missing => None)
    }

    /// Everything that the object holds, if anything.
    pub(crate) async fn export(self) -> Result<Option<Export>, Fault> {
        answer!(self.ask(Command::Export), Reply::Export(export) => Some(export), Reply::Missing => None)
    }

    /// The numbered events older than the one numbered `before`, newest first.
    pub(crate) async fn events(self, before: Option<u64>, limit: u64) -> Result<Vec<(u64, Event)>, Fault> {
        answer!(self.ask(Command::ListEvents { before, limit }), Reply::Events(events) => events)
    }

    /// What became of a token; `None` while it may still be redeemed.
    pub(crate) async fn token_fate(self, jti: TokenId) -> Result<Option<TokenFate>, Fault> {
        answer!(self.ask(Command::GetToken(jti)), Reply::Fate(fate) => fate)
    }

    /// Whether a token would sign its user in.
    pub(crate) async fn introspect_token(self, token: Introspection) -> Result<bool, Fault> {
        answer!(self.ask(Command::IntrospectToken(token)), Reply::Active(active) => active)
    }

    /// Records that an expired token was presented, if that is a replay.
    pub(crate) async fn note_replay(self, replay: Replay) -> Result<(), Fault> {
        answer!(self.ask(Command::NoteReplay(replay)), Reply::Done | Reply::Unchanged => ())
    }

    /// Revokes a token.
    pub(crate) async fn revoke_token(self, revocation: TokenRevocation) -> Result<(), Fault> {
        answer!(self.ask(Command::RevokeToken(revocation)), Reply::Done => ())
    }

    /// Writes the state of a bound credential set. Returns whether that changed anything.
    pub(crate) async fn set_credential(
        self,
        set: BoundCredential,
        end_sessions: bool,
        by: Option<Actor>,
    ) -> Result<bool, Fault> {
        let command = Command::SetCredential { set, end_sessions, by };
        answer!(self.ask(command), Reply::Done => true, Reply::Unchanged => false)
    }

    async fn ask(self, command: Command) -> Result<Reply, Fault> {
        let envelope = Envelope { request_id: self.request_id, caller: self.caller, command };
        object::ask(&self.env, user_object::BINDING, self.user.as_str(), self.location.as_deref(), &envelope).await
    }
}

/// The console's object, as one request asks it.
pub(crate) struct ConsoleObject<'a>(pub(crate) &'a Env);

impl ConsoleObject<'_> {
    /// Opens a session, and ends the one that the browser presented.
    pub(crate) async fn open(&self, session: ConsoleSession, replaces: Option<SessionId>) -> Result<(), Fault> {
        answer!(self.ask(ConsoleCommand::Open { session, replaces }), ConsoleReply::Done => ())
    }

    /// Whether a session is alive. This counts as a use of it.
    pub(crate) async fn check(&self, id: SessionId) -> Result<bool, Fault> {
        answer!(self.ask(ConsoleCommand::Check(id)), ConsoleReply::Done => true, ConsoleReply::Missing => false)
    }

    /// Ends a session.
    pub(crate) async fn end(&self, id: SessionId) -> Result<(), Fault> {
        answer!(self.ask(ConsoleCommand::End(id)), ConsoleReply::Done => ())
    }

    /// Adds to the counts.
    pub(crate) async fn count(&self, counts: Vec<Count>) -> Result<(), Fault> {
        answer!(self.ask(ConsoleCommand::Count(counts)), ConsoleReply::Done => ())
    }

    /// The counts from a day on.
    pub(crate) async fn counts(&self, since: u64) -> Result<Vec<Count>, Fault> {
        answer!(self.ask(ConsoleCommand::Counts(since)), ConsoleReply::Counts(counts) => counts)
    }

    /// Asks the object, placed where the setting `OBJECT_LOCATION` says if it is new.
    async fn ask(&self, command: ConsoleCommand) -> Result<ConsoleReply, Fault> {
        let settings = settings::read(self.0)
            .map_err(|_| Fault::Internal("settings", "the configuration is invalid".to_owned()))?;
        let envelope = ConsoleEnvelope { admin_token: settings.admin_token.clone(), command };
        object::ask(self.0, console_object::BINDING, "console", settings.object_location.as_deref(), &envelope).await
    }
}
