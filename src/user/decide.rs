//! All policy of the user's object, as one pure function: facts and a command in, a reply and
//! changes out. The object loads the facts before and saves the changes after, in one turn.

use crate::http::Caller;
use crate::id::{ClientId, OwnedId, SessionId, TokenId};
use crate::limit::network;
use crate::time::Timestamp;
use crate::user::{
    Account, Actor, BoundCredential, Command, CredentialState, Deleted, Denial, Effect, Event, EventKind, EventReason,
    Export, Fate, Introspection, OWNED_MAX, Redemption, Replay, Reply, Saved, Security, Session, SessionEnd, Status,
    TokenFate, TokenRevocation, Turn, UserAction,
};
use std::collections::BTreeSet;

/// How many live sessions a user may have. The oldest goes when one more is opened.
pub const SESSIONS_MAX: usize = 20;

/// The rows that bear on a command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The account.
    pub account: Option<Account>,
    /// The sessions. Dead ones that are not swept yet count for nothing.
    pub sessions: Vec<Session>,
    /// What became of the token that the command names.
    pub token: Option<TokenFate>,
    /// The bound credential sets that the command is about.
    pub credentials: Vec<BoundCredential>,
    /// The numbered events that the command asks for.
    pub events: Vec<(u64, Event)>,
    /// What became of tokens, if the command asks for all of them.
    pub tokens: Vec<(TokenId, TokenFate)>,
    /// Whether an event names an address or a browser, if the command asks.
    pub has_traces: bool,
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
    /// Delete all sessions but one.
    DeleteSessionsBut(SessionId),
    /// Delete all sessions.
    DeleteSessions,
    /// Write the account.
    SaveAccount(Account),
    /// Delete the account.
    DeleteAccount,
    /// Write the state of a bound credential set.
    SaveCredential(BoundCredential),
    /// Remove addresses and browsers from all events.
    EraseTraces,
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
        Command::PeekSession(id) => {
            let session = counting_session(&facts, &id, now).cloned();
            Decision::only(session.map_or(Reply::Missing, Reply::Session))
        }
        Command::EndSession(id, why) => end_session(&facts, &id, why, origin),
        Command::EndSessions { client_id, why } => end_sessions(&facts, client_id, why, &origin),
        Command::AsUser(id, action) => as_user(facts, &id, action, origin),
        Command::ListSessions(client_id) => {
            let mut sessions = newest_first(&facts.sessions, now);
            sessions.retain(|session| is_of(session, client_id.as_ref()));
            Decision::only(Reply::Sessions(sessions.into_iter().cloned().collect()))
        }
        Command::GetAccount => Decision::only(facts.account.map_or(Reply::Missing, Reply::Account)),
        Command::PutAccount { account, end_sessions } => {
            let account = account.into_account(facts.account.as_ref(), now);
            save_account(&facts, account, end_sessions, None, &origin)
        }
        Command::PatchAccount { change, end_sessions } => match facts.account.clone() {
            Some(account) => match change.apply(account, now) {
                account if account.owned() > OWNED_MAX => Decision::only(Reply::Full),
                account => save_account(&facts, account, end_sessions, None, &origin),
            },
            None => Decision::only(Reply::Missing),
        },
        Command::DeleteAccount { erase } => delete_account(facts, erase, origin),
        Command::Export => export(facts, now),
        Command::ListEvents { .. } => Decision::only(Reply::Events(facts.events)),
        Command::GetToken(_) => Decision::only(Reply::Fate(facts.token)),
        Command::IntrospectToken(introspection) => Decision::only(Reply::Active(is_active(&facts, &introspection))),
        Command::NoteReplay(replay) => note_replay(&facts, &replay, origin),
        Command::RevokeToken(revocation) => revoke_token(&facts, revocation, &origin),
        Command::SetCredential { set, end_sessions, by } => set_credential(&facts, set, end_sessions, by, &origin),
    }
}

/// Who asked, and when: what every event says.
struct Origin {
    request_id: String,
    caller: Caller,
    now: Timestamp,
}

