//! Fuzz tests by seeded mutation of server responses, and of what is learned from them: no panic, no exceeded budget,
//! no control characters in the output.
//!
//! A few rounds, the same in every run, are part of the tests; `QUARTERDECK_FUZZ_SECONDS=600 cargo test --release --lib
//! fuzz` makes a long run. The input of a round depends only on the round's seed, which a failure prints;
//! `QUARTERDECK_FUZZ_SEED` sets the first seed.

use super::budget::{Budget, ConvertError, MAX_MARKDOWN, TreeBudget};
use super::charset::{self, Markup};
use super::content_rules::ContentRules;
use super::convert::{convert_explained, convert_with_limits};
use super::head::retry_after;
use super::markdown::served;
use crate::domain::id::DocumentId;
use crate::domain::representation::{fits, has_same_words};
use crate::domain::template::{BlockComparison, Observation, TemplateRecord, blocks};
use crate::domain::time::Timestamp;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant, SystemTime};
use url::Url;

/// Number of node visits allowed per byte of a page, enough for elements that the page reopens repeatedly.
const VISITS_PER_BYTE: u64 = 100;

/// Pseudo-random number generator with the same output on every machine (xorshift64*).
pub(crate) struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Returns a number below `most`; 0 if `most` is 0.
    pub(crate) fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() >> 1).unwrap_or_default() % most.max(1)
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Pieces that are inserted into pages because they often break parsers.
const PIECES: [&[u8]; 52] = [
    b"<",
    b">",
    b"</",
    b"<!--",
    b"-->",
    b"<![CDATA[",
    b"]]>",
    b"&",
    b"&#x",
    b"&#0;",
    b"&#x202e;",
    b"&amp",
    b"<table>",
    b"<td colspan=99999999>",
    b"<td rowspan=-1>",
    b"<tr>",
    b"</table>",
    b"<pre>",
    b"</pre>",
    b"<code>",
    b"<a href=\"",
    b"<b>",
    b"<i>",
    b"<ul><li>",
    b"<ol start=99999999999>",
    b"<dl><dd>",
    b"<blockquote>",
    b"<template>",
    b"<svg>",
    b"<math>",
    b"<script>",
    b"<style>",
    b"<main>",
    b"<h1>",
    b"<br>",
    b"\0",
    b"\x1b[31m",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"|",
    b"`",
    b"\r\n",
    b"<meta charset=utf-16>",
    b"<urlset>",
    b"<url><loc>",
    b"</loc></url>",
    b"<a:b xmlns:a='",
    b"<?xml encoding='",
    b"<!DOCTYPE a [",
    b"<!ENTITY a \"",
    b"&a;",
];

fn mutated(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = dice.of(seeds).clone();
    for _ in 0..=dice.below(12) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(64)).min(bytes.len());
        match dice.below(7) {
            0 => drop(bytes.drain(at..end)),
            1 => drop(bytes.splice(at..at, dice.of(&PIECES).iter().copied())),
            2 => {
                let repeated = dice.of(&PIECES).repeat(1 + dice.below(400));
                drop(bytes.splice(at..at, repeated));
            }
            3 if at < bytes.len() => bytes[at] = u8::try_from(dice.below(256)).unwrap_or_default(),
            4 => {
                let copy = bytes[at..end].to_vec();
                drop(bytes.splice(end..end, copy));
            }
            5 => {
                let other = dice.of(seeds);
                let from = dice.below(other.len());
                let some = other[from..(from + 200).min(other.len())].to_vec();
                drop(bytes.splice(at..at, some));
            }
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

/// Runs `rounds` rounds, or as many as fit in the time that the environment gives. A round that panics reports its
/// seed.
pub(crate) fn run(name: &str, rounds: u64, seeds: &[Vec<u8>], round: impl Fn(&[u8], &mut Dice)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let time = number("QUARTERDECK_FUZZ_SECONDS").map(Duration::from_secs);
    let mut seed = number("QUARTERDECK_FUZZ_SEED").unwrap_or(1);
    let (first, began) = (seed, Instant::now());
    while time.map_or(seed - first < rounds, |time| began.elapsed() < time) {
        let mut dice = Dice::new(seed);
        let bytes = mutated(&mut dice, seeds);
        let done = catch_unwind(AssertUnwindSafe(|| round(&bytes, &mut dice)));
        assert!(done.is_ok(), "{name}: QUARTERDECK_FUZZ_SEED={seed} ({} bytes)", bytes.len());
        seed += 1;
    }
    println!("{name}: {} rounds in {:?}, nothing found", seed - first, began.elapsed());
}

fn pages() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fetch/golden");
    let files = std::fs::read_dir(folder).expect("the golden pages are there");
    let mut paths: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "html"));
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).expect("a page")).collect()
}

