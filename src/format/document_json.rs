//! Documents in JSON, as the command line prints them and the console shows them.

use crate::domain::document::{DocumentKind, DocumentRow, Status, SyncStep};
use crate::domain::failure::ErrorCode;
use crate::domain::faq::{FaqCoverage, FaqJob, FaqState};
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::time::Timestamp;
use serde::Serialize;

/// A document in JSON (assets/docs/json.md). Scripts rely on the order of the fields. Every key is always present, with
/// null for a missing value.
#[derive(Debug, Serialize)]
pub struct DocumentJson<'a> {
    id: DocumentId,
    name: &'a str,
    url: &'a str,
    account_id: AccountId,
    assistant_id: AssistantId,
    available: bool,
    kind: DocumentKind,
    status: Status,
    sync_step: Option<SyncStep>,
    error_code: Option<ErrorCode>,
    detail: Option<&'a str>,
    http_status: Option<u16>,
    attempted_at: Option<Timestamp>,
    synced_at: Option<Timestamp>,
    next_attempt_at: Option<Timestamp>,
    attempt: Option<u32>,
    queue: Option<QueueClass>,
    fingerprint: Option<&'a str>,
    content_length: Option<u64>,
    updated_at: Timestamp,
    document_id: DocumentId,
    changed_at: Option<Timestamp>,
    lastmod: Option<Timestamp>,
    window_opens_at: Option<Timestamp>,
    next_check_at: Option<Timestamp>,
    faqs: Option<FaqsJson<'a>>,
}

/// FAQs of a document in JSON.
#[derive(Debug, Serialize)]
struct FaqsJson<'a> {
    state: FaqState,
    count: u64,
    pending: u64,
    edited: Option<u64>,
    newest_at: Option<Timestamp>,
    text_at: Option<Timestamp>,
    job_waits_since: Option<Timestamp>,
    job_waits_because: Option<&'a str>,
    job_started_at: Option<Timestamp>,
}

impl<'a> From<&'a FaqCoverage> for FaqsJson<'a> {
    fn from(faqs: &'a FaqCoverage) -> Self {
        let (waits_since, because, started_at) = match &faqs.job {
            Some(FaqJob::Waiting { since, reason }) => (Some(*since), reason.as_deref(), None),
            Some(FaqJob::Started { at }) => (None, None, Some(*at)),
            None => (None, None, None),
        };
        Self {
            state: faqs.state,
            count: faqs.faqs,
            pending: faqs.pending,
            edited: faqs.edited,
            newest_at: faqs.newest_at,
            text_at: faqs.text_at,
            job_waits_since: waits_since,
            job_waits_because: because,
            job_started_at: started_at,
        }
    }
}

impl<'a> From<&'a DocumentRow> for DocumentJson<'a> {
    fn from(row: &'a DocumentRow) -> Self {
        Self {
            id: row.id,
            name: &row.name,
            url: &row.url,
            account_id: row.account_id,
            assistant_id: row.assistant_id,
            available: row.available,
            kind: row.kind,
            status: row.status,
            sync_step: row.sync_step,
            error_code: row.error_code,
            detail: row.detail.as_deref(),
            http_status: row.http_status,
            attempted_at: row.attempted_at,
            synced_at: row.synced_at,
            next_attempt_at: row.next_attempt_at,
            attempt: row.attempt,
            queue: row.queue,
            fingerprint: row.fingerprint.as_deref(),
            content_length: row.content_length,
            updated_at: row.updated_at,
            document_id: row.id,
            changed_at: row.changed_at,
            lastmod: row.lastmod,
            window_opens_at: row.window.as_ref().map(|window| window.opens_at),
            next_check_at: row.next_check_at,
            faqs: row.faqs.as_ref().map(FaqsJson::from),
        }
    }
}

/// Returns the lines of a document in JSON.
pub fn document_record(row: &DocumentRow) -> Vec<String> {
    let text = serde_json::to_string_pretty(&DocumentJson::from(row)).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
