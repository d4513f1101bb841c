//! The rows of a view as they were last read, with a cursor that belongs to what a row is about and never to its
//! number.

use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::format;
use crate::store::Seen;
use std::time::Duration;

/// The greatest age of a view while something in it moves that commits nothing.
pub const REFRESH: Duration = Duration::from_secs(5);
/// After a reading the store is left alone for so many times what it took: one that is slow comes seldom.
const REST: u32 = 4;
/// A reading that takes longer than this is slow: the view says how old it is.
const SLOW: Duration = Duration::from_secs(1);

/// The data of a table, read as a whole.
pub trait TableData: Default + PartialEq {
    /// The identity of a row: a job, a host, an account.
    type Key: Clone + PartialEq;

    /// The shortest time between two readings.
    const PACE: Duration;

    /// Returns the identities of the rows, in the order on the screen.
    fn keys(&self) -> Vec<Self::Key>;

    /// Returns the number of rows.
    fn rows(&self) -> usize;

    /// Brings the rows into the order on the screen.
    fn arrange(&mut self) {}

    /// The lines of the row at `place`; `None` when there is none.
    fn span(&self, place: usize) -> Option<RowSpan>;

    /// Returns whether something in it changes by itself, without a commit.
    fn moves(&self) -> bool {
        false
    }
}

/// The lines of a row among all lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSpan {
    /// The first that is to be seen with it.
    pub first: usize,
    /// Its own.
    pub last: usize,
    /// The number of all lines.
    pub of: usize,
}

/// A view's rows as they were last read, and the cursor in them.
#[derive(Debug)]
pub struct Table<D: TableData> {
    /// What was read.
    pub data: D,
    /// What the cursor is on.
    pub cursor: Option<D::Key>,
    /// The cursor's place among the rows.
    pub place: usize,
    /// The first line on the screen, headings counted.
    pub top: usize,
    /// A key was pressed: the cursor follows its row from now on, and rests on the first one before.
    pub chosen: bool,
    /// When the reading that is under way begins, or began.
    pub asked: Option<Timestamp>,
    /// Something was committed since.
    pub again: bool,
    /// How long the last reading took.
    pub took: Duration,
    /// When it was read.
    pub read_at: Option<Timestamp>,
    /// When it was last tried.
    pub tried_at: Option<Timestamp>,
    /// Why it could not be read the last time.
    pub trouble: Option<SafeLine>,
}

impl<D: TableData> Default for Table<D> {
    fn default() -> Self {
        Self {
            data: D::default(),
            cursor: None,
            place: 0,
            top: 0,
            chosen: false,
            asked: None,
            again: false,
            took: Duration::ZERO,
            read_at: None,
            tried_at: None,
            trouble: None,
        }
    }
}

impl<D: TableData> Table<D> {
    /// Takes what was read, or why it was not; whether the screen shows something else now.
    pub fn take(&mut self, now: Timestamp, answer: Result<D, SafeLine>) -> bool {
        let was_slow = self.is_slow(now);
        self.took = self.asked.take().map_or(Duration::ZERO, |begun| now.since(begun));
        self.tried_at = Some(now);
        match answer {
            Ok(mut data) => {
                data.arrange();
                // Also when it is the same: how old it is was on the screen, or is from now on.
                let tells_age = was_slow || self.is_slow(now);
                let changed = self.read_at.is_none() || self.trouble.is_some() || tells_age || self.data != data;
                (self.data, self.read_at, self.trouble) = (data, Some(now), None);
                self.settle();
                changed
            }
            Err(reason) => {
                self.trouble = Some(reason);
                true
            }
        }
    }

    /// Puts the cursor where its row is now; where that is gone, on the row that has taken its place.
    fn settle(&mut self) {
        let keys = self.data.keys();
        let found = self.cursor.as_ref().filter(|_| self.chosen).and_then(|key| keys.iter().position(|k| k == key));
        let place = match found {
            Some(place) => place,
            None if self.chosen => self.place,
            None => 0,
        };
        self.go(place);
    }

    fn is_slow(&self, now: Timestamp) -> bool {
        self.took >= SLOW || self.asked.is_some_and(|begun| now.since(begun) >= SLOW)
    }
}

/// A table, whatever its rows are: what moving in it, reading it and drawing its frame need.
pub trait Rows {
    /// Notes that it is to be read. Returns how long to wait before that; none while it is being read, after which it
    /// is read once more.
    fn ask(&mut self, now: Timestamp) -> Option<Duration>;

