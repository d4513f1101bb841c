//! Counters of commits in the table `commit_counts`, by which a process knows what another one has changed. SQLite
//! itself reports only that something was committed.
//!
//! One row with a column per kind of data is updated as the last statement of each transaction. SQLite has one writer
//! at a time, so nobody waits for that row. Triggers also count each document that is written, because other programs
//! write documents, too. A commit that counts nothing is another program's, and counts as a change of everything, unless
//! it is noticed together with one that does.

use crate::domain::topic::{Topic, TopicSet};
use crate::store::sql::columns::number;
use crate::store::sql::conn::Row;
use crate::store::sql::error::reading;
use crate::store::sql::statement::{Sql, Statement};
use crate::store::sql::topics::Written;
use crate::store::{ChangeSender, Result};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteConnection;
use std::sync::{Mutex, PoisonError};

/// The column that counts commits with data that belongs to no topic.
const BOOKKEEPING: &str = "bookkeeping";

/// The counters at one instant. They only grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) struct CommitCounts {
    topics: [u64; Topic::ALL.len()],
    bookkeeping: u64,
}

impl CommitCounts {
    /// Reads the counters.
    pub(super) async fn read(conn: &mut SqliteConnection) -> Result<Self> {
        let mut sql = Sql::new("SELECT ");
        push_columns(&mut sql);
        sql.push(" FROM commit_counts WHERE id = 1");
        let text = AssertSqlSafe(sql.query().text.into_owned());
        Self::of_row(&Row::Sqlite(sqlx::query(text).fetch_one(conn).await.map_err(reading)?))
    }

    /// Returns the statement that counts a commit of `written`, and returns the counters with it.
    pub(in crate::store) fn increment(written: Written) -> Statement {
        let mut sql = Sql::new("UPDATE commit_counts SET ");
        for topic in Topic::ALL {
            let column = topic.word();
            sql.push(column).push(" = ").push(column).push(" + ");
            sql.bind(i64::from(written.topics.contains(topic))).push(", ");
        }
        sql.push(BOOKKEEPING).push(" = ").push(BOOKKEEPING).push(" + ").bind(i64::from(written.bookkeeping));
        sql.push(" WHERE id = 1 RETURNING ");
        push_columns(&mut sql);
        sql.query()
    }

    /// Converts a row with the counters.
    pub(in crate::store) fn of_row(row: &Row) -> Result<Self> {
        let mut topics = [0; Topic::ALL.len()];
        for topic in Topic::ALL {
            topics[topic as usize] = number(row, topic.word())?;
        }
        Ok(Self { topics, bookkeeping: number(row, BOOKKEEPING)? })
    }

    /// Returns the topics that have been counted more often than in `earlier`.
    fn grown_since(&self, earlier: &Self) -> TopicSet {
        let grown = |topic: &Topic| self.topics[*topic as usize] > earlier.topics[*topic as usize];
        Topic::ALL.into_iter().filter(grown).collect()
    }

    /// Returns the greater value of each counter.
    fn max(mut self, other: &Self) -> Self {
        for (own, other) in self.topics.iter_mut().zip(other.topics) {
            *own = other.max(*own);
        }
        self.bookkeeping = self.bookkeeping.max(other.bookkeeping);
        self
    }
}

fn push_columns(sql: &mut Sql) {
    for topic in Topic::ALL {
        sql.push(topic.word()).push(", ");
    }
    sql.push(BOOKKEEPING);
}

/// Publishes changes by the counters: those of this process at once, and those of others when their commits are
/// noticed. Each commit is published once, whoever notices it first.
pub(super) struct CountedChanges {
    sender: ChangeSender,
    /// The counters up to which all changes have been published.
    published: Mutex<CommitCounts>,
}

impl CountedChanges {
    /// Creates a publisher for a store that has these counters now.
    pub(super) fn new(sender: ChangeSender, now: CommitCounts) -> Self {
        Self { sender, published: Mutex::new(now) }
    }

