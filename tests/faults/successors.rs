//! Tests what becomes of the documents of a killed worker: its successor runs them all at the same time.

use super::{assert_invariants, number};
use crate::support::install::Install;
use crate::support::site::{Reply, Site, html};
use rustix::process::Signal;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Documents that the killed worker runs.
const RUNNING: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_documents_of_a_killed_worker_run_at_the_same_time() {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |path, _| Reply::When(Arc::clone(&held), Box::new(html(path, "text"))));
    let settings = format!("runner.per_host = {RUNNING}\nrunner.concurrency = {RUNNING}\n");
    let install = Install::new(site.await, &settings);
    let paths: Vec<String> = (0..RUNNING).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let killed = install.start(&["work"]);
    install.site.until_hits(&paths, 1).await;
    killed.signal(Signal::KILL);
    killed.ended();
    let successor = install.start(&["work", "--drain"]);
    // No page has been answered yet, so each of these requests is in progress.
    install.site.until_hits(&paths, 2).await;
    gate.add_permits(usize::MAX >> 4);
    assert_eq!(successor.ended().code, Some(0));
    assert_eq!(number(&install, "select count(*) from outcomes where result = 'worker_lost'").await, RUNNING as i64);
    assert_eq!(number(&install, "select count(*) from outcomes where result = 'unchanged'").await, RUNNING as i64);
    assert_invariants(&install).await;
}
