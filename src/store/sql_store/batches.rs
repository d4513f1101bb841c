//! The interface of batches, [`BatchStore`], on an SQL database.

use super::SqlStore;
use crate::domain::batch::{BatchOrder, BatchSummary};
use crate::domain::id::{BatchId, DocumentId};
use crate::domain::text::SafeLine;
use crate::store::batches::{act, begin, control, rows};
use crate::store::{BatchOrdered, BatchStep, BatchStore, NewBatch, Result};
use async_trait::async_trait;

#[async_trait]
impl BatchStore for SqlStore {
    async fn begin_batch(&self, batch: &NewBatch, documents: &[DocumentId]) -> Result<BatchId> {
        begin::begin(&self.db, batch, documents).await
    }

    async fn advance_batch(&self, batch: BatchId, holder: &str) -> Result<BatchStep> {
        act::advance(&self.db, batch, holder).await
    }

    async fn order_batch(
        &self,
        batch: BatchId,
        order: BatchOrder,
        by: &SafeLine,
        holder: &str,
    ) -> Result<BatchOrdered> {
        control::order(&self.db, batch, order, by, holder).await
    }

    async fn batches(&self, ended: u32) -> Result<Vec<BatchSummary>> {
        rows::all(&self.db, ended).await
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<BatchSummary>> {
        rows::one(&self.db, batch).await
    }

    async fn finish_batches(&self) -> Result<()> {
        control::finish(&self.db).await
    }
}
