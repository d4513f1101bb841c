//! Tests a machine that lets the program open few files: that is no failure of a page.

use super::{assert_invariants, number};
use crate::support::install::{Ended, Install, until};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_may_open_no_more_files_charges_no_document() {
    const PAGES: u32 = 24;
    let site = Site::start(|path, _| html(path, "text")).await;
    let install = Install::new(site, "runner.per_host = 16\nrunner.concurrency = 16\n");
    let worker = install.start(&["work"]);
    let first = ["/first".to_owned()];
    install.fill(&first).await;
    install.site.until_hits(&first, 1).await;
    // Some of the 16 slots find no descriptor for their connection.
    let pid = Pid::from_raw(i32::try_from(worker.id()).expect("fits")).expect("a process");
    let open = std::fs::read_dir(format!("/proc/{}/fd", worker.id())).expect("it runs").count();
    let few = Rlimit { current: Some(open as u64 + 6), maximum: Some(4_096) };
    prlimit(Some(pid), Resource::Nofile, few).expect("a child's limit");
    let paths: Vec<String> = (0..PAGES).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;
    worker.until_says("this process may open no more files, so nothing is fetched for 5 s");
    prlimit(Some(pid), Resource::Nofile, Rlimit { current: Some(4_096), ..few }).expect("a child's limit");
    let store = install.store().await;
    let all = u64::from(PAGES) + 1;
    let synced = async || store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) == all);
    until(&*store, "all synced", synced).await;
    store.close().await;
    worker.signal(Signal::TERM);
    assert_eq!(worker.ended().code, Some(0));
    assert_eq!(number(&install, "select count(*) from outcomes where result <> 'unchanged'").await, 0);
    assert_eq!(number(&install, "select max(attempt) from outcomes").await, 1);
    assert_invariants(&install).await;
}
