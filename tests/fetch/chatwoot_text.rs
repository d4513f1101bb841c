//! Tests that the text made for a database of Chatwoot is the one that Chatwoot itself would store. The expected texts in
//! `chatwoot/` were made by reverse_markdown 2.1.1 and Nokogiri from these pages, with both generations of its parser.

use proptest::prelude::*;
use quarterdeck::domain::chatwoot_text::{ChatwootTexts, Generation};
use quarterdeck::domain::text::cut_chars;
use quarterdeck::fetch::chatwoot_texts;
use std::fs;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fetch/chatwoot")
}

fn read(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn texts(html: &[u8]) -> ChatwootTexts {
    chatwoot_texts(html).expect("within its budget")
}

fn whole(html: &str) -> String {
    texts(html.as_bytes()).of(Generation::WholeBody).content.clone()
}

#[test]
fn texts_are_those_of_chatwoots_converter() {
    let names: Vec<String> = fs::read_dir(folder())
        .expect("the pages are there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".html").map(str::to_owned))
        .collect();
    assert!(names.len() >= 6, "{names:?}");
    for name in names {
        let made = texts(&read(&format!("{name}.html")));
        for (generation, end) in [(Generation::WholeBody, "whole"), (Generation::MainPart, "main")] {
            let expected = String::from_utf8(read(&format!("{name}.{end}.txt"))).expect("UTF-8");
            assert_eq!(made.of(generation).content, expected, "{name}, {end}");
        }
    }
}

/// Chatwoot gives the bytes to its parser, which knows no header.
#[test]
fn the_encoding_is_the_one_that_the_page_names() {
    let of = |bytes: &[u8]| texts(bytes).of(Generation::WholeBody).content.clone();
    assert_eq!(of(b"<body><p>h\xc3\xa9</p>"), "h\u{e9}\n\n");
    assert_eq!(of(b"<body><p>h\xe9 \x80</p>"), "h\u{e9} \u{80}\n\n");
    assert_eq!(of(b"<meta charset=windows-1252><body><p>h\xe9 \x80</p>"), "h\u{e9} \u{20ac}\n\n");
    assert_eq!(of(b"<meta charset=iso-8859-1><body><p>h\xe9 \x80</p>"), "h\u{e9} \u{80}\n\n");
    assert_eq!(of(b"<meta charset=gb2312><body><p>\xc4\xe3</p>"), "\u{4f60}\n\n");
    let mut late = vec![b'x'; 5_000];
    late.extend_from_slice(b"<meta charset=windows-1252><p>\x93</p>");
    assert!(of(&late).ends_with("\u{201c}\n\n"));
    assert_eq!(of(b"\xef\xbb\xbf<body><p>h\xc3\xa9</p>"), "h\u{e9}\n\n");
}

#[test]
fn texts_are_cut_where_chatwoot_cuts_them() {
    let text = whole(&format!("<body><p>{}</p>", "\u{e9} ".repeat(150_000)));
    assert_eq!((text.chars().count(), cut_chars(&text, 200_000).1), (200_000, false));
}

#[test]
fn hostile_nesting_ends() {
    for page in [
        "<blockquote>".repeat(20_000),
        "<ul><li>".repeat(20_000),
        "<noscript>&lt;noscript>".repeat(2_000),
        "<b><i><a href=x>".repeat(5_000),
        format!("<body>{}", "[**__~~".repeat(50_000)),
        format!("<table>{}", "<tr><td>x".repeat(20_000)),
    ] {
        // Either a text or a limit; what counts is that it ends, and on this thread.
        let _ = chatwoot_texts(page.as_bytes());
    }
}

proptest! {
    #[test]
    fn no_page_makes_it_panic(
        pieces in prop::collection::vec(
            prop_oneof![
                "\\PC{0,12}",
                prop::sample::select(vec![
                    "<p>", "</p>", "<li>", "<ol>", "</ol>", "<b>", "</b>", "<pre>", "<code>", "`", "**", "__", "~~", "[",
                    "]", "(", "\n", "\r\n", "\u{a0}", "!", "<a href='x y'>", "</a>", "<tr>", "<th>", "<td>", "<main>",
                    "<figure>", "<img src=a>", "<figcaption>", "<details>", "<noscript>", "</noscript>", "<em>", "\\",
                ]).prop_map(str::to_owned),
            ],
            0..40,
        )
    ) {
        let html = pieces.concat();
        let made = texts(html.as_bytes());
        for generation in [Generation::WholeBody, Generation::MainPart] {
            let text = &made.of(generation).content;
            prop_assert!(!text.starts_with('\n') && !text.contains("\n\n\n\n"), "{text:?}");
        }
        prop_assert_eq!(texts(html.as_bytes()), made);
    }
}
