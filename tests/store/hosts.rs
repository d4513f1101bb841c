//! Tests host back-off: jobs stay ready and lose nothing, jobs of other hosts run, and one probe finds out whether the
//! host works.

use super::support::{Backend, START, Scene, fetched, limits, timeout, worker};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::Failure;
use quarterdeck::domain::host_backoff::BackoffKind;
use quarterdeck::domain::id::DocumentId;
use quarterdeck::domain::job::{AttemptEnd, QueueClass};
use quarterdeck::domain::retry::RetryPolicy;
use quarterdeck::store::{ClaimLimits, ClaimedJob, DocumentStore, Finish, JobStore, Queries, StoreBase};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn told(seconds: u64) -> AttemptEnd {
    let failure = Failure::from_status(429, "Too Many Requests");
    AttemptEnd::Failed(failure.with_retry_after(Some(Duration::from_secs(seconds))))
}

fn good() -> AttemptEnd {
    fetched("T", "words", ContentChange::First)
}

impl Scene {
    /// Adds documents `first..=last` of a host, and requests their syncs.
    async fn on_host(&self, host: &str, first: u32, last: u32) -> Vec<DocumentId> {
        let mut ids = Vec::new();
        for n in first..=last {
            ids.push(self.add(1, &format!("https://{host}/{n}")).await);
        }
        self.ask(&ids, QueueClass::Auto).await;
        ids
    }

    /// Claims `count` jobs and finishes all of them with `end`.
    async fn all_end(&self, count: u32, end: impl Fn() -> AttemptEnd) {
        let claimed = self.claim(count).await;
        assert_eq!(claimed.len(), count as usize);
        for job in &claimed {
            self.finish(job, end()).await;
        }
    }

    async fn rows_of_hosts(&self) -> i64 {
        self.number("SELECT CAST(count(*) AS BIGINT) FROM hosts_sched").await
    }
}

fn urls(claimed: &[ClaimedJob]) -> Vec<&str> {
    claimed.iter().map(|job| job.url.as_str()).collect()
}

async fn a_host_that_told_three_documents_to_wait_is_held_and_others_are_not(on: Backend) {
    let scene = Scene::new(on).await;
    scene.on_host("busy.test", 1, 2).await;
    scene.all_end(2, || told(600)).await;
    let third = scene.on_host("busy.test", 3, 4).await;
    let claimed = scene.claim(1).await;
    scene.finish(&claimed[0], told(90)).await;
    scene.on_host("other.test", 1, 1).await;
    // The fourth job stays ready, with its counters unchanged.
    assert_eq!(urls(&scene.claim(16).await), ["https://other.test/1"]);
    assert!(scene.claim(16).await.is_empty());
    let row = scene.row(third[1]).await;
    assert_eq!((row.status, row.attempt), (Status::Queued, Some(0)));
    let hold = row.host_backoff.expect("its host is held");
    assert_eq!((hold.until, &*hold.reason), (START.plus(600 * SECOND), "3 documents received Retry-After"));
    assert_eq!(hold.kind, BackoffKind::RetryAfter);
    // A waiting worker gets the time of the next poll.
    assert_eq!(scene.store.queue().await.unwrap().next_due_at, Some(START.plus(90 * SECOND)));
    scene.clock.set(START.plus(600 * SECOND - Duration::from_micros(1)));
    assert!(scene.claim(16).await.is_empty(), "the others' own waits are over, and the host is held");
    assert_eq!(scene.store.queue().await.unwrap().next_due_at, Some(START.plus(600 * SECOND)));
    scene.clock.set(START.plus(600 * SECOND));
    let claimed = scene.claim(16).await;
    assert_eq!(claimed.len(), 4);
    assert!(claimed.iter().any(|job| job.document_id == third[1] && job.counters.attempt == 1));
    for job in &claimed {
        scene.finish(job, good()).await;
    }
    assert_eq!(scene.rows_of_hosts().await, 0, "nothing is left to remember");
}

