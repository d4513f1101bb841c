//! Documents as JSON lines, with what belongs to them.

use crate::domain::chatwoot_job::{ChatwootJob, ChatwootJobKind, ChatwootJobState};
use crate::domain::document::DocumentRow;
use crate::domain::outcome::Outcome;
use crate::domain::time::Timestamp;
use crate::format::DocumentJson;
use crate::store::{QuarantinedContent, StoredVersion};
use serde::Serialize;

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
