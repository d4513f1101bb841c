//! Sanitising of untrusted text (titles, URLs, errors, database rows), done once, where the text enters the program.
//!
//! This module removes everything on which a terminal would act: control characters, the escape sequences that they
//! start, and the marks that change the direction of the text.

pub mod cells;

pub use cells::{fit, width};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Deref;

/// A line of text that is safe on a terminal: it has no control characters, line breaks or direction overrides. Each
/// run of white space is one space, and the ends have none.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct SafeLine(String);

impl SafeLine {
    /// Removes or replaces all unsafe characters of `raw`.
    pub fn new(raw: &str) -> Self {
        let mut line = String::with_capacity(raw.len());
        let mut gap = false;
        for c in without_escapes(raw) {
            if c.is_whitespace() || c.is_control() {
                gap = !line.is_empty();
            } else if !is_unsafe(c) {
                if gap {
                    line.push(' ');
                    gap = false;
                }
                line.push(c);
            }
        }
        Self(line)
    }

    /// Returns the text as a plain string slice.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for SafeLine {
    type Target = str;
    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SafeLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SafeLine {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl<'de> Deserialize<'de> for SafeLine {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::new(&String::deserialize(deserializer)?))
    }
}

/// Makes a text of several lines safe: line feeds are kept, and a tab becomes four spaces. Unsafe characters are
/// removed as in [`SafeLine`], but runs of spaces are kept, since code depends on them.
pub fn safe_block(raw: &str) -> String {
    let mut block = String::with_capacity(raw.len());
    for c in without_escapes(raw) {
        match c {
            '\n' => block.push('\n'),
            '\t' => block.push_str("    "),
            c if c.is_control() || is_unsafe(c) => {}
            c => block.push(c),
        }
    }
    block
}

/// Removes U+0000, which PostgreSQL cannot store.
pub fn without_nul(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// Returns the first `most` characters of `text`, and true if anything was cut off.
pub fn cut_chars(text: &str, most: usize) -> (&str, bool) {
    // No text has more characters than bytes.
    if text.len() <= most {
        return (text, false);
    }
    match text.char_indices().nth(most) {
        Some((end, _)) => (&text[..end], true),
        None => (text, false),
    }
}

/// Returns true if `text` is empty or white space only, as Rails' `blank?` defines it (a zero-width space is not
/// blank).
pub fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Returns true for characters that are not control characters but must not reach a terminal: direction overrides and
/// isolates, line and paragraph separators, interlinear marks, tags, the byte order mark.
fn is_unsafe(c: char) -> bool {
    matches!(
        c,
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Returns the characters of `raw` without escape sequences. The whole sequence after a C1 introducer, or after ESC and
/// one of the characters that begin a sequence, is removed, since its remainder would appear as garbage on the screen.
/// Other ESC characters stay; the callers treat them as control characters.
fn without_escapes(raw: &str) -> impl Iterator<Item = char> + '_ {
    let mut chars = raw.chars().peekable();
    std::iter::from_fn(move || {
        loop {
            let c = chars.next()?;
            let kind = match c {
                '\x1b' => match chars.peek().copied() {
                    Some(next @ ('[' | ']' | 'P' | 'X' | '^' | '_')) => {
                        chars.next();
                        next
                    }
                    _ => return Some(c),
                },
                '\u{9b}' => '[',
                '\u{9d}' => ']',
                '\u{90}' | '\u{98}' | '\u{9e}' | '\u{9f}' => 'P',
                _ => return Some(c),
            };
            if kind == '[' {
                while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                chars.next_if(|c| matches!(c, '@'..='~'));
            } else {
                // A string sequence ends at BEL, ST or the end of the line; an unterminated sequence must not remove
                // the rest of the page.
                while let Some(c) = chars.next_if(|c| *c != '\n') {
                    if c == '\x07' || c == '\u{9c}' {
                        break;
                    }
                    if c == '\x1b' {
                        chars.next_if_eq(&'\\');
                        break;
                    }
                }
            }
        }
    })
}

#[cfg(test)]
mod tests;
