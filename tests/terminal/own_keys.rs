//! Tests keys of the config with the real program: in the console, on the command line, and in mistakes.

use super::filled;
use crate::support::pty::Terminal;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn write(folder: &Path, text: &str) -> String {
    let path = folder.join("config.toml");
    fs::write(&path, text).expect("a config file");
    path.to_str().expect("a path").to_owned()
}

/// Starts a console without a runner, over a new store of `documents` in `folder`, with the config `text`.
fn console(folder: &Path, documents: usize, text: &str) -> Terminal {
    let url = filled(&folder.join("deck.db"), documents);
    let config = write(folder, text);
    let state = folder.to_str().expect("a path");
    let args = ["--no-runner", "--store", &url, "--config", &config];
    Terminal::start(120, 40, &[("XDG_STATE_HOME", state)], &args)
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quarterdeck")).args(args).output().expect("the program starts")
}

#[test]
fn own_keys_move_unbind_and_chain_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[keys]\nsync = \"S\"\nremove = []\nquit = \"space q\"\n";
    let mut terminal = console(folder.path(), 30, text);
    let screen = terminal.until_text("S sync").contents();
    assert!(screen.contains("space q quit") && !screen.contains("q marked"), "{screen}");
    terminal.keys("s");
    terminal.until_text("s has no action: your key of sync is S");
    terminal.keys("\x1b[3~");
    terminal.until_text("del has no action: your config leaves remove without a key");
    terminal.keys("S");
    terminal.until_text("1 queued");
    // The footer shows how the keys go on; one that does not go on leaves them, and the next is a key of its own.
    terminal.keys(" ");
    terminal.until("the keys that follow", |screen| {
        let last = screen.contents().lines().last().unwrap_or_default().to_owned();
        last.contains("q quit") && last.contains("esc leave") && !last.contains("S sync")
    });
    terminal.keys("x");
    terminal.until_text("space x has no action; ? lists the keys");
    terminal.keys(" ");
    terminal.until_text("esc leave");
    terminal.keys("\x1b");
    terminal.until("the usual footer", |screen| !screen.contents().contains("esc leave"));
    terminal.keys("q");
    terminal.until_text("q has no action: your key of quit is space q");
    terminal.keys(" q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_interrupt_quits_in_the_middle_of_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut terminal = console(folder.path(), 3, "keys.quit = \"space q\"\n");
    terminal.until_text("3 never");
    terminal.keys(" ");
    terminal.until_text("esc leave");
    terminal.keys("\x03");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn the_command_line_prints_own_keys_and_names_their_mistakes() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = write(folder.path(), "[keys]\nsync = \"f5\"\nquit = [\"space q\", \"Q\"]\nremove = []\n");
    let printed = run(&["keys", "--config", &config]);
    let text = String::from_utf8_lossy(&printed.stdout).into_owned();
    for line in ["  f5                   sync ", "  space q, Q           quit ", "  (none)               remove "] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let config = write(folder.path(), "[keys]\nsync = \"S\"\n\nretry = \"S\"\nsnyc = \"x\"\n");
    let at = |line: &str| format!("{config}:{line}");
    let wrong = [
        at("4: keys.retry: S is also the key of sync, in the scope \"documents\""),
        at("5: keys.snyc: there is no such action (did you mean sync?)"),
    ];
    for verb in [&["keys"][..], &["list"], &["config", "check"]] {
        let failed = run(&[verb, &["--config", &config]].concat());
        let text = String::from_utf8_lossy(&failed.stderr).into_owned();
        assert_eq!(failed.status.code(), Some(2), "{verb:?}: {text}");
        assert!(wrong.iter().all(|line| text.contains(line)), "{verb:?}: {text}");
    }
    let markdown = run(&["keys", "--markdown", "--config", &config]);
    assert!(markdown.status.success(), "the default keys need no settings");
    let doctor = run(&["doctor", "--config", &config]);
    let text = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(wrong.iter().all(|line| text.contains(line)), "{text}");
}
