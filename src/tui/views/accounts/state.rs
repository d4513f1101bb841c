//! State of the accounts view: its rows, in the order of the accounts' ids.

use crate::domain::document::Status;
use crate::domain::id::AccountId;
use crate::store::{AccountSummary, Listing};
use crate::tui::table::order::{ColumnOrder, earliest_first, largest_first};
use crate::tui::table::state::{TableRow, TableState};

/// The table behind the accounts view.
pub type AccountsTable = TableState<Listing<AccountSummary>>;

impl TableRow for AccountSummary {
    type Key = AccountId;

    const ORDERS: &'static [ColumnOrder<Self>] = &[
        ColumnOrder { letter: 'a', heading: "account", compare: |a, b| a.id.cmp(&b.id) },
        ColumnOrder { letter: 'p', heading: "plan", compare: |a, b| a.plan.cmp(&b.plan) },
        ColumnOrder { letter: 'd', heading: "docs", compare: |a, b| largest_first(a.counts.total(), b.counts.total()) },
        ColumnOrder {
            letter: 'f',
            heading: "failed documents",
            compare: |a, b| largest_first(a.counts.of(Status::Failed), b.counts.of(Status::Failed)),
        },
        ColumnOrder { letter: 'r', heading: "run", compare: |a, b| largest_first(a.running, b.running) },
        ColumnOrder { letter: 'y', heading: "ready", compare: |a, b| largest_first(a.ready, b.ready) },
        ColumnOrder { letter: 'w', heading: "wait", compare: |a, b| largest_first(a.waiting, b.waiting) },
        ColumnOrder { letter: 'l', heading: "last hour", compare: |a, b| largest_first(a.last_hour, b.last_hour) },
        ColumnOrder { letter: 'n', heading: "next", compare: |a, b| earliest_first(a.next_due_at, b.next_due_at) },
    ];

    fn key(&self) -> AccountId {
        self.id
    }

    fn fades(&self) -> bool {
        self.last_hour > 0
    }
}

impl AccountsTable {
    /// Returns the number of attempts in the last hour, over all accounts that were read.
    pub fn last_hour(&self) -> u64 {
        self.data.rows.iter().map(|summary| summary.last_hour).sum()
    }
}
