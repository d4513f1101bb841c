//! Row changes that wait for their batch. On a server each statement is a round trip, so all changes are parts of one
//! statement, whatever their kinds and their number.

use crate::store::sql::combined_writes::CombinedWrites;
use crate::store::sql::statement::{IntoValue as _, Statement};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// A kind of row change, with the statement that writes a batch of it.
///
/// The statement has two parameters: `?1` is a JSON array with an object per row, whose key `id` identifies the row, and
/// `?2` is the transaction's time. On SQLite kinds are written in the order of their `position`. On PostgreSQL all kinds
/// are parts of one statement, so none may change a row that another one changes; kinds with the same position and table
/// are for different rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct RowChange {
    pub(in crate::store) position: u8,
    /// The table that the statement changes.
    pub(in crate::store) table: &'static str,
    pub(in crate::store) statement: &'static str,
}

/// The row changes of a transaction that are not written yet.
#[derive(Debug, Default)]
pub(in crate::store) struct Batches(BTreeMap<RowChange, Batch>);

#[derive(Debug, Default)]
struct Batch {
    ids: HashSet<i64>,
    rows: Vec<Value>,
}

impl Batches {
    /// Returns true if a change of this kind, or of one with the same position and table, waits for the row `id`. One
    /// statement must not change a row twice.
    pub(in crate::store) fn contains(&self, change: RowChange, id: i64) -> bool {
        let is_alike = |other: &RowChange| (other.position, other.table) == (change.position, change.table);
        self.0.iter().any(|(other, batch)| is_alike(other) && batch.ids.contains(&id))
    }

    /// Adds a change of the row `id`.
    pub(in crate::store) fn push(&mut self, change: RowChange, id: i64, row: Value) {
        let batch = self.0.entry(change).or_default();
        batch.ids.insert(id);
        batch.rows.push(row);
    }

    /// Removes all changes, and returns the statements that write them on SQLite at the time `now`, in their order. Each
    /// row has a statement of its own: there are no round trips, and bound values cost less than JSON.
    pub(in crate::store) fn take_by_row(&mut self, now: i64) -> Vec<Statement> {
        let statements = |(change, batch): (RowChange, Batch)| {
            let form = RowForm::of(change.statement);
            batch.rows.into_iter().map(move |row| form.statement(&row, now)).collect::<Vec<_>>()
        };
        std::mem::take(&mut self.0).into_iter().flat_map(statements).collect()
    }

    /// Removes all changes, and adds them to the one statement `writes` of PostgreSQL.
    pub(in crate::store) fn take_into(&mut self, writes: &mut CombinedWrites) {
        for (change, batch) in std::mem::take(&mut self.0) {
            writes.add_changes(change.statement, Value::Array(batch.rows).to_string());
        }
    }

    /// Returns true if no change waits.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the tables that the changes concern.
    pub(in crate::store) fn tables(&self) -> impl Iterator<Item = &'static str> {
        self.0.keys().map(|change| change.table)
    }

    /// Forgets all changes.
    pub(in crate::store) fn clear(&mut self) {
        self.0.clear();
    }
}

/// The form of a statement for one row, whose values are bound one by one.
#[derive(Debug, PartialEq, Eq)]
struct RowForm {
    /// Kept for ever, as there are as many as kinds of changes.
    text: &'static str,
    /// The keys of the values in the order of their placeholders. The time comes last.
    keys: Vec<String>,
}

/// The text before and after the key of a value in the statement of a batch.
const VALUE: (&str, char) = ("k.value ->> '", '\'');

impl RowForm {
    /// Returns the form for the statement of a batch. Each is made once.
    fn of(statement: &'static str) -> Arc<Self> {
        static FORMS: LazyLock<Mutex<HashMap<&'static str, Arc<RowForm>>>> = LazyLock::new(Mutex::default);
        // A panic elsewhere leaves the table whole: each insertion is one call.
        let mut forms = FORMS.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(forms.entry(statement).or_insert_with(|| Arc::new(Self::new(statement))))
    }

