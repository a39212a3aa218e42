//! Deleting, erasing and exporting the account.

use super::*;

fn set(client_id: &str, state: CredentialState) -> BoundCredential {
    BoundCredential { client_id: ClientId::parse(client_id).unwrap(), state }
}

#[test]
fn deleting_an_account_ends_its_sessions() {
    assert_decision(
        ask(
            Facts { sessions: vec![session(OTHER), expired(session(3))], ..knows(old()) },
            Command::DeleteAccount { erase: false },
        ),
        Reply::Deleted(Deleted { services: old().services, credentials: vec![] }),
        vec![Change::DeleteAccount, Change::EndSession(jti(OTHER)), Change::Record(event(EventKind::AccountDeleted))],
    );
}

#[test]
fn deleting_an_account_revokes_its_bound_sets() {
    let credentials = vec![
        set("one", CredentialState::Enabled),
        set("two", CredentialState::Disabled),
        set("old", CredentialState::Revoked),
    ];
    let revoked = |id: &str| {
        let client_id = ClientId::parse(id);
        [
            Change::SaveCredential(set(id, CredentialState::Revoked)),
            Change::Record(Event { client_id, ..event(EventKind::CredentialRevoked) }),
        ]
    };
    let mut changes = vec![Change::DeleteAccount];
    changes.extend(revoked("one").into_iter().chain(revoked("two")));
    changes.push(Change::Record(event(EventKind::AccountDeleted)));
    let deleted =
        Deleted { services: old().services, credentials: ["one", "two"].map(|id| ClientId::parse(id).unwrap()).into() };
    assert_decision(
        ask(Facts { credentials: credentials.clone(), ..knows(old()) }, Command::DeleteAccount { erase: false }),
        Reply::Deleted(deleted),
        changes,
    );
    let without_account = Facts { credentials, has_callers: true, ..Facts::default() };
    assert_decision(ask(without_account, Command::DeleteAccount { erase: false }), Reply::Missing, vec![]);
}

#[test]
fn erasing_removes_all_personal_data() {
    let nameless = |kind| Change::Record(Event { address: None, user_agent: None, ..event(kind) });
    let all_gone = [Change::DeleteAccount, Change::EraseCallers];
    let bound = vec![set("portal", CredentialState::Enabled)];
    let revoked = [
        Change::SaveCredential(set("portal", CredentialState::Revoked)),
        Change::Record(Event {
            client_id: Some(portal()),
            address: None,
            user_agent: None,
            ..event(EventKind::CredentialRevoked)
        }),
    ];
    let end = [nameless(EventKind::AccountErased)];
    let erase = |facts| ask(facts, Command::DeleteAccount { erase: true });
    let deleted = |services, credentials| Reply::Deleted(Deleted { services, credentials });
    assert_decision(
        erase(Facts { has_callers: true, ..knows(old()) }),
        deleted(old().services, vec![]),
        [all_gone.as_slice(), &end].concat(),
    );
    let callers_only = Facts { has_callers: true, ..Facts::default() };
    assert_decision(erase(callers_only), deleted(BTreeSet::new(), vec![]), [all_gone.as_slice(), &end].concat());
    let set_only = Facts { credentials: bound, ..Facts::default() };
    assert_decision(
        erase(set_only),
        deleted(BTreeSet::new(), vec![portal()]),
        [all_gone.as_slice(), &revoked, &end].concat(),
    );
    let erased = Facts { credentials: vec![set("portal", CredentialState::Revoked)], ..Facts::default() };
    assert_decision(erase(erased), Reply::Missing, vec![]);
}

#[test]
fn an_export_holds_all_loaded_rows_except_expired_sessions() {
    let (tokens, sets) = (vec![(jti(TOKEN), fate(Fate::SignedIn))], vec![set("portal", CredentialState::Revoked)]);
    let facts = Facts {
        account: Some(old()),
        sessions: vec![expired(session(3)), session(OTHER)],
        events: vec![(2, event(EventKind::SignedIn)), (1, event(EventKind::AccountCreated))],
        tokens: tokens.clone(),
        credentials: sets.clone(),
        ..Facts::default()
    };
    let export = Export {
        account: Some(old()),
        sessions: vec![session(OTHER)],
        events: vec![event(EventKind::SignedIn), event(EventKind::AccountCreated)],
        tokens,
        credentials: sets,
    };
    assert_decision(ask(facts, Command::Export), Reply::Export(export), vec![]);
    let only_expired = Facts { sessions: vec![expired(session(3))], ..Facts::default() };
    assert_decision(ask(only_expired, Command::Export), Reply::Missing, vec![]);
}