    /// Returns whether it was asked for while it was being read.
    fn again(&self) -> bool;

    /// Returns when it has to be read again although nothing was committed; never while nothing moves by itself.
    fn due_at(&self) -> Option<Timestamp>;

    /// Returns when it was read, if it was.
    fn read_at(&self) -> Option<Timestamp>;

    /// Returns why it could not be read the last time.
    fn trouble(&self) -> Option<&SafeLine>;

    /// Returns the age of the rows when the title has to give it: they could not be read again, or reading takes long.
    fn age(&self, now: Timestamp) -> Option<Duration>;

    /// Returns the next moment after `now` at which its title reads differently: it gives the age of the rows, or
    /// begins to.
    fn title_changes_at(&self, now: Timestamp) -> Option<Timestamp>;

    /// Returns the number of rows.
    fn rows(&self) -> usize;

    /// The cursor's place among the rows.
    fn place(&self) -> usize;

    /// The first line on the screen, headings counted.
    fn top(&self) -> usize;

    /// Moves the cursor to a row.
    fn go(&mut self, place: usize);

    /// The cursor is where a person wants it: it follows its row from now on.
    fn choose(&mut self);

    /// Scrolls so that the cursor is among the `height` lines on the screen.
    fn show_cursor(&mut self, height: usize);
}

impl<D: TableData> Rows for Table<D> {
    fn ask(&mut self, now: Timestamp) -> Option<Duration> {
        if self.asked.is_some() {
            self.again = true;
            return None;
        }
        let rest = D::PACE.max(self.took.saturating_mul(REST));
        let begins = self.tried_at.map_or(now, |tried| tried.plus(rest).max(now));
        (self.asked, self.again) = (Some(begins), false);
        Some(begins.since(now))
    }

    fn again(&self) -> bool {
        self.again
    }

    fn due_at(&self) -> Option<Timestamp> {
        let moves = self.data.moves() || self.trouble.is_some();
        self.tried_at.filter(|_| moves && self.asked.is_none()).map(|at| at.plus(REFRESH))
    }

    fn read_at(&self) -> Option<Timestamp> {
        self.read_at
    }

    fn trouble(&self) -> Option<&SafeLine> {
        self.trouble.as_ref()
    }

    fn age(&self, now: Timestamp) -> Option<Duration> {
        let old = self.trouble.is_some() || self.is_slow(now);
        self.read_at.filter(|_| old).map(|at| now.since(at))
    }

    fn title_changes_at(&self, now: Timestamp) -> Option<Timestamp> {
        let age = self.read_at.filter(|_| self.age(now).is_some()).map(|at| format::age_changes_at(at, now));
        let slow_from = self.asked.map(|begun| begun.plus(SLOW)).filter(|at| *at > now);
        age.into_iter().chain(slow_from).min()
    }

    fn rows(&self) -> usize {
        self.data.rows()
    }

    fn place(&self) -> usize {
        self.place
    }

    fn top(&self) -> usize {
        self.top
    }

    fn go(&mut self, place: usize) {
        let keys = self.data.keys();
        self.place = place.min(keys.len().saturating_sub(1));
        self.cursor = keys.get(self.place).cloned();
    }

    fn choose(&mut self) {
        self.chosen = true;
    }

    fn show_cursor(&mut self, height: usize) {
        let height = height.max(1);
        let Some(RowSpan { first, last, of }) = self.data.span(self.place) else {
            self.top = 0;
            return;
        };
        if last >= self.top + height {
            self.top = (last + 1).saturating_sub(height);
        }
        self.top = self.top.min(first).min(of.saturating_sub(height));
    }
}

/// A row of a table that has a line for each: a host, an account.
pub trait Group: PartialEq + Sized {
    /// The identity of the row.
    type Key: Clone + PartialEq;

    /// Returns its identity.
    fn key(&self) -> Self::Key;

    /// Brings the rows into the order on the screen; they come in that of their keys.
    fn arrange(_rows: &mut [Self]) {}
}

impl<G: Group> TableData for Seen<G> {
    type Key = G::Key;
    // It counts over whole tables.
    const PACE: Duration = Duration::from_secs(2);

    fn keys(&self) -> Vec<G::Key> {
        self.rows.iter().map(Group::key).collect()
    }

    fn arrange(&mut self) {
        G::arrange(&mut self.rows);
    }

    fn rows(&self) -> usize {
        self.rows.len()
    }

