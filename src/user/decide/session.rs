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
            Some(fresh) => Decision::of(Reply::Session(fresh.clone()), vec![Change::RefreshSession(fresh)]),
            None => Decision::only(Reply::Session(session.clone())),
        },
    }
}

/// The session `id`, if it is live and the account exists and is not Closed.
pub(super) fn valid_session<'a>(facts: &'a Facts, id: &SessionId, now: Timestamp) -> Option<&'a Session> {
    let is_open = facts.account.as_ref().is_some_and(|account| account.status != Status::Closed);
    live_session(facts, id, now).filter(|_| is_open)
}

pub(super) fn live_session<'a>(facts: &'a Facts, id: &SessionId, now: Timestamp) -> Option<&'a Session> {
    facts.sessions.iter().find(|session| session.id == *id && session.is_live(now))
}

/// The live sessions, newest first.
pub(super) fn newest_first(sessions: &[Session], now: Timestamp) -> Vec<&Session> {
    let mut live: Vec<_> = sessions.iter().filter(|session| session.is_live(now)).collect();
    live.sort_unstable_by_key(|session| std::cmp::Reverse(session.age_key()));
    live
}

/// Runs an action of the user who has the session `id`.
pub(super) fn as_user(facts: &Facts, id: &SessionId, action: UserAction, context: &EventContext) -> Decision {
    let now = context.now;
    let (Some(current), Some(account)) = (valid_session(facts, id, now), facts.account.as_ref()) else {
        return Decision::only(Reply::Missing);
    };
    let fresh = current.refreshed(now);
    let mut changes = Vec::from_iter(fresh.clone().map(Change::RefreshSession));
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
            let ended = ends(facts, now, |session| session.id != *id);
            changes.extend(recorded(ended, None, SessionEnd::User, context));
        }
        UserAction::SetSso(sso) => {
            let account = Account { sso, updated_at: now, ..account.clone() };
            changes.extend(save_account(facts, account, false, Some(Actor::User), context).changes);
        }
    }
    Decision::of(Reply::Done, changes)
}

pub(super) fn end_session(facts: &Facts, id: &SessionId, why: SessionEnd, context: &EventContext) -> Decision {
    let Some(session) = live_session(facts, id, context.now) else {
        return Decision::only(Reply::Missing);
    };
    let event = Event {
        reason: Some(EventReason::SessionEnd(why)),
        client_id: Some(session.client_id.clone()),
        session_id: Some(session.id.clone()),
        ..context.event(EventKind::SessionEnded)
    };
    Decision::of(Reply::Done, vec![Change::EndSession(session.token.clone()), Change::Record(event)])
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
    let ended = ends(facts, context.now, |session| is_of(session, client_id.as_ref()));
    recorded(ended, client_id, why, context)
}

/// The changes that end the live sessions with this property, without an event.
pub(super) fn ends(facts: &Facts, now: Timestamp, is_ended: impl Fn(&Session) -> bool) -> Vec<Change> {
    let ended = facts.sessions.iter().filter(|session| session.is_live(now) && is_ended(session));
    ended.map(|session| Change::EndSession(session.token.clone())).collect()
}

/// `ended` and one event for all of them. Without an ended session there is no event.
fn recorded(
    mut ended: Vec<Change>,
    client_id: Option<ClientId>,
    why: SessionEnd,
    context: &EventContext,
) -> Vec<Change> {
    if !ended.is_empty() {
        let reason = Some(EventReason::SessionEnd(why));
        ended.push(Change::Record(Event { reason, client_id, ..context.event(EventKind::SessionEnded) }));
    }
    ended
}

/// Whether the application `client_id`, if given, opened the session.
pub(super) fn is_of(session: &Session, client_id: Option<&ClientId>) -> bool {
    client_id.is_none_or(|client_id| session.client_id == *client_id)
}
