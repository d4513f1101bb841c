//! Pages of the sorted, filtered list. One total order determines the rows, their offsets and the position of an anchor
//! (the document that a page is placed around).

use crate::domain::document::DocumentRow;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::domain::time::Timestamp;
use crate::store::queries::document::{COLUMNS, document_row};
use crate::store::sql::conn::get;
use crate::store::sql::database::Database;
use crate::store::sql::filter::{Joins, push_documents, push_status};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, Value};
use crate::store::{DocumentPage, DocumentRef, PagePosition, PageQuery, Result, Sort, SortBy};
use std::collections::HashMap;

/// One part of a sort order: an expression that is never NULL, whether it yields text, and whether it sorts descending.
struct Key {
    expression: &'static str,
    text: bool,
    descending: bool,
}

/// Returns the parts of a sort order except the id, which comes last and makes the order total. `None` stands for the
/// status, whose expression depends on the time.
fn keys(sort: Sort) -> Vec<Option<Key>> {
    let key = |expression, text, descending| Some(Key { expression, text, descending });
    let turned = sort.descending;
    match sort.by {
        SortBy::Id => vec![],
        SortBy::Status => vec![None],
        SortBy::Name => vec![key("coalesce(fold(d.name), '') COLLATE bytes", true, turned)],
        SortBy::Url => vec![key("d.external_link COLLATE bytes", true, turned)],
        SortBy::Error => vec![
            key("CAST(CASE WHEN s.error_code IS NULL THEN 1 ELSE 0 END AS BIGINT)", false, false),
            key("coalesce(s.error_code, '') COLLATE bytes", true, turned),
            key("coalesce(s.detail, '') COLLATE bytes", true, turned),
        ],
        // Ascending means least age first; a document that was never attempted or synced has the greatest age.
        SortBy::Attempted => {
            vec![key("coalesce(micros(d.last_sync_attempted_at), -9223372036854775807)", false, !turned)]
        }
        SortBy::Synced => vec![key("coalesce(micros(d.last_synced_at), -9223372036854775807)", false, !turned)],
        SortBy::Next => vec![
            key("CAST(CASE WHEN l.state = 'scheduled' THEN 0 ELSE 1 END AS BIGINT)", false, false),
            key("(CASE WHEN l.state = 'scheduled' THEN l.run_at ELSE 0 END)", false, turned),
        ],
    }
}

/// Returns the tables that a sort order needs.
fn joins(sort: Sort) -> Joins {
    match sort.by {
        SortBy::Status | SortBy::Next => Joins::STATUS,
        SortBy::Error => Joins { state: true, ..Joins::default() },
        _ => Joins::default(),
    }
}

fn push_key(sql: &mut Sql, key: &Option<Key>, now: Timestamp) {
    match key {
        Some(key) => {
            sql.push(key.expression);
        }
        None => push_status(sql, now),
    }
}

fn descending(key: &Option<Key>, sort: Sort) -> bool {
    key.as_ref().map_or(sort.descending, |key| key.descending)
}

fn push_order(sql: &mut Sql, sort: Sort, now: Timestamp) {
    sql.push(" ORDER BY ");
    for key in &keys(sort) {
        push_key(sql, key, now);
        sql.push(if descending(key, sort) { " DESC, " } else { ", " });
    }
    sql.push(if sort.by == SortBy::Id && sort.descending { "d.id DESC" } else { "d.id" });
}

/// Reads the sort values of `document`, one per part of the order that [`keys`] returns; `None` if the document does
/// not match the filter of `request`.
async fn anchor(
    conn: &mut Reader,
    request: &PageQuery,
    document: DocumentId,
    now: Timestamp,
) -> Result<Option<Vec<Value>>> {
    let mut sql = Sql::new("SELECT 0");
    let keys = keys(request.sort);
    for key in &keys {
        sql.push(", ");
        push_key(&mut sql, key, now);
    }
    Joins::of(&request.filter).and(joins(request.sort)).push(&mut sql);
    push_documents(&mut sql, &request.filter, now)?;
    sql.push(" AND d.id = ").bind(document.0);
    let Some(row) = conn.first(sql.query()).await? else { return Ok(None) };
    let mut values = Vec::with_capacity(keys.len());
    for (index, key) in keys.iter().enumerate() {
        values.push(match key {
            Some(Key { text: true, .. }) => Value::Text(get(&row, index + 1)?),
            _ => Value::Int(get(&row, index + 1)?),
        });
    }
    Ok(Some(values))
}

/// Returns the number of documents that match the filter of `request` and that its order places before `document`.
/// `values` are the document's sort values from [`anchor`].
async fn rank(
    conn: &mut Reader,
    request: &PageQuery,
    document: DocumentId,
    values: &[Value],
    now: Timestamp,
) -> Result<u64> {
    let mut sql = Sql::new("SELECT count(*)");
    Joins::of(&request.filter).and(joins(request.sort)).push(&mut sql);
    push_documents(&mut sql, &request.filter, now)?;
    sql.push(" AND (");
    let keys = keys(request.sort);
    for until in 0..=keys.len() {
        if until > 0 {
            sql.push(" OR ");
        }
        sql.push("(");
        for (key, value) in keys.iter().zip(values).take(until) {
            push_key(&mut sql, key, now);
            sql.push(" = ").bind(value.clone()).push(" AND ");
        }
        match keys.get(until).zip(values.get(until)) {
            Some((key, value)) => {
                push_key(&mut sql, key, now);
                sql.push(if descending(key, request.sort) { " > " } else { " < " }).bind(value.clone());
            }
            None => {
                let backwards = request.sort.by == SortBy::Id && request.sort.descending;
                sql.push(if backwards { "d.id > " } else { "d.id < " }).bind(document.0);
            }
        }
        sql.push(")");
    }
    sql.push(")");
    let count: i64 = get(&conn.one(sql.query()).await?, 0)?;
    Ok(u64::try_from(count).unwrap_or_default())
}

