//! Comparison of the pages of a read with the documents of its assistant.

use super::complete::Proposed;
use super::page_key;
use crate::domain::id::DocumentId;
use crate::domain::link::Link;
use crate::domain::source::{ProposalKind, ReadLease};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::columns::time;
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{MissingPage, NewDocument, Result};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Number of pages that are compared at a time.
const CHUNK: i64 = 1_000;
/// Maximum number of gone pages, and of duplicates, that one read proposes.
const MAX_PROPOSED: i64 = 5_000;
/// Number of states of documents that one transaction changes.
const STATES: usize = 250;

/// A page that is no document.
pub(super) struct NewPage {
    pub key: String,
    pub url: String,
}

/// Adds the condition that document `d` of the assistant `?1` has the URL of page `p`.
fn push_same_page(sql: &mut Sql, dialect: Dialect) {
    sql.push("d.assistant_id = ?1 AND d.external_link = p.url");
    if dialect == Dialect::Postgres {
        // The unique index there is on the digest, since an index takes no long text.
        sql.push(" AND md5(d.external_link) = md5(p.url)");
    }
}

/// Returns the document that a page becomes; `None` for a URL that is none of a document.
pub(super) fn document(lease: &ReadLease, url: &str) -> Option<NewDocument> {
    // A link loses one trailing slash when it is parsed; the stored form has lost it already.
    let link = Link::parse(&format!("{url}/")).ok()?;
    Some(NewDocument { link, name: None, account_id: lease.account, assistant_id: lease.assistant })
}

/// Returns the next pages of the read that are no documents, after the page `after`.
pub(super) async fn new_pages(db: &Database, lease: &ReadLease, after: &str) -> Result<Vec<NewPage>> {
    let mut reader = db.reader().await?;
    let mut sql = Sql::new(
        "SELECT p.key, p.url FROM @source_pages p WHERE p.source_id = ?2 AND p.read = ?3 AND p.key > ?4 \
         AND NOT EXISTS (SELECT 1 FROM captain_documents d WHERE ",
    );
    sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(lease.read).add_value(after);
    push_same_page(&mut sql, reader.dialect());
    sql.push(") ORDER BY p.key LIMIT ").bind(CHUNK);
    let page = |row: &Row| Ok(NewPage { key: get(row, "key")?, url: get(row, "url")? });
    reader.all(sql.query()).await?.iter().map(page).collect()
}

/// Returns documents whose pages this read has not, of which no proposal is open.
pub(super) async fn missing(db: &Database, lease: &ReadLease, limit: u32) -> Result<Vec<MissingPage>> {
    let mut reader = db.reader().await?;
    let mut sql = Sql::new("SELECT d.id, d.external_link FROM @source_pages p JOIN captain_documents d ON ");
    sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(lease.read);
    push_same_page(&mut sql, reader.dialect());
    sql.push(
        " WHERE p.source_id = ?2 AND p.read <> ?3 AND NOT EXISTS (SELECT 1 FROM @proposals o \
         WHERE o.source_id = ?2 AND o.state <> 'accepted' AND o.document_id = d.id AND o.kind IN ('moved', 'gone')) \
         ORDER BY random() LIMIT ",
    );
    sql.bind(limit);
    let page = |row: &Row| Ok(MissingPage { document: DocumentId(get(row, "id")?), url: get(row, "external_link")? });
    reader.all(sql.query()).await?.iter().map(page).collect()
}

/// Returns true if the read has a page.
pub(super) async fn is_listed(db: &Database, lease: &ReadLease, url: &str) -> Result<bool> {
    let listed = query("SELECT 1 FROM @source_pages WHERE source_id = ? AND key = ? AND read = ?");
    let listed = listed.bind(lease.source.0).bind(page_key(url)).bind(lease.read);
    Ok(db.reader().await?.first(listed).await?.is_some())
}

/// Returns the document of a URL.
pub(super) async fn document_of(db: &Database, lease: &ReadLease, url: &str) -> Result<Option<DocumentId>> {
    let mut reader = db.reader().await?;
    let mut sql = Sql::new("SELECT d.id FROM captain_documents d WHERE d.assistant_id = ");
    sql.bind(lease.assistant.0).push(" AND d.external_link = ").bind(url);
    if reader.dialect() == Dialect::Postgres {
        sql.push(" AND md5(d.external_link) = md5(").bind(url).push(")");
    }
    let row = reader.first(sql.query()).await?;
    row.map(|row| Ok(DocumentId(get(&row, "id")?))).transpose()
}

