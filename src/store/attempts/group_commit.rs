//! Group commit: one task collects the writes of a few milliseconds and commits them in one transaction, so that many
//! share one full disk flush. Each sender waits until its transaction is committed.

use crate::store::Result;
use crate::store::sql::database::closed_error;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Writes that may wait in the channel; further senders wait for a free slot.
const QUEUE_CAPACITY: usize = 256;
/// Maximum number of writes in one transaction.
const GROUP_LIMIT: usize = 32;
/// Time for which the first write of a group waits for others.
const GATHER_WINDOW: Duration = Duration::from_millis(5);

/// A write that waits for its transaction, with the sender of its result.
pub(in crate::store) struct Pending<W, A> {
    pub(in crate::store) write: W,
    pub(in crate::store) answer: oneshot::Sender<Result<A>>,
}

/// Sending half of a group commit; accepts writes until it is closed.
pub(in crate::store) struct GroupCommit<W, A>(Mutex<Option<mpsc::Sender<Pending<W, A>>>>);

/// Receiving half, for the task that writes.
pub(in crate::store) type Receiver<W, A> = mpsc::Receiver<Pending<W, A>>;

impl<W, A> GroupCommit<W, A> {
    /// Creates both halves.
    pub(in crate::store) fn new() -> (Self, Receiver<W, A>) {
        let (sender, receiver) = mpsc::channel(QUEUE_CAPACITY);
        (Self(Mutex::new(Some(sender))), receiver)
    }

    /// Sends a write, and waits until it is committed.
    pub(in crate::store) async fn send(&self, write: W) -> Result<A> {
        let sender = self.0.lock().await.clone().ok_or_else(closed_error)?;
        let (answer, response) = oneshot::channel();
        sender.send(Pending { write, answer }).await.map_err(|_| closed_error())?;
        drop(sender);
        response.await.map_err(|_| closed_error())?
    }

    /// Accepts no more writes: the task ends once those already sent are committed.
    pub(in crate::store) async fn close(&self) {
        self.0.lock().await.take();
    }
}

/// Collects the writes that arrive within a few milliseconds after `first`.
pub(in crate::store) async fn gather<T>(first: T, pending: &mut mpsc::Receiver<T>) -> Vec<T> {
    let mut group = vec![first];
    let until = Instant::now() + GATHER_WINDOW;
    while group.len() < GROUP_LIMIT {
        match timeout_at(until, pending.recv()).await {
            Ok(Some(next)) => group.push(next),
            Ok(None) | Err(_) => break,
        }
    }
    group
}
