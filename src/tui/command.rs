//! A change that somebody asked for.

use crate::domain::id::{AccountId, AssistantId, DocumentId, JobId};
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::{Scope, Verb};
use crate::domain::text::SafeLine;
use crate::store::Decision;

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
            Self::Decide(Decision::Accept, _) => "accept the fetched text of",
            Self::Decide(Decision::Reject, _) => "reject the fetched text of",
            Self::Add(..) => "add",
        }
    }
}
