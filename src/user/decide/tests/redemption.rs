//! Redeeming a token, each case with all that it writes.

use super::*;
use crate::secret::{Secret, SecretDigest};

fn spent() -> Option<TokenFate> {
    Some(fate(Fate::SignedIn))
}

#[test]
fn a_sign_in_spends_the_token_then_opens_the_session() {
    assert_decision(
        redeem_here(user_with([]), redemption()),
        Reply::SignedIn(opened()),
        vec![
            Change::SettleToken(jti(TOKEN), fate(Fate::SignedIn)),
            Change::SaveSession(opened()),
            Change::Record(signed_in_event()),
        ],
    );
}

#[test]
fn a_sign_in_replaces_the_browsers_own_session_alone() {
    let opened = Session { ordinal: 1, ..opened() };
    assert_decision(
        redeem_here(user_with([session(OTHER), session(3)]), presenting(OTHER)),
        Reply::SignedIn(opened.clone()),
        vec![
            Change::SettleToken(jti(TOKEN), fate(Fate::SignedIn)),
            Change::DeleteSession(sid(OTHER)),
            Change::SaveSession(opened),
            Change::Record(Event { replaced_session_ids: vec![sid(OTHER)], ..signed_in_event() }),
        ],
    );
}

#[test]
fn the_presented_id_never_becomes_the_new_one() {
    let decision = redeem_here(user_with([]), presenting(7));
    assert_eq!(decision, redeem_here(user_with([]), redemption()), "an id without a row is ignored");
    assert_eq!(decision.reply, Reply::SignedIn(opened()));
}

#[test]
fn the_session_keeps_what_the_redemption_says() {
    let redemption = Redemption { destination: None, session_idle: 60, session_max: 120, ..redemption() };
    let expected = Session { destination: None, idle_seconds: 60, max_expires_at: NOW.plus(120), ..opened() };
    assert_eq!(redeem_here(user_with([]), redemption).reply, Reply::SignedIn(expected));
}

#[test]
fn each_denial_spends_a_fresh_token_and_is_recorded() {
    let foreign = || Redemption { service_id: owned("99"), ..redemption() };
    let with = |account: Option<Account>| Facts { account, ..user_with([]) };
    let revoked = Facts { credentials: vec![], ..user_with([]) };
    for (facts, redemption, denial) in [
        (with(Some(account(Status::Closed, true))), redemption(), Denial::Closed),
        (with(Some(account(Status::Closed, false))), redemption(), Denial::Closed),
        (with(Some(account(Status::Active, false))), redemption(), Denial::SsoDisabled),
        (with(Some(account(Status::Inactive, false))), redemption(), Denial::SsoDisabled),
        (with(Some(active())), foreign(), Denial::NotOwner),
        (with(None), redemption(), Denial::UnknownAccount),
        (revoked, redemption(), Denial::CredentialRevoked),
    ] {
        assert_decision(
            redeem_here(facts, redemption),
            Reply::Denied(denial),
            vec![Change::SettleToken(jti(TOKEN), fate(Fate::Denied(denial))), Change::Record(denied_event(denial))],
        );
    }
}

#[test]
fn only_an_enabled_set_of_the_user_signs_in_and_a_delegated_one_is_not_asked_for_here() {
    use CredentialState::{Disabled, Enabled, Revoked};
    let foreign = BoundCredential { client_id: ClientId::parse("another").unwrap(), state: Enabled };
    for (credentials, signs_in) in [
        (vec![set(Enabled)], true),
        (vec![foreign.clone(), set(Enabled)], true),
        (vec![set(Disabled)], false),
        (vec![set(Revoked)], false),
        (vec![foreign], false),
        (vec![], false),
    ] {
        let facts = Facts { credentials, ..user_with([]) };
        let expected = if signs_in { Reply::SignedIn(opened()) } else { Reply::Denied(Denial::CredentialRevoked) };
        assert_eq!(redeem_here(facts.clone(), redemption()).reply, expected, "{facts:?}");
        let delegated = Redemption { delegated: true, ..redemption() };
        assert_eq!(redeem_here(facts, delegated).reply, Reply::SignedIn(opened()));
    }
}

