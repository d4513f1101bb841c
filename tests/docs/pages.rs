//! Tests statements of the documentation: its settings are valid, its filters select or are refused as written, and its
//! keys are the program's.

use crate::readme::README;
use quarterdeck::config::{Config, DefaultPaths, Environment, Flags};
use quarterdeck::domain::content::ContentChange;
use quarterdeck::domain::document::Status;
use quarterdeck::domain::failure::ErrorCode;
use quarterdeck::domain::filter::{Filter, Subject};
use quarterdeck::domain::job::QueueClass;
use quarterdeck::domain::outcome::OutcomeResult;
use quarterdeck::tui;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns name and text of each page in `assets/docs`.
pub fn pages() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs");
    let files = fs::read_dir(folder).expect("the pages are there").map(|file| file.expect("it can be read").path());
    let named = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(&path).expect("a page is text"))
    };
    let mut pages: Vec<_> = files.map(named).collect();
    pages.sort();
    assert!(pages.len() >= 3, "the pages were found");
    pages
}

pub fn page(name: &str) -> String {
    let found = pages().into_iter().find(|(page, _)| page == name);
    found.unwrap_or_else(|| panic!("{name} is a page")).1
}

/// Returns the content of each fenced code block in `language`.
fn code(text: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.trim().strip_prefix("```") {
            let block: Vec<_> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            if info.trim() == language {
                blocks.push(block.join("\n"));
            }
        }
    }
    blocks
}

#[test]
fn every_setting_is_understood() {
    let places = DefaultPaths {
        config_file: PathBuf::from("/nowhere/config.toml"),
        store_file: PathBuf::from("/nowhere/quarterdeck.db"),
        log_dir: PathBuf::from("/nowhere/log"),
    };
    let readme = ("README".to_owned(), README.to_owned());
    let mut read = 0;
    for (name, text) in pages().into_iter().chain([readme]) {
        for block in code(&text, "toml") {
            let (environment, flags) = (Environment::default(), Flags::default());
            let config = Config::from_parts(&places, Path::new("page.toml"), &block, &environment, &flags);
            let config = config.unwrap_or_else(|error| panic!("{name}: {error} in\n{block}"));
            assert_eq!(tui::Keymap::configured(&config.keys).err(), None, "{name}:\n{block}");
            read += 1;
        }
    }
    assert!(read > 2, "the settings were found: {read}");
}

#[test]
fn keys_of_the_settings_are_named_as_they_are() {
    let sections: Vec<_> = Config::keys().filter_map(|key| key.split('.').next()).collect();
    let is_key = |span: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_');
        span.split_once('.').is_some_and(|(section, _)| sections.contains(&section)) && span.chars().all(plain)
    };
    let mut named = 0;
    for (name, text) in pages() {
        for span in text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).filter(|span| is_key(span)) {
            // `fetch.sources` is the old name of `fetch.sites`; it is still read, with a warning.
            let is_old = span == "fetch.sources";
            assert!(Config::keys().any(|key| key == span) || is_old, "{name}: there is no key {span}");
            named += 1;
        }
    }
    assert!(named > 10, "the keys were found: {named}");
}

/// Returns the rows of the tables whose heading begins with `first`: the first cell without its back ticks, and the
/// second.
fn rows(text: &str, first: &str) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    let mut within = false;
    for line in text.lines() {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        within = line.starts_with('|') && (within || cells[0] == first);
        if let (true, [one, two, ..]) = (within && line.starts_with("| `"), &cells[..]) {
            rows.push((one.trim_matches('`').to_owned(), (*two).to_owned()));
        }
    }
    rows
}

#[test]
fn the_filters_of_the_page_are_read() {
    let text = page("filters");
    let of_outcomes = text.find("## Examples for outcomes").expect("the examples");
    let errors = text.find("## Errors").expect("the errors");
    for (from, to, subject) in [(0, of_outcomes, Subject::Documents), (of_outcomes, errors, Subject::Outcomes)] {
        let examples = rows(&text[from..to], "filter");
        assert!(examples.len() >= 5, "{examples:?}");
        for (filter, _) in examples {
            assert!(Filter::parse_for(&filter, subject).is_ok(), "{filter}: {:?}", Filter::parse_for(&filter, subject));
        }
    }
    for (filter, _) in rows(&text, "written").into_iter().filter(|(written, _)| !written.starts_with("field:")) {
        assert!(Filter::parse(&filter).is_ok(), "{filter}");
    }
}

#[test]
fn the_mistakes_of_the_page_are_told_as_it_says() {
    let mistakes = rows(&page("filters"), "typed");
    assert!(mistakes.len() >= 8, "{mistakes:?}");
    for (typed, message) in mistakes {
        let told = Filter::parse_for(&typed, Subject::Documents).expect_err(&typed).to_string();
        assert_eq!(told, message, "{typed}");
    }
}

#[test]
fn every_value_of_a_filter_is_on_the_page() {
    let text = page("filters");
    let mut words: Vec<&str> = Status::ALL.map(Status::word).to_vec();
    words.extend(ErrorCode::ALL.map(ErrorCode::word));
    words.extend(QueueClass::ALL.map(QueueClass::word));
    words.extend(OutcomeResult::ALL.map(OutcomeResult::word));
    words.extend(ContentChange::words());
    let missing: Vec<_> = words.into_iter().filter(|word| !text.contains(&format!("`{word}`"))).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_keys_are_printed_from_the_table() {
    let text = page("console");
    let (_, after) = text.split_once("<!-- keys:").expect("the keys begin");
    let (_, after) = after.split_once("-->\n").expect("the mark ends");
    let (keys, _) = after.split_once("<!-- end of keys -->").expect("the keys end");
    assert_eq!(keys.trim(), tui::keys_markdown().trim(), "put in what `quarterdeck keys --markdown` prints");
}
