//! State of the failures view: its rows, in the order of the read.

use crate::domain::failure_cause::FailureCause;
use crate::store::{FailureSummary, Listing};
use crate::tui::table::state::{TableRow, TableState};

/// The table behind the failures view.
pub type FailuresTable = TableState<Listing<FailureSummary>>;

impl TableRow for FailureSummary {
    type Key = FailureCause;

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
