//! A document as lists and screens show it, and the single status that is derived for it.

use super::calendar::ClosedWindow;
use super::content::ContentChange;
use super::failure::{ErrorCode, FailureClass};
use super::faq::FaqCoverage;
use super::host_backoff::HostBackoff;
use super::id::{AccountId, AssistantId, DocumentId};
use super::job::{JobState, QueueClass};
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Age after which a `syncing` row without a job of this program counts as stuck; Chatwoot uses the same limit.
pub const STUCK_AFTER: Duration = Duration::from_secs(2 * 3_600);

/// Value of the column `captain_documents.sync_status`. NULL there means that the document was never synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    Syncing,
    Synced,
    Failed,
}

impl SyncStatus {
    /// Returns the integer that Chatwoot's enum stores.
    pub const fn code(self) -> i64 {
        match self {
            Self::Syncing => 0,
            Self::Synced => 1,
            Self::Failed => 2,
        }
    }

    /// Reads the stored integer; `None` for an integer that Chatwoot does not define.
    pub const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Syncing),
            1 => Some(Self::Synced),
            2 => Some(Self::Failed),
            _ => None,
        }
    }
}

word_enum! {
    /// Step of a running attempt. This program sends it as a live event; a Chatwoot worker writes it to the metadata of
    /// the document's row, under the key `sync_step`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SyncStep {
        Fetching = "fetching",
        /// The page's fingerprint is compared with the stored one.
        Comparing = "comparing",
        /// The new content is being written.
        Updating = "updating",
    }
}

word_enum! {
    /// Status of a document, derived from its live job, else from its row ([`StatusFacts::status`]).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Status {
        /// The last sync failed, and no further attempt is queued or scheduled for it.
        Failed = "failed",
        /// The row has been `syncing` for longer than [`STUCK_AFTER`], or since an unknown time, and no job of this
        /// program runs.
        Stuck = "stuck",
        /// An attempt failed, or another program has the lock; the next attempt is scheduled.
        Waiting = "waiting",
        Syncing = "syncing",
        /// A job is ready, and waits for a worker to run it.
        Queued = "queued",
        /// The document was synced, but longer ago than the plan's cadence.
        Stale = "stale",
        Synced = "synced",
        Never = "never",
        /// The document is a PDF, which is never fetched.
        Pdf = "pdf",
        /// Chatwoot has not fetched the document's first text yet.
        Crawling = "crawling",
    }
}
serde_by_word!(Status);

word_enum! {
    /// Kind of a document, which decides whether it is synced.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum DocumentKind {
        #[default]
        Web = "web",
        /// An upload, a URL that ends in `.pdf`, or a PDF that is attached to a document with any URL.
        Pdf = "pdf",
        /// A page whose first text Chatwoot has not stored yet: the row's `status` is not `available`.
        Crawling = "crawling",
    }
}
serde_by_word!(DocumentKind);

impl DocumentKind {
    /// Returns the kind of a document by its row.
    pub const fn of(is_pdf: bool, available: bool) -> Self {
        match (is_pdf, available) {
            (true, _) => Self::Pdf,
            (false, false) => Self::Crawling,
            (false, true) => Self::Web,
        }
    }
}

/// Facts from which a document's status is derived. The store's SQL derives the same status; a test compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusFacts {
    pub kind: DocumentKind,
    /// State and number of attempts of the live job, if there is one ([`StatusFacts::live`]).
    pub live_job: Option<(JobState, u32)>,
    pub sync_status: Option<SyncStatus>,
    /// The row's `last_sync_attempted_at`.
    pub attempted_at: Option<Timestamp>,
    /// The row's `last_synced_at`.
    pub synced_at: Option<Timestamp>,
    /// Cadence of the account's plan; `None` without a plan, or if the plan has no cadence.
    pub cadence: Option<Duration>,
}

impl StatusFacts {
    /// Returns the value of [`live_job`](Self::live_job) for a live job. `waits_for_lock` is true if the job waits
    /// because another program has the document's lock. Such a job counts as waiting even while it polls the lock, so
    /// that the status does not flicker.
    pub const fn live(state: JobState, attempts: u32, waits_for_lock: bool) -> (JobState, u32) {
        if waits_for_lock { (JobState::Scheduled, 1) } else { (state, attempts) }
    }

