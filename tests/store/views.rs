//! Tests the query of the jobs view, and leases that a person breaks.

use super::support::{Backend, LEASE, START, Scene, fetched, permanent, timeout, worker};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::{ErrorCode, FailureClass};
use quarterdeck::domain::id::JobId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::retry::LAST_ATTEMPT_WAIT;
use quarterdeck::store::{
    Access, DocumentStore, FinishResult, JobBlockers, JobProgress, JobStore, JobSummary, JobsPage, JobsQuery,
    LeaseStatus, Queries,
};
use quarterdeck::store::{MAX_SECTION_ROWS, Options, SqlStore, StoreError};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

async fn jobs(scene: &Scene, limit: u64) -> JobsPage {
    scene.store.jobs(&JobsQuery { limit }).await.unwrap()
}

fn names(jobs: &[JobSummary]) -> Vec<&str> {
    jobs.iter().map(|job| job.name.as_str()).collect()
}

async fn every_job_stands_in_its_section_with_what_is_known(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (_, failed) = scene.running("https://a.test/failed").await;
    scene.finish(&failed, permanent()).await;
    let (_, tried) = scene.running("https://a.test/tried").await;
    scene.finish(&tried, timeout()).await;
    let (running, _) = scene.running("https://a.test/running").await;
    scene.store.cancel(&[running], &"bob".into()).await.unwrap();
    scene.clock.advance(5 * SECOND);
    let auto = scene.add(2, "https://b.test/auto").await;
    let manual = scene.add(1, "https://a.test/manual").await;
    scene.ask(&[auto], QueueClass::Auto).await;
    scene.ask(&[manual], QueueClass::Manual).await;

    let page = jobs(&scene, 10).await;
    assert_eq!((page.running_total, page.ready_total, page.waiting_total), (1, 2, 1));
    assert_eq!(names(&page.running), ["https://a.test/running"]);
    assert_eq!(
        page.running[0].progress,
        JobProgress::Running {
            worker: Some("host:w1".into()),
            started_at: Some(START),
            lease_until: Some(START.plus(LEASE)),
            heartbeat_at: Some(START),
            cancelled_by: Some("bob".into()),
        }
    );
    assert_eq!(page.running[0].attempt, 1);
    assert_eq!(page.running[0].requested_by.as_ref().unwrap().as_str(), "ana");
    // Requested later and claimed first, because of its class.
    assert_eq!(names(&page.ready), ["https://a.test/manual", "https://b.test/auto"]);
    let blocked = JobBlockers { host_running: 1, account_running: 1, ..JobBlockers::default() };
    assert_eq!(page.ready[0].progress, JobProgress::Ready { since: START.plus(5 * SECOND), blockers: blocked });
    assert_eq!(
        page.ready[1].progress,
        JobProgress::Ready { since: START.plus(5 * SECOND), blockers: JobBlockers::default() }
    );
    let JobProgress::Waiting { run_at, after, lock_holder } = &page.waiting[0].progress else {
        panic!("{:?}", page.waiting)
    };
    let after = after.unwrap();
    assert_eq!(
        (*run_at, after.class, after.failures, after.attempts_allowed),
        (START.plus(30 * SECOND), FailureClass::Transient, 1, 4)
    );
    assert_eq!(*lock_holder, None);
    assert_eq!(names(&page.recent), ["https://a.test/failed"], "one that is tried again has not ended");
    let ended = JobProgress::Ended {
        at: START,
        result: OutcomeResult::PermanentFailure,
        error_code: Some(ErrorCode::NotFound),
        content: None,
    };
    assert_eq!(page.recent[0].progress, ended);
    let claimed: Vec<_> = scene.claim(2).await.iter().map(|claimed| claimed.document_id).collect();
    assert_eq!(claimed, page.ready.iter().map(|job| job.document).collect::<Vec<_>>(), "a claim takes that order");
}

async fn a_ready_job_says_what_holds_it_up(backend: Backend) {
    let scene = Scene::new(backend).await;
    let ours = scene.either("", "quarterdeck.");
    let document = scene.add(1, "https://a.test/x").await;
    scene.ask(&[document], QueueClass::Auto).await;
    let until = START.plus(60 * SECOND);
    scene
        .sql(&format!(
            "INSERT INTO {ours}hosts_sched (host, held_until, held_because) VALUES ('a.test', {}, 'it answered 429')",
            until.micros()
        ))
        .await;
    scene.sql(&format!("INSERT INTO {ours}accounts_sched (account_id, max_running) VALUES (1, 2)")).await;
    let page = jobs(&scene, 10).await;
    let blocked = JobBlockers {
        host_backoff_until: Some(until),
        host_backoff_reason: Some("it answered 429".into()),
        account_cap: Some(2),
        ..JobBlockers::default()
    };
    assert_eq!(page.ready[0].progress, JobProgress::Ready { since: START, blockers: blocked });
}

