//! The ends of write transactions: outcomes get their numbers, messages to subscribers are written with them, and the
//! recorder and those who wait for changes learn of the commit.

use super::Tx;
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::fault;
use crate::store::sql::combined_writes::CombinedWrites;
use crate::store::sql::conn::{Conn, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::{no_row, writing};
use crate::store::sql::rows::outbox;
use crate::store::sql::rows::outcomes::{self, NewOutcome};
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::topics::Written;
use crate::store::sqlite::CommitCounts;
use crate::store::{Result, StoreError};
use std::sync::atomic::Ordering;

/// Commits a transaction that has moved jobs in the queue, in one round trip. The write of the row shows every optimistic
/// claim that has read the queue before that it has changed.
const COMMIT_OF_QUEUE: &str = "UPDATE quarterdeck.sched_clock SET id = id WHERE id = 1; COMMIT";

impl Tx<'_> {
    /// Writes the recorded outcomes with their numbers, commits, passes them to the recorder, and returns them in the
    /// order of their numbers.
    pub(in crate::store) async fn commit(mut self) -> Result<Vec<Outcome>> {
        break_at("before_outcomes", self.outcomes.iter().map(|new| &new.outcome));
        if self.dialect() == Dialect::Sqlite || self.outcomes.is_empty() {
            self.write_batches().await?;
        }
        let db = self.db;
        let mut unconfirmed = db.lock_unconfirmed(!self.outcomes.is_empty()).await;
        let outcomes = self.number_outcomes().await?;
        break_at("after_outcomes", &outcomes);
        let earlier = match &unconfirmed {
            Some(unconfirmed) if !unconfirmed.is_empty() => self.find_committed(unconfirmed).await?,
            _ => Vec::new(),
        };
        let counts = self.count_commit().await?;
        let is_noticed = self.moves_queue && !self.written.is_empty();
        let committed = self.conn.script(if is_noticed { COMMIT_OF_QUEUE } else { "COMMIT" }).await.map_err(writing);
        if let Some(unconfirmed) = &mut unconfirmed {
            // A PostgreSQL server may have committed in spite of the error. SQLite's error is reliable.
            let lost = if self.dialect() == Dialect::Postgres { &outcomes[..] } else { &[] };
            db.note_commit(unconfirmed, committed.is_ok(), lost);
        }
        committed?;
        break_at("after_commit", &outcomes);
        db.pass_to_recorder([&earlier, &outcomes]);
        drop(unconfirmed);
        if let (Some(mut slot), Conn::SqliteWriter(conn)) = (self.slot, self.conn) {
            *slot = Some(conn);
        }
        // A commit without a change must wake nobody: otherwise a process that reads the queue after every change would
        // never stop.
        db.publish_commit(self.written, counts);
        Ok(outcomes)
    }

    /// Commits an optimistic transaction: one statement checks `guard`, a query of one row with the column `passed`, and
    /// writes everything. Fails with [`StoreError::Conflict`], and writes nothing, if the guard does not pass, or if a
    /// subscriber wants a message.
    pub(in crate::store) async fn commit_if(mut self, guard: Statement) -> Result<Vec<Outcome>> {
        debug_assert!(self.is_optimistic(), "others have locks");
        let db = self.db;
        if db.has_unconfirmed.load(Ordering::Relaxed) {
            return Err(StoreError::Conflict);
        }
        let mut recorded = std::mem::take(&mut self.outcomes);
        break_at("before_outcomes", recorded.iter().map(|new| &new.outcome));
        // Messages contain the numbers of outcomes, so a second statement writes them.
        if outbox::is_wanted(&self.subscribers, &recorded) {
            return Err(StoreError::Conflict);
        }
        let mut unconfirmed = db.lock_unconfirmed(!recorded.is_empty()).await;
        let written = self.write_combined(Some(guard), &recorded).await;
        if let (Err(StoreError::Unavailable(_)), Some(unconfirmed)) = (&written, &mut unconfirmed) {
            let lost: Vec<Outcome> = recorded.iter().map(|new| new.outcome.clone()).collect();
            db.note_commit(unconfirmed, false, &lost);
        }
        set_numbers(&mut recorded, written?);
        let outcomes: Vec<Outcome> = recorded.into_iter().map(|new| new.outcome).collect();
        break_at("after_commit", &outcomes);
        db.pass_to_recorder([&[], &outcomes]);
        drop(unconfirmed);
        db.publish_commit(self.written, None);
        Ok(outcomes)
    }

    /// Counts the commit on SQLite, so that other processes know what it has changed. Returns the counters with it;
    /// `None` on PostgreSQL, where a notification follows the commit, and if nothing was written.
    async fn count_commit(&mut self) -> Result<Option<CommitCounts>> {
        if self.dialect() == Dialect::Postgres || self.written.is_empty() {
            return Ok(None);
        }
        let row = self.conn.fetch_all(CommitCounts::increment(self.written)).await.map_err(writing)?.into_iter().next();
        CommitCounts::of_row(&row.ok_or_else(no_row)?).map(Some)
    }

    /// Returns those outcomes of failed commits that are in the table after all, with their numbers. Compares more than
    /// the numbers, since another outcome may have got the number of a failed one, and those of an optimistic transaction
    /// have none yet.
    async fn find_committed(&mut self, unconfirmed: &[Outcome]) -> Result<Vec<Outcome>> {
        let mut committed = Vec::new();
        for outcome in unconfirmed {
            let found = query(
                "SELECT seq FROM @outcomes WHERE job_id = ?1 AND attempt = ?2 AND at = ?3 AND result = ?4 \
                 AND (seq = ?5 OR ?5 = 0) ORDER BY seq",
            );
            let found = found.bind(outcome.job_id.0).bind(i64::from(outcome.attempt)).bind(outcome.at.micros());
            if let Some(row) = self.first(found.bind(outcome.result.word()).bind(outcome.seq.0)).await? {
                committed.push(Outcome { seq: Seq(get(&row, 0)?), ..outcome.clone() });
            }
        }
        committed.sort_by_key(|outcome| outcome.seq);
        Ok(committed)
    }

    /// Numbers the outcomes, and writes them and the messages to subscribers. This comes last, so that on PostgreSQL
    /// the counter's row is locked only briefly.
    async fn number_outcomes(&mut self) -> Result<Vec<Outcome>> {
        let mut recorded = std::mem::take(&mut self.outcomes);
        if recorded.is_empty() {
            return Ok(Vec::new());
        }
        match self.dialect() {
            Dialect::Sqlite => {
                let count = i64::try_from(recorded.len()).unwrap_or(i64::MAX);
                let counter = query("UPDATE @outcome_seq SET last = last + ? WHERE id = 1 RETURNING last").bind(count);
                let last: i64 = get(&self.one(counter).await?, 0)?;
                set_numbers(&mut recorded, Some(last));
                for new in &recorded {
                    self.run(outcomes::insert(new)).await?;
                }
            }
            Dialect::Postgres => {
                let last = self.write_combined(None, &recorded).await?;
                set_numbers(&mut recorded, last);
            }
        }
        // Messages may contain the numbers of outcomes, so they are made after the numbering.
        for insert in outbox::inserts(&self.subscribers, &recorded, self.now, self.dialect()) {
            self.run(insert).await?;
        }
        Ok(recorded.into_iter().map(|new| new.outcome).collect())
    }

    /// Writes the row changes that wait and the outcomes `recorded` by one statement of PostgreSQL. Returns the number of
    /// the last outcome. Fails with [`StoreError::Conflict`], and writes nothing, if `guard` does not pass.
    pub(super) async fn write_combined(
        &mut self,
        guard: Option<Statement>,
        recorded: &[NewOutcome],
    ) -> Result<Option<i64>> {
        self.note_batches();
        let mut writes = CombinedWrites::new(self.now.micros(), guard);
        self.batches.take_into(&mut writes);
        if !recorded.is_empty() {
            self.written.add(Written::to("outcomes"));
            writes.add_outcomes(recorded);
        }
        let rows = self.conn.fetch_all(writes.statement()).await.map_err(writing)?;
        let row = rows.first().ok_or_else(no_row)?;
        if get::<Option<bool>>(row, "passed")? == Some(true) { get(row, "last") } else { Err(StoreError::Conflict) }
    }
}

/// Passes the fault point `name` for each outcome that a transaction records.
fn break_at<'o>(name: &str, outcomes: impl IntoIterator<Item = &'o Outcome>) {
    for outcome in outcomes {
        fault::point(name, &outcome.url);
    }
}

/// Sets the numbers of outcomes, of which the last has the number `last`.
fn set_numbers(recorded: &mut [NewOutcome], last: Option<i64>) {
    let Some(last) = last else { return };
    for (new, seq) in recorded.iter_mut().rev().zip((Seq::START.0..=last).rev()) {
        new.outcome.seq = Seq(seq);
    }
}
