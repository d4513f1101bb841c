//! Tests the dependencies between the modules, read from the sources.

mod graph;
mod source;

use graph::{Modules, cycles};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Modules, and the modules that each may name.
const MAY_NAME: [(&str, &[&str]); 13] = [
    ("fault", &[]),
    ("domain", &[]),
    ("chatwoot", &["domain"]),
    ("format", &["domain"]),
    ("config", &["domain", "chatwoot", "lock", "fetch", "runner"]),
    ("store", &["domain", "chatwoot", "fault"]),
    ("lock", &["domain", "chatwoot"]),
    ("fetch", &["domain"]),
    ("demo", &["domain"]),
    ("export", &["domain", "fault", "store"]),
    ("runner", &["domain", "chatwoot", "fault", "store", "lock", "fetch"]),
    ("tui", &["domain", "fault", "format", "store", "runner", "config"]),
    ("cli", &["domain", "chatwoot", "format", "config", "store", "lock", "fetch", "demo", "export", "runner", "tui"]),
];

/// Crates, and the only modules that may use them.
const ONLY_IN: [(&str, &[&str]); 15] = [
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("prometheus_client", &["cli"]),
    ("sqlx", &["store"]),
    ("redis", &["lock"]),
    ("reqwest", &["fetch"]),
    ("dom_query", &["fetch"]),
    ("html5ever", &["fetch"]),
    ("ratatui", &["tui"]),
    ("crossterm", &["tui"]),
    ("tui_input", &["tui"]),
    ("hyper", &["demo", "fetch", "cli"]),
    ("clap", &["cli"]),
    ("toml", &["config"]),
    ("jiff", &["domain", "tui", "cli"]),
];

/// Names that the pure modules and the pure part of `tui` may not use: clocks, files, processes, tasks.
const IMPURE: [&str; 9] =
    ["SystemTime", "Instant", "tokio::", "std::fs", "std::io", "std::net", "std::process", "std::thread", "std::env"];

/// Modules in which every function depends only on its arguments.
const PURE: [&str; 3] = ["src/domain", "src/chatwoot", "src/format"];

/// The parts of `tui` that touch the terminal, the store or the clock; all others are functions of their input.
const IMPURE_TUI: [&str; 11] = [
    "src/tui/clipboard.rs",
    "src/tui/events.rs",
    "src/tui/opener.rs",
    "src/tui/options.rs",
    "src/tui/pager.rs",
    "src/tui/perform",
    "src/tui/runtime.rs",
    "src/tui/signals.rs",
    "src/tui/state_file.rs",
    "src/tui/terminal",
    "src/tui/waiting.rs",
];

/// Most modules that may form a dependency cycle.
const LARGEST_CYCLE: usize = 8;

/// Modules that still have a larger cycle, with its size.
const STILL_LARGER: [(&str, usize); 0] = [];

/// The layers of `store`, the lowest first: a module depends on its own layer and on those below it.
const STORE_LAYERS: [&[&str]; 9] = [
    &[
        "error",
        "options",
        "address",
        "changes",
        "checks",
        "interface",
        "migrations",
        "store_contents",
        "unfinished_copy",
        "upgrade",
        "version",
        "sql::clock",
        "sql::dialect",
        "sql::rendered",
        "sql::statement",
        "sql::uptime",
    ],
    &["sqlite", "postgres", "sql"],
    &["sql::database", "sql::transaction", "sql::rows::attempts", "sql::rows::jobs", "sql::rows::documents"],
    &["chatwoot"],
    &["queue", "batches", "outbox", "retention", "sinks", "templates"],
    &["attempts"],
    &["schedule", "sources"],
    &["queries", "samples"],
    &["sql_store", "backup", "compact", "copy", "examine", "run_upgrade"],
];

/// Modules above the store, and the store's interfaces that each may name. `cli` assembles the program and may name
/// them all.
const STORE_INTERFACES: [(&str, &[&str]); 3] = [
    ("runner", &["RunnerStore", "CommitSignals", "Queries", "StoreBase"]),
    ("tui", &["ConsoleStore"]),
    ("export", &["TextStore"]),
];

