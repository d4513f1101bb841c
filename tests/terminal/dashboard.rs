//! Tests the dashboard on a terminal: its figures agree with the store, and lead to their rows.

use super::demo;
use crate::support::install::Install;
use crate::support::pty::Terminal;
use crate::support::site::{Site, html};

#[test]
fn the_dashboard_of_the_demo_shows_its_attempts() {
    let mut terminal = demo("60");
    terminal.until("an outcome", |screen| screen.contents().contains("first content"));
    terminal.keys("8");
    terminal.until("attempts in the last hour", |screen| {
        let text = screen.contents();
        let before = text.split(" in the last hour").next().unwrap_or_default();
        let number = before.split_whitespace().rev().nth(1).map(|number| number.replace(',', ""));
        number.and_then(|number| number.parse::<u64>().ok()).is_some_and(|number| number >= 20)
    });
    terminal.keys("jjj\r");
    terminal.until("the failed outcomes", |screen| screen.contents().contains("result:failed"));
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_figures_agree_with_the_store() {
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let urls = ["/a", "/b", "/c"].map(|path| install.site.url(path));
    let mut add = vec!["add"];
    add.extend(urls.iter().map(String::as_str));
    assert_eq!(install.run(&add).code, Some(0));
    assert_eq!(install.run(&["sync", "--all", "--wait"]).code, Some(0));
    let recorded = install.run(&["log", "--json", "--since", "1h"]).out.len();
    assert_eq!(recorded, 3);
    let mut terminal = Terminal::spawn(120, 40, install.on_terminal(&["--no-runner"]));
    terminal.until_text("3 documents");
    terminal.keys("8");
    terminal.until_text("3 attempts in the last hour");
    terminal.keys("\r");
    terminal.until_text("3 of 3 match attempted:<1h");
    terminal.keys("\x1b");
    terminal.until_text("3 attempts in the last hour");
    terminal.keys("\x03\x03");
    assert_eq!(terminal.ended(), 0);
}
