//! The table of documents that `list` prints: its columns, and what of them fits into a terminal.

use super::style::{self, Emphasis};
use crate::domain::document::{DocumentRow, Status};
use crate::domain::text::{fit, width};
use crate::domain::time::Timestamp;
use crate::{format, tui};

const HEAD: [&str; 8] = ["ID", "STATUS", "ATTEMPTED", "SYNCED", "NEXT", "NAME", "ERROR", "URL"];
const ID: usize = 0;
const STATUS: usize = 1;
const NAME: usize = 5;
const ERROR: usize = 6;
const URL: usize = 7;
/// Widths in cells where there is room for everything.
const WIDTHS: [usize; 8] = [7, 8, 9, 6, 5, 36, 14, usize::MAX];
/// Columns that are left out of a narrow table, in this order.
const EXPENDABLE: [usize; 5] = [2, 4, 3, ERROR, NAME];
/// Cells between two columns.
const GAP: usize = 2;
/// A URL has at least so many cells, or another column is left out for it.
const MIN_URL: usize = 28;
/// A name has at least so many cells, or its column is left out.
const MIN_NAME: usize = 12;

/// Widths of the columns in cells, and true if cells are coloured. A column of width 0 is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentTable {
    widths: [usize; 8],
    colours: bool,
}

impl DocumentTable {
    /// Returns the table for standard output: as wide as the terminal, and whole elsewhere, so that scripts get whole
    /// URLs. `COLUMNS` in the environment wins over the terminal's own width.
    pub(super) fn for_stdout() -> Self {
        let named = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|columns| *columns > 0);
        let cells = tui::screen_size().map(|(columns, _)| named().unwrap_or(usize::from(columns)));
        let table = cells.map_or_else(Self::whole, Self::within);
        Self { colours: style::colours_stdout(), ..table }
    }

    /// Returns the table with every column, in which URLs are never cut.
    pub fn whole() -> Self {
        Self { widths: WIDTHS, colours: false }
    }

    /// Returns a table whose lines have at most `cells` cells, if that suffices for an ID and a status.
    pub fn within(cells: usize) -> Self {
        let mut widths = WIDTHS;
        let mut expendable = EXPENDABLE.into_iter();
        loop {
            widths[URL] = 0;
            widths[NAME] = if widths[NAME] == 0 { 0 } else { MIN_NAME };
            let taken: usize = widths.iter().filter(|width| **width > 0).map(|width| width + GAP).sum();
            let left = cells.saturating_sub(taken);
            if left >= MIN_URL {
                // A third of what is left widens the names.
                let for_name = if widths[NAME] == 0 { 0 } else { ((left - MIN_URL) / 3).min(WIDTHS[NAME] - MIN_NAME) };
                widths[NAME] += for_name;
                widths[URL] = left - for_name;
                break;
            }
            match expendable.next() {
                Some(column) => widths[column] = 0,
                None => {
                    widths[URL] = left;
                    break;
                }
            }
        }
        Self { widths, colours: false }
    }

    /// Returns the same table with colours.
    #[must_use]
    pub fn coloured(self) -> Self {
        Self { colours: true, ..self }
    }

    /// Returns the heading line.
    pub fn head(&self) -> String {
        self.line_of(HEAD, |_| Emphasis::Heading)
    }

    /// Returns a document's line. Ages are relative to `now`.
    pub fn line(&self, row: &DocumentRow, now: Timestamp) -> String {
        let ago = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| format::age(now.since(at)));
        let id = row.id.to_string();
        let opens_at = row.window.as_ref().map(|window| window.opens_at);
        let next = row.next_attempt_at.or(opens_at).map_or("-".to_owned(), |at| format::age(at.since(now)));
        let cells = [
            &id,
            row.status.word(),
            &ago(row.attempted_at),
            &ago(row.synced_at),
            &next,
            &row.name,
            short_reason(row),
            &row.url,
        ];
        let status = Emphasis::from(row.status);
        self.line_of(cells, |column| match column {
            STATUS => status,
            ERROR if matches!(status, Emphasis::Bad | Emphasis::Waits) => status,
            _ => Emphasis::Plain,
        })
    }

    fn line_of(&self, cells: [&str; 8], tone: impl Fn(usize) -> Emphasis) -> String {
        let mut line = String::new();
        let shown = (0..cells.len()).filter(|column| self.widths[*column] > 0);
        for (column, cell) in shown.map(|column| (column, cells[column])) {
            if !line.is_empty() {
                line.push_str(&" ".repeat(GAP));
            }
            let cells = self.widths[column];
            // A long ID is never cut: it names the document.
            let cell = if column == ID || cells == usize::MAX { cell.to_owned() } else { fit(cell, cells) };
            let gap = if column == URL { 0 } else { cells.saturating_sub(width(&cell)) };
            let painted = if self.colours { tone(column).paint(&cell) } else { cell };
            // IDs are aligned to the right.
            let (before, after) = if column == ID { (gap, 0) } else { (0, gap) };
            line.push_str(&" ".repeat(before));
            line.push_str(&painted);
            line.push_str(&" ".repeat(after));
        }
        line
    }
}

/// Returns the text of the ERROR column: `locked elsewhere` if the document waits for a lock, else the last error, else
/// a note about FAQs, else `-`.
fn short_reason(row: &DocumentRow) -> &'static str {
    match (row.status, &row.holder) {
        (Status::Waiting, Some(_)) => "locked elsewhere",
        _ => row.error_code.map_or_else(|| faq_note(row), format::error_code),
    }
}

/// Returns the note about a document's FAQs for the ERROR column; `-` if there is none.
fn faq_note(row: &DocumentRow) -> &'static str {
    row.faqs.as_ref().and_then(|faqs| format::faq_note(faqs.state)).unwrap_or("-")
}
