//! What the pure part wants done outside. Every effect answers with a [`Msg`](super::msg::Msg), or cannot fail.

use super::Exit;
use super::table::state::Shown;
use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId, Seq};
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::{Scope, Verb};
use crate::domain::text::SafeLine;
use crate::store::{BulkVerb, Decision, PageQuery, Targets};
use crate::tui::views::detail::difference::Compared;
use std::time::Duration;

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
        view: Shown,
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
    MarkAll(crate::domain::filter::Filter),
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

/// A change that somebody asked for, with the ids as they were at the keypress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// What.
    pub act: Act,
    /// To which documents.
    pub documents: Vec<DocumentId>,
    /// The name, when it is one.
    pub name: Option<SafeLine>,
}

/// A kind of change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sync or retry.
    Request(Verb, Scope),
    /// Cancel.
    Cancel,
    /// Remove.
    Remove,
    /// Drop the auto jobs that have not started; of no document in particular.
    Purge,
    /// Take this job from its worker.
    BreakLease(JobId),
    /// Pause; of no document in particular.
    Pause(PauseScope),
    /// End a pause.
    Resume(PauseScope),
    /// Decide on a held text, the one with this fingerprint.
    Decide(Decision, String),
    /// Add this link to this owner.
    Add(Link, AccountId, AssistantId),
}

impl Act {
    /// The verb for people.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Request(Verb::Sync | Verb::SyncWhole, _) => "sync",
            Self::Request(Verb::Retry, _) => "retry",
            Self::Cancel => "cancel",
            Self::Remove => "remove",
            Self::Purge => "purge",
            Self::BreakLease(_) => "break the lease of",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Decide(Decision::Accept, _) => "accept the held text of",
            Self::Decide(Decision::Reject, _) => "reject the held text of",
            Self::Add(..) => "add",
        }
    }
}
