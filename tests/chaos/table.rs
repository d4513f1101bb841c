//! The table of `tests/chaos/run`: runs the tests of [`catalog`](super::catalog) one at a time, and prints a row for each
//! of them, as text and as JSON.

use super::catalog::{FAULTS, Row};
use crate::support::figures::{self, Figures, Note};
use crate::support::measure::Stopwatch;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The name and the width of each column.
const COLUMNS: [(&str, usize); 11] = [
    ("fault", 5),
    ("what", 58),
    ("store", 10),
    ("size", 7),
    ("faults", 6),
    ("lost", 4),
    ("double", 6),
    ("gaps", 4),
    ("recovery", 8),
    ("last done", 9),
    ("verdict", 7),
];

/// The result of a test.
struct Result {
    row: Row,
    /// The sum of its rounds; the longest of their times.
    figures: Option<Figures>,
    limits: Vec<(String, f64, f64)>,
    /// The reason for which the program did not pass; `None` if it did.
    bad: Option<String>,
    took: f64,
}

fn sum(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.or(other).map(|_| one.unwrap_or(0) + other.unwrap_or(0))
}

fn longest(one: Option<f64>, other: Option<f64>) -> Option<f64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.max(other)),
        (one, other) => one.or(other),
    }
}

fn total(one: Figures, other: &Figures) -> Figures {
    Figures {
        size: one.size + other.size,
        faults: one.faults + other.faults,
        kills: one.kills + other.kills,
        lost: sum(one.lost, other.lost),
        double: sum(one.double, other.double),
        gaps: sum(one.gaps, other.gaps),
        slowest_recovery: longest(one.slowest_recovery, other.slowest_recovery),
        last_done: longest(one.last_done, other.last_done),
    }
}

/// Runs the test of a row in a process of its own. Its output is printed if it fails.
fn run(row: Row, is_full: bool, folder: &Path) -> Result {
    let notes = folder.join("figures");
    let _ = std::fs::remove_file(&notes);
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command.args(["--exact", &row.test, "--include-ignored", "--nocapture"]).env(figures::FILE, &notes);
    if is_full {
        let given = |name: &str| std::env::var_os(name).is_some();
        command.envs(row.full.iter().copied().filter(|(name, _)| !given(name)));
    }
    let begun = Stopwatch::start();
    let ended = command.stdin(Stdio::null()).output().expect("a test starts");
    let took = begun.took().as_secs_f64();
    let notes = Note::read(&notes);
    let mut found: Option<Figures> = None;
    let (mut limits, mut bad) = (Vec::new(), None);
    for note in &notes {
        match note {
            Note::Figures(figures) => found = Some(total(found.unwrap_or_default(), figures)),
            Note::Limit { what, seconds, most } => limits.push((what.clone(), *seconds, *most)),
            Note::NotRun(reason) => bad = Some(format!("not run: {reason}")),
        }
    }
    let wrong = found.iter().any(|found| [found.lost, found.double, found.gaps].into_iter().flatten().any(|n| n != 0));
    let late = limits.iter().find(|(_, seconds, most)| row.is_judged && is_full && seconds > most);
    if !ended.status.success() || wrong {
        bad = Some("FAILED".into());
        eprintln!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr));
    } else if let Some((what, seconds, most)) = late {
        bad = Some(format!("late: {what}: {seconds:.1} s, at most {most:.0} s"));
    } else if found.is_none() && bad.is_none() {
        bad = Some("no figures".into());
    }
    Result { row, figures: found, limits, bad, took }
}

fn time(seconds: Option<f64>) -> String {
    seconds.map_or_else(|| "-".into(), |seconds| format!("{seconds:.1} s"))
}

fn line(cells: &[String]) -> String {
    let mut line = String::new();
    for (index, (cell, (_, width))) in cells.iter().zip(COLUMNS).enumerate() {
        // Words stand at the left, numbers at the right.
        match index {
            0..=2 | 10 => write!(line, "| {cell:<width$} "),
            _ => write!(line, "| {cell:>width$} "),
        }
        .expect("a text can be written to");
    }
    line + "|"
}

