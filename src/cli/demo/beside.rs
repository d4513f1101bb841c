//! Background tasks of the demo's console, until it is closed.

use std::future::Future;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// A task that ends when it is told to.
pub(super) struct Beside {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Beside {
    /// Starts what `work` makes of the token by which it is told.
    pub(super) fn start<W: Future<Output = ()> + Send + 'static>(work: impl FnOnce(CancellationToken) -> W) -> Self {
        let beside = Self { stop: CancellationToken::new(), tasks: TaskTracker::new() };
        beside.tasks.spawn(work(beside.stop.clone()));
        beside.tasks.close();
        beside
    }

    /// Tells it, and waits for its end.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}
