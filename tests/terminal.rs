//! Tests the real binary on a real pseudo-terminal: a person's keys, a lost terminal, a job that panics.

mod batches;
mod bursts;
mod clusters;
mod dashboard;
mod explaining;
mod held;
mod own_keys;
mod pager;
mod plain;
mod switches;
mod tasks;

use crate::support::figures::Figures;
use crate::support::install;
use crate::support::limit::until_readable;
use crate::support::pty::Terminal;
use portable_pty::CommandBuilder;
use quarterdeck::domain::id::{AccountId, AssistantId};
use quarterdeck::domain::link::Link;
use quarterdeck::store::{Access, NewDocument, open};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::path::Path;
use std::process::Command;

const LEFT_THE_SCREEN: &str = "\x1b[?1049l";

fn demo(documents: &str) -> Terminal {
    Terminal::start(120, 40, &[], &["demo", "--documents", documents, "--seed", "1"])
}

fn signal(pid: i32, name: &str) {
    let status = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().expect("kill runs");
    assert!(status.success());
}

/// Waits until the process has ended.
fn until_gone(pid: i32) {
    let pid = Pid::from_raw(pid).expect("a process id");
    let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { return };
    until_readable(format_args!("the end of process {pid:?}"), &process);
}

/// Waits until the process has been stopped.
fn until_stopped(pid: i32) {
    install::until_stopped(Pid::from_raw(pid).expect("a process id"));
}

fn size(screen: &vt100::Screen) -> (u16, u16) {
    let (rows, cols) = screen.size();
    (rows.get(), cols.get())
}

/// Returns the number of entries in the panel at the right: each begins with a time of day.
fn times_in_the_panel(screen: &vt100::Screen) -> usize {
    let (rows, cols) = size(screen);
    let is_time = |line: &String| {
        line.matches(':').count() >= 2 && line.trim_start_matches([' ', '│', '▌']).starts_with(char::is_numeric)
    };
    (0..rows).map(|row| screen.contents_between(row, cols - 39, row, cols)).filter(is_time).count()
}

fn row_under_the_cursor(screen: &vt100::Screen) -> Option<String> {
    let (rows, cols) = size(screen);
    (0..rows).map(|row| screen.contents_between(row, 0, row, cols)).find(|line| line.contains('▌'))
}

