//! Tests the notifications over Redis between processes of one store.

use super::gated;
use crate::support::limit::{self, within};
use crate::support::place::Backend;
use crate::support::redis::TestRedis;
use quarterdeck::domain::document::SyncStep;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::lock::LockMode::Preferred;
use quarterdeck::domain::lock::StoreId;
use quarterdeck::domain::topic::{Topic, TopicSet};
use quarterdeck::lock::{ConnectionState, Notification, Redis};
use quarterdeck::runner::event::Event;
use quarterdeck::runner::signals;
use quarterdeck::store::{Access, open};
use std::sync::Arc;
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

const JOBS: TopicSet = TopicSet::of(&[Topic::Jobs]);
/// Commits in quick succession.
const STORM: u32 = 20_000;

async fn joined(redis: &TestRedis, store: &StoreId) -> (Arc<Redis>, broadcast::Receiver<Notification>) {
    let (joined, mut news) = loop {
        let joined = redis.join(store.clone());
        let news = joined.notifications();
        // A connection that was faster than this thread may have reported already.
        if !joined.is_connected() {
            break (joined, news);
        }
    };
    // The subscription is active once it reports that a commit may have been missed.
    assert_eq!(next(&mut news).await, Notification::Committed(TopicSet::ALL));
    (joined, news)
}

async fn next(news: &mut broadcast::Receiver<Notification>) -> Notification {
    within("news", news.recv()).await.expect("told")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn processes_of_one_store_hear_each_other_and_no_one_else() {
    let redis = TestRedis::start();
    let store = StoreId(uuid::Uuid::new_v4().to_string());
    let (one, mut own) = joined(&redis, &store).await;
    let (_other, mut heard) = joined(&redis, &store).await;
    let (_stranger, mut strange) = joined(&redis, &StoreId("another".into())).await;
    one.publish(Notification::Step(DocumentId(7), SyncStep::Fetching));
    assert_eq!(next(&mut heard).await, Notification::Step(DocumentId(7), SyncStep::Fetching));
    // Many commits cause few messages: at most one every 20 ms.
    for _ in 0..STORM {
        one.publish(Notification::Committed(JOBS));
    }
    one.publish(Notification::Ended(DocumentId(7)));
    let mut commits = 0;
    loop {
        match next(&mut heard).await {
            Notification::Committed(topics) => {
                assert_eq!(topics, JOBS);
                commits += 1;
            }
            Notification::Ended(DocumentId(7)) => break,
            other => panic!("{other:?}"),
        }
    }
    assert!((1..=STORM / 100).contains(&commits), "{commits} of {STORM}");
    assert!(own.try_recv().is_err() && strange.try_recv().is_err(), "nobody hears itself, or another store");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_that_only_watches_sees_steps_and_commits_of_a_worker_at_once() {
    let redis = TestRedis::start();
    let (mut deck, gate) = gated(Backend::Sqlite, &redis, Preferred).await;
    let store = open(&deck.place.url(), Access::Write).await.expect("the store opens");
    let (watching, _news) = joined(&redis, &store.id().await.expect("an id")).await;
    let events = broadcast::Sender::new(64);
    let mut seen = events.subscribe();
    signals::join(store.clone(), &watching, events, CancellationToken::new());
    let document = deck.add("/a").await;
    deck.sync(document).await;
    let step = |step| Event::Step { document, step };
    assert_eq!(within("a step", seen.recv()).await.expect("told"), step(SyncStep::Fetching));
    let mut changes = store.changes();
    changes.mark_unchanged();
    gate.add_permits(1);
    deck.until(1).await;
    let ended = async { while seen.recv().await.expect("told") != (Event::Ended { document }) {} };
    within("the end", ended).await;
    within("a hint", changes.changed()).await.expect("the store is open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hint_makes_others_look_and_is_not_told_again() {
    let redis = TestRedis::start();
    let (deck, _gate) = gated(Backend::Sqlite, &redis, Preferred).await;
    let (mut commits, mut changes) = (deck.store.commits(), deck.store.changes());
    let mut reach = deck.redis.as_ref().expect("a Redis").connection_state();
    within("Redis", reach.wait_for(|reach| *reach == ConnectionState::Connected)).await.expect("it is watched");
    // Repeated, since the runner that has just started may commit at the same moment.
    limit::until("a hint that is no commit", async || {
        commits.mark_unchanged();
        changes.mark_unchanged();
        deck.store.notify_remote_commit(JOBS);
        (changes.has_changed() && !commits.has_changed()).then_some(())
    })
    .await;
    assert_eq!(within("the hint", changes.changed()).await.expect("the store is open"), JOBS);
}
