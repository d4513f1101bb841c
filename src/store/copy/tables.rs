//! What a copy does with each table, and the columns of those whose rows it carries.

/// Type of a column, which decides how it is read and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    Int,
    Text,
    Bytes,
    /// A time of `captain_documents`: a timestamp on PostgreSQL.
    Time,
    /// An object, which PostgreSQL keeps in another form than it was written in.
    Json,
}

/// A column that is copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct CopiedColumn {
    pub(super) name: &'static str,
    pub(super) kind: ColumnKind,
}

/// A table whose rows are copied, in the order of its key.
#[derive(Clone, Copy, Debug)]
pub(super) struct TableShape {
    /// Name in statements: with `@` if the table is our own.
    pub(super) name: &'static str,
    /// Columns of the key. They come first in `columns`.
    pub(super) key: usize,
    pub(super) columns: &'static [CopiedColumn],
    /// Size of a row's long values in bytes, as an expression of a row `t`; `None` if its rows are short.
    pub(super) size: Option<&'static str>,
}

impl TableShape {
    /// Returns the columns of the key.
    pub(super) fn key_columns(&self) -> &'static [CopiedColumn] {
        &self.columns[..self.key]
    }
}

/// What becomes of a table.
#[cfg(test)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TableDecision {
    /// Its rows are carried ([`COPIED`]).
    Rows,
    /// Its one row is carried when the copy is complete (`state.rs`).
    State,
    /// Each store has its own.
    Own,
    /// Triggers make its rows of what is carried.
    Derived,
    /// It says what runs or waits to run, which ends with the source.
    Left,
    /// It is used on a database of Chatwoot only.
    Chatwoot,
}

/// The decision for each table of both databases. A test demands that none is forgotten.
#[cfg(test)]
const DECISIONS: [(&str, TableDecision); 40] = [
    ("captain_documents", TableDecision::Rows),
    ("document_state", TableDecision::Rows),
    ("document_versions", TableDecision::Rows),
    ("held_contents", TableDecision::Rows),
    ("outcomes", TableDecision::Rows),
    ("last_outcomes", TableDecision::Rows),
    ("outbox", TableDecision::Rows),
    ("sinks", TableDecision::Rows),
    ("sink_conditions", TableDecision::Rows),
    ("sources", TableDecision::Rows),
    ("source_reads", TableDecision::Rows),
    ("source_pages", TableDecision::Rows),
    ("proposals", TableDecision::Rows),
    ("accounts_sched", TableDecision::Rows),
    ("hosts_sched", TableDecision::Rows),
    ("host_templates", TableDecision::Rows),
    ("host_markdown", TableDecision::Rows),
    ("pauses", TableDecision::Rows),
    ("samples", TableDecision::Rows),
    ("outcome_seq", TableDecision::State),
    ("sched_clock", TableDecision::State),
    ("scheduler", TableDecision::State),
    ("retention", TableDecision::State),
    ("store_identity", TableDecision::State),
    ("migrations", TableDecision::Own),
    ("made", TableDecision::Own),
    ("commit_counts", TableDecision::Own),
    ("document_status", TableDecision::Derived),
    ("document_counts", TableDecision::Derived),
    ("host_counts", TableDecision::Derived),
    ("document_words", TableDecision::Derived),
    ("jobs", TableDecision::Left),
    ("lanes", TableDecision::Left),
    ("batches", TableDecision::Left),
    ("batch_members", TableDecision::Left),
    ("workers", TableDecision::Left),
    ("shadow_passes", TableDecision::Chatwoot),
    ("document_faqs", TableDecision::Chatwoot),
    ("faq_jobs", TableDecision::Chatwoot),
    // A store without Chatwoot may have it on PostgreSQL; `accounts_sched` has what the schedule made of it.
    ("accounts", TableDecision::Chatwoot),
];

macro_rules! columns {
    ($($kind:ident $name:literal),* $(,)?) => {
        &[$(CopiedColumn { name: $name, kind: ColumnKind::$kind }),*]
    };
}

/// Columns of an outcome after its key.
macro_rules! outcome {
    ($($first:tt)*) => {
        columns![
            $($first)*, Int "at", Int "account_id", Int "assistant_id", Text "name", Text "url", Text "host",
            Int "job_id", Int "attempt", Int "token", Int "queue", Text "result", Text "error_code",
            Text "exception_class", Int "duration_ms", Int "http_status", Text "detail", Text "content", Int "bytes",
            Int "next_attempt_at", Text "worker", Text "requested_by", Int "stages",
        ]
    };
}

