//! Asks for documents of the demo again and again, as a schedule does, so that the console never goes still.

use super::beside::Beside;
use crate::domain::id::DocumentId;
use crate::domain::request::Request;
use crate::store::DocumentStore;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Documents at the start: enough that the first syncs are seen at once and the queue is seen to shrink.
const AT_FIRST: usize = 48;
/// Documents at a time after that.
const AT_A_TIME: usize = 3;
/// Interval between two requests.
const EVERY: Duration = Duration::from_millis(500);

/// Rounds after which those are asked for again that have something to show at their second sync: nobody is to wait for it
/// until all have had their turn.
const SECOND_LOOK: u32 = 8;

/// Starts one over `ids`; `soon` are those of them that are to be synced twice soon.
pub(super) fn start(
    store: Arc<dyn DocumentStore>,
    ids: Vec<DocumentId>,
    soon: Vec<DocumentId>,
    request: Request,
) -> Beside {
    Beside::start(|stop| async move {
        let mut clock = interval(EVERY);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut order = Order::of(ids);
        // Whatever their turn would be, they are among the first.
        let _ = store.request(&soon, &request).await;
        let (mut count, mut round) = (AT_FIRST, 0);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = clock.tick() => {}
            }
            // What the store does not take now is asked for in the next round; the console shows that it is in trouble.
            let _ = store.request(&order.next(count), &request).await;
            count = AT_A_TIME;
            round += 1;
            if round == SECOND_LOOK {
                let _ = store.request(&soon, &request).await;
            }
        }
    })
}

/// Round and round, in strides, so that neighbours (which are much alike and on one host) do not come together.
struct Order {
    ids: Vec<DocumentId>,
    at: usize,
    stride: usize,
}

impl Order {
    fn of(ids: Vec<DocumentId>) -> Self {
        let shares_no_factor = |stride: &usize| greatest_common_divisor(*stride, ids.len()) == 1;
        let stride = (ids.len() / 3 + 1..).find(shares_no_factor).unwrap_or(1);
        Self { ids, at: 0, stride }
    }

    fn next(&mut self, count: usize) -> Vec<DocumentId> {
        let mut chosen = Vec::new();
        for _ in 0..count.min(self.ids.len()) {
            chosen.push(self.ids[self.at]);
            self.at = (self.at + self.stride) % self.ids.len();
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
            let mut order = Order::of(ids.clone());
            let mut seen = HashSet::new();
            for _ in 0..documents {
                seen.extend(order.next(1));
            }
            assert_eq!(seen.len(), documents);
            let round: HashSet<DocumentId> = order.next(AT_FIRST).into_iter().collect();
            assert_eq!(round.len(), documents.min(AT_FIRST));
        }
    }
}
