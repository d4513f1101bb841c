//! Figures of fault tests for the table of `tests/chaos/run`: each test appends them, as lines of JSON, to the file that
//! `QUARTERDECK_CHAOS_FIGURES` names. Without this variable nothing is written.

use serde::{Deserialize, Serialize};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

/// Name of the variable with the file's path.
pub const FILE: &str = "QUARTERDECK_CHAOS_FIGURES";

/// The figures of one fault test, or of one of its rounds. Times are in seconds; a count or a time is `None` if the
/// test does not know it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Figures {
    /// Number of requested syncs, or of what else the test has many.
    pub size: usize,
    pub faults: usize,
    /// Number of processes that were killed or aborted.
    pub kills: usize,
    /// Documents and jobs without an end.
    pub lost: Option<i64>,
    /// Texts that were written more often than outcomes say.
    pub double: Option<i64>,
    /// Missing or doubled numbers of the log, and attempts without exactly one end.
    pub gaps: Option<i64>,
    /// The longest time by which a fault delayed anything.
    pub slowest_recovery: Option<f64>,
    /// Time from the last fault to the end of the last job.
    pub last_done: Option<f64>,
}

impl Figures {
    /// Appends the figures to the file.
    pub fn note(&self) {
        Note::Figures(self.clone()).add();
    }
}

/// A line of the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    Figures(Figures),
    /// A measured time and its limit on a machine that does nothing else.
    Limit {
        what: String,
        seconds: f64,
        most: f64,
    },
    /// The reason for which the test could not be run here.
    NotRun(String),
}

impl Note {
    /// Appends the line to the file.
    pub fn add(&self) {
        let Some(path) = std::env::var_os(FILE) else { return };
        let file = OpenOptions::new().append(true).create(true).open(path);
        let line = serde_json::to_string(self).expect("JSON");
        file.and_then(|mut file| writeln!(file, "{line}")).expect("the figures are written");
    }

    /// Reads the lines of a file; a missing one has none.
    pub fn read(path: &Path) -> Vec<Self> {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).expect("a note")).collect()
    }
}
