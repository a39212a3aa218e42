//! Redemptions, each with its reply and all changes.

use super::*;
use crate::secret::{Secret, SecretDigest};

#[test]
fn a_sign_in_is_one_change() {
    assert_decision(
        redeem_here(user_with([]), redemption()),
        Reply::SignedIn(opened()),
        vec![signs_in(opened(), vec![])],
    );
}

#[test]
fn a_sign_in_replaces_only_the_session_of_the_same_browser() {
    assert_decision(
        redeem_here(user_with([session(OTHER), session(3)]), from_browser_with(OTHER)),
        Reply::SignedIn(opened()),
        vec![signs_in(opened(), vec![sid(OTHER)]), Change::EndSession(jti(OTHER))],
    );
}

#[test]
fn the_id_in_the_cookie_is_never_reused() {
    let decision = redeem_here(user_with([]), from_browser_with(7));
    assert_eq!(decision, redeem_here(user_with([]), redemption()), "an unknown id is ignored");
    assert_eq!(decision.reply, Reply::SignedIn(opened()));
}

#[test]
fn the_session_has_the_destination_and_limits_of_the_redemption() {
    let redemption = Redemption { destination: None, session_idle: 60, session_max: 120, ..redemption() };
    let expected = Session { destination: None, idle_seconds: 60, max_expires_at: NOW.plus(120), ..opened() };
    assert_eq!(redeem_here(user_with([]), redemption).reply, Reply::SignedIn(expected));
}

