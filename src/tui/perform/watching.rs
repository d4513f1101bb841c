//! Watches commits, outcomes, the runner and the events of other processes, as long as the console runs.

use super::Shared;
use crate::domain::id::Seq;
use crate::domain::text::SafeLine;
use crate::runner::event::Event;
use crate::runner::handle::Handle;
use crate::runner::tail::{TailItem, follow};
use crate::store::{Changes, OutcomesFrom};
use crate::tui::msg::Msg;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{MissedTickBehavior, interval, sleep};

/// Shortest time between two messages about commits, and between two about the runner's status.
const MIN_INTERVAL: Duration = Duration::from_millis(100);
/// Factor of the wait after a read of the document list: the wait is this many times the read's duration, so that reads
/// take at most 25 % of the store's time.
const READ_BACKOFF_FACTOR: u64 = 3;
/// Interval at which the workers are read although nothing was committed: a killed worker commits nothing, and neither
/// does a dead database. The workers are few rows, so this costs next to nothing.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

impl Shared {
    /// Sends [`Msg::StoreChanged`] after commits. After each message it waits [`MIN_INTERVAL`], or longer if reading the
    /// document list is slow.
    pub(super) async fn watch_changes(self: Arc<Self>, mut changes: Changes) {
        while let Ok(topics) = changes.changed().await {
            self.send(Msg::StoreChanged(topics)).await;
            let took = Duration::from_micros(
                self.page_read_micros.load(Ordering::Relaxed).saturating_mul(READ_BACKOFF_FACTOR),
            );
            sleep(MIN_INTERVAL.max(took)).await;
        }
    }

    /// Sends [`Msg::PollDue`] at every [`POLL_INTERVAL`].
    pub(super) async fn poll(self: Arc<Self>) {
        let mut ticks = interval(POLL_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick is at once, and the start has read everything.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.send(Msg::PollDue).await;
        }
    }

    /// Sends the newest stored outcomes, then every later one. Of failures in a row, sends only the first.
    pub(super) async fn watch_outcomes(self: Arc<Self>) {
        let mut reported = false;
        let last = loop {
            match self.outcomes_from(OutcomesFrom::Newest, None).await {
                Ok(outcomes) => {
                    let last = outcomes.last().map_or(Seq::START, |newest| newest.seq);
                    self.send(Msg::NewestOutcomes(Ok(outcomes))).await;
                    break last;
                }
                Err(error) => {
                    if !reported {
                        self.send(Msg::OutcomesUnreachable(SafeLine::new(&error.to_string()))).await;
                    }
                    reported = true;
                    sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let mut tail = follow(self.store.clone(), last);
        let mut reported = false;
        while let Some(tailed) = tail.recv().await {
            match tailed {
                TailItem::Outcomes(outcomes) => {
                    reported = false;
                    self.send(Msg::Outcomes(outcomes)).await;
                }
                TailItem::Unreachable(error) => {
                    if !reported {
                        self.send(Msg::OutcomesUnreachable(SafeLine::new(&error.to_string()))).await;
                    }
                    reported = true;
                }
            }
        }
    }

    /// Forwards events of attempts to the loop: those of this process's runner, or those of other processes.
    pub(super) async fn watch_events(self: Arc<Self>, mut events: broadcast::Receiver<Event>) {
        loop {
            match events.recv().await {
                Ok(event) => self.send(Msg::Runner(event)).await,
                Err(RecvError::Lagged(_)) => self.send(Msg::RunnerLagged).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Sends the runner's status whenever it changes, at most once per [`MIN_INTERVAL`].
    pub(super) async fn watch_status(self: Arc<Self>, runner: Handle) {
        let mut status = runner.status();
        loop {
            let now = *status.borrow_and_update();
            self.send(Msg::Status(now)).await;
            // The status changes with every job; a person can follow only a few changes per second.
            sleep(MIN_INTERVAL).await;
            if status.changed().await.is_err() {
                return;
            }
        }
    }

    /// Sends a watched state, such as the runner's health, now and whenever it changes.
    pub(super) async fn watch_state<T: Clone>(self: Arc<Self>, mut states: watch::Receiver<T>, msg: fn(T) -> Msg) {
        loop {
            let now = states.borrow_and_update().clone();
            self.send(msg(now)).await;
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    /// Reports when the outcome files cannot be written.
    pub(super) async fn watch_file_problems(self: Arc<Self>, mut problems: watch::Receiver<Option<SafeLine>>) {
        while problems.changed().await.is_ok() {
            let problem = problems.borrow_and_update().clone();
            if let Some(message) = problem {
                self.send(Msg::Runner(Event::Problem { message })).await;
            }
        }
    }

    /// Sends a message when the runner has ended.
    pub(super) async fn watch_end(self: Arc<Self>, runner: Handle) {
        runner.ended().await;
        self.send(Msg::RunnerEnded).await;
    }
}
