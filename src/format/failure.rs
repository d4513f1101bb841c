//! Failures and their codes in plain English.

use crate::domain::failure::ErrorCode;

/// Returns an error code in plain English: `not found`.
pub const fn error_code(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotFound => "not found",
        ErrorCode::AccessDenied => "access denied",
        ErrorCode::ContentEmpty => "content empty",
        ErrorCode::Timeout => "timeout",
        ErrorCode::FetchFailed => "fetch failed",
        ErrorCode::SyncError => "sync error",
    }
}

/// Returns a failure with its cause: `404 not found`, `timeout: no answer in 20 s`. If the detail already begins with
/// the HTTP status or with the words for the code, only the detail is returned.
pub fn failure(code: ErrorCode, http_status: Option<u16>, detail: Option<&str>) -> String {
    let plain = error_code(code);
    match (detail, http_status) {
        (Some(detail), Some(status)) if detail.starts_with(&status.to_string()) => detail.to_owned(),
        (Some(detail), _) if detail.to_lowercase().starts_with(plain) => detail.to_owned(),
        (Some(detail), _) => format!("{plain}: {detail}"),
        (None, Some(status)) => format!("{status} {plain}"),
        (None, None) => plain.to_owned(),
    }
}

/// Returns the shortest form of a failure, such as `404 not found`, `503` or `timeout`.
pub fn short_failure(code: ErrorCode, http_status: Option<u16>) -> String {
    match (http_status, code) {
        (Some(status), ErrorCode::NotFound | ErrorCode::AccessDenied) => format!("{status} {}", error_code(code)),
        (Some(status), ErrorCode::FetchFailed | ErrorCode::Timeout) if !(200..300).contains(&status) => {
            status.to_string()
        }
        _ => error_code(code).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detail_that_names_the_failure_stands_alone() {
        let not_found = |status, detail| failure(ErrorCode::NotFound, status, detail);
        assert_eq!(not_found(None, None), "not found");
        assert_eq!(not_found(Some(410), None), "410 not found");
        assert_eq!(not_found(Some(410), Some("410 Gone")), "410 Gone");
        assert_eq!(not_found(Some(410), Some("Not found here")), "Not found here");
        assert_eq!(not_found(Some(410), Some("no such page")), "not found: no such page");
    }
}
