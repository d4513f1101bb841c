//! Workers that stand still for longer than their lease and go on (F3): what they were at is somebody else's by then, and
//! each late end is refused.

use super::{PATIENCE, size};
use crate::support::fleet::{EAGER, Fleet, Random, SHORT_LEASE, dismiss};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use rustix::process::Signal;
use std::time::{Duration, Instant};

/// Longer than the lease and the look for those that ran out. A worker that is stopped within a write of SQLite keeps
/// everybody out for so long.
const PAUSE: Duration = Duration::from_millis(2_600);

async fn f3_a_late_end_is_refused_each_time(on: Backend) {
    let (documents, pauses) = size(240, 1);
    // Slow enough that there is something to do at every pause.
    let slow = (PAUSE * u32::try_from(24 * (pauses + 1)).expect("fits")) / u32::try_from(documents).expect("fits");
    let site = Site::start(move |path, hit| Reply::After(slow, Box::new(html(path, &format!("answer {hit}"))))).await;
    let fleet = Fleet::new(on, site, &format!("{EAGER}{SHORT_LEASE}")).await;
    fleet.fill(documents).await;
    let workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    let mut random = Random::new(3);
    let mut longest = Duration::ZERO;
    for _ in 0..pauses {
        fleet.reached(fleet.count() + 1 + random.below(8), PATIENCE).await;
        let sleeper = &workers[random.below(workers.len())];
        sleeper.signal(Signal::STOP);
        let stopped = Instant::now();
        // The fault itself lasts so long.
        tokio::time::sleep(PAUSE).await;
        sleeper.signal(Signal::CONT);
        // It goes on: everybody gets something done again.
        fleet.reached(fleet.count() + 1, PATIENCE).await;
        longest = longest.max(stopped.elapsed());
    }
    fleet.drained(PATIENCE).await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let outcomes = fleet.check("F3 pauses", documents, pauses, longest).await;
    let lost: Vec<_> = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).collect();
    // Each was still being fetched by a process that then went on; that none of them ended a second time, and that
    // nothing was written for it, the invariants say.
    println!("{} attempts taken over while their worker stood still, each late end refused", lost.len());
    assert!(lost.len() >= pauses, "somebody held something each time: {}", lost.len());
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    f3_a_late_end_is_refused_each_time,
}
