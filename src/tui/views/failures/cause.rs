//! A cause of failures in words, without anything that the screen adds.

use crate::format;
use crate::store::FailureSummary;

/// Returns the failure in plain words.
pub fn failure(summary: &FailureSummary) -> String {
    format::failure(summary.code, summary.http_status, summary.detail.as_deref())
}

/// Returns the failure in plain words, with the host if there is only one.
pub fn cause_title(summary: &FailureSummary) -> String {
    match &summary.only_host {
        Some(host) if summary.is_of_host => format!("{} on {host}", failure(summary)),
        _ => failure(summary),
    }
}
