//! Tests a process that is stopped within a write, which keeps everybody else from writing to an SQLite store.

use super::assert_invariants;
use crate::support::install::{Install, until_stopped};
use crate::support::site::{Site, html};
use rustix::process::{Pid, Signal};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_stopped_within_a_write_is_named_and_can_be_continued() {
    let settings = "runner.lease = \"3s\"\nrunner.heartbeat = \"300ms\"\n";
    let install = Install::new(Site::start(|path, _| html(path, "text")).await, settings);
    let paths = ["/a".to_owned()];
    install.fill(&paths).await;
    let worker = install.start(&["work"]);
    install.site.until_hits(&paths, 1).await;
    let stopped = install.start_with(&[("QUARTERDECK_FAULT", "commit:stop:")], &["add", "https://example.org/new"]);
    until_stopped(Pid::from_raw(i32::try_from(stopped.id()).expect("fits")).expect("a process"));
    let holder = format!("locked by process {} (quarterdeck), which is stopped; waited ", stopped.id());
    let remedy = "`quarterdeck doctor --unblock` continues it";
    let told = worker.until_says(&holder);
    assert!(told.contains(remedy), "{told}");

    let reads: [&[&str]; 7] = [
        &["list"],
        &["show", "1"],
        &["log"],
        &["resume"],
        &["sync", "--all", "--dry-run"],
        &["purge", "--dry-run"],
        &["schedule", "--dry-run"],
    ];
    for verb in reads {
        let read = install.run(verb);
        assert!(read.code == Some(0) && !read.err.contains("locked"), "{verb:?}: {read:?}");
    }
    let refused = install.run(&["cancel", "1"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.err.contains(&holder) && refused.err.contains(remedy), "{}", refused.err);

    let found = install.run(&["doctor"]);
    assert_eq!(found.code, Some(1), "{found:?}");
    let line = format!("nobody can write: the store is locked by process {}", stopped.id());
    assert!(found.out.iter().any(|found| found.contains(&line) && found.contains(remedy)), "{found:?}");
    let asked = install.run(&["doctor", "--unblock"]);
    assert!(asked.code == Some(2) && asked.err.contains("confirm with --yes"), "{asked:?}");
    let continued = install.run(&["doctor", "--unblock", "--yes"]);
    assert_eq!(continued.code, Some(0), "{continued:?}");
    assert!(continued.err.contains(&format!("process {} goes on", stopped.id())), "{}", continued.err);
    assert_eq!(stopped.ended().code, Some(0));
    worker.until_says("the database answers again");
    let nothing = install.run(&["doctor", "--unblock", "--yes"]);
    assert_eq!(nothing.code, Some(0), "{nothing:?}");
    drop(worker);
    assert_invariants(&install).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_waits_for_the_disk_keeps_nobody_from_writing() {
    let install = Install::new(Site::start(|path, _| html(path, "text")).await, "");
    assert_eq!(install.run(&["add", "https://example.org/first"]).code, Some(0));
    let stopped = install.start_with(&[("QUARTERDECK_FAULT", "flush:stop:")], &["add", "https://example.org/second"]);
    until_stopped(Pid::from_raw(i32::try_from(stopped.id()).expect("fits")).expect("a process"));
    let other = install.run(&["add", "https://example.org/third"]);
    assert_eq!(other.code, Some(0), "{other:?}");
    let listed = install.run(&["list"]);
    assert!(listed.out.iter().any(|line| line.contains("https://example.org/second")), "{listed:?}");
    stopped.signal(Signal::CONT);
    assert_eq!(stopped.ended().code, Some(0));
}