    /// Returns the status at `now`: that of a live job which is running, ready, or scheduled after an attempt; else
    /// the kind of a document that is not synced; else that of the row.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.live_job {
            Some((JobState::Running, _)) => return Status::Syncing,
            Some((JobState::Ready, _)) => return Status::Queued,
            Some((JobState::Scheduled, attempts)) if attempts > 0 => return Status::Waiting,
            _ => {}
        }
        match self.kind {
            DocumentKind::Pdf => return Status::Pdf,
            DocumentKind::Crawling => return Status::Crawling,
            DocumentKind::Web => {}
        }
        match self.sync_status {
            Some(SyncStatus::Failed) => Status::Failed,
            Some(SyncStatus::Syncing) => match self.attempted_at {
                Some(at) if now.since(at) <= STUCK_AFTER => Status::Syncing,
                _ => Status::Stuck,
            },
            Some(SyncStatus::Synced) => match (self.synced_at, self.cadence) {
                (Some(at), Some(every)) if now.since(at) > every => Status::Stale,
                _ => Status::Synced,
            },
            None => Status::Never,
        }
    }
}

/// A document with every field that a list shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    pub id: DocumentId,
    /// The page's title; before the first sync, the name that a person gave the document, else its URL.
    pub name: SafeLine,
    /// URL of the page (column `external_link`).
    pub url: SafeLine,
    /// Host and port of the URL.
    pub host: SafeLine,
    pub account_id: AccountId,
    pub assistant_id: AssistantId,
    /// The row's `status` is `available`; documents with another status are never synced.
    pub available: bool,
    pub kind: DocumentKind,
    pub status: Status,
    /// Step in the row, written by a Chatwoot worker; this program's own steps are live events.
    pub sync_step: Option<SyncStep>,
    /// Code of the last failure, kept until a sync succeeds.
    pub error_code: Option<ErrorCode>,
    /// Plain-language text of the last failure, kept until a sync succeeds.
    pub detail: Option<SafeLine>,
    /// HTTP status of the last failure, if the server responded.
    pub http_status: Option<u16>,
    /// Start or end of the last attempt, UTC.
    pub attempted_at: Option<Timestamp>,
    /// Time of the last successful sync, UTC, whether or not the content changed.
    pub synced_at: Option<Timestamp>,
    /// Time of the live job's next run, UTC, which is within the window of the account's plan; `None` unless the job is
    /// scheduled.
    pub next_attempt_at: Option<Timestamp>,
    /// Time at which the schedule checks the document next by the account's plan, UTC. `None` with a live job, while
    /// another program syncs the document, without a cadence, if the document cannot be synced, or if no worker has run
    /// a pass of the schedule for a day. The sync itself starts later, by a random delay (jitter).
    pub next_check_at: Option<Timestamp>,
    /// The closed window of the account's plan, if the document's job is ready and waits for it.
    pub window: Option<ClosedWindow>,
    /// Number of the live job's attempt, else of the last job's.
    pub attempt: Option<u32>,
    /// Queue class of the live job, else of the last job.
    pub queue: Option<QueueClass>,
    /// SHA-256 of the stored content in lower-case hex; `None` without content.
    pub fingerprint: Option<String>,
    /// Length of the stored content in characters.
    pub content_length: Option<u64>,
    /// Time of the last change of content or name, UTC.
    pub updated_at: Timestamp,
    /// Time at which an outcome last reported a new or changed content, UTC.
    pub changed_at: Option<Timestamp>,
    /// Last change of the page as the source has it that lists it, which may be wrong; `None` if none says so.
    pub lastmod: Option<Timestamp>,
    /// Effect of the last successful sync on the content.
    pub last_content: Option<ContentChange>,
    /// Number of failures of the live job that are of the same class as its last failure, shown as `n of m`: "timeout,
    /// 2 of 4".
    pub failure_count: Option<FailureCount>,
    /// Name of the worker that runs the live job; while the job waits for the document's lock, the lock's holder.
    pub holder: Option<SafeLine>,
    /// Person or program that requested the live job, else the last job.
    pub requested_by: Option<SafeLine>,
    /// True if a person requested to cancel the running attempt.
    pub cancel_requested: bool,
    /// The last results, at most eight, oldest first.
    pub recent: Vec<RecentResult>,
    /// Duration of the last attempt; `None` before the first one, and if its outcome has none.
    pub took: Option<Duration>,
    /// Number of earlier contents that the store keeps.
    pub versions: u32,
    /// The last back-off of the document's host, which may have ended.
    pub host_backoff: Option<HostBackoff>,
    /// Reason why a fetched text is quarantined; `None` if no text is.
    pub quarantine_reason: Option<SafeLine>,
    /// The document's FAQs; `None` if the store is not Chatwoot's, or if its answers cannot be read.
    pub faqs: Option<FaqCoverage>,
}

/// Number of failures of one class, with the limit of that class: "2 of 4".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureCount {
    /// Class of the last failure; each class has its own counter.
    pub class: FailureClass,
    /// Number of failures of this class so far.
    pub failures: u32,
    /// Number of attempts that this class allows in total.
    pub attempts_allowed: u32,
}

