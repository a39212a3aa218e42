//! Listing, checking and ending sessions.

use super::*;

#[test]
fn live_sessions_are_listed_newest_first() {
    let newer = Session { created_at: NOW.plus(1), ..session(3) };
    let facts = user_with([session(OTHER), dead(session(4)), newer.clone()]);
    assert_decision(ask(facts, Command::ListSessions), Reply::Sessions(vec![newer, session(OTHER)]), vec![]);
}

#[test]
fn ending_a_session_says_why() {
    for why in [SessionEnd::SignedOut, SessionEnd::Switched, SessionEnd::Administrator, SessionEnd::TokenReplayed] {
        let event = Event { client_id: Some(portal()), session_id: Some(sid(OTHER)), ..ended_event(why) };
        assert_decision(
            ask(user_with([session(3), session(OTHER)]), Command::EndSession(sid(OTHER), why)),
            Reply::Done,
            vec![Change::DeleteSession(sid(OTHER)), Change::Record(event)],
        );
    }
}

#[test]
fn a_session_that_is_dead_or_unknown_is_missing() {
    for id in [OTHER, 3] {
        let facts = user_with([dead(session(OTHER))]);
        let end = Command::EndSession(sid(id), SessionEnd::SignedOut);
        assert_decision(ask(facts.clone(), end), Reply::Missing, vec![]);
        assert_decision(ask(facts, Command::CheckSession(sid(id))), Reply::Missing, vec![]);
    }
}

#[test]
fn all_sessions_end_at_once() {
    assert_decision(
        ask(user_with([session(OTHER), session(3)]), Command::EndSessions),
        Reply::Done,
        vec![Change::DeleteSessions, Change::Record(ended_event(SessionEnd::Administrator))],
    );
    assert_decision(ask(Facts::default(), Command::EndSessions), Reply::Missing, vec![]);
}

#[test]
fn a_session_counts_while_its_account_stands() {
    for (account, counts) in [
        (Some(account(Status::Active, true)), true),
        (Some(account(Status::Active, false)), true),
        (Some(account(Status::Inactive, true)), true),
        (Some(account(Status::Closed, true)), false),
        (None, false),
    ] {
        let facts = Facts { account: account.clone(), ..user_with([session(OTHER)]) };
        let reply = if counts { Reply::Session(session(OTHER)) } else { Reply::Missing };
        assert_eq!(ask(facts, Command::CheckSession(sid(OTHER))).reply, reply, "{account:?}");
    }
}
