//! Write transactions on either database.
//!
//! The connection is taken out of its place for each transaction and put back by the commit alone. A transaction that
//! is dropped on the way (an error, a cancelled future, a full disk) takes its connection with it: nothing can go on
//! in a half-done transaction.
//!
//! On SQLite one writes at a time. On PostgreSQL those that move jobs in the queue ([`Purpose::Queue`], [`Purpose::Claim`]) do, under an
//! advisory lock; ends of attempts and heartbeats run beside them and lock the rows of their jobs, always in the order
//! of the documents, so that nobody waits in a circle.

use crate::domain::id::{DocumentId, JobId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::store::sql::conn::{Conn, Row, get};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::writing;
use crate::store::sql::rows::JobRow;
use crate::store::sql::statement::{Statement, query};
use crate::store::sql_store::{Engine, SqlStore};
use crate::store::{Result, StoreError};
use sqlx::SqliteConnection;
use std::collections::HashMap;
use std::sync::atomic::Ordering;
use tokio::sync::MutexGuard;

/// What a transaction is going to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Purpose {
    /// Move jobs in the queue: one at a time, so that caps are exact and lanes agree with their jobs.
    Queue,
    /// The same for a claim. Its statements are large and always alike: PostgreSQL plans them once and not every time,
    /// which takes it a fifth of a claim.
    Claim,
    /// End attempts, add documents, and what else stays within its own rows.
    Rows,
    /// A heartbeat: must not wait behind other work of this process.
    Beat,
}

/// A write transaction. Dropped without [`commit`](Tx::commit) it leaves nothing.
pub(in crate::store) struct Tx<'s> {
    conn: Conn,
    /// SQLite's one writing connection belongs there.
    slot: Option<MutexGuard<'s, Option<SqliteConnection>>>,
    store: &'s SqlStore,
    /// The store's clock, read once: between two readings a lease could expire, and one statement
    /// would rescue a job that another one takes for running.
    pub(in crate::store) now: Timestamp,
    changed: bool,
    outcomes: Vec<NewOutcome>,
    /// The last virtual time given to an account and class in this transaction, and the step to the next.
    pub(in crate::store) vtimes: HashMap<(i64, i64), (i64, i64)>,
}

/// An outcome that waits for its number, with what the log keeps beside the line.
pub(in crate::store) struct NewOutcome {
    /// The line; its `seq` is not set yet.
    pub(in crate::store) outcome: Outcome,
    /// The host then.
    pub(in crate::store) host: String,
    /// The lease that it ended, if an attempt ended with it.
    pub(in crate::store) token: Option<i64>,
}

impl SqlStore {
    /// Between the transactions of a long bulk: room for another process to get its turn.
    pub(in crate::store) async fn give_way(&self) {
        if let Engine::Sqlite(sqlite) = &self.engine {
            sqlite.give_way().await;
        }
    }

    /// Begins a transaction. One on a schema that this process does not know is refused; until it ends nobody migrates.
    pub(in crate::store) async fn begin(&self, purpose: Purpose) -> Result<Tx<'_>> {
        self.writable()?;
        let (conn, slot, now) = match &self.engine {
            Engine::Sqlite(sqlite) => {
                let mut slot = sqlite.writer().await;
                self.open_still()?;
                let (conn, version) = sqlite.begin(&mut slot).await?;
                self.check_version(version)?;
                (Conn::Sqlite(conn), Some(slot), self.clock.now())
            }
            Engine::Postgres(postgres) => {
                self.open_still()?;
                let (conn, now, version) = postgres.begin(purpose, &*self.clock).await?;
                self.check_version(version)?;
                (conn, None, now)
            }
        };
        let (outcomes, vtimes) = (Vec::new(), HashMap::new());
        Ok(Tx { conn, slot, store: self, now, changed: false, outcomes, vtimes })
    }

    /// A connection for readings.
    pub(in crate::store) async fn reader(&self) -> Result<crate::store::sql::conn::Reader> {
        self.open_still()?;
        let conn = match &self.engine {
            Engine::Sqlite(sqlite) => sqlite.reader().await?,
            Engine::Postgres(postgres) => Conn::Postgres(postgres.lease().await?),
        };
        Ok(crate::store::sql::conn::Reader::on(conn))
    }

    fn open_still(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(StoreError::Unavailable("the store is closed".into())) } else { Ok(()) }
    }
}