    /// Publishes a commit of this process: `counts` are the counters that it wrote. Also publishes earlier commits of
    /// others that have not been noticed yet.
    pub(super) fn committed(&self, written: Written, counts: CommitCounts) {
        self.sender.publish(written.topics | self.advance(counts));
    }

    /// Publishes commits that the counters `now` show.
    pub(super) fn observed(&self, now: CommitCounts) {
        self.sender.publish(self.advance(now));
    }

    /// Publishes a change of unknown topic.
    pub(super) fn changed(&self) {
        self.sender.publish(TopicSet::ALL);
    }

    /// Notes that all changes up to `now` are published; returns the topics of those that were not.
    fn advance(&self, now: CommitCounts) -> TopicSet {
        // The value is replaced as a whole, so a panic leaves it consistent.
        let mut published = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        let grown = now.grown_since(&published);
        *published = published.max(&now);
        grown
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations::MIGRATIONS;

    const JOBS: TopicSet = TopicSet::of(&[Topic::Jobs]);
    const PAUSES: TopicSet = TopicSet::of(&[Topic::Pauses]);

    fn counts(jobs: u64, pauses: u64, bookkeeping: u64) -> CommitCounts {
        let mut topics = [7; Topic::ALL.len()];
        (topics[Topic::Jobs as usize], topics[Topic::Pauses as usize]) = (jobs, pauses);
        CommitCounts { topics, bookkeeping }
    }

    fn written(topics: TopicSet) -> Written {
        Written { topics, bookkeeping: false }
    }

    #[test]
    fn each_commit_is_published_once_whoever_notices_it_first() {
        let sender = ChangeSender::default();
        let mut changes = sender.subscribe();
        let counted = CountedChanges::new(sender, counts(1, 1, 1));
        let mut told = move || {
            let told = futures_util::FutureExt::now_or_never(changes.changed());
            told.map_or(TopicSet::NONE, |told| told.expect("the sender lives"))
        };
        counted.committed(written(JOBS), counts(2, 1, 1));
        assert_eq!(told(), JOBS);
        counted.observed(counts(2, 1, 1));
        assert_eq!(told(), TopicSet::NONE, "its own commit, noticed in the file");
        counted.observed(counts(3, 1, 2));
        assert_eq!(told(), JOBS, "another process's");
        counted.observed(counts(3, 1, 9));
        assert_eq!(told(), TopicSet::NONE, "only bookkeeping, such as heartbeats");
        // Another process has committed just before, and the own commit shows it first.
        counted.committed(written(JOBS), counts(4, 2, 9));
        assert_eq!(told(), JOBS | PAUSES);
        counted.observed(counts(4, 2, 9));
        // The own commit is noticed in the file before it is published.
        counted.observed(counts(5, 2, 9));
        assert_eq!(told(), JOBS);
        counted.committed(written(JOBS), counts(5, 2, 9));
        assert_eq!(told(), JOBS, "rather once more than not at all");
        counted.observed(counts(5, 3, 9));
        assert_eq!(told(), PAUSES);
        counted.changed();
        assert_eq!(told(), TopicSet::ALL);
    }

    #[test]
    fn every_topic_has_a_column() {
        let all: String = MIGRATIONS.iter().map(|migration| migration.sqlite).collect();
        // Later topics are columns that were added.
        let (_, table) = all.split_once("CREATE TABLE commit_counts").expect("a migration makes it");
        for column in Topic::ALL.into_iter().map(Topic::word).chain([BOOKKEEPING]) {
            let is_own = table.contains(&format!("    {column} INTEGER NOT NULL DEFAULT 0"));
            let is_added =
                table.contains(&format!("TABLE commit_counts ADD COLUMN {column} INTEGER NOT NULL DEFAULT 0"));
            assert!(is_own || is_added, "{column}");
        }
    }
}
