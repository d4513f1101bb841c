//! Conversion of columns to the types of the domain. A value that this program cannot have written causes a
//! [`StoreError::Corrupt`] that names the column.

use crate::domain::host_backoff::{BackoffKind, HostBackoff};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::sql::conn::{Row, get};
use crate::store::{Result, StoreError};
use std::time::Duration;

/// Reads a time that may be NULL, from microseconds since 1970, UTC.
pub(in crate::store) fn time(row: &Row, column: &str) -> Result<Option<Timestamp>> {
    Ok(get::<Option<i64>>(row, column)?.map(Timestamp::from_micros))
}

/// Reads a duration that may be NULL, from microseconds; a negative one counts as NULL.
pub(in crate::store) fn span(row: &Row, column: &str) -> Result<Option<Duration>> {
    let micros: Option<i64> = get(row, column)?;
    Ok(micros.and_then(|micros| u64::try_from(micros).ok()).map(Duration::from_micros))
}

/// Reads the back-off of a host from the columns `held_until` (end), `held_kind` and `held_because` (reason), each with
/// `prefix` before its name. Returns `None` if the end is NULL.
pub(in crate::store) fn host_backoff(row: &Row, prefix: &str) -> Result<Option<HostBackoff>> {
    let Some(until) = time(row, &format!("{prefix}held_until"))? else { return Ok(None) };
    // An older program, which writes no kind, may still run at the same time. Assuming a cool-down is safer than
    // assuming that the host sent `Retry-After`.
    let kind = word(row, &format!("{prefix}held_kind"), BackoffKind::parse)?.unwrap_or(BackoffKind::CoolDown);
    let because: Option<String> = get(row, &*format!("{prefix}held_because"))?;
    Ok(Some(HostBackoff { until, kind, reason: because.unwrap_or_default() }))
}

/// Reads a text that may be NULL, made safe to print on one line.
pub(in crate::store) fn line(row: &Row, column: &str) -> Result<Option<SafeLine>> {
    Ok(get::<Option<&str>>(row, column)?.map(SafeLine::new))
}

/// Reads a number that may be NULL; fails if the number does not fit into `N`.
pub(in crate::store) fn optional_number<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<Option<N>> {
    get::<Option<i64>>(row, column)?.map(|number| N::try_from(number).map_err(|_| corrupt(column))).transpose()
}

/// Reads a number that is never NULL; fails if the number does not fit into `N`.
pub(in crate::store) fn number<N: TryFrom<i64>>(row: &Row, column: &str) -> Result<N> {
    N::try_from(get::<i64>(row, column)?).map_err(|_| corrupt(column))
}

/// Reads a word that may be NULL; fails if `parse` returns `None` for it.
pub(in crate::store) fn word<T>(row: &Row, column: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<&str>>(row, column)? {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// Reads a code that may be NULL; fails if `parse` returns `None` for it.
pub(in crate::store) fn code<T>(row: &Row, column: &str, parse: impl Fn(i64) -> Option<T>) -> Result<Option<T>> {
    match get::<Option<i64>>(row, column)? {
        None => Ok(None),
        Some(code) => parse(code).map(Some).ok_or_else(|| corrupt(column)),
    }
}

/// Returns the error for a column with an unreadable value.
pub(in crate::store) fn corrupt(column: &str) -> StoreError {
    StoreError::Corrupt(format!("column {column}"))
}
