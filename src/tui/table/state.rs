//! State of a table: the rows of the last read and the cursor. The cursor follows a row's identity, not its index.

use super::order::{self, ChosenOrder, ColumnOrder};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::Listing;
use crate::tui::model::reads::MIN_TIMED_INTERVAL;
use std::time::Duration;

/// Wait before a read that no commit triggers: after a failed one, or if the data changes all the time.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(5);
/// Minimum wait after a read, as a multiple of the read's duration. With 4, reads take at most 20 % of the time.
const READ_BACKOFF_FACTOR: u32 = 4;
/// Shortest duration of a read that counts as slow. While reads are slow, the title shows the age of the rows.
const SLOW_READ: Duration = Duration::from_secs(1);

/// The data of a table, as one read returns it.
pub trait TableData: Default + PartialEq {
    /// The identity of a row, such as the id of a job or an account, or the name of a host.
    type Key: Clone + PartialEq;

    /// Shortest time from the result of a read to the start of the next read.
    const MIN_READ_INTERVAL: Duration;

    /// Returns the rows' identities in the order on the screen.
    fn keys(&self) -> Vec<Self::Key>;

    /// Returns the number of rows, without headings.
    fn rows(&self) -> usize;

    /// Sorts the rows into the order on the screen; by default, the order of the read stays.
    fn arrange(&mut self) {}

    /// Returns the orders that a person can choose: the letter and the name of each.
    fn orders() -> Vec<(char, &'static str)> {
        Vec::new()
    }

    /// Sorts the rows by an order that a person has chosen; an order that the table does not have changes nothing.
    fn sort(&mut self, _by: ChosenOrder) {}

    /// Returns the position of the row at `index` among the table's lines; `None` if there is no such row.
    fn span(&self, index: usize) -> Option<RowSpan>;

    /// Returns the next time at which some of the data changes without a commit, such as the age of a heartbeat, if it
    /// was read at `read_at`; `None` if only commits change it.
    fn changes_at(&self, _read_at: Timestamp) -> Option<Timestamp> {
        None
    }
}

/// The position of one row among all lines of a table. Lines count from 0, headings included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSpan {
    /// The first line that has to be visible with the row, such as the heading of its section.
    pub first: usize,
    /// The line of the row.
    pub last: usize,
    /// Number of lines of the table.
    pub total: usize,
}

/// The rows of a view's last successful read, the cursor, and the times of past and coming reads.
#[derive(Debug)]
pub struct TableState<D: TableData> {
    /// Data of the last successful read.
    pub data: D,
    /// Identity of the row under the cursor; `None` without rows.
    pub cursor: Option<D::Key>,
    /// Index of the row under the cursor.
    pub cursor_index: usize,
    /// Index of the first visible line; headings count as lines.
    pub top: usize,
    /// True once a person has used an action in the view. From then on the cursor follows its row; before, the cursor
    /// stays on the first row.
    pub follows_row: bool,
    /// The order that a person has chosen; `None` for the usual one.
    pub order: Option<ChosenOrder>,
    /// Start of the read that is scheduled or under way; `None` if there is no such read.
    pub read_begins_at: Option<Timestamp>,
    /// A read was requested while one was scheduled or under way, so another read follows.
    pub reread_needed: bool,
    /// Duration of the last read, from its start to its result.
    pub read_duration: Duration,
    /// Time of the last successful read.
    pub read_at: Option<Timestamp>,
    /// Time of the last result of a read, successful or not.
    pub tried_at: Option<Timestamp>,
    /// Why the last read failed; `None` after a success.
    pub read_error: Option<SafeLine>,
}

impl<D: TableData> Default for TableState<D> {
    fn default() -> Self {
        Self {
            data: D::default(),
            cursor: None,
            cursor_index: 0,
            top: 0,
            follows_row: false,
            order: None,
            read_begins_at: None,
            reread_needed: false,
            read_duration: Duration::ZERO,
            read_at: None,
            tried_at: None,
            read_error: None,
        }
    }
}

