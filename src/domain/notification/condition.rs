//! Conditions: states of the store that begin and end with time, of which a sink is notified once each.

use crate::domain::filter::{parse_span, print_span};
use crate::domain::suggest::nearest;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::domain::word_enum::word_enum;
use std::fmt;
use std::time::Duration;

/// Word before the colon of a condition.
const FIELD: &str = "when:";
/// Age from which a ready job is reported, if none is given.
const DEFAULT_WAIT: Duration = Duration::from_secs(3_600);

word_enum! {
    /// Word of a condition.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Word {
        Cooling = "cooling",
        Review = "review",
        Waiting = "waiting",
        SourceFailed = "source-failed",
    }
}

/// State that a sink may be notified of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Condition {
    /// `when:cooling`: nothing is fetched from a host after failures in a row.
    Cooling,
    /// `when:review`, `when:review>1d`: a text has needed review for longer than this.
    Review(Duration),
    /// `when:waiting`, `when:waiting>1h`: a job has been ready for longer than this.
    Waiting(Duration),
    /// `when:source-failed`, `when:source-failed>1d`: a source could not be read, or was not believed, and no read was
    /// complete for longer than this since.
    SourceFailed(Duration),
}

impl Condition {
    /// Returns true if the text is written like a condition, valid or not.
    pub(super) fn is_written(text: &str) -> bool {
        text.trim().to_ascii_lowercase().starts_with(FIELD)
    }

    /// Reads `when:` with one or several conditions, separated by commas.
    pub(super) fn parse(text: &str) -> Result<Vec<Self>, String> {
        let list = text.trim().get(FIELD.len()..).unwrap_or_default();
        list.split(',').map(Self::parse_one).collect()
    }

    fn parse_one(text: &str) -> Result<Self, String> {
        let (word, span) = match text.split_once('>') {
            Some((word, span)) => (word, Some(span)),
            None => (text, None),
        };
        let known = Word::ALL.map(Word::word);
        let Some(word) = Word::parse(&word.to_ascii_lowercase()) else {
            let hint = match nearest(word, known) {
                Some(suggestion) => format!("did you mean {suggestion}?"),
                None => format!("known: {}", known.join(", ")),
            };
            return Err(format!("unknown condition \"{}\" ({hint})", SafeLine::new(text)));
        };
        let wrong = |span: &str| format!("\"{}\" is not a span of time such as 90m, 2d or 1w", SafeLine::new(span));
        let span = span.map(|span| parse_span(span).ok_or_else(|| wrong(span))).transpose()?;
        match (word, span) {
            (Word::Cooling, Some(_)) => Err("when:cooling takes no span of time".to_owned()),
            (Word::Cooling, None) => Ok(Self::Cooling),
            (Word::Review, span) => Ok(Self::Review(span.unwrap_or_default())),
            (Word::SourceFailed, span) => Ok(Self::SourceFailed(span.unwrap_or_default())),
            (Word::Waiting, span) => Ok(Self::Waiting(span.unwrap_or(DEFAULT_WAIT))),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cooling => write!(f, "{FIELD}{}", Word::Cooling.word()),
            Self::SourceFailed(Duration::ZERO) => write!(f, "{FIELD}{}", Word::SourceFailed.word()),
            Self::SourceFailed(span) => write!(f, "{FIELD}{}>{}", Word::SourceFailed.word(), print_span(*span)),
            Self::Review(Duration::ZERO) => write!(f, "{FIELD}{}", Word::Review.word()),
            Self::Review(span) => write!(f, "{FIELD}{}>{}", Word::Review.word(), print_span(*span)),
            Self::Waiting(span) => write!(f, "{FIELD}{}>{}", Word::Waiting.word(), print_span(*span)),
        }
    }
}

/// Condition that holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ActiveCondition {
    pub condition: Condition,
    /// Host or name of the source of which it is true; empty if it is about the whole store.
    pub subject: String,
    /// Reason in plain language.
    pub detail: SafeLine,
    /// Time from which on it has been true, UTC.
    pub since: Timestamp,
}

word_enum! {
    /// Change of a condition that a sink is notified of.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum ConditionPhase {
        Began = "began",
        Ended = "ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_written() {
        let hours = |hours: u64| Duration::from_secs(hours * 3_600);
        for (text, expected, canonical) in [
            ("when:cooling", Condition::Cooling, "when:cooling"),
            ("WHEN:Review", Condition::Review(Duration::ZERO), "when:review"),
            ("when:review>1d", Condition::Review(hours(24)), "when:review>1d"),
            ("when:source-failed", Condition::SourceFailed(Duration::ZERO), "when:source-failed"),
            ("when:source-failed>24h", Condition::SourceFailed(hours(24)), "when:source-failed>1d"),
            ("when:waiting", Condition::Waiting(hours(1)), "when:waiting>1h"),
            (" when:waiting>120m ", Condition::Waiting(hours(2)), "when:waiting>2h"),
        ] {
            assert!(Condition::is_written(text), "{text}");
            assert_eq!(Condition::parse(text), Ok(vec![expected]), "{text}");
            assert_eq!(expected.to_string(), canonical);
        }
        assert_eq!(Condition::parse("when:cooling,review").map(|all| all.len()), Ok(2));
        for text in ["when:", "when:cold", "when:cooling>1h", "when:review>x", "when:waiting>"] {
            assert!(Condition::parse(text).is_err(), "{text}");
        }
        assert!(!Condition::is_written("result:failed"));
    }
}