impl Origin {
    fn event(&self, event: EventKind) -> Event {
        Event {
            at: self.now,
            event,
            request_id: self.request_id.clone(),
            reason: None,
            status: None,
            sso: None,
            client_id: None,
            jti: None,
            session_id: None,
            replaced_session_ids: Vec::new(),
            address: self.caller.address.clone(),
            user_agent: self.caller.user_agent.clone(),
        }
    }
}

/// Redeems a token:
/// 1. a dead token changes nothing,
/// 2. the account's own state comes first, whatever became of the token,
/// 3. a token counts once; the same browser may click twice, and any other repetition is recorded,
/// 4. the credential set, the account and its ownership must stand,
/// 5. the token is spent, and the session opened.
fn redeem(facts: &Facts, redemption: Redemption, origin: Origin) -> Decision {
    if origin.now >= redemption.expires_at {
        return Decision::only(Reply::Denied(Denial::TokenExpired));
    }
    let denial = denial(facts, redemption.service_id.as_ref(), redemption.domain_id.as_ref());
    match denial {
        Some(Denial::Closed) if redemption.presented.is_some() => {
            return deny(facts, redemption, Denial::ClosedWithSession, origin);
        }
        Some(denial @ (Denial::Closed | Denial::SsoDisabled)) => return deny(facts, redemption, denial, origin),
        _ => {}
    }
    match facts.token.as_ref().map(|token| token.fate) {
        Some(Fate::SignedIn) => return repeat(facts, redemption, denial, origin),
        Some(Fate::Denied(_)) => return deny(facts, redemption, Denial::TokenUsed, origin),
        Some(Fate::Revoked) => return Decision::only(Reply::Denied(Denial::TokenRevoked)),
        None => {}
    }
    let credential_stands = credential_stands(facts, &redemption.client_id, redemption.delegated);
    match if credential_stands { denial } else { Some(Denial::CredentialRevoked) } {
        Some(denial) => deny(facts, redemption, denial, origin),
        None => sign_in(facts, redemption, origin),
    }
}

/// Whether the credential set is an enabled one of this user's. Of a delegated one the object knows nothing: whoever asks has
/// looked it up in KV.
fn credential_stands(facts: &Facts, client_id: &ClientId, delegated: bool) -> bool {
    let is_enabled = |set: &BoundCredential| set.client_id == *client_id && set.state == CredentialState::Enabled;
    delegated || facts.credentials.iter().any(is_enabled)
}

/// Why the user may not be signed in, to this service or domain where one is named.
fn denial(facts: &Facts, service: Option<&OwnedId>, domain: Option<&OwnedId>) -> Option<Denial> {
    facts.account.as_ref().map_or(Some(Denial::UnknownAccount), |account| account.denial(service, domain))
}

/// Whether [`redeem`] would sign in with the token as it was signed (RFC 7662 section 2.2, `active`).
fn is_active(facts: &Facts, token: &Introspection) -> bool {
    facts.token.is_none()
        && credential_stands(facts, &token.client_id, token.delegated)
        && denial(facts, token.service_id.as_ref(), token.domain_id.as_ref()).is_none()
}

/// Refuses. A fresh token is spent by that, and a spent one was replayed.
fn deny(facts: &Facts, redemption: Redemption, denial: Denial, origin: Origin) -> Decision {
    let mut changes = Vec::new();
    let ended = redemption.presented.clone().filter(|_| denial == Denial::ClosedWithSession);
    match facts.token.as_ref().map(|token| token.fate) {
        None => {
            let fate = TokenFate { fate: Fate::Denied(denial), at: origin.now };
            changes.push(Change::SettleToken(redemption.jti.clone(), fate));
            changes.push(Change::Record(Event {
                reason: Some(EventReason::Denial(denial)),
                client_id: Some(redemption.client_id),
                jti: Some(redemption.jti),
                ..origin.event(EventKind::Denied)
            }));
        }
        Some(Fate::SignedIn | Fate::Denied(_)) => {
            changes.extend(replay(facts, &redemption.jti, &redemption.client_id, origin));
        }
        Some(Fate::Revoked) => {}
    }
    changes.extend(ended.map(Change::DeleteSession));
    Decision::of(Reply::Denied(denial), changes)
}

