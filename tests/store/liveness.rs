//! Tests workers that live, sleep and die.

use super::support::{Backend, LEASE, START, Scene, fetched, limits, open, permanent, timeout, worker};
use crate::support::leash;
use crate::support::limit::{until, within};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{RecentResult, Status};
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::retry::LAST_ATTEMPT_WAIT;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, ClaimLimits, Clock, DocumentStore, FinishResult, JobLease, JobStore, LeaseStatus, ManualClock, Options,
    Queries, SqlStore, Store, StoreBase, Uptime, WorkerHealth, WorkerInfo, WorkerSummary,
};
use rustix::process::Pid;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

const SECOND: Duration = Duration::from_secs(1);

async fn a_beat_lengthens_what_is_really_held(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (told, first) = scene.running("https://a.test/1").await;
    let (_, second) = scene.running("https://a.test/2").await;
    scene.store.cancel(&[told], &"bob".into()).await.unwrap();
    scene.clock.advance(20 * SECOND);
    let ghost = JobLease { token: first.lease.token, ..second.lease };
    let held = [second.lease, first.lease, ghost];
    let beats = scene.store.heartbeat(&worker("w1").id, &held, LEASE).await.unwrap();
    assert_eq!(beats, [LeaseStatus::Renewed, LeaseStatus::CancelRequested, LeaseStatus::Lost]);
    scene.clock.advance(20 * SECOND);
    assert_eq!(scene.store.rescue().await.unwrap().outcomes, [], "the leases are longer now");
}

async fn a_lease_that_ran_out_is_rescued_and_its_holder_is_late(backend: Backend) {
    let scene = Scene::new(backend).await;
    // Another process is alive and stuck: it has its process lock, but sends no heartbeats.
    let stuck = scene.another().await;
    stuck.register(&worker("w1")).await.unwrap();
    let (id, job) = scene.running("https://a.test/x").await;
    scene.clock.advance(LEASE);
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty(), "it stands to its last instant");
    scene.clock.advance(SECOND);
    let rescued = scene.store.rescue().await.unwrap();
    assert_eq!(rescued.outcomes.len(), 1);
    assert_eq!((rescued.outcomes[0].result, rescued.outcomes[0].attempt), (OutcomeResult::WorkerLost, 1));
    let row = scene.row(id).await;
    assert_eq!((row.status, row.recent), (Status::Queued, vec![RecentResult::Lost]));
    let late = scene.finish(&job, fetched("T", "late", ContentChange::First)).await;
    assert_eq!(late, FinishResult::LeaseLost);
    assert_eq!(scene.store.content(id).await.unwrap(), None);
    assert_eq!(scene.store.heartbeat(&worker("w1").id, &[job.lease], LEASE).await.unwrap(), [LeaseStatus::Lost]);
    assert_eq!(scene.outcomes().await.len(), 1);
}

async fn two_losses_of_a_job_that_ran_alone_end_it_with_one_report(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Auto).await;
    for loss in 1..=4 {
        let job = scene.claim(1).await.remove(0);
        assert_eq!(job.counters.crashes, loss - 1);
        scene.clock.advance(LEASE + SECOND);
        let rescued = scene.store.rescue().await.unwrap();
        assert_eq!(rescued.reports.len(), usize::from(loss == 4));
        if loss == 3 {
            assert_eq!(scene.row(id).await.status, Status::Waiting);
            scene.clock.advance(LAST_ATTEMPT_WAIT - SECOND);
            assert!(scene.claim(1).await.is_empty(), "it waits before its last attempt");
            scene.clock.advance(SECOND);
        }
    }
    let row = scene.row(id).await;
    assert_eq!((row.status, row.error_code), (Status::Failed, Some(ErrorCode::SyncError)));
    assert_eq!(row.recent, [RecentResult::Lost, RecentResult::Lost, RecentResult::Lost, RecentResult::Failed]);
    assert_eq!(scene.results().await.last(), Some(&OutcomeResult::CrashExhausted));
}

