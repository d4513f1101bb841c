//! Group commit: one task collects the writes that arrive within a few milliseconds and commits them in one
//! transaction, so that many writes share one full disk flush. Each sender waits until its transaction has ended.

use crate::store::Result;
use crate::store::sql::database::closed_error;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Maximum number of writes that wait in the channel; further senders wait for a free slot.
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

/// Receiving half of a group commit, for the task that writes the groups.
pub(in crate::store) type Receiver<W, A> = mpsc::Receiver<Pending<W, A>>;

impl<W, A> GroupCommit<W, A> {
    /// Creates the sending half and the receiving half.
    pub(in crate::store) fn new() -> (Self, Receiver<W, A>) {
        let (sender, receiver) = mpsc::channel(QUEUE_CAPACITY);
        (Self(Mutex::new(Some(sender))), receiver)
    }

    /// Sends a write, waits until its transaction ends, and returns the result of the write. Fails if the group commit
    /// is closed.
    pub(in crate::store) async fn send(&self, write: W) -> Result<A> {
        let sender = self.0.lock().await.clone().ok_or_else(closed_error)?;
        let (answer, response) = oneshot::channel();
        sender.send(Pending { write, answer }).await.map_err(|_| closed_error())?;
        drop(sender);
        response.await.map_err(|_| closed_error())?
    }

    /// Refuses further writes. The writing task ends once the writes already sent are committed or have failed.
    pub(in crate::store) async fn close(&self) {
        self.0.lock().await.take();
    }
}

/// Returns `first` and the writes that arrive within [`GATHER_WINDOW`] after it, at most [`GROUP_LIMIT`] in all.
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
