//! Makes batches.

use super::{LEASE, numbers};
use crate::domain::batch::{BatchAct, BatchState};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::text::SafeLine;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{NewBatch, Result};

/// Maximum number of members that one transaction writes.
const MEMBERS_PER_TRANSACTION: usize = 5_000;

pub(in crate::store) async fn begin(db: &Database, batch: &NewBatch, documents: &[DocumentId]) -> Result<BatchId> {
    db.ensure_writable()?;
    if batch.act == BatchAct::Remove {
        db.may_remove()?;
    }
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let id = insert(&mut tx, batch).await?;
    let mut chunks = documents.chunks(MEMBERS_PER_TRANSACTION).peekable();
    while let Some(chunk) = chunks.next() {
        let members = query(
            "INSERT INTO @batch_members (batch_id, document_id) WITH m(id) AS (SELECT each(?2)) \
             SELECT ?1, m.id FROM m WHERE true ON CONFLICT DO NOTHING",
        );
        tx.run(members.bind(id.0).bind(numbers(chunk))).await?;
        if chunks.peek().is_some() {
            let renew = query("UPDATE @batches SET held_until = ?2 WHERE id = ?1");
            let until = tx.now.plus(LEASE).micros();
            tx.run(renew.bind(id.0).bind(until)).await?;
            tx.commit().await?;
            db.yield_to_writers().await;
            tx = Tx::begin(db, Purpose::Rows).await?;
        }
    }
    // A batch that was stopped meanwhile stays so.
    let ready = query(
        "UPDATE @batches SET state = ?2, begins_at = ?3, held_until = ?4, \
         total = (SELECT count(*) FROM @batch_members m WHERE m.batch_id = ?1) WHERE id = ?1 AND state = 'gathering'",
    );
    let (begins_at, until) = (tx.now.plus(batch.grace), tx.now.plus(LEASE));
    let ready = ready.bind(id.0).bind(BatchState::Waiting.word()).bind(begins_at.micros());
    tx.run(ready.bind(until.micros())).await?;
    tx.commit().await?;
    Ok(id)
}

async fn insert(tx: &mut Tx<'_>, batch: &NewBatch) -> Result<BatchId> {
    let insert = query(
        "INSERT INTO @batches (act, origin, selection, filter, created_at, created_by, begins_at, state, holder, \
         held_until) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?5, ?7, ?8, ?9) RETURNING id",
    );
    let filter = batch.filter.as_ref().map(SafeLine::as_str);
    let insert = insert.bind(batch.act.word()).bind(batch.origin.word()).bind(batch.selection.word()).bind(filter);
    let insert = insert.bind(tx.now.micros()).bind(batch.by.as_str()).bind(BatchState::Gathering.word());
    let until = tx.now.plus(LEASE).micros();
    let row = tx.one(insert.bind(batch.holder.as_str()).bind(until)).await?;
    Ok(BatchId(get(&row, "id")?))
}
