//! The signals that end a process: TERM, INT and HUP. A worker without a terminal reads its settings again at HUP.

use std::fs::File;
use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listener for TERM, INT and HUP. Must be created before the work starts, so that no signal is missed.
pub(super) struct StopSignals {
    term: Signal,
    int: Signal,
    hup: Signal,
    had_terminal: bool,
}

/// Meaning of a signal for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StopSignal {
    /// The process ends.
    End,
    /// The process reads its settings again.
    Reload,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
            had_terminal: has_terminal(),
        })
    }

    /// Waits for the next signal. Dropping the future loses no signal (it is cancel safe).
    pub(super) async fn next(&mut self) {
        self.next_of_worker().await;
    }

    /// Waits for the next signal, for a process that can reload. HUP ends it all the same if its terminal was lost: then
    /// the kernel has sent it. Dropping the future loses no signal (it is cancel safe).
    pub(super) async fn next_of_worker(&mut self) -> StopSignal {
        tokio::select! {
            _ = self.term.recv() => StopSignal::End,
            _ = self.int.recv() => StopSignal::End,
            _ = self.hup.recv() => match self.had_terminal && !has_terminal() {
                true => StopSignal::End,
                false => StopSignal::Reload,
            },
        }
    }
}

/// Returns true if this process has a controlling terminal.
fn has_terminal() -> bool {
    File::open("/dev/tty").is_ok()
}
