//! Tests the lock of each document in a real Redis: a lock that another program has or takes, the other half of case
//! J4, and a Redis that is unavailable. Races, kills and outages are in `faults`, notifications between processes in
//! `signals`.

mod faults;
mod signals;

use crate::support::deck::{Deck, START, eager_settings};
use crate::support::limit::{lasts, until, within};
use crate::support::measure::{self, Stopwatch};
use crate::support::place::Backend;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::QueueClass::{Auto, Manual, Retry};
use quarterdeck::domain::lock::LockMode::{Preferred, Required};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::RequestKind::Sync;
use quarterdeck::domain::request::{RequestAnswer, RequestScope};
use quarterdeck::runner::Settings;
use quarterdeck::runner::event::LockHealth;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

const RETRY_BACKOFF: Duration = Duration::from_secs(5);
/// Lock values of a Chatwoot worker, and of another one.
const CHATWOOT: &str = "1764054151.1234567";
const ANOTHER_CHATWOOT: &str = "1764054160.7654321";

/// A deck with locks whose pages answer at once.
async fn deck(on: Backend, redis: &TestRedis) -> Deck {
    Deck::start_locked(on, Site::start(|_, _| html("T", "text")).await, Some(redis.settings(Preferred))).await
}

/// A deck with locks whose pages wait for a permit each.
async fn gated(on: Backend, redis: &TestRedis, mode: quarterdeck::domain::lock::LockMode) -> (Deck, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    (Deck::start_locked(on, site, Some(redis.settings(mode))).await, gate)
}

async fn until_locks(deck: &Deck, is: impl FnMut(&LockHealth) -> bool) -> LockHealth {
    let mut locks = deck.runner.locks();
    let found = within("another health of Redis", locks.wait_for(is)).await;
    found.expect("the runner is there").clone()
}

/// Returns the whole row, as another program would read it.
async fn row_of(deck: &Deck, document: DocumentId) -> Option<String> {
    let row = deck.place.either(
        "json_array(sync_status, last_synced_at, last_sync_attempted_at, updated_at, content, \
         json_extract(metadata, '$.sync_step'), json_extract(metadata, '$.last_sync_error_code'))",
        "json_build_array(sync_status, last_synced_at, last_sync_attempted_at, updated_at, content, \
         metadata ->> 'sync_step', metadata ->> 'last_sync_error_code')::text",
    );
    deck.text(&format!("select {row} from captain_documents where id = {document}")).await
}

async fn a_document_is_locked_while_it_is_synced_and_free_after(on: Backend) {
    let redis = TestRedis::start();
    let (mut deck, gate) = gated(on, &redis, Preferred).await;
    let document = deck.add("/a").await;
    let RequestAnswer::Queued(job) = deck.sync(document).await else { panic!("queued") };
    deck.until_hit("/a", 1).await;
    let store = deck.store.id().await.expect("the store answers");
    assert_eq!(redis.get(&redis.key(document)), Some(format!("quarterdeck:{store}:{job}:1")));
    let redis::Value::Int(left) = redis.run("PTTL", &[&redis.key(document)]) else { panic!("a number") };
    assert!((590_000..=600_000).contains(&left), "ten minutes: {left}");
    assert!(!redis.chatwoot_locks(document, CHATWOOT), "Chatwoot's worker finds it busy");
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempt, row.holder.as_deref()), (Status::Syncing, Some(1), Some("test:1")));
    assert_eq!(deck.store_row(document).await, (Some(0), None), "marked");
    gate.add_permits(1);
    assert_eq!(deck.until(1).await, ["unchanged"]);
    redis.until_value(document, |value| value.is_none()).await;
    assert_eq!(until_locks(&deck, |_| true).await, LockHealth::Fine);
}

