//! State of the failures view: its rows, in the order of the read.

use super::cause::cause_title;
use crate::domain::failure_cause::FailureCause;
use crate::store::{FailureSummary, Listing};
use crate::tui::table::order::{ColumnOrder, largest_first};
use crate::tui::table::state::{TableRow, TableState};

/// The table behind the failures view.
pub type FailuresTable = TableState<Listing<FailureSummary>>;

impl TableRow for FailureSummary {
    type Key = FailureCause;

    const ORDERS: &'static [ColumnOrder<Self>] = &[
        ColumnOrder { letter: 'c', heading: "cause", compare: |a, b| cause_title(a).cmp(&cause_title(b)) },
        ColumnOrder { letter: 'd', heading: "docs", compare: |a, b| largest_first(a.documents, b.documents) },
        ColumnOrder { letter: 'h', heading: "hosts", compare: |a, b| largest_first(a.hosts, b.hosts) },
        ColumnOrder { letter: 'f', heading: "first seen", compare: |a, b| largest_first(a.first_at, b.first_at) },
        ColumnOrder { letter: 'l', heading: "last seen", compare: |a, b| largest_first(a.last_at, b.last_at) },
        ColumnOrder {
            letter: 't',
            heading: "last hour",
            compare: |a, b| largest_first(a.trend.iter().sum::<u64>(), b.trend.iter().sum::<u64>()),
        },
    ];

    fn key(&self) -> FailureCause {
        self.cause
    }

    fn fades(&self) -> bool {
        self.trend.iter().any(|failures| *failures > 0)
    }
}

impl FailuresTable {
    /// Returns the number of documents of all causes that were read.
    pub fn documents(&self) -> u64 {
        self.data.rows.iter().map(|summary| summary.documents).sum()
    }
}