/// Result of an attempt in the strip of recent results, where each is one glyph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecentResult {
    /// The content changed.
    Updated,
    /// The attempt succeeded without a change.
    Unchanged,
    /// The attempt failed and is retried.
    Retrying,
    /// The attempt failed, and the failure ended the job.
    Failed,
    /// The worker died or lost its lease.
    Lost,
    /// The job was cancelled or purged.
    Stopped,
}

impl RecentResult {
    /// Returns the letter by which the store records the result.
    pub const fn letter(self) -> char {
        match self {
            Self::Updated => 'u',
            Self::Unchanged => 's',
            Self::Retrying => 'r',
            Self::Failed => 'f',
            Self::Lost => 'l',
            Self::Stopped => 'c',
        }
    }

    /// Reads the store's letter; `None` for any other letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Updated, Self::Unchanged, Self::Retrying, Self::Failed, Self::Lost, Self::Stopped]
            .into_iter()
            .find(|result| result.letter() == letter)
    }

    /// Maximum number of results in the strip.
    pub const MAX_RESULTS: usize = 8;
}

/// Number of documents per status, and number of documents with quarantined content.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts {
    by_status: [u64; Status::ALL.len()],
    /// Documents with quarantined content; each is also counted under its status.
    pub quarantined: u64,
    /// Time by which the numbers per status may be old; `None` if they are exact.
    pub max_age: Option<Duration>,
}

impl StatusCounts {
    /// Sets the number of documents with `status`.
    pub fn set(&mut self, status: Status, documents: u64) {
        self.by_status[status as usize] = documents;
    }

    /// Counts more documents with `status`.
    pub fn add(&mut self, status: Status, documents: u64) {
        self.by_status[status as usize] += documents;
    }

    /// Returns the number of documents with `status`.
    pub fn of(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// Returns the number of documents of all statuses.
    pub fn total(&self) -> u64 {
        self.by_status.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_is_the_first_word_that_fits() {
        let now = Timestamp::from_micros(1_000_000_000_000_000);
        let ago = |s| Some(now.minus(Duration::from_secs(s)));
        let week = Some(Duration::from_secs(7 * 86_400));
        let row = |sync_status, attempted_at, synced_at, cadence| StatusFacts {
            kind: DocumentKind::Web,
            live_job: None,
            sync_status,
            attempted_at,
            synced_at,
            cadence,
        };
        let job = |state, attempts| StatusFacts {
            live_job: Some((state, attempts)),
            ..row(Some(SyncStatus::Failed), ago(9), None, None)
        };
        let of = |kind, sync_status| StatusFacts { kind, ..row(sync_status, None, ago(1), None) };
        let cases = [
            (job(JobState::Running, 1), Status::Syncing),
            (job(JobState::Ready, 0), Status::Queued),
            (job(JobState::Scheduled, 1), Status::Waiting),
            (job(JobState::Scheduled, 0), Status::Failed),
            (row(Some(SyncStatus::Failed), ago(1), None, None), Status::Failed),
            (row(Some(SyncStatus::Syncing), ago(7_200), None, None), Status::Syncing),
            (row(Some(SyncStatus::Syncing), ago(7_201), None, None), Status::Stuck),
            (row(Some(SyncStatus::Syncing), None, None, None), Status::Stuck),
            (row(Some(SyncStatus::Synced), ago(1), ago(8 * 86_400), week), Status::Stale),
            (row(Some(SyncStatus::Synced), ago(1), ago(6 * 86_400), week), Status::Synced),
            (row(Some(SyncStatus::Synced), ago(1), ago(900 * 86_400), None), Status::Synced),
            (row(None, None, None, week), Status::Never),
            (of(DocumentKind::Pdf, None), Status::Pdf),
            (of(DocumentKind::Pdf, Some(SyncStatus::Synced)), Status::Pdf),
            (of(DocumentKind::Crawling, None), Status::Crawling),
            (StatusFacts { kind: DocumentKind::Crawling, ..job(JobState::Running, 1) }, Status::Syncing),
        ];
        for (facts, status) in cases {
            assert_eq!(facts.status(now), status, "{facts:?}");
        }
    }

    #[test]
    fn counts_add_up() {
        let mut counts = StatusCounts::default();
        counts.set(Status::Failed, 2);
        counts.set(Status::Never, 3);
        assert_eq!((counts.of(Status::Failed), counts.of(Status::Synced), counts.total()), (2, 0, 5));
        for (place, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, place);
            assert_eq!(Status::parse(status.word()), Some(status));
        }
    }
}