async fn j4_a_busy_lock_is_a_line_in_the_log_and_nothing_else(on: Backend) {
    let redis = TestRedis::start();
    let mut deck = deck(on, &redis).await;
    let document = deck.add("/a").await;
    let before = row_of(&deck, document).await;
    assert!(redis.chatwoot_locks(document, CHATWOOT));
    deck.sync(document).await;
    assert_eq!(deck.until(1).await, ["already_syncing"]);
    let line = &deck.seen[0];
    assert_eq!(line.detail.as_deref(), Some("locked by Chatwoot"));
    assert_eq!((line.requested_by.as_deref(), line.next_attempt_at), (Some("ana"), Some(START.plus(RETRY_BACKOFF))));
    assert!(
        quarterdeck::chatwoot::rails_log::outcome_line(line)
            .is_some_and(|line| line.ends_with(r#""result":"already_syncing"}"#))
    );
    assert_eq!(row_of(&deck, document).await, before, "the row is the holder's to write");
    // The job waits, and its attempt number is given back.
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempt, row.queue), (Status::Waiting, Some(0), Some(Manual)));
    assert_eq!((row.holder.as_deref(), row.next_attempt_at), (Some("Chatwoot"), Some(START.plus(RETRY_BACKOFF))));
    let waiting = Filter::parse("status:waiting").expect("a filter");
    assert_eq!(
        deck.store.matching(&waiting, quarterdeck::store::Sort::BY_ID, None).await.expect("the store answers"),
        [document]
    );
    assert_eq!(deck.store.queue().await.expect("the store answers").waiting, 1, "`work --drain` stays for it");
    // The lock is checked again, and the wait for the same lock is not reported twice.
    deck.pass(RETRY_BACKOFF);
    deck.until_row(document, |row| row.next_attempt_at == Some(START.plus(RETRY_BACKOFF * 2))).await;
    assert_eq!(deck.row(document).await.status, Status::Waiting);
    // A different lock is reported.
    redis.chatwoot_unlocks(document);
    assert!(redis.chatwoot_locks(document, ANOTHER_CHATWOOT));
    deck.pass(RETRY_BACKOFF);
    assert_eq!(deck.until(2).await, ["already_syncing"]);
    assert_eq!((deck.site.hits("/a"), redis.get(&redis.key(document)).as_deref()), (0, Some(ANOTHER_CHATWOOT)));
    // The lock is free: a job that a person requested runs, as its first attempt.
    redis.chatwoot_unlocks(document);
    deck.pass(RETRY_BACKOFF);
    assert_eq!(deck.until(3).await, ["unchanged"]);
    assert_eq!((deck.seen[2].attempt, deck.site.hits("/a")), (1, 1));
}

async fn a_job_that_nobody_asked_for_ends_when_its_document_was_synced_meanwhile(on: Backend) {
    let redis = TestRedis::start();
    let mut deck = deck(on, &redis).await;
    let (synced, not_synced) = (deck.add("/synced").await, deck.add("/not").await);
    for (count, document) in (1..).zip([synced, not_synced]) {
        assert!(redis.chatwoot_locks(document, CHATWOOT));
        deck.ask(document, Sync, Auto, RequestScope::Bulk).await;
        assert_eq!(deck.until(count).await, ["already_syncing"]);
    }
    let at = deck.place.at(START.plus(Duration::from_secs(2)).micros());
    deck.sql(&format!(
        "update captain_documents set sync_status = 1, last_synced_at = {at}, last_sync_attempted_at = {at} \
         where id = {synced}"
    ))
    .await;
    let before = row_of(&deck, synced).await;
    redis.chatwoot_unlocks(synced);
    redis.chatwoot_unlocks(not_synced);
    deck.pass(RETRY_BACKOFF);
    deck.until(4).await;
    let result = |document| deck.seen[2..].iter().find(|line| line.document_id == document).map(|line| line.result);
    assert_eq!(result(synced), Some(OutcomeResult::Cancelled));
    assert_eq!(result(not_synced), Some(OutcomeResult::Unchanged));
    assert!(deck.seen.iter().any(|line| line.detail.as_deref() == Some("synced elsewhere")));
    assert_eq!((row_of(&deck, synced).await, deck.site.hits("/synced")), (before, 0));
    assert_eq!(deck.row(synced).await.status, Status::Synced);
}

