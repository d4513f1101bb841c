//! What is asked of the store about documents, and what it answers.

use crate::domain::document::DocumentRow;
use crate::domain::filter::Filter;
use crate::domain::id::{AccountId, AssistantId, DocumentId, Seq};
use crate::domain::link::Link;
use crate::domain::request::{SkipReason, Verb};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;

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

/// The queue in figures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Jobs ready for a slot.
    pub ready: u64,
    /// Jobs running, of every worker.
    pub running: u64,
    /// Jobs that wait for their next try.
    pub waiting: u64,
    /// Jobs that wait for their first time.
    pub scheduled: u64,
    /// Of the ready and waiting ones, those that a pause holds.
    pub paused: u64,
    /// When the oldest ready job became ready.
    pub oldest_ready_at: Option<Timestamp>,
    /// When the next scheduled job is due, or the next host of ready jobs may be asked again.
    pub next_due_at: Option<Timestamp>,
    /// Workers that are alive.
    pub workers: u64,
}

/// Which outcomes, and from which end.
#[derive(Clone, Debug)]
pub struct OutcomeQuery {
    /// Which; only fields that outcomes have.
    pub filter: Filter,
    /// Of one document alone.
    pub document: Option<DocumentId>,
    /// From where, and which way.
    pub from: OutcomesFrom,
    /// At most so many.
    pub limit: u64,
}

/// Where a reading of outcomes starts. The answer is oldest first in every case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutcomesFrom {
    /// The oldest after this one.
    After(Seq),
    /// The newest before this one.
    Before(Seq),
    /// The newest.
    Newest,
}

/// Named documents, or all that match.
#[derive(Clone, Debug)]
pub enum Targets {
    /// These.
    Ids(Vec<DocumentId>),
    /// All that match now.
    Matching(Filter),
}
