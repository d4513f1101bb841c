//! Removal of what is old: outcomes as a prefix of the log, samples as a prefix of their minutes, then once a day
//! ended jobs and earlier texts; compression of the texts that stay; and unused pages of a file go back to the file system.
//! Each step is one short transaction, under a lease in the row of `retention`, so that one process acts and no writer
//! waits for long.

mod outcomes;
mod pack;
mod samples;
mod sweep;
mod vacuum;

pub(in crate::store) use outcomes::pruned_up_to;

use crate::domain::retention::Retention;
use crate::domain::time::Timestamp;
use crate::store::sql::conn::Purpose;
use crate::store::sql::database::Database;
use crate::store::sql::statement::query;
use crate::store::sql::transaction::Tx;
use crate::store::{Result, RetentionStep};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};
use sweep::Sweep;
use tokio::sync::Mutex;

/// Maximum number of rows that one step removes.
const MAX_ROWS: i64 = 500;
/// Number of rows from which no step is made smaller.
const MIN_ROWS: i64 = 10;
/// Time that the statements of a step may take. A step that took longer makes the next one smaller.
const STEP_TIME: Duration = Duration::from_millis(5);
/// Time after which another process may take over.
const LEASE: Duration = Duration::from_secs(30);

/// State of a process between two steps.
#[derive(Debug)]
pub(in crate::store) struct RemovalState {
    /// The sweep that this process makes; `None` between two.
    sweep: Mutex<Option<Sweep>>,
    /// Number of rows of the next step.
    rows: AtomicI64,
}

impl Default for RemovalState {
    fn default() -> Self {
        Self { sweep: Mutex::default(), rows: AtomicI64::new(MAX_ROWS / 5) }
    }
}

impl RemovalState {
    fn rows(&self) -> i64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Chooses the size of the next step, after the statements of one with `rows` rows took `took`.
    fn adapt(&self, rows: u64, took: Duration) {
        let next = match self.rows() {
            now if took > STEP_TIME => (now / 2).max(MIN_ROWS),
            now if took < STEP_TIME / 2 && rows >= now.unsigned_abs() => (now * 2).min(MAX_ROWS),
            now => now,
        };
        self.rows.store(next, Ordering::Relaxed);
    }
}

/// Makes one step, as [`RetentionStore`](crate::store::RetentionStore) describes.
pub(in crate::store) async fn step(
    db: &Database,
    state: &RemovalState,
    keep: &Retention,
    holder: &str,
) -> Result<RetentionStep> {
    db.ensure_writable()?;
    // The parts in their order; the next one begins when nothing is left to the one before it.
    let mut done = outcomes::step(db, state, keep, holder).await?;
    if done == RetentionStep::Done {
        done = samples::step(db, state, holder).await?;
    }
    if done == RetentionStep::Done {
        done = sweep::step(db, state, keep, holder).await?;
    }
    if done == RetentionStep::Done {
        done = pack::step(db, state, holder).await?;
    }
    if done == RetentionStep::Done {
        done = vacuum::step(db, state, holder).await?;
    }
    Ok(done)
}

/// The transaction of a step, which has the lease.
struct Step<'d> {
    tx: Tx<'d>,
    begun: Instant,
}

impl<'d> Step<'d> {
    /// Begins a step; `None` if another process has the lease.
    async fn begin(db: &'d Database, holder: &str) -> Result<Option<Self>> {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        let begun = Instant::now();
        Ok(acquire_lease(&mut tx, holder).await?.then_some(Self { tx, begun }))
    }

    /// Chooses the size of the next step after this one with `rows` rows, and commits.
    async fn end(self, state: &RemovalState, rows: u64) -> Result<()> {
        state.adapt(rows, self.begun.elapsed());
        self.tx.commit().await.map(drop)
    }
}

/// Takes or renews the lease within a step. Returns false if another process has it.
async fn acquire_lease(tx: &mut Tx<'_>, holder: &str) -> Result<bool> {
    // A lease that ends later than a new one would was taken before a clock was set back, and does not count.
    let take = query(
        "UPDATE @retention SET holder = ?1, held_until = ?3 WHERE id = 1 \
         AND (holder IS NULL OR holder = ?1 OR held_until <= ?2 OR held_until > ?3)",
    );
    let until: Timestamp = tx.now.plus(LEASE);
    Ok(tx.run_quietly(take.bind(holder).bind(tx.now.micros()).bind(until.micros())).await? > 0)
}
