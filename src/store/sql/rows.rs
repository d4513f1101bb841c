//! Rows read by hand: what stands in the tables as the types of the domain.

use crate::domain::content::{Converter, Stored, Validators, WHOLE_FETCH_EVERY};
use crate::domain::document::SyncStatus;
use crate::domain::failure::ErrorCode;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::{DocumentId, JobId};
use crate::domain::job::{Job, JobState, QueueClass, RowBefore};
use crate::domain::link::{host_of, is_pdf};
use crate::domain::request::SkipReason;
use crate::domain::retry::Counters;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::conn::{Row, code, corrupt, get, line, number, small, span, time, word};
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::transaction::Tx;
use crate::store::sql_store::SqlStore;
use std::collections::HashMap;
use std::time::Duration;

/// `status` of a document that may be synced.
pub(in crate::store) const AVAILABLE: i64 = 1;

/// A job with what only the store needs of it.
#[derive(Clone, Debug)]
pub(in crate::store) struct JobRow {
    pub(in crate::store) job: Job,
    pub(in crate::store) account_id: i64,
    pub(in crate::store) assistant_id: i64,
    pub(in crate::store) url: String,
    pub(in crate::store) host: String,
    pub(in crate::store) vtime: i64,
    pub(in crate::store) worker_id: Option<String>,
    pub(in crate::store) worker_name: Option<SafeLine>,
    pub(in crate::store) token: Option<i64>,
    pub(in crate::store) lease_until: Option<Timestamp>,
    pub(in crate::store) started_at: Option<Timestamp>,
    pub(in crate::store) recorded_attempt: Option<u32>,
    pub(in crate::store) requested_at: Timestamp,
    pub(in crate::store) requested_by: Option<SafeLine>,
    /// Who has the lock that it waits for.
    pub(in crate::store) lock_holder: Option<SafeLine>,
    pub(in crate::store) lock_value: Option<SafeLine>,
    /// The whole page is wanted.
    pub(in crate::store) whole: bool,
}

/// A document without its content.
#[derive(Clone, Debug)]
pub(in crate::store) struct Document {
    pub(in crate::store) id: i64,
    pub(in crate::store) name: SafeLine,
    pub(in crate::store) url: String,
    pub(in crate::store) account_id: i64,
    pub(in crate::store) assistant_id: i64,
    pub(in crate::store) available: bool,
    pub(in crate::store) sync_status: Option<SyncStatus>,
    pub(in crate::store) attempted_at: Option<Timestamp>,
    pub(in crate::store) synced_at: Option<Timestamp>,
    pub(in crate::store) fingerprint: Option<String>,
    pub(in crate::store) host: String,
    pub(in crate::store) has_state: bool,
    pub(in crate::store) fence: i64,
    pub(in crate::store) recent: String,
    /// How often its account's plan wants a sync.
    pub(in crate::store) cadence: Option<Duration>,
    pub(in crate::store) validity: Validity,
    /// The text that was not trusted, and whether a person said no to it.
    pub(in crate::store) held: Option<(Fingerprint, bool)>,
}

/// What is known of how the stored text came.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct Validity {
    has_content: bool,
    validators: Option<Validators>,
    /// The fingerprint of the text that the validators came with.
    validated: Option<String>,
    fetched_whole_at: Option<Timestamp>,
    converter: Option<i64>,
    chars: Option<u64>,
}

impl Document {
    /// What a fetched page is compared with.
    pub(in crate::store) fn stored(&self) -> Stored {
        let ours = self.is_ours();
        let rejected = self.held.as_ref().filter(|(_, rejected)| *rejected);
        Stored {
            fingerprint: self.stored_fingerprint(),
            converter: self.validity.converter.filter(|_| ours).map(Converter),
            chars: self.validity.chars.filter(|_| self.validity.has_content),
            rejected: rejected.map(|(fingerprint, _)| fingerprint.clone()),
        }
    }

    /// Why it cannot be synced at all.
    pub(in crate::store) fn syncable(&self) -> std::result::Result<(), SkipReason> {
        if is_pdf(&self.url) {
            Err(SkipReason::Pdf)
        } else if !self.available {
            Err(SkipReason::Unavailable)
        } else {
            Ok(())
        }
    }

