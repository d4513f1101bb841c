//! Documents as JSON lines.

use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState};
use crate::domain::document::{DocumentKind, DocumentRow, Status, SyncStep};
use crate::domain::failure::ErrorCode;
use crate::domain::faq::{FaqCoverage, FaqJob, FaqState};
use crate::domain::id::{AccountId, AssistantId, DocumentId};
use crate::domain::job::QueueClass;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::store::{QuarantinedContent, StoredVersion};
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

/// A document in JSON with its content, attempts, earlier versions and quarantined text.
#[derive(Debug, Serialize)]
pub struct DocumentDetailJson<'a> {
    #[serde(flatten)]
    document: DocumentJson<'a>,
    content: Option<&'a str>,
    attempts: &'a [Outcome],
    versions: Vec<VersionJson<'a>>,
    #[serde(rename = "held")]
    quarantined: Option<QuarantinedJson<'a>>,
    /// `None` if they were not read.
    chatwoot_jobs: Option<Vec<ChatwootJobJson<'a>>>,
}

/// A job of Chatwoot's own for the document.
#[derive(Debug, Serialize)]
struct ChatwootJobJson<'a> {
    kind: ChatwootJobKind,
    state: ChatwootJobState,
    at: Option<Timestamp>,
    attempts: u32,
    queue: &'a str,
    process: Option<&'a str>,
    error: Option<&'a str>,
    will_write: bool,
}

impl<'a> From<&'a ChatwootJob> for ChatwootJobJson<'a> {
    fn from(job: &'a ChatwootJob) -> Self {
        Self {
            kind: job.kind,
            state: job.state,
            at: job.at,
            attempts: job.attempts,
            queue: &job.queue,
            process: job.process.as_deref(),
            error: job.error.as_deref(),
            will_write: job.will_write(),
        }
    }
}

#[derive(Debug, Serialize)]
struct QuarantinedJson<'a> {
    reason: &'a str,
    #[serde(rename = "held_at")]
    quarantined_at: Timestamp,
    fingerprint: &'a str,
    title: Option<&'a str>,
    content: &'a str,
}

#[derive(Debug, Serialize)]
struct VersionJson<'a> {
    version: u64,
    replaced_at: Timestamp,
    fingerprint: Option<&'a str>,
    content_length: u64,
}

impl<'a> DocumentDetailJson<'a> {
    /// Combines the parts. `attempts` are the document's outcomes, oldest first; `versions` are its earlier contents,
    /// newest first.
    pub fn new(
        row: &'a DocumentRow,
        content: Option<&'a str>,
        attempts: &'a [Outcome],
        versions: &'a [StoredVersion],
        quarantined: Option<&'a QuarantinedContent>,
    ) -> Self {
        let quarantined = quarantined.map(|quarantined| QuarantinedJson {
            reason: &quarantined.reason,
            quarantined_at: quarantined.quarantined_at,
            fingerprint: &quarantined.fingerprint,
            title: quarantined.title.as_deref(),
            content: &quarantined.text,
        });
        let version = |version: &'a StoredVersion| VersionJson {
            version: version.version,
            replaced_at: version.replaced_at,
            fingerprint: version.fingerprint.as_deref(),
            content_length: version.content_length,
        };
        let versions = versions.iter().map(version).collect();
        Self { document: row.into(), content, attempts, versions, quarantined, chatwoot_jobs: None }
    }

    /// Adds Chatwoot's own jobs for the document, if they were read.
    #[must_use]
    pub fn with_chatwoot_jobs(mut self, jobs: Option<&'a [ChatwootJob]>) -> Self {
        self.chatwoot_jobs = jobs.map(|jobs| jobs.iter().map(Into::into).collect());
        self
    }
}
