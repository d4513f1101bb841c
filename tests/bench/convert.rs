//! Measures the conversion of pages, compared with parsing alone: processor time on one thread.
//!
//! `cargo bench --bench convert` uses the golden pages; `QUARTERDECK_CORPUS=DIR` uses the pages of a folder. Every
//! converter on this parser pays for parsing, so the ratio shows the cost of the Markdown writer.
#![expect(clippy::unwrap_used, reason = "a benchmark has no other answer")]

use dom_query::Document;
use quarterdeck::fetch::convert;
use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::path::PathBuf;
use url::Url;

const ROUNDS: usize = 5;

fn busy() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

fn main() {
    let golden = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fetch/golden");
    let folder = std::env::var_os("QUARTERDECK_CORPUS").map_or(golden, PathBuf::from);
    let files = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end == "html")).collect();
    files.sort();
    let pages: Vec<_> =
        files.iter().map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect();
    let url = Url::parse("https://docs.example.org/a/b").unwrap();
    let (mut parse, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let before = busy();
        for page in &pages {
            black_box(Document::from(page.as_str()));
        }
        let between = busy();
        for page in &pages {
            // A page beyond the limits counts with its time until the refusal.
            let _ = black_box(convert(page, &url));
        }
        parse.push((between - before) / pages.len() as f64);
        whole.push((busy() - between) / pages.len() as f64);
    }
    parse.sort_by(f64::total_cmp);
    whole.sort_by(f64::total_cmp);
    let bytes: usize = pages.iter().map(String::len).sum();
    let (parse, whole) = (parse[ROUNDS / 2], whole[ROUNDS / 2]);
    println!(
        "{} pages of {} bytes, CPU microseconds each, median of {ROUNDS} rounds",
        pages.len(),
        bytes / pages.len()
    );
    println!("parsing alone    {parse:>8.0}");
    println!("page to Markdown {whole:>8.0}   {:.2} times the parsing", whole / parse);
}
