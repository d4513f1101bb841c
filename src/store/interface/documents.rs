//! The interface for changes that a person requests to documents and jobs, and the types of documents and contents.

use crate::domain::document::{DocumentRow, StatusCounts};
use crate::domain::estimate::WorkEstimate;
use crate::domain::faq::FaqPreview;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::{DocumentAnswer, Request, RequestKind, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use crate::store::interface::jobs::RescueResult;
use async_trait::async_trait;

/// Changes to documents and jobs that a person requests.
#[async_trait]
pub trait DocumentStore: StoreBase {
    /// Adds documents, available and never synced, except those whose assistant already has a document with the same
    /// URL. On a Chatwoot database each gets the account of its assistant. Returns one result per document, in order. A
    /// large set takes several transactions.
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<AddResult>>;

    /// Requests syncs of documents. Returns one answer per document, in order. A large set takes several transactions.
    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<DocumentAnswer>>;

    /// Cancels the live jobs of documents: a scheduled or ready job ends, and the attempt of a running one is requested
    /// to stop. Returns one answer per document, in order. A large set takes several transactions.
    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<DocumentAnswer>>;

    /// Decides on quarantined texts. An accepted text replaces the stored text and is recorded as an `updated` outcome.
    /// Returns one result per text, in order. Each text takes one transaction.
    async fn decide(&self, texts: &[ReviewTarget], decision: Decision, by: &SafeLine) -> Result<Vec<DecisionResult>>;

    /// Removes documents with their contents and jobs, and records an outcome for each. Live jobs end as `cancelled`, and
    /// earlier outcomes stay. Returns the number of documents that existed. Fails with [`StoreError::Unusable`](crate::store::StoreError::Unusable) if the
    /// documents are Chatwoot's own. A large set takes several transactions.
    async fn remove(&self, documents: &[DocumentId], by: &SafeLine) -> Result<u64>;

    /// Drops the jobs of class `auto` that have not started, records an outcome for each, and returns the number of
    /// dropped jobs. Takes several transactions.
    async fn purge(&self, by: &SafeLine) -> Result<u64>;

    /// Pauses `scope`: its jobs are no longer claimed, and running jobs continue. Returns false if `scope` was paused
    /// already; the earlier pause then stays, with its time and the name of its person.
    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool>;

    /// Ends the pause of exactly `scope`. Returns false if `scope` was not paused.
    async fn resume(&self, scope: &PauseScope) -> Result<bool>;

    /// Starts Chatwoot's FAQ jobs for documents, each once: a worker puts them into Sidekiq's queue. Returns one answer per
    /// document, in order. Fails with [`StoreError::Forbidden`](crate::store::StoreError::Forbidden) if the store is not
    /// Chatwoot's, or if its answers cannot be read. A large set takes several transactions.
    async fn start_faq_jobs(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<DocumentAnswer>>;

    /// Breaks the lease of a running job on a person's request and treats the job as
    /// [`JobStore::rescue`](crate::store::JobStore::rescue) treats the job of a dead worker. Fence and token keep the
    /// old worker from writing. Returns `None` if the job is not running.
    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<RescueResult>>;
}

/// A document to add.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// URL of the document's page, in stored form.
    pub link: Link,
    /// Name until the first sync finds a title; `None` uses the URL.
    pub name: Option<SafeLine>,
    pub account_id: AccountId,
    pub assistant_id: AssistantId,
}

/// The result of adding one document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddResult {
    New(DocumentId),
    /// The assistant already has a document with this URL, which stays unchanged.
    Exists(DocumentId),
}

/// A column to sort by. Rows with equal values are sorted by id, in the direction in which the column's values grow or
/// shrink; rows without a value by ascending id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// In the order of [`Status::ALL`](crate::domain::document::Status::ALL): statuses that need attention first.
    #[default]
    Status,
    /// By name; ASCII case does not matter.
    Name,
    Url,
    /// By the last error's code, then its detail; documents without an error last, in either direction.
    Error,
    Attempted,
    Synced,
    /// By the time of the next attempt; documents without a next attempt last, in either direction.
    Next,
    /// By id, which is the order of arrival.
    Id,
}

impl SortBy {
    /// All columns to sort by.
    pub const ALL: [Self; 8] =
        [Self::Status, Self::Name, Self::Url, Self::Error, Self::Attempted, Self::Synced, Self::Next, Self::Id];

    /// Returns true if a store of our own has an index for the order. Otherwise a page is sorted at each read, which
    /// takes a second or two for a million documents.
    pub const fn is_indexed(self) -> bool {
        match self {
            Self::Name => false,
            Self::Status | Self::Url | Self::Error | Self::Attempted | Self::Synced | Self::Next | Self::Id => true,
        }
    }
}