/// The token that opened a session, again: the same browser is let through, where the user may go there.
fn repeat(facts: &Facts, redemption: Redemption, denial: Option<Denial>, origin: Origin) -> Decision {
    let repeated = opened_by(facts, &redemption.jti, origin.now).filter(|opened| {
        redemption.presented.as_ref() == Some(&opened.id)
            || opened.is_repeated_by(redemption.nonce.as_ref(), origin.now)
    });
    match repeated {
        Some(opened) => Decision::only(denial.map_or_else(|| Reply::Repeated(opened.clone()), Reply::Denied)),
        None => deny(facts, redemption, Denial::TokenUsed, origin),
    }
}

/// The live session that the token `jti` opened.
fn opened_by<'a>(facts: &'a Facts, jti: &TokenId, now: Timestamp) -> Option<&'a Session> {
    facts.sessions.iter().find(|session| session.token == *jti && session.is_live(now))
}

/// Records a replay. It ends the session that the token opened if both the network and the browser are others than those
/// that opened it. One alone changes for an honest user too: IPv4 and IPv6, or a browser that was updated. An address or a
/// browser that is unknown on one side only counts as another, so that nobody escapes by hiding it.
fn replay(facts: &Facts, jti: &TokenId, client_id: &ClientId, origin: Origin) -> Vec<Change> {
    let opened = opened_by(facts, jti, origin.now);
    let about = |kind, reason| Event {
        reason,
        client_id: Some(client_id.clone()),
        jti: Some(jti.clone()),
        session_id: opened.map(|session| session.id.clone()),
        ..origin.event(kind)
    };
    let mut changes = vec![Change::Record(about(EventKind::TokenReplayed, None))];
    if let Some(opened) = opened.filter(|opened| is_elsewhere(opened, &origin.caller)) {
        let reason = EventReason::SessionEnd(SessionEnd::TokenReplayed);
        changes.push(Change::DeleteSession(opened.id.clone()));
        changes.push(Change::Record(about(EventKind::SessionEnded, Some(reason))));
    }
    changes
}

/// Records the replay of an expired token, unless it was never spent, or this very browser holds the session that it opened.
fn note_replay(facts: &Facts, token: &Replay, origin: Origin) -> Decision {
    let was_spent = matches!(facts.token.as_ref().map(|token| token.fate), Some(Fate::SignedIn | Fate::Denied(_)));
    let opened = opened_by(facts, &token.jti, origin.now);
    let is_own = opened.is_some_and(|session| token.presented.as_ref() == Some(&session.id));
    if !was_spent || is_own {
        return Decision::only(Reply::Unchanged);
    }
    Decision::of(Reply::Done, replay(facts, &token.jti, &token.client_id, origin))
}

/// Whether `caller` is in another network (/24 in IPv4, /64 in IPv6) and another browser than those that opened `session`.
fn is_elsewhere(session: &Session, caller: &Caller) -> bool {
    let network_of = |address: &Option<String>| address.as_deref().map(|address| network(address, 24));
    network_of(&session.address) != network_of(&caller.address) && session.user_agent != caller.user_agent
}

