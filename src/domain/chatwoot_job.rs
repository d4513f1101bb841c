//! Jobs of Chatwoot's own that concern documents, as its job queue has them. They are only shown: this program neither
//! starts nor changes them.

use super::id::{AccountId, DocumentId};
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use async_trait::async_trait;
use std::fmt;

word_enum! {
    /// Work of a job of Chatwoot.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ChatwootJobKind {
        /// Fetches the page again and writes the document's text and status.
        Sync = "sync",
        /// Rebuilds the document's FAQs.
        Faq = "faq",
        /// Fetches a page for the first time.
        Crawl = "crawl",
    }
}

word_enum! {
    /// State of a job of Chatwoot.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum ChatwootJobState {
        /// A process runs it.
        Running = "running",
        /// Due, in a queue.
        Queued = "queued",
        /// It has failed, and runs again at its time.
        Retrying = "retrying",
        /// It runs for the first time at its time.
        Scheduled = "scheduled",
    }
}

serde_by_word!(ChatwootJobKind, ChatwootJobState);

/// One job of Chatwoot. All texts come from its queue, and are made safe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatwootJob {
    /// Id of the job in the queue's own records.
    pub jid: SafeLine,
    pub kind: ChatwootJobKind,
    pub state: ChatwootJobState,
    /// The document; `None` for a page that has no document yet.
    pub document: Option<DocumentId>,
    /// Account of the document; `None` until it was looked up, and if the document does not exist any more.
    pub account: Option<AccountId>,
    /// Name of the document, else its URL or that of the page; `None` if neither is known.
    pub name: Option<SafeLine>,
    pub queue: SafeLine,
    /// Process that runs the job, as `host:pid`.
    pub process: Option<SafeLine>,
    /// Start of a running job, time at which a queued one was put there, or time of the next run.
    pub at: Option<Timestamp>,
    /// Number of attempts that have ended.
    pub attempts: u32,
    /// Class of the last error.
    pub error: Option<SafeLine>,
}

impl ChatwootJob {
    /// Returns true if the job will write the document's status, and maybe its text: also over a later success.
    pub fn will_write(&self) -> bool {
        self.kind == ChatwootJobKind::Sync
    }
}

/// The jobs of Chatwoot at one time, those that run first, then by the time of their run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatwootJobs {
    pub jobs: Vec<ChatwootJob>,
    /// Number of entries that were looked at, also those of other kinds, and number of entries that there are. Long
    /// queues are not read to their end.
    pub examined: u64,
    pub total: u64,
    /// Next run of Chatwoot's daily trigger, which starts its scheduler for the plans of that day.
    pub next_schedule: Option<Timestamp>,
    /// Why some or all of it cannot be read; `None` if it can.
    pub problem: Option<SafeLine>,
    /// Time of the read; `None` before the first one.
    pub read_at: Option<Timestamp>,
}

impl ChatwootJobs {
    /// Returns the jobs of one document.
    pub fn of(&self, document: DocumentId) -> impl Iterator<Item = &ChatwootJob> {
        self.jobs.iter().filter(move |job| job.document == Some(document))
    }

    /// Returns true if entries were left out.
    pub const fn is_cut(&self) -> bool {
        self.examined < self.total
    }
}

/// Reads the jobs of Chatwoot, a few seconds old at most.
#[async_trait]
pub trait ChatwootJobReader: fmt::Debug + Send + Sync {
    /// Returns the jobs of the last read, at once. If that was too long ago, another read begins.
    fn latest(&self) -> ChatwootJobs;

    /// Returns the jobs, and awaits a read if the last one was too long ago.
    async fn current(&self) -> ChatwootJobs;
}
