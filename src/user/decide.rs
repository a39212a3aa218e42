//! All policy of the user's object, as one pure function: facts and a command in, a reply and changes out. The object loads the
//! facts before and saves the changes after, and serves no other command meanwhile.

mod account;
mod redemption;
mod session;
mod token;

use crate::http::Caller;
use crate::id::{OwnedId, SessionId, TokenId};
use crate::time::Timestamp;
use crate::user::{
    Account, BoundCredential, Command, Denial, Envelope, Event, EventKind, OWNED_MAX, Reply, Session, TokenFate,
};
use account::{delete_account, export, save_account, set_credential};
use redemption::redeem;
use session::{as_user, check_session, counting_session, end_session, end_sessions, is_of, newest_first};
use token::{is_active, note_replay, revoke_token};

/// How many live sessions a user may have. The oldest goes when one more is opened.
pub const SESSIONS_MAX: usize = 20;

/// The rows that bear on a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The account.
    pub account: Option<Account>,
    /// The sessions. Dead ones that are not swept yet count for nothing.
    pub sessions: Vec<Session>,
    /// What became of the token that the command names.
    pub token: Option<TokenFate>,
    /// The bound credential sets that the command is about.
    pub credentials: Vec<BoundCredential>,
    /// The numbered events that the command asks for.
    pub events: Vec<(u64, Event)>,
    /// What became of tokens, if the command asks for all of them.
    pub tokens: Vec<(TokenId, TokenFate)>,
    /// Whether an event names an address or a browser, if the command asks.
    pub has_traces: bool,
}

/// What the object is to answer, and to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The answer.
    pub reply: Reply,
    /// What to write, all or nothing.
    pub changes: Vec<Change>,
}

/// One write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Record what became of a token. It fails if something became of it before.
    SettleToken(TokenId, TokenFate),
    /// Write a session, new or refreshed.
    SaveSession(Session),
    /// Delete a session.
    DeleteSession(SessionId),
    /// Delete all sessions but one.
    DeleteSessionsBut(SessionId),
    /// Delete all sessions.
    DeleteSessions,
    /// Write the account.
    SaveAccount(Account),
    /// Delete the account.
    DeleteAccount,
    /// Write the state of a bound credential set.
    SaveCredential(BoundCredential),
    /// Remove addresses and browsers from all events.
    EraseTraces,
    /// Add to the audit trail.
    Record(Event),
}

impl Decision {
    fn of(reply: Reply, changes: Vec<Change>) -> Self {
        Self { reply, changes }
    }

    fn only(reply: Reply) -> Self {
        Self::of(reply, Vec::new())
    }
}

/// Decides on `envelope` at `now`.
pub fn decide(facts: Facts, envelope: Envelope, now: Timestamp) -> Decision {
    let context = EventContext { request_id: envelope.request_id, caller: envelope.caller, now };
    match envelope.command {
        Command::Redeem(redemption) => redeem(&facts, redemption, context),
        Command::CheckSession(id) => check_session(&facts, &id, now),
        Command::PeekSession(id) => {
            let session = counting_session(&facts, &id, now).cloned();
            Decision::only(session.map_or(Reply::Missing, Reply::Session))
        }
        Command::EndSession(id, why) => end_session(&facts, &id, why, context),
        Command::EndSessions { client_id, why } => end_sessions(&facts, client_id, why, &context),
        Command::AsUser(id, action) => as_user(facts, &id, action, context),
        Command::ListSessions(client_id) => {
            let mut sessions = newest_first(&facts.sessions, now);
            sessions.retain(|session| is_of(session, client_id.as_ref()));
            Decision::only(Reply::Sessions(sessions.into_iter().cloned().collect()))
        }
        Command::GetAccount => Decision::only(facts.account.map_or(Reply::Missing, Reply::Account)),
        Command::PutAccount { account, end_sessions } => {
            let account = account.into_account(facts.account.as_ref(), now);
            save_account(&facts, account, end_sessions, None, &context)
        }
        Command::PatchAccount { change, end_sessions } => match facts.account.clone() {
            Some(account) => match change.apply(account, now) {
                account if account.owned() > OWNED_MAX => Decision::only(Reply::Full),
                account => save_account(&facts, account, end_sessions, None, &context),
            },
            None => Decision::only(Reply::Missing),
        },
        Command::DeleteAccount { erase } => delete_account(facts, erase, context),
        Command::Export => export(facts, now),
        Command::ListEvents { .. } => Decision::only(Reply::Events(facts.events)),
        Command::GetToken(_) => Decision::only(Reply::Fate(facts.token)),
        Command::IntrospectToken(introspection) => Decision::only(Reply::Active(is_active(&facts, &introspection))),
        Command::NoteReplay(replay) => note_replay(&facts, &replay, context),
        Command::RevokeToken(revocation) => revoke_token(&facts, revocation, &context),
        Command::SetCredential { set, end_sessions, by } => set_credential(&facts, set, end_sessions, by, &context),
    }
}

/// Who asked, and when: what every event says.
struct EventContext {
    request_id: String,
    caller: Caller,
    now: Timestamp,
}

impl EventContext {
    fn event(&self, event: EventKind) -> Event {
        Event {
            at: self.now,
            event,
            request_id: self.request_id.clone(),
            reason: None,
            status: None,
            sso: None,
            client_id: None,
            jti: None,
            session_id: None,
            replaced_session_ids: Vec::new(),
            address: self.caller.address.clone(),
            user_agent: self.caller.user_agent.clone(),
        }
    }
}

/// Why the user may not be signed in, to this service or domain where one is named.
fn denial(facts: &Facts, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> Option<Denial> {
    facts.account.as_ref().map_or(Some(Denial::UnknownAccount), |account| account.denial(service, domain))
}

#[cfg(test)]
mod tests;
