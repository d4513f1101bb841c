//! Measured times of tests. They are printed, and checked against their limits only when `QUARTERDECK_MEASURE` is set:
//! on an otherwise idle machine, with a release build. In any other run a time limit would test the machine.

use super::figures::Note;
use std::time::{Duration, Instant};

/// Returns true if measured times are checked.
fn counts() -> bool {
    std::env::var_os("QUARTERDECK_MEASURE").is_some()
}

/// Fails if `took` is over `most` and measured times are checked; else prints both.
#[track_caller]
pub fn at_most(what: &str, took: Duration, most: Duration) {
    Note::Limit { what: what.to_owned(), seconds: took.as_secs_f64(), most: most.as_secs_f64() }.add();
    if counts() {
        assert!(took <= most, "{what}: {took:.2?}, at most {most:?}");
    } else if took > most {
        println!("{what}: {took:.2?}, over the {most:?} of a machine that does nothing else");
    }
}

/// Fails if `share` is below `least` and measured figures are checked; else prints both.
#[track_caller]
pub fn at_least(what: &str, share: f64, least: f64) {
    if counts() {
        assert!(share >= least, "{what}: {share:.2}, at least {least}");
    } else if share < least {
        println!("{what}: {share:.2}, under the {least} of a machine that does nothing else");
    }
}

pub struct Stopwatch(Instant);

impl Stopwatch {
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Returns the time since the start.
    pub fn took(&self) -> Duration {
        self.0.elapsed()
    }
}
