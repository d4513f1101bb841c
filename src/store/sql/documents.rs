//! The tables that a statement about documents reads.
//!
//! In a store of our own a list starts with `m`, the table `document_status`, whose triggers keep the status and the
//! times of each document in columns with indexes. On a database of Chatwoot, whose table gets no trigger, passes bring
//! the rows of `document_status` up to date. While there are none, a list starts with `d`, the table `captain_documents`,
//! and the status is computed from the document's row and its live job.

use crate::domain::content::ContentChange;
use crate::domain::filter::{Comparison, Filter, FilterCondition};
use crate::store::sql::dialect::Dialect;
use crate::store::sql::statement::Sql;

/// The table from which a list reads the status and the times of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum StatusSource {
    /// `document_status`, as `m`.
    Stored,
    /// `document_status`, as `m`, which lacks what Chatwoot has written since the last pass.
    Shadow,
    /// `captain_documents`, as `d`, with the live job `l` and the plan `c`.
    Computed,
}

impl StatusSource {
    /// Returns true if statuses are read from `document_status`.
    pub(in crate::store) const fn is_stored(self) -> bool {
        matches!(self, Self::Stored | Self::Shadow)
    }

    /// Returns `stored` or `computed`.
    pub(in crate::store) const fn pick(self, stored: &'static str, computed: &'static str) -> &'static str {
        match self {
            Self::Stored | Self::Shadow => stored,
            Self::Computed => computed,
        }
    }

    /// Returns the column of the document's id.
    pub(in crate::store) const fn id(self) -> &'static str {
        self.pick("m.document_id", "d.id")
    }

    /// Returns the time of the last attempt in microseconds.
    pub(in crate::store) const fn attempted_at(self) -> &'static str {
        self.pick("m.attempted_at", "micros(d.last_sync_attempted_at)")
    }

    /// Returns the time of the last successful sync in microseconds.
    pub(in crate::store) const fn synced_at(self) -> &'static str {
        self.pick("m.synced_at", "micros(d.last_synced_at)")
    }

    /// Returns the time of the scheduled job in microseconds; NULL without one.
    pub(in crate::store) const fn next_at(self) -> &'static str {
        self.pick("m.next_at", "(CASE WHEN l.state = 'scheduled' THEN l.run_at END)")
    }
}

/// The tables that a statement joins. Each is joined only on demand: with a hundred thousand documents an unused join
/// costs as much as the rest of the statement, and SQLite drops only some unused joins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::store) struct Joins {
    /// Joins `d`, the document's row.
    pub(in crate::store) documents: bool,
    /// Joins `s`, the document's row of `document_state`.
    pub(in crate::store) state: bool,
    /// Leaves out documents without a row in `s`, so that the database can start with an index of `s`.
    pub(in crate::store) only_with_state: bool,
    /// Joins `l`, the document's live job, and `c`, the stored plan of the document's account.
    pub(in crate::store) live: bool,
    /// Joins `f`, what is known of the document's FAQs. Only on a database of Chatwoot.
    pub(in crate::store) faqs: bool,
    /// Joins `j`, the document's live job or else its last one; implies `s`.
    pub(in crate::store) last: bool,
}

impl Joins {
    /// Joins no other table.
    pub(in crate::store) const NONE: Self =
        Self { documents: false, state: false, only_with_state: false, live: false, faqs: false, last: false };
    /// Joins all tables of a row, and leaves out no document.
    pub(in crate::store) const ALL: Self =
        Self { documents: true, state: true, only_with_state: false, live: true, faqs: false, last: true };
    /// Joins the document's row.
    pub(in crate::store) const DOCUMENTS: Self = Self { documents: true, ..Self::NONE };
    /// Joins our own state of the document.
    pub(in crate::store) const STATE: Self = Self { state: true, ..Self::NONE };

    /// Joins the tables from which a status or the time of a scheduled job is read.
    pub(in crate::store) const fn status(source: StatusSource) -> Self {
        match source {
            StatusSource::Stored | StatusSource::Shadow => Self::NONE,
            StatusSource::Computed => Self { live: true, ..Self::NONE },
        }
    }

