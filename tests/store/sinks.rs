//! Tests sinks in the store: every process writes records for those that are registered, records are joined, given up,
//! delivered again or dropped, and each condition is reported once when it begins and once when it ends.

use super::support::*;
use crate::support::limit::until;
use quarterdeck::domain::calendar::DayWindow;
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::id::{AccountId, AssistantId, DocumentId};
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::listing::ListedPage;
use quarterdeck::domain::notification::{SinkKind, SinkName, SinkStatus, Trigger};
use quarterdeck::domain::outbox::PendingDelivery;
use quarterdeck::domain::plan::{Cadence, Plan};
use quarterdeck::domain::schedule::ScheduleSettings;
use quarterdeck::domain::source::{ReadCounts, ReadResult, SourceName, SourceSettings, SourceUrl};
use quarterdeck::runner::follow_sinks;
use quarterdeck::store::{
    CompletedRead, DocumentStore, FailedRead, NewSource, OutboxStore, Queries, SinkRegistration, SinkStore,
    SourceStore, SqlStore, StoreBase,
};
use serde_json::Value;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

fn name() -> SinkName {
    SinkName::new("ops").unwrap()
}

fn registration(on: &[&str]) -> SinkRegistration {
    SinkRegistration { name: name(), kind: SinkKind::Webhook, trigger: Trigger::parse(on.iter().copied()).unwrap() }
}

async fn due(store: &SqlStore) -> Vec<PendingDelivery> {
    store.due_deliveries("notify:ops", 100).await.unwrap()
}

async fn status(store: &SqlStore) -> SinkStatus {
    store.sinks().await.unwrap().into_iter().find(|sink| sink.name == name()).unwrap()
}

fn record(message: &PendingDelivery) -> Value {
    serde_json::from_str(&message.payload).unwrap()
}

async fn sync(scene: &Scene, document: DocumentId, end: AttemptEnd) {
    scene.ask(&[document], QueueClass::Manual).await;
    let job = scene.claim(64).await.into_iter().find(|job| job.document_id == document).unwrap();
    scene.finish(&job, end).await;
}

async fn every_process_writes_records_of_what_a_registered_sink_wants(on: Backend) {
    let scene = Scene::new(on).await;
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, fetched("T", "one", ContentChange::First)).await;
    // Another process, whose settings have the sink.
    let other = scene.another().await;
    other.register_sinks(&[registration(&["content:changed", "result:failed host:a.test"])]).await.unwrap();
    sync(&scene, document, fetched("T", "two", ContentChange::Changed)).await;
    assert_eq!(due(&other).await, [], "this process has not noticed the sink yet, and it starts at now");
    scene.store.refresh_sinks().await.unwrap();
    sync(&scene, document, fetched("T", "three", ContentChange::Changed)).await;
    sync(&scene, document, timeout()).await;
    let elsewhere = scene.add(1, "https://b.test/1").await;
    sync(&scene, elsewhere, permanent()).await;
    scene.clock.advance(HOUR);
    sync(&scene, document, permanent()).await;
    let records: Vec<Value> = due(&other).await.iter().map(record).collect();
    let results: Vec<_> = records.iter().map(|record| record["data"]["result"].as_str().unwrap()).collect();
    assert_eq!(results, ["updated", "permanent_failure"]);
    for (record, message) in records.iter().zip(due(&other).await) {
        assert_eq!((record["id"].as_str(), record["type"].as_str()), (Some(message.key.as_str()), Some("outcome")));
        assert_eq!(record["data"]["url"], "https://a.test/1");
    }
    // A process that opens the store knows the sink, whatever its settings are.
    let third = scene.another().await;
    third.remove(&[elsewhere], &"ana".into()).await.unwrap();
    third.register_sinks(&[registration(&["result:removed"])]).await.unwrap();
    third.remove(&[document], &"ana".into()).await.unwrap();
    assert_eq!(due(&other).await.len(), 3);
}