async fn a_worker_lost_while_a_job_waits_for_its_last_attempt_clears_the_job(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (suspect, other) = (scene.add(1, "https://a.test/x").await, scene.add(1, "https://b.test/y").await);
    scene.ask(&[suspect], QueueClass::Auto).await;
    for _ in 1..=3 {
        assert_eq!(scene.claim(8).await.len(), 1);
        scene.clock.advance(LEASE + SECOND);
        assert_eq!(scene.store.rescue().await.unwrap().outcomes.len(), 1);
    }
    let crashes = format!("SELECT crashes FROM jobs WHERE document_id = {}", suspect.0);
    scene.ask(&[other], QueueClass::Auto).await;
    let short = ClaimLimits { lease: 5 * SECOND, ..limits(8) };
    let neighbour = scene.store.claim(&worker("w1").id, short).await.unwrap();
    assert_eq!((neighbour.len(), neighbour[0].document_id), (1, other), "the suspect waits");
    scene.store.break_lease(neighbour[0].lease.job_id, &"ana".into()).await.unwrap().unwrap();
    assert_eq!(scene.number(&crashes).await, 3, "a lease that a person breaks says nothing of workers");
    scene.store.claim(&worker("w1").id, short).await.unwrap();
    scene.clock.advance(6 * SECOND);
    assert_eq!(scene.store.rescue().await.unwrap().outcomes.len(), 1);
    assert_eq!(scene.number(&crashes).await, 2);
    assert_eq!(scene.row(suspect).await.status, Status::Waiting, "it waits to its end");
}

fn lock_files(scene: &Scene) -> usize {
    std::fs::read_dir(scene.place.folder().join("k.db.workers")).unwrap().count()
}

async fn a_dead_process_is_seen_by_its_lock_within_seconds(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    other.register(&worker("w2")).await.unwrap();
    scene.store.register(&worker("w1")).await.unwrap();
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let job = other.claim(&worker("w2").id, limits(1)).await.unwrap().remove(0);
    scene.clock.advance(4 * SECOND);
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty(), "its lock is held");
    assert_eq!(scene.store.queue().await.unwrap().workers, 2);
    // The system releases the locks of a killed process; nothing else is written.
    other.close().await;
    assert_eq!(scene.store.queue().await.unwrap().workers, 1);
    let rescued = scene.store.rescue().await.unwrap();
    assert_eq!(rescued.outcomes[0].result, OutcomeResult::WorkerLost);
    assert_eq!(rescued.outcomes[0].worker.as_deref(), Some("host:w2"));
    assert_eq!(rescued.outcomes[0].detail.as_deref(), Some("worker host:w2 died"));
    assert_eq!(scene.number("SELECT count(*) FROM workers").await, 1);
    assert!(backend != Backend::Sqlite || lock_files(&scene) == 1, "its file is cleaned away");
    assert_eq!(scene.finish(&job, permanent()).await, FinishResult::LeaseLost);
}

async fn a_fresh_heartbeat_stands_without_its_lock(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    other.register(&worker("w2")).await.unwrap();
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    other.claim(&worker("w2").id, limits(1)).await.unwrap();
    other.close().await;
    scene.clock.advance(3 * SECOND);
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty());
    scene.clock.advance(SECOND);
    assert_eq!(scene.store.rescue().await.unwrap().outcomes.len(), 1);
}

async fn after_a_sleep_a_process_waits_one_lease_before_it_trusts_others_leases(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    scene.store.register(&worker("w1")).await.unwrap();
    other.register(&worker("w2")).await.unwrap();
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let job = other.claim(&worker("w2").id, limits(1)).await.unwrap().remove(0);
    scene.store.heartbeat(&worker("w1").id, &[], LEASE).await.unwrap();
    // The whole machine sleeps for two hours.
    scene.clock.advance(Duration::from_secs(7_200));
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty(), "it has not beaten itself");
    scene.store.heartbeat(&worker("w1").id, &[], LEASE).await.unwrap();
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty(), "the other may beat any moment");
    let beats = other.heartbeat(&worker("w2").id, &[job.lease], LEASE).await.unwrap();
    assert_eq!(beats, [LeaseStatus::Renewed], "tokens decide, not time");
    for _ in 0..4 {
        scene.clock.advance(10 * SECOND);
        scene.store.heartbeat(&worker("w1").id, &[], LEASE).await.unwrap();
    }
    assert_eq!(scene.store.rescue().await.unwrap().outcomes.len(), 1, "one lease later it is lost");
}

/// A clock that counts the readings of its time since the boot.
struct WatchedClock {
    clock: Arc<ManualClock>,
    reads: watch::Sender<u32>,
}

impl WatchedClock {
    fn of(clock: &Arc<ManualClock>) -> (Arc<Self>, watch::Receiver<u32>) {
        let (reads, read) = watch::channel(0);
        (Arc::new(Self { clock: Arc::clone(clock), reads }), read)
    }
}

impl Clock for WatchedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn uptime(&self) -> Uptime {
        self.reads.send_modify(|reads| *reads += 1);
        self.clock.uptime()
    }
}