/// The tables whose rows are carried, in the order in which they are written: plans before documents, whose statuses
/// depend on them, and outcomes before the states of documents, since a trigger on outcomes numbers the texts of states.
pub(super) const COPIED: [TableShape; 19] = [
    TableShape {
        name: "@accounts_sched",
        key: 1,
        columns: columns![Int "account_id", Int "weight", Text "plan", Int "cadence", Int "max_running", Int "opens_at", Text "at_rule", Text "day_window"],
        size: None,
    },
    TableShape {
        name: "@pauses",
        key: 2,
        columns: columns![Text "scope", Text "key", Int "since", Text "paused_by"],
        size: None,
    },
    TableShape {
        name: "@hosts_sched",
        key: 1,
        columns: columns![
            Text "host", Int "held_until", Text "held_because", Int "asked_at", Int "spaced_until", Int "cool_downs",
            Text "notes", Text "held_kind",
        ],
        size: None,
    },
    TableShape {
        name: "@host_markdown",
        key: 1,
        columns: columns![Text "host", Text "verdict", Int "compared", Int "compared_at", Int "decided_at"],
        size: None,
    },
    TableShape {
        name: "@host_templates",
        key: 1,
        columns: columns![
            Text "host", Int "version", Int "pages", Int "blocks", Text "template", Text "sample", Int "updated_at",
        ],
        size: Some("octet_length(t.template) + octet_length(t.sample)"),
    },
    DOCUMENTS,
    TableShape { name: "@outcomes", key: 1, columns: outcome![Int "seq", Int "document_id"], size: None },
    TableShape { name: "@last_outcomes", key: 1, columns: outcome![Int "document_id", Int "seq"], size: None },
    TableShape {
        name: "@document_versions",
        key: 2,
        columns: columns![
            Int "document_id", Int "version", Int "replaced_at", Text "fingerprint", Int "content_length",
            Text "content", Bytes "packed",
        ],
        size: Some("octet_length(t.content) + coalesce(octet_length(t.packed), 0)"),
    },
    TableShape {
        name: "@held_contents",
        key: 1,
        columns: columns![
            Int "document_id", Int "job_id", Int "held_at", Text "reason", Text "fingerprint", Int "converter",
            Text "title", Text "content", Int "rejected_at",
        ],
        size: Some("octet_length(t.content)"),
    },
    STATES,
    TableShape {
        name: "@outbox",
        key: 1,
        columns: columns![
            Int "id", Text "subscriber", Text "key", Text "payload", Int "created_at", Int "attempts", Int "next_at",
            Text "last_error", Int "outcome_seq", Int "tried_at",
        ],
        size: Some("octet_length(t.payload)"),
    },
    TableShape {
        name: "@sinks",
        key: 1,
        columns: columns![
            Text "name", Text "kind", Text "triggers", Int "registered_at", Int "disabled_at", Text "disabled_reason",
            Int "delivered_at", Int "delivered", Int "quiet_until",
        ],
        size: None,
    },
    TableShape {
        name: "@sink_conditions",
        key: 3,
        columns: columns![Text "sink", Text "condition", Text "subject", Int "began_at", Text "detail"],
        size: None,
    },
    TableShape {
        name: "@sources",
        key: 1,
        columns: columns![
            Int "id", Text "name", Text "url", Text "host", Int "account_id", Int "assistant_id", Text "settings",
            Int "created_at", Text "created_by", Int "next_at", Text "requested_by", Int "allows_smaller",
            Int "attempts", Int "losses", Int "read", Text "holder", Text "worker", Int "held_until", Int "started_at",
            Int "ended_at", Text "result", Text "detail", Text "counts", Int "complete_at", Int "pages",
        ],
        size: None,
    },
    TableShape {
        name: "@source_reads",
        key: 2,
        columns: columns![
            Int "source_id", Int "read", Int "started_at", Int "ended_at", Text "result", Text "counts", Text "detail",
            Text "worker", Text "requested_by",
        ],
        size: None,
    },
    TableShape {
        name: "@source_pages",
        key: 2,
        columns: columns![
            Int "source_id", Text "key", Text "url", Int "read", Int "lastmod", Int "missing_since",
        ],
        size: None,
    },
    TableShape {
        name: "@proposals",
        key: 1,
        columns: columns![
            Int "id", Int "source_id", Text "key", Text "kind", Text "url", Text "target", Int "document_id",
            Text "reason", Int "created_at", Text "state", Int "decided_at", Text "decided_by",
        ],
        size: None,
    },
    TableShape {
        name: "@samples",
        key: 1,
        columns: columns![
            Int "minute", Int "last_seq", Int "updated", Int "unchanged", Int "permanent_failures",
            Int "transient_failures", Int "unexpected_failures", Int "workers_lost", Int "gave_up", Text "durations",
            Int "ready", Int "running", Int "oldest_ready", Int "disk_bytes",
        ],
        size: None,
    },
];

