//! Tests hosts that send `Retry-After`, and hosts with an interval between fetches, on the real runner over real HTTP.
//! The store's clock moves only when the test moves it; `cargo bench --bench pace` measures the delay in real time.

use crate::support::deck::{START, fetcher_of, parts, settings};
use crate::support::limit::within;
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::runner::handle::Handle;
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::runner::{self, Mode, Settings};
use quarterdeck::store::{Access, AddResult, DocumentRef, ManualClock, NewDocument, Options, Store, open_with};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const MICRO: Duration = Duration::from_micros(1);

struct Scene {
    store: Arc<dyn Store>,
    clock: Arc<ManualClock>,
    runner: Handle,
    site: Site,
    /// Another host, which has no back-off.
    other: Site,
    asked_of_other: usize,
    tail: mpsc::Receiver<TailItem>,
    _place: Place,
}

impl Scene {
    async fn start(on: Backend, site: Site, settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = Place::new(on).await;
        let clock = Arc::new(ManualClock::at(START));
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let store = open_with(&place.url(), options).await.expect("a new store");
        let other = Site::start(|_, _| html("T", "text")).await;
        let runner = runner::start(parts(&store, fetcher_of(&[&site, &other]), None), settings, Mode::OnDemand);
        let tail = follow(store.clone(), Seq::START);
        Self { store, clock, runner, site, other, asked_of_other: 0, tail, _place: place }
    }

    /// Adds the pages at these URLs and requests their syncs.
    async fn ask(&self, urls: &[String]) -> Vec<DocumentId> {
        let new = |url: &String| NewDocument {
            link: Link::parse(url).expect("a link"),
            name: None,
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        let documents: Vec<_> = urls.iter().map(new).collect();
        let added = self.store.add(&documents).await.expect("the store answers");
        let id = |added: &AddResult| match added {
            AddResult::New(id) | AddResult::Exists(id) => *id,
        };
        let ids: Vec<_> = added.iter().map(id).collect();
        let request =
            Request { kind: RequestKind::Sync, class: QueueClass::Manual, by: "ana".into(), scope: RequestScope::Bulk };
        self.store.request(&ids, &request).await.expect("the store answers");
        ids
    }

    async fn ask_site(&self, paths: &[&str]) -> Vec<DocumentId> {
        self.ask(&paths.iter().map(|path| self.site.url(path)).collect::<Vec<_>>()).await
    }

    async fn outcomes(&mut self, count: usize) -> Vec<Outcome> {
        let mut seen = Vec::new();
        while seen.len() < count {
            match within(format_args!("{count} outcomes, with {seen:#?}"), self.tail.recv()).await {
                Some(TailItem::Outcomes(outcomes)) => seen.extend(outcomes),
                other => panic!("{other:?}"),
            }
        }
        seen
    }

    /// Asserts that the runner claims nothing of the tested host by now: a page of the other host has been synced
    /// since, and `ready` jobs are still ready.
    async fn nothing_is_claimed(&mut self, ready: u64) {
        self.asked_of_other += 1;
        let id = self.ask(&[self.other.url(&format!("/{}", self.asked_of_other))]).await[0];
        self.runner.wake();
        let outcome = self.outcomes(1).await.remove(0);
        assert_eq!((outcome.document_id, outcome.result.word()), (id, "unchanged"), "nothing else ended");
        let queue = self.store.queue().await.expect("the store answers");
        assert_eq!((queue.running, queue.ready), (0, ready));
    }
}

async fn a_held_host_is_asked_again_at_the_end_of_the_hold(on: Backend) {
    let site = Site::start(|path, _| match path {
        "/last" => html("T", "text"),
        _ => Reply::Status(429, vec![("retry-after", "1".into())]),
    });
    let mut scene = Scene::start(on, site.await, settings()).await;
    scene.ask_site(&["/1", "/2", "/3"]).await;
    scene.outcomes(3).await;
    let last = scene.ask_site(&["/last"]).await[0];
    let row = scene.store.find(&DocumentRef::Id(last)).await.expect("the store answers").remove(0);
    let hold = row.host_backoff.expect("three were told to wait");
    assert_eq!(hold.reason, "3 documents received Retry-After");
    assert_eq!(hold.until, START.plus(Duration::from_secs(1)));
    for at in [START, hold.until.minus(MICRO)] {
        scene.clock.set(at);
        scene.nothing_is_claimed(1).await;
    }
    assert_eq!(scene.site.hits("/last"), 0, "nothing is asked for while it is held");
    scene.clock.set(hold.until.plus(MICRO));
    scene.runner.wake();
    let outcome = scene.outcomes(1).await.remove(0);
    assert_eq!((outcome.document_id, outcome.attempt, outcome.result.word()), (last, 1, "unchanged"));
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
}

async fn a_spaced_host_is_asked_at_the_pace_of_the_settings(on: Backend) {
    let interval = Duration::from_millis(300);
    let site = Site::start(|_, _| html("T", "text")).await;
    let mut scene = Scene::start(on, site, Settings { host_interval: interval, ..settings() }).await;
    scene.ask_site(&["/1", "/2", "/3", "/4"]).await;
    for left in [3, 2, 1, 0] {
        // The first job runs at once, each other one an interval after the one before.
        scene.outcomes(1).await;
        scene.clock.advance(interval - MICRO);
        scene.nothing_is_claimed(left).await;
        scene.clock.advance(MICRO);
        scene.runner.wake();
    }
    scene.runner.leave();
    within("the runner's end", scene.runner.ended()).await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_held_host_is_asked_again_at_the_end_of_the_hold,
    a_spaced_host_is_asked_at_the_pace_of_the_settings,
}
