//! Orders that a person chooses for the rows of a table, by the values of one of its columns.

use super::state::TableRow;
use std::cmp::Ordering;

/// An order by one column.
pub struct ColumnOrder<R: 'static> {
    /// The key that chooses the order; a capital reverses it.
    pub letter: char,
    /// The column's heading, or the name of the order for a column without one.
    pub heading: &'static str,
    /// Compares two rows: the largest number, the latest time or the first name comes first.
    pub compare: fn(&R, &R) -> Ordering,
}

/// The order that a person has chosen for a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChosenOrder {
    pub letter: char,
    pub descending: bool,
}

/// The key for the order in which a view's rows are read.
pub const USUAL_ORDER: char = 'o';

/// Sorts rows by the chosen order, if they have it. Rows that belong to the row above them stay below it.
pub fn sort<R: TableRow>(rows: &mut Vec<R>, by: ChosenOrder) {
    let Some(order) = R::ORDERS.iter().find(|order| order.letter == by.letter) else { return };
    let mut groups: Vec<Vec<R>> = Vec::new();
    for row in rows.drain(..) {
        match groups.last_mut() {
            Some(group) if !row.begins_group() => group.push(row),
            _ => groups.push(vec![row]),
        }
    }
    groups.sort_by(|a, b| {
        let (Some(a), Some(b)) = (a.first(), b.first()) else { return Ordering::Equal };
        directed((order.compare)(a, b), by)
    });
    rows.extend(groups.into_iter().flatten());
}

/// Returns an ordering in the direction of the chosen order.
pub const fn directed(ordering: Ordering, by: ChosenOrder) -> Ordering {
    if by.descending { ordering.reverse() } else { ordering }
}

/// Compares numbers or times so that the largest or latest comes first, and `None` last.
pub fn largest_first<T: Ord>(a: T, b: T) -> Ordering {
    b.cmp(&a)
}

/// Compares times that are to come: the earliest first, and `None` last.
pub fn earliest_first<T: Ord>(a: Option<T>, b: Option<T>) -> Ordering {
    a.is_none().cmp(&b.is_none()).then_with(|| a.cmp(&b))
}

/// Compares shares of wholes, the largest first; that of nothing is 0.
pub fn largest_share_first(a: (u64, u64), b: (u64, u64)) -> Ordering {
    let crossed = |(part, _): (u64, u64), (_, whole): (u64, u64)| u128::from(part) * u128::from(whole.max(1));
    crossed(b, a).cmp(&crossed(a, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group's name and number, or a row below it.
    #[derive(Debug, PartialEq)]
    struct Line(Option<u32>, &'static str);

    impl TableRow for Line {
        type Key = &'static str;

        const ORDERS: &'static [ColumnOrder<Self>] =
            &[ColumnOrder { letter: 'n', heading: "number", compare: |a, b| largest_first(a.0, b.0) }];

        fn key(&self) -> &'static str {
            self.1
        }

        fn begins_group(&self) -> bool {
            self.0.is_some()
        }

        fn fades(&self) -> bool {
            false
        }
    }

    #[test]
    fn rows_stay_below_their_group_in_both_directions() {
        let rows = || vec![Line(Some(1), "a"), Line(None, "of a"), Line(Some(3), "b"), Line(None, "of b")];
        let sorted = |letter, descending| {
            let mut rows = rows();
            sort(&mut rows, ChosenOrder { letter, descending });
            rows.into_iter().map(|row| row.1).collect::<Vec<_>>()
        };
        assert_eq!(sorted('n', false), ["b", "of b", "a", "of a"]);
        assert_eq!(sorted('n', true), ["a", "of a", "b", "of b"]);
        assert_eq!(sorted('?', true), ["a", "of a", "b", "of b"], "an unknown order changes nothing");
    }

    #[test]
    fn what_is_unknown_comes_last_and_shares_are_compared_as_shares() {
        assert_eq!(largest_first(None, Some(1)), Ordering::Greater);
        assert_eq!(earliest_first(None, Some(1)), Ordering::Greater);
        assert_eq!(earliest_first(Some(1), Some(2)), Ordering::Less);
        assert_eq!(largest_share_first((1, 2), (2, 10)), Ordering::Less);
        assert_eq!(largest_share_first((0, 0), (1, 10)), Ordering::Greater);
    }
}
