//! Sinks of outcomes besides the store: the outcome files of every process that records some, and standard output of
//! `work`. The store feeds both after each commit, in order, so nothing is printed that is not stored.

use super::exit::CliError;
use super::output::note;
use crate::config::Config;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::runner::log::{LogSettings, OutcomeLog};
use crate::store::Recorder;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use tokio_util::sync::CancellationToken;

/// Batches that may wait for a slow reader of standard output; then the store's writer waits, since no line is lost.
const WAITING: usize = 1_024;

/// The outcome files of this process; made with the first outcome, so that a verb which records none leaves none.
pub(super) struct OutcomeFiles {
    settings: LogSettings,
    log: OnceLock<Option<OutcomeLog>>,
}

impl OutcomeFiles {
    pub(super) fn of(config: &Config) -> Arc<Self> {
        Arc::new(Self { settings: config.log.clone(), log: OnceLock::new() })
    }

    /// Makes them now, for a process that will record many: what is wrong is said before the work starts.
    pub(super) fn open(&self) -> Result<(), CliError> {
        let log = OutcomeLog::in_files(&self.settings)
            .map_err(|error| CliError::Files { dir: self.settings.dir.display().to_string(), error })?;
        // Opened already: then this one has nothing to do.
        let _ = self.log.set(Some(log));
        Ok(())
    }

    /// A recorder that writes here, and then to `also`. It does not keep the files open: they are flushed and closed
    /// when the last owner lets go of them, whatever still holds the store.
    pub(super) fn recorder(self: &Arc<Self>, also: Option<Recorder>) -> Recorder {
        let files = Arc::downgrade(self);
        Arc::new(move |outcomes| {
            if let Some(files) = files.upgrade() {
                files.record(outcomes);
            }
            if let Some(also) = &also {
                also(outcomes);
            }
        })
    }

    fn record(&self, outcomes: &[Outcome]) {
        let log = self.log.get_or_init(|| match OutcomeLog::in_files(&self.settings) {
            Ok(log) => Some(log),
            Err(error) => {
                note(format!(
                    "the outcome is in the store but not in a file of {}: {error}",
                    self.settings.dir.display()
                ));
                None
            }
        });
        if let Some(log) = log {
            log.record(outcomes);
        }
    }
}

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

/// Returns true if a document ended failed with this outcome.
fn fails_for_good(outcome: &Outcome) -> bool {
    outcome.result == OutcomeResult::PermanentFailure || outcome.result.is_exhaustion()
}
