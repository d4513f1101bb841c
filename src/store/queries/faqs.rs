//! Reads about FAQs: the preview of a start of FAQ jobs, and the jobs that wait.

use crate::chatwoot::faq_job::SUBSCRIBER;
use crate::domain::faq::{EditedAnswers, FaqBacklog, FaqPreview};
use crate::domain::id::DocumentId;
use crate::domain::outbox::SubscriberStatus;
use crate::domain::request::{SkipReason, add_skipped};
use crate::domain::text::SafeLine;
use crate::store::chatwoot::faqs::ensure_readable;
use crate::store::outbox;
use crate::store::queries::preview::{CHUNK_SIZE, targets};
use crate::store::queue::faqs::{candidate, candidates};
use crate::store::sql::columns::{line, number, optional_number};
use crate::store::sql::conn::{Row, get};
use crate::store::sql::database::Database;
use crate::store::sql::reader::Reader;
use crate::store::sql::statement::query;
use crate::store::{Preview, Result, StoreError, Targets};
use std::collections::{HashMap, HashSet};

/// Maximum number of documents with edited answers that a preview names.
const MAX_NAMED: usize = 10;
/// Maximum number of questions that a preview reads for these documents.
const MAX_QUESTIONS: i64 = 60;
/// Maximum number of questions that a preview shows of a document.
const QUESTIONS_PER_DOCUMENT: usize = 3;

/// Returns the effect that a start of FAQ jobs would have now.
pub(in crate::store) async fn preview(db: &Database, of: &Targets) -> Result<Preview> {
    let now = db.now();
    ensure_readable(db, &mut db.reader().await?).await?;
    let ids = targets(db, of).await?;
    let mut preview = Preview::default();
    let mut faqs = FaqPreview { edited: Some(0), ..FaqPreview::default() };
    let (mut hosts, mut refused, mut found) = (HashSet::new(), HashMap::new(), 0);
    for batch in ids.chunks(CHUNK_SIZE) {
        let mut reader = db.reader().await?;
        let rows = reader.all(candidates(batch.iter().map(|id| id.0).collect(), now)).await?;
        found += rows.len();
        let mut accepted = Vec::new();
        for row in &rows {
            let candidate = candidate(row)?;
            match candidate.check(now) {
                Ok(()) => {
                    accepted.push(candidate.id.0);
                    hosts.insert(candidate.host);
                }
                Err(reason) => {
                    add_skipped(&mut preview.skipped, reason, 1);
                    refused.insert(candidate.id, reason);
                }
            }
        }
        count(&mut reader, &accepted, &mut faqs).await?;
        preview.targets.extend(accepted.into_iter().map(DocumentId));
    }
    let missing = ids.len().saturating_sub(found) as u64;
    if missing > 0 && matches!(of, Targets::Ids(_)) {
        add_skipped(&mut preview.skipped, SkipReason::Missing, missing);
    }
    if let Targets::Ids(named) = of {
        let started: HashSet<_> = preview.targets.iter().collect();
        let reason = |id: &DocumentId| (*id, refused.get(id).copied().unwrap_or(SkipReason::Missing));
        faqs.refused = named.iter().filter(|id| !started.contains(id)).map(reason).collect();
    }
    preview.skipped.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    preview.hosts = hosts.len() as u64;
    name(&mut db.reader().await?, &mut faqs.named).await?;
    preview.faqs = Some(faqs);
    Ok(preview)
}

/// Adds the answers of the documents `ids` to `faqs`.
async fn count(reader: &mut Reader, ids: &[i64], faqs: &mut FaqPreview) -> Result<()> {
    let answers = query("SELECT document, faqs, edited FROM @faqs_of(?, NULL, NULL) WHERE document IS NOT NULL");
    let mut rows = Vec::new();
    let take = |row: &Row| {
        let document: i64 = get(row, "document")?;
        rows.push((document, number::<u64>(row, "faqs")?, optional_number::<u64>(row, "edited")?));
        Ok(())
    };
    reader.each(answers.bind(ids.to_vec()), take).await?;
    rows.sort_unstable();
    for (document, answers, edited) in rows {
        faqs.answers += answers;
        let Some(edited) = edited else {
            faqs.edited = None;
            continue;
        };
        faqs.edited = faqs.edited.map(|known| known + edited);
        faqs.edited_documents += u64::from(edited > 0);
        if edited > 0 && faqs.named.len() < MAX_NAMED {
            let (document, name) = (DocumentId(document), SafeLine::default());
            faqs.named.push(EditedAnswers { document, name, answers: edited, questions: Vec::new() });
        }
    }
    Ok(())
}

/// Adds names and questions to the documents `named`.
async fn name(reader: &mut Reader, named: &mut [EditedAnswers]) -> Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    let ids: Vec<i64> = named.iter().map(|edited| edited.document.0).collect();
    let find = |named: &mut [EditedAnswers], id: i64| named.iter().position(|edited| edited.document.0 == id);
    let names =
        query("SELECT id, coalesce(nullif(name, ''), external_link) AS name FROM captain_documents WHERE id = ANY(?)");
    for row in reader.all(names.bind(ids.clone())).await? {
        if let Some(index) = find(named, get(&row, "id")?) {
            named[index].name = line(&row, "name")?.unwrap_or_default();
        }
    }
    let questions = query("SELECT document, question FROM @edited_questions(?, ?)");
    for row in reader.all(questions.bind(ids).bind(MAX_QUESTIONS)).await? {
        if let (Some(index), Some(question)) = (find(named, get(&row, "document")?), line(&row, "question")?)
            && named[index].questions.len() < QUESTIONS_PER_DOCUMENT
        {
            named[index].questions.push(question);
        }
    }
    Ok(())
}

/// Returns the reason why FAQs are not known; `None` if they are.
pub(in crate::store) async fn unreadable(db: &Database) -> Result<Option<String>> {
    match ensure_readable(db, &mut db.reader().await?).await {
        Ok(()) => Ok(None),
        Err(StoreError::Forbidden(reason)) => Ok(Some(reason)),
        Err(error) => Err(error),
    }
}

/// Returns figures of the FAQ jobs that are not yet in Sidekiq's queue; `None` if none waits.
pub(in crate::store) async fn backlog(db: &Database) -> Result<Option<FaqBacklog>> {
    let of_chatwoot = |status: &SubscriberStatus| &*status.subscriber == SUBSCRIBER;
    let waiting = outbox::status(db).await?.into_iter().find(of_chatwoot);
    Ok(waiting.map(|status| FaqBacklog {
        jobs: status.pending,
        oldest_at: status.oldest_at,
        reason: status.last_error,
    }))
}
