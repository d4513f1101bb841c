//! Tests that no test reads a real clock or sleeps, so that none depends on the machine's speed: waits for something
//! outside use `support::limit`, measured times use `support::measure`.

use crate::layers::sources_below;
use std::path::PathBuf;

/// Words in code that reads a clock or waits.
const WORDS: [&str; 9] = [
    "Instant::now",
    "SystemTime::now",
    "clock_gettime",
    ".elapsed()",
    "sleep(",
    "time::timeout",
    "timeout_at(",
    "recv_timeout(",
    "wait_timeout(",
];

/// Files that may contain them, and why.
const MAY: [(&str, &str); 14] = [
    ("tests/support/limit.rs", "the waits themselves"),
    ("tests/support/measure.rs", "the stopwatch"),
    ("tests/support/pty.rs", "waits on a condition variable for what its deadline leaves"),
    ("tests/support/install.rs", "the same"),
    ("tests/support/live.rs", "the clock is paused"),
    ("tests/support/memory.rs", "the clock is paused"),
    ("tests/demo_site.rs", "the clock is paused"),
    ("tests/demo_site/client.rs", "the clock is paused"),
    ("tests/demo_site/whole.rs", "the clock is paused"),
    ("tests/fetch/client.rs", "the clock is paused"),
    ("tests/fetch/probe.rs", "the clock is paused"),
    ("tests/fetch/redirect.rs", "the clock is paused"),
    ("tests/upgrade/kills.rs", "kills at a random moment"),
    ("tests/store/sequences/model.rs", "a seed for each run, which a failure prints"),
];

/// Test modules in `src` that may contain them.
const MAY_IN_SRC: [(&str, &str); 5] = [
    ("src/fetch/fuzz.rs", "a run by hand that lasts as long as QUARTERDECK_FUZZ_SECONDS says"),
    ("src/fetch/memory.rs", "the clock is paused"),
    ("src/store/attempts/group_commit.rs", "the clock is paused"),
    ("src/tui/events.rs", "the clock is paused"),
    ("src/store/sql/transaction.rs", "drops a call at any moment"),
];

fn tests() -> impl Iterator<Item = (PathBuf, String)> {
    let tests = sources_below("tests").into_iter().filter(|(path, _)| !path.starts_with("tests/bench"));
    let tests = tests.filter(|(path, _)| !path.ends_with("waits.rs"));
    let in_src = sources_below("src").into_iter().filter_map(|(path, code)| {
        // A file that contains only tests has no module for them.
        let whole = |code: &str| code.lines().any(|line| line == "#[test]");
        let at = code.find("#[cfg(test)]\nmod tests {").or_else(|| whole(&code).then_some(0))?;
        Some((path, code[at..].to_owned()))
    });
    tests.chain(in_src)
}

#[test]
fn nobody_waits_or_measures_by_himself() {
    let mut wrong = Vec::new();
    let mut used = Vec::new();
    for (path, code) in tests() {
        let name = path.to_string_lossy().into_owned();
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        let found: Vec<_> = lines.filter(|line| WORDS.iter().any(|word| line.contains(word))).collect();
        let may = MAY.iter().chain(&MAY_IN_SRC).any(|(file, _)| *file == name);
        if may && !found.is_empty() {
            used.push(name);
        } else {
            wrong.extend(found.iter().map(|line| format!("{name}: {}", line.trim())));
        }
    }
    assert!(wrong.is_empty(), "use support::limit or support::measure: {wrong:#?}");
    assert_eq!(used.len(), MAY.len() + MAY_IN_SRC.len(), "exceptions that nobody needs; needed are {used:#?}");
}
