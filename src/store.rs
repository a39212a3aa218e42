//! The keys and lifetimes of KV records, and the SQL schemas of the objects of users and of the console.

use crate::id::{ClientId, OwnedId, TokenId, UserId};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

pub const CREDENTIAL_PREFIX: &str = "credential:";
pub const API_CREDENTIAL_PREFIX: &str = "api-credential:";
/// How long the record and the final state of a token are kept, in seconds: one day, for support requests.
pub const TOKEN_RECORD_TTL: u64 = 86_400;
/// The maximum time between a write to a user's object and its next sweep, in seconds: one day.
pub const SWEEP_DELAY: u64 = 86_400;
/// How long KV stores that the sessions of an application were ended, in seconds: 31 days, one day more than the
/// longest session.
pub const NOT_BEFORE_TTL: u64 = 2_678_400;
/// How long a location can read an old value from KV, in seconds: twice the cache time of KV, which is one minute.
pub const KV_STALE_MAX: u64 = 120;
/// How long KV stores that a credential set or an API credential was revoked, in seconds: one hour, far longer than a
/// concurrent change or a stale read of KV takes.
pub const REVOCATION_TTL: u64 = 3_600;

/// The migrations of an object, in order. The statements at index `n` migrate the tables from version `n` to version `n
/// + 1`. Version 0 has no tables.
pub type Migrations = [&'static [&'static str]];

/// The migrations of the user's object. A table with a text key and a rowid would write two rows for each insert, so
/// these tables have no rowid. They have no index either: each entry of an index is another row written.
pub const USER_MIGRATIONS: [&[&str]; 3] = [
    &[
        "CREATE TABLE IF NOT EXISTS account (only INTEGER PRIMARY KEY CHECK (only = 1), data TEXT NOT NULL)",
        "CREATE TABLE IF NOT EXISTS token (jti TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS credential (client_id TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS event (class TEXT NOT NULL, number INTEGER NOT NULL, expires_at INTEGER NOT NULL, \
         data TEXT NOT NULL, PRIMARY KEY (class, number)) WITHOUT ROWID",
    ],
    &[VERSION_TABLE],
    // Version 3 stores a sign-in in one row: the token, its session and its event.
    &[
        "ALTER TABLE token ADD COLUMN number INTEGER",
        "ALTER TABLE token ADD COLUMN session_expires_at INTEGER",
        "INSERT OR REPLACE INTO token (jti, number, expires_at, data) SELECT data ->> '$.jti', number, expires_at, \
         json_set(json_remove(data, '$.event', '$.jti'), '$.fate', 'signed_in', '$.last_seen_at', data -> '$.at', \
         '$.idle_seconds', 0, '$.max_expires_at', data -> '$.at') \
         FROM event WHERE class = 'sign_in' AND data ->> '$.jti' IS NOT NULL",
        "DELETE FROM event WHERE class = 'sign_in' AND data ->> '$.jti' IS NOT NULL",
        "INSERT INTO token (jti, expires_at, session_expires_at, data) SELECT data ->> '$.token', 0, expires_at, \
         json_set(json_remove(data, '$.id', '$.token', '$.created_at', '$.ordinal'), '$.fate', 'signed_in', \
         '$.session_id', id, '$.at', data -> '$.created_at') FROM session WHERE true \
         ON CONFLICT DO UPDATE SET session_expires_at = excluded.session_expires_at, \
         data = json_patch(data, excluded.data)",
        "DROP TABLE session",
    ],
];

pub const CONSOLE_MIGRATIONS: [&[&str]; 2] = [
    &[
        "CREATE TABLE IF NOT EXISTS session (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE IF NOT EXISTS tally (day INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL, \
         count INTEGER NOT NULL, PRIMARY KEY (day, outcome, reason)) WITHOUT ROWID",
    ],
    &[VERSION_TABLE],
];

/// Version 2 adds a table that stores the version.
const VERSION_TABLE: &str =
    "CREATE TABLE schema_version (only INTEGER PRIMARY KEY CHECK (only = 1), version INTEGER NOT NULL)";

