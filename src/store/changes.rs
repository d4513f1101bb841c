//! Counters of changes by topic, in memory: how a store tells its users what to read again.

use crate::domain::topic::{Topic, TopicSet};
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;

/// Number of changes per topic since the store was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct ChangeCounts([u64; Topic::ALL.len()]);

impl ChangeCounts {
    /// Returns the topics whose number differs from that in `earlier`.
    fn changed_since(&self, earlier: &Self) -> TopicSet {
        Topic::ALL.into_iter().filter(|topic| self.of(*topic) != earlier.of(*topic)).collect()
    }

    fn of(&self, topic: Topic) -> u64 {
        self.0[topic as usize]
    }
}

/// Publishes changes to every [`Changes`] that has subscribed to them.
#[derive(Clone, Debug, Default)]
pub struct ChangeSender(watch::Sender<ChangeCounts>);

impl ChangeSender {
    /// Publishes that data of these topics has changed; wakes nobody if there are none.
    pub fn publish(&self, topics: TopicSet) {
        if topics.is_empty() {
            return;
        }
        self.0.send_modify(|counts| {
            for topic in topics.iter() {
                counts.0[topic as usize] += 1;
            }
        });
    }

    /// Subscribes to later changes of all topics.
    pub fn subscribe(&self) -> Changes {
        let mut receiver = self.0.subscribe();
        let known = *receiver.borrow_and_update();
        Changes { receiver, known, topics: TopicSet::ALL }
    }
}

/// A subscription to changes: hints to read again. Several changes in quick succession may count as one, and a change
/// may be published that was none.
#[derive(Clone, Debug)]
pub struct Changes {
    receiver: watch::Receiver<ChangeCounts>,
    /// The counters up to which this subscriber knows of the changes.
    known: ChangeCounts,
    topics: TopicSet,
}

impl Changes {
    /// Restricts the subscription to these topics.
    #[must_use]
    pub fn only(self, topics: TopicSet) -> Self {
        Self { topics, ..self }
    }

    /// Forgets the changes so far, because their data is read now.
    pub fn mark_unchanged(&mut self) {
        self.known = *self.receiver.borrow_and_update();
    }

    /// Returns true if there was a change since the last call of [`changed`](Self::changed) or
    /// [`mark_unchanged`](Self::mark_unchanged).
    pub fn has_changed(&self) -> bool {
        self.receiver.borrow().changed_since(&self.known).intersects(self.topics)
    }

    /// Waits until there was a change since the last call of this method or of [`mark_unchanged`](Self::mark_unchanged),
    /// and returns its topics. A call that is dropped loses no change.
    ///
    /// # Errors
    /// Fails once the store is gone.
    pub async fn changed(&mut self) -> Result<TopicSet, RecvError> {
        loop {
            let now = *self.receiver.borrow_and_update();
            let topics = now.changed_since(&self.known) & self.topics;
            if !topics.is_empty() {
                self.known = now;
                return Ok(topics);
            }
            self.receiver.changed().await?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;

    const JOBS: TopicSet = TopicSet::of(&[Topic::Jobs]);
    const PAUSES: TopicSet = TopicSet::of(&[Topic::Pauses]);

    /// Returns the topics of the change that is waiting; `None` if there is none.
    fn waiting(changes: &mut Changes) -> Option<TopicSet> {
        changes.changed().now_or_never().map(|changed| changed.expect("the sender is alive"))
    }

    #[test]
    fn a_subscriber_learns_what_changed_since_the_last_time_and_nothing_else() {
        let sender = ChangeSender::default();
        sender.publish(TopicSet::ALL);
        let mut all = sender.subscribe();
        let mut jobs = sender.subscribe().only(JOBS);
        assert_eq!(waiting(&mut all), None, "a change from before the subscription");
        sender.publish(PAUSES);
        sender.publish(TopicSet::NONE);
        assert!(all.has_changed() && !jobs.has_changed());
        assert_eq!(waiting(&mut jobs), None);
        sender.publish(JOBS);
        assert_eq!(waiting(&mut all), Some(JOBS | PAUSES));
        assert_eq!(waiting(&mut all), None);
        assert_eq!(waiting(&mut jobs), Some(JOBS));
        sender.publish(JOBS);
        jobs.mark_unchanged();
        assert_eq!((jobs.has_changed(), waiting(&mut jobs)), (false, None));
    }

    #[test]
    fn the_last_change_is_learned_before_the_end() {
        let sender = ChangeSender::default();
        let mut changes = sender.subscribe();
        sender.publish(JOBS);
        drop(sender);
        assert_eq!(waiting(&mut changes), Some(JOBS));
        assert!(changes.changed().now_or_never().is_some_and(|changed| changed.is_err()));
    }
}
