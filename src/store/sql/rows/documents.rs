//! Conversion of rows of `captain_documents`, joined with our own state of each document. Transactions read these rows
//! here before they change them.

use crate::domain::body_digest::BodyDigest;
use crate::domain::content::{ConverterVersion, FULL_FETCH_INTERVAL, PriorResponse, StoredBaseline, Validators};
use crate::domain::document::SyncStatus;
use crate::domain::fingerprint::Fingerprint;
use crate::domain::id::DocumentId;
use crate::domain::link::{host_of, is_pdf};
use crate::domain::request::SkipReason;
use crate::domain::template::TemplateVersion;
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::store::Result;
use crate::store::sql::columns::{line, optional_number, span, time};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::{Sql, query};
use crate::store::sql::transaction::Tx;
use std::collections::HashMap;
use std::time::Duration;

/// Value of the column `status` for a document that may be synced.
pub(in crate::store) const AVAILABLE: i64 = 1;

/// A document with our own state of it, its account's cadence and facts about its texts, but without the texts.
#[derive(Clone, Debug)]
pub(in crate::store) struct Document {
    pub(in crate::store) id: i64,
    pub(in crate::store) name: SafeLine,
    pub(in crate::store) url: String,
    pub(in crate::store) account_id: i64,
    pub(in crate::store) assistant_id: i64,
    pub(in crate::store) available: bool,
    /// True for a PDF by its link or by an attached file.
    pub(in crate::store) is_pdf: bool,
    pub(in crate::store) sync_status: Option<SyncStatus>,
    pub(in crate::store) attempted_at: Option<Timestamp>,
    pub(in crate::store) synced_at: Option<Timestamp>,
    pub(in crate::store) fingerprint: Option<String>,
    pub(in crate::store) host: String,
    /// True if the stored text is an earlier one that a person has restored.
    pub(in crate::store) is_restored: bool,
    /// True with a row of `document_state` that has the length of a stored text. A pass adds one without.
    pub(in crate::store) has_state: bool,
    pub(in crate::store) fence: i64,
    pub(in crate::store) recent: String,
    /// Time between two syncs under the plan of the document's account; `None` without automatic syncs.
    pub(in crate::store) cadence: Option<Duration>,
    pub(in crate::store) provenance: ContentProvenance,
    /// Current version of the host's template; `None` without one.
    pub(in crate::store) host_template: Option<TemplateVersion>,
    /// Fingerprint of the quarantined text, and true if a person has rejected it.
    pub(in crate::store) quarantined: Option<(Fingerprint, bool)>,
}

/// Facts about the stored text: its length, the fetch that brought it, and the version of the converter.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct ContentProvenance {
    has_content: bool,
    validators: Option<Validators>,
    /// Digest of the body that the stored text came from.
    body_digest: Option<BodyDigest>,
    /// Fingerprint of the text that the validators and the body digest belong to.
    validated_fingerprint: Option<String>,
    fetched_whole_at: Option<Timestamp>,
    converter: Option<i64>,
    /// Version of the host's template with which the text was made.
    template: Option<i64>,
    chars: Option<u64>,
    /// Digest of the main content of the page whose text is stored.
    main_digest: Option<String>,
}

impl Document {
    /// Returns the stored values that a fetched page is compared with.
    pub(in crate::store) fn stored(&self) -> StoredBaseline {
        let ours = self.is_own_text();
        let rejected = self.quarantined.as_ref().filter(|(_, rejected)| *rejected);
        StoredBaseline {
            fingerprint: self.stored_fingerprint(),
            converter: self.provenance.converter.filter(|_| ours).map(ConverterVersion),
            template: self.provenance.template.filter(|_| ours).map(TemplateVersion),
            chars: self.provenance.chars.filter(|_| self.provenance.has_content),
            rejected: rejected.map(|(fingerprint, _)| fingerprint.clone()),
            main_digest: self.provenance.main_digest.clone().map(Fingerprint::stored),
            main_converter: self.provenance.converter.map(ConverterVersion),
        }
    }

    /// Returns true if a text is stored.
    pub(in crate::store) fn has_content(&self) -> bool {
        self.provenance.has_content
    }

