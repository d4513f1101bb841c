//! Writes finishes (ends of attempts) in groups: one task collects the finishes that arrive within a few milliseconds
//! and commits them in one transaction, so that many attempts share one full disk flush.

use crate::domain::content::{ContentChange, Page};
use crate::domain::document::FailureCount;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::host_backoff::HostSignal;
use crate::domain::id::JobId;
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, Transition};
use crate::domain::outcome::{Outcome, OutcomeKind, OutcomeResult};
use crate::domain::retry::RetryPolicy;
use crate::domain::text::without_nul;
use crate::store::attempts::group_commit::{Gatherer, Pending};
use crate::store::migrations::SCHEMA_VERSION;
use crate::store::queue::apply::{FullFetch, TransitionData, apply};
use crate::store::queue::host_backoff;
use crate::store::queue::host_backoff::HostRecords;
use crate::store::sql::conn::{Purpose, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::attempts::AttemptRow;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::outcomes::outcome;
use crate::store::sql::rows::{attempts, documents};
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::transaction::Tx;
use crate::store::{Finish, FinishResult, JobLease, Result, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;

/// The end of an attempt, waiting to be written, with the policy that decides on a retry.
pub(in crate::store) struct Finishing {
    pub(in crate::store) finish: Finish,
    pub(in crate::store) policy: RetryPolicy,
}

/// Writes finishes in groups. Returns once every sender is dropped and everything sent is written or has failed, or
/// once the database is dropped.
pub(in crate::store) async fn write_groups(
    db: Weak<Database>,
    mut pending: Gatherer<Pending<Finishing, FinishResult>>,
) {
    while let Some(group) = pending.next_group().await {
        let (group, answers): (Vec<_>, Vec<_>) =
            group.into_iter().map(|pending| (pending.write, pending.answer)).unzip();
        let Some(db) = db.upgrade() else { return };
        let finished = finish_group(&db, &group).await;
        for (answer, finished) in answers.into_iter().zip(finished) {
            // Sending fails if the caller no longer waits. That does not undo the finish.
            let _ = answer.send(finished);
        }
    }
}

/// Result of writing one finish of a group, before the commit numbers its outcomes.
enum FinishWrite {
    Applied { state: JobState, outcomes: usize, report: Option<ErrorReport> },
    NothingToWrite(FinishResult),
    Refused(StoreError),
}

/// Use of savepoints when a group is written. A savepoint for each finish costs two statements, and is needed only
/// after the database refused data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Savepoints {
    None,
    PerFinish,
}

/// Isolation of the transaction that writes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Isolation {
    /// Without locks while it reads, and on PostgreSQL also while it writes, if nothing else changes the same rows.
    Optimistic,
    /// With locks of the rows.
    Locking(Savepoints),
}

/// Rows that are read in advance for a whole group. The first use of a job's row removes the row from here; a second use
/// reads it from the database.
struct GroupRows {
    attempts: HashMap<JobId, AttemptRow>,
    hosts: HostRecords,
}

async fn finish_group(db: &Database, group: &[Finishing]) -> Vec<Result<FinishResult>> {
    let mut tried = try_finish_group(db, group, Isolation::Optimistic).await;
    if let Err(StoreError::Conflict) = tried {
        // Nothing was written: something else changes the jobs, or more than their rows has to be locked.
        tried = try_finish_group(db, group, Isolation::Locking(Savepoints::None)).await;
    }
    if let Err(StoreError::Refused(_)) = tried {
        // Nothing was written. The second run uses savepoints, so that only the finish with the refused data fails.
        tried = try_finish_group(db, group, Isolation::Locking(Savepoints::PerFinish)).await;
    }
    match tried {
        Ok(answers) => answers,
        Err(error) => {
            let words = error.to_string();
            let error_copy = || match &error {
                StoreError::ReadOnly => StoreError::ReadOnly,
                StoreError::Unavailable(reason) => StoreError::Unavailable(reason.clone()),
                StoreError::Schema(mismatch) => StoreError::Schema(*mismatch),
                _ => StoreError::Unavailable(words.clone()),
            };
            group.iter().map(|_| Err(error_copy())).collect()
        }
    }
}

