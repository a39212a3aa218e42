//! Revoking tokens and credential sets, before and after a redemption.

use super::*;

#[test]
fn revoking_a_fresh_token_settles_it() {
    let event = Event { jti: Some(jti(TOKEN)), ..event(EventKind::TokenRevoked) };
    assert_decision(
        ask(user_with([]), Command::RevokeToken(jti(TOKEN))),
        Reply::Done,
        vec![Change::SettleToken(jti(TOKEN), fate(Fate::Revoked)), Change::Record(event)],
    );
}

#[test]
fn a_settled_token_keeps_its_fate() {
    for settled in [Fate::SignedIn, Fate::Denied(Denial::NotOwner), Fate::Revoked] {
        let facts = Facts { token: Some(fate(settled)), ..user_with([session(TOKEN)]) };
        assert_decision(ask(facts, Command::RevokeToken(jti(TOKEN))), Reply::Done, vec![]);
    }
}

/// The fate that `decision` settles.
fn settled(decision: &Decision) -> Option<TokenFate> {
    decision.changes.iter().find_map(|c| if let Change::SettleToken(_, fate) = c { Some(fate.clone()) } else { None })
}

#[test]
fn of_revoking_and_redeeming_the_first_wins() {
    let revoked = ask(user_with([]), Command::RevokeToken(jti(TOKEN)));
    let facts = Facts { token: settled(&revoked), ..user_with([]) };
    assert_decision(redeem_here(facts, redemption()), Reply::Denied(Denial::TokenRevoked), vec![]);

    let redeemed = redeem_here(user_with([]), redemption());
    let facts = Facts { token: settled(&redeemed), ..user_with([opened()]) };
    assert_decision(ask(facts, Command::RevokeToken(jti(TOKEN))), Reply::Done, vec![]);
}

#[test]
fn a_token_is_looked_up() {
    for token in [None, Some(fate(Fate::SignedIn)), Some(fate(Fate::Revoked))] {
        let facts = Facts { token: token.clone(), ..Facts::default() };
        assert_decision(ask(facts, Command::GetToken(jti(TOKEN))), Reply::Fate(token), vec![]);
    }
}

/// A token for service 12, as it was signed.
fn introspection() -> Introspection {
    Introspection { jti: jti(TOKEN), client_id: portal(), service_id: owned("12"), domain_id: None }
}

#[test]
fn a_token_is_active_exactly_while_redeeming_it_would_sign_in() {
    let every_account =
        [Status::Active, Status::Inactive, Status::Closed].map(|s| [true, false].map(|sso| account(s, sso)));
    let accounts = every_account.into_iter().flatten().map(Some).chain([None]);
    let fates = [None, Some(Fate::SignedIn), Some(Fate::Denied(Denial::NotOwner)), Some(Fate::Revoked)];
    let mut active = 0;
    for account in accounts {
        for token in fates {
            for credential_is_revoked in [false, true] {
                for service in ["12", "13"] {
                    let token = token.map(fate);
                    let facts = Facts { account: account.clone(), token, credential_is_revoked, ..Facts::default() };
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
    assert_eq!(active, 2, "Active and Inactive, with everything else right");
}

#[test]
fn revoking_a_credential_set_is_remembered_until_it_is_restored() {
    let of_portal = |kind| Event { client_id: Some(portal()), ..event(kind) };
    assert_decision(
        ask(user_with([]), Command::RevokeCredential(portal())),
        Reply::Done,
        vec![Change::RevokeCredential(portal()), Change::Record(of_portal(EventKind::CredentialRevoked))],
    );
    assert_decision(
        ask(Facts { credential_is_revoked: true, ..user_with([]) }, Command::RestoreCredential(portal())),
        Reply::Done,
        vec![Change::RestoreCredential(portal()), Change::Record(of_portal(EventKind::CredentialRestored))],
    );
}

#[test]
fn a_credential_set_that_is_revoked_or_restored_already_writes_nothing() {
    for (credential_is_revoked, command) in
        [(true, Command::RevokeCredential(portal())), (false, Command::RestoreCredential(portal()))]
    {
        let facts = Facts { credential_is_revoked, ..user_with([session(OTHER)]) };
        assert_decision(ask(facts, command), Reply::Unchanged, vec![]);
    }
}

#[test]
fn a_user_without_an_account_can_be_told_of_revocations() {
    for command in [Command::RevokeToken(jti(TOKEN)), Command::RevokeCredential(portal())] {
        let decision = ask(Facts::default(), command);
        assert_eq!((decision.reply, decision.changes.len()), (Reply::Done, 2));
    }
}
