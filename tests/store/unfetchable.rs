//! Tests claims of workers that lack credentials: they leave these documents to others, and are not held up by them.

use super::support::*;
use quarterdeck::domain::id::{DocumentId, WorkerId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::site_rule::Unfetchable;
use quarterdeck::store::{ClaimedJob, Finish, JobStore, Queries as _, StoreBase as _, WorkerInfo};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Registers a worker that cannot fetch these hosts and documents.
async fn unable(scene: &Scene, hosts: &[(&str, bool)], documents: &[DocumentId]) -> WorkerId {
    let hosts = hosts.iter().map(|(host, may_fetch)| ((*host).to_owned(), *may_fetch)).collect();
    let reasons = vec!["a.test: the variable TOKEN is not set".to_owned()];
    let unfetchable = Arc::new(Unfetchable { hosts, documents: documents.to_vec(), reasons });
    let worker = WorkerInfo { unfetchable, ..worker("unable") };
    scene.store.register(&worker).await.unwrap();
    worker.id
}

/// Adds documents of account 1 and requests their syncs.
async fn wanted<const N: usize>(scene: &Scene, urls: [&str; N]) -> [DocumentId; N] {
    let mut ids = Vec::new();
    for url in urls {
        ids.push(scene.add(1, url).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    ids.try_into().unwrap()
}

fn ids(claimed: &[ClaimedJob]) -> BTreeSet<DocumentId> {
    claimed.iter().map(|job| job.document_id).collect()
}

async fn hosts_are_left_to_workers_that_have_the_credentials(on: Backend) {
    let scene = Scene::new(on).await;
    let [own, free, port, below, exact] = wanted(
        &scene,
        ["https://a.test/", "https://b.test/", "https://a.test:8443/", "https://x.c_d.test/", "https://y.c_d.test/"],
    )
    .await;
    let other = scene.add(1, "https://x.cxd.test/").await;
    scene.ask(&[other], QueueClass::Auto).await;
    let rules = [("a.test", false), ("y.c_d.test", true), ("*.c_d.test", false)];
    let worker = unable(&scene, &rules, &[]).await;
    assert!(scene.store.has_fetchable_jobs(&worker).await.unwrap());
    let claimed = scene.store.claim(&worker, limits(16)).await.unwrap();
    assert_eq!(ids(&claimed), BTreeSet::from([free, port, exact, other]));
    assert!(!scene.store.has_fetchable_jobs(&worker).await.unwrap());
    assert!(scene.store.has_fetchable_jobs(&WorkerId("able".into())).await.unwrap());
    // The cheap read of an idle worker, and the claim after it.
    for _ in 0..2 {
        assert_eq!(scene.store.claim(&worker, limits(16)).await.unwrap(), []);
    }
    let rest = scene.store.claim(&WorkerId("able".into()), limits(16)).await.unwrap();
    assert_eq!(ids(&rest), BTreeSet::from([own, below]));
    let workers = scene.store.workers().await.unwrap();
    assert_eq!(workers[0].unfetchable[0].as_str(), "a.test: the variable TOKEN is not set");
}

/// The jobs that the worker cannot take come first in every order, and there are more of them than it has slots.
async fn single_documents_delay_none_behind_them(on: Backend) {
    let scene = Scene::new(on).await;
    let alone = wanted(&scene, ["https://a.test/1", "https://b.test/1", "https://c.test/1"]).await;
    let [first, second] = wanted(&scene, ["https://d.test/1", "https://d.test/2"]).await;
    let unable_of = [alone.as_slice(), &[first]].concat();
    let worker = unable(&scene, &[], &unable_of).await;
    let claimed = scene.store.claim(&worker, limits(1)).await.unwrap();
    assert_eq!(ids(&claimed), BTreeSet::from([second]));
    scene
        .store
        .finish(
            Finish { lease: claimed[0].lease, end: permanent(), duration: Duration::ZERO, stages: None },
            &Default::default(),
        )
        .await
        .unwrap();
    for _ in 0..3 {
        assert_eq!(scene.store.claim(&worker, limits(1)).await.unwrap(), []);
    }
    assert!(!scene.store.has_fetchable_jobs(&worker).await.unwrap());
    let rest = scene.store.claim(&WorkerId("able".into()), limits(16)).await.unwrap();
    assert_eq!(ids(&rest), unable_of.into_iter().collect());
    assert_eq!(scene.store.queue().await.unwrap().ready, 0);
}

on_both! {
    ()
    hosts_are_left_to_workers_that_have_the_credentials,
    single_documents_delay_none_behind_them,
}
