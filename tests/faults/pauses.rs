//! Tests processes and databases that are stopped for longer than a lease.

use super::{assert_invariants, number, size};
use crate::support::db;
use crate::support::figures::Figures;
use crate::support::install::{Install, until};
use crate::support::invariants::figures_of;
use crate::support::limit::lasts;
use crate::support::measure::Stopwatch;
use crate::support::place::Place;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const SHORT_LEASE: &str = "runner.lease = \"1s\"\nrunner.heartbeat = \"300ms\"\n";
/// Longer than the lease of 4 s, which is long enough for a worker on a busy machine to send its heartbeats in time.
const OUTAGE: Duration = Duration::from_secs(5);
/// Longer than the interval between two rescues.
const LOOKED: Duration = Duration::from_millis(1_500);

/// Serves pages whose first response waits for the gate and whose later ones come at once; their text contains the hit.
async fn gated_first(gate: &Arc<Semaphore>) -> Site {
    let held = Arc::clone(gate);
    Site::start(move |path, hit| {
        let page = html(path, &format!("answer {hit}"));
        if hit == 1 { Reply::When(Arc::clone(&held), Box::new(page)) } else { page }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_wakes_after_its_lease_changes_nothing() {
    let (documents, rounds) = size(8, 1);
    let documents = documents.min(64);
    let started = Stopwatch::start();
    let (mut lost, mut late) = (0, 0);
    for _ in 0..rounds.min(50) {
        let gate = Arc::new(Semaphore::new(0));
        let settings = format!("{SHORT_LEASE}runner.per_host = {documents}\nrunner.concurrency = {documents}\n");
        let install = Install::new(gated_first(&gate).await, &settings);
        let paths: Vec<String> = (0..documents).map(|page| format!("/{page}")).collect();
        install.fill(&paths).await;
        let store = install.store().await;
        let all = u64::try_from(documents).expect("fits");

        let sleeper = install.start(&["work"]);
        install.site.until_hits(&paths, 1).await;
        // A worker stopped within a write would block all other writers: it is stopped while another connection has the
        // lock.
        let mut lock = db::connect(install.file()).await;
        sqlx::query("begin immediate").execute(&mut lock).await.expect("the lock");
        sleeper.stop();
        sqlx::query("rollback").execute(&mut lock).await.expect("the end of the lock");
        // The responses are ready when it wakes: it continues and tries to finish jobs that it has lost.
        gate.add_permits(documents);
        let other = install.start(&["work"]);
        let synced = async || store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) == all);
        until(&*store, "all taken over and synced", synced).await;
        let (seq, version) =
            (store.last_seq().await.expect("answers"), "select sum(content_version) from document_state");
        let written = number(&install, version).await;
        sleeper.signal(Signal::CONT);
        sleeper.signal(Signal::TERM);
        let woken = sleeper.ended();
        assert_eq!((woken.code, woken.out.len()), (Some(0), 0), "it recorded nothing: {woken:?}");
        assert_eq!(store.last_seq().await.expect("answers"), seq, "and nothing was recorded for it");
        assert_eq!(number(&install, version).await, written);
        other.signal(Signal::TERM);
        let taken_over = other.ended();
        assert_eq!(
            (taken_over.code, taken_over.out.len()),
            (Some(0), 2 * documents),
            "lost, then synced: {taken_over:?}"
        );
        store.close().await;

        let old = number(&install, "select count(*) from captain_documents where content like '%answer 1%'").await;
        assert_eq!(
            (old, written),
            (0, i64::try_from(documents).expect("fits")),
            "what the second worker fetched stays"
        );
        lost += number(&install, "select count(*) from outcomes where result = 'worker_lost'").await;
        late += documents;
        assert_invariants(&install).await;
        let figures = figures_of(&Place::of_file(install.file())).await;
        Figures { size: documents, faults: 1, ..figures }.note();
    }
    println!("pauses: {lost} attempts taken over, {late} late ends refused, {:.1} s", started.took().as_secs_f64());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_taken_for_dead_because_the_database_was_busy_for_longer_than_a_lease() {
    let (_, rounds) = size(0, 1);
    let started = Stopwatch::start();
    let rounds = rounds.min(20);
    let gate = Arc::new(Semaphore::new(0));
    let settings = "runner.lease = \"4s\"\nrunner.heartbeat = \"300ms\"\nrunner.per_host = 8\nrunner.concurrency = 4\n";
    let install = Install::new(gated_first(&gate).await, settings);
    let paths: Vec<String> = (0..8).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let store = install.store().await;
    // Two workers, each with attempts that run all the time.
    let workers = [install.start(&["work"]), install.start(&["work"])];
    install.site.until_hits(&paths, 1).await;
    let beats = async || number(&install, "select min(lease_until) from jobs where state = 'running'").await;
    for _ in 0..rounds {
        let mut lock = db::connect(install.file()).await;
        sqlx::query("begin immediate").execute(&mut lock).await.expect("the lock");
        // Longer than a lease: all leases expire meanwhile, because no worker can renew them.
        lasts(OUTAGE).await;
        let before = beats().await;
        sqlx::query("rollback").execute(&mut lock).await.expect("the end of the lock");
        // Every lease has been renewed, and at least one rescue has run, since it runs every second.
        let renewed = before + i64::try_from((OUTAGE + LOOKED).as_micros()).expect("seconds");
        until(&*store, "new leases", async || beats().await > renewed).await;
    }
    gate.add_permits(8);
    let synced = async || store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) == 8);
    until(&*store, "all synced", synced).await;
    for worker in workers {
        worker.signal(Signal::TERM);
        assert_eq!(worker.ended().code, Some(0));
    }
    store.close().await;
    let results = db::texts(install.file(), "select distinct result from outcomes").await;
    assert_eq!(results, [Some("unchanged".to_owned())], "nobody was rescued");
    assert!(paths.iter().all(|path| install.site.hits(path) == 1), "and no page was fetched twice");
    assert_invariants(&install).await;
    println!(
        "outages: {rounds} longer than a lease, 16 leases over them, 0 wrong rescues, {:.1} s",
        started.took().as_secs_f64()
    );
}
