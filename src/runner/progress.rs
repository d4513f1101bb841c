//! Signs of life of a runner: the last rounds of its claim loop and its heartbeat. A supervisor restarts a process in
//! which one of them is stuck.

use crate::fault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Longest time between two rounds of a live runner, apart from the interval of the heartbeat. A round of the claim loop
/// waits at most a second for work; a call of the database ends within 50 s (15 s for a connection, 35 s for an answer)
/// and a round makes several, of which only the first takes that long.
const STALL_LIMIT: Duration = Duration::from_secs(90);

/// Times of the last rounds, in milliseconds since the start.
#[derive(Debug)]
pub struct Progress {
    start: Instant,
    registered: AtomicBool,
    claim_ms: AtomicU64,
    heartbeat_ms: AtomicU64,
    heartbeat_interval: Duration,
    limit: Duration,
}

impl Progress {
    /// Starts with both parts alive; `heartbeat_interval` is that of the settings.
    pub(super) fn new(heartbeat_interval: Duration) -> Self {
        Self {
            start: Instant::now(),
            registered: AtomicBool::new(false),
            claim_ms: AtomicU64::new(0),
            heartbeat_ms: AtomicU64::new(0),
            heartbeat_interval,
            limit: fault::limit("stall", STALL_LIMIT),
        }
    }

    /// Records a round of the claim loop, or a step of its shutdown.
    pub(super) fn note_claim_round(&self) {
        self.claim_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Records that the worker is registered in the store.
    pub(super) fn note_registered(&self) {
        self.registered.store(true, Ordering::Relaxed);
    }

    /// Returns true once the worker has been registered in the store; before that it claims nothing.
    pub fn is_registered(&self) -> bool {
        self.registered.load(Ordering::Relaxed)
    }

    /// Records a round of the heartbeat.
    pub(super) fn note_heartbeat(&self) {
        self.heartbeat_ms.store(self.now_ms(), Ordering::Relaxed);
    }

    /// Returns why the runner counts as stuck, in a sentence; `None` while it works.
    pub fn stall(&self) -> Option<String> {
        self.stall_at(self.now_ms())
    }

    /// Does the same for a time in milliseconds since the start.
    fn stall_at(&self, now_ms: u64) -> Option<String> {
        let parts = [
            ("claim loop", &self.claim_ms, self.limit),
            ("heartbeat", &self.heartbeat_ms, self.limit + self.heartbeat_interval),
        ];
        parts.into_iter().find_map(|(part, last, limit)| {
            let silent = Duration::from_millis(now_ms.saturating_sub(last.load(Ordering::Relaxed)));
            (silent > limit).then(|| format!("the {part} has not come round for {} s", silent.as_secs()))
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the stall of a runner of this age whose parts had their last rounds at these times, in seconds.
    fn stall(age: u64, claim: u64, heartbeat: u64) -> Option<String> {
        let progress = Progress::new(Duration::from_secs(10));
        progress.claim_ms.store(claim * 1_000, Ordering::Relaxed);
        progress.heartbeat_ms.store(heartbeat * 1_000, Ordering::Relaxed);
        progress.stall_at(age * 1_000)
    }

    #[test]
    fn a_part_that_does_not_come_round_is_named() {
        assert_eq!(stall(3_600, 3_600, 3_600), None);
        assert_eq!(stall(60, 0, 0), None, "a slow database is no stall");
        assert_eq!(stall(3_600, 3_600, 3_505), None, "a heartbeat comes every 10 s only");
        assert!(stall(3_600, 60, 3_600).is_some_and(|why| why.contains("claim loop") && why.contains("3540 s")));
        assert!(stall(3_600, 3_600, 60).is_some_and(|why| why.contains("heartbeat")));
    }
}
