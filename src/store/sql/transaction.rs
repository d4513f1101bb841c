//! Write transactions on either database.
//!
//! A transaction owns its connection, and only a commit gives the connection back. If a transaction is dropped midway
//! (an error, a cancelled future, a full disk), its connection is closed, so that nothing can continue in a half-done
//! transaction.
//!
//! SQLite allows one writer at a time. On PostgreSQL only transactions that move jobs in the queue ([`Purpose::Queue`],
//! [`Purpose::Claim`]) exclude each other, by an advisory lock. Ends of attempts and heartbeats run concurrently with
//! them and lock the rows of their jobs, always in the order of the documents, so that they cannot deadlock.

use crate::domain::id::Seq;
use crate::domain::outbox::Subscribers;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::batch::{Batches, RowChange};
use crate::store::sql::conn::{Conn, Purpose, Row, get};
use crate::store::sql::database::{Database, Engine};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::{no_row, writing};
use crate::store::sql::rows::outbox;
use crate::store::sql::rows::outcomes::{NewOutcome, inserts};
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::topics::Written;
use crate::store::sqlite::{CommitCounts, WriterSlot};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

/// A write transaction. If it is dropped without [`commit`](Tx::commit), nothing is written.
pub(in crate::store) struct Tx<'s> {
    conn: Conn,
    /// The slot to which the commit returns SQLite's one writing connection.
    slot: Option<WriterSlot<'s>>,
    db: &'s Database,
    /// Time of the store's clock, UTC, read once: if it were read twice, a lease could expire in between, and one
    /// statement would rescue a job that another one treats as running.
    pub(in crate::store) now: Timestamp,
    /// The topics of the data that the transaction has written so far.
    written: Written,
    /// The subscribers that the process had when the transaction began.
    subscribers: Subscribers,
    outcomes: Vec<NewOutcome>,
    /// Row changes that are written before the next read and before the commit.
    batches: Batches,
    /// By account and class: the last virtual time (a job's position in the fair order of accounts) that this
    /// transaction assigned, and the step to the next one.
    pub(in crate::store) vtimes: HashMap<(i64, i64), (i64, i64)>,
}

impl<'s> Tx<'s> {
    /// Begins a transaction. Fails if the store's schema version is not that of this program. Until the transaction
    /// ends, no process can migrate the store.
    pub(in crate::store) async fn begin(db: &'s Database, purpose: Purpose) -> Result<Self> {
        db.ensure_writable()?;
        let (conn, slot, now) = match &db.engine {
            Engine::Sqlite(sqlite) => {
                let mut slot = sqlite.writer().await;
                db.ensure_open()?;
                let (conn, version) = sqlite.begin(&mut slot).await?;
                db.check_version(version)?;
                (Conn::SqliteWriter(conn), Some(slot), db.now())
            }
            Engine::Postgres(postgres) => {
                db.ensure_open()?;
                let (conn, now, version) = postgres.begin(purpose, &*db.clock).await?;
                db.check_version(version)?;
                (conn, None, now)
            }
        };
        let (outcomes, vtimes) = (Vec::new(), HashMap::new());
        let (written, subscribers, batches) = (Written::default(), db.subscribers(), Batches::default());
        Ok(Self { conn, slot, db, now, written, subscribers, outcomes, batches, vtimes })
    }

