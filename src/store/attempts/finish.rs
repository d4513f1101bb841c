//! Writes the ends of attempts in groups: one task collects those of a few milliseconds and commits them in one
//! transaction, so that many attempts share one full disk flush.

use crate::domain::content::{ContentChange, Page};
use crate::domain::document::Try;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, Transition};
use crate::domain::outcome::{Outcome, OutcomeKind, OutcomeResult};
use crate::domain::politeness::HostNews;
use crate::domain::retry::RetryPolicy;
use crate::store::attempts::group_commit::{Receiver, gather};
use crate::store::queue::apply::{With, apply};
use crate::store::queue::host_backoff;
use crate::store::queue::host_backoff::Hosts;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::Document;
use crate::store::sql::rows::jobs::JobRow;
use crate::store::sql::rows::outcomes::outcome;
use crate::store::sql::rows::{documents, jobs};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{Finish, Finished, Held, Result, StoreError};
use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;

/// End of an attempt that waits for its transaction, with the policy that decides on retries.
pub(in crate::store) struct Finishing {
    pub(in crate::store) finish: Finish,
    pub(in crate::store) policy: RetryPolicy,
}

/// Writes finishes until every sender is dropped and everything sent is committed.
pub(in crate::store) async fn write_groups(db: Weak<Database>, mut pending: Receiver<Finishing, Finished>) {
    while let Some(first) = pending.recv().await {
        let (group, answers): (Vec<_>, Vec<_>) =
            gather(first, &mut pending).await.into_iter().map(|pending| (pending.write, pending.answer)).unzip();
        let Some(db) = db.upgrade() else { return };
        let finished = finish_group(&db, &group).await;
        for (answer, finished) in answers.into_iter().zip(finished) {
            // The sender may no longer wait; the finish is committed either way.
            let _ = answer.send(finished);
        }
    }
}

/// Result of one finish of a group, before its outcomes have their sequence numbers.
enum Written {
    Now { state: JobState, outcomes: usize, report: Option<ErrorReport> },
    Already(Finished),
    Refused(StoreError),
}

/// Use of savepoints when a group is written. A savepoint for each finish costs two statements, and is needed only
/// after the database refused data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Together,
    EachByItself,
}

/// Rows that are read for the whole group in advance. Each is removed when it is used; a second use reads it anew.
struct Read {
    jobs: HashMap<JobId, JobRow>,
    documents: HashMap<DocumentId, Document>,
    hosts: Hosts,
}

async fn finish_group(db: &Database, group: &[Finishing]) -> Vec<Result<Finished>> {
    let mut tried = try_finish_group(db, group, Care::Together).await;
    if let Err(StoreError::Refused(_)) = tried {
        // Nothing was written. The second run isolates the finish whose data is refused from the others.
        tried = try_finish_group(db, group, Care::EachByItself).await;
    }
    match tried {
        Ok(answers) => answers,
        Err(error) => {
            let words = error.to_string();
            let again = || match &error {
                StoreError::ReadOnly => StoreError::ReadOnly,
                StoreError::Unavailable(reason) => StoreError::Unavailable(reason.clone()),
                StoreError::Schema(mismatch) => StoreError::Schema(*mismatch),
                _ => StoreError::Unavailable(words.clone()),
            };
            group.iter().map(|_| Err(again())).collect()
        }
    }
}

async fn try_finish_group(db: &Database, group: &[Finishing], care: Care) -> Result<Vec<Result<Finished>>> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let jobs = jobs::lock(&mut tx, group.iter().map(|pending| pending.finish.held.job_id)).await?;
    // In document order, so that writers on a database with several never deadlock.
    let mut order: Vec<usize> = (0..group.len()).collect();
    order.sort_by_key(|place| jobs.get(&group[*place].finish.held.job_id).map(|row| row.job.document_id));
    let ids: Vec<DocumentId> = jobs.values().map(|row| row.job.document_id).collect();
    let documents = documents::by_ids(&mut tx, &ids).await?;
    let mut named = BTreeMap::new();
    for finish in group.iter().map(|pending| &pending.finish) {
        if let Some(row) = jobs.get(&finish.held.job_id) {
            let news = HostNews::of(&finish.end);
            *named.entry(row.host.clone()).or_default() |= news.trouble.is_some() || news.told.is_some();
        }
    }
    let hosts = host_backoff::read(&mut tx, named).await?;
    let mut read = Read { jobs, documents, hosts };
    let mut written = Vec::with_capacity(group.len());
    for place in order {
        let pending = &group[place];
        let done = match care {
            Care::Together => {
                write_finish(&mut tx, &pending.finish, &pending.finish.end, &pending.policy, &mut read).await?
            }
            Care::EachByItself => finish_one(&mut tx, pending, &mut read).await?,
        };
        written.push((place, done));
    }
    host_backoff::write(&mut tx, read.hosts).await?;
    let mut outcomes = tx.commit().await?.into_iter();
    let mut answers: Vec<Option<Result<Finished>>> = group.iter().map(|_| None).collect();
    for (place, written) in written {
        answers[place] = Some(match written {
            Written::Now { state, outcomes: count, report } => {
                Ok(Finished::Written { state, outcomes: outcomes.by_ref().take(count).collect(), report })
            }
            Written::Already(finished) => Ok(finished),
            Written::Refused(error) => Err(error),
        });
    }
    Ok(answers.into_iter().map(|answer| answer.unwrap_or(Ok(Finished::Late))).collect())
}

