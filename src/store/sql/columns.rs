//! Columns of a row as the types of the domain. A value that this program cannot have written is a
//! [`StoreError::Corrupt`] that names the column.

use crate::domain::politeness::{Hold, HoldKind};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::conn::{Row, get};
use crate::store::{Result, StoreError};
use std::time::Duration;

/// A time that may be missing.
pub(in crate::store) fn time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_micros))
}

/// A span of time that may be missing.
pub(in crate::store) fn span(row: &Row, column: &str) -> Result<Option<Duration>> {
    let micros: Option<i64> = get(row, column)?;
    Ok(micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros))
}

/// Until when a host is left alone, whose wish that is, and why: the columns `held_until`, `held_kind` and
/// `held_because`, each with `prefix` before it.
pub(in crate::store) fn hold(row: &Row, prefix: &str) -> Result<Option<Hold>> {
    let Some(until) = time(row, &format!("{prefix}held_until"))? else { return Ok(None) };
    // A program that knows no kinds may still write beside this one; what a host did not ask for is the safer guess.
    let kind = word(row, &format!("{prefix}held_kind"), HoldKind::parse)?.unwrap_or(HoldKind::CoolDown);
    let because: Option<String> = get(row, &*format!("{prefix}held_because"))?;
    Ok(Some(Hold { until, kind, because: because.unwrap_or_default() }))
}

/// A line that may be missing.
pub(in crate::store) fn line(row: &Row, column: &str) -> Result<Option<SafeLine>> {
    Ok(get::<Option<&str>>(row, column)?.map(SafeLine::new))
}

/// A small number that may be missing.
pub(in crate::store) fn small<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<Option<N>> {
    get::<Option<i64>>(row, column)?.map(|number| N::try_from(number).map_err(|_| corrupt(column))).transpose()
}

/// A number that is always there.
pub(in crate::store) fn number<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<N> {
    N::try_from(get::<i64>(row, column)?).map_err(|_| corrupt(column))
}

/// A word that must be known when it is there.
pub(in crate::store) fn word<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<&str>>(row, column)? {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// A code that must be known when it is there.
pub(in crate::store) fn code<T>(row: &Row, column: &str, parse: impl Fn(i64) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<i64>>(row, column)? {
        None => Ok(None),
        Some(code) => parse(code).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// An unreadable column.
pub(in crate::store) fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(format!("column {column}"))
}