async fn five_in_a_row_cool_a_host_down_and_one_finds_out(on: Backend) {
    let scene = Scene::new(on).await;
    scene.on_host("down.test", 1, 9).await;
    scene.all_end(4, timeout).await;
    scene.all_end(1, timeout).await;
    assert!(scene.claim(16).await.is_empty());
    assert_eq!(scene.store.queue().await.unwrap().ready, 4);
    scene.clock.set(START.plus(30 * SECOND));
    // Five waits end at the same instant as the back-off: nine jobs are due, and only the probe runs.
    let probe = scene.claim(16).await;
    assert_eq!(probe.len(), 1);
    assert!(scene.claim(16).await.is_empty(), "not while it runs either");
    scene.finish(&probe[0], timeout()).await;
    assert!(scene.claim(16).await.is_empty());
    let ready = scene.store.queue().await.unwrap();
    assert_eq!(ready.next_due_at.map(|at| at.since(START).as_secs()), Some(90), "twice as long");
    scene.clock.set(START.plus(90 * SECOND));
    let probe = scene.claim(16).await;
    assert_eq!(probe.len(), 1);
    // After a worker dies with the probe, the next claim probes the host.
    scene.store.release(&[probe[0].lease]).await.unwrap();
    let probe = scene.claim(16).await;
    assert_eq!(probe.len(), 1);
    scene.finish(&probe[0], good()).await;
    assert_eq!(scene.claim(16).await.len(), 7, "it is well again: all that are due");
    assert_eq!(scene.rows_of_hosts().await, 0);
}

async fn what_is_not_the_hosts_doing_and_what_is_good_ends_no_and_every_row(on: Backend) {
    let scene = Scene::new(on).await;
    scene.on_host("a.test", 1, 20).await;
    scene.all_end(4, timeout).await;
    scene.all_end(1, || AttemptEnd::Failed(Failure::unexpected("panic", "boom"))).await;
    scene.all_end(1, || AttemptEnd::Failed(Failure::from_status(404, "Not Found"))).await;
    assert_eq!(scene.rows_of_hosts().await, 0, "it answered");
    scene.all_end(4, || AttemptEnd::Failed(Failure::from_status(500, "Internal Server Error"))).await;
    scene.all_end(1, good).await;
    scene.all_end(4, timeout).await;
    assert_eq!(scene.claim(5).await.len(), 5);
}

/// Two processes finish attempts of one host at the same time: each keeps the other's results.
async fn what_two_processes_hear_of_a_host_is_one_story(on: Backend) {
    let scene = Scene::new(on).await;
    let other = scene.another().await;
    for round in 0..10 {
        let host = format!("h{round}.test");
        scene.on_host(&host, 1, 6).await;
        let claimed = scene.claim(5).await;
        let policy = RetryPolicy::default();
        let end = |place: usize, job: &ClaimedJob| {
            let finish = Finish { lease: job.lease, end: timeout(), duration: SECOND, stages: None };
            let store = if place.is_multiple_of(2) { scene.store.clone() } else { other.clone() };
            let policy = policy.clone();
            async move { store.finish(finish, &policy).await.unwrap() }
        };
        futures_util::future::join_all(claimed.iter().enumerate().map(|(place, job)| end(place, job))).await;
        let held = format!("SELECT CAST(count(*) AS BIGINT) FROM hosts_sched WHERE host = '{host}' AND cool_downs = 1");
        assert_eq!(scene.number(&held).await, 1, "round {round}");
        assert!(scene.claim(16).await.is_empty());
    }
}

async fn claims_of_a_host_are_spaced_over_all_workers(on: Backend) {
    let scene = Scene::new(on).await;
    let other = scene.another().await;
    scene.on_host("slow.test", 1, 4).await;
    scene.on_host("also.test", 1, 2).await;
    let spaced = ClaimLimits { host_interval: 2 * SECOND, ..limits(16) };
    let claim = async |store: &dyn JobStore, name| store.claim(&worker(name).id, spaced).await.unwrap();
    let first = claim(&*scene.store, "w1").await;
    assert_eq!(first.len(), 2, "one of each host: {:?}", urls(&first));
    assert!(claim(&*other, "w2").await.is_empty());
    assert_eq!(scene.store.queue().await.unwrap().next_due_at, Some(START.plus(2 * SECOND)));
    scene.clock.advance(2 * SECOND - Duration::from_micros(1));
    assert!(claim(&*other, "w2").await.is_empty());
    scene.clock.advance(Duration::from_micros(1));
    assert_eq!(claim(&*other, "w2").await.len(), 2);
    assert!(claim(&*scene.store, "w1").await.is_empty());
    scene.clock.advance(2 * SECOND);
    assert_eq!(urls(&claim(&*scene.store, "w1").await), ["https://slow.test/3"]);
    // A success does not end the interval between fetches.
    scene.finish(&first[0], good()).await;
    assert!(claim(&*other, "w2").await.is_empty());
}

