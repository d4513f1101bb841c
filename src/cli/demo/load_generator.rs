//! Keeps requesting syncs of the demo's documents, as a schedule does, so that the console always shows activity.

use super::background_task::BackgroundTask;
use crate::domain::id::DocumentId;
use crate::domain::request::Request;
use crate::store::DocumentStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Number of documents in the first request: enough that the first results come at once and the queue visibly shrinks.
const INITIAL_DOCUMENTS: usize = 48;
/// Number of documents in each further request.
const DOCUMENTS_PER_REQUEST: usize = 3;
/// Time between two requests.
const REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// Number of requests after which the documents in `soon` are requested a second time, so that a viewer sees the effect
/// before all others have been synced once.
const SECOND_SYNC_ROUND: u32 = 8;

/// Starts a task that requests syncs of `ids`. The documents `soon`, which are among them, are requested first, and a
/// second time after [`SECOND_SYNC_ROUND`] requests.
pub(super) fn start(
    store: Arc<dyn DocumentStore>,
    ids: Vec<DocumentId>,
    soon: Vec<DocumentId>,
    request: Request,
) -> BackgroundTask {
    BackgroundTask::start(|stop| async move {
        let mut clock = interval(REQUEST_INTERVAL);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut order = StridedOrder::of(ids);
        // Requested first, wherever the order has them.
        let _ = store.request(&soon, &request).await;
        let (mut count, mut round) = (INITIAL_DOCUMENTS, 0);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = clock.tick() => {}
            }
            // An error is ignored: later rounds request the documents again, and the console shows that the store
            // fails.
            let _ = store.request(&order.next(count), &request).await;
            count = DOCUMENTS_PER_REQUEST;
            round += 1;
            if round == SECOND_SYNC_ROUND {
                let _ = store.request(&soon, &request).await;
            }
        }
    })
}

/// Endless order over all documents, in strides, so that similar documents of one host are not synced at the same time.
struct StridedOrder {
    ids: Vec<DocumentId>,
    position: usize,
    stride: usize,
}

impl StridedOrder {
    fn of(ids: Vec<DocumentId>) -> Self {
        let shares_no_factor = |stride: &usize| greatest_common_divisor(*stride, ids.len()) == 1;
        let stride = (ids.len() / 3 + 1..).find(shares_no_factor).unwrap_or(1);
        Self { ids, position: 0, stride }
    }

    fn next(&mut self, count: usize) -> Vec<DocumentId> {
        let mut chosen = Vec::new();
        for _ in 0..count.min(self.ids.len()) {
            chosen.push(self.ids[self.position]);
            self.position = (self.position + self.stride) % self.ids.len();
        }
        chosen
    }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_document_comes_once_in_a_round() {
        for documents in 0..60_usize {
            let ids: Vec<DocumentId> = (0..documents).map(|id| DocumentId(i64::try_from(id).unwrap_or(0))).collect();
            let mut order = StridedOrder::of(ids.clone());
            let mut seen = HashSet::new();
            for _ in 0..documents {
                seen.extend(order.next(1));
            }
            assert_eq!(seen.len(), documents);
            let round: HashSet<DocumentId> = order.next(INITIAL_DOCUMENTS).into_iter().collect();
            assert_eq!(round.len(), documents.min(INITIAL_DOCUMENTS));
        }
    }
}
