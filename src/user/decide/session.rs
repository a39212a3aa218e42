//! Checking, listing and ending sessions, and the actions of users on the page of their sessions.

use super::account::save_account;
use super::{Change, Decision, EventContext, Facts};
use crate::id::{ClientId, SessionId};
use crate::time::Timestamp;
use crate::user::{
    Account, Actor, Event, EventKind, EventReason, Reply, Security, Session, SessionEnd, Status, UserAction,
};

pub(super) fn check_session(facts: &Facts, id: &SessionId, now: Timestamp) -> Decision {
    match valid_session(facts, id, now) {
        None => Decision::only(Reply::Missing),
        Some(session) => match session.refreshed(now) {
            Some(fresh) => Decision::of(Reply::Session(fresh.clone()), vec![Change::SaveSession(fresh)]),
            None => Decision::only(Reply::Session(session.clone())),
        },
    }
}

/// The session `id`, if it is live and the account exists and is not Closed.
pub(super) fn valid_session<'a>(facts: &'a Facts, id: &SessionId, now: Timestamp) -> Option<&'a Session> {
    let is_open = facts.account.as_ref().is_some_and(|account| account.status != Status::Closed);
    facts.sessions.iter().find(|s| s.id == *id && s.is_live(now)).filter(|_| is_open)
}

/// The live sessions, newest first.
pub(super) fn newest_first(sessions: &[Session], now: Timestamp) -> Vec<&Session> {
    let mut live: Vec<_> = sessions.iter().filter(|session| session.is_live(now)).collect();
    live.sort_by_key(|session| std::cmp::Reverse(session.age_key()));
    live
}

/// Runs an action of the user who has the session `id`.
pub(super) fn as_user(facts: &Facts, id: &SessionId, action: UserAction, context: &EventContext) -> Decision {
    let now = context.now;
    let (Some(current), Some(account)) = (valid_session(facts, id, now), facts.account.clone()) else {
        return Decision::only(Reply::Missing);
    };
    let fresh = current.refreshed(now);
    let mut changes = Vec::from_iter(fresh.clone().map(Change::SaveSession));
    match action {
        UserAction::Review => {
            let sessions = newest_first(&facts.sessions, now);
            let as_used =
                |session: &Session| fresh.clone().filter(|fresh| fresh.id == session.id).unwrap_or(session.clone());
            let sessions = sessions.into_iter().map(as_used).collect();
            let security = Security { sso: account.sso, sessions };
            return Decision::of(Reply::Security(security), changes);
        }
        UserAction::EndSession(ended) => {
            changes.extend(end_session(facts, &ended, SessionEnd::User, context).changes);
        }
        UserAction::EndOtherSessions => {
            if facts.sessions.iter().any(|session| session.id != *id && session.is_live(now)) {
                changes.push(Change::DeleteOtherSessions(id.clone()));
                changes.push(Change::Record(Event {
                    reason: Some(EventReason::SessionEnd(SessionEnd::User)),
                    ..context.event(EventKind::SessionEnded)
                }));
            }
        }
        UserAction::SetSso(sso) => {
            let account = Account { sso, updated_at: now, ..account };
            changes.extend(save_account(facts, account, false, Some(Actor::User), context).changes);
        }
    }
    Decision::of(Reply::Done, changes)
}

pub(super) fn end_session(facts: &Facts, id: &SessionId, why: SessionEnd, context: &EventContext) -> Decision {
    let Some(session) = facts.sessions.iter().find(|s| s.id == *id && s.is_live(context.now)) else {
        return Decision::only(Reply::Missing);
    };
    let event = Event {
        reason: Some(EventReason::SessionEnd(why)),
        client_id: Some(session.client_id.clone()),
        session_id: Some(session.id.clone()),
        ..context.event(EventKind::SessionEnded)
    };
    Decision::of(Reply::Done, vec![Change::DeleteSession(session.id.clone()), Change::Record(event)])
}

pub(super) fn end_sessions(
    facts: &Facts,
    client_id: Option<ClientId>,
    why: SessionEnd,
    context: &EventContext,
) -> Decision {
    if facts.account.is_none() {
        return Decision::only(Reply::Missing);
    }
    Decision::of(Reply::Done, ended_sessions(facts, client_id, why, context))
}

/// The changes that end all live sessions, or those of one application. Without such a session there are none.
pub(super) fn ended_sessions(
    facts: &Facts,
    client_id: Option<ClientId>,
    why: SessionEnd,
    context: &EventContext,
) -> Vec<Change> {
    let ended = facts.sessions.iter().filter(|s| s.is_live(context.now) && is_of(s, client_id.as_ref()));
    let mut changes: Vec<_> = ended.map(|session| Change::DeleteSession(session.id.clone())).collect();
    if changes.is_empty() {
        return changes;
    }
    if client_id.is_none() {
        changes = vec![Change::DeleteSessions];
    }
    let reason = Some(EventReason::SessionEnd(why));
    changes.push(Change::Record(Event { reason, client_id, ..context.event(EventKind::SessionEnded) }));
    changes
}

/// Whether the application `client_id`, if given, opened the session.
pub(super) fn is_of(session: &Session, client_id: Option<&ClientId>) -> bool {
    client_id.is_none_or(|client_id| session.client_id == *client_id)
}