async fn finish_one(tx: &mut Tx<'_>, pending: &Finishing, read: &mut Read) -> Result<Written> {
    let finish = &pending.finish;
    let before = tx.recorded();
    tx.script("SAVEPOINT one").await?;
    match write_finish(tx, finish, &finish.end, &pending.policy, read).await {
        Err(StoreError::Refused(why)) => {
            // Only the data of this attempt is refused; the others of the group are not affected.
            back_to_savepoint(tx, before).await?;
            let failure = Failure::unexpected("StoreRefused", format!("the database refused the data: {why}"));
            let end = AttemptEnd::Failed(failure);
            match write_finish(tx, finish, &end, &pending.policy, read).await {
                Err(StoreError::Refused(why)) => {
                    back_to_savepoint(tx, before).await?;
                    tx.script("RELEASE one").await?;
                    Ok(Written::Refused(StoreError::Refused(why)))
                }
                other => after_savepoint(tx, other).await,
            }
        }
        other => after_savepoint(tx, other).await,
    }
}

async fn back_to_savepoint(tx: &mut Tx<'_>, recorded: usize) -> Result<()> {
    tx.script("ROLLBACK TO one").await?;
    tx.forget(recorded);
    Ok(())
}

async fn after_savepoint(tx: &mut Tx<'_>, written: Result<Written>) -> Result<Written> {
    let written = written?;
    tx.script("RELEASE one").await?;
    Ok(written)
}

async fn write_finish(
    tx: &mut Tx<'_>,
    finish: &Finish,
    end: &AttemptEnd,
    policy: &RetryPolicy,
    read: &mut Read,
) -> Result<Written> {
    let held = finish.held;
    let row = match read.jobs.remove(&held.job_id) {
        Some(row) => Some(row),
        None => jobs::by_id(tx, held.job_id).await?,
    };
    let Some(row) = row.filter(|row| row.job.state == JobState::Running && row.token == Some(held.token.0)) else {
        return Ok(Written::Already(committed_before(tx, held).await?.unwrap_or(Finished::Late)));
    };
    let document = match read.documents.remove(&row.job.document_id) {
        Some(document) => Some(document),
        None => documents::by_id(tx, row.job.document_id).await?,
    };
    if document.as_ref().is_some_and(|document| document.fence >= held.token.0) {
        return Ok(Written::Already(Finished::Late));
    }
    if let Some(document) = &document {
        documents::ensure_states(tx, std::slice::from_ref(document)).await?;
    }
    let unfit = match &document {
        None => Some("the document is gone".to_owned()),
        Some(document) => document.syncable().err().map(|reason| format!("the document {reason}")),
    };
    let to = match &unfit {
        Some(reason) => row.job.cancelled(Some(reason), tx.now),
        None => row.job.finished(end, policy, finish.took, tx.now),
    };
    let with = With {
        token: Some(held.token.0),
        worker: row.worker_name.clone(),
        page: if unfit.is_none() { page_written(end) } else { None },
        fetched: if unfit.is_none() { page_fetched(end) } else { None },
        held: if unfit.is_none() { page_held(end) } else { None },
        try_of: try_of(&to, end, policy),
        ..With::default()
    };
    apply(tx, &row, document.as_ref(), &to, with).await?;
    read.hosts.hear(&row.host, HostNews::of(end), row.job.document_id, tx);
    Ok(Written::Now { state: to.state, outcomes: to.outcomes.len(), report: to.report })
}

/// Returns the result of a finish that was committed although its commit returned an error.
async fn committed_before(tx: &mut Tx<'_>, held: Held) -> Result<Option<Finished>> {
    let statement = query("SELECT * FROM @outcomes WHERE job_id = ? AND token = ? ORDER BY seq");
    let rows = tx.all(statement.bind(held.job_id.0).bind(held.token.0)).await?;
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
        // A lost attempt was ended by a rescue, not by this finish.
        OutcomeKind::Lost => return Ok(None),
    };
    let report = match (&last.exception_class, &outcomes[0].detail) {
        (Some(class), Some(detail)) if last.result.is_exhaustion() => {
            Some(ErrorReport { exception_class: class.clone(), detail: detail.clone() })
        }
        _ => None,
    };
    Ok(Some(Finished::Written { state, outcomes, report }))
}

fn try_of(to: &Transition, end: &AttemptEnd, policy: &RetryPolicy) -> Option<Try> {
    match end {
        AttemptEnd::Failed(failure) if failure.class != FailureClass::Permanent => Some(Try {
            class: failure.class,
            number: to.counters.of(failure.class),
            of: policy.attempts(failure.class),
        }),
        _ => None,
    }
}

/// Returns the page if the finish leaves its text in the store, written or unchanged: what its server sent with it is
/// kept.
fn page_fetched(end: &AttemptEnd) -> Option<(&Page, &Fingerprint)> {
    match end {
        AttemptEnd::Fetched { page, fingerprint, change } if change.writes() || *change == ContentChange::Same => {
            Some((page, fingerprint))
        }
        _ => None,
    }
}

/// Returns the page if the finish quarantines it.
fn page_held(end: &AttemptEnd) -> Option<&Page> {
    match end {
        AttemptEnd::Fetched { page, change: ContentChange::Held, .. } => Some(page),
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
