//! Tests hostile pages on a thread with a worker's stack size: each is converted or refused, and none ends the process.
//! `cargo bench --bench hostile` measures their time, and fails over the limit.

use crate::support::hostile;
use crate::support::limit::until_blocking;
use quarterdeck::fetch::{Budget, ConvertError, Converted, MAX_MARKDOWN, TIME_LIMIT, convert_within};
use url::Url;

/// Node visits per byte that a sound page may need.
const VISITS_PER_BYTE: u64 = 4;

#[track_caller]
fn on_a_small_stack(name: &str, html: String, budget: Budget) -> Result<Converted, ConvertError> {
    let small = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    let base = Url::parse("https://example.org/a/b?c").expect("a URL");
    let running = small.spawn(move || convert_within(&html, &base, budget)).expect("a thread");
    until_blocking(format_args!("the end of {name}"), || running.is_finished().then_some(()));
    let converted = running.join().expect("it does not panic");
    if let Ok(converted) = &converted {
        assert!(converted.markdown.len() < MAX_MARKDOWN * 4, "{name}: {} bytes", converted.markdown.len());
    }
    converted
}

/// Converts the page within the time limit of every page. A slower machine refuses more of them.
#[track_caller]
fn ends(name: &str, html: String) -> Result<Converted, ConvertError> {
    on_a_small_stack(name, html, Budget::Processor(TIME_LIMIT))
}

#[track_caller]
fn all_end(pages: Vec<(String, String)>) {
    for (name, html) in pages {
        // Converted within the limit, or refused because of it.
        let _ = ends(&name, html);
    }
}

/// Converts the page without a limit on time, and asserts that the work is proportional to its size.
#[track_caller]
fn is_sound(name: &str, html: String) -> Converted {
    let budget = Budget::Visits(html.len() as u64 * VISITS_PER_BYTE);
    on_a_small_stack(name, html, budget).expect(name)
}

#[test]
fn sound_pages_are_converted_whole() {
    for (name, html) in hostile::sound() {
        let converted = is_sound(&name, html);
        match name.as_str() {
            hostile::LARGE => assert!(converted.markdown.len() > MAX_MARKDOWN),
            hostile::COLSPAN => {
                assert_eq!(converted.markdown.matches(" --- |").count(), 21, "{}", converted.markdown);
            }
            _ => {}
        }
    }
}

#[test]
fn deep_nesting() {
    all_end(hostile::deep());
}

#[test]
fn floods() {
    all_end(hostile::floods());
}

#[test]
fn tables_without_measure() {
    all_end(hostile::tables());
}

#[test]
fn things_left_open() {
    all_end(hostile::left_open());
}

#[test]
fn twenty_megabytes() {
    let page = hostile::twenty_megabytes();
    assert!(page.len() > 20_000_000);
    all_end(vec![("20 MB".to_owned(), page)]);
}

#[test]
fn formatting_that_multiplies() {
    let converted = ends("multiplying", hostile::formatting_that_multiplies());
    assert!(converted.is_err(), "{converted:?}");
}

#[test]
fn a_page_that_takes_too_long_says_so() {
    let error = ConvertError::TooSlow(Budget::Processor(TIME_LIMIT));
    assert_eq!(error.to_string(), "converting the page takes longer than 2 s");
}
