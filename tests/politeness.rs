//! Hosts that ask to be left alone, on the real runner, over real HTTP and by the real clock.

use crate::support::deck::{fetcher, parts, settings};
use crate::support::place::{Backend, Place};
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::outcome::Outcome;
use quarterdeck::domain::request::{Request, Scope, Verb};
use quarterdeck::runner::handle::Handle;
use quarterdeck::runner::tail::{Tailed, follow};
use quarterdeck::runner::{self, Mode, Settings};
use quarterdeck::store::{Access, Added, NewDocument, Store, open};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(30);

struct Scene {
    store: Arc<dyn Store>,
    runner: Handle,
    site: Site,
    tail: mpsc::Receiver<Tailed>,
    _place: Place,
}

impl Scene {
    async fn start(on: Backend, site: Site, settings: Settings) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let place = Place::new(on).await;
        let store = open(&place.url(), Access::Create).await.expect("a new store");
        let runner = runner::start(parts(&store, fetcher(&site), None), settings, Mode::OnDemand);
        let tail = follow(Arc::clone(&store), Seq::START);
        Self { store, runner, site, tail, _place: place }
    }

    /// Adds the pages at these paths and asks for their syncs.
    async fn ask(&self, paths: &[&str]) -> Vec<DocumentId> {
        let new = |path: &&str| NewDocument {
            link: Link::parse(&self.site.url(path)).expect("a link"),
            name: None,
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        };
        let documents: Vec<_> = paths.iter().map(new).collect();
        let added = self.store.add(&documents).await.expect("the store answers");
        let id = |added: &Added| match added {
            Added::New(id) | Added::Exists(id) => *id,
        };
        let ids: Vec<_> = added.iter().map(id).collect();
        let request = Request { verb: Verb::Sync, class: QueueClass::Manual, by: "ana".into(), scope: Scope::Bulk };
        self.store.request(&ids, &request).await.expect("the store answers");
        ids
    }

    async fn outcomes(&mut self, count: usize) -> Vec<Outcome> {
        let mut seen = Vec::new();
        while seen.len() < count {
            match timeout(PATIENCE, self.tail.recv()).await.expect("outcomes come") {
                Some(Tailed::Outcomes(outcomes)) => seen.extend(outcomes),
                other => panic!("{other:?}"),
            }
        }
        seen
    }
}

async fn a_held_host_is_asked_again_within_half_a_second_of_the_end(on: Backend) {
    let site = Site::start(|path, _| match path {
        "/last" => html("T", "text"),
        _ => Reply::Status(429, vec![("retry-after", "1".into())]),
    });
    let mut scene = Scene::start(on, site.await, settings()).await;
    scene.ask(&["/1", "/2", "/3"]).await;
    scene.outcomes(3).await;
    let last = scene.ask(&["/last"]).await[0];
    let row = scene.store.find(&quarterdeck::store::Named::Id(last)).await.expect("the store answers").remove(0);
    let hold = row.host_hold.expect("three were told to wait");
    assert_eq!(hold.because, "3 documents received Retry-After");
    let outcome = scene.outcomes(1).await.remove(0);
    assert_eq!((outcome.document_id, outcome.attempt, outcome.result.word()), (last, 1, "unchanged"));
    assert!(outcome.at > hold.until, "nothing was asked for while it was held");
    let after = outcome.at.since(hold.until);
    assert!(after < Duration::from_millis(500), "{after:?} after the end of the hold");
    scene.runner.leave();
    scene.runner.ended().await;
}

async fn a_spaced_host_is_asked_at_the_pace_of_the_settings(on: Backend) {
    let interval = Duration::from_millis(300);
    let site = Site::start(|_, _| html("T", "text")).await;
    let mut scene = Scene::start(on, site, Settings { host_interval: interval, ..settings() }).await;
    scene.ask(&["/1", "/2", "/3", "/4"]).await;
    let outcomes = scene.outcomes(4).await;
    // An attempt takes a few milliseconds, so the ends tell of the beginnings.
    let took = outcomes[3].at.since(outcomes[0].at);
    assert!(took > interval * 3 - Duration::from_millis(200), "{took:?}");
    assert!(took < interval * 3 + Duration::from_millis(1_500), "{took:?}");
    scene.runner.leave();
    scene.runner.ended().await;
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_held_host_is_asked_again_within_half_a_second_of_the_end,
    a_spaced_host_is_asked_at_the_pace_of_the_settings,
}
