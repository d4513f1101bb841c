//! Styled text: a line is a list of pieces, and the tone of a piece (its meaning) decides its style.

pub mod facts;
pub mod lines;
pub mod markdown;

use super::theme::Tone;

/// The pieces of one line, each a text with its tone.
pub type Spans = Vec<(String, Tone)>;

/// Returns a piece of text with its tone.
pub fn span(text: impl Into<String>, tone: Tone) -> (String, Tone) {
    (text.into(), tone)
}

/// Splits `text` at its backquotes into pieces. The parts between backquotes are keys, as in "Not scheduled. `s` syncs
/// it now.", and get the accent tone; the other parts get `tone`.
pub fn with_keys(text: &str, tone: Tone) -> Spans {
    text.split('`')
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
        .map(|(index, part)| span(part, if index % 2 == 1 { Tone::Accent } else { tone }))
        .collect()
}
