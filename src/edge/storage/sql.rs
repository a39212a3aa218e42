//! SQL in the storage of a Durable Object. All queries are synchronous.

use crate::json::error_place;
use crate::store::{Migrations, migrate};
use crate::time::Timestamp;
use serde::de::DeserializeOwned;
use std::cell::Cell;
use worker::js_sys::{Function, Reflect};
use worker::wasm_bindgen::{JsCast as _, JsValue, closure::ScopedClosure};
use worker::{Result, SqlStorage, SqlStorageValue, State, Storage};

pub(super) struct Sql {
    storage: Storage,
    sql: SqlStorage,
    migrations: &'static Migrations,
    /// Whether the tables exist; `None` before the first call of [`Self::open_tables`].
    has_tables: Cell<Option<bool>>,
}

impl Sql {
    /// Opens the storage without creating tables.
    pub(super) fn new(state: &State, migrations: &'static Migrations) -> Self {
        let storage = state.storage();
        Self { sql: storage.sql(), storage, migrations, has_tables: Cell::new(None) }
    }

    /// Migrates tables of an earlier version at the first call. Returns whether the tables exist.
    pub(super) fn open_tables(&self) -> Result<bool> {
        if let Some(has_tables) = self.has_tables.get() {
            return Ok(has_tables);
        }
        let version = self.version()?;
        if version > 0 && version != self.migrations.len() {
            self.transaction(&|| self.migrate(version))?;
        }
        self.has_tables.set(Some(version > 0));
        Ok(version > 0)
    }

    /// The version of the tables; 0 without tables.
    fn version(&self) -> Result<usize> {
        // Version 1 has no table `schema_version`, but both objects have a table `session` in it.
        let query = "SELECT json_quote(name) FROM sqlite_master WHERE name IN ('session', 'schema_version')";
        let names: Vec<String> = self.select(query, Vec::new())?;
        if names.iter().any(|name| name == "schema_version") {
            return self.value("SELECT version FROM schema_version");
        }
        Ok(usize::from(names.iter().any(|name| name == "session")))
    }

    fn migrate(&self, version: usize) -> Result<()> {
        let sql = migrate(self.migrations, version).ok_or("the tables are of a later version")?;
        self.exec(&sql, Vec::new())
    }

    /// Creates the tables if they do not exist.
    pub(super) fn create_tables(&self) -> Result<()> {
        if self.open_tables()? { Ok(()) } else { self.write(|| Ok(())) }
    }

    /// Runs `write` in a transaction. Creates the tables if they do not exist.
    pub(super) fn write(&self, write: impl Fn() -> Result<()>) -> Result<()> {
        let has_tables = self.open_tables()?;
        self.transaction(&|| {
            if !has_tables {
                self.migrate(0)?;
            }
            write()
        })?;
        self.has_tables.set(Some(true));
        Ok(())
    }

    fn transaction(&self, write: &dyn Fn() -> Result<()>) -> Result<()> {
        let storage = self.storage.as_raw();
        // The crate `worker` does not bind this method. An error of the closure rolls back the transaction and is
        // thrown again.
        let transaction = Reflect::get(storage, &"transactionSync".into())?.dyn_into::<Function>()?;
        let write = || write().map_err(JsValue::from);
        let write: ScopedClosure<'_, dyn Fn() -> std::result::Result<(), JsValue>> = ScopedClosure::borrow(&write);
        transaction.call1(storage, write.as_ref())?;
        Ok(())
    }

    /// Deletes all rows and tables.
    pub(super) async fn delete_all(&self) -> Result<()> {
        self.has_tables.set(None);
        self.storage.delete_all().await
    }

    pub(super) fn exec(&self, query: &str, bindings: Vec<SqlStorageValue>) -> Result<()> {
        self.sql.exec(query, bindings).map(drop)
    }

    /// The rows of a query with one column of JSON or a number.
    ///
    /// # Errors
    /// If a row is invalid. The platform returns the error to the caller of the object, so the error contains nothing
    /// of the row.
    pub(super) fn select<T: DeserializeOwned>(&self, query: &str, bindings: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        let parse = |row: Result<Vec<SqlStorageValue>>| {
            let json = match row?.pop() {
                Some(SqlStorageValue::String(json)) => json,
                Some(SqlStorageValue::Integer(number)) => number.to_string(),
                Some(SqlStorageValue::Null) => "null".to_owned(),
                _ => return Err("row: a column of another type".into()),
            };
            serde_json::from_str(&json).map_err(|error| format!("row: {}", error_place(&error)).into())
        };
        self.sql.exec(query, bindings)?.raw().map(parse).collect()
    }

    /// The only row of a query with one column.
    pub(super) fn value<T: DeserializeOwned>(&self, query: &str) -> Result<T> {
        self.select(query, Vec::new())?.pop().ok_or_else(|| "there is no row".into())
    }
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<SqlStorageValue> {
    Ok(serde_json::to_string(value)?.into())
}

pub(super) fn seconds(time: Timestamp) -> SqlStorageValue {
    number(time.seconds())
}

pub(super) fn number(number: u64) -> SqlStorageValue {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}
