//! Tests workers that are killed with kill -9 (F1, F2, F13, F14, L1).

use super::{AFTER_THE_LAST, size};
use crate::support::fleet::{EAGER, Fleet, Random, dismiss, percentile};
use crate::support::install::Process;
use crate::support::measure::{self, Stopwatch};
use crate::support::place::Backend;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Limit on the time from a worker's death to the next attempt of its documents.
const SEEN_DEAD: Duration = Duration::from_secs(5);

/// Returns pages of every kind: some fail at first, some always.
fn page(path: &str, hit: u32) -> Reply {
    let number: usize = path.trim_start_matches('/').parse().expect("a number");
    let reply = match number {
        n if n % 17 == 3 => Reply::Status(404, vec![]),
        n if n % 11 == 5 && hit == 1 => Reply::Status(503, vec![]),
        _ => html(path, &format!("answer {hit} of {path}")),
    };
    Reply::After(Duration::from_millis(10), Box::new(reply))
}

async fn f1_f2_kills_at_random_moments_lose_nothing_and_write_nothing_twice(on: Backend) {
    let (documents, kills) = size(150, 3);
    let mut fleet = Fleet::new(on, Site::start(page).await, EAGER).await;
    fleet.fill(documents).await;
    let mut workers: Vec<Process> = (0..3).map(|_| fleet.work()).collect();
    let mut random = Random::new(1);
    let share = documents / (kills + 2);
    for _ in 0..kills {
        fleet.reached(fleet.count() + 1 + random.below(share)).await;
        fleet.kill(workers.swap_remove(random.below(workers.len())));
        workers.push(fleet.work());
    }
    let last = Stopwatch::start();
    fleet.drained().await;
    let after = last.took();
    workers.into_iter().for_each(|worker| drop(dismiss(worker)));
    let delays = fleet.delays();
    println!("{} attempts lost, all done {:.1} s after the last kill", delays.len(), after.as_secs_f64());
    let longest = delays.last().copied().unwrap_or_default();
    fleet.check("F1/F2 kill -9", documents, kills, longest).await;
    measure::at_most("all done after the last kill", after, AFTER_THE_LAST);
}

async fn f13_a_death_is_seen_within_seconds(on: Backend) {
    let (_, kills) = size(0, 6);
    // No page answers before the end: a worker that has claimed a job still runs it when it is killed.
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |path, _| Reply::When(Arc::clone(&held), Box::new(html(path, "text")))).await;
    let mut fleet = Fleet::new(on, site, "runner.per_host = 64\nrunner.concurrency = 2\n").await;
    fleet.fill(2).await;
    let rescuer = fleet.work();
    fleet.running(2).await;
    let (mut done, mut random) = (0, Random::new(13));
    while done < kills {
        let round = (kills - done).min(10);
        let documents = fleet.fill_from(2 + 2 * done, 2 * round).await;
        let mut victims: Vec<_> = (0..round).map(|_| fleet.work()).collect();
        fleet.running(2 + 2 * u64::try_from(round).expect("fits")).await;
        while !victims.is_empty() {
            fleet.kill(victims.swap_remove(random.below(victims.len())));
        }
        done += round;
        fleet.running(2).await;
        // Cancels these jobs, so that the next workers claim new ones.
        fleet.store.cancel(&documents, &"test".into()).await.expect("the store answers");
    }
    gate.add_permits(usize::MAX >> 4);
    fleet.drained().await;
    dismiss(rescuer);
    let delays = fleet.delays();
    assert_eq!(delays.len(), 2 * kills, "each had two");
    let (half, most) = (percentile(&delays, 50), percentile(&delays, 99));
    println!("{kills} deaths: taken up after {half:.2?} at p50, {most:.2?} at p99");
    let longest = delays.last().copied().unwrap_or_default();
    fleet.check("F13 deaths", 2 + 2 * kills, kills, longest).await;
    measure::at_most("a death is seen, at p99", most, SEEN_DEAD);
}

/// Limit from one kill to the end of the last of its documents.
const LAST_OF_32: Duration = Duration::from_secs(30);

async fn l1_the_last_document_of_a_killed_worker_ends_soon(on: Backend) {
    const RUNNING: usize = 32;
    let (_, kills) = size(0, 1);
    // As long as a slow page: one after the other they would need more than three minutes.
    let page = |path: &str, _| Reply::After(Duration::from_secs(6), Box::new(html(path, "text")));
    let settings = format!("runner.per_host = {RUNNING}\nrunner.concurrency = {RUNNING}\n");
    let mut fleet = Fleet::new(on, Site::start(page).await, &settings).await;
    let (mut longest, mut worker) = (Duration::ZERO, fleet.work());
    for kill in 0..kills {
        fleet.fill_from(kill * RUNNING, RUNNING).await;
        fleet.running(RUNNING as u64).await;
        fleet.kill(worker);
        let killed = Stopwatch::start();
        worker = fleet.work();
        fleet.drained().await;
        longest = longest.max(killed.took());
    }
    dismiss(worker);
    fleet.check("L1 last document", RUNNING * kills, kills, longest).await;
    measure::at_most("the last of 32 documents is done", longest, LAST_OF_32);
}

async fn f14_a_worker_that_is_restarted_again_and_again_leaves_nothing_stuck(on: Backend) {
    let (documents, restarts) = size(120, 6);
    let mut fleet = Fleet::new(on, Site::start(page).await, EAGER).await;
    fleet.fill(documents).await;
    let begun = Stopwatch::start();
    let share = documents / (restarts + 2);
    let mut worker = fleet.work();
    for restart in 0..restarts {
        fleet.reached(fleet.count() + share.min(4)).await;
        // Alternates between a kill, as by the kernel, and an orderly stop, as by a supervisor.
        if restart % 2 == 0 {
            fleet.kill(worker)
        } else {
            drop(dismiss(worker))
        }
        worker = fleet.work();
    }
    let restarted = begun.took();
    fleet.drained().await;
    dismiss(worker);
    println!("{restarts} restarts in {:.1} s", restarted.as_secs_f64());
    let longest = fleet.delays().last().copied().unwrap_or_default();
    let outcomes = fleet.check("F14 restarts", documents, restarts, longest).await;
    // Workers that are killed while no job runs alone show that no page is to blame.
    let given_up = outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::CrashExhausted).count();
    assert_eq!(given_up, 0, "no page kills its worker");
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    f1_f2_kills_at_random_moments_lose_nothing_and_write_nothing_twice,
    f13_a_death_is_seen_within_seconds,
    f14_a_worker_that_is_restarted_again_and_again_leaves_nothing_stuck;
    only by command:
    l1_the_last_document_of_a_killed_worker_ends_soon,
}
