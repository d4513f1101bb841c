//! Sources of the store in memory.

use super::memory::Memory;
use async_trait::async_trait;
use quarterdeck::domain::id::{DocumentId, ProposalId, SourceId};
use quarterdeck::domain::listing::ListedPage;
use quarterdeck::domain::source::{Proposal, ProposalDecision, ReadLease, SourceRead, SourceSummary};
use quarterdeck::domain::text::SafeLine;
use quarterdeck::domain::time::Timestamp;
use quarterdeck::store::{
    CompletedRead, FailedRead, MissingPage, NewSource, ProposalQuery, ProposalResult, Result, SourceEdit, SourceEdited,
    SourceStore,
};

#[async_trait]
impl SourceStore for Memory {
    async fn add_source(&self, _source: &NewSource, _by: &SafeLine) -> Result<Option<SourceId>> {
        unimplemented!("a console adds no source")
    }

    async fn sources(&self) -> Result<Vec<SourceSummary>> {
        self.read(|facts| facts.sources.clone())
    }

    async fn source_reads(&self, _source: SourceId, _limit: u32) -> Result<Vec<SourceRead>> {
        Ok(Vec::new())
    }

    async fn edit_source(&self, _source: SourceId, _edit: &SourceEdit) -> Result<SourceEdited> {
        unimplemented!("a console edits no source")
    }

    async fn note_modified(&self, _dates: &[(DocumentId, Timestamp)]) -> Result<()> {
        unimplemented!("a console imports nothing")
    }

    async fn remove_source(&self, _source: SourceId) -> Result<bool> {
        unimplemented!("a console removes no source")
    }

    async fn request_reads(&self, sources: &[SourceId], _allows_smaller: bool, _by: &SafeLine) -> Result<u64> {
        self.read(|facts| {
            facts.reads_requested.extend(sources);
            sources.len() as u64
        })
    }

    async fn claim_read(
        &self,
        _holder: &str,
        _worker: &SafeLine,
        _only: Option<SourceId>,
    ) -> Result<Option<ReadLease>> {
        Ok(None)
    }

    async fn renew_read(&self, _lease: &ReadLease) -> Result<bool> {
        Ok(false)
    }

    async fn stage_pages(&self, _lease: &ReadLease, _pages: &[ListedPage]) -> Result<bool> {
        Ok(false)
    }

    async fn missing_pages(&self, _lease: &ReadLease, _limit: u32) -> Result<Vec<MissingPage>> {
        Ok(Vec::new())
    }

    async fn complete_read(&self, _lease: &ReadLease, _read: &CompletedRead) -> Result<Option<SourceRead>> {
        Ok(None)
    }

    async fn fail_read(&self, _lease: &ReadLease, _read: &FailedRead) -> Result<Option<SourceRead>> {
        Ok(None)
    }

    async fn proposals(&self, query: &ProposalQuery) -> Result<Vec<Proposal>> {
        let query = *query;
        self.read(|facts| {
            let is_of = |proposal: &&Proposal| query.source.is_none_or(|source| proposal.source == source);
            facts.proposals.iter().filter(is_of).cloned().collect()
        })
    }

    async fn decide_proposals(
        &self,
        proposals: &[ProposalId],
        decision: ProposalDecision,
        _by: &SafeLine,
    ) -> Result<Vec<ProposalResult>> {
        self.commit(|facts| {
            facts.proposals_decided.push((proposals.to_vec(), decision));
            facts.proposals.retain(|proposal| !proposals.contains(&proposal.id));
        });
        Ok(vec![ProposalResult::Done(None); proposals.len()])
    }
}
