//! What reaches the pure part: keys, answers, news, and that time has passed.

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

/// An answer of the store, or why there is none, in plain language.
pub type Answer<T> = Result<T, SafeLine>;

/// One message.
#[derive(Debug)]
pub enum Msg {
    /// The console starts.
    Start,
    /// A key.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has this size now.
    Resize(u16, u16),
    /// Something on the screen is out of date: an age, a countdown, a toast.
    Wake,
    /// The process was told to end, or its terminal is gone.
    Terminate,
    /// Something was committed.
    Changed,
    /// A window of the list.
    Page {
        /// To which question.
        generation: u64,
        /// The answer.
        answer: Answer<DocumentPage>,
    },
    /// Counts and queue.
    Summary(Answer<(Counts, QueueState)>),
    /// The rows of a view beside the list.
    Rows(ViewRows),
    /// What is paused.
    Pauses(Answer<Vec<Pause>>),
    /// Which workers there are.
    Workers(Answer<Vec<WorkerSeen>>),
    /// The newest outcomes: at the start, or asked for again.
    Newest(Answer<Vec<Outcome>>),
    /// Outcomes before the oldest that is shown.
    Older(Seq, Answer<Vec<Outcome>>),
    /// The newest outcomes of the document that the panel is pinned to.
    Pinned(DocumentId, Answer<Vec<Outcome>>),
    /// The next outcomes, without a gap.
    Outcomes(Vec<Outcome>),
    /// The outcomes cannot be read; they are asked for again.
    OutcomesUnreachable(SafeLine),
    /// What the details show.
    Detail {
        /// To which question.
        generation: u64,
        /// The answer; `None` inside when the document is gone.
        answer: Answer<Option<Box<DetailData>>>,
    },
    /// How two texts of a document differ.
    Difference {
        /// To which question.
        generation: u64,
        /// The answer; `None` inside when one of them is not there any more.
        answer: Answer<Option<Box<DifferenceData>>>,
    },
    /// What a bulk request would do.
    Preview {
        /// To which question.
        generation: u64,
        /// The answer.
        answer: Answer<Preview>,
    },
    /// All that match, to be marked.
    Matching(Answer<Vec<DocumentId>>),
    /// A change was made or refused.
    Done(Command, Answer<Done>),
    /// News of a running attempt.
    Runner(Event),
    /// News were missed; steps may be old.
    RunnerLagged,
    /// What the runner does.
    Status(RunnerStatus),
    /// Whether the database answers, as the runner sees it.
    Health(Health),
    /// Whether documents are locked in Redis, as the runner sees it.
    Locks(LockHealth),
    /// The store was migrated by a newer program; `None` until then.
    Schema(Option<SchemaMismatch>),
    /// The runner has ended.
    RunnerEnded,
    /// Clipboard or browser answered.
    Told(Result<String, String>),
}

/// What a change came to.
#[derive(Debug)]
pub enum Done {
    /// One answer per document.
    Answered(Vec<Answered>),
    /// So many were removed.
    Removed(u64),
    /// So many auto jobs were dropped.
    Purged(u64),
    /// The job was taken from its worker; `None` when it did not run any more.
    LeaseBroken(Option<Rescued>),
    /// It is paused now; `false`: it was before.
    Paused(bool),
    /// It goes on; `false`: it was not paused.
    Resumed(bool),
    /// What came of a decision on a held text.
    Decided(Decided),
    /// It is there now, or was before.
    Added(Added),
}