async fn a_retry_that_meets_a_busy_lock_keeps_its_counters_and_ends_when_synced_elsewhere(on: Backend) {
    let redis = TestRedis::start();
    let site = Site::start(|_, _| Reply::Status(503, vec![])).await;
    let mut deck = Deck::start_locked(on, site, Some(redis.settings(Preferred))).await;
    let document = deck.add("/down").await;
    deck.ask(document, Sync, Auto, RequestScope::Bulk).await;
    assert_eq!(deck.until(1).await, ["transient_failure"]);
    redis.until_value(document, |value| value.is_none()).await;
    assert!(redis.chatwoot_locks(document, CHATWOOT));
    deck.wait_for_next();
    assert_eq!(deck.until(2).await, ["already_syncing"]);
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempt, row.queue), (Status::Waiting, Some(1), Some(Retry)));
    assert_eq!(row.failure_count.map(|tried| (tried.failures, tried.attempts_allowed)), Some((1, 4)));
    assert_eq!(deck.store_row(document).await, (Some(0), None), "between transient tries the row stays syncing");
    let at = deck.place.at(deck.store.now().plus(Duration::from_secs(1)).micros());
    deck.sql(&format!("update captain_documents set sync_status = 1, last_synced_at = {at}")).await;
    redis.chatwoot_unlocks(document);
    deck.pass(RETRY_BACKOFF);
    assert_eq!(deck.until(3).await, ["cancelled"]);
    let row = deck.row(document).await;
    assert_eq!((row.status, row.error_code, deck.site.hits("/down")), (Status::Synced, None, 1));
}

async fn a_person_may_look_at_once_or_give_up(on: Backend) {
    let redis = TestRedis::start();
    let mut deck = deck(on, &redis).await;
    let (asked, given_up) = (deck.add("/asked").await, deck.add("/given-up").await);
    for (count, document) in (1..).zip([asked, given_up]) {
        assert!(redis.chatwoot_locks(document, CHATWOOT));
        deck.sync(document).await;
        deck.until(count).await;
    }
    let before = row_of(&deck, given_up).await;
    assert!(matches!(deck.cancel(given_up).await, RequestAnswer::Cancelled(_)));
    assert_eq!(deck.until(3).await, ["cancelled"]);
    assert_eq!(row_of(&deck, given_up).await, before);
    assert_eq!(deck.row(given_up).await.status, Status::Never);
    redis.chatwoot_unlocks(asked);
    assert!(matches!(deck.sync(asked).await, RequestAnswer::RunsNow(_)), "without a wait for the next look");
    assert_eq!(deck.until(4).await, ["unchanged"]);
}

async fn only_what_this_store_has_declared_dead_is_taken_over(on: Backend) {
    let redis = TestRedis::start();
    let mut deck = deck(on, &redis).await;
    let store = deck.store.id().await.expect("the store answers");
    let documents = [deck.add("/dead").await, deck.add("/later").await, deck.add("/other").await];
    let values = [format!("quarterdeck:{store}:1:0"), format!("quarterdeck:{store}:1:99"), "quarterdeck:x:1:0".into()];
    for (document, value) in documents.iter().zip(&values) {
        redis.run("SET", &[&redis.key(*document), value]);
        deck.sync(*document).await;
    }
    deck.until(3).await;
    let said =
        |document| deck.seen.iter().find(|line| line.document_id == document).and_then(|line| line.detail.as_deref());
    assert_eq!(said(documents[0]), None, "synced");
    assert_eq!(said(documents[1]), Some("locked by job 1 of this store"));
    assert_eq!(said(documents[2]), Some("locked by a worker of another store"));
    redis.until_value(documents[0], |value| value.is_none()).await;
    for (document, value) in documents.iter().zip(&values).skip(1) {
        assert_eq!(redis.get(&redis.key(*document)).as_deref(), Some(value.as_str()), "not ours to delete");
    }
}

async fn a_lock_that_is_gone_before_the_finish_is_taken_again(on: Backend) {
    let redis = TestRedis::start();
    let (mut deck, gate) = gated(on, &redis, Preferred).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    redis.chatwoot_unlocks(document);
    gate.add_permits(1);
    assert_eq!(deck.until(1).await, ["unchanged"]);
    redis.until_value(document, |value| value.is_none()).await;
    assert_eq!(deck.content(document).await.as_deref(), Some("text\n"));
}

