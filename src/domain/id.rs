//! Identifiers: one type per thing, so that an account never stands where a document is meant.

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
    /// A row of `captain_documents`.
    DocumentId
);
id!(
    /// The owner of documents by whom the queue is shared fairly.
    AccountId
);
id!(
    /// The assistant that a document belongs to; a URL is unique within it.
    AssistantId
);
id!(
    /// A durable request to sync one document.
    JobId
);
id!(
    /// The place of an outcome in the log: dense, from 1, in commit order.
    Seq
);
id!(
    /// A claim's number, which only grows over the whole store: the token of the lease, and the fence by which a late
    /// writer is refused.
    Token
);

id!(
    /// A row of the outbox.
    OutboxId
);

impl Seq {
    /// The number before the first outcome.
    pub const START: Seq = Seq(0);
}

/// A worker: a process that runs jobs. New at every start, so that a restart never answers for its predecessor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkerId(pub String);

impl fmt::Display for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
