//! Tests the nightly run by the recipes of the documentation, with the real program.

use crate::docs::pages::page;
use crate::support::install::{Ended, Install};
use crate::support::site::{Reply, Site, html};
use std::process::Command;

fn reply(path: &str, _: u32) -> Reply {
    if path.starts_with("/gone") { Reply::Status(404, Vec::new()) } else { html("Title", "text") }
}

async fn install(plan: &str) -> Install {
    let install = Install::new(Site::start(reply).await, &format!("plans.default = \"nightly\"\n{plan}\n"));
    for path in ["/page/1", "/page/2"] {
        assert_eq!(install.run(&["add", &install.site.url(path)]).code, Some(0));
    }
    install
}

/// Runs the command of a crontab's line, as cron does.
fn cron(install: &Install, line: &str) -> Ended {
    let command: Vec<&str> = line.split_whitespace().skip(5).collect();
    let command = command.join(" ").replace("/usr/local/bin/quarterdeck", env!("CARGO_BIN_EXE_quarterdeck"));
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &command]);
    install.spawn(shell).ended()
}

/// Returns the line of the documentation's crontab that syncs what is due.
fn recipe() -> String {
    let text = page("operating");
    let line = text.lines().find(|line| line.contains("sync --due --wait")).expect("the recipe");
    line.to_owned()
}

/// Runs the command of the documentation's unit for systemd, as systemd does: without a shell.
fn unit(install: &Install) -> Ended {
    let text = page("operating");
    let lines = text.lines().filter_map(|line| line.strip_prefix("ExecStart=/usr/local/bin/quarterdeck "));
    let line = lines.filter(|line| line.contains("--due")).collect::<Vec<_>>();
    assert_eq!(line.len(), 1, "{line:?}");
    install.run(&line[0].split_whitespace().collect::<Vec<_>>())
}

fn is_silent(ended: &Ended) -> bool {
    ended.code == Some(0) && ended.out.is_empty() && ended.err.is_empty()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipe_is_silent_when_all_is_well_and_fails_for_new_failures_only() {
    let install = install("plans.nightly.at = \"0 3 * * *\"").await;
    assert!(!recipe().contains("/dev/null"), "it is silent by itself");
    for ended in [cron(&install, &recipe()), cron(&install, &recipe()), unit(&install)] {
        assert!(is_silent(&ended), "{ended:?}");
    }
    assert_eq!(install.run(&["list", "--json", "--filter", "status:synced"]).out.len(), 2);
    // A page that is gone fails the run in which it is found, and no later one.
    assert_eq!(install.run(&["add", &install.site.url("/gone")]).code, Some(0));
    let failed = cron(&install, &recipe());
    assert!(failed.code == Some(1) && failed.out.len() == 1 && failed.out[0].contains("/gone"), "{failed:?}");
    let old = "UPDATE captain_documents SET last_synced_at = 1, last_sync_attempted_at = 1";
    crate::support::db::execute(install.file(), old).await;
    let again = unit(&install);
    assert!(is_silent(&again), "a known failure is tried again, and is none: {again:?}");
    assert_eq!(install.run(&["log", "--json"]).out.len(), 6);
    let arguments = ["sync", "--all", "--wait", "--fail-on", "new-failures"];
    assert_eq!(install.run(&arguments).code, Some(0));
    assert_eq!(install.run(&["sync", "--all", "--wait"]).code, Some(1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_says_what_waits_and_until_when() {
    let install = install("plans.nightly.every = \"1 week\"").await;
    let scheduled = install.run(&["schedule"]);
    assert!(scheduled.code == Some(0), "{scheduled:?}");
    let drained = install.run(&["work", "--drain"]);
    assert_eq!(drained.code, Some(0), "{drained:?}");
    assert!(drained.err.contains("wait, the next until ") && drained.err.contains("sync --due --wait"), "{drained:?}");
    let due = install.run(&["sync", "--due", "--wait"]);
    assert!(due.code == Some(0) && due.out.last().is_some_and(|line| line.contains("2 documents synced")), "{due:?}");
    let empty = install.run(&["work", "--drain"]);
    assert_eq!((empty.code, empty.err.as_str()), (Some(0), ""), "{empty:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_times_are_refused_with_their_line() {
    for (plan, message) in [
        ("plans.a.every = \"1 day\"\nplans.a.at = \"0 3 * * *\"", "has both every and at"),
        ("plans.a.at = \"0 3 * *\"", "five fields of cron"),
        ("plans.a.at = \"0 3 30 2 *\"", "never happens"),
        ("plans.a.at = \"0 3 * * * Mars/Olympus\"", "unknown time zone"),
        ("plans.a.between = \"22-06\"", "part of a day"),
    ] {
        let install = Install::new(Site::start(reply).await, &format!("{plan}\n"));
        let ended = install.run(&["list"]);
        assert!(ended.code == Some(2) && ended.err.contains(message), "{plan}: {ended:?}");
    }
}
