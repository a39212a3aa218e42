//! Introspection, revocation and replay of tokens.

use super::account::is_client_enabled;
use super::{Change, Decision, EventContext, Facts, denial};
use crate::http::Caller;
use crate::id::{ClientId, TokenId};
use crate::limit::network;
use crate::time::Timestamp;
use crate::user::{
    Event, EventKind, EventReason, Fate, Introspection, Replay, Reply, Session, SessionEnd, TokenFate, TokenRevocation,
};

/// Whether [`redeem`](super::redemption::redeem) would sign in with the token as it was signed: `active` in RFC 7662
/// section 2.2.
pub(super) fn is_active(facts: &Facts, token: &Introspection) -> bool {
    facts.token.is_none()
        && is_client_enabled(facts, &token.client_id, token.delegated)
        && denial(facts, token.service_id.as_ref(), token.domain_id.as_ref()).is_none()
}

/// Revokes a token that can still be redeemed. Without an account there is no event: the token cannot sign in anybody,
/// and an application can revoke tokens of any number of unknown users.
pub(super) fn revoke_token(facts: &Facts, revocation: TokenRevocation, context: &EventContext) -> Decision {
    if facts.token.is_some() || context.now >= revocation.expires_at {
        return Decision::only(Reply::Done);
    }
    let client_id = Some(revocation.client_id.clone());
    let fate = TokenFate { fate: Fate::Revoked, at: context.now, client_id };
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

/// Records the replay of an expired token. The use of a token that was never redeemed or refused is no replay, nor is
/// the use by the browser that the token signed in.
pub(super) fn note_replay(facts: &Facts, token: &Replay, context: &EventContext) -> Decision {
    let was_used = matches!(facts.token.as_ref().map(|token| token.fate), Some(Fate::SignedIn | Fate::Denied(_)));
    let opened = opened_by(facts, &token.jti, context.now);
    let is_own = opened.is_some_and(|session| token.browser_session.as_ref() == Some(&session.id));
    if !was_used || is_own {
        return Decision::only(Reply::Unchanged);
    }
    Decision::of(Reply::Done, replay(facts, &token.jti, &token.client_id, context))
}

/// Records a replay. The session that the token opened ends if both the network and the browser differ from those that
/// opened it. One of the two also changes for an honest user: between IPv4 and IPv6, or with a browser update. An
/// address or a browser that only one of the two requests names counts as different, so that hiding it does not help an
/// attacker.
pub(super) fn replay(facts: &Facts, jti: &TokenId, client_id: &ClientId, context: &EventContext) -> Vec<Change> {
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
        changes.push(Change::EndSession(opened.token.clone()));
        changes.push(Change::Record(about(EventKind::SessionEnded, Some(reason))));
    }
    changes
}

/// The live session that the token `jti` opened.
pub(super) fn opened_by<'a>(facts: &'a Facts, jti: &TokenId, now: Timestamp) -> Option<&'a Session> {
    facts.sessions.iter().find(|session| session.token == *jti && session.is_live(now))
}

/// Whether both the network (/24 in IPv4, /64 in IPv6) and the browser of `caller` differ from those that opened
/// `session`.
fn is_elsewhere(session: &Session, caller: &Caller) -> bool {
    let network_of = |address: &Option<String>| address.as_deref().map(|address| network(address, 24));
    network_of(&session.address) != network_of(&caller.address) && session.user_agent != caller.user_agent
}
