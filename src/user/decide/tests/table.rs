//! Every redemption: account x ownership x credential x token x browser x place x time.

use super::*;

/// What the request names that must be the user's.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Names {
    Nothing,
    OwnServiceAndDomain,
    ForeignService,
    ForeignDomain,
}

/// What became of the token before.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Fresh,
    SignedInAndSessionLives,
    SignedInAndSessionDied,
    SignedInAndSessionEnded,
    Denied,
    Revoked,
}

/// The session that the browser presents.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Presents {
    Nothing,
    TheTokensSession,
    AnotherLiveSession,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    /// Status and switch; none for an unknown account.
    account: Option<(Status, bool)>,
    names: Names,
    credential_is_revoked: bool,
    token: Token,
    presents: Presents,
    /// Whether network and browser are those which opened the sessions; else both differ.
    is_here: bool,
    /// Seconds until the token expires; it is dead from 0 on.
    life: i8,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    SignedIn,
    RedirectedAgain,
    Denied(Denial),
}

const ACCOUNTS: [Option<(Status, bool)>; 7] = [
    None,
    Some((Status::Active, true)),
    Some((Status::Active, false)),
    Some((Status::Inactive, true)),
    Some((Status::Inactive, false)),
    Some((Status::Closed, true)),
    Some((Status::Closed, false)),
];
const NAMES: [Names; 4] = [Names::Nothing, Names::OwnServiceAndDomain, Names::ForeignService, Names::ForeignDomain];
const TOKENS: [Token; 6] = [
    Token::Fresh,
    Token::SignedInAndSessionLives,
    Token::SignedInAndSessionDied,
    Token::SignedInAndSessionEnded,
    Token::Denied,
    Token::Revoked,
];
const PRESENTS: [Presents; 3] = [Presents::Nothing, Presents::TheTokensSession, Presents::AnotherLiveSession];
const LIVES: [i8; 4] = [60, 1, 0, -1];

fn every_case() -> impl Iterator<Item = Case> {
    let mut cases = Vec::new();
    for account in ACCOUNTS {
        for names in NAMES {
            for credential_is_revoked in [false, true] {
                for token in TOKENS {
                    for presents in PRESENTS {
                        for is_here in [true, false] {
                            for life in LIVES {
                                let case =
                                    Case { account, names, credential_is_revoked, token, presents, is_here, life };
                                cases.push(case);
                            }
                        }
                    }
                }
            }
        }
    }
    cases.into_iter()
}

impl Case {
    fn is_expired(self) -> bool {
        self.life <= 0
    }

    fn is_closed(self) -> bool {
        matches!(self.account, Some((Status::Closed, _)))
    }

    fn is_foreign(self) -> bool {
        matches!(self.names, Names::ForeignService | Names::ForeignDomain)
    }

    /// The browser presents the live session which this very token opened.
    fn is_second_click(self) -> bool {
        self.token == Token::SignedInAndSessionLives && self.presents == Presents::TheTokensSession
    }

    /// A spent token that lives, and not the second click of the browser that it signed in.
    fn is_replay(self) -> bool {
        let is_spent = !matches!(self.token, Token::Fresh | Token::Revoked);
        let is_barred = self.is_closed() || matches!(self.account, Some((_, false)));
        is_spent && !self.is_expired() && (is_barred || !self.is_second_click())
    }

    /// The contract: the first rule that applies.
    fn verdict(self) -> Verdict {
        use Denial::*;
        let rules = [
            (self.is_expired(), Verdict::Denied(TokenExpired)),
            (self.is_closed() && self.presents != Presents::Nothing, Verdict::Denied(ClosedWithSession)),
            (self.is_closed(), Verdict::Denied(Closed)),
            (matches!(self.account, Some((_, false))), Verdict::Denied(SsoDisabled)),
            (self.is_second_click() && self.account.is_none(), Verdict::Denied(UnknownAccount)),
            (self.is_second_click() && self.is_foreign(), Verdict::Denied(NotOwner)),
            (self.is_second_click(), Verdict::RedirectedAgain),
            (self.token == Token::Revoked, Verdict::Denied(TokenRevoked)),
            (self.token != Token::Fresh, Verdict::Denied(TokenUsed)),
            (self.credential_is_revoked, Verdict::Denied(CredentialRevoked)),
            (self.account.is_none(), Verdict::Denied(UnknownAccount)),
            (self.is_foreign(), Verdict::Denied(NotOwner)),
        ];
        rules.into_iter().find(|(applies, _)| *applies).map_or(Verdict::SignedIn, |(_, verdict)| verdict)
    }

