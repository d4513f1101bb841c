//! Waits until jobs have ended, with a progress bar. When no worker runs, this process runs the jobs.
//!
//! The end of a job is read from the log of outcomes, so that it does not matter which process runs the job.
//! [`AwaitedJobs`] is the pure part.

use super::context::Context;
use super::crawling::followed;
use super::exit::{CliError, Exit, ensure_same_schema};
use super::outcome_line;
use super::output::{Output, is_quiet, note, problem};
use super::progress;
use super::stop::StopSignals;
use super::style::Emphasis;
use super::wiring::{connect_worker, report_lock_health, start_runner};
use crate::domain::filter::{Filter, FilterCondition, Term};
use crate::domain::id::{DocumentId, JobId, Seq};
use crate::domain::link::host_of;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::request::{DocumentAnswer, RequestAnswer};
use crate::fetch::FetchSettings;
use crate::format;
use crate::runner::Mode;
use crate::runner::handle::Handle;
use crate::runner::tail::{TailItem, follow};
use crate::store::{Sort, Store, StoreError};
use jiff::tz::TimeZone;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Interval at which removed documents and the number of workers are polled: their changes produce no outcome.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// Maximum number of document IDs in one filter.
const IDS_PER_FILTER: usize = 500;

/// The jobs that the verb still waits for, with the numbers of all its jobs and of those that ended as synced and as
/// failed.
#[derive(Debug, Default)]
pub(super) struct AwaitedJobs {
    pending: HashMap<JobId, DocumentId>,
    urls: HashMap<DocumentId, String>,
    total: usize,
    synced: usize,
    failed: usize,
    /// Jobs that nobody runs, since credentials are missing.
    unfetchable: usize,
    /// Documents whose failure is no new one, with the number of those that failed; `None` if every failure counts.
    known_failures: Option<(HashSet<DocumentId>, usize)>,
}

impl AwaitedJobs {
    /// Returns an empty collection. `urls` are the URLs for messages.
    pub(super) fn with_urls(urls: HashMap<DocumentId, String>) -> Self {
        Self { urls, ..Self::default() }
    }

    /// Counts failures of these documents, which were failed before, as none.
    pub(super) fn ignore_failures_of(&mut self, documents: Vec<DocumentId>) {
        self.known_failures = Some((documents.into_iter().collect(), 0));
    }

    /// Returns true if the outcome is worth a line of a quiet run: a failure, and a new one where only those count.
    fn matters(&self, outcome: &Outcome) -> bool {
        let is_known = self.known_failures.as_ref().is_some_and(|(known, _)| known.contains(&outcome.document_id));
        !is_known && Emphasis::of_outcome(outcome.content, outcome.result) == Emphasis::Bad
    }

    /// Adds the jobs of a request's answers. Answers without a job are left out.
    pub(super) fn add(&mut self, answers: &[DocumentAnswer]) {
        let job = |response: &DocumentAnswer| match response.answer {
            RequestAnswer::Queued(job)
            | RequestAnswer::Promoted(job)
            | RequestAnswer::RunsNow(job)
            | RequestAnswer::AlreadyQueued(job)
            | RequestAnswer::AlreadySyncing(job, _) => Some((job, response.document_id)),
            RequestAnswer::Skipped(_)
            | RequestAnswer::Cancelled(_)
            | RequestAnswer::Stopping(_)
            | RequestAnswer::FaqNoted => None,
        };
        self.pending.extend(answers.iter().filter_map(job));
        self.total = self.pending.len();
    }