/// The statements that migrate tables of `version` to the latest version. `None` if `version` is later than the latest
/// version of this build.
pub fn migrate(migrations: &Migrations, version: usize) -> Option<Vec<Cow<'static, str>>> {
    let statements = migrations.get(version..)?.concat();
    let latest = format!("INSERT OR REPLACE INTO schema_version (only, version) VALUES (1, {})", migrations.len());
    Some(statements.into_iter().map(Cow::Borrowed).chain([latest.into()]).collect())
}

/// A page of records in KV, in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub records: Vec<T>,
    /// The position of the next page; `None` on the last page.
    pub cursor: Option<String>,
}

pub fn credential_key(client_id: &ClientId) -> String {
    format!("{CREDENTIAL_PREFIX}{client_id}")
}

pub fn api_credential_key(identifier: &ClientId) -> String {
    format!("{API_CREDENTIAL_PREFIX}{identifier}")
}

/// The key of the `client_id` of the credential set with this number.
pub fn credential_number_key(number: u32) -> String {
    format!("credential-id:{number}")
}

/// The maximum number of users in [`ServiceClaims`].
const CLAIMS_MAX: usize = 8;

/// The users whose accounts list a service, the latest first. KV can be stale and a write can fail, so this is only a
/// list of candidates: the service belongs to the first user whose account lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceClaims(pub Vec<UserId>);

impl ServiceClaims {
    /// The claims with `user` added, up to eight users; `None` if `user` already has a claim.
    pub fn with(&self, user: &UserId) -> Option<Self> {
        let claims = || [user].into_iter().chain(&self.0).take(CLAIMS_MAX).cloned().collect();
        (!self.0.contains(user)).then(|| Self(claims()))
    }

    /// The claims with `user` removed; `None` if `user` has no claim.
    pub fn without(&self, user: &UserId) -> Option<Self> {
        let claims = || self.0.iter().filter(|claim| *claim != user).cloned().collect();
        self.0.contains(user).then(|| Self(claims()))
    }
}

/// The key of the [`ServiceClaims`] on a service.
pub fn service_key(service: &OwnedId) -> String {
    format!("service:{service}")
}

/// The key of a time: the sessions that a delegated set or an API credential opened at or before this time are ended.
pub fn not_before_key(client_id: &ClientId) -> String {
    format!("not-before:{client_id}")
}

/// The key of the time at which a credential set or an API credential was revoked.
pub fn revocation_key(id: &ClientId) -> String {
    format!("revoked:{id}")
}

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
    fn claims_on_a_service_are_added_in_front_and_removed() {
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
                vec![
                    "ALTER TABLE token ADD COLUMN number INTEGER",
                    "ALTER TABLE token ADD COLUMN session_expires_at INTEGER",
                    "INSERT OR REPLACE INTO token (jti, number, expires_at, data) SELECT data ->> '$.jti', number, expires_at, \
                     json_set(json_remove(data, '$.event', '$.jti'), '$.fate', 'signed_in', '$.last_seen_at', data -> '$.at', \
                     '$.idle_seconds', 0, '$.max_expires_at', data -> '$.at') \
                     FROM event WHERE class = 'sign_in' AND data ->> '$.jti' IS NOT NULL",
                    "DELETE FROM event WHERE class = 'sign_in' AND data ->> '$.jti' IS NOT NULL",
                    "INSERT INTO token (jti, expires_at, session_expires_at, data) SELECT data ->> '$.token', 0, expires_at, \
                     json_set(json_remove(data, '$.id', '$.token', '$.created_at', '$.ordinal'), '$.fate', 'signed_in', \
                     '$.session_id', id, '$.at', data -> '$.created_at') FROM session WHERE true \
                     ON CONFLICT DO UPDATE SET session_expires_at = excluded.session_expires_at, \
                     data = json_patch(data, excluded.data)",
                    "DROP TABLE session",
                ],
            ]
        );
    }

    #[test]
    fn the_schema_of_the_console_is_unchanged() {
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
        for (version, sql) in [(0, "abcde"), (1, "cde"), (2, "de"), (3, "")] {
            let statements = migrate(&migrations, version).unwrap();
            assert_eq!(statements.concat(), format!("{sql}{latest}"), "from version {version}");
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
