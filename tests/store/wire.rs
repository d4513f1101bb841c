//! Tests connections that break at the worst moment (F16), and a PgBouncer in between.

use super::support::{LEASE, START, Scene, fetched, limits, new, open, outcomes_after, permanent, request, worker};
use crate::support::limit::{until, until_announced};
use crate::support::pgbouncer::PgBouncer;
use crate::support::place::Backend;
use crate::support::proxy::Proxy;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::Seq;
use quarterdeck::domain::job::{JobState, QueueClass};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{
    Access, DocumentStore, Finish, FinishResult, JobStore, ManualClock, Queries, Sort, Store, StoreBase, StoreError,
};
use std::sync::Arc;
use std::time::Duration;

/// Repeats until the store responds: it returns an error at once while it reconnects.
async fn again<T>(what: impl AsyncFn() -> Result<T, StoreError>) -> T {
    let answered = async || match what().await {
        Ok(done) => Some(done),
        Err(StoreError::Unavailable(_)) => None,
        Err(other) => panic!("{other:?}"),
    };
    until("the store", answered).await
}

#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_found_by_its_outcome() {
    let scene = Scene::new(Backend::Postgres).await;
    let mut url = url::Url::parse(&scene.place.url()).unwrap();
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().unwrap())).await;
    url.set_port(Some(proxy.port)).unwrap();
    let far = open(url.as_str(), scene.clock.clone(), Access::Write).await;
    let rounds = if std::env::var_os("QUARTERDECK_CHAOS").is_some() { 200 } else { 15 };
    for round in 0..rounds {
        let (id, job) = scene.running(&format!("https://a.test/{round}")).await;
        let end = || match round % 2 {
            0 => fetched("T", "text", ContentChange::First),
            _ => permanent(),
        };
        let finish = || Finish { lease: job.lease, end: end(), duration: Duration::ZERO, stages: None };
        let before = far.last_seq().await.unwrap();
        proxy.cut_the_next_commit();
        let lost = far.finish(finish(), &Default::default()).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        assert!(!proxy.is_armed());
        // The worker keeps the result and repeats the finish: it gets the response that was lost.
        let finished = again(async || far.finish(finish(), &Default::default()).await).await;
        let FinishResult::Written { state, outcomes, .. } = finished else { panic!("{finished:?}") };
        assert_eq!(
            (state, outcomes[0].document_id),
            (if round % 2 == 0 { JobState::Done } else { JobState::Failed }, id)
        );
        assert_eq!(outcomes, outcomes_after(&*scene.store, before).await, "recorded once");
    }
    far.close().await;
}

#[tokio::test]
async fn a_claim_whose_answer_is_lost_runs_out_and_is_taken_up_again() {
    let scene = Scene::new(Backend::Postgres).await;
    let mut url = url::Url::parse(&scene.place.url()).unwrap();
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().unwrap())).await;
    url.set_port(Some(proxy.port)).unwrap();
    let far = open(url.as_str(), scene.clock.clone(), Access::Write).await;
    far.register(&worker("w2")).await.unwrap();
    let id = scene.add(1, "https://a.test/x").await;
    scene.ask(&[id], QueueClass::Manual).await;
    proxy.cut_the_next_commit();
    assert!(far.claim(&worker("w2").id, limits(1)).await.is_err());
    assert_eq!(scene.store.queue().await.unwrap().running, 1, "nobody knows that it has it");
    // Its heartbeats continue, for the jobs that it really has: none.
    again(async || far.heartbeat(&worker("w2").id, &[], LEASE).await).await;
    scene.clock.advance(LEASE + Duration::from_secs(1));
    again(async || far.heartbeat(&worker("w2").id, &[], LEASE).await).await;
    let rescued = scene.store.rescue().await.unwrap();
    assert_eq!(rescued.outcomes[0].result, OutcomeResult::WorkerLost);
    assert_eq!(scene.claim(1).await.len(), 1);
    far.close().await;
}

#[tokio::test]
async fn everything_but_locks_works_behind_pgbouncer() {
    let scene = Scene::new(Backend::Postgres).await;
    let bouncer = PgBouncer::before(&scene.place.url()).await;
    let clock = Arc::new(ManualClock::at(START));
    let (one, other) = tokio::join!(
        open(&bouncer.url, clock.clone(), Access::Write),
        open(&bouncer.url, clock.clone(), Access::Write)
    );
    one.register(&worker("w1")).await.unwrap();
    let added = one.add(&(0..40).map(|n| new(1, &format!("https://a.test/{n}"))).collect::<Vec<_>>()).await.unwrap();
    assert_eq!(added.len(), 40);
    let ids: Vec<_> = one.matching(&Default::default(), Sort::BY_ID, None).await.unwrap();
    other.request(&ids, &request(QueueClass::Auto)).await.unwrap();
    let claimed = one.claim(&worker("w1").id, limits(40)).await.unwrap();
    assert_eq!(claimed.len(), 40);
    let policy = Default::default();
    let finishes = claimed[1..].iter().zip([&one, &other].into_iter().cycle()).map(|(job, store)| {
        let end = fetched("T", "text", ContentChange::First);
        store.finish(Finish { lease: job.lease, end, duration: Duration::ZERO, stages: None }, &policy)
    });
    for finished in futures_util::future::join_all(finishes).await {
        assert!(matches!(finished.unwrap(), FinishResult::Written { state: JobState::Done, .. }));
    }
    until_announced(&*other, "39 outcomes", async || other.last_seq().await.unwrap() >= Seq(39)).await;
    assert_eq!(outcomes_after(&*other, Seq::START).await.len(), 39);
    assert_eq!(other.queue().await.unwrap().workers, 1);
    // Its death is detected only by its lease, even by a process that has locks.
    clock.advance(LEASE - Duration::from_secs(1));
    scene.clock.advance(LEASE - Duration::from_secs(1));
    assert!(other.rescue().await.unwrap().outcomes.is_empty());
    assert!(scene.store.rescue().await.unwrap().outcomes.is_empty());
    clock.advance(Duration::from_secs(2));
    assert_eq!(other.rescue().await.unwrap().outcomes.len(), 1);
    one.close().await;
    other.close().await;
}
