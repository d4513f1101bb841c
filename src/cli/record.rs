//! Recorders, which receive the outcomes that the store has committed: one for the outcome files of each process, and
//! one for the standard output of `work`. The store calls them after each commit, in order, so nothing is printed that
//! is not stored.

use super::exit::CliError;
use super::output::problem;
use crate::config::Config;
use crate::domain::outcome::Outcome;
use crate::domain::text::SafeLine;
use crate::runner::log::{LogSettings, OutcomeLog};
use crate::store::Recorder;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Maximum number of batches of outcomes that wait for a slow reader of standard output. Beyond it the store's writer
/// waits, because no line may be lost.
const MAX_WAITING_BATCHES: usize = 1_024;

/// The outcome files of this process. They are created by [`OutcomeFiles::open`], else with the first outcome, so a
/// verb that records no outcome creates no files.
pub(super) struct OutcomeFiles {
    settings: LogSettings,
    log: OnceLock<Option<OutcomeLog>>,
    /// Why the files cannot be written; `None` while they can be.
    problem: watch::Sender<Option<SafeLine>>,
}

impl OutcomeFiles {
    pub(super) fn of(config: &Config) -> Arc<Self> {
        Arc::new(Self { settings: config.log.clone(), log: OnceLock::new(), problem: watch::Sender::new(None) })
    }

    /// Subscribes to messages about the files: that they cannot be written, `None` while they can be.
    pub(super) fn problems(&self) -> watch::Receiver<Option<SafeLine>> {
        self.problem.subscribe()
    }

    /// Returns what to tell a person about an error of the files.
    pub(super) fn describe(&self, error: &SafeLine) -> String {
        let folder = self.settings.dir.display();
        format!("outcomes are in the store, but cannot be written to a file in {folder} (log.dir): {error}")
    }

    pub(super) fn settings(&self) -> &LogSettings {
        &self.settings
    }

    /// Appends outcomes of dead processes, if the files are open.
    pub(super) fn record_recovered(&self, outcomes: &[Outcome]) {
        if let Some(Some(log)) = self.log.get() {
            log.record_recovered(outcomes);
        }
    }

    /// Creates the files now, for a process that will record many outcomes, so that errors are reported before the work
    /// starts.
    pub(super) fn open(&self) -> Result<(), CliError> {
        let log = OutcomeLog::in_files(&self.settings, self.problem.clone())
            .map_err(|error| CliError::OutcomeFiles { dir: self.settings.dir.display().to_string(), error })?;
        // Fails only if the files are open already, which is fine.
        let _ = self.log.set(Some(log));
        Ok(())
    }

    /// Returns a recorder that writes outcomes to these files and then passes them to `also`. The recorder has only a
    /// weak reference to the files, so they are flushed and closed when their last owner drops them, even if the store
    /// lives longer.
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
        let log = self.log.get_or_init(|| match OutcomeLog::in_files(&self.settings, self.problem.clone()) {
            Ok(log) => Some(log),
            Err(error) => {
                problem(self.describe(&SafeLine::new(&error.to_string())));
                None
            }
        });
        if let Some(log) = log {
            log.record(outcomes);
        }
    }
}

/// Prints this process's outcomes as JSON lines on standard output.
pub(super) struct OutcomeLines {
    lines: SyncSender<Vec<Outcome>>,
    /// Ends with the error of standard output, if it cannot be written.
    printer: JoinHandle<io::Result<()>>,
    /// Cancelled when standard output cannot be written, be it only that its reader has closed it.
    broken: CancellationToken,
    failed: Arc<AtomicU64>,
}

impl OutcomeLines {
    /// Starts a thread that prints, so that a slow reader does not block the async tasks.
    pub(super) fn start() -> Self {
        let (lines, received) = sync_channel::<Vec<Outcome>>(MAX_WAITING_BATCHES);
        let broken = CancellationToken::new();
        let signal = broken.clone();
        let printer = thread::spawn(move || {
            let mut out = io::stdout();
            // An empty batch marks the end. The channel itself may close much later, since the store may keep a
            // recorder, which has a sender.
            while let Some(outcomes) = received.recv().ok().filter(|outcomes| !outcomes.is_empty()) {
                let lines: String = outcomes.iter().map(|outcome| outcome.json() + "\n").collect();
                let written = out.write_all(lines.as_bytes()).and_then(|()| out.flush());
                if let Err(error) = written {
                    signal.cancel();
                    // A closed pipe is no failure.
                    return if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) };
                }
            }
            Ok(())
        });
        Self { lines, printer, broken, failed: Arc::default() }
    }

    pub(super) fn recorder(&self) -> Recorder {
        let (lines, failed) = (self.lines.clone(), self.failed.clone());
        Arc::new(move |outcomes| {
            let for_good = outcomes.iter().filter(|outcome| outcome.result.fails_for_good()).count();
            failed.fetch_add(for_good as u64, Ordering::Relaxed);
            if !outcomes.is_empty() {
                // Sending fails only when standard output cannot be written. The outcomes are in the store.
                let _ = lines.send(outcomes.to_vec());
            }
        })
    }

    /// Waits until standard output cannot be written.
    pub(super) async fn broken(&self) {
        self.broken.cancelled().await;
    }

    /// Waits until everything is printed or standard output cannot be written, and returns the number of outcomes with
    /// which a document failed for good.
    ///
    /// # Errors
    /// Standard output could not be written for another reason than that its reader has closed it.
    pub(super) fn finish(self) -> Result<u64, CliError> {
        let _ = self.lines.send(Vec::new());
        // A panic of the thread would have been printed.
        self.printer.join().unwrap_or(Ok(())).map_err(CliError::Output)?;
        Ok(self.failed.load(Ordering::Relaxed))
    }
}
