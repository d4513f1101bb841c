//! Chatwoot's own text of a page: what its document sync would store, byte for byte.
//!
//! Chatwoot parses pages with libxml2, takes the body or a part of it (see [`Generation`]), writes that as HTML, parses
//! it again and converts it with the Ruby library `reverse_markdown` 2.1.1, for unknown elements their content alone and
//! GitHub's Markdown. So `source` copies the tree of our own parser as libxml2 would have it, `region` removes what
//! Chatwoot removes, `reparsed` makes the tree of the second parse, `writer` writes it with the rules of `strings`, and
//! `tidy` cleans the result up.
//!
//! The trees of libxml2 (HTML 4) and of html5ever (HTML 5) differ where a page is not well-formed; there the text
//! differs too, and whoever compares it must compare words.

mod region;
mod reparsed;
mod source;
mod strings;
mod tidy;
mod tree;
mod writer;

pub(super) use source::with_returns;

use super::budget::{Budget, BudgetMeter, ConvertError, TIME_LIMIT, TreeBudget};
use super::charset;
use super::html::{self, Noscript};
use crate::domain::chatwoot_text::{ChatwootTexts, Generation};
use dom_query::Document;

/// Returns the texts that the generations of Chatwoot's converter make of a page. `document` is the tree of the page as
/// [`with_returns`] gives it, in which `noscript` elements hold text. The trees made here may take up to `most` bytes each.
pub(super) fn texts(document: &Document, clock: &mut BudgetMeter, most: usize) -> Result<ChatwootTexts, ConvertError> {
    let page = source::page(document, clock, most)?;
    let mut text = |generation| {
        let region = region::of(&page, generation);
        let tree = reparsed::tree(&page, &region, clock, most)?;
        let written = writer::write(&tree, clock)?;
        drop(tree);
        let text = tidy::tidy(&written, clock)?;
        Ok(match generation {
            Generation::WholeBody => text,
            Generation::MainPart => tidy::collapse_blank_lines(&text),
        })
    };
    Ok(ChatwootTexts::new(text(Generation::WholeBody)?, text(Generation::MainPart)?))
}

/// Returns the texts of a page with this source, like [`texts`].
pub(super) fn texts_of(html: &str, tree: TreeBudget, clock: &mut BudgetMeter) -> Result<ChatwootTexts, ConvertError> {
    let document = html::parse(&with_returns(html), Noscript::Text, clock, tree.bytes())?;
    texts(&document, clock, tree.bytes())
}

/// Returns the texts of a page whose body is `bytes`, decoded by Chatwoot's rule: the encoding that the page itself names,
/// whatever the response's header says. Runs on the caller's thread for at most [`TIME_LIMIT`] of processor time.
pub fn chatwoot_texts(bytes: &[u8]) -> Result<ChatwootTexts, ConvertError> {
    let mut clock = BudgetMeter::new(Budget::Processor(TIME_LIMIT));
    texts_of(&charset::decode_as_chatwoot(bytes), TreeBudget::Alone, &mut clock)
}
