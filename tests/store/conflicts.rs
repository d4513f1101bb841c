//! Tests optimistic transactions that conflict: something else commits between their read and their write.

use super::support::{Scene, fetched, limits, open, worker};
use crate::support::place::Backend;
use crate::support::proxy::Proxy;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::store::{
    Access, ClaimLimits, DocumentStore, Finish, FinishResult, JobStore, Queries, SqlStore, Store as _, StoreBase,
};
use std::sync::Arc;
use std::time::Duration;

/// Returns a store behind a proxy, as a second process would have it, with the worker `w2`.
async fn far(scene: &Scene) -> (Arc<SqlStore>, Proxy) {
    let mut url = url::Url::parse(&scene.place.url()).expect("a URL");
    let proxy = Proxy::to(format!("127.0.0.1:{}", url.port().expect("a port"))).await;
    url.set_port(Some(proxy.port)).expect("a port");
    let far = open(url.as_str(), scene.clock.clone(), Access::Write).await;
    far.register(&worker("w2")).await.expect("the store answers");
    // A claim that finds a job, so that the next one is optimistic from its start.
    let id = scene.add(9, "https://first.test/").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let claimed = far.claim(&worker("w2").id, limits(1)).await.expect("the store answers");
    let finish = Finish {
        lease: claimed[0].lease,
        end: fetched("T", "t", ContentChange::First),
        duration: Duration::ZERO,
        stages: None,
    };
    far.finish(finish, &Default::default()).await.expect("the store answers");
    (far, proxy)
}

#[tokio::test]
async fn a_claim_that_another_one_overtakes_takes_other_jobs_and_keeps_the_caps() {
    let scene = Scene::new(Backend::Postgres).await;
    let (far, proxy) = far(&scene).await;
    let mut ids = Vec::new();
    for page in ["https://a.test/1", "https://a.test/2", "https://b.test/1"] {
        ids.push(scene.add(1, page).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    let one_per_host = |slots| ClaimLimits { per_host: 1, ..limits(slots) };
    let mut held = proxy.hold_the_next_commit();
    let id = worker("w2").id;
    let claim = far.claim(&id, one_per_host(2));
    let overtake = async {
        held.arrived().await;
        let near = scene.store.claim(&worker("w1").id, one_per_host(1)).await.expect("the store answers");
        held.go_on();
        near
    };
    let (late, near) = tokio::join!(claim, overtake);
    let late = late.expect("the store answers");
    assert_eq!(near.iter().map(|job| job.document_id).collect::<Vec<_>>(), [ids[0]]);
    assert_eq!(late.iter().map(|job| job.document_id).collect::<Vec<_>>(), [ids[2]], "a.test is at its cap");
    assert!(late[0].lease.token > near[0].lease.token, "tokens grow");
    assert_eq!(scene.store.queue().await.expect("the store answers").running, 2);
    far.close().await;
}

#[tokio::test]
async fn a_finish_whose_lease_is_broken_meanwhile_writes_nothing() {
    let scene = Scene::new(Backend::Postgres).await;
    let (far, proxy) = far(&scene).await;
    let id = scene.add(1, "https://a.test/").await;
    scene.ask(&[id], QueueClass::Manual).await;
    let job = far.claim(&worker("w2").id, limits(1)).await.expect("the store answers").remove(0);
    let before = scene.store.last_seq().await.expect("the store answers");
    let mut held = proxy.hold_the_next_commit();
    let policy = Default::default();
    let end = fetched("Title", "a text that comes too late", ContentChange::First);
    let finish = far.finish(Finish { lease: job.lease, end, duration: Duration::ZERO, stages: None }, &policy);
    let breaking = async {
        held.arrived().await;
        scene.store.break_lease(job.lease.job_id, &"ana".into()).await.expect("the store answers").expect("it ran");
        held.go_on();
    };
    let (finished, ()) = tokio::join!(finish, breaking);
    assert_eq!(finished.expect("the store answers"), FinishResult::LeaseLost);
    let text =
        scene.number("select count(content) from captain_documents where external_link = 'https://a.test/'").await;
    let after = scene.store.last_seq().await.expect("the store answers");
    assert_eq!((text, after.0 - before.0), (0, 1), "only the outcome of the lost attempt");
    far.close().await;
}
