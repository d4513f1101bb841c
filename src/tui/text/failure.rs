//! Failures in plain words.

use crate::domain::failure::ErrorCode;

/// A failure in plain words. An answer's own words carry its number already.
pub fn cause(code: ErrorCode, http_status: Option<u16>, detail: Option<&str>) -> String {
    let plain = code.plain();
    match (detail, http_status) {
        (Some(detail), Some(status)) if detail.starts_with(&status.to_string()) => detail.to_owned(),
        (Some(detail), _) if detail.to_lowercase().starts_with(plain) => detail.to_owned(),
        (Some(detail), _) => format!("{plain}: {detail}"),
        (None, Some(status)) => format!("{status} {plain}"),
        (None, None) => plain.to_owned(),
    }
}
