//! Figures of the dashboard for tests of the console.

use super::facts::{NOW, document, within};
use quarterdeck::domain::document::Status;
use quarterdeck::domain::histogram::DurationCounts;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::domain::sample::{MINUTE, MinuteSample, QueueLevel, ResultCounts, minute_of};
use quarterdeck::store::{DashboardFigures, SlowHost};
use std::time::Duration;

/// Returns a day of samples with a gap of ten minutes half an hour ago, five slow hosts and three documents that are due.
pub fn figures() -> DashboardFigures {
    let this_minute = minute_of(NOW);
    let minutes = (0..1_440_u32).rev().filter(|ago| !(30..40).contains(ago)).map(|ago| {
        let wave = u64::from((ago * 7) % 23);
        let mut results = ResultCounts::default();
        results.add(OutcomeResult::Updated, wave / 4);
        results.add(OutcomeResult::Unchanged, 10 + wave);
        results.add(OutcomeResult::PermanentFailure, u64::from(ago % 20 == 3));
        results.add(OutcomeResult::TransientFailure, u64::from(ago % 9 == 1));
        let mut durations = DurationCounts::default();
        durations.add(4 + (ago % 3) as usize, 10 + wave);
        durations.add(8, 1 + wave / 8);
        let level = QueueLevel { ready: wave * 2, running: 4, oldest: Some(Duration::from_secs(wave)) };
        let is_sampled = ago > 0;
        let sample = MinuteSample {
            results,
            durations,
            queue: is_sampled.then_some(level),
            disk: is_sampled.then_some(12_000_000 - u64::from(ago) * 1_000),
        };
        (this_minute.minus(MINUTE * ago), sample)
    });
    let slow =
        |host: &str, millis, attempts| SlowHost { host: host.into(), attempts, median: Duration::from_millis(millis) };
    let due = |id, name: &str, seconds| {
        let mut row = document(id, name, Status::Waiting);
        row.next_attempt_at = Some(within(seconds));
        row
    };
    DashboardFigures {
        minutes: minutes.collect(),
        queue: QueueLevel { ready: 6, running: 4, oldest: Some(Duration::from_secs(12)) },
        disk: 12_300_000,
        slowest: vec![
            slow("slow.example", 8_400, 12),
            slow("docs.osprey.localhost", 1_210, 118),
            slow("help.lynx.localhost:8080", 640, 9),
            slow("acme.example", 120, 431),
        ],
        next: vec![due(7, "Quickstart", 25), due(9, "Release notes, spring", 340), due(12, "API reference", 9_000)],
    }
}