impl<D: TableData> TableState<D> {
    /// Applies the result of a read. Returns true if the view has to be redrawn.
    pub fn take(&mut self, now: Timestamp, answer: Result<D, SafeLine>) -> bool {
        let was_slow = self.is_slow(now);
        self.read_duration = self.read_begins_at.take().map_or(Duration::ZERO, |begun| now.since(begun));
        self.tried_at = Some(now);
        match answer {
            Ok(mut data) => {
                data.arrange();
                if let Some(order) = self.order {
                    data.sort(order);
                }
                // The same rows need a redraw too if their age appears in the title or disappears from it.
                let shows_age = was_slow || self.is_slow(now);
                let changed = self.read_at.is_none() || self.read_error.is_some() || shows_age || self.data != data;
                (self.data, self.read_at, self.read_error) = (data, Some(now), None);
                self.restore_cursor();
                changed
            }
            Err(reason) => {
                self.read_error = Some(reason);
                true
            }
        }
    }

    /// Moves the cursor to the new index of its row. If the row is gone, the cursor goes to the row that is now at the
    /// old index. A cursor that does not follow its row yet goes to the first row.
    fn restore_cursor(&mut self) {
        let keys = self.data.keys();
        let found =
            self.cursor.as_ref().filter(|_| self.follows_row).and_then(|key| keys.iter().position(|k| k == key));
        let index = match found {
            Some(index) => index,
            None if self.follows_row => self.cursor_index,
            None => 0,
        };
        self.move_to(index);
    }

    fn is_slow(&self, now: Timestamp) -> bool {
        self.read_duration >= SLOW_READ || self.read_begins_at.is_some_and(|begun| now.since(begun) >= SLOW_READ)
    }
}

/// A table without its row type: the interface for moving the cursor, reading the rows and drawing the frame.
pub trait Rows {
    /// Requests a read. Returns the time to wait before the read starts. Returns `None` if a read is already scheduled
    /// or under way; one more read then follows that read.
    fn request_read(&mut self, now: Timestamp) -> Option<Duration>;

    /// Returns true if a read was requested while another was scheduled or under way.
    fn reread_needed(&self) -> bool;

    /// Notes that the read that is scheduled or under way is stopped and will have no result.
    fn abandon_read(&mut self);

    /// Returns the time of the next read that no commit triggers. `None` if no such read is needed (the last read
    /// succeeded, and the data changes only with commits), while a read is scheduled or under way, and before the first
    /// result.
    fn due_at(&self) -> Option<Timestamp>;

    /// Returns the time of the last successful read.
    fn read_at(&self) -> Option<Timestamp>;

    /// Returns the reason why the last read failed; `None` after a success.
    fn read_error(&self) -> Option<&SafeLine>;

    /// Returns the age of the rows if the title has to show the age: the last read failed or was slow, or the current
    /// one is slow. `None` otherwise, and before the first successful read.
    fn age(&self, now: Timestamp) -> Option<Duration>;

    /// Returns the next time after `now` at which the text of the title changes, because the rows' age grows by a unit
    /// or becomes visible; `None` if only a read can change the title.
    fn title_changes_at(&self, now: Timestamp) -> Option<Timestamp>;

    /// Returns the number of rows, without headings.
    fn rows(&self) -> usize;

    /// Returns the index of the row under the cursor.
    fn cursor_index(&self) -> usize;

    /// Returns the index of the first visible line; headings count as lines.
    fn top(&self) -> usize;

    /// Moves the cursor to the row at `index`, or to the last row if there are fewer rows.
    fn move_to(&mut self, index: usize);

    /// Makes the cursor follow its row from now on, since a person has used an action in the view.
    fn follow_row(&mut self);

    /// Scrolls so that the cursor is among the `height` visible lines.
    fn show_cursor(&mut self, height: usize);

    /// Returns the orders that a person can choose: the letter and the name of each.
    fn orders(&self) -> Vec<(char, &'static str)>;

    /// Returns the order that a person has chosen; `None` for the usual one.
    fn order(&self) -> Option<ChosenOrder>;

    /// Sets the order. For the usual one the rows have to be read again, since they come in it.
    fn set_order(&mut self, order: Option<ChosenOrder>);
}

impl<D: TableData> Rows for TableState<D> {
    fn request_read(&mut self, now: Timestamp) -> Option<Duration> {
        if self.read_begins_at.is_some() {
            self.reread_needed = true;
            return None;
        }
        let rest = D::MIN_READ_INTERVAL.max(self.read_duration.saturating_mul(READ_BACKOFF_FACTOR));
        let begins = self.tried_at.map_or(now, |tried| tried.plus(rest).max(now));
        (self.read_begins_at, self.reread_needed) = (Some(begins), false);
        Some(begins.since(now))
    }

    fn reread_needed(&self) -> bool {
        self.reread_needed
    }

    fn abandon_read(&mut self) {
        (self.read_begins_at, self.reread_needed) = (None, false);
    }

