//! Tests the pages in `assets/docs`: the program accepts their commands and settings, their links resolve, the tests
//! that they name exist, and `json.md` lists exactly the fields that the program prints.

mod commands;
mod json;
pub mod pages;
mod references;

use pages::pages;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns the files under a folder at any depth; for a file, the file itself; for a missing path, nothing.
fn files_under(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flat_map(|entry| files_under(&entry.expect("listed").path())).collect()
}

/// Returns the lines of a page outside its fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// Returns the language and the lines of each fenced code block of a page.
fn fences(text: &str) -> Vec<(String, Vec<String>)> {
    let mut blocks: Vec<(String, Vec<String>)> = Vec::new();
    let mut open = false;
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(language) => {
                open = !open;
                if open {
                    blocks.push((language.trim().to_owned(), Vec::new()));
                }
            }
            None if open => blocks.last_mut().expect("one is open").1.push(line.to_owned()),
            None => {}
        }
    }
    assert!(!open, "a fence is not closed");
    blocks
}

/// Returns the texts between back ticks in a line.
fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_page_says_what_it_is_for_in_lines_of_120_columns() {
    let pages = pages();
    assert!(pages.len() >= 7, "{:?}", pages.iter().map(|(name, _)| name).collect::<Vec<_>>());
    for (name, text) in pages {
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|title| title.starts_with("# ")), "{name}: the first line is the title");
        assert_eq!(lines.next(), Some(""), "{name}");
        let purpose = lines.next().unwrap_or_default();
        assert!(
            purpose.starts_with(|c: char| c.is_alphabetic() || c == '`'),
            "{name}: a paragraph follows: {purpose:?}"
        );
        for (number, line) in (1..).zip(text.lines()) {
            // A table row cannot be wrapped.
            if line.starts_with('|') {
                continue;
            }
            let columns = line.chars().count();
            assert!(columns <= 120, "{name}:{number}: {columns} columns");
        }
    }
}
