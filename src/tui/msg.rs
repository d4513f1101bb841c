//! Messages to the pure part ([`update`](super::update)): keys, answers of the store, events, and the passing of time.

use super::command::Command;
use super::views::catalog::ViewRows;
use super::views::detail::difference::DifferenceData;
use crate::domain::document::Counts;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::outcome::Outcome;
use crate::domain::pause::Pause;
use crate::domain::request::Answered;
use crate::domain::text::SafeLine;
use crate::runner::event::{Event, Health, LockHealth, RunnerStatus};
use crate::store::{Added, Decided, DocumentPage, Preview, QueueState, Rescued, SchemaMismatch, WorkerSeen};
use crossterm::event::KeyEvent;

pub use super::views::detail::state::DetailData;

/// A result of the store; the error is a sentence for people.
pub type Answer<T> = Result<T, SafeLine>;

/// A message to [`update`](super::update::update).
#[derive(Debug)]
pub enum Msg {
    Start,
    Key(KeyEvent),
    Paste(String),
    /// The terminal's new size in columns and rows.
    Resize(u16, u16),
    /// An age, a countdown or a toast on the screen is out of date.
    Wake,
    /// The process received a signal to end, or lost its terminal.
    Terminate,
    /// The store reported a commit.
    Changed,
    /// The visible rows of the document list.
    Page {
        /// The number of the request.
        generation: u64,
        answer: Answer<DocumentPage>,
    },
    /// The documents' counts by status and the queue's figures.
    Summary(Answer<(Counts, QueueState)>),
    /// The rows of a view other than the document list.
    Rows(ViewRows),
    Pauses(Answer<Vec<Pause>>),
    Workers(Answer<Vec<WorkerSeen>>),
    /// The newest outcomes: at the start, or on request.
    Newest(Answer<Vec<Outcome>>),
    /// Outcomes before the oldest one shown.
    Older(Seq, Answer<Vec<Outcome>>),
    Pinned(DocumentId, Answer<Vec<Outcome>>),
    /// The outcomes that follow those already received, without a gap.
    Outcomes(Vec<Outcome>),
    /// Reading outcomes failed; it is retried.
    OutcomesUnreachable(SafeLine),
    Detail {
        /// The number of the request.
        generation: u64,
        /// `Ok(None)` when the document does not exist any more.
        answer: Answer<Option<Box<DetailData>>>,
    },
    /// The comparison of two texts of a document.
    Difference {
        /// The number of the request.
        generation: u64,
        /// `Ok(None)` when one of the texts does not exist any more.
        answer: Answer<Option<Box<DifferenceData>>>,
    },
    Preview {
        /// The number of the request.
        generation: u64,
        answer: Answer<Preview>,
    },
    /// The ids of all documents that match the filter, to mark them.
    Matching(Answer<Vec<DocumentId>>),
    /// A command was carried out or refused.
    Done(Command, Answer<Done>),
    /// An event of the runner, or of another process's runner.
    Runner(Event),
    /// Events were lost; the known steps may be out of date.
    RunnerLagged,
    Status(RunnerStatus),
    /// Connection of the runner to the database.
    Health(Health),
    /// State of the Redis locks, as the runner reports it.
    Locks(LockHealth),
    /// A newer program has migrated the store; `None` until then.
    Schema(Option<SchemaMismatch>),
    RunnerEnded,
    /// The result of copying or opening a page: a sentence for the person in either case.
    Told(Result<String, String>),
}

/// The result of a command that the store accepted.
#[derive(Debug)]
pub enum Done {
    /// One answer for each document.
    Answered(Vec<Answered>),
    /// Number of removed documents.
    Removed(u64),
    /// Number of dropped auto jobs.
    Purged(u64),
    /// The job's lease was broken; `None` when the job was not running any more.
    LeaseBroken(Option<Rescued>),
    /// The pause exists now; `false` if it existed before.
    Paused(bool),
    /// The pause is over; `false` if there was none.
    Resumed(bool),
    /// The result of accepting or rejecting a quarantined text.
    Decided(Decided),
    /// The document was added, or existed before.
    Added(Added),
}
