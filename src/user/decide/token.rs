//! Asking about a token, revoking it, and presenting it again.

use super::account::credential_stands;
use super::{Change, Decision, EventContext, Facts, denial};
use crate::http::Caller;
use crate::id::{ClientId, TokenId};
use crate::limit::network;
use crate::time::Timestamp;
use crate::user::{
    Event, EventKind, EventReason, Fate, Introspection, Replay, Reply, Session, SessionEnd, TokenFate, TokenRevocation,
};

/// Whether [`redeem`](super::redemption::redeem) would sign in with the token as it was signed (RFC 7662 section 2.2, `active`).
pub(super) fn is_active(facts: &Facts, token: &Introspection) -> bool {
    facts.token.is_none()
        && credential_stands(facts, &token.client_id, token.delegated)
        && denial(facts, token.service_id.as_ref(), token.domain_id.as_ref()).is_none()
}

/// Revokes a token that is alive. Without an account there is no event: such a token opens nothing, and an application can ask
/// this of any number of users.
pub(super) fn revoke_token(facts: &Facts, revocation: TokenRevocation, context: &EventContext) -> Decision {
    if facts.token.is_some() || context.now >= revocation.expires_at {
        return Decision::only(Reply::Done);
    }
    let fate = TokenFate { fate: Fate::Revoked, at: context.now };
    let event = Event {
        reason: revocation.by.map(EventReason::Actor),
        client_id: Some(revocation.client_id),
        jti: Some(revocation.jti.clone()),
        ..context.event(EventKind::TokenRevoked)
    };
    let mut changes = vec![Change::SettleToken(revocation.jti, fate)];
    if facts.account.is_some() {
        changes.push(Change::Record(event));
    }
    Decision::of(Reply::Done, changes)
}

/// Records the replay of an expired token, unless it was never spent, or this very browser holds the session that it opened.
pub(super) fn note_replay(facts: &Facts, token: &Replay, context: EventContext) -> Decision {
    let was_spent = matches!(facts.token.as_ref().map(|token| token.fate), Some(Fate::SignedIn | Fate::Denied(_)));
    let opened = opened_by(facts, &token.jti, context.now);
    let is_own = opened.is_some_and(|session| token.presented.as_ref() == Some(&session.id));
    if !was_spent || is_own {
        return Decision::only(Reply::Unchanged);
    }
    Decision::of(Reply::Done, replay(facts, &token.jti, &token.client_id, context))
}

/// Records a replay. It ends the session that the token opened if both the network and the browser are others than those
/// that opened it. One alone changes for an honest user too: IPv4 and IPv6, or a browser that was updated. An address or a
/// browser that is unknown on one side only counts as another, so that nobody escapes by hiding it.
pub(super) fn replay(facts: &Facts, jti: &TokenId, client_id: &ClientId, context: EventContext) -> Vec<Change> {
    let opened = opened_by(facts, jti, context.now);
    let about = |kind, reason| Event {
        reason,
        client_id: Some(client_id.clone()),
        jti: Some(jti.clone()),
        session_id: opened.map(|session| session.id.clone()),
        ..context.event(kind)
    };
    let mut changes = vec![Change::Record(about(EventKind::TokenReplayed, None))];
    if let Some(opened) = opened.filter(|opened| is_elsewhere(opened, &context.caller)) {
        let reason = EventReason::SessionEnd(SessionEnd::TokenReplayed);
        changes.push(Change::DeleteSession(opened.id.clone()));
        changes.push(Change::Record(about(EventKind::SessionEnded, Some(reason))));
    }
    changes
}

/// The live session that the token `jti` opened.
pub(super) fn opened_by<'a>(facts: &'a Facts, jti: &TokenId, now: Timestamp) -> Option<&'a Session> {
    facts.sessions.iter().find(|session| session.token == *jti && session.is_live(now))
}

/// Whether `caller` is in another network (/24 in IPv4, /64 in IPv6) and another browser than those that opened `session`.
fn is_elsewhere(session: &Session, caller: &Caller) -> bool {
    let network_of = |address: &Option<String>| address.as_deref().map(|address| network(address, 24));
    network_of(&session.address) != network_of(&caller.address) && session.user_agent != caller.user_agent
}
