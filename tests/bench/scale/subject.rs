//! The measured programs and the state of a run.

use super::options::{Options, StoreKind};
use super::pages::PageServer;
use super::sheet::Sheet;
use std::path::PathBuf;

/// A measured program.
pub struct Subject {
    pub program: PathBuf,
}

/// The state of a run: its options, its programs and the figures measured so far.
pub struct Run {
    pub options: Options,
    pub subjects: Vec<Subject>,
    pub stores: Vec<StoreKind>,
    pub server: PageServer,
    pub sheet: Sheet,
}

impl Run {
    /// Returns the program indexes of all rounds. The programs change places in each round, so that a machine that
    /// becomes slower or faster affects both.
    pub fn turns(&self) -> Vec<usize> {
        let programs = self.subjects.len();
        (0..self.options.runs)
            .flat_map(|round| (0..programs).map(move |turn| if round % 2 == 0 { turn } else { programs - 1 - turn }))
            .collect()
    }
}
