//! Tests that `tests/bench/run` measures everything, with sizes so small that its figures mean nothing.

use crate::support::postgres;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// Options of a run that takes seconds.
const TINY: [&str; 8] = ["--documents", "1200", "--pages", "8", "--runs", "1", "--idle", "1"];

/// Figures of a run: one of each kind, with the stores that they are measured on.
const FIGURES: [(&str, &str); 15] = [
    ("parts", "sum of the parts"),
    ("sync", "first sync, 16: CPU a document"),
    ("sync", "304, 64: documents a second"),
    ("sync", "first sync, 22 bytes, 64: peak memory"),
    ("sync", "first sync, 16: CPU, times the parts"),
    ("growth", "import of 1200: CPU"),
    ("growth", "import of 1200: written"),
    ("growth", "list --json, 1000: CPU a document"),
    ("bulk", "cancel --all --yes of 1200: CPU a document"),
    ("reads", "SQLite, list --sort=-next --limit 20: CPU"),
    ("reads", "SQLite, doctor: wall"),
    ("console", "SQLite, start to rows"),
    ("console", "SQLite, filter host:h7.test"),
    ("console", "SQLite, typing test: rows after the last key"),
    ("console", "SQLite, memory at the end"),
];

/// Figures that are measured where PostgreSQL is installed.
const ON_POSTGRES: [(&str, &str); 3] = [
    ("reads", "PostgreSQL, list --filter status:failed --json: CPU"),
    ("console", "PostgreSQL, sort by next"),
    ("remote", "5 ms each way: syncs a second"),
];

/// Beginnings of the names of variables that cargo sets for a test, and for nothing that it builds.
const OF_TESTS: [&str; 5] = ["CARGO_BIN_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_PRIMARY_"];

/// Runs the script with the program of the tests, and returns the text and the JSON that it made.
fn measure(args: &[&str]) -> (String, Value) {
    let program = Path::new(env!("CARGO_BIN_EXE_quarterdeck"));
    // The profile's folder in the folder of the builds: what is built for the tests is not built again.
    let folder = program.parent().expect("the folder of a profile");
    let profile = match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => "dev",
        Some(profile) => profile,
        None => panic!("{} is in no folder", program.display()),
    };
    let scratch = tempfile::tempdir().expect("a folder");
    let json = scratch.path().join("figures.json");
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/run"));
    // Variables that cargo sets for tests. Build scripts take note of them: with them, everything would be built again.
    let is_for_tests = |name: &str| OF_TESTS.iter().any(|start| name.starts_with(start));
    for name in std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).filter(|name| is_for_tests(name)) {
        command.env_remove(name);
    }
    command.args(["--profile", profile]).env("CARGO_TARGET_DIR", folder.parent().expect("the folder of the builds"));
    if cfg!(feature = "faults") {
        command.args(["--features", "faults"]);
    }
    command.arg("--binary").arg(program).arg("--json").arg(&json).args(args);
    let output = command.output().expect("a shell");
    let (text, messages) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{messages}");
    let figures = std::fs::read_to_string(&json).expect("the JSON file is written");
    (text.into_owned(), serde_json::from_str(&figures).expect("JSON"))
}

fn value(json: &Value, group: &str, name: &str) -> Option<f64> {
    let figures = json["figures"].as_array().expect("a list of figures");
    figures.iter().find(|figure| figure["group"] == group && figure["name"] == name)?["value"].as_f64()
}

#[test]
fn the_benchmark_measures_everything() {
    let groups = ["--only", "parts,sync,growth,bulk,reads,console,remote"];
    let (text, json) = measure(&[&TINY[..], &groups].concat());
    let expected = FIGURES.iter().chain(ON_POSTGRES.iter().filter(|_| postgres::is_available()));
    for (group, name) in expected {
        assert!(value(&json, group, name).is_some_and(|value| value > 0.0), "{group}: {name} in\n{text}");
        assert!(text.contains(name), "{name} in\n{text}");
    }
    for figure in json["figures"].as_array().expect("a list of figures") {
        let (name, value) = (figure["name"].as_str().expect("a name"), figure["value"].as_f64());
        // Nothing has to happen in a second of idling, and a tiny size may cost nothing beside the start.
        let may_be_zero = name.contains("idle") || name.contains("a second later") || name.contains("exponent");
        assert!(value.is_some_and(|value| value.is_finite() && (may_be_zero || value > 0.0)), "{figure}");
    }
    for fact in ["date", "commit", "command", "program"] {
        assert!(json[fact].as_str().is_some_and(|fact| !fact.is_empty()), "{fact} in {json}");
    }
    assert!(json["machine"]["cores"].as_u64() > Some(0), "{json}");
}

#[test]
fn the_benchmark_compares_two_programs() {
    let program = env!("CARGO_BIN_EXE_quarterdeck");
    let few = ["--documents", "50", "--runs", "2", "--stores", "sqlite", "--only", "bulk", "--before", program];
    let (text, json) = measure(&few);
    assert!(text.contains("ratio"), "{text}");
    let figures = json["figures"].as_array().expect("a list of figures");
    assert_eq!(figures.len(), 6, "{text}");
    for figure in figures {
        assert!(figure["before"].as_f64().is_some_and(|value| value > 0.0), "{figure}");
        assert!(figure["ratio"].as_f64().is_some_and(|value| value > 0.0), "{figure}");
        assert_eq!(figure["before_samples"].as_array().map(Vec::len), Some(2), "{figure}");
    }
}
