//! Tests Ctrl-Z: a process that is stopped by it has no write lock, so that others go on.

use super::{assert_invariants, number, size};
use crate::support::figures::Figures;
use crate::support::install::{Install, until, until_stopped};
use crate::support::invariants::figures_of;
use crate::support::place::Place;
use crate::support::site::{Site, html};
use rusqlite::Connection;
use rustix::process::{Pid, Signal};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_ctrl_z_stops_keeps_nobody_from_writing() {
    let (documents, stops) = size(200, 12);
    let site = Site::start(|path, hit| html(path, &format!("answer {hit}"))).await;
    let install = Install::new(site, "runner.per_host = 32\nrunner.concurrency = 32\n");
    let paths: Vec<String> = (0..documents).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let store = install.store().await;
    let recorded = async || number(&install, "select count(*) from outcomes").await;
    let worker = install.start(&["work"]);
    let pid = Pid::from_raw(i32::try_from(worker.id()).expect("fits")).expect("a process");
    let mut outcomes = 0;
    for stop in 1..=stops {
        // Another process requests all of them again, so that the worker is busy when it is stopped.
        let requested = install.run(&["sync", "--all", "--yes"]);
        assert_eq!(requested.code, Some(0), "{requested:?}");
        until(&*store, "outcomes of the worker", async || recorded().await > outcomes).await;
        worker.signal(Signal::TSTP);
        until_stopped(pid);
        let other = Connection::open(install.file()).expect("the store opens");
        other.busy_timeout(Duration::ZERO).expect("a time-out");
        other.execute_batch("BEGIN IMMEDIATE; ROLLBACK").unwrap_or_else(|error| panic!("stop {stop}: {error}"));
        drop(other);
        outcomes = recorded().await;
        worker.signal(Signal::CONT);
    }
    until(&*store, "an outcome after the last stop", async || recorded().await > outcomes).await;
    // What still waits when the worker ends would count as lost.
    let is_empty = async || store.queue().await.is_ok_and(|queue| queue.ready + queue.running + queue.scheduled == 0);
    until(&*store, "the end of the queue", is_empty).await;
    store.close().await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    assert_invariants(&install).await;
    let figures = figures_of(&Place::of_file(install.file())).await;
    Figures { size: documents * stops, faults: stops, ..figures }.note();
}
