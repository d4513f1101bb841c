//! The pages in `assets/docs`: their commands are understood, their links lead somewhere, the tests that they name exist,
//! and `json.md` lists exactly the fields that the program prints.

mod commands;
mod json;
pub mod pages;
mod references;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a page of `assets/docs`.
fn page(name: &str) -> String {
    let path = root().join("assets/docs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every page of `assets/docs` with its file name, in the order of their names.
fn pages() -> Vec<(String, String)> {
    let mut names: Vec<String> = files_under(&root().join("assets/docs"))
        .into_iter()
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    names.sort();
    names.into_iter().map(|name| (name.clone(), page(&name))).collect()
}

/// The files under a folder, at any depth; the file itself when it is one; nothing when there is none.
fn files_under(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let Ok(entries) = fs::read_dir(path) else { return Vec::new() };
    entries.flat_map(|entry| files_under(&entry.expect("listed").path())).collect()
}

/// The lines of a page outside its fenced code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

/// The fenced code of a page: the language and the lines of each block.
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

/// What stands between back ticks in a line.
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
        assert!(purpose.chars().next().is_some_and(char::is_alphabetic), "{name}: a paragraph follows: {purpose:?}");
        for (number, line) in (1..).zip(text.lines()) {
            let columns = line.chars().count();
            assert!(columns <= 120, "{name}:{number}: {columns} columns");
        }
    }
}

#[test]
fn no_paragraph_of_the_readme_is_repeated() {
    let joined = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let pages: Vec<_> = pages().into_iter().map(|(name, text)| (name, joined(&text))).collect();
    for paragraph in readme.split("\n\n").map(joined) {
        let is_prose = paragraph.starts_with(char::is_alphabetic) && paragraph.len() > 80;
        for (name, text) in pages.iter().filter(|_| is_prose) {
            assert!(!text.contains(&paragraph), "{name} repeats the README: {paragraph}");
        }
    }
}