    /// Returns the dialect of the database.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        self.conn.dialect()
    }

    /// Returns true if outcomes of this transaction are offered to at least one subscriber.
    pub(in crate::store) fn has_subscribers(&self) -> bool {
        !self.subscribers.is_empty()
    }

    /// Returns true if workers of this process have no lock that shows whether they are alive.
    pub(in crate::store) fn lease_only(&self) -> bool {
        self.db.lease_only()
    }

    /// Runs a statement that writes and returns the number of affected rows.
    pub(in crate::store) async fn run(&mut self, statement: Statement) -> Result<u64> {
        let written = Written::by(&statement);
        let touched = self.conn.execute(statement).await.map_err(writing)?;
        if let Some(written) = written.filter(|_| touched > 0) {
            self.written.add(written);
        }
        Ok(touched)
    }

    /// Runs a statement like [`run`](Self::run), but does not publish its changes, for bookkeeping that need not wake
    /// anybody.
    pub(in crate::store) async fn run_quietly(&mut self, statement: Statement) -> Result<u64> {
        let touched = self.conn.execute(statement).await.map_err(writing)?;
        if touched > 0 {
            self.written.add(Written::BOOKKEEPING);
        }
        Ok(touched)
    }

    /// Runs fixed SQL text without values.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> Result<()> {
        self.conn.script(text).await.map_err(writing)
    }

    /// Changes the row `id`, together with other changes of the same kind: before the next read or the commit, whichever
    /// comes first. `row` is the object that the statement of `change` reads.
    pub(in crate::store) async fn change_row(
        &mut self,
        change: RowChange,
        id: i64,
        row: serde_json::Value,
    ) -> Result<()> {
        if self.batches.contains(change, id) {
            self.write_batches().await?;
        }
        self.batches.push(change, id, row);
        Ok(())
    }

    /// Writes the row changes that wait.
    pub(in crate::store) async fn write_batches(&mut self) -> Result<()> {
        for table in self.batches.tables() {
            self.written.add(Written::to(table));
        }
        for statement in self.batches.take(self.dialect(), self.now.micros()) {
            self.conn.execute(statement).await.map_err(writing)?;
        }
        Ok(())
    }

    /// Returns all rows of a statement.
    pub(in crate::store) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        self.write_batches().await?;
        let written = Written::by(&statement);
        let rows = self.conn.fetch_all(statement).await.map_err(writing)?;
        if let Some(written) = written.filter(|_| !rows.is_empty()) {
            self.written.add(written);
        }
        Ok(rows)
    }

    /// Returns the first row of a statement that writes, if it has any, but does not publish its changes, as
    /// [`run_quietly`](Self::run_quietly) does.
    pub(in crate::store) async fn first_quietly(&mut self, statement: Statement) -> Result<Option<Row>> {
        let row = self.conn.fetch_all(statement).await.map_err(writing)?.into_iter().next();
        if row.is_some() {
            self.written.add(Written::BOOKKEEPING);
        }
        Ok(row)
    }

    /// Returns the first row of a statement, if it has any.
    pub(in crate::store) async fn first(&mut self, statement: Statement) -> Result<Option<Row>> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// Returns the first row of a statement that always yields a row; fails if there is none.
    pub(in crate::store) async fn one(&mut self, statement: Statement) -> Result<Row> {
        self.first(statement).await?.ok_or_else(no_row)
    }

    /// Records an outcome; the commit assigns its number.
    pub(in crate::store) fn record(&mut self, outcome: NewOutcome) {
        self.outcomes.push(outcome);
    }

    /// Returns the number of outcomes recorded so far.
    pub(in crate::store) fn recorded_count(&self) -> usize {
        self.outcomes.len()
    }

    /// Drops the recorded outcomes after the first `kept`, the row changes that wait and the assigned virtual times,
    /// because the changes to which they belong were rolled back.
    pub(in crate::store) fn discard_outcomes(&mut self, kept: usize) {
        self.outcomes.truncate(kept);
        self.batches.clear();
        self.vtimes.clear();
    }

    /// Writes the recorded outcomes with their numbers, commits, passes them to the recorder, and returns them in the
    /// order of their numbers.
    pub(in crate::store) async fn commit(mut self) -> Result<Vec<Outcome>> {
        self.write_batches().await?;
        let db = self.db;
        let records = !self.outcomes.is_empty() || db.has_unconfirmed.load(Ordering::Relaxed);
        let mut unconfirmed = if records { Some(db.unconfirmed.lock().await) } else { None };
        let outcomes = self.number_outcomes().await?;
        let earlier = match &unconfirmed {
            Some(unconfirmed) if !unconfirmed.is_empty() => self.find_committed(unconfirmed).await?,
            _ => Vec::new(),
        };
        let counts = self.count_commit().await?;
        let committed = self.script("COMMIT").await;
        if let Some(unconfirmed) = &mut unconfirmed {
            match &committed {
                Ok(_) => unconfirmed.clear(),
                // A PostgreSQL server may have committed in spite of the error. The next commit checks this, and passes
                // the committed outcomes to the recorder. SQLite's error is reliable.
                Err(_) if self.dialect() == Dialect::Postgres => unconfirmed.extend(outcomes.iter().cloned()),
                Err(_) => {}
            }
            db.has_unconfirmed.store(!unconfirmed.is_empty(), Ordering::Relaxed);
        }
        committed?;
        if let Some(record) = &db.recorder {
            for outcomes in [&earlier, &outcomes].into_iter().filter(|outcomes| !outcomes.is_empty()) {
                record(outcomes);
            }
        }
        drop(unconfirmed);
        if let (Some(mut slot), Conn::SqliteWriter(conn)) = (self.slot, self.conn) {
            *slot = Some(conn);
        }
        // A commit without a change must wake nobody: otherwise a process that reads the queue after every change would
        // never stop.
        db.publish_commit(self.written, counts);
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

    /// Returns those outcomes of failed commits that are in the table after all. Compares more than the numbers, since
    /// another outcome may have got the number of a failed one.
    async fn find_committed(&mut self, unconfirmed: &[Outcome]) -> Result<Vec<Outcome>> {
        let mut committed = Vec::new();
        for outcome in unconfirmed {
            let found = query("SELECT count(*) FROM @outcomes WHERE seq = ? AND job_id = ? AND attempt = ? AND at = ?");
            let found = found.bind(outcome.seq.0).bind(outcome.job_id.0).bind(i64::from(outcome.attempt));
            if get::<i64>(&self.one(found.bind(outcome.at.micros())).await?, 0)? > 0 {
                committed.push(outcome.clone());
            }
        }
        Ok(committed)
    }

    /// Numbers the outcomes, and writes them and the messages to subscribers. This comes last, so that on PostgreSQL
    /// the counter's row is locked only briefly.
    async fn number_outcomes(&mut self) -> Result<Vec<Outcome>> {
        let recorded = std::mem::take(&mut self.outcomes);
        if recorded.is_empty() {
            return Ok(Vec::new());
        }
        let count = i64::try_from(recorded.len()).unwrap_or(i64::MAX);
        let counter = query("UPDATE @outcome_seq SET last = last + ? WHERE id = 1 RETURNING last").bind(count);
        let last: i64 = get(&self.one(counter).await?, 0)?;
        let mut outcomes = Vec::with_capacity(recorded.len());
        let mut recorded = recorded;
        for (seq, new) in (last - count + 1..).zip(&mut recorded) {
            new.outcome.seq = Seq(seq);
        }
        for insert in inserts(&recorded, self.dialect()) {
            self.run(insert).await?;
        }
        // Messages may contain the numbers of outcomes, so they are made after the numbering.
        for insert in outbox::inserts(&self.subscribers, &recorded, self.now, self.dialect()) {
            self.run(insert).await?;
        }
        outcomes.extend(recorded.into_iter().map(|new| new.outcome));
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use crate::domain::content::{ContentChange, Page};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::id::{AccountId, AssistantId, DocumentId, WorkerId};
    use crate::domain::job::{AttemptEnd, JobState, QueueClass};
    use crate::domain::link::Link;
    use crate::domain::request::{Request, RequestKind, RequestScope};
    use crate::store::queue::requests::CHUNK_SIZE;
    use crate::store::{
        Access, ClaimLimits, DocumentStore, Finish, FinishResult, JobStore, MarkTiming, NewDocument, Options, Queries,
        SqlStore, StoreBase, StoreError,
    };
    use std::sync::Arc;
    use std::time::Duration;

    async fn store(folder: &tempfile::TempDir) -> Arc<SqlStore> {
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        SqlStore::open(&url, Options::new(Access::Create)).await.unwrap()
    }

    fn document(n: usize) -> NewDocument {
        NewDocument {
            link: Link::parse(&format!("https://a.test/{n}")).unwrap(),
            name: None,
            account_id: AccountId(1),
            assistant_id: AssistantId(1),
        }
    }

    /// Limits the size of the database. `max_page_count` applies to one connection, so this sets it on the connection
    /// that writes.
    async fn fill_disk(store: &SqlStore) {
        let Engine::Sqlite(sqlite) = &store.db.engine else { panic!("not a file") };
        let mut slot = sqlite.writer().await;
        let mut conn = Conn::SqliteWriter(slot.take().unwrap());
        conn.script("PRAGMA max_page_count = 1").await.unwrap();
        let Conn::SqliteWriter(conn) = conn else { unreachable!() };
        *slot = Some(conn);
    }

    #[tokio::test]
    async fn a_full_disk_is_nobodys_failure_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        store.add(&[document(1), document(2)]).await.unwrap();
        let request = Request {
            kind: RequestKind::Sync,
            class: QueueClass::Manual,
            by: "ana".into(),
            scope: RequestScope::Named,
        };
        store.request(&[DocumentId(1), DocumentId(2)], &request).await.unwrap();
        let limits = ClaimLimits {
            slots: 2,
            lease: Duration::from_secs(30),
            per_host: 2,
            per_account: None,
            host_interval: Duration::ZERO,
            mark_timing: MarkTiming::AtClaim,
        };
        let claimed = store.claim(&WorkerId("w1".into()), limits).await.unwrap();
        fill_disk(&store).await;
        let finish = |place: usize, text: String| {
            let page = Page::new(Some("T"), text, 9, 200).unwrap();
            let fingerprint = Fingerprint::of(&page.content);
            let end = AttemptEnd::Fetched { page: Box::new(page), fingerprint, change: ContentChange::First };
            Finish { lease: claimed[place].lease, end, duration: Duration::ZERO }
        };
        let (big, small) = (finish(0, "word ".repeat(30_000)), finish(1, "small".into()));
        let policy = Default::default();
        let (one, other) = tokio::join!(store.finish(big.clone(), &policy), store.finish(small.clone(), &policy));
        for full in [one, other] {
            assert!(matches!(full, Err(StoreError::Unavailable(_))), "all of the group: {full:?}");
        }
        assert_eq!(store.last_seq().await.unwrap(), Seq::START);
        assert_eq!(store.content(DocumentId(1)).await.unwrap(), None);
        assert_eq!(store.queue().await.unwrap().running, 2);
        // The failed connection is closed, and its limit with it: there is space again.
        let (one, other) = tokio::join!(store.finish(big, &policy), store.finish(small, &policy));
        for written in [one, other] {
            assert!(matches!(written, Ok(FinishResult::Written { state: JobState::Done, .. })), "{written:?}");
        }
        let mut tx = Tx::begin(&store.db, Purpose::Rows).await.unwrap();
        let check: String = get(&tx.one(query("PRAGMA integrity_check")).await.unwrap(), 0).unwrap();
        assert_eq!(check, "ok");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_no_half_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        // As many documents as fit into one transaction. With several transactions, those that were committed before
        // the caller went away would stay.
        let documents: Vec<_> = (0..CHUNK_SIZE).map(document).collect();
        for polls in 1..12 {
            let adding = store.add(&documents);
            let mut adding = std::pin::pin!(adding);
            for _ in 0..polls {
                // Each poll runs until the next wait for the disk; then the caller drops the future.
                if tokio::time::timeout(Duration::from_micros(300), &mut adding).await.is_ok() {
                    break;
                }
            }
        }
        // On a fast machine one of the rounds may have completed.
        let total = store.counts().await.unwrap().total();
        assert!(total == 0 || total == CHUNK_SIZE as u64, "all or nothing: {total}");
        store.add(&documents).await.unwrap();
        assert_eq!(store.counts().await.unwrap().total(), CHUNK_SIZE as u64);
    }
}