/// A sort order of documents: a column and a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    pub by: SortBy,
    /// Reverses the order of the column's values. In ascending order, `Attempted` and `Synced` put the most recent time
    /// (the least age) first.
    pub descending: bool,
}

impl Sort {
    /// The order of ascending ids.
    pub const BY_ID: Self = Self { by: SortBy::Id, descending: false };
}

/// The position of a page within the sorted list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PagePosition {
    /// The page that starts at this offset, from 0. Beyond the end of the list: the last page.
    Offset(u64),
    /// The page in which `document` has `rows_above` rows before it, as far as the ends of the list allow that. If the
    /// document does not match the filter: the page at offset `fallback_offset`, but at most the last page.
    Document {
        document: DocumentId,
        /// Rows of the page before the document.
        rows_above: u64,
        /// Offset of the page's first row if the document does not match the filter.
        fallback_offset: u64,
    },
}

/// A query for one page of the sorted, filtered list of documents.
#[derive(Clone, Debug)]
pub struct PageQuery {
    pub filter: Filter,
    pub sort: Sort,
    pub position: PagePosition,
    /// Maximum number of rows.
    pub limit: u64,
}

/// The result of a [`PageQuery`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentPage {
    pub rows: Vec<DocumentRow>,
    /// Offset of the first row within the whole list, from 0.
    pub offset: u64,
    /// Number of documents that match the filter.
    pub total: u64,
    /// Number of these at each status; `None` without a filter, and when more than 100,000 match.
    pub matching: Option<StatusCounts>,
}

/// A person's reference to documents: an id or a URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DocumentRef {
    Id(DocumentId),
    /// A URL in stored form; refers to at most one document per assistant.
    Url(Link),
}

/// The stored text of a document, with its version number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContent {
    /// Markdown as stored; not safe to print on a terminal.
    pub text: String,
    /// Number of times that this program has written content for this document.
    pub version: u64,
}

/// An earlier content of a document, without its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    pub version: u64,
    /// Time at which later content replaced this one, UTC.
    pub replaced_at: Timestamp,
    /// [`Fingerprint`](crate::domain::fingerprint::Fingerprint) of the text, in lower-case hexadecimal digits; `None`
    /// if none was stored with the text.
    pub fingerprint: Option<String>,
    /// Length of the text in characters.
    pub content_length: u64,
}

/// The effect that a bulk request would have now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Every document that the request would affect, in id order. A person confirms the request for exactly these
    /// documents.
    pub targets: Vec<DocumentId>,
    /// Number of documents that the request would skip, by reason, largest number first.
    pub skipped: Vec<(SkipReason, u64)>,
    /// Number of distinct hosts among the targets.
    pub hosts: u64,
    /// What the targets took the last time; only for requests to sync or retry.
    pub estimate: WorkEstimate,
    /// The answers of the targets; only for a start of FAQ jobs.
    pub faqs: Option<FaqPreview>,
}

/// The action of a bulk request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkVerb {
    Request(RequestKind),
    Cancel,
    Remove,
    /// Start Chatwoot's FAQ jobs.
    Faq,
}

/// The documents of a bulk request: a list, or all that match a filter.
#[derive(Clone, Debug)]
pub enum Targets {
    Ids(Vec<DocumentId>),
    /// All documents that match when the query runs.
    Matching(Filter),
}

/// A quarantined text of a document: fetched content that waits for a person's decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantinedContent {
    /// The reason of the quarantine; completes a sentence that starts with "it".
    pub reason: SafeLine,
    /// Time at which this text was put into quarantine, UTC.
    pub quarantined_at: Timestamp,
    /// [`Fingerprint`](crate::domain::fingerprint::Fingerprint) of the text, in lower-case hexadecimal digits.
    pub fingerprint: String,
    /// The title of the fetched page; `None` if it has none.
    pub title: Option<SafeLine>,
    /// Markdown; not safe to print on a terminal.
    pub text: String,
}

/// A person's decision about a quarantined text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The text is the page's content; it replaces the stored text.
    Accept,
    /// The text is not the page's content. The stored text stays. The same text is not put up for review again, unless
    /// another text is quarantined in between.
    Reject,
}

impl Decision {
    /// Returns the verb in the infinitive, for messages.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }

    /// Returns the verb in the past tense, for messages.
    pub const fn past_tense(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
        }
    }
}

/// A quarantined text to decide on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReviewTarget {
    pub document: DocumentId,
    /// Fingerprint of the text that the person read: if another text is in quarantine by now, the decision has no
    /// effect. With `None` the decision applies to any text in quarantine.
    pub fingerprint: Option<String>,
}

/// The result of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DecisionResult {
    Done,
    /// No text of the document waits for a decision: there is no such document or text, or another decision or a fetch
    /// of good content came first.
    NothingQuarantined,
    /// Another text is in quarantine than the one that the person read.
    Replaced,
    /// The document is being synced, which may put another text into quarantine.
    Syncing,
}