fn sign_in(facts: &Facts, redemption: Redemption, origin: Origin) -> Decision {
    let now = origin.now;
    let fate = TokenFate { fate: Fate::SignedIn, at: now };
    let mut changes = vec![Change::SettleToken(redemption.jti.clone(), fate)];
    let replaced = redundant_sessions(facts, redemption.presented.as_ref(), now);
    changes.extend(replaced.iter().cloned().map(Change::DeleteSession));
    let latest = facts.sessions.iter().map(|session| session.ordinal).max();
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
        nonce: redemption.nonce,
        ordinal: latest.map_or(0, |ordinal| ordinal.saturating_add(1)),
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
fn redundant_sessions(facts: &Facts, presented: Option<&SessionId>, now: Timestamp) -> Vec<SessionId> {
    let (own, others): (Vec<_>, Vec<_>) =
        newest_first(&facts.sessions, now).into_iter().partition(|session| Some(&session.id) == presented);
    let surplus = others.into_iter().skip(SESSIONS_MAX.saturating_sub(1)).rev();
    own.into_iter().chain(surplus).map(|session| session.id.clone()).collect()
}

/// The live sessions, newest first.
fn newest_first(sessions: &[Session], now: Timestamp) -> Vec<&Session> {
    let mut live: Vec<_> = sessions.iter().filter(|session| session.is_live(now)).collect();
    live.sort_by_key(|session| std::cmp::Reverse(session.age_key()));
    live
}

/// The session `id`, if it counts: it is alive, and its account stands.
fn counting_session<'a>(facts: &'a Facts, id: &SessionId, now: Timestamp) -> Option<&'a Session> {
    let account_stands = facts.account.as_ref().is_some_and(|account| account.status != Status::Closed);
    facts.sessions.iter().find(|s| s.id == *id && s.is_live(now)).filter(|_| account_stands)
}

fn check_session(facts: &Facts, id: &SessionId, now: Timestamp) -> Decision {
    match counting_session(facts, id, now) {
        None => Decision::only(Reply::Missing),
        Some(session) => match session.refreshed(now) {
            Some(fresh) => Decision::of(Reply::Session(fresh.clone()), vec![Change::SaveSession(fresh)]),
            None => Decision::only(Reply::Session(session.clone())),
        },
    }
}

/// Does what the user of the session `id` asks, in the same turn that checks the session.
fn as_user(facts: Facts, id: &SessionId, action: UserAction, origin: Origin) -> Decision {
    let now = origin.now;
    let (Some(current), Some(account)) = (counting_session(&facts, id, now), facts.account.clone()) else {
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
            changes.extend(end_session(&facts, &ended, SessionEnd::User, origin).changes);
        }
        UserAction::EndOtherSessions => {
            if facts.sessions.iter().any(|session| session.id != *id && session.is_live(now)) {
                changes.push(Change::DeleteSessionsBut(id.clone()));
                changes.push(Change::Record(Event {
                    reason: Some(EventReason::SessionEnd(SessionEnd::User)),
                    ..origin.event(EventKind::SessionEnded)
                }));
            }
        }
        UserAction::SetSso(sso) => {
            let account = Account { sso, updated_at: now, ..account };
            changes.extend(save_account(&facts, account, false, Some(Actor::User), &origin).changes);
        }
    }
    Decision::of(Reply::Done, changes)
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

fn end_sessions(facts: &Facts, client_id: Option<ClientId>, why: SessionEnd, origin: &Origin) -> Decision {
    if facts.account.is_none() {
        return Decision::only(Reply::Missing);
    }
    Decision::of(Reply::Done, ended_sessions(facts, client_id, why, origin))
}

/// Ends the live sessions, all or those of one application. Where there is none, nothing is written.
fn ended_sessions(facts: &Facts, client_id: Option<ClientId>, why: SessionEnd, origin: &Origin) -> Vec<Change> {
    let ended = facts.sessions.iter().filter(|s| s.is_live(origin.now) && is_of(s, client_id.as_ref()));
    let mut changes: Vec<_> = ended.map(|session| Change::DeleteSession(session.id.clone())).collect();
    if changes.is_empty() {
        return changes;
    }
    if client_id.is_none() {
        changes = vec![Change::DeleteSessions];
    }
    let reason = Some(EventReason::SessionEnd(why));
    changes.push(Change::Record(Event { reason, client_id, ..origin.event(EventKind::SessionEnded) }));
    changes
}

/// Whether the application `client_id` opened the session, if one is named.
fn is_of(session: &Session, client_id: Option<&ClientId>) -> bool {
    client_id.is_none_or(|client_id| session.client_id == *client_id)
}

