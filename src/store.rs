//! Keys and lifetimes of what is stored, and the schemas of the objects of users and of the console.

use crate::id::{ClientId, OwnedId, TokenId, UserId};
use serde::{Deserialize, Serialize};

/// The prefix of every credential set in KV.
pub const CREDENTIAL_PREFIX: &str = "credential:";
/// The prefix of every API credential in KV.
pub const API_CREDENTIAL_PREFIX: &str = "api-credential:";
/// How long a token's record and its fate are kept, in seconds: a day, for support.
pub const TOKEN_RECORD_TTL: u64 = 86_400;
/// How long after a write the object is swept at the latest, in seconds: a day.
pub const SWEEP_DELAY: u64 = 86_400;
/// How long the end of an application's sessions is remembered, in seconds: 31 days, a day more than the longest session.
pub const NOT_BEFORE_TTL: u64 = 2_678_400;
/// How long a location may still read an old value from KV, in seconds: twice the minute that KV's cache lasts.
pub const KV_STALE_MAX: u64 = 120;
/// How long the revocation of a credential set or an API credential is remembered, in seconds: an hour, far longer than a change
/// lasts that read it before, or read it from a stale KV.
pub const REVOCATION_TTL: u64 = 3_600;

/// An object's migrations in order. Each is the statements that make the tables of the next version; the first makes those of
/// version 1.
pub type Migrations = [&'static [&'static str]];

/// The migrations of the user's object. Tables without rowid write one row per row, not two.
pub const USER_MIGRATIONS: [&[&str]; 2] = [
    &[
        "CREATE TABLE IF NOT EXISTS account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS token (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS event (class TEXT NOT NULL, number INTEGER NOT NULL, expires_at INTEGER NOT NULL, \
         data TEXT NOT NULL, PRIMARY KEY (class, number)) WITHOUT ROWID",
    ],
    &[VERSION_TABLE],
];

/// The migrations of the console's object.
pub const CONSOLE_MIGRATIONS: [&[&str]; 2] = [
    &[
        "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS tally (day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, \
         count INTEGER NOT NULL, PRIMARY KEY (day, outcome, reason)) WITHOUT ROWID",
    ],
    &[VERSION_TABLE],
];

/// Since version 2, a row says which version the tables are.
const VERSION_TABLE: &str =
    "CREATE TABLE schema_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)";

/// The SQL that migrates tables of `version` to the latest version; version 0 is no tables. `None` if they are of a later version
/// than this build knows.
pub fn migrate(migrations: &Migrations, version: usize) -> Option<String> {
    let mut statements = migrations.get(version..)?.concat();
    let latest = format!("INSERT OR REPLACE INTO schema_version (only, version) VALUES (1, {})", migrations.len());
    statements.push(&latest);
    Some(statements.join(";\n"))
}

/// A page of records in KV, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The records.
    pub records: Vec<T>,
    /// Where the next page begins; none after the last.
    pub cursor: Option<String>,
}

/// The KV key of a credential set.
pub fn credential_key(client_id: &ClientId) -> String {
    format!("{CREDENTIAL_PREFIX}{client_id}")
}

/// The KV key of an API credential.
pub fn api_credential_key(identifier: &ClientId) -> String {
    format!("{API_CREDENTIAL_PREFIX}{identifier}")
}

/// The KV key of a credential set's `client_id`, found by its number.
pub fn credential_number_key(number: u32) -> String {
    format!("credential-id:{number}")
}

/// How many users a [`ServiceClaims`] names at most.
const CLAIMS_MAX: usize = 8;

/// The users whose accounts list a service, under `service:{id}`: who listed it last comes first. It is a hint, for KV is
/// stale at times and a claim may fail half-way: the service belongs to the first of them whose account does list it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceClaims(pub Vec<UserId>);

impl ServiceClaims {
    /// These and the claim of `user`; none if it is among them. The oldest beyond eight are forgotten.
    pub fn with(&self, user: &UserId) -> Option<Self> {
        let claims = || [user].into_iter().chain(&self.0).take(CLAIMS_MAX).cloned().collect();
        (!self.0.contains(user)).then(|| Self(claims()))
    }

    /// These except the claim of `user`; none if it is not among them.
    pub fn without(&self, user: &UserId) -> Option<Self> {
        let claims = || self.0.iter().filter(|claim| *claim != user).cloned().collect();
        self.0.contains(user).then(|| Self(claims()))
    }
}

/// The KV key of the [`ServiceClaims`] on a service.
pub fn service_key(service: &OwnedId) -> String {
    format!("service:{service}")
}