    /// The fingerprint to compare with; none when the text that it stands for is gone.
    pub(in crate::store) fn stored_fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint.clone().filter(|_| self.validity.has_content).map(Fingerprint::stored)
    }

    /// Whether the stored text is the one that this program wrote last: what is known of how it came speaks of it.
    fn is_ours(&self) -> bool {
        self.validity.validated.is_some() && self.validity.validated == self.fingerprint
    }

    /// What the server may be asked by instead of for the whole page: only when its answer would speak of the very text
    /// that is stored, and when the page was seen whole not long ago.
    pub(in crate::store) fn validators(&self, now: Timestamp) -> Option<Validators> {
        let Validity { has_content, validators, fetched_whole_at, .. } = &self.validity;
        let is_recent = fetched_whole_at.is_some_and(|at| at.plus(WHOLE_FETCH_EVERY) > now);
        if *has_content && self.is_ours() && is_recent { validators.clone() } else { None }
    }
}

fn job(row: &Row) -> Result<JobRow> {
    let before = if get::<bool>(row, "before_taken")? {
        Some(RowBefore {
            sync_status: get::<Option<i64>>(row, "before_sync_status")?.and_then(SyncStatus::from_code),
            error_code: get(row, "before_error_code")?,
            attempted_at: time(row, "before_attempted_at")?,
        })
    } else {
        None
    };
    Ok(JobRow {
        job: Job {
            id: JobId(get(row, "id")?),
            document_id: DocumentId(get(row, "document_id")?),
            state: word(row, "state", JobState::parse)?.ok_or_else(|| corrupt("state"))?,
            class: code(row, "class", QueueClass::from_code)?.ok_or_else(|| corrupt("class"))?,
            run_at: Timestamp::from_micros(get(row, "run_at")?),
            counters: Counters {
                attempt: number(row, "attempt")?,
                transient: number(row, "transient_fails")?,
                unexpected: number(row, "unexpected_fails")?,
                crashes: number(row, "crashes")?,
            },
            last_failure: word(row, "last_failure", ErrorCode::parse)?,
            before,
            cancel_requested_by: line(row, "cancel_requested_by")?,
        },
        account_id: get(row, "account_id")?,
        assistant_id: get(row, "assistant_id")?,
        url: get(row, "url")?,
        host: get(row, "host")?,
        vtime: get(row, "vtime")?,
        worker_id: get(row, "worker_id")?,
        worker_name: line(row, "worker_name")?,
        token: get(row, "lease_token")?,
        lease_until: time(row, "lease_until")?,
        started_at: time(row, "started_at")?,
        recorded_attempt: small(row, "recorded_attempt")?,
        requested_at: Timestamp::from_micros(get(row, "requested_at")?),
        requested_by: line(row, "requested_by")?,
        lock_holder: line(row, "lock_holder")?,
        lock_value: line(row, "lock_value")?,
        whole: get(row, "whole")?,
    })
}

/// The host under which a URL of any form is queued.
pub(in crate::store) fn host(url: &str) -> String {
    host_of(url).unwrap_or_default()
}

fn document(row: &Row) -> Result<Document> {
    let url: String = get(row, "external_link")?;
    let state_host: Option<String> = get(row, "host")?;
    Ok(Document {
        id: get(row, "id")?,
        name: line(row, "name")?.unwrap_or_default(),
        account_id: get(row, "account_id")?,
        assistant_id: get(row, "assistant_id")?,
        available: get::<i64>(row, "status")? == AVAILABLE,
        sync_status: get::<Option<i64>>(row, "sync_status")?.and_then(SyncStatus::from_code),
        attempted_at: time(row, "last_sync_attempted_at")?,
        synced_at: time(row, "last_synced_at")?,
        fingerprint: get(row, "fingerprint")?,
        has_state: state_host.is_some(),
        host: state_host.unwrap_or_else(|| host(&url)),
        fence: get::<Option<i64>>(row, "fence")?.unwrap_or_default(),
        recent: get::<Option<String>>(row, "recent")?.unwrap_or_default(),
        cadence: span(row, "cadence")?,
        validity: Validity {
            has_content: get(row, "has_content")?,
            validators: Validators::new(get(row, "etag")?, get(row, "last_modified")?),
            validated: get(row, "validated")?,
            fetched_whole_at: time(row, "fetched_whole_at")?,
            converter: get(row, "converter")?,
            chars: small(row, "chars")?,
        },
        held: match get::<Option<String>>(row, "held_fingerprint")? {
            Some(fingerprint) => Some((Fingerprint::stored(fingerprint), time(row, "rejected_at")?.is_some())),
            None => None,
        },
        url,
    })
}

