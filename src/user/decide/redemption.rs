//! Redeeming a token.

use super::account::is_client_enabled;
use super::session::{live_session, newest_first};
use super::token::{opened_by, replay};
use super::{Change, Decision, EventContext, Facts, SESSIONS_MAX, denial};
use crate::id::SessionId;
use crate::time::Timestamp;
use crate::user::{Denial, Event, EventKind, EventReason, Fate, Redemption, Reply, Session, SignIn, TokenFate};

/// Redeems a token:
/// 1. refuse an expired token, without a change,
/// 2. refuse if the account is Closed or its single sign-on is disabled, whatever the state of the token,
/// 3. refuse a used or revoked token; the browser that the token signed in may repeat the sign-in,
/// 4. check that the client is enabled, and that the account owns the service and the domain,
/// 5. store the sign-in: the final state of the token, the session, and the entry of the audit log.
pub(super) fn redeem(facts: &Facts, redemption: Redemption, context: &EventContext) -> Decision {
    // 1.
    if context.now >= redemption.expires_at {
        return Decision::only(Reply::Denied(Denial::TokenExpired));
    }
    // 2.
    let denial = denial(facts, redemption.service_id.as_ref(), redemption.domain_id.as_ref());
    match denial {
        Some(Denial::Closed) if redemption.browser_session.is_some() => {
            return deny(facts, redemption, Denial::ClosedWithSession, context);
        }
        Some(denial @ (Denial::Closed | Denial::SsoDisabled)) => return deny(facts, redemption, denial, context),
        _ => {}
    }
    // 3.
    match facts.token.as_ref().map(|token| token.fate) {
        Some(Fate::SignedIn) => return repeat(facts, redemption, denial, context),
        Some(Fate::Denied(_)) => return deny(facts, redemption, Denial::TokenUsed, context),
        Some(Fate::Revoked) => return Decision::only(Reply::Denied(Denial::TokenRevoked)),
        None => {}
    }
    // 4.
    let is_enabled = is_client_enabled(facts, &redemption.client_id, redemption.delegated);
    match if is_enabled { denial } else { Some(Denial::CredentialRevoked) } {
        Some(denial) => deny(facts, redemption, denial, context),
        // 5.
        None => sign_in(facts, redemption, context),
    }
}

/// Refuses the sign-in. An unused token becomes unusable; the use of a used token is recorded as a replay.
fn deny(facts: &Facts, redemption: Redemption, denial: Denial, context: &EventContext) -> Decision {
    let mut changes = Vec::new();
    let ended = redemption.browser_session.as_ref().filter(|_| denial == Denial::ClosedWithSession);
    let ended = ended.and_then(|id| live_session(facts, id, context.now));
    let ended = ended.map(|session| Change::EndSession(session.token.clone()));
    match facts.token.as_ref().map(|token| token.fate) {
        None => {
            let client_id = Some(redemption.client_id.clone());
            let fate = TokenFate { fate: Fate::Denied(denial), at: context.now, client_id };
            changes.push(Change::SettleToken(redemption.jti.clone(), fate));
            changes.push(Change::Record(Event {
                reason: Some(EventReason::Denial(denial)),
                client_id: Some(redemption.client_id),
                jti: Some(redemption.jti),
                ..context.event(EventKind::Denied)
            }));
        }
        Some(Fate::SignedIn | Fate::Denied(_)) => {
            changes.extend(replay(facts, &redemption.jti, &redemption.client_id, context));
        }
        Some(Fate::Revoked) => {}
    }
    changes.extend(ended);
    Decision::of(Reply::Denied(denial), changes)
}

/// Handles a token that already opened a session. The same browser is signed in again unless `denial` forbids it; other
/// use is a replay.
fn repeat(facts: &Facts, redemption: Redemption, denial: Option<Denial>, context: &EventContext) -> Decision {
    let repeated = opened_by(facts, &redemption.jti, context.now).filter(|opened| {
        redemption.browser_session.as_ref() == Some(&opened.id)
            || opened.is_repeated_by(redemption.nonce.as_ref(), context.now)
    });
    match repeated {
        Some(opened) => Decision::only(denial.map_or_else(|| Reply::Repeated(opened.clone()), Reply::Denied)),
        None => deny(facts, redemption, Denial::TokenUsed, context),
    }
}

fn sign_in(facts: &Facts, redemption: Redemption, context: &EventContext) -> Decision {
    let now = context.now;
    let replaced = replaced_sessions(facts, redemption.browser_session.as_ref(), now);
    let sign_in = SignIn {
        fate: Fate::SignedIn,
        at: now,
        client_id: redemption.client_id,
        session_id: redemption.session_id,
        destination: redemption.destination,
        last_seen_at: now,
        idle_seconds: redemption.session_idle,
        max_expires_at: now.plus(redemption.session_max),
        address: context.caller.address.clone(),
        user_agent: context.caller.user_agent.clone(),
        nonce: redemption.nonce,
        request_id: context.request_id.clone(),
        replaced_session_ids: replaced.iter().map(|session| session.id.clone()).collect(),
    };
    let mut changes = vec![Change::SignIn(redemption.jti.clone(), sign_in.clone())];
    changes.extend(replaced.into_iter().map(|session| Change::EndSession(session.token.clone())));
    let session = sign_in.into_session(redemption.jti, facts.latest.saturating_add(1));
    Decision::of(Reply::SignedIn(session), changes)
}

/// The sessions that a new session ends: the one of the same browser, and the oldest above [`SESSIONS_MAX`].
fn replaced_sessions<'a>(facts: &'a Facts, browser_session: Option<&SessionId>, now: Timestamp) -> Vec<&'a Session> {
    let (own, others): (Vec<_>, Vec<_>) =
        newest_first(&facts.sessions, now).into_iter().partition(|session| Some(&session.id) == browser_session);
    let surplus = others.into_iter().skip(SESSIONS_MAX.saturating_sub(1)).rev();
    own.into_iter().chain(surplus).collect()
}