async fn try_finish_group(
    db: &Database,
    group: &[Finishing],
    isolation: Isolation,
) -> Result<Vec<Result<FinishResult>>> {
    let (optimistic, savepoints) = match isolation {
        Isolation::Optimistic => (Tx::optimistic(db).await?, Savepoints::None),
        Isolation::Locking(savepoints) => (None, savepoints),
    };
    let mut tx = match (optimistic, isolation) {
        (Some(tx), _) => tx,
        (None, Isolation::Optimistic) => Tx::begin_late(db, Purpose::Rows).await?,
        (None, Isolation::Locking(_)) => Tx::begin(db, Purpose::Rows).await?,
    };
    let (written, guard) = match write_group(&mut tx, group, savepoints).await {
        Ok(written) => written,
        Err(StoreError::Conflict) => {
            tx.abandon().await?;
            return Err(StoreError::Conflict);
        }
        Err(error) => return Err(error),
    };
    let outcomes = match guard {
        Some(guard) => tx.commit_if(guard).await?,
        None => tx.commit().await?,
    };
    let mut outcomes = outcomes.into_iter();
    let mut answers: Vec<Option<Result<FinishResult>>> = group.iter().map(|_| None).collect();
    for (index, written) in written {
        answers[index] = Some(match written {
            FinishWrite::Applied { state, outcomes: count, report } => {
                Ok(FinishResult::Written { state, outcomes: outcomes.by_ref().take(count).collect(), report })
            }
            FinishWrite::NothingToWrite(finished) => Ok(finished),
            FinishWrite::Refused(error) => Err(error),
        });
    }
    Ok(answers.into_iter().map(|answer| answer.unwrap_or(Ok(FinishResult::LeaseLost))).collect())
}

/// Writes the finishes of `group`, all but the row changes that wait for the commit. Returns the result of each, with its
/// index in the group, and the guard of the commit if the transaction is an optimistic one.
async fn write_group(
    tx: &mut Tx<'_>,
    group: &[Finishing],
    savepoints: Savepoints,
) -> Result<(Vec<(usize, FinishWrite)>, Option<Statement>)> {
    let ids = group.iter().map(|pending| pending.finish.lease.job_id.0).collect();
    let attempts = attempts::lock(tx, ids).await?;
    let guard = tx.is_optimistic().then(|| attempts::guard(attempts.values(), SCHEMA_VERSION));
    // Written in document order, so that concurrent writers on PostgreSQL never deadlock.
    let mut order: Vec<usize> = (0..group.len()).collect();
    order.sort_by_key(|index| attempts.get(&group[*index].finish.lease.job_id).map(|row| row.job.job.document_id));
    let mut named = BTreeMap::new();
    for finish in group.iter().map(|pending| &pending.finish) {
        if let Some(row) = attempts.get(&finish.lease.job_id) {
            let signal = HostSignal::of(&finish.end);
            let is_affected = signal.failure.is_some() || signal.retry_after.is_some();
            // A host without a row has no state, and a page that arrives changes nothing of it.
            if row.is_host_known || is_affected {
                *named.entry(row.job.host.clone()).or_default() |= is_affected;
            }
        }
    }
    let hosts = host_backoff::read(tx, named).await?;
    let mut read = GroupRows { attempts, hosts };
    let mut written = Vec::with_capacity(group.len());
    for index in order {
        let pending = &group[index];
        let done = match savepoints {
            Savepoints::None => {
                write_finish(tx, &pending.finish, &pending.finish.end, &pending.policy, &mut read).await?
            }
            Savepoints::PerFinish => finish_one(tx, pending, &mut read).await?,
        };
        written.push((index, done));
    }
    host_backoff::write(tx, read.hosts).await?;
    if guard.is_none() {
        tx.acquire_lock()?;
    }
    Ok((written, guard))
}

async fn finish_one(tx: &mut Tx<'_>, pending: &Finishing, read: &mut GroupRows) -> Result<FinishWrite> {
    let finish = &pending.finish;
    let before = tx.recorded_count();
    tx.script("SAVEPOINT one").await?;
    match write_at_once(tx, finish, &finish.end, &pending.policy, read).await {
        Err(StoreError::Refused(why)) => {
            // Only the data of this attempt is refused; the other finishes of the group are not affected.
            rollback_to_savepoint(tx, before).await?;
            let failure = Failure::unexpected("StoreRefused", format!("the database refused the data: {why}"));
            let end = AttemptEnd::Failed(failure);
            match write_at_once(tx, finish, &end, &pending.policy, read).await {
                Err(StoreError::Refused(why)) => {
                    rollback_to_savepoint(tx, before).await?;
                    tx.script("RELEASE one").await?;
                    Ok(FinishWrite::Refused(StoreError::Refused(why)))
                }
                other => release_savepoint(tx, other).await,
            }
        }
        other => release_savepoint(tx, other).await,
    }
}

