//! Tests the times of reads and the cursor of a table.

use super::*;

/// Numbers that are sorted with the even numbers first.
#[derive(Debug, Default, PartialEq)]
struct Numbers(Vec<u32>);

impl TableData for Numbers {
    type Key = u32;
    const MIN_READ_INTERVAL: Duration = Duration::from_secs(2);

    fn keys(&self) -> Vec<u32> {
        self.0.clone()
    }

    fn rows(&self) -> usize {
        self.0.len()
    }

    fn arrange(&mut self) {
        self.0.sort_by_key(|number| (number % 2, *number));
    }

    fn span(&self, index: usize) -> Option<RowSpan> {
        single_line_span(index, self.0.len())
    }
}

const START: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn at(millis: u64) -> Timestamp {
    START.plus(Duration::from_millis(millis))
}

fn waits(table: &mut TableState<Numbers>, millis: u64) -> Option<u64> {
    table.request_read(at(millis)).map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
}

#[test]
fn one_reading_at_a_time_and_a_rest_after_each_that_grows_with_what_it_took() {
    let mut table = TableState::<Numbers>::default();
    assert_eq!(waits(&mut table, 0), Some(0));
    assert_eq!((waits(&mut table, 10), table.reread_needed), (None, true));
    assert!(table.take(at(100), Ok(Numbers(vec![1]))));
    // The read took 100 ms, so the shortest interval is longer than the back-off.
    assert_eq!((waits(&mut table, 100), table.reread_needed), (Some(2_000), false));
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
    let mut table = TableState::<Numbers>::default();
    waits(&mut table, 0);
    table.take(at(1), Ok(Numbers(vec![1])));
    assert_eq!(table.due_at(), None, "nothing in it moves");
    waits(&mut table, 5_000);
    assert!(table.take(at(5_001), Err("away".into())));
    assert_eq!((table.data.0.as_slice(), table.age(at(6_001))), ([1].as_slice(), Some(Duration::from_secs(6))));
    assert_eq!(table.due_at(), Some(at(5_001).plus(REFRESH_INTERVAL)));
    waits(&mut table, 11_000);
    assert_eq!(table.due_at(), None, "it is being read");
}

#[test]
fn the_cursor_rests_on_the_first_row_until_it_is_moved_and_then_follows_its_own() {
    let mut table = TableState::<Numbers>::default();
    table.take(at(0), Ok(Numbers(vec![3, 5, 7])));
    assert_eq!(table.cursor, Some(3));
    table.take(at(1), Ok(Numbers(vec![2, 3, 5, 7])));
    assert_eq!(table.cursor, Some(2));
    table.follow_row();
    table.move_to(2);
    assert_eq!((table.cursor, table.cursor_index), (Some(5), 2));
    table.take(at(2), Ok(Numbers(vec![2, 4, 6, 3, 5, 7])));
    assert_eq!((table.cursor, table.cursor_index), (Some(5), 4));
    table.take(at(3), Ok(Numbers(vec![2, 4, 6, 3, 7])));
    assert_eq!(table.cursor, Some(7), "what has taken its place");
    table.take(at(4), Ok(Numbers::default()));
    assert_eq!((table.cursor, table.cursor_index), (None, 0));
    table.show_cursor(3);
    assert_eq!(table.top, 0);
}
