//! Tests the switch of the console's runner, a saved filter in the console and on the command line, and what a console
//! keeps for the next one.

use super::{demo, filled};
use crate::support::pty::Terminal;
use std::fs;
use std::process::{Command, Output};

#[test]
fn the_runner_of_the_console_is_stopped_and_started_again() {
    let mut terminal = demo("200");
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys(":runner\r");
    let screen = terminal.until("no running job", |screen| {
        let text = screen.contents();
        text.contains("runner off") && !text.contains("runner off,")
    });
    assert!(screen.contents().contains("queued"), "there is work to do");
    terminal.keys("\x12");
    terminal
        .until("a running job", |screen| screen.contents().contains("runner ●") && screen.contents().contains("▸ "));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_saved_filter_is_used_by_its_name_here_and_on_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("deck.db"), 30);
    let state = folder.path().to_str().expect("a path");
    let list = |filter: &str| -> Output {
        Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
            .args(["list", "--filter", filter, "--store", &url])
            .env("XDG_STATE_HOME", state)
            .output()
            .expect("the program starts")
    };
    let start = || Terminal::start(120, 40, &[("XDG_STATE_HOME", state)], &["--no-runner", "--store", &url]);
    let mut terminal = start();
    terminal.until_text("30 never");
    terminal.keys("/\"number 2\"\r");
    terminal.until_text("11 of 30 match \"number 2\"");
    terminal.keys("\x13");
    terminal.until_text("save the filter \"number 2\"");
    terminal.keys("twos\r");
    terminal.until_text("saved as @twos");
    // The console still runs.
    let found = list("@twos");
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    assert!(found.status.success() && text.contains("Page number 21") && !text.contains("Page number 3"), "{text}");
    let unknown = list("@threes");
    let text = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert_eq!(unknown.status.code(), Some(2), "{text}");
    assert!(text.contains("no filter is saved as @threes"), "{text}");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);

    let mut terminal = start();
    terminal.until_text("11 of 30 match \"number 2\"");
    terminal.keys("\x1b");
    terminal.until("no filter", |screen| !screen.contents().contains("match "));
    terminal.keys("@");
    terminal.until_text("@twos");
    terminal.keys("\x1b[B\r");
    terminal.until_text("11 of 30 match \"number 2\"");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_next_console_begins_where_one_ended_and_one_that_only_reads_changes_nothing_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("deck.db"), 30);
    let state = folder.path().to_str().expect("a path");
    let start = |flag: &str| Terminal::start(120, 40, &[("XDG_STATE_HOME", state)], &[flag, "--store", &url]);
    let kept = || {
        let folder = fs::read_dir(folder.path().join("quarterdeck/console")).expect("a folder of states");
        let files: Vec<_> = folder.map(|file| file.expect("a file").path()).collect();
        let [file] = &files[..] else { panic!("one file for one store: {files:?}") };
        fs::read_to_string(file).expect("a text")
    };
    let outcomes_alone = |screen: &vt100::Screen| {
        let text = screen.contents();
        text.contains("result:failed") && !text.contains("Page number")
    };
    let mut terminal = start("--no-runner");
    terminal.until_text("30 never");
    terminal.keys("/\"number 2\"\r");
    terminal.until_text("11 of 30 match \"number 2\"");
    terminal.keys("\tfresult:failed\r");
    terminal.until_text("result:failed");
    terminal.keys("z");
    terminal.until("the outcomes alone", outcomes_alone);
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);

    let before = kept();
    let mut reading = start("--read-only");
    reading.until("the outcomes alone", outcomes_alone);
    // Escape clears the filter, then ends the zoom.
    reading.keys("\x1b");
    reading.until("no filter of outcomes", |screen| !screen.contents().contains("result:failed"));
    reading.keys("z");
    reading.until_text("11 of 30 match \"number 2\"");
    reading.keys("q");
    assert_eq!(reading.ended(), 0);
    assert_eq!(kept(), before);

    let mut terminal = start("--no-runner");
    terminal.until("the outcomes alone", outcomes_alone);
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
}
