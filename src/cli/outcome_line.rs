//! Outcomes as lines for people, for scripts, and in upstream's own form.

use crate::chatwoot::rails_log;
use crate::domain::content::ContentChange;
use crate::domain::outcome::{Outcome, OutcomeResult};
use crate::domain::time::span;
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::time::Duration;

/// A form of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A line for people, times in the local zone
    #[default]
    Text,
    /// One JSON object a line
    Json,
    /// Upstream's own lines, for its eight results alone
    Rails,
}

impl Format {
    /// The line of `outcome`, if this form has one.
    pub fn line(self, outcome: &Outcome, zone: &TimeZone) -> Option<String> {
        match self {
            Self::Text => Some(text(outcome, zone)),
            Self::Json => Some(outcome.json()),
            Self::Rails => rails_log::outcome_line(outcome),
        }
    }
}

/// Returns a line for people: time, result, document, duration, reason and next attempt.
pub fn text(outcome: &Outcome, zone: &TimeZone) -> String {
    let mut line =
        format!("{}  {:<26} {} {}", outcome.at.date_clock(zone), word(outcome), outcome.document_id, outcome.url);
    if let Some(took) = outcome.duration_ms {
        line.push_str(&format!("  {}", span(Duration::from_millis(took))));
    }
    if let Some(code) = outcome.error_code {
        line.push_str(&format!("  {}", code.plain()));
    }
    if let Some(detail) = &outcome.detail {
        // The result names the review already.
        let detail = detail.strip_prefix("needs review: ").unwrap_or(detail);
        line.push_str(&format!(": {detail}"));
    }
    if let Some(next) = outcome.next_attempt_at {
        line.push_str(&format!("  next attempt {}", next.clock(zone)));
    }
    line
}

/// The result in the console's words where the stored word, `unchanged`, would be taken for the opposite.
fn word(outcome: &Outcome) -> &'static str {
    match (outcome.result, outcome.content) {
        (OutcomeResult::Unchanged, Some(ContentChange::First)) => "first content",
        (OutcomeResult::Unchanged, Some(ContentChange::Held)) => "needs review",
        (result, _) => result.word(),
    }
}
