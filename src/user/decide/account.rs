//! Commands about the account and the credential sets bound to its user.

use super::session::{ended_sessions, ends, newest_first};
use super::{Change, Decision, EventContext, Facts};
use crate::http::Caller;
use crate::id::ClientId;
use crate::time::Timestamp;
use crate::user::{
    Account, Actor, BoundCredential, CredentialState, Deleted, EXPORT_RECORDS_MAX, Effect, Event, EventKind,
    EventReason, Export, Reply, Saved, SessionEnd, Status,
};
use std::collections::BTreeSet;

/// Stores the account if it differs from the stored one. `actor` is `None` for an administrator. Sessions end with
/// `end_sessions` and if the account is Closed. A Closed account with live sessions is stored again, so that the
/// sessions end.
pub(super) fn save_account(
    facts: &Facts,
    account: Account,
    end_sessions: bool,
    actor: Option<Actor>,
    context: &EventContext,
) -> Decision {
    let closes = account.status == Status::Closed;
    let old = facts.account.as_ref();
    let ended = if end_sessions && !closes {
        ended_sessions(facts, None, SessionEnd::Administrator, context)
    } else {
        Vec::new()
    };
    if let Some(old) = old
        && *old == (Account { updated_at: old.updated_at, ..account.clone() })
        && !(closes && facts.sessions.iter().any(|session| session.is_live(context.now)))
    {
        let saved = Saved { account: old.clone(), effect: Effect::Unchanged, dropped: BTreeSet::new() };
        return Decision::of(Reply::Saved(saved), ended);
    }
    let (effect, kind) = match old {
        Some(_) => (Effect::Changed, EventKind::AccountChanged),
        None => (Effect::Created, EventKind::AccountCreated),
    };
    let event = Event {
        reason: actor.map(EventReason::Actor),
        status: Some(account.status),
        sso: Some(account.sso),
        ..context.event(kind)
    };
    let mut changes = vec![Change::SaveAccount(account.clone())];
    if closes {
        changes.extend(ends(facts, context.now, |_| true));
    }
    changes.push(Change::Record(event));
    changes.extend(ended);
    let before = old.into_iter().flat_map(|old| &old.services);
    let mut dropped = BTreeSet::new();
    dropped.extend(before.filter(|service| !account.services.contains(*service)).cloned());
    Decision::of(Reply::Saved(Saved { account, effect, dropped }), changes)
}

/// Deletes the account and its sessions, and revokes its bound credential sets, so that they cannot sign in a later
/// account with the same id. `erase` also removes addresses and browsers from all events, and leaves them out of the
/// new events.
pub(super) fn delete_account(facts: &Facts, erase: bool, context: &EventContext) -> Decision {
    let bound = facts.credentials.iter().filter(|set| set.state != CredentialState::Revoked);
    let credentials: Vec<_> = bound.map(|set| set.client_id.clone()).collect();
    let can_erase = erase && (facts.has_callers || !credentials.is_empty());
    if facts.account.is_none() && !can_erase {
        return Decision::only(Reply::Missing);
    }
    let without_caller =
        EventContext { caller: Caller::default(), request_id: context.request_id.clone(), now: context.now };
    let (context, kind) =
        if erase { (&without_caller, EventKind::AccountErased) } else { (context, EventKind::AccountDeleted) };
    let mut changes = vec![Change::DeleteAccount];
    changes.extend(ends(facts, context.now, |_| true));
    if erase {
        changes.push(Change::EraseCallers);
    }
    for client_id in &credentials {
        let event = Event { client_id: Some(client_id.clone()), ..context.event(EventKind::CredentialRevoked) };
        let set = BoundCredential { client_id: client_id.clone(), state: CredentialState::Revoked };
        changes.extend([Change::SaveCredential(set), Change::Record(event)]);
    }
    changes.push(Change::Record(context.event(kind)));
    let services = facts.account.as_ref().map(|account| account.services.clone()).unwrap_or_default();
    Decision::of(Reply::Deleted(Deleted { services, credentials }), changes)
}

pub(super) fn export(facts: &Facts, now: Timestamp) -> Decision {
    let export = Export {
        account: facts.account.clone(),
        sessions: newest_first(&facts.sessions, now).into_iter().cloned().collect(),
        events: facts.events.iter().map(|(_, event)| event.clone()).collect(),
        tokens: facts.tokens.clone(),
        credentials: facts.credentials.iter().take(EXPORT_RECORDS_MAX.into()).cloned().collect(),
    };
    Decision::only(if export == Export::default() { Reply::Missing } else { Reply::Export(export) })
}

/// Whether the client is an enabled credential set of this user. A delegated client is always accepted here: the Worker
/// checks it in KV first.
pub(super) fn is_client_enabled(facts: &Facts, client_id: &ClientId, delegated: bool) -> bool {
    let is_enabled = |set: &BoundCredential| set.client_id == *client_id && set.state == CredentialState::Enabled;
    delegated || facts.credentials.iter().any(is_enabled)
}

/// Stores the state of a bound credential set. The first state of a set causes no event. Revoking a set without a
/// stored state changes nothing.
pub(super) fn set_credential(
    facts: &Facts,
    set: BoundCredential,
    end_sessions: bool,
    by: Option<Actor>,
    context: &EventContext,
) -> Decision {
    use CredentialState::{Disabled, Enabled, Revoked};
    let known = facts.credentials.iter().find(|known| known.client_id == set.client_id);
    let before = known.map(|known| known.state);
    let ended = if end_sessions {
        ended_sessions(facts, Some(set.client_id.clone()), SessionEnd::Application, context)
    } else {
        Vec::new()
    };
    let event = match (before, set.state) {
        (Some(Enabled), Disabled | Revoked) | (Some(Disabled), Revoked) => Some(EventKind::CredentialRevoked),
        (Some(Disabled | Revoked), Enabled) => Some(EventKind::CredentialRestored),
        _ => None,
    };
    let mut changes = Vec::new();
    if before.unwrap_or(Revoked) != set.state {
        changes.push(Change::SaveCredential(set.clone()));
    }
    let reason = by.map(EventReason::Actor);
    let client_id = Some(set.client_id);
    changes.extend(event.map(|kind| Change::Record(Event { reason, client_id, ..context.event(kind) })));
    changes.extend(ended);
    Decision::of(if changes.is_empty() { Reply::Unchanged } else { Reply::Done }, changes)
}