async fn a_lock_that_is_anothers_before_the_finish_means_that_nothing_is_written(on: Backend) {
    let redis = TestRedis::start();
    let (mut deck, gate) = gated(on, &redis, Preferred).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    deck.until_hit("/a", 1).await;
    // The ten minutes of the worker's lock ran out, and Chatwoot took it.
    redis.chatwoot_unlocks(document);
    assert!(redis.chatwoot_locks(document, CHATWOOT));
    let before = row_of(&deck, document).await;
    gate.add_permits(1);
    assert_eq!(deck.until(1).await, ["already_syncing"]);
    assert_eq!(row_of(&deck, document).await, before, "neither content nor status");
    let row = deck.row(document).await;
    assert_eq!((row.status, row.attempt), (Status::Waiting, Some(0)));
    assert_eq!(redis.get(&redis.key(document)).as_deref(), Some(CHATWOOT), "not ours to delete");
    redis.chatwoot_unlocks(document);
    gate.add_permits(1);
    deck.pass(RETRY_BACKOFF);
    assert_eq!(deck.until(2).await, ["unchanged"]);
    assert_eq!(deck.content(document).await.as_deref(), Some("text\n"));
}

async fn held_locks_are_renewed(on: Backend) {
    let redis = TestRedis::start();
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, _| Reply::When(Arc::clone(&held), Box::new(html("T", "text")))).await;
    let settings = Settings { heartbeat: Duration::from_millis(50), ..eager_settings() };
    let mut deck = Deck::start_with(on, site, Some(redis.settings(Preferred)), settings).await;
    let (document, second) = (deck.add("/a").await, deck.add("/b").await);
    deck.sync(document).await;
    deck.sync(second).await;
    deck.site.until_hits(&["/a", "/b"], 1).await;
    let (key, last) = (redis.key(document), redis.key(second));
    redis.run("PEXPIRE", &[&key, "60000"]);
    let renewed = async |key: &str| matches!(redis.run("PTTL", &[key]), redis::Value::Int(590_000..)).then_some(());
    until("a renewed lock", async || renewed(&key).await).await;
    // A renewal never sets a missing lock again: its attempt may just have released it. Locks are renewed in the order
    // of the documents: once the second lock was renewed after the first was gone, the first would have been set, too.
    redis.chatwoot_unlocks(document);
    for _ in 0..2 {
        redis.run("PEXPIRE", &[&last, "60000"]);
        until("another renewal", async || renewed(&last).await).await;
    }
    assert_eq!(redis.get(&key), None);
    gate.add_permits(2);
    deck.until(2).await;
}

async fn a_preferred_redis_that_is_away_is_shown_and_syncs_go_on(on: Backend) {
    let mut redis = TestRedis::own(None);
    let (mut deck, gate) = gated(on, &redis, Preferred).await;
    let (first, second) = (deck.add("/a").await, deck.add("/b").await);
    deck.sync(first).await;
    deck.until_hit("/a", 1).await;
    let begun = Stopwatch::start();
    redis.stop();
    let health = until_locks(&deck, |health| matches!(health, LockHealth::Degraded { .. })).await;
    measure::at_most("a Redis that is away is seen", begun.took(), Duration::from_secs(2));
    assert!(
        health.message().is_some_and(|words| words.starts_with("DEGRADED: Redis is unavailable (127.0.0.1:")),
        "{health:?}"
    );
    gate.add_permits(2);
    assert_eq!(deck.until(1).await, ["unchanged"]);
    deck.sync(second).await;
    assert_eq!(deck.until(2).await, ["unchanged"]);
    redis.start_again();
    assert_eq!(until_locks(&deck, |health| *health == LockHealth::Fine).await, LockHealth::Fine);
    deck.sync(first).await;
    deck.until_hit("/a", 2).await;
    assert!(redis.get(&redis.key(first)).is_some(), "locked again");
    gate.add_permits(1);
    deck.until(3).await;
}

