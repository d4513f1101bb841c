//! The interface for workers, [`JobStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::WorkerId;
use crate::domain::lock::LockHolder;
use crate::domain::retry::RetryPolicy;
use crate::store::attempts::finish::Finishing;
use crate::store::attempts::{leases, mark, rescue, workers};
use crate::store::queue::claim;
use crate::store::{Beat, ClaimLimits, Claimed, Finish, Finished, Held, JobStore, Marked, Rescued, Result, WorkerInfo};
use async_trait::async_trait;
use std::time::Duration;

#[async_trait]
impl JobStore for SqlStore {
    async fn register(&self, worker: &WorkerInfo) -> Result<()> {
        workers::register(&self.db, &self.liveness, worker).await
    }

    async fn unregister(&self, worker: &WorkerId) -> Result<()> {
        workers::unregister(&self.db, &self.liveness, worker).await
    }

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<Claimed>> {
        self.liveness.leased(limits.lease);
        claim::claim(&self.db, worker, limits).await
    }

    async fn mark(&self, held: Held) -> Result<Marked> {
        self.db.writable()?;
        self.marks.send(held).await
    }

    async fn defer(&self, held: Held, holder: &LockHolder, again: Duration) -> Result<Finished> {
        mark::defer(&self.db, held, holder, again).await
    }

    async fn beat(&self, worker: &WorkerId, held: &[Held], lease: Duration) -> Result<Vec<Beat>> {
        workers::beat(&self.db, &self.liveness, worker, held, lease).await
    }

    async fn cancels(&self, held: &[Held]) -> Result<Vec<Held>> {
        leases::cancels(&self.db, held).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<Finished> {
        self.db.writable()?;
        self.finishes.send(Finishing { finish, policy: policy.clone() }).await
    }

    async fn release(&self, held: &[Held]) -> Result<()> {
        leases::release(&self.db, held).await
    }

    async fn rescue(&self) -> Result<Rescued> {
        rescue::rescue(&self.db, &self.liveness).await
    }
}
