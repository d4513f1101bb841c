//! Batches of the store in memory.

use super::memory::Memory;
use async_trait::async_trait;
use quarterdeck::domain::batch::{BatchAct, BatchCounts, BatchOrder, BatchState, BatchSummary};
use quarterdeck::domain::id::{BatchId, DocumentId};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::request::Request;
use quarterdeck::domain::text::SafeLine;
use quarterdeck::store::{BatchOrdered, BatchStep, BatchStore, DocumentStore, NewBatch, Result, StoreBase};

/// A batch with its documents.
#[derive(Clone, Debug)]
pub struct Batch {
    pub summary: BatchSummary,
    pub documents: Vec<DocumentId>,
}

#[async_trait]
impl BatchStore for Memory {
    async fn begin_batch(&self, batch: &NewBatch, documents: &[DocumentId]) -> Result<BatchId> {
        let now = self.now();
        let id = self.read(|facts| {
            let id = BatchId(facts.batches.len() as i64 + 1);
            let summary = BatchSummary {
                id,
                act: batch.act,
                origin: batch.origin,
                selection: batch.selection,
                filter: batch.filter.clone(),
                created_at: now,
                created_by: batch.by.clone(),
                begins_at: now.plus(batch.grace),
                state: BatchState::Waiting,
                holder: Some(batch.holder.clone()),
                ended_at: None,
                counts: BatchCounts { waiting: documents.len() as u64, ..BatchCounts::default() },
            };
            facts.batches.push(Batch { summary, documents: documents.to_vec() });
            id
        })?;
        self.commit(|_| {});
        Ok(id)
    }

    /// Acts on all members at once; a job of theirs never ends.
    async fn advance_batch(&self, batch: BatchId, _holder: &str) -> Result<BatchStep> {
        let now = self.now();
        let find = |facts: &mut super::memory::Facts| facts.batches.iter().find(|of| of.summary.id == batch).cloned();
        let Some(Batch { summary, documents }) = self.read(find)? else { return Ok(BatchStep::Halted(None)) };
        if summary.state == BatchState::Waiting && now < summary.begins_at {
            return Ok(BatchStep::Wait(summary.begins_at));
        }
        let Some(state) = summary.state.after(BatchOrder::Begin) else {
            return Ok(BatchStep::Halted(Some(summary.state)));
        };
        if summary.counts.waiting == 0 {
            return Ok(BatchStep::Done);
        }
        let (by, scope) = (summary.created_by, summary.selection.scope());
        let (mut answers, mut removed) = (Vec::new(), 0);
        match (summary.act, summary.act.request()) {
            (_, Some(kind)) => {
                answers = self.request(&documents, &Request { kind, class: QueueClass::Manual, by, scope }).await?;
            }
            (BatchAct::Remove, None) => removed = self.remove(&documents, &by).await?,
            (_, None) => answers = self.cancel(&documents, &by).await?,
        }
        let total = documents.len() as u64;
        self.commit(|facts| {
            for of in facts.batches.iter_mut().filter(|of| of.summary.id == batch) {
                of.summary.state = state;
                of.summary.counts = match summary.act.request() {
                    Some(_) => BatchCounts { queued: total, ..BatchCounts::default() },
                    None => BatchCounts { done: total, ..BatchCounts::default() },
                };
            }
        });
        Ok(BatchStep::Acted { answers, removed })
    }

    async fn order_batch(
        &self,
        batch: BatchId,
        order: BatchOrder,
        _by: &SafeLine,
        _holder: &str,
    ) -> Result<BatchOrdered> {
        let now = self.now();
        let ordered = self.read(|facts| {
            let Some(of) = facts.batches.iter_mut().find(|of| of.summary.id == batch) else {
                return BatchOrdered::Missing;
            };
            let Some(state) = of.summary.state.after(order) else { return BatchOrdered::Refused(of.summary.state) };
            of.summary.state = state;
            if state.is_over() {
                of.summary.ended_at = Some(now);
            }
            BatchOrdered::Now(state)
        })?;
        self.commit(|_| {});
        Ok(ordered)
    }

    async fn batches(&self, _ended: u32) -> Result<Vec<BatchSummary>> {
        self.read(|facts| facts.batches.iter().rev().map(|of| of.summary.clone()).collect())
    }

    async fn batch(&self, batch: BatchId) -> Result<Option<BatchSummary>> {
        self.read(|facts| facts.batches.iter().find(|of| of.summary.id == batch).map(|of| of.summary.clone()))
    }

    async fn finish_batches(&self) -> Result<()> {
        let now = self.now();
        self.read(|facts| {
            for of in facts.batches.iter_mut().filter(|of| of.summary.is_to_be_finished()) {
                (of.summary.state, of.summary.ended_at) = (BatchState::Done, Some(now));
            }
        })
    }
}
