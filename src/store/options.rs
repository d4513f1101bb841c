//! Options for opening a store.

use crate::domain::outcome::Outcome;
use crate::store::sql::clock::{Clock, SystemClock};
use std::sync::Arc;

/// What may be done with a store, and what must be there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing; made and migrated when it is missing.
    Create,
    /// Reading and writing; must exist.
    Write,
    /// Reading alone: no file is made, nothing is migrated, every method that writes answers [`StoreError::ReadOnly`].
    ReadOnly,
}

/// How a store is opened, for those who need more than its URL.
#[derive(Clone)]
pub struct Options {
    /// What may be done.
    pub access: Access,
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// Told of every outcome that this process records.
    pub recorder: Option<Recorder>,
}

/// Called with what a transaction of this process recorded, after its commit and in the order of the numbers. It holds
/// the writer up while it runs: it hands on, and does not wait.
pub type Recorder = Arc<dyn Fn(&[Outcome]) + Send + Sync>;

impl Options {
    /// The system's clock, and nobody told.
    pub fn new(access: Access) -> Self {
        Self { access, clock: Arc::new(SystemClock), recorder: None }
    }
}
