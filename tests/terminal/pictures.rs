//! The pictures of the README and the documentation: screens of the real program over its demo, as SVG files. The
//! ignored test draws them anew; the other one holds their list and the folder together.

use crate::support::pty::Terminal;
use crate::support::svg::svg;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

/// A screen that is drawn: the file's name, what it shows, the keys that lead to it from the list of documents, and a
/// text that stands on it.
struct Picture {
    name: &'static str,
    title: &'static str,
    keys: &'static [&'static str],
    shows: &'static str,
}

const PICTURES: &[Picture] = &[
    Picture {
        name: "documents",
        title: "The console: documents at the left, the log of outcomes at the right",
        keys: &[],
        shows: "outcomes",
    },
    Picture {
        name: "failures",
        title: "The causes of failures, with their trend and what helps",
        keys: &["2"],
        shows: "what helps",
    },
    Picture {
        name: "review",
        title: "A fetched text that needs review, line by line against the stored one",
        keys: &["H", "\r"],
        shows: "│ + #",
    },
    Picture { name: "hosts", title: "The hosts, those in trouble first", keys: &["4"], shows: "429/503" },
    Picture {
        name: "attempts",
        title: "The details of a document: its attempts, and how long each stage took",
        keys: &["/status:synced\r", "\r"],
        shows: "attempts",
    },
];

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots")
}

#[test]
fn every_picture_is_in_the_list_from_which_they_are_drawn() {
    let files: BTreeSet<String> = fs::read_dir(folder())
        .expect("a folder")
        .map(|file| file.expect("a file").file_name().to_string_lossy().into_owned())
        .collect();
    let listed: BTreeSet<String> = PICTURES.iter().map(|picture| format!("{}.svg", picture.name)).collect();
    assert_eq!(files, listed);
}

#[test]
#[ignore = "draws the pictures of the documentation anew"]
fn the_pictures_of_the_documentation_are_drawn() {
    let mut terminal = Terminal::start(120, 40, &[("QUARTERDECK_OPERATOR", "ana")], &["demo", "--seed", "1"]);
    // All first attempts have ended, and pages that need review are there.
    terminal.until("outcomes of every kind", |screen| {
        let text = screen.contents();
        let head = text.lines().nth(1).unwrap_or_default();
        !head.contains("· ") && head.contains("? ") && !head.contains("◦ ") && text.contains("✗")
    });
    for picture in PICTURES {
        for keys in picture.keys {
            terminal.keys(keys);
            terminal.until("an answer", |screen| !screen.contents().contains("reading"));
        }
        let screen = terminal.until_text(picture.shows);
        let file = folder().join(format!("{}.svg", picture.name));
        fs::write(file, svg(&screen, picture.title)).expect("it can be written");
        // Back to the list of documents, without a filter.
        terminal.keys("\x1b\x1b\x1b1\x1b");
        terminal.until("the list", |screen| screen.contents().contains("documents 240 by"));
    }
    terminal.keys("\x03\x03");
    terminal.ended();
}
