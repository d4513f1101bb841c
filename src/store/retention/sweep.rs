//! The daily check of all ended jobs, earlier texts and what belongs to documents that are gone: the tables are read in
//! ranges of ids, and what is old in a range is removed, so that no index by time is needed.

use super::{LEASE, MAX_ROWS, RemovalState, Step, acquire_lease};
use crate::domain::retention::Retention;
use crate::domain::time::Timestamp;
use crate::store::batches::control as batches;
use crate::store::interface::retention::Removed;
use crate::store::sql::columns::optional_number;
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use crate::store::{Result, RetentionStep};
use serde_json::{Value, json};
use std::time::Duration;

/// Time between two sweeps.
const INTERVAL: Duration = Duration::from_secs(86_400);
/// Number of rows that are read at a time.
const RANGE: i64 = 2_000;

/// The sweep that this process makes.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Index in [`TABLES`].
    table: usize,
    /// Last id that was checked.
    after: i64,
    /// Last renewal of the lease.
    renewed: Timestamp,
}

impl Sweep {
    /// Goes on after the id `last`, or with the next table if the range was the last one.
    fn go_on(&mut self, last: Option<i64>) {
        (self.table, self.after) = match last {
            Some(last) => (self.table, last),
            None => (self.table + 1, i64::MIN),
        };
    }
}

/// A table whose rows a sweep checks.
struct SweptTable {
    /// The first id after the next range of ids: those after `?1`, `?2` of them.
    range: &'static str,
    /// The rows to remove, as `a` and `b`, with ids after `?1` up to `?2`; `?3` is the bound of [`bound`](Self::bound),
    /// `?4` the number of rows.
    old: &'static str,
    /// The removal of the rows of the JSON array `?1`, without what ends it.
    remove: &'static str,
    /// The lock that PostgreSQL skips rows with: another transaction that has locked a row is changing or removing it.
    skips_locked: &'static str,
    /// Returns the value that makes a row old, at a time; `None` if nothing becomes old.
    bound: fn(&Retention, Timestamp) -> Option<i64>,
    /// Counts removed rows.
    count: fn(u64) -> Removed,
}

/// A table with a row per document, of which those of documents that are gone are removed.
macro_rules! of_gone_documents {
    ($table:literal) => {
        SweptTable {
            range: concat!(
                "SELECT document_id FROM ",
                $table,
                " WHERE document_id > ?1 ORDER BY document_id LIMIT 1 OFFSET ?2"
            ),
            old: concat!(
                "SELECT t.document_id AS a, ?3 AS b FROM ",
                $table,
                " t WHERE t.document_id > ?1 AND t.document_id <= ?2 \
                 AND NOT EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = t.document_id) LIMIT ?4"
            ),
            remove: concat!(
                "DELETE FROM ",
                $table,
                " WHERE document_id IN (SELECT t.document_id FROM ",
                $table,
                " t WHERE t.document_id IN (SELECT CAST(k.value ->> 'a' AS BIGINT) FROM elements(?1) k)"
            ),
            skips_locked: " FOR UPDATE OF t SKIP LOCKED)",
            bound: |_, _| Some(0),
            count: |_| Removed { outcomes: 0, jobs: 0, versions: 0 },
        }
    };
}

/// Test for a batch `t` that is old: it ended before the bound `?3`, or it and the newer ended ones have more than a
/// million members. The newest is kept whatever its size.
macro_rules! batch_is_old {
    () => {
        "t.ended_at IS NOT NULL AND (t.ended_at <= ?3 OR t.id <= (SELECT max(q.id) FROM (SELECT id, total, \
             sum(total) OVER (ORDER BY id DESC) AS members FROM @batches WHERE ended_at IS NOT NULL) q \
             WHERE q.members > 1000000 AND q.members > q.total))"
    };
}

/// The first batch after the next range of them.
const BATCHES: &str = "SELECT id FROM @batches WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2";

