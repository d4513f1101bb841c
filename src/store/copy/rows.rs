//! Rows of a copy: read in parts of bounded size, written, and compared.

use super::tables::{ColumnKind, CopiedColumn, DOCUMENTS, STATES, TableShape};
use crate::store::Result;
use crate::store::sql::columns::corrupt;
use crate::store::sql::conn::{Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Value, query};
use crate::store::sql::transaction::Tx;
use sha2::{Digest as _, Sha256};

/// Maximum number of rows that are read and written at a time.
const MAX_ROWS: usize = 500;
/// Size in bytes from which on no further row is read at a time.
const MAX_BYTES: i64 = 1 << 20;

/// Values of a row, in the order of the table's columns.
pub(super) type Record = Vec<Value>;

/// Reads the rows of a table in the order of its key, from where the last part ended.
#[derive(Clone)]
pub(super) struct RowPages {
    table: TableShape,
    /// Key of the last row that was read.
    after: Option<Record>,
}

impl RowPages {
    /// Begins with the first row.
    pub(super) fn of(table: TableShape) -> Self {
        Self { table, after: None }
    }

    /// Returns the next rows, which are short enough together; none after the last one.
    pub(super) async fn next(&mut self, reader: &mut Reader) -> Result<Vec<Record>> {
        let rows = match self.table.size {
            Some(size) => self.fitting(reader, size).await?,
            None => MAX_ROWS,
        };
        self.take(reader, rows).await
    }

    /// Returns how many of the next rows are short enough together: at least one.
    async fn fitting(&self, reader: &mut Reader, size: &'static str) -> Result<usize> {
        let mut sql = Sql::new("SELECT CAST(");
        sql.push(size).push(" AS BIGINT) FROM ").push(self.table.name).push(" t");
        self.push_rest(&mut sql, MAX_ROWS);
        let sizes = reader.all(sql.query()).await?;
        let (mut bytes, mut rows) = (0, 0);
        for row in &sizes {
            bytes += get::<i64>(row, 0)?;
            if bytes > MAX_BYTES && rows > 0 {
                break;
            }
            rows += 1;
        }
        Ok(rows)
    }

    /// Returns the next `rows` rows, or as many as are left.
    pub(super) async fn take(&mut self, reader: &mut Reader, rows: usize) -> Result<Vec<Record>> {
        if rows == 0 {
            return Ok(Vec::new());
        }
        let is_documents = self.table.name == DOCUMENTS.name;
        let mut sql = Sql::new("SELECT ");
        for (index, column) in self.table.columns.iter().enumerate() {
            if index > 0 {
                sql.push(", ");
            }
            push_read(&mut sql, column, is_documents);
        }
        if is_documents {
            sql.push(", j.id AS job, j.before_error_code");
        }
        sql.push(" FROM ").push(self.table.name).push(" t");
        if is_documents {
            sql.push(" LEFT JOIN @jobs j ON j.document_id = t.id AND j.state = 'running' AND j.before_taken");
        }
        self.push_rest(&mut sql, rows);
        let rows = reader.all(sql.query()).await?;
        let records = rows.iter().map(|row| record(row, &self.table)).collect::<Result<Vec<_>>>()?;
        if let Some(last) = records.last() {
            self.after = Some(last[..self.table.key].to_vec());
        }
        Ok(records)
    }

    /// Appends the condition for the rows that were not read yet, their order and their number.
    fn push_rest(&self, sql: &mut Sql, rows: usize) {
        let push_key = |sql: &mut Sql| {
            for (index, column) in self.table.key_columns().iter().enumerate() {
                sql.push(if index > 0 { ", t." } else { "t." }).push(column.name);
                if column.kind == ColumnKind::Text {
                    sql.push(" COLLATE bytes");
                }
            }
        };
        if let Some(after) = &self.after {
            sql.push(" WHERE (");
            push_key(sql);
            sql.push(") > ").bind_list(after.iter().cloned());
        }
        sql.push(" ORDER BY ");
        push_key(sql);
        sql.push(" LIMIT ").bind(i64::try_from(rows).unwrap_or(i64::MAX));
    }
}

