//! Tests HUP: a worker reads its settings and secrets again, applies what can change while it runs, and names what cannot.

use crate::support::install::Install;
use crate::support::limit::until_blocking;
use crate::support::site::{Site, html};
use rustix::process::Signal;

async fn installed(settings: &str) -> (Install, String) {
    let install = Install::new(Site::start(|_, _| html("A", "A text of several words.")).await, settings);
    install.store().await.close().await;
    let settings = std::fs::read_to_string(install.folder().join("config.toml")).expect("settings");
    (install, settings)
}

/// Waits until the only document has this status.
fn until_status(install: &Install, status: &str) {
    let wanted = format!("\"status\":\"{status}\"");
    until_blocking(status, || install.run(&["list", "--json"]).out.concat().contains(&wanted).then_some(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_applies_what_can_change_and_names_what_cannot() {
    let (install, settings) = installed("").await;
    let refusing: String =
        settings.lines().filter(|line| !line.contains("private")).map(|line| format!("{line}\n")).collect();
    install.write("config.toml", &refusing);
    install.run(&["add", &install.site.url("/a")]);
    let work = install.start(&["work"]);
    install.run(&["sync", "1"]);
    until_status(&install, "failed");
    assert_eq!(install.site.hits("/a"), 0, "its address is refused");
    let changed = format!("{settings}runner.concurrency = 3\nlog.keep_days = 3\n");
    install.write("config.toml", &changed);
    work.signal(Signal::HUP);
    let said = work.until_says("reloaded: changed");
    let expected = "changed fetch.allow_private_hosts, runner.concurrency; log.keep_days only after a restart";
    assert!(said.contains(expected), "{said}");
    install.run(&["sync", "1"]);
    until_status(&install, "synced");
    until_blocking("the new number of slots", || {
        install.run(&["doctor"]).out.iter().any(|line| line.contains("of 3 slots busy")).then_some(())
    });
    work.signal(Signal::HUP);
    work.until_says("reloaded: no key has changed");
    install.write("config.toml", "runner.concurrency = 0\n");
    work.signal(Signal::HUP);
    work.until_says("runner.concurrency must be");
    install.write("config.toml", &changed);
    install.run(&["sync", "1", "--force"]);
    until_blocking("a sync by the settings of before", || (install.site.hits("/a") == 2).then_some(()));
    work.signal(Signal::TERM);
    assert_eq!(work.ended().code, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_comes_later_is_read_again() {
    let (install, settings) = installed("").await;
    let token = install.folder().join("token");
    let rule = format!("fetch.sites = [{{ host = {:?}, bearer = {{ file = {token:?} }} }}]\n", install.site.host());
    install.write("config.toml", format!("{settings}{rule}"));
    install.run(&["add", &install.site.url("/a")]);
    let work = install.start(&["work"]);
    work.until_says("this process syncs no document of");
    install.run(&["sync", "1"]);
    std::fs::write(&token, "31337\n").expect("written");
    work.signal(Signal::HUP);
    work.until_says("reloaded: no key has changed");
    until_status(&install, "synced");
    work.signal(Signal::TERM);
    let ended = work.ended();
    assert!(ended.code == Some(0) && !format!("{ended:?}").contains("31337"), "{ended:?}");
}
