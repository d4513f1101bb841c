//! Redis lock of a document, as pure types: its mode, its owner in this program, and a foreign holder.

use super::id::{DocumentId, JobId, Token};
use super::text::SafeLine;
use super::word_enum::word_enum;
use std::fmt;

word_enum! {
    /// Mode of the Redis lock (`redis.lock`).
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
    pub enum LockMode {
        /// No sync without the lock: while Redis is unavailable, nothing is claimed.
        Required = "required",
        /// Syncs continue without Redis, protected by lease and fence; the console shows that it is unavailable.
        #[default]
        Preferred = "preferred",
        Off = "off",
    }
}

/// Identity of a store for other programs, created with its schema and never changed. Locks and channels carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(pub String);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Lock of this program: the key of one document, under the lease of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock {
    pub document: DocumentId,
    pub job: JobId,
    /// Token of the claim. A higher token of the same store proves that the lease of a lower one has ended.
    pub token: Token,
}

/// Other program that holds a document's lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Name for display: `Chatwoot`.
    pub name: SafeLine,
    /// Value of the Redis key, which differs from one acquisition to the next.
    pub value: SafeLine,
}
