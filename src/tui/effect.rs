//! Effects: requests of the pure part ([`update`](super::update)) to the store, the runner, the terminal, the desktop
//! or the loop. An effect with a result is answered by a [`Msg`](super::msg::Msg).

use super::model::saved_filters::SavedFilters;
use super::views::catalog::ViewId;
use super::views::detail::difference::Compared;
use super::views::outcomes::pin::PinSubject;
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::SafeLine;
use crate::store::{BulkVerb, PageQuery, Targets};
use std::path::PathBuf;
use std::time::Duration;

pub use super::command::{Command, CommandKind};

/// A request to the store, the runner, the terminal, the desktop or the console's loop.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Reads the visible rows of the document list and rows before and after them, once the time `wait` has passed.
    LoadPage {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        query: PageQuery,
        wait: Duration,
    },
    /// Reads the documents of the cause under the cursor of the failures view that failed last.
    LoadMembers {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        filter: Filter,
        /// Maximum number of documents.
        limit: u64,
    },
    /// Reads the documents' counts by status.
    LoadCounts,
    /// Reads the queue's figures.
    LoadQueue,
    /// Reads the next time at which time alone changes the status of a document.
    LoadStatusDeadline,
    /// Reads the rows of a view other than the document list, once the time `wait` has passed.
    LoadView {
        view: ViewId,
        wait: Duration,
    },
    LoadPauses,
    /// Reads the batches, once the time `wait` has passed.
    LoadBatches {
        wait: Duration,
    },
    LoadWorkers,
    /// Reads the disk use of the store, for the reader of the workers.
    LoadDiskUse,
    /// Reads the receivers of notifications, for the same reader.
    LoadSinks,
    /// Reads how many FAQ jobs are not yet in Sidekiq's queue.
    LoadFaqBacklog,
    /// Reads the newest outcomes again, because the outcome panel lacks some of them.
    LoadNewestOutcomes,
    /// Reads the newest of the outcomes before this number.
    LoadOlderOutcomes(Seq),
    /// Reads the outcomes of what the panel is pinned to: the newest, or those before a number.
    LoadPinnedOutcomes(PinSubject, Option<Seq>),
    /// Reads what the details of a document show, except the comparison of two texts.
    LoadDetail {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        document: DocumentId,
    },
    /// Compares two texts of a document.
    LoadDifference {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        document: DocumentId,
        of: Compared,
    },
    /// Fetches a document's page anew to explain its text. Nothing is written.
    Explain {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        document: DocumentId,
        url: SafeLine,
    },
    /// Finds the documents that a bulk request would affect, without changing any.
    Preview {
        /// Identifies the request; the answer to an older request is dropped.
        generation: u64,
        targets: Targets,
        verb: BulkVerb,
    },
    /// Reads the ids of all documents that match the list's filter, to mark them.
    MarkAll(Filter),
    /// Reads which of these marked documents match the list's filter.
    LoadListedMarks {
        filter: Filter,
        marks: Vec<DocumentId>,
    },
    RunCommand(Command),
    /// Copies text to the clipboard. The second field names the text in the confirmation, such as `URL`.
    Copy(String, &'static str),
    Open(SafeLine),
    /// Shows a text in the person's pager. It must be safe to print on a terminal.
    Page(String),
    /// Writes a text to a new file in the working directory.
    Save(NewFile),
    /// Keeps these saved filters in this file, with those that other consoles have saved.
    KeepFilters(PathBuf, SavedFilters),
    /// Makes the runner start no jobs while the value is true; running jobs go on.
    SwitchRunnerOff(bool),
    /// Makes the runner finish its running jobs and start no others.
    Drain,
    /// Makes the runner release its running jobs, which go back to the queue, and end.
    ReleaseJobs,
    /// Clears the screen and draws it in full.
    Redraw,
    /// Gives the terminal back to the shell and stops the process until it is continued.
    Suspend,
    End(ExitReason),
}

/// A file that the console writes at a person's request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// The name of the file up to a number that makes it new, such as `quarterdeck-outcomes-20261130T180000Z`.
    pub stem: String,
    pub extension: &'static str,
    pub text: String,
    /// The name of the text in the confirmation, such as `60 outcomes`.
    pub label: String,
}

/// A kind of read. Of each kind only the newest read matters to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReadKind {
    Page,
    Members,
    Counts,
    Queue,
    StatusDeadline,
    /// The rows of any view but the document list, since one view is shown at a time.
    View,
    Pauses,
    Batches,
    Workers,
    DiskUse,
    Sinks,
    FaqBacklog,
    NewestOutcomes,
    OlderOutcomes,
    PinnedOutcomes,
    Detail,
    Difference,
    /// A fetch of a page, to explain its text.
    Explanation,
    Preview,
    MarkAll,
    ListedMarks,
}

impl Effect {
    /// Returns the kind of read that this effect requests; `None` if it does not read.
    pub const fn read_kind(&self) -> Option<ReadKind> {
        Some(match self {
            Self::LoadPage { .. } => ReadKind::Page,
            Self::LoadMembers { .. } => ReadKind::Members,
            Self::LoadCounts => ReadKind::Counts,
            Self::LoadQueue => ReadKind::Queue,
            Self::LoadStatusDeadline => ReadKind::StatusDeadline,
            Self::LoadView { .. } => ReadKind::View,
            Self::LoadPauses => ReadKind::Pauses,
            Self::LoadBatches { .. } => ReadKind::Batches,
            Self::LoadWorkers => ReadKind::Workers,
            Self::LoadDiskUse => ReadKind::DiskUse,
            Self::LoadSinks => ReadKind::Sinks,
            Self::LoadFaqBacklog => ReadKind::FaqBacklog,
            Self::LoadNewestOutcomes => ReadKind::NewestOutcomes,
            Self::LoadOlderOutcomes(_) => ReadKind::OlderOutcomes,
            Self::LoadPinnedOutcomes(..) => ReadKind::PinnedOutcomes,
            Self::LoadDetail { .. } => ReadKind::Detail,
            Self::LoadDifference { .. } => ReadKind::Difference,
            Self::Explain { .. } => ReadKind::Explanation,
            Self::Preview { .. } => ReadKind::Preview,
            Self::MarkAll(_) => ReadKind::MarkAll,
            Self::LoadListedMarks { .. } => ReadKind::ListedMarks,
            Self::RunCommand(_)
            | Self::Copy(..)
            | Self::Open(_)
            | Self::Page(_)
            | Self::Save(_)
            | Self::KeepFilters(..)
            | Self::SwitchRunnerOff(_)
            | Self::Drain
            | Self::ReleaseJobs
            | Self::Redraw
            | Self::Suspend
            | Self::End(_) => return None,
        })
    }
}

/// The reason why a console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The person quit while no job was running in this process. The runner, if there is one, ends too.
    Quit,
    /// The person chose to let the running jobs finish, and the runner has ended.
    Drained,
    /// The console ended at once, by the person's choice, by a signal or because the terminal was lost. If there is a
    /// runner, it was requested to release its jobs, and the caller waits for
    /// [`Handle::ended`](crate::runner::handle::Handle::ended).
    Left,
}
