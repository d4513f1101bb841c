//! Tests workers that are stopped for longer than their lease and then continue (F3): other workers have taken over
//! their jobs by then, and each late finish is refused.

use super::size;
use crate::support::fleet::{EAGER, Fleet, Random, SHORT_LEASE, dismiss};
use crate::support::install::Process;
use crate::support::limit::lasts;
use crate::support::measure::Stopwatch;
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use rustix::process::Signal;
use std::time::Duration;

/// Longer than the lease plus the interval of the rescue.
const PAUSE: Duration = Duration::from_millis(2_600);

async fn f3_a_late_end_is_refused_each_time(on: Backend) {
    let (mut documents, pauses) = size(240, 1);
    // Slow enough that jobs are left at every pause.
    let slow = (PAUSE * u32::try_from(24 * (pauses + 1)).expect("fits")) / u32::try_from(documents).expect("fits");
    let site = Site::start(move |path, hit| Reply::After(slow, Box::new(html(path, &format!("answer {hit}"))))).await;
    let fleet = Fleet::new(on, site, &format!("{EAGER}{SHORT_LEASE}")).await;
    fleet.fill(documents).await;
    let workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    let mut random = Random::new(3);
    let mut longest = Duration::ZERO;
    let mut done = 0;
    // On PostgreSQL, a worker that is stopped within a transaction blocks the queue for all others until it continues, so
    // nobody can take over its jobs; on a busy machine others may be late, too. The test then pauses once more.
    while done < pauses || (done < pauses + 6 && taken_over(&fleet.outcomes()) == 0) {
        done += 1;
        if fleet.live().await == Some(0) {
            fleet.fill_from(documents, 48).await;
            documents += 48;
        }
        fleet.reached(fleet.count() + 1 + random.below(8)).await;
        // Not the worker that has just committed: it is most likely within its next transaction.
        let last = fleet.outcomes().last().and_then(|outcome| outcome.worker.clone());
        let just = |worker: &&Process| last.as_ref().is_some_and(|last| last.ends_with(&format!(":{}", worker.id())));
        let others: Vec<_> = workers.iter().filter(|worker| !just(worker)).collect();
        let sleeper = others[random.below(others.len())];
        // A worker that is stopped within a write of SQLite blocks all other writers: it is stopped while the test has the
        // lock.
        let lock = if on == Backend::Sqlite { Some(fleet.place.block().await) } else { None };
        sleeper.stop();
        if let Some(lock) = lock {
            lock.end().await;
        }
        let stopped = Stopwatch::start();
        // The fault itself lasts for this time.
        lasts(PAUSE).await;
        sleeper.signal(Signal::CONT);
        fleet.fault_is_over();
        // The worker continues: every worker finishes something.
        fleet.reached(fleet.count() + 1).await;
        longest = longest.max(stopped.took());
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let outcomes = fleet.check("F3 pauses", documents, done, longest).await;
    let lost = taken_over(&outcomes);
    // Each of these jobs was still being fetched by a process that then continued. The invariants check that none ended
    // twice and that the late process wrote nothing.
    println!("{lost} attempts taken over while their worker stood still, each late end refused");
    assert!(lost > 0, "nobody took over what the stopped workers held");
}

fn taken_over(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).count()
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    f3_a_late_end_is_refused_each_time,
}
