//! Tests processes whose store is migrated by a newer program while they run.

use super::{set_version, version};
use crate::store::support::{Backend, Scene};
use crate::support::deck::{fetcher, parts, settings};
use crate::support::install::{Install, until};
use crate::support::limit::within;
use crate::support::place::Place;
use crate::support::pty::Terminal;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::id::Seq;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::runner::event::Phase;
use quarterdeck::runner::{self, Mode};
use quarterdeck::store::{Access, Queries, SCHEMA_VERSION, Store, StoreBase, open};
use rustix::process::Signal;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const SAYS: [&str; 2] = ["was migrated to version", "by a newer quarterdeck; this process supports version"];

/// Serves a first page that waits until the gate is opened.
async fn gated(gate: &Arc<Semaphore>) -> Site {
    let held = Arc::clone(gate);
    Site::start(move |_, hit| match hit {
        1 => Reply::When(Arc::clone(&held), Box::new(html("T", "of the older one"))),
        _ => html("T", "of the newer one"),
    })
    .await
}

async fn a_runner_lets_go_of_what_it_runs_and_a_newer_one_takes_it_up_without_a_loss(on: Backend) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let gate = Arc::new(Semaphore::new(0));
    let (scene, site) = (Scene::new(on).await, gated(&gate).await);
    let document = scene.add(1, &site.url("/page")).await;
    scene.ask(&[document], QueueClass::Manual).await;
    let older = runner::start(
        parts(&(scene.store.clone() as Arc<dyn Store>), fetcher(&site), None),
        settings(),
        Mode::OnDemand,
    );
    until(&*scene.store, "it runs", async || site.hits("/page") == 1).await;
    set_version(&scene.place, SCHEMA_VERSION + 1).await;
    within("the older runner to end", older.ended()).await;
    assert_eq!(older.status().borrow().phase, Phase::Stopped);
    assert!(scene.store.schema_mismatch().borrow().is_some());
    // Nothing was written: the newer program finds the job as the older one left it.
    assert_eq!(scene.number("SELECT CAST(count(*) AS bigint) FROM jobs WHERE state = 'running'").await, 1);
    assert!(scene.outcomes().await.is_empty());
    set_version(&scene.place, SCHEMA_VERSION).await;
    scene.sql(&format!("UPDATE workers SET schema_version = {}", SCHEMA_VERSION - 1)).await;
    scene.clock.advance(Duration::from_secs(5));
    let store = scene.another().await;
    let newer =
        runner::start(parts(&(store.clone() as Arc<dyn Store>), fetcher(&site), None), settings(), Mode::OnDemand);
    until(&*store, "an outcome", async || store.last_seq().await.is_ok_and(|seq| seq > Seq::START)).await;
    assert_eq!(scene.results().await, [OutcomeResult::Unchanged], "no loss of a worker: no document is to blame");
    assert_eq!((scene.outcomes().await[0].attempt, site.hits("/page")), (1, 2));
    assert_eq!(scene.row(document).await.status, Status::Synced);
    newer.leave();
    newer.ended().await;
    store.close().await;
}

/// The store of real processes, on either database.
struct Under {
    place: Place,
    install: Install,
    url: String,
}

impl Under {
    async fn new(on: Backend, site: Site) -> Self {
        let place = Place::new(on).await;
        let install = Install::new(site, "runner.heartbeat = \"300ms\"\n");
        let url = place.url();
        open(&url, Access::Create).await.unwrap().close().await;
        Self { place, install, url }
    }