    /// Returns the tables that the terms of `filter` need.
    pub(in crate::store) fn of(filter: &Filter, source: StatusSource) -> Self {
        filter.terms.iter().fold(Self::NONE, |joins, term| {
            joins.and(match &term.condition {
                FilterCondition::Word(_) => Self { documents: true, ..Self::STATE },
                FilterCondition::Kind(_) => Self::DOCUMENTS,
                // The host of a document without a row is known, too.
                FilterCondition::Host(_) if source == StatusSource::Computed => Self::STATE,
                FilterCondition::Status(_) | FilterCondition::Next(_) => Self::status(source),
                FilterCondition::Error(_)
                | FilterCondition::Http(_)
                | FilterCondition::Cause(_)
                | FilterCondition::Host(_) => Self { only_with_state: !term.negated, ..Self::STATE },
                FilterCondition::Changed(age) => {
                    Self { only_with_state: !term.negated && age.comparison == Comparison::Less, ..Self::STATE }
                }
                FilterCondition::Content(words) if words.iter().any(|word| *word != ContentChange::Quarantined) => {
                    Self::STATE
                }
                FilterCondition::Faq(_) if source == StatusSource::Computed => {
                    Self { documents: true, faqs: true, ..Self::STATE }
                }
                FilterCondition::Faq(_) => Self { faqs: true, ..Self::NONE },
                FilterCondition::Queue(_) => Self { last: true, ..Self::NONE },
                _ => Self::NONE,
            })
        })
    }

    /// Returns the tables of `self` and those of `other`.
    pub(in crate::store) const fn and(self, other: Self) -> Self {
        Self {
            documents: self.documents || other.documents,
            state: self.state || other.state,
            only_with_state: self.only_with_state || other.only_with_state,
            live: self.live || other.live,
            faqs: self.faqs || other.faqs,
            last: self.last || other.last,
        }
    }

    /// Appends ` FROM …` with the table of `source` and these joins.
    pub(in crate::store) fn push(self, sql: &mut Sql, source: StatusSource) {
        sql.push(source.pick(" FROM @document_status m", " FROM captain_documents d"));
        if source.is_stored() && (self.documents || self.live) {
            sql.push(" JOIN captain_documents d ON d.id = m.document_id");
        }
        self.push_others(sql, source);
    }

    /// Appends ` FROM …` like [`push`](Self::push), for the documents `ids` alone, written so that these are read one by
    /// one: a database would otherwise rather read an index of another term, however many documents that yields.
    pub(in crate::store) fn push_among(self, sql: &mut Sql, source: StatusSource, dialect: Dialect, ids: Vec<i64>) {
        match dialect {
            Dialect::Sqlite => {
                sql.push(" FROM json_each(").bind(ids).push(") n CROSS JOIN");
                sql.push(source.pick(" @document_status m ON m.document_id", " captain_documents d ON d.id"));
                sql.push(" = n.value");
            }
            Dialect::Postgres => {
                sql.push(" FROM (SELECT * FROM ").push(source.pick("@document_status", "captain_documents"));
                sql.push(" WHERE ").push(source.pick("document_id", "id")).push(" = ANY(").bind(ids);
                sql.push(") OFFSET 0) ").push(source.pick("m", "d"));
            }
        }
        if source.is_stored() && (self.documents || self.live) {
            sql.push(" JOIN captain_documents d ON d.id = m.document_id");
        }
        self.push_others(sql, source);
    }

    fn push_others(self, sql: &mut Sql, source: StatusSource) {
        if self.state || self.last {
            sql.push(if self.only_with_state { " JOIN" } else { " LEFT JOIN" });
            sql.push(" @document_state s ON s.document_id = ").push(source.id());
        }
        if self.live {
            sql.push(" LEFT JOIN @jobs l ON l.document_id = d.id AND l.state IN ('scheduled', 'ready', 'running')");
            sql.push(" LEFT JOIN @accounts_sched c ON c.account_id = d.account_id");
        }
        if self.faqs {
            sql.push(source.pick(
                " LEFT JOIN @document_faqs f ON f.document_id = m.document_id",
                " LEFT JOIN @faqs_of(NULL, NULL, NULL) f ON f.document = d.id",
            ));
        }
        if self.last {
            sql.push(" LEFT JOIN @jobs j ON j.id = s.job_id");
        }
    }
}
