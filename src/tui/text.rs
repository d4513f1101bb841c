//! Text of one line in pieces, each with its tone, and what makes such lines.

pub mod facts;
pub mod lines;

use super::theme::Tone;

/// Pieces of one line, each with its meaning.
pub type Words = Vec<(String, Tone)>;

/// A piece of text.
pub fn words(text: impl Into<String>, tone: Tone) -> (String, Tone) {
    (text.into(), tone)
}

/// Text in which the keys stand between backquotes: "When it is back, `r` retries it."
pub fn with_keys(text: &str, tone: Tone) -> Words {
    text.split('`')
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
        .map(|(place, part)| words(part, if place % 2 == 1 { Tone::Accent } else { tone }))
        .collect()
}
