//! Tests pause and resume with the real binary: a worker obeys another process at once.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use crate::support::install::{Install, until};
use crate::support::site::{Site, html};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::pause::PauseScope;

async fn install() -> Install {
    Install::new(Site::start(|_, _| html("T", "text")).await, "")
}

fn add(install: &Install, account: &str, path: &str) {
    let ended = install.run(&["add", "--account", account, "--assistant", account, "--sync", &install.site.url(path)]);
    assert_eq!(ended.code, Some(0), "{}", ended.err);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pauses_are_said_kept_and_ended() {
    let install = install().await;
    let paused = install.run(&["pause", "--account", "7"]);
    assert_eq!(paused.code, Some(0), "{}", paused.err);
    assert!(paused.out[0].starts_with("account 7 is paused by ana since 20"), "{:?}", paused.out);
    let again = install.run(&["pause", "--account", "7"]);
    assert_eq!((again.code, &again.out), (Some(0), &paused.out), "an older pause keeps its time");
    assert!(again.err.contains("account 7 was already paused"), "{}", again.err);
    assert!(again.err.contains("account 7 has no documents yet"), "it may be a slip: {}", again.err);
    for what in [["--host", "https://Example.org:8080/x"], ["--class", "auto"]] {
        assert_eq!(install.run(&["pause", what[0], what[1]]).code, Some(0));
    }
    let all = install.run(&["pause", "--all", "--json"]);
    assert!(all.out[0].starts_with(r#"{"scope":"all","key":null,"since":"20"#), "{:?}", all.out);
    assert!(all.out[0].ends_with(r#""paused_by":"ana"}"#), "{:?}", all.out);
    let list = install.run(&["resume"]);
    let first = |line: &String| line.split(" paused").next().unwrap_or_default().to_owned();
    let listed: Vec<_> = list.out.iter().map(first).collect();
    assert_eq!(listed, ["everything is", "account 7 is", "host example.org:8080 is", "auto jobs are"]);
    let resumed = install.run(&["resume", "--all"]);
    assert_eq!(resumed.out, ["everything resumed"]);
    assert!(resumed.err.contains("host example.org:8080 is still paused by ana"), "{}", resumed.err);
    let again = install.run(&["resume", "--all", "--json"]);
    assert_eq!((again.code, again.out[0].as_str()), (Some(0), r#"{"scope":"all","key":null,"resumed":false}"#));
    for (args, says) in [
        (&["pause"][..], "name what to pause"),
        (&["pause", "--class", "fast"], "is none of manual, retry, auto"),
        (&["pause", "--host", "a b"], "is not a host"),
        (&["pause", "--all", "--account", "1"], "cannot be used with"),
        (&["pause", "--account", "x"], "invalid value"),
        (&["pause", "--all", "--read-only"], "would change the store"),
    ] {
        let wrong = install.run(args);
        assert_eq!(wrong.code, Some(2), "{args:?}");
        assert!(wrong.err.contains(says), "{args:?}: {}", wrong.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_wonders_why_nothing_runs_is_told_by_every_verb() {
    let install = install().await;
    add(&install, "1", "/goes");
    add(&install, "7", "/held");
    let paused = install.run(&["pause", "--account", "7"]);
    assert!(!paused.err.contains("no document"), "{}", paused.err);
    let says = "account 7 is paused by ana since 20";
    for (args, told) in [
        (&["sync", "2"][..], true),
        (&["sync", "1"], false),
        (&["retry", "1"], false),
        (&["sync", "--all"], true),
        (&["list"], true),
        (&["list", "--filter", "id:1"], false),
        (&["list", "--json"], false),
        (&["schedule", "--dry-run"], true),
        (&["work", "--drain"], true),
    ] {
        let ended = install.run(args);
        assert_eq!(ended.err.contains(says), told, "{args:?}: {}", ended.err);
    }
    let shown = install.run(&["show", "2"]);
    assert!(shown.out.iter().any(|line| line.starts_with(&format!("paused      {says}"))), "{:?}", shown.out);
    assert!(!install.run(&["show", "1"]).out.iter().any(|line| line.contains("paused")));
    let doctor = install.run(&["doctor"]);
    let told = |says: &str| doctor.out.iter().any(|line| line.contains(says));
    assert!(told("account 7: paused by ana") && told("1 job paused in all"), "{:?}", doctor.out);
    assert!(told("`quarterdeck resume --account 7` ends the pause"), "{:?}", doctor.out);
    // A pause of a class does not concern a document without a job of that class.
    assert_eq!(install.run(&["resume", "--account", "7"]).code, Some(0));
    assert_eq!(install.run(&["pause", "--class", "auto"]).code, Some(0));
    assert!(!install.run(&["list"]).err.contains("paused"));
    assert!(install.run(&["schedule"]).err.contains("auto jobs are paused by ana"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_leaves_what_is_paused_and_a_worker_hears_of_the_end_of_a_pause() {
    let install = install().await;
    add(&install, "1", "/goes");
    add(&install, "7", "/held");
    assert_eq!(install.run(&["pause", "--account", "7"]).code, Some(0));
    let drained = install.run(&["work", "--drain"]);
    assert_eq!(drained.code, Some(0), "{}", drained.err);
    assert_eq!((install.site.hits("/goes"), install.site.hits("/held")), (1, 0));
    let store = install.store().await;
    assert_eq!((store.queue().await.unwrap().ready, store.queue().await.unwrap().paused), (1, 1));
    let worker = install.start(&["work"]);
    until(&*store, "a worker", async || store.queue().await.unwrap().workers == 1).await;
    assert_eq!(install.site.hits("/held"), 0);
    assert_eq!(install.run(&["resume", "--account", "7"]).code, Some(0));
    until(&*store, "its sync", async || store.queue().await.unwrap().ready == 0).await;
    until(&*store, "its end", async || install.site.hits("/held") == 1).await;
    assert!(store.pause(&PauseScope::Account(AccountId(7)), &"bo".into()).await.unwrap());
    drop(worker);
    store.close().await;
}
