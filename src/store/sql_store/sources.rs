//! The interface of sources, [`SourceStore`], on an SQL database.

use super::SqlStore;
use crate::domain::id::{DocumentId, ProposalId, SourceId};
use crate::domain::listing::ListedPage;
use crate::domain::source::{Proposal, ProposalDecision, ReadLease, SourceRead, SourceSummary};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sources::{compare, complete, edit, proposals, reads, rows};
use crate::store::{
    CompletedRead, FailedRead, MissingPage, NewSource, ProposalQuery, ProposalResult, Result, SourceEdit, SourceEdited,
    SourceStore,
};
use async_trait::async_trait;

#[async_trait]
impl SourceStore for SqlStore {
    async fn add_source(&self, source: &NewSource, by: &SafeLine) -> Result<Option<SourceId>> {
        rows::add(&self.db, source, by).await
    }

    async fn sources(&self) -> Result<Vec<SourceSummary>> {
        rows::all(&self.db).await
    }

    async fn source_reads(&self, source: SourceId, limit: u32) -> Result<Vec<SourceRead>> {
        rows::reads(&self.db, source, limit).await
    }

    async fn edit_source(&self, source: SourceId, edit: &SourceEdit) -> Result<SourceEdited> {
        edit::edit(&self.db, source, edit).await
    }

    async fn note_modified(&self, dates: &[(DocumentId, Timestamp)]) -> Result<()> {
        compare::note_modified(&self.db, dates).await
    }

    async fn remove_source(&self, source: SourceId) -> Result<bool> {
        rows::remove(&self.db, source).await
    }

    async fn request_reads(&self, sources: &[SourceId], allows_smaller: bool, by: &SafeLine) -> Result<u64> {
        reads::request(&self.db, sources, allows_smaller, by).await
    }

    async fn claim_read(&self, holder: &str, worker: &SafeLine, only: Option<SourceId>) -> Result<Option<ReadLease>> {
        reads::claim(&self.db, holder, worker, only).await
    }

    async fn renew_read(&self, lease: &ReadLease) -> Result<bool> {
        reads::renew(&self.db, lease).await
    }

    async fn stage_pages(&self, lease: &ReadLease, pages: &[ListedPage]) -> Result<bool> {
        reads::stage(&self.db, lease, pages).await
    }

    async fn missing_pages(&self, lease: &ReadLease, limit: u32) -> Result<Vec<MissingPage>> {
        complete::missing(&self.db, lease, limit).await
    }

    async fn complete_read(&self, lease: &ReadLease, read: &CompletedRead) -> Result<Option<SourceRead>> {
        complete::complete(&self.db, lease, read).await
    }

    async fn fail_read(&self, lease: &ReadLease, read: &FailedRead) -> Result<Option<SourceRead>> {
        reads::fail(&self.db, lease, read).await
    }

    async fn proposals(&self, query: &ProposalQuery) -> Result<Vec<Proposal>> {
        proposals::list(&self.db, query).await
    }

    async fn decide_proposals(
        &self,
        proposals: &[ProposalId],
        decision: ProposalDecision,
        by: &SafeLine,
    ) -> Result<Vec<ProposalResult>> {
        proposals::decide(&self.db, proposals, decision, by).await
    }
}
