//! The failure of an attempt: its code, and its class, which decides whether it is tried again.

use super::text::SafeLine;
use super::word_enum::{serde_by_word, word_enum};
use std::fmt;
use std::time::Duration;

word_enum! {
    /// The code in the row and in the outcome.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum ErrorCode {
        /// 404, 410.
        NotFound = "not_found",
        /// 401, 403.
        AccessDenied = "access_denied",
        /// The page has no text.
        ContentEmpty = "content_empty",
        /// No answer in time; 408, 504.
        Timeout = "timeout",
        /// Anything else between us and the page.
        FetchFailed = "fetch_failed",
        /// An unexpected error of the program, or a worker lost three times.
        SyncError = "sync_error",
    }
}
serde_by_word!(ErrorCode);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Consequence of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// The page is so; not tried again.
    Permanent,
    /// May pass; tried again after growing waits.
    Transient,
    /// An error of ours; tried again soon, and reported once when it stays.
    Unexpected,
}

/// Whose doing a failure is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The page's host, or the way to it.
    #[default]
    Host,
    /// A service that was to fetch the page: nothing was learnt of the host.
    Service,
}

/// A failed attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Consequence for the job.
    pub class: FailureClass,
    /// The code that is stored.
    pub code: ErrorCode,
    /// A line of plain language, without the document's name or URL.
    pub detail: SafeLine,
    /// The status that the page answered with, when it answered.
    pub http_status: Option<u16>,
    /// For unexpected ones: the error type's name, or `panic`.
    pub exception_class: Option<String>,
    /// Wait that the server asked for, already cut to [`RETRY_AFTER_CAP`](super::retry::RETRY_AFTER_CAP).
    pub retry_after: Option<Duration>,
    /// Whose doing it is.
    pub blame: Blame,
}

impl Failure {
    /// A permanent failure.
    pub fn permanent(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self::of(FailureClass::Permanent, code, detail)
    }

    /// A transient failure.
    pub fn transient(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self::of(FailureClass::Transient, code, detail)
    }

    /// An unexpected failure: `sync_error` with the name of what went wrong.
    pub fn unexpected(exception_class: impl Into<String>, detail: impl AsRef<str>) -> Self {
        let mut failure = Self::of(FailureClass::Unexpected, ErrorCode::SyncError, detail);
        failure.exception_class = Some(exception_class.into());
        failure
    }

    /// The failure that an HTTP status outside 200..=299 is. Redirects are followed before this is asked; one that
    /// arrives here had nowhere to go and is permanent.
    pub fn from_status(status: u16, reason: &str) -> Self {
        let (class, code) = classify_status(status);
        let mut failure = Self::of(class, code, format!("{status} {reason}").trim_end());
        failure.http_status = Some(status);
        failure
    }

    /// The same with the wait that the server asked for.
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait.map(|wait| wait.min(super::retry::RETRY_AFTER_CAP));
        self
    }

    /// The same with the status of the page that was refused for another reason (type, size, emptiness).
    pub fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// The same, done by the service that was to fetch the page.
    pub fn of_service(mut self) -> Self {
        self.blame = Blame::Service;
        self
    }

    fn of(class: FailureClass, code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self {
            class,
            code,
            detail: SafeLine::new(detail.as_ref()),
            http_status: None,
            exception_class: None,
            retry_after: None,
            blame: Blame::Host,
        }
    }
}

/// The class and code of an HTTP status that is not a success. What may pass (time-outs, "too early", rate limits, 5xx)
/// is transient, everything else permanent.
pub const fn classify_status(status: u16) -> (FailureClass, ErrorCode) {
    match status {
        404 | 410 => (FailureClass::Permanent, ErrorCode::NotFound),
        401 | 403 => (FailureClass::Permanent, ErrorCode::AccessDenied),
        408 | 504 => (FailureClass::Transient, ErrorCode::Timeout),
        425 | 429 | 500..=599 => (FailureClass::Transient, ErrorCode::FetchFailed),
        _ => (FailureClass::Permanent, ErrorCode::FetchFailed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use FailureClass::{Permanent, Transient};

    #[test]
    fn the_table_of_statuses() {
        let cases = [
            (404, Permanent, ErrorCode::NotFound),
            (410, Permanent, ErrorCode::NotFound),
            (401, Permanent, ErrorCode::AccessDenied),
            (403, Permanent, ErrorCode::AccessDenied),
            (400, Permanent, ErrorCode::FetchFailed),
            (402, Permanent, ErrorCode::FetchFailed),
            (451, Permanent, ErrorCode::FetchFailed),
            (304, Permanent, ErrorCode::FetchFailed),
            (408, Transient, ErrorCode::Timeout),
            (504, Transient, ErrorCode::Timeout),
            (425, Transient, ErrorCode::FetchFailed),
            (429, Transient, ErrorCode::FetchFailed),
            (500, Transient, ErrorCode::FetchFailed),
            (503, Transient, ErrorCode::FetchFailed),
            (599, Transient, ErrorCode::FetchFailed),
        ];
        for (status, class, code) in cases {
            assert_eq!(classify_status(status), (class, code), "{status}");
        }
    }

    #[test]
    fn words_are_read_back() {
        for code in ErrorCode::ALL {
            assert_eq!(ErrorCode::parse(code.word()), Some(code));
        }
    }
}
