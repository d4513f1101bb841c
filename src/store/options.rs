//! Options for opening a store.

use crate::domain::outcome::Outcome;
use crate::store::sql::clock::{Clock, SystemClock};
use std::sync::Arc;

/// Permission to read, write or create a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reads and writes; creates the store if it is missing and migrates it.
    Create,
    /// Reads and writes; fails if the store does not exist.
    Write,
    /// Reads only: creates no file, migrates nothing, and every method that writes fails with
    /// [`StoreError::ReadOnly`](crate::store::StoreError::ReadOnly).
    ReadOnly,
}

/// Options for opening a store, for callers that need more than its URL.
#[derive(Clone)]
pub struct Options {
    pub access: Access,
    /// Source of the store's time; [`SystemClock`] yields to the server's clock on PostgreSQL.
    pub clock: Arc<dyn Clock>,
    /// Receives every outcome that this process records.
    pub recorder: Option<Recorder>,
}

/// A callback for the outcomes of one transaction of this process, called after its commit and in the order of the
/// outcomes' numbers. It delays further commits while it runs, so it must hand the outcomes on without waiting.
pub type Recorder = Arc<dyn Fn(&[Outcome]) + Send + Sync>;

impl Options {
    /// Returns options with the system's clock and without a recorder.
    pub fn new(access: Access) -> Self {
        Self { access, clock: Arc::new(SystemClock), recorder: None }
    }
}
