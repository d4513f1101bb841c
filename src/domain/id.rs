//! Identifiers, with one type per kind, so that for example an account cannot be passed as a document.

use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(
    /// Id of a row of `captain_documents`.
    DocumentId
);
id!(
    /// Id of an account, which owns documents. The queue is shared fairly among accounts.
    AccountId
);
id!(
    /// Id of the assistant that a document belongs to. URLs are unique within an assistant.
    AssistantId
);
id!(
    /// Id of a job, the durable request to sync one document.
    JobId
);
id!(
    /// Position of an outcome in the log: without gaps, from 1, in commit order.
    Seq
);
id!(
    /// Number of a claim: the token of its lease, and the fence by which a late writer is refused. Each claim of a
    /// store has a higher number than the claims before it.
    Token
);

id!(
    /// Id of a row of the outbox.
    OutboxId
);
id!(
    /// Id of a source, in which pages are discovered.
    SourceId
);
id!(
    /// Id of a proposal of a source.
    ProposalId
);
id!(
    /// Id of a batch, an act on many documents.
    BatchId
);

impl Seq {
    /// Position before the first outcome.
    pub const START: Seq = Seq(0);
}

/// Id of a worker, a process that runs jobs. It is new at every start, so that a restarted process is not mistaken for
/// its predecessor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
