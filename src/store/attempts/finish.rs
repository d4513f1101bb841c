//! Finishes, grouped: one task takes what has come within a few milliseconds and writes it in one transaction, so that
//! a full disk flush is paid once for many attempts.

use crate::domain::document::Try;
use crate::domain::failure::{Failure, FailureClass};
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{AttemptEnd, ErrorReport, JobState, Transition};
use crate::domain::outcome::{Outcome, OutcomeKind, OutcomeResult};
use crate::domain::politeness::HostNews;
use crate::domain::retry::RetryPolicy;
use crate::store::queries::outcomes::outcome;
use crate::store::queue::apply::{With, class_code};
use crate::store::queue::host_backoff::Hosts;
use crate::store::sql::rows::{Document, JobRow};
use crate::store::sql::statement::query;
use crate::store::sql::transaction::{Purpose, Tx};
use crate::store::sql_store::SqlStore;
use crate::store::{Finish, Finished, Held, Result, StoreError, page_fetched, page_held, page_written};
use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Finishes in one transaction.
const GROUP: usize = 32;
/// How long the first of a group waits for others.
const GATHER: Duration = Duration::from_millis(5);

/// A finish on its way to the writer task.
pub(in crate::store) struct Pending {
    pub(in crate::store) finish: Finish,
    pub(in crate::store) policy: RetryPolicy,
    pub(in crate::store) answer: oneshot::Sender<Result<Finished>>,
}

/// Runs until every sender is gone and what they sent is written.
pub(in crate::store) async fn write_groups(store: Weak<SqlStore>, mut pending: mpsc::Receiver<Pending>) {
    while let Some(first) = pending.recv().await {
        let group = gather(first, &mut pending).await;
        let Some(store) = store.upgrade() else { return };
        let answers = store.finish_group(&group).await;
        for (pending, answer) in group.into_iter().zip(answers) {
            // Nobody waits any more: the finish stands all the same.
            let _ = pending.answer.send(answer);
        }
    }
}

/// What comes together with `first`.
pub(in crate::store) async fn gather<T>(first: T, pending: &mut mpsc::Receiver<T>) -> Vec<T> {
    let mut group = vec![first];
    let until = Instant::now() + GATHER;
    while group.len() < GROUP {
        match timeout_at(until, pending.recv()).await {
            Ok(Some(next)) => group.push(next),
            Ok(None) | Err(_) => break,
        }
    }
    group
}

/// What one finish of a group has come to, before its outcomes have their numbers.
enum Written {
    Now { state: JobState, outcomes: usize, report: Option<ErrorReport> },
    Already(Finished),
    Refused(StoreError),
}

/// How a group is written. A savepoint for each costs two statements, and is needed only when data is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Care {
    Together,
    EachByItself,
}

/// What a group is read at once; each is taken out when it is used, and read again when it is wanted again.
struct Read {
    jobs: HashMap<JobId, JobRow>,
    documents: HashMap<DocumentId, Document>,
    hosts: Hosts,
}

impl SqlStore {
    /// Hands a finish to the writer task, and waits until it is committed.
    pub(super) async fn send_finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished> {
        self.writable()?;
        let closed = || StoreError::Unavailable("the store is closed".into());
        let sender = self.finishes.lock().await.clone().ok_or_else(closed)?;
        let (answer, answered) = oneshot::channel();
        sender.send(Pending { finish, policy: policy.clone(), answer }).await.map_err(|_| closed())?;
        drop(sender);
        answered.await.map_err(|_| closed())?
    }