fn head() -> String {
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let rule = |(index, (_, width)): (usize, &(&str, usize))| match index {
        0..=2 | 10 => "-".repeat(*width),
        _ => "-".repeat(width - 1) + ":",
    };
    let rules: Vec<_> = COLUMNS.iter().enumerate().map(rule).collect();
    format!("{}\n{}", line(&names), line(&rules))
}

impl Result {
    fn text(&self) -> String {
        let figures = self.figures.clone().unwrap_or_default();
        let count = |count: Option<i64>| count.map_or_else(|| "-".into(), |count| count.to_string());
        line(&[
            self.row.number.into(),
            self.row.what.into(),
            self.row.store.into(),
            figures.size.to_string(),
            figures.faults.to_string(),
            count(figures.lost),
            count(figures.double),
            count(figures.gaps),
            time(figures.slowest_recovery),
            time(figures.last_done),
            self.bad.clone().unwrap_or_else(|| "passed".into()),
        ])
    }

    fn json(&self) -> Value {
        json!({
            "fault": self.row.number,
            "what": self.row.what,
            "store": self.row.store,
            "test": self.row.test,
            "figures": self.figures,
            "limits": self.limits,
            "seconds": self.took,
            "verdict": self.bad.as_deref().unwrap_or("passed"),
        })
    }
}

/// Returns the first number of a line `name: number` of a file in `/proc`.
fn proc_number(file: &str, name: &str) -> u64 {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[test]
#[ignore = "tests/chaos/run runs it"]
fn the_table() {
    let is_full = std::env::var_os("QUARTERDECK_CHAOS_FULL").is_some();
    let wanted = std::env::var("QUARTERDECK_CHAOS_FAULTS").unwrap_or_default();
    let wanted: Vec<_> = wanted.split_whitespace().collect();
    let unknown = wanted.iter().find(|wanted| !FAULTS.iter().any(|fault| fault.number == **wanted));
    assert_eq!(unknown, None, "there is no such fault");
    let rows = FAULTS.iter().filter(|fault| wanted.is_empty() || wanted.contains(&fault.number));
    let rows = rows.flat_map(|fault| fault.rows());
    // A fault that is named is run, also when tests/run leaves it out.
    let rows = rows.filter(|row| is_full || row.is_small || !wanted.is_empty());
    let folder = tempfile::tempdir().expect("a folder");
    let date = jiff::Timestamp::now().round(jiff::Unit::Second).expect("a date").to_string();
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let memory = proc_number("/proc/meminfo", "MemTotal") / 1_024;
    let command = std::env::var("QUARTERDECK_CHAOS_COMMAND").unwrap_or_default();
    println!("{command}\n{date}, {cores} cores, {memory} MB\n\n{}", head());
    let mut results = Vec::new();
    for row in rows {
        let result = run(row, is_full, folder.path());
        println!("{}", result.text());
        results.push(result);
    }
    let kills: usize = results.iter().filter_map(|result| result.figures.as_ref()).map(|figures| figures.kills).sum();
    let took: f64 = results.iter().map(|result| result.took).sum();
    let bad = results.iter().filter(|result| result.bad.is_some()).count();
    let table = json!({
        "command": command,
        "date": date,
        "machine": { "cores": cores, "memory_mb": memory },
        "kills": kills,
        "seconds": took,
        "bad": bad,
        "rows": results.iter().map(Result::json).collect::<Vec<_>>(),
    });
    let file = std::env::var_os("QUARTERDECK_CHAOS_JSON").map(PathBuf::from);
    let file = file.unwrap_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("chaos.json"));
    std::fs::write(&file, format!("{table:#}\n")).expect("the table is written");
    println!("\n{kills} processes killed, {took:.0} s, {bad} of {} bad; as JSON: {}", results.len(), file.display());
    assert_eq!(bad, 0, "faults that were not survived");
}
