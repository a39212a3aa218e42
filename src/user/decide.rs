//! The policy of the user's object as one pure function: stored rows and a command in, a reply and changes out. The
//! object loads the rows before and saves the changes after, without running another command in between.

mod account;
mod redemption;
mod session;
mod token;

use crate::http::Caller;
use crate::id::{OwnedId, TokenId};
use crate::time::Timestamp;
use crate::user::{
    Account, BoundCredential, Command, Denial, Envelope, Event, EventKind, OWNED_MAX, Reply, Session, SignIn, TokenFate,
};
use account::{delete_account, export, save_account, set_credential};
use redemption::redeem;
use session::{as_user, check_session, end_session, end_sessions, is_of, newest_first, valid_session};
use token::{is_active, note_replay, revoke_token};

/// The maximum number of live sessions of a user. Opening one more ends the oldest.
pub const SESSIONS_MAX: usize = 20;

/// What a command needs of the stored rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub account: Option<Account>,
    /// The sessions. Expired sessions may be included and are ignored.
    pub sessions: Vec<Session>,
    /// The bound credential sets, in the order of their ids.
    pub credentials: Vec<BoundCredential>,
    /// The highest number in the audit log.
    pub latest: u64,
    /// The final state of the token in the command.
    pub token: Option<TokenFate>,
    /// The numbered events to list or export.
    pub events: Vec<(u64, Event)>,
    /// The final states of the tokens to export.
    pub tokens: Vec<(TokenId, TokenFate)>,
    /// Whether an event to erase contains an address or a browser.
    pub has_callers: bool,
}

impl Facts {
    /// The facts after `changes` were saved at `now`, for the next command: the account, the sessions, the credential
    /// sets and the highest number. What only one command needs is left out.
    pub fn after(self, changes: Vec<Change>, now: Timestamp) -> Self {
        let Self { account, sessions, credentials, latest, .. } = self;
        let mut facts = Self { account, sessions, credentials, latest, ..Self::default() };
        for change in changes {
            facts.apply(change, now);
        }
        facts
    }

    fn apply(&mut self, change: Change, now: Timestamp) {
        self.latest = change.number_after(self.latest);
        match change {
            Change::SignIn(jti, sign_in) => {
                self.sessions.retain(|session| session.is_live(now));
                self.sessions.push(sign_in.into_session(jti, self.latest));
            }
            Change::RefreshSession(fresh) => {
                self.sessions.retain(|session| session.token != fresh.token);
                self.sessions.push(fresh);
            }
            Change::EndSession(jti) => self.sessions.retain(|session| session.token != jti),
            Change::SaveAccount(account) => self.account = Some(account),
            Change::DeleteAccount => self.account = None,
            Change::SaveCredential(set) => {
                self.credentials.retain(|known| known.client_id != set.client_id);
                let place = self.credentials.partition_point(|known| known.client_id < set.client_id);
                self.credentials.insert(place, set);
            }
            Change::SettleToken(..) | Change::EraseCallers | Change::Record(_) => {}
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    pub reply: Reply,
    /// The changes to save, all or none.
    pub changes: Vec<Change>,
}

/// One write to the object's storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Store a sign-in, with the next number of the audit log. Fails if the token already has a final state.
    SignIn(TokenId, SignIn),
    /// Store another final state of a token. Fails if the token already has one.
    SettleToken(TokenId, TokenFate),
    /// Store the last use of a session.
    RefreshSession(Session),
    /// End the session that the token opened.
    EndSession(TokenId),
    SaveAccount(Account),
    DeleteAccount,
    SaveCredential(BoundCredential),
    /// Remove addresses and browsers from all events, and destinations and nonces from all sign-ins.
    EraseCallers,
    /// Add an event to the audit log, with the next number.
    Record(Event),
}

impl Change {
    /// The highest number in the audit log after the change, if it was `latest` before.
    pub const fn number_after(&self, latest: u64) -> u64 {
        match self {
            Self::SignIn(..) | Self::Record(_) => latest.saturating_add(1),
            _ => latest,
        }
    }
}

impl Decision {
    fn of(reply: Reply, changes: Vec<Change>) -> Self {
        Self { reply, changes }
    }

    fn only(reply: Reply) -> Self {
        Self::of(reply, Vec::new())
    }
}

/// The reply to a command at `now`, and the changes to save.
pub fn decide(facts: &Facts, envelope: Envelope, now: Timestamp) -> Decision {
    let context = &EventContext { request_id: envelope.request_id, caller: envelope.caller, now };
    match envelope.command {
        Command::Redeem(redemption) => redeem(facts, redemption, context),
        Command::CheckSession(id) => check_session(facts, &id, now),
        Command::PeekSession(id) => {
            let session = valid_session(facts, &id, now).cloned();
            Decision::only(session.map_or(Reply::Missing, Reply::Session))
        }
        Command::EndSession(id, why) => end_session(facts, &id, why, context),
        Command::EndSessions { client_id, why } => end_sessions(facts, client_id, why, context),
        Command::AsUser(id, action) => as_user(facts, &id, action, context),
        Command::ListSessions(client_id) => {
            let mut sessions = newest_first(&facts.sessions, now);
            sessions.retain(|session| is_of(session, client_id.as_ref()));
            Decision::only(Reply::Sessions(sessions.into_iter().cloned().collect()))
        }
        Command::GetAccount => Decision::only(facts.account.clone().map_or(Reply::Missing, Reply::Account)),
        Command::PutAccount { account, end_sessions } => {
            let account = account.into_account(facts.account.as_ref(), now);
            save_account(facts, account, end_sessions, None, context)
        }
        Command::PatchAccount { change, end_sessions } => match facts.account.clone() {
            Some(account) => match change.apply(account, now) {
                account if account.owned() > OWNED_MAX => Decision::only(Reply::Full),
                account => save_account(facts, account, end_sessions, None, context),
            },
            None => Decision::only(Reply::Missing),
        },
        Command::DeleteAccount { erase } => delete_account(facts, erase, context),
        Command::Export => export(facts, now),
        Command::ListEvents { .. } => Decision::only(Reply::Events(facts.events.clone())),
        Command::GetToken(_) => Decision::only(Reply::Fate(facts.token.clone())),
        Command::IntrospectToken(introspection) => Decision::only(Reply::Active(is_active(facts, &introspection))),
        Command::NoteReplay(replay) => note_replay(facts, &replay, context),
        Command::RevokeToken(revocation) => revoke_token(facts, revocation, context),
        Command::SetCredential { set, end_sessions, by } => set_credential(facts, set, end_sessions, by, context),
    }
}

/// The fields that all events of a command have in common.
struct EventContext {
    request_id: String,
    caller: Caller,
    now: Timestamp,
}

impl EventContext {
    fn event(&self, event: EventKind) -> Event {
        Event::new(event, self.now, self.request_id.clone(), self.caller.clone())
    }
}

/// Why the user cannot be signed in, to this service or domain if given.
fn denial(facts: &Facts, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> Option<Denial> {
    facts.account.as_ref().map_or(Some(Denial::UnknownAccount), |account| account.denial(service, domain))
}

#[cfg(test)]
mod tests;