impl Tx<'_> {
    /// How the database wants its statements.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        self.conn.dialect()
    }

    /// Whether changes are noted for Chatwoot.
    pub(in crate::store) fn tells(&self) -> bool {
        self.store.tells.load(Ordering::Relaxed)
    }

    /// Whether workers of this process hold no lock by which their death is seen.
    pub(in crate::store) fn lease_only(&self) -> bool {
        matches!(&self.store.engine, Engine::Postgres(postgres) if postgres.lease_only())
    }

    /// Runs a statement that writes; how many rows it touched.
    pub(in crate::store) async fn run(&mut self, statement: Statement) -> Result<u64> {
        let writes = statement.writes();
        let touched = self.conn.execute(statement).await.map_err(writing)?;
        self.changed |= writes && touched > 0;
        Ok(touched)
    }

    /// The same for bookkeeping that nobody need look at: it wakes nobody.
    pub(in crate::store) async fn run_quietly(&mut self, statement: Statement) -> Result<u64> {
        self.conn.execute(statement).await.map_err(writing)
    }

    /// Runs fixed text that binds nothing.
    pub(in crate::store) async fn script(&mut self, text: &'static str) -> Result<()> {
        self.conn.script(text).await.map_err(writing)
    }

    /// All rows of a statement.
    pub(in crate::store) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        let writes = statement.writes();
        let rows = self.conn.fetch_all(statement).await.map_err(writing)?;
        self.changed |= writes && !rows.is_empty();
        Ok(rows)
    }

    /// The first row of a statement.
    pub(in crate::store) async fn first(&mut self, statement: Statement) -> Result<Option<Row>> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// The only row of a statement that always has one.
    pub(in crate::store) async fn one(&mut self, statement: Statement) -> Result<Row> {
        self.first(statement).await?.ok_or_else(|| writing(sqlx::Error::RowNotFound))
    }

    /// The live jobs of these documents are changed by nobody else until the end.
    pub(in crate::store) async fn lock_documents(&mut self, documents: &[DocumentId]) -> Result<()> {
        if self.dialect() == Dialect::Postgres {
            let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
            let lock = query(
                "SELECT id FROM @jobs WHERE document_id = ANY(?) AND state IN ('scheduled', 'ready', 'running') \
                 ORDER BY document_id FOR UPDATE",
            );
            self.all(lock.bind(ids)).await?;
        }
        Ok(())
    }

    /// These jobs; they are changed by nobody else until the end.
    pub(in crate::store) async fn lock_jobs(
        &mut self,
        jobs: impl Iterator<Item = JobId>,
    ) -> Result<HashMap<JobId, JobRow>> {
        let ids: Vec<i64> = jobs.map(|id| id.0).collect();
        let lock = match self.dialect() {
            Dialect::Sqlite => "SELECT * FROM @jobs WHERE id IN (SELECT each(?))",
            Dialect::Postgres => "SELECT * FROM @jobs WHERE id = ANY(?) ORDER BY document_id, id FOR UPDATE",
        };
        let rows = self.jobs(query(lock).bind(ids)).await?;
        Ok(rows.into_iter().map(|row| (row.job.id, row)).collect())
    }

    /// Records an outcome; it has its number at the commit.
    pub(in crate::store) fn record(&mut self, outcome: NewOutcome) {
        self.outcomes.push(outcome);
    }

    /// How many outcomes wait for their number.
    pub(in crate::store) fn recorded(&self) -> usize {
        self.outcomes.len()
    }

    /// Forgets the outcomes after the first `kept`: what they tell was rolled back.
    pub(in crate::store) fn forget(&mut self, kept: usize) {
        self.outcomes.truncate(kept);
        self.vtimes.clear();
    }

    /// Commits, and answers with what was recorded, in order.
    pub(in crate::store) async fn commit(mut self) -> Result<Vec<Outcome>> {
        let store = self.store;
        let tells = !self.outcomes.is_empty() || store.in_doubt.load(Ordering::Relaxed);
        let mut untold = if tells { Some(store.telling.lock().await) } else { None };
        let outcomes = self.number().await?;
        let earlier = match &untold {
            Some(untold) if !untold.is_empty() => self.of_these_committed(untold).await?,
            _ => Vec::new(),
        };
        let committed = self.script("COMMIT").await;
        if let Some(untold) = &mut untold {
            match &committed {
                Ok(_) => untold.clear(),
                // A server may have made it all the same: the next one sees, and tells. A file says what it has done.
                Err(_) if self.dialect() == Dialect::Postgres => untold.extend(outcomes.iter().cloned()),
                Err(_) => {}
            }
            store.in_doubt.store(!untold.is_empty(), Ordering::Relaxed);
        }
        committed?;
        if let Some(tell) = &store.recorder {
            for outcomes in [&earlier, &outcomes].into_iter().filter(|outcomes| !outcomes.is_empty()) {
                tell(outcomes);
            }
        }
        drop(untold);
        if let (Some(mut slot), Conn::Sqlite(conn)) = (self.slot, self.conn) {
            *slot = Some(conn);
        }
        // A commit without a change must not wake anybody: who looks for work on every change would never rest.
        if self.changed {
            store.bump();
        }
        Ok(outcomes)
    }

    /// Of outcomes whose commit was answered with an error, those that stand in the table: a number alone may be another's.
    async fn of_these_committed(&mut self, untold: &[Outcome]) -> Result<Vec<Outcome>> {
        let mut committed = Vec::new();
        for outcome in untold {
            let found = query("SELECT count(*) FROM @outcomes WHERE seq = ? AND job_id = ? AND attempt = ? AND at = ?");
            let found = found.bind(outcome.seq.0).bind(outcome.job_id.0).bind(i64::from(outcome.attempt));
            if get::<i64>(&self.one(found.bind(outcome.at.micros())).await?, 0)? > 0 {
                committed.push(outcome.clone());
            }
        }
        Ok(committed)
    }

    /// Numbers are taken last, so that on a database with several writers the counter's row is held for an instant.
    async fn number(&mut self) -> Result<Vec<Outcome>> {
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
        crate::store::queries::outcomes::insert(self, &recorded).await?;
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
    use crate::domain::request::{Request, Scope, Verb};
    use crate::store::queue::requests::CHUNK;
    use crate::store::{Access, ClaimLimits, Finish, Finished, NewDocument, Options, Store};
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

    /// `max_page_count` is the connection's own, so it is set from within.
    async fn fill_disk(store: &SqlStore) {
        let Engine::Sqlite(sqlite) = &store.engine else { panic!("not a file") };
        let mut slot = sqlite.writer().await;
        sqlx::query("PRAGMA max_page_count = 1").execute(slot.as_mut().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_nobodys_failure_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        store.add(&[document(1), document(2)]).await.unwrap();
        let request = Request { verb: Verb::Sync, class: QueueClass::Manual, by: "ana".into(), scope: Scope::Named };
        store.request(&[DocumentId(1), DocumentId(2)], &request).await.unwrap();
        let limits = ClaimLimits {
            slots: 2,
            lease: Duration::from_secs(30),
            per_host: 2,
            per_account: None,
            host_interval: Duration::ZERO,
            marking: crate::store::Marking::AtClaim,
        };
        let claimed = store.claim(&WorkerId("w1".into()), limits).await.unwrap();
        fill_disk(&store).await;
        let finish = |place: usize, text: String| {
            let page = Page::new(Some("T"), text, 9, 200).unwrap();
            let fingerprint = Fingerprint::of(&page.content);
            let end = AttemptEnd::Fetched { page: Box::new(page), fingerprint, change: ContentChange::First };
            Finish { held: claimed[place].held, end, took: Duration::ZERO }
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
        // The poisoned connection is gone, and with it the limit: there is space again.
        let (one, other) = tokio::join!(store.finish(big, &policy), store.finish(small, &policy));
        for written in [one, other] {
            assert!(matches!(written, Ok(Finished::Written { state: JobState::Done, .. })), "{written:?}");
        }
        let mut tx = store.begin(Purpose::Rows).await.unwrap();
        let check: String = get(&tx.one(query("PRAGMA integrity_check")).await.unwrap(), 0).unwrap();
        assert_eq!(check, "ok");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_no_half_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        // One transaction's worth: of more, those before the caller went away stay, as they should.
        let documents: Vec<_> = (0..CHUNK).map(document).collect();
        for polls in 1..12 {
            let adding = store.add(&documents);
            let mut adding = std::pin::pin!(adding);
            for _ in 0..polls {
                // Each poll goes as far as the next answer of the connection's thread; then the caller is gone.
                let _ = tokio::time::timeout(Duration::from_micros(300), &mut adding).await;
            }
        }
        // A quick machine may have come to the end in one of the rounds.
        let total = store.counts().await.unwrap().total();
        assert!(total == 0 || total == CHUNK as u64, "all or nothing: {total}");
        store.add(&documents).await.unwrap();
        assert_eq!(store.counts().await.unwrap().total(), CHUNK as u64);
    }
}