    /// Fails with the reason if the document cannot be synced: it is a PDF or not available.
    pub(in crate::store) fn syncable(&self) -> std::result::Result<(), SkipReason> {
        if self.is_pdf {
            Err(SkipReason::Pdf)
        } else if !self.available {
            Err(SkipReason::Unavailable)
        } else {
            Ok(())
        }
    }

    /// Returns the fingerprint of the stored text; `None` if no text or no fingerprint is stored.
    pub(in crate::store) fn stored_fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint.clone().filter(|_| self.provenance.has_content).map(Fingerprint::stored)
    }

    /// Returns true if the stored text is the one that this program fetched last. Only then do validators, body digest
    /// and converter apply to the stored text.
    fn is_own_text(&self) -> bool {
        self.provenance.validated_fingerprint.is_some() && self.provenance.validated_fingerprint == self.fingerprint
    }

    /// Returns the time at which the stored text was last fetched as a whole page.
    pub(in crate::store) fn fetched_whole_at(&self) -> Option<Timestamp> {
        self.provenance.fetched_whole_at.filter(|_| self.is_own_text())
    }

    /// Returns what is known of the response that brought the stored text; nothing unless it brought exactly that
    /// text. The validators are left out if the whole page was not fetched within [`FULL_FETCH_INTERVAL`].
    pub(in crate::store) fn prior_response(&self, now: Timestamp) -> PriorResponse {
        let ContentProvenance { has_content, validators, body_digest, fetched_whole_at, .. } = &self.provenance;
        if !*has_content || !self.is_own_text() {
            return PriorResponse::default();
        }
        let is_recent = fetched_whole_at.is_some_and(|at| at.plus(FULL_FETCH_INTERVAL) > now);
        PriorResponse { validators: validators.clone().filter(|_| is_recent), body_digest: body_digest.clone() }
    }
}

/// Returns the host under which a URL is queued; empty if the URL has no host.
pub(in crate::store) fn host(url: &str) -> String {
    host_of(url).unwrap_or_default()
}

/// Returns the document of a row with the columns [`COLUMNS`].
pub(super) fn document(row: &Row) -> Result<Document> {
    let url: String = get(row, "external_link")?;
    let state_host: Option<String> = get(row, "doc_host")?;
    Ok(Document {
        id: get(row, "doc_id")?,
        name: line(row, "name")?.unwrap_or_default(),
        account_id: get(row, "doc_account_id")?,
        assistant_id: get(row, "doc_assistant_id")?,
        available: get::<i64>(row, "status")? == AVAILABLE,
        is_pdf: is_pdf(&url) || get(row, "attached")?,
        sync_status: get::<Option<i64>>(row, "sync_status")?.and_then(SyncStatus::from_code),
        attempted_at: time(row, "last_sync_attempted_at")?,
        synced_at: time(row, "last_synced_at")?,
        fingerprint: get(row, "fingerprint")?,
        has_state: state_host.is_some() && get(row, "has_length")?,
        host: state_host.unwrap_or_else(|| host(&url)),
        is_restored: get(row, "is_restored")?,
        fence: get::<Option<i64>>(row, "fence")?.unwrap_or_default(),
        recent: get::<Option<String>>(row, "recent")?.unwrap_or_default(),
        cadence: span(row, "cadence")?,
        provenance: ContentProvenance {
            has_content: get(row, "has_content")?,
            validators: Validators::new(get(row, "etag")?, get(row, "last_modified")?),
            body_digest: get::<Option<String>>(row, "body_digest")?.map(BodyDigest::stored),
            validated_fingerprint: get(row, "validated")?,
            fetched_whole_at: time(row, "fetched_whole_at")?,
            converter: get(row, "converter")?,
            template: get(row, "template_version")?,
            chars: optional_number(row, "chars")?,
            main_digest: get(row, "main_digest")?,
        },
        host_template: get::<Option<i64>>(row, "host_template")?.map(TemplateVersion),
        quarantined: match get::<Option<String>>(row, "held_fingerprint")? {
            Some(fingerprint) => Some((Fingerprint::stored(fingerprint), time(row, "rejected_at")?.is_some())),
            None => None,
        },
        url,
    })
}