/// Writes a finish without waiting for others of its group, so that an error is the error of this one.
async fn write_at_once(
    tx: &mut Tx<'_>,
    finish: &Finish,
    end: &AttemptEnd,
    policy: &RetryPolicy,
    read: &mut GroupRows,
) -> Result<FinishWrite> {
    let written = write_finish(tx, finish, end, policy, read).await?;
    tx.write_batches().await?;
    Ok(written)
}

async fn rollback_to_savepoint(tx: &mut Tx<'_>, recorded: usize) -> Result<()> {
    tx.script("ROLLBACK TO one").await?;
    tx.discard_outcomes(recorded);
    Ok(())
}

async fn release_savepoint(tx: &mut Tx<'_>, written: Result<FinishWrite>) -> Result<FinishWrite> {
    let written = written?;
    tx.script("RELEASE one").await?;
    Ok(written)
}

async fn write_finish(
    tx: &mut Tx<'_>,
    finish: &Finish,
    end: &AttemptEnd,
    policy: &RetryPolicy,
    read: &mut GroupRows,
) -> Result<FinishWrite> {
    let lease = finish.lease;
    let read_before = read.attempts.remove(&lease.job_id);
    let read_now = match read_before {
        Some(_) => None,
        None => attempts::lock(tx, vec![lease.job_id.0]).await?.remove(&lease.job_id),
    };
    let attempt = read_before.or(read_now);
    let is_current = |row: &JobRow| row.job.state == JobState::Running && row.token == Some(lease.token.0);
    let Some(AttemptRow { job: row, document, .. }) = attempt.filter(|attempt| is_current(&attempt.job)) else {
        return Ok(FinishWrite::NothingToWrite(committed_before(tx, lease).await?.unwrap_or(FinishResult::LeaseLost)));
    };
    if document.as_ref().is_some_and(|document| document.fence >= lease.token.0) {
        return Ok(FinishWrite::NothingToWrite(FinishResult::LeaseLost));
    }
    let mended = match &document {
        // A text that a person has restored stays until the page changes, unless the whole page was asked for.
        Some(document) if document.is_restored && !row.fetch_whole => None,
        Some(document) if document.is_restored || tx.is_on_chatwoot_database() => mended(tx, document, end).await?,
        _ => None,
    };
    let end = mended.as_ref().unwrap_or(end);
    if let Some(document) = &document {
        documents::ensure_states(tx, std::slice::from_ref(document)).await?;
    }
    let unfit = match &document {
        None => Some("the document was removed".to_owned()),
        Some(document) => document.syncable().err().map(|reason| format!("the document {reason}")),
    };
    let to = match &unfit {
        Some(reason) => row.job.cancelled(Some(reason), tx.now),
        None => row.job.finished(end, policy, finish.duration, tx.now),
    };
    let with = TransitionData {
        token: Some(lease.token.0),
        worker: row.worker_name.clone(),
        page: if unfit.is_none() { page_written(end) } else { None },
        fetched: if unfit.is_none() { full_fetch(end) } else { None },
        quarantined: if unfit.is_none() { page_quarantined(end) } else { None },
        failed_try: failed_try(&to, end, policy),
        stages: finish.stages,
        ..TransitionData::default()
    };
    apply(tx, &row, document.as_ref(), &to, with).await?;
    read.hosts.record(&row.host, HostSignal::of(end), row.job.document_id, tx);
    Ok(FinishWrite::Applied { state: to.state, outcomes: to.outcomes.len(), report: to.report })
}