    /// Counts an outcome that ends a job. Returns true if the outcome belongs to a job that is still awaited.
    pub(super) fn record(&mut self, outcome: &Outcome) -> bool {
        if !self.pending.contains_key(&outcome.job_id) {
            return false;
        }
        let ended = match outcome.result {
            OutcomeResult::Updated | OutcomeResult::Unchanged => {
                self.synced += 1;
                true
            }
            OutcomeResult::PermanentFailure
            | OutcomeResult::TransientRetryExhausted
            | OutcomeResult::UnexpectedRetryExhausted
            | OutcomeResult::CrashExhausted
            | OutcomeResult::Cancelled
            | OutcomeResult::Purged => {
                self.failed += 1;
                if let Some((known, failed)) = &mut self.known_failures {
                    *failed += usize::from(known.contains(&outcome.document_id));
                }
                true
            }
            // Outcomes after which the job goes on, or that another outcome of the same job follows. A removal is one of
            // the document, not of a job.
            OutcomeResult::TransientFailure
            | OutcomeResult::UnexpectedFailure
            | OutcomeResult::WorkerLost
            | OutcomeResult::AlreadySyncing
            | OutcomeResult::Removed
            | OutcomeResult::Restored => false,
        };
        if ended {
            self.pending.remove(&outcome.job_id);
        }
        true
    }

    /// Counts the jobs of removed documents as failed, since they never run, and returns these documents. A document
    /// was removed if it is not in `left`.
    fn remove_missing(&mut self, left: &HashSet<DocumentId>) -> Vec<DocumentId> {
        let gone: Vec<DocumentId> = self.pending.values().filter(|id| !left.contains(id)).copied().collect();
        self.pending.retain(|_, id| left.contains(id));
        self.failed += gone.len();
        gone
    }

    /// Awaits the jobs of documents no longer that this process cannot fetch; returns these documents with the reason.
    fn remove_unfetchable(&mut self, fetch: &FetchSettings) -> Vec<(DocumentId, String)> {
        let reason = |id: &DocumentId| {
            let host = self.urls.get(id).and_then(|url| host_of(url)).unwrap_or_default();
            fetch.sites.of(*id, &host)?.problem(&fetch.secrets)
        };
        let lacking: Vec<_> = self.pending.values().filter_map(|id| Some((*id, reason(id)?))).collect();
        self.pending.retain(|_, id| !lacking.iter().any(|(lacking, _)| lacking == id));
        self.unfetchable += lacking.len();
        lacking
    }

    fn is_over(&self) -> bool {
        self.pending.is_empty()
    }

    fn exit(&self) -> Exit {
        let known = self.known_failures.as_ref().map_or(0, |(_, failed)| *failed);
        if self.synced + known == self.total { Exit::Done } else { Exit::SomeFailed }
    }

    /// Returns a progress bar such as `[=====     ] 60 of 120 done, 2 failed`, but longer.
    fn progress(&self) -> String {
        let ended = self.total - self.pending.len();
        let failed = if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() };
        format!("{} {ended} of {} done{failed}", progress::bar(ended as u64, self.total as u64), self.total)
    }
}

/// Waits until every awaited job has ended or a signal arrives, and prints the jobs' outcomes as they are recorded.
/// Reads only outcomes after number `after`. Returns [`Exit::Done`] only if all jobs ended with a synced document.
pub(super) async fn until_ended(
    context: &Context,
    store: Arc<dyn Store>,
    after: Seq,
    mut awaited: AwaitedJobs,
    json: bool,
    out: &mut Output,
) -> Result<Exit, CliError> {
    let mut own: Option<Handle> = None;
    let waited = watch(context, &store, after, &mut awaited, &mut own, json, out).await;
    progress::clear();
    if let Some(runner) = own {
        // The awaited jobs have ended; other jobs that this runner took go back to the queue unchanged.
        runner.leave();
        runner.ended().await;
    }
    waited?;
    if !json {
        let failed = awaited.total - awaited.synced - awaited.unfetchable;
        let queued = match awaited.unfetchable {
            0 => String::new(),
            queued => format!(", {queued} still queued"),
        };
        out.confirmation(format!(
            "{} synced, {failed} failed{queued}",
            format::count(awaited.synced as u64, "document")
        ))?;
    }
    Ok(awaited.exit())
}

