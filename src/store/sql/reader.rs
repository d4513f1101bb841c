//! Connections for reads, on either database.

use crate::store::Result;
use crate::store::sql::conn::{Conn, Row};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::error::{no_row, reading};
use crate::store::sql::statement::Statement;

/// A connection for reads. A drop while a statement runs stops the statement in the database, because nobody awaits its
/// result any more. A drop within a snapshot closes an SQLite connection: otherwise the next read on the connection
/// would see old data.
pub(in crate::store) struct Reader {
    conn: Conn,
    in_snapshot: bool,
    /// True while a statement runs.
    running: bool,
}

impl Reader {
    /// Returns the dialect of the database.
    pub(in crate::store) fn dialect(&self) -> Dialect {
        self.conn.dialect()
    }

    /// Creates a reader on `conn`, not within a snapshot.
    pub(in crate::store) fn on(conn: Conn) -> Self {
        Self { conn, in_snapshot: false, running: false }
    }

    /// Returns all rows of a statement.
    pub(in crate::store) async fn all(&mut self, statement: Statement) -> Result<Vec<Row>> {
        self.running = true;
        let rows = self.conn.fetch_all(statement).await;
        self.running = false;
        rows.map_err(reading)
    }

    /// Calls `take` with each row of a statement, one after the other, without keeping the rows.
    pub(in crate::store) async fn each(
        &mut self,
        statement: Statement,
        take: impl FnMut(&Row) -> Result<()>,
    ) -> Result<()> {
        self.running = true;
        let taken = self.conn.each(statement, take).await;
        self.running = matches!(taken, Ok(Err(_)));
        taken.map_err(reading)?
    }

    /// Returns the first row of a statement, if it has any.
    pub(in crate::store) async fn first(&mut self, statement: Statement) -> Result<Option<Row>> {
        Ok(self.all(statement).await?.into_iter().next())
    }

    /// Returns the first row of a statement that always yields a row; fails if there is none.
    pub(in crate::store) async fn one(&mut self, statement: Statement) -> Result<Row> {
        self.first(statement).await?.ok_or_else(no_row)
    }

    /// Begins a snapshot: until [`leave_snapshot`](Self::leave_snapshot) all reads describe the same instant.
    pub(in crate::store) async fn enter_snapshot(&mut self) -> Result<()> {
        self.in_snapshot = true;
        let begin = match self.conn.dialect() {
            Dialect::Sqlite => "BEGIN",
            // How many documents contain a word depends on the word, so a plan for any word is no good.
            Dialect::Postgres => {
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL plan_cache_mode = force_custom_plan"
            }
        };
        self.conn.script(begin).await.map_err(reading)
    }

    /// Ends the snapshot.
    pub(in crate::store) async fn leave_snapshot(&mut self) -> Result<()> {
        self.conn.script("ROLLBACK").await.map_err(reading)?;
        self.in_snapshot = false;
        Ok(())
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.in_snapshot {
            self.conn.close_on_drop();
        }
        if self.running {
            self.conn.abandon_read();
        }
    }
}
