//! Tests processes that abort at each named point between a claim and the word about its commit, and within a rescue (F4).

use super::size;
use crate::support::fleet::Fleet;
use crate::support::install::Process;
use crate::support::place::Backend;
use crate::support::redis::TestRedis;
use crate::support::site::{Reply, Site, html};
use quarterdeck::domain::outcome::OutcomeResult::{self, Unchanged, WorkerLost};
use std::time::Duration;

const ABORTED: Option<i32> = Some(6);

/// A point at which a worker aborts.
struct Point {
    name: &'static str,
    /// Text in the subject of the point.
    subject: &'static str,
    /// Number of requests for the page until then; `None` if it depends on the machine's speed.
    hits: Option<u32>,
    /// The end of the attempt was written.
    is_written: bool,
}

const fn at(name: &'static str, hits: u32, is_written: bool) -> Point {
    Point { name, subject: "/0", hits: Some(hits), is_written }
}

/// The points of an attempt on either database.
const ATTEMPT: [Point; 9] = [
    at("after_claim", 0, false),
    at("after_lock", 0, false),
    at("before_fetch", 0, false),
    Point { name: "after_heartbeat", subject: "busy", hits: None, is_written: false },
    at("after_fetch", 1, false),
    at("before_finish", 1, false),
    at("before_outcomes", 1, false),
    at("after_commit", 1, true),
    at("after_finish", 1, true),
];
/// On SQLite the numbers of outcomes are written before the commit; on PostgreSQL one statement does all.
const ON_SQLITE: Point = at("after_outcomes", 1, false);
/// The points of a rescue.
const RESCUE: [&str; 3] = ["before_outcomes", "after_outcomes", "after_commit"];

/// A store in which one page is synced while its workers abort.
struct Case {
    name: String,
    fleet: Fleet,
    /// The faults of the workers, one after the other.
    faults: Vec<String>,
    hits: Option<u32>,
    results: Vec<OutcomeResult>,
    _redis: Option<TestRedis>,
}

impl Case {
    async fn of_attempt(on: Backend, point: &Point) -> Self {
        let redis = (point.name == "after_lock").then(|| TestRedis::own(None));
        let fault = format!("{}:abort:{}", point.name, point.subject);
        let results = if point.is_written { vec![Unchanged] } else { vec![WorkerLost, Unchanged] };
        let hits = point.hits.map(|hits| hits + u32::from(!point.is_written));
        Self::new(on, vec![fault], hits, results, redis).await
    }

    async fn of_rescue(on: Backend, name: &str) -> Self {
        // The second worker aborts while it records the loss of the first.
        let faults = vec!["after_fetch:abort:/0".to_owned(), format!("{name}:abort:/0")];
        Self::new(on, faults, Some(2), vec![WorkerLost, Unchanged], None).await
    }

    async fn new(
        on: Backend,
        faults: Vec<String>,
        hits: Option<u32>,
        results: Vec<OutcomeResult>,
        redis: Option<TestRedis>,
    ) -> Self {
        // Longer than several heartbeats.
        let page = |path: &str, hit| Reply::After(Duration::from_secs(1), Box::new(html(path, &format!("text {hit}"))));
        let key = redis.as_ref().map_or(String::new(), |redis| format!("redis.key = {:?}\n", redis.key_pattern()));
        let settings = format!("runner.heartbeat = \"300ms\"\n{key}");
        let mut fleet = Fleet::new(on, Site::start(page).await, &settings).await;
        if let Some(redis) = &redis {
            fleet = fleet.with("QUARTERDECK_REDIS", redis.url());
        }
        fleet.fill(1).await;
        let name = format!("{on:?} {}", faults.join(", then "));
        Self { name, fleet, faults, hits, results, _redis: redis }
    }

    fn start(&self, place: usize) -> Option<Process> {
        let fault = self.faults.get(place)?;
        Some(self.fleet.start_with(&[("QUARTERDECK_FAULT", fault)], &["work"]))
    }
}

async fn an_abort_at_any_point_leaves_all_of_an_attempt_or_nothing(on: Backend) {
    let (_, rounds) = size(0, 1);
    for _ in 0..rounds {
        let mut cases = Vec::new();
        for point in ATTEMPT.iter().chain((on == Backend::Sqlite).then_some(&ON_SQLITE)) {
            cases.push(Case::of_attempt(on, point).await);
        }
        for name in RESCUE {
            cases.push(Case::of_rescue(on, name).await);
        }
        // All concurrently, because each rescue takes seconds.
        for death in 0..2 {
            let workers: Vec<_> = cases.iter().map(|case| case.start(death)).collect();
            for (case, worker) in cases.iter_mut().zip(workers) {
                if let Some(worker) = worker {
                    let ended = case.fleet.died(worker);
                    assert_eq!(ended.signal, ABORTED, "{}: {ended:?}", case.name);
                }
            }
        }
        let last: Vec<_> = cases.iter().map(|case| case.fleet.start(&["work", "--drain"])).collect();
        for (case, worker) in cases.into_iter().zip(last) {
            let ended = worker.ended();
            assert_eq!(ended.code, Some(0), "{}: {ended:?}", case.name);
            let hits = case.fleet.install.site.hits("/0");
            assert!(case.hits.is_none_or(|expected| expected == hits), "{}: {hits} requests", case.name);
            let longest = case.fleet.delays().last().copied().unwrap_or_default();
            let name = format!("F4 {}", case.name);
            let outcomes = case.fleet.check(&name, 1, case.faults.len(), longest).await;
            let results: Vec<_> = outcomes.iter().map(|outcome| outcome.result).collect();
            assert_eq!(results, case.results, "{}", case.name);
        }
    }
}

on_both! {
    (flavor = "multi_thread", worker_threads = 4)
    an_abort_at_any_point_leaves_all_of_an_attempt_or_nothing,
}