#[test]
fn each_denial_settles_an_unused_token_and_is_recorded() {
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
fn only_enabled_sets_of_the_user_and_delegated_clients_sign_in() {
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
fn a_closed_account_ends_the_session_of_the_browser() {
    let closed = Facts { account: Some(account(Status::Closed, true)), ..user_with([session(OTHER)]) };
    let denial = Denial::ClosedWithSession;
    assert_decision(
        redeem_here(closed.clone(), from_browser_with(OTHER)),
        Reply::Denied(denial),
        vec![
            Change::SettleToken(jti(TOKEN), fate(Fate::Denied(denial))),
            Change::Record(denied_event(denial)),
            Change::EndSession(jti(OTHER)),
        ],
    );
    assert_decision(
        redeem_here(Facts { token: redeemed(), ..closed.clone() }, from_browser_with(OTHER)),
        Reply::Denied(denial),
        vec![Change::Record(replayed_event(&here(), None)), Change::EndSession(jti(OTHER))],
    );
    assert_decision(
        redeem_here(closed, from_browser_with(7)),
        Reply::Denied(denial),
        vec![Change::SettleToken(jti(TOKEN), fate(Fate::Denied(denial))), Change::Record(denied_event(denial))],
    );
}

#[test]
fn an_expired_or_revoked_token_is_refused_without_a_change() {
    let settled = |state| Facts { token: Some(fate(state)), ..user_with([]) };
    for (facts, redemption, denial) in [
        (user_with([]), Redemption { expires_at: NOW, ..redemption() }, Denial::TokenExpired),
        (settled(Fate::Revoked), redemption(), Denial::TokenRevoked),
    ] {
        assert_decision(redeem_here(facts, redemption), Reply::Denied(denial), vec![]);
    }
}

#[test]
fn a_second_click_in_the_same_browser_changes_nothing() {
    let facts = Facts { token: redeemed(), ..user_with([session(OTHER), session(TOKEN)]) };
    let elsewhere = Caller { address: Some("198.51.100.7".into()), user_agent: None };
    for caller in [here(), elsewhere] {
        assert_decision(
            ask_from(caller, facts.clone(), Command::Redeem(from_browser_with(TOKEN)), NOW),
            Reply::Repeated(session(TOKEN)),
            vec![],
        );
    }
}

#[test]
fn a_second_click_checks_ownership_again() {
    let facts = Facts { token: redeemed(), ..user_with([session(TOKEN)]) };
    for (service_id, domain_id, reply) in [
        (owned("12"), owned("34"), Reply::Repeated(session(TOKEN))),
        (owned("13"), None, Reply::Denied(Denial::NotOwner)),
        (None, owned("35"), Reply::Denied(Denial::NotOwner)),
    ] {
        let again = Redemption { service_id, domain_id, ..from_browser_with(TOKEN) };
        assert_decision(redeem_here(facts.clone(), again), reply, vec![]);
    }
    let deleted = Facts { account: None, ..facts };
    assert_decision(redeem_here(deleted, from_browser_with(TOKEN)), Reply::Denied(Denial::UnknownAccount), vec![]);
}

#[test]
fn a_browser_with_another_session_cannot_repeat_a_sign_in() {
    let facts = Facts { token: redeemed(), ..user_with([session(OTHER), session(TOKEN)]) };
    assert_decision(
        redeem_here(facts, from_browser_with(OTHER)),
        Reply::Denied(Denial::TokenUsed),
        vec![Change::Record(replayed_event(&here(), Some(sid(TOKEN))))],
    );
}

fn nonce(text: &str) -> Option<SecretDigest> {
    Some(SecretDigest::of(&Secret::new(text)))
}

#[test]
fn a_nonce_allows_a_repeated_sign_in_for_ten_seconds() {
    let opened = Session { nonce: nonce("a"), ..session(TOKEN) };
    let facts = Facts { token: redeemed(), ..user_with([session(OTHER), opened.clone()]) };
    let by = |nonce| Redemption { nonce, ..redemption() };
    let elsewhere = Caller { address: Some("198.51.100.7".into()), user_agent: None };
    for (again, seconds, is_repeated) in [
        (by(nonce("a")), 0, true),
        (by(nonce("a")), 9, true),
        (Redemption { browser_session: Some(sid(OTHER)), ..by(nonce("a")) }, 1, true),
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
fn a_nonce_repeats_only_the_sign_in_of_the_same_token() {
    let again = Redemption { nonce: nonce("a"), ..redemption() };
    let opened = |n| Session { nonce: nonce("a"), ..session(n) };
    for (facts, reply) in [
        (user_with([expired(opened(TOKEN))]), Reply::Denied(Denial::TokenUsed)),
        (user_with([opened(OTHER)]), Reply::Denied(Denial::TokenUsed)),
        (user_with([session(TOKEN)]), Reply::Denied(Denial::TokenUsed)),
        (Facts { account: None, ..user_with([opened(TOKEN)]) }, Reply::Denied(Denial::UnknownAccount)),
        (
            Facts { account: Some(account(Status::Closed, true)), ..user_with([opened(TOKEN)]) },
            Reply::Denied(Denial::Closed),
        ),
    ] {
        let facts = Facts { token: redeemed(), ..facts };
        assert_eq!(redeem_here(facts, again.clone()).reply, reply);
    }
    let unowned = Redemption { service_id: owned("13"), ..again.clone() };
    let facts = Facts { token: redeemed(), ..user_with([opened(TOKEN)]) };
    assert_decision(redeem_here(facts, unowned), Reply::Denied(Denial::NotOwner), vec![]);
    assert_eq!(
        redeem_here(user_with([]), again).reply,
        Reply::SignedIn(Session { nonce: nonce("a"), ..super::opened() })
    );
}

/// `count` sessions, the last of them the oldest.
fn crowd(count: u8) -> Vec<Session> {
    let age = |n: u8| Timestamp::from_seconds(NOW.seconds() - u64::from(n));
    (0..count).map(|n| Session { created_at: age(n), ..session(100 + n) }).collect()
}

fn ended_by_a_sign_in(sessions: Vec<Session>, redemption: Redemption) -> Vec<TokenId> {
    let ended = redeem_here(user_with(sessions), redemption).changes.into_iter();
    ended.filter_map(|change| if let Change::EndSession(jti) = change { Some(jti) } else { None }).collect()
}

#[test]
fn a_sign_in_above_the_maximum_ends_the_oldest_session() {
    let cap = u8::try_from(SESSIONS_MAX).unwrap();
    assert_eq!(cap, 20);
    for (count, ended) in [(18, vec![]), (19, vec![]), (20, vec![jti(119)])] {
        assert_eq!(ended_by_a_sign_in(crowd(count), redemption()), ended, "{count} sessions");
    }
}

#[test]
fn sessions_of_one_second_end_in_the_order_of_opening() {
    let mut sessions: Vec<_> = (0..20_u8).map(|n| Session { ordinal: u64::from(n), ..session(100 + n) }).collect();
    sessions.reverse();
    let facts = Facts { latest: 20, ..user_with(sessions.clone()) };
    assert_eq!(redeem_here(facts, redemption()).reply, Reply::SignedIn(Session { ordinal: 21, ..opened() }));
    assert_eq!(ended_by_a_sign_in(sessions, redemption()), [jti(100)]);
}

#[test]
fn an_expired_session_of_the_browser_is_not_replaced() {
    let facts = user_with(crowd(20).into_iter().chain([expired(session(OTHER))]));
    let decision = redeem_here(facts, from_browser_with(OTHER));
    let deleted = decision.changes.iter().filter(|change| matches!(change, Change::EndSession(_))).count();
    assert_eq!((deleted, decision.changes.len()), (1, 2));
}

#[test]
fn the_session_of_the_browser_and_expired_sessions_do_not_count() {
    assert_eq!(ended_by_a_sign_in(crowd(20), from_browser_with(103)), [jti(103)]);
    let with_expired: Vec<_> =
        crowd(25).into_iter().enumerate().map(|(n, s)| if n < 6 { expired(s) } else { s }).collect();
    assert_eq!(ended_by_a_sign_in(with_expired, redemption()), []);
}
