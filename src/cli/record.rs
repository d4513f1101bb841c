//! Outcome lines of `work` on standard output. The store tells of them after each commit, in order, so that nothing is
//! printed that is not stored.

use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::store::Recorder;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Batches that may wait for a slow reader of standard output; then the store's writer waits, since no line is lost.
const WAITING: usize = 1_024;

/// Outcome lines of this process on standard output.
pub(super) struct OutcomeLines {
    lines: SyncSender<Vec<Outcome>>,
    printer: JoinHandle<()>,
    /// Cancelled when the reader of standard output went away.
    broken: CancellationToken,
    failed: Arc<AtomicU64>,
}

impl OutcomeLines {
    /// Starts printing. Of a thread of its own: a reader that is slow must not hold the tasks up.
    pub(super) fn start() -> Self {
        let (lines, received) = sync_channel::<Vec<Outcome>>(WAITING);
        let broken = CancellationToken::new();
        let tell = broken.clone();
        let printer = thread::spawn(move || {
            let mut out = io::stdout();
            // An empty batch is the end: the store may hold the recorder, and with it a sender, for longer.
            while let Some(outcomes) = received.recv().ok().filter(|outcomes| !outcomes.is_empty()) {
                let lines: String = outcomes.iter().map(|outcome| outcome.json() + "\n").collect();
                if out.write_all(lines.as_bytes()).and_then(|()| out.flush()).is_err() {
                    tell.cancel();
                    return;
                }
            }
        });
        Self { lines, printer, broken, failed: Arc::default() }
    }

    pub(super) fn recorder(&self) -> Recorder {
        let (lines, failed) = (self.lines.clone(), self.failed.clone());
        Arc::new(move |outcomes| {
            let for_good = outcomes.iter().filter(|outcome| fails_for_good(outcome)).count();
            failed.fetch_add(for_good as u64, Ordering::Relaxed);
            if !outcomes.is_empty() {
                // Nobody reads any more; the outcomes are in the store.
                let _ = lines.send(outcomes.to_vec());
            }
        })
    }

    /// Resolves when nobody reads any more.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Waits until all is printed. How many documents failed for good.
    pub(super) fn finish(self) -> u64 {
        let _ = self.lines.send(Vec::new());
        let _ = self.printer.join();
        self.failed.load(Ordering::Relaxed)
    }
}

/// Whether a document ended failed with this outcome.
fn fails_for_good(outcome: &Outcome) -> bool {
    outcome.result == OutcomeResult::PermanentFailure || outcome.result.is_exhaustion()
}