async fn a_rescue_that_had_to_wait_for_the_database_lets_the_others_beat_first(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (_, job) = scene.running("https://a.test/x").await;
    let (clock, mut reads) = WatchedClock::of(&scene.clock);
    let options = Options { clock, ..Options::new(Access::Write) };
    let other = SqlStore::open(&scene.place.url(), options).await.unwrap();
    other.register(&worker("w2")).await.unwrap();
    scene.clock.advance(LEASE - SECOND);
    other.heartbeat(&worker("w2").id, &[], LEASE).await.unwrap();
    // The lease of w1 expires while the database is locked, so it cannot send a heartbeat; w2 has just sent one.
    let lock = scene.place.block().await;
    scene.clock.advance(2 * SECOND);
    let before = *reads.borrow();
    let mut rescue = Box::pin(other.rescue());
    // The rescue reads the time to compare leases, then to judge each worker, on a server twice, and once more before it
    // acts on an expired lease.
    let needed = if backend == Backend::Sqlite { 3 } else { 4 };
    tokio::select! {
        rescued = &mut rescue => panic!("it did not wait for the database: {rescued:?}"),
        read = within("a rescue", reads.wait_for(|reads| *reads >= before + needed)) => drop(read.unwrap()),
    }
    scene.clock.advance(SECOND);
    lock.end().await;
    assert_eq!(rescue.await.unwrap().outcomes, []);
    assert_eq!(scene.store.heartbeat(&worker("w1").id, &[job.lease], LEASE).await.unwrap(), [LeaseStatus::Renewed]);
    // A worker that stays silent although the database responds is lost as usual.
    other.heartbeat(&worker("w2").id, &[], LEASE).await.unwrap();
    scene.clock.advance(LEASE - SECOND);
    other.heartbeat(&worker("w2").id, &[], LEASE).await.unwrap();
    scene.clock.advance(2 * SECOND);
    assert_eq!(other.rescue().await.unwrap().outcomes.len(), 1);
}

async fn leaving_in_order_releases_what_is_held(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (id, _) = scene.running("https://a.test/x").await;
    let twice = scene.store.register(&worker("w1")).await;
    assert!(twice.is_err(), "an id is one process's");
    scene.store.unregister(&worker("w1").id).await.unwrap();
    let row = scene.row(id).await;
    assert_eq!((row.status, row.attempt, row.attempted_at), (Status::Queued, Some(0), None));
    assert!(scene.outcomes().await.is_empty());
    assert_eq!(scene.store.queue().await.unwrap().workers, 0);
    assert!(backend != Backend::Sqlite || lock_files(&scene) == 0);
}

async fn workers_are_seen_where_they_are_how_busy_since_when_and_whether_they_live(backend: Backend) {
    let scene = Scene::new(backend).await;
    assert_eq!(scene.store.workers().await.unwrap(), []);
    scene.store.register(&worker("w1")).await.unwrap();
    scene.clock.advance(SECOND);
    let other = scene.another().await;
    other.register(&worker("w2")).await.unwrap();
    for url in ["https://a.test/1", "https://a.test/2"] {
        scene.running(url).await;
    }
    let (own, others) = (worker("w1"), worker("w2"));
    let seen = |info: &WorkerInfo, running, since, beat, alive| WorkerSummary {
        id: info.id.clone(),
        name: info.name.clone(),
        capacity: info.capacity,
        running,
        started_at: START.plus(since * SECOND),
        heartbeat_at: START.plus(beat * SECOND),
        unfetchable: Vec::new(),
        health: alive,
    };
    let expected = [seen(&own, 2, 0, 0, WorkerHealth::Alive), seen(&others, 0, 1, 1, WorkerHealth::Alive)];
    assert_eq!(scene.store.workers().await.unwrap(), expected);
    assert_eq!(other.workers().await.unwrap(), expected, "whoever asks");

    // Without heartbeats a worker counts as alive until its lease's last instant; the idle worker has no lease.
    scene.clock.set(START.plus(32 * SECOND));
    let late: Vec<_> = scene.store.workers().await.unwrap().iter().map(|seen| (seen.running, seen.health)).collect();
    assert_eq!(late, [(2, WorkerHealth::Late), (0, WorkerHealth::Late)]);
    other.heartbeat(&others.id, &[], LEASE).await.unwrap();
    let reading = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    let seen_again = reading.workers().await.unwrap();
    assert_eq!(seen_again[1], seen(&others, 0, 1, 32, WorkerHealth::Alive), "seen by one that may only read");

    // Killed: its row stays until a rescue removes and reports it. An orderly exit removes the row.
    other.close().await;
    assert_eq!(scene.store.workers().await.unwrap()[1].health, WorkerHealth::Gone);
    scene.store.unregister(&own.id).await.unwrap();
    assert_eq!(scene.store.workers().await.unwrap(), [seen(&others, 0, 1, 32, WorkerHealth::Gone)]);
}

