//! The list: a window of rows, a cursor and marks that belong to documents and never to row numbers.

use crate::domain::document::DocumentRow;
use crate::domain::filter::Filter;
use crate::domain::id::DocumentId;
use crate::store::{Around, DocumentPage, PageQuery, Sort, SortBy};
use std::collections::BTreeSet;

/// The columns to sort by: letter, column, word.
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

/// The filter of the documents with a text that is held back.
pub const HELD: &str = "content:held";

/// The list.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// Which documents.
    pub filter: Filter,
    /// The filter as it was typed.
    pub filter_text: String,
    /// In which order.
    pub sort: Sort,
    /// The window that was read last.
    pub page: DocumentPage,
    /// The document under the cursor; `None` while the rows that the cursor went to are being read.
    pub cursor: Option<DocumentId>,
    /// The cursor's place in the whole list.
    pub place: u64,
    /// The place of the first row on the screen.
    pub top: u64,
    /// A key was pressed. Before that nobody has chosen a document, and the cursor rests on the first row whichever
    /// document that is; afterwards it follows its document.
    pub chosen: bool,
    /// Marked documents, seen or not.
    pub marks: BTreeSet<DocumentId>,
    /// The newest question; an answer to another is dropped.
    pub generation: u64,
    /// The newest question has no answer yet.
    pub asked: bool,
    /// Something was committed since that question.
    pub again: bool,
    /// The first answer is there.
    pub loaded: bool,
    /// The document around which the newest question was asked.
    around: Option<DocumentId>,
    /// Other rows were asked for: a document that is not among them is left for the first row.
    pub restarted: bool,
}

impl Documents {
    /// The row under the cursor.
    pub fn row(&self) -> Option<&DocumentRow> {
        self.find(self.cursor?)
    }

    /// A document's row, when it is in the window.
    pub fn find(&self, document: DocumentId) -> Option<&DocumentRow> {
        self.page.rows.iter().find(|row| row.id == document)
    }

    /// The row at a place of the whole list, when it is in the window.
    pub fn at(&self, place: u64) -> Option<&DocumentRow> {
        let within = usize::try_from(place.checked_sub(self.page.offset)?).ok()?;
        self.page.rows.get(within)
    }

    /// The rows on a screen of `height` lines.
    pub fn visible(&self, height: u64) -> impl Iterator<Item = (u64, &DocumentRow)> {
        (self.top..self.top.saturating_add(height)).filter_map(|place| self.at(place).map(|row| (place, row)))
    }

    /// Whether the list shows what is held back and nothing else.
    pub fn only_held(&self) -> bool {
        matches!(self.filter_text.trim(), HELD | "content:review")
    }

    /// Moves the cursor to a place. Whether rows have to be read for it.
    pub fn go(&mut self, place: u64, height: u64) -> bool {
        let last = self.page.total.saturating_sub(1);
        self.chosen = true;
        self.place = place.min(last);
        self.cursor = self.at(self.place).map(|row| row.id);
        self.show_cursor(height);
        !self.covers(height)
    }

    /// Whether every row of the screen is in the window.
    pub fn covers(&self, height: u64) -> bool {
        let end = self.page.offset + self.page.rows.len() as u64;
        let wanted = self.top.saturating_add(height).min(self.page.total);
        self.top >= self.page.offset && wanted <= end
    }

    /// Whether the window should be moved before the cursor reaches its edge.
    pub fn near_edge(&self, height: u64) -> bool {
        let end = self.page.offset + self.page.rows.len() as u64;
        let ahead = height / 2;
        (self.page.offset > 0 && self.top < self.page.offset + ahead)
            || (end < self.page.total && self.top + height + ahead > end)
    }

    /// The question for the window: what is on the screen and as much again on both sides.
    pub fn query(&mut self, height: u64) -> PageQuery {
        let height = height.max(1);
        self.around = self.cursor.filter(|_| self.chosen);
        let from = self.top.saturating_sub(height);
        let around = match self.around {
            Some(document) => Around::Document { document, above: self.place.saturating_sub(from), else_at: from },
            None => Around::Offset(from),
        };
        PageQuery { filter: self.filter.clone(), sort: self.sort, around, limit: height * 3 }
    }

    /// Takes a window. Whether rows of the screen are still missing.
    pub fn take(&mut self, page: DocumentPage, height: u64) -> bool {
        self.page = page;
        self.loaded = true;
        let last = self.page.total.saturating_sub(1);
        let found = self.cursor.filter(|_| self.chosen).and_then(|document| {
            self.page.rows.iter().position(|row| row.id == document).map(|within| self.page.offset + within as u64)
        });
        match found {
            Some(place) => {
                let line = self.place.saturating_sub(self.top);
                self.place = place;
                self.top = place.saturating_sub(line);
            }
            // The cursor went to another document after the question: that one may stand anywhere.
            None if self.chosen && self.cursor.is_some() && self.cursor != self.around => return true,
            None => {
                if !self.chosen || self.restarted {
                    (self.place, self.top) = (0, 0);
                }
                self.place = self.place.min(last);
                self.cursor = self.at(self.place).map(|row| row.id);
            }
        }
        self.restarted = false;
        self.show_cursor(height);
        self.page.total > 0 && !self.covers(height)
    }

    /// Another filter or order asks for other rows. The cursor keeps its document and its line on the screen if the
    /// document is among them, else it goes to the first.
    pub fn restart(&mut self) {
        (self.place, self.top) = (self.place - self.top.min(self.place), 0);
        self.restarted = true;
    }

    /// Moves the top so that the cursor is on the screen and no line is wasted below the last row.
    pub fn show_cursor(&mut self, height: u64) {
        let height = height.max(1);
        self.top = self.top.min(self.page.total.saturating_sub(height));
        if self.place < self.top {
            self.top = self.place;
        } else if self.place >= self.top.saturating_add(height) {
            self.top = self.place + 1 - height;
        }
    }
}
