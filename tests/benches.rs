//! Tests that `tests/bench/run` measures everything, with sizes so small that its figures mean nothing.

use crate::support::postgres;
use serde_json::Value;
use std::path::Path;
use std::process::Command;
use toml::Table;

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

#[test]
#[ignore = "downloads the other job runners and builds them"]
fn the_other_job_runners_do_the_same_work() {
    let (text, json) = measure(&["--only", "peers", "--jobs", "200", "--runs", "1"]);
    let rows: Vec<&str> =
        json["figures"].as_array().expect("a list").iter().filter_map(|f| f["name"].as_str()).collect();
    let has = |start: &str| rows.iter().any(|row| row.starts_with(start));
    assert!(has("quarterdeck, SQLite, 64: ") && has("apalis 1.0.0, SQLite, 16: "), "{text}");
    assert!(!postgres::is_available() || has("quarterdeck, PostgreSQL, 16: ") && has("awa 0.6.9, "), "{text}");
}

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the file is readable")
}

/// Returns the other job runners with their exact versions, from the manifests of both languages.
fn versions_of_others() -> Vec<(String, String)> {
    let manifest: Table = read("tests/bench/peers/Cargo.toml").parse().expect("TOML");
    let rust = manifest["dependencies"].as_table().expect("a table").iter().map(|(name, dependency)| {
        let version = dependency.get("version").unwrap_or(dependency).as_str().expect("a version");
        (name.clone(), version.strip_prefix('=').unwrap_or_else(|| panic!("{name} {version}")).to_owned())
    });
    let manifest: Value = serde_json::from_str(&read("tests/bench/peers/node/package.json")).expect("JSON");
    let node = manifest["dependencies"].as_object().expect("a map").iter().map(|(name, version)| {
        let version = version.as_str().expect("a version");
        assert!(version.starts_with(|c: char| c.is_ascii_digit()), "{name} {version}");
        (name.clone(), version.to_owned())
    });
    rust.chain(node).collect()
}

#[test]
fn the_other_job_runners_have_exact_versions_which_the_table_names() {
    let versions = versions_of_others();
    let table = read("tests/bench/scale/peers.rs");
    for runner in ["apalis", "awa", "graphile-worker", "pg-boss"] {
        let (_, version) = versions.iter().find(|(name, _)| name == runner).expect("it is declared");
        assert!(table.contains(&format!("name: \"{runner} {version}")), "{runner} {version}");
    }
}

#[test]
fn the_locks_of_the_other_job_runners_name_public_registries_alone() {
    let lock: Table = read("tests/bench/peers/Cargo.lock").parse().expect("TOML");
    let packages = lock["package"].as_array().expect("a list of packages");
    let sources = packages.iter().filter_map(|package| package.get("source")?.as_str());
    let foreign: Vec<_> =
        sources.filter(|source| *source != "registry+https://github.com/rust-lang/crates.io-index").collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let lock: Value = serde_json::from_str(&read("tests/bench/peers/node/package-lock.json")).expect("JSON");
    let packages = lock["packages"].as_object().expect("a map of packages");
    let resolved: Vec<_> = packages.iter().filter(|(_, package)| package.get("resolved").is_some()).collect();
    assert!(packages.len() > 50 && resolved.is_empty(), "addresses of one registry: {resolved:?}");
}

#[test]
fn the_program_is_built_without_the_other_job_runners() {
    let manifest: Table = read("Cargo.toml").parse().expect("TOML");
    assert!(!manifest.contains_key("workspace"), "the other job runners are no members");
    let own: Table = read("tests/bench/peers/Cargo.toml").parse().expect("TOML");
    assert!(own.contains_key("workspace"), "a workspace of its own");
    let lock = read("Cargo.lock");
    for runner in ["apalis", "awa"] {
        assert!(!lock.contains(&format!("name = \"{runner}\"")), "{runner} is locked with the program");
    }
}
