//! The signals that end a process: TERM, INT and HUP.

use std::io;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listener for TERM, INT and HUP. Must be created before the work starts, so that no signal is missed.
pub(super) struct StopSignals {
    term: Signal,
    int: Signal,
    hup: Signal,
}

impl StopSignals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            hup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal. Dropping the future loses no signal (it is cancel safe).
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
            _ = self.hup.recv() => {}
        }
    }
}
