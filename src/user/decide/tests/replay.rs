//! Replays of used tokens.

use super::*;

#[test]
fn every_replay_is_recorded() {
    let settled = |state| Facts { token: Some(fate(state)), ..user_with([]) };
    let with_expired_session = Facts { sessions: vec![expired(session(TOKEN))], ..settled(Fate::SignedIn) };
    let disabled = Facts { account: Some(account(Status::Active, false)), ..settled(Fate::SignedIn) };
    let closed = Facts { account: Some(account(Status::Closed, true)), ..settled(Fate::Denied(Denial::Closed)) };
    for (facts, redemption, denial) in [
        (settled(Fate::SignedIn), redemption(), Denial::TokenUsed),
        (settled(Fate::Denied(Denial::NotOwner)), redemption(), Denial::TokenUsed),
        (Facts { account: None, ..settled(Fate::SignedIn) }, redemption(), Denial::TokenUsed),
        (with_expired_session, from_browser_with(TOKEN), Denial::TokenUsed),
        (disabled, redemption(), Denial::SsoDisabled),
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
fn a_replay_of_an_expired_token_is_recorded() {
    let settled = |state| Facts { token: Some(fate(state)), ..user_with([session(TOKEN)]) };
    let token = |browser_session| {
        Command::NoteReplay(Replay { jti: jti(TOKEN), client_id: redemption().client_id, browser_session })
    };
    for (facts, browser_session, is_replay) in [
        (settled(Fate::SignedIn), None, true),
        (settled(Fate::SignedIn), Some(sid(OTHER)), true),
        (settled(Fate::SignedIn), Some(sid(TOKEN)), false),
        (settled(Fate::Denied(Denial::NotOwner)), None, true),
        (settled(Fate::Revoked), None, false),
        (user_with([]), None, false),
    ] {
        let decision = ask(facts.clone(), token(browser_session.clone()));
        let (reply, changes) = match is_replay {
            true => (Reply::Done, vec![Change::Record(replayed_event(&here(), Some(sid(TOKEN))))]),
            false => (Reply::Unchanged, vec![]),
        };
        assert_eq!((decision.reply, decision.changes), (reply, changes), "{facts:?} {browser_session:?}");
    }
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
        let facts = Facts { token: redeemed(), ..user_with([session(OTHER), opened]) };
        let replayed = replayed_event(&caller, Some(sid(TOKEN)));
        let mut changes = vec![Change::Record(replayed.clone())];
        if ends {
            let reason = Some(EventReason::SessionEnd(SessionEnd::TokenReplayed));
            changes.push(Change::EndSession(jti(TOKEN)));
            changes.push(Change::Record(Event { event: EventKind::SessionEnded, reason, ..replayed }));
        }
        let decision = ask_from(caller, facts, Command::Redeem(redemption()), NOW);
        assert_decision(decision, Reply::Denied(Denial::TokenUsed), changes);
    }
}
