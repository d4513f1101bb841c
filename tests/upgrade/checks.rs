//! Tests the checksums of migrations, and the version check in every write transaction.

use super::{fixture, set_version, version};
use crate::store::support::{Backend, LEASE, Scene, limits, new, open, permanent, request, worker};
use crate::support::limit::within;
use crate::support::place::Place;
use quarterdeck::domain::id::OutboxId;
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::lock::LockHolder;
use quarterdeck::domain::outbox::PendingDelivery;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::schedule::ScheduleSettings;
use quarterdeck::store::{
    self, Access, Decision, DocumentStore, Finish, JobStore, OutboxStore, PassMode, PassRequest, PassTrigger, Queries,
    ReviewTarget, SCHEMA_VERSION, ScheduleStore, SchemaMismatch, Store, StoreBase, StoreError,
};
use std::time::Duration;

const NEWER: SchemaMismatch = SchemaMismatch { store: SCHEMA_VERSION + 1, program: SCHEMA_VERSION };

fn refused<T: std::fmt::Debug>(what: &str, answer: Result<T, StoreError>) {
    assert!(matches!(answer, Err(StoreError::Schema(NEWER))), "{what}: {answer:?}");
}

async fn every_write_to_a_store_of_a_newer_program_is_refused(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register(&worker("w1")).await.unwrap();
    let (id, job) = scene.running("https://a.test/x").await;
    let waits = scene.add(1, "https://a.test/y").await;
    scene.ask(&[waits], QueueClass::Manual).await;
    let before = scene.store.last_seq().await.unwrap();
    let other = scene.another().await;
    set_version(&scene.place, SCHEMA_VERSION + 1).await;
    let (store, by) = (&scene.store, "ana".into());
    let ids = [id, waits];
    refused("add", store.add(&[new(1, "https://a.test/z")]).await);
    refused("request", store.request(&ids, &request(QueueClass::Manual)).await);
    refused("cancel", store.cancel(&ids, &by).await);
    refused("remove", store.remove(&ids, &"ana".into()).await);
    let texts = [ReviewTarget { document: id, fingerprint: None }];
    refused("decide", store.decide(&texts, Decision::Accept, &by).await);
    refused("pause", store.pause(&PauseScope::All, &by).await);
    refused("resume", store.resume(&PauseScope::All).await);
    refused("purge", store.purge(&by).await);
    refused("register", store.register(&worker("w2")).await);
    refused("claim", store.claim(&worker("w1").id, limits(8)).await);
    refused("mark", store.mark(job.lease).await);
    refused("beat", store.heartbeat(&worker("w1").id, &[job.lease], LEASE).await);
    let holder = LockHolder { name: "Chatwoot".into(), value: "1".into() };
    refused("defer", store.defer(job.lease, &holder, Duration::from_secs(5)).await);
    let finish = Finish { lease: job.lease, end: permanent(), duration: Duration::ZERO, stages: None };
    refused("finish", store.finish(finish, &Default::default()).await);
    refused("release", store.release(&[job.lease]).await);
    refused("break a lease", store.break_lease(job.lease.job_id, &by).await);
    let pending = PendingDelivery {
        id: OutboxId(1),
        key: "k".into(),
        payload: "{}".into(),
        created_at: store.now(),
        attempts: 0,
        tried_at: None,
    };
    refused("begin a delivery", store.begin_delivery(&pending, store.now()).await);
    refused("delivered", store.delivered(pending.id, None).await);
    refused("a failed delivery", store.delivery_failed(pending.id, &"no".into(), store.now()).await);
    let terms = ScheduleSettings::default();
    let order = PassRequest {
        terms: &terms,
        only_plan: None,
        trigger: PassTrigger::Now,
        mode: PassMode::Enqueue,
        holder: "w1",
        lease: LEASE,
        seed: 7,
    };
    refused("schedule", ScheduleStore::schedule(&**store, &order).await);
    refused("rederive", store.rederive_lanes().await);
    scene.clock.advance(2 * LEASE);
    refused("rescue", other.rescue().await);
    refused("unregister", store.unregister(&worker("w1").id).await);
    assert_eq!(*store.schema_mismatch().borrow(), Some(NEWER));
    // The log is unchanged.
    assert_eq!(store.last_seq().await.unwrap(), before);
    assert_eq!(scene.number("SELECT CAST(count(*) AS bigint) FROM jobs WHERE state = 'running'").await, 1);
    assert_eq!(store.counts().await.unwrap().total(), 2);
    assert_eq!(scene.number("SELECT CAST(count(*) AS bigint) FROM workers").await, 1);
    // Its process lock is free, so that a newer worker takes over its jobs.
    set_version(&scene.place, SCHEMA_VERSION).await;
    let newer = scene.another().await;
    assert_eq!(newer.queue().await.unwrap().workers, 0);
}

