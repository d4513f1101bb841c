//! One reading of a source, and the rules about what it shows.

use super::{SourceName, SourceSettings, SourceUrl};
use crate::domain::id::{AccountId, AssistantId, SourceId};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::{serde_by_word, word_enum};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Time between two complete reads without a page after which it is gone: a day, less the hour by which a night may be
/// shorter.
pub const BELIEVED_GONE: Duration = Duration::from_secs(23 * 3_600);
/// Number of pages of a read below which the next one may have any number.
const FEW_PAGES: u64 = 10;
/// Number of workers that one read may lose; it then waits for its next time.
pub const MAX_LOSSES: u32 = 3;
/// Waits before a read that failed for a cause that may pass is tried again.
const RETRY_WAITS: [Duration; 3] = [Duration::from_secs(30), Duration::from_secs(120), Duration::from_secs(300)];

/// Returns true if a read with `pages` pages, after one with `before`, is not believed: a part of the listing may be
/// missing.
pub const fn is_much_smaller(pages: u64, before: u64) -> bool {
    pages == 0 || (before >= FEW_PAGES && pages.saturating_mul(2) < before)
}

/// Returns the wait before a read is tried again after `attempts` failures in a row; `None` if it is given up.
pub fn failed_read_wait(attempts: u32) -> Option<Duration> {
    RETRY_WAITS.get(attempts.checked_sub(1)? as usize).copied()
}

word_enum! {
    /// Result of a read.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ReadResult {
        /// The source was read whole.
        Complete = "complete",
        /// The source was read, and what it has is not believed.
        Refused = "refused",
        /// The source could not be read for a cause that may pass; the read is tried again.
        Retry = "retry",
        /// The source could not be read.
        Failed = "failed",
        /// The worker died, or lost its lease.
        Lost = "lost",
    }
}
serde_by_word!(ReadResult);

/// Numbers of a read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReadCounts {
    /// Files that were read.
    pub files: u64,
    /// Pages that count.
    pub pages: u64,
    /// Pages that the patterns leave out.
    pub excluded: u64,
    /// Pages of other hosts.
    pub other_hosts: u64,
    /// Entries that cannot be read.
    pub unreadable: u64,
    /// Documents that were added.
    pub added: u64,
    /// Proposals that were made, of each kind.
    pub new: u64,
    pub gone: u64,
    pub moved: u64,
    pub duplicates: u64,
}

impl ReadCounts {
    /// Returns the number of proposals that were made.
    pub const fn proposals(&self) -> u64 {
        self.new + self.gone + self.moved + self.duplicates
    }
}

/// A claimed read: what is read, and the token by which a worker that has lost it is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadLease {
    pub source: SourceId,
    /// Number of the read; only the last one of a source is written.
    pub read: i64,
    /// Unique name of the process.
    pub holder: String,
    pub name: SourceName,
    pub url: SourceUrl,
    pub account: AccountId,
    pub assistant: AssistantId,
    pub settings: SourceSettings,
    /// Number of pages of the last complete read; `None` before the first.
    pub pages_before: Option<u64>,
    /// True if a read is believed that is much smaller than the one before.
    pub allows_smaller: bool,
}

/// An ended read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRead {
    pub read: i64,
    pub started_at: Timestamp,
    pub ended_at: Timestamp,
    pub result: ReadResult,
    pub counts: ReadCounts,
    /// What was read, or why nothing is proposed.
    pub detail: Option<SafeLine>,
    pub worker: Option<SafeLine>,
    /// Person who requested the read; `None` for a scheduled one.
    pub requested_by: Option<SafeLine>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_that_is_much_smaller_is_not_believed() {
        for (pages, before, much) in
            [(0, 0, true), (1, 0, false), (2, 9, false), (4, 10, true), (5, 10, false), (24_999, 50_000, true)]
        {
            assert_eq!(is_much_smaller(pages, before), much, "{pages} after {before}");
        }
    }

    #[test]
    fn a_failed_read_is_tried_three_times_more() {
        let waits: Vec<_> = (0..6).map(|attempts| failed_read_wait(attempts).map(|wait| wait.as_secs())).collect();
        assert_eq!(waits, [None, Some(30), Some(120), Some(300), None, None]);
    }
}