/// Appends the expression that reads a column of a row `t`. With `is_documents`, a document whose attempt is running is
/// read as it was before: `j` is the job then.
fn push_read(sql: &mut Sql, column: &CopiedColumn, is_documents: bool) {
    let before = match column.name {
        "sync_status" if is_documents => Some("j.before_sync_status"),
        "last_sync_attempted_at" if is_documents => Some("j.before_attempted_at"),
        _ => None,
    };
    if let Some(before) = before {
        sql.push("CASE WHEN j.id IS NOT NULL THEN ").push(before).push(" ELSE ");
    }
    match column.kind {
        // PostgreSQL has integers of other sizes.
        ColumnKind::Int => sql.push("CAST(t.").push(column.name).push(" AS BIGINT)"),
        ColumnKind::Time => sql.push("micros(t.").push(column.name).push(")"),
        ColumnKind::Json => sql.push("CAST(t.").push(column.name).push(" AS TEXT)"),
        ColumnKind::Text | ColumnKind::Bytes => sql.push("t.").push(column.name),
    };
    if before.is_some() {
        sql.push(" END");
    }
}

fn record(row: &Row, table: &TableShape) -> Result<Record> {
    let columns = table.columns.iter().enumerate();
    let mut values = columns.map(|(index, column)| value(row, index, column)).collect::<Result<Record>>()?;
    if table.name == DOCUMENTS.name && get::<Option<i64>>(row, "job")?.is_some() {
        let before: Option<String> = get(row, "before_error_code")?;
        let metadata = table.columns.iter().position(|column| column.kind == ColumnKind::Json);
        if let Some(Value::Text(Some(metadata))) = metadata.and_then(|index| values.get_mut(index)) {
            *metadata = before_attempt(metadata, before);
        }
    }
    Ok(values)
}

fn value(row: &Row, index: usize, column: &CopiedColumn) -> Result<Value> {
    let named = |_| corrupt(column.name);
    Ok(match column.kind {
        ColumnKind::Int | ColumnKind::Time => Value::Int(get(row, index).map_err(named)?),
        ColumnKind::Bytes => Value::Bytes(get(row, index).map_err(named)?),
        ColumnKind::Text => Value::Text(get(row, index).map_err(named)?),
        ColumnKind::Json => Value::Text(get::<Option<String>>(row, index).map_err(named)?.map(|text| in_order(&text))),
    })
}

/// Returns a JSON text without white space and with its keys in order, as both databases can be compared; another text
/// as it is.
fn in_order(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(mut value) => {
            value.sort_all_objects();
            value.to_string()
        }
        Err(_) => text.to_owned(),
    }
}

/// Returns the metadata of a document without the step of its running attempt, and with the error from before.
fn before_attempt(metadata: &str, error: Option<String>) -> String {
    match serde_json::from_str(metadata) {
        Ok(serde_json::Value::Object(mut keys)) => {
            keys.insert("sync_step".into(), serde_json::Value::Null);
            keys.insert("last_sync_error_code".into(), error.into());
            in_order(&serde_json::Value::Object(keys).to_string())
        }
        _ => metadata.to_owned(),
    }
}

