//! Tests completion in real bash, zsh and fish: the script is read, and the shell completes what is typed.

use crate::support::install::Install;
use crate::support::pty::Terminal;
use crate::support::site::{Site, html};
use portable_pty::CommandBuilder;
use std::path::Path;
use std::process::Command;

/// Returns an installation whose store has two documents, 1 and 2.
async fn installed() -> Install {
    let install = Install::new(Site::start(|_, _| html("A", "A text.")).await, "");
    for (name, path) in [("Refunds", "/refunds"), ("Prices", "/prices")] {
        let added = install.run(&["add", "--name", name, &install.site.url(path)]);
        assert_eq!(added.code, Some(0), "{added:?}");
    }
    install
}

/// Returns `PATH` with the tested program first.
fn path() -> String {
    let folder = Path::new(env!("CARGO_BIN_EXE_quarterdeck")).parent().expect("a folder");
    format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default())
}

/// Returns true if the shell is there. `tests/run` installs all three; without one its tests say so and end.
fn is_there(shell: &str) -> bool {
    let found = Command::new(shell).arg("--version").env("PATH", path()).output().is_ok();
    if !found {
        eprintln!("{shell} is not installed: its completion is not tested");
    }
    found
}

/// Starts an interactive shell without settings of its own, which reads the script.
fn shell(install: &Install, words: &[&str], setup: &str) -> Terminal {
    let mut command = CommandBuilder::new(words[0]);
    command.args(&words[1..]);
    let mut command = install.place(command);
    command.env("PATH", path());
    command.env("PS1", "$ ");
    if let Ok(folders) = std::env::var("FPATH") {
        command.env("FPATH", folders);
    }
    let mut terminal = Terminal::spawn(120, 30, command);
    terminal.keys(&format!("{setup}; echo re''ady\r"));
    terminal.until("the shell", |screen| screen.contents().lines().any(|line| line.trim() == "ready"));
    terminal
}

/// Types the beginning of a command and Tab, waits for the completed line, and empties it.
fn completes(terminal: &mut Terminal, typed: &str, completed: &str) {
    terminal.keys(&format!("{typed}\t"));
    terminal.until(completed, |screen| screen.contents().contains(completed));
    terminal.keys("\x15");
    terminal.until("an empty line", |screen| !screen.contents().lines().last().unwrap_or_default().contains(typed));
    terminal.keys("\x0c");
    terminal.until("an empty screen", |screen| !screen.contents().contains(typed));
}

/// Typed beginnings with the lines that they become.
fn cases(install: &Install) -> Vec<(String, String)> {
    let port = install.site.host();
    [
        ("quarterdeck expo", "quarterdeck export"),
        ("quarterdeck sync --wa", "quarterdeck sync --wait"),
        ("quarterdeck list --filter sta", "quarterdeck list --filter status:"),
        ("quarterdeck list --filter status:fai", "quarterdeck list --filter status:failed"),
        ("quarterdeck --color nev", "quarterdeck --color never"),
        ("quarterdeck help filt", "quarterdeck help filters"),
    ]
    .into_iter()
    .map(|(typed, completed)| (typed.to_owned(), completed.to_owned()))
    .chain([(format!("quarterdeck show http://{port}/ref"), format!("quarterdeck show http://{port}/refunds"))])
    .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bash_completes_verbs_flags_filters_and_documents() {
    if !is_there("bash") {
        return;
    }
    let install = installed().await;
    let setup = "source <(quarterdeck completions bash)";
    let mut bash = shell(&install, &["bash", "--norc", "--noprofile", "-i"], setup);
    for (typed, completed) in cases(&install) {
        completes(&mut bash, &typed, &completed);
    }
    // Within quotes, where bash breaks no words, and with several candidates.
    completes(&mut bash, "quarterdeck list --filter 'host:a status:fai", "host:a status:failed");
    bash.keys("quarterdeck show \t\t");
    bash.until("both documents", |screen| screen.contents().lines().any(|line| line.trim() == "1  2"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn zsh_completes_verbs_flags_filters_and_documents() {
    if !is_there("zsh") {
        return;
    }
    let install = installed().await;
    let setup = "autoload -U compinit; compinit -u -D; source <(quarterdeck completions zsh)";
    let mut zsh = shell(&install, &["zsh", "-f", "-i"], setup);
    for (typed, completed) in cases(&install) {
        completes(&mut zsh, &typed, &completed);
    }
    zsh.keys("quarterdeck show \t");
    zsh.until("the names", |screen| screen.contents().contains("Refunds") && screen.contents().contains("Prices"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fish_completes_verbs_flags_filters_and_documents() {
    if !is_there("fish") {
        return;
    }
    let install = installed().await;
    let asked = |line: &str| {
        let mut command = Command::new("fish");
        let script = "quarterdeck completions fish | source; complete -C $argv[1]";
        command.args(["--no-config", "-c", script, line]).env("PATH", path());
        let ended = install.spawn(command).ended();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended.out
    };
    for (typed, completed) in cases(&install) {
        let word = completed.trim_end().rsplit(' ').next().expect("a word");
        let found = asked(&typed);
        assert!(found.iter().any(|line| line.split('\t').next() == Some(word)), "{typed}: {found:?}");
    }
    assert_eq!(asked("quarterdeck show ")[..2], ["1\tRefunds", "2\tPrices"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_needs_no_store_and_prints_no_error() {
    let install = installed().await;
    let ask = |line: &str, replaced: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_quarterdeck"));
        command.args(["--", line, replaced]).env("QUARTERDECK_COMPLETE", "bash");
        let ended = install.spawn(command).ended();
        assert_eq!((ended.code, ended.err.is_empty()), (Some(0), true), "{ended:?}");
        ended.out
    };
    assert_eq!(ask("quarterdeck show ", ""), ["1", "2"]);
    assert_eq!(ask("quarterdeck accept ", ""), [""; 0], "nothing needs review");
    assert_eq!(ask("quarterdeck --store sqlite:/nowhere/q.db show ", ""), [""; 0]);
    install.write("config.toml", "nonsense");
    assert_eq!(ask("quarterdeck show ", ""), [""; 0]);
    assert_eq!(ask("quarterdeck expo", "expo"), ["export"]);
}