async fn a_redis_that_hangs_holds_nothing_up(on: Backend) {
    let redis = TestRedis::own(None);
    let settings =
        quarterdeck::lock::Settings { call_timeout: quarterdeck::lock::CALL_TIMEOUT, ..redis.settings(Preferred) };
    let mut deck = Deck::start_locked(on, Site::start(|_, _| html("T", "text")).await, Some(settings)).await;
    until_locks(&deck, |health| *health == LockHealth::Fine).await;
    let begun = Stopwatch::start();
    redis.freeze();
    let (first, second) = (deck.add("/a").await, deck.add("/b").await);
    deck.sync(first).await;
    deck.until(1).await;
    deck.sync(second).await;
    deck.until(2).await;
    until_locks(&deck, |health| matches!(health, LockHealth::Degraded { .. })).await;
    // One call waits for its time-out of a second; the calls after it fail at once.
    measure::at_most("two syncs beside a Redis that hangs", begun.took(), Duration::from_secs(4));
    redis.thaw();
    until_locks(&deck, |health| *health == LockHealth::Fine).await;
    // Locks that the frozen server received without responding are released.
    for document in [first, second] {
        redis.until_value(document, |value| value.is_none()).await;
    }
}

async fn a_required_redis_that_is_away_stops_the_claims_and_gives_back_what_runs(on: Backend) {
    let mut redis = TestRedis::own(None);
    let (mut deck, gate) = gated(on, &redis, Required).await;
    let (running, waiting) = (deck.add("/a").await, deck.add("/b").await);
    let before = row_of(&deck, running).await;
    deck.sync(running).await;
    deck.until_hit("/a", 1).await;
    redis.stop();
    let health = until_locks(&deck, |health| matches!(health, LockHealth::Stopped { .. })).await;
    assert!(health.message().is_some_and(|words| words.contains("nothing is synced until it answers")), "{health:?}");
    let row = deck.until_row(running, |row| row.status == Status::Queued).await;
    assert_eq!((row.attempt, row_of(&deck, running).await), (Some(0), before), "given back as it was");
    gate.add_permits(9);
    deck.sync(waiting).await;
    // Longer than any poll of the queue.
    lasts(Duration::from_millis(1_500)).await;
    assert_eq!((deck.row(waiting).await.status, deck.site.hits("/b")), (Status::Queued, 0));
    redis.start_again();
    assert_eq!(deck.until(2).await, ["unchanged", "unchanged"]);
    assert_eq!(deck.seen.iter().map(|line| line.attempt).collect::<Vec<_>>(), [1, 1]);
}

async fn what_is_wrong_with_redis_is_said_with_its_cure_and_without_the_password(on: Backend) {
    let mut redis = TestRedis::own(Some("correct horse"));
    let right = redis.settings(Preferred);
    let site = Site::start(|_, _| html("T", "text")).await;
    let wrong = |password: &str| {
        let url = redis.url().replace("correct%20horse", password);
        quarterdeck::lock::Settings { url: Some(url), ..right.clone() }
    };
    let deck = Deck::start_locked(on, site, Some(wrong("battery-staple"))).await;
    let words = until_locks(&deck, |health| health.since().is_some()).await.message().expect("something is wrong");
    assert!(words.contains("check user and password in redis.url") && !words.contains("staple"), "{words}");
    let shown = quarterdeck::lock::masked_url(redis.url());
    assert!(!shown.contains("horse"), "{shown}");
    let mut deck = Deck::start_locked(on, deck.site, Some(right.clone())).await;
    until_locks(&deck, |health| *health == LockHealth::Fine).await;
    let document = deck.add("/a").await;
    deck.sync(document).await;
    assert_eq!(deck.until(1).await, ["unchanged"]);
    redis.stop();
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_document_is_locked_while_it_is_synced_and_free_after,
    j4_a_busy_lock_is_a_line_in_the_log_and_nothing_else,
    a_job_that_nobody_asked_for_ends_when_its_document_was_synced_meanwhile,
    a_retry_that_meets_a_busy_lock_keeps_its_counters_and_ends_when_synced_elsewhere,
    a_person_may_look_at_once_or_give_up,
    only_what_this_store_has_declared_dead_is_taken_over,
    a_lock_that_is_gone_before_the_finish_is_taken_again,
    a_lock_that_is_anothers_before_the_finish_means_that_nothing_is_written,
    held_locks_are_renewed,
    a_preferred_redis_that_is_away_is_shown_and_syncs_go_on,
    a_redis_that_hangs_holds_nothing_up,
    a_required_redis_that_is_away_stops_the_claims_and_gives_back_what_runs,
    what_is_wrong_with_redis_is_said_with_its_cure_and_without_the_password,
}