/// Writes the account, if it is another than before; `actor` is none for an administrator. Its sessions end in the same turn
/// if that is asked for, and when it is closed. A Closed account that still has sessions is closed again.
fn save_account(
    facts: &Facts,
    account: Account,
    end_sessions: bool,
    actor: Option<Actor>,
    origin: &Origin,
) -> Decision {
    let closes = account.status == Status::Closed;
    let old = facts.account.as_ref();
    let ended = match end_sessions && !closes {
        true => ended_sessions(facts, None, SessionEnd::Administrator, origin),
        false => Vec::new(),
    };
    if let Some(old) = old
        && *old == (Account { updated_at: old.updated_at, ..account.clone() })
        && !(closes && facts.sessions.iter().any(|session| session.is_live(origin.now)))
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
        ..origin.event(kind)
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
fn delete_account(facts: Facts, erase: bool, origin: Origin) -> Decision {
    let bound = facts.credentials.into_iter().filter(|set| set.state != CredentialState::Revoked);
    let credentials: Vec<_> = bound.map(|set| set.client_id).collect();
    let can_erase = erase && (facts.has_traces || !credentials.is_empty());
    if facts.account.is_none() && !can_erase {
        return Decision::only(Reply::Missing);
    }
    let (origin, kind) = match erase {
        true => (Origin { caller: Caller::default(), ..origin }, EventKind::AccountErased),
        false => (origin, EventKind::AccountDeleted),
    };
    let mut changes = vec![Change::DeleteAccount, Change::DeleteSessions];
    if erase {
        changes.push(Change::EraseTraces);
    }
    for client_id in &credentials {
        let event = Event { client_id: Some(client_id.clone()), ..origin.event(EventKind::CredentialRevoked) };
        let set = BoundCredential { client_id: client_id.clone(), state: CredentialState::Revoked };
        changes.extend([Change::SaveCredential(set), Change::Record(event)]);
    }
    changes.push(Change::Record(origin.event(kind)));
    let services = facts.account.map(|account| account.services).unwrap_or_default();
    Decision::of(Reply::Deleted(Deleted { services, credentials }), changes)
}

fn export(facts: Facts, now: Timestamp) -> Decision {
    let export = Export {
        account: facts.account,
        sessions: newest_first(&facts.sessions, now).into_iter().cloned().collect(),
        events: facts.events.into_iter().map(|(_, event)| event).collect(),
        tokens: facts.tokens,
        credentials: facts.credentials,
    };
    Decision::only(if export == Export::default() { Reply::Missing } else { Reply::Export(export) })
}

/// Notes the state of a bound set. Binding a new one is no event, and revoking one that is not known changes nothing.
fn set_credential(
    facts: &Facts,
    set: BoundCredential,
    end_sessions: bool,
    by: Option<Actor>,
    origin: &Origin,
) -> Decision {
    use CredentialState::{Disabled, Enabled, Revoked};
    let known = facts.credentials.iter().find(|known| known.client_id == set.client_id);
    let before = known.map(|known| known.state);
    let ended = match end_sessions {
        true => ended_sessions(facts, Some(set.client_id.clone()), SessionEnd::Application, origin),
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
    changes.extend(event.map(|kind| Change::Record(Event { reason, client_id, ..origin.event(kind) })));
    changes.extend(ended);
    Decision::of(if changes.is_empty() { Reply::Unchanged } else { Reply::Done }, changes)
}

/// Revokes a token that is alive. Without an account there is no event: such a token opens nothing, and an application can ask
/// this of any number of users.
fn revoke_token(facts: &Facts, revocation: TokenRevocation, origin: &Origin) -> Decision {
    if facts.token.is_some() || origin.now >= revocation.expires_at {
        return Decision::only(Reply::Done);
    }
    let fate = TokenFate { fate: Fate::Revoked, at: origin.now };
    let event = Event {
        reason: revocation.by.map(EventReason::Actor),
        client_id: Some(revocation.client_id),
        jti: Some(revocation.jti.clone()),
        ..origin.event(EventKind::TokenRevoked)
    };
    let mut changes = vec![Change::SettleToken(revocation.jti, fate)];
    if facts.account.is_some() {
        changes.push(Change::Record(event));
    }
    Decision::of(Reply::Done, changes)
}

#[cfg(test)]
mod tests;
