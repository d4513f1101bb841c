//! Row changes that wait for their batch: changes of the same kind are written by one statement, whatever their number.
//! On a server each statement is a round trip.

use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{IntoValue as _, Statement};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// A kind of row change, with the statement that writes a batch of it.
///
/// The statement has two parameters: `?1` is a JSON array with an object per row, whose key `id` identifies the row, and
/// `?2` is the transaction's time. Kinds are written in the order of their `position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::store) struct RowChange {
    pub(in crate::store) position: u8,
    /// The table that the statement changes. Kinds of different tables may share a round trip.
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
    /// Returns true if nothing waits.
    pub(in crate::store) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true if a change of this kind waits for the row `id`. One statement must not change a row twice.
    pub(in crate::store) fn contains(&self, change: RowChange, id: i64) -> bool {
        self.0.get(&change).is_some_and(|batch| batch.ids.contains(&id))
    }

    /// Adds a change of the row `id`.
    pub(in crate::store) fn push(&mut self, change: RowChange, id: i64, row: Value) {
        let batch = self.0.entry(change).or_default();
        batch.ids.insert(id);
        batch.rows.push(row);
    }

    /// Removes all changes, and returns the statements that write them at the time `now`, in their order. On PostgreSQL
    /// one statement writes the kinds that follow each other and concern different tables.
    pub(in crate::store) fn take(&mut self, dialect: Dialect, now: i64) -> Vec<Statement> {
        let mut groups: Vec<Vec<(RowChange, String)>> = Vec::new();
        for (change, batch) in std::mem::take(&mut self.0) {
            let rows = Value::Array(batch.rows).to_string();
            match groups.last_mut() {
                Some(group)
                    if dialect == Dialect::Postgres && group.iter().all(|(other, _)| other.table != change.table) =>
                {
                    group.push((change, rows));
                }
                _ => groups.push(vec![(change, rows)]),
            }
        }
        groups.into_iter().map(|group| combined(group, now)).collect()
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

/// Returns one statement for the changes of a group: the last one, with the others as common table expressions.
fn combined(group: Vec<(RowChange, String)>, now: i64) -> Statement {
    let time = format!("?{}", group.len() + 1);
    let mut text = String::new();
    let last = group.len() - 1;
    let mut values = Vec::with_capacity(group.len() + 1);
    for (index, (change, rows)) in group.into_iter().enumerate() {
        let statement = change.statement.replace("?2", &time).replace("?1", &format!("?{}", index + 1));
        if index < last {
            text.push_str(if index == 0 { "WITH " } else { ", " });
            text.push_str(&format!("c{index} AS ({statement})"));
        } else {
            text.push_str(if index > 0 { " " } else { "" });
            text.push_str(&statement);
        }
        values.push(rows.into_value());
    }
    values.push(now.into_value());
    Statement { text: text.into(), values }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const EARLY: RowChange = RowChange { position: 1, table: "a", statement: "A ?1 ?2" };
    const LATE: RowChange = RowChange { position: 2, table: "b", statement: "B ?1 ?2" };
    const LAST: RowChange = RowChange { position: 3, table: "a", statement: "C ?1 ?2" };

    fn texts(dialect: Dialect) -> Vec<String> {
        let mut batches = Batches::default();
        batches.push(LATE, 1, json!({ "id": 1 }));
        batches.push(LAST, 2, json!({ "id": 2 }));
        batches.push(EARLY, 2, json!({ "id": 2 }));
        batches.push(LATE, 3, json!({ "id": 3 }));
        assert!(batches.contains(LATE, 3) && !batches.contains(EARLY, 3));
        let written = batches.take(dialect, 7);
        assert!(batches.is_empty());
        written.into_iter().map(|statement| statement.text.into_owned()).collect()
    }

    #[test]
    fn changes_are_written_by_kind_in_their_order() {
        assert_eq!(texts(Dialect::Sqlite), ["A ?1 ?2", "B ?1 ?2", "C ?1 ?2"]);
    }

    #[test]
    fn a_server_gets_changes_of_different_tables_together() {
        assert_eq!(texts(Dialect::Postgres), ["WITH c0 AS (A ?1 ?3) B ?2 ?3", "C ?1 ?2"]);
    }
}
