//! Acts on the members of a batch, some per transaction.

use super::{BatchRow, LEASE, numbers, row, set_members};
use crate::domain::batch::{BatchAct, BatchOrder, BatchState, MemberState};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::request::{DocumentAnswer, Request, RequestAnswer};
use crate::store::queue::documents::remove_one;
use crate::store::queue::requests::{CHUNK_SIZE, cancel_all, request_all};
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::jobs;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{BatchStep, Result};

pub(in crate::store) async fn advance(db: &Database, batch: BatchId, holder: &str) -> Result<BatchStep> {
    db.ensure_writable()?;
    let mut tx = Tx::begin(db, Purpose::Queue).await?;
    let found = row(&mut tx, batch).await?;
    let Some(of) = found else {
        tx.commit().await?;
        return Ok(BatchStep::Halted(None));
    };
    let is_mine = of.holder.as_deref() == Some(holder);
    if of.state == BatchState::Waiting && is_mine && tx.now < of.begins_at {
        hold(&mut tx, batch, BatchState::Waiting).await?;
        tx.commit().await?;
        return Ok(BatchStep::Wait(of.begins_at));
    }
    let next = of.state.after(BatchOrder::Begin).filter(|_| is_mine);
    let Some(next) = next else {
        tx.commit().await?;
        return Ok(BatchStep::Halted(Some(of.state)));
    };
    let waiting =
        query("SELECT document_id FROM @batch_members WHERE batch_id = ? AND state = 0 ORDER BY document_id LIMIT ?");
    let waiting = tx.all(waiting.bind(batch.0).bind(CHUNK_SIZE as i64)).await?;
    let members: Vec<_> = waiting.iter().map(|row| Ok(DocumentId(get(row, 0)?))).collect::<Result<_>>()?;
    if members.is_empty() {
        let release = query("UPDATE @batches SET state = ?2, holder = NULL, held_until = 0 WHERE id = ?1");
        tx.run(release.bind(batch.0).bind(next.word())).await?;
        tx.commit().await?;
        return Ok(BatchStep::Done);
    }
    let (answers, removed) = act(&mut tx, batch, &of, &members).await?;
    hold(&mut tx, batch, next).await?;
    tx.commit().await?;
    if members.len() == CHUNK_SIZE {
        db.yield_to_writers().await;
    }
    Ok(BatchStep::Acted { answers, removed })
}

/// Renews the lease of the process that acts on the batch.
async fn hold(tx: &mut Tx<'_>, batch: BatchId, state: BatchState) -> Result<()> {
    let hold = query("UPDATE @batches SET state = ?2, held_until = ?3 WHERE id = ?1");
    let until = tx.now.plus(LEASE).micros();
    tx.run_quietly(hold.bind(batch.0).bind(state.word()).bind(until)).await?;
    Ok(())
}

async fn act(
    tx: &mut Tx<'_>,
    batch: BatchId,
    of: &BatchRow,
    members: &[DocumentId],
) -> Result<(Vec<DocumentAnswer>, u64)> {
    jobs::lock_live_jobs(tx, members).await?;
    if of.act == BatchAct::Remove {
        let mut removed = 0;
        for &document in members {
            removed += u64::from(remove_one(tx, document, &of.by).await?);
        }
        set_members(tx, batch, members, MemberState::Done).await?;
        return Ok((Vec::new(), removed));
    }
    let (answers, accepted) = match of.act.request() {
        None => (cancel_all(tx, members, &of.by).await?, MemberState::Done),
        Some(kind) => {
            remember_jobs(tx, batch, members).await?;
            let request = Request { kind, class: QueueClass::Manual, by: of.by.clone(), scope: of.selection.scope() };
            (request_all(tx, members, &request).await?, MemberState::Requested)
        }
    };
    let (taken, skipped): (Vec<_>, Vec<_>) =
        members.iter().zip(&answers).partition(|(_, answer)| belongs_to_batch(answer));
    let (taken, skipped) = (documents(&taken), documents(&skipped));
    if accepted == MemberState::Requested {
        take_jobs(tx, batch, &taken).await?;
    }
    set_members(tx, batch, &taken, accepted).await?;
    set_members(tx, batch, &skipped, MemberState::Skipped).await?;
    let answers = members.iter().zip(answers);
    Ok((answers.map(|(document_id, answer)| DocumentAnswer { document_id: *document_id, answer }).collect(), 0))
}

fn documents(answers: &[(&DocumentId, &RequestAnswer)]) -> Vec<DocumentId> {
    answers.iter().map(|(document, _)| **document).collect()
}

/// Returns true if the batch has done what it should for the document, or its job does it.
const fn belongs_to_batch(answer: &RequestAnswer) -> bool {
    match answer {
        RequestAnswer::Queued(_)
        | RequestAnswer::Promoted(_)
        | RequestAnswer::RunsNow(_)
        | RequestAnswer::AlreadyQueued(_)
        | RequestAnswer::Cancelled(_)
        | RequestAnswer::Stopping(_)
        | RequestAnswer::FaqNoted => true,
        // What runs was requested by somebody else.
        RequestAnswer::AlreadySyncing(..) | RequestAnswer::Skipped(_) => false,
    }
}

/// Notes with the members what their jobs are now, so that a pause can give them back.
async fn remember_jobs(tx: &mut Tx<'_>, batch: BatchId, members: &[DocumentId]) -> Result<()> {
    let remember = query(
        "UPDATE @batch_members SET before_class = j.class, before_run_at = j.run_at, before_attempt = j.attempt \
         FROM @jobs j WHERE batch_members.batch_id = ? AND batch_members.document_id = j.document_id \
         AND j.document_id IN (SELECT each(?)) AND j.state IN ('scheduled', 'ready')",
    );
    tx.run(remember.bind(batch.0).bind(numbers(members))).await?;
    Ok(())
}

/// Makes the waiting jobs of `members` those of the batch. An earlier batch of theirs no longer counts them.
async fn take_jobs(tx: &mut Tx<'_>, batch: BatchId, members: &[DocumentId]) -> Result<()> {
    let moved = query(
        "UPDATE @batch_members SET state = ?3 WHERE state = 1 AND (batch_id, document_id) IN \
         (SELECT j.batch_id, j.document_id FROM @jobs j WHERE j.document_id IN (SELECT each(?1)) \
         AND j.state IN ('scheduled', 'ready') AND j.batch_id <> ?2)",
    );
    tx.run(moved.bind(numbers(members)).bind(batch.0).bind(MemberState::Moved.code())).await?;
    let take = query(
        "UPDATE @jobs SET batch_id = ?2 WHERE document_id IN (SELECT each(?1)) AND state IN ('scheduled', 'ready')",
    );
    tx.run(take.bind(numbers(members)).bind(batch.0)).await?;
    Ok(())
}
