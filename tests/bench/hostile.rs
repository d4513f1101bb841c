//! Measures how long hostile pages keep a processor busy. Fails when a page takes longer than the time limit of a
//! conversion plus one piece of parsing, or when a sound page is refused. Does the same for pairs of texts that are
//! expensive to compare: fails when a pair takes longer than [`COMPARE_LIMIT`].
//!
//! `cargo bench --bench hostile`; prints the ten slowest.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[path = "../support/hostile.rs"]
mod hostile;

use quarterdeck::domain::content::MAX_CONTENT_CHARS;
use quarterdeck::domain::difference::Difference;
use quarterdeck::fetch::{TIME_LIMIT, convert};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use url::Url;

/// Allowance for the last piece of parsing, which runs to its end after the limit.
const SLACK: Duration = Duration::from_secs(1);

/// Longest processor time for the comparison of two texts of the largest stored size.
const COMPARE_LIMIT: Duration = Duration::from_millis(100);

/// Returns the processor time of this thread.
fn busy() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    let nanos = time.tv_sec * 1_000_000_000 + time.tv_nsec;
    Duration::from_nanos(u64::try_from(nanos).expect("time goes on"))
}

fn main() {
    let base = Url::parse("https://example.org/a/b?c").expect("a URL");
    let mut all = Vec::new();
    let mut measure = |name: String, html: String, is_sound: bool| {
        let before = busy();
        let converted = convert(&html, &base);
        let took = busy() - before;
        assert!(took < TIME_LIMIT + SLACK, "{name} took {took:?}");
        let ended = match converted {
            Ok(converted) => format!("{} bytes of Markdown", converted.markdown.len()),
            Err(error) => {
                assert!(!is_sound, "{name}: {error}");
                error.to_string()
            }
        };
        all.push((took, format!("{name:.40}: {took:.2?}, {} bytes, {ended}", html.len())));
    };
    for (name, html) in hostile::sound() {
        measure(name, html, true);
    }
    for pages in [hostile::deep, hostile::floods, hostile::tables, hostile::left_open] {
        for (name, html) in pages() {
            measure(name, html, false);
        }
    }
    measure("20 MB".to_owned(), hostile::twenty_megabytes(), false);
    measure("formatting that multiplies".to_owned(), hostile::formatting_that_multiplies(), false);
    all.sort();
    let count = all.len();
    for (_, line) in all.into_iter().rev().take(10) {
        println!("{line}");
    }
    println!("{count} pages, none over {TIME_LIMIT:?} and its last piece");
    compare_texts();
}

/// Compares pairs of texts of the largest stored size that share many short lines in different orders.
fn compare_texts() {
    // A linear congruential generator: the same lines in every run.
    let mut state = 7_u64;
    let mut draw = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    let mut random = |kinds: u64| -> [String; 2] { [(); 2].map(|()| text(|_| draw(kinds).to_string())) };
    let few_kinds =
        [2, 5, 30, 300, 5_000, 20_000, 60_000].map(|kinds| (format!("{kinds} kinds of lines"), random(kinds)));
    let others = [
        ("in reverse", [text(|n| format!("{n:05}")), text(|n| format!("{:05}", 99_999 - n))]),
        ("neighbours exchanged", [text(|n| format!("{n:05}")), text(|n| format!("{:05}", n ^ 1))]),
        ("nothing in common", [text(|n| format!("a{n}")), text(|n| format!("b{n}"))]),
        ("other periods", [text(|n| (n % 2).to_string()), text(|n| (n % 3).to_string())]),
        ("empty lines", [text(|_| String::new()), text(|n| "x".repeat(n % 2))]),
    ];
    let others = others.map(|(name, texts)| (name.to_owned(), texts));
    for (name, [old, new]) in few_kinds.into_iter().chain(others) {
        let before = busy();
        let difference = Difference::of(&old, &new, 3);
        let took = busy() - before;
        println!("{name}: {took:.2?}, {} lines gone, {} new", difference.removed, difference.added);
        assert!(took < COMPARE_LIMIT, "{name} took {took:?}");
    }
}

/// Joins lines up to the length at which stored texts are cut.
fn text(line: impl FnMut(usize) -> String) -> String {
    let mut text = String::with_capacity(MAX_CONTENT_CHARS);
    for line in (0..).map(line) {
        if text.len() + line.len() >= MAX_CONTENT_CHARS {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    text
}
