//! The cause of a failure, by which failed documents are grouped: the error code, the HTTP status and the description
//! without its numbers. A failure of the host itself also has the host, since it is cured there.

use super::failure::ErrorCode;
use std::fmt;

/// Number of bits of a computed cause. Lower numbers without the highest of these bits are those of failures from
/// before causes were recorded, which only have a code and a status.
const BITS: u32 = 48;

/// Identity of a cause: a hash of what the failures of one cause have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FailureCause(pub i64);

impl FailureCause {
    /// Returns the cause of a failure of a document on `host`.
    pub fn of(code: ErrorCode, http_status: Option<u16>, detail: Option<&str>, host: &str) -> Self {
        let mut hash = Fnv::new();
        hash.add(code.word());
        hash.add(&http_status.map_or_else(String::new, |status| status.to_string()));
        hash.add(if is_of_host(code, http_status) { host } else { "" });
        hash.add(&without_numbers(detail.unwrap_or_default()));
        let bits = hash.0 & ((1 << BITS) - 1) | 1 << (BITS - 1);
        Self(i64::try_from(bits).unwrap_or_default())
    }

    /// Reads a cause as [`Display`](fmt::Display) prints it.
    pub fn parse(text: &str) -> Option<Self> {
        let cause = i64::from_str_radix(text, 16).ok()?;
        (cause > 0 && cause < 1 << BITS && !text.starts_with('+')).then_some(Self(cause))
    }
}

impl fmt::Display for FailureCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0)
    }
}

/// Returns true for a failure of the host itself or of the way to it, not of the single page.
pub fn is_of_host(code: ErrorCode, http_status: Option<u16>) -> bool {
    match (code, http_status) {
        (_, Some(408 | 429 | 500..)) | (ErrorCode::Timeout, _) | (ErrorCode::FetchFailed, None) => true,
        (
            ErrorCode::NotFound
            | ErrorCode::AccessDenied
            | ErrorCode::ContentEmpty
            | ErrorCode::FetchFailed
            | ErrorCode::SyncError,
            _,
        ) => false,
    }
}

/// Replaces each number of a description by `#`: durations, sizes, ports and ids differ from failure to failure.
pub fn without_numbers(detail: &str) -> String {
    let mut text = String::with_capacity(detail.len());
    for c in detail.chars() {
        match c {
            '0'..='9' if text.ends_with('#') => {}
            '0'..='9' => text.push('#'),
            _ => text.push(c),
        }
    }
    text
}

/// The hash FNV-1a: the same in every version of the program, which a hash of the standard library need not be.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Adds a text and its end.
    fn add(&mut self, text: &str) {
        for byte in text.bytes().chain([0]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(code: ErrorCode, status: Option<u16>, detail: &str, host: &str) -> FailureCause {
        FailureCause::of(code, status, Some(detail), host)
    }

    #[test]
    fn failures_that_differ_only_in_numbers_have_one_cause() {
        let timeout = |detail| cause(ErrorCode::Timeout, None, detail, "a.test");
        assert_eq!(timeout("no answer in 20 s (2 of 4)"), timeout("no answer in 5 s (14 of 4)"));
        assert_ne!(timeout("no answer in 20 s"), timeout("no headers in 20 s"));
    }

    #[test]
    fn the_host_counts_where_the_host_failed() {
        let on = |code, status, host| cause(code, status, "x", host);
        for (code, status, differs) in [
            (ErrorCode::FetchFailed, Some(503), true),
            (ErrorCode::FetchFailed, Some(429), true),
            (ErrorCode::FetchFailed, None, true),
            (ErrorCode::Timeout, None, true),
            (ErrorCode::NotFound, Some(404), false),
            (ErrorCode::AccessDenied, Some(403), false),
            (ErrorCode::ContentEmpty, Some(200), false),
            (ErrorCode::SyncError, None, false),
        ] {
            assert_eq!(on(code, status, "a.test") != on(code, status, "b.test"), differs, "{code} {status:?}");
        }
        assert_ne!(on(ErrorCode::FetchFailed, Some(502), "a.test"), on(ErrorCode::FetchFailed, Some(503), "a.test"));
    }

    #[test]
    fn a_printed_cause_is_read_back_and_nothing_else_is() {
        let cause = cause(ErrorCode::NotFound, Some(404), "404 Not Found", "a.test");
        assert_eq!(FailureCause::parse(&cause.to_string()), Some(cause));
        assert_eq!(cause.to_string().len(), 12);
        for text in ["", "0", "-1", "+1", "x", "1000000000000", "ffffffffffffffffff"] {
            assert_eq!(FailureCause::parse(text), None, "{text}");
        }
    }
}