    async fn finish_group(&self, group: &[Pending]) -> Vec<Result<Finished>> {
        let mut tried = self.try_finish_group(group, Care::Together).await;
        if let Err(StoreError::Refused(_)) = tried {
            // Nothing was written: again, so that the others are not touched by the one whose data is refused.
            tried = self.try_finish_group(group, Care::EachByItself).await;
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

    async fn try_finish_group(&self, group: &[Pending], care: Care) -> Result<Vec<Result<Finished>>> {
        let mut tx = self.begin(Purpose::Rows).await?;
        let jobs = tx.lock_jobs(group.iter().map(|pending| pending.finish.held.job_id)).await?;
        // In document order, so that writers on a database with several never wait for each other in a circle.
        let mut order: Vec<usize> = (0..group.len()).collect();
        order.sort_by_key(|place| jobs.get(&group[*place].finish.held.job_id).map(|row| row.job.document_id));
        let ids: Vec<DocumentId> = jobs.values().map(|row| row.job.document_id).collect();
        let documents = tx.documents(&ids).await?;
        let mut named = BTreeMap::new();
        for finish in group.iter().map(|pending| &pending.finish) {
            if let Some(row) = jobs.get(&finish.held.job_id) {
                let news = HostNews::of(&finish.end);
                *named.entry(row.host.clone()).or_default() |= news.trouble.is_some() || news.told.is_some();
            }
        }
        let hosts = tx.hosts(named).await?;
        let mut read = Read { jobs, documents, hosts };
        let mut written = Vec::with_capacity(group.len());
        for place in order {
            let pending = &group[place];
            let done = match care {
                Care::Together => {
                    tx.write_finish(&pending.finish, &pending.finish.end, &pending.policy, &mut read).await?
                }
                Care::EachByItself => tx.finish_one(pending, &mut read).await?,
            };
            written.push((place, done));
        }
        tx.write_hosts(read.hosts).await?;
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
}

impl Tx<'_> {
    async fn finish_one(&mut self, pending: &Pending, read: &mut Read) -> Result<Written> {
        let finish = &pending.finish;
        let before = self.recorded();
        self.script("SAVEPOINT one").await?;
        match self.write_finish(finish, &finish.end, &pending.policy, read).await {
            Err(StoreError::Refused(why)) => {
                // The data of this attempt alone is refused; the others of the group are not touched by it.
                self.back_to_savepoint(before).await?;
                let failure = Failure::unexpected("StoreRefused", format!("the database refused the data: {why}"));
                let end = AttemptEnd::Failed(failure);
                match self.write_finish(finish, &end, &pending.policy, read).await {
                    Err(StoreError::Refused(why)) => {
                        self.back_to_savepoint(before).await?;
                        self.script("RELEASE one").await?;
                        Ok(Written::Refused(StoreError::Refused(why)))
                    }
                    other => self.after_savepoint(other).await,
                }
            }
            other => self.after_savepoint(other).await,
        }
    }

    async fn back_to_savepoint(&mut self, recorded: usize) -> Result<()> {
        self.script("ROLLBACK TO one").await?;
        self.forget(recorded);
        Ok(())
    }

    async fn after_savepoint(&mut self, written: Result<Written>) -> Result<Written> {
        let written = written?;
        self.script("RELEASE one").await?;
        Ok(written)
    }

    async fn write_finish(
        &mut self,
        finish: &Finish,
        end: &AttemptEnd,
        policy: &RetryPolicy,
        read: &mut Read,
    ) -> Result<Written> {
        let held = finish.held;
        let row = match read.jobs.remove(&held.job_id) {
            Some(row) => Some(row),
            None => self.job(held.job_id).await?,
        };
        let Some(row) = row.filter(|row| row.job.state == JobState::Running && row.token == Some(held.token.0)) else {
            return Ok(Written::Already(self.committed_before(held).await?.unwrap_or(Finished::Late)));
        };
        let document = match read.documents.remove(&row.job.document_id) {
            Some(document) => Some(document),
            None => self.document(row.job.document_id).await?,
        };
        if document.as_ref().is_some_and(|document| document.fence >= held.token.0) {
            return Ok(Written::Already(Finished::Late));
        }
        if let Some(document) = &document {
            self.ensure_states(std::slice::from_ref(document)).await?;
        }
        let unfit = match &document {
            None => Some("the document is gone".to_owned()),
            Some(document) => document.syncable().err().map(|reason| format!("the document {reason}")),
        };
        let to = match &unfit {
            Some(reason) => row.job.cancelled(Some(reason), self.now),
            None => row.job.finished(end, policy, finish.took, self.now),
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
        self.apply(&row, document.as_ref(), &to, with).await?;
        read.hosts.hear(&row.host, HostNews::of(end), row.job.document_id, self);
        Ok(Written::Now { state: to.state, outcomes: to.outcomes.len(), report: to.report })
    }

    /// The answer of a finish whose commit was answered with an error and had been made all the same.
    async fn committed_before(&mut self, held: Held) -> Result<Option<Finished>> {
        let statement = query("SELECT * FROM @outcomes WHERE job_id = ? AND token = ? ORDER BY seq");
        let rows = self.all(statement.bind(held.job_id.0).bind(held.token.0)).await?;
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

/// Reads back what [`class_code`] stored.
pub(in crate::store) fn class_from_code(code: i64) -> Option<FailureClass> {
    [FailureClass::Permanent, FailureClass::Transient, FailureClass::Unexpected]
        .into_iter()
        .find(|class| class_code(*class) == code)
}
