//! Measures in real time how soon the runner fetches from a host again: after the end of a back-off, and after the
//! interval between two fetches.
//!
//! `cargo bench --bench pace [-- ROUNDS] [sqlite | postgres]`; prints one line per figure.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[expect(dead_code, unused_macros, reason = "each benchmark uses a part of it")]
mod harness;

use harness::place::{Backend, Place};
use harness::site::{Reply, Site, html};
use harness::{Times, backends, size};
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::fetch::{FetchSettings, Fetcher};
use quarterdeck::runner::tail::{TailItem, follow};
use quarterdeck::runner::{self, Mode, Services, Settings};
use quarterdeck::store::{Access, AddResult, DocumentRef, NewDocument, Store, open};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const INTERVAL: Duration = Duration::from_millis(300);

fn settings(host_interval: Duration) -> Settings {
    Settings { slots: 4, host_interval, ..Settings::default() }
}

/// A store whose runner syncs the pages of one site.
struct Scene {
    store: Arc<dyn Store>,
    site: Site,
    tail: mpsc::Receiver<TailItem>,
    _place: Place,
}

impl Scene {
    async fn start(backend: Backend, host_interval: Duration) -> Self {
        let site = Site::start(|path: &str, _| match path {
            path if path.starts_with("/page/") => html("T", "text"),
            _ => Reply::Status(429, vec![("retry-after", "1".into())]),
        })
        .await;
        let place = Place::new(backend).await;
        let store = open(&place.url(), Access::Create).await.unwrap();
        let limits =
            FetchSettings { allow_private_hosts: vec![site.host().parse().unwrap()], ..FetchSettings::default() };
        let fetcher = Arc::new(Fetcher::new(limits).unwrap());
        let parts =
            Services { store: store.clone(), fetcher, redis: None, subscribers: Vec::new(), name: "bench:1".into() };
        runner::start(parts, settings(host_interval), Mode::OnDemand);
        let tail = follow(store.clone(), Seq::START);
        Self { store, site, tail, _place: place }
    }

    /// Adds pages and requests their syncs.
    async fn ask(&self, paths: &[String]) -> Vec<DocumentId> {
        let new = |path: &String| NewDocument {
            link: Link::parse(&self.site.url(path)).unwrap(),
            name: None,
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        let documents: Vec<_> = paths.iter().map(new).collect();
        let added = self.store.add(&documents).await.unwrap();
        let ids: Vec<_> = added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect();
        let request = Request {
            kind: RequestKind::Sync,
            class: QueueClass::Manual,
            by: "bench".into(),
            scope: RequestScope::Bulk,
        };
        self.store.request(&ids, &request).await.unwrap();
        ids
    }

    async fn outcomes(&mut self, count: usize) -> Vec<Outcome> {
        let mut seen = Vec::new();
        while seen.len() < count {
            match self.tail.recv().await.unwrap() {
                TailItem::Outcomes(outcomes) => seen.extend(outcomes),
                TailItem::Unreachable(error) => panic!("{error}"),
            }
        }
        seen
    }
}

async fn measure(backend: Backend, rounds: usize) {
    let mut after = Times::default();
    for _ in 0..rounds {
        // A new host in each round: the host state of the round before must not affect it.
        let mut scene = Scene::start(backend, Duration::ZERO).await;
        scene.ask(&[1, 2, 3].map(|number| format!("/limited/{number}"))).await;
        scene.outcomes(3).await;
        let id = scene.ask(&["/page/last".to_owned()]).await[0];
        let hold = scene.store.find(&DocumentRef::Id(id)).await.unwrap().remove(0).host_backoff.expect("it is held");
        let outcome = scene.outcomes(1).await.remove(0);
        assert_eq!(outcome.document_id, id);
        after.push(outcome.at.since(hold.until));
    }
    after.print(&format!("{backend:?}: synced after the end of a hold"));

    let mut scene = Scene::start(backend, INTERVAL).await;
    scene.ask(&(0..=rounds).map(|number| format!("/page/{number}")).collect::<Vec<_>>()).await;
    let outcomes = scene.outcomes(rounds + 1).await;
    let mut apart = Times::default();
    for pair in outcomes.windows(2) {
        apart.push(pair[1].at.since(pair[0].at));
    }
    apart.print(&format!("{backend:?}: between two pages of a host {INTERVAL:?} apart"));
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let rounds = size(10);
    for backend in backends() {
        measure(backend, rounds).await;
    }
}
