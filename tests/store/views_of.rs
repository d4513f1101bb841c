//! Tests the queries of the accounts view and the hosts view.

use super::support::{Backend, START, Scene, fetched, permanent, timeout};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::{Status, StatusCounts};
use quarterdeck::domain::failure::Failure;
use quarterdeck::domain::filter::Filter;
use quarterdeck::domain::host_backoff::{BackoffKind, HostBackoff};
use quarterdeck::domain::id::AccountId;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::store::{
    AccountSummary, ClaimedJob, DocumentStore, Finish, HostSummary, JobStore, PagePosition, PageQuery, Queries, Sort,
    StoreBase,
};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3_600);

async fn end(scene: &Scene, job: &ClaimedJob, end: AttemptEnd, millis: u64) {
    let finish = Finish { lease: job.lease, end, duration: Duration::from_millis(millis), stages: None };
    scene.store.finish(finish, &RetryPolicy::default()).await.unwrap();
}

fn good() -> AttemptEnd {
    fetched("T", "words", ContentChange::First)
}

fn counts(of: &[(Status, u64)]) -> StatusCounts {
    let mut counts = StatusCounts::default();
    of.iter().for_each(|(status, documents)| counts.set(*status, *documents));
    counts
}

/// Account 1: synced, failed and retrying on a.test, never synced on b.test. Account 2: running and queued on c.test.
async fn two_accounts(backend: Backend) -> Scene {
    let scene = Scene::new(backend).await;
    let limited = || AttemptEnd::Failed(Failure::from_status(429, "Too Many Requests"));
    for (path, ending, took) in [("ok", good(), 100), ("gone", permanent(), 200), ("busy", limited(), 600)] {
        let (_, job) = scene.running(&format!("https://a.test/{path}")).await;
        end(&scene, &job, ending, took).await;
    }
    scene.add(1, "https://b.test/never").await;
    let running = scene.add(2, "https://c.test/running").await;
    scene.ask(&[running], QueueClass::Manual).await;
    assert_eq!(scene.claim(1).await.len(), 1);
    let queued = scene.add(2, "https://c.test/queued").await;
    scene.ask(&[queued], QueueClass::Manual).await;
    scene
}

async fn an_account_is_seen_with_its_documents_jobs_and_attempts(backend: Backend) {
    let scene = two_accounts(backend).await;
    let ours = scene.either("", "quarterdeck.");
    scene
        .sql(&format!(
            "INSERT INTO {ours}accounts_sched (account_id, plan, cadence) VALUES (2, 'business', 604800000000)"
        ))
        .await;
    let seen = scene.store.accounts().await.unwrap();
    assert_eq!((seen.total, seen.rows.len()), (2, 2));
    let due = scene.store.queue().await.unwrap().next_due_at;
    assert!(due.is_some_and(|due| due > START));
    let nothing = AccountSummary {
        id: AccountId(1),
        name: None,
        plan: None,
        cadence: None,
        counts: StatusCounts::default(),
        running: 0,
        ready: 0,
        waiting: 0,
        last_hour: 0,
        next_due_at: None,
        window: None,
    };
    let status = [(Status::Synced, 1), (Status::Failed, 1), (Status::Waiting, 1), (Status::Never, 1)];
    let first =
        AccountSummary { counts: counts(&status), waiting: 1, last_hour: 3, next_due_at: due, ..nothing.clone() };
    assert_eq!(seen.rows[0], first);
    let second = AccountSummary {
        id: AccountId(2),
        plan: Some("business".into()),
        cadence: Some(168 * HOUR),
        counts: counts(&[(Status::Syncing, 1), (Status::Queued, 1)]),
        running: 1,
        ready: 1,
        ..nothing
    };
    assert_eq!(seen.rows[1], second);
}

async fn the_accounts_add_up_to_the_counts_of_every_status(backend: Backend) {
    let scene = two_accounts(backend).await;
    let (long_ago, now) = (START.minus(200 * HOUR).micros(), START.micros());
    let time = |at: i64| if backend == Backend::Sqlite { at.to_string() } else { format!("quarterdeck.stamp({at})") };
    for (path, sync_status, attempted) in [("stuck", 0, long_ago), ("syncing", 0, now), ("old", 1, long_ago)] {
        let id = scene.add(3, &format!("https://d.test/{path}")).await;
        let at = time(attempted);
        scene
            .sql(&format!(
                "UPDATE captain_documents SET sync_status = {sync_status}, last_sync_attempted_at = {at}, \
                 last_synced_at = {at} WHERE id = {}",
                id.0
            ))
            .await;
    }
    let ours = scene.either("", "quarterdeck.");
    scene.sql(&format!("INSERT INTO {ours}accounts_sched (account_id, cadence) VALUES (3, 604800000000)")).await;
    let seen = scene.store.accounts().await.unwrap().rows;
    let third = counts(&[(Status::Stuck, 1), (Status::Syncing, 1), (Status::Stale, 1)]);
    assert_eq!(seen[2].counts, third);
    // A filtered list counts its documents likewise, also those whose stored status has expired.
    let filter = Filter::parse("account:3").unwrap();
    let query = PageQuery { filter, sort: Sort::BY_ID, position: PagePosition::Offset(0), limit: 1 };
    assert_eq!(scene.store.page(&query).await.unwrap().matching, Some(third));
    let all = scene.store.counts().await.unwrap();
    for status in Status::ALL {
        let sum: u64 = seen.iter().map(|account| account.counts.of(status)).sum();
        assert_eq!(sum, all.of(status), "{status:?}");
        // A store of our own has pages alone.
        assert_eq!(sum > 0, !matches!(status, Status::Pdf | Status::Crawling), "{status:?}");
    }
}

