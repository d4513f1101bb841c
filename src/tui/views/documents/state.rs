//! State of the list of documents: a window (the loaded part of the rows), a cursor, and marks on the documents that a
//! person has chosen for a bulk action. Cursor and marks refer to documents, never to row numbers.

use super::column_id::ColumnId;
use crate::domain::document::DocumentRow;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::store::{DocumentPage, PagePosition, PageQuery, Sort, SortBy};
use std::collections::BTreeSet;

/// The columns to sort by: key, column, name on the screen.
pub const SORTS: [(char, SortBy, &str); 8] = [
    ('s', SortBy::Status, "status"),
    ('d', SortBy::Name, "document"),
    ('u', SortBy::Url, "URL"),
    ('e', SortBy::Error, "last error"),
    ('a', SortBy::Attempted, "attempted"),
    ('y', SortBy::Synced, "synced"),
    ('n', SortBy::Next, "next"),
    ('i', SortBy::Id, "arrival"),
];

/// The filter that lists documents with quarantined content.
pub const QUARANTINE_FILTER: &str = "content:held";

/// The state of the list of documents: filter, order, window, cursor and marks.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    pub filter: Filter,
    /// The filter as typed.
    pub filter_text: String,
    pub sort: Sort,
    /// The columns that a person has chosen, in their order; `None` for the usual ones.
    pub columns: Option<Vec<ColumnId>>,
    /// The window of the last read, with the total number of rows.
    pub page: DocumentPage,
    /// The document under the cursor; `None` if the list is empty, or while the rows around the cursor are being read.
    pub cursor: Option<DocumentId>,
    /// Index of the cursor in the whole list.
    pub cursor_index: u64,
    /// Index of the first visible row in the whole list.
    pub top: u64,
    /// True once a person has used an action in the list. From then on the cursor follows its document; before, the
    /// cursor stays on the first row, whichever document that is.
    pub follows_row: bool,
    /// Marked documents, also those outside the window.
    pub marks: BTreeSet<DocumentId>,
    /// Those of the marked documents that are known to match the filter.
    pub listed_marks: BTreeSet<DocumentId>,
    /// The store has answered which marked documents match the filter.
    pub marks_checked: bool,
    /// Number of the newest read request; results of earlier requests are dropped.
    pub generation: u64,
    /// The newest request has no result yet.
    pub loading: bool,
    /// A change of the store was reported while the newest request had no result, so another read follows the result.
    pub reread_needed: bool,
    /// The result of the first read has arrived.
    pub loaded: bool,
    /// The document whose surrounding rows the newest request asks for; `None` if that request names an offset.
    around: Option<DocumentId>,
    /// The filter or the order has changed, and its first result has not arrived. If the document under the cursor is
    /// not in the result, the cursor goes to the first row.
    pub restarted: bool,
}

impl Documents {
    /// Returns the row under the cursor if that row is in the window.
    pub fn row(&self) -> Option<&DocumentRow> {
        self.find(self.cursor?)
    }

    /// Returns the row of a document if that row is in the window.
    pub fn find(&self, document: DocumentId) -> Option<&DocumentRow> {
        self.page.rows.iter().find(|row| row.id == document)
    }

    /// Returns the row at an index of the whole list if that row is in the window.
    pub fn row_at(&self, index: u64) -> Option<&DocumentRow> {
        let within = usize::try_from(index.checked_sub(self.page.offset)?).ok()?;
        self.page.rows.get(within)
    }

    /// Returns the loaded rows on a screen of `height` lines, each with its index in the whole list.
    pub fn visible(&self, height: u64) -> impl Iterator<Item = (u64, &DocumentRow)> {
        (self.top..self.top.saturating_add(height)).filter_map(|index| self.row_at(index).map(|row| (index, row)))
    }

    /// Returns true if the filter selects documents with quarantined content and nothing else.
    pub fn shows_only_quarantined(&self) -> bool {
        matches!(self.filter_text.trim(), QUARANTINE_FILTER | "content:review")
    }