/// Documents. Those with a running attempt are read as they were before it, since jobs are not carried.
pub(super) const DOCUMENTS: TableShape = TableShape {
    name: "captain_documents",
    key: 1,
    columns: columns![
        Int "id", Text "name", Text "external_link", Int "assistant_id", Int "account_id", Int "status",
        Int "sync_status", Time "last_synced_at", Time "last_sync_attempted_at", Time "created_at", Time "updated_at",
        Json "metadata", Text "content",
    ],
    size: Some("coalesce(octet_length(t.content), 0)"),
};

/// States of documents. PostgreSQL has one column more, `text_print`, which follows from the others.
pub(super) const STATES: TableShape = TableShape {
    name: "@document_state",
    key: 1,
    columns: columns![
        Int "document_id", Text "host", Int "fence", Int "content_version", Int "content_length", Text "etag",
        Text "last_modified", Int "job_id", Text "error_code", Text "detail", Int "http_status", Text "recent",
        Int "failures", Text "unfit_link", Int "fetched_whole_at", Text "validated", Int "converter",
        Text "body_digest", Int "template_version", Text "main_digest", Int "generation", Int "generation_seen_at",
        Int "text_at", Int "text_seq", Int "first_text_seq", Int "text_version", Int "text_changed_at",
        Text "last_content", Int "restored_version", Int "failure_cluster", Int "failed_since", Int "failed_at",
        Int "lastmod",
    ],
    size: None,
};

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]

    use super::*;
    use crate::store::migrations::MIGRATIONS;
    use rusqlite::Connection;
    use std::collections::BTreeSet;

    const STANDALONE: [&str; 2] = [
        include_str!("../../../assets/migrations/postgres/standalone_documents.sql"),
        include_str!("../../../assets/migrations/postgres/standalone_accounts.sql"),
    ];

    fn created(sql: &str) -> impl Iterator<Item = &str> {
        sql.split("CREATE TABLE ").skip(1).map(|after| {
            let after = after.strip_prefix("IF NOT EXISTS ").unwrap_or(after);
            let after = after.strip_prefix("quarterdeck.").unwrap_or(after);
            after.split([' ', '(']).next().unwrap_or_default()
        })
    }

    #[test]
    fn it_is_decided_what_becomes_of_each_table() {
        let scripts = MIGRATIONS.iter().flat_map(|file| [file.sqlite, file.postgres]).chain(STANDALONE);
        let made: BTreeSet<_> = scripts.flat_map(created).collect();
        let decided: BTreeSet<_> = DECISIONS.iter().map(|(name, _)| *name).collect();
        assert_eq!(made, decided);
        let rows = DECISIONS.iter().filter(|(_, decision)| *decision == TableDecision::Rows).map(|(name, _)| *name);
        let copied: BTreeSet<_> = COPIED.iter().map(|table| table.name.trim_start_matches('@')).collect();
        assert_eq!(rows.collect::<BTreeSet<_>>(), copied);
    }

    #[test]
    fn every_column_is_copied() {
        let db = Connection::open_in_memory().unwrap();
        for migration in &MIGRATIONS {
            db.execute_batch(migration.sqlite).unwrap();
        }
        for table in COPIED {
            let name = table.name.trim_start_matches('@');
            let mut columns = db.prepare("SELECT name FROM pragma_table_info(?)").unwrap();
            let columns = columns.query_map([name], |row| row.get::<_, String>(0)).unwrap();
            let made: BTreeSet<String> = columns.map(Result::unwrap).collect();
            let listed: BTreeSet<String> = table.columns.iter().map(|column| column.name.to_owned()).collect();
            assert_eq!(made, listed, "{name}");
        }
    }
}
