//! Options of the command line.

use super::groups::Group;
use clap::Parser;
use std::path::PathBuf;

/// Database of a measured store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum StoreKind {
    Sqlite,
    Postgres,
}

impl StoreKind {
    /// Returns the name as the table prints it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// The options of the script, which builds the benchmark.
const BUILD: &str = "Before these options:
      --profile <PROFILE>    How cargo builds the program and the benchmark [default: dist]
      --features <FEATURES>  Features of the build";

/// Measures the costs of Quarterdeck's program as a user runs it, and prints one table.
///
/// Each command runs as a process of its own; its processor time, peak memory, written bytes and wall time are the
/// kernel's figures for that process. With --before, both programs run in turns in the same run.
#[derive(Debug, Parser)]
#[command(bin_name = "tests/bench/run", max_term_width = 100, after_help = BUILD)]
pub struct Options {
    /// Documents of the read part and of the largest import
    #[arg(long, value_name = "N", default_value_t = 1_000_000, value_parser = positive)]
    pub documents: usize,

    /// Pages of the sync part
    #[arg(long, value_name = "N", default_value_t = 3_000, value_parser = positive)]
    pub pages: usize,

    /// Jobs of the peers part
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = positive)]
    pub jobs: usize,

    /// Runs of each measurement; the table has their medians
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = positive)]
    pub runs: usize,

    /// Seconds for which the console idles
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub idle: u64,

    /// Measure only these groups
    #[arg(long, value_name = "WORDS", value_delimiter = ',', num_args = 1..)]
    pub only: Vec<Group>,

    /// Measure only these stores; PostgreSQL is left out when it is not installed
    #[arg(long, value_name = "STORES", value_delimiter = ',', num_args = 1..)]
    pub stores: Vec<StoreKind>,

    /// The measured program [default: the one that was built with the benchmark]
    #[arg(long, value_name = "PATH")]
    pub binary: Option<PathBuf>,

    /// A second program, for example of an older commit, with which the first one is compared
    #[arg(long, value_name = "PATH")]
    pub before: Option<PathBuf>,

    /// Also write the figures to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,

    /// Fail if a count of instructions is more than a tenth above the recorded one
    #[arg(long, conflicts_with = "record")]
    pub check: bool,

    /// Record the counts of instructions in tests/bench/instructions.json
    #[arg(long)]
    pub record: bool,

    /// Given by cargo to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    /// Returns true if the group was selected.
    pub fn selects(&self, group: Group) -> bool {
        self.only.is_empty() || self.only.contains(&group)
    }

    /// Returns true if the store was selected.
    pub fn selects_store(&self, store: StoreKind) -> bool {
        self.stores.is_empty() || self.stores.contains(&store)
    }

    /// Returns the numbers of documents of the growth figures: the usual ones below the largest, and the largest.
    pub fn sizes(&self) -> Vec<usize> {
        let usual = [1_000, 10_000, 100_000].into_iter().filter(|size| *size < self.documents);
        usual.chain([self.documents]).collect()
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..) => Ok(number),
        _ => Err("a number from 1 on".to_owned()),
    }
}
