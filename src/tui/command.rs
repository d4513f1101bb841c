//! Commands: changes to documents, jobs and pauses that a person requested.

use crate::domain::batch::BatchOrder;
use crate::domain::id::{AccountId, AssistantId, BatchId, DocumentId, JobId, ProposalId, SourceId};
use crate::domain::link::Link;
use crate::domain::pause::PauseScope;
use crate::domain::request::{RequestKind, RequestScope};
use crate::domain::source::ProposalDecision;
use crate::domain::text::SafeLine;
use crate::store::Decision;

/// A requested change. Its documents are fixed when the command is created; later changes of the selection do not
/// affect it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub kind: CommandKind,
    /// Documents to change; empty for commands that apply to no document in particular.
    pub documents: Vec<DocumentId>,
    /// Name of the document; `None` for no document or several, and for a request that was confirmed in a preview.
    pub name: Option<SafeLine>,
    /// Text of the filter that selected the documents; `None` if none did.
    pub filter: Option<SafeLine>,
}

/// The kind of a command, with its arguments other than the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandKind {
    Request(RequestKind, RequestScope),
    Cancel,
    Remove,
    /// Starts Chatwoot's FAQ jobs.
    Faq,
    /// Drops all jobs of class `auto` that have not started.
    Purge,
    /// Breaks the lease of this job, which takes it from its worker.
    BreakLease(JobId),
    Pause(PauseScope),
    Resume(PauseScope),
    /// Accepts or rejects a quarantined text, identified by its fingerprint.
    Decide(Decision, String),
    /// Puts an earlier text, by its version, in place of the stored one.
    Restore(u64),
    /// Adds this URL for this account and assistant.
    Add(Link, AccountId, AssistantId),
    /// Decides on proposals of sources.
    DecideProposals(ProposalDecision, Vec<ProposalId>),
    /// Makes a read of this source due now.
    ReadSource(SourceId),
    Batch(BatchId, BatchOrder),
}

impl Command {
    /// Returns true if the command makes a batch, since it acts on more than one document.
    pub fn makes_batch(&self) -> bool {
        let acts = matches!(self.kind, CommandKind::Request(..) | CommandKind::Cancel | CommandKind::Remove);
        acts && self.documents.len() > 1
    }
}

impl CommandKind {
    /// Returns the words for the command in messages to people, which end before the name of its target.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Request(RequestKind::Sync | RequestKind::SyncWhole, _) => "sync",
            Self::Request(RequestKind::Retry, _) => "retry",
            Self::Cancel => "cancel",
            Self::Remove => "remove",
            Self::Faq => "start the FAQ job of",
            Self::Purge => "purge",
            Self::BreakLease(_) => "break the lease of",
            Self::Pause(_) => "pause",
            Self::Resume(_) => "resume",
            Self::Decide(Decision::Accept, _) => "accept the fetched text of",
            Self::Decide(Decision::Reject, _) => "reject the fetched text of",
            Self::Restore(_) => "restore a version of",
            Self::Add(..) => "add",
            Self::DecideProposals(decision, _) => decision.word(),
            Self::ReadSource(_) => "read",
            Self::Batch(_, order) => order.word(),
        }
    }
}
