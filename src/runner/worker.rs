//! State that the tasks of one worker share.

use super::crawling::KnownCrawling;
use super::event::{Event, Health, LockHealth, RunnerStatus};
use super::fetch_pause::FetchPause;
use super::live::{LiveSettings, LiveSettingsCell};
use super::measures::Measures;
use super::progress::Progress;
use super::relay::Relay;
use super::report::Reporter;
use super::representation::HostMarkdownCache;
use super::running_jobs::RunningJobs;
use super::templates::Templates;
use crate::domain::id::WorkerId;
use crate::domain::text::SafeLine;
use crate::lock::{Notification, Redis};
use crate::store::{RunnerStore, StoreError, WorkerInfo};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, broadcast, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A worker: its services, settings, running jobs, and the channels to its handle.
pub(super) struct Worker {
    pub(super) id: WorkerId,
    pub(super) store: Arc<dyn RunnerStore>,
    pub(super) redis: Option<Arc<Redis>>,
    /// The relays, one for each subscriber of the outbox.
    pub(super) relays: Vec<Arc<Relay>>,
    pub(super) name: SafeLine,
    /// Settings and fetcher; see [`Worker::live`].
    pub(super) live: LiveSettingsCell,
    /// Cached knowledge of the store about the Markdown that hosts offer.
    pub(super) host_markdown: HostMarkdownCache,
    pub(super) running_jobs: RunningJobs,
    pub(super) templates: Templates,
    pub(super) crawling: KnownCrawling,
    /// The pause while this process may open no more files.
    pub(super) fetch_pause: FetchPause,
    /// Wakes the claim loop when a slot is freed or new work is announced.
    pub(super) claim_wakeup: Arc<Notify>,
    pub(super) write_check: WriteCheck,
    pub(super) attempts: TaskTracker,
    pub(super) measures: Arc<Measures>,
    pub(super) progress: Arc<Progress>,
    pub(super) events: broadcast::Sender<Event>,
    pub(super) status: watch::Sender<RunnerStatus>,
    pub(super) health: watch::Sender<Health>,
    pub(super) locks: watch::Sender<LockHealth>,
    pub(super) reporter: Reporter,
    /// Set while the worker is to claim nothing.
    pub(super) off: Arc<AtomicBool>,
    pub(super) drain: CancellationToken,
    pub(super) leave: CancellationToken,
    pub(super) ended: CancellationToken,
    /// Cancelled when the worker ends and begins no more deliveries.
    pub(super) last_deliveries: CancellationToken,
    /// Cancelled once a drain has read the sources that were due.
    pub(super) sources_read: CancellationToken,
}

/// Whether the worker's heartbeats cannot be written.
#[derive(Default)]
pub(super) struct WriteCheck {
    is_failing: AtomicBool,
    /// Wakes the heartbeat when the database answers reads again.
    wakeup: Notify,
}

impl WriteCheck {
    /// Waits until a heartbeat that failed `pause` ago may be tried again, because the database answers reads.
    pub(super) async fn retry(&self, pause: Duration) {
        sleep(pause).await;
        self.wakeup.notified().await;
    }
}

impl Worker {
    /// Returns the settings that apply now.
    pub(super) fn live(&self) -> Arc<LiveSettings> {
        self.live.get()
    }

    /// Returns true while the worker is to claim nothing, as its handle has asked.
    pub(super) fn is_off(&self) -> bool {
        self.off.load(Ordering::Acquire)
    }

    /// Waits until the worker ends, drains or leaves.
    pub(super) async fn stops(&self) {
        tokio::select! {
            () = self.ended.cancelled() => {}
            () = self.drain.cancelled() => {}
            () = self.leave.cancelled() => {}
        }
    }

    /// Returns true once the worker ends, drains or leaves.
    pub(super) fn is_stopped(&self) -> bool {
        [&self.ended, &self.drain, &self.leave].iter().any(|token| token.is_cancelled())
    }

    /// Sends an event to this process's watchers; without a watcher, the event is dropped.
    pub(super) fn emit(&self, event: Event) {
        let _ = self.events.send(event);
    }

    /// Sends an event to this process's watchers and, if it is a step or the end of an attempt, over Redis to the other
    /// processes.
    pub(super) fn emit_everywhere(&self, event: Event) {
        if let Some(redis) = &self.redis {
            match event {
                Event::Step { document, step } => redis.publish(Notification::Step(document, step)),
                Event::Ended { document } => redis.publish(Notification::Ended(document)),
                _ => {}
            }
        }
        self.emit(event);
    }

    /// Returns the data by which the worker is registered in the store.
    pub(super) fn info(&self) -> WorkerInfo {
        let live = self.live();
        WorkerInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            capacity: live.settings.slots,
            unfetchable: Arc::clone(&live.unfetchable),
        }
    }

    /// Records that the database answered a read. That proves nothing while results or heartbeats cannot be written, as on
    /// a full disk; the heartbeat then tries again to write.
    pub(super) fn store_readable(&self) {
        if self.write_check.is_failing.load(Ordering::Relaxed) {
            self.write_check.wakeup.notify_one();
        } else if !self.running_jobs.has_unwritten() {
            self.store_recovered();
        }
    }

    /// Records whether a heartbeat could be written.
    pub(super) fn heartbeat_written(&self, is_written: bool) {
        let was_failing = self.write_check.is_failing.swap(!is_written, Ordering::Relaxed);
        if was_failing && is_written {
            self.store_readable();
        }
    }

    /// Records that the database took a write.
    pub(super) fn store_recovered(&self) {
        self.health.send_if_modified(|health| std::mem::take(health) != Health::Fine);
    }

    /// Records that a call to the database failed and that it is repeated after `wait`. A schema error is ignored here:
    /// the database did answer, and the claim loop ends the worker.
    pub(super) fn store_unavailable(&self, error: &StoreError, wait: Duration) {
        if matches!(error, StoreError::Schema(_)) {
            return;
        }
        let now = self.store.now();
        self.health.send_modify(|health| {
            let since = match health {
                Health::Unreachable { since, .. } => *since,
                Health::Fine => now,
            };
            *health =
                Health::Unreachable { since, reason: SafeLine::new(&error.to_string()), next_try_at: now.plus(wait) };
        });
    }
}
