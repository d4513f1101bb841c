//! The interface of batches: acts of a person on many documents, as a whole.

use crate::domain::batch::{BatchAct, BatchOrder, BatchOrigin, BatchSelection, BatchState, BatchSummary};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::request::DocumentAnswer;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::interface::base::StoreBase;
use async_trait::async_trait;
use std::time::Duration;

/// Batches. One process at a time acts on the members of a batch, under a lease of 30 s: the one that made it, or has
/// resumed it.
#[async_trait]
pub trait BatchStore: StoreBase {
    /// Makes a batch of `documents`, each once, which begins after its grace. Fails as
    /// [`DocumentStore::remove`](crate::store::DocumentStore::remove) does for a removal. A large set takes several
    /// transactions; a batch whose process dies between them acts on nothing.
    async fn begin_batch(&self, batch: &NewBatch, documents: &[DocumentId]) -> Result<BatchId>;

    /// Acts on the next members of a batch, in one transaction, and renews the lease of `holder`.
    async fn advance_batch(&self, batch: BatchId, holder: &str) -> Result<BatchStep>;

    /// Gives a batch an order of the person `by`. A pause or stop gives back the jobs that have not begun: those that the
    /// batch made leave the queue, and others are what they were before. A stop also cancels those that have begun. Both
    /// take several transactions. A resume gives the lease to `holder`, which then [acts](Self::advance_batch).
    async fn order_batch(&self, batch: BatchId, order: BatchOrder, by: &SafeLine, holder: &str)
    -> Result<BatchOrdered>;

    /// Returns the batches that have not ended, and the newest `ended` others; the newest first. Counts members, so the
    /// cost grows with those of batches that have not ended.
    async fn batches(&self, ended: u32) -> Result<Vec<BatchSummary>>;

    /// Returns a batch; `None` if there is none.
    async fn batch(&self, batch: BatchId) -> Result<Option<BatchSummary>>;

    /// Notes the end of the batches of which nothing waits or runs, with the counts of their members.
    async fn finish_batches(&self) -> Result<()>;
}

/// A batch to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBatch {
    pub act: BatchAct,
    pub origin: BatchOrigin,
    pub selection: BatchSelection,
    /// Text of the filter that selected the documents; empty for every document, `None` if no filter did.
    pub filter: Option<SafeLine>,
    /// Name of the person, recorded in the outcomes.
    pub by: SafeLine,
    /// Name of the process that acts on the members.
    pub holder: SafeLine,
    /// Time for which the batch can be undone.
    pub grace: Duration,
}

/// The result of a step of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BatchStep {
    /// The batch begins at this time.
    Wait(Timestamp),
    /// Some members were acted on.
    Acted {
        /// One answer per member; none for a removal.
        answers: Vec<DocumentAnswer>,
        /// Number of documents that were removed.
        removed: u64,
    },
    /// No member waits.
    Done,
    /// The batch was paused, stopped, undone or resumed elsewhere, and is in this state; `None` if there is none.
    Halted(Option<BatchState>),
}

/// The result of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchOrdered {
    /// The state after it.
    Now(BatchState),
    /// The batch is in this state and cannot follow the order; or another process acts on it.
    Refused(BatchState),
    /// There is no such batch.
    Missing,
}