/// Returns the time of the end from which a batch is old: that of jobs. No batch is that old if they are kept for ever.
fn batch_bound(keep: &Retention, now: Timestamp) -> Option<i64> {
    Some(keep.jobs.map_or(i64::MIN, |age| now.minus(age).micros()))
}

const TABLES: [SweptTable; 6] = [
    SweptTable {
        range: "SELECT id FROM @jobs WHERE id > ?1 ORDER BY id LIMIT 1 OFFSET ?2",
        old: "SELECT j.id AS a, j.id AS b FROM @jobs j WHERE j.id > ?1 AND j.id <= ?2 \
              AND j.state IN ('done', 'failed', 'cancelled', 'purged') AND j.finished_at <= ?3 ORDER BY j.id LIMIT ?4",
        remove: "DELETE FROM @jobs WHERE id IN (SELECT j.id FROM @jobs j WHERE j.id IN \
                 (SELECT CAST(k.value ->> 'a' AS BIGINT) FROM elements(?1) k) \
                 AND j.state IN ('done', 'failed', 'cancelled', 'purged')",
        skips_locked: " FOR UPDATE OF j SKIP LOCKED)",
        bound: |keep, now| keep.jobs.map(|age| now.minus(age).micros()),
        count: |jobs| Removed { outcomes: 0, jobs, versions: 0 },
    },
    SweptTable {
        range: "SELECT document_id FROM @document_versions WHERE document_id > ?1 ORDER BY document_id LIMIT 1 OFFSET ?2",
        old: "SELECT v.document_id AS a, v.version AS b FROM @document_versions v \
              WHERE v.document_id > ?1 AND v.document_id <= ?2 \
              AND (v.version <= (SELECT max(w.version) FROM @document_versions w WHERE w.document_id = v.document_id) - ?3 \
              OR NOT EXISTS (SELECT 1 FROM captain_documents d WHERE d.id = v.document_id)) LIMIT ?4",
        remove: "DELETE FROM @document_versions WHERE (document_id, version) IN \
                 (SELECT v.document_id, v.version FROM @document_versions v JOIN elements(?1) k \
                 ON v.document_id = CAST(k.value ->> 'a' AS BIGINT) AND v.version = CAST(k.value ->> 'b' AS BIGINT)",
        skips_locked: " FOR UPDATE OF v SKIP LOCKED)",
        bound: |keep, _| Some(i64::from(keep.versions)),
        count: |versions| Removed { outcomes: 0, jobs: 0, versions },
    },
    // The members first, since their batch says that they are old.
    SweptTable {
        range: BATCHES,
        old: concat!(
            "SELECT m.batch_id AS a, m.document_id AS b FROM @batches t JOIN @batch_members m ON m.batch_id = t.id \
             WHERE t.id > ?1 AND t.id <= ?2 AND ",
            batch_is_old!(),
            " LIMIT ?4"
        ),
        remove: "DELETE FROM @batch_members WHERE (batch_id, document_id) IN (SELECT m.batch_id, m.document_id \
                 FROM @batch_members m JOIN elements(?1) k ON m.batch_id = CAST(k.value ->> 'a' AS BIGINT) \
                 AND m.document_id = CAST(k.value ->> 'b' AS BIGINT)",
        skips_locked: " FOR UPDATE OF m SKIP LOCKED)",
        bound: batch_bound,
        count: |_| Removed { outcomes: 0, jobs: 0, versions: 0 },
    },
    SweptTable {
        range: BATCHES,
        old: concat!(
            "SELECT t.id AS a, t.id AS b FROM @batches t WHERE t.id > ?1 AND t.id <= ?2 \
             AND NOT EXISTS (SELECT 1 FROM @batch_members m WHERE m.batch_id = t.id) AND ",
            batch_is_old!(),
            " LIMIT ?4"
        ),
        remove: "DELETE FROM @batches WHERE id IN (SELECT t.id FROM @batches t WHERE t.id IN \
                 (SELECT CAST(k.value ->> 'a' AS BIGINT) FROM elements(?1) k)",
        skips_locked: " FOR UPDATE OF t SKIP LOCKED)",
        bound: batch_bound,
        count: |_| Removed { outcomes: 0, jobs: 0, versions: 0 },
    },
    of_gone_documents!("@held_contents"),
    of_gone_documents!("@last_outcomes"),
];

