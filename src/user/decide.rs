//! All policy of the user's object, as one pure function: facts and a command in, a reply and
//! changes out. The object loads the facts before and saves the changes after, in one turn.

use crate::id::{ClientId, SessionId, TokenId};
use crate::sso::Denial;
use crate::time::Timestamp;
use crate::user::{
    Account, Caller, Command, Event, EventKind, EventReason, Fate, Redemption, Reply, Session, SessionEnd, Status,
    TokenFate, Turn,
};

/// How many live sessions a user may have. The oldest goes when one more is opened.
pub const SESSIONS_MAX: usize = 20;

/// The rows that bear on a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The account.
    pub account: Option<Account>,
    /// The sessions, dead ones that are not swept yet among them.
    pub sessions: Vec<Session>,
    /// What became of the token that the command names.
    pub token: Option<TokenFate>,
    /// Whether the credential set that the command names is revoked or disabled.
    pub credential_is_revoked: bool,
    /// The numbered events that the command asks for.
    pub events: Vec<(u64, Event)>,
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
    /// Delete all sessions.
    DeleteSessions,
    /// Write the account.
    SaveAccount(Account),
    /// Delete the account.
    DeleteAccount,
    /// Remember that a credential set is revoked.
    RevokeCredential(ClientId),
    /// Forget that a credential set is revoked.
    RestoreCredential(ClientId),
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

/// Decides on `turn` at `now`.
pub fn decide(facts: Facts, turn: Turn, now: Timestamp) -> Decision {
    let origin = Origin { request_id: turn.request_id, caller: turn.caller, now };
    match turn.command {
        Command::Redeem(redemption) => redeem(&facts, redemption, origin),
        Command::CheckSession(id) => check_session(&facts, &id, now),
        Command::EndSession(id, why) => end_session(&facts, &id, why, origin),
        Command::EndSessions => end_sessions(&facts, origin),
        Command::ListSessions => {
            let mut sessions: Vec<_> = facts.sessions.into_iter().filter(|s| s.is_live(now)).collect();
            sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
            Decision::only(Reply::Sessions(sessions))
        }
        Command::GetAccount => Decision::only(facts.account.map_or(Reply::Missing, Reply::Account)),
        Command::PutAccount(input) => {
            let is_new = facts.account.is_none();
            save_account(input.into_account(facts.account.as_ref(), now), is_new, origin)
        }
        Command::PatchAccount(change) => match facts.account {
            Some(account) => save_account(change.apply(account, now), false, origin),
            None => Decision::only(Reply::Missing),
        },
        Command::DeleteAccount => match facts.account {
            Some(_) => Decision::of(
                Reply::Done,
                vec![
                    Change::DeleteAccount,
                    Change::DeleteSessions,
                    Change::Record(origin.event(EventKind::AccountDeleted)),
                ],
            ),
            None => Decision::only(Reply::Missing),
        },
        Command::ListEvents { .. } => Decision::only(Reply::Events(facts.events)),
        Command::GetToken(_) => Decision::only(Reply::Fate(facts.token)),
        Command::RevokeToken(jti) => revoke_token(&facts, jti, origin),
        Command::RevokeCredential(client_id) => {
            let event = Event { client_id: Some(client_id.clone()), ..origin.event(EventKind::CredentialRevoked) };
            Decision::of(Reply::Done, vec![Change::RevokeCredential(client_id), Change::Record(event)])
        }
        Command::RestoreCredential(client_id) => {
            let event = Event { client_id: Some(client_id.clone()), ..origin.event(EventKind::CredentialRestored) };
            Decision::of(Reply::Done, vec![Change::RestoreCredential(client_id), Change::Record(event)])
        }
    }
}

/// Who asked, and when: what every event says.
struct Origin {
    request_id: String,
    caller: Caller,
    now: Timestamp,
}

impl Origin {
    fn event(self, event: EventKind) -> Event {
        Event {
            at: self.now,
            event,
            request_id: self.request_id,
            reason: None,
            status: None,
            sso: None,
            client_id: None,
            jti: None,
            session_id: None,
            replaced_session_ids: Vec::new(),
            address: self.caller.address,
            user_agent: self.caller.user_agent,
        }
    }
}

