//! Tests the plain console on a real pseudo-terminal: what is written has no escape sequences.

use super::filled;
use crate::support::pty::Terminal;

/// Asserts that only text and ends of lines were written.
fn is_plain(raw: &str) {
    let wrong = raw.chars().find(|c| c.is_control() && !matches!(c, '\r' | '\n'));
    assert_eq!(wrong, None, "{raw:?}");
    assert!(raw.split("\r\n").all(|line| !line.contains('\r')), "a carriage return without a line feed: {raw:?}");
}

fn said(terminal: &Terminal, what: &str) {
    terminal.until_text(what);
}

#[test]
fn a_session_in_lines_has_no_escape_sequence() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("deck.db"), 30);
    let state = folder.path().to_str().expect("a path");
    let arguments = ["--plain", "--no-runner", "--store", &url];
    let mut terminal = Terminal::start(100, 30, &[("XDG_STATE_HOME", state)], &arguments);
    said(&terminal, "1 of 30");
    terminal.keys("j");
    said(&terminal, "2 of 30");
    terminal.keys("s");
    said(&terminal, "done: ");
    terminal.keys("2");
    said(&terminal, "No document has failed.");
    terminal.keys("?");
    said(&terminal, "scrolls down");
    terminal.keys("\x1b");
    terminal.until("the view again", |screen| screen.contents().trim_end().ends_with("No document has failed."));
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    is_plain(&terminal.raw());
}

#[test]
fn a_dumb_terminal_gets_lines_without_being_asked() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("deck.db"), 3);
    let state = folder.path().to_str().expect("a path");
    let mut terminal =
        Terminal::start(80, 24, &[("XDG_STATE_HOME", state), ("TERM", "dumb")], &["--read-only", "--store", &url]);
    said(&terminal, "1 of 3");
    terminal.keys("\x0c");
    terminal.keys("j");
    said(&terminal, "2 of 3");
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0);
    is_plain(&terminal.raw());
}

#[test]
fn a_database_that_is_away_is_told_in_lines() {
    let store = "postgres://ana@127.0.0.1:1/none";
    let mut terminal = Terminal::start(80, 24, &[("QUARTERDECK_PLAIN", "1")], &["--store", store]);
    said(&terminal, "r retry now");
    terminal.keys("q");
    terminal.ended();
    is_plain(&terminal.raw());
}

#[test]
fn many_outcomes_are_told_as_a_number() {
    let mut terminal = Terminal::start(100, 30, &[], &["demo", "--plain", "--documents", "200", "--seed", "1"]);
    said(&terminal, " new outcomes");
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
    is_plain(&terminal.raw());
}