/// The KV key of the moment up to which the sessions that a delegated set or an API credential opened are ended.
pub fn not_before_key(client_id: &ClientId) -> String {
    format!("not-before:{client_id}")
}

/// The KV key of the moment when a credential set or an API credential was revoked.
pub fn revocation_key(id: &ClientId) -> String {
    format!("revoked:{id}")
}

/// The KV key of a token's record.
pub fn token_key(jti: &TokenId) -> String {
    format!("token:{jti}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_unchanged() {
        assert_eq!(credential_key(&ClientId::parse("a+/=").unwrap()), "credential:a+/=");
        assert_eq!(api_credential_key(&ClientId::parse("a").unwrap()), "api-credential:a");
        assert_eq!(credential_number_key(7), "credential-id:7");
        assert_eq!(not_before_key(&ClientId::parse("a").unwrap()), "not-before:a");
        assert_eq!(revocation_key(&ClientId::parse("a").unwrap()), "revoked:a");
        assert_eq!(service_key(&OwnedId::parse("12").unwrap()), "service:12");
        let jti = TokenId::parse("AAAAAAAAAAAAAAAAAAAAAA").unwrap();
        assert_eq!(token_key(&jti), "token:AAAAAAAAAAAAAAAAAAAAAA");
    }

    #[test]
    fn claims_on_a_service_are_added_in_front_and_taken_back() {
        let user = |n: usize| UserId::parse(&n.to_string()).unwrap();
        let none = ServiceClaims::default();
        let one = none.with(&user(1)).unwrap();
        let two = one.with(&user(2)).unwrap();
        assert_eq!(serde_json::to_string(&two).unwrap(), r#"["2","1"]"#);
        assert_eq!((two.with(&user(1)), two.without(&user(3))), (None, None));
        assert_eq!((two.without(&user(2)), one.without(&user(1))), (Some(one), Some(none.clone())));
        let many = (1..=9).fold(none, |claims, n| claims.with(&user(n)).unwrap());
        assert_eq!(many.0, [9, 8, 7, 6, 5, 4, 3, 2].map(user));
    }

    const VERSION_TABLE: &str =
        "CREATE TABLE schema_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)";

    #[test]
    fn the_schema_is_unchanged() {
        let row = "TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID";
        assert_eq!(
            USER_MIGRATIONS.map(<[_]>::to_vec),
            [
                vec![
                    "CREATE TABLE IF NOT EXISTS account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL)",
                    &format!("CREATE TABLE IF NOT EXISTS token (jti {row}"),
                    &format!("CREATE TABLE IF NOT EXISTS session (id {row}"),
                    "CREATE TABLE IF NOT EXISTS credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
                    "CREATE TABLE IF NOT EXISTS event (class TEXT NOT NULL, number INTEGER NOT NULL, expires_at INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (class, number)) WITHOUT ROWID",
                ],
                vec![VERSION_TABLE],
            ]
        );
    }

    #[test]
    fn the_consoles_schema_is_unchanged() {
        assert_eq!(
            CONSOLE_MIGRATIONS.map(<[_]>::to_vec),
            [
                vec![
                    "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
                    "CREATE TABLE IF NOT EXISTS tally (day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, outcome, reason)) WITHOUT ROWID",
                ],
                vec![VERSION_TABLE],
            ]
        );
    }

    #[test]
    fn tables_of_every_earlier_version_are_migrated() {
        let migrations: [&[&str]; 3] = [&["a", "b"], &["c"], &["d", "e"]];
        let latest = "INSERT OR REPLACE INTO schema_version (only, version) VALUES (1, 3)";
        for (version, sql) in [(0, "a;\nb;\nc;\nd;\ne;\n"), (1, "c;\nd;\ne;\n"), (2, "d;\ne;\n"), (3, "")] {
            assert_eq!(migrate(&migrations, version).unwrap(), format!("{sql}{latest}"), "from version {version}");
        }
        assert_eq!(migrate(&migrations, 4), None);
    }

    #[test]
    fn lifetimes_are_unchanged() {
        assert_eq!((TOKEN_RECORD_TTL, SWEEP_DELAY), (86_400, 86_400));
        assert_eq!((NOT_BEFORE_TTL, KV_STALE_MAX, REVOCATION_TTL), (2_678_400, 120, 3_600));
        const { assert!(NOT_BEFORE_TTL > crate::settings::SESSION_LIMIT_MAX + KV_STALE_MAX, "no session outlives it") };
    }
}
