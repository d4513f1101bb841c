//! Times that tests measure. They are printed, and held against their limits only when `QUARTERDECK_MEASURE` is set: on
//! a machine that does nothing else, with a release build. In every other run a limit on time would test the machine.

use std::time::{Duration, Instant};

/// Whether measured times count.
fn counts() -> bool {
    std::env::var_os("QUARTERDECK_MEASURE").is_some()
}

/// Fails when `took` is over `most`, if measured times count; else prints both.
#[track_caller]
pub fn at_most(what: &str, took: Duration, most: Duration) {
    if counts() {
        assert!(took <= most, "{what}: {took:.2?}, at most {most:?}");
    } else if took > most {
        println!("{what}: {took:.2?}, over the {most:?} of a machine that does nothing else");
    }
}

/// Fails when `share` is below `least`, if measured figures count; else prints both.
#[track_caller]
pub fn at_least(what: &str, share: f64, least: f64) {
    if counts() {
        assert!(share >= least, "{what}: {share:.2}, at least {least}");
    } else if share < least {
        println!("{what}: {share:.2}, under the {least} of a machine that does nothing else");
    }
}

/// Measures real time.
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Begins.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since.
    pub fn took(&self) -> Duration {
        self.0.elapsed()
    }
}