    /// Moves the cursor to an index of the whole list, on a screen of `height` rows. Returns true if visible rows are
    /// not in the window and have to be read.
    pub fn move_to(&mut self, index: u64, height: u64) -> bool {
        let last = self.page.total.saturating_sub(1);
        self.follows_row = true;
        self.cursor_index = index.min(last);
        self.cursor = self.row_at(self.cursor_index).map(|row| row.id);
        self.show_cursor(height);
        !self.covers(height)
    }

    /// Returns true if every visible row is in the window, on a screen of `height` rows.
    pub fn covers(&self, height: u64) -> bool {
        let end = self.page.offset + self.page.rows.len() as u64;
        let wanted = self.top.saturating_add(height).min(self.page.total);
        self.top >= self.page.offset && wanted <= end
    }

    /// Returns true if the visible rows are so close to the window's edge that the next window should be read: less
    /// than half a screen away, with more rows beyond it.
    pub fn near_edge(&self, height: u64) -> bool {
        let end = self.page.offset + self.page.rows.len() as u64;
        let ahead = height / 2;
        (self.page.offset > 0 && self.top < self.page.offset + ahead)
            || (end < self.page.total && self.top + height + ahead > end)
    }

    /// Returns the query for the next window: the visible rows on a screen of `height` lines, and as many rows before
    /// and after them. Notes the document that the query refers to.
    pub fn query(&mut self, height: u64) -> PageQuery {
        let height = height.max(1);
        self.around = self.cursor.filter(|_| self.follows_row);
        let from = self.top.saturating_sub(height);
        let position = match self.around {
            Some(document) => PagePosition::Document {
                document,
                rows_above: self.cursor_index.saturating_sub(from),
                fallback_offset: from,
            },
            None => PagePosition::Offset(from),
        };
        PageQuery { filter: self.filter.clone(), sort: self.sort, position, limit: height * 3 }
    }

    /// Applies the result of a read. Returns true if visible rows are still missing and have to be read.
    pub fn take(&mut self, page: DocumentPage, height: u64) -> bool {
        self.page = page;
        self.loaded = true;
        let last = self.page.total.saturating_sub(1);
        let found = self.cursor.filter(|_| self.follows_row).and_then(|document| {
            self.page.rows.iter().position(|row| row.id == document).map(|within| self.page.offset + within as u64)
        });
        match found {
            Some(index) => {
                let line = self.cursor_index.saturating_sub(self.top);
                self.cursor_index = index;
                self.top = index.saturating_sub(line);
            }
            // Since the request, the cursor has moved to a document that the result does not contain and that may be
            // anywhere in the list.
            None if self.follows_row && self.cursor.is_some() && self.cursor != self.around => return true,
            None => {
                if !self.follows_row || self.restarted {
                    (self.cursor_index, self.top) = (0, 0);
                }
                self.cursor_index = self.cursor_index.min(last);
                self.cursor = self.row_at(self.cursor_index).map(|row| row.id);
            }
        }
        self.restarted = false;
        self.show_cursor(height);
        self.page.total > 0 && !self.covers(height)
    }

    /// Prepares for the rows of another filter or order. If the document under the cursor is among the new rows, the
    /// cursor keeps the document and the line on the screen; otherwise the cursor goes to the first row.
    pub fn restart(&mut self) {
        (self.cursor_index, self.top) = (self.cursor_index - self.top.min(self.cursor_index), 0);
        self.restarted = true;
    }

    /// Scrolls so that the cursor is visible, and so that no line stays empty while there are enough rows to fill the
    /// screen.
    pub fn show_cursor(&mut self, height: u64) {
        let height = height.max(1);
        self.top = self.top.min(self.page.total.saturating_sub(height));
        if self.cursor_index < self.top {
            self.top = self.cursor_index;
        } else if self.cursor_index >= self.top.saturating_add(height) {
            self.top = self.cursor_index + 1 - height;
        }
    }
}
