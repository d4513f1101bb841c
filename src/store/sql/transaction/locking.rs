//! The moments at which transactions lock what they change.
//!
//! Some read before they have SQLite's write lock, so that they have it for a shorter time. What they have read is still
//! true once they have the lock: SQLite refuses it if another process has written meanwhile.

use super::Tx;
use crate::store::sql::conn::{Conn, Purpose};
use crate::store::sql::database::{Database, Engine};
use crate::store::sql::error::writing;
use crate::store::{Result, StoreError};

/// The moment at which a transaction locks what it changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locking {
    /// Before it reads.
    Early,
    /// At its first write, on SQLite.
    Late,
    /// Never: it writes by one statement of PostgreSQL, which checks what was read.
    Never,
}

impl<'s> Tx<'s> {
    /// Returns true if the transaction is an optimistic one.
    pub(in crate::store) fn is_optimistic(&self) -> bool {
        self.locking == Locking::Never
    }

    /// Fails with [`StoreError::Conflict`] if the transaction is an optimistic one, which cannot lock rows.
    pub(in crate::store) fn ensure_locks(&self) -> Result<()> {
        if self.is_optimistic() { Err(StoreError::Conflict) } else { Ok(()) }
    }

    /// Begins a transaction that on SQLite gets the write lock at its first write. That write fails with
    /// [`StoreError::Conflict`] if another process writes or has written meanwhile; the caller then
    /// [abandons](Self::abandon) this transaction and [begins](Self::begin) one that has the lock from the start. On
    /// PostgreSQL this is [`begin`](Self::begin).
    pub(in crate::store) async fn begin_late(db: &'s Database, purpose: Purpose) -> Result<Self> {
        let Engine::Sqlite(sqlite) = &db.engine else { return Self::begin(db, purpose).await };
        db.ensure_writable()?;
        let mut slot = sqlite.writer().await;
        db.ensure_open()?;
        let (conn, version) = sqlite.begin_late(&mut slot).await?;
        db.check_version(version)?;
        Ok(Self::on(Conn::SqliteWriter(conn), Some(slot), db, db.now(), Locking::Late))
    }

    /// Gets SQLite's write lock, unless the transaction has it already. Fails with [`StoreError::Conflict`] if another
    /// process writes, or has written since the transaction began.
    pub(in crate::store) fn acquire_lock(&mut self) -> Result<()> {
        if let (Locking::Late, Conn::SqliteWriter(conn)) = (self.locking, &mut self.conn) {
            if !conn.acquire_lock().map_err(writing)? {
                return Err(StoreError::Conflict);
            }
            self.locking = Locking::Early;
        }
        Ok(())
    }

    /// Prepares for a write: gets the lock, or fails with [`StoreError::Conflict`] in an optimistic transaction.
    pub(super) fn prepare_write(&mut self) -> Result<()> {
        self.ensure_locks()?;
        self.acquire_lock()
    }

    /// Undoes the transaction. SQLite's connection remains open for the next one.
    pub(in crate::store) async fn abandon(self) -> Result<()> {
        if let (Some(mut slot), Conn::SqliteWriter(mut conn)) = (self.slot, self.conn) {
            conn.script("ROLLBACK").map_err(writing)?;
            *slot = Some(conn);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use crate::store::sql::conn::get;
    use crate::store::sql::statement::query;
    use crate::store::{Access, Options, SqlStore};

    /// Returns the last number of an outcome.
    async fn last(tx: &mut Tx<'_>) -> i64 {
        get(&tx.one(query("SELECT last FROM @outcome_seq")).await.unwrap(), 0).unwrap()
    }

    /// Raises the last number of an outcome by 1.
    async fn raise(tx: &mut Tx<'_>) -> Result<u64> {
        tx.run(query("UPDATE @outcome_seq SET last = last + 1")).await
    }

    #[tokio::test]
    async fn a_late_transaction_keeps_nobody_from_writing_until_it_writes() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("k.db").display());
        let [one, other] = [
            SqlStore::open(&url, Options::new(Access::Create)).await.unwrap(),
            SqlStore::open(&url, Options::new(Access::Create)).await.unwrap(),
        ];

        let mut late = Tx::begin_late(&one.db, Purpose::Rows).await.unwrap();
        assert_eq!(last(&mut late).await, 0);
        let mut early = Tx::begin(&other.db, Purpose::Rows).await.unwrap();
        assert!(matches!(late.acquire_lock(), Err(StoreError::Conflict)), "the other has the lock");
        raise(&mut early).await.unwrap();
        early.commit().await.unwrap();
        assert_eq!(last(&mut late).await, 0, "it reads what was there when it began");
        let written = raise(&mut late).await;
        assert!(matches!(written, Err(StoreError::Conflict)), "what it has read is no longer true");
        late.abandon().await.unwrap();

        let mut late = Tx::begin_late(&one.db, Purpose::Rows).await.unwrap();
        assert_eq!(last(&mut late).await, 1);
        raise(&mut late).await.unwrap();
        // From its first write on it has the lock.
        let mut third = Tx::begin_late(&other.db, Purpose::Rows).await.unwrap();
        assert!(matches!(third.acquire_lock(), Err(StoreError::Conflict)));
        third.abandon().await.unwrap();
        late.commit().await.unwrap();

        // A transaction that has written nothing ends without the lock.
        let mut early = Tx::begin(&other.db, Purpose::Rows).await.unwrap();
        let mut reads = Tx::begin_late(&one.db, Purpose::Rows).await.unwrap();
        assert_eq!(last(&mut reads).await, 2);
        reads.commit().await.unwrap();
        raise(&mut early).await.unwrap();
        early.commit().await.unwrap();
    }
}
