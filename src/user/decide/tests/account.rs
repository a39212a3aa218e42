//! Reading and writing the account.

use super::*;
use crate::user::{AccountChange, AccountInput};
use serde_json::json;

fn input(status: Status) -> AccountInput {
    AccountInput { status, sso: Some(true), services: owned_ids([]), domains: owned_ids([]) }
}

/// The account [`old`] as an administrator writes it.
fn same() -> AccountInput {
    AccountInput { status: old().status, sso: Some(old().sso), services: old().services, domains: old().domains }
}

fn change(json: serde_json::Value) -> Command {
    Command::PatchAccount { change: serde_json::from_value::<AccountChange>(json).unwrap(), end_sessions: false }
}

fn put(account: AccountInput) -> Command {
    Command::PutAccount { account, end_sessions: false }
}

/// The same command with `end_sessions`.
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

/// The reply if the account owned no other services before.
fn saved(account: &Account, effect: Effect) -> Reply {
    Reply::Saved(Saved { account: account.clone(), effect, dropped: owned_ids([]) })
}

/// The reply if the account also owned service 12 before.
fn dropping_12(account: &Account) -> Reply {
    Reply::Saved(Saved { account: account.clone(), effect: Effect::Changed, dropped: owned_ids(["12"]) })
}

#[test]
fn put_creates_a_missing_account() {
    let new = Account { services: owned_ids([]), domains: owned_ids([]), ..active() };
    assert_decision(
        ask(Facts::default(), put(input(Status::Active))),
        saved(&new, Effect::Created),
        vec![Change::SaveAccount(new.clone()), account_event(EventKind::AccountCreated, &new)],
    );
}

#[test]
fn put_replaces_everything_except_the_creation_time() {
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
fn patch_keeps_missing_fields() {
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
fn an_equal_account_is_not_written() {
    for command in [
        put(same()),
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
fn dropped_services_are_reported() {
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
fn an_account_owns_at_most_owned_max() {
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
fn closing_an_account_ends_its_sessions() {
    let closed = Account { status: Status::Closed, updated_at: NOW, ..old() };
    assert_decision(
        ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"status": "Closed"}))),
        saved(&closed, Effect::Changed),
        vec![
            Change::SaveAccount(closed.clone()),
            Change::EndSession(jti(OTHER)),
            account_event(EventKind::AccountChanged, &closed),
        ],
    );
    let put = ask(Facts { sessions: vec![session(OTHER)], ..Facts::default() }, put(input(Status::Closed)));
    assert!(put.changes.contains(&Change::EndSession(jti(OTHER))));
}

#[test]
fn closing_a_closed_account_ends_sessions_and_otherwise_writes_nothing() {
    let closed = Account { status: Status::Closed, ..old() };
    let again = Account { updated_at: NOW, ..closed.clone() };
    assert_decision(
        ask(Facts { sessions: vec![session(OTHER)], ..knows(closed.clone()) }, change(json!({"status": "Closed"}))),
        saved(&again, Effect::Changed),
        vec![
            Change::SaveAccount(again.clone()),
            Change::EndSession(jti(OTHER)),
            account_event(EventKind::AccountChanged, &again),
        ],
    );
    for sessions in [vec![], vec![expired(session(OTHER))]] {
        assert_decision(
            ask(Facts { sessions, ..knows(closed.clone()) }, change(json!({"status": "Closed"}))),
            saved(&closed, Effect::Unchanged),
            vec![],
        );
    }
}

#[test]
fn disabling_single_sign_on_keeps_sessions() {
    let decision = ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"sso": false})));
    assert!(!decision.changes.contains(&Change::EndSession(jti(OTHER))));
}

#[test]
fn sessions_end_with_a_change_that_requests_it() {
    let ended = || vec![Change::EndSession(jti(OTHER)), Change::Record(ended_event(SessionEnd::Administrator))];
    let off = Account { sso: false, updated_at: NOW, ..old() };
    let facts = || Facts { sessions: vec![session(OTHER)], ..knows(old()) };
    let with_sso_off = AccountInput { sso: Some(false), ..same() };
    for command in [change(json!({"sso": false})), put(with_sso_off)] {
        let written = vec![Change::SaveAccount(off.clone()), account_event(EventKind::AccountChanged, &off)];
        assert_decision(
            ask(facts(), ending_sessions(command)),
            saved(&off, Effect::Changed),
            [written, ended()].concat(),
        );
    }
    for command in [change(json!({})), put(same())] {
        let command = ending_sessions(command);
        assert_decision(ask(facts(), command.clone()), saved(&old(), Effect::Unchanged), ended());
        for sessions in [vec![], vec![expired(session(OTHER))]] {
            let without = Facts { sessions, ..knows(old()) };
            assert_decision(ask(without, command.clone()), saved(&old(), Effect::Unchanged), vec![]);
        }
    }
    let closing = ask(facts(), ending_sessions(change(json!({"status": "Closed"}))));
    assert_eq!(closing, ask(facts(), change(json!({"status": "Closed"}))), "closing always ends sessions");
}

#[test]
fn the_stored_account_is_returned() {
    assert_decision(ask(knows(old()), Command::GetAccount), Reply::Account(old()), vec![]);
}

#[test]
fn commands_on_a_missing_account_reply_missing() {
    for command in [Command::GetAccount, change(json!({"sso": true})), Command::DeleteAccount { erase: false }] {
        assert_decision(ask(Facts::default(), command), Reply::Missing, vec![]);
    }
}

#[test]
fn loaded_events_are_returned() {
    let events = vec![(2, event(EventKind::SignedIn)), (1, event(EventKind::AccountCreated))];
    let facts = Facts { events: events.clone(), ..Facts::default() };
    assert_decision(ask(facts, Command::ListEvents { before: None, limit: 2 }), Reply::Events(events), vec![]);
}
