//! Tests the job state machine as tables: the effect of each event on a job, its document's row and the log.

use proptest::prelude::*;
use quarterdeck::domain::content::{ContentChange, IdenticalBody, Page};
use quarterdeck::domain::content_guard::QuarantineReason;
use quarterdeck::domain::document::{Status, SyncStatus};
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::{DocumentId, JobId};
use quarterdeck::domain::job::{AttemptEnd, Job, JobState, QueueClass, RowBefore, RowWrite, Transition};
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::domain::outcome::OutcomeResult as R;
use quarterdeck::domain::request::{LiveJob, Request, RequestKind, RequestScope, RequestStep, SkipReason};
use quarterdeck::domain::retry::{Counters, LAST_ATTEMPT_WAIT, LossCause, RetryPolicy};
use quarterdeck::domain::time::Timestamp;
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_micros(1_000_000_000_000_000);

fn running() -> Job {
    Job {
        id: JobId(1),
        document_id: DocumentId(1),
        state: JobState::Running,
        class: QueueClass::Manual,
        run_at: NOW,
        counters: Counters { attempt: 1, ..Counters::default() },
        last_failure: None,
        row_before: Some(before()),
        cancel_requested_by: None,
    }
}

fn before() -> RowBefore {
    RowBefore {
        sync_status: Some(SyncStatus::Synced),
        error_code: None,
        attempted_at: Some(NOW.minus(Duration::from_secs(9))),
    }
}

fn fetched(change: ContentChange) -> AttemptEnd {
    let page = Page::new(Some("Title"), "text".into(), 4, 200).expect("text is not blank");
    let fingerprint = Fingerprint::of(&page.content);
    AttemptEnd::Fetched { page: Box::new(page), fingerprint, change }
}

fn permanent() -> AttemptEnd {
    AttemptEnd::Failed(Failure::from_status(404, "Not Found"))
}

fn transient() -> AttemptEnd {
    AttemptEnd::Failed(Failure::from_status(503, "Service Unavailable"))
}

fn unexpected() -> AttemptEnd {
    AttemptEnd::Failed(Failure::unexpected("panic", "boom"))
}

fn finish(job: &Job, end: &AttemptEnd) -> Transition {
    job.finished(end, &RetryPolicy::default(), Duration::from_millis(212), NOW)
}

fn results(transition: &Transition) -> Vec<R> {
    transition.outcomes.iter().map(|outcome| outcome.result).collect()
}