    fn span(&self, place: usize) -> Option<RowSpan> {
        line_each(place, self.rows.len())
    }
}

impl<G: Group> Table<Seen<G>> {
    /// The row under the cursor.
    pub fn row(&self) -> Option<&G> {
        self.data.rows.get(self.place)
    }
}

/// The lines of a table that has one for each row.
fn line_each(place: usize, rows: usize) -> Option<RowSpan> {
    (place < rows).then_some(RowSpan { first: place, last: place, of: rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers, of which even ones come first.
    #[derive(Debug, Default, PartialEq)]
    struct Numbers(Vec<u32>);

    impl TableData for Numbers {
        type Key = u32;
        const PACE: Duration = Duration::from_secs(2);

        fn keys(&self) -> Vec<u32> {
            self.0.clone()
        }

        fn rows(&self) -> usize {
            self.0.len()
        }

        fn arrange(&mut self) {
            self.0.sort_by_key(|number| (number % 2, *number));
        }

        fn span(&self, place: usize) -> Option<RowSpan> {
            line_each(place, self.0.len())
        }
    }

    const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

    fn at(millis: u64) -> Timestamp {
        START.plus(Duration::from_millis(millis))
    }

    fn waits(table: &mut Table<Numbers>, millis: u64) -> Option<u64> {
        table.ask(at(millis)).map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
    }

    #[test]
    fn one_reading_at_a_time_and_a_rest_after_each_that_grows_with_what_it_took() {
        let mut table = Table::<Numbers>::default();
        assert_eq!(waits(&mut table, 0), Some(0));
        assert_eq!((waits(&mut table, 10), table.again), (None, true));
        assert!(table.take(at(100), Ok(Numbers(vec![1]))));
        // It took 100 ms: the pace is longer than the rest.
        assert_eq!((waits(&mut table, 100), table.again), (Some(2_000), false));
        assert!(!table.take(at(2_200), Ok(Numbers(vec![1]))), "the same, and nothing to say of its age");
        assert_eq!(waits(&mut table, 2_200), Some(2_000));
        assert!(table.take(at(5_200), Ok(Numbers(vec![1]))), "a second, counted from when it began");
        assert_eq!(table.age(at(5_300)), Some(Duration::from_millis(100)), "slow from now on");
        assert_eq!(waits(&mut table, 5_200), Some(4_000));
        assert!(table.take(at(9_300), Ok(Numbers(vec![1]))), "how old it is was on the screen");
        assert_eq!(table.age(at(60_000)), None);
        assert_eq!(waits(&mut table, 60_000), Some(0), "it has rested");
    }

    #[test]
    fn what_cannot_be_read_keeps_its_rows_and_is_asked_again() {
        let mut table = Table::<Numbers>::default();
        waits(&mut table, 0);
        table.take(at(1), Ok(Numbers(vec![1])));
        assert_eq!(table.due_at(), None, "nothing in it moves");
        waits(&mut table, 5_000);
        assert!(table.take(at(5_001), Err("away".into())));
        assert_eq!((table.data.0.as_slice(), table.age(at(6_001))), ([1].as_slice(), Some(Duration::from_secs(6))));
        assert_eq!(table.due_at(), Some(at(5_001).plus(REFRESH)));
        waits(&mut table, 11_000);
        assert_eq!(table.due_at(), None, "it is being read");
    }

    #[test]
    fn the_cursor_rests_on_the_first_row_until_it_is_moved_and_then_follows_its_own() {
        let mut table = Table::<Numbers>::default();
        table.take(at(0), Ok(Numbers(vec![3, 5, 7])));
        assert_eq!(table.cursor, Some(3));
        table.take(at(1), Ok(Numbers(vec![2, 3, 5, 7])));
        assert_eq!(table.cursor, Some(2));
        table.choose();
        table.go(2);
        assert_eq!((table.cursor, table.place), (Some(5), 2));
        table.take(at(2), Ok(Numbers(vec![2, 4, 6, 3, 5, 7])));
        assert_eq!((table.cursor, table.place), (Some(5), 4));
        table.take(at(3), Ok(Numbers(vec![2, 4, 6, 3, 7])));
        assert_eq!(table.cursor, Some(7), "what has taken its place");
        table.take(at(4), Ok(Numbers::default()));
        assert_eq!((table.cursor, table.place), (None, 0));
        table.show_cursor(3);
        assert_eq!(table.top, 0);
    }
}
