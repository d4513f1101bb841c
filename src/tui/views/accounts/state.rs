//! State of the accounts view: its rows, in the order of their ids.

use crate::domain::id::AccountId;
use crate::store::{AccountSeen, Seen};
use crate::tui::table::state::{Group, Table};

/// The table behind the accounts view.
pub type Accounts = Table<Seen<AccountSeen>>;

impl Group for AccountSeen {
    type Key = AccountId;

    fn key(&self) -> AccountId {
        self.id
    }
}

impl Accounts {
    /// Returns the number of attempts of all accounts in the last hour.
    pub fn last_hour(&self) -> u64 {
        self.data.rows.iter().map(|seen| seen.last_hour).sum()
    }
}
