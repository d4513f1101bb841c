//! Tests workers and waits while the clock is set forward and back, and while the clocks of processes differ.

use super::support::{Backend, LEASE, START, Scene, limits, open, timeout, worker};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    Access, Clock, JobStore, LeaseStatus, ManualClock, Options, Queries, SqlStore, Store, Uptime, WorkerHealth,
};
use std::sync::Arc;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// Steps of the clock: a day forward and a day back.
const STEPS: [fn(Timestamp) -> Timestamp; 2] = [|now| now.plus(DAY), |now| now.minus(DAY)];

/// A clock of another machine, or of another boot of this one.
struct Elsewhere {
    clock: Arc<ManualClock>,
    machine: &'static str,
}

impl Clock for Elsewhere {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn uptime(&self) -> Uptime {
        Uptime { machine: self.machine.into(), boot: "another boot".into(), ..self.clock.uptime() }
    }
}

/// Lets worker `w2` of another process claim a job and send a heartbeat.
async fn with_a_running_job(scene: &Scene, other: &SqlStore) {
    other.register(&worker("w2")).await.unwrap();
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let job = other.claim(&worker("w2").id, limits(1)).await.unwrap().remove(0);
    let beats = other.heartbeat(&worker("w2").id, &[job.lease], LEASE).await.unwrap();
    assert_eq!(beats, [LeaseStatus::Renewed]);
}

async fn lost(scene: &Scene) -> usize {
    let outcomes = scene.store.rescue().await.unwrap().outcomes;
    assert!(outcomes.iter().all(|outcome| outcome.result == OutcomeResult::WorkerLost));
    outcomes.len()
}

async fn a_dead_worker_is_noticed_whatever_is_done_to_the_clock(backend: Backend) {
    for step in STEPS {
        let scene = Scene::new(backend).await;
        let other = scene.another().await;
        with_a_running_job(&scene, &other).await;
        other.close().await;
        scene.clock.step(step(scene.clock.now()));
        assert_eq!(lost(&scene).await, 0, "its heartbeat is fresh");
        scene.clock.advance(4 * SECOND);
        assert_eq!(scene.store.workers().await.unwrap()[0].health, WorkerHealth::Gone);
        assert_eq!(lost(&scene).await, 1);
        assert_eq!(scene.store.workers().await.unwrap(), []);
    }
}

async fn a_silent_worker_has_its_whole_lease_whatever_is_done_to_the_clock(backend: Backend) {
    for step in STEPS {
        let scene = Scene::new(backend).await;
        let other = scene.another().await;
        with_a_running_job(&scene, &other).await;
        scene.clock.step(step(scene.clock.now()));
        scene.clock.advance(LEASE);
        assert_eq!(scene.store.workers().await.unwrap()[0].health, WorkerHealth::Alive);
        assert_eq!(lost(&scene).await, 0);
        scene.clock.advance(SECOND);
        assert_eq!(scene.store.workers().await.unwrap()[0].health, WorkerHealth::Late);
        assert_eq!(lost(&scene).await, 1);
    }
}

async fn a_worker_whose_clock_differs_loses_nothing_before_its_first_heartbeat(backend: Backend) {
    for step in STEPS {
        let scene = Scene::new(backend).await;
        let clock = Arc::new(ManualClock::at(step(START)));
        let other = open(&scene.place.url(), clock.clone(), Access::Write).await;
        other.register(&worker("w2")).await.unwrap();
        let id = scene.add(1, "https://a.test/x").await;
        scene.ask(&[id], QueueClass::Manual).await;
        // On a clock that is behind, the job is requested in the future.
        clock.step(START);
        other.claim(&worker("w2").id, limits(1)).await.unwrap().remove(0);
        scene.sql(&format!("UPDATE jobs SET lease_until = {}", step(START).plus(LEASE).micros())).await;
        scene.clock.advance(9 * SECOND);
        clock.advance(9 * SECOND);
        assert_eq!(lost(&scene).await, 0, "it lives");
    }
}

async fn a_worker_whose_clock_differs_loses_nothing_while_it_lives(backend: Backend) {
    for step in STEPS {
        let scene = Scene::new(backend).await;
        let clock = Arc::new(ManualClock::at(step(START)));
        let other = open(&scene.place.url(), clock.clone(), Access::Write).await;
        with_a_running_job(&scene, &other).await;
        scene.clock.advance(20 * SECOND);
        clock.advance(20 * SECOND);
        assert_eq!(lost(&scene).await, 0, "it lives");
        other.close().await;
        assert_eq!(lost(&scene).await, 1, "it is dead");
    }
}

async fn a_worker_of_another_machine_is_judged_by_its_heartbeats_as_they_are_seen_here(backend: Backend) {
    let scene = Scene::new(backend).await;
    let clock = Arc::new(Elsewhere { clock: Arc::clone(&scene.clock), machine: "another machine" });
    let options = Options { clock, ..Options::new(Access::Write) };
    let other = SqlStore::open(&scene.place.url(), options).await.unwrap();
    with_a_running_job(&scene, &other).await;
    scene.clock.advance(20 * SECOND);
    assert_eq!(lost(&scene).await, 0, "seen for the first time");
    scene.clock.advance(LEASE);
    assert_eq!(lost(&scene).await, 0, "its lease is over by a clock, but it has been silent for one lease at most");
    scene.clock.advance(SECOND);
    assert_eq!(lost(&scene).await, 1);
}

async fn a_worker_from_before_the_machine_was_started_is_dead(backend: Backend) {
    let scene = Scene::new(backend).await;
    let clock = Arc::new(Elsewhere { clock: Arc::clone(&scene.clock), machine: "machine" });
    let options = Options { clock, ..Options::new(Access::Write) };
    // A server has not noticed yet that the machine has gone: the worker's lock is still acquired.
    let other = SqlStore::open(&scene.place.url(), options).await.unwrap();
    with_a_running_job(&scene, &other).await;
    assert_eq!(lost(&scene).await, 0, "seen for the first time");
    scene.clock.advance(4 * SECOND);
    assert_eq!(lost(&scene).await, 1);
}

async fn a_retry_waits_an_hour_at_most_after_the_clock_was_set_back(backend: Backend) {
    let scene = Scene::new(backend).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (_, job) = scene.running("https://a.test/x").await;
    assert_eq!(lost(&scene).await, 0);
    scene.finish(&job, timeout()).await;
    scene.clock.step(START.minus(DAY));
    assert_eq!(lost(&scene).await, 0);
    assert!(scene.claim(1).await.is_empty());
    scene.clock.advance(Duration::from_secs(3_600));
    assert_eq!(scene.claim(1).await.len(), 1);
}

on_both! {
    ()
    a_dead_worker_is_noticed_whatever_is_done_to_the_clock,
    a_silent_worker_has_its_whole_lease_whatever_is_done_to_the_clock,
    a_worker_whose_clock_differs_loses_nothing_before_its_first_heartbeat,
    a_worker_whose_clock_differs_loses_nothing_while_it_lives,
    a_worker_of_another_machine_is_judged_by_its_heartbeats_as_they_are_seen_here,
    a_worker_from_before_the_machine_was_started_is_dead,
    a_retry_waits_an_hour_at_most_after_the_clock_was_set_back,
}
