//! Tests outcome files that cannot be written, or were not written to their end: it is said, and the next process
//! completes them.

use super::disk::Disk;
use crate::support::install::{Install, Process, until};
use crate::support::limit::until_blocking;
use crate::support::pty::Terminal;
use crate::support::site::{Site, html};
use quarterdeck::domain::document::Status;
use rustix::process::Signal;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};

async fn install(folder: &Path) -> Install {
    let site = Site::start(|path, _| html(path, "text")).await;
    Install::new(site, &format!("log.dir = {:?}\n", folder.display().to_string()))
}

fn paths(start: usize) -> Vec<String> {
    (start..start + 40).map(|page| format!("/{page}")).collect()
}

/// Starts a worker, and waits until it has noted from which outcome on the files are complete.
fn worker(install: &Install, folder: &Path) -> Process {
    let worker = install.start(&["work"]);
    let is_noted = |path: PathBuf| {
        let noted = path.extension().is_some_and(|end| end == "complete");
        (noted && fs::metadata(path).is_ok_and(|data| data.len() == 20)).then_some(())
    };
    until_blocking("the note of the first process", || {
        fs::read_dir(folder).ok()?.flatten().find_map(|entry| is_noted(entry.path()))
    });
    worker
}

async fn until_synced(install: &Install, all: u64) {
    let store = install.store().await;
    until(&*store, "all synced", async || store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) == all))
        .await;
    store.close().await;
}

/// Returns the numbers of the outcomes in all files, sorted, and how many of them are marked as recovered.
fn written(folder: &Path) -> (Vec<u64>, usize) {
    let files = fs::read_dir(folder).expect("a folder").flatten().map(|entry| entry.path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "jsonl"));
    let texts = files.map(|path| fs::read_to_string(path).expect("a file"));
    // A full disk or a kill has torn a line.
    let lines = texts.flat_map(|text| text.lines().map(serde_json::from_str).collect::<Vec<_>>());
    let lines: Vec<Value> = lines.flatten().collect();
    let mut numbers: Vec<_> = lines.iter().map(|line| line["seq"].as_u64().expect("a number")).collect();
    numbers.sort_unstable();
    (numbers, lines.iter().filter(|line| line["recovered"] == true).count())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_log_folder_is_named_and_completed_by_the_next_process() {
    let Some(disk) = Disk::mounted(512) else { return };
    let folder = disk.path("log");
    let install = install(&folder).await;
    let running = worker(&install, &folder);
    disk.fill();
    install.fill(&paths(0)).await;
    running.until_says(&format!("cannot be written to a file in {} (log.dir)", folder.display()));
    until_synced(&install, 40).await;
    let found = install.run(&["doctor"]);
    let line = format!("{}: cannot be written: No space left on device", folder.display());
    assert!(found.out.iter().any(|found| found.contains("fail  log") && found.contains(&line)), "{found:?}");
    running.signal(Signal::TERM);
    assert_eq!(running.ended().code, Some(0));
    let (before, _) = written(&folder);
    assert!(before.len() < 40, "the disk was not full");

    disk.free();
    let next = worker(&install, &folder);
    install.fill(&["/last".to_owned()]).await;
    until_synced(&install, 41).await;
    until_blocking("the lines of the dead worker", || (written(&folder).0.len() == 41).then_some(()));
    let (after, recovered) = written(&folder);
    assert_eq!(after, (1..=41).collect::<Vec<_>>(), "each once");
    assert_eq!(recovered, 40 - before.len());
    next.signal(Signal::TERM);
    assert_eq!(next.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_folder_that_was_full_from_the_start_is_completed_by_the_next_process() {
    let Some(disk) = Disk::mounted(512) else { return };
    let folder = disk.path("log");
    let install = install(&folder).await;
    install.fill(&paths(0)).await;
    fs::create_dir(&folder).expect("a folder");
    disk.fill();
    let killed = install.start(&["work"]);
    until_synced(&install, 40).await;
    let said = killed.until_says("cannot be written to a file in");
    assert!(!said.contains("[tracing"), "{said}");
    drop(killed);

    disk.free();
    let next = worker(&install, &folder);
    until_blocking("the lines of the dead worker", || (written(&folder) == ((1..=40).collect(), 40)).then_some(()));
    next.signal(Signal::TERM);
    assert_eq!(next.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_that_a_killed_worker_had_not_written_are_written_once() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path().join("log");
    let install = install(&folder).await;
    let killed = worker(&install, &folder);
    install.fill(&paths(0)).await;
    until_synced(&install, 40).await;
    until_blocking("all lines", || (written(&folder).0.len() == 40).then_some(()));
    let prefix = format!("outcomes-{}.", killed.id());
    drop(killed);
    // As if the disk had got all but the last lines, and half of one, before the kill.
    let mut files = fs::read_dir(&folder).expect("a folder").flatten();
    let file = files.find(|entry| entry.file_name().to_string_lossy().starts_with(&prefix)).expect("its file").path();
    let text = fs::read_to_string(&file).expect("a file");
    let kept: usize = text.split_inclusive('\n').take(30).map(str::len).sum();
    fs::write(&file, &text[..kept + 25]).expect("written");
    for round in 0..2 {
        let next = worker(&install, &folder);
        until_blocking("the lines of the dead worker", || (written(&folder).0.len() >= 40).then_some(()));
        install.fill(&[format!("/round/{round}")]).await;
        until_synced(&install, 41 + round).await;
        next.signal(Signal::TERM);
        assert_eq!(next.ended().code, Some(0));
        assert_eq!(written(&folder), ((1..=41 + round).collect(), 10));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_says_that_the_log_folder_is_full() {
    let Some(disk) = Disk::mounted(512) else { return };
    let install = install(&disk.path("log")).await;
    let store = install.store().await;
    let console = Terminal::spawn(160, 40, install.on_terminal(&[]));
    until(&*store, "a worker", async || store.queue().await.is_ok_and(|queue| queue.workers == 1)).await;
    store.close().await;
    disk.fill();
    install.fill(&paths(0)).await;
    console.until_text("cannot be written to a file in");
}
