//! The decisions of the user's object. `table` checks the rules for every combination of a redemption; the other files
//! state examples in full.

use super::*;
use crate::destination::Scope;
use crate::id::{ClientId, OwnedId, SessionId, UserId};
use crate::time::NOW_FOR_TEST as NOW;
use crate::user::{
    Actor, CredentialState, Deleted, Effect, EventReason, Export, Fate, Introspection, Redemption, Replay, Saved,
    Security, SessionEnd, Status, TokenRevocation, UserAction, session_for_test,
};
use std::collections::BTreeSet;

mod account;
mod deletion;
mod limits;
mod memory;
mod redemption;
mod replay;
mod revocation;
mod sessions;
mod table;

const IDLE: u64 = 3_600;
const MAX: u64 = 43_200;

/// The token that is redeemed, and the session that it opens or opened.
const TOKEN: u8 = 1;
/// A session opened by another token.
const OTHER: u8 = 2;
/// The id of a new session.
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

fn expired(session: Session) -> Session {
    Session { max_expires_at: NOW, ..session }
}

/// The session that redeeming `TOKEN` now opens, if the audit log was empty.
fn opened() -> Session {
    Session { id: sid(NEW), ordinal: 1, ..session(TOKEN) }
}

/// The sign-in that opens `session` and ends the sessions `replaced`.
fn signs_in(session: Session, replaced: Vec<SessionId>) -> Change {
    let sign_in = SignIn {
        fate: Fate::SignedIn,
        at: session.created_at,
        client_id: session.client_id,
        session_id: session.id,
        destination: session.destination,
        last_seen_at: session.last_seen_at,
        idle_seconds: session.idle_seconds,
        max_expires_at: session.max_expires_at,
        address: session.address,
        user_agent: session.user_agent,
        nonce: session.nonce,
        request_id: "r1".into(),
        replaced_session_ids: replaced,
    };
    Change::SignIn(session.token, sign_in)
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
        browser_session: None,
        nonce: None,
        session_id: sid(NEW),
        session_idle: IDLE,
        session_max: MAX,
    }
}

/// A redemption by a browser that has session `n`.
fn from_browser_with(n: u8) -> Redemption {
    Redemption { browser_session: Some(sid(n)), ..redemption() }
}

fn fate(fate: Fate) -> TokenFate {
    TokenFate { fate, at: NOW, client_id: Some(portal()) }
}

/// The final state of a token that signed its user in.
fn redeemed() -> Option<TokenFate> {
    Some(fate(Fate::SignedIn))
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

/// An account that was created and last changed long ago.
fn old() -> Account {
    let long_ago = Timestamp::from_seconds(1_700_000_000);
    Account { created_at: long_ago, updated_at: long_ago, ..active() }
}

fn knows(account: Account) -> Facts {
    Facts { account: Some(account), ..Facts::default() }
}

fn ask_from(caller: Caller, facts: Facts, command: Command, now: Timestamp) -> Decision {
    decide(&facts, Envelope { request_id: "r1".into(), caller, command }, now)
}

fn ask(facts: Facts, command: Command) -> Decision {
    ask_from(here(), facts, command, NOW)
}

fn redeem_here(facts: Facts, redemption: Redemption) -> Decision {
    ask(facts, Command::Redeem(redemption))
}

/// An event at `NOW`, caused here, without further fields.
fn event(event: EventKind) -> Event {
    Event::new(event, NOW, "r1".into(), here())
}

fn denied_event(denial: Denial) -> Event {
    Event {
        reason: Some(EventReason::Denial(denial)),
        client_id: Some(portal()),
        jti: Some(jti(TOKEN)),
        ..event(EventKind::Denied)
    }
}

/// A replay of `TOKEN` by `caller`. `session_id` is the live session of the token, if any.
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

/// A caller in another network, with another browser.
fn elsewhere() -> Caller {
    Caller { address: Some("198.51.100.7".into()), user_agent: Some("Browser/2".into()) }
}

#[track_caller]
fn assert_decision(decision: Decision, reply: Reply, changes: Vec<Change>) {
    assert_eq!(decision, Decision { reply, changes });
}
