//! The machine, the time and the programs of a run.

use super::options::Options;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Returns what the table's head and the JSON file contain besides figures.
pub fn facts(options: &Options, program: &Path) -> Value {
    json!({
        "date": jiff::Timestamp::now().round(jiff::Unit::Second).unwrap().to_string(),
        "commit": commit(),
        "command": std::env::var("QUARTERDECK_BENCH_COMMAND")
            .unwrap_or_else(|_| std::env::args().collect::<Vec<_>>().join(" ")),
        "machine": {
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "cpu": field("/proc/cpuinfo", "model name"),
            "memory_mb": field("/proc/meminfo", "MemTotal")
                .split(' ').next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) / 1_024,
            "kernel": fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim(),
        },
        "program": describe(program),
        "before": options.before.as_deref().map(describe),
        "documents": options.documents,
        "pages": options.pages,
        "jobs": options.jobs,
        "runs": options.runs,
    })
}

/// Formats the facts as the head of the table.
pub fn head(facts: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let machine = &facts["machine"];
    let mut head = format!(
        "{}\n{}, commit {}\n{} cores, {}, {} MB, Linux {}\nprogram {}\n",
        text(&facts["command"]),
        text(&facts["date"]),
        text(&facts["commit"]),
        machine["cores"],
        text(&machine["cpu"]),
        machine["memory_mb"],
        text(&machine["kernel"]),
        text(&facts["program"]),
    );
    if facts["before"].is_string() {
        head.push_str(&format!("before  {}\n", text(&facts["before"])));
    }
    head.push_str(&format!(
        "{} documents, {} pages, {} jobs, medians of {} runs\n",
        facts["documents"], facts["pages"], facts["jobs"], facts["runs"]
    ));
    head
}

/// Returns the value of the first line `name: value` of a file in `/proc`.
fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find_map(|line| line.split_once(':').filter(|(key, _)| key.trim() == name));
    line.map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").arg("-C").arg(env!("CARGO_MANIFEST_DIR")).args(args).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    match (git(&["rev-parse", "--short=12", "HEAD"]), git(&["status", "--porcelain", "--untracked-files=no"])) {
        (Some(commit), Some(changes)) if changes.is_empty() => commit,
        (Some(commit), _) => format!("{commit} with changes"),
        (None, _) => "unknown".to_owned(),
    }
}

/// Returns the size of the program besides its path: builds of one commit differ by their profile.
fn describe(program: &Path) -> String {
    let bytes = fs::metadata(program).map_or(0, |data| data.len());
    format!("{} ({:.1} MB)", program.display(), bytes as f64 / 1e6)
}

/// Returns true if a program of this name is on the path.
pub fn is_installed(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
