//! Renders a page of the documentation for a terminal. Parses only the Markdown that the pages use: headings,
//! paragraphs, lists, fenced code, tables, comments. A test with a complete Markdown parser ensures that the pages use
//! nothing else.

use super::inline::{Styling, print, words, wrap};
use super::table;
use crate::domain::text::safe_block;

/// Indentation, in cells, of everything but headings.
const INDENT: usize = 2;
/// Indentation of code, in cells, in addition to [`INDENT`].
const CODE_INDENT: usize = 4;

/// Width and styles for rendering a page.
#[derive(Clone, Copy, Debug)]
pub(super) struct RenderOptions {
    /// Maximum width of a line, in cells.
    pub width: usize,
    pub styling: Styling,
}

/// A part of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Block {
    Heading(String),
    Paragraph(String),
    /// A list item. `mark` is `-`, `*` or a number with a full stop; `indent` is the number of cells before the mark,
    /// larger in nested lists.
    Item {
        indent: usize,
        mark: String,
        text: String,
    },
    Code(Vec<String>),
    /// A table's rows of cells; the first row is the heading.
    Table(Vec<Vec<String>>),
}

/// Renders a page. Escape codes in its text are removed; only the styles of [`RenderOptions::styling`] are printed.
pub(super) fn render(markdown: &str, options: RenderOptions) -> String {
    let mut text = String::new();
    let mut after_item = false;
    for block in blocks(&safe_block(markdown)) {
        let is_item = matches!(block, Block::Item { .. });
        let stands_close = text.is_empty() || (is_item && after_item);
        if !stands_close {
            text.push('\n');
        }
        after_item = is_item;
        match block {
            Block::Heading(heading) => paragraph(&heading, "", 0, true, options, &mut text),
            Block::Paragraph(words) => paragraph(&words, "", INDENT, false, options, &mut text),
            Block::Item { indent, mark, text: words } => {
                paragraph(&words, &format!("{mark} "), INDENT + indent, false, options, &mut text);
            }
            Block::Code(lines) => {
                for line in lines {
                    let line = format!("{:indent$}{line}", "", indent = INDENT + CODE_INDENT);
                    text.push_str(line.trim_end());
                    text.push('\n');
                }
            }
            Block::Table(rows) => text.push_str(&table::render(&rows, options.width, INDENT, options.styling)),
        }
    }
    text
}

/// Appends wrapped text to `text`. `mark` is printed before the first line, and the other lines are indented by the
/// width of `mark`.
fn paragraph(markdown: &str, mark: &str, indent: usize, strong: bool, options: RenderOptions, text: &mut String) {
    let inner = indent + mark.chars().count();
    let lines = wrap(&words(markdown, options.styling), options.width.saturating_sub(inner), false);
    for (index, line) in lines.iter().enumerate() {
        let before = if index == 0 { format!("{:indent$}{mark}", "") } else { " ".repeat(inner) };
        text.push_str(&before);
        text.push_str(&print(line, options.styling, strong));
        text.push('\n');
    }
}

fn blocks(markdown: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    // True if the next line of text continues the last block.
    let mut open = false;
    let mut lines = markdown.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        if trimmed.starts_with("<!--") {
            let mut last = trimmed;
            while !last.contains("-->") {
                let Some(next) = lines.next() else { break };
                last = next;
            }
            open = false;
        } else if trimmed.starts_with("```") {
            let code = lines.by_ref().take_while(|line| line.trim() != "```").map(str::to_owned);
            blocks.push(Block::Code(code.collect()));
            open = false;
        } else if trimmed.is_empty() {
            open = false;
        } else if let Some(heading) = heading(trimmed) {
            blocks.push(Block::Heading(heading.to_owned()));
            open = false;
        } else if trimmed.starts_with('|') {
            let mut rows = vec![cells(trimmed)];
            while let Some(row) = lines.next_if(|line| line.trim().starts_with('|')) {
                rows.push(cells(row.trim()));
            }
            rows.retain(|row| !row.iter().all(|cell| is_rule(cell)));
            blocks.push(Block::Table(rows));
            open = false;
        } else if let Some((mark, text)) = item(trimmed) {
            let indent = line.len() - line.trim_start().len();
            blocks.push(Block::Item { indent, mark: mark.to_owned(), text: text.to_owned() });
            open = true;
        } else {
            match blocks.last_mut() {
                Some(Block::Paragraph(text) | Block::Item { text, .. }) if open => {
                    text.push(' ');
                    text.push_str(trimmed);
                }
                _ => blocks.push(Block::Paragraph(trimmed.to_owned())),
            }
            open = true;
        }
    }
    blocks
}

fn heading(line: &str) -> Option<&str> {
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    ((1..=6).contains(&level) && text.starts_with(' ')).then(|| text.trim())
}

/// Splits a list item into its mark (`-`, `*` or a number with a full stop) and its text; `None` for other lines.
fn item(line: &str) -> Option<(&str, &str)> {
    let (mark, text) = line.split_once(' ')?;
    let number = mark.strip_suffix('.').is_some_and(|digits| {
        !digits.is_empty() && digits.len() < 4 && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    (matches!(mark, "-" | "*") || number).then_some((mark, text))
}

fn is_rule(cell: &str) -> bool {
    !cell.is_empty() && cell.bytes().all(|byte| matches!(byte, b'-' | b':'))
}

/// Splits a table's row into cells; `\|` is a bar within a cell.
fn cells(row: &str) -> Vec<String> {
    let row = row.strip_prefix('|').unwrap_or(row);
    let row = row.strip_suffix('|').unwrap_or(row);
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let mut chars = row.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '|' => cells.push(std::mem::take(&mut cell)),
            '\\' if chars.next_if_eq(&'|').is_some() => cell.push('|'),
            c => cell.push(c),
        }
    }
    cells.push(cell);
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests;