/// Appends ` FROM …` to ` ORDER BY …` for the documents that match `filter`, in the order of `sort`.
fn push_sorted(sql: &mut Sql, filter: &Filter, sort: Sort, now: Timestamp) -> Result<()> {
    Joins::of(filter).and(joins(sort)).push(sql);
    push_documents(sql, filter, now)?;
    push_order(sql, sort, now);
    Ok(())
}

/// Appends `SELECT …` with all columns of a [`DocumentRow`], and ` FROM …` with the tables that they need.
fn push_select(sql: &mut Sql, now: Timestamp) {
    sql.push("SELECT ").push(COLUMNS).push(", ");
    push_status(sql, now);
    sql.push(" AS status");
    Joins::ALL.push(sql);
}

pub(in crate::store) async fn page(db: &Database, request: &PageQuery) -> Result<DocumentPage> {
    let now = db.now();
    let mut reader = db.reader().await?;
    // One snapshot, so that total, offset and rows describe the same instant.
    reader.enter_snapshot().await?;
    let page = page_within(&mut reader, request, now).await?;
    reader.leave_snapshot().await?;
    Ok(page)
}

async fn page_within(conn: &mut Reader, request: &PageQuery, now: Timestamp) -> Result<DocumentPage> {
    let mut sql = Sql::new("SELECT count(*)");
    Joins::of(&request.filter).push(&mut sql);
    push_documents(&mut sql, &request.filter, now)?;
    let total: i64 = get(&conn.one(sql.query()).await?, 0)?;
    let total = u64::try_from(total).unwrap_or_default();
    let last_page = total.saturating_sub(request.limit.max(1));
    let offset = match request.position {
        // An offset within the list is kept even if its page is short: a caller that continues from the end of the last
        // page must not get earlier rows again.
        PagePosition::Offset(offset) if offset < total => offset,
        PagePosition::Offset(_) => last_page,
        PagePosition::Document { document, rows_above, fallback_offset } => {
            match anchor(conn, request, document, now).await? {
                Some(values) => {
                    rank(conn, request, document, &values, now).await?.saturating_sub(rows_above).min(last_page)
                }
                None => fallback_offset.min(last_page),
            }
        }
    };
    // Selects the ids of the page first, so that all columns are read only for the documents of the page.
    let mut sql = Sql::new("WITH w AS MATERIALIZED (SELECT d.id AS id");
    push_sorted(&mut sql, &request.filter, request.sort, now)?;
    sql.push(" LIMIT ").bind(i64::try_from(request.limit).unwrap_or(i64::MAX));
    sql.push(" OFFSET ").bind(i64::try_from(offset).unwrap_or(i64::MAX));
    sql.push(") ");
    push_select(&mut sql, now);
    sql.push(" WHERE d.id IN (SELECT id FROM w)");
    push_order(&mut sql, request.sort, now);
    let rows = conn.all(sql.query()).await?;
    Ok(DocumentPage { rows: rows.iter().map(|row| document_row(row, now)).collect::<Result<_>>()?, offset, total })
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
    reader.all(sql.query()).await?.iter().map(|row| document_row(row, now)).collect()
}

/// Returns the rows of those documents in `ids` that still exist, each once, in the order of `ids`.
pub(in crate::store) async fn rows(db: &Database, ids: &[DocumentId]) -> Result<Vec<DocumentRow>> {
    let now = db.now();
    let mut sql = Sql::default();
    push_select(&mut sql, now);
    sql.push(" WHERE d.id IN (SELECT each(").bind(ids.iter().map(|id| id.0).collect::<Vec<_>>()).push("))");
    let mut reader = db.reader().await?;
    let mut rows = HashMap::with_capacity(ids.len());
    for row in reader.all(sql.query()).await? {
        let row = document_row(&row, now)?;
        rows.insert(row.id, row);
    }
    Ok(ids.iter().filter_map(|id| rows.remove(id)).collect())
}

/// Returns the ids of the documents that match `filter`, in the order of `sort`; at most `limit` if it is set.
pub(in crate::store) async fn matching(
    db: &Database,
    filter: &Filter,
    sort: Sort,
    limit: Option<u64>,
) -> Result<Vec<DocumentId>> {
    let now = db.now();
    let mut sql = Sql::new("SELECT d.id");
    push_sorted(&mut sql, filter, sort, now)?;
    if let Some(limit) = limit {
        sql.push(" LIMIT ").bind(i64::try_from(limit).unwrap_or(i64::MAX));
    }
    let mut reader = db.reader().await?;
    let rows = reader.all(sql.query()).await?;
    rows.iter().map(|row| Ok(DocumentId(get(row, 0)?))).collect()
}
