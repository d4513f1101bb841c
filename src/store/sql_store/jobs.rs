//! The interface for workers, [`JobStore`], on an SQL database.

use super::SqlStore;
use crate::chatwoot::crawling::Crawling;
use crate::domain::chatwoot_text::Generation;
use crate::domain::id::{DocumentId, WorkerId};
use crate::domain::lock::LockHolder;
use crate::domain::representation::{HostMarkdown, MarkdownFinding};
use crate::domain::retry::RetryPolicy;
use crate::store::attempts::finish::Finishing;
use crate::store::attempts::{chatwoot_texts, host_markdown, leases, mark, rescue, workers};
use crate::store::chatwoot::crawling;
use crate::store::queries::contents;
use crate::store::queue::{claim, unfetchable};
use crate::store::{
    ClaimLimits, ClaimedJob, Finish, FinishResult, JobLease, JobStore, LeaseStatus, MarkResult, RescueResult, Result,
    WorkerInfo,
};
use async_trait::async_trait;
use std::sync::atomic::Ordering;
use std::time::Duration;

#[async_trait]
impl JobStore for SqlStore {
    async fn register(&self, worker: &WorkerInfo) -> Result<()> {
        workers::register(&self.db, &self.liveness, worker).await
    }

    async fn update_worker(&self, worker: &WorkerInfo) -> Result<()> {
        workers::update(&self.db, &self.liveness, worker).await
    }

    async fn unregister(&self, worker: &WorkerId) -> Result<()> {
        workers::unregister(&self.db, &self.liveness, worker).await
    }

    async fn claim(&self, worker: &WorkerId, limits: ClaimLimits) -> Result<Vec<ClaimedJob>> {
        self.liveness.record_lease(limits.lease);
        let expects_work = self.finds_work.load(Ordering::Relaxed);
        let unfetchable = self.liveness.unfetchable(&worker.0);
        let claimed = claim::claim(&self.db, worker, limits, unfetchable, expects_work).await?;
        self.finds_work.store(!claimed.is_empty(), Ordering::Relaxed);
        self.open_attempts.add(claimed.len());
        Ok(claimed)
    }

    async fn has_fetchable_jobs(&self, worker: &WorkerId) -> Result<bool> {
        unfetchable::has_fetchable_jobs(&self.db, &self.liveness.unfetchable(&worker.0)).await
    }

    async fn mark(&self, lease: JobLease) -> Result<MarkResult> {
        self.db.ensure_writable()?;
        self.marks.send(lease).await
    }

    async fn defer(&self, lease: JobLease, holder: &LockHolder, delay: Duration) -> Result<FinishResult> {
        let deferred = mark::defer(&self.db, lease, holder, delay).await?;
        self.open_attempts.remove(1);
        Ok(deferred)
    }

    async fn heartbeat(&self, worker: &WorkerId, leased: &[JobLease], lease: Duration) -> Result<Vec<LeaseStatus>> {
        self.open_attempts.correct(leased.len());
        workers::heartbeat(&self.db, &self.liveness, worker, leased, lease).await
    }

    async fn cancel_requested(&self, leased: &[JobLease]) -> Result<Vec<JobLease>> {
        leases::cancel_requests(&self.db, leased).await
    }

    async fn host_markdown(&self, host: &str) -> Result<Option<HostMarkdown>> {
        host_markdown::read(&self.db, host).await
    }

    async fn stored_text(&self, document: DocumentId) -> Result<Option<String>> {
        Ok(contents::content(&self.db, document).await?.map(|content| content.text))
    }

    async fn chatwoot_generation(&self) -> Result<Option<Generation>> {
        chatwoot_texts::generation(&self.db).await
    }

    async fn crawling(&self) -> Result<Crawling> {
        crawling::read(&self.db).await
    }

    async fn record_markdown(&self, host: &str, finding: MarkdownFinding) -> Result<HostMarkdown> {
        host_markdown::record(&self.db, host, finding).await
    }

    async fn finish(&self, finish: Finish, policy: &RetryPolicy) -> Result<FinishResult> {
        self.db.ensure_writable()?;
        let finished = self.finishes.send(Finishing { finish, policy: policy.clone() }).await;
        // A finish that failed is sent again.
        if finished.is_ok() {
            self.open_attempts.remove(1);
        }
        finished
    }

    async fn release(&self, leased: &[JobLease]) -> Result<()> {
        leases::release(&self.db, leased).await?;
        self.open_attempts.remove(leased.len());
        Ok(())
    }

    async fn rescue(&self) -> Result<RescueResult> {
        rescue::rescue(&self.db, &self.liveness).await
    }
}
