//! The Redis lock of a document as the rest of the program sees it: how much it is wanted, and who has it.

use super::id::{DocumentId, JobId, Token};
use super::text::SafeLine;
use super::word_enum::word_enum;
use std::fmt;

word_enum! {
    /// Importance of the Redis lock (`redis.lock`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum LockMode {
        /// No sync without it: a Redis that is away stops the claims.
        Required = "required",
        /// A Redis that is away is shown, and syncs go on under lease and fence.
        #[default]
        Preferred = "preferred",
        /// Redis is not used.
        Off = "off",
    }
}

/// Identity of a store to other programs, made with its schema and never changed. Locks and channels carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(pub String);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A lock of ours: a document's key under the lease of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock {
    /// Whose key it is.
    pub document: DocumentId,
    /// The job that wants it.
    pub job: JobId,
    /// The claim's token: a higher one of the same store has seen the lower one's lease end.
    pub token: Token,
}

/// Somebody else who has a document's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// For people: `Chatwoot`.
    pub name: SafeLine,
    /// The key's value, which tells one hold from the next.
    pub value: SafeLine,
}