/// Returns the end that writes the fetched text anew, if it is the text of the stored fingerprint and another text is
/// stored: Chatwoot's crawl writes a text and leaves the fingerprint as it was, and so does a person who restores one.
/// Returns `None` otherwise.
async fn mended(tx: &mut Tx<'_>, document: &Document, end: &AttemptEnd) -> Result<Option<AttemptEnd>> {
    let AttemptEnd::Fetched { page, fingerprint, change: ContentChange::Same } = end else { return Ok(None) };
    let is_its_text = page.fingerprint == *fingerprint;
    if !is_its_text || document.stored_fingerprint().as_ref() != Some(fingerprint) || document.syncable().is_err() {
        return Ok(None);
    }
    let stored = query("SELECT content FROM captain_documents WHERE id = ?").bind(document.id);
    let row = tx.all(stored).await?;
    let Some(stored) = row.first().map(|row| get::<Option<String>>(row, 0)).transpose()?.flatten() else {
        return Ok(None);
    };
    let is_stored = Fingerprint::of(&stored);
    if is_stored == *fingerprint || is_stored == Fingerprint::of(&without_nul(page.content.clone())) {
        return Ok(None);
    }
    let (page, fingerprint) = (page.clone(), fingerprint.clone());
    Ok(Some(AttemptEnd::Fetched { page, fingerprint, change: ContentChange::Changed }))
}

/// Returns the result of a finish that was committed although its commit returned an error; `None` if no such finish is
/// recorded, or if a rescue ended the attempt.
async fn committed_before(tx: &mut Tx<'_>, lease: JobLease) -> Result<Option<FinishResult>> {
    let statement = query("SELECT * FROM @outcomes WHERE job_id = ? AND token = ? ORDER BY seq");
    let rows = tx.all(statement.bind(lease.job_id.0).bind(lease.token.0)).await?;
    let outcomes: Vec<Outcome> = rows.iter().map(outcome).collect::<Result<_>>()?;
    let Some(last) = outcomes.last() else { return Ok(None) };
    if outcomes.iter().any(|outcome| outcome.result == OutcomeResult::WorkerLost) {
        return Ok(None);
    }
    let state = match last.result.kind() {
        OutcomeKind::Success => JobState::Done,
        OutcomeKind::Cancelled => JobState::Cancelled,
        OutcomeKind::Purged => JobState::Purged,
        OutcomeKind::Failure | OutcomeKind::Refused if last.next_attempt_at.is_some() => JobState::Scheduled,
        OutcomeKind::Failure | OutcomeKind::Refused | OutcomeKind::Exhaustion => JobState::Failed,
        // A lost attempt was ended by a rescue, not by this finish; a removal ends none.
        OutcomeKind::Lost | OutcomeKind::Act => return Ok(None),
    };
    let report = match (&last.exception_class, &outcomes[0].detail) {
        (Some(class), Some(detail)) if last.result.is_exhaustion() => {
            Some(ErrorReport { exception_class: class.clone(), detail: detail.clone() })
        }
        _ => None,
    };
    Ok(Some(FinishResult::Written { state, outcomes, report }))
}

fn failed_try(to: &Transition, end: &AttemptEnd, policy: &RetryPolicy) -> Option<FailureCount> {
    match end {
        AttemptEnd::Failed(failure) if failure.class != FailureClass::Permanent => Some(FailureCount {
            class: failure.class,
            failures: to.counters.of(failure.class),
            attempts_allowed: policy.attempts(failure.class),
        }),
        _ => None,
    }
}

/// Returns the full fetch of the stored text: of the text that is stored after the finish, whether written now or
/// unchanged.
fn full_fetch(end: &AttemptEnd) -> Option<FullFetch<'_>> {
    match end {
        AttemptEnd::Fetched { page, fingerprint, change } if change.writes() || *change == ContentChange::Same => {
            Some(FullFetch::Converted(page, fingerprint))
        }
        AttemptEnd::Identical(body) => Some(FullFetch::Identical(body)),
        _ => None,
    }
}

/// Returns the page if the finish quarantines it.
fn page_quarantined(end: &AttemptEnd) -> Option<&Page> {
    match end {
        AttemptEnd::Fetched { page, change: ContentChange::Quarantined, .. } | AttemptEnd::Withheld(page) => Some(page),
        _ => None,
    }
}

/// Returns the page if the finish writes its content.
fn page_written(end: &AttemptEnd) -> Option<(&Page, &Fingerprint)> {
    match end {
        AttemptEnd::Fetched { page, fingerprint, change } if change.writes() => Some((page, fingerprint)),
        _ => None,
    }
}
