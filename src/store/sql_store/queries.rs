//! The interface for reads, [`Queries`], on an SQL database.

use super::SqlStore;
use crate::domain::content::StoredBaseline;
use crate::domain::document::{DocumentRow, StatusCounts};
use crate::domain::faq::FaqBacklog;
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::notification::SinkStatus;
use crate::domain::outcome::Outcome;
use crate::domain::pause::Pause;
use crate::domain::time::Timestamp;
use crate::store::queries::{
    accounts, contents, counts, dashboard, deadline, disk, documents, failures, faqs, hosts, jobs, outcomes, page,
    preview, workers,
};
use crate::store::queue::{pauses, purge};
use crate::store::{
    AccountSummary, BulkVerb, DashboardFigures, DiskUse, DocumentPage, DocumentRef, FailureSummary, HostSummary,
    JobsPage, JobsQuery, Listing, OutcomeQuery, PageQuery, Preview, QuarantinedContent, Queries, Result, Sort,
    StoredContent, StoredVersion, Targets, WorkerSummary, retention, sinks,
};
use async_trait::async_trait;

#[async_trait]
impl Queries for SqlStore {
    async fn find(&self, named: &DocumentRef) -> Result<Vec<DocumentRow>> {
        documents::find(&self.db, named).await
    }

    async fn page(&self, query: &PageQuery) -> Result<DocumentPage> {
        page::page(&self.db, query).await
    }

    async fn matching(&self, filter: &Filter, sort: Sort, limit: Option<u64>) -> Result<Vec<DocumentId>> {
        page::matching(&self.db, filter, sort, limit).await
    }

    async fn rows(&self, ids: &[DocumentId]) -> Result<Vec<DocumentRow>> {
        documents::rows(&self.db, ids).await
    }

    async fn counts(&self) -> Result<StatusCounts> {
        counts::counts(&self.db).await
    }

    async fn next_status_change(&self) -> Result<Option<Timestamp>> {
        deadline::next_status_change(&self.db).await
    }

    async fn stored(&self, document: DocumentId) -> Result<Option<StoredBaseline>> {
        contents::stored(&self.db, document).await
    }

    async fn content(&self, document: DocumentId) -> Result<Option<StoredContent>> {
        contents::content(&self.db, document).await
    }

    async fn versions(&self, document: DocumentId) -> Result<Vec<StoredVersion>> {
        contents::versions(&self.db, document).await
    }

    async fn version_text(&self, document: DocumentId, version: u64) -> Result<Option<String>> {
        contents::version_text(&self.db, document, version).await
    }

    async fn quarantined_content(&self, document: DocumentId) -> Result<Option<QuarantinedContent>> {
        contents::quarantined_content(&self.db, document).await
    }

    async fn preview(&self, of: &Targets, verb: BulkVerb) -> Result<Preview> {
        preview::preview(&self.db, of, verb).await
    }

    async fn faq_backlog(&self) -> Result<Option<FaqBacklog>> {
        faqs::backlog(&self.db).await
    }

    async fn unreadable_faqs(&self) -> Result<Option<String>> {
        faqs::unreadable(&self.db).await
    }

    async fn purgeable(&self) -> Result<u64> {
        purge::purgeable(&self.db).await
    }

    async fn pauses(&self) -> Result<Vec<Pause>> {
        pauses::list(&self.db).await
    }

    async fn workers(&self) -> Result<Vec<WorkerSummary>> {
        workers::workers(&self.db).await
    }

    async fn jobs(&self, query: &JobsQuery) -> Result<JobsPage> {
        jobs::jobs(&self.db, query).await
    }

    async fn accounts(&self) -> Result<Listing<AccountSummary>> {
        accounts::accounts(&self.db).await
    }

    async fn hosts(&self) -> Result<Listing<HostSummary>> {
        hosts::hosts(&self.db).await
    }

    async fn failures(&self) -> Result<Listing<FailureSummary>> {
        failures::failures(&self.db).await
    }

    async fn outcomes(&self, query: &OutcomeQuery) -> Result<Vec<Outcome>> {
        outcomes::outcomes(&self.db, query).await
    }

    async fn last_seq(&self) -> Result<Seq> {
        outcomes::last_seq(&self.db).await
    }

    async fn pruned_up_to(&self) -> Result<Seq> {
        retention::pruned_up_to(&self.db).await
    }

    async fn sinks(&self) -> Result<Vec<SinkStatus>> {
        sinks::status(&self.db).await
    }

    async fn dashboard(&self) -> Result<DashboardFigures> {
        dashboard::figures(&self.db).await
    }

    async fn disk_use(&self) -> Result<DiskUse> {
        disk::disk_use(&self.db).await
    }

    async fn outcomes_before(&self, before: Timestamp) -> Result<u64> {
        disk::outcomes_before(&self.db, before).await
    }
}