async fn a_store_that_was_put_back_is_not_written_either(on: Backend) {
    let scene = Scene::new(on).await;
    set_version(&scene.place, SCHEMA_VERSION - 1).await;
    let message = scene.store.add(&[new(1, "https://a.test/z")]).await.unwrap_err().to_string();
    assert!(message.contains("older copy restored") && message.contains("quarterdeck migrate"), "{message}");
}

async fn who_only_watches_is_told_of_a_migration(on: Backend) {
    let scene = Scene::new(on).await;
    scene.add(1, "https://a.test/x").await;
    for access in [Access::Write, Access::ReadOnly] {
        let watching = open(&scene.place.url(), scene.clock.clone(), access).await;
        let mut mismatch = watching.schema_mismatch();
        assert_eq!(*mismatch.borrow(), None);
        set_version(&scene.place, SCHEMA_VERSION + 1).await;
        let told = within("the mismatch to be seen", mismatch.wait_for(Option::is_some)).await;
        assert_eq!(*told.unwrap(), Some(NEWER), "{access:?}");
        assert_eq!(watching.counts().await.unwrap().total(), 1, "what is there can be read");
        watching.close().await;
        set_version(&scene.place, SCHEMA_VERSION).await;
    }
}

async fn checksums(place: &Place) -> Option<i64> {
    place.number("SELECT count(*) FROM migrations WHERE length(checksum) = 64").await
}

async fn migrated(place: &Place) -> Result<(), StoreError> {
    if place.either("sqlite", "postgres") == "postgres" {
        store::migrate(&place.url(), false, &mut |_| {}).await?;
    }
    store::open(&place.url(), Access::Write).await?.close().await;
    Ok(())
}

async fn a_store_that_another_build_migrated_is_refused(on: Backend) {
    let place = fixture(on).await;
    migrated(&place).await.unwrap();
    assert_eq!(checksums(&place).await, Some(SCHEMA_VERSION), "those of the versions before were filled in");
    let new = Scene::new(on).await;
    new.store.close().await;
    assert_eq!(checksums(&new.place).await, Some(SCHEMA_VERSION));
    place.sql("UPDATE migrations SET checksum = 'f00' WHERE version = 3").await;
    for access in [Access::Create, Access::Write, Access::ReadOnly] {
        let error = store::open(&place.url(), access).await.err().unwrap();
        assert!(matches!(&error, StoreError::Unusable(why) if why.contains("migration 3")), "{access:?}: {error:?}");
    }
    // The check also runs before a migration changes anything.
    set_version(&place, SCHEMA_VERSION - 1).await;
    for error in [store::plan(&place.url(), false).await.map(drop), migrated(&place).await] {
        let error = error.unwrap_err().to_string();
        assert!(error.contains("migration 3 of this store differs from this quarterdeck's"), "{error}");
    }
    assert_eq!(version(&place).await, SCHEMA_VERSION - 1);
}

on_both! {
    ()
    every_write_to_a_store_of_a_newer_program_is_refused,
    a_store_that_was_put_back_is_not_written_either,
    who_only_watches_is_told_of_a_migration,
    a_store_that_another_build_migrated_is_refused,
}