async fn a_record_is_given_up_listed_and_delivered_again_on_request(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register_sinks(&[registration(&[""])]).await.unwrap();
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, permanent()).await;
    let [message] = &due(&scene.store).await[..] else { panic!("one record") };
    assert!(scene.store.begin_delivery(message, scene.store.now()).await.unwrap());
    let tried = due(&scene.store).await.remove(0);
    assert_eq!((tried.attempts, tried.tried_at), (1, Some(scene.store.now())));
    scene.store.give_up_delivery(message.id, &"no\u{1b}[1m answer".into()).await.unwrap();
    let dead = status(&scene.store).await;
    assert_eq!((dead.pending, dead.dead, dead.last_error.as_deref()), (0, 1, Some("no answer")));
    assert_eq!(due(&scene.store).await, []);
    assert_eq!(scene.store.pending_deliveries().await.unwrap(), [], "it does not count as pending");
    assert_eq!(scene.store.retry_sink(&name()).await.unwrap(), Some(1));
    let again = due(&scene.store).await.remove(0);
    assert_eq!((&again.key, again.tried_at), (&message.key, None));
    scene.store.delivered(again.id, None).await.unwrap();
    let done = status(&scene.store).await;
    assert_eq!((done.pending, done.dead, done.delivered, done.delivered_at), (0, 0, 1, Some(scene.store.now())));
}

async fn a_disabled_sink_gets_nothing_until_a_person_enables_it(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register_sinks(&[registration(&[""])]).await.unwrap();
    let document = scene.add(1, "https://a.test/1").await;
    sync(&scene, document, permanent()).await;
    scene.store.disable_sink("notify:ops", &"the receiver answered 410 Gone".into()).await.unwrap();
    sync(&scene, document, permanent()).await;
    assert_eq!(due(&scene.store).await, [], "what waits is kept");
    // Registered once more, as by each start of a worker.
    scene.store.register_sinks(&[registration(&[""])]).await.unwrap();
    let disabled = status(&scene.store).await;
    assert_eq!((disabled.pending, disabled.disabled.map(|(at, _)| at)), (1, Some(scene.store.now())));
    assert_eq!(scene.store.retry_sink(&name()).await.unwrap(), Some(1));
    sync(&scene, document, permanent()).await;
    assert_eq!(due(&scene.store).await.len(), 2);
    assert_eq!(scene.store.forget_sink(&name(), false).await.unwrap(), Some(2));
    assert_eq!((due(&scene.store).await.len(), scene.store.sinks().await.unwrap().len()), (0, 1));
    sync(&scene, document, permanent()).await;
    assert_eq!(scene.store.forget_sink(&name(), true).await.unwrap(), Some(1));
    sync(&scene, document, permanent()).await;
    assert_eq!((due(&scene.store).await.len(), scene.store.sinks().await.unwrap().len()), (0, 0));
    assert_eq!(scene.store.retry_sink(&name()).await.unwrap(), None);
    assert_eq!(scene.store.forget_sink(&name(), true).await.unwrap(), None);
}

async fn what_happens_in_the_quiet_period_is_one_record(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register_sinks(&[registration(&["result:failed"])]).await.unwrap();
    let document = scene.add(1, "https://a.test/1").await;
    let joined = async || {
        scene.store.join_records(&name(), 10 * MINUTE).await.unwrap();
        scene.store.joined_deliveries("notify:ops", 100).await.unwrap()
    };
    assert_eq!(joined().await, [], "nothing waits, so nothing is quiet");
    sync(&scene, document, permanent()).await;
    let first = joined().await.remove(0);
    assert_eq!(record(&first)["type"], "outcome", "the first is delivered at once, as it is");
    scene.store.delivered(first.id, None).await.unwrap();
    for _ in 0..3 {
        scene.clock.advance(MINUTE);
        sync(&scene, document, permanent()).await;
        assert_eq!(joined().await, []);
    }
    scene.clock.advance(7 * MINUTE);
    let [batch] = &joined().await[..] else { panic!("one record") };
    let all = record(batch);
    let records = all["data"]["records"].as_array().unwrap();
    assert_eq!((all["type"].as_str(), all["id"].as_str(), records.len()), (Some("batch"), Some(&*batch.key), 3));
    let seqs: Vec<i64> = records.iter().map(|record| record["data"]["seq"].as_i64().unwrap()).collect();
    assert!(seqs.is_sorted(), "{seqs:?}");
    // It stays what it is, although more comes and it has to be delivered once more.
    assert!(scene.store.begin_delivery(batch, scene.store.now()).await.unwrap());
    scene.clock.advance(10 * MINUTE);
    sync(&scene, document, permanent()).await;
    let now = joined().await;
    assert_eq!(now.iter().map(|message| &message.payload).filter(|payload| **payload == batch.payload).count(), 1);
    assert_eq!((now.len(), status(&scene.store).await.pending), (2, 2));
    // A clock that was set back does not make a sink quiet for longer than its period.
    scene.clock.set(START);
    sync(&scene, document, permanent()).await;
    assert_eq!(status(&scene.store).await.pending, 3);
    scene.store.join_records(&name(), 10 * MINUTE).await.unwrap();
    assert_eq!(scene.number("SELECT CAST(count(*) AS bigint) FROM outbox WHERE attempts = 0").await, 0);
}

