//! Revocation and introspection of tokens, and the states of credential sets.

use super::*;
use crate::user::EventClass;

fn revocation() -> TokenRevocation {
    TokenRevocation { jti: jti(TOKEN), client_id: portal(), expires_at: NOW.plus(60), by: None }
}

fn revoke_token() -> Command {
    Command::RevokeToken(revocation())
}

#[test]
fn revoking_an_unused_token_settles_it_and_records_the_actor() {
    for (by, reason) in [(None, None), (Some(Actor::Application), Some(EventReason::Actor(Actor::Application)))] {
        let event =
            Event { reason, client_id: Some(portal()), jti: Some(jti(TOKEN)), ..event(EventKind::TokenRevoked) };
        assert_decision(
            ask(user_with([]), Command::RevokeToken(TokenRevocation { by, ..revocation() })),
            Reply::Done,
            vec![Change::SettleToken(jti(TOKEN), fate(Fate::Revoked)), Change::Record(event)],
        );
    }
}

#[test]
fn revoking_without_an_account_causes_no_event_and_an_expired_token_no_change() {
    assert_decision(
        ask(Facts::default(), revoke_token()),
        Reply::Done,
        vec![Change::SettleToken(jti(TOKEN), fate(Fate::Revoked))],
    );
    for after in [60, 61] {
        let decision = ask_from(here(), user_with([]), revoke_token(), NOW.plus(after));
        assert_decision(decision, Reply::Done, vec![]);
    }
}

#[test]
fn a_final_state_is_kept() {
    for settled in [Fate::SignedIn, Fate::Denied(Denial::NotOwner), Fate::Revoked] {
        let facts = Facts { token: Some(fate(settled)), ..user_with([session(TOKEN)]) };
        assert_decision(ask(facts, revoke_token()), Reply::Done, vec![]);
    }
}

/// The final state that `decision` stores.
fn settled(decision: &Decision) -> Option<TokenFate> {
    decision.changes.iter().find_map(|change| match change {
        Change::SettleToken(_, fate) => Some(fate.clone()),
        Change::SignIn(_, SignIn { fate, at, client_id, .. }) => {
            Some(TokenFate { fate: *fate, at: *at, client_id: Some(client_id.clone()) })
        }
        _ => None,
    })
}

#[test]
fn the_first_of_revocation_and_redemption_wins() {
    let revoked = ask(user_with([]), revoke_token());
    let facts = Facts { token: settled(&revoked), ..user_with([]) };
    assert_decision(redeem_here(facts, redemption()), Reply::Denied(Denial::TokenRevoked), vec![]);

    let redeemed = redeem_here(user_with([]), redemption());
    let facts = Facts { token: settled(&redeemed), ..user_with([opened()]) };
    assert_decision(ask(facts, revoke_token()), Reply::Done, vec![]);
}

#[test]
fn the_final_state_of_a_token_is_returned() {
    for token in [None, Some(fate(Fate::SignedIn)), Some(fate(Fate::Revoked))] {
        let facts = Facts { token: token.clone(), ..Facts::default() };
        assert_decision(ask(facts, Command::GetToken(jti(TOKEN))), Reply::Fate(token), vec![]);
    }
}

/// A token for service 12, as it was signed.
fn introspection() -> Introspection {
    Introspection { jti: jti(TOKEN), client_id: portal(), delegated: false, service_id: owned("12"), domain_id: None }
}

#[test]
fn a_token_is_active_exactly_if_redeeming_it_would_sign_in() {
    let every_account =
        [Status::Active, Status::Inactive, Status::Closed].map(|s| [true, false].map(|sso| account(s, sso)));
    let accounts = every_account.into_iter().flatten().map(Some).chain([None]);
    let fates = [None, Some(Fate::SignedIn), Some(Fate::Denied(Denial::NotOwner)), Some(Fate::Revoked)];
    let mut active = 0;
    for account in accounts {
        for token in fates {
            for credentials in [vec![set(CredentialState::Enabled)], vec![]] {
                for service in ["12", "13"] {
                    let token = token.map(fate);
                    let credentials = credentials.clone();
                    let facts = Facts { account: account.clone(), token, credentials, ..Facts::default() };
                    let service_id = owned(service);
                    let asked = Introspection { service_id: service_id.clone(), ..introspection() };
                    let introspected = ask(facts.clone(), Command::IntrospectToken(asked));
                    let redeemed = redeem_here(facts, Redemption { service_id, ..redemption() }).reply;
                    let signs_in = matches!(redeemed, Reply::SignedIn(_));
                    assert_decision(introspected, Reply::Active(signs_in), vec![]);
                    active += usize::from(signs_in);
                }
            }
        }
    }
    assert_eq!(active, 2, "Active and Inactive accounts, with all other conditions met");
}

