//! The interface of sources: their reads, which one process at a time makes, and their proposals.

use crate::domain::id::{AccountId, AssistantId, DocumentId, ProposalId, SourceId};
use crate::domain::listing::ListedPage;
use crate::domain::source::{
    Proposal, ProposalDecision, ProposalState, ReadCounts, ReadLease, ReadResult, SourceName, SourceRead,
    SourceSettings, SourceSummary, SourceUrl,
};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// Sources, in which pages are discovered.
#[async_trait]
pub trait SourceStore: StoreBase {
    /// Adds a source, whose first read is due at once. Returns `None` if another one has its name.
    async fn add_source(&self, source: &NewSource, by: &SafeLine) -> Result<Option<SourceId>>;

    /// Returns all sources, by name.
    async fn sources(&self) -> Result<Vec<SourceSummary>>;

    /// Returns the newest reads of a source that have ended, at most `limit`, the newest first.
    async fn source_reads(&self, source: SourceId, limit: u32) -> Result<Vec<SourceRead>>;

    /// Changes a source. A read that runs is given up; the next one is due at once if other pages count now. Pages that no
    /// longer count are forgotten, so that none of them is gone, and open proposals about them are withdrawn.
    async fn edit_source(&self, source: SourceId, edit: &SourceEdit) -> Result<SourceEdited>;

    /// Notes with documents when their pages were last changed, as a listing has it. Takes several transactions.
    async fn note_modified(&self, dates: &[(DocumentId, Timestamp)]) -> Result<()>;

    /// Removes a source with its reads and proposals; its documents stay. Returns false if there is none.
    async fn remove_source(&self, source: SourceId) -> Result<bool>;

    /// Makes reads of sources due now. With `allows_smaller`, they are believed although they have far fewer pages than
    /// the ones before. Returns the number of sources that there are.
    async fn request_reads(&self, sources: &[SourceId], allows_smaller: bool, by: &SafeLine) -> Result<u64>;

    /// Claims a read that is due, of the source `only` if one is given; `holder` is the unique name of the process and
    /// `worker` its name for people. A read whose worker has not renewed its lease for 30 s is claimed anew, and the lost
    /// one recorded; the third time in a row it is recorded as failed instead. Returns `None` if no read is due, or those
    /// that are due are paused or being made.
    async fn claim_read(&self, holder: &str, worker: &SafeLine, only: Option<SourceId>) -> Result<Option<ReadLease>>;

    /// Renews the lease of a read. Returns false if it was lost.
    async fn renew_read(&self, lease: &ReadLease) -> Result<bool>;

    /// Notes pages that a read has found, with URLs in the stored form of documents, and renews its lease. Nothing follows
    /// from them before the read is complete. Returns false if the lease was lost.
    async fn stage_pages(&self, lease: &ReadLease, pages: &[ListedPage]) -> Result<bool>;

    /// Returns documents whose pages earlier reads had and this one has not, of which no proposal says where they are; at
    /// most `limit`, and in another order each time.
    async fn missing_pages(&self, lease: &ReadLease, limit: u32) -> Result<Vec<MissingPage>>;

    /// Ends a read that was complete: compares its pages with the documents, and proposes or adds. A read that is not
    /// believed proposes nothing. Returns `None` if the lease was lost. Takes several transactions; one that is repeated
    /// proposes nothing twice.
    async fn complete_read(&self, lease: &ReadLease, read: &CompletedRead) -> Result<Option<SourceRead>>;

    /// Ends a read that was not complete. Returns `None` if the lease was lost.
    async fn fail_read(&self, lease: &ReadLease, read: &FailedRead) -> Result<Option<SourceRead>>;

    /// Returns proposals by id.
    async fn proposals(&self, query: &ProposalQuery) -> Result<Vec<Proposal>>;

    /// Decides on proposals. Returns one result per proposal, in order. Takes several transactions; a proposal is noted as
    /// accepted once what it proposes is done.
    async fn decide_proposals(
        &self,
        proposals: &[ProposalId],
        decision: ProposalDecision,
        by: &SafeLine,
    ) -> Result<Vec<ProposalResult>>;
}

/// A source to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSource {
    pub name: SourceName,
    pub url: SourceUrl,
    pub account: AccountId,
    pub assistant: AssistantId,
    pub settings: SourceSettings,
}

/// The new name, URL and settings of a source; its owner stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceEdit {
    pub name: SourceName,
    pub url: SourceUrl,
    pub settings: SourceSettings,
}

/// The result of a change of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceEdited {
    /// The source is changed, and this number of open proposals withdrawn.
    Done {
        withdrawn: u64,
    },
    NoSource,
    /// Another source has the name.
    NameTaken,
}

/// A document whose page its source no longer has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingPage {
    pub document: DocumentId,
    /// URL of the document.
    pub url: String,
}

/// A missing page, with what its URL answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedPage {
    pub document: DocumentId,
    pub url: String,
    /// URL, in the stored form of documents, to which it redirects or that it names as its canonical one.
    pub target: String,
    pub reason: SafeLine,
}

/// What a complete read has found, beside its pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CompletedRead {
    /// Numbers; those of pages and proposals are counted anew.
    pub counts: ReadCounts,
    /// True if the listing has every page of its site, so that missing ones are gone.
    pub is_whole: bool,
    /// Missing pages that are elsewhere; they count only if this read has their target.
    pub moved: Vec<MovedPage>,
    /// What was read, in plain language.
    pub detail: SafeLine,
}

/// A read that was not complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedRead {
    /// [`ReadResult::Retry`] if its cause may pass; it becomes [`ReadResult::Failed`] when the tries are used up.
    pub result: ReadResult,
    pub counts: ReadCounts,
    pub detail: SafeLine,
    /// Wait that the server requested.
    pub retry_after: Option<Duration>,
}

/// A query for proposals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProposalQuery {
    /// State; `None` for all.
    pub state: Option<ProposalState>,
    pub source: Option<SourceId>,
    /// Only proposals with greater ids.
    pub after: i64,
    /// Maximum number.
    pub limit: u32,
}

/// The result of a decision on a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProposalResult {
    /// It is done. A document that was added for it has this id.
    Done(Option<DocumentId>),
    /// There is no such proposal, or it was decided or withdrawn.
    NotOpen,
    /// Accepting removes a document, which a database of Chatwoot forbids.
    Forbidden,
}