    fn decide(self) -> Decision {
        let mut sessions = vec![session(OTHER)];
        match self.token {
            Token::SignedInAndSessionLives => sessions.push(session(TOKEN)),
            Token::SignedInAndSessionDied => sessions.push(dead(session(TOKEN))),
            _ => {}
        }
        let fate = match self.token {
            Token::Fresh => None,
            Token::Denied => Some(fate(Fate::Denied(Denial::NotOwner))),
            Token::Revoked => Some(fate(Fate::Revoked)),
            _ => Some(fate(Fate::SignedIn)),
        };
        let facts = Facts {
            account: self.account.map(|(status, sso)| account(status, sso)),
            sessions,
            token: fate,
            credentials: if self.credential_is_revoked { vec![] } else { vec![set(CredentialState::Enabled)] },
            ..Facts::default()
        };
        let (service_id, domain_id) = match self.names {
            Names::Nothing => (None, None),
            Names::OwnServiceAndDomain => (owned("12"), owned("34")),
            Names::ForeignService => (owned("34"), owned("34")),
            Names::ForeignDomain => (owned("12"), owned("12")),
        };
        let presented = match self.presents {
            Presents::Nothing => None,
            Presents::TheTokensSession => Some(sid(TOKEN)),
            Presents::AnotherLiveSession => Some(sid(OTHER)),
        };
        let expires_at = Timestamp::from_seconds(NOW.seconds().saturating_add_signed(self.life.into()));
        let command = Command::Redeem(Redemption { expires_at, service_id, domain_id, presented, ..redemption() });
        let caller = if self.is_here {
            here()
        } else {
            Caller { address: Some("198.51.100.7".into()), user_agent: Some("Browser/2".into()) }
        };
        ask_from(caller, facts, command, NOW)
    }
}

fn verdict_of(reply: &Reply) -> Verdict {
    match reply {
        Reply::SignedIn(_) => Verdict::SignedIn,
        Reply::Repeated(_) => Verdict::RedirectedAgain,
        Reply::Denied(denial) => Verdict::Denied(*denial),
        other => panic!("{other:?} does not answer a redemption"),
    }
}

/// The status, and the message for User ID 42.
fn told(denial: Denial) -> (u16, &'static str) {
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
fn the_verdict_is_the_contracts() {
    assert_eq!(every_case().count(), 7 * 4 * 2 * 6 * 3 * 2 * 4);
    for case in every_case() {
        assert_eq!(verdict_of(&case.decide().reply), case.verdict(), "{case:?}");
    }
}

#[test]
fn a_denial_is_told_with_its_status_and_message() {
    let user = UserId::parse("42").unwrap();
    for case in every_case() {
        if let Reply::Denied(denial) = case.decide().reply {
            assert_eq!((denial.status(), denial.message(&user).as_str()), told(denial), "{case:?}");
        }
    }
}

#[test]
fn a_token_is_settled_at_its_first_verdict_before_all_else() {
    for case in every_case() {
        let changes = case.decide().changes;
        let settled = changes.iter().position(|change| matches!(change, Change::SettleToken(..)));
        if case.is_expired() || case.token != Token::Fresh {
            assert_eq!(settled, None, "{case:?}");
            continue;
        }
        let became = match case.verdict() {
            Verdict::SignedIn => Fate::SignedIn,
            Verdict::Denied(denial) => Fate::Denied(denial),
            Verdict::RedirectedAgain => unreachable!("a fresh token has opened no session"),
        };
        assert_eq!(changes[0], Change::SettleToken(jti(TOKEN), fate(became)), "{case:?}");
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
        let presented = match case.presents {
            Presents::Nothing => None,
            Presents::TheTokensSession => Some(sid(TOKEN)),
            Presents::AnotherLiveSession => Some(sid(OTHER)),
        };
        let is_elsewhere = case.token == Token::SignedInAndSessionLives && !case.is_here;
        let ended = match case.verdict() {
            Verdict::SignedIn => Vec::from_iter(presented.filter(|id| *id == sid(OTHER))),
            _ => {
                let replayed = (case.is_replay() && is_elsewhere).then(|| sid(TOKEN));
                let closed = presented.filter(|_| case.verdict() == Verdict::Denied(Denial::ClosedWithSession));
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
fn a_replay_is_always_recorded_and_nothing_else_is_taken_for_one() {
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
fn nothing_else_is_ever_written() {
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
