//! Batches (acts on many documents): makes them, acts on their members once they begin, and gives them orders.

use super::{Shared, answer};
use crate::domain::batch::{BatchAct, BatchOrder, BatchOrigin, BatchSelection, BatchSummary, GRACE, LISTED_ENDED};
use crate::domain::id::BatchId;
use crate::domain::text::SafeLine;
use crate::store::{BatchOrdered, BatchStep, NewBatch, StoreError};
use crate::tui::command::{Command, CommandKind};
use crate::tui::msg::{CommandResult, Msg};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks at a batch that waits for its begin: the store's clock may be set.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// Wait before a step is tried again while the store does not answer.
const RETRY_WAIT: Duration = Duration::from_secs(1);

/// What an act on the members of a batch came to.
#[derive(Debug, Default)]
struct Carried {
    answers: Vec<crate::domain::request::DocumentAnswer>,
    removed: u64,
}

impl Shared {
    /// Reads the batches. The end of a batch is noted by whoever sees it first.
    pub(super) async fn batches(&self) -> Result<Vec<BatchSummary>, StoreError> {
        let batches = self.store.batches(LISTED_ENDED).await?;
        if batches.iter().any(BatchSummary::is_to_be_finished) {
            // A store that is read only shows the same.
            let _ = self.store.finish_batches().await;
        }
        Ok(batches)
    }

    /// Makes a batch of the command's documents and acts on them. `ending` is cancelled when the console ends.
    pub(super) async fn run_batch(self: Arc<Self>, command: Command, ending: CancellationToken) {
        let act = match command.kind {
            CommandKind::Request(kind, _) => BatchAct::of(kind),
            CommandKind::Remove => BatchAct::Remove,
            _ => BatchAct::Cancel,
        };
        let selection = if command.filter.is_some() { BatchSelection::Filter } else { BatchSelection::Marked };
        let batch = NewBatch {
            act,
            origin: BatchOrigin::Console,
            selection,
            filter: command.filter.clone(),
            by: self.operator.clone(),
            holder: self.holder.clone(),
            grace: GRACE,
        };
        let begun = self.store.begin_batch(&batch, &command.documents).await;
        let id = begun.as_ref().ok().copied();
        self.send(Msg::CommandDone(command.clone(), answer(begun.map(CommandResult::BatchBegun)))).await;
        let Some(id) = id else { return };
        match self.carry_out(id, &ending).await {
            Ok(Some(Carried { removed, .. })) if act == BatchAct::Remove => {
                self.send(Msg::CommandDone(command, Ok(CommandResult::Removed(removed)))).await;
            }
            Ok(Some(Carried { answers, .. })) => {
                self.send(Msg::CommandDone(command, Ok(CommandResult::Responses(answers)))).await;
            }
            // Whoever halted it says so.
            Ok(None) => {}
            Err(error) => self.send(Msg::CommandDone(command, answer(Err(error)))).await,
        }
    }

    /// Gives a batch an order, and acts on its members after a resume.
    pub(super) async fn order_batch(
        self: Arc<Self>,
        command: Command,
        (batch, order): (BatchId, BatchOrder),
        ending: CancellationToken,
    ) {
        let ordered = self.store.order_batch(batch, order, &self.operator, &self.holder).await;
        let resumed = order == BatchOrder::Resume && matches!(ordered, Ok(BatchOrdered::Now(_)));
        self.send(Msg::CommandDone(command.clone(), answer(ordered.map(CommandResult::BatchOrdered)))).await;
        if resumed && let Err(error) = self.carry_out(batch, &ending).await {
            self.send(Msg::CommandDone(command, answer(Err(error)))).await;
        }
    }

    /// Acts on the members of a batch until none waits. Returns `None` if the batch was undone, paused or stopped.
    async fn carry_out(&self, batch: BatchId, ending: &CancellationToken) -> Result<Option<Carried>, StoreError> {
        let mut carried = Carried::default();
        loop {
            let step = match self.store.advance_batch(batch, &self.holder).await {
                Err(StoreError::Unavailable(_)) if !ending.is_cancelled() => {
                    tokio::select! { () = sleep(RETRY_WAIT) => {}, () = ending.cancelled() => {} }
                    continue;
                }
                step => step?,
            };
            match step {
                BatchStep::Wait(at) => {
                    let wait = at.since(self.store.now()).min(CHECK_INTERVAL);
                    tokio::select! {
                        () = sleep(wait) => {}
                        () = ending.cancelled() => self.begin_at_the_end(batch).await?,
                    }
                }
                BatchStep::Acted { answers, removed } => {
                    carried.answers.extend(answers);
                    carried.removed += removed;
                }
                BatchStep::Done => return Ok(Some(carried)),
                BatchStep::Halted(_) => return Ok(None),
            }
        }
    }

    /// Decides about a batch that waits when the console ends: what was requested begins now, and a removal, which cannot
    /// be made good, is paused.
    async fn begin_at_the_end(&self, batch: BatchId) -> Result<(), StoreError> {
        let removes = self.store.batch(batch).await?.is_none_or(|found| found.act == BatchAct::Remove);
        let order = if removes { BatchOrder::Pause } else { BatchOrder::Resume };
        self.store.order_batch(batch, order, &self.operator, &self.holder).await?;
        Ok(())
    }
}

/// Returns the name under which this process acts on batches.
pub(super) fn holder(operator: &SafeLine, begun_micros: i64) -> SafeLine {
    SafeLine::new(&format!("{operator} {} {begun_micros}", std::process::id()))
}
