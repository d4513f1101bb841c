//! Options for opening a store.

use crate::domain::outcome::Outcome;
use crate::domain::retention::Retention;
use crate::store::sql::clock::{Clock, SystemClock};
use std::sync::Arc;

/// Permission to read, write or create a store. Opening never creates or migrates a PostgreSQL database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; creates an SQLite store if it is missing, and migrates an older one.
    Create,
    /// Reads and writes; fails if the store does not exist, and migrates an older SQLite store.
    Write,
    /// Reads and writes like [`Access::Create`], also a store that a copy has not completed.
    CopyTarget,
    /// Reads only: migrates nothing, and every method that writes fails with
    /// [`StoreError::ReadOnly`](crate::store::StoreError::ReadOnly). Never waits for a process that writes. SQLite may
    /// create its own files beside the store, as [`Access::Write`] does; where it cannot, this is [`Access::ReadOnly`].
    Read,
    /// Reads only, as with [`Access::Read`], and creates no file at all.
    ReadOnly,
}

impl Access {
    /// Returns true if an SQLite store is created where there is none.
    pub(super) const fn creates(self) -> bool {
        matches!(self, Self::Create | Self::CopyTarget)
    }

    /// Returns true if every method that writes fails.
    pub(super) const fn is_read_only(self) -> bool {
        matches!(self, Self::Read | Self::ReadOnly)
    }
}

/// Options for opening a store, for callers that need more than its URL.
#[derive(Clone)]
pub struct Options {
    pub access: Access,
    /// Source of the store's time. With [`SystemClock`], a PostgreSQL store uses the server's clock instead.
    pub clock: Arc<dyn Clock>,
    /// Receives every outcome that this process records.
    pub recorder: Option<Recorder>,
    /// Number of earlier texts that are kept of each document when a new one is stored.
    pub kept_versions: u32,
}

/// A callback that receives the outcomes of each transaction of this process after the commit, in the order of the
/// outcomes' numbers. Further commits of outcomes wait while the callback runs, so it must pass the outcomes on without
/// waiting.
pub type Recorder = Arc<dyn Fn(&[Outcome]) + Send + Sync>;

impl Options {
    /// Returns options with the system's clock and without a recorder.
    pub fn new(access: Access) -> Self {
        Self { access, clock: Arc::new(SystemClock), recorder: None, kept_versions: Retention::default().versions }
    }
}
