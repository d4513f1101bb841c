//! Log lines in the format of Chatwoot's own jobs, for tools that already read the Rails log.

use crate::domain::failure::ErrorCode;
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::outcome::{Outcome, OutcomeKind, OutcomeResult};
use crate::domain::schedule::Pass;
use serde::Serialize;

/// Fields of a log line of Chatwoot's job `Captain::Documents::PerformSyncJob`, in that job's order; absent fields are
/// omitted.
#[derive(Serialize)]
struct OutcomeLine<'a> {
    document_id: DocumentId,
    account_id: AccountId,
    assistant_id: AssistantId,
    result: OutcomeResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_code: Option<ErrorCode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception_class: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    duration_ms: Option<u64>,
}

/// Returns the log line of an outcome; `None` for a result that Chatwoot's job does not have.
pub fn outcome_line(outcome: &Outcome) -> Option<String> {
    if !is_logged(outcome.result) {
        return None;
    }
    let line = OutcomeLine {
        document_id: outcome.document_id,
        account_id: outcome.account_id,
        assistant_id: outcome.assistant_id,
        result: outcome.result,
        error_code: outcome.error_code,
        exception_class: outcome.exception_class.as_deref(),
        duration_ms: outcome.duration_ms,
    };
    Some(format!("[Captain::Documents::PerformSyncJob] {}", serde_json::to_string(&line).unwrap_or_default()))
}

const fn is_logged(result: OutcomeResult) -> bool {
    match result.kind() {
        OutcomeKind::Success | OutcomeKind::Refused | OutcomeKind::Failure => true,
        // Chatwoot has no leases and therefore no lost workers.
        OutcomeKind::Exhaustion => !matches!(result, OutcomeResult::CrashExhausted),
        OutcomeKind::Lost | OutcomeKind::Cancelled | OutcomeKind::Purged | OutcomeKind::Act => false,
    }
}

/// Returns the summary line of a schedule pass: the fields that `Captain::Documents::ScheduleSyncsJob` logs, then those
/// that only this program has.
pub fn pass_line(pass: &Pass) -> String {
    let summary = serde_json::to_string(&pass.summary()).unwrap_or_default();
    format!("[Captain::Documents::ScheduleSyncsJob] {summary}")
}
