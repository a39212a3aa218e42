//! Listing, checking and ending sessions.

use super::*;

#[test]
fn live_sessions_are_listed_newest_first() {
    let newer = Session { created_at: NOW.plus(1), ..session(3) };
    let facts = user_with([session(OTHER), expired(session(4)), newer.clone()]);
    assert_decision(ask(facts, Command::ListSessions(None)), Reply::Sessions(vec![newer, session(OTHER)]), vec![]);
}

#[test]
fn ending_a_session_records_the_reason() {
    for why in SessionEnd::ALL {
        let event = Event { client_id: Some(portal()), session_id: Some(sid(OTHER)), ..ended_event(why) };
        assert_decision(
            ask(user_with([session(3), session(OTHER)]), Command::EndSession(sid(OTHER), why)),
            Reply::Done,
            vec![Change::EndSession(jti(OTHER)), Change::Record(event)],
        );
    }
}

#[test]
fn an_expired_or_unknown_session_is_missing() {
    for id in [OTHER, 3] {
        let facts = user_with([expired(session(OTHER))]);
        let end = Command::EndSession(sid(id), SessionEnd::SignedOut);
        assert_decision(ask(facts.clone(), end), Reply::Missing, vec![]);
        assert_decision(ask(facts.clone(), Command::PeekSession(sid(id))), Reply::Missing, vec![]);
        assert_decision(ask(facts, Command::CheckSession(sid(id))), Reply::Missing, vec![]);
    }
}

fn end_all(client_id: Option<ClientId>) -> Command {
    Command::EndSessions { client_id, why: SessionEnd::Administrator }
}

fn panel() -> ClientId {
    ClientId::parse("panel").unwrap()
}

#[test]
fn all_sessions_end_at_once() {
    assert_decision(
        ask(user_with([session(OTHER), session(3)]), end_all(None)),
        Reply::Done,
        vec![
            Change::EndSession(jti(OTHER)),
            Change::EndSession(jti(3)),
            Change::Record(ended_event(SessionEnd::Administrator)),
        ],
    );
    assert_decision(ask(Facts::default(), end_all(None)), Reply::Missing, vec![]);
}

#[test]
fn sessions_can_be_listed_and_ended_by_application() {
    let of_panel = Session { client_id: panel(), ..session(3) };
    let facts = || user_with([session(OTHER), of_panel.clone()]);
    assert_decision(
        ask(facts(), Command::ListSessions(Some(panel()))),
        Reply::Sessions(vec![of_panel.clone()]),
        vec![],
    );
    let event = Event { client_id: Some(panel()), ..ended_event(SessionEnd::Administrator) };
    assert_decision(
        ask(facts(), end_all(Some(panel()))),
        Reply::Done,
        vec![Change::EndSession(jti(3)), Change::Record(event)],
    );
}

#[test]
fn without_a_session_to_end_nothing_is_written() {
    for command in [
        end_all(None),
        end_all(Some(panel())),
        Command::EndSessions { client_id: Some(portal()), why: SessionEnd::Application },
    ] {
        for sessions in [vec![], vec![expired(session(OTHER))]] {
            assert_decision(ask(user_with(sessions), command.clone()), Reply::Done, vec![]);
        }
    }
    assert_decision(ask(user_with([session(OTHER)]), end_all(Some(panel()))), Reply::Done, vec![]);
    let end_others = Command::AsUser(sid(OTHER), UserAction::EndOtherSessions);
    for others in [vec![], vec![expired(session(3))]] {
        let facts = user_with(others.into_iter().chain([session(OTHER)]));
        assert_decision(ask(facts, end_others.clone()), Reply::Done, vec![]);
    }
}

/// An action of a user with three sessions, in session `OTHER`.
fn ask_as_user(action: UserAction) -> Decision {
    ask(user_with([session(OTHER), session(3), session(4)]), Command::AsUser(sid(OTHER), action))
}

#[test]
fn users_see_their_account_and_live_sessions() {
    let newer = Session { created_at: NOW.plus(1), ..session(3) };
    let facts = Facts {
        account: Some(account(Status::Inactive, false)),
        ..user_with([session(OTHER), expired(session(4)), newer.clone()])
    };
    let security = Security { sso: false, sessions: vec![newer, session(OTHER)] };
    let review = Command::AsUser(sid(OTHER), UserAction::Review);
    assert_decision(ask(facts, review), Reply::Security(security), vec![]);
}

