//! The end of a complete read: what its pages show about the documents is proposed, or done.

use super::compare;
use super::page_key;
use super::reads::{End, end, next, renew_within};
use crate::domain::id::DocumentId;
use crate::domain::source::{
    BELIEVED_GONE, NewPages, ProposalKind, ReadCounts, ReadLease, ReadResult, SourceRead, is_much_smaller,
};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::queue::documents;
use crate::store::sql::columns::number;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{AddResult, CompletedRead, MissingPage, Result};
use serde_json::{Value, json};
use std::collections::HashSet;

/// Time after which a page that is missing and has no document is forgotten.
const FORGOTTEN: std::time::Duration = std::time::Duration::from_secs(30 * 86_400);

/// A proposal to be made.
pub(super) struct Proposed {
    pub key: String,
    pub kind: ProposalKind,
    pub url: String,
    pub target: Option<String>,
    pub document: Option<DocumentId>,
    pub reason: SafeLine,
}

pub(in crate::store) async fn missing(db: &Database, lease: &ReadLease, limit: u32) -> Result<Vec<MissingPage>> {
    compare::missing(db, lease, limit).await
}

pub(in crate::store) async fn complete(
    db: &Database,
    lease: &ReadLease,
    read: &CompletedRead,
) -> Result<Option<SourceRead>> {
    let counted = query("SELECT count(*) AS pages FROM @source_pages WHERE source_id = ? AND read = ?");
    let row = db.reader().await?.one(counted.bind(lease.source.0).bind(lease.read)).await?;
    let mut counts = ReadCounts { pages: number(&row, "pages")?, ..read.counts };
    if let Some(reason) = disbelief(lease, &counts) {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let (result, next_at) = (ReadResult::Refused, next(&lease.settings, tx.now));
        let ended = end(&mut tx, lease, End { result, counts, detail: reason, next_at, attempts: 0 }).await?;
        tx.commit().await?;
        return Ok(ended);
    }
    let Some(()) = compare_all(db, lease, read, &mut counts).await? else { return Ok(None) };
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let (result, next_at) = (ReadResult::Complete, next(&lease.settings, tx.now));
    let detail = read.detail.clone();
    let ended = end(&mut tx, lease, End { result, counts, detail, next_at, attempts: 0 }).await?;
    tx.commit().await?;
    Ok(ended)
}

/// Returns why a read is not believed; `None` if it is.
fn disbelief(lease: &ReadLease, counts: &ReadCounts) -> Option<SafeLine> {
    let pages = counts.pages;
    if pages == 0 {
        let left_out = match (counts.other_hosts, counts.excluded) {
            (0, 0) => String::new(),
            (others, 0) => format!(" ({others} of other hosts)"),
            (others, excluded) => format!(" ({others} of other hosts, {excluded} left out by the patterns)"),
        };
        return Some(SafeLine::new(&format!("lists no page that counts{left_out}; nothing is proposed")));
    }
    let before = lease.pages_before.filter(|before| !lease.allows_smaller && is_much_smaller(pages, *before))?;
    Some(SafeLine::new(&format!(
        "has {pages} pages, and had {before}: a part may be missing, so nothing is proposed; if it is right, read it with \
         --allow-smaller"
    )))
}

/// Compares pages and documents. Returns `None` if the lease was lost.
async fn compare_all(
    db: &Database,
    lease: &ReadLease,
    read: &CompletedRead,
    counts: &mut ReadCounts,
) -> Result<Option<()>> {
    let now = db.now();
    if read.is_whole {
        let mark =
            "UPDATE @source_pages SET missing_since = ?3 WHERE source_id = ?1 AND read <> ?2 AND missing_since IS NULL";
        let mark = query(mark).bind(lease.source.0).bind(lease.read).bind(now.micros());
        let Some(mut tx) = leased(db, lease).await? else { return Ok(None) };
        tx.run_quietly(mark).await?;
        tx.commit().await?;
    }
    let Some(mut tx) = leased(db, lease).await? else { return Ok(None) };
    compare::withdraw(&mut tx, lease, read.is_whole).await?;
    tx.commit().await?;

    let mut moved = Vec::new();
    for page in &read.moved {
        if compare::is_listed(db, lease, &page.target).await? {
            moved.push(Proposed {
                key: format!("moved:{}:{}", page_key(&page.url), page_key(&page.target)),
                kind: ProposalKind::Moved,
                url: page.url.clone(),
                target: Some(page.target.clone()),
                document: Some(page.document),
                reason: page.reason.clone(),
            });
        }
    }
    let Some(number) = propose(db, lease, &moved).await? else { return Ok(None) };
    counts.moved = number;

    let (moved_from, moved_to) = compare::open_moves(db, lease).await?;
    if new_pages(db, lease, &moved_to, counts).await?.is_none() {
        return Ok(None);
    }
    if read.is_whole {
        let believed = now.minus(BELIEVED_GONE);
        let gone = compare::gone(db, lease, believed).await?;
        let gone = gone.into_iter().filter(|gone| !moved_from.contains(&gone.url)).collect::<Vec<_>>();
        let Some(number) = propose(db, lease, &gone).await? else { return Ok(None) };
        counts.gone = number;
    }
    let duplicates = compare::duplicates(db, lease).await?;
    let keys: HashSet<&str> = duplicates.iter().map(|proposed| proposed.key.as_str()).collect();
    let Some(mut tx) = leased(db, lease).await? else { return Ok(None) };
    compare::withdraw_duplicates(&mut tx, lease, &keys).await?;
    tx.commit().await?;
    let Some(number) = propose(db, lease, &duplicates).await? else { return Ok(None) };
    counts.duplicates = number;
    compare::note_dates(db, lease).await?;
    forget(db, lease, now).await
}