#[test]
fn a_person_watches_the_demo_syncs_a_row_and_quits_while_jobs_run() {
    let mut terminal = demo("120");
    // The schedule starts syncs, and the panel shows them.
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    // Acts on all matching documents without marks: the row under the cursor is synced on request and names its
    // requester.
    terminal.keys("/");
    terminal.keys("status:synced\r");
    let screen = terminal.until("a synced row under the cursor", |screen| {
        row_under_the_cursor(screen).is_some_and(|row| row.contains("synced"))
    });
    assert!(row_under_the_cursor(&screen).is_some());
    // Without the filter the cursor stays on its document, whatever its state.
    terminal.keys("\x1b");
    terminal.until("the whole list", |screen| !screen.contents().contains("match status:synced"));
    // Pinned, the panel shows only this document's outcomes; a sync on request adds one.
    terminal.keys(".");
    let pinned = terminal.until("the pinned panel", |screen| screen.contents().contains("outcomes of "));
    let before = times_in_the_panel(&pinned);
    terminal.keys("s");
    terminal.until("the row's outcome in the panel", |screen| times_in_the_panel(screen) > before);
    terminal.keys(".");
    terminal.until("the panel of all", |screen| !screen.contents().contains("outcomes of "));
    // The program works at any size and fills the screen.
    for (cols, rows) in [(80, 24), (40, 12), (20, 5), (200, 60), (120, 40)] {
        terminal.resize(cols, rows);
        terminal.until("the head line", |screen| size(screen) == (rows, cols) && !screen.contents().trim().is_empty());
    }
    terminal.until_text("outcomes");
    // Jobs run, so quitting asks first: staying is possible, and leaving releases the jobs.
    terminal.keys("q");
    terminal.until("the question", |screen| screen.contents().contains("Stay"));
    terminal.keys("\x1b");
    terminal.until("the list again", |screen| !screen.contents().contains("Stay"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0, "the second Ctrl-C ends at once");
    let raw = terminal.raw();
    assert_eq!(raw.matches(LEFT_THE_SCREEN).count(), 1, "the terminal is restored once");
}

#[test]
fn what_others_left_on_the_screen_goes_when_it_is_drawn_anew() {
    let mut terminal = demo("3");
    terminal.until_text("first content");
    // In the list, below its last row, where nothing is ever drawn.
    let scribble = "\x1b[15;20Hscribbled over";
    terminal.scribble(scribble);
    terminal.until_text("scribbled over");
    terminal.keys("\x0c");
    terminal.until("a clean screen", |screen| !screen.contents().contains("scribbled"));
    // Many quick changes of size that end with the first one.
    terminal.scribble(scribble);
    terminal.resize(20, 5);
    terminal.resize(120, 40);
    terminal.until("a whole screen", |screen| {
        let text = screen.contents();
        !text.contains("scribbled") && text.contains("outcomes") && text.contains("q quit")
    });
}

/// crossterm's default reader takes one event of an epoll wake-up and drops the others, and edge-triggered epoll does
/// not report them again: a key that arrived together with a resize stayed unread until the next key.
#[test]
fn a_key_that_comes_together_with_a_new_size_is_read() {
    let mut terminal = demo("3");
    terminal.until_text("q quit");
    for round in 0..150 {
        for (cols, rows, key, shown) in [(100, 30, "?", true), (120, 40, "q", false)] {
            terminal.resize(cols, rows);
            terminal.keys(key);
            terminal.until(&format!("help {shown} in round {round}"), |screen| {
                screen.contents().contains("─ help ─") == shown
            });
        }
    }
}

#[test]
fn a_lost_terminal_ends_the_program_also_where_hangups_are_ignored() {
    for shell in ["exec", "trap '' HUP; exec"] {
        let mut command = CommandBuilder::new("sh");
        command.args(["-c", &format!("{shell} {} demo --documents 60", env!("CARGO_BIN_EXE_quarterdeck"))]);
        command.env("TERM", "xterm-256color");
        let mut terminal = Terminal::spawn(120, 40, command);
        terminal.until_text("outcomes");
        let pid = terminal.pid();
        terminal.hang_up();
        until_gone(pid);
    }
}

#[test]
fn a_killed_program_restores_the_terminal() {
    let mut terminal = demo("60");
    terminal.until_text("outcomes");
    signal(terminal.pid(), "TERM");
    terminal.ended();
    assert_eq!(terminal.raw().matches(LEFT_THE_SCREEN).count(), 1);
}

#[test]
fn a_suspended_program_gives_the_terminal_back_and_comes_back() {
    let mut terminal = demo("60");
    terminal.until_text("outcomes");
    let pid = terminal.pid();
    terminal.keys("\x1a");
    terminal.until("the shell's screen", |screen| !screen.alternate_screen());
    until_stopped(pid);
    signal(pid, "CONT");
    terminal.until("the console again", |screen| screen.alternate_screen() && screen.contents().contains("outcomes"));
    terminal.keys("\x03\x03");
    terminal.ended();
}

/// A process that is stopped in the middle of a write would block every other one.
#[test]
fn a_suspended_console_keeps_no_lock_from_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("held.db"), 500);
    let state = folder.path().to_str().expect("a path");
    let mut terminal = Terminal::start(120, 40, &[("XDG_STATE_HOME", state)], &["--store", &url]);
    terminal.until_text("500 never");
    // The list and the counts load without a key; an action on all matching documents waits for the list.
    terminal.until_text("Page number 1");
    for _ in 0..5 {
        // Writes at full speed: every document is requested, and the runner claims the jobs.
        terminal.keys("S");
        terminal.until_text("[ Keep ]");
        terminal.keys("\t\r");
        terminal.keys("\x1a");
        terminal.until("the shell's screen", |screen| !screen.alternate_screen());
        until_stopped(terminal.pid());
        let added = Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
            .args(["add", "https://example.org/another", "--store", &url])
            .env("XDG_STATE_HOME", state)
            .output()
            .expect("the program starts");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
        signal(terminal.pid(), "CONT");
        terminal.until("the console again", vt100::Screen::alternate_screen);
    }
    terminal.keys("\x03\x03");
    terminal.ended();
    Figures { size: 500, faults: 5, ..Figures::default() }.note();
}

#[test]
fn without_colour_the_cursor_row_is_still_seen() {
    let mut terminal = Terminal::start(120, 40, &[("NO_COLOR", "1")], &["demo", "--documents", "60"]);
    let screen = terminal.until("a cursor", |screen| row_under_the_cursor(screen).is_some());
    let (rows, cols) = size(&screen);
    let row = (0..rows).find(|row| screen.contents_between(*row, 0, *row, cols).contains('▌')).expect("a cursor");
    let inverse = (0..60).filter(|col| screen.cell(row, *col).is_some_and(vt100::Cell::inverse)).count();
    assert!(inverse > 30, "the row is reverse video: {inverse}");
    let coloured = (0..rows)
        .flat_map(|row| (0..cols).map(move |col| (row, col)))
        .any(|(row, col)| screen.cell(row, col).is_some_and(|cell| cell.fgcolor() != vt100::Color::Default));
    assert!(!coloured, "no colour at all");
    terminal.keys("\x03\x03");
    terminal.ended();
}

