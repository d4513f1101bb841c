//! The interface for workers, [`JobStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::WorkerId;
use crate::domain::lock::LockHolder;
use crate::domain::retry::RetryPolicy;
use crate::store::attempts::finish::Finishing;
use crate::store::attempts::{leases, mark, rescue, workers};
use crate::store::queue::claim;
use crate::store::{
    ClaimLimits, ClaimedJob, Finish, FinishResult, JobLease, JobStore, LeaseStatus, MarkResult, RescueResult, Result,
    WorkerInfo,
};
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

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<ClaimedJob>> {
        self.liveness.record_lease(limits.lease);
        claim::claim(&self.db, worker, limits).await
    }

    async fn mark(&self, held: JobLease) -> Result<MarkResult> {
        self.db.ensure_writable()?;
        self.marks.send(held).await
    }

    async fn defer(&self, held: JobLease, holder: &LockHolder, again: Duration) -> Result<FinishResult> {
        mark::defer(&self.db, held, holder, again).await
    }

    async fn heartbeat(&self, worker: &WorkerId, held: &[JobLease], lease: Duration) -> Result<Vec<LeaseStatus>> {
        workers::heartbeat(&self.db, &self.liveness, worker, held, lease).await
    }

    async fn cancel_requested(&self, held: &[JobLease]) -> Result<Vec<JobLease>> {
        leases::cancel_requests(&self.db, held).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<FinishResult> {
        self.db.ensure_writable()?;
        self.finishes.send(Finishing { finish, policy: policy.clone() }).await
    }

    async fn release(&self, held: &[JobLease]) -> Result<()> {
        leases::release(&self.db, held).await
    }

    async fn rescue(&self) -> Result<RescueResult> {
        rescue::rescue(&self.db, &self.liveness).await
    }
}
