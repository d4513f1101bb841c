//! Durations of the stages of an attempt as text.

use crate::domain::stages::{Stage, Stages};
use std::time::Duration;

/// Returns each stage with its duration: `name 1.2 ms, connect 0.3 ms`.
pub fn stages(stages: Stages) -> String {
    let parts = stages.iter().map(|(stage, duration)| format!("{} {}", stage_name(stage), stage_duration(duration)));
    parts.collect::<Vec<_>>().join(", ")
}

/// Returns the name of a stage for people.
pub const fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Name => "name",
        Stage::Connect => "connect",
        Stage::Tls => "TLS",
        Stage::FirstByte => "first byte",
        Stage::Body => "body",
        Stage::Convert => "convert",
    }
}

/// Returns a duration in milliseconds, below 10 ms with a decimal place, since most stages are that short; from ten
/// seconds on in seconds.
pub fn stage_duration(duration: Duration) -> String {
    let ms = duration.as_secs_f64() * 1e3;
    match ms {
        ..10.0 => format!("{ms:.1} ms"),
        10.0..10_000.0 => format!("{ms:.0} ms"),
        _ => format!("{:.1} s", ms / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_stages_that_took_place_are_named() {
        let mut some = Stages::default();
        some.set(Stage::FirstByte, Duration::from_millis(212));
        some.set(Stage::Name, Duration::from_micros(1_230));
        // Rounded by the packing.
        assert_eq!(stages(some), "name 1.2 ms, first byte 213 ms");
        assert_eq!(stages(Stages::default()), "");
    }
}
