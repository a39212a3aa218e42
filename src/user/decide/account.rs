//! The account, and the credential sets bound to its user.

use super::session::{ended_sessions, newest_first};
use super::{Change, Decision, EventContext, Facts};
use crate::http::Caller;
use crate::id::ClientId;
use crate::time::Timestamp;
use crate::user::{
    Account, Actor, BoundCredential, CredentialState, Deleted, Effect, Event, EventKind, EventReason, Export, Reply,
    Saved, SessionEnd, Status,
};
use std::collections::BTreeSet;

/// Writes the account, if it is another than before; `actor` is none for an administrator. Its sessions end too
/// if that is asked for, and when it is closed. A Closed account that still has sessions is closed again.
pub(super) fn save_account(
    facts: &Facts,
    account: Account,
    end_sessions: bool,
    actor: Option<Actor>,
    context: &EventContext,
) -> Decision {
    let closes = account.status == Status::Closed;
    let old = facts.account.as_ref();
    let ended = match end_sessions && !closes {
        true => ended_sessions(facts, None, SessionEnd::Administrator, context),
        false => Vec::new(),
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
        changes.push(Change::DeleteSessions);
    }
    changes.push(Change::Record(event));
    changes.extend(ended);
    let mut dropped = old.map(|old| old.services.clone()).unwrap_or_default();
    dropped.retain(|service| !account.services.contains(service));
    Decision::of(Reply::Saved(Saved { account, effect, dropped }), changes)
}

/// Deletes the account with its sessions, and revokes the sets bound to it, so that none of them signs in should the id be
/// made anew. `erase` also removes addresses and browsers from all events; the event of the erasure has neither.
pub(super) fn delete_account(facts: Facts, erase: bool, context: EventContext) -> Decision {
    let bound = facts.credentials.into_iter().filter(|set| set.state != CredentialState::Revoked);
    let credentials: Vec<_> = bound.map(|set| set.client_id).collect();
    let can_erase = erase && (facts.has_traces || !credentials.is_empty());
    if facts.account.is_none() && !can_erase {
        return Decision::only(Reply::Missing);
    }
    let (context, kind) = match erase {
        true => (EventContext { caller: Caller::default(), ..context }, EventKind::AccountErased),
        false => (context, EventKind::AccountDeleted),
    };
    let mut changes = vec![Change::DeleteAccount, Change::DeleteSessions];
    if erase {
        changes.push(Change::EraseTraces);
    }
    for client_id in &credentials {
        let event = Event { client_id: Some(client_id.clone()), ..context.event(EventKind::CredentialRevoked) };
        let set = BoundCredential { client_id: client_id.clone(), state: CredentialState::Revoked };
        changes.extend([Change::SaveCredential(set), Change::Record(event)]);
    }
    changes.push(Change::Record(context.event(kind)));
    let services = facts.account.map(|account| account.services).unwrap_or_default();
    Decision::of(Reply::Deleted(Deleted { services, credentials }), changes)
}

pub(super) fn export(facts: Facts, now: Timestamp) -> Decision {
    let export = Export {
        account: facts.account,
        sessions: newest_first(&facts.sessions, now).into_iter().cloned().collect(),
        events: facts.events.into_iter().map(|(_, event)| event).collect(),
        tokens: facts.tokens,
        credentials: facts.credentials,
    };
    Decision::only(if export == Export::default() { Reply::Missing } else { Reply::Export(export) })
}

/// Whether the credential set is an enabled one of this user's. Of a delegated one the object knows nothing: whoever asks has
/// looked it up in KV.
pub(super) fn credential_stands(facts: &Facts, client_id: &ClientId, delegated: bool) -> bool {
    let is_enabled = |set: &BoundCredential| set.client_id == *client_id && set.state == CredentialState::Enabled;
    delegated || facts.credentials.iter().any(is_enabled)
}

/// Notes the state of a bound set. Binding a new one is no event, and revoking one that is not known changes nothing.
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
    let ended = match end_sessions {
        true => ended_sessions(facts, Some(set.client_id.clone()), SessionEnd::Application, context),
        false => Vec::new(),
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
