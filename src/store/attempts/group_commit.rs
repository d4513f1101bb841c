//! Group commit: one task collects the writes that arrive within a few milliseconds and commits them in one
//! transaction, so that many writes share one full disk flush. Each sender waits until its transaction has ended.
//!
//! A group is complete when no further write can come, or after a time that is longer while groups follow each other
//! closely: under load a transaction then serves many attempts, and without load a single one hardly waits.

use crate::store::Result;
use crate::store::sql::database::closed_error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

/// Maximum number of writes that wait in the channel; further senders wait for a free slot.
const QUEUE_CAPACITY: usize = 256;
/// Maximum number of writes in one transaction.
const GROUP_LIMIT: usize = 64;
/// Time for which the first write of a group waits for others.
const GATHER_WINDOW: Duration = Duration::from_millis(5);
/// The same time while groups follow each other closely.
const BUSY_WINDOW: Duration = Duration::from_millis(12);
/// Longest time between the end of a group and the next write at which groups follow each other closely.
const BUSY_PAUSE: Duration = Duration::from_millis(15);

/// The number of attempts of this process that may still send a finish: those that a claim has returned and that have
/// not ended. An estimate, since a lease may end elsewhere; each heartbeat corrects it.
#[derive(Debug, Default)]
pub(in crate::store) struct OpenAttempts(AtomicUsize);

impl OpenAttempts {
    /// Adds claimed attempts.
    pub(in crate::store) fn add(&self, attempts: usize) {
        self.0.fetch_add(attempts, Ordering::Relaxed);
    }

    /// Removes attempts that have ended.
    pub(in crate::store) fn remove(&self, attempts: usize) {
        let less = |open: usize| Some(open.saturating_sub(attempts));
        // Never fails, since the closure always returns a number.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Replaces the estimate by the number of leases that the process has.
    pub(in crate::store) fn correct(&self, attempts: usize) {
        self.0.store(attempts, Ordering::Relaxed);
    }

    fn number(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Collects writes into groups.
pub(in crate::store) struct Gatherer<T> {
    pending: mpsc::Receiver<T>,
    /// The attempts that may send a write; `None` if that is not known.
    open: Option<Arc<OpenAttempts>>,
    /// True once there was a group.
    has_begun: bool,
}

impl<T> Gatherer<T> {
    /// Creates a gatherer of `pending`.
    pub(in crate::store) fn new(pending: mpsc::Receiver<T>, open: Option<Arc<OpenAttempts>>) -> Self {
        Self { pending, open, has_begun: false }
    }

    /// Waits for the next group. Returns `None` once every sender is dropped and everything sent was returned. The call
    /// counts as the end of the group before.
    pub(in crate::store) async fn next_group(&mut self) -> Option<Vec<T>> {
        let ended = Instant::now();
        let mut group = vec![self.pending.recv().await?];
        let now = Instant::now();
        let is_busy = std::mem::replace(&mut self.has_begun, true) && now - ended <= BUSY_PAUSE;
        let until = now + if is_busy { BUSY_WINDOW } else { GATHER_WINDOW };
        while group.len() < GROUP_LIMIT && self.may_grow(group.len()) {
            match timeout_at(until, self.pending.recv()).await {
                Ok(Some(next)) => group.push(next),
                Ok(None) | Err(_) => break,
            }
        }
        Some(group)
    }

    /// Returns false if every attempt that may send a write is in the group of `length` writes.
    fn may_grow(&self, length: usize) -> bool {
        self.open.as_ref().is_none_or(|open| length < open.number()) || !self.pending.is_empty()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    fn gatherer(open: Option<usize>) -> (mpsc::Sender<u32>, Gatherer<u32>) {
        let (sender, pending) = mpsc::channel(QUEUE_CAPACITY);
        let open = open.map(|number| {
            let open = OpenAttempts::default();
            open.add(number);
            Arc::new(open)
        });
        (sender, Gatherer::new(pending, open))
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_waits_no_longer_than_writes_can_come() {
        let (sender, mut groups) = gatherer(Some(2));
        let begun = Instant::now();
        sender.send(1).await.expect("the gatherer receives");
        sender.send(2).await.expect("the gatherer receives");
        assert_eq!(groups.next_group().await, Some(vec![1, 2]));
        assert_eq!(begun.elapsed(), Duration::ZERO, "both attempts have ended");
        sender.send(3).await.expect("the gatherer receives");
        assert_eq!(groups.next_group().await, Some(vec![3]));
        assert_eq!(begun.elapsed(), BUSY_WINDOW, "the other attempt may end in a moment");
    }

    #[tokio::test(start_paused = true)]
    async fn a_group_waits_longer_while_groups_follow_closely() {
        let (sender, mut groups) = gatherer(None);
        for (pause, window) in [
            (Duration::ZERO, GATHER_WINDOW),
            (BUSY_PAUSE, BUSY_WINDOW),
            (BUSY_PAUSE + Duration::from_millis(1), GATHER_WINDOW),
        ] {
            let sent = sender.clone();
            let send = async move {
                tokio::time::sleep(pause).await;
                sent.send(1).await.expect("the gatherer receives");
            };
            let begun = Instant::now();
            let (group, ()) = tokio::join!(groups.next_group(), send);
            assert_eq!((group, begun.elapsed()), (Some(vec![1]), pause + window));
        }
        drop(sender);
        assert_eq!(groups.next_group().await, None);
    }

    #[test]
    fn open_attempts_never_fall_below_zero() {
        let open = OpenAttempts::default();
        open.add(1);
        open.remove(3);
        assert_eq!(open.number(), 0);
        open.correct(7);
        assert_eq!(open.number(), 7);
    }
}