    fn env(&self) -> [(&'static str, &str); 1] {
        [("QUARTERDECK_STORE", self.url.as_str())]
    }

    async fn migrated(&self) {
        set_version(&self.place, SCHEMA_VERSION + 1).await;
    }
}

async fn workers_and_waits_end_with_code_3_and_say_why(on: Backend) {
    let gate = Arc::new(Semaphore::new(0));
    let under = Under::new(on, gated(&gate).await).await;
    let page = under.install.site.url("/page");
    let store = open(&under.url, Access::Write).await.unwrap();
    let idle = under.install.start_with(&under.env(), &["work"]);
    until(&*store, "a worker", async || store.queue().await.is_ok_and(|queue| queue.workers == 1)).await;
    assert_eq!(under.install.start_with(&under.env(), &["add", &page]).ended().code, Some(0));
    let waiting = under.install.start_with(&under.env(), &["sync", &page, "--wait"]);
    until(&*store, "the page is asked for", async || under.install.site.hits("/page") == 1).await;
    under.migrated().await;
    for (what, process) in [("work", idle), ("wait", waiting)] {
        let ended = process.ended();
        assert_eq!(ended.code, Some(3), "{what}: {ended:?}");
        let says =
            format!("the store {} {} {} {SCHEMA_VERSION}: upgrade and restart", SAYS[0], SCHEMA_VERSION + 1, SAYS[1]);
        assert_eq!(ended.err.matches(&says).count(), 1, "{what}: {}", ended.err);
        assert!(!ended.err.contains("panicked"), "{what}: {}", ended.err);
    }
    assert_eq!(version(&under.place).await, SCHEMA_VERSION + 1);
    store.close().await;
}

async fn a_console_stops_its_runner_only_reads_and_says_so(on: Backend) {
    let gate = Arc::new(Semaphore::new(0));
    let under = Under::new(on, gated(&gate).await).await;
    let page = under.install.site.url("/page");
    assert_eq!(under.install.start_with(&under.env(), &["add", &page, "--sync"]).ended().code, Some(0));
    for flag in ["--runner", "--no-runner"] {
        let mut command = under.install.on_terminal(&[flag]);
        command.env("QUARTERDECK_STORE", &under.url);
        let mut terminal = Terminal::spawn(120, 30, command);
        // What is read before the store is outdated stays on the screen.
        terminal.until_text("/page");
        if flag == "--runner" {
            let store = open(&under.url, Access::ReadOnly).await.unwrap();
            until(&*store, "it runs", async || under.install.site.hits("/page") == 1).await;
            store.close().await;
        }
        under.migrated().await;
        let screen = terminal.until_text("outdated: upgrade and restart").contents();
        assert!(screen.contains("/page"), "what is there can be read: {screen}");
        if flag == "--runner" {
            terminal.until_text("stopped");
        }
        terminal.keys("s");
        terminal.until_text("upgrade and restart");
        terminal.keys("q");
        assert_eq!(terminal.ended(), 3, "{}", terminal.raw());
        let raw = terminal.raw();
        let last = raw.rsplit("\x1b[?1049l").next().unwrap_or_default().to_owned();
        assert!(SAYS.iter().all(|say| last.contains(say)), "said where the shell's lines stand: {last:?}");
        assert_eq!(under.place.number("SELECT count(*) FROM outcomes").await, Some(0));
        set_version(&under.place, SCHEMA_VERSION).await;
    }
}

/// A draining worker that learns of the migration does not wait for finishes that it may not write.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_drains_lets_go_at_once() {
    let gate = Arc::new(Semaphore::new(0));
    let under = Under::new(Backend::Sqlite, gated(&gate).await).await;
    let page = under.install.site.url("/page");
    assert_eq!(under.install.start_with(&under.env(), &["add", &page, "--sync"]).ended().code, Some(0));
    let store = open(&under.url, Access::ReadOnly).await.unwrap();
    let worker = under.install.start_with(&under.env(), &["work"]);
    until(&*store, "it runs", async || under.install.site.hits("/page") == 1).await;
    worker.signal(Signal::TERM);
    under.migrated().await;
    // The page arrives when the process may not write it any more.
    gate.add_permits(1);
    let ended = worker.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(under.place.number("SELECT count(*) FROM outcomes").await, Some(0));
    store.close().await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_runner_lets_go_of_what_it_runs_and_a_newer_one_takes_it_up_without_a_loss,
    workers_and_waits_end_with_code_3_and_say_why,
    a_console_stops_its_runner_only_reads_and_says_so,
}
