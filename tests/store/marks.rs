//! Tests marks that are written separately from the claim, and jobs whose lock another program has.

use super::support::{Backend, LEASE, Scene, fetched, limits, open, timeout, worker};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{Status, SyncStatus};
use quarterdeck::domain::fingerprint::Fingerprint;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, ClaimLimits, ClaimedJob, FinishResult, JobStore, MarkResult, MarkTiming, Store, StoreBase, StoreError,
};
use std::time::Duration;

const AGAIN: Duration = Duration::from_secs(5);

fn holder(value: &str) -> LockHolder {
    LockHolder { name: "Chatwoot".into(), value: value.into() }
}

async fn claim(scene: &Scene) -> Vec<ClaimedJob> {
    let limits = ClaimLimits { mark_timing: MarkTiming::AfterLock, ..limits(64) };
    scene.store.claim(&worker("w1").id, limits).await.unwrap()
}

/// Makes a running job whose document's row is not marked as syncing.
async fn unmarked(scene: &Scene, class: QueueClass) -> (DocumentId, ClaimedJob) {
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], class).await;
    (id, claim(scene).await.remove(0))
}

async fn sync_status(scene: &Scene) -> i64 {
    scene.number("SELECT CAST(coalesce(sync_status, -1) AS BIGINT) FROM captain_documents").await
}

async fn a_claim_may_leave_the_row_alone_and_a_mark_writes_it(on: Backend) {
    let scene = Scene::new(on).await;
    let (id, job) = unmarked(&scene, QueueClass::Manual).await;
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempt, row.attempted_at), (Status::Syncing, Some(1), None));
    assert_eq!(sync_status(&scene).await, -1);
    // Another program writes between claim and mark: its values are the ones to restore.
    scene
        .sql("UPDATE captain_documents SET sync_status = 1, content = 'b', metadata = '{\"content_fingerprint\": \"ab\"}'")
        .await;
    scene.clock.advance(Duration::from_secs(1));
    let marked = scene.store.mark(job.lease).await.unwrap();
    assert_eq!(marked, MarkResult::Marked { fingerprint: Some(Fingerprint::stored("ab".into())) });
    assert_eq!(scene.row(id).await.attempted_at, Some(scene.store.now()));
    assert_eq!(sync_status(&scene).await, SyncStatus::Syncing.code());
    assert_eq!(scene.number("SELECT fence FROM document_state").await, 0, "the fence is raised by the finish alone");
    // After a release the row is the same as before the mark.
    scene.store.release(&[job.lease]).await.unwrap();
    assert_eq!(sync_status(&scene).await, SyncStatus::Synced.code());
    assert_eq!(scene.store.mark(job.lease).await.unwrap(), MarkResult::LeaseLost);
}

async fn what_was_never_marked_is_never_put_back(on: Backend) {
    let scene = Scene::new(on).await;
    let (id, job) = unmarked(&scene, QueueClass::Manual).await;
    // Chatwoot is syncing the document.
    scene
        .sql(&format!("UPDATE captain_documents SET sync_status = 0, last_sync_attempted_at = {}", scene.place.at(77)))
        .await;
    scene.store.release(&[job.lease]).await.unwrap();
    assert_eq!((sync_status(&scene).await, scene.row(id).await.attempted_at), (0, Some(Timestamp::from_micros(77))));
    // The same rule applies when the worker dies.
    let job = claim(&scene).await.remove(0);
    scene.clock.advance(LEASE + Duration::from_secs(1));
    let rescuer = open(&scene.place.url(), scene.clock.clone(), Access::Write).await;
    assert_eq!(rescuer.rescue().await.unwrap().outcomes.len(), 1);
    assert_eq!((sync_status(&scene).await, scene.row(id).await.attempted_at), (0, Some(Timestamp::from_micros(77))));
    assert_eq!(scene.store.mark(job.lease).await.unwrap(), MarkResult::LeaseLost);
}