    fn due_at(&self) -> Option<Timestamp> {
        let tried_at = self.tried_at.filter(|_| self.read_begins_at.is_none())?;
        let retry_at = self.read_error.as_ref().map(|_| tried_at.plus(REFRESH_INTERVAL));
        retry_at.or_else(|| self.data.changes_at(tried_at))
    }

    fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    fn read_error(&self) -> Option<&SafeLine> {
        self.read_error.as_ref()
    }

    fn age(&self, now: Timestamp) -> Option<Duration> {
        let old = self.read_error.is_some() || self.is_slow(now);
        self.read_at.filter(|_| old).map(|at| now.since(at))
    }

    fn title_changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let age = self.read_at.filter(|_| self.age(now).is_some()).map(|at| format::age_changes_at(at, now));
        let slow_at = self.read_begins_at.map(|begun| begun.plus(SLOW_READ)).filter(|at| *at > now);
        age.into_iter().chain(slow_at).min()
    }

    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn cursor_index(&self) -> usize {
        self.cursor_index
    }

    fn top(&self) -> usize {
        self.top
    }

    fn move_to(&mut self, index: usize) {
        let keys = self.data.keys();
        self.cursor_index = index.min(keys.len().saturating_sub(1));
        self.cursor = keys.get(self.cursor_index).cloned();
    }

    fn follow_row(&mut self) {
        self.follows_row = true;
    }

    fn show_cursor(&mut self, height: usize) {
        let height = height.max(1);
        let Some(RowSpan { first, last, total }) = self.data.span(self.cursor_index) else {
            self.top = 0;
            return;
        };
        if last >= self.top + height {
            self.top = (last + 1).saturating_sub(height);
        }
        self.top = self.top.min(first).min(total.saturating_sub(height));
    }

    fn orders(&self) -> Vec<(char, &'static str)> {
        D::orders()
    }

    fn order(&self) -> Option<ChosenOrder> {
        self.order
    }

    fn set_order(&mut self, order: Option<ChosenOrder>) {
        self.order = order;
        match order {
            Some(order) => self.data.sort(order),
            None => self.data.arrange(),
        }
        self.restore_cursor();
    }
}

/// A row of a table with one line per row: a host or an account.
pub trait TableRow: PartialEq + Sized + 'static {
    type Key: Clone + PartialEq;

    /// The orders that a person can choose.
    const ORDERS: &'static [ColumnOrder<Self>] = &[];

    /// Returns the row's identity, which stays the same from read to read.
    fn key(&self) -> Self::Key;

    /// Sorts the rows into the order on the screen. By default the order of the read stays, which is the order of the
    /// keys.
    fn arrange(_rows: &mut [Self]) {}

    /// Returns false for a row that belongs to the row above it, such as a job to its worker.
    fn begins_group(&self) -> bool {
        true
    }

    /// Returns true if figures of the row go down with time alone, such as the attempts of the last hour.
    fn fades(&self) -> bool;
}

impl<G: TableRow> TableData for Listing<G> {
    type Key = G::Key;
    // The read counts rows in whole tables of the store, so it must not run often.
    const MIN_READ_INTERVAL: Duration = Duration::from_secs(2);

    fn keys(&self) -> Vec<G::Key> {
        self.rows.iter().map(TableRow::key).collect()
    }

    fn arrange(&mut self) {
        G::arrange(&mut self.rows);
    }

    fn orders() -> Vec<(char, &'static str)> {
        G::ORDERS.iter().map(|order| (order.letter, order.heading)).collect()
    }

    fn sort(&mut self, by: ChosenOrder) {
        order::sort(&mut self.rows, by);
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn changes_at(&self, read_at: Timestamp) -> Option<Timestamp> {
        self.rows.iter().any(TableRow::fades).then(|| read_at.plus(MIN_TIMED_INTERVAL))
    }

    fn span(&self, index: usize) -> Option<RowSpan> {
        single_line_span(index, self.rows.len())
    }
}

impl<G: TableRow> TableState<Listing<G>> {
    /// Returns the row under the cursor.
    pub fn row(&self) -> Option<&G> {
        self.data.rows.get(self.cursor_index)
    }
}

/// Returns the position of the row at `index` in a table of `rows` rows with one line each; `None` if there is no such
/// row.
fn single_line_span(index: usize, rows: usize) -> Option<RowSpan> {
    (index < rows).then_some(RowSpan { first: index, last: index, total: rows })
}

#[cfg(test)]
mod tests;
