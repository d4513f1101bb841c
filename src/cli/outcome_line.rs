//! Prints outcomes as lines for people, as JSON for scripts, and as Chatwoot's own log lines.

use super::output::Output;
use super::style::Emphasis;
use crate::chatwoot::rails_log;
use crate::domain::outcome::Outcome;
use crate::format;
use clap::ValueEnum;
use jiff::tz::TimeZone;
use std::time::Duration;

/// Output format of `log`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Readable lines, with times in the local zone
    #[default]
    Text,
    /// One JSON object per line
    Json,
    /// Chatwoot's own log lines, only for its eight results
    Rails,
}

impl Format {
    /// Returns the line of `outcome`; `None` for outcomes that this format leaves out.
    pub fn line(self, outcome: &Outcome, zone: &TimeZone) -> Option<String> {
        match self {
            Self::Text => Some(text(outcome, zone)),
            Self::Json => Some(outcome.json()),
            Self::Rails => rails_log::outcome_line(outcome),
        }
    }
}

/// Does the same as [`text`], with the result in colour if `out` is coloured.
pub(super) fn painted(outcome: &Outcome, zone: &TimeZone, out: &Output) -> String {
    let line = text(outcome, zone);
    let result = format::logged_outcome(outcome.content, outcome.result);
    line.replacen(result, &out.painted(Emphasis::of_outcome(outcome.content, outcome.result), result), 1)
}

/// Returns a line for people: time, result, document, duration, reason and next attempt.
pub fn text(outcome: &Outcome, zone: &TimeZone) -> String {
    let result = format::logged_outcome(outcome.content, outcome.result);
    let mut line = format!("{}  {:<26} {} {}", outcome.at.date_clock(zone), result, outcome.document_id, outcome.url);
    if let Some(took) = outcome.duration_ms {
        line.push_str(&format!("  {}", format::duration(Duration::from_millis(took))));
    }
    if let Some(code) = outcome.error_code {
        line.push_str(&format!("  {}", format::error_code(code)));
    }
    if let Some(detail) = &outcome.detail {
        // The result column says "needs review" already.
        let detail = detail.strip_prefix("needs review: ").unwrap_or(detail);
        line.push_str(&format!(": {detail}"));
    }
    if let Some(next) = outcome.next_attempt_at {
        line.push_str(&format!("  next attempt {}", next.clock(zone)));
    }
    line
}
