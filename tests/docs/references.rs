//! Tests that no file of the repository refers to a missing page, that links of the pages lead to existing files and
//! headings, and that the tests and folders named by the pages exist.

use super::pages::pages;
use super::{code_spans, files_under, prose, root};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Files and folders that are checked.
const LOOKED_AT: [&str; 6] = ["src", "tests", "assets", "README.md", ".github", ".ci"];

/// Returns the names of Markdown files in a text, with the path as far as it is written.
fn markdown_names(text: &str) -> Vec<&str> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let mut names = Vec::new();
    for (at, end) in text.match_indices(".md") {
        let after = &text[at + end.len()..];
        let start = text[..at].rfind(|c| !is_part(c)).map_or(0, |place| place + 1);
        let is_whole = !after.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        // A URL is no file of the repository, and a bare extension is no name.
        if is_whole && start < at && !text[..start].ends_with(':') && !text[start..at].ends_with(['/', '*']) {
            names.push(&text[start..at + end.len()]);
        }
    }
    names
}

/// Returns true if `name`, written in `file`, is a file: relative to the root, to the pages, or to `file`.
fn exists(name: &str, file: &Path) -> bool {
    let beside = file.parent().map(Path::to_owned).unwrap_or_default();
    [root().to_owned(), root().join("assets/docs"), beside].iter().any(|folder| folder.join(name).is_file())
}

#[test]
fn names_of_pages_are_found_in_any_text() {
    assert_eq!(markdown_names("see assets/docs/json.md, \"x\"; (a.md)"), ["assets/docs/json.md", "a.md"]);
    assert_eq!(markdown_names("*.md .md a.mdx https://a.b/c.md"), [] as [&str; 0]);
}

#[test]
fn no_file_refers_to_a_page_that_is_not_there() {
    let (mut wrong, mut names) = (Vec::new(), 0);
    for file in LOOKED_AT.iter().flat_map(|name| files_under(&root().join(name))) {
        // Golden pages come from the web and may refer to anything.
        if file.starts_with(root().join("tests/fetch/golden")) || file.ends_with("tests/docs/references.rs") {
            continue;
        }
        // Skips pictures and databases, which are no text.
        let Ok(text) = fs::read_to_string(&file) else { continue };
        // Code on a page may refer to files of any name.
        let is_page = file.extension().is_some_and(|ending| ending == "md");
        let lines: Vec<&str> = if is_page { prose(&text).collect() } else { text.lines().collect() };
        for line in lines {
            for name in markdown_names(line) {
                names += 1;
                if !exists(name, &file) {
                    wrong.push(format!("{}: {name}", file.display()));
                }
            }
        }
    }
    assert!(names > 20, "only {names} names were found");
    assert!(wrong.is_empty(), "files that are not there are named:\n{}", wrong.join("\n"));
}

/// Returns the anchor that GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    let plain = heading.trim_start_matches('#').trim().to_lowercase();
    plain
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

fn links(text: &str) -> Vec<String> {
    let lines: Vec<&str> = prose(text).collect();
    let joined = lines.join("\n");
    joined.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
}

#[test]
fn links_lead_to_files_and_headings() {
    assert_eq!(anchor("### sync --dry-run"), "sync---dry-run");
    let mut texts: Vec<(PathBuf, String)> =
        pages().into_iter().map(|(name, text)| (root().join(format!("assets/docs/{name}.md")), text)).collect();
    texts.push((root().join("README.md"), fs::read_to_string(root().join("README.md")).expect("the README")));
    for (file, text) in texts {
        for link in links(&text) {
            if link.contains("://") {
                continue;
            }
            let (path, heading) = link.split_once('#').map_or((link.as_str(), None), |(path, at)| (path, Some(at)));
            let target = if path.is_empty() { file.clone() } else { file.parent().expect("a folder").join(path) };
            assert!(target.exists(), "{}: {link} leads nowhere", file.display());
            if let Some(heading) = heading {
                let there = fs::read_to_string(&target).expect("text");
                let mut headings = prose(&there).filter(|line| line.starts_with('#'));
                assert!(headings.any(|line| anchor(line) == heading), "{}: {link}: no such heading", file.display());
            }
        }
    }
}

fn functions(folder: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files_under(&root().join(folder)) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (_, rest) in text.lines().filter_map(|line| line.split_once("fn ")) {
            names.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    names
}

#[test]
fn the_tests_and_folders_that_the_pages_name_exist() {
    let functions: BTreeSet<String> = ["tests", "src"].into_iter().flat_map(functions).collect();
    let is_name = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let mut named = 0;
    for (name, text) in pages() {
        for span in prose(&text).flat_map(code_spans) {
            if ["src/", "tests/", "assets/"].iter().any(|folder| span.starts_with(folder)) && !span.contains(' ') {
                assert!(root().join(span).exists(), "{name}: there is no {span}");
            }
        }
        if ["console", "guarantees"].contains(&name.as_str()) {
            // Names of at least five words are names of tests.
            let tests = prose(&text).flat_map(code_spans).filter(|span| is_name(span) && span.matches('_').count() > 3);
            for test in tests {
                named += 1;
                assert!(functions.contains(test), "{name}: there is no test {test}");
            }
        }
    }
    assert!(named > 70, "only {named} tests are named");
}
