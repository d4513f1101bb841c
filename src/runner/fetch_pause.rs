//! The pause of a worker that may open no more files or connections. That is no failure of a document: the jobs concerned
//! go back into the queue as they were, and nothing is claimed for a while.

use super::event::Event;
use super::worker::Worker;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Duration of a pause. Running attempts may close their connections meanwhile.
const PAUSE: Duration = Duration::from_secs(5);

/// The end of the last pause; `None` before the first one.
#[derive(Debug, Default)]
pub(super) struct FetchPause(Mutex<Option<Instant>>);

impl FetchPause {
    /// Returns true while nothing is to be claimed.
    pub(super) fn lasts(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }

    /// Begins a pause; returns false if one has begun already.
    fn begin(&self) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let begins = until.is_none_or(|until| until <= now);
        if begins {
            *until = Some(now + PAUSE);
        }
        begins
    }
}

/// Begins a pause because a fetch could open no more files, and reports it.
pub(super) fn begin(worker: &Worker) {
    if worker.fetch_pause.begin() {
        let message = format!(
            "this process may open no more files, so nothing is fetched for {} s; no document is charged with it. Lower \
             runner.concurrency, or raise the limit (`ulimit -n`, LimitNOFILE= of systemd)",
            PAUSE.as_secs()
        );
        tracing::warn!("{message}");
        worker.emit(Event::Problem { message: message.as_str().into() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_pause_lasts_for_its_time_and_is_reported_once() {
        let pause = FetchPause::default();
        assert!(!pause.lasts());
        assert!(pause.begin() && !pause.begin() && pause.lasts());
        tokio::time::advance(PAUSE).await;
        assert!(!pause.lasts() && pause.begin());
    }
}