async fn a_host_is_seen_with_its_failures_limits_and_median(backend: Backend) {
    let scene = two_accounts(backend).await;
    let ours = scene.either("", "quarterdeck.");
    let (over, held) = (START.micros(), START.plus(60 * SECOND).micros());
    scene
        .sql(&format!(
            "INSERT INTO {ours}hosts_sched (host, held_until, held_kind, held_because) VALUES \
             ('b.test', {over}, 'cool_down', 'x'), ('c.test', {held}, 'asked_for', 'slow')"
        ))
        .await;
    let seen = scene.store.hosts().await.unwrap();
    assert_eq!(seen.total, 3);
    let [a, b, c] = &seen.rows[..] else { panic!("{seen:?}") };
    let nothing = HostSummary {
        host: "b.test".into(),
        documents: 1,
        failed: 0,
        last_hour: 0,
        rate_limited: 0,
        median_duration: None,
        running: 0,
        ready: 0,
        backoff: None,
    };
    assert_eq!((a.host.as_str(), a.documents, a.last_hour, a.rate_limited), ("a.test", 3, 3, 1));
    assert_eq!(a.median_duration, Some(Duration::from_millis(200)));
    let failed = scene.number("SELECT CAST(count(*) AS BIGINT) FROM captain_documents WHERE sync_status = 2").await;
    assert_eq!(i64::try_from(a.failed).unwrap(), failed);
    assert!(failed > 0);
    assert_eq!(b, &nothing);
    let hold = HostBackoff { until: START.plus(60 * SECOND), kind: BackoffKind::RetryAfter, reason: "slow".into() };
    let busy =
        HostSummary { host: "c.test".into(), documents: 2, running: 1, ready: 1, backoff: Some(hold), ..nothing };
    assert_eq!(c, &busy);
    // An even number of attempts: the mean of the middle two. Outcomes without an attempt do not count.
    let (_, job) = scene.running("https://a.test/slow").await;
    scene.clock.advance(SECOND);
    end(&scene, &job, good(), 500).await;
    assert_eq!(scene.store.hosts().await.unwrap().rows[0].median_duration, Some(Duration::from_millis(350)));
}

async fn the_hour_ends_and_an_exhaustion_is_no_attempt_of_its_own(backend: Backend) {
    let scene = Scene::new(backend).await;
    let (_, job) = scene.running("https://a.test/x").await;
    let finish = Finish { lease: job.lease, end: timeout(), duration: SECOND, stages: None };
    let once = RetryPolicy { transient_waits: Vec::new(), ..RetryPolicy::default() };
    scene.store.finish(finish, &once).await.unwrap();
    assert_eq!(scene.outcomes().await.len(), 2, "the failure, and that it was the last one");
    let lately = async || {
        let accounts = scene.store.accounts().await.unwrap();
        let hosts = scene.store.hosts().await.unwrap();
        (accounts.rows[0].last_hour, hosts.rows[0].last_hour)
    };
    assert_eq!(lately().await, (1, 1));
    scene.clock.advance(HOUR);
    assert_eq!(lately().await, (1, 1));
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!(lately().await, (0, 0));
}

async fn a_thousand_are_shown_and_all_are_counted(backend: Backend) {
    let scene = Scene::new(backend).await;
    let urls = (0..1_002_i64).map(|n| super::support::new(n, &format!("https://h{n:04}.test/1")));
    let mut documents: Vec<_> = urls.collect();
    documents.push(super::support::new(1_001, "https://h1001.test/2"));
    scene.store.add(&documents).await.unwrap();
    let hosts = scene.store.hosts().await.unwrap();
    assert_eq!((hosts.total, hosts.rows.len()), (1_002, 1_000));
    assert_eq!((hosts.rows[999].host.as_str(), hosts.rows[999].documents), ("h1001.test", 2), "the most stay");
    assert_eq!(hosts.rows[998].host.as_str(), "h0998.test");
    let accounts = scene.store.accounts().await.unwrap();
    assert_eq!((accounts.total, accounts.rows.len(), accounts.rows[999].id), (1_002, 1_000, AccountId(999)));
}

/// A missing table or permission hides only the names.
#[tokio::test]
async fn names_are_shown_when_the_table_of_accounts_is_there() {
    let scene = Scene::new(Backend::Postgres).await;
    scene.add(7, "https://a.test/1").await;
    let name = async || scene.store.accounts().await.unwrap().rows[0].name.clone();
    scene.sql("DROP TABLE IF EXISTS accounts CASCADE").await;
    assert_eq!(name().await, None);
    scene.sql("CREATE TABLE public.accounts (id bigint PRIMARY KEY, label text)").await;
    assert_eq!(name().await, None);
    scene.sql("ALTER TABLE accounts ADD COLUMN name varchar").await;
    scene.sql("INSERT INTO accounts (id, name) VALUES (7, E'Ac\\x1bme')").await;
    assert_eq!(name().await, Some("Ac\u{1b}me".into()), "and what it says is made safe");
}

on_both! {
    ()
    an_account_is_seen_with_its_documents_jobs_and_attempts,
    the_accounts_add_up_to_the_counts_of_every_status,
    a_host_is_seen_with_its_failures_limits_and_median,
    the_hour_ends_and_an_exhaustion_is_no_attempt_of_its_own,
    a_thousand_are_shown_and_all_are_counted,
}
