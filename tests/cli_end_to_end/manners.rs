//! Tests flags that every verb has: quiet, verbose, colours; names from standard input; and what only a terminal gets:
//! its width and progress.

use super::place::Place;
use super::statuses;
use crate::support::pty::Terminal;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

fn filled(pages: &[&str]) -> Place {
    let place = Place::new();
    for page in pages {
        place.run(["add", &place.url(page)]).ok();
    }
    place
}

/// Starts the program on a terminal, with the store and the settings of `place`.
fn on_terminal(place: &Place, cols: u16, env: &[(&str, &str)], args: &[&str]) -> Terminal {
    let own: Vec<(String, String)> = place
        .command([""; 0])
        .get_envs()
        .map(|(name, value)| (name.to_string_lossy().into(), value.unwrap_or_default().to_string_lossy().into()))
        .collect();
    let own = own.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let all: Vec<_> = own.chain(env.iter().copied()).collect();
    Terminal::start(cols, 24, &all, args)
}

#[test]
fn quiet_prints_data_and_problems_alone() {
    let place = Place::new();
    let page = place.url("/ok/a");
    let quiet = |args: &[&str]| {
        let ran = place.run([&["-q"], args].concat());
        (ran.code, ran.out, ran.err)
    };
    let nothing = (Some(0), String::new(), String::new());
    assert_eq!(quiet(&["add", "--sync", &page]), nothing);
    assert_eq!(quiet(&["cancel", "1"]), nothing);
    assert_eq!(quiet(&["sync", "1", "--wait"]), nothing);
    assert_eq!(quiet(&["list", "--filter", "status:failed"]), nothing);
    assert!(quiet(&["list"]).1.contains(&page), "data stays");
    let (code, out, err) = quiet(&["sync", "77"]);
    assert!(code == Some(2) && out.is_empty() && err.contains("77: no such document"), "{err}");
    // Failures are printed, and their number is not.
    place.run(["add", &place.url("/missing")]).ok();
    let (code, out, _) = quiet(&["sync", "--all", "--wait"]);
    assert!(code == Some(1) && out.lines().count() == 1 && out.contains("permanent_failure"), "{out}");
    let file = place.write("pages.txt", "nonsense\n");
    let (code, out, err) = quiet(&["import", &file]);
    assert!(code == Some(1) && out.is_empty() && err.contains(":1: nonsense"), "{err}");
    assert_eq!(place.run(["-q", "-v", "list"]).code, Some(2), "not both");
}

#[test]
fn verbose_prints_the_programs_own_log_on_stderr() {
    let place = filled(&["/ok/a"]);
    assert_eq!(place.run(["list"]).err, "");
    let ran = place.run(["-v", "list"]);
    assert!(ran.err.contains("settings_read") && ran.err.contains("q.db"), "{}", ran.err);
    let (_, detailed) = (ran.ok(), place.run(["-vv", "sync", "1", "--wait"]));
    assert!(detailed.err.contains("an attempt was recorded"), "{}", detailed.err);
}

