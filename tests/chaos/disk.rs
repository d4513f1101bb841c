//! Tests a disk that fails beneath an SQLite store (F9), and a clock that is set while workers run (F10). Both need a
//! library that is loaded into the workers.

use super::shim::{DiskFault, Shim};
use super::size;
use crate::support::fleet::{EAGER, Fleet, Random, dismiss};
use crate::support::install::Process;
use crate::support::limit::lasts;
use crate::support::measure::Stopwatch;
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Returns a fleet whose processes load the library, and pages that need some tens of milliseconds, or for their first
/// answer a permit of `gate`.
async fn shimmed(on: Backend, shim: &Shim, settings: &str, gate: Option<Arc<Semaphore>>) -> Fleet {
    let page = move |path: &str, hit| {
        let page = html(path, &format!("answer {hit} of {path}"));
        let number: usize = path.trim_start_matches('/').parse().expect("a number");
        let page = if number % 11 == 5 && hit == 1 { Reply::Status(503, vec![]) } else { page };
        match &gate {
            Some(gate) if hit == 1 => Reply::When(Arc::clone(gate), Box::new(page)),
            _ => Reply::After(Duration::from_millis(30), Box::new(page)),
        }
    };
    let mut fleet = Fleet::new(on, Site::start(page).await, settings).await;
    for (name, value) in shim.env() {
        fleet = fleet.with(name, &value);
    }
    fleet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f9_a_disk_that_fails_is_named_and_nothing_is_lost() {
    let (documents, faults) = size(90, 3);
    let (shim, gate) = (Shim::new(), Arc::new(Semaphore::new(0)));
    // A claim that is committed and whose flush failed is taken up again when its lease expires.
    let settings = format!("{EAGER}runner.lease = \"6s\"\nrunner.heartbeat = \"1s\"\n");
    let fleet = shimmed(Backend::Sqlite, &shim, &settings, Some(Arc::clone(&gate))).await;
    let mut longest = Duration::ZERO;
    let share = documents / faults;
    for fault in 0..faults {
        // New workers, which have not said anything yet.
        let workers = [fleet.work(), fleet.work()];
        fleet.fill_from(fault * share, share).await;
        fleet.running(16).await;
        let begun = Stopwatch::start();
        let lock = match fault % 3 {
            2 => Some(fleet.place.block().await),
            kind => {
                shim.set_disk([DiskFault::FlushFails, DiskFault::ReadOnly][kind]);
                None
            }
        };
        // Each worker has results that cannot be written.
        gate.add_permits(share);
        let said = ["Input/output error", "disk I/O error", "locked by process"][fault % 3];
        workers.iter().for_each(|worker| drop(worker.until_says(said)));
        // The fault itself lasts for several heartbeats and claims.
        lasts(Duration::from_secs(3)).await;
        shim.set_disk(DiskFault::None);
        if let Some(lock) = lock {
            lock.end().await;
        }
        fleet.fault_is_over();
        workers.iter().for_each(|worker| drop(worker.until_says("answers again")));
        longest = longest.max(begun.took());
        fleet.drained().await;
        for worker in workers {
            worker.signal(Signal::TERM);
            let ended = worker.ended();
            assert_eq!(ended.code, Some(0), "{ended:?}");
            // A store that can be read and not written has not recovered. A commit whose flush fails can be read.
            let recovered = ended.err.matches("answers again").count();
            assert!(
                fault % 3 == 0 || recovered <= 2,
                "one fault, and it said {recovered} times that it was over: {}",
                ended.err
            );
        }
    }
    let outcomes = fleet.check("F9 failures of the disk", share * faults, faults, longest).await;
    use OutcomeResult::{Unchanged, Updated, WorkerLost};
    let ends = [Unchanged, Updated, WorkerLost];
    let charged = outcomes.iter().filter(|outcome| !ends.contains(&outcome.result)).count();
    assert!(
        charged <= (0..documents).filter(|page| page % 11 == 5).count(),
        "no failure but those of pages: {charged}"
    );
}

/// Seconds by which the clock is set: forward, back, and while the processes are stopped, as on a machine that sleeps.
const STEPS: [(i64, bool); 3] = [(3_600, false), (-3_600, false), (7_200, true)];

async fn f10_steps_of_the_clock_lose_nothing_and_run_nothing_twice(on: Backend) {
    let (documents, steps) = size(120, 3);
    let shim = Shim::new();
    let fleet = shimmed(on, &shim, EAGER, None).await.with_steps_of_the_clock();
    fleet.fill(documents).await;
    let workers = [fleet.work(), fleet.work()];
    let mut random = Random::new(10);
    let (mut clock, mut longest) = (0, Duration::ZERO);
    for step in 0..steps {
        fleet.reached(documents * (step + 1) / (steps + 2) + random.below(4)).await;
        let (seconds, sleeps) = STEPS[step % STEPS.len()];
        clock += seconds;
        if sleeps {
            workers.iter().for_each(Process::stop);
        }
        shim.set_clock(clock);
        if sleeps {
            workers.iter().for_each(|worker| worker.signal(Signal::CONT));
        }
        let begun = Stopwatch::start();
        fleet.reached(fleet.count() + 1).await;
        longest = longest.max(begun.took());
        // Longer than it takes to see a death.
        lasts(Duration::from_secs(2)).await;
    }
    // A retry that was due before the clock was set back waits until then: an hour at most.
    shim.set_clock(clock + 3_600);
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let outcomes = fleet.check("F10 steps of the clock", documents, steps, longest).await;
    let lost = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).count();
    assert_eq!(lost, 0, "nobody died");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    f10_steps_of_the_clock_lose_nothing_and_run_nothing_twice,
}
