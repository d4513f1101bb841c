//! The recorded instruction counts, in `tests/bench/instructions.json`. They hold for one compiler, C library,
//! processor architecture and profile; with another of these they are recorded anew.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// Millions of instructions by the name of the figure, in the order of the table.
pub type Figures = Vec<(String, f64)>;

/// Share by which a figure may be above the recorded one.
const TOLERANCE: f64 = 0.1;

#[derive(Serialize, Deserialize)]
struct Recorded {
    built_with: BuiltWith,
    /// Date of the recording, UTC.
    date: String,
    /// Millions of instructions.
    figures: BTreeMap<String, f64>,
}

/// Parts of a build on which instruction counts depend besides the program's own code.
#[derive(PartialEq, Eq, Serialize, Deserialize)]
struct BuiltWith {
    rustc: String,
    libc: String,
    architecture: String,
    profile: String,
}

impl BuiltWith {
    fn this() -> Self {
        let first_line = |program: &str, args: &[&str]| {
            let output = Command::new(program).args(args).output().ok()?;
            Some(String::from_utf8_lossy(&output.stdout).lines().next()?.trim().to_owned())
        };
        let line = |program, args: &[&str]| first_line(program, args).unwrap_or_else(|| "unknown".to_owned());
        Self {
            rustc: line("rustc", &["--version"]),
            libc: line("getconf", &["GNU_LIBC_VERSION"]),
            architecture: std::env::consts::ARCH.to_owned(),
            profile: std::env::var("QUARTERDECK_BENCH_PROFILE").unwrap_or_else(|_| "bench".to_owned()),
        }
    }

    fn describe(&self) -> String {
        format!("{}, {}, {}, profile {}", self.rustc, self.libc, self.architecture, self.profile)
    }
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/bench/instructions.json")
}

/// Writes the counts to the file, and returns a note.
pub fn record(counted: &Figures) -> Result<String, String> {
    let built_with = BuiltWith::this();
    let note = format!("recorded for {}", built_with.describe());
    let date = jiff::Timestamp::now().strftime("%F").to_string();
    let figures = counted.iter().map(|(name, value)| (name.clone(), (value * 1e4).round() / 1e4)).collect();
    let text =
        serde_json::to_string_pretty(&Recorded { built_with, date, figures }).map_err(|error| error.to_string())?;
    fs::write(file(), text + "\n").map_err(|error| error.to_string())?;
    Ok(note)
}

/// Compares the counts with the recorded ones. Those of another compiler, C library, architecture or profile are
/// replaced. Returns a note.
///
/// # Errors
/// A count is more than a tenth above the recorded one, or has none.
pub fn check(counted: &Figures) -> Result<String, String> {
    let text = fs::read_to_string(file()).map_err(|error| error.to_string())?;
    let recorded: Recorded = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if recorded.built_with != BuiltWith::this() {
        let before = recorded.built_with.describe();
        return Ok(format!("nothing to compare with: the counts were those of {before}; {}", record(counted)?));
    }
    let changes = counted.iter().map(|(name, value)| {
        let before = recorded.figures.get(name).ok_or_else(|| format!("{name}: has no recorded count"))?;
        let change = value / before - 1.0;
        Ok::<_, String>((
            change,
            format!("{name}: {value:.4} million, recorded {before:.4} ({:+.1} %)", change * 100.0),
        ))
    });
    let changes = changes.collect::<Result<Vec<_>, _>>()?;
    let above: Vec<&str> =
        changes.iter().filter(|(change, _)| *change > TOLERANCE).map(|(_, line)| line.as_str()).collect();
    if above.is_empty() {
        let lines: Vec<&str> = changes.iter().map(|(_, line)| line.as_str()).collect();
        return Ok(format!("as recorded: {}", lines.join("; ")));
    }
    Err(format!("more than {:.0} % above the record: {}", TOLERANCE * 100.0, above.join("; ")))
}