#[test]
fn a_closed_account_ends_the_session_that_the_browser_presents() {
    let closed = Facts { account: Some(account(Status::Closed, true)), ..user_with([]) };
    let denial = Denial::ClosedWithSession;
    assert_decision(
        redeem_here(closed.clone(), presenting(OTHER)),
        Reply::Denied(denial),
        vec![
            Change::SettleToken(jti(TOKEN), fate(Fate::Denied(denial))),
            Change::Record(denied_event(denial)),
            Change::DeleteSession(sid(OTHER)),
        ],
    );
    assert_decision(
        redeem_here(Facts { token: spent(), ..closed }, presenting(OTHER)),
        Reply::Denied(denial),
        vec![Change::Record(replayed_event(&here(), None)), Change::DeleteSession(sid(OTHER))],
    );
}

#[test]
fn a_dead_token_is_refused_without_a_trace() {
    let settled = |fate| Facts { token: Some(TokenFate { fate, at: NOW }), ..user_with([]) };
    for (facts, redemption, denial) in [
        (user_with([]), Redemption { expires_at: NOW, ..redemption() }, Denial::TokenExpired),
        (settled(Fate::Revoked), redemption(), Denial::TokenRevoked),
    ] {
        assert_decision(redeem_here(facts, redemption), Reply::Denied(denial), vec![]);
    }
}

#[test]
fn a_second_click_in_the_same_browser_changes_nothing() {
    let facts = Facts { token: spent(), ..user_with([session(OTHER), session(TOKEN)]) };
    let elsewhere = Caller { address: Some("198.51.100.7".into()), user_agent: None };
    for caller in [here(), elsewhere] {
        assert_decision(
            ask_from(caller, facts.clone(), Command::Redeem(presenting(TOKEN)), NOW),
            Reply::Repeated(session(TOKEN)),
            vec![],
        );
    }
}

#[test]
fn a_second_click_goes_nowhere_the_user_does_not_own() {
    let facts = Facts { token: spent(), ..user_with([session(TOKEN)]) };
    for (service_id, domain_id, reply) in [
        (owned("12"), owned("34"), Reply::Repeated(session(TOKEN))),
        (owned("13"), None, Reply::Denied(Denial::NotOwner)),
        (None, owned("35"), Reply::Denied(Denial::NotOwner)),
    ] {
        let again = Redemption { service_id, domain_id, ..presenting(TOKEN) };
        assert_decision(redeem_here(facts.clone(), again), reply, vec![]);
    }
    let deleted = Facts { account: None, ..facts };
    assert_decision(redeem_here(deleted, presenting(TOKEN)), Reply::Denied(Denial::UnknownAccount), vec![]);
}

#[test]
fn another_live_session_does_not_make_a_second_click() {
    let facts = Facts { token: spent(), ..user_with([session(OTHER), session(TOKEN)]) };
    assert_decision(
        redeem_here(facts, presenting(OTHER)),
        Reply::Denied(Denial::TokenUsed),
        vec![Change::Record(replayed_event(&here(), Some(sid(TOKEN))))],
    );
}

#[test]
fn every_replay_of_a_spent_token_is_recorded() {
    let settled = |fate| Facts { token: Some(TokenFate { fate, at: NOW }), ..user_with([]) };
    let with_dead_session = Facts { sessions: vec![dead(session(TOKEN))], ..settled(Fate::SignedIn) };
    let switched_off = Facts { account: Some(account(Status::Active, false)), ..settled(Fate::SignedIn) };
    let closed = Facts { account: Some(account(Status::Closed, true)), ..settled(Fate::Denied(Denial::Closed)) };
    for (facts, redemption, denial) in [
        (settled(Fate::SignedIn), redemption(), Denial::TokenUsed),
        (settled(Fate::Denied(Denial::NotOwner)), redemption(), Denial::TokenUsed),
        (Facts { account: None, ..settled(Fate::SignedIn) }, redemption(), Denial::TokenUsed),
        (with_dead_session, presenting(TOKEN), Denial::TokenUsed),
        (switched_off, redemption(), Denial::SsoDisabled),
        (closed, redemption(), Denial::Closed),
    ] {
        assert_decision(
            redeem_here(facts, redemption),
            Reply::Denied(denial),
            vec![Change::Record(replayed_event(&here(), None))],
        );
    }
}

