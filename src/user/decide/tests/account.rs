//! Reading and changing the account.

use super::*;
use crate::user::{AccountChange, AccountInput};
use serde_json::json;

fn input(status: Status) -> AccountInput {
    AccountInput { status, sso: Some(true), services: owned_ids([]), domains: owned_ids([]) }
}

fn change(json: serde_json::Value) -> Command {
    Command::PatchAccount { change: serde_json::from_value::<AccountChange>(json).unwrap(), end_sessions: false }
}

fn put(account: AccountInput) -> Command {
    Command::PutAccount { account, end_sessions: false }
}

/// The same, with the end of the sessions.
fn ending_sessions(command: Command) -> Command {
    match command {
        Command::PutAccount { account, .. } => Command::PutAccount { account, end_sessions: true },
        Command::PatchAccount { change, .. } => Command::PatchAccount { change, end_sessions: true },
        other => panic!("{other:?} writes no account"),
    }
}

fn account_event(kind: EventKind, account: &Account) -> Change {
    Change::Record(Event { status: Some(account.status), sso: Some(account.sso), ..event(kind) })
}

/// An account that was made and last changed long ago.
fn old() -> Account {
    let long_ago = Timestamp::from_seconds(1_700_000_000);
    Account { created_at: long_ago, updated_at: long_ago, ..active() }
}

/// The reply to an account that was written in place of one that owned the same services.
fn saved(account: &Account, effect: Effect) -> Reply {
    Reply::Saved(Saved { account: account.clone(), effect, dropped: owned_ids([]) })
}

/// The reply to an account that was written in place of one that owned service 12 too.
fn dropping_12(account: &Account) -> Reply {
    Reply::Saved(Saved { account: account.clone(), effect: Effect::Changed, dropped: owned_ids(["12"]) })
}

fn knows(account: Account) -> Facts {
    Facts { account: Some(account), ..Facts::default() }
}

#[test]
fn put_creates_what_is_missing() {
    let new = Account { services: owned_ids([]), domains: owned_ids([]), ..active() };
    assert_decision(
        ask(Facts::default(), put(input(Status::Active))),
        saved(&new, Effect::Created),
        vec![Change::SaveAccount(new.clone()), account_event(EventKind::AccountCreated, &new)],
    );
}

#[test]
fn put_replaces_all_but_the_date_of_creation() {
    let new = Account {
        status: Status::Inactive,
        services: owned_ids([]),
        domains: owned_ids([]),
        created_at: old().created_at,
        updated_at: NOW,
        ..active()
    };
    assert_decision(
        ask(knows(old()), put(input(Status::Inactive))),
        dropping_12(&new),
        vec![Change::SaveAccount(new.clone()), account_event(EventKind::AccountChanged, &new)],
    );
}

#[test]
fn patch_touches_only_what_it_names() {
    for (json, expected) in [
        (json!({"status": "Inactive"}), Account { status: Status::Inactive, ..old() }),
        (json!({"sso": false}), Account { sso: false, ..old() }),
        (json!({"services": [7, 12]}), Account { services: owned_ids(["7", "12"]), ..old() }),
        (json!({"domains": []}), Account { domains: owned_ids([]), ..old() }),
        (
            json!({"add_services": [7], "remove_domains": [34]}),
            Account { services: owned_ids(["7", "12"]), domains: owned_ids([]), ..old() },
        ),
    ] {
        let expected = Account { updated_at: NOW, ..expected };
        assert_decision(
            ask(knows(old()), change(json)),
            saved(&expected, Effect::Changed),
            vec![Change::SaveAccount(expected.clone()), account_event(EventKind::AccountChanged, &expected)],
        );
    }
}

#[test]
fn what_is_so_already_is_not_written() {
    let same =
        AccountInput { status: old().status, sso: Some(old().sso), services: old().services, domains: old().domains };
    for command in [
        put(same),
        change(json!({})),
        change(json!({"status": "Active", "sso": true})),
        change(json!({"services": [12], "domains": ["34"]})),
        change(json!({"services": [12, "12"], "add_domains": [34], "remove_services": [13]})),
    ] {
        assert_decision(
            ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, command),
            saved(&old(), Effect::Unchanged),
            vec![],
        );
    }
}