/// Returns the documents whose pages have been missing since `believed` or longer, as proposals.
pub(super) async fn gone(db: &Database, lease: &ReadLease, believed: Timestamp) -> Result<Vec<Proposed>> {
    let mut reader = db.reader().await?;
    let mut sql = Sql::new(
        "SELECT p.key, d.id, d.external_link, p.missing_since FROM @source_pages p JOIN captain_documents d ON ",
    );
    sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(believed.micros());
    push_same_page(&mut sql, reader.dialect());
    sql.push(" WHERE p.source_id = ?2 AND p.missing_since <= ?3 ORDER BY p.missing_since, p.key LIMIT ");
    sql.bind(MAX_PROPOSED);
    let proposed = |row: &Row| {
        let since = time(row, "missing_since")?.map(Timestamp::date_clock_utc).unwrap_or_default();
        Ok(Proposed {
            key: format!("gone:{}", get::<&str>(row, "key")?),
            kind: ProposalKind::Gone,
            url: get(row, "external_link")?,
            target: None,
            document: Some(DocumentId(get(row, "id")?)),
            reason: SafeLine::new(&format!("no longer listed since {since} UTC")),
        })
    };
    reader.all(sql.query()).await?.iter().map(proposed).collect()
}

/// Returns the documents among the pages of the read that have the text of another one, as proposals. Of those with the
/// same text the oldest stays.
pub(super) async fn duplicates(db: &Database, lease: &ReadLease) -> Result<Vec<Proposed>> {
    let mut reader = db.reader().await?;
    let mut sql = Sql::new(
        "WITH t AS (SELECT d.id, d.external_link, meta.content_fingerprint AS print FROM @source_pages p \
         JOIN captain_documents d ON ",
    );
    sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(lease.read);
    push_same_page(&mut sql, reader.dialect());
    sql.push(
        " WHERE p.source_id = ?2 AND p.read = ?3), \
         f AS (SELECT print, min(id) AS first FROM t WHERE print <> '' GROUP BY print HAVING count(*) > 1) \
         SELECT t.id, t.external_link, k.id AS first, k.external_link AS target FROM f JOIN t ON t.print = f.print \
         AND t.id <> f.first JOIN captain_documents k ON k.id = f.first ORDER BY t.id LIMIT ",
    );
    sql.bind(MAX_PROPOSED);
    let proposed = |row: &Row| {
        let (id, first): (i64, i64) = (get(row, "id")?, get(row, "first")?);
        Ok(Proposed {
            key: format!("duplicate:{id}:{first}"),
            kind: ProposalKind::Duplicate,
            url: get(row, "external_link")?,
            target: Some(get(row, "target")?),
            document: Some(DocumentId(id)),
            reason: SafeLine::new(&format!("has the same text as document {first}")),
        })
    };
    reader.all(sql.query()).await?.iter().map(proposed).collect()
}

/// Returns the URLs of open proposals about moved pages: the old ones, and the new ones.
pub(super) async fn open_moves(db: &Database, lease: &ReadLease) -> Result<(HashSet<String>, HashSet<String>)> {
    let open = query(
        "SELECT url, target FROM @proposals WHERE source_id = ? AND state = 'open' AND kind = 'moved' AND target IS NOT NULL",
    );
    let rows = db.reader().await?.all(open.bind(lease.source.0)).await?;
    let pair = |row: &Row| Ok((get::<String>(row, "url")?, get::<String>(row, "target")?));
    rows.iter().map(pair).collect()
}

/// Withdraws open proposals that the read shows to be wrong: new pages that are documents now, or, if the listing is
/// whole, are no longer listed; gone and moved ones that are listed again, or whose document is gone.
pub(super) async fn withdraw(tx: &mut Tx<'_>, lease: &ReadLease, is_whole: bool) -> Result<()> {
    let mut sql = Sql::new(
        "DELETE FROM @proposals WHERE source_id = ?2 AND state = 'open' AND kind = 'new' AND (EXISTS (SELECT 1 \
         FROM @source_pages p JOIN captain_documents d ON ",
    );
    sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(lease.read);
    push_same_page(&mut sql, tx.dialect());
    sql.push(" WHERE p.source_id = ?2 AND p.key = substr(proposals.key, 5))");
    if is_whole {
        sql.push(
            " OR NOT EXISTS (SELECT 1 FROM @source_pages p WHERE p.source_id = ?2 AND p.read = ?3 AND p.key = \
                  substr(proposals.key, 5))",
        );
    } else {
        sql.push(" OR ?3 < 0");
    }
    sql.push(")");
    tx.run(sql.query()).await?;
    let returned = query(
        "DELETE FROM @proposals WHERE source_id = ?1 AND state = 'open' AND kind IN ('gone', 'moved') AND (EXISTS \
         (SELECT 1 FROM @source_pages p WHERE p.source_id = ?1 AND p.read = ?2 AND p.key = \
         substr(proposals.key, CASE proposals.kind WHEN 'gone' THEN 6 ELSE 7 END, 32)) \
         OR NOT EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = proposals.document_id))",
    );
    tx.run(returned.bind(lease.source.0).bind(lease.read)).await?;
    Ok(())
}

