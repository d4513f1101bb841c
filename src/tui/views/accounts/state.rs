//! State of the accounts view: its rows, in the order of the accounts' ids.

use crate::domain::id::AccountId;
use crate::store::{AccountSummary, Listing};
use crate::tui::table::state::{TableRow, TableState};

/// The table behind the accounts view.
pub type AccountsTable = TableState<Listing<AccountSummary>>;

impl TableRow for AccountSummary {
    type Key = AccountId;

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
