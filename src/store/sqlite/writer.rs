//! The one connection that writes, and its transactions.
//!
//! The connection is taken out of its place for each transaction and put back by the commit alone. A transaction that
//! is dropped on the way (an error, a cancelled future, a full disk) takes its connection with it: nothing can go on
//! in a half-done transaction (engine.md 3.8, trap 3).

use super::super::{Result, StoreError};
use super::SqliteStore;
use super::connect::take_turn;
use super::error::{reading, writing};
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use sqlx::query::Query;
use sqlx::sqlite::{Sqlite, SqliteArguments, SqliteConnection, SqliteRow};
use sqlx::{Row, query};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::MutexGuard;

/// Longer than the pauses with which SQLite's first looks at a busy lock are spaced.
const GIVE_WAY: Duration = Duration::from_millis(6);

/// A write transaction. Dropped without [`commit`](Tx::commit) it leaves nothing.
pub(super) struct Tx<'s> {
    conn: SqliteConnection,
    slot: MutexGuard<'s, Option<SqliteConnection>>,
    store: &'s SqliteStore,
    /// The store's clock, read once: two readings could disagree on whether a lease stands (trap 4).
    pub(super) now: Timestamp,
    changes_before: i64,
    outcomes: Vec<NewOutcome>,
    /// The last virtual time given to an account and class in this transaction.
    pub(super) vtimes: HashMap<(i64, i64), i64>,
}

/// An outcome that waits for its number, with what the log keeps beside the line.
pub(super) struct NewOutcome {
    /// The line; its `seq` is not set yet.
    pub(super) outcome: Outcome,
    /// The host then.
    pub(super) host: String,
    /// The lease that it ended, if an attempt ended with it.
    pub(super) token: Option<i64>,
}

type Statement<'q> = Query<'q, Sqlite, SqliteArguments>;

impl SqliteStore {
    /// Between the transactions of a long bulk: room for another process to get its turn.
    pub(super) async fn give_way(&self) {
        tokio::time::sleep(GIVE_WAY).await;
    }

    /// Begins a transaction; nobody else writes until it ends.
    pub(super) async fn begin(&self) -> Result<Tx<'_>> {
        if self.is_read_only() {
            return Err(StoreError::ReadOnly);
        }
        let mut slot = self.writer.lock().await;
        if self.closed.is_cancelled() {
            return Err(StoreError::Unavailable("the store is closed".into()));
        }
        self.connect.check_place()?;
        let mut conn = match slot.take() {
            Some(conn) => conn,
            None => self.connect.writer().await?,
        };
        take_turn(&mut conn).await?;
        let changes_before = total_changes(&mut conn).await?;
        Ok(Tx {
            conn,
            slot,
            store: self,
            now: self.clock.now(),
            changes_before,
            outcomes: Vec::new(),
            vtimes: HashMap::new(),
        })
    }
}

async fn total_changes(conn: &mut SqliteConnection) -> Result<i64> {
    Ok(query("SELECT total_changes()").fetch_one(conn).await.map_err(reading)?.get(0))
}

impl Tx<'_> {
    /// Runs a statement that writes; how many rows it touched.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64> {
        Ok(statement.execute(&mut self.conn).await.map_err(writing)?.rows_affected())
    }

    /// All rows of a statement.
    pub(super) async fn all(&mut self, statement: Statement<'_>) -> Result<Vec<SqliteRow>> {
        statement.fetch_all(&mut self.conn).await.map_err(writing)
    }

    /// The first row of a statement.
    pub(super) async fn first(&mut self, statement: Statement<'_>) -> Result<Option<SqliteRow>> {
        statement.fetch_optional(&mut self.conn).await.map_err(writing)
    }

    /// The only row of a statement that always has one.
    pub(super) async fn one(&mut self, statement: Statement<'_>) -> Result<SqliteRow> {
        statement.fetch_one(&mut self.conn).await.map_err(writing)
    }

    /// Records an outcome; it has its number at the commit.
    pub(super) fn record(&mut self, outcome: NewOutcome) {
        self.outcomes.push(outcome);
    }

    /// How many outcomes wait for their number.
    pub(super) fn recorded(&self) -> usize {
        self.outcomes.len()
    }

    /// Forgets the outcomes after the first `kept`: what they tell was rolled back.
    pub(super) fn forget(&mut self, kept: usize) {
        self.outcomes.truncate(kept);
        self.vtimes.clear();
    }

    /// Commits, and answers with what was recorded, in order.
    pub(super) async fn commit(mut self) -> Result<Vec<Outcome>> {
        let outcomes = self.number().await?;
        let changed = total_changes(&mut self.conn).await? != self.changes_before;
        query("COMMIT").execute(&mut self.conn).await.map_err(writing)?;
        if let Some(tell) = self.store.recorder.as_ref().filter(|_| !outcomes.is_empty()) {
            // Still the only writer, so that they are told in the order of their numbers.
            tell(&outcomes);
        }
        *self.slot = Some(self.conn);
        drop(self.slot);
        // A commit without a change must not wake anybody: who looks for work on every change would never rest.
        if changed {
            self.store.bump();
        }
        Ok(outcomes)
    }

    /// Numbers are taken last, so that on a database with several writers the counter's row is held for an instant.
    async fn number(&mut self) -> Result<Vec<Outcome>> {
        let recorded = std::mem::take(&mut self.outcomes);
        if recorded.is_empty() {
            return Ok(Vec::new());
        }
        let count = i64::try_from(recorded.len()).unwrap_or(i64::MAX);
        let counter = query("UPDATE outcome_seq SET last = last + ? WHERE id = 1 RETURNING last").bind(count);
        let last: i64 = self.one(counter).await?.get(0);
        let mut outcomes = Vec::with_capacity(recorded.len());
        for (seq, mut new) in (last - count + 1..).zip(recorded) {
            new.outcome.seq = Seq(seq);
            super::outcomes::insert(self, &new).await?;
            outcomes.push(new.outcome);
        }
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
    use crate::store::{Access, ClaimLimits, Finish, Finished, NewDocument, Options, Store, SystemClock};
    use std::sync::Arc;
    use std::time::Duration;

    async fn store(folder: &tempfile::TempDir) -> Arc<SqliteStore> {
        let options = Options { access: Access::Create, clock: Arc::new(SystemClock), recorder: None };
        SqliteStore::open(&folder.path().join("k.db"), options).await.unwrap()
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
    async fn fill_disk(store: &SqliteStore) {
        let mut slot = store.writer.lock().await;
        query("PRAGMA max_page_count = 1").execute(slot.as_mut().unwrap()).await.unwrap();
    }

    #[tokio::test]
    async fn a_full_disk_is_nobodys_failure_and_passes() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        store.add(&[document(1), document(2)]).await.unwrap();
        let request = Request { verb: Verb::Sync, class: QueueClass::Manual, by: "ana".into(), scope: Scope::Named };
        store.request(&[DocumentId(1), DocumentId(2)], &request).await.unwrap();
        let limits = ClaimLimits { slots: 2, lease: Duration::from_secs(30), per_host: 2, per_account: None };
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
        let mut tx = store.begin().await.unwrap();
        let check: String = tx.one(query("PRAGMA integrity_check")).await.unwrap().get(0);
        assert_eq!(check, "ok");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_leaves_no_half_transaction() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let documents: Vec<_> = (0..400).map(document).collect();
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
        assert!(total == 0 || total == 400, "all or nothing: {total}");
        store.add(&documents).await.unwrap();
        assert_eq!(store.counts().await.unwrap().total(), 400);
    }
}
