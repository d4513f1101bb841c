//! The topics of statements that write: which of the store's tables contain which kind of data.

use crate::domain::topic::{Topic, TopicSet};
use crate::store::sql::statement::Statement;

/// The tables that transactions write, each with the topic of its data. `None` is bookkeeping, which nobody reads
/// again after a commit.
const TABLES: [(&str, Option<Topic>); 31] = [
    ("captain_documents", Some(Topic::Documents)),
    ("document_state", Some(Topic::Documents)),
    ("document_status", Some(Topic::Documents)),
    ("document_counts", Some(Topic::Documents)),
    ("host_counts", Some(Topic::Documents)),
    ("document_versions", Some(Topic::Documents)),
    ("held_contents", Some(Topic::Documents)),
    // The cadence of an account decides from when on its documents are stale.
    ("accounts_sched", Some(Topic::Documents)),
    ("jobs", Some(Topic::Jobs)),
    // Their progress follows from jobs.
    ("batches", Some(Topic::Jobs)),
    ("batch_members", Some(Topic::Jobs)),
    ("lanes", Some(Topic::Jobs)),
    ("sched_clock", Some(Topic::Jobs)),
    ("outcomes", Some(Topic::Outcomes)),
    ("outcome_seq", Some(Topic::Outcomes)),
    ("hosts_sched", Some(Topic::Hosts)),
    ("pauses", Some(Topic::Pauses)),
    ("workers", Some(Topic::Workers)),
    ("sources", Some(Topic::Sources)),
    ("source_reads", Some(Topic::Sources)),
    ("proposals", Some(Topic::Sources)),
    ("source_pages", None),
    ("host_templates", None),
    ("outbox", None),
    ("sinks", None),
    ("sink_conditions", None),
    ("host_markdown", None),
    ("scheduler", None),
    ("retention", None),
    // The console reads them once a minute.
    ("samples", None),
    ("last_outcomes", None),
];

/// The topics of the data that a transaction has written so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Written {
    pub(in crate::store) topics: TopicSet,
    /// Data was written that belongs to no topic.
    pub(in crate::store) bookkeeping: bool,
}

impl Written {
    /// Returns what `statement` writes if it affects any row; `None` if it only reads. A table that is not in the list
    /// counts as every topic.
    pub(in crate::store) fn by(statement: &Statement) -> Option<Self> {
        written_table(&statement.text).map(Self::to)
    }

    /// Returns what a change of `table` writes.
    pub(in crate::store) fn to(table: &str) -> Self {
        match TABLES.iter().find(|(name, _)| *name == table) {
            Some((_, Some(topic))) => Self { topics: TopicSet::of(&[*topic]), bookkeeping: false },
            Some((_, None)) => Self::BOOKKEEPING,
            None => Self { topics: TopicSet::ALL, bookkeeping: false },
        }
    }

    /// Bookkeeping alone.
    pub(in crate::store) const BOOKKEEPING: Self = Self { topics: TopicSet::NONE, bookkeeping: true };

    /// Adds what a statement has written.
    pub(in crate::store) fn add(&mut self, other: Self) {
        self.topics |= other.topics;
        self.bookkeeping |= other.bookkeeping;
    }

    /// Returns true if nothing was written.
    pub(in crate::store) fn is_empty(self) -> bool {
        self.topics.is_empty() && !self.bookkeeping
    }
}

/// Returns the name of the table that a statement writes; `None` if the statement only reads.
fn written_table(text: &str) -> Option<&str> {
    let rest = ["INSERT INTO ", "UPDATE ", "DELETE FROM "].iter().find_map(|verb| text.strip_prefix(verb))?;
    let rest = rest.strip_prefix('@').unwrap_or(rest);
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::migrations::MIGRATIONS;
    use crate::store::sql::statement::query;
    use std::collections::BTreeSet;

    /// Tables that no transaction of the store writes: the schema's own, and the counters of commits themselves.
    const NEVER_WRITTEN: [&str; 3] = ["store_identity", "migrations", "commit_counts"];

    #[test]
    fn every_table_has_a_topic_or_is_bookkeeping() {
        let mut made = BTreeSet::new();
        for migration in &MIGRATIONS {
            for after in migration.sqlite.split("CREATE TABLE ").skip(1) {
                let after = after.strip_prefix("IF NOT EXISTS ").unwrap_or(after);
                made.insert(after.split([' ', '(']).next().unwrap_or_default());
            }
        }
        let known: BTreeSet<_> = TABLES.iter().map(|(name, _)| *name).chain(NEVER_WRITTEN).collect();
        assert_eq!(made, known);
    }

    #[test]
    fn the_table_of_a_statement_is_found() {
        let topics = |text| Written::by(&query(text)).map(|written| written.topics);
        assert_eq!(topics("SELECT 1 FROM @jobs"), None);
        assert_eq!(topics("UPDATE @jobs SET state = 'done'"), Some(TopicSet::of(&[Topic::Jobs])));
        assert_eq!(topics("INSERT INTO @workers (id) VALUES (?)"), Some(TopicSet::of(&[Topic::Workers])));
        assert_eq!(topics("INSERT INTO @pauses(scope) VALUES (?)"), Some(TopicSet::of(&[Topic::Pauses])));
        assert_eq!(topics("DELETE FROM captain_documents WHERE id = ?"), Some(TopicSet::of(&[Topic::Documents])));
        assert_eq!(Written::by(&query("DELETE FROM @outbox")), Some(Written::BOOKKEEPING));
        assert_eq!(topics("DELETE FROM @a_later_table"), Some(TopicSet::ALL));
    }
}
