//! Styled text: lines made of pieces, each with its tone.

pub mod facts;
pub mod lines;

use super::theme::Tone;

/// The pieces of one line: text with the tone that gives its style.
pub type Spans = Vec<(String, Tone)>;

/// Returns a piece of text with its tone.
pub fn span(text: impl Into<String>, tone: Tone) -> (String, Tone) {
    (text.into(), tone)
}

/// Splits a text with keys in backquotes, such as "When it is back, `r` retries it.", into pieces; keys get the accent
/// tone.
pub fn with_keys(text: &str, tone: Tone) -> Spans {
    text.split('`')
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
        .map(|(index, part)| span(part, if index % 2 == 1 { Tone::Accent } else { tone }))
        .collect()
}
