//! Requests to sync documents or to cancel their jobs, in chunks, so that no transaction blocks other writers for long.

use crate::domain::document::{DocumentKind, Status, StatusFacts};
use crate::domain::id::DocumentId;
use crate::domain::job::{JobState, QueueClass};
use crate::domain::outcome::{OutcomeDraft, OutcomeResult};
use crate::domain::request::{DocumentAnswer, LiveJob, Request, RequestAnswer, RequestKind, RequestStep, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::queue::apply::{TransitionData, apply_within_lane, new_outcome};
use crate::store::queue::lanes::LaneKey;
use crate::store::queue::{enqueue, lanes};
use crate::store::sql::columns::corrupt;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use std::collections::{BTreeSet, HashSet};

/// Maximum number of documents per transaction.
pub(in crate::store) const CHUNK_SIZE: usize = 250;

pub(in crate::store) async fn request(
    db: &Database,
    documents: &[DocumentId],
    request: &Request,
) -> Result<Vec<DocumentAnswer>> {
    db.ensure_writable()?;
    let mut answers = Vec::with_capacity(documents.len());
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        jobs::lock_live_jobs(&mut tx, chunk).await?;
        let chunk_answers = request_all(&mut tx, chunk, request).await?;
        answers.extend(chunk.iter().zip(chunk_answers).map(|(id, answer)| DocumentAnswer { document_id: *id, answer }));
        tx.commit().await?;
        if chunk.len() == CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(answers)
}

pub(in crate::store) async fn cancel(
    db: &Database,
    documents: &[DocumentId],
    by: &SafeLine,
) -> Result<Vec<DocumentAnswer>> {
    db.ensure_writable()?;
    let mut answers = Vec::with_capacity(documents.len());
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Queue).await?;
        jobs::lock_live_jobs(&mut tx, chunk).await?;
        let chunk_answers = cancel_all(&mut tx, chunk, by).await?;
        answers.extend(chunk.iter().zip(chunk_answers).map(|(id, answer)| DocumentAnswer { document_id: *id, answer }));
        tx.commit().await?;
        if chunk.len() == CHUNK_SIZE {
            db.yield_to_writers().await;
        }
    }
    Ok(answers)
}

/// Requests syncs of documents within a transaction that has locked their live jobs. Returns one answer per document, in
/// order.
pub(in crate::store) async fn request_all(
    tx: &mut Tx<'_>,
    ids: &[DocumentId],
    request: &Request,
) -> Result<Vec<RequestAnswer>> {
    let mut documents = documents::by_ids(tx, ids).await?;
    let mut live = jobs::live_jobs(tx, ids).await?;
    let mut answers = vec![RequestAnswer::Skipped(SkipReason::Missing); ids.len()];
    let (mut new, mut indices, mut requested) = (Vec::new(), Vec::new(), HashSet::new());
    for (index, id) in ids.iter().enumerate() {
        if !requested.insert(id) {
            // The document is in the list twice: the second request applies to the job that the first one created.
            insert_new(tx, &mut new, &mut indices, request, &mut answers).await?;
            documents.extend(documents::by_ids(tx, &[*id]).await?);
            live.extend(jobs::live_jobs(tx, &[*id]).await?);
        }
        let Some(document) = documents.remove(id) else { continue };
        match request_one(tx, &document, live.remove(id), request).await? {
            Some(answer) => answers[index] = answer,
            None => {
                new.push(document);
                indices.push(index);
            }
        }
    }
    insert_new(tx, &mut new, &mut indices, request, &mut answers).await?;
    if request.kind == RequestKind::SyncWhole {
        // Applies to every waiting job, whatever the answer is. A running attempt has already begun and is not
        // affected.
        let whole = "UPDATE @jobs SET whole = true WHERE document_id IN (SELECT each(?)) \
             AND state IN ('scheduled', 'ready')";
        tx.run(query(whole).bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())).await?;
    }
    Ok(answers)
}

async fn insert_new(
    tx: &mut Tx<'_>,
    new: &mut Vec<Document>,
    indices: &mut Vec<usize>,
    request: &Request,
    answers: &mut [RequestAnswer],
) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let jobs = enqueue::add_ready(tx, new, request).await?;
    for (document, index) in new.drain(..).zip(indices.drain(..)) {
        let job = jobs.get(&document.id).ok_or_else(|| corrupt("document_id"))?;
        answers[index] = RequestAnswer::Queued(*job);
    }
    Ok(())
}