/// Makes one step of the sweep; begins one if the last was a day ago.
pub(super) async fn step(db: &Database, state: &RemovalState, keep: &Retention, holder: &str) -> Result<RetentionStep> {
    let mut current = state.sweep.lock().await;
    let now = db.now();
    let Some(sweep) = current.as_mut() else {
        if !is_due(db, now).await? {
            return Ok(RetentionStep::Done);
        }
        if !renew(db, holder).await? {
            return Ok(RetentionStep::LeaseTaken);
        }
        // Their ends are noted by whoever looks at them, which may be nobody.
        batches::finish(db).await?;
        *current = Some(Sweep { table: 0, after: i64::MIN, renewed: now });
        return Ok(RetentionStep::More(Removed::default()));
    };
    if now.since(sweep.renewed) > LEASE / 3 || now < sweep.renewed {
        if !renew(db, holder).await? {
            *current = None;
            return Ok(RetentionStep::LeaseTaken);
        }
        sweep.renewed = now;
    }
    let Some(table) = TABLES.get(sweep.table) else {
        *current = None;
        end(db, holder).await?;
        return Ok(RetentionStep::More(Removed::default()));
    };
    let Some(bound) = (table.bound)(keep, now) else {
        sweep.go_on(None);
        return Ok(RetentionStep::More(Removed::default()));
    };
    let rows = state.rows().min(MAX_ROWS);
    let mut reader = db.reader().await?;
    let range = reader.first(query(table.range).bind(sweep.after).bind(RANGE)).await?;
    let last = range.map(|row| get::<i64>(&row, 0)).transpose()?;
    let old = query(table.old).bind(sweep.after).bind(last.unwrap_or(i64::MAX)).bind(bound).bind(rows);
    let old = reader.all(old).await?;
    drop(reader);
    if old.is_empty() {
        sweep.go_on(last);
        return Ok(RetentionStep::More(Removed::default()));
    }
    let Some(mut step) = Step::begin(db, holder).await? else {
        *current = None;
        return Ok(RetentionStep::LeaseTaken);
    };
    let pair = |row: &Row| Ok(json!({ "a": get::<i64>(row, "a")?, "b": get::<i64>(row, "b")? }));
    let pairs = Value::Array(old.iter().map(pair).collect::<Result<_>>()?).to_string();
    let mut remove = Sql::new(table.remove);
    remove.push(if step.tx.dialect() == Dialect::Postgres { table.skips_locked } else { ")" });
    let removed = step.tx.run_quietly(remove.query().bind(pairs)).await?;
    step.end(state, removed).await?;
    if removed == 0 {
        // All of them are locked: their next sweep is tomorrow.
        sweep.go_on(last);
    }
    Ok(RetentionStep::More((table.count)(removed)))
}

async fn is_due(db: &Database, now: Timestamp) -> Result<bool> {
    let row = db.reader().await?.one(query("SELECT swept_at FROM @retention WHERE id = 1")).await?;
    let swept_at: Option<i64> = optional_number(&row, "swept_at")?;
    // A time in the future was noted before a clock was set back.
    Ok(swept_at.map(Timestamp::from_micros).is_none_or(|at| at > now || now.since(at) >= INTERVAL))
}

async fn renew(db: &Database, holder: &str) -> Result<bool> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let acquired = acquire_lease(&mut tx, holder).await?;
    tx.commit().await?;
    Ok(acquired)
}

async fn end(db: &Database, holder: &str) -> Result<()> {
    let mut tx = Tx::begin(db, Purpose::Rows).await?;
    let end = query("UPDATE @retention SET swept_at = ?2 WHERE id = 1 AND holder = ?1");
    let now = tx.now.micros();
    tx.run_quietly(end.bind(holder).bind(now)).await?;
    tx.commit().await.map(drop)
}
