//! A document as lists and screens know it, and the one word that says how it stands.

use super::failure::{ErrorCode, FailureClass};
use super::id::{AccountId, AssistantId, DocumentId};
use super::job::{JobState, QueueClass};
use super::politeness::Hold;
use super::text::SafeLine;
use super::time::Timestamp;
use super::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Age after which a `syncing` row without a job of ours counts as stuck; Chatwoot uses the same limit.
pub const STUCK_AFTER: Duration = Duration::from_secs(2 * 3_600);

/// `captain_documents.sync_status`; NULL is a document that was never synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SyncStatus {
    /// 0
    Syncing,
    /// 1
    Synced,
    /// 2
    Failed,
}

impl SyncStatus {
    /// The integer that Chatwoot's enum stores.
    pub const fn code(self) -> i64 {
        match self {
            Self::Syncing => 0,
            Self::Synced => 1,
            Self::Failed => 2,
        }
    }

    /// `None` for an integer that upstream does not know either.
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
    /// Step of a running attempt. A live event; only the row key `sync_step` of a Chatwoot worker is ever stored.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    pub enum SyncStep {
        /// The page is being fetched.
        Fetching = "fetching",
        /// The page's fingerprint is compared with the stored one.
        Comparing = "comparing",
        /// The new content is being written.
        Updating = "updating",
    }
}

word_enum! {
    /// The status of a document: exactly one word, the first that fits. A live job decides before the row does.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Status {
        /// The last sync ended in a failure that is not tried again by itself.
        Failed = "failed",
        /// `syncing` for longer than [`STUCK_AFTER`] without a job of ours.
        Stuck = "stuck",
        /// An attempt was made; the next one has its time.
        Waiting = "waiting",
        /// An attempt is running.
        Syncing = "syncing",
        /// A job is ready for a free slot.
        Queued = "queued",
        /// Synced, but longer ago than the plan's cadence.
        Stale = "stale",
        /// Synced.
        Synced = "synced",
        /// Never synced.
        Never = "never",
    }
}
serde_by_word!(Status);

/// Facts from which the status is derived. The store's SQL derives the same; a test compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusFacts {
    /// The live job's state and how many attempts it has had, if there is a live job ([`StatusFacts::live`]).
    pub live_job: Option<(JobState, u32)>,
    /// The row's status.
    pub sync_status: Option<SyncStatus>,
    /// The row's `last_sync_attempted_at`.
    pub attempted_at: Option<Timestamp>,
    /// The row's `last_synced_at`.
    pub synced_at: Option<Timestamp>,
    /// Cadence of the account's plan; `None` without a plan.
    pub cadence: Option<Duration>,
}

impl StatusFacts {
    /// Returns the live job as the status sees it. A job that waits for another program's lock counts as waiting, also
    /// in the instants in which it polls the lock, so that the status does not flicker.
    pub const fn live(state: JobState, attempts: u32, lock_is_held: bool) -> (JobState, u32) {
        if lock_is_held { (JobState::Scheduled, 1) } else { (state, attempts) }
    }