#[test]
fn the_services_that_are_dropped_are_reported() {
    let ids = |ids: &[&str]| -> BTreeSet<OwnedId> { ids.iter().filter_map(|id| owned(id)).collect() };
    for (before, json, effect, dropped) in [
        (vec!["1", "2", "3"], json!({"services": [2]}), Effect::Changed, vec!["1", "3"]),
        (vec!["1"], json!({"services": [1, 2]}), Effect::Changed, vec![]),
        (vec!["1", "2"], json!({"services": [2, 1]}), Effect::Unchanged, vec![]),
        (vec!["1", "2"], json!({"services": []}), Effect::Changed, vec!["1", "2"]),
        (vec![], json!({"services": [1]}), Effect::Changed, vec![]),
        (vec!["1", "2"], json!({"remove_services": [2, 3], "add_services": [4]}), Effect::Changed, vec!["2"]),
        (vec!["1"], json!({"add_services": [2]}), Effect::Changed, vec![]),
        (vec!["1"], json!({"remove_services": [1], "add_services": [1]}), Effect::Unchanged, vec![]),
    ] {
        let facts = knows(Account { services: ids(&before), ..old() });
        match ask(facts, change(json.clone())).reply {
            Reply::Saved(saved) => {
                assert_eq!((saved.effect, saved.dropped), (effect, ids(&dropped)), "{before:?} {json}")
            }
            reply => panic!("{reply:?}"),
        }
    }
}

#[test]
fn an_account_owns_no_more_than_fits_into_a_row() {
    let ids = |range: std::ops::Range<usize>| range.filter_map(|n| owned(&n.to_string())).collect::<BTreeSet<_>>();
    let full = Account { services: ids(0..OWNED_MAX - 1), domains: owned_ids(["x"]), ..old() };
    for (json, is_full) in [
        (json!({"add_services": [1, "x"]}), true),
        (json!({"add_domains": ["y"]}), true),
        (json!({"add_domains": ["x"], "add_services": [0]}), false),
        (json!({"add_domains": ["y"], "remove_services": [0]}), false),
        (json!({"status": "Closed"}), false),
    ] {
        let decision = ask(knows(full.clone()), change(json.clone()));
        assert_eq!(decision == Decision::only(Reply::Full), is_full, "{json}");
    }
}

#[test]
fn closing_an_account_ends_its_sessions_in_the_same_turn() {
    let closed = Account { status: Status::Closed, updated_at: NOW, ..old() };
    assert_decision(
        ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"status": "Closed"}))),
        saved(&closed, Effect::Changed),
        vec![
            Change::SaveAccount(closed.clone()),
            Change::DeleteSessions,
            account_event(EventKind::AccountChanged, &closed),
        ],
    );
    let put = ask(Facts::default(), put(input(Status::Closed)));
    assert!(put.changes.contains(&Change::DeleteSessions));
}

#[test]
fn an_account_closed_again_has_no_sessions_and_writes_nothing_without_them() {
    let closed = Account { status: Status::Closed, ..old() };
    let again = Account { updated_at: NOW, ..closed.clone() };
    assert_decision(
        ask(Facts { sessions: vec![session(OTHER)], ..knows(closed.clone()) }, change(json!({"status": "Closed"}))),
        saved(&again, Effect::Changed),
        vec![
            Change::SaveAccount(again.clone()),
            Change::DeleteSessions,
            account_event(EventKind::AccountChanged, &again),
        ],
    );
    for sessions in [vec![], vec![dead(session(OTHER))]] {
        assert_decision(
            ask(Facts { sessions, ..knows(closed.clone()) }, change(json!({"status": "Closed"}))),
            saved(&closed, Effect::Unchanged),
            vec![],
        );
    }
}

#[test]
fn switching_single_sign_on_off_leaves_sessions_alone() {
    let decision = ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"sso": false})));
    assert!(!decision.changes.contains(&Change::DeleteSessions));
}

