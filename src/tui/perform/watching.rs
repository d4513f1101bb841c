//! What is watched for the console as long as it runs: commits, outcomes, the runner, and the news of other processes.

use super::Shared;
use crate::domain::id::Seq;
use crate::domain::text::SafeLine;
use crate::runner::event::Event;
use crate::runner::handle::Handle;
use crate::runner::tail::{Tailed, follow};
use crate::store::OutcomesFrom;
use crate::tui::msg::Msg;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, watch};
use tokio::time::{sleep, timeout};

/// The shortest time between two looks after changes.
const PACE: Duration = Duration::from_millis(100);
/// Readings may not take more than this part of the store's time: one in four.
const REST: u64 = 3;
/// Without any change the store is looked at this often, for what time alone changes.
const FLOOR: Duration = Duration::from_secs(60);
/// The same while other processes alone run jobs: one that is killed changes nothing, and is to be missed.
const WATCHING: Duration = Duration::from_secs(5);

impl Shared {
    /// Says that something was committed: at once when it was quiet, then as often as the store can bear.
    pub(super) async fn changes(self: Arc<Self>) {
        let mut changes = self.store.changes();
        let floor = if self.runner.is_some() { FLOOR } else { WATCHING };
        loop {
            match timeout(floor, changes.changed()).await {
                Ok(Err(_)) => return,
                Ok(Ok(())) | Err(_) => self.tell(Msg::Changed).await,
            }
            let took = Duration::from_micros(self.took.load(Ordering::Relaxed).saturating_mul(REST));
            sleep(PACE.max(took)).await;
        }
    }

    /// The newest stored outcomes, then every later one.
    pub(super) async fn outcomes(self: Arc<Self>) {
        let mut told = false;
        let last = loop {
            match self.outcomes_from(OutcomesFrom::Newest, None).await {
                Ok(outcomes) => {
                    let last = outcomes.last().map_or(Seq::START, |newest| newest.seq);
                    self.tell(Msg::Newest(Ok(outcomes))).await;
                    break last;
                }
                Err(error) => {
                    if !told {
                        self.tell(Msg::OutcomesUnreachable(SafeLine::new(&error.to_string()))).await;
                    }
                    told = true;
                    sleep(Duration::from_secs(1)).await;
                }
            }
        };
        let mut tail = follow(self.store.clone(), last);
        let mut told = false;
        while let Some(tailed) = tail.recv().await {
            match tailed {
                Tailed::Outcomes(outcomes) => {
                    told = false;
                    self.tell(Msg::Outcomes(outcomes)).await;
                }
                Tailed::Unreachable(error) => {
                    if !told {
                        self.tell(Msg::OutcomesUnreachable(SafeLine::new(&error.to_string()))).await;
                    }
                    told = true;
                }
            }
        }
    }

    /// Passes on what the runner, or another process, says of its attempts.
    pub(super) async fn events(self: Arc<Self>, mut events: broadcast::Receiver<Event>) {
        loop {
            match events.recv().await {
                Ok(event) => self.tell(Msg::Runner(event)).await,
                Err(RecvError::Lagged(_)) => self.tell(Msg::RunnerLagged).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// How busy the runner is.
    pub(super) async fn status(self: Arc<Self>, runner: Handle) {
        let mut status = runner.status();
        loop {
            let now = *status.borrow_and_update();
            self.tell(Msg::Status(now)).await;
            // It changes with every job; a few times a second is enough for the eye.
            sleep(PACE).await;
            if status.changed().await.is_err() {
                return;
            }
        }
    }

    /// A state of the runner, or of what is heard of others, now and whenever it changes.
    pub(super) async fn states<T: Clone>(self: Arc<Self>, mut states: watch::Receiver<T>, msg: fn(T) -> Msg) {
        loop {
            let now = states.borrow_and_update().clone();
            self.tell(msg(now)).await;
            if states.changed().await.is_err() {
                return;
            }
        }
    }

    /// Says when the runner has ended.
    pub(super) async fn end_of(self: Arc<Self>, runner: Handle) {
        runner.ended().await;
        self.tell(Msg::RunnerEnded).await;
    }
}
