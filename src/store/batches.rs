//! Batches: acts on many documents.
//!
//! A batch has a row in `batches` and one for each document in `batch_members`. The process that made it acts on some
//! members per transaction (`act`), so that another one can go on wherever it died. A job names the batch that requested
//! it last, and the end of an attempt writes nothing about the batch: the counts of a batch are read from its jobs, and a
//! trigger keeps the result of a job that is removed. `control` has the orders of people, `rows` what people see.

pub(in crate::store) mod act;
pub(in crate::store) mod begin;
pub(in crate::store) mod control;
pub(in crate::store) mod rows;

use crate::domain::batch::{BatchAct, BatchSelection, BatchState, MemberState};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{corrupt, line, time, word};
use crate::store::sql::conn::get;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use std::time::Duration;

/// Time after which another process may act on a batch.
const LEASE: Duration = Duration::from_secs(30);

/// The row of a batch, as those who change it need it.
struct BatchRow {
    act: BatchAct,
    selection: BatchSelection,
    by: SafeLine,
    begins_at: Timestamp,
    state: BatchState,
    holder: Option<String>,
    held_until: Timestamp,
    has_ended: bool,
}

impl BatchRow {
    /// Returns true if another process than `holder` acts on the batch.
    fn is_leased_by_another(&self, holder: &str, now: Timestamp) -> bool {
        lease_counts(self.held_until, now) && self.holder.as_deref().is_some_and(|other| other != holder)
    }
}

/// Returns true if a lease that ends at `until` has not expired. One that ends much later than a new one would was taken
/// before a clock was set back, and does not count; a little later are those of machines whose clocks are ahead, and
/// those that were taken after `now` was read.
fn lease_counts(until: Timestamp, now: Timestamp) -> bool {
    until > now && until <= now.plus(LEASE * 2)
}

async fn row(tx: &mut Tx<'_>, batch: BatchId) -> Result<Option<BatchRow>> {
    let row = query(
        "SELECT act, selection, created_by, begins_at, state, holder, held_until, ended_at FROM @batches WHERE id = ?",
    );
    let Some(row) = tx.first(row.bind(batch.0)).await? else { return Ok(None) };
    Ok(Some(BatchRow {
        act: word(&row, "act", BatchAct::parse)?.ok_or_else(|| corrupt("act"))?,
        selection: word(&row, "selection", BatchSelection::parse)?.ok_or_else(|| corrupt("selection"))?,
        by: line(&row, "created_by")?.unwrap_or_default(),
        begins_at: time(&row, "begins_at")?.ok_or_else(|| corrupt("begins_at"))?,
        state: word(&row, "state", BatchState::parse)?.ok_or_else(|| corrupt("state"))?,
        holder: get(&row, "holder")?,
        held_until: time(&row, "held_until")?.ok_or_else(|| corrupt("held_until"))?,
        has_ended: time(&row, "ended_at")?.is_some(),
    }))
}

/// Sets the state of members.
async fn set_members(tx: &mut Tx<'_>, batch: BatchId, members: &[DocumentId], state: MemberState) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let set = query("UPDATE @batch_members SET state = ? WHERE batch_id = ? AND document_id IN (SELECT each(?))");
    tx.run(set.bind(state.code()).bind(batch.0).bind(numbers(members))).await?;
    Ok(())
}

fn numbers(documents: &[DocumentId]) -> Vec<i64> {
    documents.iter().map(|document| document.0).collect()
}