async fn a_condition_is_reported_when_it_begins_and_when_it_ends(on: Backend) {
    let scene = Scene::new(on).await;
    let other = scene.another().await;
    scene.store.register_sinks(&[registration(&["when:waiting>1h,review", "when:cooling"])]).await.unwrap();
    let check = async || {
        let written = scene.store.check_conditions("one").await.unwrap();
        assert_eq!(other.check_conditions("two").await.unwrap(), 0, "one process has done so");
        written
    };
    assert_eq!(check().await, 0);
    let documents = [scene.add(1, "https://a.test/1").await, scene.add(1, "https://a.test/2").await];
    scene.ask(&documents, QueueClass::Auto).await;
    scene.clock.advance(HOUR - MINUTE);
    assert_eq!(check().await, 0);
    scene.clock.advance(2 * MINUTE);
    assert_eq!((check().await, check().await), (1, 0));
    for job in scene.claim(64).await {
        scene.finish(&job, fetched("T", "text", ContentChange::First)).await;
    }
    assert_eq!((check().await, check().await), (1, 0));
    scene
        .sql(
            "INSERT INTO hosts_sched (host, held_until, held_because, held_kind, cool_downs, notes) \
               VALUES ('a.test', 9999999999999999, 'timeouts', 'cool_down', 1, '{}')",
        )
        .await;
    assert_eq!((check().await, check().await), (1, 0));
    scene.sql("UPDATE hosts_sched SET held_until = 0, cool_downs = 0").await;
    assert_eq!(check().await, 1);
    let records: Vec<Value> = due(&scene.store).await.iter().map(record).collect();
    let told = |record: &Value| {
        let data = &record["data"];
        format!("{} {} {}", data["condition"].as_str().unwrap(), data["phase"].as_str().unwrap(), data["host"])
    };
    let expected = [
        "when:waiting>1h began null",
        "when:waiting>1h ended null",
        "when:cooling began \"a.test\"",
        "when:cooling ended \"a.test\"",
    ];
    assert_eq!(records.iter().map(told).collect::<Vec<_>>(), expected);
    let text = records[0]["text"].as_str().unwrap();
    assert!(text.contains("2 jobs wait in the queue"), "{text}");
}

