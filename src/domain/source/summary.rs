//! What is shown of a source.

use super::{ReadCounts, ReadResult, SourceName, SourceSettings, SourceUrl};
use crate::domain::id::{AccountId, AssistantId, SourceId};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::{serde_by_word, word_enum};

word_enum! {
    /// State of a source.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum SourceState {
        /// It was never read.
        New = "new",
        /// A read was requested or is due, and no worker has begun it.
        Waiting = "waiting",
        Reading = "reading",
        /// The last read was complete.
        Read = "read",
        /// The last read failed and is tried again.
        Retrying = "retrying",
        /// The last read failed, or what it had is not believed.
        Failed = "failed",
    }
}
serde_by_word!(SourceState);

/// A source with the state of its reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSummary {
    pub id: SourceId,
    pub name: SourceName,
    pub url: SourceUrl,
    pub account: AccountId,
    pub assistant: AssistantId,
    pub settings: SourceSettings,
    pub created_at: Timestamp,
    pub state: SourceState,
    /// End of the last read, and how it ended.
    pub last: Option<(Timestamp, ReadResult)>,
    /// End of the first of the reads that failed since the last complete one; `None` if the last read was complete, or there
    /// was none.
    pub failing_since: Option<Timestamp>,
    /// What the last read found, or why it proposed nothing.
    pub detail: Option<SafeLine>,
    /// End of the last complete read.
    pub complete_at: Option<Timestamp>,
    /// Number of pages of the last complete read.
    pub pages: Option<u64>,
    /// Numbers of the last read.
    pub counts: ReadCounts,
    /// Time of the next read; `None`: on request only.
    pub next_at: Option<Timestamp>,
    /// Number of open proposals.
    pub proposals: u64,
}
