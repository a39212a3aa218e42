//! Reading and changing the account.

use super::*;
use crate::user::{AccountChange, AccountInput};
use serde_json::json;

fn input(status: Status) -> AccountInput {
    AccountInput { status, sso: true, services: vec![], domains: vec![] }
}

fn change(json: serde_json::Value) -> Command {
    Command::PatchAccount(serde_json::from_value::<AccountChange>(json).unwrap())
}

fn account_event(kind: EventKind, account: &Account) -> Change {
    Change::Record(Event { status: Some(account.status), sso: Some(account.sso), ..event(kind) })
}

/// An account that was made and last changed long ago.
fn old() -> Account {
    let long_ago = Timestamp::from_seconds(1_700_000_000);
    Account { created_at: long_ago, updated_at: long_ago, ..active() }
}

fn knows(account: Account) -> Facts {
    Facts { account: Some(account), ..Facts::default() }
}

#[test]
fn put_creates_what_is_missing() {
    let new = Account { services: vec![], domains: vec![], ..active() };
    assert_decision(
        ask(Facts::default(), Command::PutAccount(input(Status::Active))),
        Reply::Created(new.clone()),
        vec![Change::SaveAccount(new.clone()), account_event(EventKind::AccountCreated, &new)],
    );
}

#[test]
fn put_replaces_all_but_the_date_of_creation() {
    let new = Account {
        status: Status::Inactive,
        services: vec![],
        domains: vec![],
        created_at: old().created_at,
        updated_at: NOW,
        ..active()
    };
    assert_decision(
        ask(knows(old()), Command::PutAccount(input(Status::Inactive))),
        Reply::Account(new.clone()),
        vec![Change::SaveAccount(new.clone()), account_event(EventKind::AccountChanged, &new)],
    );
}

#[test]
fn patch_touches_only_what_it_names() {
    for (json, expected) in [
        (json!({}), old()),
        (json!({"status": "Inactive"}), Account { status: Status::Inactive, ..old() }),
        (json!({"sso": false}), Account { sso: false, ..old() }),
        (json!({"services": [7]}), Account { services: vec![owned("7").unwrap()], ..old() }),
        (json!({"domains": []}), Account { domains: vec![], ..old() }),
    ] {
        let expected = Account { updated_at: NOW, ..expected };
        assert_decision(
            ask(knows(old()), change(json)),
            Reply::Account(expected.clone()),
            vec![Change::SaveAccount(expected.clone()), account_event(EventKind::AccountChanged, &expected)],
        );
    }
}

#[test]
fn closing_an_account_ends_its_sessions_in_the_same_turn() {
    let closed = Account { status: Status::Closed, updated_at: NOW, ..old() };
    assert_decision(
        ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"status": "Closed"}))),
        Reply::Account(closed.clone()),
        vec![
            Change::SaveAccount(closed.clone()),
            Change::DeleteSessions,
            account_event(EventKind::AccountChanged, &closed),
        ],
    );
    let put = ask(Facts::default(), Command::PutAccount(input(Status::Closed)));
    assert!(put.changes.contains(&Change::DeleteSessions));
}

#[test]
fn switching_single_sign_on_off_leaves_sessions_alone() {
    let decision = ask(Facts { sessions: vec![session(OTHER)], ..knows(old()) }, change(json!({"sso": false})));
    assert!(!decision.changes.contains(&Change::DeleteSessions));
}

#[test]
fn deleting_an_account_ends_its_sessions() {
    assert_decision(
        ask(knows(old()), Command::DeleteAccount),
        Reply::Done,
        vec![Change::DeleteAccount, Change::DeleteSessions, Change::Record(event(EventKind::AccountDeleted))],
    );
}

#[test]
fn an_account_is_read_as_it_is() {
    assert_decision(ask(knows(old()), Command::GetAccount), Reply::Account(old()), vec![]);
}

#[test]
fn a_missing_account_is_missing() {
    for command in [Command::GetAccount, change(json!({"sso": true})), Command::DeleteAccount] {
        assert_decision(ask(Facts::default(), command), Reply::Missing, vec![]);
    }
}

#[test]
fn events_are_listed_as_they_were_loaded() {
    let events = vec![(2, event(EventKind::SignedIn)), (1, event(EventKind::AccountCreated))];
    let facts = Facts { events: events.clone(), ..Facts::default() };
    assert_decision(ask(facts, Command::ListEvents { before: None, limit: 2 }), Reply::Events(events), vec![]);
}
