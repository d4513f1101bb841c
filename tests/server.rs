//! Tests the real binary on PostgreSQL: set-up, import, work, a kill, and the messages of failures.

use crate::support::install::{Ended, Install, until};
use crate::support::measure::{self, Stopwatch};
use crate::support::postgres::{self, Database};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::Seq;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{Access, OutcomeQuery, OutcomesFrom, open};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// Limit on the time from a worker's death to the next attempt of its documents.
const SEEN_DEAD: Duration = Duration::from_secs(5);

fn run(install: &Install, database: &Database, args: &[&str]) -> Ended {
    install.start_with(&[("QUARTERDECK_STORE", &database.url)], args).ended()
}

fn ok(install: &Install, database: &Database, args: &[&str]) -> Vec<String> {
    let ended = run(install, database, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
    ended.out
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_set_up_by_a_verb_and_used_like_a_file() {
    let database = postgres::empty().await;
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    let unset = run(&install, &database, &["list"]);
    assert_eq!((unset.code, unset.out.len()), (Some(3), 0));
    assert!(unset.err.contains("quarterdeck migrate --standalone"), "{}", unset.err);
    let chatwoots = run(&install, &database, &["migrate"]);
    assert_eq!(chatwoots.code, Some(3));
    assert!(chatwoots.err.contains("no table captain_documents"), "{}", chatwoots.err);
    let plan = ok(&install, &database, &["migrate", "--standalone", "--dry-run"]);
    for step in ["create schema", "quarterdeck 1:", "quarterdeck 2:", "table captain_documents", "table accounts"] {
        assert_eq!(plan.iter().filter(|line| line.contains(step)).count(), 1, "{step}: {plan:?}");
    }
    assert_eq!(run(&install, &database, &["list"]).code, Some(3), "nothing was done");
    let read_only = run(&install, &database, &["migrate", "--standalone", "--read-only"]);
    assert_eq!(read_only.code, Some(2), "{}", read_only.err);
    let done = ok(&install, &database, &["migrate", "--standalone"]);
    assert_eq!(done.split_last().map(|(last, steps)| (last.as_str(), steps)), Some(("done", &plan[..])));
    assert_eq!(ok(&install, &database, &["migrate"]), ["nothing to do: the store is up to date"]);
    let url = install.site.url("/a");
    assert_eq!(ok(&install, &database, &["add", &url]), [format!("added 1 {url}")]);
    let synced = ok(&install, &database, &["sync", "1", "--wait", "--json"]);
    assert!(synced[0].contains(r#""result":"unchanged""#), "{synced:?}");
    let listed = ok(&install, &database, &["list", "--json", "--read-only"]);
    assert!(listed[0].contains(r#""status":"synced""#), "{listed:?}");
    assert_eq!(ok(&install, &database, &["log", "--json"]).len(), 1);
    assert_eq!(ok(&install, &database, &["remove", "1", "--yes"]), ["removed 1 document"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_server_ends_with_three_and_a_cure() {
    let database = postgres::store().await;
    let install = Install::new(Site::start(|_, _| html("T", "text")).await, "");
    for verb in ["list", "work", "migrate"] {
        let url = database.url_of("postgres", "wr0ng");
        let ended = install.start_with(&[("QUARTERDECK_STORE", &url)], &[verb]).ended();
        assert_eq!(ended.code, Some(3), "{verb}: {}", ended.err);
        assert!(ended.err.contains("password") && ended.err.contains("QUARTERDECK_STORE"), "{verb}: {}", ended.err);
        assert!(!ended.err.contains("wr0ng"), "{verb}: {}", ended.err);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_workers_documents_are_taken_up_within_seconds() {
    let database = postgres::store().await;
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    let install = Install::new(site, "runner.per_host = 4\n");
    let urls: Vec<_> = (0..4).map(|n| install.site.url(&format!("/{n}"))).collect();
    let mut add = vec!["add", "--sync"];
    add.extend(urls.iter().map(String::as_str));
    ok(&install, &database, &add);
    let store = open(&database.url, Access::ReadOnly).await.expect("the store opens");
    let work = || install.start_with(&[("QUARTERDECK_STORE", &database.url)], &["work"]);
    let doomed = work();
    until(&*store, "all four run", async || store.queue().await.is_ok_and(|queue| queue.running == 4)).await;
    let other = work();
    until(&*store, "two workers", async || store.queue().await.is_ok_and(|queue| queue.workers == 2)).await;
    doomed.signal(Signal::KILL);
    let killed = Stopwatch::start();
    gate.add_permits(20);
    let after =
        OutcomeQuery { filter: Filter::default(), document: None, from: OutcomesFrom::After(Seq::START), limit: 100 };
    let lost = async || {
        let outcomes = store.outcomes(&after).await.unwrap_or_default();
        outcomes.iter().filter(|outcome| outcome.result == OutcomeResult::WorkerLost).count() == 4
    };
    until(&*store, "its four losses", lost).await;
    let took = killed.took();
    println!("a killed worker's documents were ready again after {took:?}");
    measure::at_most("a death is seen", took, SEEN_DEAD);
    until(&*store, "all synced", async || store.counts().await.is_ok_and(|counts| counts.of(Status::Synced) == 4))
        .await;
    other.signal(Signal::TERM);
    assert_eq!(other.ended().code, Some(0));
    store.close().await;
}