#[test]
fn sessions_end_with_any_change_that_asks_for_it() {
    let ended = || vec![Change::DeleteSessions, Change::Record(ended_event(SessionEnd::Administrator))];
    let off = Account { sso: false, updated_at: NOW, ..old() };
    let facts = || Facts { sessions: vec![session(OTHER)], ..knows(old()) };
    let same =
        AccountInput { status: old().status, sso: Some(old().sso), services: old().services, domains: old().domains };
    let without_sso = AccountInput { sso: Some(false), ..same.clone() };
    for command in [change(json!({"sso": false})), put(without_sso)] {
        let written = vec![Change::SaveAccount(off.clone()), account_event(EventKind::AccountChanged, &off)];
        assert_decision(
            ask(facts(), ending_sessions(command)),
            saved(&off, Effect::Changed),
            [written, ended()].concat(),
        );
    }
    for command in [change(json!({})), put(same)] {
        let command = ending_sessions(command);
        assert_decision(ask(facts(), command.clone()), saved(&old(), Effect::Unchanged), ended());
        for sessions in [vec![], vec![dead(session(OTHER))]] {
            let nobody = Facts { sessions, ..knows(old()) };
            assert_decision(ask(nobody, command.clone()), saved(&old(), Effect::Unchanged), vec![]);
        }
    }
    let closing = ask(facts(), ending_sessions(change(json!({"status": "Closed"}))));
    assert_eq!(closing, ask(facts(), change(json!({"status": "Closed"}))), "closing ends them anyway");
}

#[test]
fn deleting_an_account_ends_its_sessions() {
    assert_decision(
        ask(knows(old()), Command::DeleteAccount { erase: false }),
        Reply::Deleted(Deleted { services: old().services, credentials: vec![] }),
        vec![Change::DeleteAccount, Change::DeleteSessions, Change::Record(event(EventKind::AccountDeleted))],
    );
}

fn set(client_id: &str, state: CredentialState) -> BoundCredential {
    BoundCredential { client_id: ClientId::parse(client_id).unwrap(), state }
}

#[test]
fn deleting_an_account_revokes_the_sets_bound_to_it() {
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
    let mut changes = vec![Change::DeleteAccount, Change::DeleteSessions];
    changes.extend(revoked("one").into_iter().chain(revoked("two")));
    changes.push(Change::Record(event(EventKind::AccountDeleted)));
    let deleted =
        Deleted { services: old().services, credentials: ["one", "two"].map(|id| ClientId::parse(id).unwrap()).into() };
    assert_decision(
        ask(Facts { credentials: credentials.clone(), ..knows(old()) }, Command::DeleteAccount { erase: false }),
        Reply::Deleted(deleted),
        changes,
    );
    let without_account = Facts { credentials, has_traces: true, ..Facts::default() };
    assert_decision(ask(without_account, Command::DeleteAccount { erase: false }), Reply::Missing, vec![]);
}

#[test]
fn erasing_leaves_nothing_personal_and_names_nobody() {
    let nameless = |kind| Change::Record(Event { address: None, user_agent: None, ..event(kind) });
    let all_gone = [Change::DeleteAccount, Change::DeleteSessions, Change::EraseTraces];
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
        erase(Facts { has_traces: true, ..knows(old()) }),
        deleted(old().services, vec![]),
        [all_gone.as_slice(), &end].concat(),
    );
    let traces_only = Facts { has_traces: true, ..Facts::default() };
    assert_decision(erase(traces_only), deleted(BTreeSet::new(), vec![]), [all_gone.as_slice(), &end].concat());
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
fn an_export_holds_all_that_was_loaded_and_live_sessions_alone() {
    let (tokens, sets) = (vec![(jti(TOKEN), fate(Fate::SignedIn))], vec![set("portal", CredentialState::Revoked)]);
    let facts = Facts {
        account: Some(old()),
        sessions: vec![dead(session(3)), session(OTHER)],
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
    let only_dead = Facts { sessions: vec![dead(session(3))], ..Facts::default() };
    assert_decision(ask(only_dead, Command::Export), Reply::Missing, vec![]);
}

#[test]
fn an_account_is_read_as_it_is() {
    assert_decision(ask(knows(old()), Command::GetAccount), Reply::Account(old()), vec![]);
}

#[test]
fn a_missing_account_is_missing() {
    for command in [Command::GetAccount, change(json!({"sso": true})), Command::DeleteAccount { erase: false }] {
        assert_decision(ask(Facts::default(), command), Reply::Missing, vec![]);
    }
}

#[test]
fn events_are_listed_as_they_were_loaded() {
    let events = vec![(2, event(EventKind::SignedIn)), (1, event(EventKind::AccountCreated))];
    let facts = Facts { events: events.clone(), ..Facts::default() };
    assert_decision(ask(facts, Command::ListEvents { before: None, limit: 2 }), Reply::Events(events), vec![]);
}