/// Changes the state of the set from `before` to `after`.
fn change_state(before: Option<CredentialState>, after: CredentialState) -> Decision {
    let facts = Facts { credentials: before.map(set).into_iter().collect(), ..user_with([session(OTHER)]) };
    ask(facts, Command::SetCredential { set: set(after), end_sessions: false, by: None })
}

#[test]
fn the_state_of_a_bound_set_is_stored_and_its_changes_are_events() {
    use CredentialState::{Disabled, Enabled, Revoked};
    use EventKind::{CredentialRestored, CredentialRevoked};
    for (before, after, kind) in [
        (None, Enabled, None),
        (None, Disabled, None),
        (Some(Enabled), Disabled, Some(CredentialRevoked)),
        (Some(Enabled), Revoked, Some(CredentialRevoked)),
        (Some(Disabled), Revoked, Some(CredentialRevoked)),
        (Some(Disabled), Enabled, Some(CredentialRestored)),
        (Some(Revoked), Enabled, Some(CredentialRestored)),
        (Some(Revoked), Disabled, None),
    ] {
        let recorded = kind.map(|kind| Change::Record(Event { client_id: Some(portal()), ..event(kind) }));
        let changes = [Change::SaveCredential(set(after))].into_iter().chain(recorded).collect();
        assert_decision(change_state(before, after), Reply::Done, changes);
    }
}

/// An application can create and delete any number of sets through WHMCS's API.
#[test]
fn events_of_an_application_displace_no_events_of_administrators() {
    let facts = Facts { credentials: vec![set(CredentialState::Enabled)], ..user_with([session(OTHER)]) };
    let by = Some(Actor::Application);
    let command = Command::SetCredential { set: set(CredentialState::Revoked), end_sessions: false, by };
    let Change::Record(event) = ask(facts, command).changes.pop().unwrap() else { panic!() };
    assert_eq!((event.reason, event.class()), (Some(EventReason::Actor(Actor::Application)), EventClass::Application));
}

#[test]
fn an_unchanged_state_writes_nothing() {
    use CredentialState::{Disabled, Enabled, Revoked};
    for (before, after) in
        [(Some(Enabled), Enabled), (Some(Disabled), Disabled), (Some(Revoked), Revoked), (None, Revoked)]
    {
        assert_decision(change_state(before, after), Reply::Unchanged, vec![]);
    }
}

#[test]
fn revoking_a_set_can_end_exactly_the_sessions_that_it_opened() {
    let other = Session { client_id: ClientId::parse("panel").unwrap(), ..session(3) };
    let revoke = || Command::SetCredential { set: set(CredentialState::Revoked), end_sessions: true, by: None };
    let ended = vec![
        Change::EndSession(jti(OTHER)),
        Change::Record(Event { client_id: Some(portal()), ..ended_event(SessionEnd::Application) }),
    ];
    let facts = |before| Facts { credentials: vec![set(before)], ..user_with([session(OTHER), other.clone()]) };
    let event = Event { client_id: Some(portal()), ..event(EventKind::CredentialRevoked) };
    let revoked = vec![Change::SaveCredential(set(CredentialState::Revoked)), Change::Record(event)];
    assert_decision(ask(facts(CredentialState::Enabled), revoke()), Reply::Done, [revoked, ended.clone()].concat());
    assert_decision(ask(facts(CredentialState::Revoked), revoke()), Reply::Done, ended);
    let without = Facts { credentials: vec![set(CredentialState::Revoked)], ..user_with([other.clone()]) };
    assert_decision(ask(without, revoke()), Reply::Unchanged, vec![]);
}