/// The columns that [`document`] reads, of `captain_documents d` and the tables of `joins!`. Their names differ from those
/// of a job's columns.
macro_rules! columns {
    () => {
        "d.id AS doc_id, has_pdf AS attached, d.name, d.external_link, d.account_id AS doc_account_id, d.assistant_id AS doc_assistant_id, \
         CAST(d.status AS BIGINT) AS status, CAST(d.sync_status AS BIGINT) AS sync_status, \
         micros(d.last_sync_attempted_at) AS last_sync_attempted_at, micros(d.last_synced_at) AS last_synced_at, \
         s.host AS doc_host, s.fence, s.recent, s.etag, s.last_modified, s.body_digest, s.validated, s.fetched_whole_at, \
         (s.restored_version IS NOT NULL AND s.restored_version = s.content_version) AS is_restored, \
         d.content IS NOT NULL AS has_content, s.converter, s.template_version, s.main_digest, nullif(t.version, 0) AS host_template, \
         CAST(coalesce(s.content_length, length(d.content)) AS BIGINT) AS chars, \
         (s.content_length IS NOT NULL OR d.content IS NULL) AS has_length, \
         held.fingerprint AS held_fingerprint, held.rejected_at, meta.content_fingerprint AS fingerprint, c.cadence"
    };
}

/// The tables beside `captain_documents d` that [`document`] reads.
macro_rules! joins {
    () => {
        " LEFT JOIN @document_state s ON s.document_id = d.id LEFT JOIN @held_contents held ON held.document_id = d.id \
         LEFT JOIN @accounts_sched c ON c.account_id = d.account_id LEFT JOIN @host_templates t ON t.host = s.host"
    };
}

pub(super) use joins;

/// The columns that [`document`] reads.
pub(super) const COLUMNS: &str = columns!();

/// Selects documents by their ids.
const DOCUMENTS: &str =
    concat!("SELECT ", columns!(), " FROM captain_documents d", joins!(), " WHERE d.id IN (SELECT each(?))");

/// Returns the stored values that a page fetched now would be compared with; `None` if there is no such document.
pub(in crate::store) async fn stored(reader: &mut Reader, id: DocumentId) -> Result<Option<StoredBaseline>> {
    let row = reader.first(query(DOCUMENTS).bind(vec![id.0])).await?;
    row.as_ref().map(|row| document(row).map(|document| document.stored())).transpose()
}

/// Reads a document by its id; `None` if it does not exist.
pub(in crate::store) async fn by_id(tx: &mut Tx<'_>, id: DocumentId) -> Result<Option<Document>> {
    Ok(by_ids(tx, &[id]).await?.remove(&id))
}

/// Reads documents by their ids; missing ones are left out.
pub(in crate::store) async fn by_ids(tx: &mut Tx<'_>, ids: &[DocumentId]) -> Result<HashMap<DocumentId, Document>> {
    let ids: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let rows = tx.all(query(DOCUMENTS).bind(ids)).await?;
    rows.iter().map(document).map(|document| document.map(|document| (DocumentId(document.id), document))).collect()
}

/// Creates the missing rows of `document_state`, for documents that another program has added, and completes those that a
/// pass has added.
pub(in crate::store) async fn ensure_states(tx: &mut Tx<'_>, documents: &[Document]) -> Result<()> {
    let without: Vec<_> = documents.iter().filter(|document| !document.has_state).collect();
    for some in without.chunks(tx.dialect().rows_per_statement()) {
        let mut sql = Sql::new("INSERT INTO @document_state (document_id, host, content_length) VALUES ");
        for (index, document) in some.iter().enumerate() {
            sql.push(if index > 0 { ", (" } else { "(" }).bind(document.id).push(", ").bind(&document.host);
            sql.push(", (SELECT length(content) FROM captain_documents WHERE id = ").bind(document.id).push("))");
        }
        sql.push(
            " ON CONFLICT (document_id) DO UPDATE SET \
             content_length = coalesce(document_state.content_length, excluded.content_length)",
        );
        tx.run(sql.query()).await?;
    }
    Ok(())
}
