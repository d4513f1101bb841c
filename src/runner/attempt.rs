//! An attempt of a job: fetch, compare, write. A panic inside ends only this attempt.

use super::chatwoot_text;
use super::event::Event;
use super::fetch_pause;
use super::locking::{self, NextStep};
use super::report;
use super::representation;
use super::running_jobs::{Stop, wait_for_stop};
use super::templates;
use super::worker::Worker;
use crate::domain::backoff::Backoff;
use crate::domain::content::{ContentChange, PriorResponse};
use crate::domain::document::SyncStep;
use crate::domain::failure::{Blame, Failure};
use crate::domain::job::AttemptEnd;
use crate::domain::lock::Lock;
use crate::domain::stages::Stages;
use crate::fault;
use crate::fetch::FetchResponse;
use crate::store::{ClaimedJob, Finish, FinishResult, MarkTiming, StoreError};
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::watch;
use tokio_util::task::AbortOnDropHandle;

/// Runs a claimed job until its result is written, it is deferred or released, or nothing may be written any more (its
/// lease is lost, or the store's schema is newer).
pub(super) async fn run(
    worker: Arc<Worker>,
    mut claimed: ClaimedJob,
    marking: MarkTiming,
    mut stop: watch::Receiver<Option<Stop>>,
) {
    let (lease, document, lock) = (claimed.lease, claimed.document_id, locking::lock_of(&claimed));
    let released = match locking::begin(&worker, &mut claimed, marking, &mut stop).await {
        NextStep::Run => execute(&worker, claimed, &mut stop).await,
        NextStep::Over => false,
        NextStep::Release => true,
    };
    if released {
        release_job(&worker, lease).await;
    }
    worker.running_jobs.remove(lease);
    worker.emit_everywhere(Event::Ended { document });
    worker.claim_wakeup.notify_one();
    // After the commit, and after the slot is free: a Redis that does not answer must not delay the next job.
    locking::release(&worker, lock).await;
}

/// Runs the attempt and writes its result. Returns true if the job must be released instead.
async fn execute(worker: &Arc<Worker>, claimed: ClaimedJob, stop: &mut watch::Receiver<Option<Stop>>) -> bool {
    let started = Instant::now();
    let (lease, url, lock) = (claimed.lease, claimed.url.clone(), locking::lock_of(&claimed));
    // A separate task, so that a panic ends only this attempt.
    let own = Arc::clone(worker);
    let work = AbortOnDropHandle::new(tokio::spawn(async move {
        let mut stages = None;
        let end = work(own, claimed, &mut stages).await;
        end.map(|end| (end, stages))
    }));
    let (end, stages) = tokio::select! {
        biased;
        joined = work => match joined {
            Ok(Some(end)) => end,
            Ok(None) => {
                fetch_pause::begin(worker);
                return true;
            }
            Err(error) => (AttemptEnd::Failed(report::failure_of_join(error, &worker.events)), None),
        },
        why = wait_for_stop(stop) => match why {
            Stop::Cancel => (AttemptEnd::Stopped, None),
            Stop::Release => return true,
            Stop::Lost => {
                worker.measures.note_lost_lease();
                return false;
            }
        },
    };
    let finish = Finish { lease, end, duration: started.elapsed(), stages };
    fault::point("before_finish", &url);
    worker.running_jobs.note_writing(lease);
    worker.claim_wakeup.notify_one();
    let released = write(worker, finish, lock, stop).await;
    fault::point("after_finish", &url);
    released
}