async fn sections_are_cut_and_counted(backend: Backend) {
    let scene = Scene::new(backend).await;
    let more = MAX_SECTION_ROWS + 20;
    let mut ids = Vec::new();
    for number in 0..more {
        ids.push(scene.add(1, &format!("https://a.test/{number}")).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    let page = jobs(&scene, 3).await;
    assert_eq!((page.ready.len(), page.ready_total), (3, more));
    assert_eq!(jobs(&scene, u64::MAX).await.ready.len() as u64, MAX_SECTION_ROWS);
    scene.store.cancel(&ids[..5], &"bob".into()).await.unwrap();
    let page = jobs(&scene, 3).await;
    assert_eq!((page.ready_total, page.recent.len()), (more - 5, 3));
    let last: Vec<_> = page.recent.iter().map(|job| job.document).collect();
    assert_eq!(last, [ids[4], ids[3], ids[2]], "the last first");
}

async fn a_broken_lease_is_a_loss_with_a_name_and_its_worker_is_late(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (id, job) = scene.running("https://a.test/x").await;
    let broken = scene.store.break_lease(job.lease.job_id, &"ana".into()).await.unwrap().unwrap();
    assert_eq!((broken.outcomes.len(), broken.reports.len()), (1, 0));
    let outcome = &broken.outcomes[0];
    assert_eq!((outcome.result, outcome.attempt), (OutcomeResult::WorkerLost, 1));
    assert_eq!(outcome.detail.as_ref().unwrap().as_str(), "lease broken by ana");
    assert_eq!(scene.row(id).await.status, Status::Queued);
    // Another worker has claimed the job before the first one notices: the first one's result is discarded.
    let again = scene.claim(1).await.remove(0);
    assert_eq!(scene.finish(&job, fetched("T", "late", ContentChange::First)).await, FinishResult::LeaseLost);
    assert_eq!(scene.store.heartbeat(&worker("w1").id, &[job.lease], LEASE).await.unwrap(), [LeaseStatus::Lost]);
    scene.finish(&again, fetched("T", "in time", ContentChange::First)).await;
    assert_eq!(scene.store.content(id).await.unwrap().unwrap().text, "in time");
    // A first sync is `unchanged`, as in Chatwoot.
    assert_eq!(scene.results().await, [OutcomeResult::WorkerLost, OutcomeResult::Unchanged]);
    for nothing in [job.lease.job_id, JobId(9_999)] {
        assert_eq!(scene.store.break_lease(nothing, &"ana".into()).await.unwrap(), None, "it does not run");
    }
    assert_eq!(scene.outcomes().await.len(), 2, "and nothing was recorded");
}

async fn the_fourth_broken_lease_gives_the_job_up(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, first) = scene.running("https://a.test/x").await;
    scene.store.break_lease(first.lease.job_id, &"ana".into()).await.unwrap().unwrap();
    for last in [false, false, true] {
        let job = scene.claim(1).await.remove(0);
        let broken = scene.store.break_lease(job.lease.job_id, &"ana".into()).await.unwrap().unwrap();
        assert_eq!(broken.reports.len(), usize::from(last));
        scene.clock.advance(LAST_ATTEMPT_WAIT);
    }
    assert_eq!(scene.row(id).await.status, Status::Failed);
    assert_eq!(scene.results().await[3..], [OutcomeResult::WorkerLost, OutcomeResult::CrashExhausted]);
    let page = jobs(&scene, 10).await;
    assert_eq!((page.recent.len(), page.running_total, page.ready_total), (1, 0, 0), "one job, two lines");
}

async fn a_store_that_only_reads_breaks_no_lease(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, job) = scene.running("https://a.test/x").await;
    let options = Options { clock: scene.clock.clone(), ..Options::new(Access::ReadOnly) };
    let reading: Arc<SqlStore> = SqlStore::open(&scene.place.url(), options).await.unwrap();
    assert!(matches!(reading.break_lease(job.lease.job_id, &"ana".into()).await, Err(StoreError::ReadOnly)));
    assert_eq!(reading.jobs(&JobsQuery { limit: 5 }).await.unwrap().running[0].document, id);
}

on_both! {
    ()
    every_job_stands_in_its_section_with_what_is_known,
    a_ready_job_says_what_holds_it_up,
    sections_are_cut_and_counted,
    a_broken_lease_is_a_loss_with_a_name_and_its_worker_is_late,
    the_fourth_broken_lease_gives_the_job_up,
    a_store_that_only_reads_breaks_no_lease,
}
