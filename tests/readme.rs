//! Tests the README: it is short, and its pictures and files exist. `docs` tests its commands and settings.

use crate::docs::pages::pages;
use std::fs;
use std::path::Path;

pub const README: &str = include_str!("../README.md");

fn is_there(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

/// Returns the lines of prose, without code and tables.
fn prose() -> impl Iterator<Item = &'static str> {
    let mut code = false;
    README.lines().filter(move |line| {
        let fence = line.starts_with("```");
        code ^= fence;
        !code && !fence && !line.starts_with('|')
    })
}

#[test]
fn it_is_short() {
    assert!(README.lines().count() <= 200, "{} lines", README.lines().count());
    assert!(README.split_whitespace().count() <= 1_800, "{} words", README.split_whitespace().count());
    let long: Vec<_> = prose().filter(|line| line.chars().count() > 120).collect();
    assert!(long.is_empty(), "over 120 columns: {long:#?}");
}

#[test]
fn none_of_its_paragraphs_stands_in_a_page() {
    let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let pages: Vec<_> = pages().into_iter().map(|(name, text)| (name, flat(&text))).collect();
    let mut read = 0;
    for paragraph in README.split("\n\n").map(flat) {
        // A heading or a line of code may occur in both.
        if paragraph.starts_with('#') || paragraph.split(' ').count() < 12 {
            continue;
        }
        read += 1;
        let found = pages.iter().find(|(_, page)| page.contains(&paragraph)).map(|(name, _)| name);
        assert_eq!(found, None, "{paragraph}");
    }
    assert!(read > 15, "the paragraphs were found: {read}");
}

#[test]
fn every_page_is_linked() {
    for (name, _) in pages() {
        assert!(README.contains(&format!("](assets/docs/{name}.md)")), "{name}");
    }
}

#[test]
fn everything_that_it_names_is_there() {
    let links = README.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(to, _)| to);
    let links: Vec<_> = links.filter(|to| !to.contains("://")).collect();
    let spans = README.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    let folders = ["src/", "tests/", "assets/", ".github/"];
    let files = spans.filter(|span| folders.iter().any(|folder| span.starts_with(folder)));
    let named: Vec<_> = links.into_iter().chain(files).collect();
    assert!(named.len() > 20, "{named:?}");
    for path in &named {
        assert!(is_there(path), "{path} is not there");
    }
}

#[test]
fn its_pictures_are_small() {
    let pictures: Vec<_> = README
        .split("](assets/screenshots/")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(to, _)| to)
        .collect();
    assert!((2..=3).contains(&pictures.len()), "{pictures:?}");
    for picture in pictures {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots").join(picture);
        let size = fs::metadata(path).expect(picture).len();
        assert!(size < 150_000, "{picture}: {size} bytes");
    }
}
