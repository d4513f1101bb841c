//! Tests TERM in the middle of running jobs.

use super::{assert_invariants, number, size};
use crate::support::db;
use crate::support::install::Install;
use crate::support::measure::{self, Stopwatch};
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_end_within_the_drain_is_given_back_as_it_was() {
    let (_, rounds) = size(0, 3);
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |path, _| Reply::When(Arc::clone(&held), Box::new(html(path, "text"))));
    let install = Install::new(site.await, "runner.per_host = 16\nrunner.drain = \"500ms\"\n");
    let paths: Vec<String> = (0..16).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let store = install.store().await;
    // A metadata key that is null and one that is missing mean the same.
    let documents = "select quote(sync_status) || quote(json_extract(metadata, '$.sync_step')) || \
                     quote(json_extract(metadata, '$.last_sync_error_code')) || quote(last_sync_attempted_at) || \
                     quote(updated_at) from captain_documents order by id";
    let before = db::texts(install.file(), documents).await;
    let mut longest = Duration::ZERO;
    for round in 1..=u32::try_from(rounds.min(50)).expect("fits") {
        let worker = install.start(&["work"]);
        install.site.until_hits(&paths, round).await;
        worker.signal(Signal::TERM);
        let told = Stopwatch::start();
        let ended = worker.ended();
        longest = longest.max(told.took());
        assert_eq!((ended.code, ended.out.len(), ended.err.as_str()), (Some(0), 0, ""), "nothing to record or to say");
        let untouched = "select count(*) from jobs where state = 'ready' and attempt = 0 and transient_fails = 0 and \
                         unexpected_fails = 0 and crashes = 0 and lease_token is null and worker_id is null";
        assert_eq!(number(&install, untouched).await, 16, "number and counters were given back");
        assert_eq!(number(&install, "select count(*) from workers").await, 0, "it signed off");
        assert_eq!(db::texts(install.file(), documents).await, before, "the rows are as before the first try");
    }
    gate.add_permits(usize::MAX >> 4);
    let drained = install.run(&["work", "--drain"]);
    assert_eq!((drained.code, drained.out.len()), (Some(0), 16), "{drained:?}");
    store.close().await;
    assert_eq!(number(&install, "select count(*) from outcomes where attempt = 1 and result = 'unchanged'").await, 16);
    assert_invariants(&install).await;
    println!("drains: {rounds} with 16 running, the longest end {:.2} s after TERM", longest.as_secs_f64());
    measure::at_most("a drain of 500 ms ends", longest, Duration::from_millis(1_500));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_cannot_print_finishes_its_jobs_and_fails() {
    let site = Site::start(|path, _| html(path, "text")).await;
    let install = Install::new(site, "runner.concurrency = 1\n");
    let paths: Vec<String> = (0..64).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let mut command = std::process::Command::new("sh");
    command.args(["-c", "exec \"$0\" work > /dev/full", env!("CARGO_BIN_EXE_quarterdeck")]);
    let ended = install.spawn(command).ended();
    assert_eq!(ended.code, Some(3), "a supervisor starts it again: {ended:?}");
    assert!(ended.err.contains("outcomes cannot be printed: No space left on device"), "{}", ended.err);
    let left = "select count(*) from jobs where state in ('running', 'ready')";
    assert!(number(&install, left).await > 0, "it ended before its queue was empty");
    assert_eq!(number(&install, "select count(*) from jobs where state = 'running'").await, 0);
    assert_invariants(&install).await;
}
