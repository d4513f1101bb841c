//! The outcomes as a stream without gaps: read from the store by number, after each change of the store.

use crate::domain::filter::Filter;
use crate::domain::id::Seq;
use crate::domain::outcome::Outcome;
use crate::domain::topic::{Topic, TopicSet};
use crate::store::{OutcomeQuery, OutcomesFrom, Queries, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::sleep;

/// Maximum number of outcomes read from the store at a time.
const BATCH: u64 = 500;
/// Maximum number of batches buffered for a slow reader; further outcomes stay in the store.
const MAX_PENDING_BATCHES: usize = 4;
/// Wait before a failed read is repeated.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Item of a stream of outcomes.
#[derive(Debug)]
pub enum TailItem {
    /// The next outcomes, oldest first, with consecutive sequence numbers.
    Outcomes(Vec<Outcome>),
    /// The read failed with this error; it is repeated.
    Unreachable(StoreError),
}

/// Returns a receiver of every outcome after `after`, in order, none twice and none missing. The stream ends when the
/// receiver is dropped or the store is closed. A slow reader delays only this stream, never a worker.
pub fn follow(store: Arc<dyn Queries>, after: Seq) -> mpsc::Receiver<TailItem> {
    let (sender, receiver) = mpsc::channel(MAX_PENDING_BATCHES);
    tokio::spawn(async move {
        let mut changes = store.changes().only(TopicSet::of(&[Topic::Outcomes]));
        let mut last = after;
        loop {
            changes.mark_unchanged();
            let query = OutcomeQuery {
                filter: Filter::default(),
                document: None,
                from: OutcomesFrom::After(last),
                limit: BATCH,
            };
            let read = match store.outcomes(&query).await {
                Ok(outcomes) => outcomes,
                Err(error) => {
                    if sender.send(TailItem::Unreachable(error)).await.is_err() {
                        return;
                    }
                    sleep(RETRY_INTERVAL).await;
                    continue;
                }
            };
            if let Some(newest) = read.last() {
                last = newest.seq;
                let more = read.len() as u64 == BATCH;
                if sender.send(TailItem::Outcomes(read)).await.is_err() {
                    return;
                }
                if more {
                    continue;
                }
            }
            tokio::select! {
                changed = changes.changed() => if changed.is_err() { return },
                () = sender.closed() => return,
            }
        }
    });
    receiver
}