async fn a_standing_lease_speaks_for_a_worker_that_beats_seldom(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (_, job) = scene.running("https://a.test/1").await;
    scene.store.heartbeat(&worker("w1").id, &[job.lease], 10 * LEASE).await.unwrap();
    scene.clock.advance(5 * LEASE);
    assert_eq!(scene.store.workers().await.unwrap()[0].health, WorkerHealth::Alive);
    scene.clock.advance(5 * LEASE + SECOND);
    assert_eq!(scene.store.workers().await.unwrap()[0].health, WorkerHealth::Late);
}

async fn a_rescue_after_a_cancel_schedules_nothing_more(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (id, job) = scene.running("https://a.test/x").await;
    scene.finish(&job, timeout()).await;
    scene.clock.advance(30 * SECOND);
    scene.claim(1).await;
    scene.store.cancel(&[id], &"bob".into()).await.unwrap();
    scene.clock.advance(LEASE + SECOND);
    let rescued = scene.store.rescue().await.unwrap();
    let results: Vec<_> = rescued.outcomes.iter().map(|line| line.result).collect();
    assert_eq!(results, [OutcomeResult::WorkerLost, OutcomeResult::Cancelled]);
    let row = scene.row(id).await;
    assert_eq!((row.status, row.error_code), (Status::Failed, Some(ErrorCode::Timeout)));
    assert_eq!(scene.number("SELECT sync_status FROM captain_documents").await, 2);
}

async fn worker_ids_never_lead_out_of_their_folder(backend: Backend) {
    let scene = Scene::new(backend).await;
    for id in ["", "../x", "a/b", ".hidden"] {
        assert!(scene.store.register(&worker(id)).await.is_err(), "{id:?}");
    }
    assert!(!scene.place.folder().join("x").exists());
}

/// The other process of the test below; does nothing when it is run alone.
#[tokio::test]
#[ignore = "is started by another test"]
async fn a_process_to_be_killed() {
    let Ok(url) = std::env::var("QUARTERDECK_TEST_KILLED_STORE") else { return };
    let store = open(&url, Arc::new(ManualClock::at(START)), Access::Write).await;
    store.register(&worker("child")).await.unwrap();
    assert_eq!(store.claim(&worker("child").id, limits(1)).await.unwrap().len(), 1);
    println!("\nheld");
    std::future::pending::<()>().await;
}

async fn a_killed_process_is_seen_dead_at_once(backend: Backend) {
    let scene = Scene::new(backend).await;
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::liveness::a_process_to_be_killed", "--ignored", "--nocapture"])
        .env("QUARTERDECK_TEST_KILLED_STORE", scene.place.url())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    leash::put_on(Pid::from_child(&child), "a test in a process of its own");
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held"), "the child came to nothing");
    scene.clock.advance(4 * SECOND);
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty(), "it lives");
    child.kill().unwrap();
    child.wait().unwrap();
    // The test's clock stands still, so no lease expires. A server needs some milliseconds to notice a death.
    let seen = async || Some(scene.store.rescue().await.unwrap()).filter(|rescued| !rescued.outcomes.is_empty());
    let rescued = until("a death that is seen before the lease runs out", seen).await;
    assert_eq!(rescued.outcomes.len(), 1);
    assert_eq!(scene.row(id).await.status, Status::Queued);
    assert_eq!(scene.claim(1).await.len(), 1);
}

on_both! {
    ()
    a_beat_lengthens_what_is_really_held,
    a_lease_that_ran_out_is_rescued_and_its_holder_is_late,
    two_losses_of_a_job_that_ran_alone_end_it_with_one_report,
    a_worker_lost_while_a_job_waits_for_its_last_attempt_clears_the_job,
    a_dead_process_is_seen_by_its_lock_within_seconds,
    a_fresh_heartbeat_stands_without_its_lock,
    after_a_sleep_a_process_waits_one_lease_before_it_trusts_others_leases,
    a_rescue_that_had_to_wait_for_the_database_lets_the_others_beat_first,
    leaving_in_order_releases_what_is_held,
    workers_are_seen_where_they_are_how_busy_since_when_and_whether_they_live,
    a_standing_lease_speaks_for_a_worker_that_beats_seldom,
    a_rescue_after_a_cancel_schedules_nothing_more,
    worker_ids_never_lead_out_of_their_folder,
    a_killed_process_is_seen_dead_at_once,
}
