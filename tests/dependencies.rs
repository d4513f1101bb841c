//! Tests the dependencies: the code uses each one that Cargo.toml declares, and each one that is built has a licence
//! that the program may be shipped with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Licences under which a dependency may be linked into an MIT program and shipped as a binary. MPL-2.0 covers only
/// changes to its own files.
const ALLOWED: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Dependencies declared only to choose the version or the features of a package that others use.
const CHOSEN: [&str; 1] = ["idna_adapter"];

/// Date and time crates; one of them is enough. `tracing-appender` pulls in `time` for its file names.
const TIME_CRATES: [&str; 3] = ["chrono", "humantime", "jiff"];

#[test]
fn every_declared_dependency_is_used() {
    let manifest: toml::Table = read(&root().join("Cargo.toml")).parse().expect("Cargo.toml is TOML");
    let (program, tests) = (code_below("src"), code_below("src") + &code_below("tests"));
    let mut unused: Vec<&str> = Vec::new();
    for (section, code) in [("dependencies", &program), ("dev-dependencies", &tests)] {
        let declared = manifest[section].as_table().expect("a table of dependencies");
        assert!(!declared.is_empty());
        unused.extend(declared.keys().filter(|name| !names(code, name)).map(String::as_str));
    }
    assert_eq!(unused, CHOSEN, "declared and not used");
}

#[test]
fn a_use_is_a_path_and_not_a_word_or_a_comment() {
    for code in
        ["use serde_json::Value;", "x(serde_json::to_string(y))", "use serde_json;", "    serde_json::json!({})"]
    {
        assert!(names(code, "serde-json"), "{code}");
    }
    for code in ["// serde_json::Value", "let serde_json = 1;", "my_serde_json::x()", "self::other::serde_jso::n"] {
        assert!(!names(code, "serde-json"), "{code}");
    }
}

#[test]
fn every_licence_in_the_graph_is_allowed() {
    let refused: Vec<_> = packages()
        .into_iter()
        .filter(|(_, licence)| !is_allowed(licence))
        .map(|(name, licence)| format!("{name}: {licence}"))
        .collect();
    assert!(refused.is_empty(), "licences that are not allowed: {refused:#?}");
}

#[test]
fn one_crate_counts_time() {
    let names: BTreeSet<_> = packages().into_iter().map(|(name, _)| name).collect();
    let found: Vec<_> = TIME_CRATES.into_iter().filter(|name| names.contains(*name)).collect();
    assert_eq!(found, ["jiff"]);
}

#[test]
fn licence_expressions_are_read() {
    for licence in [
        "MIT",
        "MIT OR GPL-3.0",
        "GPL-3.0 OR MIT",
        "MIT/Apache-2.0",
        "Apache-2.0 / MIT",
        "(MIT OR GPL-3.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR GPL-3.0",
        "GPL-3.0 AND ISC OR MIT",
    ] {
        assert!(is_allowed(licence), "{licence}");
    }
    for licence in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", "(GPL-3.0 OR AGPL-3.0)", "MIT-0"] {
        assert!(!is_allowed(licence), "{licence}");
    }
}

/// Returns name and licence of every package that is built on this machine, including those of the tests. Needs no
/// network: everything that is built has been downloaded.
fn packages() -> Vec<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    let arguments = ["tree", "--offline", "--locked", "--prefix=none", "--no-dedupe", "--format={p} | {l}"];
    let tree = run(Command::new(cargo).current_dir(root()).args(arguments));
    let lines: BTreeSet<_> = tree.lines().filter(|line| !line.is_empty()).collect();
    assert!(lines.len() > 100, "the whole graph was read");
    let package = |line: &str| {
        let (package, licence) = line.rsplit_once(" | ").expect("a licence after each package");
        let (name, _) = package.split_once(' ').expect("a version after each name");
        (name.to_owned(), licence.to_owned())
    };
    lines.into_iter().map(package).collect()
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("the tool starts");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Evaluates an SPDX expression, and the slash that older packages write for OR. AND binds tighter than OR.
fn is_allowed(licence: &str) -> bool {
    let spaced = licence.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<_> = spaced.split_whitespace().rev().collect();
    any_of(&mut words) && words.is_empty()
}

fn any_of(words: &mut Vec<&str>) -> bool {
    let mut allowed = all_of(words);
    while words.pop_if(|word| *word == "OR").is_some() {
        allowed |= all_of(words);
    }
    allowed
}

fn all_of(words: &mut Vec<&str>) -> bool {
    let mut allowed = one(words);
    while words.pop_if(|word| *word == "AND").is_some() {
        allowed &= one(words);
    }
    allowed
}

fn one(words: &mut Vec<&str>) -> bool {
    let allowed = match words.pop() {
        Some("(") => {
            let within = any_of(words);
            words.pop() == Some(")") && within
        }
        Some(licence) => ALLOWED.contains(&licence),
        None => false,
    };
    // An exception only grants more.
    if words.pop_if(|word| *word == "WITH").is_some() {
        words.pop();
    }
    allowed
}

/// Returns true if the code, without comments, has a path that starts with the crate of `package`.
fn names(code: &str, package: &str) -> bool {
    let krate = package.replace('-', "_");
    code.lines().map(|line| line.split("//").next().unwrap_or("")).any(|line| {
        line.match_indices(&krate).any(|(at, _)| {
            let (before, after) = (&line[..at], &line[at + krate.len()..]);
            let starts = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
            starts && (after.starts_with("::") || before.ends_with("use ") && after.starts_with(';'))
        })
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn code_below(folder: &str) -> String {
    let mut folders: Vec<PathBuf> = vec![root().join(folder)];
    let mut code = String::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("the folder is readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                code.push_str(&read(&path));
                code.push('\n');
            }
        }
    }
    code
}