/// Fetches the page and compares it with what is stored. Returns `None` if this machine, not the page, is the reason that
/// it could not be fetched. Sets the durations of the stages of the fetch.
async fn work(worker: Arc<Worker>, claimed: ClaimedJob, stages: &mut Option<Stages>) -> Option<AttemptEnd> {
    let document = claimed.document_id;
    let step = |step| worker.emit_everywhere(Event::Step { document, step });
    step(SyncStep::Fetching);
    fault::point("before_fetch", &claimed.url);
    let template = worker.templates.of(&worker, &claimed).await;
    let version = template.as_ref().map(|template| template.version);
    let mut request = representation::request(&worker, &claimed).await;
    if claimed.stored.template != version {
        // Another version of the host's template made the stored text, or none: the page is fetched and converted whole.
        request.prior = PriorResponse::default();
    }
    // Chatwoot's texts stay whole: there the template only decides whether a page has changed.
    request.chatwoot = chatwoot_text::is_written(&worker, &claimed);
    let stays_whole = request.chatwoot || worker.store.is_chatwoot_database();
    request.template = template.clone().filter(|_| !stays_whole);
    let (fetched, fetch_stages) = worker.live().fetcher.fetch_timed(&request).await;
    *stages = fetch_stages;
    if fetched.as_ref().is_err_and(|failure| failure.blame == Blame::Machine) {
        return None;
    }
    representation::record(&worker, &request, &fetched).await;
    let mut page = match fetched {
        Ok(FetchResponse::Page(page)) => page,
        Ok(FetchResponse::NotModified) => return Some(AttemptEnd::NotModified),
        Ok(FetchResponse::Identical(body)) => return Some(AttemptEnd::Identical(body)),
        Err(failure) => return Some(AttemptEnd::Failed(failure)),
    };
    fault::point("after_fetch", &claimed.url);
    step(SyncStep::Comparing);
    page.template = version;
    if let Some(observation) = page.blocks.observation.take() {
        worker.templates.observe(&claimed.url, observation.made_at(worker.store.now()), template.as_deref());
    }
    let (change, reason) = match request.chatwoot {
        true => chatwoot_text::compare(&worker, &claimed, &mut page).await,
        false => claimed.stored.compare(&page),
    };
    let change = representation::judge(&worker, &claimed, &mut page, change).await;
    let change = templates::compare(&worker, &claimed, template.as_deref(), &page, change).await;
    let (change, reason) = match request.chatwoot {
        true => chatwoot_text::prepare(&worker, &claimed.stored, &mut page, (change, reason)).await,
        false => (change, reason),
    };
    page.quarantine_reason = reason.filter(|_| change != ContentChange::Same);
    if change == ContentChange::Quarantined && claimed.stored.chars.is_none() {
        return Some(AttemptEnd::Withheld(page));
    }
    // A page that counts as the same has the fingerprint of the text that stays.
    let stored = claimed.stored.fingerprint.clone().filter(|_| change == ContentChange::Same);
    let fingerprint = stored.unwrap_or_else(|| page.fingerprint.clone());
    if change.writes() {
        step(SyncStep::Updating);
    }
    Some(AttemptEnd::Fetched { page, fingerprint, change })
}

/// Writes the attempt's result. A database that does not answer is never the document's failure: the result is kept and
/// the write is retried until it succeeds, the lease is lost or the job must be released. If the database refuses the
/// result, an unexpected failure is written instead. Returns true if the job must be released.
async fn write(worker: &Worker, mut finish: Finish, lock: Lock, stop: &mut watch::Receiver<Option<Stop>>) -> bool {
    let mut backoff = Backoff::of_service();
    let mut was_refused = false;
    let ended = Instant::now();
    loop {
        match locking::verify(worker, lock, stop).await {
            NextStep::Run => {}
            NextStep::Over => return false,
            NextStep::Release => return true,
        }
        match worker.store.finish(finish.clone(), &worker.live().settings.policy).await {
            Ok(FinishResult::Written { report, outcomes, .. }) => {
                for outcome in &outcomes {
                    let (document, result) = (outcome.document_id.0, outcome.result.word());
                    tracing::debug!(document, result, duration_ms = outcome.duration_ms, "an attempt was recorded");
                }
                if let Some(report) = report {
                    worker.reporter.report(&report);
                }
                worker.measures.note_write(ended.elapsed());
                worker.store_recovered();
                return false;
            }
            // This process cannot write to a newer schema; a worker of the newer version repeats the attempt.
            Err(StoreError::Schema(_)) => return false,
            Ok(FinishResult::LeaseLost) => {
                worker.measures.note_lost_lease();
                return false;
            }
            Err(error @ (StoreError::Refused(_) | StoreError::Corrupt(_))) => {
                // The store has already split the batch: a refusal that arrives here concerns this attempt alone.
                if was_refused && matches!(&finish.end, AttemptEnd::Failed(_)) {
                    worker.emit(Event::Problem { message: error.to_string().as_str().into() });
                    return false;
                }
                was_refused = true;
                finish.end = AttemptEnd::Failed(Failure::unexpected("StoreError", error.to_string()));
            }
            Err(error) => {
                worker.running_jobs.note_write_failure(finish.lease);
                match locking::wait_for_store(worker, &error, &mut backoff, stop).await {
                    NextStep::Run => {}
                    NextStep::Over => return false,
                    NextStep::Release => return true,
                }
            }
        }
    }
}

async fn release_job(worker: &Worker, lease: crate::store::JobLease) {
    if let Err(error) = worker.store.release(&[lease]).await
        && !matches!(error, StoreError::Schema(_))
    {
        // The lease expires, and then the job is rescued.
        worker.emit(Event::Problem { message: format!("a job could not be released: {error}").as_str().into() });
    }
}
