//! Tests that other processes learn of a commit which data it changed, and that heartbeats wake nobody.

use super::support::{Backend, LEASE, Scene, new, open, permanent, worker};
use crate::support::limit::{until, within};
use quarterdeck::domain::document::STUCK_AFTER;
use quarterdeck::domain::pause::PauseScope;
use quarterdeck::domain::topic::{Topic, TopicSet};
use quarterdeck::store::{Access, Changes, DocumentStore, JobStore, Queries, SqlStore, StoreBase};
use std::sync::Arc;
use std::time::Duration;

const PAUSES: TopicSet = TopicSet::of(&[Topic::Pauses]);

/// Repeats a commit until it is announced as `topics` and nothing else. Late announcements of earlier commits, such as
/// those of PostgreSQL's statistics, come once; what the commit itself announces comes every time.
async fn until_exactly(changes: &mut Changes, topics: TopicSet, mut commit: impl AsyncFnMut()) {
    let exactly = async {
        loop {
            changes.mark_unchanged();
            commit().await;
            let mut announced = changes.changed().await.unwrap();
            while !announced.intersects(topics) {
                announced |= changes.changed().await.unwrap();
            }
            if announced == topics {
                return;
            }
        }
    };
    within(format_args!("an announcement of {topics:?} alone"), exactly).await;
}

async fn toggle_pause(store: &SqlStore) {
    if !store.pause(&PauseScope::All, &"ana".into()).await.unwrap() {
        store.resume(&PauseScope::All).await.unwrap();
    }
}

async fn another_process_learns_what_a_commit_changed(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    let mut changes = other.changes();
    let mut number = 0;
    until_exactly(&mut changes, TopicSet::of(&[Topic::Documents]), async || {
        number += 1;
        scene.store.add(&[new(1, &format!("https://a.test/{number}"))]).await.unwrap();
    })
    .await;
    until_exactly(&mut changes, PAUSES, async || toggle_pause(&scene.store).await).await;
    let w1 = worker("w1");
    until_exactly(&mut changes, TopicSet::of(&[Topic::Workers]), async || {
        scene.store.register(&w1).await.unwrap();
        scene.store.unregister(&w1.id).await.unwrap();
    })
    .await;
}

async fn the_end_of_an_attempt_is_about_documents_jobs_and_outcomes(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    let mut changes = other.changes();
    let (id, _) = scene.running("https://a.test/x").await;
    scene.store.cancel(&[id], &"ana".into()).await.unwrap();
    let (_, job) = scene.running("https://a.test/y").await;
    changes.mark_unchanged();
    scene.finish(&job, permanent()).await;
    let wanted = TopicSet::of(&[Topic::Documents, Topic::Jobs, Topic::Outcomes]);
    let mut announced = TopicSet::NONE;
    while announced & wanted != wanted {
        announced |= within("the end of the attempt", changes.changed()).await.unwrap();
    }
}

/// A heartbeat renews the lease of a running job and the worker's row; with each round a pause is announced, and
/// nothing else.
async fn a_heartbeat_wakes_nobody(backend: Backend) {
    let scene = Scene::new(backend).await;
    let other = scene.another().await;
    let w1 = worker("w1");
    scene.store.register(&w1).await.unwrap();
    let (_, job) = scene.running("https://a.test/x").await;
    for store in [&scene.store, &other] {
        let mut changes = store.changes();
        until_exactly(&mut changes, PAUSES, async || {
            scene.store.heartbeat(&w1.id, &[job.lease], LEASE).await.unwrap();
            toggle_pause(&scene.store).await;
        })
        .await;
    }
    assert_eq!(other.workers().await.unwrap().len(), 1);
}

#[tokio::test]
async fn commits_of_other_programs_are_noticed() {
    let scene = Scene::new(Backend::Sqlite).await;
    scene.add(1, "https://a.test/x").await;
    let read_only = open(&scene.place.url(), scene.clock.clone(), Access::ReadOnly).await;
    for store in [&scene.store, &scene.another().await, &read_only] {
        let mut changes = store.changes();
        until_exactly(&mut changes, TopicSet::of(&[Topic::Documents]), async || {
            scene.sql("UPDATE captain_documents SET name = name || '.'").await;
        })
        .await;
        // A change of unknown data counts as a change of everything, unless it is noticed together with a known one.
        let everything = async || {
            scene.sql("UPDATE document_state SET etag = coalesce(etag, '') || '.'").await;
            let announced = changes.changed();
            within("a change", announced).await.is_ok_and(|topics| topics == TopicSet::ALL).then_some(())
        };
        until("a change of everything", everything).await;
    }
}

async fn commits_from_before_the_watcher_are_announced(backend: Backend) {
    let scene = Scene::new(backend).await;
    for _ in 0..10 {
        let other = scene.another().await;
        let mut changes = other.changes().only(PAUSES);
        // The task that watches the store may begin only now.
        toggle_pause(&scene.store).await;
        within("the pause", changes.changed()).await.unwrap();
    }
}

async fn the_next_change_of_a_status_is_known(backend: Backend) {
    let scene = Scene::new(backend).await;
    let next = async |store: &Arc<SqlStore>| store.next_status_change().await.unwrap();
    assert_eq!(next(&scene.store).await, None);
    let now = scene.store.now();
    let ago = |seconds| now.minus(Duration::from_secs(seconds));
    let at = |seconds| scene.place.at(ago(seconds).micros());
    let just_after = |moment: quarterdeck::domain::time::Timestamp| Some(moment.plus(Duration::from_micros(1)));
    for n in 1..=5 {
        scene.add(1 + n % 2, &format!("https://a.test/{n}")).await;
    }
    assert_eq!(next(&scene.store).await, None, "no status depends on the time");
    // An hour of cadence for account 1, none for account 2; the first document is stale already.
    scene.sql("INSERT INTO accounts_sched (account_id, plan, cadence) VALUES (1, 'pro', 3600000000)").await;
    for (id, seconds) in [(2, 3_601), (4, 600), (1, 3_000)] {
        scene
            .sql(&format!(
                "UPDATE captain_documents SET sync_status = 1, last_synced_at = {} WHERE id = {id}",
                at(seconds)
            ))
            .await;
    }
    assert_eq!(next(&scene.store).await, just_after(ago(600).plus(Duration::from_secs(3_600))));
    let hours = STUCK_AFTER.as_secs();
    for (id, seconds) in [(3, hours + 1), (5, hours - 60)] {
        scene
            .sql(&format!(
                "UPDATE captain_documents SET sync_status = 0, last_sync_attempted_at = {} WHERE id = {id}",
                at(seconds)
            ))
            .await;
    }
    assert_eq!(next(&scene.store).await, just_after(now.plus(Duration::from_secs(60))));
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    another_process_learns_what_a_commit_changed,
    the_end_of_an_attempt_is_about_documents_jobs_and_outcomes,
    a_heartbeat_wakes_nobody,
    commits_from_before_the_watcher_are_announced,
    the_next_change_of_a_status_is_known,
}
