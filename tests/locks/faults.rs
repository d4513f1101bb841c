//! Tests locks under races, kills and outages (F6 and F7, small).

use super::until_locks;
use crate::support::db;
use crate::support::deck::{Deck, eager_settings, fetcher, parts};
use crate::support::install::PATIENT_FETCH;
use crate::support::leash;
use crate::support::limit::until_announced;
use crate::support::measure::{self, Stopwatch};
use crate::support::place::Backend;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::id::{DocumentId, JobId, Token};
use quarterdeck::domain::job::QueueClass::Manual;
use quarterdeck::domain::link::Link;
use quarterdeck::domain::lock::LockMode::Preferred;
use quarterdeck::domain::lock::{Lock, StoreId};
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::request::{Request, RequestKind, RequestScope};
use quarterdeck::lock::LockResult;
use quarterdeck::runner::event::LockHealth;
use quarterdeck::runner::{self, Mode};
use quarterdeck::store::{Access, AddResult, NewDocument, Store, open};
use redis::Commands;
use rustix::process::Pid;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_holder_as_chatwoots_and_ours_are_never_both_inside() {
    const ROUNDS: i64 = 2_000;
    let redis = TestRedis::start();
    let document = DocumentId(42);
    let ours = redis.join(StoreId("race".into()));
    ours.first_connection().await;
    let inside = Arc::new(AtomicU32::new(0));
    let enter = |inside: &AtomicU32| assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "nobody else is inside");
    let leave = |inside: &AtomicU32| assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
    let (key, mut connection, shared) = (redis.key(document), redis.connection(), Arc::clone(&inside));
    // Plain SET with NX and a float, plain DEL, as Chatwoot's Ruby code does.
    let chatwoot = tokio::task::spawn_blocking(move || {
        let mut entered = 0;
        for round in 0..ROUNDS {
            let value = format!("{}.{round:07}", 1_764_054_151 + round);
            let mut set = redis::cmd("SET");
            set.arg(&key).arg(value).arg("NX").arg("EX").arg(600);
            if set.query::<redis::Value>(&mut connection).expect("Redis answers") == redis::Value::Okay {
                enter(&shared);
                entered += 1;
                std::hint::spin_loop();
                leave(&shared);
                connection.del::<_, ()>(&key).expect("Redis answers");
            }
        }
        entered
    });
    let mut entered = 0;
    for round in 0..ROUNDS {
        let lock = Lock { document, job: JobId(1), token: Token(round) };
        if ours.acquire(lock).await.expect("Redis answers") == LockResult::Acquired {
            enter(&inside);
            entered += 1;
            tokio::task::yield_now().await;
            leave(&inside);
            ours.release(lock).await;
        }
    }
    let theirs = chatwoot.await.expect("it does not panic");
    println!("{theirs} times Chatwoot, {entered} times ours, of {ROUNDS} each");
    assert!(theirs > 0 && entered > 0, "both were inside: {theirs}, {entered}");
    assert_eq!(redis.get(&redis.key(document)), None);
    ours.close().await;
}

/// Limit from a worker's death to the next attempt of its document, including the takeover of its lock.
const TAKEN_OVER: Duration = Duration::from_secs(20);