#[test]
fn documents_are_named_on_standard_input() {
    let place = filled(&["/ok/a", "/ok/b", "/ok/c"]);
    let listed = place.run(["list", "--json", "--filter", "id:1,3"]).ok();
    assert_eq!(place.run_with_input(["sync", "-"], &listed).ok(), "queued 1\nqueued 3\n");
    assert_eq!(statuses(&place), ["queued", "never", "queued"]);
    let named = format!("3\n{}\n", place.url("/ok/a"));
    assert_eq!(place.run_with_input(["cancel", "2", "-"], &named).ok(), "cancelled 3\ncancelled 1\n");
    let none = place.run_with_input(["retry", "-"], "");
    assert_eq!((none.code, none.err.as_str()), (Some(0), "no document to retry\n"));
    let wrong = place.run_with_input(["sync", "-"], "1\n{\"url\":\"x\"}\n");
    assert!(wrong.code == Some(2) && wrong.err.contains("stdin:2: names no document"), "{}", wrong.err);
    // Standard input cannot answer a question, too.
    let asks = place.run_with_input(["remove", "-"], "1 3");
    assert!(asks.code == Some(2) && asks.err.contains("--yes"), "{}", asks.err);
    assert_eq!(place.run_with_input(["remove", "-", "--yes"], "1 3").ok(), "removed 2 documents (batch 3)\n");
    assert_eq!(place.run_with_input(["accept", "-"], "").code, Some(0), "nothing to decide");
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let place = filled(&["/ok/a"]);
    place.run(["sync", "1", "--wait"]).ok();
    let green = "\x1b[32msynced\x1b[0m";
    for (args, expected) in [
        (&["list"][..], false),
        (&["list", "--color", "always"], true),
        (&["--color=always", "list", "--json"], false),
        (&["list", "--color", "never"], false),
    ] {
        let out = place.run(args.iter().copied()).ok();
        assert_eq!(out.contains('\x1b'), expected, "{args:?}: {out:?}");
        assert_eq!(out.contains(green), expected, "{args:?}: {out:?}");
    }
    let log = place.run(["log", "--color", "always"]).ok();
    assert!(log.contains("\x1b["), "{log:?}");
    let shown = |env: &[(&str, &str)], args: &[&str]| {
        let mut terminal = on_terminal(&place, 100, env, args);
        terminal.until("the row", |screen| screen.contents().contains("synced"));
        assert_eq!(terminal.ended(), 0);
        terminal.raw()
    };
    assert!(shown(&[], &["list"]).contains(green));
    assert!(!shown(&[("NO_COLOR", "1")], &["list"]).contains('\x1b'));
    assert!(!shown(&[("TERM", "dumb")], &["list"]).contains('\x1b'));
    assert!(!shown(&[], &["list", "--color", "never"]).contains('\x1b'));
    assert!(shown(&[("NO_COLOR", "1")], &["list", "--color", "always"]).contains(green));
    assert_eq!(place.run(["list", "--color", "blue"]).code, Some(2));
}

#[test]
fn a_list_is_as_wide_as_its_terminal_and_whole_elsewhere() {
    let place = filled(&[&format!("/ok/{}", "long/".repeat(40))]);
    let url = place.url(&format!("/ok/{}", "long/".repeat(40)));
    assert!(place.run(["list"]).ok().contains(url.trim_end_matches('/')), "scripts get whole URLs");
    for cols in [80, 120] {
        let mut terminal = on_terminal(&place, cols, &[], &["list"]);
        let screen = terminal.until("the row", |screen| screen.contents().contains("never"));
        assert_eq!(terminal.ended(), 0);
        let text = screen.contents();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        assert!(lines.len() == 2 && lines[1].contains("127.0.0.1"), "{cols}: no line is wrapped: {text}");
    }
}

#[test]
fn an_import_shows_its_progress_on_a_terminal_alone() {
    let place = Place::new();
    let pipe = Path::new(&place.write("x", "")).with_file_name("pages.txt");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o600.into()).expect("made");
    let path = pipe.display().to_string();
    let mut terminal = on_terminal(&place, 80, &[], &["import", &path]);
    let mut lines = OpenOptions::new().write(true).open(&pipe).expect("it is read");
    let (mut number, mut seen) = (0, false);
    // Lines come until the progress is shown; a reader that is slow holds this up.
    while !seen {
        for _ in 0..200 {
            number += 1;
            writeln!(lines, "https://example.org/{number}").expect("it reads");
        }
        seen = terminal.raw().contains("documents read  ");
    }
    drop(lines);
    let screen = terminal.until("the end", |screen| screen.contents().contains("0 lines unreadable"));
    assert_eq!(terminal.ended(), 0);
    assert!(!screen.contents().contains("documents read"), "the line goes: {}", screen.contents());
    assert!(terminal.raw().contains("/s"), "with a rate");
    let ran = place.run_with_input(["import", "-"], "https://example.org/x\n");
    assert_eq!(ran.err, "", "a pipe gets none");
}
