//! Code blocks between fences.

use super::inline::longest_run;
use super::lines::{Gap, Lines};
use crate::domain::text::safe_block;
use dom_query::NodeRef;

/// A code block that is being read.
#[derive(Debug)]
pub(super) struct CodeBlock {
    language: String,
    raw: String,
}

impl CodeBlock {
    /// Begins the code block of the element `pre`.
    pub fn of(pre: &NodeRef<'_>) -> Self {
        Self { language: language(pre), raw: String::new() }
    }

    /// Returns the length of the code so far, in bytes.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Appends text without its unsafe characters; spaces and line feeds are kept.
    pub fn push(&mut self, text: &str) {
        // Fast path: highlighted code arrives word by word.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            return self.raw.push_str(text);
        }
        self.raw.push_str(&safe_block(text));
    }

    /// Appends a line feed.
    pub fn break_line(&mut self) {
        self.raw.push('\n');
    }

    /// Appends a line feed unless the line is empty.
    pub fn end_line(&mut self) {
        if !self.raw.is_empty() && !self.raw.ends_with('\n') {
            self.raw.push('\n');
        }
    }

    /// Writes the code between fences that are longer than any run of backticks in the code. Writes nothing if the code
    /// is blank.
    pub fn write(&self, lines: &mut Lines) {
        let code = self.raw.trim_end().trim_start_matches('\n');
        if code.is_empty() {
            return;
        }
        let fence = "`".repeat((longest_run(code, '`') + 1).max(3));
        lines.begin_non_text();
        lines.block([format!("{fence}{}", self.language).as_str()]);
        lines.block(code.split('\n').map(|line| line.trim_end_matches(' ')));
        lines.block([fence.as_str()]);
        lines.request_gap(Gap::Blank);
    }
}

/// Returns the language of a code block that a class of `pre`, its first child element or its parent names, such as
/// `language-rust` or `highlight-source-rust`; empty if there is none.
fn language(pre: &NodeRef<'_>) -> String {
    let code = pre.first_element_child();
    [Some(*pre), code, pre.parent()]
        .into_iter()
        .flatten()
        .filter_map(|element| element.class())
        .find_map(|classes| {
            let of = |class: &str| {
                ["language-", "lang-", "highlight-source-", "highlight-"]
                    .iter()
                    .find_map(|prefix| class.strip_prefix(prefix).map(str::to_owned))
            };
            classes.split_ascii_whitespace().find_map(of)
        })
        .filter(|language| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.' | '_');
            language.len() <= 30 && language.chars().all(allowed)
        })
        .unwrap_or_default()
}
