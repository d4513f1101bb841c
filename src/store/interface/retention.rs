//! The interface for retention: removal of outcomes, jobs and texts that are old.

use crate::domain::retention::Retention;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Removal of what is old, in steps that other writers hardly notice.
#[async_trait]
pub trait RetentionStore: StoreBase {
    /// Removes a few of the rows that `keep` does not keep: at most 500, and as many as take about 5 ms, in one
    /// transaction. One process at a time acts, under a lease in the database that `holder` names, unique per process;
    /// another one may act 30 s after its last step. The caller pauses between steps.
    async fn remove_old(&self, keep: &Retention, holder: &str) -> Result<RetentionStep>;
}

/// The result of a step of the removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionStep {
    /// Rows were removed, or checked and kept; there may be more.
    More(Removed),
    /// Nothing is left to remove for now.
    Done,
    /// Another process has the lease.
    LeaseTaken,
}

/// Numbers of what a step has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub outcomes: u64,
    pub jobs: u64,
    /// Earlier texts of documents.
    pub versions: u64,
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, other: Self) {
        self.outcomes += other.outcomes;
        self.jobs += other.jobs;
        self.versions += other.versions;
    }
}
