//! The difference of two texts of a document: the stored one and the quarantined one, or a version and its successor.

use crate::domain::difference::{Difference, Kept, Line};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::tui::text::lines::broken;
use std::ops::Range;

/// The pair of texts that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The stored text and the quarantined text.
    Held {
        /// Fingerprint of the quarantined text.
        fingerprint: String,
        /// Version of the stored text.
        stored: u64,
    },
    /// An earlier text and its successor.
    Versions {
        old: u64,
        /// The successor, which may be the stored text.
        new: u64,
    },
}

/// Facts about a quarantined text, without the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSeen {
    /// Why the text is not trusted: completes the sentence "it …".
    pub reason: SafeLine,
    /// Time of the first fetch, in UTC.
    pub held_at: Timestamp,
    pub fingerprint: String,
    /// The title that was fetched with the text.
    pub title: Option<SafeLine>,
}

/// The result of a comparison of two texts of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceData {
    pub document: DocumentId,
    pub of: Compared,
    /// Safe to print on a terminal.
    pub difference: Difference,
    /// Number of characters of the old and of the new text.
    pub chars: (u64, u64),
    /// Number of the request, by which the difference is wrapped only once per width.
    pub reading: u64,
}

/// The text that a row of a difference comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In both texts.
    Same,
    /// Only in the old text.
    Gone,
    /// Only in the new text.
    New,
    /// Number of omitted lines that are the same in both texts.
    Skipped(usize),
}

/// One screen row of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub side: Side,
    pub text: String,
    /// Byte range of `text` that differs from the other side.
    pub differs: Range<usize>,
    /// True if the difference omits the line's text before this row (first) or after it (second).
    pub cut: (bool, bool),
}

/// Wraps a difference into rows of `width` cells. An unchanged line is one row, cut at the pane's edge; a changed line
/// wraps, so that all of its words are visible, since one line can be a whole paragraph.
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
