//! State of a page's Markdown while it is written, and the beginning and end of blocks.

use super::code_block::CodeBlock;
use super::escape::{TextContext, clean, line_start};
use super::inline::Inline;
use super::lines::{Gap, Lines};
use super::link;
use super::list::List;
use super::table::DataTable;
use crate::fetch::budget::MAX_MARKDOWN;
use dom_query::{NodeId, NodeRef};
use std::collections::HashSet;
use url::Url;

/// Text written so far, and the open elements.
pub(super) struct Writer<'b> {
    /// Base URL of relative links.
    pub base: &'b Url,
    /// Layout tables, which are read as blocks.
    pub layout: HashSet<NodeId>,
    pub lines: Lines,
    /// Text of the block that is being written.
    pub inline: Inline,
    pub lists: Vec<List>,
    /// Number of open definitions.
    pub definitions: usize,
    pub table: Option<DataTable>,
    pub code: Option<CodeBlock>,
}

impl<'b> Writer<'b> {
    /// Creates an empty writer.
    pub fn new(base: &'b Url, layout: HashSet<NodeId>) -> Self {
        Self {
            base,
            layout,
            lines: Lines::new(MAX_MARKDOWN),
            inline: Inline::new(TextContext::Flow),
            lists: Vec::new(),
            definitions: 0,
            table: None,
            code: None,
        }
    }

    /// Returns true if the output exceeds [`MAX_MARKDOWN`].
    pub fn is_full(&self) -> bool {
        let code = self.code.as_ref().map_or(0, CodeBlock::len);
        let table = self.table.as_ref().map_or(0, DataTable::len);
        self.lines.len() + self.inline.len() + code + table > MAX_MARKDOWN
    }

    /// Notes the node of the next text, if it begins a block.
    pub fn note_source(&mut self, node: NodeId) {
        if self.inline.is_empty() && self.code.as_ref().is_none_or(|code| code.len() == 0) {
            self.lines.set_source(node);
        }
    }

    /// Adds text of the page.
    pub fn text(&mut self, text: &str) {
        let text = &text[..text.floor_char_boundary(MAX_MARKDOWN)];
        match &mut self.code {
            Some(code) => code.push(text),
            None => self.inline.text(&clean(text)),
        }
    }

    /// Ends the current block; `gap` separates it from the next block. In code only ends the line, in a heading adds a
    /// space, in a table cell a line break.
    pub fn end_block(&mut self, gap: Gap) {
        if let Some(code) = &mut self.code {
            return code.end_line();
        }
        match self.inline.context() {
            TextContext::Flow => {
                self.paragraph();
                self.lines.request_gap(gap);
            }
            TextContext::Heading => self.inline.space(),
            TextContext::Cell => {
                self.inline.line_break();
            }
        }
    }

    fn paragraph(&mut self) {
        let text = self.inline.take();
        if text.chars().any(is_visible) {
            for line in text.split('\n') {
                self.lines.block([&*line_start(line)]);
            }
        }
    }

    /// Returns true outside code, headings and cells, where blocks have their own lines.
    pub fn in_flow(&self) -> bool {
        self.code.is_none() && self.inline.context() == TextContext::Flow
    }

    /// Ends a heading and writes it.
    pub fn heading(&mut self, level: usize) {
        let text = self.inline.take();
        self.inline.set_context(TextContext::Flow);
        if text.is_empty() {
            return;
        }
        let mut line = format!("{} {text}", "#".repeat(level));
        // A run of `#` at the end would be read as the heading's closing sequence.
        let before = line.trim_end_matches('#').len();
        if before < line.len() && line[..before].ends_with(' ') {
            line.insert(before, '\\');
        }
        self.lines.begin_non_text();
        self.lines.block([line.as_str()]);
        self.lines.request_gap(Gap::Blank);
    }

    /// Adds a line break. Two line breaks in a row end the paragraph.
    pub fn line_break(&mut self) {
        if let Some(code) = &mut self.code {
            code.break_line();
        } else if self.inline.line_break() && self.in_flow() {
            self.end_block(Gap::Blank);
        }
    }

    /// Writes a thematic break. In code, headings and table cells only ends the block.
    pub fn rule(&mut self) {
        self.end_block(Gap::Blank);
        if self.in_flow() {
            self.lines.begin_non_text();
            self.lines.block(["---"]);
            self.lines.request_gap(Gap::Blank);
        }
    }

    /// Writes an image. An image without alternative text is decoration and left out, and so is any image in a code
    /// block.
    pub fn image(&mut self, node: &NodeRef<'_>) {
        let alt = node.attr("alt").unwrap_or_default();
        let alt = clean(&alt);
        if self.code.is_some() || alt.trim().is_empty() {
            return;
        }
        // An image that is loaded late has a placeholder as its source.
        let source = ["src", "data-src", "data-lazy-src", "data-original"]
            .into_iter()
            .find_map(|name| node.attr(name).and_then(|src| link::source(&src, self.base)));
        self.inline.image(&alt, source.as_deref());
    }
}

/// Returns true for visible characters. A paragraph without any is not written: many pages have paragraphs that consist
/// of a single space of some width.
fn is_visible(c: char) -> bool {
    !c.is_whitespace() && !matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}
