//! Write transactions on either database.
//!
//! A transaction owns its connection, and only a commit gives the connection back. If a transaction is dropped midway
//! (an error, a cancelled future, a full disk), its connection is closed, so that nothing can continue in a half-done
//! transaction.
//!
//! An optimistic transaction (PostgreSQL only) locks nothing while it reads: one statement checks that nothing has changed
//! since, and writes everything. It is for the frequent case of claims and finishes; everything else is repeated with
//! locks.
//!
//! SQLite allows one writer at a time, and a process that is stopped while it writes stops all others. Claims and finishes
//! therefore read before they get the lock. On PostgreSQL only transactions that move jobs in the queue
//! ([`Purpose::Queue`], [`Purpose::Claim`]) exclude each other, by an advisory lock. Ends of attempts and heartbeats run
//! concurrently with them and lock the rows of their jobs, always in the order of the documents, so that they cannot
//! deadlock.

mod commit;
mod locking;

use crate::domain::outbox::Subscribers;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::batch::{Batches, RowChange};
use crate::store::sql::conn::{Conn, Purpose, Row};
use crate::store::sql::database::{Database, Engine};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::{no_row, writing};
use crate::store::sql::rows::outcomes::NewOutcome;
use crate::store::sql::statement::Statement;
use crate::store::sql::topics::Written;
use crate::store::sqlite::WriterSlot;
use locking::Locking;
use std::collections::HashMap;

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
    locking: Locking,
    /// True if the transaction moves jobs in the queue of PostgreSQL, which optimistic claims have to notice.
    moves_queue: bool,
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
        let moves_queue = conn.dialect() == Dialect::Postgres && matches!(purpose, Purpose::Queue | Purpose::Claim);
        Ok(Self { moves_queue, ..Self::on(conn, slot, db, now, Locking::Early) })
    }

    /// Begins an optimistic transaction, if the database has them: reads see committed rows and lock nothing,
    /// [`change_row`](Self::change_row) and [`record`](Self::record) wait for [`commit_if`](Self::commit_if), and every
    /// other write fails with [`StoreError::Conflict`].
    pub(in crate::store) async fn optimistic(db: &'s Database) -> Result<Option<Self>> {
        db.ensure_writable()?;
        db.ensure_open()?;
        match &db.engine {
            Engine::Postgres(postgres) if postgres.has_optimistic_transactions() => {
                let conn = Conn::Postgres(postgres.acquire().await?);
                Ok(Some(Self::on(conn, None, db, db.now(), Locking::Never)))
            }
            Engine::Sqlite(_) | Engine::Postgres(_) => Ok(None),
        }
    }

    fn on(conn: Conn, slot: Option<WriterSlot<'s>>, db: &'s Database, now: Timestamp, locking: Locking) -> Self {
        let (outcomes, vtimes) = (Vec::new(), HashMap::new());
        let (written, subscribers, batches) = (Written::default(), db.subscribers(), Batches::default());
        Self { conn, slot, db, now, written, subscribers, locking, moves_queue: false, outcomes, batches, vtimes }
    }

    /// Returns the dialect of the database.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        self.conn.dialect()
    }

    /// Returns true if a subscriber wants to know which texts have changed.
    pub(in crate::store) fn compares_texts(&self) -> bool {
        self.subscribers.iter().any(|subscriber| subscriber.compares_texts())
    }

    /// Returns true if workers of this process have no lock that shows whether they are alive.
    pub(in crate::store) fn lease_only(&self) -> bool {
        self.db.lease_only()
    }

    /// Returns the number of earlier texts that are kept of each document.
    pub(in crate::store) fn kept_versions(&self) -> u32 {
        self.db.kept_versions
    }

    /// Returns true if the documents are Chatwoot's own.
    pub(in crate::store) fn is_on_chatwoot_database(&self) -> bool {
        self.db.is_chatwoot_database()
    }

    /// Runs a statement that writes and returns the number of affected rows.
    pub(in crate::store) async fn run(&mut self, statement: Statement) -> Result<u64> {
        self.prepare_write()?;
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
        self.prepare_write()?;
        let touched = self.conn.execute(statement).await.map_err(writing)?;
        if touched > 0 {
            self.written.add(Written::BOOKKEEPING);
        }
        Ok(touched)
    }

    /// Runs fixed SQL text without values.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> Result<()> {
        self.prepare_write()?;
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
        if self.batches.is_empty() {
            return Ok(());
        }
        self.prepare_write()?;
        match self.dialect() {
            Dialect::Sqlite => {
                self.note_batches();
                for statement in self.batches.take_by_row(self.now.micros()) {
                    self.conn.execute(statement).await.map_err(writing)?;
                }
            }
            Dialect::Postgres => drop(self.write_combined(None, &[]).await?),
        }
        Ok(())
    }

    fn note_batches(&mut self) {
        for table in self.batches.tables() {
            self.written.add(Written::to(table));
        }
    }

    /// Runs a statement of PostgreSQL that writes everything at once, and in an optimistic transaction checks itself that
    /// nothing has changed: it is committed when this returns. The caller [notes](Self::note) what was written.
    pub(in crate::store) async fn write_at_once(&mut self, statement: Statement) -> Result<Vec<Row>> {
        debug_assert!(self.batches.is_empty() && (self.outcomes.is_empty() || !self.is_optimistic()), "nothing waits");
        self.conn.fetch_all(statement).await.map_err(writing)
    }

    /// Notes data that a statement has written.
    pub(in crate::store) fn note(&mut self, written: Written) {
        self.written.add(written);
    }

    /// Ends an optimistic transaction whose writes are committed already: publishes what was [noted](Self::note).
    pub(in crate::store) fn publish(self) {
        self.db.publish_commit(self.written, None);
    }

    /// Returns all rows of a statement.
    pub(in crate::store) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        self.write_batches().await?;
        let written = Written::by(&statement);
        if written.is_some() {
            self.prepare_write()?;
        }
        let rows = self.conn.fetch_all(statement).await.map_err(writing)?;
        if let Some(written) = written.filter(|_| !rows.is_empty()) {
            self.written.add(written);
        }
        Ok(rows)
    }

    /// Returns the first row of a statement that writes, if it has any, but does not publish its changes, as
    /// [`run_quietly`](Self::run_quietly) does.
    pub(in crate::store) async fn first_quietly(&mut self, statement: Statement) -> Result<Option<Row>> {
        self.prepare_write()?;
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
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use crate::domain::content::{ContentChange, Page};
    use crate::domain::fingerprint::Fingerprint;
    use crate::domain::id::{AccountId, AssistantId, DocumentId, Seq, WorkerId};
    use crate::domain::job::{AttemptEnd, JobState, QueueClass};
    use crate::domain::link::Link;
    use crate::domain::request::{Request, RequestKind, RequestScope};
    use crate::store::queue::requests::CHUNK_SIZE;
    use crate::store::sql::conn::get;
    use crate::store::sql::statement::query;
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
            Finish { lease: claimed[place].lease, end, duration: Duration::ZERO, stages: None }
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
