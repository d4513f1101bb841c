//! Tests a PostgreSQL that crashes and restarts while workers run (F5).

use super::size;
use crate::support::fleet::{EAGER, Fleet, dismiss};
use crate::support::install::Install;
use crate::support::measure;
use crate::support::place::Place;
use crate::support::postgres::Own;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::{Outcome, OutcomeResult};
use quarterdeck::domain::time::Timestamp;
use std::time::Duration;

/// Limit from the restart until each worker has finished something.
const BACK: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn f5_a_server_that_crashes_and_comes_back_costs_seconds_and_nothing_else() {
    let (mut documents, restarts) = size(240, 2);
    let planned = documents;
    let mut server = Own::start().await;
    let place = Place::on(server.store().await);
    let page =
        |path: &str, hit| Reply::After(Duration::from_millis(50), Box::new(html(path, &format!("answer {hit}"))));
    // A claim whose response was lost is recovered only when its lease expires.
    let settings = format!("{EAGER}runner.lease = \"6s\"\nrunner.heartbeat = \"1s\"\n");
    let fleet = Fleet::at(place, Install::new(Site::start(page).await, &settings)).await;
    fleet.fill(documents).await;
    let workers: Vec<_> = (0..3).map(|_| fleet.work()).collect();
    let names: Vec<_> = workers.iter().map(|worker| format!(":{}", worker.id())).collect();
    let mut back = Vec::new();
    for restart in 1..=restarts {
        fleet.reached(planned * restart / (restarts + 2)).await;
        server.crash().await;
        fleet.fault_is_over();
        let at = fleet.store.now();
        // Keeps work in the queue for the worker that reconnects last.
        while !names.iter().all(|name| first_since(&fleet.outcomes(), at, name).is_some()) {
            if fleet.live().await == Some(0) {
                fleet.fill_from(documents, 48).await;
                documents += 48;
            }
            fleet.reached(fleet.count() + 1).await;
        }
        back.push(at);
    }
    fleet.drained().await;
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let outcomes = fleet.outcomes();
    let all = back
        .iter()
        .flat_map(|at| names.iter().map(|name| first_since(&outcomes, *at, name).map(|first| first.since(*at))));
    let longest = all.flatten().max().unwrap_or_default();
    let lost = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).count();
    println!("{restarts} crashes: every worker back after {longest:.1?} at most, {lost} claims whose answer was lost");
    fleet.check("F5 crashes of the server", documents, restarts, longest).await;
    measure::at_most("every worker is back", longest, BACK);
}

/// Returns the time of a worker's first outcome after `at`.
fn first_since(outcomes: &[Outcome], at: Timestamp, worker: &str) -> Option<Timestamp> {
    let since = outcomes.iter().filter(|outcome| outcome.at >= at && outcome.result != OutcomeResult::WorkerLost);
    let mut by = since.filter(|outcome| outcome.worker.as_ref().is_some_and(|name| name.ends_with(worker)));
    by.next().map(|outcome| outcome.at)
}