/// Redeems a token:
/// 1. a dead token changes nothing,
/// 2. the account's own state comes first, whatever became of the token,
/// 3. a token counts once; the same browser may click twice,
/// 4. the credential set, the account and its ownership must stand,
/// 5. the token is spent, and the session opened.
fn redeem(facts: &Facts, redemption: Redemption, origin: Origin) -> Decision {
    if origin.now >= redemption.expires_at {
        return Decision::only(Reply::Denied(Denial::TokenExpired));
    }
    match facts.account.as_ref() {
        Some(account) if account.status == Status::Closed => {
            let denial = if redemption.presented.is_some() { Denial::ClosedWithSession } else { Denial::Closed };
            return deny(facts, redemption, denial, origin);
        }
        Some(account) if !account.sso => return deny(facts, redemption, Denial::SsoDisabled, origin),
        Some(_) | None => {}
    }
    match facts.token.as_ref().map(|token| token.fate) {
        Some(Fate::SignedIn) => return repeat(facts, &redemption, origin),
        Some(Fate::Denied(_)) => return Decision::only(Reply::Denied(Denial::TokenUsed)),
        Some(Fate::Revoked) => return Decision::only(Reply::Denied(Denial::TokenRevoked)),
        None => {}
    }
    let denial = match facts.account.as_ref() {
        _ if facts.credential_is_revoked => Some(Denial::CredentialRevoked),
        None => Some(Denial::UnknownAccount),
        Some(account) => {
            let owns = account.owns(redemption.service_id.as_ref(), redemption.domain_id.as_ref());
            (!owns).then_some(Denial::NotOwner)
        }
    };
    match denial {
        Some(denial) => deny(facts, redemption, denial, origin),
        None => sign_in(facts, redemption, origin),
    }
}

/// Refuses, and spends the token if nothing became of it before.
fn deny(facts: &Facts, redemption: Redemption, denial: Denial, origin: Origin) -> Decision {
    let mut changes = Vec::new();
    if facts.token.is_none() {
        let fate = TokenFate { fate: Fate::Denied(denial), at: origin.now };
        changes.push(Change::SettleToken(redemption.jti.clone(), fate));
        changes.push(Change::Record(Event {
            reason: Some(EventReason::Denial(denial)),
            client_id: Some(redemption.client_id),
            jti: Some(redemption.jti),
            ..origin.event(EventKind::Denied)
        }));
    }
    if denial == Denial::ClosedWithSession {
        changes.extend(redemption.presented.map(Change::DeleteSession));
    }
    Decision::of(Reply::Denied(denial), changes)
}

/// A spent token again: from the browser that it signed in, or from elsewhere.
fn repeat(facts: &Facts, redemption: &Redemption, origin: Origin) -> Decision {
    let denied = Reply::Denied(Denial::TokenUsed);
    let opened = facts.sessions.iter().find(|s| s.token == redemption.jti && s.is_live(origin.now));
    let Some(opened) = opened else { return Decision::only(denied) };
    if redemption.presented.as_ref() == Some(&opened.id) {
        return Decision::only(Reply::Repeated(opened.clone()));
    }
    if opened.address == origin.caller.address && opened.user_agent == origin.caller.user_agent {
        return Decision::only(denied);
    }
    let event = Event {
        reason: Some(EventReason::SessionEnd(SessionEnd::TokenReplayed)),
        client_id: Some(opened.client_id.clone()),
        jti: Some(opened.token.clone()),
        session_id: Some(opened.id.clone()),
        ..origin.event(EventKind::SessionEnded)
    };
    Decision::of(denied, vec![Change::DeleteSession(opened.id.clone()), Change::Record(event)])
}

fn sign_in(facts: &Facts, redemption: Redemption, origin: Origin) -> Decision {
    let now = origin.now;
    let fate = TokenFate { fate: Fate::SignedIn, at: now };
    let mut changes = vec![Change::SettleToken(redemption.jti.clone(), fate)];
    let replaced: Vec<_> = redundant_sessions(facts, redemption.presented.as_ref(), now).collect();
    changes.extend(replaced.iter().cloned().map(Change::DeleteSession));
    let session = Session {
        id: redemption.session_id,
        token: redemption.jti,
        client_id: redemption.client_id,
        destination: redemption.destination,
        created_at: now,
        last_seen_at: now,
        idle_seconds: redemption.session_idle,
        max_expires_at: now.plus(redemption.session_max),
        address: origin.caller.address.clone(),
        user_agent: origin.caller.user_agent.clone(),
    };
    changes.push(Change::SaveSession(session.clone()));
    changes.push(Change::Record(Event {
        client_id: Some(session.client_id.clone()),
        jti: Some(session.token.clone()),
        session_id: Some(session.id.clone()),
        replaced_session_ids: replaced,
        ..origin.event(EventKind::SignedIn)
    }));
    Decision::of(Reply::SignedIn(session), changes)
}

