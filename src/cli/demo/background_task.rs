//! Background tasks that run while the demo's console is open.

use std::future::Future;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A task that runs until it is stopped.
pub(super) struct BackgroundTask {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl BackgroundTask {
    /// Spawns the future that `work` returns. [`BackgroundTask::stop`] cancels the token, at which the future must end.
    pub(super) fn start<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce(CancellationToken) -> W) -> Self {
        let task = Self { stop: CancellationToken::new(), tasks: TaskTracker::new() };
        task.tasks.spawn(work(task.stop.clone()));
        task.tasks.close();
        task
    }

    /// Requests that the task stop, and waits for its end.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
