//! Tests the outbox in the store: messages written in the transaction of their outcome, for each subscriber that wants
//! them, and their deliveries.

use super::support::*;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::failure::{ErrorCode, Failure};
use quarterdeck::domain::id::{DocumentId, OutboxId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::outbox::{OutboxMessage, OutcomeEvent, PendingDelivery, Subscriber};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::store::{DocumentStore, FinishResult, JobStore, OutboxStore, StoreBase};
use std::sync::Arc;
use std::time::Duration;

/// A subscriber that wants outcomes of one result, or all.
struct Wants {
    name: &'static str,
    result: Option<OutcomeResult>,
    /// The key of every message; `None` uses the outcome's number.
    key: Option<&'static str>,
}

impl Subscriber for Wants {
    fn name(&self) -> &str {
        self.name
    }

    fn message(&self, event: &OutcomeEvent<'_>) -> Option<OutboxMessage> {
        let wanted = self.result.is_none_or(|result| event.outcome.result == result);
        let key = self.key.map_or_else(|| event.outcome.seq.to_string(), str::to_owned);
        let payload = format!("{} {}", event.outcome.document_id, event.text_changed);
        wanted.then_some(OutboxMessage { key, payload })
    }
}

fn wants(name: &'static str, result: OutcomeResult) -> Arc<Wants> {
    Arc::new(Wants { name, result: Some(result), key: None })
}

async fn rows(scene: &Scene) -> i64 {
    scene.number("SELECT CAST(count(*) AS bigint) FROM outbox").await
}

async fn due(scene: &Scene, subscriber: &str) -> Vec<PendingDelivery> {
    scene.store.due_deliveries(subscriber, 100).await.unwrap()
}

async fn sync(scene: &Scene, document: DocumentId, text: &str, change: ContentChange) {
    scene.ask(&[document], QueueClass::Manual).await;
    let job = scene.claim(64).await.into_iter().find(|job| job.document_id == document).unwrap();
    assert!(matches!(scene.finish(&job, fetched("T", text, change)).await, FinishResult::Written { .. }));
}

async fn without_a_subscriber_or_for_an_outcome_that_none_wants_there_is_no_row(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, "one", ContentChange::First).await;
    assert_eq!(rows(&scene).await, 0, "nobody has subscribed");
    scene.store.subscribe(wants("failures", OutcomeResult::PermanentFailure));
    sync(&scene, document, "two", ContentChange::Changed).await;
    assert_eq!(rows(&scene).await, 0, "the one that has wants none of these");
    assert!(scene.store.pending_deliveries().await.unwrap().is_empty());
    scene.store.subscribe(wants("changes", OutcomeResult::Updated));
    sync(&scene, document, "three", ContentChange::Changed).await;
    let pending = due(&scene, "changes").await;
    let last = scene.outcomes().await.pop().unwrap();
    assert_eq!((rows(&scene).await, pending.len()), (1, 1));
    assert_eq!((&pending[0].key, &pending[0].payload), (&last.seq.to_string(), &format!("{document} true")));
    assert_eq!((pending[0].created_at, pending[0].attempts), (last.at, 0));
    scene.store.unsubscribe("changes");
    sync(&scene, document, "four", ContentChange::Changed).await;
    assert_eq!(due(&scene, "changes").await, pending, "what was written stays, and nothing comes to it");
}

async fn a_text_that_was_there_or_was_converted_anew_is_no_change(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    scene.sql("UPDATE captain_documents SET content = 'there before'").await;
    scene.store.subscribe(Arc::new(Wants { name: "all", result: None, key: None }));
    for (text, change, text_changed) in [
        ("there before", ContentChange::First, false),
        ("text", ContentChange::Changed, true),
        ("text", ContentChange::Changed, false),
        ("converted anew", ContentChange::Reconverted, false),
        ("converted anew", ContentChange::Same, false),
        ("another", ContentChange::Changed, true),
    ] {
        scene.clock.advance(Duration::from_secs(1));
        sync(&scene, document, text, change).await;
        let last = due(&scene, "all").await.pop().unwrap();
        assert_eq!(last.payload, format!("{document} {text_changed}"), "{text} {change:?}");
    }
    assert_eq!(rows(&scene).await, 6);
}