/// Documents by their ids, as [`document`] reads them.
const DOCUMENTS: &str = "SELECT d.id, d.name, d.external_link, d.account_id, d.assistant_id, \
     CAST(d.status AS BIGINT) AS status, CAST(d.sync_status AS BIGINT) AS sync_status, \
     micros(d.last_sync_attempted_at) AS last_sync_attempted_at, micros(d.last_synced_at) AS last_synced_at, \
     s.host, s.fence, s.recent, s.etag, s.last_modified, s.validated, s.fetched_whole_at, \
     d.content IS NOT NULL AS has_content, s.converter, \
     CAST(coalesce(s.content_length, length(d.content)) AS BIGINT) AS chars, \
     h.fingerprint AS held_fingerprint, h.rejected_at, meta.content_fingerprint AS fingerprint, c.cadence \
     FROM captain_documents d LEFT JOIN @document_state s ON s.document_id = d.id \
     LEFT JOIN @held_contents h ON h.document_id = d.id \
     LEFT JOIN @accounts_sched c ON c.account_id = d.account_id \
     WHERE d.id IN (SELECT each(?))";

impl SqlStore {
    /// What a page fetched now would be compared with; `None` when there is no such document.
    pub(in crate::store) async fn read_stored(&self, id: DocumentId) -> Result<Option<Stored>> {
        let row = self.reader().await?.first(query(DOCUMENTS).bind(vec![id.0])).await?;
        row.as_ref().map(|row| document(row).map(|document| document.stored())).transpose()
    }
}

impl Tx<'_> {
    /// A job.
    pub(in crate::store) async fn job(&mut self, id: JobId) -> Result<Option<JobRow>> {
        let row = self.first(query("SELECT * FROM @jobs WHERE id = ?").bind(id.0)).await?;
        row.as_ref().map(job).transpose()
    }

    /// Jobs by a statement that selects whole rows.
    pub(in crate::store) async fn jobs(&mut self, statement: Statement) -> Result<Vec<JobRow>> {
        self.all(statement).await?.iter().map(job).collect()
    }

    /// Jobs by their ids.
    pub(in crate::store) async fn jobs_of(&mut self, ids: &[JobId]) -> Result<HashMap<JobId, JobRow>> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let rows = self.jobs(query("SELECT * FROM @jobs WHERE id IN (SELECT each(?))").bind(ids)).await?;
        Ok(rows.into_iter().map(|row| (row.job.id, row)).collect())
    }

    /// A document's live job.
    pub(in crate::store) async fn live_job(&mut self, document: DocumentId) -> Result<Option<JobRow>> {
        Ok(self.live_jobs(&[document]).await?.remove(&document))
    }

    /// The live jobs of documents.
    pub(in crate::store) async fn live_jobs(
        &mut self,
        documents: &[DocumentId],
    ) -> Result<HashMap<DocumentId, JobRow>> {
        let live = "SELECT * FROM @jobs WHERE document_id IN (SELECT each(?)) \
             AND state IN ('scheduled', 'ready', 'running')";
        let ids: Vec<i64> = documents.iter().map(|id| id.0).collect();
        let rows = self.jobs(query(live).bind(ids)).await?;
        Ok(rows.into_iter().map(|row| (row.job.document_id, row)).collect())
    }

    /// A document.
    pub(in crate::store) async fn document(&mut self, id: DocumentId) -> Result<Option<Document>> {
        Ok(self.documents(&[id]).await?.remove(&id))
    }

    /// Documents.
    pub(in crate::store) async fn documents(&mut self, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Document>> {
        let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
        let rows = self.all(query(DOCUMENTS).bind(ids)).await?;
        rows.iter().map(document).map(|document| document.map(|document| (DocumentId(document.id), document))).collect()
    }
}