#[test]
fn a_replay_of_an_expired_token_is_recorded_unless_it_is_this_browsers_own() {
    let settled = |fate| Facts { token: Some(TokenFate { fate, at: NOW }), ..user_with([session(TOKEN)]) };
    let token =
        |presented| Command::NoteReplay(Replay { jti: jti(TOKEN), client_id: redemption().client_id, presented });
    for (facts, presented, is_replay) in [
        (settled(Fate::SignedIn), None, true),
        (settled(Fate::SignedIn), Some(sid(OTHER)), true),
        (settled(Fate::SignedIn), Some(sid(TOKEN)), false),
        (settled(Fate::Denied(Denial::NotOwner)), None, true),
        (settled(Fate::Revoked), None, false),
        (user_with([]), None, false),
    ] {
        let decision = ask(facts.clone(), token(presented.clone()));
        let (reply, changes) = match is_replay {
            true => (Reply::Done, vec![Change::Record(replayed_event(&here(), Some(sid(TOKEN))))]),
            false => (Reply::Unchanged, vec![]),
        };
        assert_eq!((decision.reply, decision.changes), (reply, changes), "{facts:?} {presented:?}");
    }
}

fn nonce(text: &str) -> Option<SecretDigest> {
    Some(SecretDigest::of(&Secret::new(text)))
}

#[test]
fn the_same_browser_repeats_its_sign_in_by_its_nonce_within_ten_seconds() {
    let opened = Session { nonce: nonce("a"), ..session(TOKEN) };
    let facts = Facts { token: spent(), ..user_with([session(OTHER), opened.clone()]) };
    let by = |nonce| Redemption { nonce, ..redemption() };
    let elsewhere = Caller { address: Some("198.51.100.7".into()), user_agent: None };
    for (again, seconds, is_repeated) in [
        (by(nonce("a")), 0, true),
        (by(nonce("a")), 9, true),
        (Redemption { presented: Some(sid(OTHER)), ..by(nonce("a")) }, 1, true),
        (by(nonce("a")), 10, false),
        (by(nonce("b")), 0, false),
        (by(None), 0, false),
        (Redemption { service_id: owned("13"), ..by(nonce("b")) }, 0, false),
    ] {
        let at = NOW.plus(seconds);
        for caller in [here(), elsewhere.clone()] {
            let decision = ask_from(caller, facts.clone(), Command::Redeem(again.clone()), at);
            let reply = if is_repeated { Reply::Repeated(opened.clone()) } else { Reply::Denied(Denial::TokenUsed) };
            assert_eq!(decision.reply, reply, "{again:?} after {seconds} s");
            assert_eq!(decision.changes.is_empty(), is_repeated, "{again:?} after {seconds} s");
        }
    }
}

#[test]
fn a_nonce_opens_nothing_but_the_live_session_of_its_own_token() {
    let again = Redemption { nonce: nonce("a"), ..redemption() };
    let opened = |n| Session { nonce: nonce("a"), ..session(n) };
    for (facts, reply) in [
        (user_with([dead(opened(TOKEN))]), Reply::Denied(Denial::TokenUsed)),
        (user_with([opened(OTHER)]), Reply::Denied(Denial::TokenUsed)),
        (user_with([session(TOKEN)]), Reply::Denied(Denial::TokenUsed)),
        (Facts { account: None, ..user_with([opened(TOKEN)]) }, Reply::Denied(Denial::UnknownAccount)),
        (
            Facts { account: Some(account(Status::Closed, true)), ..user_with([opened(TOKEN)]) },
            Reply::Denied(Denial::Closed),
        ),
    ] {
        let facts = Facts { token: spent(), ..facts };
        assert_eq!(redeem_here(facts, again.clone()).reply, reply);
    }
    let unowned = Redemption { service_id: owned("13"), ..again.clone() };
    let facts = Facts { token: spent(), ..user_with([opened(TOKEN)]) };
    assert_decision(redeem_here(facts, unowned), Reply::Denied(Denial::NotOwner), vec![]);
    assert_eq!(
        redeem_here(user_with([]), again).reply,
        Reply::SignedIn(Session { nonce: nonce("a"), ..super::opened() })
    );
}

