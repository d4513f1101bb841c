//! Orders of the list of documents. An order is total: equal documents are sorted by their ids.
//!
//! A document may lack the value that a list is sorted by, and statuses change with time. An order therefore has segments,
//! each of which a database can read forwards and backwards from one index.

use crate::domain::document::Status;
use crate::domain::time::Timestamp;
use crate::store::sql::documents::{Joins, StatusSource};
use crate::store::sql::statement::{Sql, Value};
use crate::store::sql::status::{push_has_status, push_status};
use crate::store::{Sort, SortBy};

/// A value by which a segment is sorted; never NULL within the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Key {
    /// An expression that yields a number.
    Number(&'static str),
    /// An expression that yields a text, sorted by its bytes.
    Text(&'static str),
    /// The status at the time of the read. No index has it, unlike the stored status.
    CurrentStatus,
}

/// The documents of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Members {
    All,
    /// Those that satisfy an SQL condition.
    With(&'static str),
    /// Those with a status at the time of the read. Indexes of the stored status and of its time find them.
    OfStatus(Status),
}

/// A part of a sorted list.
#[derive(Clone, Debug)]
pub(in crate::store) struct Segment {
    pub(in crate::store) members: Members,
    pub(in crate::store) keys: Vec<Key>,
    pub(in crate::store) direction: Direction,
    /// The tables that members and keys need.
    pub(in crate::store) joins: Joins,
}

/// The direction in which keys and ids of a segment are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Direction {
    Ascending,
    Descending,
}

impl Direction {
    /// Returns the opposite direction.
    pub(in crate::store) const fn reversed(self) -> Self {
        match self {
            Self::Ascending => Self::Descending,
            Self::Descending => Self::Ascending,
        }
    }
}

/// Returns the segments of the order that `sort` requests, in the order in which the list shows them. Few documents are
/// sorted by their status; of many, a segment for each status is read, which indexes serve whatever number of statuses
/// has expired and was not corrected yet.
pub(in crate::store) fn segments(sort: Sort, source: StatusSource, are_few: bool) -> Vec<Segment> {
    let direction = if sort.descending { Direction::Descending } else { Direction::Ascending };
    let all = |joins, keys| vec![Segment { members: Members::All, keys, direction, joins }];
    match sort.by {
        SortBy::Id => all(Joins::NONE, vec![]),
        SortBy::Status if are_few || !source.is_stored() => all(Joins::status(source), vec![Key::CurrentStatus]),
        SortBy::Status => {
            let joins = Joins::status(source);
            let of = |status| Segment { members: Members::OfStatus(status), keys: Vec::new(), direction, joins };
            let mut segments: Vec<_> = Status::ALL.into_iter().map(of).collect();
            if direction == Direction::Descending {
                segments.reverse();
            }
            segments
        }
        SortBy::Name => all(Joins::DOCUMENTS, vec![Key::Text("coalesce(fold(d.name), '') COLLATE bytes")]),
        SortBy::Url => all(Joins::DOCUMENTS, vec![Key::Text("leading(d.external_link) COLLATE bytes")]),
        SortBy::Error => {
            let keys = vec![
                Key::Text("s.error_code COLLATE bytes"),
                Key::Text("coalesce(leading(s.detail), '') COLLATE bytes"),
            ];
            let joins = Joins { only_with_state: true, ..Joins::STATE };
            let with = Segment { members: Members::With("s.error_code IS NOT NULL"), keys, direction, joins };
            // Documents without an error come last in both directions.
            vec![with, rest("s.error_code IS NULL", Joins::STATE)]
        }
        SortBy::Next => {
            let joins = Joins::status(source);
            let present = source.pick("m.next_at IS NOT NULL", "l.state = 'scheduled'");
            let absent = source.pick("m.next_at IS NULL", "l.state IS DISTINCT FROM 'scheduled'");
            let keys = vec![Key::Number(source.next_at())];
            vec![Segment { members: Members::With(present), keys, direction, joins }, rest(absent, joins)]
        }
        SortBy::Attempted => {
            let present = source.pick("m.attempted_at IS NOT NULL", "d.last_sync_attempted_at IS NOT NULL");
            let absent = source.pick("m.attempted_at IS NULL", "d.last_sync_attempted_at IS NULL");
            by_age(source.attempted_at(), present, absent, direction)
        }
        SortBy::Synced => {
            let present = source.pick("m.synced_at IS NOT NULL", "d.last_synced_at IS NOT NULL");
            let absent = source.pick("m.synced_at IS NULL", "d.last_synced_at IS NULL");
            by_age(source.synced_at(), present, absent, direction)
        }
    }
}

