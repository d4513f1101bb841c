//! The interface for the upkeep of stored statuses and counts, which lists and figures read.

use crate::domain::id::DocumentId;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;

/// Upkeep of the stored statuses. On a database of Chatwoot, whose table gets no trigger, they are shadow rows, which lack
/// what Chatwoot has written since the last pass.
#[async_trait]
pub trait StatusStore: StoreBase {
    /// Writes the statuses that time alone has changed since they were stored: a document that has been `syncing` for
    /// too long becomes `stuck`, one that was synced longer ago than its account's cadence becomes `stale`. Returns the
    /// number of documents. Until then reads correct these statuses themselves, but more slowly.
    async fn expire_statuses(&self) -> Result<u64>;

    /// Makes a pass on a database of Chatwoot, if one is due (every 25 s) and no other process makes it: reads all documents
    /// in batches, and writes the shadow rows that differ. Returns their number. Lists and counts read shadow rows only
    /// while the last complete pass is recent. Without effect on a store of our own.
    async fn read_shadows(&self) -> Result<u64>;

    /// Compares stored statuses with the documents and jobs. On a database of Chatwoot, what Chatwoot has written since
    /// the last pass is not wrong, and nothing is compared while no runner makes passes.
    async fn check_statuses(&self, scope: CheckScope) -> Result<StatusCheck>;

    /// Writes all stored statuses and counts anew, and on PostgreSQL corrects what words are looked for in. Other writers
    /// wait meanwhile: a few seconds for a million documents, longer if the index of words is made.
    async fn rebuild_statuses(&self) -> Result<()>;
}

/// The documents of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckScope {
    /// All documents, and the counts.
    All,
    /// This number of documents, by id from `from` on.
    Sample { from: DocumentId, documents: u32 },
}

/// The result of a check of stored statuses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCheck {
    /// Number of documents that were compared.
    pub documents: u64,
    /// Number of those whose stored status, times or owner are wrong.
    pub wrong: u64,
    /// Number of counts (of an account's documents at a status, or of a host's documents) that are wrong; 0 for a
    /// sample.
    pub wrong_counts: u64,
    /// Number of documents that a word in a filter may not find, or for a word that they do not contain.
    pub wrong_words: u64,
}

impl StatusCheck {
    /// Returns true if nothing is wrong.
    pub const fn is_clean(self) -> bool {
        self.wrong == 0 && self.wrong_counts == 0 && self.wrong_words == 0
    }
}