async fn a_source_that_fails_is_reported_once_and_when_it_is_read_again(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register_sinks(&[registration(&["when:source-failed", "when:source-failed>1h"])]).await.unwrap();
    let source = NewSource {
        name: SourceName::new("docs").unwrap(),
        url: SourceUrl::parse("https://a.test/sitemap.xml").unwrap(),
        account: AccountId(1),
        assistant: AssistantId(1),
        settings: SourceSettings::default(),
    };
    let id = scene.store.add_source(&source, &"ana".into()).await.unwrap().unwrap();
    let read = async |result: ReadResult| {
        scene.store.request_reads(&[id], false, &"ana".into()).await.unwrap();
        let lease = scene.store.claim_read("w", &"w".into(), None).await.unwrap().unwrap();
        let detail = "the server answered 404".into();
        match result {
            ReadResult::Complete => {
                let page = ListedPage { url: "https://a.test/1".to_owned(), modified: None };
                scene.store.stage_pages(&lease, &[page]).await.unwrap();
                scene.store.complete_read(&lease, &CompletedRead::default()).await.unwrap()
            }
            result => {
                let failed = FailedRead { result, counts: ReadCounts::default(), detail, retry_after: None };
                scene.store.fail_read(&lease, &failed).await.unwrap()
            }
        }
    };
    let check = async || scene.store.check_conditions("one").await.unwrap();
    read(ReadResult::Retry).await;
    assert_eq!(check().await, 0, "it is tried again");
    read(ReadResult::Failed).await;
    assert_eq!((check().await, check().await), (1, 0));
    scene.clock.advance(HOUR + MINUTE);
    read(ReadResult::Retry).await;
    assert_eq!((check().await, check().await), (1, 0), "the first one goes on, the second begins");
    read(ReadResult::Complete).await;
    assert_eq!((check().await, check().await), (2, 0));
    let records: Vec<Value> = due(&scene.store).await.iter().map(record).collect();
    let told = |record: &Value| {
        let data = &record["data"];
        let phase = data["phase"].as_str().unwrap();
        format!("{} {phase} {} {}", data["condition"].as_str().unwrap(), data["host"], data["source"])
    };
    let mut told: Vec<_> = records.iter().map(told).collect();
    told[2..].sort();
    let expected = [
        "when:source-failed began null \"docs\"",
        "when:source-failed>1h began null \"docs\"",
        "when:source-failed ended null \"docs\"",
        "when:source-failed>1h ended null \"docs\"",
    ];
    assert_eq!(told, expected);
    let text = records[0]["text"].as_str().unwrap();
    assert!(text.contains("source docs: the server answered 404; failing since "), "{text}");
}

async fn a_job_outside_of_its_window_is_no_stall(on: Backend) {
    let scene = Scene::new(on).await;
    scene.store.register_sinks(&[registration(&["when:waiting>1h"])]).await.unwrap();
    let between = Some(DayWindow::parse("22:00-06:00").unwrap());
    let mut terms = ScheduleSettings::default();
    let plan = Plan { cadence: Cadence::new(HOUR), between, ..Plan::default() };
    terms.plans.plans.insert(super::schedule::name("own"), plan);
    terms.plans.default = Some(super::schedule::name("own"));
    scene.add(1, "https://a.test/1").await;
    scene.pass(&terms).await;
    scene.clock.advance(3 * HOUR);
    assert_eq!(scene.claim(64).await, [], "ready since an hour after 16:00, and it is 19:00");
    assert_eq!(scene.store.check_conditions("one").await.unwrap(), 0);
    scene.clock.advance(3 * HOUR + 30 * MINUTE);
    assert_eq!(scene.store.check_conditions("one").await.unwrap(), 0, "the window has been open for half an hour");
    scene.clock.advance(HOUR);
    assert_eq!(scene.store.check_conditions("one").await.unwrap(), 1);
}

async fn a_process_without_jobs_notices_sinks_that_are_registered_later(on: Backend) {
    let scene = Scene::new(on).await;
    let other = scene.another().await;
    let ended = CancellationToken::new();
    let following = tokio::spawn(follow_sinks(scene.store.clone(), ended.clone()));
    other.register_sinks(&[registration(&["result:removed"])]).await.unwrap();
    // It looks every few seconds.
    let mut number = 0;
    until("a record of a removal by the first process", async || {
        number += 1;
        let document = scene.add(1, &format!("https://a.test/{number}")).await;
        scene.store.remove(&[document], &"ana".into()).await.ok()?;
        (status(&other).await.pending > 0).then_some(())
    })
    .await;
    ended.cancel();
    following.await.unwrap();
}

on_both! {
    ()
    a_process_without_jobs_notices_sinks_that_are_registered_later,
    a_source_that_fails_is_reported_once_and_when_it_is_read_again,
    a_job_outside_of_its_window_is_no_stall,
    every_process_writes_records_of_what_a_registered_sink_wants,
    a_record_is_given_up_listed_and_delivered_again_on_request,
    a_disabled_sink_gets_nothing_until_a_person_enables_it,
    what_happens_in_the_quiet_period_is_one_record,
    a_condition_is_reported_when_it_begins_and_when_it_ends,
}
