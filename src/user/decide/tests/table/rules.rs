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
        let is_settling = |change: &&Change| matches!(change, Change::SettleToken(..) | Change::SignIn(..));
        let count = changes.iter().filter(is_settling).count();
        if case.is_expired() || case.token != Token::Fresh {
            assert_eq!(count, 0, "{case:?}");
            continue;
        }
        assert_eq!(count, 1, "{case:?}");
        let first = match case.verdict() {
            Verdict::SignedIn => {
                let replaced = case.browser_session().into_iter().filter(|id| *id == sid(OTHER)).collect();
                signs_in(opened(), replaced)
            }
            Verdict::Denied(denial) => Change::SettleToken(jti(TOKEN), fate(Fate::Denied(denial))),
            Verdict::RedirectedAgain => unreachable!("a fresh token has opened no session"),
        };
        let caller = if case.is_here { here() } else { elsewhere() };
        let first = match first {
            Change::SignIn(jti, sign_in) => {
                Change::SignIn(jti, SignIn { address: caller.address, user_agent: caller.user_agent, ..sign_in })
            }
            first => first,
        };
        assert_eq!(changes[0], first, "{case:?}");
    }
}

#[test]
fn a_session_opens_exactly_when_the_user_is_signed_in() {
    for case in every_case() {
        let decision = case.decide();
        let saved = decision.changes.into_iter().find_map(|change| match change {
            Change::SignIn(jti, sign_in) => Some(sign_in.into_session(jti, 1)),
            _ => None,
        });
        match decision.reply {
            Reply::SignedIn(session) => assert_eq!(saved, Some(session), "{case:?}"),
            _ => assert_eq!(saved, None, "{case:?}"),
        }
    }
}

#[test]
fn a_session_ends_only_when_replaced_or_replayed_or_closed() {
    for case in every_case() {
        let lives = |session: &u8| *session == OTHER || case.token == Token::SignedInAndSessionLives;
        let browser_session = match case.browser {
            BrowserSession::None => None,
            BrowserSession::OfThisToken => Some(TOKEN),
            BrowserSession::OfAnotherToken => Some(OTHER),
        };
        let is_elsewhere = case.token == Token::SignedInAndSessionLives && !case.is_here;
        let ended = match case.verdict() {
            Verdict::SignedIn => Vec::from_iter(browser_session.filter(|session| *session == OTHER)),
            _ => {
                let replayed = (case.is_replay() && is_elsewhere).then_some(TOKEN);
                let is_closed = case.verdict() == Verdict::Denied(Denial::ClosedWithSession);
                let closed = browser_session.filter(|session| is_closed && lives(session));
                replayed.into_iter().chain(closed).collect()
            }
        };
        let changes = case.decide().changes;
        let ends: Vec<_> = changes
            .iter()
            .filter_map(|change| match change {
                Change::EndSession(jti) => Some(jti.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(ends, ended.into_iter().map(jti).collect::<Vec<_>>(), "{case:?}");
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
                    Change::SettleToken(..) | Change::SignIn(..) | Change::EndSession(_) | Change::Record(_)
                ),
                "{case:?}: {change:?}"
            );
        }
    }
}
