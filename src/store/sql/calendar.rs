//! Calendars of plans as rows have them. Each is parsed once, since a list has many rows of few accounts.

use crate::domain::job::QueueClass;
use crate::domain::plan::PlanCalendar;
use crate::store::Result;
use crate::store::sql::columns::code;
use crate::store::sql::conn::{Row, get};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

/// Maximum number of calendars that are kept.
const MAX_KEPT: usize = 256;

type StoredCalendar = (Option<String>, Option<String>);

static PARSED: LazyLock<Mutex<HashMap<StoredCalendar, Arc<PlanCalendar>>>> = LazyLock::new(Mutex::default);

/// Reads the calendar of a row's plan from its columns `at_rule` and `day_window`.
pub(in crate::store) fn calendar(row: &Row) -> Result<Arc<PlanCalendar>> {
    let stored: StoredCalendar = (get(row, "at_rule")?, get(row, "day_window")?);
    if stored == (None, None) {
        return Ok(Arc::default());
    }
    let mut parsed = PARSED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = parsed.get(&stored) {
        return Ok(Arc::clone(known));
    }
    if parsed.len() >= MAX_KEPT {
        parsed.clear();
    }
    let calendar = Arc::new(PlanCalendar::from_stored(stored.0.as_deref(), stored.1.as_deref()));
    parsed.insert(stored, Arc::clone(&calendar));
    Ok(calendar)
}

/// Returns true if the job whose class is in `column` waits for the window of its plan: all do that no person requested.
pub(in crate::store) fn waits_for_windows(row: &Row, column: &'static str) -> Result<bool> {
    Ok(code(row, column, QueueClass::from_code)?.is_some_and(|class| class != QueueClass::Manual))
}
