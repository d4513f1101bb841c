//! Rows of documents, by id and by name.

use crate::domain::document::DocumentRow;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use crate::store::chatwoot::faqs;
use crate::store::queries::document::{COLUMNS, document_row};
use crate::store::sql::database::Database;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::Sql;
use crate::store::sql::status::push_computed;
use crate::store::{DocumentRef, Result};
use std::collections::HashMap;

/// Appends `SELECT …` with all columns of a [`DocumentRow`], and ` FROM …` with the tables that they need. The status
/// is computed for each row, so that it is exact at the time `now`.
fn push_select(sql: &mut Sql, now: Timestamp) {
    sql.push("SELECT ").push(COLUMNS).push(", ");
    push_computed(sql, now);
    sql.push(" AS status");
    Joins::ALL.push(sql, StatusSource::Computed);
}

pub(in crate::store) async fn find(db: &Database, named: &DocumentRef) -> Result<Vec<DocumentRow>> {
    let now = db.now();
    let mut sql = Sql::default();
    push_select(&mut sql, now);
    match named {
        DocumentRef::Id(id) => sql.push(" WHERE d.id = ").bind(id.0),
        DocumentRef::Url(link) => sql.push(" WHERE d.external_link = ").bind(link.as_str()),
    };
    sql.push(" ORDER BY d.id");
    let mut reader = db.reader().await?;
    let mut rows: Vec<DocumentRow> =
        reader.all(sql.query()).await?.iter().map(|row| document_row(row, now)).collect::<Result<_>>()?;
    if db.is_chatwoot_database() {
        let ids: Vec<i64> = rows.iter().map(|row| row.id.0).collect();
        let mut known = faqs::coverage(&mut reader, &ids, now).await?;
        rows.iter_mut().for_each(|row| row.faqs = known.remove(&row.id.0));
    }
    Ok(rows)
}

/// Returns the rows of those documents in `ids` that still exist, each once, in the order of `ids`.
pub(in crate::store) async fn rows(db: &Database, ids: &[DocumentId]) -> Result<Vec<DocumentRow>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    rows_within(&mut db.reader().await?, &ids, db.now(), db.is_chatwoot_database()).await
}

/// Returns rows like [`rows`], read by `reader`; with their FAQs if the documents are Chatwoot's.
pub(in crate::store) async fn rows_within(
    reader: &mut Reader,
    ids: &[i64],
    now: Timestamp,
    are_chatwoots: bool,
) -> Result<Vec<DocumentRow>> {
    let mut sql = Sql::default();
    push_select(&mut sql, now);
    sql.push(" WHERE d.id IN (SELECT each(").bind(ids.to_vec()).push("))");
    let mut rows = HashMap::with_capacity(ids.len());
    for row in reader.all(sql.query()).await? {
        let row = document_row(&row, now)?;
        rows.insert(row.id.0, row);
    }
    if are_chatwoots {
        for (id, faqs) in faqs::coverage(reader, ids, now).await? {
            if let Some(row) = rows.get_mut(&id) {
                row.faqs = Some(faqs);
            }
        }
    }
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}