#[test]
fn users_see_the_current_use_of_their_session() {
    let older = Session { created_at: Timestamp::from_seconds(NOW.seconds() - 1), ..session(OTHER) };
    let fresh = Session { last_seen_at: NOW.plus(61), ..older.clone() };
    let command = Command::AsUser(sid(OTHER), UserAction::Review);
    assert_decision(
        ask_from(here(), user_with([older, session(3)]), command, NOW.plus(61)),
        Reply::Security(Security { sso: true, sessions: vec![session(3), fresh.clone()] }),
        vec![Change::RefreshSession(fresh)],
    );
}

#[test]
fn users_end_their_sessions() {
    let ended = |n| Event { client_id: Some(portal()), session_id: Some(sid(n)), ..ended_event(SessionEnd::User) };
    for (action, changes) in [
        (UserAction::EndSession(sid(3)), vec![Change::EndSession(jti(3)), Change::Record(ended(3))]),
        (UserAction::EndSession(sid(OTHER)), vec![Change::EndSession(jti(OTHER)), Change::Record(ended(OTHER))]),
        (UserAction::EndSession(sid(77)), vec![]),
        (
            UserAction::EndOtherSessions,
            vec![Change::EndSession(jti(3)), Change::EndSession(jti(4)), Change::Record(ended_event(SessionEnd::User))],
        ),
    ] {
        assert_decision(ask_as_user(action), Reply::Done, changes);
    }
}

#[test]
fn users_enable_and_disable_single_sign_on() {
    for sso in [false, true] {
        let changed = account(Status::Active, sso);
        let reason = Some(EventReason::Actor(Actor::User));
        let event = Event { reason, status: Some(Status::Active), sso: Some(sso), ..event(EventKind::AccountChanged) };
        let facts = Facts { account: Some(account(Status::Active, !sso)), ..user_with([session(OTHER)]) };
        assert_decision(
            ask(facts, Command::AsUser(sid(OTHER), UserAction::SetSso(sso))),
            Reply::Done,
            vec![Change::SaveAccount(changed), Change::Record(event)],
        );
    }
    assert_decision(ask_as_user(UserAction::SetSso(true)), Reply::Done, vec![]);
}

#[test]
fn an_invalid_session_allows_no_action() {
    for action in
        [UserAction::Review, UserAction::EndSession(sid(3)), UserAction::EndOtherSessions, UserAction::SetSso(false)]
    {
        for facts in [
            user_with([session(3)]),
            user_with([expired(session(OTHER)), session(3)]),
            Facts { account: Some(account(Status::Closed, true)), ..user_with([session(OTHER)]) },
            Facts { account: None, ..user_with([session(OTHER)]) },
        ] {
            assert_decision(ask(facts, Command::AsUser(sid(OTHER), action.clone())), Reply::Missing, vec![]);
        }
    }
}

#[test]
fn an_action_restarts_the_idle_limit() {
    for (action, more) in [(UserAction::Review, 0), (UserAction::EndOtherSessions, 2), (UserAction::SetSso(false), 2)] {
        let command = Command::AsUser(sid(OTHER), action);
        let changes = ask_from(here(), user_with([session(OTHER), session(3)]), command, NOW.plus(60)).changes;
        assert_eq!(changes[0], Change::RefreshSession(Session { last_seen_at: NOW.plus(60), ..session(OTHER) }));
        assert_eq!(changes.len(), 1 + more);
    }
}

#[test]
fn a_session_is_valid_while_its_account_is_open() {
    for (account, is_valid) in [
        (Some(account(Status::Active, true)), true),
        (Some(account(Status::Active, false)), true),
        (Some(account(Status::Inactive, true)), true),
        (Some(account(Status::Closed, true)), false),
        (None, false),
    ] {
        let facts = Facts { account: account.clone(), ..user_with([session(OTHER)]) };
        let reply = if is_valid { Reply::Session(session(OTHER)) } else { Reply::Missing };
        assert_eq!(ask(facts.clone(), Command::PeekSession(sid(OTHER))).reply, reply, "{account:?}");
        assert_eq!(ask(facts, Command::CheckSession(sid(OTHER))).reply, reply, "{account:?}");
    }
}
