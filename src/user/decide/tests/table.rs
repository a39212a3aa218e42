//! Every combination of a redemption: account, ownership, client, token, browser session, caller, time.

use super::*;

mod rules;

/// The service and the domain in the request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Names {
    Nothing,
    OwnServiceAndDomain,
    ForeignService,
    ForeignDomain,
}

/// The state of the token before the request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token {
    Fresh,
    SignedInAndSessionLives,
    SignedInAndSessionExpired,
    SignedInAndSessionEnded,
    Denied,
    Revoked,
}

/// The session in the cookie of the browser.
#[derive(Clone, Copy, Debug, PartialEq)]
enum BrowserSession {
    None,
    OfThisToken,
    OfAnotherToken,
}

#[derive(Clone, Copy, Debug)]
struct Case {
    /// The status, and whether single sign-on is enabled; `None` without an account.
    account: Option<(Status, bool)>,
    names: Names,
    credential_is_revoked: bool,
    token: Token,
    browser: BrowserSession,
    /// Whether the network and the browser are those that opened the sessions; otherwise both differ.
    is_here: bool,
    /// Seconds until the token expires.
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
    Token::SignedInAndSessionExpired,
    Token::SignedInAndSessionEnded,
    Token::Denied,
    Token::Revoked,
];
const BROWSERS: [BrowserSession; 3] =
    [BrowserSession::None, BrowserSession::OfThisToken, BrowserSession::OfAnotherToken];
const LIVES: [i8; 4] = [60, 1, 0, -1];

const CASES: usize = ACCOUNTS.len() * NAMES.len() * 2 * TOKENS.len() * BROWSERS.len() * 2 * LIVES.len();

fn every_case() -> impl Iterator<Item = Case> {
    (0..CASES).map(|case| {
        let mut rest = case;
        let mut pick = |count| {
            let picked = rest % count;
            rest /= count;
            picked
        };
        Case {
            account: ACCOUNTS[pick(ACCOUNTS.len())],
            names: NAMES[pick(NAMES.len())],
            credential_is_revoked: pick(2) == 1,
            token: TOKENS[pick(TOKENS.len())],
            browser: BROWSERS[pick(BROWSERS.len())],
            is_here: pick(2) == 0,
            life: LIVES[pick(LIVES.len())],
        }
    })
}

impl Case {
    fn is_expired(self) -> bool {
        self.life <= 0
    }

    fn is_closed(self) -> bool {
        matches!(self.account, Some((Status::Closed, _)))
    }

    fn names_foreign(self) -> bool {
        matches!(self.names, Names::ForeignService | Names::ForeignDomain)
    }

    /// Whether the browser has the live session that this token opened.
    fn is_second_click(self) -> bool {
        self.token == Token::SignedInAndSessionLives && self.browser == BrowserSession::OfThisToken
    }

    /// Whether a used token is used again before it expires, and not by the browser that it signed in.
    fn is_replay(self) -> bool {
        let is_used = !matches!(self.token, Token::Fresh | Token::Revoked);
        let is_barred = self.is_closed() || matches!(self.account, Some((_, false)));
        is_used && !self.is_expired() && (is_barred || !self.is_second_click())
    }

    fn browser_session(self) -> Option<SessionId> {
        match self.browser {
            BrowserSession::None => None,
            BrowserSession::OfThisToken => Some(sid(TOKEN)),
            BrowserSession::OfAnotherToken => Some(sid(OTHER)),
        }
    }

    /// The expected verdict: the first rule that applies.
    fn verdict(self) -> Verdict {
        use Denial::*;
        let rules = [
            (self.is_expired(), Verdict::Denied(TokenExpired)),
            (self.is_closed() && self.browser != BrowserSession::None, Verdict::Denied(ClosedWithSession)),
            (self.is_closed(), Verdict::Denied(Closed)),
            (matches!(self.account, Some((_, false))), Verdict::Denied(SsoDisabled)),
            (self.is_second_click() && self.account.is_none(), Verdict::Denied(UnknownAccount)),
            (self.is_second_click() && self.names_foreign(), Verdict::Denied(NotOwner)),
            (self.is_second_click(), Verdict::RedirectedAgain),
            (self.token == Token::Revoked, Verdict::Denied(TokenRevoked)),
            (self.token != Token::Fresh, Verdict::Denied(TokenUsed)),
            (self.credential_is_revoked, Verdict::Denied(CredentialRevoked)),
            (self.account.is_none(), Verdict::Denied(UnknownAccount)),
            (self.names_foreign(), Verdict::Denied(NotOwner)),
        ];
        rules.into_iter().find(|(applies, _)| *applies).map_or(Verdict::SignedIn, |(_, verdict)| verdict)
    }

    fn decide(self) -> Decision {
        let mut sessions = vec![session(OTHER)];
        match self.token {
            Token::SignedInAndSessionLives => sessions.push(session(TOKEN)),
            Token::SignedInAndSessionExpired => sessions.push(expired(session(TOKEN))),
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
        let expires_at = Timestamp::from_seconds(NOW.seconds().saturating_add_signed(self.life.into()));
        let command = Command::Redeem(Redemption {
            expires_at,
            service_id,
            domain_id,
            browser_session: self.browser_session(),
            ..redemption()
        });
        ask_from(if self.is_here { here() } else { elsewhere() }, facts, command, NOW)
    }
}