fn work(url: &str, redis: &TestRedis, folder: &Path, fault: &str) -> Child {
    let worker = Command::new(env!("CARGO_BIN_EXE_quarterdeck"))
        .env("QUARTERDECK_FAULT", fault)
        .args(["work", "--store", url, "--redis", redis.url(), "--config"])
        .arg(folder.join("config.toml"))
        .env("XDG_STATE_HOME", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("a worker starts");
    leash::put_on(Pid::from_child(&worker), "a worker of a test");
    worker
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_worker_does_not_cost_the_ten_minutes_of_its_lock() {
    let redis = TestRedis::start();
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let site = Site::start(move |_, hit| match hit {
        1 => Reply::When(Arc::clone(&held), Box::new(html("T", "text"))),
        _ => html("T", "text"),
    })
    .await;
    let folder = tempfile::tempdir().expect("a folder");
    configure(&redis, folder.path());
    let url = format!("sqlite:{}", folder.path().join("k.db").display());
    let store = open(&url, Access::Create).await.expect("a new store");
    let [document] = fill(&*store, &site, 1).await[..] else { panic!("one document") };

    let mut first = work(&url, &redis, folder.path(), "");
    redis.until_value(document, |value| value.is_some()).await;
    let left = redis.get(&redis.key(document));
    site.until_hit("/0", 1).await;
    first.kill().expect("it is there");
    first.wait().expect("it is dead");
    let killed = Stopwatch::start();
    assert_eq!(redis.get(&redis.key(document)), left, "the lock outlives its process");
    let mut second = work(&url, &redis, folder.path(), "");
    redis.until_value(document, |value| value != left.as_deref()).await;
    redis.until_value(document, |value| value.is_none()).await;
    println!("taken over and done {:.1} s after the kill", killed.took().as_secs_f64());
    measure::at_most("taken over and done", killed.took(), TAKEN_OVER);
    second.kill().expect("it is there");
    second.wait().expect("it is dead");
    assert_eq!(store.content(document).await.expect("the store answers").map(|content| content.version), Some(1));
    store.close().await;
}

fn configure(redis: &TestRedis, folder: &Path) {
    let key = redis.settings(Preferred).key;
    let config = format!(
        "{PATIENT_FETCH}fetch.allow_private_hosts = [\"127.0.0.1\"]\nredis.lock = \"required\"\nredis.key = {key:?}\n"
    );
    std::fs::write(folder.join("config.toml"), config).expect("written");
}

/// A process that dies between any two steps of an attempt leaves a lock that delays the document by seconds, and no
/// second write.
#[cfg(feature = "faults")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_between_any_two_steps_is_made_good() {
    let points = ["after_lock", "before_fetch", "after_fetch", "before_finish", "after_finish"];
    let deaths = points.map(async |point| {
        let redis = TestRedis::own(None);
        let site = Site::start(|_, _| html("T", "text")).await;
        let folder = tempfile::tempdir().expect("a folder");
        configure(&redis, folder.path());
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let store = open(&url, Access::Create).await.expect("a new store");
        let [document] = fill(&*store, &site, 1).await[..] else { panic!("one document") };
        let mut first = work(&url, &redis, folder.path(), &format!("{point}:abort"));
        let died = tokio::task::spawn_blocking(move || first.wait()).await.expect("no panic").expect("it ends");
        assert!(!died.success(), "{point}: {died:?}");
        assert!(redis.get(&redis.key(document)).is_some(), "{point}: the lock outlives its process");
        let died_at = Stopwatch::start();
        let mut second = work(&url, &redis, folder.path(), "");
        let lost = point != "after_finish";
        let outcomes = if lost { 2 } else { 1 };
        reached(&*store, outcomes).await;
        measure::at_most(point, died_at.took(), TAKEN_OVER);
        if lost {
            redis.until_value(document, |value| value.is_none()).await;
        } else {
            // No work is left for this document, so nobody takes the lock over: it expires.
            assert!(matches!(redis.run("PTTL", &[&redis.key(document)]), redis::Value::Int(1..)));
        }
        second.kill().expect("it is there");
        second.wait().expect("it is dead");
        let content = store.content(document).await.expect("the store answers");
        assert_eq!(content.map(|content| content.version), Some(1), "{point}: written once");
        store.close().await;
    });
    futures_util::future::join_all(deaths).await;
}

async fn fill(store: &dyn Store, site: &Site, count: usize) -> Vec<DocumentId> {
    let new = |number: usize| NewDocument {
        link: Link::parse(&site.url(&format!("/{number}"))).expect("a link"),
        name: None,
        account_id: quarterdeck::domain::id::AccountId(1),
        assistant_id: quarterdeck::domain::id::AssistantId(1),
    };
    let documents: Vec<_> = (0..count).map(new).collect();
    let added = store.add(&documents).await.expect("the store answers");
    let ids: Vec<_> = added.into_iter().map(|(AddResult::New(id) | AddResult::Exists(id))| id).collect();
    let request = Request { kind: RequestKind::Sync, class: Manual, by: "chaos".into(), scope: RequestScope::Bulk };
    store.request(&ids, &request).await.expect("the store answers");
    ids
}

/// Documents and faults of F6, documents of F7: small by default, `QUARTERDECK_CHAOS_REDIS=5000,20 tests/run
/// locks::faults` for the full size.
fn size() -> (usize, usize) {
    let Ok(text) = std::env::var("QUARTERDECK_CHAOS_REDIS") else { return (400, 6) };
    let (documents, faults) = text.split_once(',').expect("QUARTERDECK_CHAOS_REDIS is DOCUMENTS,FAULTS");
    (documents.parse().expect("a number"), faults.parse().expect("a number"))
}

async fn reached(store: &dyn Store, seq: usize) {
    let last = async || usize::try_from(store.last_seq().await.expect("the store answers").0).expect("fits");
    until_announced(store, format_args!("outcome {seq}"), async || last().await >= seq).await;
}

/// F6: a Redis that loses or refuses keys loses no sync and duplicates none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_forgets_everything_and_goes_and_comes_loses_nothing_and_doubles_nothing() {
    let (count, faults) = size();
    let mut redis = TestRedis::own(None);
    let site = Site::start(|path, _| html("T", &format!("text of {path}"))).await;
    let mut deck = Deck::start_locked(Backend::Sqlite, site, Some(redis.settings(Preferred))).await;
    // A second worker with its own connection.
    let store = deck.store.id().await.expect("the store answers");
    let other = redis.join(store);
    let second = runner::start(
        parts(&deck.store, fetcher(&deck.site), Some(Arc::clone(&other))),
        eager_settings(),
        Mode::OnDemand,
    );
    until_locks(&deck, |health| *health == LockHealth::Fine).await;
    other.first_connection().await;
    let documents = fill(&*deck.store, &deck.site, count).await;
    let mut slowest = Duration::ZERO;
    for fault in 1..=faults {
        reached(&*deck.store, fault * count / (faults + 2)).await;
        if fault % 2 == 1 {
            redis.run("FLUSHALL", &[]);
            redis.run("SCRIPT", &["FLUSH"]);
            continue;
        }
        let begun = Stopwatch::start();
        redis.stop();
        until_locks(&deck, |health| matches!(health, LockHealth::Degraded { .. })).await;
        slowest = slowest.max(begun.took());
        redis.start_again();
        until_locks(&deck, |health| *health == LockHealth::Fine).await;
    }
    deck.until(count).await;
    println!("{count} syncs, {faults} faults, degraded shown after {slowest:.1?} at most");
    measure::at_most("degraded is shown", slowest, Duration::from_secs(2));

    let mut ends: BTreeMap<DocumentId, Vec<OutcomeResult>> = BTreeMap::new();
    for outcome in &deck.seen {
        ends.entry(outcome.document_id).or_default().push(outcome.result);
    }
    assert!(documents.iter().all(|id| ends[id] == [OutcomeResult::Unchanged]), "{ends:?}");
    let versions = db::integers(&deck.place.file(), "select content_version from document_state").await;
    assert!(versions.len() == count && versions.iter().all(|version| *version == Some(1)), "each written once");
    for runner in [&second, &deck.runner] {
        runner.leave();
        runner.ended().await;
    }
    let left = redis.run("DBSIZE", &[]);
    assert_eq!(left, redis::Value::Int(0), "every lock was given back");
    other.close().await;
}

/// F7: a Redis that is unavailable all the time costs little.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_gone_all_the_time_costs_little() {
    let (count, _) = size();
    let mut redis = TestRedis::own(None);
    let mut took = Vec::new();
    for (lock, is_gone) in
        [(None, false), (Some(redis.settings(Preferred)), false), (Some(redis.settings(Preferred)), true)]
    {
        if is_gone {
            redis.stop();
        }
        let mut deck = Deck::start_locked(Backend::Sqlite, Site::start(|_, _| html("T", "text")).await, lock).await;
        if is_gone {
            until_locks(&deck, |health| matches!(health, LockHealth::Degraded { .. })).await;
        }
        let begun = Stopwatch::start();
        fill(&*deck.store, &deck.site, count).await;
        deck.until(count).await;
        took.push(begun.took());
        assert!(deck.seen.iter().all(|outcome| outcome.result == OutcomeResult::Unchanged));
        deck.runner.leave();
        deck.runner.ended().await;
    }
    let [without, there, gone] = took[..] else { panic!("three rounds") };
    println!("{count} syncs: {without:.2?} without Redis, {there:.2?} with it, {gone:.2?} with one that is gone");
    measure::at_most("all of it with a Redis that is gone", gone, without * 2);
}
