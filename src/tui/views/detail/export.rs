//! The active tab of the details as text, for a pager.

use super::state::{DetailData, Tab};
use crate::domain::difference::{DiffLine, DisplayLine};
use crate::domain::outcome::Outcome;
use crate::format;
use crate::tui::model::Model;
use crate::tui::views::outcomes::text::reason;

/// Returns the tab's text in full, safe to print on a terminal; `None` if it has none.
pub fn text(model: &Model) -> Option<String> {
    let detail = model.detail.as_ref()?;
    let data = detail.data.as_deref().filter(|_| !detail.gone)?;
    let lines = match detail.tab {
        Tab::Attempts => attempts(data),
        Tab::Content => data.content.clone(),
        Tab::Changes => changes(model),
        Tab::Versions => Vec::new(),
        Tab::Record => data.record.clone(),
    };
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// Returns a line for each attempt, newest first: time in UTC, number, result, cause, duration in milliseconds and
/// requester; tabs between them.
fn attempts(data: &DetailData) -> Vec<String> {
    let line = |outcome: &Outcome| {
        let columns = [
            outcome.at.rfc3339(),
            outcome.attempt.to_string(),
            format::outcome(outcome.content, outcome.result).to_owned(),
            outcome.error_code.map_or_else(String::new, |_| reason(outcome)),
            outcome.duration_ms.map_or_else(String::new, |took| format!("{took} ms")),
            outcome.requested_by.as_ref().map_or_else(String::new, ToString::to_string),
        ];
        columns.join("\t")
    };
    data.outcomes.iter().map(line).collect()
}

/// Returns the lines of the difference with their signs; none before it is there.
fn changes(model: &Model) -> Vec<String> {
    let Some(data) = model.difference() else { return Vec::new() };
    let line = |kept: &DisplayLine| match &kept.line {
        DiffLine::Same(_) => format!("  {}", kept.text()),
        DiffLine::Removed(_) => format!("- {}", kept.text()),
        DiffLine::Added(_) => format!("+ {}", kept.text()),
        DiffLine::Skipped(number) => format!("  ({})", format::count(*number as u64, "unchanged line")),
    };
    let mut lines: Vec<String> = data.difference.lines.iter().map(line).collect();
    if data.difference.omitted > 0 {
        lines.push(format!("  (and {})", format::count(data.difference.omitted, "more line")));
    }
    lines
}
