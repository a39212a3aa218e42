//! The rules that hold for every combination.

use super::*;

fn verdict_of(reply: &Reply) -> Verdict {
    match reply {
        Reply::SignedIn(_) => Verdict::SignedIn,
        Reply::Repeated(_) => Verdict::RedirectedAgain,
        Reply::Denied(denial) => Verdict::Denied(*denial),
        other => panic!("{other:?} does not answer a redemption"),
    }
}

/// The status, and the message for User ID 42.
fn status_and_message(denial: Denial) -> (u16, &'static str) {
    let unable = "Unable to authenticate with Single Sign-On token for User ID: 42";
    match denial {
        Denial::Closed => (403, r#"Single Sign-On authentication denied for "Closed" User ID: 42"#),
        Denial::ClosedWithSession => (
            403,
            r#"OAuth authorization request denied due to unexpected active login session for "Closed" User ID: 42"#,
        ),
        Denial::SsoDisabled => (403, "Single Sign-On authentication denied per configuration for User ID: 42"),
        Denial::UnknownAccount | Denial::NotOwner => (403, unable),
        _ => (401, unable),
    }
}

#[test]
fn every_redemption_has_the_expected_verdict() {
    assert_eq!(every_case().count(), 7 * 4 * 2 * 6 * 3 * 2 * 4);
    for case in every_case() {
        assert_eq!(verdict_of(&case.decide().reply), case.verdict(), "{case:?}");
    }
}

#[test]
fn every_denial_has_the_expected_status_and_message() {
    let user = UserId::parse("42").unwrap();
    for case in every_case() {
        if let Reply::Denied(denial) = case.decide().reply {
            assert_eq!((denial.status(), denial.message(&user).as_str()), status_and_message(denial), "{case:?}");
        }
    }
}

#[test]
fn the_first_verdict_settles_the_token_before_other_changes() {
    for case in every_case() {
        let changes = case.decide().changes;
        let settled = changes.iter().position(|change| matches!(change, Change::SettleToken(..)));
        if case.is_expired() || case.token != Token::Fresh {
            assert_eq!(settled, None, "{case:?}");
            continue;
        }
        let expected = match case.verdict() {
            Verdict::SignedIn => Fate::SignedIn,
            Verdict::Denied(denial) => Fate::Denied(denial),
            Verdict::RedirectedAgain => unreachable!("a fresh token has opened no session"),
        };
        assert_eq!(changes[0], Change::SettleToken(jti(TOKEN), fate(expected)), "{case:?}");
        let count = changes.iter().filter(|change| matches!(change, Change::SettleToken(..))).count();
        assert_eq!(count, 1, "{case:?}");
    }
}

#[test]
fn a_session_opens_exactly_when_the_user_is_signed_in() {
    for case in every_case() {
        let decision = case.decide();
        let saved = decision.changes.iter().find_map(|change| match change {
            Change::SaveSession(session) => Some(session),
            _ => None,
        });
        match &decision.reply {
            Reply::SignedIn(session) => assert_eq!(saved, Some(session), "{case:?}"),
            _ => assert_eq!(saved, None, "{case:?}"),
        }
    }
}

#[test]
fn a_session_ends_only_when_replaced_or_replayed_or_closed() {
    for case in every_case() {
        let browser_session = case.browser_session();
        let is_elsewhere = case.token == Token::SignedInAndSessionLives && !case.is_here;
        let ended = match case.verdict() {
            Verdict::SignedIn => Vec::from_iter(browser_session.filter(|id| *id == sid(OTHER))),
            _ => {
                let replayed = (case.is_replay() && is_elsewhere).then(|| sid(TOKEN));
                let closed = browser_session.filter(|_| case.verdict() == Verdict::Denied(Denial::ClosedWithSession));
                replayed.into_iter().chain(closed).collect()
            }
        };
        let changes = case.decide().changes;
        let deleted: Vec<_> = changes
            .iter()
            .filter_map(|change| match change {
                Change::DeleteSession(id) => Some(id.clone()),
                Change::DeleteSessions => panic!("all sessions ended: {case:?}"),
                _ => None,
            })
            .collect();
        assert_eq!(deleted, ended, "{case:?}");
    }
}

#[test]
fn exactly_the_replays_are_recorded() {
    for case in every_case() {
        let is_record = |change: &Change| matches!(change, Change::Record(e) if e.event == EventKind::TokenReplayed);
        let recorded = case.decide().changes.iter().filter(|change| is_record(change)).count();
        assert_eq!(recorded, usize::from(case.is_replay()), "{case:?}");
    }
}

#[test]
fn an_expired_token_writes_nothing() {
    for case in every_case().filter(|case| case.is_expired()) {
        assert_eq!(case.decide().changes, [], "{case:?}");
    }
}

#[test]
fn a_redemption_makes_at_most_four_changes_and_one_event_or_two_if_a_replay_ends_a_session() {
    for case in every_case() {
        let changes = case.decide().changes;
        let events = changes.iter().filter(|change| matches!(change, Change::Record(_))).count();
        assert!(changes.len() <= 4 && events <= if case.is_replay() { 2 } else { 1 }, "{case:?}: {changes:?}");
    }
}

#[test]
fn a_redemption_makes_no_other_changes() {
    for case in every_case() {
        for change in case.decide().changes {
            assert!(
                matches!(
                    change,
                    Change::SettleToken(..) | Change::SaveSession(_) | Change::DeleteSession(_) | Change::Record(_)
                ),
                "{case:?}: {change:?}"
            );
        }
    }
}