async fn watch(
    context: &Context,
    store: &Arc<dyn Store>,
    after: Seq,
    awaited: &mut AwaitedJobs,
    own: &mut Option<Handle>,
    json: bool,
    out: &mut Output,
) -> Result<(), CliError> {
    let zone = TimeZone::system();
    let mut stop = StopSignals::listen()?;
    let mut tail = follow(store.clone(), after);
    let mut mismatch = store.schema_mismatch();
    let mut ticks = interval(POLL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !awaited.is_over() {
        ensure_same_schema(&**store)?;
        progress::show(&awaited.progress());
        tokio::select! {
            Ok(()) = mismatch.changed() => progress::clear(),
            tailed = tail.recv() => match tailed {
                Some(TailItem::Outcomes(outcomes)) => {
                    progress::clear();
                    for outcome in &outcomes {
                        if !awaited.record(outcome) {
                            continue;
                        }
                        if json {
                            out.line(outcome.json())?;
                        } else if !is_quiet() || awaited.matters(outcome) {
                            out.line(outcome_line::painted(outcome, &zone, out))?;
                        }
                    }
                    out.flush()?;
                }
                Some(TailItem::Unreachable(error)) => {
                    progress::clear();
                    problem(format!("{error}; retrying"));
                }
                None => return Err(StoreError::Unavailable("the log of outcomes ended".to_owned()).into()),
            },
            _ = ticks.tick() => {
                if let Err(error) = poll_store(context, store, awaited, own).await {
                    match error {
                        CliError::Store(StoreError::Unavailable(_)) => {}
                        error => return Err(error),
                    }
                }
            }
            () = stop.next() => {
                progress::clear();
                problem(format!("stopped waiting; {} of {} syncs have not ended", awaited.pending.len(), awaited.total));
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Starts a runner in this process, stored in `own`, if no worker runs. Stops waiting for documents that were removed.
async fn poll_store(
    context: &Context,
    store: &Arc<dyn Store>,
    awaited: &mut AwaitedJobs,
    own: &mut Option<Handle>,
) -> Result<(), CliError> {
    if own.is_none() && store.queue().await?.workers == 0 {
        let redis = connect_worker(&context.config, &**store).await?;
        let runner = start_runner(&followed(&context.config, &**store).await?, store.clone(), redis, Mode::OnDemand)?;
        report_lock_health(&runner);
        *own = Some(runner);
    }
    let documents: Vec<i64> = awaited.pending.values().map(|id| id.0).collect();
    let mut left = HashSet::new();
    for ids in documents.chunks(IDS_PER_FILTER) {
        let filter = Filter { terms: vec![Term { negated: false, condition: FilterCondition::Id(ids.to_vec()) }] };
        left.extend(store.matching(&filter, Sort::BY_ID, None).await?);
    }
    let fetch = &context.config.fetch;
    if own.is_some() && !fetch.sites.unfetchable(&fetch.secrets).is_empty() {
        // A selection by a filter brings no URLs.
        let unknown: Vec<_> = awaited.pending.values().filter(|id| !awaited.urls.contains_key(id)).copied().collect();
        for ids in unknown.chunks(IDS_PER_FILTER) {
            awaited.urls.extend(store.rows(ids).await?.into_iter().map(|row| (row.id, row.url.to_string())));
        }
        for (id, reason) in awaited.remove_unfetchable(fetch) {
            let url = awaited.urls.get(&id).map(|url| format!(" {url}")).unwrap_or_default();
            problem(format!(
                "document {id}{url} stays queued, since no other worker runs and this process cannot sync it: {reason}"
            ));
        }
    }
    for id in awaited.remove_missing(&left) {
        let url = awaited.urls.get(&id).map(|url| format!(" {url}")).unwrap_or_default();
        note(format!("document {id}{url} was removed"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{AccountId, AssistantId};
    use crate::domain::job::QueueClass;
    use crate::domain::text::SafeLine;
    use crate::domain::time::Timestamp;

    fn outcome(job: i64, result: OutcomeResult) -> Outcome {
        Outcome {
            document_id: DocumentId(job * 10),
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
            result,
            error_code: None,
            exception_class: None,
            duration_ms: None,
            at: Timestamp::from_micros(0),
            seq: Seq(1),
            job_id: JobId(job),
            attempt: 1,
            queue: QueueClass::Manual,
            url: SafeLine::new("https://example.org"),
            http_status: None,
            detail: None,
            content: None,
            bytes: None,
            next_attempt_at: None,
            worker: None,
            requested_by: None,
            stages: None,
            name: SafeLine::default(),
        }
    }

    fn awaited(jobs: &[i64]) -> AwaitedJobs {
        let answers: Vec<DocumentAnswer> = jobs
            .iter()
            .map(|job| DocumentAnswer { document_id: DocumentId(job * 10), answer: RequestAnswer::Queued(JobId(*job)) })
            .collect();
        let mut awaited = AwaitedJobs::default();
        awaited.add(&answers);
        awaited
    }

    #[test]
    fn only_what_ends_a_job_ends_the_wait() {
        for result in OutcomeResult::ALL {
            let mut one = awaited(&[1]);
            assert!(one.record(&outcome(1, result)) && !one.record(&outcome(2, result)));
            let expected = match result {
                OutcomeResult::Updated | OutcomeResult::Unchanged => (true, Exit::Done),
                OutcomeResult::AlreadySyncing
                | OutcomeResult::TransientFailure
                | OutcomeResult::UnexpectedFailure
                | OutcomeResult::WorkerLost
                // Its document is gone, which `remove_missing` notices.
                | OutcomeResult::Removed
                | OutcomeResult::Restored => (false, Exit::SomeFailed),
                _ => (true, Exit::SomeFailed),
            };
            assert_eq!((one.is_over(), one.exit()), expected, "{result:?}");
        }
    }

    #[test]
    fn only_new_failures_count_if_asked_for() {
        for (failed, expected) in [(1, Exit::Done), (2, Exit::SomeFailed)] {
            let mut two = awaited(&[1, 2]);
            two.ignore_failures_of(vec![DocumentId(10)]);
            let failure = outcome(failed, OutcomeResult::PermanentFailure);
            assert_eq!(two.matters(&failure), failed == 2, "a quiet run names new failures only");
            two.record(&outcome(failed, OutcomeResult::PermanentFailure));
            two.record(&outcome(3 - failed, OutcomeResult::Updated));
            assert_eq!(two.exit(), expected);
        }
    }

    #[test]
    fn a_removed_document_is_not_waited_for() {
        let mut three = awaited(&[1, 2, 3]);
        three.record(&outcome(1, OutcomeResult::Updated));
        let gone = three.remove_missing(&HashSet::from([DocumentId(20)]));
        assert_eq!((gone, three.is_over()), (vec![DocumentId(30)], false));
        three.record(&outcome(2, OutcomeResult::Unchanged));
        assert_eq!((three.is_over(), three.exit()), (true, Exit::SomeFailed));
    }

    #[test]
    fn nothing_to_wait_for_is_done() {
        let skipped = DocumentAnswer {
            document_id: DocumentId(1),
            answer: RequestAnswer::Skipped(crate::domain::request::SkipReason::NothingToCancel),
        };
        let mut none = AwaitedJobs::default();
        none.add(&[skipped]);
        assert_eq!((none.is_over(), none.exit()), (true, Exit::Done));
    }

    #[test]
    fn progress_counts_what_has_ended() {
        let mut four = awaited(&[1, 2, 3, 4]);
        assert_eq!(four.progress(), format!("[{}] 0 of 4 done", " ".repeat(24)));
        four.record(&outcome(1, OutcomeResult::Updated));
        four.record(&outcome(2, OutcomeResult::PermanentFailure));
        assert_eq!(four.progress(), format!("[{}{}] 2 of 4 done, 1 failed", "=".repeat(12), " ".repeat(12)));
    }
}
