//! Tests the program on a full disk: a small RAM disk, which only root may mount. Other users have only the store's own
//! test (`a_full_disk_is_nobodys_failure_and_passes`, which uses `max_page_count`).

use super::{READS, assert_console_refuses, assert_refused, verbs};
use crate::support::db;
use crate::support::figures::{Figures, Note};
use crate::support::install::{Install, until};
use crate::support::invariants::figures_of;
use crate::support::limit::lasts;
use crate::support::measure::Stopwatch;
use crate::support::place::Place;
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::retention::Retention;
use quarterdeck::store::{RetentionStep, StoreError};
use rustix::process::Signal;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Semaphore;

/// A mounted disk; dropping it, also during a panic, unmounts it.
pub struct Disk(TempDir);

impl Disk {
    /// Mounts a disk of this size; prints a line and returns `None` if this user may not mount.
    pub fn mounted(kilobytes: usize) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &format!("size={kilobytes}k,nr_inodes=200,mode=755"), "tmpfs"])
            .arg(folder.path());
        if mount.stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            return Some(Self(folder));
        }
        println!("no disk can be mounted here: not tried on a full one");
        Note::NotRun("no disk can be mounted".into()).add();
        None
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Fills the disk to its last byte.
    pub fn fill(&self) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path("filler")).expect("a file");
        let piece = [0x5a; 4_096];
        while file.write_all(&piece).is_ok() {}
        while file.write_all(&piece[..1]).is_ok() {}
    }

    /// Uses up all inodes but `count`.
    pub fn leave_files(&self, count: usize) {
        let folder = self.path("files");
        std::fs::create_dir(&folder).expect("a folder");
        let made = (0..).map_while(|n| {
            let path = folder.join(n.to_string());
            std::fs::File::create(&path).ok().map(|_| path)
        });
        let made: Vec<_> = made.collect();
        for path in &made[made.len() - count..] {
            std::fs::remove_file(path).expect("it was made");
        }
    }

    pub fn free(&self) {
        std::fs::remove_file(self.path("filler")).expect("the filler is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Unmounts lazily: a process that a failed test leaves behind must not keep the disk mounted.
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

fn on(disk: &Disk, site: Site, settings: &str) -> Install {
    Install::new(site, settings).with_store(disk.path("q.db"))
}

const FULL: [&str; 2] = ["the disk is full", "free some space"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_verb_on_a_full_disk_names_the_store_and_loses_nothing() {
    let Some(disk) = Disk::mounted(2_048) else { return };
    let install = on(&disk, Site::start(|_, _| html("T", "text")).await, "");
    let name = install.file().display().to_string();
    let list = install.write("list.txt", "https://example.org/b\n").display().to_string();
    let page = install.site.url("/a");
    assert_eq!(install.run(&["add", &page, "--sync"]).code, Some(0));
    disk.fill();
    for verb in verbs(&list) {
        let ran = install.run(&verb);
        if READS.contains(&verb[0]) {
            assert_eq!(ran.code, Some(0), "{verb:?} needs no space: {ran:?}");
        } else {
            assert_refused(&ran, 3, &format!("{verb:?}"), &[&name, FULL[0], FULL[1]]);
        }
    }
    let terminal = Terminal::spawn(250, 24, install.on_terminal(&[]));
    assert_console_refuses(terminal, 3, "console", &[&name, FULL[0], FULL[1]]);
    let looked = install.run(&["--read-only", "list", "--json"]);
    assert!(looked.code == Some(0) && looked.out[0].contains(&page), "looking needs no space: {looked:?}");
    // The store cannot be created.
    let install = install.with_store(disk.path("new.db"));
    assert_refused(&install.run(&["add", &page]), 3, "a new store", &["new.db", FULL[0], FULL[1]]);

    disk.free();
    assert_eq!(install.run(&["add", &page]).code, Some(0), "made once there is space");
    let install = install.with_store(disk.path("q.db"));
    assert!(install.is_sound().await);
    let drained = install.run(&["work", "--drain"]);
    assert_eq!((drained.code, drained.out.len()), (Some(0), 1), "what was queued is done: {drained:?}");
}

/// Number of documents: small by default, `QUARTERDECK_CHAOS=DOCUMENTS,…` for the full size.
fn documents() -> usize {
    let text = std::env::var("QUARTERDECK_CHAOS").unwrap_or_default();
    text.split(',').next().and_then(|number| number.parse().ok()).unwrap_or(24)
}

fn used(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |data| data.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_keeps_its_results_through_a_full_disk_and_goes_on_by_itself() {
    let documents = documents();
    let Some(disk) = Disk::mounted(16_384 + documents * 256) else { return };
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |path, _| {
        // Too large for the free pages inside the store's file.
        let text = format!("{path} ").repeat(100_000 / (path.len() + 1));
        Reply::When(Arc::clone(&held), Box::new(html(path, &text)))
    });
    let settings = "runner.lease = \"1s\"\nrunner.heartbeat = \"300ms\"\nrunner.per_host = 16\n";
    let install = on(&disk, site.await, settings);
    let paths: Vec<String> = (0..documents).map(|page| format!("/{page}")).collect();
    install.fill(&paths).await;

    let worker = install.start(&["work"]);
    let store = install.store().await;
    until(&*store, "16 running", async || paths.iter().map(|path| install.site.hits(path)).sum::<u32>() >= 16).await;
    disk.fill();
    let full = Stopwatch::start();
    gate.add_permits(documents);
    worker.until_says(FULL[0]);
    // Real time must pass: longer than a lease and than the heartbeats that could not be written.
    lasts(Duration::from_millis(1_500)).await;
    let synced = store.counts().await.expect("reading needs no space").of(Status::Synced);
    assert!(synced < 16, "{synced} were written to a full disk");
    disk.free();
    let (lasted, freed) = (full.took(), Stopwatch::start());
    let all = u64::try_from(documents).expect("fits");
    let are_synced = async |least| store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) >= least);
    until(&*store, "the next one synced", async || are_synced(synced + 1).await).await;
    let resumed = freed.took();
    until(&*store, "all synced", async || are_synced(all).await).await;
    let done = freed.took();
    worker.until_says("answers again");
    worker.signal(Signal::TERM);
    let ended = worker.ended();
    assert_eq!((ended.code, ended.out.len()), (Some(0), documents), "{}", ended.err);
    store.close().await;

    for path in &paths {
        assert_eq!(install.site.hits(path), 1, "{path}: the result was kept, not fetched again");
    }
    let results = db::texts(install.file(), "select distinct result from outcomes").await;
    assert_eq!(results, [Some("unchanged".to_owned())], "nobody was lost or failed");
    assert_eq!(db::integers(install.file(), "select max(seq) from outcomes").await, [i64::try_from(documents).ok()]);
    assert!(install.is_sound().await);
    let figures = Figures { size: documents, faults: 1, ..figures_of(&Place::of_file(install.file())).await };
    let (recovered, done) = (Some(resumed.as_secs_f64()), Some(done.as_secs_f64()));
    Figures { slowest_recovery: recovered, last_done: done, ..figures }.note();
    println!(
        "full disk: {documents} documents, full for {:.1} s, written again {:.1} s after there was space, store {} KB",
        lasted.as_secs_f64(),
        resumed.as_secs_f64(),
        used(install.file()) / 1_024
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_on_a_full_disk_recovers_once() {
    let Some(disk) = Disk::mounted(4_096) else { return };
    let install = on(&disk, Site::start(|_, _| html("T", "text")).await, "runner.heartbeat = \"300ms\"\n");
    let store = install.store().await;
    let worker = install.start(&["work"]);
    until(&*store, "the worker", async || store.queue().await.is_ok_and(|queue| queue.workers == 1)).await;
    disk.fill();
    worker.until_says(FULL[0]);
    // The fault lasts for several heartbeats, and for several claims, which only read.
    lasts(Duration::from_secs(4)).await;
    disk.free();
    worker.until_says("answers again");
    store.close().await;
    worker.signal(Signal::TERM);
    let ended = worker.ended();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.err.matches("answers again").count(), 1, "reads prove nothing: {}", ended.err);
}

/// Adds old outcomes of the first document, and makes those that are there as old.
async fn add_old_outcomes(file: &Path, count: i64) {
    let first = db::integers(file, "select last from outcome_seq").await[0].expect("a number");
    let insert = format!(
        "insert into outcomes (seq, at, document_id, account_id, assistant_id, name, url, host, job_id, attempt, queue, \
         result) with recursive n(n) as (select 1 union all select n + 1 from n where n < {count}) \
         select {first} + n, 1000000 + n, 1, 1, 1, 'N', 'https://a.test/', 'a.test', 1000000 + n, 1, 0, 'unchanged' from n"
    );
    db::execute(file, &insert).await;
    db::execute(file, &format!("update outcome_seq set last = last + {count}")).await;
    db::execute(file, "update outcomes set at = 1000000 + seq").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_and_backup_on_a_full_disk_say_so_and_lose_nothing() {
    const OLD: i64 = 3_000;
    let Some(disk) = Disk::mounted(16_384) else { return };
    let install = on(&disk, Site::start(|path, _| html(path, "text")).await, "");
    install.fill(&["/a".to_owned(), "/b".to_owned()]).await;
    assert_eq!(install.run(&["work", "--drain"]).code, Some(0));
    add_old_outcomes(install.file(), OLD).await;
    let outcomes = async || db::integers(install.file(), "select count(*) from outcomes").await[0].expect("a count");
    // The worker that has just ended had the lease of the removal.
    db::execute(install.file(), "update retention set held_until = 0").await;
    let store = install.store().await;
    db::execute(install.file(), "pragma wal_checkpoint(truncate)").await;
    disk.fill();

    let keep = Retention { outcomes: Some(Duration::from_secs(86_400)), ..Retention::default() };
    match store.remove_old(&keep, "one").await {
        Err(StoreError::Unavailable(reason)) => assert!(reason.contains(FULL[0]), "{reason}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(outcomes().await, OLD + 2, "nothing is removed by half");
    let beside = disk.path("copy.db").display().to_string();
    let refused = install.run(&["backup", &beside]);
    assert!(refused.code == Some(3) && refused.err.contains("MB are free"), "{refused:?}");
    assert!(!disk.path("copy.db").exists() && !disk.path("copy.db.unfinished").exists());
    let elsewhere = install.folder().join("copy.db").display().to_string();
    let copied = install.run(&["backup", &elsewhere]);
    assert_eq!(copied.code, Some(0), "a copy on another disk needs no space on this one: {copied:?}");

    disk.free();
    while let RetentionStep::More(_) = store.remove_old(&keep, "one").await.expect("there is space") {}
    store.close().await;
    assert_eq!(outcomes().await, 0);
    let newest = db::integers(install.file(), "select count(*) from last_outcomes").await;
    assert_eq!(newest, [Some(2)], "each document keeps its newest");
    assert!(install.is_sound().await);
}
