//! SQL text and its bound values, put together piece by piece. Placeholders are decided here alone.

use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use sqlx::{AssertSqlSafe, query};

/// A value that is bound, never written into the text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number or a time in microseconds.
    Int(i64),
    /// A text.
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

/// A statement in the making. Pieces of text are fixed; whatever comes from outside is bound.
#[derive(Clone, Debug, Default)]
pub(super) struct Sql {
    text: String,
    values: Vec<Value>,
}

impl Sql {
    /// Starts with `text`.
    pub(super) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), values: Vec::new() }
    }

    /// Adds fixed text.
    pub(super) fn push(&mut self, text: &'static str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a placeholder for `value`.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        // Numbered: both SQLite (`?1`) and PostgreSQL (`$1`) know it, and this is the only line that differs.
        self.text.push('?');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds `(?, ?, …)`; `(NULL)` for an empty list, in which nothing is.
    pub(super) fn bind_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        self.push("(");
        let mut first = true;
        for value in values {
            if !first {
                self.push(", ");
            }
            first = false;
            self.bind(value);
        }
        if first {
            self.push("NULL");
        }
        self.push(")")
    }

    /// How many values it binds.
    pub(super) fn values(&self) -> usize {
        self.values.len()
    }

    /// The statement, ready to be run.
    pub(super) fn query(self) -> Query<'static, Sqlite, SqliteArguments> {
        let mut statement = query(AssertSqlSafe(self.text));
        for value in self.values {
            statement = match value {
                Value::Int(value) => statement.bind(value),
                Value::Text(value) => statement.bind(value),
            };
        }
        statement
    }

    #[cfg(test)]
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}
