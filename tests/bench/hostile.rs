//! How long pages made to hurt keep a processor busy. Fails when one takes longer than the limit of every conversion and
//! the parser's last piece, or when a sound page does not come through within the limit.
//!
//! `cargo bench --bench hostile`; prints the ten worst.

#![expect(clippy::expect_used, reason = "a benchmark that cannot run says so by its panic")]

#[path = "../support/hostile.rs"]
mod hostile;

use quarterdeck::fetch::{TIME_LIMIT, convert};
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;
use url::Url;

/// The last piece may be a slow one.
const SLACK: Duration = Duration::from_secs(1);

/// Processor time of this thread.
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
}