    /// The first word that fits.
    pub fn status(&self, now: Timestamp) -> Status {
        match self.live_job {
            Some((JobState::Running, _)) => return Status::Syncing,
            Some((JobState::Ready, _)) => return Status::Queued,
            Some((JobState::Scheduled, attempts)) if attempts > 0 => return Status::Waiting,
            _ => {}
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

/// A document with everything that a list shows of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// The document.
    pub id: DocumentId,
    /// The page's title or the name that a person gave.
    pub name: SafeLine,
    /// `external_link`.
    pub url: SafeLine,
    /// The URL's host and port.
    pub host: SafeLine,
    /// Account of the document.
    pub account_id: AccountId,
    /// Assistant of the document.
    pub assistant_id: AssistantId,
    /// `status` is `available`; others are never synced.
    pub available: bool,
    /// The one word.
    pub status: Status,
    /// The row's step (a Chatwoot worker's; ours are live events).
    pub sync_step: Option<SyncStep>,
    /// The last failure's code, kept until a success.
    pub error_code: Option<ErrorCode>,
    /// The last failure in plain language, kept until a success.
    pub detail: Option<SafeLine>,
    /// The HTTP status of the last failure, when it had one.
    pub http_status: Option<u16>,
    /// Time at which the last attempt started or ended.
    pub attempted_at: Option<Timestamp>,
    /// Time of the last successful sync, changed or not.
    pub synced_at: Option<Timestamp>,
    /// Time of the live job's next run; `None` unless it waits for a time.
    pub next_attempt_at: Option<Timestamp>,
    /// Without a live job: when the schedule looks at it again, by the account's plan; `None` when nothing is known of
    /// one. The time that is drawn then is up to the plan's jitter later.
    pub next_look_at: Option<Timestamp>,
    /// The live job's attempt, else the last job's.
    pub attempt: Option<u32>,
    /// The live job's class, else the last job's.
    pub queue: Option<QueueClass>,
    /// Lower-case hex, when content was stored.
    pub fingerprint: Option<String>,
    /// Characters of the stored content.
    pub content_length: Option<u64>,
    /// Changes only when content or name change.
    pub updated_at: Timestamp,
    /// The failure just recorded by the live job, as `n of m` of its class: "timeout, 2 of 4".
    pub try_of: Option<Try>,
    /// Name of the worker that runs it; while it waits for a lock, the lock's holder.
    pub held_by: Option<SafeLine>,
    /// Name of the person or program that requested the live job, else the last one.
    pub requested_by: Option<SafeLine>,
    /// A running attempt was told to stop.
    pub cancel_requested: bool,
    /// The last eight results, oldest first.
    pub recent: Vec<RecentResult>,
    /// Number of earlier contents that are kept.
    pub versions: u32,
    /// Until when its host is left alone, and why; it may be over.
    pub host_hold: Option<Hold>,
    /// Why a fetched text was not trusted and waits for a person; `None` without one.
    pub held: Option<SafeLine>,
}

/// "2 of 4": the failure just recorded, in its own class's counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Try {
    /// Whose counter.
    pub class: FailureClass,
    /// Failures of this class so far.
    pub number: u32,
    /// Attempts that this class allows.
    pub of: u32,
}

/// A glyph of the strip of recent results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecentResult {
    /// New content.
    Updated,
    /// Good, nothing new.
    Unchanged,
    /// A failure that is tried again.
    Retrying,
    /// A failure that ended the job.
    Failed,
    /// The worker died.
    Lost,
    /// Cancelled or purged.
    Stopped,
}

impl RecentResult {
    /// The letter under which the store keeps it.
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

    /// Reads a letter.
    pub fn from_letter(letter: char) -> Option<Self> {
        [Self::Updated, Self::Unchanged, Self::Retrying, Self::Failed, Self::Lost, Self::Stopped]
            .into_iter()
            .find(|result| result.letter() == letter)
    }

    /// Length of the strip.
    pub const KEPT: usize = 8;
}

/// Number of documents per status, in the order of [`Status::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_status: [u64; 8],
    /// Documents with quarantined content; each is counted under its status, too.
    pub held: u64,
}

impl Counts {
    /// Sets the number at `status`.
    pub fn set(&mut self, status: Status, documents: u64) {
        self.by_status[status as usize] = documents;
    }

    /// The number at `status`.
    pub fn of(&self, status: Status) -> u64 {
        self.by_status[status as usize]
    }

    /// All of them.
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
        ];
        for (facts, status) in cases {
            assert_eq!(facts.status(now), status, "{facts:?}");
        }
    }

    #[test]
    fn counts_add_up() {
        let mut counts = Counts::default();
        counts.set(Status::Failed, 2);
        counts.set(Status::Never, 3);
        assert_eq!((counts.of(Status::Failed), counts.of(Status::Synced), counts.total()), (2, 0, 5));
        for (place, status) in Status::ALL.into_iter().enumerate() {
            assert_eq!(status as usize, place);
            assert_eq!(Status::parse(status.word()), Some(status));
        }
    }
}
