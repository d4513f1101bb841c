//! The interface of those who change documents and jobs on a person's request, and the types of documents and contents.

use crate::domain::document::DocumentRow;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::{Answered, Request, SkipReason, Verb};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use crate::store::interface::jobs::Rescued;
use async_trait::async_trait;

/// Changes that a person asks for.
#[async_trait]
pub trait DocumentStore: StoreBase {
    /// Adds documents, `available` and never synced. One answer each, in order.
    async fn add(&self, documents: &[NewDocument]) -> Result<Vec<Added>>;

    /// Requests syncs. One answer each, in order. A large set takes several transactions.
    async fn request(&self, documents: &[DocumentId], request: &Request) -> Result<Vec<Answered>>;

    /// Cancels live jobs. One answer each, in order. A large set takes several transactions.
    async fn cancel(&self, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<Answered>>;

    /// Decides on texts in review: an accepted one is written as a change and recorded as an `updated` outcome. One
    /// answer each, in order, and a transaction each.
    async fn decide(&self, texts: &[HeldText], decision: Decision, by: &SafeLine) -> Result<Vec<Decided>>;

    /// Removes documents with their contents and jobs; a running attempt ends `cancelled`, outcomes stay. Returns the
    /// number of documents that existed. A large set takes several transactions.
    async fn remove(&self, documents: &[DocumentId]) -> Result<u64>;

    /// Drops the jobs of class `auto` that have not started, with an outcome each, and returns their number. Takes
    /// several transactions.
    async fn purge(&self, by: &SafeLine) -> Result<u64>;

    /// Pauses `scope`: none of its jobs is claimed any more, and running ones go on. Returns false if it was paused
    /// before; that pause keeps its time and name.
    async fn pause(&self, scope: &PauseScope, by: &SafeLine) -> Result<bool>;

    /// Ends the pause of exactly `scope`. Returns false if there was none.
    async fn resume(&self, scope: &PauseScope) -> Result<bool>;

    /// Takes a running job from its worker on a person's request, as
    /// [`JobStore::rescue`](crate::store::JobStore::rescue) takes it from a dead one: fence and token keep the worker
    /// from writing. `None` when the job does not run.
    async fn break_lease(&self, job: JobId, by: &SafeLine) -> Result<Option<Rescued>>;
}

/// A document to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDocument {
    /// Where its page is.
    pub link: Link,
    /// Its name until the first sync brings a title; the URL when there is none.
    pub name: Option<SafeLine>,
    /// The owner.
    pub account_id: AccountId,
    /// The assistant.
    pub assistant_id: AssistantId,
}

/// What became of a document to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is new.
    New(DocumentId),
    /// The assistant has this URL already; left alone.
    Exists(DocumentId),
}

/// A column to sort by. Equal rows stand in the order of their ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SortBy {
    /// In the order of [`Status::ALL`](crate::domain::document::Status::ALL): what needs eyes first.
    #[default]
    Status,
    /// By name, case folded.
    Name,
    /// By URL.
    Url,
    /// By the last error's code, then its detail; documents without one last.
    Error,
    /// By the last attempt.
    Attempted,
    /// By the last success.
    Synced,
    /// By the next attempt; documents without one last.
    Next,
    /// By id: the order of arrival.
    Id,
}

/// An order of documents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// The column.
    pub by: SortBy,
    /// The other way round. Times: ascending is the most recent first (the least age).
    pub descending: bool,
}

/// Which part of the sorted list a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Around {
    /// From this place, the first is 0. Beyond the end: the last page.
    Offset(u64),
    /// So that `document` stands `above` rows below the page's first row; from offset `else_at` when it does not match.
    Document {
        /// The document to be seen.
        document: DocumentId,
        /// Rows before it.
        above: u64,
        /// Where to look when it is gone.
        else_at: u64,
    },
}

/// A window of the sorted, filtered list.
#[derive(Clone, Debug)]
pub struct PageQuery {
    /// Which documents.
    pub filter: Filter,
    /// In which order.
    pub sort: Sort,
    /// Which part.
    pub around: Around,
    /// How many rows at most.
    pub limit: u64,
}

/// What a [`PageQuery`] found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DocumentPage {
    /// The rows, in order.
    pub rows: Vec<DocumentRow>,
    /// The place of the first row in the whole list.
    pub offset: u64,
    /// How many match.
    pub total: u64,
}

/// A document by what a person names it with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// By its id.
    Id(DocumentId),
    /// By its URL, in stored form; every assistant's.
    Url(Link),
}

/// The stored text of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredContent {
    /// Markdown as stored, not yet safe for a terminal.
    pub text: String,
    /// How many times content was written.
    pub version: u64,
}

/// An earlier content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVersion {
    /// Its number.
    pub version: u64,
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// Its fingerprint.
    pub fingerprint: Option<String>,
    /// Characters.
    pub content_length: u64,
}

/// What a bulk request would do, before it is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Every document that the request would act on, frozen now.
    pub targets: Vec<DocumentId>,
    /// How many are left alone, by reason, most first.
    pub skipped: Vec<(SkipReason, u64)>,
    /// Different hosts among the targets.
    pub hosts: u64,
}

/// What a preview is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkVerb {
    /// Sync or retry.
    Request(Verb),
    /// Cancel.
    Cancel,
    /// Remove.
    Remove,
}

/// Named documents, or all that match.
#[derive(Clone, Debug)]
pub enum Targets {
    /// These.
    Ids(Vec<DocumentId>),
    /// All that match now.
    Matching(Filter),
}

/// A text that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldContent {
    /// Why it is not trusted: completes "it …".
    pub reason: SafeLine,
    /// When it was fetched first, UTC.
    pub held_at: Timestamp,
    /// Its fingerprint, lower-case hex.
    pub fingerprint: String,
    /// The title that came with it.
    pub title: Option<SafeLine>,
    /// The text, untrusted.
    pub text: String,
}

/// What a person decides about a held text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It is the page: it replaces the stored text.
    Accept,
    /// It is not: the stored text stays, and this very text is not asked about again.
    Reject,
}

impl Decision {
    /// The verb.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }

    /// What was done, in a word.
    pub const fn done(self) -> &'static str {
        match self {
            Self::Accept => "accepted",
            Self::Reject => "rejected",
        }
    }
}

/// A held text that somebody decides on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HeldText {
    /// Whose.
    pub document: DocumentId,
    /// The fingerprint of the text that was looked at: nothing is done when another one is held by now. `None` is whichever
    /// is held.
    pub fingerprint: Option<String>,
}

/// What came of a decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decided {
    /// It is done.
    Done,
    /// Nothing of the document is held, or not any more: somebody decided, or a good page came.
    NothingHeld,
    /// Another text is held than the one that was looked at.
    Replaced,
    /// The document is being synced: what comes of that may be another text.
    Syncing,
}