/// Files and folders that may name the database driver.
const DRIVER_FILES: [&str; 6] = [
    "src/store/sql/conn.rs",
    "src/store/sql/error.rs",
    "src/store/sqlite",
    "src/store/sqlite.rs",
    "src/store/postgres",
    "src/store/postgres.rs",
];

/// Parts of `tui`, and the parts that each may not name: a view draws and describes itself, and knows neither the
/// effect of a message on it nor its position on the screen; drawing and updating do not know each other. Texts that
/// the command line shares with the console are in `format`.
const MAY_NOT_NAME_IN_TUI: [(&str, &[&str]); 6] = [
    ("src/cli", &["describe", "text", "view", "views", "update"]),
    ("src/tui/view", &["update"]),
    ("src/tui/update", &["view"]),
    ("src/tui/views", &["update", "view", "screen", "availability", "palette", "readers", "refresh"]),
    ("src/tui/table", &["update", "view", "screen", "availability", "palette", "readers", "refresh"]),
    ("src/tui/model", &["update", "view", "screen", "availability", "palette", "readers", "refresh"]),
];

#[test]
fn the_parts_of_the_console_name_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        for (part, others) in MAY_NOT_NAME_IN_TUI {
            let is_root = path == Path::new(&format!("{part}.rs"));
            if !is_root && !path.starts_with(part) {
                continue;
            }
            for other in others {
                let by_super = is_root && names(&code, &format!("super::{other}"));
                if by_super || names(&code, &format!("crate::tui::{other}")) {
                    wrong.push(format!("{}: names {other}", path.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn dependencies_run_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some(module) = module_of(&path) else { continue };
        let allowed = MAY_NAME.iter().find(|(name, _)| *name == module).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            wrong.push(format!("{}: a module that the layers do not name", path.display()));
            continue;
        };
        for (other, _) in MAY_NAME {
            if other != module && !allowed.contains(&other) && names(&code, &format!("crate::{other}")) {
                wrong.push(format!("{}: names {other}", path.display()));
            }
        }
        for (krate, modules) in ONLY_IN {
            if !modules.contains(&module.as_str()) && names(&code, &format!("{krate}::")) {
                wrong.push(format!("{}: uses {krate}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_command_line_serves_http_in_one_file_alone() {
    let serves = |(path, code): &(PathBuf, String)| path.starts_with("src/cli") && names(code, "hyper::");
    let found: Vec<_> = sources().into_iter().filter(serves).map(|(path, _)| path).collect();
    assert_eq!(found, [Path::new("src/cli/http.rs")]);
}

#[test]
fn the_pure_parts_know_no_clock_and_no_world() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let text = path.to_string_lossy().into_owned();
        let is_tui = text.starts_with("src/tui/") && !IMPURE_TUI.iter().any(|impure| text.starts_with(impure));
        if is_tui || PURE.iter().any(|module| path.starts_with(module) || path == Path::new(&format!("{module}.rs"))) {
            for word in IMPURE.iter().filter(|word| names(&code, word)) {
                wrong.push(format!("{text}: {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_stay_readable() {
    let long: Vec<_> = sources()
        .into_iter()
        .map(|(path, code)| (path, code.lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .collect();
    assert!(long.is_empty(), "over 400 lines: {long:#?}");
}

#[test]
fn no_cycle_is_larger_than_a_reader_can_hold() {
    let cycles = cycles(&dependencies());
    let within = |cycle: &BTreeSet<String>, area: &str| cycle.iter().all(|module| is_within(module, area));
    let largest = |area: &str| cycles.iter().filter(|cycle| within(cycle, area)).map(BTreeSet::len).max();
    let expected = |cycle: &BTreeSet<String>| STILL_LARGER.iter().any(|(area, _)| within(cycle, area));
    let wrong: Vec<_> = cycles.iter().filter(|cycle| cycle.len() > LARGEST_CYCLE && !expected(cycle)).collect();
    assert!(wrong.is_empty(), "modules that all depend on each other: {wrong:#?}");
    for (area, size) in STILL_LARGER {
        let found = largest(area).unwrap_or_default();
        assert_eq!(
            found, size,
            "the largest cycle of {area}: it may only shrink, and is struck off at {LARGEST_CYCLE}"
        );
        assert!(found > LARGEST_CYCLE, "{area} has to be struck off");
    }
}

#[test]
fn the_store_is_built_in_layers() {
    let mut wrong = Vec::new();
    for (module, others) in dependencies().iter().filter(|(module, _)| is_within(module, "store")) {
        // Only the names in the module `store` itself count; its re-exports count where they are used.
        if module == "store" {
            continue;
        }
        let Some(own) = store_layer(module) else {
            wrong.push(format!("{module}: in no layer"));
            continue;
        };
        for other in others.iter().filter(|other| is_within(other, "store")) {
            if store_layer(other).is_none_or(|other| other > own) {
                wrong.push(format!("{module} depends on {other}, which is above it"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn users_of_the_store_name_their_interfaces() {
    let sources = sources();
    let of_interfaces = sources.iter().filter(|(path, _)| path.starts_with("src/store/interface"));
    let declared = of_interfaces.flat_map(|(_, code)| code.lines().filter_map(|line| line.strip_prefix("pub trait ")));
    let interfaces: BTreeSet<&str> = declared.filter_map(|line| Some(line.split_once(':')?.0)).collect();
    for (user, names) in STORE_INTERFACES {
        let unknown: Vec<_> = names.iter().filter(|name| !interfaces.contains(*name)).collect();
        assert!(unknown.is_empty(), "{user}: {unknown:?} are no interfaces of the store");
    }
    let mut wrong = Vec::new();
    for (path, code) in &sources {
        let Some(module) = module_of(path).filter(|module| module != "store") else { continue };
        let allowed = STORE_INTERFACES.iter().find(|(user, _)| *user == module).map_or(&[][..], |(_, names)| names);
        let others = interfaces.iter().filter(|interface| module != "cli" && !allowed.contains(interface));
        for other in others.chain([&"SqlStore"]).filter(|other| names(code, other)) {
            wrong.push(format!("{}: names {other}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_store_names_its_database_driver_in_a_few_files() {
    let allowed = |path: &Path| DRIVER_FILES.iter().any(|file| path.starts_with(file));
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|(path, code)| path.starts_with("src/store") && names(code, "sqlx::") && !allowed(path))
        .map(|(path, _)| path)
        .collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Returns the layer of a module of `store`: that of its closest part, the module itself or one above it.
fn store_layer(module: &str) -> Option<usize> {
    let parts = STORE_LAYERS.iter().enumerate().flat_map(|(layer, parts)| parts.iter().map(move |part| (layer, part)));
    let around = parts.filter(|(_, part)| is_within(module, &format!("store::{part}")));
    around.max_by_key(|(_, part)| part.len()).map(|(layer, _)| layer)
}

/// Returns true if `module` is `area` or below it.
fn is_within(module: &str, area: &str) -> bool {
    module.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// Returns the modules of `src`, each with the modules that it depends on.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let module = |(path, code): (PathBuf, String)| {
        let below = path.strip_prefix("src").ok()?.with_extension("");
        let names: Vec<_> = below.iter().filter_map(|name| name.to_str()).filter(|name| *name != "mod").collect();
        match names[..] {
            ["main"] => None,
            ["lib"] => Some((String::new(), code)),
            _ => Some((names.join("::"), code)),
        }
    };
    Modules::of(sources().into_iter().filter_map(module)).dependencies()
}

/// Returns true if the code, without comments, has `word` as the start of a path.
fn names(code: &str, word: &str) -> bool {
    code.lines().map(|line| line.split("//").next().unwrap_or("")).any(|line| {
        line.match_indices(word).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + word.len()..].chars().next();
            let starts = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
            starts && (word.ends_with("::") || !after.is_some_and(|c| c.is_alphanumeric() || c == '_'))
        })
    })
}

fn module_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix("src").ok()?;
    let first = below.components().next()?.as_os_str().to_str()?;
    let module = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(module, "lib" | "main")).then(|| module.to_owned())
}

fn sources() -> Vec<(PathBuf, String)> {
    sources_below("src")
}

/// Returns the Rust files of a folder, with their paths from the root.
pub fn sources_below(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join(folder)];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("sources are readable") {
            let path = entry.expect("sources are readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let code = fs::read_to_string(&path).expect("sources are text");
                found.push((path.strip_prefix(root).expect("below the root").to_owned(), code));
            }
        }
    }
    assert!(found.len() > 20, "the sources were found");
    found
}