async fn marks_come_in_groups_and_each_gets_its_answer(on: Backend) {
    let scene = Scene::new(on).await;
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    let jobs = claim(&scene).await;
    assert_eq!(jobs.len(), 40);
    scene.sql(&format!("UPDATE captain_documents SET status = 0 WHERE id = {}", jobs[3].document_id)).await;
    scene.store.release(&[jobs[7].lease]).await.unwrap();
    let marks = jobs.iter().map(|job| scene.store.mark(job.lease));
    let marks = futures_util::future::join_all(marks).await;
    for (place, marked) in marks.into_iter().enumerate() {
        match (place, marked.unwrap()) {
            (3, MarkResult::Ended) | (7, MarkResult::LeaseLost) => {}
            (_, MarkResult::Marked { fingerprint: None }) if place != 3 && place != 7 => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(scene.results().await, [OutcomeResult::Cancelled]);
    assert_eq!(scene.number("SELECT count(*) FROM captain_documents WHERE sync_status = 0").await, 38);
}

async fn a_deferred_job_waits_with_its_number_back_and_says_so_once_per_hold(on: Backend) {
    let scene = Scene::new(on).await;
    let (id, job) = unmarked(&scene, QueueClass::Auto).await;
    let written = scene.store.defer(job.lease, &holder("1.5"), AGAIN).await.unwrap();
    assert!(
        matches!(&written, FinishResult::Written { state: JobState::Scheduled, outcomes, .. } if outcomes.len() == 1)
    );
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempt, row.queue), (Status::Waiting, Some(0), Some(QueueClass::Auto)));
    assert_eq!((row.holder.as_deref(), row.next_attempt_at), (Some("Chatwoot"), Some(scene.store.now().plus(AGAIN))));
    assert_eq!(scene.store.defer(job.lease, &holder("1.5"), AGAIN).await.unwrap(), FinishResult::LeaseLost);
    let queue = scene.store.queue().await.unwrap();
    assert_eq!((queue.waiting, queue.scheduled, queue.ready), (1, 0, 0));
    for (value, lines) in [("1.5", 1), ("2.5", 2), ("2.5", 2), ("1.5", 3)] {
        scene.clock.advance(AGAIN);
        let job = claim(&scene).await.remove(0);
        assert_eq!((job.counters.attempt, scene.row(id).await.status), (1, Status::Waiting), "also while it looks");
        scene.store.defer(job.lease, &holder(value), AGAIN).await.unwrap();
        assert_eq!(scene.results().await, vec![OutcomeResult::AlreadySyncing; lines]);
    }
    scene.clock.advance(AGAIN);
    let job = claim(&scene).await.remove(0);
    assert!(matches!(scene.store.mark(job.lease).await.unwrap(), MarkResult::Marked { .. }));
    assert_eq!((scene.row(id).await.status, scene.row(id).await.holder.as_deref()), (Status::Syncing, Some("w1")));
    scene.finish(&job, fetched("T", "text", ContentChange::First)).await;
    assert_eq!((scene.row(id).await.status, scene.row(id).await.attempt), (Status::Synced, Some(1)));
}

async fn synced_elsewhere_counts_from_the_request_or_the_last_real_try(on: Backend) {
    let scene = Scene::new(on).await;
    let (id, job) = unmarked(&scene, QueueClass::Auto).await;
    scene.store.mark(job.lease).await.unwrap();
    scene.clock.advance(Duration::from_secs(1));
    scene.finish(&job, timeout()).await;
    // Synced after the request but before the failed attempt: the job continues.
    let early = scene.place.at(scene.store.now().minus(Duration::from_secs(1)).micros());
    scene.sql(&format!("UPDATE captain_documents SET last_synced_at = {early}")).await;
    scene.clock.advance(Duration::from_secs(30));
    let job = claim(&scene).await.remove(0);
    scene.store.defer(job.lease, &holder("1.5"), AGAIN).await.unwrap();
    scene.clock.advance(AGAIN);
    let job = claim(&scene).await.remove(0);
    // Synced between the claim and the lock.
    let late = scene.place.at(scene.store.now().micros());
    scene.sql(&format!("UPDATE captain_documents SET sync_status = 1, last_synced_at = {late}")).await;
    assert_eq!(scene.store.mark(job.lease).await.unwrap(), MarkResult::Ended);
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((last.result, last.detail.as_deref()), (OutcomeResult::Cancelled, Some("synced elsewhere")));
    let row = scene.row(id).await;
    assert_eq!((row.status, row.error_code), (Status::Synced, None));
}

async fn a_store_has_one_name_for_ever_and_no_other_has_it(on: Backend) {
    let scene = Scene::new(on).await;
    let id = scene.store.id().await.unwrap();
    assert!(uuid::Uuid::parse_str(&id.0).is_ok_and(|id| id.get_version_num() == 4), "{id}");
    assert_eq!(scene.another().await.id().await.unwrap(), id);
    if on == Backend::Sqlite {
        // The tests' PostgreSQL databases are copies of a template, and a copy keeps the store's id.
        assert_ne!(Scene::new(on).await.store.id().await.unwrap(), id);
    }
    let reading = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    assert_eq!(reading.id().await.unwrap(), id);
    let (_, job) = unmarked(&scene, QueueClass::Manual).await;
    assert!(matches!(reading.mark(job.lease).await, Err(StoreError::ReadOnly)));
    assert!(matches!(reading.defer(job.lease, &holder("1.5"), AGAIN).await, Err(StoreError::ReadOnly)));
}

on_both! {
    ()
    a_claim_may_leave_the_row_alone_and_a_mark_writes_it,
    what_was_never_marked_is_never_put_back,
    marks_come_in_groups_and_each_gets_its_answer,
    a_deferred_job_waits_with_its_number_back_and_says_so_once_per_hold,
    synced_elsewhere_counts_from_the_request_or_the_last_real_try,
    a_store_has_one_name_for_ever_and_no_other_has_it,
}