/// Begins a transaction under the lease; `None` if it was lost.
async fn leased<'d>(db: &'d Database, lease: &ReadLease) -> Result<Option<Tx<'d>>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    Ok(renew_within(&mut tx, lease).await?.then_some(tx))
}

/// Proposes new pages, or adds them as documents. `moved_to` are pages that take the place of others.
async fn new_pages(
    db: &Database,
    lease: &ReadLease,
    moved_to: &HashSet<String>,
    counts: &mut ReadCounts,
) -> Result<Option<()>> {
    let mut after = String::new();
    loop {
        let pages = compare::new_pages(db, lease, &after).await?;
        let Some(last) = pages.last() else { return Ok(Some(())) };
        after.clone_from(&last.key);
        let new: Vec<_> = pages.into_iter().filter(|page| !moved_to.contains(&page.url)).collect();
        if lease.settings.new == NewPages::Add {
            let documents: Vec<_> = new.iter().filter_map(|page| compare::document(lease, &page.url)).collect();
            let added = documents::add(db, &documents).await?;
            counts.added += added.iter().filter(|added| matches!(added, AddResult::New(_))).count() as u64;
            let Some(tx) = leased(db, lease).await? else { return Ok(None) };
            tx.commit().await?;
        } else {
            let proposed = |page: compare::NewPage| Proposed {
                key: format!("new:{}", page.key),
                kind: ProposalKind::New,
                url: page.url,
                target: None,
                document: None,
                reason: "not in the store".into(),
            };
            let proposed: Vec<_> = new.into_iter().map(proposed).collect();
            let Some(number) = propose(db, lease, &proposed).await? else { return Ok(None) };
            counts.new += number;
        }
        db.yield_to_writers().await;
    }
}

/// Makes proposals that are not open and were not refused. Returns their number; `None` if the lease was lost.
async fn propose(db: &Database, lease: &ReadLease, proposed: &[Proposed]) -> Result<Option<u64>> {
    let mut made = 0;
    for chunk in proposed.chunks(1_000) {
        let Some(mut tx) = leased(db, lease).await? else { return Ok(None) };
        let row = |proposed: &Proposed| {
            json!({
                "key": proposed.key, "kind": proposed.kind.word(), "url": proposed.url, "target": proposed.target,
                "document": proposed.document.map(|id| id.0), "reason": proposed.reason.as_str(),
            })
        };
        let rows = Value::Array(chunk.iter().map(row).collect()).to_string();
        // What was accepted may come back; what was refused may not. Ids of an insert with a conflict are used up, so
        // known ones are left out first.
        let insert = query(
            "INSERT INTO @proposals AS t (source_id, key, kind, url, target, document_id, reason, created_at, state) \
             SELECT ?2, k.value ->> 'key', k.value ->> 'kind', k.value ->> 'url', k.value ->> 'target', \
             CAST(k.value ->> 'document' AS BIGINT), k.value ->> 'reason', ?3, 'open' FROM elements(?1) k \
             WHERE NOT EXISTS (SELECT 1 FROM @proposals e WHERE e.source_id = ?2 AND e.key = k.value ->> 'key' \
             AND e.state IN ('open', 'refused')) \
             ON CONFLICT (source_id, key) DO UPDATE SET state = 'open', created_at = excluded.created_at, \
             document_id = excluded.document_id, reason = excluded.reason, decided_at = NULL, decided_by = NULL \
             WHERE t.state = 'accepted'",
        );
        made += tx.run(insert.bind(rows).bind(lease.source.0).bind(tx.now.micros())).await?;
        tx.commit().await?;
    }
    Ok(Some(made))
}

/// Forgets pages that are missing for long and have no document.
async fn forget(db: &Database, lease: &ReadLease, now: Timestamp) -> Result<Option<()>> {
    let old = query("SELECT key, url FROM @source_pages WHERE source_id = ? AND missing_since < ? LIMIT 1000");
    let rows = db.reader().await?.all(old.bind(lease.source.0).bind(now.minus(FORGOTTEN).micros())).await?;
    for row in &rows {
        if compare::document_of(db, lease, get(row, "url")?).await?.is_none() {
            let Some(mut tx) = leased(db, lease).await? else { return Ok(None) };
            let forget =
                query("DELETE FROM @source_pages WHERE source_id = ? AND key = ? AND missing_since IS NOT NULL");
            tx.run_quietly(forget.bind(lease.source.0).bind(get::<&str>(row, "key")?)).await?;
            tx.commit().await?;
        }
    }
    Ok(Some(()))
}
