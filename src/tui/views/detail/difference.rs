//! How two texts of a document differ: the stored one and the one that is held back, or a version and its successor.

use crate::domain::difference::{Difference, Kept, Line};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::tui::text::lines::broken;
use std::ops::Range;

/// Which texts are compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The stored text with the one that is held back.
    Held {
        /// The held text's fingerprint.
        fingerprint: String,
        /// The stored text's version.
        stored: u64,
    },
    /// An earlier text with the one that replaced it.
    Versions {
        /// The earlier one.
        old: u64,
        /// Its successor, which may be the stored one.
        new: u64,
    },
}

/// A text that is held back, without itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSeen {
    /// Why it is not trusted: completes "it …".
    pub reason: SafeLine,
    /// When it was fetched first.
    pub held_at: Timestamp,
    /// Its fingerprint.
    pub fingerprint: String,
    /// The title that came with it.
    pub title: Option<SafeLine>,
}

/// Two texts that were compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceData {
    /// Whose they are.
    pub document: DocumentId,
    /// Which they are.
    pub of: Compared,
    /// How they differ; safe for a terminal.
    pub difference: Difference,
    /// Characters of the old and of the new one.
    pub chars: (u64, u64),
    /// The number of the question, so that its lines are broken once.
    pub reading: u64,
}

/// Which side a row of a difference is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Both.
    Same,
    /// The old text.
    Gone,
    /// The new text.
    New,
    /// So many lines of both are left out.
    Skipped(usize),
}

/// A row of a difference on the screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its side.
    pub side: Side,
    /// Its text.
    pub text: String,
    /// The bytes of the text that differ from the other side's.
    pub differs: Range<usize>,
    /// Something of the line before this row, or after it, is not shown.
    pub cut: (bool, bool),
}

/// The rows of a difference at `width` cells. What is the same on both sides is one row a line, to be cut where it ends; of
/// what changed every word is shown: a paragraph is one line.
pub fn rows(difference: &Difference, width: usize) -> Vec<Row> {
    difference.lines.iter().flat_map(|kept| rows_of(kept, width)).collect()
}

fn rows_of(kept: &Kept, width: usize) -> Vec<Row> {
    let side = match &kept.line {
        Line::Same(_) => Side::Same,
        Line::Gone(_) => Side::Gone,
        Line::New(_) => Side::New,
        Line::Skipped(number) => Side::Skipped(*number),
    };
    let text = kept.text();
    let cut = (kept.begins_later, kept.ends_earlier);
    if matches!(side, Side::Same | Side::Skipped(_)) {
        return vec![Row { side, text: text.to_owned(), differs: 0..0, cut }];
    }
    let parts = broken(text, width);
    let last = parts.len().saturating_sub(1);
    let row = |(place, part): (usize, Range<usize>)| {
        let within = |at: usize| at.clamp(part.start, part.end) - part.start;
        Row {
            side,
            text: text[part.clone()].to_owned(),
            differs: within(kept.differs.start)..within(kept.differs.end),
            cut: (cut.0 && place == 0, cut.1 && place == last),
        }
    };
    parts.into_iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_broken_and_what_differs_goes_with_its_words() {
        let difference =
            Difference::of("same line that is long\none two three", "same line that is long\none 2 three", 1);
        let rows = rows(&difference, 7);
        let seen: Vec<_> =
            rows.iter().map(|row| (row.side, row.text.as_str(), &row.text[row.differs.clone()])).collect();
        assert_eq!(
            seen,
            [
                (Side::Same, "same line that is long", ""),
                (Side::Gone, "one two", "two"),
                (Side::Gone, "three", ""),
                (Side::New, "one 2 ", "2"),
                (Side::New, "three", ""),
            ]
        );
    }
}
