//! The difference of two texts of a document: the stored one and the quarantined one, or a version and its successor.

use crate::domain::difference::{DiffLine, Difference, DisplayLine};
use crate::domain::id::DocumentId;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::tui::text::lines::break_line;
use std::ops::Range;

/// The pair of texts that is compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The stored text and the quarantined text.
    Quarantined {
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
pub struct QuarantinedText {
    /// The reason of the quarantine, as the end of a sentence that begins with "it", such as "looks like a login page".
    pub reason: SafeLine,
    /// Time at which this text was first fetched, in UTC.
    pub quarantined_at: Timestamp,
    pub fingerprint: String,
    /// The title that was fetched with the text.
    pub title: Option<SafeLine>,
}

/// The result of a comparison of two texts of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DifferenceData {
    pub document: DocumentId,
    pub compared: Compared,
    /// The lines that differ and some lines around them, up to a limit; safe to print on a terminal.
    pub difference: Difference,
    /// Number of characters of the old and of the new text.
    pub chars: (u64, u64),
    /// Number of the read that returned this comparison. The difference is wrapped again only if this number or the
    /// width of the pane changes.
    pub read_id: u64,
}

/// The text that a row of a difference comes from, or the number of lines that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferenceSide {
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
pub struct DifferenceRow {
    pub side: DifferenceSide,
    pub text: String,
    /// Byte range of `text` that differs from the line's counterpart in the other text; empty if there is none.
    pub differs: Range<usize>,
    /// Two flags: the beginning of the line, before this row, is omitted; the end of the line, after this row, is
    /// omitted.
    pub cut: (bool, bool),
}

/// Wraps a difference into rows of `width` cells. An unchanged line is one row, which is cut at the pane's edge. A
/// changed line is wrapped, so that all its words are visible: a line can be a whole paragraph.
pub fn rows(difference: &Difference, width: usize) -> Vec<DifferenceRow> {
    difference.lines.iter().flat_map(|kept| rows_of(kept, width)).collect()
}

fn rows_of(kept: &DisplayLine, width: usize) -> Vec<DifferenceRow> {
    let side = match &kept.line {
        DiffLine::Same(_) => DifferenceSide::Same,
        DiffLine::Removed(_) => DifferenceSide::Gone,
        DiffLine::Added(_) => DifferenceSide::New,
        DiffLine::Skipped(number) => DifferenceSide::Skipped(*number),
    };
    let text = kept.text();
    let cut = (kept.start_omitted, kept.end_omitted);
    if matches!(side, DifferenceSide::Same | DifferenceSide::Skipped(_)) {
        return vec![DifferenceRow { side, text: text.to_owned(), differs: 0..0, cut }];
    }
    let parts = break_line(text, width);
    let last = parts.len().saturating_sub(1);
    let row = |(index, part): (usize, Range<usize>)| {
        let within = |at: usize| at.clamp(part.start, part.end) - part.start;
        DifferenceRow {
            side,
            text: text[part.clone()].to_owned(),
            differs: within(kept.changed_range.start)..within(kept.changed_range.end),
            cut: (cut.0 && index == 0, cut.1 && index == last),
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
                (DifferenceSide::Same, "same line that is long", ""),
                (DifferenceSide::Gone, "one two", "two"),
                (DifferenceSide::Gone, "three", ""),
                (DifferenceSide::New, "one 2 ", "2"),
                (DifferenceSide::New, "three", ""),
            ]
        );
    }
}
