//! The arrows between the rooms (design.md section 3), read from the sources themselves.

use std::fs;
use std::path::{Path, PathBuf};

/// Rooms, and the rooms that each may name.
const MAY_NAME: [(&str, &[&str]); 9] = [
    ("domain", &[]),
    ("config", &["domain"]),
    ("store", &["domain"]),
    ("lock", &["domain"]),
    ("fetch", &["domain"]),
    ("demo", &["domain"]),
    ("runner", &["domain", "store", "lock", "fetch", "config"]),
    ("tui", &["domain", "store", "runner", "config"]),
    ("cli", &["domain", "config", "store", "lock", "fetch", "demo", "runner", "tui"]),
];

/// Crates, and the only rooms that may use them.
const ONLY_IN: [(&str, &[&str]); 12] = [
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

/// What neither `domain` nor the pure part of `tui` may touch: clocks, files, processes, tasks.
const IMPURE: [&str; 9] =
    ["SystemTime", "Instant", "tokio::", "std::fs", "std::io", "std::net", "std::process", "std::thread", "std::env"];

/// The parts of `tui` that touch the terminal, the store or the clock; all others are functions of their input.
const IMPURE_TUI: [&str; 8] = [
    "src/tui/clipboard.rs",
    "src/tui/opener.rs",
    "src/tui/options.rs",
    "src/tui/perform",
    "src/tui/runtime.rs",
    "src/tui/signals.rs",
    "src/tui/terminal.rs",
    "src/tui/waiting.rs",
];

/// Parts of `tui`, and the parts of it that each may not name: a view draws and explains itself, and neither knows what a
/// message does to it nor where on the screen it is; the drawing and the updating do not know each other.
const MAY_NOT_NAME_IN_TUI: [(&str, &[&str]); 5] = [
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
fn arrows_run_one_way() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let Some(room) = room_of(&path) else { continue };
        let allowed = MAY_NAME.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
        let Some(allowed) = allowed else {
            wrong.push(format!("{}: a room that the design does not have", path.display()));
            continue;
        };
        for (other, _) in MAY_NAME {
            if other != room && !allowed.contains(&other) && names(&code, &format!("crate::{other}")) {
                wrong.push(format!("{}: names {other}", path.display()));
            }
        }
        for (krate, rooms) in ONLY_IN {
            if !rooms.contains(&room.as_str()) && names(&code, &format!("{krate}::")) {
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
    assert_eq!(found, [Path::new("src/cli/health.rs")]);
}

#[test]
fn the_pure_parts_know_no_clock_and_no_world() {
    let mut wrong = Vec::new();
    for (path, code) in sources() {
        let text = path.to_string_lossy().into_owned();
        let is_tui = text.starts_with("src/tui/") && !IMPURE_TUI.iter().any(|impure| text.starts_with(impure));
        if text.starts_with("src/domain") || is_tui {
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

/// Whether the code, comments aside, holds `word` as the start of a path.
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

fn room_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix("src").ok()?;
    let first = below.components().next()?.as_os_str().to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (!matches!(room, "lib" | "main")).then(|| room.to_owned())
}

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src")];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src is readable") {
            let path = entry.expect("src is readable").path();
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