/// Jobs of hosts in back-off, however many, do not keep a claim from finding another host's job.
async fn ten_thousand_jobs_of_held_hosts_stand_in_nobodys_way(on: Backend) {
    let scene = Scene::new(on).await;
    let host = |n: usize| format!("https://h{}.test/{n}", n % 100);
    let documents: Vec<_> = (0..10_000).map(|n| super::support::new(1, &host(n))).collect();
    scene.store.add(&documents).await.unwrap();
    let all: Vec<_> = (1..=10_000).map(DocumentId).collect();
    scene.store.request(&all, &super::support::request(QueueClass::Manual)).await.unwrap();
    let until = START.plus(600 * SECOND).micros();
    scene
        .sql(&format!(
            "INSERT INTO hosts_sched (host, held_until, held_because) SELECT DISTINCT host, {until}, 'x' FROM jobs"
        ))
        .await;
    assert!(scene.claim(16).await.is_empty());
    let last = scene.add(2, "https://free.test/").await;
    scene.ask(&[last], QueueClass::Auto).await;
    let claimed = scene.claim(16).await;
    assert_eq!(urls(&claimed), ["https://free.test"]);
    assert_eq!(scene.store.queue().await.unwrap().ready, 10_000);
}

/// Before the migration only the reason's text said who wanted a back-off; migrated rows keep that.
async fn holds_of_before_there_were_kinds_keep_theirs(on: Backend) {
    let scene = Scene::new(on).await;
    for host in ["asks", "cools", "over"] {
        scene.add(1, &format!("https://{host}.test/1")).await;
    }
    let (until, over) = (START.plus(600 * SECOND).micros(), START.minus(SECOND).micros());
    scene.sql("ALTER TABLE hosts_sched DROP COLUMN held_kind").await;
    let rows = format!(
        "INSERT INTO hosts_sched (host, held_until, held_because) VALUES \
         ('asks.test', {until}, '3 documents were told to wait (Retry-After)'), \
         ('cools.test', {until}, '5 documents in a row timed out'), ('over.test', {over}, 'x')"
    );
    scene.sql(&rows).await;
    scene
        .sql(match on {
            Backend::Sqlite => include_str!("../../assets/migrations/sqlite/0008_holds.sql"),
            Backend::Postgres => include_str!("../../assets/migrations/postgres/0008_holds.sql"),
        })
        .await;
    // A row that an older program writes meanwhile gets the other kind, and is still read.
    scene.add(1, "https://late.test/1").await;
    let late = format!("INSERT INTO hosts_sched (host, held_until, held_because) VALUES ('late.test', {until}, 'y')");
    scene.sql(&late).await;
    let seen = scene.store.hosts().await.unwrap();
    let kinds: Vec<_> =
        seen.rows.iter().map(|seen| (seen.host.to_string(), seen.backoff.as_ref().map(|hold| hold.kind))).collect();
    let expected = [
        ("asks.test", Some(BackoffKind::RetryAfter)),
        ("cools.test", Some(BackoffKind::CoolDown)),
        ("late.test", Some(BackoffKind::CoolDown)),
        ("over.test", None),
    ];
    assert_eq!(kinds, expected.map(|(host, kind)| (host.to_owned(), kind)));
}

on_both! {
    (flavor = "multi_thread", worker_threads = 2)
    a_host_that_told_three_documents_to_wait_is_held_and_others_are_not,
    five_in_a_row_cool_a_host_down_and_one_finds_out,
    what_is_not_the_hosts_doing_and_what_is_good_ends_no_and_every_row,
    what_two_processes_hear_of_a_host_is_one_story,
    claims_of_a_host_are_spaced_over_all_workers,
    ten_thousand_jobs_of_held_hosts_stand_in_nobodys_way,
    holds_of_before_there_were_kinds_keep_theirs,
}