async fn a_key_is_stored_once_for_each_subscriber(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    for name in ["one", "other"] {
        scene.store.subscribe(Arc::new(Wants { name, result: Some(OutcomeResult::Updated), key: Some("the same") }));
    }
    sync(&scene, document, "a", ContentChange::First).await;
    for n in 1..=3 {
        sync(&scene, document, &format!("text {n}"), ContentChange::Changed).await;
    }
    assert_eq!((rows(&scene).await, due(&scene, "one").await.len(), due(&scene, "other").await.len()), (2, 1, 1));
    let same = "INSERT INTO outbox (subscriber, key, payload, created_at, next_at) VALUES ('one', 'the same', '', 0, 0) \
         ON CONFLICT (subscriber, key) DO NOTHING";
    assert_eq!(scene.place.sql(same).await, 0, "the table itself says so");
}

async fn an_attempt_that_was_not_written_leaves_no_message(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.subscribe(wants("updates", OutcomeResult::Updated));
    let (document, job) = scene.running("https://a.test/1").await;
    scene.clock.advance(2 * LEASE);
    scene.another().await.rescue().await.unwrap();
    let late = scene.finish(&job, fetched("T", "late", ContentChange::Changed)).await;
    assert_eq!((late, rows(&scene).await), (FinishResult::LeaseLost, 0));
    scene.store.remove(&[document], &"ana".into()).await.unwrap();
    assert_eq!(rows(&scene).await, 0);
}

async fn every_outcome_of_a_transaction_is_offered(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.subscribe(wants("gone", OutcomeResult::Cancelled));
    scene.store.subscribe(wants("failed", OutcomeResult::PermanentFailure));
    let mut ids = Vec::new();
    for n in 0..60 {
        ids.push(scene.add(1, &format!("https://a.test/{n}")).await);
    }
    scene.ask(&ids, QueueClass::Manual).await;
    scene.store.cancel(&ids, &"ana".into()).await.unwrap();
    let keys: Vec<String> = due(&scene, "gone").await.into_iter().map(|pending| pending.key).collect();
    assert_eq!(keys, (1..=60).map(|seq| seq.to_string()).collect::<Vec<_>>());
    let (_, job) = scene.running("https://a.test/broken").await;
    let failure = Failure::from_status(404, "Not Found");
    assert_eq!(failure.code, ErrorCode::NotFound);
    assert!(matches!(scene.finish(&job, AttemptEnd::Failed(failure)).await, FinishResult::Written { .. }));
    assert_eq!(due(&scene, "failed").await.len(), 1);
}

async fn of_several_processes_one_delivers_and_after_its_lease_another(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    scene.store.subscribe(wants("changes", OutcomeResult::Updated));
    sync(&scene, document, "a", ContentChange::First).await;
    sync(&scene, document, "b", ContentChange::Changed).await;
    let other = scene.another().await;
    let pending = other.due_deliveries("changes", 9).await.unwrap().remove(0);
    assert_eq!(due(&scene, "changes").await, std::slice::from_ref(&pending));
    let until = scene.store.now().plus(LEASE);
    assert!(scene.store.begin_delivery(&pending, until).await.unwrap());
    assert!(!other.begin_delivery(&pending, until).await.unwrap(), "it was begun since");
    assert!(other.due_deliveries("changes", 9).await.unwrap().is_empty(), "it is leased");
    scene.clock.advance(LEASE);
    let again = other.due_deliveries("changes", 9).await.unwrap().remove(0);
    assert_eq!((again.attempts, again.id), (1, pending.id));
    assert!(other.begin_delivery(&again, until.plus(LEASE)).await.unwrap());
    other.delivered(again.id, None).await.unwrap();
    assert_eq!(rows(&scene).await, 0);
    assert!(!scene.store.begin_delivery(&again, until).await.unwrap(), "it is gone");
}

