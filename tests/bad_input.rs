//! Runs the real binary on bad input: the message names the input and the cure, the exit code is the documented one,
//! and no data is lost. (`cli` and `config` test the messages about lines, links and settings in detail.)

pub mod disk;
mod limits;
mod log_folder;
mod servers;
mod stores;

use crate::support::install::{Ended, Install};
use crate::support::pty::Terminal;
use crate::support::site::{Site, html};

const TOOK_THE_SCREEN: &str = "\x1b[?1049h";

async fn install() -> Install {
    Install::new(Site::start(|_, _| html("A page", "Some text.")).await, "")
}

/// The verbs among [`verbs`] that only read.
const READS: [&str; 3] = ["list", "show", "log"];

/// One command line of each verb that opens a store.
fn verbs(list: &str) -> [Vec<&str>; 11] {
    [
        vec!["list"],
        vec!["add", "https://example.org/new"],
        vec!["import", list],
        vec!["show", "1"],
        vec!["sync", "1"],
        vec!["sync", "--all", "--wait"],
        vec!["retry", "--all"],
        vec!["cancel", "1"],
        vec!["remove", "1", "--yes"],
        vec!["log"],
        vec!["work", "--drain"],
    ]
}

/// Asserts that the program exited with `code`, wrote every one of `says`, and printed no data.
fn assert_refused(ran: &Ended, code: i32, what: &str, says: &[&str]) {
    assert_eq!((ran.code, ran.out.len()), (Some(code), 0), "{what}: {ran:?}");
    for say in says {
        assert!(ran.err.contains(say), "{what}: no {say:?} in {:?}", ran.err);
    }
    assert!(!ran.err.contains("panicked"), "{what}: {}", ran.err);
}

/// Asserts that the console prints the error as ordinary shell output and never switches to its own screen.
fn assert_console_refuses(mut terminal: Terminal, code: u32, what: &str, says: &[&str]) {
    assert_eq!(terminal.ended(), code, "{what}: {}", terminal.raw());
    let raw = terminal.raw();
    assert!(!raw.contains(TOOK_THE_SCREEN), "{what}: {raw}");
    for say in says {
        assert!(raw.contains(say), "{what}: no {say:?} in {raw:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_settings_end_every_verb_before_anything_is_made() {
    let install = install().await;
    let list = install.write("list.txt", "https://example.org/a\n").display().to_string();
    for (text, says) in [
        ("[runner]\nconcurency = 3\n", "config.toml:2: unknown key runner.concurency (did you mean"),
        ("[runner]\n\nlease = 30\n", "config.toml:3: runner.lease must be a span of time"),
        ("[runner\n", "config.toml:1: is not TOML"),
    ] {
        install.write("config.toml", text);
        for verb in verbs(&list) {
            assert_refused(&install.run(&verb), 2, &format!("{text:?} {verb:?}"), &[says]);
        }
        // A narrow terminal would break the long lines.
        let terminal = Terminal::spawn(250, 24, install.on_terminal(&[]));
        assert_console_refuses(terminal, 2, text, &[says]);
    }
    assert!(!install.file().exists(), "no store was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_wrong_url_makes_no_store_and_unreadable_lines_keep_no_other_out() {
    let install = install().await;
    for url in ["example.org", "file:///etc/passwd", "http://", "https://exa mple.org", "https://example.org/a.pdf"] {
        assert_refused(&install.run(&["add", "https://example.org/fine", url]), 2, url, &[&format!("{url}: ")]);
    }
    assert!(!install.file().exists(), "no store was made");

    let mut lines = b"{\"url\":\"https://example.org/a\",\"name\":\"A\"}\n{\"url\":\n".to_vec();
    lines.extend(b"{\"url\":\"https://example.org/b\",\"account_id\":\"seven\"}\n\xff\xfe\n{\"name\":\"no link\"}\n");
    lines.extend(b"{\"url\":\"https://example.org/z\",\"name\":\"Z\"}\n");
    let file = install.write("pages.jsonl", lines).display().to_string();
    let ran = install.run(&["import", &file]);
    assert_eq!(
        (ran.code, ran.out),
        (Some(1), vec!["2 documents added, 0 existed already, 4 lines unreadable".to_owned()])
    );
    let said: Vec<&str> = ran.err.lines().collect();
    assert_eq!(said.len(), 4, "{said:?}");
    for (line, said) in (2..).zip(said) {
        assert!(said.starts_with(&format!("{file}:{line}: ")), "{said}");
    }
    let listed = install.run(&["list", "--json"]);
    assert_eq!(listed.out.len(), 2);
    assert!(listed.out[0].contains("example.org/a") && listed.out[1].contains("example.org/z"), "{listed:?}");
}