/// The sessions that a new one replaces: the browser's own, and the oldest beyond the cap.
fn redundant_sessions(
    facts: &Facts,
    presented: Option<&SessionId>,
    now: Timestamp,
) -> impl Iterator<Item = SessionId> + use<> {
    let own = facts.sessions.iter().find(|s| Some(&s.id) == presented).map(|s| s.id.clone());
    let mut others: Vec<_> = facts.sessions.iter().filter(|s| s.is_live(now) && Some(&s.id) != own.as_ref()).collect();
    others.sort_by_key(|session| session.created_at);
    let surplus = others.len().saturating_add(1).saturating_sub(SESSIONS_MAX);
    let oldest: Vec<_> = others.into_iter().take(surplus).map(|s| s.id.clone()).collect();
    own.into_iter().chain(oldest)
}

fn check_session(facts: &Facts, id: &SessionId, now: Timestamp) -> Decision {
    let account_stands = facts.account.as_ref().is_some_and(|account| account.status != Status::Closed);
    let session = facts.sessions.iter().find(|s| s.id == *id && s.is_live(now)).filter(|_| account_stands);
    match session {
        None => Decision::only(Reply::Missing),
        Some(session) => match session.refreshed(now) {
            Some(fresh) => Decision::of(Reply::Session(fresh.clone()), vec![Change::SaveSession(fresh)]),
            None => Decision::only(Reply::Session(session.clone())),
        },
    }
}

fn end_session(facts: &Facts, id: &SessionId, why: SessionEnd, origin: Origin) -> Decision {
    let Some(session) = facts.sessions.iter().find(|s| s.id == *id && s.is_live(origin.now)) else {
        return Decision::only(Reply::Missing);
    };
    let event = Event {
        reason: Some(EventReason::SessionEnd(why)),
        client_id: Some(session.client_id.clone()),
        session_id: Some(session.id.clone()),
        ..origin.event(EventKind::SessionEnded)
    };
    Decision::of(Reply::Done, vec![Change::DeleteSession(session.id.clone()), Change::Record(event)])
}

fn end_sessions(facts: &Facts, origin: Origin) -> Decision {
    if facts.account.is_none() {
        return Decision::only(Reply::Missing);
    }
    let event = Event {
        reason: Some(EventReason::SessionEnd(SessionEnd::Administrator)),
        ..origin.event(EventKind::SessionEnded)
    };
    Decision::of(Reply::Done, vec![Change::DeleteSessions, Change::Record(event)])
}

/// Writes the account. Closing it ends its sessions in the same turn.
fn save_account(account: Account, is_new: bool, origin: Origin) -> Decision {
    let kind = if is_new { EventKind::AccountCreated } else { EventKind::AccountChanged };
    let event = Event { status: Some(account.status), sso: Some(account.sso), ..origin.event(kind) };
    let mut changes = vec![Change::SaveAccount(account.clone())];
    if account.status == Status::Closed {
        changes.push(Change::DeleteSessions);
    }
    changes.push(Change::Record(event));
    Decision::of(if is_new { Reply::Created(account) } else { Reply::Account(account) }, changes)
}

fn revoke_token(facts: &Facts, jti: TokenId, origin: Origin) -> Decision {
    if facts.token.is_some() {
        return Decision::only(Reply::Done);
    }
    let fate = TokenFate { fate: Fate::Revoked, at: origin.now };
    let event = Event { jti: Some(jti.clone()), ..origin.event(EventKind::TokenRevoked) };
    Decision::of(Reply::Done, vec![Change::SettleToken(jti, fate), Change::Record(event)])
}

#[cfg(test)]
mod tests;
