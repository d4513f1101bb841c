//! Counts the round trips to PostgreSQL of a claim and of the finishes of its jobs.

use super::support::{Scene, fetched, limits, new, open, request, worker};
use crate::support::place::Backend;
use crate::support::proxy::Proxy;
use futures_util::future::join_all;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::store::{Access, AddResult, DocumentStore, Finish, FinishResult, JobStore, SqlStore, Store as _};
use std::time::Duration;

/// Jobs of a group, as many as a worker has slots.
const GROUP: usize = 16;
/// Round trips of the claim of a group and of its finishes together.
const ROUND_TRIPS: usize = 4;
/// Statements that are no part of a group: notifications of commits, polls for those of others, and the preparation of a
/// statement on a new connection.
const BESIDE: [&str; 3] = ["SELECT pg_notify", "SELECT (SELECT max(version)", "prepare: "];

/// Requests a sync of all documents, claims one group and finishes it, and returns the statements of the round trips.
async fn group(far: &SqlStore, proxy: &Proxy, end: &AttemptEnd) -> Vec<String> {
    let _ = proxy.take_round_trips();
    let claimed = far.claim(&worker("w1").id, limits(16)).await.expect("the store answers");
    assert_eq!(claimed.len(), GROUP);
    let policy = Default::default();
    let finish =
        |lease| far.finish(Finish { lease, end: end.clone(), duration: Duration::ZERO, stages: None }, &policy);
    for finished in join_all(claimed.iter().map(|job| finish(job.lease))).await {
        assert!(matches!(finished, Ok(FinishResult::Written { .. })), "{finished:?}");
    }
    let trips = proxy.take_round_trips();
    trips.into_iter().filter(|text| !BESIDE.iter().any(|beside| text.starts_with(beside))).collect()
}

#[tokio::test]
async fn a_group_takes_the_same_few_round_trips_whatever_its_size() {
    let scene = Scene::new(Backend::Postgres).await;
    let mut url = url::Url::parse(&scene.place.url()).expect("a URL");
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(proxy.port)).expect("a port");
    let far = open(url.as_str(), scene.clock.clone(), Access::Write).await;
    far.register(&worker("w1")).await.expect("the store answers");
    let documents: Vec<_> = (0..GROUP).map(|n| new(1, &format!("https://host{n}.test/"))).collect();
    let added = scene.store.add(&documents).await.expect("the store answers");
    let ids: Vec<_> = added.iter().map(|added| if let AddResult::New(id) = added { *id } else { panic!() }).collect();
    let ends = [
        fetched("Title", "a first text", ContentChange::First),
        AttemptEnd::NotModified,
        fetched("Title", "another text", ContentChange::Changed),
    ];
    for end in ends {
        // The first groups open connections and prepare the statements.
        for warm in [true, true, false] {
            scene.store.request(&ids, &request(QueueClass::Manual)).await.expect("the store answers");
            let trips = group(&far, &proxy, &end).await;
            let begins: Vec<_> = trips.iter().map(|text| text.chars().take(80).collect::<String>()).collect();
            assert!(warm || trips.len() <= ROUND_TRIPS, "{end:?}: {begins:#?}");
        }
    }
    far.close().await;
}
