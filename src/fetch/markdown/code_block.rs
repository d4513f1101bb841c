//! Code in lines of its own, between fences.

use super::inline::longest_run;
use super::lines::{Gap, Lines};
use crate::domain::text::safe_block;
use dom_query::NodeRef;

/// A block of code as it comes.
#[derive(Debug)]
pub(super) struct CodeBlock {
    language: String,
    raw: String,
}

impl CodeBlock {
    /// The one that `pre` begins.
    pub fn of(pre: &NodeRef<'_>) -> Self {
        Self { language: language(pre), raw: String::new() }
    }

    /// Returns the number of bytes.
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Adds text, spaces and line feeds as they are.
    pub fn push(&mut self, text: &str) {
        // Highlighted code comes word by word.
        if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
            return self.raw.push_str(text);
        }
        self.raw.push_str(&safe_block(text));
    }

    /// Ends the line.
    pub fn break_line(&mut self) {
        self.raw.push('\n');
    }

    /// Ends the line, if there is anything on it.
    pub fn end_line(&mut self) {
        if !self.raw.is_empty() && !self.raw.ends_with('\n') {
            self.raw.push('\n');
        }
    }

    /// Writes it between fences longer than any run of backticks within; nothing when it is blank.
    pub fn write(&self, lines: &mut Lines) {
        let code = self.raw.trim_end().trim_start_matches('\n');
        if code.is_empty() {
            return;
        }
        let fence = "`".repeat((longest_run(code, '`') + 1).max(3));
        lines.no_text();
        lines.block([format!("{fence}{}", self.language).as_str()]);
        lines.block(code.split('\n').map(|line| line.trim_end_matches(' ')));
        lines.block([fence.as_str()]);
        lines.want(Gap::Blank);
    }
}

/// The language of a block of code, where a class names it: `language-rust`, `lang-rust`, `highlight-source-rust`.
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
            let sane = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '-' | '.' | '_');
            language.len() <= 30 && language.chars().all(sane)
        })
        .unwrap_or_default()
}
