//! Tests a machine that lets the program open few files: that is no failure of a page.

use super::{assert_invariants, number};
use crate::support::install::{Ended, Install};
use crate::support::site::{Reply, Site, html};
use std::process::Command;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Runs `work --drain` with this limit of open files, as an option of `ulimit`.
fn drained(install: &Install, limit: &str, slots: &str) -> Ended {
    let mut command = Command::new("sh");
    let script = format!("ulimit {limit}; exec \"$0\" work --drain --concurrency {slots}");
    command.args(["-c", &script, env!("CARGO_BIN_EXE_quarterdeck")]);
    install.spawn(command).ended()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_soft_limit_of_open_files_is_raised() {
    const PAGES: u32 = 100;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |path, _| Reply::When(Arc::clone(&held), Box::new(html(path, "text"))));
    let install = Install::new(site.await, &format!("runner.per_host = {PAGES}\n"));
    let paths: Vec<String> = (0..PAGES).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    let hits = async {
        // All connections are open at the same time before the first page is answered.
        install.site.until_hits(&paths, 1).await;
        gate.add_permits(usize::MAX >> 4);
    };
    let ended = tokio::task::block_in_place(|| {
        std::thread::scope(|scope| {
            let running = scope.spawn(|| drained(&install, "-S -n 64", &PAGES.to_string()));
            tokio::runtime::Handle::current().block_on(hits);
            running.join().expect("no panic")
        })
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(number(&install, "select count(*) from outcomes where result = 'unchanged'").await, i64::from(PAGES));
    assert_invariants(&install).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_concurrent_syncs_than_open_files_are_refused() {
    let install = Install::new(Site::start(|path, _| html(path, "text")).await, "");
    install.fill(&["/page".to_owned()]).await;
    let ended = drained(&install, "-n 128", "64");
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let message = "64 concurrent syncs need 176 open files, and this process may have 128";
    assert!(ended.err.contains(message), "{}", ended.err);
    assert_eq!(drained(&install, "-n 128", "16").code, Some(0));
}
