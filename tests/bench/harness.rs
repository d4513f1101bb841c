//! Shared parts of the benchmarks: the databases, a stopwatch, and the output of figures.
//!
//! Words after `--` select the runs: `sqlite` or `postgres` selects one database, a number sets the size. PostgreSQL is
//! started by the benchmark, or is the server that `QUARTERDECK_TEST_POSTGRES` names.

#[path = "../support/db.rs"]
pub mod db;
#[path = "../support/limit.rs"]
pub mod limit;
#[path = "../support/place.rs"]
pub mod place;
#[path = "../support/ports.rs"]
pub mod ports;
#[path = "../support/postgres.rs"]
pub mod postgres;
#[path = "../support/site.rs"]
pub mod site;

use place::{Backend, Place};
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{Access, ManualClock, Options, SqlStore};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Start of each benchmark's manual clock.
pub const START: Timestamp = Timestamp::from_micros(1_764_000_000_000_000);

/// Returns the databases selected on the command line.
pub fn backends() -> Vec<Backend> {
    let words: Vec<String> = std::env::args().collect();
    let all = [(Backend::Sqlite, "sqlite"), (Backend::Postgres, "postgres")];
    let named = |name: &str| words.iter().any(|word| word == name);
    let any = all.iter().any(|(_, name)| named(name));
    all.into_iter().filter(|(_, name)| !any || named(name)).map(|(backend, _)| backend).collect()
}

/// Returns the size given on the command line, or `usual`.
pub fn size(usual: usize) -> usize {
    std::env::args().filter_map(|word| word.parse().ok()).next().unwrap_or(usual)
}

/// A store with a manual clock, and its database.
pub struct Bench {
    pub clock: Arc<ManualClock>,
    pub store: Arc<SqlStore>,
    pub place: Place,
}

impl Bench {
    pub async fn on(backend: Backend) -> Self {
        let place = Place::new(backend).await;
        let clock = Arc::new(ManualClock::at(START));
        let options = Options { clock: clock.clone(), ..Options::new(Access::Create) };
        let store = SqlStore::open(&place.url(), options).await.expect("a new store");
        Self { clock, store, place }
    }

    /// Runs SQL directly on the database. On PostgreSQL it then updates the planner's statistics, as autovacuum would
    /// do later.
    pub async fn load(&self, sql: &str) {
        self.place.sql(sql).await;
        self.place.sql(self.place.either("SELECT 1", "ANALYZE")).await;
    }
}

/// Awaits `run` and prints its duration.
pub async fn timed<T>(what: &str, run: impl Future<Output = T>) -> T {
    let begun = Instant::now();
    let done = run.await;
    println!("{what}: {:.2?}", begun.elapsed());
    done
}

/// Durations of repeated runs.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    /// Measures one more run.
    pub async fn add<T>(&mut self, run: impl Future<Output = T>) -> T {
        let begun = Instant::now();
        let done = run.await;
        self.0.push(begun.elapsed());
        done
    }

    /// Adds a duration that was measured elsewhere.
    pub fn push(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// Prints median, 90th and 99th percentile and the longest.
    pub fn print(mut self, what: &str) {
        self.0.sort();
        let at = |percent: usize| self.0.get((self.0.len() * percent).div_ceil(100).max(1) - 1);
        let [half, most, nearly, all] = [50, 90, 99, 100].map(|percent| at(percent).copied().unwrap_or_default());
        println!(
            "{what}: median {half:.2?}, p90 {most:.2?}, p99 {nearly:.2?}, at most {all:.2?} ({} times)",
            self.0.len()
        );
    }
}