#[test]
fn a_replay_ends_the_session_only_if_network_and_browser_both_differ() {
    let at = |address: Option<&str>, user_agent: Option<&str>| Caller {
        address: address.map(str::to_owned),
        user_agent: user_agent.map(str::to_owned),
    };
    let v6 = "2001:db8:1:2::1";
    for (opened_by, caller, ends) in [
        (here(), at(Some("198.51.100.7"), Some("Browser/2")), true),
        (here(), at(Some("192.0.3.1"), Some("Browser/2")), true),
        (here(), at(Some("192.0.2.254"), Some("Browser/2")), false),
        (here(), at(Some("::ffff:192.0.2.7"), Some("Browser/2")), false),
        (here(), at(Some("198.51.100.7"), Some("Browser/1")), false),
        (here(), at(Some(v6), Some("Browser/1")), false),
        (here(), at(Some(v6), Some("Browser/2")), true),
        (at(Some(v6), Some("Browser/1")), at(Some("2001:db8:1:2:ffff::9"), Some("Browser/2")), false),
        (at(Some(v6), Some("Browser/1")), at(Some("2001:db8:1:3::1"), Some("Browser/2")), true),
        (here(), at(None, Some("Browser/1")), false),
        (here(), at(Some("192.0.2.1"), None), false),
        (here(), at(None, None), true),
        (at(None, None), here(), true),
        (at(None, None), at(None, None), false),
        (at(None, Some("Browser/1")), at(None, Some("Browser/2")), false),
        (at(Some("x"), Some("Browser/1")), at(Some("y"), Some("Browser/2")), true),
    ] {
        let opened = Session { address: opened_by.address, user_agent: opened_by.user_agent, ..session(TOKEN) };
        let facts = Facts { token: spent(), ..user_with([session(OTHER), opened]) };
        let replayed = replayed_event(&caller, Some(sid(TOKEN)));
        let mut changes = vec![Change::Record(replayed.clone())];
        if ends {
            let reason = Some(EventReason::SessionEnd(SessionEnd::TokenReplayed));
            changes.push(Change::DeleteSession(sid(TOKEN)));
            changes.push(Change::Record(Event { event: EventKind::SessionEnded, reason, ..replayed }));
        }
        let decision = ask_from(caller, facts, Command::Redeem(redemption()), NOW);
        assert_decision(decision, Reply::Denied(Denial::TokenUsed), changes);
    }
}

/// `count` sessions, the last of them the oldest.
fn crowd(count: u8) -> Vec<Session> {
    let age = |n: u8| Timestamp::from_seconds(NOW.seconds() - u64::from(n));
    (0..count).map(|n| Session { created_at: age(n), ..session(100 + n) }).collect()
}

fn ended_by_a_sign_in(sessions: Vec<Session>, redemption: Redemption) -> Vec<SessionId> {
    let ended = redeem_here(user_with(sessions), redemption).changes.into_iter();
    ended.filter_map(|change| if let Change::DeleteSession(id) = change { Some(id) } else { None }).collect()
}

#[test]
fn the_oldest_session_goes_when_there_are_too_many() {
    let cap = u8::try_from(SESSIONS_MAX).unwrap();
    assert_eq!(cap, 20);
    for (count, ended) in [(18, vec![]), (19, vec![]), (20, vec![sid(119)])] {
        assert_eq!(ended_by_a_sign_in(crowd(count), redemption()), ended, "{count} sessions");
    }
}

#[test]
fn of_one_second_the_session_opened_first_goes_first() {
    let mut sessions: Vec<_> = (0..20_u8).map(|n| Session { ordinal: u64::from(n), ..session(100 + n) }).collect();
    sessions.reverse();
    let decision = redeem_here(user_with(sessions.clone()), redemption());
    assert_eq!(decision.reply, Reply::SignedIn(Session { ordinal: 20, ..opened() }));
    assert_eq!(ended_by_a_sign_in(sessions, redemption()), [sid(100)]);
}

#[test]
fn a_presented_session_that_is_dead_is_not_replaced() {
    let facts = user_with(crowd(20).into_iter().chain([dead(session(OTHER))]));
    let decision = redeem_here(facts, presenting(OTHER));
    let deleted = decision.changes.iter().filter(|change| matches!(change, Change::DeleteSession(_))).count();
    assert_eq!((deleted, decision.changes.len()), (1, 4));
}

#[test]
fn the_browsers_own_session_and_dead_ones_do_not_count() {
    assert_eq!(ended_by_a_sign_in(crowd(20), presenting(103)), [sid(103)]);
    let with_dead: Vec<_> = crowd(25).into_iter().enumerate().map(|(n, s)| if n < 6 { dead(s) } else { s }).collect();
    assert_eq!(ended_by_a_sign_in(with_dead, redemption()), []);
}
