//! The accounts view: its rows, in the order of their ids.

use super::{Reading, Stretch, Table, line_each};
use crate::domain::id::AccountId;
use crate::store::{AccountSeen, Seen};
use std::time::Duration;

/// The accounts view.
pub type Accounts = Table<Seen<AccountSeen>>;

impl Reading for Seen<AccountSeen> {
    type Key = AccountId;
    const PACE: Duration = Duration::from_secs(2);

    fn keys(&self) -> Vec<AccountId> {
        self.rows.iter().map(|seen| seen.id).collect()
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn stretch(&self, place: usize) -> Option<Stretch> {
        line_each(place, self.rows.len())
    }
}

impl Accounts {
    /// The account under the cursor.
    pub fn row(&self) -> Option<&AccountSeen> {
        self.data.rows.get(self.place)
    }

    /// Attempts of all accounts in the last hour.
    pub fn last_hour(&self) -> u64 {
        self.data.rows.iter().map(|seen| seen.last_hour).sum()
    }
}
