//! Messages to the pure part ([`update`](super::update)): keys, answers of the store, events, and the passing of time.

use super::command::Command;
use super::views::catalog::ViewRows;
use super::views::detail::difference::DifferenceData;
use super::views::outcomes::pin::PinSubject;
use crate::domain::batch::BatchSummary;
use crate::domain::document::{DocumentRow, StatusCounts};
use crate::domain::extraction::ExplainedPage;
use crate::domain::faq::FaqBacklog;
use crate::domain::filter::Filter;
use crate::domain::id::{BatchId, DocumentId, Seq};
use crate::domain::notification::SinkStatus;
use crate::domain::outcome::Outcome;
use crate::domain::pause::Pause;
use crate::domain::request::DocumentAnswer;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::topic::TopicSet;
use crate::format::EarlierRequest;
use crate::runner::event::{Event, Health, LockHealth, RunnerStatus};
use crate::store::{
    AddResult, BatchOrdered, DecisionResult, DiskUse, DocumentPage, Preview, ProposalResult, QueueState, RescueResult,
    RestoredText, SchemaMismatch, WorkerSummary,
};
use crossterm::event::KeyEvent;

pub use super::views::detail::state::DetailData;

/// A result of the store; the error is a text for people.
pub type StoreResult<T> = Result<T, SafeLine>;

/// A message to [`update`](super::update::update). It is an input, an answer to an effect, or an event.
#[derive(Debug)]
pub enum Msg {
    Start,
    Key(KeyEvent),
    Paste(String),
    /// So many keys and pasted texts were dropped, since they had waited for too long.
    KeysDropped(usize),
    /// The terminal's new size in columns and rows.
    Resize(u16, u16),
    /// Something on the screen that changes with time is out of date, such as an age or a toast, or shown rows are to
    /// be read again.
    RefreshDue,
    /// The process received a signal to end, or lost its terminal.
    Terminate,
    /// The store reported commits that changed data of these topics.
    StoreChanged(TopicSet),
    /// The workers are to be read again, which also shows whether the database still answers.
    PollDue,
    /// The visible rows of the document list, with rows before and after them.
    Page {
        /// The number of the answered request.
        generation: u64,
        answer: StoreResult<DocumentPage>,
    },
    /// The first documents of the cause under the cursor of the failures view.
    Members {
        /// The number of the answered request.
        generation: u64,
        answer: StoreResult<Vec<DocumentRow>>,
    },
    /// The documents' counts by status.
    Counts(StoreResult<StatusCounts>),
    /// The queue's figures.
    Queue(StoreResult<QueueState>),
    /// The next time at which time alone changes the status of a document.
    StatusDeadline(StoreResult<Option<Timestamp>>),
    /// The rows of a view other than the document list.
    Rows(ViewRows),
    Pauses(StoreResult<Vec<Pause>>),
    Batches(StoreResult<Vec<BatchSummary>>),
    Workers(StoreResult<Vec<WorkerSummary>>),
    DiskUse(StoreResult<DiskUse>),
    Sinks(StoreResult<Vec<SinkStatus>>),
    /// The FAQ jobs that are not yet in Sidekiq's queue; `None` without any.
    FaqBacklog(StoreResult<Option<FaqBacklog>>),
    /// The newest outcomes, read at the start or on request.
    NewestOutcomes(StoreResult<Vec<Outcome>>),
    /// The newest of the outcomes before this number.
    OlderOutcomes(Seq, StoreResult<Vec<Outcome>>),
    /// Outcomes of what the panel is pinned to: the newest, or those before a number.
    PinnedOutcomes(PinSubject, Option<Seq>, StoreResult<Vec<Outcome>>),
    /// The outcomes that follow those already received, without a gap.
    Outcomes(Vec<Outcome>),
    /// Reading outcomes failed and is retried.
    OutcomesUnreachable(SafeLine),
    Detail {
        /// The number of the answered request.
        generation: u64,
        /// `Ok(None)` when the document does not exist any more.
        answer: StoreResult<Option<Box<DetailData>>>,
    },
    /// The comparison of two texts of a document.
    Difference {
        /// The number of the answered request.
        generation: u64,
        /// `Ok(None)` when one of the texts does not exist any more.
        answer: StoreResult<Option<Box<DifferenceData>>>,
    },
    /// The explanation of a document's text; the error is the failure of the fetch.
    Explained {
        /// The number of the answered request.
        generation: u64,
        answer: Result<Box<ExplainedPage>, SafeLine>,
    },
    Preview {
        /// The number of the answered request.
        generation: u64,
        answer: StoreResult<Preview>,
        /// True if each page that is fetched costs a credit of Firecrawl.
        costs_credits: bool,
    },
    /// The ids of all documents that match the filter, to mark them.
    MatchingIds(Filter, StoreResult<Vec<DocumentId>>),
    /// Those of the marked documents that match the list's filter.
    ListedMarks {
        filter: Filter,
        /// The marked documents that were looked for.
        asked: Vec<DocumentId>,
        answer: StoreResult<Vec<DocumentId>>,
    },
    /// A command was carried out or refused, or has failed.
    CommandDone(Command, StoreResult<CommandResult>),
    /// An event of the runner, or of another process's runner.
    Runner(Event),
    /// Events of the runner were lost, so the known steps of attempts may be out of date.
    RunnerLagged,
    Status(RunnerStatus),
    /// State of the runner's connection to the database.
    Health(Health),
    /// State of the Redis locks, as the runner reports it; in a console without a runner, the state of the connection
    /// that delivers the events of other processes.
    Locks(LockHealth),
    /// The schema versions that differ, once a newer program has migrated the store; `None` until then.
    Schema(Option<SchemaMismatch>),
    RunnerEnded,
    /// The result of copying or saving a text or opening a page. Result and error are sentences for the person.
    CopiedOrOpened(Result<String, String>),
}

/// The store's result of a command.
#[derive(Debug)]
pub enum CommandResult {
    /// One answer for each document.
    Responses(Vec<DocumentAnswer>),
    /// The answer for a document that somebody else has requested before.
    Preceded(DocumentAnswer, EarlierRequest),
    /// Number of removed documents.
    Removed(u64),
    /// Number of dropped auto jobs.
    Purged(u64),
    /// The job's lease was broken; `None` when the job was not running any more.
    LeaseBroken(Option<RescueResult>),
    /// The pause exists now; `false` if it existed before.
    Paused(bool),
    /// The pause is over; `false` if there was none.
    Resumed(bool),
    /// The result of accepting or rejecting a quarantined text.
    Decided(DecisionResult),
    /// The result of restoring an earlier text.
    TextRestored(RestoredText),
    /// The document was added, or existed before.
    Added(AddResult),
    /// One result for each proposal.
    Proposals(Vec<ProposalResult>),
    /// The batch was made.
    BatchBegun(BatchId),
    BatchOrdered(BatchOrdered),
    /// Number of sources that are read now.
    ReadsRequested(u64),
}