/// Withdraws open proposals about duplicates that are none any more.
pub(super) async fn withdraw_duplicates(tx: &mut Tx<'_>, lease: &ReadLease, found: &HashSet<&str>) -> Result<()> {
    let open = query("SELECT id, key FROM @proposals WHERE source_id = ? AND state = 'open' AND kind = 'duplicate'");
    let rows = tx.all(open.bind(lease.source.0)).await?;
    let mut stale = Vec::new();
    for row in &rows {
        if !found.contains(get::<&str>(row, "key")?) {
            stale.push(get::<i64>(row, "id")?);
        }
    }
    for chunk in stale.chunks(500) {
        let mut sql = Sql::new("DELETE FROM @proposals WHERE id IN ");
        sql.bind_list(chunk.iter().copied());
        tx.run(sql.query()).await?;
    }
    Ok(())
}

/// Notes the dates of the listing with the documents, where they differ.
pub(super) async fn note_dates(db: &Database, lease: &ReadLease) -> Result<()> {
    let mut after = String::new();
    loop {
        let mut reader = db.reader().await?;
        let mut sql = Sql::new(
            "SELECT p.key, d.id, p.lastmod, s.lastmod AS known FROM @source_pages p JOIN captain_documents d ON ",
        );
        sql.add_value(lease.assistant.0).add_value(lease.source.0).add_value(lease.read).add_value(&after);
        push_same_page(&mut sql, reader.dialect());
        sql.push(
            " JOIN @document_state s ON s.document_id = d.id WHERE p.source_id = ?2 AND p.read = ?3 AND p.key > ?4 \
             AND p.lastmod IS NOT NULL ORDER BY p.key LIMIT ",
        );
        sql.bind(CHUNK);
        let rows = reader.all(sql.query()).await?;
        drop(reader);
        let Some(last) = rows.last() else { return Ok(()) };
        after = get(last, "key")?;
        let mut dates = Vec::new();
        for row in &rows {
            let (lastmod, known): (i64, Option<i64>) = (get(row, "lastmod")?, get(row, "known")?);
            if known != Some(lastmod) {
                dates.push((get::<i64>(row, "id")?, lastmod));
            }
        }
        dates.sort_unstable();
        for chunk in dates.chunks(STATES) {
            write_dates(db, chunk).await?;
        }
    }
}

/// Notes dates of pages with their documents.
pub(in crate::store) async fn note_modified(db: &Database, dates: &[(DocumentId, Timestamp)]) -> Result<()> {
    db.ensure_writable()?;
    let mut dates: Vec<(i64, i64)> = dates.iter().map(|(id, at)| (id.0, at.micros())).collect();
    dates.sort_unstable();
    dates.dedup_by_key(|(id, _)| *id);
    for chunk in dates.chunks(STATES) {
        write_dates(db, chunk).await?;
        db.yield_to_writers().await;
    }
    Ok(())
}

async fn write_dates(db: &Database, dates: &[(i64, i64)]) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    if tx.dialect() == Dialect::Postgres {
        // Ends of attempts lock the same rows, in the order of the documents.
        let mut lock = Sql::new("SELECT document_id FROM @document_state WHERE document_id IN ");
        lock.bind_list(dates.iter().map(|(id, _)| *id)).push(" ORDER BY document_id FOR UPDATE");
        tx.all(lock.query()).await?;
    }
    let pair = |(id, lastmod): &(i64, i64)| json!({ "id": id, "lastmod": lastmod });
    let rows = Value::Array(dates.iter().map(pair).collect()).to_string();
    let write = query(
        "UPDATE @document_state SET lastmod = CAST(k.value ->> 'lastmod' AS BIGINT) FROM elements(?1) k \
         WHERE document_id = CAST(k.value ->> 'id' AS BIGINT) \
         AND lastmod IS DISTINCT FROM CAST(k.value ->> 'lastmod' AS BIGINT)",
    );
    tx.run(write.bind(rows)).await?;
    tx.commit().await?;
    Ok(())
}
