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
        /// Syncs continue without Redis, protected by lease and fence; the console shows that Redis is unavailable.
        #[default]
        Preferred = "preferred",
        Off = "off",
    }
}

/// Id of a store, by which programs that share a Redis distinguish their stores. It is created with the store's schema
/// and never changed; locks and channels carry it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreId(pub String);

impl fmt::Display for StoreId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Redis lock as this program sets it: for one document, under the lease of one claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lock {
    pub document: DocumentId,
    pub job: JobId,
    /// Token of the claim. For the same document of the same store, a higher token proves that the lease with the lower
    /// token has ended.
    pub token: Token,
}

/// Owner of a document's lock that is not the job which wants the lock: another program, another store, or another job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockHolder {
    /// Name for display, such as `Chatwoot` or `a worker of another store`.
    pub name: SafeLine,
    /// Value of the Redis key, which differs from one acquisition to the next.
    pub value: SafeLine,
}