#[cfg(feature = "faults")]
#[test]
fn a_panicking_job_leaves_the_screen_alone() {
    let fault = ("QUARTERDECK_FAULT", "after_fetch:panic:/");
    let mut terminal = Terminal::start(120, 40, &[fault], &["demo", "--documents", "60"]);
    let screen = terminal.until_text("panic");
    assert!(screen.alternate_screen(), "still on its own screen");
    let raw = terminal.raw();
    assert_eq!(raw.matches(LEFT_THE_SCREEN).count(), 0);
    assert!(!raw.contains("RUST_BACKTRACE"), "what a panic prints does not reach the terminal");
    terminal.keys("\x03\x03");
    terminal.ended();
}

/// Fills a store with `pages` documents that nothing fetches.
fn filled(file: &Path, pages: usize) -> String {
    store_of(file, (0..pages).map(|page| (format!("https://example.org/{page}"), format!("Page number {page}"))))
}

/// Makes a store of documents with these URLs and names, and returns its URL.
fn store_of(file: &Path, documents: impl Iterator<Item = (String, String)>) -> String {
    let url = format!("sqlite:{}", file.display());
    let document = |(url, name): (String, String)| NewDocument {
        link: Link::parse(&url).expect("a link"),
        name: Some(name.as_str().into()),
        account_id: AccountId(1),
        assistant_id: AssistantId(1),
    };
    let documents: Vec<_> = documents.map(document).collect();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let store = open(&url, Access::Create).await.expect("a new store");
        store.add(&documents).await.expect("the store answers");
        store.close().await;
    });
    url
}

#[test]
fn the_panel_of_a_watching_console_loses_no_line_of_another_process() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = filled(&folder.path().join("panel.db"), 2_000);
    let mut terminal = Terminal::start(120, 40, &[], &["--no-runner", "--store", &url]);
    terminal.until_text("2,000 never");
    for round in 1..=2 {
        for verb in ["sync", "cancel"] {
            let status = Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
                .args([verb, "--all", "--yes", "--store", &url])
                .env("XDG_STATE_HOME", folder.path())
                .output()
                .expect("the program starts")
                .status;
            assert!(status.success(), "{verb}: {status:?}");
        }
        let total = format!("{},000", round * 2);
        terminal.until("every outcome in the panel's count", |screen| {
            screen.contents().lines().any(|line| line.contains("outcomes") && line.contains(&total))
        });
    }
    terminal.keys("q");
    assert_eq!(terminal.ended(), 0, "nothing runs here, so nothing is asked");
}

#[test]
fn hosts_and_accounts_are_gone_to_by_key_and_paused_and_their_documents_shown() {
    let mut terminal = demo("120");
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys("4");
    terminal.until("hosts and how they answer", |screen| {
        let text = screen.contents();
        text.contains("hosts 12 worst first") && text.contains("last hour") && text.contains(" ms")
    });
    terminal.keys("j\r");
    terminal.until("the documents of a host", |screen| {
        screen
            .contents()
            .lines()
            .any(|line| line.contains("documents 10 of 120 match host:") && line.contains(".localhost"))
    });
    terminal.keys("5");
    // The first pass of the schedule reads the plans.
    terminal.until("accounts with their plans", |screen| {
        let text = screen.contents();
        text.contains("accounts 4") && text.contains("enterprise 2m") && text.contains("business 10m")
    });
    terminal.keys("p");
    terminal.until("the chooser", |screen| screen.contents().contains("[ Keep ]"));
    terminal.keys("\t\r");
    terminal.until("the pause, with whose it is", |screen| {
        let text = screen.contents();
        text.contains("paused account 1; running jobs finish") && text.contains("□ paused by ")
    });
    terminal.keys("p\t\r");
    terminal.until("that it goes on", |screen| screen.contents().contains("resumed account 1"));
    terminal.keys("\r");
    terminal.until("the documents of an account", |screen| screen.contents().contains("match account:1"));
    terminal.keys(":");
    terminal.keys("hosts\r");
    // The palette's text names the view too, above the list that is still drawn.
    terminal.until("the hosts by the palette", |screen| {
        let text = screen.contents();
        text.contains("hosts 12 worst first") && !text.contains("match account:1")
    });
    terminal.keys("\x1b");
    terminal.until("the list again", |screen| screen.contents().contains("match account:1"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}