/// Syncs a document so that three messages for the subscriber `changes` are due, and returns them.
async fn three_messages(scene: &Scene) -> Vec<PendingDelivery> {
    let document = scene.add(1, "https://a.test/1").await;
    scene.store.subscribe(wants("changes", OutcomeResult::Updated));
    sync(scene, document, "a", ContentChange::First).await;
    for n in 0..3 {
        sync(scene, document, &format!("b{n}"), ContentChange::Changed).await;
    }
    due(scene, "changes").await
}

async fn a_failed_delivery_waits_and_its_reason_is_safe(on: Backend) {
    let scene = Scene::new(on).await;
    let all = three_messages(&scene).await;
    let begun = scene.store.now();
    assert!(scene.store.begin_delivery(&all[0], begun.plus(LEASE)).await.unwrap());
    let reason = format!("\u{1b}[31mno\u{1b}[0m\r\nway\u{0} {}", "x".repeat(5_000));
    let wait = Duration::from_secs(30);
    scene.store.delivery_failed(all[0].id, &reason.as_str().into(), begun.plus(wait)).await.unwrap();
    assert_eq!(due(&scene, "changes").await, all[1..], "the others are not held up");
    let status = scene.store.pending_deliveries().await.unwrap().remove(0);
    assert_eq!((status.subscriber.as_str(), status.pending, status.oldest_at), ("changes", 3, all[0].created_at));
    let kept = status.last_error.unwrap();
    assert!(kept.starts_with("no way xxx") && kept.chars().count() <= 300, "{kept}");
    scene.clock.advance(wait);
    assert_eq!(due(&scene, "changes").await.last().unwrap().id, all[0].id, "due again, after the others");
}

async fn a_delivered_message_is_kept_until_it_is_verified_or_lost(on: Backend) {
    let scene = Scene::new(on).await;
    let all = three_messages(&scene).await;
    assert_eq!(all.len(), 3);
    let (start, wait) = (OutboxId(0), Duration::from_secs(60));
    for message in &all {
        scene.store.delivered(message.id, Some(scene.store.now().plus(wait))).await.unwrap();
    }
    assert_eq!((due(&scene, "changes").await, scene.store.pending_deliveries().await.unwrap()), (vec![], vec![]));
    let unverified = async |due_only, after, limit| {
        let found = scene.store.unverified_deliveries("changes", due_only, after, limit).await.unwrap();
        found.into_iter().map(|message| message.id).collect::<Vec<_>>()
    };
    assert_eq!(unverified(true, start, 9).await, [], "not yet");
    assert_eq!(unverified(false, start, 2).await, [all[0].id, all[1].id], "a new master may lack any of them");
    assert_eq!(unverified(false, all[1].id, 2).await, [all[2].id]);
    scene.clock.advance(wait);
    assert_eq!(unverified(true, start, 9).await.len(), 3);
    scene.store.verified(&[all[0].id, all[1].id]).await.unwrap();
    scene.store.lost("changes", &[all[2].id, all[0].id]).await.unwrap();
    assert_eq!((unverified(false, start, 9).await, rows(&scene).await), (vec![], 1));
    let again = due(&scene, "changes").await;
    assert_eq!((again.len(), &again[0].key, &again[0].payload), (1, &all[2].key, &all[2].payload));
}

on_both! {
    ()
    a_delivered_message_is_kept_until_it_is_verified_or_lost,
    without_a_subscriber_or_for_an_outcome_that_none_wants_there_is_no_row,
    a_text_that_was_there_or_was_converted_anew_is_no_change,
    a_key_is_stored_once_for_each_subscriber,
    an_attempt_that_was_not_written_leaves_no_message,
    every_outcome_of_a_transaction_is_offered,
    of_several_processes_one_delivers_and_after_its_lease_another,
    a_failed_delivery_waits_and_its_reason_is_safe,
}
