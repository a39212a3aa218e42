//! SQL over an object's storage. Every call is synchronous.

use crate::json::error_place;
use crate::time::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use worker::{Result, SqlStorage, SqlStorageValue, State};

/// The storage of one object.
pub(super) struct Sql(SqlStorage);

#[derive(Deserialize)]
struct DataRow {
    data: String,
}

#[derive(Deserialize)]
struct CountRow {
    count: f64,
}

impl Sql {
    /// The storage as it is. Reading makes no tables.
    pub(super) fn open(state: &State) -> Self {
        Self(state.storage().sql())
    }

    /// Whether it has tables.
    pub(super) fn has_tables(&self) -> Result<bool> {
        // Both objects have a table of this name.
        self.count("SELECT count(*) AS count FROM sqlite_master WHERE name = 'session'").map(|count| count > 0.0)
    }

    /// Makes the tables of `schema` that are missing.
    pub(super) fn make_tables(&self, schema: &[&str]) -> Result<()> {
        schema.iter().try_for_each(|statement| self.exec(statement, Vec::new()))
    }

    /// The sum of the column `count`.
    pub(super) fn count(&self, query: &str) -> Result<f64> {
        let rows: Vec<CountRow> = self.select(query, Vec::new())?;
        Ok(rows.iter().map(|row| row.count).sum())
    }

    pub(super) fn exec(&self, query: &str, bindings: Vec<SqlStorageValue>) -> Result<()> {
        self.0.exec(query, bindings).map(drop)
    }

    pub(super) fn select<T: DeserializeOwned>(&self, query: &str, bindings: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        self.0.exec(query, bindings)?.to_array().map_err(|_| "a row has a column of another type".into())
    }

    /// The values in the column `data`, parsed.
    pub(super) fn data<T: DeserializeOwned>(&self, query: &str, bindings: Vec<SqlStorageValue>) -> Result<Vec<T>> {
        let rows: Vec<DataRow> = self.select(query, bindings)?;
        rows.iter().map(|row| parse(&row.data)).collect()
    }
}

/// The value in a column `data`.
///
/// # Errors
/// When it does not parse. The platform passes the error on to whoever called the object, so it quotes nothing of the value.
pub(super) fn parse<T: DeserializeOwned>(data: &str) -> Result<T> {
    serde_json::from_str(data).map_err(|error| format!("row: {}", error_place(&error)).into())
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
