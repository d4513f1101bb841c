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

/// Reading of `noscript` elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Noscript {
    /// As in a browser that runs scripts: their content is one text.
    Text,
    /// As in a browser without scripts: their content is part of the page.
    Elements,
}

/// Parses a page. The page's text and its tree together may take up to `most` bytes.
pub(super) fn parse(
    html: &str,
    noscript: Noscript,
    clock: &BudgetMeter,
    most: usize,
) -> Result<Document, ConvertError> {
    let mut options = ParseOpts::default();
    options.tree_builder.scripting_enabled = noscript == Noscript::Text;
    let mut parser = parse_document(CountingSink::default(), options);
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
    if noscript == Noscript::Elements {
        open_noscript(&document);
        clock.check()?;
    }
    Ok(document)
}

/// Makes blocks of the `noscript` elements, whose content is otherwise left out.
fn open_noscript(document: &Document) {
    let mut stack = vec![document.root()];
    while let Some(node) = stack.pop() {
        if node.has_name("noscript") {
            node.rename("div");
        }
        let mut child = node.first_child();
        while let Some(next) = child {
            stack.push(next);
            child = next.next_sibling();
        }
    }
}
