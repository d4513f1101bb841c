//! Effects: requests of the pure part ([`update`](super::update)) to the outside. An effect is answered by a
//! [`Msg`](super::msg::Msg), or cannot fail.

use super::views::catalog::ViewId;
use super::views::detail::difference::Compared;
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::SafeLine;
use crate::store::{BulkVerb, PageQuery, Targets};
use std::time::Duration;

pub use super::command::{Command, CommandKind};

/// A request to the store, the runner, the terminal or the desktop.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Reads the visible rows of the document list, after `wait`.
    LoadPage {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        query: PageQuery,
        wait: Duration,
    },
    /// Reads the documents' counts by status and the queue's figures.
    LoadSummary,
    /// Reads the rows of a view other than the document list, after `wait`.
    LoadView {
        view: ViewId,
        wait: Duration,
    },
    LoadPauses,
    LoadWorkers,
    /// Reads the newest outcomes again, after the panel dropped some to limit its memory.
    LoadNewestOutcomes,
    LoadOlderOutcomes(Seq),
    /// Reads the newest outcomes of one document, to which the panel is pinned.
    LoadPinnedOutcomes(DocumentId),
    /// Reads everything that the details of a document show.
    LoadDetail {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        document: DocumentId,
    },
    LoadDifference {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        document: DocumentId,
        of: Compared,
    },
    /// Counts the documents that a bulk request would affect, without changing any.
    Preview {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        targets: Targets,
        verb: BulkVerb,
    },
    /// Reads the ids of all documents that match the list's filter, to mark them.
    MarkAll(Filter),
    RunCommand(Command),
    /// Copies text to the clipboard; the second field names it in the confirmation, such as `URL`.
    Copy(String, &'static str),
    Open(SafeLine),
    /// Makes the runner finish its running jobs and start no others.
    Drain,
    /// Makes the runner release its running jobs: they go back to the queue.
    ReleaseJobs,
    /// Redraws the whole screen.
    Redraw,
    Suspend,
    End(ExitReason),
}

/// The reason why a console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// A person quit while no job was running in this process. The runner, if there is one, was asked to end.
    Quit,
    /// The runner finished its jobs and ended.
    Drained,
    /// Ended at once: the runner was asked to release its jobs; wait for
    /// [`Handle::ended`](crate::runner::handle::Handle::ended).
    Left,
}
