//! Tests the tasks of an incident in keystrokes, each from the list of documents: retry what failed for one cause in
//! four, see what a worker does in one, keep what the outcome panel shows in a file.

use super::demo;
use crate::support::install::Install;
use crate::support::pty::Terminal;
use crate::support::site::{Site, html};
use portable_pty::CommandBuilder;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn what_failed_for_one_cause_is_retried_in_four_keys() {
    let mut terminal = demo("60");
    terminal.until("failed documents", |screen| screen.contents().contains("✗ failed"));
    terminal.keys("2");
    terminal.until("a cause, with what helps", |screen| {
        let text = screen.contents();
        text.contains("what helps") && text.contains(" in ") && text.contains("cause")
    });
    terminal.keys("r");
    terminal.until("the preview", |screen| screen.contents().contains("Retry "));
    terminal.keys("\t\r");
    terminal.until("the request", |screen| screen.contents().contains("queued "));
    terminal.keys("\r");
    terminal.until("the documents of the cause", |screen| screen.contents().contains("match cause:"));
    terminal.keys("\x1b");
    terminal.until("the causes again", |screen| screen.contents().contains("what helps"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn what_a_worker_does_is_seen_by_one_key() {
    let mut terminal = demo("200");
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys("6");
    terminal.until("the worker and a document of it", |screen| {
        let text = screen.contents();
        text.contains("heartbeat") && text.contains("busy") && text.contains("▸ ")
    });
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_outcomes_are_saved_to_a_new_file_that_only_the_person_can_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_quarterdeck"));
    command.args(["demo", "--documents", "40", "--seed", "1"]);
    command.cwd(folder.path());
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::spawn(200, 40, command);
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys("\t>");
    terminal.until("the name of the file", |screen| screen.contents().contains("saved "));
    let files: Vec<_> = fs::read_dir(folder.path()).expect("the folder").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let name = files[0].file_name().into_string().expect("letters and digits");
    assert!(name.starts_with("quarterdeck-outcomes-") && name.ends_with("Z.log"), "{name}");
    assert_eq!(files[0].metadata().expect("it exists").permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(files[0].path()).expect("a text").contains("\tfirst content\t"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

/// Runs a console over the installation until it shows `text`, presses `keys`, and quits.
fn run(install: &Install, args: &[&str], text: &str, keys: &[(&str, &str)]) {
    let mut terminal = Terminal::spawn(120, 40, install.on_terminal(args));
    terminal.until_text(text);
    for (keys, shown) in keys {
        terminal.keys(keys);
        terminal.until_text(shown);
    }
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test]
async fn the_view_and_the_order_are_kept_between_runs_and_a_console_that_only_reads_keeps_none() {
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    assert_eq!(install.start(&["add", &install.site.url("/page")]).ended().code, Some(0));
    let folder = install.folder().join("home/.local/state/quarterdeck/console");
    run(&install, &["--read-only"], "1 document", &[("4", "worst first")]);
    assert!(!folder.exists(), "a console that only reads makes no file");
    run(&install, &["--no-runner"], "1 document", &[("4", "worst first"), (",D", "docs\u{2191}")]);
    let files: Vec<_> = fs::read_dir(&folder).expect("the folder").map(|file| file.expect("a file")).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].metadata().expect("it exists").permissions().mode() & 0o777, 0o600);
    run(&install, &["--no-runner"], "docs\u{2191}", &[]);
    fs::write(files[0].path(), "\u{0}nonsense").expect("it can be written");
    run(&install, &["--no-runner"], "documents 1", &[]);
}
