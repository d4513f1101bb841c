//! Failures of attempts: the code that is stored, and the class, which decides whether the attempt is retried.

use super::text::SafeLine;
use super::word_enum::{serde_by_word, word_enum};
use std::fmt;
use std::time::Duration;

word_enum! {
    /// Error code in the document's row and in the outcome.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum ErrorCode {
        /// HTTP status 404 or 410.
        NotFound = "not_found",
        /// HTTP status 401 or 403.
        AccessDenied = "access_denied",
        /// The page has no text.
        ContentEmpty = "content_empty",
        /// No complete response in time, or HTTP status 408 or 504.
        Timeout = "timeout",
        /// Any other failure to fetch the page.
        FetchFailed = "fetch_failed",
        /// An unexpected error of this program, or the last worker that may be lost while it runs the job.
        SyncError = "sync_error",
    }
}
serde_by_word!(ErrorCode);

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Class of a failure, which decides whether and when the attempt is retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureClass {
    /// Failure that is not retried: another attempt would fail in the same way.
    Permanent,
    /// Failure that may pass; retried with growing waits.
    Transient,
    /// An error of this program; retried soon, and reported once when the retries are used up.
    Unexpected,
}

/// Party that caused a failure. Only failures that the page's host caused can open the host's circuit breaker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Blame {
    /// The page's host, or the network on the way to it.
    #[default]
    Host,
    /// A service that fetches pages for this program (Firecrawl): its failure says nothing about the host.
    Service,
    /// The machine that runs this program: it lets the process open no more files. This is no failure of the document, and
    /// counts no attempt.
    Machine,
}

/// Cause of a failed attempt, as the fetch or the runner reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub class: FailureClass,
    pub code: ErrorCode,
    /// Description of the failure: one line in plain language, without the document's name or URL.
    pub detail: SafeLine,
    /// HTTP status of the response; `None` without a response.
    pub http_status: Option<u16>,
    /// Name of the error's type, or `panic`; for unexpected failures only.
    pub exception_class: Option<String>,
    /// Wait that the server requested, at most [`RETRY_AFTER_CAP`](super::retry::RETRY_AFTER_CAP).
    pub retry_after: Option<Duration>,
    pub blame: Blame,
}

impl Failure {
    /// Creates a permanent failure.
    pub fn permanent(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self::of(FailureClass::Permanent, code, detail)
    }

    /// Creates a transient failure.
    pub fn transient(code: ErrorCode, detail: impl AsRef<str>) -> Self {
        Self::of(FailureClass::Transient, code, detail)
    }

    /// Creates an unexpected failure: `sync_error` with the name of the error's type.
    pub fn unexpected(exception_class: impl Into<String>, detail: impl AsRef<str>) -> Self {
        let mut failure = Self::of(FailureClass::Unexpected, ErrorCode::SyncError, detail);
        failure.exception_class = Some(exception_class.into());
        failure
    }

    /// Creates the failure for an HTTP status outside 200..=299. The HTTP client follows redirects itself; a redirect
    /// status that is passed here could not be followed, and the failure is permanent.
    pub fn from_status(status: u16, reason: &str) -> Self {
        let (class, code) = classify_status(status);
        let mut failure = Self::of(class, code, format!("{status} {reason}").trim_end());
        failure.http_status = Some(status);
        failure
    }

    /// Adds the wait that the server requested, cut to [`RETRY_AFTER_CAP`](super::retry::RETRY_AFTER_CAP).
    pub fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait.map(|wait| wait.min(super::retry::RETRY_AFTER_CAP));
        self
    }

    /// Adds the HTTP status of a page that was refused for another reason (type, size, emptiness).
    pub fn with_status(mut self, status: u16) -> Self {
        self.http_status = Some(status);
        self
    }

    /// Assigns the failure to the service that fetches pages, instead of to the page's host.
    pub fn of_service(mut self) -> Self {
        self.blame = Blame::Service;
        self
    }

    /// Creates the failure of a fetch for which this process could not open one more file or connection.
    pub fn out_of_files() -> Self {
        let detail = "this process may open no more files";
        Self { blame: Blame::Machine, ..Self::transient(ErrorCode::FetchFailed, detail) }
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

/// Returns class and code of an HTTP status that is not a success. Conditions that may pass (time-outs, "too early",
/// rate limits, 5xx) are transient, all others permanent.
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