fn after(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

#[test]
fn a_good_attempt_ends_the_job_and_says_what_it_found() {
    let cases = [
        (ContentChange::First, R::Unchanged),
        (ContentChange::Same, R::Unchanged),
        (ContentChange::NotModified, R::Unchanged),
        (ContentChange::Quarantined, R::Unchanged),
        (ContentChange::Changed, R::Updated),
    ];
    for (change, result) in cases {
        let transition = finish(&running(), &fetched(change));
        assert_eq!(transition.state, JobState::Done);
        assert_eq!(transition.row, RowWrite::Synced);
        assert_eq!(results(&transition), [result], "{change:?}");
        let line = &transition.outcomes[0];
        assert_eq!((line.content, line.duration_ms, line.bytes), (Some(change), Some(212), Some(4)));
    }
}

#[test]
fn a_page_that_was_not_converted_ends_the_job_and_says_why() {
    let identical = IdenticalBody { bytes: 9, http_status: 203, validators: None };
    let cases = [
        (AttemptEnd::NotModified, ContentChange::NotModified, 304, None, None),
        (
            AttemptEnd::Identical(identical),
            ContentChange::Identical,
            203,
            Some(9),
            Some("identical page, not converted"),
        ),
    ];
    for (end, change, status, bytes, detail) in cases {
        let transition = finish(&running(), &end);
        assert_eq!((transition.state, &transition.row), (JobState::Done, &RowWrite::Synced));
        assert_eq!(results(&transition), [R::Unchanged], "{change:?}");
        let line = &transition.outcomes[0];
        assert_eq!((line.content, line.duration_ms, line.http_status), (Some(change), Some(212), Some(status)));
        assert_eq!((line.bytes, line.detail.as_deref()), (bytes, detail));
    }
}

#[test]
fn a_withheld_page_fails_the_document_without_a_retry() {
    let page = Page::new(Some("Title"), "text".into(), 4, 203).expect("text is not blank");
    let page = Page { is_login: true, quarantine_reason: Some(QuarantineReason::Login), ..page };
    let withheld = AttemptEnd::Withheld(Box::new(page));
    let transition = finish(&running(), &withheld);
    assert_eq!((transition.state, &transition.row), (JobState::Failed, &RowWrite::Failed(ErrorCode::AccessDenied)));
    assert_eq!(results(&transition), [R::PermanentFailure]);
    let line = &transition.outcomes[0];
    assert_eq!((line.content, line.bytes, line.http_status), (Some(ContentChange::Quarantined), Some(4), Some(203)));
    assert_eq!(line.detail.as_deref(), Some("needs review: it looks like a login page"));
    let cancelled = finish(&Job { cancel_requested_by: Some("ana".into()), ..running() }, &withheld);
    assert_eq!((cancelled.state, results(&cancelled)), (JobState::Cancelled, vec![R::PermanentFailure, R::Cancelled]));
}

#[test]
fn each_class_of_failure_follows_its_own_rule() {
    let counters = |transient, unexpected| Counters { attempt: 1, transient, unexpected, crashes: 0 };
    // class, counters before -> state, when, row, outcomes, reported
    let cases = [
        (
            permanent(),
            counters(0, 0),
            JobState::Failed,
            NOW,
            Some(ErrorCode::NotFound),
            vec![R::PermanentFailure],
            false,
        ),
        (transient(), counters(0, 2), JobState::Scheduled, after(30), None, vec![R::TransientFailure], false),
        (transient(), counters(1, 0), JobState::Scheduled, after(120), None, vec![R::TransientFailure], false),
        (transient(), counters(2, 0), JobState::Scheduled, after(300), None, vec![R::TransientFailure], false),
        (
            transient(),
            counters(3, 0),
            JobState::Failed,
            NOW,
            Some(ErrorCode::FetchFailed),
            vec![R::TransientFailure, R::TransientRetryExhausted],
            false,
        ),
        (
            unexpected(),
            counters(3, 0),
            JobState::Scheduled,
            after(5),
            Some(ErrorCode::SyncError),
            vec![R::UnexpectedFailure],
            false,
        ),
        (
            unexpected(),
            counters(0, 1),
            JobState::Scheduled,
            after(5),
            Some(ErrorCode::SyncError),
            vec![R::UnexpectedFailure],
            false,
        ),
        (
            unexpected(),
            counters(0, 2),
            JobState::Failed,
            NOW,
            Some(ErrorCode::SyncError),
            vec![R::UnexpectedFailure, R::UnexpectedRetryExhausted],
            true,
        ),
    ];
    for (end, counters, state, run_at, failed, outcomes, reported) in cases {
        let transition = finish(&Job { counters, ..running() }, &end);
        assert_eq!((transition.state, transition.run_at), (state, run_at), "{end:?} {counters:?}");
        assert_eq!(transition.row, failed.map_or(RowWrite::Keep, RowWrite::Failed), "{end:?} {counters:?}");
        assert_eq!(results(&transition), outcomes);
        assert_eq!(transition.report.is_some(), reported);
        let next = transition.outcomes[0].next_attempt_at;
        assert_eq!(next, (state == JobState::Scheduled).then_some(run_at));
    }
}

#[test]
fn manual_jobs_keep_their_class_and_later_tries_of_auto_jobs_are_retries() {
    for (class, later) in [
        (QueueClass::Manual, QueueClass::Manual),
        (QueueClass::Retry, QueueClass::Retry),
        (QueueClass::Auto, QueueClass::Retry),
    ] {
        let job = Job { class, ..running() };
        assert_eq!(finish(&job, &transient()).class, later);
        assert_eq!(job.lost("web-1:7", LossCause::Suspect, NOW).class, later);
    }
}

/// Returns a running job that has lost `crashes` workers, the forgotten ones not counted, beside three failures.
fn with_losses(crashes: u32, forgotten: u32) -> Job {
    let attempt = 3 + crashes + forgotten + 1;
    Job { counters: Counters { attempt, transient: 2, unexpected: 1, crashes }, ..running() }
}

#[test]
fn a_lost_worker_counts_apart_and_the_second_loss_alone_gives_up() {
    let lost = |crashes| with_losses(crashes, 0).lost("web-1:7", LossCause::Suspect, NOW);
    for beside_others in [0, 1] {
        let to = lost(beside_others);
        assert_eq!((to.state, to.run_at, to.row.clone()), (JobState::Ready, NOW, RowWrite::Keep));
        assert_eq!((to.counters.transient, to.counters.unexpected, to.counters.crashes), (2, 1, beside_others + 1));
        assert_eq!((results(&to), to.counters.runs_alone()), (vec![R::WorkerLost], beside_others == 1));
    }
    let alone = lost(2);
    let next = NOW.plus(LAST_ATTEMPT_WAIT);
    assert_eq!((alone.state, alone.run_at, alone.row.clone()), (JobState::Scheduled, next, RowWrite::Keep));
    assert_eq!((results(&alone), alone.outcomes[0].next_attempt_at), (vec![R::WorkerLost], Some(next)));
    let last = lost(3);
    assert_eq!((last.state, last.row.clone()), (JobState::Failed, RowWrite::Failed(ErrorCode::SyncError)));
    assert_eq!(results(&last), [R::WorkerLost, R::CrashExhausted]);
    assert_eq!(last.report.expect("a report").detail.as_str(), "4 workers died while running the job");
}

#[test]
fn losses_beside_those_of_other_workers_give_nothing_up_before_the_tenth() {
    for (crashes, left) in [(0, 1), (1, 2), (2, 2), (3, 2)] {
        let to = with_losses(crashes, 0).lost("web-1:7", LossCause::Elsewhere, NOW);
        assert_eq!((to.state, to.run_at, to.counters.crashes), (JobState::Ready, NOW, left));
    }
    let ninth = with_losses(2, 6).lost("web-1:7", LossCause::Elsewhere, NOW);
    assert_eq!((ninth.state, results(&ninth)), (JobState::Ready, vec![R::WorkerLost]));
    let tenth = with_losses(2, 7).lost("web-1:7", LossCause::Elsewhere, NOW);
    assert_eq!((tenth.state, results(&tenth)), (JobState::Failed, vec![R::WorkerLost, R::CrashExhausted]));
}

#[test]
fn a_worker_that_is_lost_without_a_job_that_ran_alone_clears_those_that_did() {
    let jobs = |crashes: &[u32]| crashes.iter().map(|crashes| with_losses(*crashes, 0).counters).collect::<Vec<_>>();
    let cause = |workers: &[&[u32]]| LossCause::of_losses(&workers.iter().map(|of| jobs(of)).collect::<Vec<_>>());
    assert_eq!(cause(&[&[2]]), LossCause::Suspect);
    assert_eq!(cause(&[&[0, 1, 3, 0]]), LossCause::Suspect, "those beside it have nothing to do with it");
    assert_eq!(cause(&[&[2], &[3, 0]]), LossCause::Suspect, "there may be two such pages");
    assert_eq!(cause(&[&[2], &[0, 1]]), LossCause::Elsewhere);
    assert_eq!(cause(&[&[2], &[]]), LossCause::Elsewhere, "one that ran nothing");
    assert_eq!(cause(&[]), LossCause::Suspect);
}

#[test]
fn after_a_cancel_nothing_more_is_scheduled() {
    let job = Job { cancel_requested_by: Some("ana".into()), ..running() };
    let good = finish(&job, &fetched(ContentChange::Changed));
    assert_eq!((good.state, results(&good)), (JobState::Done, vec![R::Updated]), "a finish that commits first wins");
    for (end, line) in
        [(permanent(), R::PermanentFailure), (transient(), R::TransientFailure), (unexpected(), R::UnexpectedFailure)]
    {
        let ended = finish(&job, &end);
        assert_eq!((ended.state, results(&ended)), (JobState::Cancelled, vec![line, R::Cancelled]));
        assert!(ended.report.is_none() && ended.outcomes[0].next_attempt_at.is_none());
    }
    let stopped = finish(&job, &AttemptEnd::Stopped);
    assert_eq!((stopped.state, results(&stopped)), (JobState::Cancelled, vec![R::Cancelled]));
    assert_eq!(stopped.outcomes[0].detail.as_deref(), Some("cancelled by ana"));
    let lost = job.lost("web-1:7", LossCause::Suspect, NOW);
    assert_eq!((lost.state, results(&lost)), (JobState::Cancelled, vec![R::WorkerLost, R::Cancelled]));
}

#[test]
fn a_job_that_stops_leaves_no_syncing_row_behind() {
    let untried = Job { row_before: None, state: JobState::Ready, ..running() };
    let tried = Job { last_failure: Some(ErrorCode::Timeout), state: JobState::Scheduled, ..running() };
    for (job, row) in [
        (untried, RowWrite::Keep),
        (running(), RowWrite::Restore(before())),
        (tried, RowWrite::BackToFailed(ErrorCode::Timeout)),
    ] {
        assert_eq!(job.cancelled(None, NOW).row, row);
        assert_eq!(job.purged(&"ana".into(), NOW).row, row);
        assert_eq!(job.released(NOW).row, row);
    }
}

#[test]
fn a_release_gives_number_and_counters_back_and_records_nothing() {
    let job = Job { counters: Counters { attempt: 3, transient: 2, unexpected: 0, crashes: 1 }, ..running() };
    let released = job.released(NOW);
    assert_eq!((released.state, released.counters.attempt), (JobState::Ready, 2));
    assert_eq!((released.counters.transient, released.counters.crashes), (2, 1));
    assert!(released.outcomes.is_empty() && released.report.is_none());
}

#[test]
fn a_busy_lock_gives_number_and_counters_back_and_is_told_once() {
    let holder = LockHolder { name: "Chatwoot".into(), value: "1764054151.5".into() };
    let again = Duration::from_secs(5);
    let counters = Counters { attempt: 3, transient: 2, unexpected: 0, crashes: 1 };
    let job = Job { counters, class: QueueClass::Auto, last_failure: Some(ErrorCode::Timeout), ..running() };
    let first = job.deferred(&holder, false, again, NOW);
    assert_eq!((first.state, first.class, first.run_at), (JobState::Scheduled, QueueClass::Auto, after(5)));
    assert_eq!((first.counters, first.row.clone()), (Counters { attempt: 2, ..counters }, RowWrite::Keep));
    assert_eq!(first.last_failure, Some(ErrorCode::Timeout));
    let [line] = first.outcomes.as_slice() else { panic!("{first:?}") };
    assert_eq!((line.result, line.detail.as_deref()), (R::AlreadySyncing, Some("locked by Chatwoot")));
    assert_eq!((line.next_attempt_at, line.error_code), (Some(after(5)), None));
    let told = job.deferred(&holder, true, again, NOW);
    assert_eq!(told, Transition { outcomes: vec![], ..first });
    let cancelled = Job { cancel_requested_by: Some("ana".into()), ..job }.deferred(&holder, false, again, NOW);
    assert_eq!((cancelled.state, results(&cancelled)), (JobState::Cancelled, vec![R::Cancelled]));
}

#[test]
fn every_request_is_answered_as_the_table_says() {
    let live = |state, class, recorded_attempt| LiveJob {
        id: JobId(1),
        state,
        class,
        attempt: 1,
        recorded_attempt,
        worker: None,
    };
    let ask = |verb, class, scope| Request { kind: verb, class, by: "ana".into(), scope };
    let manual = ask(RequestKind::Sync, QueueClass::Manual, RequestScope::Named);
    let bulk = ask(RequestKind::Sync, QueueClass::Manual, RequestScope::Bulk);
    let auto = ask(RequestKind::Sync, QueueClass::Auto, RequestScope::Bulk);
    let retry = ask(RequestKind::Retry, QueueClass::Manual, RequestScope::Named);
    use JobState::{Ready, Running, Scheduled};
    use QueueClass::{Auto, Manual};
    let cases = [
        (&manual, Ok(()), Status::Synced, None, Ok(RequestStep::Insert)),
        (&manual, Ok(()), Status::Queued, Some(live(Ready, Auto, None)), Ok(RequestStep::Promote)),
        (&manual, Ok(()), Status::Queued, Some(live(Ready, Manual, None)), Ok(RequestStep::Nothing)),
        (&manual, Ok(()), Status::Waiting, Some(live(Scheduled, Manual, None)), Ok(RequestStep::RunNow)),
        (&manual, Ok(()), Status::Syncing, Some(live(Running, Auto, None)), Ok(RequestStep::RecordRunning)),
        (&manual, Ok(()), Status::Syncing, Some(live(Running, Auto, Some(1))), Ok(RequestStep::Nothing)),
        (&bulk, Ok(()), Status::Syncing, Some(live(Running, Auto, None)), Err(SkipReason::Running)),
        (&bulk, Ok(()), Status::Waiting, Some(live(Scheduled, Auto, None)), Ok(RequestStep::RunNow)),
        (&auto, Ok(()), Status::Never, None, Ok(RequestStep::Insert)),
        (&auto, Ok(()), Status::Syncing, Some(live(Running, Manual, None)), Ok(RequestStep::Nothing)),
        (&auto, Ok(()), Status::Waiting, Some(live(Scheduled, Manual, None)), Ok(RequestStep::Nothing)),
        (&retry, Ok(()), Status::Failed, None, Ok(RequestStep::Insert)),
        (&retry, Ok(()), Status::Stuck, None, Ok(RequestStep::Insert)),
        (&retry, Ok(()), Status::Waiting, Some(live(Scheduled, Auto, None)), Ok(RequestStep::RunNow)),
        (&retry, Ok(()), Status::Synced, None, Err(SkipReason::NotFailed(Status::Synced))),
        (&retry, Ok(()), Status::Never, None, Err(SkipReason::NotFailed(Status::Never))),
        (&retry, Ok(()), Status::Syncing, Some(live(Running, Auto, None)), Ok(RequestStep::RecordRunning)),
        (&manual, Err(SkipReason::Pdf), Status::Never, None, Err(SkipReason::Pdf)),
        (&bulk, Err(SkipReason::Unavailable), Status::Never, None, Err(SkipReason::Unavailable)),
    ];
    for (request, syncable, status, live, step) in cases {
        assert_eq!(request.step(syncable, status, live.as_ref()), step, "{request:?} {status:?} {live:?}");
    }
}

#[derive(Clone, Copy, Debug)]
enum Happens {
    Transient,
    Unexpected,
    Lost,
    Released,
    Cancel,
}

proptest! {
    /// In any order of events a job ends: at most six failing attempts and four losses, at most one report, and no
    /// live state after a cancel.
    #[test]
    fn a_job_always_ends(events in prop::collection::vec(
        prop_oneof![
            4 => Just(Happens::Transient),
            4 => Just(Happens::Unexpected),
            1 => Just(Happens::Lost),
            1 => Just(Happens::Released),
            1 => Just(Happens::Cancel),
        ],
        40..60,
    )) {
        let mut job = Job { state: JobState::Ready, counters: Counters::default(), row_before: None, ..running() };
        let (mut reports, mut failures) = (0, 0);
        for event in events {
            if !job.state.is_live() {
                break;
            }
            if let Happens::Cancel = event {
                job.cancel_requested_by = Some("ana".into());
                continue;
            }
            job.counters = job.claimed();
            job.row_before.get_or_insert_with(before);
            let transition = match event {
                Happens::Transient => finish(&job, &transient()),
                Happens::Unexpected => finish(&job, &unexpected()),
                Happens::Lost => job.lost("web-1:7", LossCause::Suspect, NOW),
                Happens::Released | Happens::Cancel => job.released(NOW),
            };
            failures += u32::from(matches!(event, Happens::Transient | Happens::Unexpected));
            reports += u32::from(transition.report.is_some());
            prop_assert!(job.cancel_requested_by.is_none() || !transition.state.is_live());
            prop_assert!(transition.state.is_live() || transition.row != RowWrite::Keep);
            prop_assert!(transition.run_at >= NOW);
            job.state = transition.state;
            job.class = transition.class;
            job.counters = transition.counters;
            job.last_failure = transition.last_failure;
        }
        prop_assert!(failures <= 6 && reports <= 1 && job.counters.crashes <= 4);
        // A release after a cancel ends the job too: its attempt led to an outcome and keeps its number.
        let stopped = u32::from(job.state == JobState::Cancelled && job.counters.attempt > failures + job.counters.crashes);
        prop_assert_eq!(job.counters.attempt, failures + job.counters.crashes + stopped);
        if failures == 6 {
            prop_assert!(!job.state.is_live());
        }
    }
}