#[test]
fn html() {
    let base = Url::parse("https://a.test/b/c?d#e").expect("a URL");
    run("HTML to Markdown", 400, &pages(), |bytes, dice| {
        let html = String::from_utf8_lossy(bytes);
        let rules = if dice.below(2) == 0 { ContentRules::body() } else { ContentRules::default() };
        // Limited by work and not by time, so that a round has the same result on every machine.
        let budget = Budget::Visits(html.len().max(1) as u64 * VISITS_PER_BYTE);
        let by = |html: &str| convert_with_limits(html, &base, &rules, TreeBudget::Alone, budget);
        let converted = match by(&html) {
            Ok(converted) => converted,
            Err(ConvertError::TooLarge(_)) => return,
            Err(other) => panic!("{} bytes: {other}", html.len()),
        };
        assert!(!converted.markdown.contains(acts), "control characters");
        assert!(converted.markdown.len() < MAX_MARKDOWN * 4, "{} bytes", converted.markdown.len());
        assert!(!converted.title.is_some_and(|title| title.trim().is_empty()), "a blank title");
        if dice.below(8) == 0 {
            assert_eq!(by(&html).map(|copy| copy.markdown), Ok(converted.markdown), "not the same twice");
        }
    });
}

#[test]
fn charsets() {
    let mut seeds = pages();
    seeds.push([b"<meta charset=shift_jis><p>".as_slice(), b"\x93\xfa\x96\x7b\x8c\xea"].concat());
    seeds.push("Ключ".encode_utf16().flat_map(u16::to_le_bytes).collect());
    seeds.push(b"caf\xe9 \x80 \x81 na\xefve".to_vec());
    let labels = [
        "utf-8",
        "UTF-16LE",
        "utf-16be",
        "windows-1252",
        "shift_jis",
        "gb18030",
        "iso-2022-jp",
        "x-user-defined",
        "big5",
        "replacement",
        "\u{e9}",
        "",
    ];
    run("charset", 2_000, &seeds, |bytes, dice| {
        let header = if dice.below(2) == 0 { Some(*dice.of(&labels)) } else { None };
        let markup = if dice.below(2) == 0 { Markup::Html } else { Markup::None };
        let text = charset::decode(bytes, header, markup);
        assert!(text.len() <= bytes.len() * 4 + 16, "{} bytes of {}", text.len(), bytes.len());
        if std::str::from_utf8(bytes).is_ok() && header.is_none() && markup == Markup::None {
            // Only a byte order mark changes the text: it is removed, or it names another encoding.
            assert!(bytes.starts_with(b"\xef\xbb\xbf") || text.as_bytes() == bytes, "valid UTF-8 is itself");
        }
    });
}

#[test]
fn waits() {
    let seeds = [
        "120",
        "0",
        "-1",
        "18446744073709551615",
        "1e9",
        "Tue, 24 Nov 2026 10:00:00 GMT",
        "Tuesday, 24-Nov-26 10:00:00 GMT",
        "Tue Nov 24 10:00:00 2026",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        " 7 ",
        "7, 8",
    ];
    let seeds: Vec<_> = seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect();
    run("Retry-After", 50_000, &seeds, |bytes, dice| {
        let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
        let headers = HeaderMap::from_iter([(RETRY_AFTER, value)]);
        let status = StatusCode::from_u16(*dice.of(&[200, 404, 408, 425, 429, 500, 503, 599])).expect("a status");
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(dice.next() >> 31);
        let wait = retry_after(status, &headers, now);
        assert!(wait.is_none() || !matches!(status.as_u16(), 200 | 404), "of {status}");
    });
}

