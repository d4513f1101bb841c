//! What the pure part wants done outside. Every effect answers with a [`Msg`](super::msg::Msg), or cannot fail.

use super::views::catalog::ViewId;
use super::views::detail::difference::Compared;
use crate::domain::filter::Filter;
use crate::domain::id::{DocumentId, Seq};
use crate::domain::text::SafeLine;
use crate::store::{BulkVerb, PageQuery, Targets};
use std::time::Duration;

pub use super::command::{Act, Command};

/// Something to be done.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Reads a window of the list, after `wait`.
    LoadPage {
        /// Which question this is; an answer to an older one is dropped.
        generation: u64,
        /// The question.
        query: PageQuery,
        /// How long to hold back first.
        wait: Duration,
    },
    /// Reads counts and queue.
    LoadSummary,
    /// Reads what a view beside the list shows, after `wait`.
    LoadView {
        /// Which.
        view: ViewId,
        /// How long to hold back first.
        wait: Duration,
    },
    /// Reads what is paused.
    LoadPauses,
    /// Reads which workers there are.
    LoadWorkers,
    /// Reads the newest outcomes again, after the panel had let go of some.
    LoadNewest,
    /// Reads outcomes before this one.
    LoadOlder(Seq),
    /// Reads the newest outcomes of one document, for a pinned panel.
    LoadPinned(DocumentId),
    /// Reads all that the details show of a document.
    LoadDetail {
        /// Which question this is.
        generation: u64,
        /// The document.
        document: DocumentId,
    },
    /// Compares two texts of a document.
    LoadDifference {
        /// Which question this is.
        generation: u64,
        /// The document.
        document: DocumentId,
        /// Which texts.
        of: Compared,
    },
    /// Asks what a bulk request would do.
    Preview {
        /// Which question this is.
        generation: u64,
        /// Of which documents.
        targets: Targets,
        /// What is asked for.
        verb: BulkVerb,
    },
    /// Reads the ids of all that match the list's filter, to be marked.
    MarkAll(Filter),
    /// Changes something in the store.
    Act(Command),
    /// Puts text on the clipboard; the word says what it is.
    Copy(String, &'static str),
    /// Opens a page in a browser.
    Open(SafeLine),
    /// Asks the runner to finish what runs.
    Drain,
    /// Asks the runner to release what runs.
    Leave,
    /// Draws everything anew.
    Redraw,
    /// Stops this process until the shell continues it.
    Suspend,
    /// Ends the console.
    End(Exit),
}

/// How a console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// On request, and no job was running here. The runner, if there is one, was asked to end.
    Quit,
    /// The runner has finished what ran, and has ended.
    Drained,
    /// At once: what runs was asked to be released; wait for [`Handle::ended`](crate::runner::handle::Handle::ended).
    Left,
}