/// Returns the segments of an order by the age of a time. A document without the time has the greatest age.
fn by_age(time: &'static str, present: &'static str, absent: &'static str, direction: Direction) -> Vec<Segment> {
    let (keys, joins) = (vec![Key::Number(time)], Joins::NONE);
    let with = Segment { members: Members::With(present), keys, direction: direction.reversed(), joins };
    let mut segments = vec![with, rest(absent, joins)];
    if direction == Direction::Descending {
        segments.reverse();
    }
    segments
}

/// Returns the segment of the documents without a value, by id.
fn rest(condition: &'static str, joins: Joins) -> Segment {
    Segment { members: Members::With(condition), keys: Vec::new(), direction: Direction::Ascending, joins }
}

impl Key {
    /// Appends the key's expression.
    pub(in crate::store) fn push(self, sql: &mut Sql, source: StatusSource, now: Timestamp) {
        match self {
            Self::Number(expression) | Self::Text(expression) => {
                sql.push(expression);
            }
            Self::CurrentStatus => push_status(sql, source, now),
        }
    }
}

impl Segment {
    /// Appends ` AND …` with the condition for the segment's documents, if it has one.
    pub(in crate::store) fn push_condition(&self, sql: &mut Sql, source: StatusSource, now: Timestamp) {
        match self.members {
            Members::All => {}
            Members::With(condition) => {
                sql.push(" AND ").push(condition);
            }
            Members::OfStatus(status) => {
                sql.push(" AND (");
                push_has_status(sql, source, &[status], now);
                sql.push(")");
            }
        }
    }

    /// Appends ` ORDER BY …` in this direction.
    pub(in crate::store) fn push_order(
        &self,
        sql: &mut Sql,
        source: StatusSource,
        now: Timestamp,
        direction: Direction,
    ) {
        let suffix = if direction == Direction::Descending { " DESC" } else { "" };
        sql.push(" ORDER BY ");
        for key in &self.keys {
            key.push(sql, source, now);
            sql.push(suffix).push(", ");
        }
        sql.push(source.id()).push(suffix);
    }

    /// Appends ` AND …` for the documents that `comparison` (such as `<`) selects against the document with this id and
    /// these values of the segment's keys.
    pub(in crate::store) fn push_comparison(
        &self,
        sql: &mut Sql,
        source: StatusSource,
        now: Timestamp,
        comparison: &'static str,
        (values, id): (&[Value], i64),
    ) {
        sql.push(" AND (");
        for key in &self.keys {
            key.push(sql, source, now);
            sql.push(", ");
        }
        sql.push(source.id()).push(") ").push(comparison).push(" (");
        for value in values {
            sql.bind(value.clone()).push(", ");
        }
        sql.bind(id).push(")");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_ends_with_the_id_and_has_the_documents_without_a_value_in_one_place() {
        for by in SortBy::ALL {
            for descending in [false, true] {
                let segments = segments(Sort { by, descending }, StatusSource::Stored, false);
                for segment in &segments {
                    let mut sql = Sql::default();
                    segment.push_order(&mut sql, StatusSource::Stored, Timestamp::from_micros(0), segment.direction);
                    let text = sql.text().trim_end_matches(" DESC");
                    assert!(text.ends_with("m.document_id"), "{by:?}: {text}");
                }
                let parts = segments.iter().filter(|segment| segment.members != Members::All).count();
                let expected = if by == SortBy::Status { Status::ALL.len() } else { 2 };
                assert!(parts == 0 || parts == expected, "{by:?}: {segments:?}");
            }
        }
    }
}
