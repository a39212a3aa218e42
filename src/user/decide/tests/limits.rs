//! The limits of a session and a token, to the second.

use super::*;

/// Checks a session that was last seen at `NOW`, `after` seconds later.
fn check(session: &Session, after: u64) -> Decision {
    let facts = user_with([self::session(3), session.clone()]);
    ask_from(here(), facts, Command::CheckSession(session.id.clone()), NOW.plus(after))
}

#[test]
fn a_use_is_written_at_most_once_a_minute() {
    let session = session(OTHER);
    for after in [0, 1, 59] {
        assert_decision(check(&session, after), Reply::Session(session.clone()), vec![]);
    }
    for after in [60, 61, IDLE - 1] {
        let fresh = Session { last_seen_at: NOW.plus(after), ..session.clone() };
        assert_decision(check(&session, after), Reply::Session(fresh.clone()), vec![Change::RefreshSession(fresh)]);
    }
}

#[test]
fn peeking_moves_no_limit() {
    let session = session(OTHER);
    let peek = |after| {
        ask_from(here(), user_with([session.clone()]), Command::PeekSession(session.id.clone()), NOW.plus(after))
    };
    for after in [0, 60, IDLE - 1] {
        assert_decision(peek(after), Reply::Session(session.clone()), vec![]);
    }
    assert_decision(peek(IDLE), Reply::Missing, vec![]);
}

#[test]
fn a_clock_that_went_backwards_writes_nothing() {
    let ahead = Session { last_seen_at: NOW.plus(500), ..session(OTHER) };
    assert_decision(check(&ahead, 0), Reply::Session(ahead.clone()), vec![]);
}

#[test]
fn an_unused_session_ends_at_its_idle_limit() {
    let session = session(OTHER);
    assert_ne!(check(&session, IDLE - 1).reply, Reply::Missing);
    for after in [IDLE, IDLE + 1] {
        assert_decision(check(&session, after), Reply::Missing, vec![]);
    }
}

#[test]
fn a_used_session_ends_at_its_absolute_limit() {
    let session = Session { last_seen_at: NOW.plus(MAX - 10), ..session(OTHER) };
    assert_ne!(check(&session, MAX - 1).reply, Reply::Missing);
    for after in [MAX, MAX + 1] {
        assert_decision(check(&session, after), Reply::Missing, vec![]);
    }
}

#[test]
fn a_use_moves_the_idle_limit() {
    let Reply::Session(used) = check(&session(OTHER), IDLE - 1).reply else { panic!("the session is live") };
    assert_ne!(check(&used, IDLE * 2 - 2).reply, Reply::Missing);
    assert_eq!(check(&used, IDLE * 2 - 1).reply, Reply::Missing);
}

#[test]
fn a_token_can_be_redeemed_until_its_expiry() {
    let redeem = |after| ask_from(here(), user_with([]), Command::Redeem(redemption()), NOW.plus(after)).reply;
    assert!(matches!(redeem(59), Reply::SignedIn(_)));
    for after in [60, 61] {
        assert_eq!(redeem(after), Reply::Denied(Denial::TokenExpired));
    }
}
