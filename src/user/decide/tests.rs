//! The decisions of the user's object: `table` states every redemption, the others give each case in full.

use super::*;
use crate::destination::Scope;
use crate::id::{ClientId, OwnedId, UserId};
use crate::user::session_for_test;
use crate::user::{
    Actor, CredentialState, Deleted, Effect, EventReason, Export, Fate, Introspection, Redemption, Replay, Saved,
    Security, SessionEnd, Status, TokenRevocation, UserAction,
};
use std::collections::BTreeSet;

mod account;
mod limits;
mod redemption;
mod revocation;
mod sessions;
mod table;

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
const IDLE: u64 = 3_600;
const MAX: u64 = 43_200;

/// The token that is redeemed, and the session that it opens or opened.
const TOKEN: u8 = 1;
/// A session opened by another token.
const OTHER: u8 = 2;
/// The id set aside for a new session.
const NEW: u8 = 9;

fn jti(n: u8) -> TokenId {
    TokenId::from_random([n; 16])
}

fn sid(n: u8) -> SessionId {
    SessionId::from_random([n; 16])
}

fn portal() -> ClientId {
    ClientId::parse("portal").unwrap()
}

fn owned(text: &str) -> Option<OwnedId> {
    Some(OwnedId::parse(text).unwrap())
}

fn owned_ids<const N: usize>(ids: [&str; N]) -> BTreeSet<OwnedId> {
    ids.into_iter().filter_map(owned).collect()
}

fn account(status: Status, sso: bool) -> Account {
    let (services, domains) = (owned_ids(["12"]), owned_ids(["34"]));
    Account { status, sso, services, domains, created_at: NOW, updated_at: NOW }
}

fn active() -> Account {
    account(Status::Active, true)
}

fn here() -> Caller {
    Caller { address: Some("192.0.2.1".into()), user_agent: Some("Browser/1".into()) }
}

/// A session that token `n` opened at `NOW`, here.
fn session(n: u8) -> Session {
    let Caller { address, user_agent } = here();
    Session { id: sid(n), token: jti(n), address, user_agent, ordinal: 0, ..session_for_test() }
}

fn dead(session: Session) -> Session {
    Session { max_expires_at: NOW, ..session }
}

/// The session that redeeming `TOKEN` now opens.
fn opened() -> Session {
    Session { id: sid(NEW), ..session(TOKEN) }
}

fn redemption() -> Redemption {
    Redemption {
        jti: jti(TOKEN),
        expires_at: NOW.plus(60),
        client_id: portal(),
        delegated: false,
        destination: Scope::parse("clientarea:invoices"),
        service_id: None,
        domain_id: None,
        presented: None,
        nonce: None,
        session_id: sid(NEW),
        session_idle: IDLE,
        session_max: MAX,
    }
}

fn presenting(n: u8) -> Redemption {
    Redemption { presented: Some(sid(n)), ..redemption() }
}

fn fate(fate: Fate) -> TokenFate {
    TokenFate { fate, at: NOW }
}

/// The credential set that asked for `TOKEN`, in this state.
fn set(state: CredentialState) -> BoundCredential {
    BoundCredential { client_id: portal(), state }
}

/// The facts about a user with these sessions, whose credential set is enabled.
fn user_with(sessions: impl IntoIterator<Item = Session>) -> Facts {
    let credentials = vec![set(CredentialState::Enabled)];
    Facts { account: Some(active()), sessions: sessions.into_iter().collect(), credentials, ..Facts::default() }
}

fn ask_from(caller: Caller, facts: Facts, command: Command, now: Timestamp) -> Decision {
    decide(facts, Envelope { request_id: "r1".into(), caller, command }, now)
}

fn ask(facts: Facts, command: Command) -> Decision {
    ask_from(here(), facts, command, NOW)
}

fn redeem_here(facts: Facts, redemption: Redemption) -> Decision {
    ask(facts, Command::Redeem(redemption))
}

/// An event of now, here, that says nothing more.
fn event(event: EventKind) -> Event {
    Event {
        at: NOW,
        event,
        request_id: "r1".into(),
        reason: None,
        status: None,
        sso: None,
        client_id: None,
        jti: None,
        session_id: None,
        replaced_session_ids: Vec::new(),
        address: here().address,
        user_agent: here().user_agent,
    }
}

fn signed_in_event() -> Event {
    Event { client_id: Some(portal()), jti: Some(jti(TOKEN)), session_id: Some(sid(NEW)), ..event(EventKind::SignedIn) }
}

fn denied_event(denial: Denial) -> Event {
    Event {
        reason: Some(EventReason::Denial(denial)),
        client_id: Some(portal()),
        jti: Some(jti(TOKEN)),
        ..event(EventKind::Denied)
    }
}

/// A replay of `TOKEN`, whose session may be alive, by `caller`.
fn replayed_event(caller: &Caller, session_id: Option<SessionId>) -> Event {
    Event {
        client_id: Some(portal()),
        jti: Some(jti(TOKEN)),
        session_id,
        address: caller.address.clone(),
        user_agent: caller.user_agent.clone(),
        ..event(EventKind::TokenReplayed)
    }
}

fn ended_event(why: SessionEnd) -> Event {
    Event { reason: Some(EventReason::SessionEnd(why)), ..event(EventKind::SessionEnded) }
}

#[track_caller]
fn assert_decision(decision: Decision, reply: Reply, changes: Vec<Change>) {
    assert_eq!(decision, Decision { reply, changes });
}
