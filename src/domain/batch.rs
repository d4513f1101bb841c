//! Batches: acts of a person on many documents, which can be undone, paused, resumed and stopped as a whole.
//!
//! A batch first gathers its members (documents), then waits for a moment in which it can be undone, and then acts on one
//! after the other. It has ended once nothing of it waits or runs.

mod counts;
mod summary;

pub use counts::{BatchCounts, MemberState};
pub use summary::{BatchPhase, BatchSummary};

use super::request::{RequestKind, RequestScope};
use super::word_enum::{serde_by_word, word_enum};
use std::time::Duration;

/// Number of ended batches that a list of batches has.
pub const LISTED_ENDED: u32 = 20;
/// Time for which a batch of the console can be undone before it begins.
pub const GRACE: Duration = Duration::from_secs(5);

word_enum! {
    /// Act of a batch on its documents.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum BatchAct {
        Sync = "sync",
        /// Sync that fetches and converts the pages whole.
        SyncWhole = "sync_whole",
        Retry = "retry",
        Cancel = "cancel",
        Remove = "remove",
    }
}
serde_by_word!(BatchAct);

impl BatchAct {
    /// Returns the act that makes requests of this kind.
    pub const fn of(kind: RequestKind) -> Self {
        match kind {
            RequestKind::Sync => Self::Sync,
            RequestKind::SyncWhole => Self::SyncWhole,
            RequestKind::Retry => Self::Retry,
        }
    }

    /// Returns the kind of the requests that the act makes; `None` if it requests no syncs.
    pub const fn request(self) -> Option<RequestKind> {
        match self {
            Self::Sync => Some(RequestKind::Sync),
            Self::SyncWhole => Some(RequestKind::SyncWhole),
            Self::Retry => Some(RequestKind::Retry),
            Self::Cancel | Self::Remove => None,
        }
    }

    /// Returns the verb in the infinitive, for messages.
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Sync | Self::SyncWhole => "sync",
            Self::Retry => "retry",
            Self::Cancel => "cancel",
            Self::Remove => "remove",
        }
    }

    /// Returns what a member is for which the act succeeded.
    pub const fn past_tense(self) -> &'static str {
        match self {
            Self::Sync | Self::SyncWhole | Self::Retry => "synced",
            Self::Cancel => "cancelled",
            Self::Remove => "removed",
        }
    }
}

word_enum! {
    /// Part of the program in which a person made a batch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum BatchOrigin {
        Console = "console",
        /// A verb of the command line.
        Command = "command",
    }
}
serde_by_word!(BatchOrigin);

word_enum! {
    /// Way in which the documents of a batch were selected.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum BatchSelection {
        /// Documents named one by one on the command line.
        Named = "named",
        /// Documents marked one by one in the console.
        Marked = "marked",
        /// Documents that match a filter; an empty one selects every document.
        Filter = "filter",
        /// Documents that were due by their plans.
        Due = "due",
    }
}
serde_by_word!(BatchSelection);

impl BatchSelection {
    /// Returns the scope to record in requests.
    pub const fn scope(self) -> RequestScope {
        match self {
            Self::Named => RequestScope::Named,
            Self::Marked | Self::Filter | Self::Due => RequestScope::Bulk,
        }
    }
}

word_enum! {
    /// State of a batch, as it is stored.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum BatchState {
        /// Members are being written.
        Gathering = "gathering",
        /// Waiting for its begin, until which it can be undone.
        Waiting = "waiting",
        /// Members are acted on, or their jobs wait or run.
        Acting = "acting",
        /// Members that have not begun wait until it is resumed.
        Paused = "paused",
        Done = "done",
        /// Members that had not begun stay as they were.
        Stopped = "stopped",
        /// Nothing was done.
        Undone = "undone",
    }
}
serde_by_word!(BatchState);

word_enum! {
    /// Order of a person or the program to a batch.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum BatchOrder {
        /// All members are written.
        Wait = "wait",
        /// The time to undo it is over.
        Begin = "begin",
        Undo = "undo",
        Pause = "pause",
        /// Continue a paused batch, or one whose process is gone.
        Resume = "resume",
        Stop = "stop",
        /// Nothing of it waits or runs.
        Finish = "finish",
    }
}

impl BatchState {
    /// Returns true if nothing more is acted on, though jobs may still run.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Stopped | Self::Undone)
    }

    /// Returns the state after an order; `None` if the batch cannot follow it.
    pub const fn after(self, order: BatchOrder) -> Option<Self> {
        match (self, order) {
            (Self::Gathering, BatchOrder::Wait) => Some(Self::Waiting),
            (Self::Gathering | Self::Waiting, BatchOrder::Undo | BatchOrder::Stop) => Some(Self::Undone),
            (Self::Waiting, BatchOrder::Begin | BatchOrder::Resume) => Some(Self::Acting),
            (Self::Waiting | Self::Acting, BatchOrder::Pause) => Some(Self::Paused),
            (Self::Acting, BatchOrder::Begin | BatchOrder::Resume) => Some(Self::Acting),
            (Self::Acting, BatchOrder::Finish) => Some(Self::Done),
            (Self::Paused, BatchOrder::Resume) => Some(Self::Acting),
            // The process that carried out the same order before may have died at it.
            (Self::Paused, BatchOrder::Pause) => Some(Self::Paused),
            (Self::Acting | Self::Paused | Self::Stopped, BatchOrder::Stop) => Some(Self::Stopped),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_follows_the_orders_of_its_state_and_no_others() {
        use BatchOrder::{Begin, Finish, Pause, Resume, Stop, Undo, Wait};
        use BatchState::{Acting, Done, Gathering, Paused, Stopped, Undone, Waiting};
        let table = [
            (Gathering, Wait, Waiting),
            (Gathering, Undo, Undone),
            (Gathering, Stop, Undone),
            (Waiting, Undo, Undone),
            (Waiting, Stop, Undone),
            (Waiting, Begin, Acting),
            (Waiting, Resume, Acting),
            (Waiting, Pause, Paused),
            (Acting, Begin, Acting),
            (Acting, Resume, Acting),
            (Acting, Pause, Paused),
            (Acting, Stop, Stopped),
            (Acting, Finish, Done),
            (Paused, Resume, Acting),
            (Paused, Pause, Paused),
            (Paused, Stop, Stopped),
            (Stopped, Stop, Stopped),
        ];
        for state in BatchState::ALL {
            for order in BatchOrder::ALL {
                let next = table.iter().find(|(from, by, _)| (*from, *by) == (state, order)).map(|(_, _, to)| *to);
                assert_eq!(state.after(order), next, "{state:?} {order:?}");
                assert!(!state.is_over() || next.is_none_or(|to| to == state), "what is over stays as it is");
            }
        }
    }

    #[test]
    fn an_act_is_that_of_its_requests() {
        for act in BatchAct::ALL {
            assert!(act.request().is_none_or(|kind| BatchAct::of(kind) == act));
        }
    }
}
