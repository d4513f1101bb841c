//! Results of attempts and requests in plain English.

use crate::domain::content::ContentChange;
use crate::domain::outcome::OutcomeResult;

/// Returns the result of an attempt or a request in a word or two: `updated`, `first content`, `retrying`.
pub const fn outcome(content: Option<ContentChange>, result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Updated => "updated",
        OutcomeResult::Unchanged => match content {
            Some(ContentChange::First) => "first content",
            Some(ContentChange::Quarantined) => "needs review",
            Some(ContentChange::NotModified) => "not modified",
            _ => "unchanged",
        },
        OutcomeResult::AlreadySyncing => "already syncing",
        OutcomeResult::PermanentFailure => "failed",
        OutcomeResult::TransientFailure | OutcomeResult::UnexpectedFailure => "retrying",
        OutcomeResult::TransientRetryExhausted
        | OutcomeResult::UnexpectedRetryExhausted
        | OutcomeResult::CrashExhausted => "gave up",
        OutcomeResult::WorkerLost => "worker lost",
        OutcomeResult::Cancelled => "cancelled",
        OutcomeResult::Purged => "purged",
        OutcomeResult::Removed => "removed",
        OutcomeResult::Restored => "restored",
    }
}

/// Returns the result as the lines of the log show it: the stored word. For first or quarantined content, which is
/// stored as `unchanged`, returns the words of [`outcome`].
pub const fn logged_outcome(content: Option<ContentChange>, result: OutcomeResult) -> &'static str {
    match (result, content) {
        (OutcomeResult::Unchanged, Some(ContentChange::First | ContentChange::Quarantined)) => outcome(content, result),
        _ => result.word(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_keeps_the_stored_word_unless_it_would_mislead() {
        let unchanged = |content| logged_outcome(Some(content), OutcomeResult::Unchanged);
        assert_eq!(unchanged(ContentChange::First), "first content");
        assert_eq!(unchanged(ContentChange::Quarantined), "needs review");
        assert_eq!(unchanged(ContentChange::NotModified), "unchanged");
        assert_eq!(outcome(Some(ContentChange::NotModified), OutcomeResult::Unchanged), "not modified");
        assert_eq!(logged_outcome(None, OutcomeResult::CrashExhausted), "crash_exhausted");
        assert_eq!(outcome(None, OutcomeResult::CrashExhausted), "gave up");
    }
}
