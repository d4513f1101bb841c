//! Parsing of HTML into a tree, within the time and memory of one conversion.
//!
//! html5ever takes quadratic time on some input (deep nesting, endless attributes), so it gets the page in pieces, and
//! the budget is checked between them. Later steps walk the tree with explicit stacks instead of recursion. `sink`
//! counts the memory of the tree.

mod sink;

use super::budget::{BudgetMeter, ConvertError};
use dom_query::Document;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::{ParseOpts, parse_document};
use sink::CountingSink;
use std::time::{Duration, Instant};

/// Maximum number of bytes that the parser gets at a time; after a slow piece it gets fewer. The number is small, since
/// a few bytes can make many elements: each `<p>` reopens all formatting that a hostile page has left open.
const PIECE: usize = 1024;
const SMALLEST_PIECE: usize = 128;
const SLOW_PIECE: Duration = Duration::from_millis(10);

/// Parses a page. The page's text and its tree together may take up to `most` bytes.
pub(super) fn parse(html: &str, clock: &BudgetMeter, most: usize) -> Result<Document, ConvertError> {
    let mut parser = parse_document(CountingSink::default(), ParseOpts::default());
    let (mut rest, mut size) = (html, PIECE);
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.ceil_char_boundary(size));
        let before = Instant::now();
        parser.process(StrTendril::from_slice(piece));
        rest = after;
        clock.check()?;
        // The page's text stays in memory beside the tree.
        if parser.tokenizer.sink.sink.bytes() + html.len() > most {
            return Err(ConvertError::TooLarge(most));
        }
        size = if before.elapsed() > SLOW_PIECE { (size / 4).max(SMALLEST_PIECE) } else { (size * 2).min(PIECE) };
    }
    let document = parser.finish();
    clock.check()?;
    Ok(document)
}