/// Returns true for characters that may move the cursor or end a line.
fn acts(c: char) -> bool {
    c.is_control() && c != '\n'
}

/// A template that is learned from three pages of a host is applied to another, and the fourth page is explained.
#[test]
fn templates() {
    let base = Url::parse("https://a.test/b/c?d#e").expect("a URL");
    let by = |html: &str| {
        let budget = Budget::Visits(html.len().max(1) as u64 * VISITS_PER_BYTE);
        convert_with_limits(html, &base, &ContentRules::default(), TreeBudget::Alone, budget)
    };
    run("templates", 60, &pages(), |bytes, dice| {
        let pages = [bytes.to_vec(), mutated(dice, &[bytes.to_vec()]), mutated(dice, &[bytes.to_vec()])];
        let mut record = TemplateRecord::default();
        for (number, page) in (1..).zip(&pages) {
            let Ok(page) = by(&String::from_utf8_lossy(page)) else { return };
            let at = Timestamp::from_micros(number);
            record.fold([Observation::of(DocumentId(number), at, &blocks(&page.markdown, &page.paths))]);
        }
        // Pages without a line make none.
        let Some(template) = record.template() else { return };
        let html = mutated(dice, &[bytes.to_vec()]);
        let html = String::from_utf8_lossy(&html);
        let rules = ContentRules::default();
        let Ok((page, report)) = convert_explained(&html, &base, &rules, TreeBudget::Alone, Some(&template)) else {
            return;
        };
        for one in &report.dropped {
            assert!(!one.element.as_str().contains(|c: char| c.is_control()), "{one:?}");
            assert!((0.0..=1.0).contains(&one.linked) && (0.0..=1.0).contains(&one.prose), "{one:?}");
        }
        let text = &page.markdown;
        let all = blocks(text, &page.paths);
        let recurring = template.recurring_in(&all);
        assert!(recurring.windows(2).all(|pair| pair[0].range.end <= pair[1].range.start), "in order");
        let rest = template.without_recurring(text, &page.paths, &all);
        assert_eq!(recurring.is_empty(), rest.is_none());
        if let Some(rest) = rest {
            assert!(
                rest.text.len() < text.len() && !rest.text.trim().is_empty(),
                "something goes, and something stays"
            );
            assert!(rest.paths.iter().all(|mark| rest.text.is_char_boundary(mark.offset as usize)));
        }
        // A text is equal to itself unless nothing of it is left without the frame.
        let compared = template.compare(text, text, &page.paths, str::to_owned);
        let swapped = template.compare("qqq", text, &page.paths, str::to_owned);
        assert!(compared != BlockComparison::Different || swapped == BlockComparison::Different);
    });
}

/// Markdown as servers send it, and its comparison with the text of a page.
#[test]
fn markdown() {
    let base = Url::parse("https://a.test/b/c?d#e").expect("a URL");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fetch/golden");
    let files = std::fs::read_dir(folder).expect("the golden pages are there");
    let mut paths: Vec<_> = files.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths.iter().map(|path| std::fs::read(path).expect("a text")).collect();
    seeds.push(b"---\ntitle: A\nx: [\n---\n# B\n\n[a]: b 'c\n\n[a][a] ![x](y (z) <w> <!-- v --> `` ` ``".to_vec());
    run("Markdown", 500, &seeds, |bytes, dice| {
        let text = charset::plain(&String::from_utf8_lossy(bytes));
        let (title, markdown) = served(&text, &base);
        assert!(!markdown.contains(acts), "control characters");
        assert!(!title.is_some_and(|title| title.contains(|c: char| c.is_control())), "control characters");
        assert!(fits(&markdown, &markdown) && has_same_words(&markdown, &markdown), "not like itself");
        let other: &Vec<u8> = dice.of(&seeds);
        let other = String::from_utf8_lossy(other);
        assert_eq!(has_same_words(&markdown, &other), has_same_words(&other, &markdown), "not symmetric");
        let _ = fits(&markdown, &other);
        if dice.below(8) == 0 {
            assert_eq!(served(&text, &base).1, markdown, "not the same twice");
        }
    });
}
