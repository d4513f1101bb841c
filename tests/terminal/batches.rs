//! Tests acts on many documents with the real program on a real terminal: undo, progress, what failed, and a console that
//! is killed.

use super::signal;
use crate::support::db;
use crate::support::install::Install;
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use std::fmt::Write as _;

/// An installation with pages of which two are missing.
async fn install() -> Install {
    let reply = |path: &str, _: u32| match path {
        "/missing-1" | "/missing-2" => Reply::Status(404, Vec::new()),
        _ => html("Title", "text"),
    };
    let install = Install::new(Site::start(reply).await, "");
    let urls = ["/missing-1", "/missing-2", "/a", "/b", "/c"].map(|path| install.site.url(path));
    let add: Vec<&str> = std::iter::once("add").chain(urls.iter().map(String::as_str)).collect();
    assert_eq!(install.run(&add).code, Some(0));
    install
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_documents_are_undone_then_synced_and_those_that_failed_are_listed() {
    let install = install().await;
    let mut terminal = Terminal::spawn(120, 40, install.on_terminal(&["--runner"]));
    terminal.until_text("documents 5");
    terminal.keys("S");
    terminal.until_text("Sync 5");
    terminal.keys("\t\r");
    terminal.until_text("sync 5 documents begins in");
    terminal.keys("U");
    terminal.until_text("undid batch 1: nothing was done");
    terminal.keys("S");
    terminal.until_text("Sync 5");
    terminal.keys("\t\r");
    terminal.until_text("sync 5 documents begins in");
    terminal.until_text("3 synced, 2 failed");
    terminal.keys("b");
    terminal.until_text("the failed");
    terminal.keys("\r");
    terminal.until("those that failed", |screen| {
        let text = screen.contents();
        text.contains("batch:2 status:failed") && text.contains("missing-1") && !text.contains("/a ")
    });
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
    let listed = install.run(&["list", "--filter", "batch:2 status:failed", "--json"]);
    assert_eq!((listed.code, listed.out.len()), (Some(0), 2), "{listed:?}");
    let mut shown = String::new();
    for line in install.run(&["batch", "list"]).out {
        writeln!(shown, "{line}").expect("a text");
    }
    assert!(shown.contains("2  sync 5 documents (every document)  done, 3 synced, 2 failed"), "{shown}");
    assert!(shown.contains("1  sync 5 documents (every document)  undone, 5 not begun"), "{shown}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_of_a_killed_console_is_listed_with_what_is_left_and_goes_on() {
    let install = install().await;
    let mut terminal = Terminal::spawn(120, 40, install.on_terminal(&["--no-runner"]));
    terminal.until_text("documents 5");
    terminal.keys("S");
    terminal.until_text("Sync 5");
    terminal.keys("\t\r");
    terminal.until_text("sync 5 documents begins in");
    signal(terminal.pid(), "KILL");
    terminal.ended();
    // Its lease has ended.
    db::execute(install.file(), "UPDATE batches SET held_until = 1").await;
    let doctor = install.run(&["doctor"]);
    let found = doctor.out.iter().any(|line| line.contains("left unfinished: 5 left"));
    assert!(found, "{doctor:?}");
    let mut terminal = Terminal::spawn(120, 40, install.on_terminal(&["--runner"]));
    terminal.until_text("left unfinished, 5 left");
    terminal.keys("b");
    terminal.until_text("r resume");
    terminal.keys("r");
    terminal.until_text("3 synced, 2 failed");
    terminal.keys("\x1b\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verbs_make_batches_that_begin_at_once_and_are_ordered_by_number() {
    let install = install().await;
    let synced = install.run(&["sync", "--all"]);
    assert_eq!((synced.code, synced.out), (Some(0), vec!["sync: queued 5 (batch 1)".to_owned()]));
    let paused = install.run(&["batch", "pause", "1"]);
    assert_eq!(paused.out, ["1  sync 5 documents (every document)  paused, 5 left"], "{paused:?}");
    assert_eq!(db::texts(install.file(), "SELECT CAST(count(*) AS TEXT) FROM jobs").await, [Some("0".to_owned())]);
    let again = install.run(&["batch", "pause", "1"]);
    assert!(again.code == Some(2) && again.err.contains("batch 1 is paused: nothing to pause"), "{again:?}");
    let resumed = install.run(&["batch", "resume", "1"]);
    assert_eq!(resumed.out, ["1  sync 5 documents (every document)  working, 5 left"], "{resumed:?}");
    let drained = install.run(&["work", "--drain"]);
    assert_eq!(drained.code, Some(1), "two pages are missing: {drained:?}");
    let shown = install.run(&["batch", "show", "1"]).out.join("\n");
    assert!(shown.contains("state       done") && shown.contains("results     3 synced, 2 failed"), "{shown}");
    assert!(shown.contains("quarterdeck list --filter 'batch:1 status:failed'"), "{shown}");
    let one = install.run(&["sync", "3"]);
    assert_eq!(one.out, ["queued 3"]);
    let retried = install.run(&["retry", "--filter", "batch:1 status:failed"]);
    assert_eq!(retried.out, ["retry: queued 2 (batch 2)"], "one document made none: {retried:?}");
    let stopped = install.run(&["batch", "stop", "2"]);
    assert_eq!(stopped.out, ["2  retry 2 documents (batch:1 status:failed)  stopped, 2 not begun"], "{stopped:?}");
    let missing = install.run(&["batch", "show", "77"]);
    assert!(missing.code == Some(2) && missing.err.contains("there is no batch 77"), "{missing:?}");
    let removed = install.run(&["remove", "1", "2", "--yes"]);
    assert_eq!(removed.out, ["removed 2 documents (batch 3)"], "{removed:?}");
}
