//! FAQ jobs that a person asks for: which documents may have one, and the message to Chatwoot's Sidekiq. The message and a
//! note about it are written in one transaction, so a request that is repeated, because its process was killed or by a
//! second person, starts no second job.

use crate::chatwoot::faq_job::{SUBSCRIBER, requested};
use crate::domain::document::DocumentKind;
use crate::domain::id::{AccountId, DocumentId};
use crate::domain::link::is_pdf;
use crate::domain::request::{DocumentAnswer, RequestAnswer, SkipReason};
use crate::domain::text::SafeLine;
use crate::domain::time::Timestamp;
use crate::fault;
use crate::store::Result;
use crate::store::chatwoot::faqs::{ensure_readable, memory_start};
use crate::store::queue::requests::CHUNK_SIZE;
use crate::store::sql::columns::{corrupt, time};
use crate::store::sql::conn::{Purpose, Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::rows::documents::{AVAILABLE, host};
use crate::store::sql::statement::{Statement, query};
use crate::store::sql::topics::Written;
use crate::store::sql::transaction::Tx;
use serde_json::{Value, json};
use std::collections::HashMap;

/// The facts about a document that decide whether an FAQ job may be started for it.
pub(in crate::store) struct FaqCandidate {
    pub(in crate::store) id: DocumentId,
    pub(in crate::store) host: String,
    account: AccountId,
    kind: DocumentKind,
    has_text: bool,
    /// True if a message for a job of this document waits to be delivered.
    waits: bool,
    /// Time of the last job that somebody asked for, while Redis remembers it and the text is the same, UTC.
    started_at: Option<Timestamp>,
}

impl FaqCandidate {
    /// Returns the reason why no job is started at `now`; `Ok` if one may be. Chatwoot itself starts one for a page with a
    /// text, and for a PDF when it becomes available and never again.
    pub(in crate::store) fn check(&self, now: Timestamp) -> std::result::Result<(), SkipReason> {
        match self.kind {
            DocumentKind::Pdf => Err(SkipReason::PdfFaqs),
            DocumentKind::Crawling => Err(SkipReason::Unavailable),
            DocumentKind::Web if !self.has_text => Err(SkipReason::NoText),
            DocumentKind::Web if self.waits => Err(SkipReason::FaqWaits),
            DocumentKind::Web => match self.started_at {
                Some(at) => Err(SkipReason::FaqStarted(now.since(at))),
                None => Ok(()),
            },
        }
    }
}

/// Selects the candidates among the documents `ids` at the time `now`, by id.
pub(in crate::store) fn candidates(ids: Vec<i64>, now: Timestamp) -> Statement {
    query(
        "SELECT d.id, d.external_link, d.account_id, CAST(d.status AS BIGINT) AS row_status, \
         d.content ~ '[^[:space:]]' AS has_text, among_pdfs AS attached, \
         EXISTS (SELECT 1 FROM @outbox b WHERE b.subscriber = 'chatwoot_faq' \
         AND CAST(CAST(b.payload AS jsonb) ->> 'document_id' AS bigint) = d.id) AS waits, \
         CASE WHEN j.started_at > ?2 AND NOT coalesce(s.text_at > j.started_at, false) THEN j.started_at END \
         AS started_at FROM captain_documents d LEFT JOIN @document_state s ON s.document_id = d.id \
         LEFT JOIN @faq_jobs j ON j.document_id = d.id WHERE d.id = ANY(?1) ORDER BY d.id",
    )
    .bind(ids)
    .bind(memory_start(now).micros())
}

/// Returns the candidate of a row of [`candidates`].
pub(in crate::store) fn candidate(row: &Row) -> Result<FaqCandidate> {
    let url: &str = get(row, "external_link")?;
    let is_available = get::<i64>(row, "row_status")? == AVAILABLE;
    Ok(FaqCandidate {
        id: DocumentId(get(row, "id")?),
        host: host(url),
        account: AccountId(get(row, "account_id")?),
        kind: DocumentKind::of(is_pdf(url) || get::<bool>(row, "attached")?, is_available),
        has_text: get::<Option<bool>>(row, "has_text")?.unwrap_or_default(),
        waits: get(row, "waits")?,
        started_at: time(row, "started_at")?,
    })
}

/// Starts FAQ jobs for documents: notes each, with a message that a worker delivers. Takes several transactions.
pub(in crate::store) async fn start(
    db: &Database,
    documents: &[DocumentId],
    by: &SafeLine,
) -> Result<Vec<DocumentAnswer>> {
    db.ensure_writable()?;
    ensure_readable(db, &mut db.reader().await?).await?;
    let mut answers = Vec::with_capacity(documents.len());
    for chunk in documents.chunks(CHUNK_SIZE) {
        let mut tx = Tx::begin(db, Purpose::Rows).await?;
        answers.extend(start_some(&mut tx, chunk, by).await?);
        fault::point("before_faq_commit", "");
        tx.commit().await?;
        fault::point("faq_jobs_noted", "");
    }
    Ok(answers)
}

async fn start_some(tx: &mut Tx<'_>, documents: &[DocumentId], by: &SafeLine) -> Result<Vec<DocumentAnswer>> {
    let now = tx.now;
    // One request at a time: what is read here stays so until the commit.
    tx.script("LOCK TABLE quarterdeck.faq_jobs IN SHARE ROW EXCLUSIVE MODE").await?;
    let rows = tx.all(candidates(documents.iter().map(|id| id.0).collect(), now)).await?;
    let found: Vec<FaqCandidate> = rows.iter().map(candidate).collect::<Result<_>>()?;
    let mut messages = Vec::new();
    let mut given = HashMap::new();
    for candidate in &found {
        let answer = match candidate.check(now) {
            Err(reason) => RequestAnswer::Skipped(reason),
            Ok(()) => {
                let id = uuid::Uuid::new_v4().simple().to_string();
                let message = requested(candidate.id, candidate.account, &id).ok_or_else(|| corrupt("account_id"))?;
                messages.push(json!({ "id": candidate.id.0, "key": message.key, "payload": message.payload }));
                RequestAnswer::FaqNoted
            }
        };
        given.insert(candidate.id, answer);
    }
    if !messages.is_empty() {
        write(tx, Value::Array(messages), by).await?;
    }
    let answer = |id: &DocumentId| {
        let answer = given.get(id).cloned().unwrap_or(RequestAnswer::Skipped(SkipReason::Missing));
        DocumentAnswer { document_id: *id, answer }
    };
    Ok(documents.iter().map(answer).collect())
}

async fn write(tx: &mut Tx<'_>, messages: Value, by: &SafeLine) -> Result<()> {
    let now = tx.now;
    let messages = messages.to_string();
    let forget = query("DELETE FROM @faq_jobs WHERE started_at <= ?");
    tx.run_quietly(forget.bind(memory_start(now).micros())).await?;
    let note = query(
        "INSERT INTO @faq_jobs (document_id, key, started_at, requested_by) \
         SELECT CAST(k.value ->> 'id' AS BIGINT), k.value ->> 'key', ?2, ?3 FROM elements(?1) k WHERE true \
         ON CONFLICT (document_id) DO UPDATE SET key = excluded.key, started_at = excluded.started_at, \
         requested_by = excluded.requested_by",
    );
    tx.run_quietly(note.bind(messages.clone()).bind(now.micros()).bind(by.as_str())).await?;
    let send = query(
        "INSERT INTO @outbox (subscriber, key, payload, created_at, next_at) \
         SELECT ?2, k.value ->> 'key', k.value ->> 'payload', ?3, ?3 FROM elements(?1) k",
    );
    tx.run_quietly(send.bind(messages).bind(SUBSCRIBER).bind(now.micros())).await?;
    // Lists show that a job waits.
    tx.note(Written::to("document_state"));
    Ok(())
}