/// Applies a request to one document. Returns `None` if the document needs a new job.
async fn request_one(
    tx: &mut Tx<'_>,
    document: &Document,
    live: Option<JobRow>,
    request: &Request,
) -> Result<Option<RequestAnswer>> {
    let current = live.as_ref().map(live_job);
    let status = status(document, live.as_ref(), tx.now);
    let step = match request.step(document.syncable(), status, current.as_ref()) {
        Ok(step) => step,
        Err(reason) => return Ok(Some(RequestAnswer::Skipped(reason))),
    };
    let Some(row) = live else {
        return Ok(None);
    };
    let id = row.job.id;
    Ok(Some(match step {
        RequestStep::Promote | RequestStep::RunNow => {
            run_as_manual(tx, &row, request).await?;
            if step == RequestStep::Promote { RequestAnswer::Promoted(id) } else { RequestAnswer::RunsNow(id) }
        }
        RequestStep::RecordRunning => {
            let worker = row.worker_name.as_ref().map_or("a worker", |name| name.as_str());
            let draft = OutcomeDraft::new(OutcomeResult::AlreadySyncing).with_detail(format!("running on {worker}"));
            let with = TransitionData { worker: row.worker_name.clone(), ..TransitionData::default() };
            let mut outcome = new_outcome(&row, Some(document), &draft, &with, tx.now);
            outcome.outcome.requested_by = Some(request.by.clone());
            tx.record(outcome);
            let statement = query("UPDATE @jobs SET recorded_attempt = attempt WHERE id = ?").bind(id.0);
            tx.run(statement).await?;
            RequestAnswer::AlreadySyncing(id, row.worker_name)
        }
        RequestStep::Insert | RequestStep::Nothing if row.job.state == JobState::Running => {
            RequestAnswer::AlreadySyncing(id, row.worker_name)
        }
        RequestStep::Insert | RequestStep::Nothing => RequestAnswer::AlreadyQueued(id),
    }))
}

/// Turns a ready or scheduled job into a manual one that is ready now; its counters stay.
async fn run_as_manual(tx: &mut Tx<'_>, row: &JobRow, request: &Request) -> Result<()> {
    let vtime = lanes::next_virtual_time(tx, row.account_id, QueueClass::Manual).await?;
    let statement = query(
        "UPDATE @jobs SET state = 'ready', class = 0, run_at = ?2, vtime = ?3, requested_at = ?2, requested_by = ?4 \
         WHERE id = ?1",
    );
    let statement = statement.bind(row.job.id.0).bind(tx.now.micros()).bind(vtime).bind(request.by.as_str());
    tx.run(statement).await?;
    if row.job.state == JobState::Ready {
        lanes::remove(tx, &LaneKey::of(row)).await?;
    }
    lanes::add(tx, &LaneKey { class: QueueClass::Manual.code(), ..LaneKey::of(row) }, vtime).await
}

/// Cancels the live jobs of documents within a transaction that has locked them. Returns one answer per document, in
/// order. The number of statements does not depend on that of waiting jobs, apart from their lanes.
pub(in crate::store) async fn cancel_all(
    tx: &mut Tx<'_>,
    ids: &[DocumentId],
    by: &SafeLine,
) -> Result<Vec<RequestAnswer>> {
    let documents = documents::by_ids(tx, ids).await?;
    let mut live = jobs::live_jobs(tx, ids).await?;
    let (mut answers, mut running, mut lanes_left) = (Vec::with_capacity(ids.len()), Vec::new(), BTreeSet::new());
    for id in ids {
        let document = documents.get(id);
        // The second request for a document that is in the list twice finds nothing to cancel, or stops what runs.
        let answer = match live.get_mut(id) {
            None if document.is_none() => RequestAnswer::Skipped(SkipReason::Missing),
            None => RequestAnswer::Skipped(SkipReason::NothingToCancel),
            Some(row) if row.job.state == JobState::Running => {
                running.push(row.job.id.0);
                RequestAnswer::Stopping(row.job.id)
            }
            Some(row) => {
                row.job.cancel_requested_by = Some(by.clone());
                let to = row.job.cancelled(None, tx.now);
                apply_within_lane(tx, row, document, &to, TransitionData::default()).await?;
                if row.job.state == JobState::Ready {
                    lanes_left.insert(LaneKey::of(row));
                }
                let job = row.job.id;
                live.remove(id);
                RequestAnswer::Cancelled(job)
            }
        };
        answers.push(answer);
    }
    if !running.is_empty() {
        let stop = query(
            "UPDATE @jobs SET cancel_requested_at = ?2, cancel_requested_by = ?3 \
             WHERE id IN (SELECT each(?1)) AND cancel_requested_at IS NULL",
        );
        tx.run(stop.bind(running).bind(tx.now.micros()).bind(by.as_str())).await?;
    }
    for lane in &lanes_left {
        lanes::remove(tx, lane).await?;
    }
    Ok(answers)
}

fn live_job(row: &JobRow) -> LiveJob {
    LiveJob {
        id: row.job.id,
        state: row.job.state,
        class: row.job.class,
        attempt: row.job.counters.attempt,
        recorded_attempt: row.recorded_attempt,
        worker: row.worker_name.clone(),
    }
}

fn status(document: &Document, live: Option<&JobRow>, now: Timestamp) -> Status {
    let facts = StatusFacts {
        kind: DocumentKind::of(document.is_pdf, document.available),
        live_job: live.map(|row| StatusFacts::live(row.job.state, row.job.counters.attempt, row.lock_holder.is_some())),
        sync_status: document.sync_status,
        attempted_at: document.attempted_at,
        synced_at: document.synced_at,
        cadence: document.cadence,
    };
    facts.status(now)
}