    fn new(statement: &str) -> Self {
        let (mut text, mut keys) = (String::new(), Vec::<String>::new());
        let mut rest = statement;
        while let Some((before, after)) = rest.split_once(VALUE.0) {
            let (key, after) = after.split_once(VALUE.1).unwrap_or((after, ""));
            let index = keys.iter().position(|known| known == key).unwrap_or_else(|| {
                keys.push(key.to_owned());
                keys.len() - 1
            });
            text.push_str(before);
            // A mark until the number of values is known: the statement has placeholders of its own.
            text.push_str(&format!("?#{}", index + 1));
            rest = after;
        }
        text.push_str(rest);
        // An update needs no other table; elsewhere a table with one row takes the list's place.
        let text = text.replace(" FROM elements(?1) k WHERE ", " WHERE ").replace("elements(?1) k", "(SELECT 1) k");
        let text = text.replace("?2", &format!("?#{}", keys.len() + 1)).replace("?#", "?");
        Self { text: text.leak(), keys }
    }

    /// Returns the statement that writes `row` at the time `now`.
    fn statement(&self, row: &Value, now: i64) -> Statement {
        let value = |key: &String| match row.get(key) {
            Some(Value::Number(number)) => number.as_i64().into_value(),
            Some(Value::String(text)) => text.into_value(),
            Some(Value::Bool(flag)) => flag.into_value(),
            _ => None::<String>.into_value(),
        };
        let values = self.keys.iter().map(value).chain([now.into_value()]).collect();
        Statement { text: self.text.into(), values }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EARLY: RowChange = RowChange {
        position: 1,
        table: "a",
        statement: "UPDATE a SET x = k.value ->> 'x', y = k.value ->> 'id', at = ?2 FROM elements(?1) k \
             WHERE id = k.value ->> 'id'",
    };
    const LATE: RowChange = RowChange {
        position: 2,
        table: "b",
        statement: "INSERT INTO b SELECT d.id, ?2 FROM elements(?1) k JOIN d ON d.id = k.value ->> 'id'",
    };
    const LAST: RowChange = RowChange { position: 3, table: "a", statement: "C ?1 ?2" };

    fn waiting() -> Batches {
        let mut batches = Batches::default();
        batches.push(LATE, 1, json!({ "id": 1 }));
        batches.push(LAST, 2, json!({ "id": 2 }));
        batches.push(EARLY, 2, json!({ "id": 2, "x": "text" }));
        batches.push(LATE, 3, json!({ "id": 3 }));
        assert!(batches.contains(LATE, 3) && !batches.contains(EARLY, 3));
        batches
    }

    #[test]
    fn sqlite_gets_a_statement_for_each_row_in_the_order_of_the_kinds() {
        let mut batches = waiting();
        let written = batches.take_by_row(7);
        assert!(batches.is_empty());
        let texts: Vec<_> = written.iter().map(|statement| &*statement.text).collect();
        let late = "INSERT INTO b SELECT d.id, ?2 FROM (SELECT 1) k JOIN d ON d.id = ?1";
        assert_eq!(texts, ["UPDATE a SET x = ?1, y = ?2, at = ?3 WHERE id = ?2", late, late, "C ?1 ?1"]);
        let values = format!("{:?}", written[0].values);
        assert_eq!(values, r#"[Text(Some("text")), Int(Some(2)), Int(Some(7))]"#);
    }

    #[test]
    fn a_server_gets_all_changes_in_one_statement() {
        let mut writes = CombinedWrites::new(7, None);
        let mut batches = waiting();
        batches.take_into(&mut writes);
        assert!(batches.is_empty());
        let statement = writes.statement();
        let text = &statement.text;
        assert!(
            text.starts_with("WITH c0 AS (UPDATE a SET x = k.value ->> 'x'") && text.contains("at = ?1 FROM"),
            "{text}"
        );
        assert!(text.contains(", c1 AS (INSERT INTO b SELECT d.id, ?1 FROM elements(?3) k"), "{text}");
        assert_eq!(statement.values.len(), 4);
    }
}