/// Writes rows that were read of a store.
pub(super) async fn insert(tx: &mut Tx<'_>, table: &TableShape, records: &[Record]) -> Result<()> {
    for records in records.chunks(tx.dialect().rows_per_statement()) {
        let mut sql = Sql::new("INSERT INTO ");
        sql.push(table.name).push(" (");
        for (index, column) in table.columns.iter().enumerate() {
            sql.push(if index > 0 { ", " } else { "" }).push(column.name);
        }
        sql.push(") VALUES ");
        for (index, record) in records.iter().enumerate() {
            sql.push(if index > 0 { ", (" } else { "(" });
            for (index, (column, value)) in table.columns.iter().zip(record).enumerate() {
                sql.push(if index > 0 { ", " } else { "" });
                let (before, after) = match (column.kind, tx.dialect()) {
                    (ColumnKind::Time, _) => ("stamp(", ")"),
                    (ColumnKind::Json, Dialect::Postgres) => ("CAST(", " AS jsonb)"),
                    _ => ("", ""),
                };
                sql.push(before).bind(value.clone()).push(after);
            }
            sql.push(")");
        }
        tx.run(sql.query()).await?;
    }
    if table.name == STATES.name && tx.dialect() == Dialect::Postgres {
        let ids = records.iter().filter_map(|record| match record.first() {
            Some(Value::Int(id)) => *id,
            _ => None,
        });
        // By this column PostgreSQL sees texts that another program has written; SQLite has no other one.
        let print = query(
            "UPDATE @document_state SET text_print = d.metadata ->> 'content_fingerprint' FROM captain_documents d \
             WHERE d.id = document_state.document_id AND document_state.text_seq > 0 \
             AND document_state.document_id IN (SELECT each(?))",
        );
        tx.run(print.bind(ids.collect::<Vec<i64>>())).await?;
    }
    Ok(())
}

/// Number and digest of the rows of a table so far.
#[derive(Clone, Default)]
pub(super) struct TableDigest {
    pub(super) rows: u64,
    digest: Sha256,
}

impl TableDigest {
    pub(super) fn add(&mut self, records: &[Record]) {
        for value in records.iter().flatten() {
            let (kind, bytes): (u8, Option<&[u8]>) = match value {
                Value::Int(number) => {
                    self.digest.update([1, u8::from(number.is_some())]);
                    self.digest.update(number.unwrap_or_default().to_be_bytes());
                    continue;
                }
                Value::Text(text) => (2, text.as_deref().map(str::as_bytes)),
                Value::Bytes(bytes) => (3, bytes.as_deref()),
                // No column has a value of these types.
                Value::Flag(_) | Value::Ints(_) => continue,
            };
            self.digest.update([kind, u8::from(bytes.is_some())]);
            let bytes = bytes.unwrap_or_default();
            self.digest.update((bytes.len() as u64).to_be_bytes());
            self.digest.update(bytes);
        }
        self.rows += records.len() as u64;
    }

    /// Returns true if both have the same rows.
    pub(super) fn equals(self, other: Self) -> bool {
        self.rows == other.rows && self.digest.finalize() == other.digest.finalize()
    }
}

/// Returns the number of rows of a table.
pub(super) async fn count(reader: &mut Reader, table: &TableShape) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*) FROM ");
    sql.push(table.name);
    Ok(get::<i64>(&reader.one(sql.query()).await?, 0)?.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn metadata_is_that_of_before_the_attempt() {
        let running = r#"{"sync_step":"fetching", "x":1,"last_sync_error_code":null}"#;
        let before = before_attempt(running, Some("timeout".into()));
        assert_eq!(before, r#"{"last_sync_error_code":"timeout","sync_step":null,"x":1}"#);
        assert_eq!((in_order(running) == in_order(&before), in_order("no {JSON")), (false, "no {JSON".to_owned()));
    }

    proptest! {
        /// Values that are divided in another way have another digest.
        #[test]
        fn digests_differ_as_rows_do(a in prop::collection::vec(".{0,3}", 1..4), b in prop::collection::vec(".{0,3}", 1..4)) {
            let digest = |texts: &[String]| {
                let mut digest = TableDigest::default();
                digest.add(&[texts.iter().map(|text| Value::Text(Some(text.clone()))).collect()]);
                digest
            };
            prop_assert_eq!(digest(&a).equals(digest(&b)), a == b);
        }
    }
}
