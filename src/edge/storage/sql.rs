//! SQL in the storage of a Durable Object. All queries are synchronous.

use crate::edge::runtime::platform;
use crate::json::{error_place, parse};
use crate::store::{Migrations, migrate};
use crate::time::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::borrow::Cow;
use std::cell::Cell;
use worker::{Error, Result, State, Storage};

pub(super) struct Sql {
    storage: Storage,
    migrations: &'static Migrations,
    /// Whether the tables exist; `None` before the first call of [`Self::open_tables`].
    has_tables: Cell<Option<bool>>,
}

impl Sql {
    /// Opens the storage without creating tables.
    pub(super) fn new(state: &State, migrations: &'static Migrations) -> Self {
        Self { storage: state.storage(), migrations, has_tables: Cell::new(None) }
    }

    /// Migrates tables of an earlier version at the first call. Returns whether the tables exist.
    pub(super) fn open_tables(&self) -> Result<bool> {
        if let Some(has_tables) = self.has_tables.get() {
            return Ok(has_tables);
        }
        let version = self.version()?;
        if version > 0 && version != self.migrations.len() {
            self.execute(self.migration(version)?)?;
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

    fn migration(&self, version: usize) -> Result<Vec<Statement>> {
        let statements = migrate(self.migrations, version).ok_or("the tables are of a later version")?;
        Ok(statements.into_iter().map(|query| (query, Vec::new())).collect())
    }

    /// Creates the tables if they do not exist.
    pub(super) fn create_tables(&self) -> Result<()> {
        if self.open_tables()? { Ok(()) } else { self.write(Vec::new()) }
    }

    /// Runs all statements or, if one fails, none. Creates the tables if they do not exist.
    pub(super) fn write(&self, mut statements: Vec<Statement>) -> Result<()> {
        if self.open_tables()? {
            return self.execute(statements);
        }
        let mut all = self.migration(0)?;
        all.append(&mut statements);
        self.execute(all)?;
        self.has_tables.set(Some(true));
        Ok(())
    }

    fn execute(&self, statements: Vec<Statement>) -> Result<()> {
        let mut lines = String::new();
        for (query, bindings) in statements {
            push_statement(&mut lines, &query, bindings)?;
        }
        Ok(platform::execute(self.storage.as_raw(), &lines)?)
    }

    /// Deletes all rows and tables.
    pub(super) async fn delete_all(&self) -> Result<()> {
        self.has_tables.set(None);
        self.storage.delete_all().await
    }

    pub(super) fn exec(&self, query: &str, bindings: Vec<Value>) -> Result<()> {
        self.query(query, bindings).map(drop)
    }

    /// The rows of a query with one column of JSON or a number.
    ///
    /// # Errors
    /// If a row is invalid. The platform returns the error to the caller of the object, so the error contains nothing
    /// of the row.
    pub(super) fn select<T: DeserializeOwned>(&self, query: &str, bindings: Vec<Value>) -> Result<Vec<T>> {
        let rows = self.query(query, bindings)?;
        parse(&rows).map_err(|error| invalid_row(&error))
    }

    fn query(&self, query: &str, bindings: Vec<Value>) -> Result<String> {
        let mut lines = String::new();
        push_statement(&mut lines, query, bindings)?;
        Ok(platform::query(self.storage.as_raw(), &lines)?)
    }

    /// The only row of a query with one column.
    pub(super) fn value<T: DeserializeOwned>(&self, query: &str) -> Result<T> {
        self.select(query, Vec::new())?.pop().ok_or_else(|| "there is no row".into())
    }
}

/// Whether a statement failed because a row with its primary key exists.
pub(super) fn is_refused_by_key(error: &Error) -> bool {
    error.to_string().contains("UNIQUE constraint failed")
}

fn invalid_row(error: &serde_json::Error) -> worker::Error {
    format!("row: {}", error_place(error)).into()
}

/// A statement and its bindings.
pub(super) type Statement = (Cow<'static, str>, Vec<Value>);

/// Adds a statement and its bindings to the lines that `platform.js` runs: one line each, after a letter for its kind. JSON
/// would escape bindings that are JSON themselves.
///
/// # Errors
/// If a binding is not a text, a number or null, or if a line break would end its line.
fn push_statement(lines: &mut String, query: &str, bindings: Vec<Value>) -> Result<()> {
    push_line(lines, 's', query)?;
    bindings.into_iter().try_for_each(|binding| match binding {
        Value::String(text) => push_line(lines, 't', &text),
        Value::Number(number) => push_line(lines, 'n', &number.to_string()),
        Value::Null => push_line(lines, '-', ""),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err("a binding has no type of SQLite".into()),
    })
}

fn push_line(lines: &mut String, kind: char, text: &str) -> Result<()> {
    if text.contains('\n') {
        return Err("a binding has a line break".into());
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    lines.push(kind);
    lines.push_str(text);
    Ok(())
}

pub(super) fn json(value: &impl serde::Serialize) -> Result<Value> {
    Ok(serde_json::to_string(value)?.into())
}

pub(super) fn seconds(time: Timestamp) -> Value {
    time.seconds().into()
}
